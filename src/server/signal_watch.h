#pragma once

#include <optional>

#include "base/status.h"

namespace tidemill {

// SIGINT and SIGTERM as something to wait for instead of an interruption: blocked for the whole process while this
// lives, so it is made before any thread is. Main thread only, one at a time.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The signal that has come, waiting at most so long; nullopt when none has.
  std::optional<int> Next(int timeout_ms);
  // Readable when a signal has come.
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace tidemill
