#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemill {

// One thread that runs tasks in the order they were posted; or none: then Post runs the task itself (simulations,
// tests).
class Worker {
 public:
  // `low_priority`: gives way to every other thread of the process.
  explicit Worker(bool background, bool low_priority = false);
  ~Worker();  // runs what was posted, then stops
  void Post(std::function<void()> task);
  // Returns when everything posted before has run.
  void Drain();

 private:
  void Run();
  const bool background_;
  const bool low_priority_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tidemill
