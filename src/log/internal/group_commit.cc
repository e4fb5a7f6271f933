#include "log/internal/group_commit.h"

#include <algorithm>
#include <chrono>

#include "base/logging.h"
#include "log/errors.h"

namespace tidemill::log_internal {

Status SyncHealth::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

void SyncHealth::Fail(const Status& status) {
  std::lock_guard lock(mutex_);
  if (status_.ok()) {
    if (!status.Is(kLogClosed))
      LogError(status.ToString() + "; nothing more is accepted until the log is opened again");
    status_ = status;
  }
  failed_.store(true, std::memory_order_release);
}

void SyncScheduler::StartThread() {
  thread_ = std::thread([this] { ThreadMain(); });
}

void SyncScheduler::Schedule(std::shared_ptr<GroupCommit> commit) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(commit));
  }
  changed_.notify_one();
}

bool SyncScheduler::RunOne() {
  std::shared_ptr<GroupCommit> commit;
  {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    commit = std::move(queue_.front());
    queue_.pop_front();
  }
  commit->RunPending();
  return true;
}

void SyncScheduler::RunPending() {
  if (thread_.joinable()) return;
  while (RunOne()) {
  }
}

void SyncScheduler::ThreadMain() {
  const auto interval = std::chrono::milliseconds(interval_ms_);
  auto due = std::chrono::steady_clock::now() + interval;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, due, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_ && queue_.empty()) return;
    }
    while (RunOne()) {
    }
    if (const auto now = std::chrono::steady_clock::now(); now >= due) {
      housekeeping_();
      due = now + interval;
    }
  }
}

void SyncScheduler::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  while (RunOne()) {
  }
}

Status GroupCommit::BlockedLocked() const {
  if (!stopped_.ok()) return stopped_;
  return health_.ok() ? Status::OK() : health_.status();
}

bool GroupCommit::AnyReadyLocked() const {
  return std::any_of(waiters_.begin(), waiters_.end(),
                     [this](const Waiter& waiter) { return waiter.end <= durable_end_; });
}

void GroupCommit::SyncOnce(std::unique_lock<std::mutex>& lock) {
  syncing_ = true;
  lock.unlock();
  Result<int64_t> end = sync_();
  lock.lock();
  syncing_ = false;
  if (end.ok()) {
    durable_end_ = std::max(durable_end_, *end);
  } else {
    health_.Fail(end.status());
  }
  synced_.notify_all();
}

Status GroupCommit::SyncUpTo(int64_t end) {
  std::unique_lock lock(mutex_);
  while (durable_end_ < end) {
    TM_RETURN_IF_ERROR(BlockedLocked());
    if (syncing_) {
      synced_.wait(lock);
    } else {
      SyncOnce(lock);
    }
  }
  // Others who do not block may be served by the same fsync; their callbacks belong on the scheduler's thread.
  if (!scheduled_ && AnyReadyLocked()) {
    scheduled_ = true;
    scheduler_.Schedule(shared_from_this());
  }
  return Status::OK();
}

Status GroupCommit::SyncNow() {
  std::unique_lock lock(mutex_);
  synced_.wait(lock, [this] { return !syncing_; });
  TM_RETURN_IF_ERROR(BlockedLocked());
  SyncOnce(lock);
  return BlockedLocked();
}

void GroupCommit::WhenDurable(int64_t end, std::function<void(Status)> done) {
  Status now;
  {
    std::lock_guard lock(mutex_);
    if (end > durable_end_) {
      now = BlockedLocked();
      if (now.ok()) {
        waiters_.push_back({end, std::move(done)});
        if (!scheduled_) {
          scheduled_ = true;
          scheduler_.Schedule(shared_from_this());
        }
        return;
      }
    }
  }
  done(std::move(now));
}

int64_t GroupCommit::durable_end() const {
  std::lock_guard lock(mutex_);
  return durable_end_;
}

void GroupCommit::SetDurable(int64_t end) {
  std::lock_guard lock(mutex_);
  durable_end_ = end;
}

void GroupCommit::Stop(const Status& why) {
  std::vector<Waiter> waiters;
  int64_t durable_end = 0;
  {
    std::unique_lock lock(mutex_);
    synced_.wait(lock, [this] { return !syncing_; });
    if (stopped_.ok()) stopped_ = why;
    waiters.swap(waiters_);
    durable_end = durable_end_;
  }
  synced_.notify_all();
  for (Waiter& waiter : waiters) waiter.done(waiter.end <= durable_end ? Status::OK() : why);
}

void GroupCommit::RunPending() {
  std::vector<Waiter> ready;
  Status blocked;
  int64_t durable_end = 0;
  {
    std::unique_lock lock(mutex_);
    synced_.wait(lock, [this] { return !syncing_; });
    scheduled_ = false;
    const bool unserved =
        std::any_of(waiters_.begin(), waiters_.end(), [this](const Waiter& w) { return w.end > durable_end_; });
    if (unserved && BlockedLocked().ok()) SyncOnce(lock);
    blocked = BlockedLocked();
    durable_end = durable_end_;
    const auto rest = std::stable_partition(waiters_.begin(), waiters_.end(),
                                            [&](const Waiter& w) { return !blocked.ok() || w.end <= durable_end; });
    ready.assign(std::make_move_iterator(waiters_.begin()), std::make_move_iterator(rest));
    waiters_.erase(waiters_.begin(), rest);
    if (!waiters_.empty() && !scheduled_) {
      scheduled_ = true;
      scheduler_.Schedule(shared_from_this());
    }
  }
  for (Waiter& waiter : ready) waiter.done(waiter.end <= durable_end ? Status::OK() : blocked);
}

}  // namespace tidemill::log_internal
