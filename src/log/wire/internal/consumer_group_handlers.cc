// Groups of the new protocol (KIP-848), whose partitions the coordinator hands out.
#include <deque>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/consumer_group_describe.h"
#include "log/wire/messages/consumer_group_heartbeat.h"

namespace tidemill::wire {

namespace {

template <typename Assignment>
void FillAssignment(const PartitionsByTopic& partitions, Assignment* assignment) {
  for (const auto& [id, indexes] : partitions) {
    auto& topic = assignment->topic_partitions.emplace_back();
    topic.topic_id = id;
    topic.partitions.assign(indexes.begin(), indexes.end());
  }
}

void FillNames(const Broker& broker, ConsumerGroupDescribeResponse::Assignment* assignment,
               std::deque<std::string>* texts) {
  for (auto& topic : assignment->topic_partitions)
    topic.topic_name = texts->emplace_back(broker.log.TopicName(topic.topic_id).value_or(""));
}

KafkaError HeartbeatRefusal(const Broker& broker, const CallPtr<ConsumerGroupHeartbeatRequest>& call) {
  const ConsumerGroupHeartbeatRequest& request = call->message;
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id)) return KafkaError::kGroupAuthorizationFailed;
  if (request.subscribed_topic_names) {
    for (const std::string_view name : *request.subscribed_topic_names) {
      if (!broker.AllowsTopic(*call, AclOperation::kDescribe, name)) return KafkaError::kTopicAuthorizationFailed;
    }
  }
  // What a pattern finds is found out by the coordinator, who does not know who asks.
  const bool has_pattern = request.subscribed_topic_regex && !request.subscribed_topic_regex->empty();
  if (has_pattern && !broker.AllowsTopic(*call, AclOperation::kDescribe, "*"))
    return KafkaError::kTopicAuthorizationFailed;
  return KafkaError::kNone;
}

}  // namespace

void HandleConsumerGroupHeartbeat(Broker& broker, const CallPtr<ConsumerGroupHeartbeatRequest>& call) {
  const ConsumerGroupHeartbeatRequest& request = call->message;
  ConsumerGroupHeartbeatResponse response;
  if (const KafkaError refusal = HeartbeatRefusal(broker, call); refusal != KafkaError::kNone) {
    response.error_code = Code(refusal);
    return call->Answer(response);
  }
  ConsumerHeartbeatRequest beat;
  beat.group = request.group_id;
  beat.member_id = request.member_id;
  beat.member_epoch = request.member_epoch;
  beat.instance_id = Text(request.instance_id);
  beat.rack_id = Text(request.rack_id);
  beat.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.subscribed_topic_names)
    beat.subscribed_topics.emplace(request.subscribed_topic_names->begin(), request.subscribed_topic_names->end());
  beat.subscribed_regex = Text(request.subscribed_topic_regex);
  beat.server_assignor = Text(request.server_assignor);
  if (request.topic_partitions) {
    beat.owned.emplace();
    for (const auto& topic : *request.topic_partitions) {
      if (!topic.partitions.empty())
        (*beat.owned)[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
    }
  }
  beat.client_id = call->client_id;
  beat.client_host = HostOf(*call->connection);
  const ConsumerHeartbeatResult result = broker.groups->ConsumerHeartbeat(std::move(beat));
  response.error_code = Code(result.error);
  if (!result.error_message.empty()) response.error_message = result.error_message;
  if (!result.member_id.empty()) response.member_id = result.member_id;
  response.member_epoch = result.member_epoch;
  response.heartbeat_interval_ms = result.heartbeat_interval_ms;
  if (result.assignment) FillAssignment(*result.assignment, &response.assignment.emplace());
  call->Answer(response);
}

void HandleConsumerGroupDescribe(Broker& broker, const CallPtr<ConsumerGroupDescribeRequest>& call) {
  std::deque<ConsumerGroupDescription> found;
  std::deque<std::string> texts;
  ConsumerGroupDescribeResponse response;
  for (const std::string_view id : call->message.group_ids) {
    if (!broker.AllowsGroup(*call, AclOperation::kDescribe, id)) {
      auto& refused = response.groups.emplace_back();
      refused.error_code = Code(KafkaError::kGroupAuthorizationFailed);
      refused.group_id = id;
      continue;
    }
    const auto& group = found.emplace_back(broker.groups->DescribeConsumerGroup(std::string(id)));
    auto& item = response.groups.emplace_back();
    item.error_code = Code(group.error);
    item.group_id = id;
    item.group_state = group.state;
    item.group_epoch = group.group_epoch;
    item.assignment_epoch = group.assignment_epoch;
    item.assignor_name = group.assignor;
    for (const ConsumerGroupMemberDescription& member : group.members) {
      auto& answer = item.members.emplace_back();
      answer.member_id = member.member_id;
      answer.instance_id = View(member.instance_id);
      answer.rack_id = View(member.rack_id);
      answer.member_epoch = member.member_epoch;
      answer.client_id = member.client_id;
      answer.client_host = member.client_host;
      answer.subscribed_topic_names.assign(member.subscribed_topics.begin(), member.subscribed_topics.end());
      answer.subscribed_topic_regex = View(member.subscribed_regex);
      FillAssignment(member.assignment, &answer.assignment);
      FillAssignment(member.target_assignment, &answer.target_assignment);
      FillNames(broker, &answer.assignment, &texts);
      FillNames(broker, &answer.target_assignment, &texts);
      if (call->version >= 1) answer.member_type = 1;
    }
  }
  call->Answer(response);
}

}  // namespace tidemill::wire
