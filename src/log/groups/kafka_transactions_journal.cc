// How a KafkaTransactionCoordinator makes things durable and carries out what was decided.

#include <algorithm>
#include <atomic>

#include "base/logging.h"
#include "log/errors.h"
#include "log/groups/kafka_transactions.h"
#include "log/groups/transaction_call.h"
#include "log/internal/bytes.h"
#include "log/internal/frame_file.h"

namespace tidemill {
namespace {

constexpr char kPutRecord = 1;
constexpr char kRemoveRecord = 2;
constexpr int64_t kJournalBytesMin = 1 << 20;
constexpr int64_t kExpiryIntervalMs = 3'600'000;

}  // namespace

// What is still to be done for one decided transaction.
struct KafkaTransactionCoordinator::Ending {
  std::string id;
  ProducerIdReply reply;
  std::atomic<int> missing{1};  // the one who starts it counts as well
  std::atomic<bool> failed{false};
};

KafkaTransactionCoordinator::KafkaTransactionCoordinator(const Clock& clock, ConsumerPositions& positions,
                                                         KafkaTransactionOptions options)
    : clock_(clock),
      positions_(positions),
      options_(std::move(options)),
      health_(std::make_unique<log_internal::SyncHealth>()),
      scheduler_(std::make_unique<log_internal::SyncScheduler>(kExpiryIntervalMs, [] {})) {}

KafkaTransactionCoordinator::~KafkaTransactionCoordinator() {
  if (journal_ != nullptr && !closed_) (void)Close();
}

Result<std::shared_ptr<KafkaTransactionCoordinator>> KafkaTransactionCoordinator::Open(
    FileSystem& files, const Clock& clock, const std::string& directory, ConsumerPositions& positions,
    KafkaTransactionOptions options) {
  TM_CHECK(options.allocate_producer_id && options.write_marker);
  std::shared_ptr<KafkaTransactionCoordinator> coordinator(
      new KafkaTransactionCoordinator(clock, positions, std::move(options)));
  auto journal = log_internal::FrameFile::Open(files, directory + "/kafka_transactions", *coordinator->scheduler_,
                                               *coordinator->health_,
                                               [&](std::string_view payload) { return coordinator->Replay(payload); });
  if (!journal.ok()) return journal.status();
  coordinator->journal_ = *std::move(journal);
  if (coordinator->options_.background_thread) coordinator->scheduler_->StartThread();
  coordinator->Recover();
  return coordinator;
}

Status KafkaTransactionCoordinator::Close() {
  closed_ = true;
  const Status synced = health_->ok() ? journal_->SyncAll() : health_->status();
  scheduler_->Stop();
  journal_->Close(Status(kLogClosed, "the log is closed"));
  return synced;
}

Status KafkaTransactionCoordinator::Replay(std::string_view payload) {
  if (payload.empty()) return Status(kCorruption, "a record of a transaction is empty");
  const char kind = payload.front();
  payload.remove_prefix(1);
  if (kind == kRemoveRecord) {
    entries_.erase(std::string(payload));
    return Status::OK();
  }
  if (kind != kPutRecord) return Status(kCorruption, "a record of a transaction is of an unknown kind");
  TM_ASSIGN_OR_RETURN(TransactionEntry entry, TransactionEntry::Parse(payload));
  std::string id = entry.id;
  entries_[std::move(id)].entry = std::move(entry);
  return Status::OK();
}

void KafkaTransactionCoordinator::Recover() {
  const Call call(*this);
  for (auto& [id, held] : entries_) {
    Index(held.entry, 1);
    SetTimer(&held);
    held.recovered = held.entry.is_decided();
    if (held.recovered) outbox_.push_back([this, id = id] { Finish(id, nullptr); });
  }
  deadlines_.Add(now_ms_ + kExpiryIntervalMs, [this] { ExpireIds(); });
}

// Within the lock. The entry counts at once; what depends on it waits with WhenStored.
KafkaError KafkaTransactionCoordinator::Store(TransactionEntry entry) {
  entry.updated_ms = WallMs();
  const auto stored = journal_->Append(kPutRecord + entry.Serialize());
  if (!stored.ok()) {
    LogError("the journal of transactions: " + stored.status().ToString());
    return stored.status().Is(kLimitExceeded) ? KafkaError::kInvalidCommitOffsetSize
                                              : KafkaError::kCoordinatorNotAvailable;
  }
  stored_ = *stored;
  Held& held = entries_[entry.id];
  Index(held.entry, -1);
  held.entry = std::move(entry);
  held.recovered = false;
  Index(held.entry, 1);
  SetTimer(&held);
  CompactJournal();
  return KafkaError::kNone;
}

void KafkaTransactionCoordinator::Index(const TransactionEntry& entry, int by) {
  for (const auto& [group, positions] : entry.positions) {
    for (const auto& [partition, position] : positions) {
      const auto it = pending_positions_.try_emplace({group, partition}, 0).first;
      it->second += by;
      if (it->second == 0) pending_positions_.erase(it);
    }
  }
}

void KafkaTransactionCoordinator::WhenStored(std::function<void(const Status&)> done) {
  outbox_.push_back([this, at = stored_, done = std::move(done)] { journal_->commit().WhenDurable(at, done); });
}

void KafkaTransactionCoordinator::AnswerWhenStored(KafkaError error, Reply reply) {
  if (error != KafkaError::kNone) {
    outbox_.push_back([reply = std::move(reply), error] { reply(error); });
    return;
  }
  WhenStored([reply = std::move(reply)](const Status& status) {
    reply(status.ok() ? KafkaError::kNone : KafkaError::kCoordinatorNotAvailable);
  });
}

void KafkaTransactionCoordinator::SetTimer(Held* held) {
  const TransactionEntry& entry = held->entry;
  deadlines_.Cancel(&held->timer);
  if (entry.state != TransactionState::kOngoing) return;
  const int64_t open_for_ms = std::clamp<int64_t>(WallMs() - entry.started_ms, 0, entry.timeout_ms);
  held->timer = deadlines_.Add(now_ms_ + entry.timeout_ms - open_for_ms, [this, id = entry.id] { OnTimeout(id); });
}

// Its producer is taken for gone: what it wrote is dropped, and what it still writes is refused.
void KafkaTransactionCoordinator::OnTimeout(const std::string& id) {
  Held& held = entries_.at(id);
  TransactionEntry changed = held.entry;
  KafkaError error = Decide(&changed, false, true);
  changed.last_epoch = -1;
  if (error == KafkaError::kNone) error = Store(std::move(changed));
  if (error == KafkaError::kNone) return Carry(id, nullptr);
  held.timer = deadlines_.Add(now_ms_ + options_.marker_retry_ms, [this, id] { OnTimeout(id); });
}

// Within the lock, behind Store: once the decision is on disk it is carried out.
void KafkaTransactionCoordinator::Carry(const std::string& id, ProducerIdReply reply) {
  WhenStored([weak = weak_from_this(), id, reply = std::move(reply)](const Status& status) {
    const auto self = weak.lock();
    if (self != nullptr && status.ok()) return self->Finish(id, reply);
    if (reply) reply({KafkaError::kCoordinatorNotAvailable});
  });
}

void KafkaTransactionCoordinator::Finish(const std::string& id, ProducerIdReply reply) {
  TransactionEntry entry;
  bool recovered = false;
  {
    std::lock_guard lock(mutex_);
    const auto it = entries_.find(id);
    TM_CHECK(it != entries_.end() && it->second.entry.is_decided());
    entry = it->second.entry;
    recovered = it->second.recovered;
  }
  const auto ending = std::make_shared<Ending>();
  ending->id = id;
  ending->reply = std::move(reply);
  const auto one_done = [weak = weak_from_this(), ending](const Status& status) {
    if (!status.ok() && !status.Is(kUnknownTopic) && !status.Is(kUnknownPartition)) {
      LogError("ending transaction '" + ending->id + "': " + status.ToString());
      ending->failed = true;
    }
    if (--ending->missing > 0) return;
    if (const auto self = weak.lock()) return self->OnFinished(ending);
    if (ending->reply) ending->reply({KafkaError::kCoordinatorNotAvailable});
  };
  const bool commit = entry.state == TransactionState::kPrepareCommit;
  for (const GroupPartition& partition : entry.partitions) {
    ++ending->missing;
    options_.write_marker({partition.topic, partition.partition, entry.producer_id, entry.epoch, commit, 0}, one_done);
  }
  for (const auto& [group, positions] : entry.positions) {
    if (!commit) break;
    std::vector<ConsumerPosition> ready;
    for (const auto& [partition, position] : positions) {
      // It may be that only our note of the end was lost, and the group went on since.
      const auto now = recovered ? positions_.Get(group, partition.topic, partition.partition) : std::nullopt;
      if (!now || now->committed_at_ms <= entry.updated_ms) ready.push_back(position);
    }
    if (ready.empty()) continue;
    ++ending->missing;
    positions_.CommitAsync(group, std::move(ready), one_done);
  }
  one_done(Status::OK());
}

void KafkaTransactionCoordinator::OnFinished(const std::shared_ptr<Ending>& ending) {
  const Call call(*this);
  Held& held = entries_.at(ending->id);
  TransactionEntry entry = held.entry;
  const bool commit = entry.state == TransactionState::kPrepareCommit;
  entry.state = commit ? TransactionState::kCompleteCommit : TransactionState::kCompleteAbort;
  entry.partitions.clear();
  entry.positions.clear();
  entry.started_ms = -1;
  if (entry.next_producer_id >= 0) {
    entry.last_producer_id = entry.producer_id;
    entry.producer_id = std::exchange(entry.next_producer_id, -1);
    entry.epoch = 0;
  }
  ProducerIdResult result{KafkaError::kNone, entry.producer_id, entry.epoch};
  // Not waited for: what it would save is doing again what can be done again.
  if (ending->failed || Store(std::move(entry)) != KafkaError::kNone) {
    result = {KafkaError::kConcurrentTransactions};
    deadlines_.Add(now_ms_ + options_.marker_retry_ms,
                   [this, id = ending->id] { outbox_.push_back([this, id] { Finish(id, nullptr); }); });
  }
  if (ending->reply) outbox_.push_back([reply = std::move(ending->reply), result] { reply(result); });
}

void KafkaTransactionCoordinator::ExpireIds() {
  deadlines_.Add(now_ms_ + kExpiryIntervalMs, [this] { ExpireIds(); });
  for (auto it = entries_.begin(); it != entries_.end();) {
    const TransactionEntry& entry = it->second.entry;
    const bool idle = entry.state != TransactionState::kOngoing && !entry.is_decided();
    if (!idle || WallMs() - entry.updated_ms < options_.id_expiration_ms) {
      ++it;
      continue;
    }
    if (!journal_->Append(kRemoveRecord + it->first).ok()) return;
    it = entries_.erase(it);
  }
}

// Rewrites the journal when most of it is outdated.
void KafkaTransactionCoordinator::CompactJournal() {
  if (journal_->size_bytes() < compact_at_bytes_) return;
  std::vector<std::string> payloads;
  int64_t live = 0;
  for (const auto& [id, held] : entries_) {
    payloads.push_back(kPutRecord + held.entry.Serialize());
    live += static_cast<int64_t>(payloads.back().size());
  }
  compact_at_bytes_ = std::max(kJournalBytesMin, 4 * live);
  if (journal_->size_bytes() < compact_at_bytes_) return;
  const Status rewritten = journal_->Rewrite(payloads);
  if (!rewritten.ok()) LogError("the journal of transactions: " + rewritten.ToString());
}

int64_t KafkaTransactionCoordinator::next_deadline_ms() const {
  std::lock_guard lock(mutex_);
  return deadlines_.next_ms();
}

void KafkaTransactionCoordinator::Tick(int64_t now_ms) {
  const Call call(*this, now_ms);
  while (deadlines_.RunOne(now_ms)) {
  }
}

void KafkaTransactionCoordinator::RunPending() { scheduler_->RunPending(); }

}  // namespace tidemill
