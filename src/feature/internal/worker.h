#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemill {

// One thread that runs tasks in the order they were posted; or none: then Post runs the task itself (simulations, tests).
class Worker {
 public:
  explicit Worker(bool background);
  ~Worker();  // runs what was posted, then stops
  void Post(std::function<void()> task);
  // Returns when everything posted before has run.
  void Drain();

 private:
  void Run();
  bool background_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tidemill
