#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/status.h"
#include "log/consumer_positions.h"
#include "log/partition.h"
#include "log/topic_config.h"
#include "log/transaction.h"

namespace tidemill {

struct LogOptions {
  // One thread for group-commit fsyncs and housekeeping. False: fsyncs happen in SyncUpTo and RunPending, on the
  // caller's thread, so that a simulation is repeatable.
  bool background_thread = true;
  int64_t housekeeping_interval_ms = 1000;  // appended data is flushed and retention looked at this often
  int64_t producer_id_expiration_ms = 24LL * 3600 * 1000;  // idempotent producers silent for so long are forgotten
  int64_t compaction_keys_max = 1'000'000;                 // looked at in one pass over a partition; 48 bytes each
  MetricsRegistry* metrics = nullptr;
};

// Kafka's topic id (KIP-516): a topic that is made again under the same name has another one. All zero: none.
using TopicId = std::array<uint8_t, 16>;

struct TopicDescription {
  std::string name;
  TopicId id{};
  TopicConfig config;
  std::vector<PartitionOffsets> partitions;
  int64_t size_bytes = 0;
};

// A directory of topics: the embedded, durable, partitioned log. Thread-safe.
//
//   <path>/LOCK                          held while open: a second process is refused (kAlreadyLocked)
//   <path>/topics/<topic>/topic.config
//   <path>/topics/<topic>/<partition>/00000000000000000000.log, .index, checkpoint, durable
//   <path>/transactions, consumer_positions
class Log {
 public:
  // Recovers: the tail of a segment that a crash tore is cut (and logged), a damaged middle is refused (kCorruptBatch,
  // with file and position), transactions that were decided are finished, those that were never prepared are aborted.
  static Result<std::unique_ptr<Log>> Open(FileSystem& files, const Clock& clock, const std::string& path,
                                           LogOptions options = {});
  // Syncs and closes; partitions that are still held fail from then on.
  virtual ~Log() = default;

  // Names are IsSafeName. kTopicExists.
  virtual Status CreateTopic(const std::string& name, const TopicConfig& config = {}) = 0;
  virtual Status DeleteTopic(const std::string& name) = 0;
  virtual std::vector<std::string> ListTopics() const = 0;  // sorted
  virtual Result<TopicDescription> Describe(const std::string& name) const = 0;
  virtual std::optional<std::string> TopicName(const TopicId& id) const = 0;
  // Changes settings; partitions may only grow.
  virtual Status AlterTopic(const std::string& name, const TopicConfig& config) = 0;
  // kUnknownTopic (with the nearest name), kUnknownPartition.
  virtual Result<std::shared_ptr<Partition>> partition(std::string_view topic, int32_t index) = 0;

  // Ids are 1..249 bytes. Make them of job, sink and subtask.
  virtual Result<std::unique_ptr<Transaction>> Begin(const std::string& transactional_id) = 0;
  // Makes a prepared transaction visible; durable when it returns. Idempotent, also over restarts. kTransactionAborted,
  // kUnknownTransaction.
  virtual Status Commit(const PreparedTransaction& transaction) = 0;
  // Drops it; a transaction that is gone already is no error. kTransactionCommitted if it was committed.
  virtual Status Abort(const PreparedTransaction& transaction) = 0;
  // Those whose id begins with the prefix and that are neither committed nor aborted, oldest first: for recovery.
  virtual std::vector<PreparedTransaction> PreparedTransactions(std::string_view id_prefix) const = 0;

  // An id for a Kafka producer, never given twice, also over restarts, nor to a transaction of this log.
  virtual Result<int64_t> AllocateProducerId() = 0;

  virtual ConsumerPositions& positions() = 0;

  // Without a background thread: runs due fsyncs, their callbacks and housekeeping. With one it does nothing.
  virtual void RunPending() = 0;
  // Not OK after a failed fsync; the process should say so and exit.
  virtual Status health() const = 0;
  // Syncs everything and closes; later calls fail with kLogClosed. The destructor does it too, but can't report.
  virtual Status Close() = 0;
};

}  // namespace tidemill
