// Compaction of a partition: of records with the same key the newest is kept (Kafka's cleanup.policy = compact).
//
// A pass notes the newest offset of each key in what is new since the last pass, then writes all closed segments anew
// without what is superseded; small neighbours become one segment. The active segment, segments that the checkpoint
// does not cover yet (so that opening never begins within a changed one), and everything at or above the last stable
// offset are left alone.
//
// A new segment takes the place of old ones in these steps, each of which a crash may follow:
//   BASE.cleaned          is written and synced;            found at opening: removed
//   BASE-END.swap         is its new name, synced;          found at opening: the rest is done then
//   old files             become *.deleted or are replaced: BASE-END.swap becomes BASE.log;
//   *.deleted             are removed.                      found at opening: removed

#include <algorithm>

#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/partition_impl.h"
#include "log/internal/segment_cleaner.h"

namespace tidemill::log_internal {
namespace {

constexpr size_t kGroupMax = 64;  // segments that become one: each is a rename under the lock
constexpr int64_t kRetryAfterMs = 60'000;

struct Closed {
  std::shared_ptr<Segment> segment;
  int64_t end_offset = 0;
};

}  // namespace

struct PartitionImpl::Compaction {
  PartitionImpl& partition;
  LogContext& context;
  std::shared_ptr<const TopicConfig> config;
  std::vector<Closed> closed;  // that may be cleaned
  int64_t cleaned_to = 0;
  int64_t clean_again_ms = INT64_MAX;
  int64_t now_ms = 0;
  std::shared_ptr<const AbortedList> aborted;

  Status Gather();
  bool IsDue() const;
  Result<int64_t> MapKeys(KeyOffsets* newest) const;
  Status CleanAll(const KeyOffsets& newest, int64_t mapped_to);
  bool FitsBehind(size_t first, size_t next, int64_t bytes, int64_t mapped_to) const;
  Result<size_t> CleanGroup(size_t first, const CleaningRules& rules, CleaningPass* pass);
  Status Swap(size_t first, size_t last, const std::string& cleaned_path, const SegmentCleaner& cleaner);
  Status Stopped() const {
    return context.stopping.load() ? Status(kLogClosed, "the log is being closed") : Status::OK();
  }
};

Status PartitionImpl::Compaction::Gather() {
  int64_t covered = 0;
  {
    std::lock_guard lock(partition.checkpoint_mutex_);
    covered = partition.checkpoint_.segment_base;
  }
  {
    std::lock_guard lock(partition.mutex_);
    TM_RETURN_IF_ERROR(partition.closed_);
    const auto& segments = partition.segments_;
    for (size_t i = 0; i + 1 < segments.size(); ++i) {
      const int64_t end = segments[i + 1]->base_offset;
      if (segments[i]->base_offset >= covered || end > covered || end > partition.last_stable_) break;
      closed.push_back({segments[i], end});
    }
    cleaned_to = partition.cleaned_to_;
    clean_again_ms = partition.clean_again_ms_;
    aborted = partition.transactions_.aborted();
  }
  if (config->min_compaction_lag_ms == 0) return Status::OK();
  for (size_t i = 0; i < closed.size(); ++i) {
    Segment& segment = *closed[i].segment;
    if (segment.max_timestamp.load() == INT64_MIN) {
      TM_ASSIGN_OR_RETURN(const SegmentIndex index, LoadOrRebuildIndex(context.files, segment));
      segment.max_timestamp.store(index.max_timestamp);
    }
    if (segment.max_timestamp.load() > now_ms - config->min_compaction_lag_ms) closed.resize(i);
  }
  return Status::OK();
}

bool PartitionImpl::Compaction::IsDue() const {
  if (closed.empty()) return false;
  if (now_ms >= clean_again_ms) return true;
  int64_t dirty = 0, all = 0;
  for (const Closed& one : closed) {
    const int64_t size = one.segment->size.load();
    all += size;
    if (one.end_offset > cleaned_to) dirty += size;
  }
  return dirty > 0 && static_cast<double>(dirty) >= config->min_cleanable_dirty_ratio * static_cast<double>(all);
}

// Returns up to where every key is known: the map may be too small for all.
Result<int64_t> PartitionImpl::Compaction::MapKeys(KeyOffsets* newest) const {
  std::string decompressed;
  std::vector<RecordView> records;
  int64_t mapped_to = closed.back().end_offset;
  bool full = false;
  for (const Closed& one : closed) {
    if (one.end_offset <= cleaned_to || full) continue;
    TM_ASSIGN_OR_RETURN(const auto file, context.files.OpenReadable(one.segment->path));
    const auto visit = [&](const BatchHeader& header, std::string_view batch, int64_t) -> Status {
      TM_RETURN_IF_ERROR(Stopped());
      if (full || header.control() || header.last_offset() < cleaned_to) return Status::OK();
      if (header.transactional() && IsAborted(*aborted, header.producer_id, header.base_offset)) return Status::OK();
      // Unreadable records, from before the topic was compacted, have no keys.
      TM_ASSIGN_OR_RETURN(const bool readable, ReadRecords(header, batch, &decompressed, &records));
      if (!readable) return Status::OK();
      for (const RecordView& record : records) {
        if (record.offset < cleaned_to || !record.has_key() || newest->Put(record.key, record.offset)) continue;
        full = true;
        mapped_to = record.offset;
        break;
      }
      return Status::OK();
    };
    TM_ASSIGN_OR_RETURN(const ScanEnd end,
                        ScanBatches(*file, 0, one.segment->size.load(), one.segment->base_offset, visit));
    if (!end.damage.empty()) return DamageError(one.segment->path, end.position, end.offset, end.damage);
  }
  return mapped_to;
}

Status PartitionImpl::Compaction::CleanAll(const KeyOffsets& newest, int64_t mapped_to) {
  const CleaningRules rules{newest,
                            mapped_to,
                            aborted,
                            [this](const BatchHeader& header) {
                              std::lock_guard lock(partition.mutex_);
                              const auto* producer = partition.producers_.Find(header.producer_id);
                              if (producer == nullptr) return false;
                              if (header.control()) return producer->last_offset == header.last_offset();
                              return !producer->batches.empty() &&
                                     producer->batches.back().last_offset == header.last_offset();
                            },
                            now_ms,
                            config->delete_retention_ms};
  CleaningPass pass;
  for (size_t first = 0; first < closed.size() && closed[first].segment->base_offset < mapped_to;) {
    TM_ASSIGN_OR_RETURN(first, CleanGroup(first, rules, &pass));
  }
  {
    std::lock_guard lock(partition.mutex_);
    partition.cleaned_to_ = std::max(partition.cleaned_to_, mapped_to);
    partition.clean_again_ms_ = pass.clean_again_ms;
  }
  return partition.WriteCheckpoint(std::nullopt);
}

bool PartitionImpl::Compaction::FitsBehind(size_t first, size_t next, int64_t bytes, int64_t mapped_to) const {
  if (next == closed.size() || next - first == kGroupMax) return false;
  const Closed& one = closed[next];
  return one.segment->base_offset < mapped_to && bytes < config->segment_bytes / 2 &&
         bytes + one.segment->size.load() <= config->segment_bytes / 2 * 3 &&
         one.end_offset - closed[first].segment->base_offset <= INT32_MAX / 2;
}

// Makes one segment of this one and those behind it that fit; returns the next.
Result<size_t> PartitionImpl::Compaction::CleanGroup(size_t first, const CleaningRules& rules, CleaningPass* pass) {
  const Segment& front = *closed[first].segment;
  const std::string path = front.path.substr(0, front.path.size() - 4) + ".cleaned";
  TM_ASSIGN_OR_RETURN(const auto out, context.files.OpenWritable(path, FileSystem::OpenMode::kTruncate));
  SegmentCleaner cleaner(rules, pass, *out, front.base_offset);
  size_t last = first;
  const auto write = [&]() -> Status {
    do {
      const Segment& segment = *closed[last].segment;
      TM_ASSIGN_OR_RETURN(const auto file, context.files.OpenReadable(segment.path));
      const auto visit = [&](const BatchHeader& header, std::string_view batch, int64_t) -> Status {
        TM_RETURN_IF_ERROR(Stopped());
        return cleaner.Add(header, batch);
      };
      TM_ASSIGN_OR_RETURN(const ScanEnd end, ScanBatches(*file, 0, segment.size.load(), segment.base_offset, visit));
      if (!end.damage.empty()) return DamageError(segment.path, end.position, end.offset, end.damage);
    } while (FitsBehind(first, ++last, cleaner.bytes(), rules.mapped_to));
    TM_RETURN_IF_ERROR(cleaner.Finish(closed[last - 1].end_offset));
    if (!cleaner.changed() && last - first == 1) return context.files.Remove(path);
    TM_RETURN_IF_ERROR(out->Sync());
    return Swap(first, last, path, cleaner);
  };
  Status written = write();
  if (!written.ok()) (void)context.files.Remove(path);  // else it goes when the log is opened
  if (!written.ok()) return written;
  return last;
}

Status PartitionImpl::Compaction::Swap(size_t first, size_t last, const std::string& cleaned_path,
                                       const SegmentCleaner& cleaner) {
  FileSystem& files = context.files;
  std::lock_guard files_lock(partition.files_mutex_);
  auto next = std::make_shared<Segment>();
  next->base_offset = closed[first].segment->base_offset;
  next->path = closed[first].segment->path;
  next->size = cleaner.bytes();
  next->created_ms = context.NowMs();
  next->appended_ms = closed[last - 1].segment->appended_ms.load();
  next->max_timestamp = cleaner.index().max_timestamp;
  next->index = cleaner.index();  // until it is in its file
  const auto find = [&] {
    auto& segments = partition.segments_;
    const auto at = std::find(segments.begin(), segments.end(), closed[first].segment);
    return segments.end() - at < static_cast<std::ptrdiff_t>(last - first) ? segments.end() : at;
  };
  {
    std::lock_guard lock(partition.mutex_);
    TM_RETURN_IF_ERROR(partition.closed_);
    // Retention was faster.
    if (find() == partition.segments_.end()) return files.Remove(cleaned_path);
  }
  const std::string swap_path = SwapPath(partition.directory_, next->base_offset, closed[last - 1].end_offset);
  TM_RETURN_IF_ERROR(files.Rename(cleaned_path, swap_path));
  TM_RETURN_IF_ERROR(files.SyncDirectory(partition.directory_));
  {
    std::lock_guard lock(partition.mutex_);
    TM_RETURN_IF_ERROR(partition.closed_);
    // Before the files change: who has opened one by its name meanwhile sees that it may be another one.
    for (size_t i = first; i < last; ++i) closed[i].segment->replaced.store(true);
    const auto rename = [&]() -> Status {
      TM_RETURN_IF_ERROR(files.Remove(next->IndexPath()));
      for (size_t i = first + 1; i < last; ++i) {
        const std::string& path = closed[i].segment->path;
        TM_RETURN_IF_ERROR(files.Rename(path, path + ".deleted"));
      }
      return files.Rename(swap_path, next->path);
    };
    if (Status renamed = rename(); !renamed.ok()) {
      for (size_t i = first; i < last; ++i) closed[i].segment->replaced.store(false);
      return renamed;
    }
    const auto at = find();
    *at = next;
    partition.segments_.erase(at + 1, at + static_cast<std::ptrdiff_t>(last - first));
    partition.transactions_.ForgetAborted(cleaner.forgotten());
  }
  if (Status stored = StoreIndex(files, *next, cleaner.index()); !stored.ok())
    LogWarning("index not stored: " + stored.ToString());
  {
    std::lock_guard lock(partition.mutex_);
    next->index = {};
  }
  for (size_t i = first + 1; i < last; ++i) {
    TM_RETURN_IF_ERROR(files.Remove(closed[i].segment->path + ".deleted"));
    TM_RETURN_IF_ERROR(files.Remove(closed[i].segment->IndexPath()));
  }
  return files.SyncDirectory(partition.directory_);
}

bool PartitionImpl::MayCompact() const {
  std::lock_guard lock(mutex_);
  return closed_.ok() && config_->compacts() && segments_.size() > 1;
}

Status PartitionImpl::Compact() {
  std::lock_guard compaction_lock(compaction_mutex_);
  Compaction compaction{*this, context_, config(), {}, 0, INT64_MAX, context_.NowMs(), nullptr};
  if (!compaction.config->compacts() || compaction.now_ms < compact_after_ms_) return Status::OK();
  const auto run = [&]() -> Status {
    TM_RETURN_IF_ERROR(context_.health.status());
    TM_RETURN_IF_ERROR(compaction.Gather());
    if (!compaction.IsDue()) return Status::OK();
    KeyOffsets newest(context_.compaction_keys_max, static_cast<uint64_t>(context_.clock.MonotonicNanos()));
    TM_ASSIGN_OR_RETURN(const int64_t mapped_to, compaction.MapKeys(&newest));
    return compaction.CleanAll(newest, mapped_to);
  };
  Status status = run();
  if (!status.ok()) compact_after_ms_ = compaction.now_ms + kRetryAfterMs;
  return status;
}

}  // namespace tidemill::log_internal
