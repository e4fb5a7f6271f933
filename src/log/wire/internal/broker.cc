#include "log/wire/internal/broker.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "log/errors.h"

namespace tidemill::wire {

namespace {

// Looks after the deadlines of the groups; asked anew whenever one has become earlier.
void TickGroups(Broker& broker) {
  broker.groups->Tick(broker.groups->NowMs());
  const int64_t next = broker.groups->next_deadline_ms();
  if (next == INT64_MAX) return;
  broker.timers.PostAfter(std::max<int64_t>(1, next - broker.groups->NowMs()), [&broker] { TickGroups(broker); });
}

}  // namespace

Broker::Broker(Log& the_log, const Clock& clock, uint64_t seed) : log(the_log) {
  GroupOptions options;
  options.deadline_moved = [this] { timers.Post([this] { TickGroups(*this); }); };
  groups = std::make_unique<GroupCoordinator>(clock, seed, log.positions(), std::move(options));
}

void Broker::Stop() {
  slow.Stop();
  timers.Stop();
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
      {kInvalidBatch, KafkaError::kCorruptMessage},
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
