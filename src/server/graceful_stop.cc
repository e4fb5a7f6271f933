#include "server/graceful_stop.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/errors.h"

namespace tidemill {

void AddStopTimeoutOption(CLI::App& app, int& seconds) {
  app.add_option("--stop-timeout", seconds,
                 "Seconds that the last epoch may take when told to stop; then the run ends without it. 0: no limit")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
}

void GracefulStop::Begin(bool notice) {
  if (began_) return;
  began_ = clock_.MonotonicNanos();
  if (notice) console_.Notice("stopping: saving an epoch (again to stop at once)");
}

bool GracefulStop::RunsOut() {
  if (!began_ || ran_out_ || timeout_seconds_ == 0) return false;
  ran_out_ = clock_.MonotonicNanos() - *began_ >= timeout_seconds_ * 1'000'000'000;
  return ran_out_;
}

Status GracefulStop::result() const {
  if (!ran_out_) return Status::OK();
  return Status(kStopTimedOut, fmt::format("no last epoch within {} s of being told to stop; the next run does again "
                                           "what came after the last one that was committed",
                                           timeout_seconds_));
}

}  // namespace tidemill
