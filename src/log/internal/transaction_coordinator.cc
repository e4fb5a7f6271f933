#include "log/internal/transaction_coordinator.h"

#include <algorithm>
#include <atomic>

#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill::log_internal {
namespace {

enum class EntryKind : uint8_t { kReserved = 1, kPrepared = 2, kCommitted = 3, kAborted = 4, kForgotten = 5 };

constexpr int64_t kReservedAtOnce = 1000;
constexpr size_t kPreparedMax = 10'000;
constexpr int64_t kJournalBytesMin = 1 << 20;

std::string EntryPayload(EntryKind kind, int64_t number) {
  std::string payload;
  AppendBig(&payload, static_cast<uint8_t>(kind));
  AppendBig(&payload, number);
  return payload;
}

std::string PreparedPayload(const PreparedTransaction& transaction) {
  return EntryPayload(EntryKind::kPrepared, transaction.producer_id) + transaction.Serialize();
}

std::string Name(const PreparedTransaction& transaction) {
  return "transaction '" + transaction.transactional_id + "' (producer id " + std::to_string(transaction.producer_id) +
         ")";
}

class TransactionImpl final : public Transaction {
 public:
  TransactionImpl(TransactionCoordinator& coordinator, std::string transactional_id, int64_t producer_id)
      : coordinator_(coordinator) {
    transaction_.transactional_id = std::move(transactional_id);
    transaction_.producer_id = producer_id;
  }

  ~TransactionImpl() override {
    if (prepared_) return;
    // What can't be written now is aborted when the log is opened next.
    for (const auto& partition : partitions_) {
      const auto marker = partition->AppendMarker(ControlType::kAbort, transaction_.producer_id);
      if (!marker.ok() && !marker.status().Is(kLogClosed))
        LogWarning("aborting " + Name(transaction_) + ": " + marker.status().ToString());
    }
  }

  Result<int64_t> Append(std::string_view topic, int32_t partition, std::span<const Record> records) override {
    if (prepared_) return Status(kInternalError, Name(transaction_) + " is prepared already");
    const auto same = [&](const auto& part) { return part.topic == topic && part.partition == partition; };
    auto it = std::find_if(transaction_.parts.begin(), transaction_.parts.end(), same);
    const auto at = static_cast<size_t>(it - transaction_.parts.begin());
    std::shared_ptr<PartitionImpl> target =
        it == transaction_.parts.end() ? coordinator_.find()(topic, partition) : partitions_[at];
    if (target == nullptr)
      return Status(kUnknownTopic,
                    "there is no partition " + std::to_string(partition) + " of topic '" + std::string(topic) + "'");
    TM_ASSIGN_OR_RETURN(const int64_t offset, target->AppendRecords(records, transaction_.producer_id));
    if (it == transaction_.parts.end()) {
      transaction_.parts.push_back({std::string(topic), partition, offset, 0});
      partitions_.push_back(std::move(target));
    }
    transaction_.parts[at].last_offset = offset + static_cast<int64_t>(records.size()) - 1;
    return offset;
  }

  void Prepare(std::function<void(Result<PreparedTransaction>)> done) override {
    if (prepared_) return done(Status(kInternalError, Name(transaction_) + " is prepared already"));
    prepared_ = true;
    if (transaction_.parts.empty()) return done(transaction_);
    struct Waiting {
      std::atomic<size_t> left;
      std::mutex mutex;
      Status status;
      PreparedTransaction transaction;
      std::function<void(Result<PreparedTransaction>)> done;
    };
    auto waiting = std::make_shared<Waiting>();
    waiting->left = partitions_.size();
    waiting->transaction = transaction_;
    waiting->done = std::move(done);
    for (size_t i = 0; i < partitions_.size(); ++i) {
      partitions_[i]->WhenDurable(transaction_.parts[i].last_offset,
                                  [waiting, coordinator = &coordinator_](Status status) {
                                    if (!status.ok()) {
                                      std::lock_guard lock(waiting->mutex);
                                      waiting->status = status;
                                    }
                                    if (waiting->left.fetch_sub(1) != 1) return;
                                    std::unique_lock lock(waiting->mutex);
                                    status = waiting->status;
                                    lock.unlock();
                                    if (!status.ok()) return waiting->done(status);
                                    coordinator->Prepare(std::move(waiting->transaction), std::move(waiting->done));
                                  });
    }
  }

  int64_t producer_id() const override { return transaction_.producer_id; }

 private:
  TransactionCoordinator& coordinator_;
  PreparedTransaction transaction_;
  std::vector<std::shared_ptr<PartitionImpl>> partitions_;  // as transaction_.parts
  bool prepared_ = false;
};

}  // namespace

Result<std::unique_ptr<TransactionCoordinator>> TransactionCoordinator::Open(LogContext& context,
                                                                             const std::string& path,
                                                                             FindPartition find) {
  std::unique_ptr<TransactionCoordinator> coordinator(new TransactionCoordinator(context, std::move(find)));
  TM_ASSIGN_OR_RETURN(coordinator->file_,
                      FrameFile::Open(context.files, path, context.scheduler, context.health,
                                      [&](std::string_view payload) { return coordinator->Replay(payload); }));
  // Some of the reserved ids were used; which ones is not written down.
  coordinator->next_producer_id_ = coordinator->durable_until_ = coordinator->reserved_until_;
  return coordinator;
}

Status TransactionCoordinator::Replay(std::string_view payload) {
  ByteReader reader(payload);
  const auto kind = static_cast<EntryKind>(reader.Big<uint8_t>());
  const auto number = reader.Big<int64_t>();
  if (!reader.ok()) return Status(kCorruption, "a record is cut short");
  switch (kind) {
    case EntryKind::kReserved:
      reserved_until_ = std::max(reserved_until_, number);
      return Status::OK();
    case EntryKind::kPrepared: {
      TM_ASSIGN_OR_RETURN(entries_[number].transaction, PreparedTransaction::Parse(payload.substr(9)));
      return Status::OK();
    }
    case EntryKind::kCommitted:
    case EntryKind::kAborted:
      if (const auto it = entries_.find(number); it != entries_.end()) {
        it->second.decision = kind == EntryKind::kCommitted ? Decision::kCommit : Decision::kAbort;
      }
      return Status::OK();
    case EntryKind::kForgotten:
      entries_.erase(number);
      return Status::OK();
  }
  return Status(kCorruption, "a record of an unknown kind");
}

Result<int64_t> TransactionCoordinator::AppendLocked(std::string_view payload) {
  TM_ASSIGN_OR_RETURN(const int64_t at, file_->Append(payload));
  TM_RETURN_IF_ERROR(Replay(payload));
  return at;
}

Status TransactionCoordinator::Recover(const std::vector<std::shared_ptr<PartitionImpl>>& partitions) {
  std::vector<int64_t> decided;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [producer_id, entry] : entries_) {
      if (entry.decision != Decision::kNone) decided.push_back(producer_id);
    }
  }
  for (const int64_t producer_id : decided) TM_RETURN_IF_ERROR(WriteMarkers(producer_id));
  for (const auto& partition : partitions) {
    for (const auto& [producer_id, open] : partition->OpenTransactions()) {
      {
        std::lock_guard lock(mutex_);
        next_producer_id_ = std::max(next_producer_id_, producer_id + 1);  // should the file have been lost
        if (!open.embedded) continue;
        if (entries_.contains(producer_id)) continue;
      }
      LogInfo("topic '" + partition->topic() + "', partition " + std::to_string(partition->index()) +
              ": aborting a transaction that was not prepared, from offset " + std::to_string(open.first_offset));
      TM_RETURN_IF_ERROR(partition->AppendMarker(ControlType::kAbort, producer_id).status());
    }
  }
  std::lock_guard lock(mutex_);
  reserved_until_ = std::max(reserved_until_, next_producer_id_);
  return Status::OK();
}

// An id must never come back, or an old abort would hide new records: the range it is from is on disk before it is
// used. The next range is reserved while the last one is still half full, so that hardly anybody waits for that.
Result<int64_t> TransactionCoordinator::NextProducerId() {
  int64_t id = 0, reserve = 0, until = 0;
  bool wait = false;
  {
    std::lock_guard lock(mutex_);
    id = next_producer_id_;
    wait = id >= durable_until_;
    if (wait || id + kReservedAtOnce / 2 >= reserved_until_) {
      until = std::max(reserved_until_, id) + kReservedAtOnce;
      TM_ASSIGN_OR_RETURN(reserve, AppendLocked(EntryPayload(EntryKind::kReserved, until)));
    }
    ++next_producer_id_;
  }
  if (reserve == 0) return id;
  const auto reserved = [this, until] {
    std::lock_guard lock(mutex_);
    durable_until_ = std::max(durable_until_, until);
  };
  if (wait) {
    TM_RETURN_IF_ERROR(file_->commit().SyncUpTo(reserve));
    reserved();
  } else {
    file_->commit().WhenDurable(reserve, [reserved](const Status& status) {
      if (status.ok()) reserved();
    });
  }
  return id;
}

Result<std::unique_ptr<Transaction>> TransactionCoordinator::Begin(const std::string& transactional_id) {
  if (transactional_id.empty() || transactional_id.size() > 249)
    return Status(kInvalidName, "a transactional id has 1 to 249 bytes");
  TM_ASSIGN_OR_RETURN(const int64_t producer_id, NextProducerId());
  return std::unique_ptr<Transaction>(std::make_unique<TransactionImpl>(*this, transactional_id, producer_id));
}

void TransactionCoordinator::Prepare(PreparedTransaction transaction,
                                     std::function<void(Result<PreparedTransaction>)> done) {
  Result<int64_t> at = 0;
  {
    std::lock_guard lock(mutex_);
    if (entries_.size() >= kPreparedMax) {
      at = Status(kLimitExceeded,
                  std::to_string(kPreparedMax) + " prepared transactions wait to be committed or aborted");
    } else {
      at = AppendLocked(PreparedPayload(transaction));
    }
  }
  if (!at.ok()) return done(at.status());
  file_->commit().WhenDurable(*at, [transaction = std::move(transaction), done = std::move(done)](Status status) {
    if (!status.ok()) return done(std::move(status));
    done(transaction);
  });
}

Status TransactionCoordinator::Decide(const PreparedTransaction& transaction, Decision decision) {
  if (transaction.parts.empty()) return Status::OK();
  int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    const auto it = entries_.find(transaction.producer_id);
    if (it != entries_.end()) {
      if (it->second.transaction.transactional_id != transaction.transactional_id) {
        return Status(kUnknownTransaction, Name(transaction) + " is not the one that was prepared here");
      }
      if (it->second.decision != Decision::kNone && it->second.decision != decision) {
        return decision == Decision::kCommit ? Status(kTransactionAborted, Name(transaction) + " was aborted")
                                             : Status(kTransactionCommitted, Name(transaction) + " was committed");
      }
      if (decision == Decision::kCommit && it->second.decision == Decision::kNone)
        TM_RETURN_IF_ERROR(CheckWhole(transaction));
      TM_ASSIGN_OR_RETURN(
          at, AppendLocked(EntryPayload(decision == Decision::kCommit ? EntryKind::kCommitted : EntryKind::kAborted,
                                        transaction.producer_id)));
    }
  }
  if (at == 0) return CheckForgotten(transaction, decision);
  TM_RETURN_IF_ERROR(file_->commit().SyncUpTo(at));
  return WriteMarkers(transaction.producer_id);
}

// What was prepared must still be there: a damaged disk may have taken it.
Status TransactionCoordinator::CheckWhole(const PreparedTransaction& transaction) const {
  for (const auto& part : transaction.parts) {
    const auto partition = find_(part.topic, part.partition);
    if (partition == nullptr) continue;  // deleted since
    const auto open = partition->OpenTransactions();
    const auto it = open.find(transaction.producer_id);
    if (it == open.end() || it->second.first_offset != part.first_offset ||
        it->second.last_offset != part.last_offset) {
      return Status(kUnknownTransaction, Name(transaction) + ": its records in topic '" + part.topic + "', partition " +
                                             std::to_string(part.partition) + " are not all there");
    }
  }
  return Status::OK();
}

// It was decided and forgotten, or it never was here: its partitions tell.
Status TransactionCoordinator::CheckForgotten(const PreparedTransaction& transaction, Decision decision) const {
  bool aborted = false, known = true;
  for (const auto& part : transaction.parts) {
    const auto partition = find_(part.topic, part.partition);
    if (partition == nullptr) continue;  // deleted since
    const PartitionOffsets offsets = partition->Offsets();
    known &= offsets.end > part.last_offset && !partition->OpenTransactions().contains(transaction.producer_id);
    aborted |= IsAborted(*partition->Aborted(), transaction.producer_id, part.first_offset);
  }
  if (decision == Decision::kCommit) {
    if (aborted) return Status(kTransactionAborted, Name(transaction) + " was aborted");
    return known ? Status::OK() : Status(kUnknownTransaction, Name(transaction) + " is not known to this log");
  }
  if (aborted || !known) return Status::OK();
  return Status(kTransactionCommitted, Name(transaction) + " was committed");
}

Status TransactionCoordinator::Commit(const PreparedTransaction& transaction) {
  return Decide(transaction, Decision::kCommit);
}

Status TransactionCoordinator::Abort(const PreparedTransaction& transaction) {
  return Decide(transaction, Decision::kAbort);
}

// Idempotent: a partition where the transaction is no longer open has its marker.
Status TransactionCoordinator::WriteMarkers(int64_t producer_id) {
  PreparedTransaction transaction;
  ControlType type = ControlType::kCommit;
  {
    std::lock_guard lock(mutex_);
    const auto it = entries_.find(producer_id);
    if (it == entries_.end() || it->second.ended) return Status::OK();
    transaction = it->second.transaction;
    if (it->second.decision == Decision::kAbort) type = ControlType::kAbort;
  }
  std::vector<std::pair<std::shared_ptr<PartitionImpl>, int64_t>> markers;
  for (const auto& part : transaction.parts) {
    auto partition = find_(part.topic, part.partition);
    if (partition == nullptr) {
      LogWarning(Name(transaction) + ": topic '" + part.topic + "' was deleted before it ended");
      continue;
    }
    TM_ASSIGN_OR_RETURN(int64_t offset, partition->AppendMarker(type, producer_id));
    if (offset < 0) offset = partition->Offsets().end - 1;  // written earlier: everything up to now will do
    markers.emplace_back(std::move(partition), offset);
  }
  std::lock_guard lock(mutex_);
  if (const auto it = entries_.find(producer_id); it != entries_.end()) {
    it->second.markers = std::move(markers);
    it->second.ended = true;
  }
  return Status::OK();
}

std::vector<PreparedTransaction> TransactionCoordinator::Prepared(std::string_view id_prefix) const {
  std::lock_guard lock(mutex_);
  std::vector<PreparedTransaction> found;
  for (const auto& [producer_id, entry] : entries_) {
    if (entry.decision == Decision::kNone && entry.transaction.transactional_id.starts_with(id_prefix))
      found.push_back(entry.transaction);
  }
  return found;
}

std::vector<std::string> TransactionCoordinator::LivePayloadsLocked() const {
  std::vector<std::string> payloads = {EntryPayload(EntryKind::kReserved, reserved_until_)};
  for (const auto& [producer_id, entry] : entries_) {
    payloads.push_back(PreparedPayload(entry.transaction));
    if (entry.decision != Decision::kNone) {
      payloads.push_back(
          EntryPayload(entry.decision == Decision::kCommit ? EntryKind::kCommitted : EntryKind::kAborted, producer_id));
    }
  }
  return payloads;
}

Status TransactionCoordinator::Housekeeping() {
  std::vector<int64_t> unended;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [producer_id, entry] : entries_) {
      if (entry.decision != Decision::kNone && !entry.ended) unended.push_back(producer_id);
    }
  }
  for (const int64_t producer_id : unended) TM_RETURN_IF_ERROR(WriteMarkers(producer_id));  // a full disk came between
  std::lock_guard lock(mutex_);
  std::vector<int64_t> done;
  for (const auto& [producer_id, entry] : entries_) {
    const bool durable = std::all_of(entry.markers.begin(), entry.markers.end(), [](const auto& marker) {
      return marker.first->Offsets().durable_end > marker.second;
    });
    if (entry.ended && durable) done.push_back(producer_id);
  }
  for (const int64_t producer_id : done)
    TM_RETURN_IF_ERROR(AppendLocked(EntryPayload(EntryKind::kForgotten, producer_id)).status());
  if (file_->size_bytes() < kJournalBytesMin) return Status::OK();
  const auto payloads = LivePayloadsLocked();
  int64_t live = 0;
  for (const std::string& payload : payloads) live += static_cast<int64_t>(payload.size());
  return file_->size_bytes() > 4 * live ? file_->Rewrite(payloads) : Status::OK();
}

Status TransactionCoordinator::Close(const Status& why) {
  const Status synced = context_.health.ok() ? file_->SyncAll() : context_.health.status();
  file_->Close(why);
  return synced;
}

}  // namespace tidemill::log_internal
