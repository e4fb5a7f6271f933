#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "log/record.h"
#include "log/topic_config.h"

namespace tidemill {

// Kafka's record batch, version 2 (KIP-98): a head of 61 bytes, big-endian, then the records, compressed or not.
inline constexpr int64_t kBatchHeadBytes = 61;
inline constexpr int64_t kBatchBytesMax = 128LL << 20;    // a stated size above this is damage, not a batch
inline constexpr int64_t kRecordsBytesMax = 256LL << 20;  // of the records once decompressed

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t length = 0;  // of what follows this field
  int32_t leader_epoch = 0;
  int8_t magic = 2;
  uint32_t crc = 0;  // CRC-32C from `attributes` to the end
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = 0;
  int64_t max_timestamp = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t record_count = 0;

  int64_t total_bytes() const { return 12 + static_cast<int64_t>(length); }
  int64_t last_offset() const { return base_offset + last_offset_delta; }
  CompressionCodec codec() const { return static_cast<CompressionCodec>(attributes & 7); }
  bool log_append_time() const { return (attributes & 8) != 0; }
  bool transactional() const { return (attributes & 16) != 0; }
  bool control() const { return (attributes & 32) != 0; }
  // The base timestamp is the time from which compaction may drop the batch's tombstones (KIP-534).
  bool has_delete_horizon() const { return (attributes & 64) != 0; }
};

// Reads a head from the front of `bytes` and checks what can be checked without the rest: magic, and that sizes and
// counts are possible. kInvalidBatch says what is wrong.
Result<BatchHeader> ParseBatchHeader(std::string_view bytes);
// `batch` is exactly header.total_bytes() long.
bool ChecksumMatches(const BatchHeader& header, std::string_view batch);

struct BatchOptions {
  int64_t now_ms = 0;  // for records without a timestamp, and for log append time
  TimestampType timestamp_type = TimestampType::kCreateTime;
  CompressionCodec codec = CompressionCodec::kNone;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;  // >= 0: of an idempotent producer
  bool transactional = true;   // with a producer id
};

// Bytes a record takes in a batch, at most.
int64_t EncodedSizeMax(const Record& record);
// Appends one batch with base offset 0 to `out`. At least one record.
Status EncodeBatch(std::span<const Record> records, const BatchOptions& options, std::string* out);

enum class ControlType : int16_t { kAbort = 0, kCommit = 1 };
// What ends a transaction in a partition. The epoch of the coordinator that decided it is negative for transactions of
// the log itself (Log::Begin).
struct ControlMarker {
  ControlType type = ControlType::kAbort;
  int32_t coordinator_epoch = -1;
};
void EncodeControlBatch(const ControlMarker& marker, int64_t producer_id, int16_t producer_epoch, int64_t now_ms,
                        std::string* out);
// kInvalidBatch when it is not a control batch of a known type.
Result<ControlMarker> ParseControlBatch(const BatchHeader& header, std::string_view batch);

// Neither is covered by the checksum.
void SetBaseOffset(char* batch, int64_t base_offset);
void SetLeaderEpoch(char* batch, int32_t epoch);
// Marks the batch as stamped by the log and renews its checksum.
void SetLogAppendTime(std::string_view batch_bytes, char* batch, int64_t now_ms);

void SetLastOffsetDelta(std::string* batch, int32_t delta);
// For compaction: a batch with the head of `original` and some of its records, which keep their offsets and times; of
// all its records when they are given as the encoded batch. The horizon, where there is one, is set.
Status RewriteBatch(const BatchHeader& original, std::span<const RecordView> records,
                    std::optional<int64_t> delete_horizon_ms, std::string* out);
Status RewriteBatch(const BatchHeader& original, std::string_view batch, int64_t delete_horizon_ms, std::string* out);

// Walks the records of one batch; their offsets increase. The checksum is the caller's business. Views point into the
// batch, or into `decompressed` when it is compressed; both must outlive them.
class RecordIterator {
 public:
  // `batch` holds the whole batch. `decompressed` is used for compressed batches only.
  static Result<RecordIterator> Open(const BatchHeader& header, std::string_view batch, std::string* decompressed);

  RecordIterator() = default;
  // Appends up to `count` further records whose offset is >= `from_offset`. Fewer: the batch has ended, or status() is
  // not OK.
  void Next(int count, int64_t from_offset, std::vector<RecordView>* out);
  bool AtEnd() const { return seen_ == header_.record_count || !status_.ok(); }
  const Status& status() const { return status_; }

 private:
  BatchHeader header_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int32_t seen_ = 0;
  int64_t last_delta_ = -1;
  Status status_;
};

// All records of a batch. False when what its producer compressed are no records; kInvalidBatch for what was checked
// when it was appended.
Result<bool> ReadRecords(const BatchHeader& header, std::string_view batch, std::string* decompressed,
                         std::vector<RecordView>* out);

}  // namespace tidemill
