#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/status.h"
#include "log/consumer_positions.h"
#include "log/groups/deadline_queue.h"
#include "log/groups/group_requests.h"
#include "log/groups/transaction_entry.h"
#include "log/kafka_error.h"

namespace tidemill {

namespace log_internal {
class FrameFile;
class SyncHealth;
class SyncScheduler;
}  // namespace log_internal

class Log;

struct TransactionMarker {
  std::string topic;
  int32_t partition = 0;
  int64_t producer_id = 0;
  int16_t producer_epoch = 0;
  bool commit = false;
  int32_t coordinator_epoch = 0;
};

// What KafkaTransactionOptions::write_marker is over a log, which outlives it.
std::function<void(const TransactionMarker&, std::function<void(Status)> done)> MarkerWriter(Log& log);

struct KafkaTransactionOptions {
  int32_t timeout_max_ms = 15 * 60 * 1000;            // transaction.max.timeout.ms
  int64_t id_expiration_ms = 7LL * 24 * 3600 * 1000;  // transactional.id.expiration.ms
  int32_t ids_max = 10'000;
  int32_t partitions_max = 10'000;  // of one transaction; as many positions per group
  int32_t marker_retry_ms = 1'000;
  bool background_thread = true;  // false: fsyncs of the journal happen in RunPending

  // Log::AllocateProducerId. May be called within the lock.
  std::function<Result<int64_t>()> allocate_producer_id;
  // Appends a marker; `done` when it is durable (Partition::AppendTransactionMarker, then WhenDurable), on any thread,
  // also at once. It must be a no-op to write one again. kUnknownTopic and kUnknownPartition count as done.
  std::function<void(const TransactionMarker&, std::function<void(Status)> done)> write_marker;
  // Called, outside the lock, when next_deadline_ms() has become earlier.
  std::function<void()> deadline_moved;
};

struct InitProducerIdRequest {
  std::optional<std::string> transactional_id;  // absent: an idempotent producer
  int32_t transaction_timeout_ms = 0;
  int64_t producer_id = -1;  // version 3 and later: what it has, to get a new epoch for it
  int16_t producer_epoch = -1;
};

struct ProducerIdResult {
  KafkaError error = KafkaError::kNone;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
};
using ProducerIdReply = std::function<void(ProducerIdResult)>;

struct TransactionalProducer {
  std::string transactional_id;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
};

struct TransactionListing {
  std::string transactional_id;
  int64_t producer_id = -1;
  std::string state;
};

struct TransactionDescription {
  KafkaError error = KafkaError::kNone;  // kTransactionalIdNotFound
  std::string transactional_id;
  std::string state;
  int32_t timeout_ms = 0;
  int64_t start_time_ms = -1;  // -1: none is open
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  std::vector<GroupPartition> partitions;
};

// Kafka's transaction coordinator without its sockets (KIP-98, KIP-360, KIP-890): who may write under a transactional
// id, what belongs to its transaction, and how that ends. Each change is in a checksummed journal (`kafka_transactions`
// in the log's directory) and on disk before it is answered; a decision that a crash interrupted is carried out again
// when it is opened.
//
// Thread-safe; who has no thread of its own calls Tick when next_deadline_ms() has come. Replies run once, outside the
// lock, on any thread. Errors are of the newest versions: where kProducerFenced came later than a request's version
// (InitProducerId 4, AddPartitionsToTxn 2, AddOffsetsToTxn 2, EndTxn 2) older ones get kInvalidProducerEpoch.
class KafkaTransactionCoordinator : public std::enable_shared_from_this<KafkaTransactionCoordinator> {
 public:
  using Reply = std::function<void(KafkaError)>;

  // `directory` is the log's, which outlives this with its positions. Aborts nothing by itself: an open transaction
  // goes on, and its timeout too.
  static Result<std::shared_ptr<KafkaTransactionCoordinator>> Open(FileSystem& files, const Clock& clock,
                                                                   const std::string& directory,
                                                                   ConsumerPositions& positions,
                                                                   KafkaTransactionOptions options);
  ~KafkaTransactionCoordinator();
  // Ends its thread and answers who waits for the journal. Call it before letting go of it.
  Status Close();

  // kConcurrentTransactions while an earlier transaction of the id ends, as everywhere here: to be tried again.
  void InitProducerId(InitProducerIdRequest request, ProducerIdReply reply);
  // Also for a transactional produce request of a client that does not ask itself (KIP-890, Produce 12 and later).
  void AddPartitions(const TransactionalProducer& producer, const std::vector<GroupPartition>& partitions, Reply reply);
  void AddOffsets(const TransactionalProducer& producer, const std::string& group, Reply reply);
  // Positions that are committed with the transaction. `adds_group`: without AddOffsets (TxnOffsetCommit 5 and later).
  // Membership is the caller's to check: GroupCoordinator::ValidateTransactionalCommit.
  void CommitOffsets(const TransactionalProducer& producer, const std::string& group,
                     std::vector<ConsumerPosition> positions, bool adds_group, Reply reply);
  // Whether records of the producer for this partition belong to its open transaction: before they are appended.
  // kTransactionAbortable (kInvalidTxnState before Produce 11): they do not.
  KafkaError VerifyPartition(const TransactionalProducer& producer, const GroupPartition& partition) const;
  // `bumps_epoch`: EndTxn 5 and later (KIP-890): the result tells what to write with from now on. Answered when
  // everything is visible and on disk; kConcurrentTransactions when that fails for now, and goes on.
  void EndTransaction(const TransactionalProducer& producer, bool commit, bool bumps_epoch, ProducerIdReply reply);

  // For GroupOptions::position_is_pending.
  bool IsPositionPending(const std::string& group, const std::string& topic, int32_t partition) const;
  TransactionDescription Describe(const std::string& transactional_id) const;
  // Empty filters pass everything; `open_for_ms` -1: those that are not open, too.
  std::vector<TransactionListing> List(const std::vector<std::string>& states, const std::vector<int64_t>& producer_ids,
                                       int64_t open_for_ms) const;

  int64_t next_deadline_ms() const;
  void Tick(int64_t now_ms);
  int64_t NowMs() const { return clock_.MonotonicNanos() / 1'000'000; }
  void RunPending();  // without a background thread only

 private:
  struct Held {
    TransactionEntry entry;
    DeadlineQueue::Id timer = 0;
    bool recovered = false;  // decided before this process began
  };
  class Call;
  struct Ending;

  KafkaTransactionCoordinator(const Clock& clock, ConsumerPositions& positions, KafkaTransactionOptions options);
  Status Replay(std::string_view payload);
  void Recover();

  KafkaError Find(const TransactionalProducer& producer, Held** held);
  KafkaError FindOpen(const TransactionalProducer& producer, TransactionEntry* changed);
  KafkaError InitKnown(const InitProducerIdRequest& request, TransactionEntry* changed, bool* changes);
  KafkaError PrepareEnd(const TransactionalProducer& producer, bool commit, bool bumps_epoch, TransactionEntry* changed,
                        bool* changes);
  KafkaError Decide(TransactionEntry* entry, bool commit, bool bumps_epoch);
  KafkaError Store(TransactionEntry entry);
  void Index(const TransactionEntry& entry, int by);
  void WhenStored(std::function<void(const Status&)> done);
  void AnswerWhenStored(KafkaError error, Reply reply);
  void SetTimer(Held* held);
  void OnTimeout(const std::string& id);
  void Carry(const std::string& id, ProducerIdReply reply);
  void Finish(const std::string& id, ProducerIdReply reply);
  void OnFinished(const std::shared_ptr<Ending>& ending);
  void ExpireIds();
  void CompactJournal();
  int64_t WallMs() const { return clock_.NowMicros() / 1000; }

  const Clock& clock_;
  ConsumerPositions& positions_;
  const KafkaTransactionOptions options_;
  std::unique_ptr<log_internal::SyncHealth> health_;
  std::unique_ptr<log_internal::SyncScheduler> scheduler_;
  std::unique_ptr<log_internal::FrameFile> journal_;
  mutable std::mutex mutex_;
  int64_t now_ms_ = 0;
  bool closed_ = false;
  int64_t compact_at_bytes_ = 1 << 20;
  int64_t stored_ = 0;  // position of the journal's last record
  DeadlineQueue deadlines_;
  std::vector<std::function<void()>> outbox_;
  std::map<std::string, Held> entries_;
  std::map<std::pair<std::string, GroupPartition>, int> pending_positions_;  // how many transactions hold one
};

}  // namespace tidemill
