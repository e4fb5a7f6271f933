#include "connect/datagen/wake_timer.h"

#include <algorithm>
#include <chrono>

namespace tidemill {

WakeTimer::~WakeTimer() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WakeTimer::CallAfter(int64_t delay_us, std::function<void()> call) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waiting_.emplace_back(std::chrono::steady_clock::now() + std::chrono::microseconds(delay_us), std::move(call));
    if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
  }
  changed_.notify_one();
}

void WakeTimer::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto next = std::min_element(waiting_.begin(), waiting_.end(),
                                       [](const auto& a, const auto& b) { return a.first < b.first; });
    if (std::chrono::steady_clock::now() < next->first) {
      changed_.wait_until(lock, next->first);
      continue;
    }
    const auto call = std::move(next->second);
    waiting_.erase(next);
    lock.unlock();
    call();
    lock.lock();
  }
}

}  // namespace tidemill
