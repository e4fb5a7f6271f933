// Topics made, grown and deleted. All of it writes files.
#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/create_partitions.h"
#include "log/wire/messages/create_topics.h"
#include "log/wire/messages/delete_topics.h"

namespace tidemill::wire {

namespace {

struct Refusal {
  KafkaError error = KafkaError::kNone;
  std::string message;
};

const Refusal kTopicNotAllowed = {KafkaError::kTopicAuthorizationFailed, "not allowed"};

Refusal RefusalOf(const Status& status) { return {KafkaErrorOf(status), status.ok() ? "" : status.message()}; }

Refusal CreateOne(Broker& broker, const CreateTopicsRequest::CreatableTopic& topic, bool validate_only,
                  TopicDescription* created) {
  if (topic.replication_factor != -1 && topic.replication_factor != 1)
    return {KafkaError::kInvalidReplicationFactor,
            fmt::format("replication factor {}: this is a single node, which keeps 1 copy", topic.replication_factor)};
  int32_t partitions = topic.num_partitions == -1 ? broker.topic_defaults.partitions : topic.num_partitions;
  if (!topic.assignments.empty()) {
    partitions = static_cast<int32_t>(topic.assignments.size());
    for (const auto& assignment : topic.assignments) {
      if (assignment.broker_ids != std::vector<int32_t>{kNodeId} || assignment.partition_index < 0 ||
          assignment.partition_index >= partitions)
        return {KafkaError::kInvalidReplicaAssignment, fmt::format("replicas can be on node {} only", kNodeId)};
    }
  }
  if (partitions < 1) return {KafkaError::kInvalidPartitions, fmt::format("{} partitions: at least 1", partitions)};
  Config settings;
  for (const auto& setting : topic.configs) {
    if (setting.value) settings.Set(std::string(setting.name), std::string(*setting.value));
  }
  TopicConfig base = broker.topic_defaults;
  base.partitions = partitions;
  const auto config = TopicConfig::FromConfig(settings, base);
  if (!config.ok()) return RefusalOf(config.status());
  if (const Status valid = config->Validate(); !valid.ok()) return RefusalOf(valid);
  const std::string name(topic.name);
  if (validate_only) {
    if (broker.log.Describe(name).ok()) return {KafkaError::kTopicAlreadyExists, "there is a topic of this name"};
    created->name = name;
    created->config = *config;
    return {};
  }
  if (const Status made = broker.log.CreateTopic(name, *config); !made.ok()) return RefusalOf(made);
  auto described = broker.log.Describe(name);
  if (described.ok()) *created = *std::move(described);
  return RefusalOf(described.status());
}

void AnswerCreateTopics(Broker& broker, const CallPtr<CreateTopicsRequest>& call) {
  CreateTopicsResponse response;
  std::deque<std::string> texts;
  for (const auto& topic : call->message.topics) {
    auto& item = response.topics.emplace_back();
    item.name = topic.name;
    item.configs.reset();
    item.error_message.reset();
    TopicDescription created;
    const bool is_allowed = broker.AllowsCluster(*call, AclOperation::kCreate) ||
                            broker.AllowsTopic(*call, AclOperation::kCreate, topic.name);
    const Refusal refusal =
        is_allowed ? CreateOne(broker, topic, call->message.validate_only, &created) : kTopicNotAllowed;
    item.error_code = Code(refusal.error);
    if (refusal.error != KafkaError::kNone) {
      item.error_message = texts.emplace_back(refusal.message);
      continue;
    }
    item.topic_id = created.id;
    item.num_partitions = created.config.partitions;
    item.replication_factor = 1;
    item.configs.emplace();
    const Config settings = created.config.ToConfig(), defaults = broker.topic_defaults.ToConfig();
    for (const auto& [key, value] : settings.values()) {
      if (key == "partitions") continue;
      const int8_t source = defaults.Get(key) == value ? 5 : 1;  // the default, or set for the topic
      item.configs->push_back({texts.emplace_back(key), texts.emplace_back(value), false, source, false});
    }
  }
  call->Answer(response);
}

void AnswerDeleteTopics(Broker& broker, const CallPtr<DeleteTopicsRequest>& call) {
  DeleteTopicsResponse response;
  std::deque<std::string> texts;
  const auto remove = [&](std::string_view given, const TopicId& id) {
    auto& item = response.responses.emplace_back();
    item.topic_id = id;
    item.name.reset();
    const auto name = broker.NameOf(given, id);
    if (!name) {
      item.error_code = Code(KafkaError::kUnknownTopicId);
      return;
    }
    if (!given.empty()) item.name = texts.emplace_back(*name);
    if (!broker.AllowsTopic(*call, AclOperation::kDelete, *name)) {
      item.error_code = Code(KafkaError::kTopicAuthorizationFailed);
      return;
    }
    item.name = texts.emplace_back(*name);
    if (const auto topic = broker.log.Describe(*name); topic.ok()) item.topic_id = topic->id;
    const Status deleted = broker.log.DeleteTopic(*name);
    item.error_code = Code(KafkaErrorOf(deleted));
    if (!deleted.ok()) item.error_message = texts.emplace_back(deleted.message());
  };
  for (const std::string_view name : call->message.topic_names) remove(name, {});
  for (const auto& topic : call->message.topics) remove(topic.name.value_or(std::string_view()), topic.topic_id);
  call->Answer(response);
}

Refusal GrowTopic(Broker& broker, const CreatePartitionsRequest::CreatePartitionsTopic& topic, bool validate_only) {
  const auto described = broker.log.Describe(std::string(topic.name));
  if (!described.ok()) return RefusalOf(described.status());
  TopicConfig config = described->config;
  if (topic.count <= config.partitions)
    return {KafkaError::kInvalidPartitions, fmt::format("the topic has {} partitions already", config.partitions)};
  for (const auto& assignment : topic.assignments.value_or(decltype(topic.assignments)::value_type())) {
    if (assignment.broker_ids != std::vector<int32_t>{kNodeId})
      return {KafkaError::kInvalidReplicaAssignment, fmt::format("replicas can be on node {} only", kNodeId)};
  }
  config.partitions = topic.count;
  if (const Status valid = config.Validate(); !valid.ok()) return {KafkaError::kInvalidPartitions, valid.message()};
  return validate_only ? Refusal() : RefusalOf(broker.log.AlterTopic(described->name, config));
}

void AnswerCreatePartitions(Broker& broker, const CallPtr<CreatePartitionsRequest>& call) {
  CreatePartitionsResponse response;
  std::deque<std::string> texts;
  for (const auto& topic : call->message.topics) {
    auto& item = response.results.emplace_back();
    item.name = topic.name;
    const Refusal refusal = broker.AllowsTopic(*call, AclOperation::kAlter, topic.name)
                                ? GrowTopic(broker, topic, call->message.validate_only)
                                : kTopicNotAllowed;
    item.error_code = Code(refusal.error);
    if (refusal.error != KafkaError::kNone) item.error_message = texts.emplace_back(refusal.message);
  }
  call->Answer(response);
}

}  // namespace

void HandleCreateTopics(Broker& broker, const CallPtr<CreateTopicsRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerCreateTopics(broker, call); });
}

void HandleDeleteTopics(Broker& broker, const CallPtr<DeleteTopicsRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerDeleteTopics(broker, call); });
}

void HandleCreatePartitions(Broker& broker, const CallPtr<CreatePartitionsRequest>& call) {
  broker.slow.Post([&broker, call] { AnswerCreatePartitions(broker, call); });
}

}  // namespace tidemill::wire
