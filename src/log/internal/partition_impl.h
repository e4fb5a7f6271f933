#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "log/internal/checkpoint.h"
#include "log/internal/group_commit.h"
#include "log/internal/open_segments.h"
#include "log/internal/producer_state.h"
#include "log/internal/segment.h"
#include "log/internal/subscriptions.h"
#include "log/internal/transaction_state.h"
#include "log/partition.h"

namespace tidemill::log_internal {

// What all partitions of a log share; outlives them.
struct LogContext {
  FileSystem& files;
  const Clock& clock;
  SyncScheduler& scheduler;
  SyncHealth& health;
  Histogram* sync_seconds = nullptr;  // may be null
  int64_t producer_expiration_ms = 24LL * 3600 * 1000;
  size_t compaction_keys_max = 1'000'000;
  std::atomic<bool> stopping{false};  // long work ends at the next opportunity
  OpenSegments open_segments{files};

  int64_t NowMs() const { return clock.NowMicros() / 1000; }
};

struct PartitionMetrics {
  Counter* records = nullptr;  // all or none are null
  Counter* bytes = nullptr;
  Gauge* size = nullptr;
};

// Where a reader stands in the files.
struct ReadCursor {
  std::shared_ptr<Segment> segment;  // null: not located yet
  std::shared_ptr<ReadableFile> file;
  int64_t position = 0;
  int64_t offset = 0;  // that the batch at `position` must begin with
};

// What a reader may see at this moment.
struct ReadWindow {
  int64_t limit_offset = 0;    // batches that begin below it
  int64_t end_offset = 0;      // of the partition
  int64_t readable_bytes = 0;  // of the cursor's segment
  std::shared_ptr<const AbortedList> aborted;
};

// Locks: append_mutex_ orders writers and is held while they write; mutex_ guards what readers look at and is held for
// moments only. append_mutex_ is taken first. GroupCommit's own mutex is never held while one of these is waited for.
class PartitionImpl final : public Partition, public std::enable_shared_from_this<PartitionImpl> {
 public:
  static Result<std::shared_ptr<PartitionImpl>> Open(LogContext& context, std::string topic, int32_t index,
                                                     std::string directory, std::shared_ptr<const TopicConfig> config,
                                                     PartitionMetrics metrics);
  ~PartitionImpl() override;

  Result<int64_t> Append(std::span<const Record> records) override { return AppendRecords(records, -1); }
  using Partition::AppendBatchBytes;
  Result<BatchAppend> AppendBatchBytes(std::span<char> batches, const BatchAppendOptions& options) override;
  Result<int64_t> AppendTransactionMarker(int64_t producer_id, int16_t producer_epoch, ControlType type,
                                          int32_t coordinator_epoch) override;
  std::vector<AbortedTransaction> AbortedTransactions(int64_t from, int64_t to) const override;
  std::vector<ProducerDescription> ActiveProducers() const override;
  Status SyncUpTo(int64_t offset) override;
  void WhenDurable(int64_t offset, std::function<void(Status)> done) override;
  PartitionOffsets Offsets() const override;
  Result<int64_t> OffsetForTime(int64_t timestamp_ms) override;
  Status TrimBefore(int64_t offset) override;
  std::unique_ptr<PartitionSubscription> Subscribe(std::function<void()> wake) override;
  Result<std::optional<StoredBatches>> FindBatches(int64_t offset, IsolationLevel isolation,
                                                   int64_t bytes_max) override;
  int64_t size_bytes() const override;
  const std::string& topic() const override { return topic_; }
  int32_t index() const override { return index_; }

  // producer_id >= 0: as part of that transaction of the log itself.
  Result<int64_t> AppendRecords(std::span<const Record> records, int64_t producer_id);
  // Ends a transaction of the log itself here; returns the marker's offset, or -1 when this producer has none open.
  Result<int64_t> AppendMarker(ControlType type, int64_t producer_id);
  std::map<int64_t, TransactionState::OpenTransaction> OpenTransactions() const;
  std::shared_ptr<const AbortedList> Aborted() const;

  // Moves the cursor to the batch that holds `offset`, or into the next segment at the end of one, and says what may be
  // read there.
  Status Locate(int64_t offset, IsolationLevel isolation, ReadCursor* cursor, ReadWindow* window);

  void SetConfig(std::shared_ptr<const TopicConfig> config);
  // Flushes, rolls by age, applies retention, updates gauges.
  void Housekeeping();
  // Whether there is anything for Compact to look at; cheap.
  bool MayCompact() const;
  // Runs a pass of compaction when one is due; may take seconds. After a failure it rests for a minute.
  Status Compact();
  // Syncs and writes down where opening can go on; then, as after Fail, every call gets `why`.
  Status Close(const Status& why);
  void Fail(const Status& why);

 private:
  struct Recovery;
  struct Compaction;

  PartitionImpl(LogContext& context, std::string topic, int32_t index, std::string directory,
                std::shared_ptr<const TopicConfig> config, PartitionMetrics metrics);
  Status Recover();
  Status CreateFirstSegment(int64_t base_offset);

  std::string Name() const { return topic_ + "-" + std::to_string(index_); }
  std::shared_ptr<const TopicConfig> config() const;
  // A duplicate, or a marker that is not needed (base offset -1), is not appended.
  Result<BatchAppend> AppendEncoded(std::span<char> bytes, std::span<const BatchHeader> headers,
                                    const std::optional<ControlMarker>& marker);
  Result<std::optional<BatchAppend>> CheckProducerLocked(const BatchHeader& header,
                                                         const std::optional<ControlMarker>& marker) const;
  void RememberLocked(const BatchHeader& header, const std::optional<ControlMarker>& marker, int64_t seen_ms);
  Status CheckRecords(const BatchHeader& header, std::string_view batch, bool keys_needed) const;
  Status CheckBatches(std::span<char> batches, const BatchAppendOptions& options,
                      std::vector<BatchHeader>* headers) const;
  Status TryLocate(int64_t offset, IsolationLevel isolation, ReadCursor* cursor, ReadWindow* window);
  Result<int64_t> FindTime(int64_t timestamp_ms, bool* replaced);
  Status Roll();
  Result<int64_t> Sync();
  Status SyncFiles(std::vector<std::shared_ptr<Segment>> sealed, const Segment& active, bool directory);
  Status WriteCheckpoint(std::optional<Checkpoint> checkpoint);
  Status ApplyRetention();
  Status DropSegmentsBefore(int64_t offset);
  std::string TakeBuffer();
  void GiveBuffer(std::string buffer);

  LogContext& context_;
  const std::string topic_;
  const int32_t index_;
  const std::string directory_;
  const PartitionMetrics metrics_;
  std::shared_ptr<Subscriptions> subscriptions_;

  std::mutex append_mutex_;
  std::shared_ptr<GroupCommit> commit_;
  std::unique_ptr<DurableMarkFile> marks_;  // while opening, then only in Sync

  std::mutex compaction_mutex_;
  int64_t compact_after_ms_ = 0;  // guarded by compaction_mutex_
  std::mutex files_mutex_;        // held while closed segments are removed or replaced; before the others

  std::mutex checkpoint_mutex_;
  Checkpoint checkpoint_;  // as stored; guarded by checkpoint_mutex_

  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const TopicConfig> config_;
  std::vector<std::shared_ptr<Segment>> segments_;  // by base offset; the last one is written to
  std::vector<std::shared_ptr<Segment>> sealed_;    // not synced yet
  bool directory_dirty_ = false;
  std::optional<Checkpoint> pending_checkpoint_;  // of the last roll, to be stored once what is before it is synced
  TransactionState transactions_;
  ProducerState producers_;
  int64_t cleaned_to_ = 0;  // as in Checkpoint
  int64_t clean_again_ms_ = INT64_MAX;
  int64_t log_start_ = 0;
  int64_t last_stable_ = 0;
  int64_t end_offset_ = 0;
  Status closed_;
  std::vector<std::string> buffers_;
};

}  // namespace tidemill::log_internal
