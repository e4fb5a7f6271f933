#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "log/record_batch.h"

namespace tidemill::log_internal {

// Sparse index of a segment: about one entry per 16 KiB. For seeking by offset and by time.
struct IndexEntry {
  int32_t relative_offset;       // of the batch, from the segment's base
  int32_t position;              // where it begins
  int64_t max_timestamp_before;  // of all batches before it in the segment
};

struct SegmentIndex {
  std::vector<IndexEntry> entries;
  int64_t covered_bytes = 0;  // batches before this byte are indexed
  int64_t end_offset = 0;     // of the batch that begins at covered_bytes
  int64_t max_timestamp = INT64_MIN;

  void Add(const BatchHeader& header, int64_t position, int64_t segment_base);
  // Where to begin looking for `offset`, or for the first record at or after a time.
  IndexEntry FindOffset(int64_t relative_offset) const;
  IndexEntry FindTime(int64_t timestamp_ms) const;
  // The last indexed position that is not behind `position`; 0 when there is none.
  int64_t FindPosition(int64_t position) const;
};

// One file of batches; its name is the offset of its first record.
struct Segment {
  int64_t base_offset = 0;
  std::string path;                      // .../00000000000000000000.log
  std::atomic<int64_t> size{0};          // bytes that readers may look at
  std::shared_ptr<WritableFile> writer;  // until it is sealed and synced; guarded by the partition
  SegmentIndex index;                    // of the last segment, and until it is in its file; guarded by the partition
  int64_t created_ms = 0;
  std::atomic<int64_t> appended_ms{0};            // wall clock of the last append
  std::atomic<int64_t> max_timestamp{INT64_MIN};  // INT64_MIN: not known yet
  std::atomic<bool> replaced{false};  // by a compacted one: its file may have another content now. Set under the
                                      // partition's lock.

  std::string IndexPath() const { return path.substr(0, path.size() - 4) + ".index"; }
};

std::string SegmentPath(const std::string& directory, int64_t base_offset);
// The base offset of "<20 digits>.log"; absent for another name.
std::optional<int64_t> ParseSegmentName(std::string_view path);

// "<base>-<end>.swap": a compacted segment that stands for all in [base, end).
std::string SwapPath(const std::string& directory, int64_t base_offset, int64_t end_offset);
// Does what a crash left undone of putting compacted segments in their place, and removes what never got so far.
Status FinishSwaps(FileSystem& files, const std::string& directory);

Status StoreIndex(FileSystem& files, const Segment& segment, const SegmentIndex& index);
// Absent: missing, damaged, or not of this segment.
Result<std::optional<SegmentIndex>> LoadIndex(FileSystem& files, const Segment& segment);
// From the file if it covers the whole segment, else made again by reading the segment.
Result<SegmentIndex> LoadOrRebuildIndex(FileSystem& files, const Segment& segment);

struct ScanEnd {
  int64_t position = 0;     // behind the last good batch
  int64_t offset = 0;       // that the next batch must have
  bool ends_early = false;  // the bytes stop within a batch
  std::string damage;       // why it ended before `size`; empty: it did not
};

// Reads batches from `position`, which must begin with `offset`, and checks lengths, offsets and checksums. `visit`
// sees each good one.
Result<ScanEnd> ScanBatches(
    const ReadableFile& file, int64_t position, int64_t size, int64_t offset,
    const std::function<Status(const BatchHeader&, std::string_view batch, int64_t position)>& visit);
// Whether a good batch with an offset of at least `offset` begins anywhere in [position, size).
Result<bool> AnyBatchIn(const ReadableFile& file, int64_t position, int64_t size, int64_t offset);

// "file X is damaged at byte P (offset N): why".
Status DamageError(const std::string& path, int64_t position, int64_t offset, std::string_view why);

}  // namespace tidemill::log_internal
