// What clients ask before anything else: versions, brokers, topics, coordinators.
#include <deque>

#include <fmt/format.h>

#include "base/errors.h"
#include "base/logging.h"
#include "log/errors.h"
#include "log/wire/internal/handlers.h"
#include "log/wire/messages/api_versions.h"
#include "log/wire/messages/describe_cluster.h"
#include "log/wire/messages/find_coordinator.h"
#include "log/wire/messages/metadata.h"
#include "log/wire/messages/produce.h"

namespace tidemill::wire {

namespace {

constexpr size_t kCoordinatorKeysMax = 10'000;

// A metadata answer under way; what its views point into.
struct MetadataAnswer {
  MetadataResponse response;
  std::deque<std::string> names;

  void AddTopic(const TopicDescription& topic) {
    MetadataResponse::MetadataResponseTopic& item = response.topics.emplace_back();
    item.name = names.emplace_back(topic.name);
    item.topic_id = topic.id;
    item.is_internal = topic.name.starts_with("__");
    for (size_t i = 0; i < topic.partitions.size(); ++i) {
      MetadataResponse::MetadataResponsePartition& partition = item.partitions.emplace_back();
      partition.partition_index = static_cast<int32_t>(i);
      partition.leader_id = kNodeId;
      partition.leader_epoch = kLeaderEpoch;
      partition.replica_nodes = partition.isr_nodes = {kNodeId};
    }
  }
  void AddError(std::string_view name, const TopicId& id, KafkaError error, bool name_may_be_null) {
    MetadataResponse::MetadataResponseTopic& item = response.topics.emplace_back();
    item.name = names.emplace_back(name);
    if (name.empty() && name_may_be_null) item.name.reset();
    item.topic_id = id;
    item.error_code = Code(error);
  }
};

void AnswerMetadata(Broker& broker, const CallPtr<MetadataRequest>& call, bool may_create) {
  const MetadataRequest& request = call->message;
  MetadataAnswer answer;
  MetadataResponse& response = answer.response;
  response.brokers.push_back({kNodeId, broker.host, broker.port, std::nullopt});
  response.cluster_id = broker.cluster_id;
  response.controller_id = kNodeId;
  // Version 0 asks for all topics by naming none.
  if (!request.topics || (call->version == 0 && request.topics->empty())) {
    for (const std::string& name : broker.log.ListTopics()) {
      if (!broker.AllowsTopic(*call, AclOperation::kDescribe, name)) continue;
      if (const auto topic = broker.log.Describe(name); topic.ok()) answer.AddTopic(*topic);
    }
    return call->Answer(response);
  }
  for (const auto& wanted : *request.topics) {
    const bool by_id = !wanted.name.has_value() || wanted.name->empty();
    const auto name = broker.NameOf(wanted.name.value_or(std::string_view()), wanted.topic_id);
    if (!name || (by_id && name->empty())) {
      answer.AddError("", wanted.topic_id, KafkaError::kUnknownTopicId, call->version >= 12);
      continue;
    }
    if (!broker.AllowsTopic(*call, AclOperation::kDescribe, *name)) {
      answer.AddError(by_id ? "" : *name, wanted.topic_id, KafkaError::kTopicAuthorizationFailed, call->version >= 12);
      continue;
    }
    auto topic = broker.log.Describe(*name);
    if (topic.status().Is(kUnknownTopic) && may_create && !broker.AllowsCluster(*call, AclOperation::kCreate) &&
        !broker.AllowsTopic(*call, AclOperation::kCreate, *name)) {
      answer.AddError(*name, {}, KafkaError::kTopicAuthorizationFailed, false);
      continue;
    }
    if (topic.status().Is(kUnknownTopic) && may_create) {
      const Status created = broker.log.CreateTopic(*name, broker.topic_defaults);
      if (created.ok()) LogInfo(fmt::format("Kafka: {} made topic '{}' by asking for it", call->client_id, *name));
      topic = created.ok() || created.Is(kTopicExists) ? broker.log.Describe(*name) : created;
    }
    if (topic.ok()) {
      answer.AddTopic(*topic);
    } else {
      answer.AddError(*name, {}, KafkaErrorOf(topic.status()), false);
    }
  }
  call->Answer(response);
}

}  // namespace

void HandleApiVersions(Broker&, const CallPtr<ApiVersionsRequest>& call) {
  ApiVersionsResponse response;
  for (const ServedApi& api : ServedApis()) {
    // librdkafka takes a broker without Produce 0 for one that can't do compression, and Kafka itself goes on naming
    // versions that it refuses (KAFKA-18659).
    const int16_t min_version = api.key == ProduceRequest::kApiKey ? int16_t{0} : api.min_version;
    response.api_keys.push_back({api.key, min_version, api.max_version});
  }
  call->Answer(response);
}

void HandleMetadata(Broker& broker, const CallPtr<MetadataRequest>& call) {
  const MetadataRequest& request = call->message;
  const bool may_create = broker.auto_create_topics && request.allow_auto_topic_creation;
  bool missing = false;
  if (may_create && request.topics) {
    for (const auto& wanted : *request.topics)
      missing = missing || (wanted.name && !wanted.name->empty() && !broker.log.partition(*wanted.name, 0).ok());
  }
  if (!missing) return AnswerMetadata(broker, call, false);
  broker.slow.Post([&broker, call] { AnswerMetadata(broker, call, true); });
}

void HandleDescribeCluster(Broker& broker, const CallPtr<DescribeClusterRequest>& call) {
  DescribeClusterResponse response;
  response.cluster_id = broker.cluster_id;
  response.controller_id = kNodeId;
  response.endpoint_type = call->message.endpoint_type;
  if (call->message.endpoint_type == 1) {
    response.brokers.push_back({.broker_id = kNodeId, .host = broker.host, .port = broker.port});
  } else {
    response.error_code = Code(KafkaError::kInvalidRequest);
    response.error_message = "controllers have no endpoint of their own here";
  }
  call->Answer(response);
}

void HandleFindCoordinator(Broker& broker, const CallPtr<FindCoordinatorRequest>& call) {
  const FindCoordinatorRequest& request = call->message;
  FindCoordinatorResponse response;
  const bool known_type = request.key_type == 0 || request.key_type == 1;
  const auto error_of = [&](std::string_view key) {
    if (!known_type) return KafkaError::kInvalidRequest;
    if (request.key_type == 0) {
      return broker.AllowsGroup(*call, AclOperation::kDescribe, key) ? KafkaError::kNone
                                                                     : KafkaError::kGroupAuthorizationFailed;
    }
    return broker.AllowsTransactionalId(*call, AclOperation::kDescribe, key)
               ? KafkaError::kNone
               : KafkaError::kTransactionalIdAuthorizationFailed;
  };
  response.error_message = std::nullopt;
  if (call->version < 4) {
    const KafkaError error = error_of(request.key);
    const bool is_found = error == KafkaError::kNone;
    response.error_code = Code(error);
    response.node_id = is_found ? kNodeId : -1;
    response.host = is_found ? std::string_view(broker.host) : std::string_view();
    response.port = is_found ? broker.port : -1;
    return call->Answer(response);
  }
  if (request.coordinator_keys.size() > kCoordinatorKeysMax) return call->CloseConnection();
  for (const std::string_view key : request.coordinator_keys)
    response.coordinators.push_back({key, kNodeId, broker.host, broker.port, Code(error_of(key)), std::nullopt});
  call->Answer(response);
}

}  // namespace tidemill::wire
