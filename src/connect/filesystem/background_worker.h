#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemill {

// One thread that does what may wait for a disk, in order. Destruction finishes what was given. Thread-safe.
class BackgroundWorker {
 public:
  BackgroundWorker() = default;
  ~BackgroundWorker();
  void Submit(std::function<void()> work);

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::thread thread_;  // started by the first Submit
};

}  // namespace tidemill
