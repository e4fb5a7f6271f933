#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace tidemill {

// What a lane sleeps on (an eventcount). Notify is cheap while the lane is awake: no lock. Shared, so that a late
// callback of an outside thread finds it alive.
class LaneSignal {
 public:
  // Any thread. What the caller changed before is seen by the lane's next look.
  void Notify() {
    count_.fetch_add(1, std::memory_order_seq_cst);
    if (sleeping_.load(std::memory_order_seq_cst)) {
      std::lock_guard<std::mutex> lock(mutex_);
      changed_.notify_one();
    }
  }
  // The lane: Look, then search for work; if there is none, Sleep(what Look said) returns at once when a Notify came
  // since.
  uint32_t Look() const { return count_.load(std::memory_order_seq_cst); }
  void Sleep(uint32_t seen, int64_t timeout_ns);

 private:
  std::atomic<uint32_t> count_{0};
  std::atomic<bool> sleeping_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

// "Something happened for this operator or split": set from any thread, taken by the lane.
class WakeFlag {
 public:
  explicit WakeFlag(std::shared_ptr<LaneSignal> signal) : signal_(std::move(signal)) {}
  void Wake() {
    set_.store(true, std::memory_order_release);
    signal_->Notify();
  }
  bool IsSet() const { return set_.load(std::memory_order_relaxed); }
  bool Take() { return set_.load(std::memory_order_relaxed) && set_.exchange(false, std::memory_order_acq_rel); }
  static std::function<void()> Callback(const std::shared_ptr<WakeFlag>& flag) {
    return [flag] { flag->Wake(); };
  }

 private:
  std::atomic<bool> set_{false};
  std::shared_ptr<LaneSignal> signal_;
};

}  // namespace tidemill
