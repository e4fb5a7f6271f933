#pragma once

#include <cstdint>
#include <string>

#include "base/config.h"
#include "base/status.h"

namespace tidemill {

enum class TimestampType : uint8_t { kCreateTime, kLogAppendTime };
enum class CompressionCodec : uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };
// What makes room: removing old segments, keeping only the newest record of each key, or both.
enum class CleanupPolicy : uint8_t { kDelete = 1, kCompact = 2, kCompactAndDelete = 3 };

// A topic's settings; names and meanings are Kafka's topic configuration.
struct TopicConfig {
  int32_t partitions = 1;
  int64_t retention_ms =
      7LL * 24 * 3600 * 1000;           // -1: for ever; counts from a record's time or its append, whichever is later
  int64_t retention_bytes = -1;         // per partition; -1: no limit
  int64_t segment_bytes = 256LL << 20;  // 1 MiB (4 KiB in tests) .. 1 GiB
  int64_t segment_ms = 7LL * 24 * 3600 * 1000;  // a segment older than this is rolled, so that retention can take it
  int64_t max_message_bytes = 16LL << 20;       // one record, and one encoded batch of AppendBatchBytes
  CleanupPolicy cleanup_policy = CleanupPolicy::kDelete;
  double min_cleanable_dirty_ratio = 0.5;  // compact when this part of the closed segments was never compacted
  int64_t delete_retention_ms = 24LL * 3600 * 1000;  // tombstones outlive their first compaction by this
  int64_t min_compaction_lag_ms = 0;                 // younger records are not compacted
  TimestampType timestamp_type = TimestampType::kCreateTime;
  CompressionCodec compression = CompressionCodec::kNone;  // of batches that are made here; none, lz4 or zstd

  bool deletes() const { return (static_cast<int>(cleanup_policy) & 1) != 0; }
  // Records need a key then.
  bool compacts() const { return (static_cast<int>(cleanup_policy) & 2) != 0; }

  // kInvalidTopicConfig names the setting and its bounds.
  Status Validate() const;
  // Kafka's names: "retention.ms", "cleanup.policy", "message.timestamp.type", "compression.type", ... plus
  // "partitions".
  Config ToConfig() const;
  // Unknown names are refused with the nearest one. Absent ones keep the value of `base`.
  static Result<TopicConfig> FromConfig(const Config& config, const TopicConfig& base);
};

}  // namespace tidemill
