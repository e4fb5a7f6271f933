#include "log/wire/internal/task_queue.h"

namespace tidemill::wire {

void TaskQueue::Start() {
  thread_ = std::thread([this] { Run(); });
}

void TaskQueue::PostAfter(int64_t ms, Task task) {
  const Time at = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  const bool is_next = tasks_.empty() || at < tasks_.begin()->first;
  tasks_.emplace(at, std::move(task));
  if (is_next) changed_.notify_one();
}

void TaskQueue::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  // Outside the lock: what a task holds may post when it goes.
  std::multimap<Time, Task> dropped;
  {
    std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
  }
}

void TaskQueue::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto next = tasks_.begin();
    if (next->first > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, next->first);
      continue;
    }
    Task task = std::move(next->second);
    tasks_.erase(next);
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace tidemill::wire
