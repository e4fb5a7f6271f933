#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "log/record.h"
#include "log/record_batch.h"
#include "log/topic_config.h"

namespace tidemill {

// What a reader sees of transactions: everything that was appended, or only what is committed (and nothing behind the
// first record of a transaction that is still open, so that offsets are always read in order).
enum class IsolationLevel : uint8_t { kReadUncommitted, kReadCommitted };

struct PartitionOffsets {
  int64_t log_start = 0;    // oldest record that is kept
  int64_t last_stable = 0;  // first record of the oldest open transaction, or `end`
  int64_t end = 0;          // of the next record
  int64_t durable_end = 0;  // everything below survives a crash
};

struct BatchAppendOptions {
  // Takes a batch of a Kafka transaction: the caller knows from the transaction's coordinator that this partition is
  // part of it. Such a transaction is open until AppendTransactionMarker ends it, also over restarts.
  bool transactional = false;
};

struct BatchAppend {
  int64_t base_offset = 0;
  int64_t last_offset = 0;          // to wait for, with SyncUpTo or WhenDurable
  int64_t log_append_time_ms = -1;  // of a topic with message.timestamp.type = LogAppendTime
  bool duplicate = false;           // it was there already; the offsets are those of then
};

// Records of `producer_id` in transactional batches between these are not for read_committed readers.
struct AbortedTransaction {
  int64_t producer_id;
  int64_t first_offset;
  int64_t last_offset;  // of the abort marker
};

struct ProducerDescription {
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t last_sequence = -1;
  int64_t last_timestamp_ms = -1;
  int32_t coordinator_epoch = -1;         // of its last transaction marker
  int64_t transaction_start_offset = -1;  // -1: none is open
};

// Encoded batches where they lie: for sending them without a copy. The file stays what it is, whatever becomes of the
// partition.
struct StoredBatches {
  std::shared_ptr<const ReadableFile> file;
  int64_t position = 0;
  int64_t bytes = 0;  // 0: nothing is there to be seen
};

// Wakes a reader: after `Arm` the function runs once, on the appender's thread, when something new can be seen (an
// append, or a transaction that ended). It must be cheap and must not call the log. Destruction waits for a call that
// is under way.
class PartitionSubscription {
 public:
  virtual ~PartitionSubscription() = default;
  virtual void Arm() = 0;
};

// One partition: an ordered, append-only sequence of records on disk. Thread-safe. Held by shared_ptr; after its topic
// is deleted, or the log is closed, calls fail with kUnknownTopic or kLogClosed.
class Partition {
 public:
  virtual ~Partition() = default;

  // Appends the records in order and returns the offset of the first; the others follow without gap. They can be read
  // at once, and are durable when SyncUpTo or WhenDurable says so. All or nothing. kRecordTooLarge; kDiskFull
  // (retriable); kSyncFailed after any fsync of this log has failed: then nothing more is accepted until it is opened
  // again.
  virtual Result<int64_t> Append(std::span<const Record> records) = 0;
  // One or more encoded batches (v2), as a Kafka producer sends them: checksums and heads are checked, and the records
  // where they are not compressed or the topic is compacted; offsets are assigned in place.
  // kInvalidBatch; kCorruptBatch for a wrong checksum. With a producer id it is one batch, with sequence numbers
  // (KIP-98, KIP-360): one of the producer's last five that comes again is not appended again (`duplicate`);
  // kOutOfOrderSequence when one is missing before it, kProducerFenced when a newer epoch of the producer is known,
  // kInvalidTransactionState when it does not fit to the producer's transaction. Producers are forgotten a day after
  // their last append, and beyond 100,000 the oldest.
  virtual Result<BatchAppend> AppendBatchBytes(std::span<char> batches, const BatchAppendOptions& options) = 0;
  Result<BatchAppend> AppendBatchBytes(std::string batches, const BatchAppendOptions& options) {
    return AppendBatchBytes(std::span<char>(batches), options);
  }
  Result<int64_t> AppendBatchBytes(std::string batches) {
    TM_ASSIGN_OR_RETURN(const BatchAppend append, AppendBatchBytes(std::move(batches), BatchAppendOptions{}));
    return append.base_offset;
  }

  // Ends a Kafka transaction here. A higher epoch than the producer's becomes the producer's epoch, with and without a
  // transaction (KIP-890). Returns the offset to wait for: the marker's, or the last one when nothing had to be written
  // because it was ended before. kProducerFenced, kCoordinatorFenced; kInvalidTransactionState for one of Log::Begin.
  virtual Result<int64_t> AppendTransactionMarker(int64_t producer_id, int16_t producer_epoch, ControlType type,
                                                  int32_t coordinator_epoch) = 0;
  // Those that overlap [from, to), by first offset: for the response to a fetch.
  virtual std::vector<AbortedTransaction> AbortedTransactions(int64_t from, int64_t to) const = 0;
  virtual std::vector<ProducerDescription> ActiveProducers() const = 0;  // by producer id

  // Blocks until the record at `offset`, and so all before it, is on disk. One fsync serves all who wait.
  virtual Status SyncUpTo(int64_t offset) = 0;
  // The same without blocking: `done` runs once, on a thread of the log, or at once when it is durable already.
  virtual void WhenDurable(int64_t offset, std::function<void(Status)> done) = 0;

  virtual PartitionOffsets Offsets() const = 0;
  // First offset whose record has a timestamp >= `timestamp_ms`; the end offset when there is none.
  virtual Result<int64_t> OffsetForTime(int64_t timestamp_ms) = 0;
  // Forgets all before `offset` (clamped to the last stable offset); frees whole segments.
  virtual Status TrimBefore(int64_t offset) = 0;
  virtual std::unique_ptr<PartitionSubscription> Subscribe(std::function<void()> wake) = 0;
  // Whole batches of one segment from the one that holds `offset` on: at most `bytes_max`, but at least one. Nothing
  // when it takes a PartitionReader to tell (transactions that are open or were aborted, a `bytes_max` of a few KiB,
  // damage). Checks the first head only: checksums are the reader's business. kOffsetOutOfRange.
  virtual Result<std::optional<StoredBatches>> FindBatches(int64_t offset, IsolationLevel isolation,
                                                           int64_t bytes_max) = 0;
  virtual int64_t size_bytes() const = 0;

  virtual const std::string& topic() const = 0;
  virtual int32_t index() const = 0;
};

// Records that a producer compressed into bytes that nobody can read; the checksum is right, so they came as they are.
struct UnreadableRecords {
  int64_t first_offset;
  int64_t last_offset;
  std::string why;
};

struct ReaderOptions {
  IsolationLevel isolation = IsolationLevel::kReadCommitted;
  int64_t chunk_bytes = 256 << 10;  // read from disk at a time; grows to hold a larger batch
  // Told of what Poll has to leave out; without it, a warning is logged.
  std::function<void(const UnreadableRecords&)> unreadable = {};
};

// Reads one partition in order, by Poll or by PollBatches. One thread. Verifies every batch's checksum.
class PartitionReader {
 public:
  // Reading begins at the first visible record at or after `offset`. kOffsetOutOfRange (at Poll) below the log's start
  // or beyond its end.
  PartitionReader(std::shared_ptr<Partition> partition, int64_t offset, ReaderOptions options = {});
  ~PartitionReader();
  PartitionReader(PartitionReader&&) noexcept;

  // Replaces `out` with up to `records_max` next records; none when nothing is there to see now. The views live until
  // the next call. kCorruptBatch names file and position. An error leaves the position where it was. Records that are
  // unreadable through their producer's fault are left out.
  Status Poll(int records_max, std::vector<RecordView>* out);
  // Replaces `out` with whole encoded batches, as stored, at most `bytes_max` but at least one when there is one (a
  // fetch of the Kafka protocol). They are not filtered: the client skips control records and aborted transactions.
  // Also valid until the next call.
  Status PollBatches(int64_t bytes_max, std::string_view* out);
  // Offset at which the next Poll begins.
  int64_t position() const;
  Status Seek(int64_t offset);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemill
