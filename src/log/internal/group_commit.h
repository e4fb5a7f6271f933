#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/status.h"

namespace tidemill::log_internal {

// The first failed fsync of a log. From then on nothing is accepted or acknowledged anywhere in it: the kernel may have
// dropped what it could not write, so no later fsync proves anything. Thread-safe.
class SyncHealth {
 public:
  bool ok() const { return !failed_.load(std::memory_order_acquire); }
  Status status() const;
  void Fail(const Status& status);

 private:
  std::atomic<bool> failed_{false};
  mutable std::mutex mutex_;
  Status status_;
};

class GroupCommit;

// Where fsyncs for those who do not block are run: on a thread of its own, or when RunPending is called. Thread-safe.
class SyncScheduler {
 public:
  // `housekeeping` runs on the same thread, every interval.
  SyncScheduler(int64_t interval_ms, std::function<void()> housekeeping)
      : interval_ms_(interval_ms), housekeeping_(std::move(housekeeping)) {}
  ~SyncScheduler() { Stop(); }
  void StartThread();
  void Schedule(std::shared_ptr<GroupCommit> commit);
  void RunPending();  // without a thread only
  // Runs what is scheduled and ends the thread.
  void Stop();

 private:
  void ThreadMain();
  bool RunOne();

  const int64_t interval_ms_;
  const std::function<void()> housekeeping_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<GroupCommit>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

// One fsync for all who wait: while it runs others gather, and the next one serves them together. Positions grow:
// offsets of a partition, or records of a file. Thread-safe.
class GroupCommit : public std::enable_shared_from_this<GroupCommit> {
 public:
  // `sync` makes durable whatever was appended before the call and returns the position behind it. It is never run
  // twice at a time.
  GroupCommit(SyncScheduler& scheduler, SyncHealth& health, std::function<Result<int64_t>()> sync)
      : scheduler_(scheduler), health_(health), sync_(std::move(sync)) {}

  // Everything below `end` is durable when it returns OK. The first to come runs the fsync itself, which saves a switch
  // of threads.
  Status SyncUpTo(int64_t end);
  // Also when nothing was appended since the last one.
  Status SyncNow();
  // `done` runs at once when it is durable (or can never be), else on the scheduler's thread.
  void WhenDurable(int64_t end, std::function<void(Status)> done);
  int64_t durable_end() const;
  void SetDurable(int64_t end);
  // Waits for a running fsync; then those who wait, and all later calls, get `why` (unless it is durable already).
  void Stop(const Status& why);
  void RunPending();

 private:
  struct Waiter {
    int64_t end;
    std::function<void(Status)> done;
  };
  Status BlockedLocked() const;
  void SyncOnce(std::unique_lock<std::mutex>& lock);
  bool AnyReadyLocked() const;

  SyncScheduler& scheduler_;
  SyncHealth& health_;
  const std::function<Result<int64_t>()> sync_;
  mutable std::mutex mutex_;
  std::condition_variable synced_;
  bool syncing_ = false;
  bool scheduled_ = false;
  int64_t durable_end_ = 0;
  Status stopped_;
  std::vector<Waiter> waiters_;
};

}  // namespace tidemill::log_internal
