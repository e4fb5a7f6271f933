// The partition's files over time: fsync, checkpoints, retention, closing.

#include <algorithm>

#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/partition_impl.h"

namespace tidemill::log_internal {
namespace {

// A segment's age counts from its newest record's time or from its last append, whichever is later: history that is
// loaded today is kept as long as what happens today.
// Compaction writes segments anew, so of compacted ones the record's time alone counts.
int64_t NewestMs(const Segment& segment, int64_t max_timestamp, const TopicConfig& config) {
  return config.compacts() ? max_timestamp : std::max(max_timestamp, segment.appended_ms.load());
}

}  // namespace

// Called by the group commit only, never twice at a time.
Result<int64_t> PartitionImpl::Sync() {
  std::vector<std::shared_ptr<Segment>> sealed;
  std::shared_ptr<Segment> active;
  std::optional<Checkpoint> checkpoint;
  bool directory = false;
  DurableMark mark;
  {
    std::lock_guard lock(mutex_);
    sealed.swap(sealed_);
    active = segments_.back();
    checkpoint.swap(pending_checkpoint_);
    std::swap(directory, directory_dirty_);
    mark = {active->base_offset, active->size.load(), end_offset_};
  }
  const int64_t start_ns = context_.clock.MonotonicNanos();
  if (Status synced = SyncFiles(std::move(sealed), *active, directory); !synced.ok()) {
    // What the kernel could not write may still be read from its memory after a restart, so the next opening must not
    // believe it.
    DurableMark failed = marks_->last().value_or(DurableMark{});
    failed.sync_failed = true;
    if (Status marked = marks_->Add(failed); !marked.ok())
      LogError("the failed sync could not be noted: " + marked.ToString());
    return synced.WithContext("topic '" + topic_ + "', partition " + std::to_string(index_));
  }
  if (context_.sync_seconds != nullptr)
    context_.sync_seconds->ObserveMicros((context_.clock.MonotonicNanos() - start_ns) / 1000);
  // Both only make a later opening faster, or its judgement sharper.
  if (Status marked = marks_->Add(mark); !marked.ok()) LogWarning("durable mark not written: " + marked.ToString());
  if (checkpoint) {
    if (Status stored = WriteCheckpoint(std::move(checkpoint)); !stored.ok())
      LogWarning("checkpoint not written: " + stored.ToString());
  }
  return mark.offset;
}

Status PartitionImpl::SyncFiles(std::vector<std::shared_ptr<Segment>> sealed, const Segment& active, bool directory) {
  for (const auto& segment : sealed) {
    TM_RETURN_IF_ERROR(segment->writer->Sync());
    if (Status stored = StoreIndex(context_.files, *segment, segment->index); !stored.ok()) {
      LogWarning("index not stored: " + stored.ToString());
    }
    std::lock_guard lock(mutex_);
    segment->writer.reset();
    segment->index = {};  // from now on in its file
  }
  TM_RETURN_IF_ERROR(active.writer->Sync());
  return directory ? context_.files.SyncDirectory(directory_) : Status::OK();
}

// Absent: the stored one, with today's log start.
Status PartitionImpl::WriteCheckpoint(std::optional<Checkpoint> checkpoint) {
  std::lock_guard checkpoint_lock(checkpoint_mutex_);
  Checkpoint next = checkpoint ? *std::move(checkpoint) : checkpoint_;
  {
    std::lock_guard lock(mutex_);
    next.log_start = log_start_;
    next.cleaned_to = cleaned_to_;
    next.clean_again_ms = clean_again_ms_;
  }
  TM_RETURN_IF_ERROR(StoreCheckpoint(context_.files, directory_, next));
  checkpoint_ = std::move(next);
  return Status::OK();
}

Status PartitionImpl::TrimBefore(int64_t offset) {
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    offset = std::min(offset, last_stable_);
    if (offset <= log_start_) return Status::OK();
  }
  // Else a crash could lose the records behind and give their offsets out again, below the log's start.
  TM_RETURN_IF_ERROR(commit_->SyncUpTo(offset));
  {
    std::lock_guard lock(mutex_);
    log_start_ = std::max(log_start_, offset);
  }
  TM_RETURN_IF_ERROR(WriteCheckpoint(std::nullopt));
  return DropSegmentsBefore(offset);
}

Status PartitionImpl::DropSegmentsBefore(int64_t offset) {
  std::lock_guard files_lock(files_mutex_);
  std::vector<std::shared_ptr<Segment>> dropped;
  {
    std::lock_guard lock(mutex_);
    while (segments_.size() > 1 && segments_[1]->base_offset <= offset) {
      dropped.push_back(segments_.front());
      std::erase(sealed_, segments_.front());
      segments_.erase(segments_.begin());
      log_start_ = std::max(log_start_, segments_.front()->base_offset);
    }
  }
  if (dropped.empty()) return Status::OK();
  for (const auto& segment : dropped) {
    TM_RETURN_IF_ERROR(context_.files.Remove(segment->path));
    TM_RETURN_IF_ERROR(context_.files.Remove(segment->IndexPath()));
  }
  // Before what they said of aborted transactions is forgotten, they must be gone for good.
  TM_RETURN_IF_ERROR(context_.files.SyncDirectory(directory_));
  std::lock_guard lock(mutex_);
  transactions_.ForgetBefore(log_start_);
  return Status::OK();
}

Status PartitionImpl::ApplyRetention() {
  const int64_t now = context_.NowMs();
  const auto config = this->config();
  const int64_t keep_ms = config->deletes() ? config->retention_ms : -1;
  const int64_t keep_bytes = config->deletes() ? config->retention_bytes : -1;
  int64_t drop_before = 0, last_stable = 0, size = 0;
  std::vector<std::shared_ptr<Segment>> segments;
  {
    std::lock_guard append_lock(append_mutex_);
    bool roll = false;
    {
      std::lock_guard lock(mutex_);
      TM_RETURN_IF_ERROR(closed_);
      const Segment& active = *segments_.back();
      const bool expired = keep_ms >= 0 && NewestMs(active, active.index.max_timestamp, *config) < now - keep_ms;
      roll = active.size.load() > 0 && (now - active.created_ms >= config->segment_ms || expired);
    }
    if (roll) TM_RETURN_IF_ERROR(Roll());
    std::lock_guard lock(mutex_);
    segments = segments_;
    last_stable = last_stable_;
    drop_before = log_start_;
    for (const auto& segment : segments) size += segment->size.load();
  }
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    const int64_t end = segments[i + 1]->base_offset;
    if (end > last_stable) break;
    int64_t max_timestamp = segments[i]->max_timestamp.load();
    if (max_timestamp == INT64_MIN && keep_ms >= 0) {
      const auto index = LoadOrRebuildIndex(context_.files, *segments[i]);
      if (segments[i]->replaced.load()) return Status::OK();  // the next time
      if (!index.ok()) return index.status();
      segments[i]->max_timestamp.store(max_timestamp = index->max_timestamp);
    }
    size -= segments[i]->size.load();
    const bool expired = keep_ms >= 0 && NewestMs(*segments[i], max_timestamp, *config) < now - keep_ms;
    const bool too_much = keep_bytes >= 0 && size >= keep_bytes;
    if (!expired && !too_much) break;
    drop_before = end;
  }
  return DropSegmentsBefore(drop_before);
}

void PartitionImpl::Housekeeping() {
  const auto report = [this](const Status& status) {
    if (!status.ok())
      LogWarning("topic '" + topic_ + "', partition " + std::to_string(index_) + ": " + status.ToString());
  };
  int64_t end = 0;
  {
    std::lock_guard lock(mutex_);
    if (!closed_.ok()) return;
    end = end_offset_;
    producers_.Forget(context_.NowMs() - context_.producer_expiration_ms, kProducersMax, transactions_.open());
  }
  if (!context_.health.ok()) return;
  report(ApplyRetention());
  bool rolled = false;
  {
    std::lock_guard lock(mutex_);
    rolled = pending_checkpoint_.has_value();
  }
  // Also after a roll: the checkpoint waits for it, and compaction for the checkpoint.
  if (commit_->durable_end() < end) {
    report(commit_->SyncUpTo(end));
  } else if (rolled) {
    report(commit_->SyncNow());
  }
  report(marks_->Sync());
  if (metrics_.size != nullptr) metrics_.size->Set(static_cast<double>(size_bytes()));
}

Status PartitionImpl::Close(const Status& why) {
  std::lock_guard append_lock(append_mutex_);
  std::shared_ptr<Segment> active;
  Checkpoint checkpoint;
  {
    std::lock_guard lock(mutex_);
    if (!closed_.ok()) return Status::OK();
    closed_ = why;
    active = segments_.back();
    checkpoint = {log_start_,  active->base_offset, active->size.load(),
                  end_offset_, transactions_,       producers_.Serialize()};
  }
  Status result = context_.health.ok() ? commit_->SyncUpTo(checkpoint.offset) : context_.health.status();
  if (result.ok()) {
    result = StoreIndex(context_.files, *active, active->index);
    if (Status stored = WriteCheckpoint(std::move(checkpoint)); result.ok()) result = stored;
  }
  commit_->Stop(why);
  subscriptions_->Notify();
  return result;
}

void PartitionImpl::Fail(const Status& why) {
  {
    std::lock_guard append_lock(append_mutex_);
    std::lock_guard lock(mutex_);
    if (closed_.ok()) closed_ = why;
  }
  commit_->Stop(why);
  subscriptions_->Notify();
}

}  // namespace tidemill::log_internal
