// Offsets of partitions: found by time, cut off at the front, compared after a change of leader.
#include "log/wire/internal/handlers.h"
#include "log/wire/messages/delete_records.h"
#include "log/wire/messages/list_offsets.h"
#include "log/wire/messages/offset_for_leader_epoch.h"

namespace tidemill::wire {

namespace {

constexpr int64_t kLatest = -1;
constexpr int64_t kEarliest = -2;
constexpr int64_t kNewestTimestamp = -3;         // KIP-734
constexpr int64_t kEarliestLocal = -4;           // KIP-405
constexpr int64_t kEarliestNotUploadedYet = -6;  // KIP-1023; between them: the latest in tiered storage, KIP-1005

// The first record with the greatest timestamp; the end offset when there is none. By bisection: what is asked for
// rarely needs no index of its own.
Result<int64_t> OffsetOfNewest(Partition& partition) {
  const int64_t end = partition.Offsets().end;
  int64_t offset = end;
  for (int64_t low = -1, high = INT64_MAX - 1; high - low > 1;) {
    const int64_t middle = low + (high - low) / 2;
    TM_ASSIGN_OR_RETURN(const int64_t found, partition.OffsetForTime(middle));
    if (found < end) {
      low = middle;
      offset = found;
    } else {
      high = middle;
    }
  }
  return offset;
}

KafkaError FindOffset(Broker& broker, std::string_view topic, const ListOffsetsRequest::ListOffsetsPartition& wanted,
                      bool read_committed, ListOffsetsResponse::ListOffsetsPartitionResponse* answer) {
  const auto partition = broker.log.partition(topic, wanted.partition_index);
  if (!partition.ok()) return KafkaErrorOf(partition.status());
  if (wanted.current_leader_epoch > kLeaderEpoch) return KafkaError::kUnknownLeaderEpoch;
  const PartitionOffsets offsets = (*partition)->Offsets();
  const int64_t end = read_committed ? offsets.last_stable : offsets.end;
  if (wanted.timestamp == kLatest) {
    answer->offset = end;
  } else if (wanted.timestamp == kEarliest || wanted.timestamp == kEarliestLocal) {
    answer->offset = offsets.log_start;
  } else if (wanted.timestamp < kEarliestNotUploadedYet) {
    return KafkaError::kInvalidRequest;
  } else if (wanted.timestamp < kNewestTimestamp) {
    return KafkaError::kNone;  // there is no tiered storage: offset -1
  } else {
    const auto found = wanted.timestamp == kNewestTimestamp ? OffsetOfNewest(**partition)
                                                            : (*partition)->OffsetForTime(wanted.timestamp);
    if (!found.ok()) return KafkaErrorOf(found.status());
    if (*found >= end) return KafkaError::kNone;  // no such record: offset -1
    PartitionReader reader(*partition, *found, {.isolation = IsolationLevel::kReadUncommitted});
    std::vector<RecordView> records;
    if (const Status read = reader.Poll(1, &records); !read.ok()) return KafkaErrorOf(read);
    if (records.empty()) return KafkaError::kNone;
    answer->offset = records[0].offset;
    answer->timestamp = records[0].timestamp_ms;
  }
  return KafkaError::kNone;
}

KafkaError TrimPartition(Broker& broker, std::string_view topic, int32_t index, int64_t before, int64_t* low) {
  *low = -1;
  const auto partition = broker.log.partition(topic, index);
  if (!partition.ok()) return KafkaErrorOf(partition.status());
  const PartitionOffsets offsets = (*partition)->Offsets();
  const int64_t offset = before == kLatest ? offsets.end : before;
  if (offset < 0 || offset > offsets.end) return KafkaError::kOffsetOutOfRange;
  const KafkaError error = KafkaErrorOf((*partition)->TrimBefore(offset));
  *low = (*partition)->Offsets().log_start;
  return error;
}

// Topic by topic, partition by partition; `fill` gives each its error where `operation` is allowed.
template <typename Response, typename Request, typename Fill>
void AnswerEach(const Broker& broker, const CallPtr<Request>& call, AclOperation operation, Fill fill) {
  Response response;
  for (const auto& topic : call->message.topics) {
    auto& topic_answer = response.topics.emplace_back();
    topic_answer.name = topic.name;
    const bool is_allowed = broker.AllowsTopic(*call, operation, topic.name);
    for (const auto& wanted : topic.partitions) {
      auto& answer = topic_answer.partitions.emplace_back();
      answer.partition_index = wanted.partition_index;
      answer.error_code = Code(is_allowed ? fill(topic.name, wanted, answer) : KafkaError::kTopicAuthorizationFailed);
    }
  }
  call->Answer(response);
}

}  // namespace

void HandleListOffsets(Broker& broker, const CallPtr<ListOffsetsRequest>& call) {
  broker.slow.Post([&broker, call] {
    AnswerEach<ListOffsetsResponse>(
        broker, call, AclOperation::kDescribe, [&](std::string_view topic, const auto& wanted, auto& answer) {
          if (call->version >= 4) answer.leader_epoch = kLeaderEpoch;
          return FindOffset(broker, topic, wanted, call->message.isolation_level == 1, &answer);
        });
  });
}

void HandleDeleteRecords(Broker& broker, const CallPtr<DeleteRecordsRequest>& call) {
  broker.slow.Post([&broker, call] {
    AnswerEach<DeleteRecordsResponse>(
        broker, call, AclOperation::kDelete, [&](std::string_view topic, const auto& wanted, auto& answer) {
          return TrimPartition(broker, topic, wanted.partition_index, wanted.offset, &answer.low_watermark);
        });
  });
}

void HandleOffsetForLeaderEpoch(Broker& broker, const CallPtr<OffsetForLeaderEpochRequest>& call) {
  OffsetForLeaderEpochResponse response;
  for (const auto& topic : call->message.topics) {
    auto& topic_answer = response.topics.emplace_back();
    topic_answer.topic = topic.topic;
    const bool is_allowed = broker.AllowsTopic(*call, AclOperation::kDescribe, topic.topic);
    for (const auto& wanted : topic.partitions) {
      auto& answer = topic_answer.partitions.emplace_back();
      answer.partition = wanted.partition;
      const auto partition = broker.log.partition(topic.topic, wanted.partition);
      if (!is_allowed) {
        answer.error_code = Code(KafkaError::kTopicAuthorizationFailed);
      } else if (!partition.ok()) {
        answer.error_code = Code(KafkaErrorOf(partition.status()));
      } else if (wanted.current_leader_epoch > kLeaderEpoch) {
        answer.error_code = Code(KafkaError::kUnknownLeaderEpoch);
      } else if (wanted.leader_epoch == kLeaderEpoch) {
        answer.leader_epoch = kLeaderEpoch;
        answer.end_offset = (*partition)->Offsets().end;
      }
    }
  }
  call->Answer(response);
}

}  // namespace tidemill::wire
