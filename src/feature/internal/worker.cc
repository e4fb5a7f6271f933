#include "feature/internal/worker.h"

#include <utility>

#include <sys/resource.h>

namespace tidemill {

Worker::Worker(bool background, bool low_priority) : background_(background), low_priority_(low_priority) {
  if (background_) thread_ = std::thread([this] { Run(); });
}

Worker::~Worker() {
  if (!background_) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::Post(std::function<void()> task) {
  if (!background_) return task();
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void Worker::Drain() {
  if (!background_) return;
  bool done = false;
  std::mutex mutex;
  std::condition_variable changed;
  Post([&] {
    const std::lock_guard lock(mutex);
    done = true;
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&done] { return done; });
}

void Worker::Run() {
  // On Linux this is the thread's own niceness; where it is refused the work is done all the same.
  if (low_priority_) (void)setpriority(PRIO_PROCESS, 0, 10);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace tidemill
