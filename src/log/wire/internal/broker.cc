#include "log/wire/internal/broker.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "base/logging.h"
#include "log/errors.h"

namespace tidemill::wire {

namespace {

constexpr int64_t kTopicsPollMs = 2'000;

// Looks after a coordinator's deadlines; asked anew whenever one has become earlier. On the thread of `timers`, as is
// `scheduled_ms`: when it is to run next, so that one task waits for one deadline, however often they move.
template <typename Coordinator>
void TickCoordinator(Broker& broker, Coordinator& coordinator, int64_t& scheduled_ms) {
  const int64_t now = coordinator.NowMs();
  if (now >= scheduled_ms) scheduled_ms = INT64_MAX;
  coordinator.Tick(now);
  const int64_t next = coordinator.next_deadline_ms();
  if (next >= scheduled_ms) return;
  scheduled_ms = next;
  broker.timers.PostAfter(std::max<int64_t>(1, next - now), [&broker, &coordinator, &scheduled_ms] {
    TickCoordinator(broker, coordinator, scheduled_ms);
  });
}

// Topics are made by scripts and over HTTP too: groups look at them now and then.
void PollTopics(Broker& broker) {
  if (broker.groups->group_count() > 0) broker.groups->TopicsChanged();
  broker.slow.PostAfter(kTopicsPollMs, [&broker] { PollTopics(broker); });
}

std::vector<GroupTopic> AllTopics(const Log& log) {
  std::vector<GroupTopic> topics;
  for (const std::string& name : log.ListTopics()) {
    if (const auto topic = log.Describe(name); topic.ok())
      topics.push_back({name, topic->id, static_cast<int32_t>(topic->partitions.size())});
  }
  return topics;
}

}  // namespace

Broker::Broker(Log& the_log, const Clock& the_clock, KafkaSecurity the_security, uint64_t seed)
    : log(the_log),
      clock(the_clock),
      security(std::move(the_security)),
      quotas(security.quotas, clock),
      fetch_sessions(seed) {
  GroupOptions options;
  options.deadline_moved = [this] { timers.Post([this] { TickCoordinator(*this, *groups, groups_tick_ms); }); };
  options.topics = [this] { return AllTopics(log); };
  options.position_is_pending = [this](const std::string& group, const std::string& topic, int32_t partition) {
    return transactions->IsPositionPending(group, topic, partition);
  };
  groups = std::make_unique<GroupCoordinator>(clock, seed, log.positions(), std::move(options));
}

Status Broker::Start(FileSystem& files, const Clock& clock, const std::string& log_directory) {
  KafkaTransactionOptions options;
  options.allocate_producer_id = [this] { return log.AllocateProducerId(); };
  options.write_marker = MarkerWriter(log);
  options.deadline_moved = [this] {
    timers.Post([this] { TickCoordinator(*this, *transactions, transactions_tick_ms); });
  };
  TM_ASSIGN_OR_RETURN(transactions, KafkaTransactionCoordinator::Open(files, clock, log_directory, log.positions(),
                                                                      std::move(options)));
  timers.Post([this] { TickCoordinator(*this, *transactions, transactions_tick_ms); });
  PollTopics(*this);
  timers.Start();
  slow.Start();
  return Status::OK();
}

void Broker::Stop() {
  slow.Stop();
  timers.Stop();
  if (transactions == nullptr) return;
  if (const Status closed = transactions->Close(); !closed.ok())
    LogError("closing the journal of Kafka transactions: " + closed.ToString());
  transactions.reset();
}

int32_t Broker::Charge(const KafkaRequest& request, QuotaKind kind, size_t bytes) {
  const int64_t pause_ms = quotas.Charge(kind, request.session->user, request.client_id, static_cast<int64_t>(bytes));
  if (pause_ms > 0) request.connection->Pause(pause_ms);
  return static_cast<int32_t>(pause_ms);
}

std::optional<std::string> Broker::NameOf(std::string_view name, const TopicId& id) const {
  if (!name.empty() || id == TopicId{}) return std::string(name);
  return log.TopicName(id);
}

KafkaError KafkaErrorOf(const Status& status) {
  if (status.ok()) return KafkaError::kNone;
  static const std::pair<const ErrorCode&, KafkaError> kErrors[] = {
      {kUnknownTopic, KafkaError::kUnknownTopicOrPartition},
      {kUnknownPartition, KafkaError::kUnknownTopicOrPartition},
      {kTopicExists, KafkaError::kTopicAlreadyExists},
      {kOffsetOutOfRange, KafkaError::kOffsetOutOfRange},
      {kRecordTooLarge, KafkaError::kMessageTooLarge},
      {kCorruptBatch, KafkaError::kCorruptMessage},
      {kInvalidBatch, KafkaError::kInvalidRecord},
      {kOutOfOrderSequence, KafkaError::kOutOfOrderSequenceNumber},
      {kProducerFenced, KafkaError::kInvalidProducerEpoch},
      {kInvalidTransactionState, KafkaError::kInvalidTxnState},
      {kUnsupportedCodec, KafkaError::kUnsupportedCompressionType},
      {kInvalidTopicConfig, KafkaError::kInvalidConfig},
      {kInvalidConfig, KafkaError::kInvalidConfig},
      {kInvalidName, KafkaError::kInvalidTopic},
      {kLimitExceeded, KafkaError::kPolicyViolation},
      {kDiskFull, KafkaError::kKafkaStorageError},
      {kSyncFailed, KafkaError::kKafkaStorageError},
      {kLogClosed, KafkaError::kKafkaStorageError},
  };
  for (const auto& [code, error] : kErrors) {
    if (status.Is(code)) return error;
  }
  return KafkaError::kUnknownServerError;
}

}  // namespace tidemill::wire
