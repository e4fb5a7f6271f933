#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/status.h"
#include "server/console.h"

namespace CLI {
class App;
}

namespace tidemill {

inline constexpr int kStopTimeoutSeconds = 60;

// --stop-timeout of a command that runs jobs.
void AddStopTimeoutOption(CLI::App& app, int& seconds);

// How long jobs that were told to stop may take for their last epoch: a sink whose system is gone would have them wait
// for ever.
class GracefulStop {
 public:
  // 0 seconds: no limit.
  GracefulStop(Console& console, const Clock& clock, int64_t timeout_seconds)
      : console_(console), clock_(clock), timeout_seconds_(timeout_seconds) {}
  // The time runs from the first call, which also says that something is being stopped, if `notice`.
  void Begin(bool notice);
  bool begun() const { return began_.has_value(); }
  // True once, when the time is over.
  bool RunsOut();
  // kStopTimedOut if the time ran out, else OK.
  Status result() const;

 private:
  Console& console_;
  const Clock& clock_;
  const int64_t timeout_seconds_;
  std::optional<int64_t> began_;  // monotonic nanoseconds
  bool ran_out_ = false;
};

}  // namespace tidemill
