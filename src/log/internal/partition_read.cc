#include <algorithm>
#include <array>

#include "log/errors.h"
#include "log/internal/partition_impl.h"

namespace tidemill::log_internal {
namespace {

constexpr int64_t kHeadsBytes = 16 << 10;  // as far as entries of the index are apart

// Moves the cursor on to the batch that holds `offset`. Absent: it is not there, or damaged.
std::optional<BatchHeader> WalkTo(int64_t offset, int64_t readable_bytes, ReadCursor* cursor) {
  std::array<char, kHeadsBytes> bytes;
  std::string_view there;
  while (true) {
    if (there.size() < kBatchHeadBytes) {
      const int64_t wanted = std::min<int64_t>(kHeadsBytes, readable_bytes - cursor->position);
      if (wanted < kBatchHeadBytes) return std::nullopt;
      const auto got = cursor->file->ReadAt(cursor->position, wanted, bytes.data());
      if (!got.ok() || *got < kBatchHeadBytes) return std::nullopt;
      there = {bytes.data(), static_cast<size_t>(*got)};
    }
    const auto header = ParseBatchHeader(there);
    if (!header.ok() || header->base_offset != cursor->offset) return std::nullopt;
    if (cursor->position + header->total_bytes() > readable_bytes) return std::nullopt;
    if (header->last_offset() >= offset) return *header;
    cursor->offset = header->last_offset() + 1;
    cursor->position += header->total_bytes();
    there.remove_prefix(std::min(there.size(), static_cast<size_t>(header->total_bytes())));
  }
}

}  // namespace

Status PartitionImpl::Locate(int64_t offset, IsolationLevel isolation, ReadCursor* cursor, ReadWindow* window) {
  // A segment that is compacted meanwhile is looked for again.
  while (true) {
    Status located = TryLocate(offset, isolation, cursor, window);
    const bool replaced = cursor->segment != nullptr && cursor->segment->replaced.load();
    if (!replaced) {
      if (!located.ok() && !located.Is(kOffsetOutOfRange)) cursor->segment.reset();
      return located;
    }
    *cursor = ReadCursor{};
  }
}

Status PartitionImpl::TryLocate(int64_t offset, IsolationLevel isolation, ReadCursor* cursor, ReadWindow* window) {
  std::optional<IndexEntry> entry;
  bool look_up = false;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    if (offset < log_start_ || offset > end_offset_) {
      return Status(kOffsetOutOfRange, Name() + " has offsets " + std::to_string(log_start_) + " to " +
                                           std::to_string(end_offset_) + ", not " + std::to_string(offset));
    }
    window->limit_offset = isolation == IsolationLevel::kReadCommitted ? last_stable_ : end_offset_;
    window->end_offset = end_offset_;
    window->aborted = transactions_.aborted();
    window->readable_bytes = 0;
    if (offset >= window->limit_offset) return Status::OK();
    if (cursor->segment != nullptr && cursor->segment->replaced.load()) *cursor = ReadCursor{};
    const auto after = [&](int64_t wanted) {
      return std::upper_bound(segments_.begin(), segments_.end(), wanted,
                              [](int64_t o, const auto& segment) { return o < segment->base_offset; });
    };
    const bool located = cursor->segment != nullptr;
    look_up = !located;
    if (!located) {
      cursor->segment = *std::prev(after(offset));
      const SegmentIndex& index = cursor->segment->index;
      if (index.covered_bytes == cursor->segment->size.load())
        entry = index.FindOffset(offset - cursor->segment->base_offset);
      cursor->file.reset();
    } else if (cursor->position >= cursor->segment->size.load() && cursor->segment != segments_.back()) {
      const auto next = after(cursor->segment->base_offset);
      if (next == segments_.end() || (*next)->base_offset != cursor->offset) {
        return DamageError(cursor->segment->path, cursor->position, cursor->offset,
                           "the segment that goes on from here is missing");
      }
      *cursor = ReadCursor{*next, nullptr, 0, cursor->offset};
    }
    window->readable_bytes = cursor->segment->size.load();
  }
  if (look_up && !entry) {
    TM_ASSIGN_OR_RETURN(const auto index, context_.open_segments.Index(cursor->segment));
    entry = index->FindOffset(offset - cursor->segment->base_offset);
  }
  if (entry) {
    cursor->position = entry->position;
    cursor->offset = cursor->segment->base_offset + entry->relative_offset;
  }
  if (cursor->file == nullptr) {
    TM_ASSIGN_OR_RETURN(cursor->file, context_.open_segments.File(cursor->segment));
  }
  return Status::OK();
}

Result<int64_t> PartitionImpl::OffsetForTime(int64_t timestamp_ms) {
  while (true) {
    bool replaced = false;  // by compaction, while this looked into it
    auto offset = FindTime(timestamp_ms, &replaced);
    if (offset.ok() || !replaced) return offset;
  }
}

Result<int64_t> PartitionImpl::FindTime(int64_t timestamp_ms, bool* replaced) {
  std::vector<std::shared_ptr<Segment>> segments;
  int64_t log_start = 0, active_max = 0, end = 0;
  SegmentIndex active_index;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    segments = segments_;
    log_start = log_start_;
    end = end_offset_;
    active_index = segments_.back()->index;
    active_max = active_index.max_timestamp;
  }
  for (const auto& segment : segments) {
    const bool active = segment == segments.back();
    int64_t max_timestamp = active ? active_max : segment->max_timestamp.load();
    std::optional<SegmentIndex> index;
    if (active) index = active_index;
    const auto load_index = [&]() -> Result<SegmentIndex> {
      {
        std::lock_guard lock(mutex_);
        if (segment->index.covered_bytes == segment->size.load()) return segment->index;
      }
      auto loaded = LoadOrRebuildIndex(context_.files, *segment);
      *replaced = segment->replaced.load();
      return *replaced ? Result<SegmentIndex>(Status(kCorruptBatch, "the segment was replaced")) : std::move(loaded);
    };
    if (!active && max_timestamp == INT64_MIN) {
      TM_ASSIGN_OR_RETURN(index, load_index());
      max_timestamp = index->max_timestamp;
      segment->max_timestamp.store(max_timestamp);
    }
    if (max_timestamp < timestamp_ms) continue;
    if (!index) {
      TM_ASSIGN_OR_RETURN(index, load_index());
    }
    const int64_t start = segment->base_offset + index->FindTime(timestamp_ms).relative_offset;
    PartitionReader reader(shared_from_this(), std::max(start, log_start),
                           {.isolation = IsolationLevel::kReadUncommitted});
    std::vector<RecordView> records;
    do {
      TM_RETURN_IF_ERROR(reader.Poll(1024, &records));
      for (const RecordView& record : records) {
        if (record.timestamp_ms >= timestamp_ms) return record.offset;
      }
    } while (!records.empty());
    break;
  }
  return end;
}

Result<std::optional<StoredBatches>> PartitionImpl::FindBatches(int64_t offset, IsolationLevel isolation,
                                                                int64_t bytes_max) {
  ReadCursor cursor;
  ReadWindow window;
  TM_RETURN_IF_ERROR(Locate(offset, isolation, &cursor, &window));
  if (cursor.segment == nullptr) return std::optional(StoredBatches());
  if (isolation == IsolationLevel::kReadCommitted &&
      (window.limit_offset < window.end_offset || !window.aborted->empty()))
    return std::optional<StoredBatches>();
  const auto first = WalkTo(offset, window.readable_bytes, &cursor);
  if (!first) return std::optional<StoredBatches>();  // a reader says what is wrong, or goes on in the next segment
  int64_t bytes = window.readable_bytes - cursor.position;
  if (bytes > bytes_max) {
    int64_t end = 0;
    {
      std::unique_lock lock(mutex_);
      const SegmentIndex& index = cursor.segment->index;
      if (index.covered_bytes >= window.readable_bytes) {
        end = index.FindPosition(cursor.position + bytes_max);
      } else {
        lock.unlock();
        TM_ASSIGN_OR_RETURN(const auto loaded, context_.open_segments.Index(cursor.segment));
        end = loaded->FindPosition(cursor.position + bytes_max);
      }
    }
    // The index is too coarse for this: a reader counts.
    if (end <= cursor.position && first->total_bytes() < bytes_max) return std::optional<StoredBatches>();
    bytes = std::max(end - cursor.position, first->total_bytes());
  }
  // A file that was replaced since has other positions.
  if (cursor.segment->replaced.load()) return std::optional<StoredBatches>();
  return std::optional(StoredBatches{cursor.file, cursor.position, bytes});
}

}  // namespace tidemill::log_internal
