#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tidemill {

// Calls back after a while, on a thread of its own. Destruction drops what has not been called. Thread-safe.
class WakeTimer {
 public:
  WakeTimer() = default;
  ~WakeTimer();
  void CallAfter(int64_t delay_us, std::function<void()> call);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<TimePoint, std::function<void()>>> waiting_;  // few: one per idle split
  bool stopping_ = false;
  std::thread thread_;  // started by the first call
};

}  // namespace tidemill
