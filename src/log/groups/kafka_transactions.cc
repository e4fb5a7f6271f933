#include "log/groups/kafka_transactions.h"

#include <algorithm>

#include "base/errors.h"
#include "log/errors.h"
#include "log/groups/transaction_call.h"
#include "log/internal/frame_file.h"
#include "log/log.h"

namespace tidemill {

std::function<void(const TransactionMarker&, std::function<void(Status)> done)> MarkerWriter(Log& log) {
  return [&log](const TransactionMarker& marker, std::function<void(Status)> done) {
    const auto partition = log.partition(marker.topic, marker.partition);
    if (!partition.ok()) return done(partition.status());
    const auto end = (*partition)
                         ->AppendTransactionMarker(marker.producer_id, marker.producer_epoch,
                                                   marker.commit ? ControlType::kCommit : ControlType::kAbort,
                                                   marker.coordinator_epoch);
    if (!end.ok()) return done(end.status());
    (*partition)->WhenDurable(*end, std::move(done));
  };
}
namespace {

constexpr size_t kTransactionalIdBytesMax = 249;
constexpr size_t kTopicBytesMax = 249;
constexpr size_t kPositionNoteBytesMax = 4096;
constexpr int16_t kLastUsableEpoch = 32'766;  // its successor is for the coordinator's own fencing

bool IsUsedUp(int16_t epoch) { return epoch >= kLastUsableEpoch; }

bool IsTransactionalId(const std::string& id) { return !id.empty() && id.size() <= kTransactionalIdBytesMax; }

bool IsPartition(const std::string& topic, int32_t partition) {
  return !topic.empty() && topic.size() <= kTopicBytesMax && partition >= 0;
}

}  // namespace

void KafkaTransactionCoordinator::InitProducerId(InitProducerIdRequest request, ProducerIdReply reply) {
  const Call call(*this);
  const auto answer = [&](ProducerIdResult result) {
    outbox_.push_back([reply, result = std::move(result)] { reply(result); });
  };
  if (!request.transactional_id) {
    const auto id = options_.allocate_producer_id();
    return answer(id.ok() ? ProducerIdResult{KafkaError::kNone, *id, 0}
                          : ProducerIdResult{KafkaError::kCoordinatorNotAvailable});
  }
  if (!IsTransactionalId(*request.transactional_id)) return answer({KafkaError::kInvalidRequest});
  if (request.transaction_timeout_ms <= 0 || request.transaction_timeout_ms > options_.timeout_max_ms) {
    return answer({KafkaError::kInvalidTransactionTimeout});
  }
  TransactionEntry changed;
  KafkaError error = KafkaError::kNone;
  bool changes = true;
  const auto known = entries_.find(*request.transactional_id);
  if (known != entries_.end()) {
    changed = known->second.entry;
    error = InitKnown(request, &changed, &changes);
  } else if (entries_.size() >= static_cast<size_t>(options_.ids_max)) {
    error = KafkaError::kPolicyViolation;
  } else if (const auto id = options_.allocate_producer_id(); id.ok()) {
    changed.id = *request.transactional_id;
    changed.producer_id = *id;
    changed.epoch = 0;
    changed.timeout_ms = request.transaction_timeout_ms;
  } else {
    error = KafkaError::kCoordinatorNotAvailable;
  }
  // A transaction that was open is aborted first, and the producer comes again.
  const bool aborts = changes && changed.state == TransactionState::kPrepareAbort;
  if (changes && (error == KafkaError::kNone || aborts)) {
    const std::string id = changed.id;
    const KafkaError stored = Store(changed);
    if (stored != KafkaError::kNone) return answer({stored});
    if (aborts) Carry(id, nullptr);
  }
  if (error != KafkaError::kNone) return answer({error});
  WhenStored([reply, changed](const Status& status) {
    reply(status.ok() ? ProducerIdResult{KafkaError::kNone, changed.producer_id, changed.epoch}
                      : ProducerIdResult{KafkaError::kCoordinatorNotAvailable});
  });
}

KafkaError KafkaTransactionCoordinator::InitKnown(const InitProducerIdRequest& request, TransactionEntry* changed,
                                                  bool* changes) {
  TransactionEntry& entry = *changed;
  *changes = false;
  const bool expects = request.producer_id >= 0;
  const bool had_the_last_id = expects && request.producer_id == entry.last_producer_id &&
                               request.producer_epoch == entry.last_epoch && IsUsedUp(request.producer_epoch);
  if (expects && request.producer_id != entry.producer_id && !had_the_last_id) return KafkaError::kProducerFenced;
  if (entry.is_decided()) return KafkaError::kConcurrentTransactions;
  if (had_the_last_id) return KafkaError::kNone;  // it missed the answer
  const bool is_current = !expects || request.producer_epoch == entry.epoch;
  if (entry.state == TransactionState::kOngoing) {
    if (!is_current) return KafkaError::kProducerFenced;
    const KafkaError error = Decide(&entry, false, true);
    if (error != KafkaError::kNone) return error;
    entry.last_epoch = -1;  // nobody is told of this epoch
    *changes = true;
    return KafkaError::kConcurrentTransactions;
  }
  if (!is_current)
    return request.producer_epoch >= 0 && request.producer_epoch == entry.last_epoch ? KafkaError::kNone
                                                                                     : KafkaError::kProducerFenced;
  entry.last_epoch = expects ? entry.epoch : static_cast<int16_t>(-1);
  if (IsUsedUp(entry.epoch)) {
    const auto id = options_.allocate_producer_id();
    if (!id.ok()) return KafkaError::kCoordinatorNotAvailable;
    entry.last_producer_id = entry.producer_id;
    entry.producer_id = *id;
    entry.epoch = 0;
  } else {
    ++entry.epoch;
  }
  entry.state = TransactionState::kEmpty;
  entry.timeout_ms = request.transaction_timeout_ms;
  *changes = true;
  return KafkaError::kNone;
}

KafkaError KafkaTransactionCoordinator::Find(const TransactionalProducer& producer, Held** held) {
  if (!IsTransactionalId(producer.transactional_id)) return KafkaError::kInvalidRequest;
  const auto it = entries_.find(producer.transactional_id);
  if (it == entries_.end()) return KafkaError::kInvalidProducerIdMapping;
  *held = &it->second;
  const TransactionEntry& entry = it->second.entry;
  if (producer.producer_id == entry.producer_id || producer.producer_id == entry.last_producer_id) {
    const bool is_current = producer.producer_id == entry.producer_id && producer.producer_epoch == entry.epoch;
    return is_current ? KafkaError::kNone : KafkaError::kProducerFenced;
  }
  return KafkaError::kInvalidProducerIdMapping;
}

// A copy of the producer's transaction; a new one, when none is open.
KafkaError KafkaTransactionCoordinator::FindOpen(const TransactionalProducer& producer, TransactionEntry* changed) {
  Held* held = nullptr;
  const KafkaError error = Find(producer, &held);
  if (error != KafkaError::kNone) return error;
  if (held->entry.is_decided()) return KafkaError::kConcurrentTransactions;
  *changed = held->entry;
  if (changed->state == TransactionState::kOngoing) return KafkaError::kNone;
  changed->state = TransactionState::kOngoing;
  changed->started_ms = WallMs();
  return KafkaError::kNone;
}

void KafkaTransactionCoordinator::AddPartitions(const TransactionalProducer& producer,
                                                const std::vector<GroupPartition>& partitions, Reply reply) {
  const Call call(*this);
  TransactionEntry changed;
  KafkaError error = FindOpen(producer, &changed);
  for (const GroupPartition& partition : partitions) {
    if (!IsPartition(partition.topic, partition.partition)) error = KafkaError::kUnknownTopicOrPartition;
  }
  if (error == KafkaError::kNone) {
    const TransactionEntry& before = entries_.at(producer.transactional_id).entry;
    changed.partitions.insert(partitions.begin(), partitions.end());
    const bool same =
        before.state == TransactionState::kOngoing && changed.partitions.size() == before.partitions.size();
    if (changed.partitions.size() > static_cast<size_t>(options_.partitions_max)) {
      error = KafkaError::kPolicyViolation;
    } else if (!same) {
      error = Store(std::move(changed));
    }
  }
  AnswerWhenStored(error, std::move(reply));
}

void KafkaTransactionCoordinator::AddOffsets(const TransactionalProducer& producer, const std::string& group,
                                             Reply reply) {
  const Call call(*this);
  TransactionEntry changed;
  KafkaError error = FindOpen(producer, &changed);
  if (!IsTransactionalId(group)) error = KafkaError::kInvalidGroupId;
  if (error == KafkaError::kNone) {
    const bool fresh = changed.positions.try_emplace(group).second;
    if (fresh || entries_.at(producer.transactional_id).entry.state != TransactionState::kOngoing) {
      error = Store(std::move(changed));
    }
  }
  AnswerWhenStored(error, std::move(reply));
}

void KafkaTransactionCoordinator::CommitOffsets(const TransactionalProducer& producer, const std::string& group,
                                                std::vector<ConsumerPosition> positions, bool adds_group, Reply reply) {
  const Call call(*this);
  TransactionEntry changed;
  KafkaError error = FindOpen(producer, &changed);
  if (error == KafkaError::kNone) {
    const TransactionEntry& before = entries_.at(producer.transactional_id).entry;
    const bool was_added = before.state == TransactionState::kOngoing && before.positions.contains(group);
    if (!IsTransactionalId(group)) {
      error = KafkaError::kInvalidGroupId;
    } else if (!was_added && !adds_group) {
      error = KafkaError::kInvalidTxnState;
    }
  }
  if (error == KafkaError::kNone) {
    TransactionEntry::Positions& of_group = changed.positions[group];
    for (ConsumerPosition& position : positions) {
      if (!IsPartition(position.topic, position.partition)) error = KafkaError::kUnknownTopicOrPartition;
      if (position.metadata.size() > kPositionNoteBytesMax) error = KafkaError::kOffsetMetadataTooLarge;
      if (position.offset < 0) error = KafkaError::kOffsetOutOfRange;
      GroupPartition partition{position.topic, position.partition};
      of_group.insert_or_assign(std::move(partition), std::move(position));
    }
    if (of_group.size() > static_cast<size_t>(options_.partitions_max)) error = KafkaError::kInvalidCommitOffsetSize;
    if (error == KafkaError::kNone) error = Store(std::move(changed));
  }
  AnswerWhenStored(error, std::move(reply));
}

KafkaError KafkaTransactionCoordinator::VerifyPartition(const TransactionalProducer& producer,
                                                        const GroupPartition& partition) const {
  std::lock_guard lock(mutex_);
  Held* held = nullptr;
  const KafkaError error = const_cast<KafkaTransactionCoordinator*>(this)->Find(producer, &held);
  if (error != KafkaError::kNone) return error;
  const TransactionEntry& entry = held->entry;
  if (entry.is_decided()) return KafkaError::kConcurrentTransactions;
  const bool belongs = entry.state == TransactionState::kOngoing && entry.partitions.contains(partition);
  return belongs ? KafkaError::kNone : KafkaError::kTransactionAbortable;
}

void KafkaTransactionCoordinator::EndTransaction(const TransactionalProducer& producer, bool commit, bool bumps_epoch,
                                                 ProducerIdReply reply) {
  const Call call(*this);
  TransactionEntry changed;
  bool changes = false;
  KafkaError error = PrepareEnd(producer, commit, bumps_epoch, &changed, &changes);
  const ProducerIdResult known{KafkaError::kNone, changed.producer_id, changed.epoch};
  if (error == KafkaError::kNone && changes) error = Store(std::move(changed));
  if (error != KafkaError::kNone) {
    outbox_.push_back([reply, error] { reply({error}); });
  } else if (changes) {
    Carry(producer.transactional_id, std::move(reply));
  } else {
    outbox_.push_back([reply, known] { reply(known); });  // it missed the answer
  }
}

KafkaError KafkaTransactionCoordinator::PrepareEnd(const TransactionalProducer& producer, bool commit, bool bumps_epoch,
                                                   TransactionEntry* changed, bool* changes) {
  Held* held = nullptr;
  KafkaError error = Find(producer, &held);
  if (error != KafkaError::kNone && error != KafkaError::kProducerFenced) return error;
  *changed = held->entry;
  TransactionEntry& entry = *changed;
  const bool asks_again = error == KafkaError::kProducerFenced && bumps_epoch && entry.last_epoch >= 0 &&
                          producer.producer_epoch == entry.last_epoch;
  if (error != KafkaError::kNone && !asks_again) return error;
  const bool same_end = entry.state == (commit ? TransactionState::kCompleteCommit : TransactionState::kCompleteAbort);
  switch (entry.state) {
    case TransactionState::kPrepareCommit:
    case TransactionState::kPrepareAbort:
      return commit == (entry.state == TransactionState::kPrepareCommit) ? KafkaError::kConcurrentTransactions
                                                                         : KafkaError::kInvalidTxnState;
    case TransactionState::kOngoing:
      if (asks_again) return KafkaError::kProducerFenced;
      break;
    default:
      if (same_end && (asks_again || !bumps_epoch)) return KafkaError::kNone;
      // With KIP-890 a client may abort what it is not sure to have begun; the new epoch fences what is on its way.
      if (asks_again || !bumps_epoch || commit) return KafkaError::kInvalidTxnState;
  }
  *changes = true;
  return Decide(&entry, commit, bumps_epoch);
}

KafkaError KafkaTransactionCoordinator::Decide(TransactionEntry* entry, bool commit, bool bumps_epoch) {
  if (bumps_epoch) {
    if (IsUsedUp(entry->epoch)) {
      const auto id = options_.allocate_producer_id();
      if (!id.ok()) return KafkaError::kCoordinatorNotAvailable;
      entry->next_producer_id = *id;
    }
    entry->last_epoch = entry->epoch;
    ++entry->epoch;
  }
  entry->state = commit ? TransactionState::kPrepareCommit : TransactionState::kPrepareAbort;
  return KafkaError::kNone;
}

bool KafkaTransactionCoordinator::IsPositionPending(const std::string& group, const std::string& topic,
                                                    int32_t partition) const {
  std::lock_guard lock(mutex_);
  return pending_positions_.contains({group, {topic, partition}});
}

TransactionDescription KafkaTransactionCoordinator::Describe(const std::string& id) const {
  std::lock_guard lock(mutex_);
  TransactionDescription description;
  description.transactional_id = id;
  const auto it = entries_.find(id);
  if (it == entries_.end()) {
    description.error = KafkaError::kTransactionalIdNotFound;
    return description;
  }
  const TransactionEntry& entry = it->second.entry;
  description.state = TransactionStateName(entry.state);
  description.timeout_ms = entry.timeout_ms;
  description.start_time_ms = entry.started_ms;
  description.producer_id = entry.producer_id;
  description.producer_epoch = entry.epoch;
  description.partitions.assign(entry.partitions.begin(), entry.partitions.end());
  return description;
}

std::vector<TransactionListing> KafkaTransactionCoordinator::List(const std::vector<std::string>& states,
                                                                  const std::vector<int64_t>& producer_ids,
                                                                  int64_t open_for_ms) const {
  const auto passes = [](const auto& filter, const auto& value) {
    return filter.empty() || std::find(filter.begin(), filter.end(), value) != filter.end();
  };
  std::lock_guard lock(mutex_);
  std::vector<TransactionListing> listings;
  for (const auto& [id, held] : entries_) {
    const TransactionEntry& entry = held.entry;
    const std::string state = TransactionStateName(entry.state);
    if (!passes(states, state) || !passes(producer_ids, entry.producer_id)) continue;
    if (open_for_ms >= 0 && (entry.started_ms < 0 || WallMs() - entry.started_ms <= open_for_ms)) continue;
    listings.push_back({id, entry.producer_id, state});
  }
  return listings;
}

}  // namespace tidemill
