// Where groups have got to: committed, fetched and deleted positions.
#include <deque>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/offset_commit.h"
#include "log/wire/messages/offset_delete.h"
#include "log/wire/messages/offset_fetch.h"

namespace tidemill::wire {

namespace {

// Positions of partitions that exist are committed; `at` says which of them belongs to which place of the answer.
struct CommitUnderWay {
  CallPtr<OffsetCommitRequest> call;
  OffsetCommitResponse response;
  std::vector<int16_t*> at;

  void Answer(const CommitOffsetsResult& result) {
    for (size_t i = 0; i < at.size(); ++i)
      *at[i] = Code(i < result.errors.size() ? result.errors[i] : KafkaError::kUnknownServerError);
    call->Answer(response);
  }
};

std::vector<GroupPartition> PartitionsOf(const std::string& topic, const std::vector<int32_t>& indexes) {
  std::vector<GroupPartition> partitions;
  for (const int32_t index : indexes) partitions.push_back({topic, index});
  return partitions;
}

// A topic of an answer, none of whose positions is said.
template <typename Wanted, typename Topics>
void RefuseTopic(const Wanted& wanted, KafkaError error, Topics* topics) {
  auto& refused = topics->emplace_back();
  refused.name = wanted.name;
  if constexpr (requires { refused.topic_id; }) refused.topic_id = wanted.topic_id;
  for (const int32_t index : wanted.partition_indexes)
    refused.partitions.push_back({index, -1, -1, std::string_view(), Code(error)});
}

// Fills the topics of an answer from offsets that are ordered by topic.
template <typename Topics>
void FillTopics(const std::vector<FetchedOffset>& offsets, const Log& log, bool with_ids, Topics* topics,
                std::deque<std::string>* texts) {
  for (const FetchedOffset& fetched : offsets) {
    const ConsumerPosition& position = fetched.position;
    if (topics->empty() || topics->back().name != position.topic) {
      auto& topic = topics->emplace_back();
      topic.name = texts->emplace_back(position.topic);
      if constexpr (requires { topic.topic_id; }) {
        if (with_ids) {
          if (const auto described = log.Describe(position.topic); described.ok()) topic.topic_id = described->id;
        }
      }
    }
    auto& partition = topics->back().partitions.emplace_back();
    partition.partition_index = position.partition;
    partition.committed_offset = position.offset;
    partition.metadata = texts->emplace_back(position.metadata);
    partition.error_code = Code(fetched.error);
  }
}

// Of all positions only those that the client may see are said.
void DropHidden(const Broker& broker, const KafkaRequest& request, FetchOffsetsResult* result) {
  std::erase_if(result->offsets, [&](const FetchedOffset& fetched) {
    return !broker.AllowsTopic(request, AclOperation::kDescribe, fetched.position.topic);
  });
}

void AnswerOneGroup(Broker& broker, const CallPtr<OffsetFetchRequest>& call) {
  const OffsetFetchRequest& request = call->message;
  OffsetFetchResponse response;
  if (!broker.AllowsGroup(*call, AclOperation::kDescribe, request.group_id)) {
    response.error_code = Code(KafkaError::kGroupAuthorizationFailed);
    return call->Answer(response);
  }
  FetchOffsetsRequest fetch;
  fetch.group = request.group_id;
  fetch.require_stable = request.require_stable;
  if (request.topics) {
    fetch.partitions.emplace();
    for (const auto& topic : *request.topics) {
      if (!broker.AllowsTopic(*call, AclOperation::kDescribe, topic.name)) {
        RefuseTopic(topic, KafkaError::kTopicAuthorizationFailed, &response.topics);
        continue;
      }
      for (const GroupPartition& partition : PartitionsOf(std::string(topic.name), topic.partition_indexes))
        fetch.partitions->push_back(partition);
    }
  }
  FetchOffsetsResult result = broker.groups->FetchOffsets(fetch);
  if (!fetch.partitions) DropHidden(broker, *call, &result);
  std::deque<std::string> texts;
  response.error_code = Code(result.error);
  FillTopics(result.offsets, broker.log, false, &response.topics, &texts);
  call->Answer(response);
}

}  // namespace

void HandleOffsetCommit(Broker& broker, const CallPtr<OffsetCommitRequest>& call) {
  const OffsetCommitRequest& request = call->message;
  const bool is_allowed = broker.AllowsGroup(*call, AclOperation::kRead, request.group_id);
  CommitOffsetsRequest commit;
  commit.group = request.group_id;
  commit.member_id = request.member_id;
  commit.group_instance_id = Text(request.group_instance_id);
  commit.generation = request.generation_id_or_member_epoch;
  const auto under_way = std::make_shared<CommitUnderWay>();
  under_way->call = call;
  auto& answers = under_way->response.topics;
  for (const auto& topic : request.topics) {
    auto& answer = answers.emplace_back();
    answer.name = topic.name;
    answer.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) answer.partitions.push_back({partition.partition_index, 0});
  }
  for (size_t i = 0; i < request.topics.size(); ++i) {
    const auto name = broker.NameOf(request.topics[i].name, request.topics[i].topic_id);
    for (size_t j = 0; j < request.topics[i].partitions.size(); ++j) {
      const auto& partition = request.topics[i].partitions[j];
      int16_t& error = answers[i].partitions[j].error_code;
      if (!is_allowed) {
        error = Code(KafkaError::kGroupAuthorizationFailed);
      } else if (!name) {
        error = Code(KafkaError::kUnknownTopicId);
      } else if (!broker.AllowsTopic(*call, AclOperation::kRead, *name)) {
        error = Code(KafkaError::kTopicAuthorizationFailed);
      } else if (const auto found = broker.log.partition(*name, partition.partition_index); !found.ok()) {
        error = Code(KafkaErrorOf(found.status()));
      } else {
        ConsumerPosition position;
        position.topic = *name;
        position.partition = partition.partition_index;
        position.offset = partition.committed_offset;
        position.metadata = partition.committed_metadata.value_or(std::string_view());
        commit.positions.push_back(std::move(position));
        under_way->at.push_back(&error);
      }
    }
  }
  if (!is_allowed) return call->Answer(under_way->response);
  broker.groups->CommitOffsets(std::move(commit),
                               [under_way](const CommitOffsetsResult& result) { under_way->Answer(result); });
}

void HandleOffsetFetch(Broker& broker, const CallPtr<OffsetFetchRequest>& call) {
  if (call->version < 8) return AnswerOneGroup(broker, call);
  OffsetFetchResponse response;
  std::deque<std::string> texts;
  const bool by_id = call->version >= 10;
  for (const auto& group : call->message.groups) {
    FetchOffsetsRequest fetch;
    fetch.group = group.group_id;
    fetch.member_id = group.member_id.value_or(std::string_view());
    fetch.member_epoch = group.member_epoch;
    fetch.require_stable = call->message.require_stable;
    auto& answer = response.groups.emplace_back();
    answer.group_id = group.group_id;
    if (!broker.AllowsGroup(*call, AclOperation::kDescribe, group.group_id)) {
      answer.error_code = Code(KafkaError::kGroupAuthorizationFailed);
      continue;
    }
    if (group.topics) {
      fetch.partitions.emplace();
      for (const auto& topic : *group.topics) {
        const auto name = broker.NameOf(topic.name, topic.topic_id);
        if (!name || !broker.AllowsTopic(*call, AclOperation::kDescribe, *name)) {
          RefuseTopic(topic, name ? KafkaError::kTopicAuthorizationFailed : KafkaError::kUnknownTopicId,
                      &answer.topics);
          continue;
        }
        for (const GroupPartition& partition : PartitionsOf(*name, topic.partition_indexes))
          fetch.partitions->push_back(partition);
      }
    }
    FetchOffsetsResult result = broker.groups->FetchOffsets(fetch);
    if (!fetch.partitions) DropHidden(broker, *call, &result);
    answer.error_code = Code(result.error);
    FillTopics(result.offsets, broker.log, by_id, &answer.topics, &texts);
  }
  call->Answer(response);
}

void HandleOffsetDelete(Broker& broker, const CallPtr<OffsetDeleteRequest>& call) {
  broker.slow.Post([&broker, call] {
    const OffsetDeleteRequest& request = call->message;
    OffsetDeleteResponse response;
    if (!broker.AllowsGroup(*call, AclOperation::kDelete, request.group_id)) {
      response.error_code = Code(KafkaError::kGroupAuthorizationFailed);
      return call->Answer(response);
    }
    const auto is_allowed = [&](std::string_view topic) {
      return broker.AllowsTopic(*call, AclOperation::kRead, topic);
    };
    std::vector<GroupPartition> partitions;
    for (const auto& topic : request.topics) {
      if (!is_allowed(topic.name)) continue;
      for (const auto& partition : topic.partitions)
        partitions.push_back({std::string(topic.name), partition.partition_index});
    }
    const DeleteOffsetsResult result = broker.groups->DeleteOffsets(std::string(request.group_id), partitions);
    response.error_code = Code(result.error);
    size_t next = 0;
    for (const auto& topic : request.topics) {
      if (result.error != KafkaError::kNone) break;
      auto& answer = response.topics.emplace_back();
      answer.name = topic.name;
      const bool was_asked = is_allowed(topic.name);
      for (const auto& partition : topic.partitions) {
        const KafkaError error = was_asked ? result.partitions[next++] : KafkaError::kTopicAuthorizationFailed;
        answer.partitions.push_back({partition.partition_index, Code(error)});
      }
    }
    call->Answer(response);
  });
}

}  // namespace tidemill::wire
