#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace tidemill::wire {

// Runs functions on a thread of its own: in the order of their times, and of their posting where those are the same.
// Nothing runs before Start. Thread-safe.
class TaskQueue {
 public:
  using Task = std::function<void()>;
  ~TaskQueue() { Stop(); }

  void Start();

  void Post(Task task) { PostAfter(0, std::move(task)); }
  void PostAfter(int64_t ms, Task task);
  // Waits for the task that is running; those that have not run are dropped, now and from here on.
  void Stop();

 private:
  using Time = std::chrono::steady_clock::time_point;
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Time, Task> tasks_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace tidemill::wire
