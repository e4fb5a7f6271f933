#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/logging.h"
#include "log/wire/internal/handlers.h"
#include "log/wire/messages/add_offsets_to_txn.h"
#include "log/wire/messages/add_partitions_to_txn.h"
#include "log/wire/messages/alter_configs.h"
#include "log/wire/messages/api_versions.h"
#include "log/wire/messages/consumer_group_describe.h"
#include "log/wire/messages/consumer_group_heartbeat.h"
#include "log/wire/messages/create_partitions.h"
#include "log/wire/messages/create_topics.h"
#include "log/wire/messages/delete_groups.h"
#include "log/wire/messages/delete_records.h"
#include "log/wire/messages/delete_topics.h"
#include "log/wire/messages/describe_cluster.h"
#include "log/wire/messages/describe_configs.h"
#include "log/wire/messages/describe_groups.h"
#include "log/wire/messages/describe_producers.h"
#include "log/wire/messages/describe_transactions.h"
#include "log/wire/messages/end_txn.h"
#include "log/wire/messages/fetch.h"
#include "log/wire/messages/find_coordinator.h"
#include "log/wire/messages/heartbeat.h"
#include "log/wire/messages/incremental_alter_configs.h"
#include "log/wire/messages/init_producer_id.h"
#include "log/wire/messages/join_group.h"
#include "log/wire/messages/leave_group.h"
#include "log/wire/messages/list_groups.h"
#include "log/wire/messages/list_offsets.h"
#include "log/wire/messages/list_transactions.h"
#include "log/wire/messages/message_header.h"
#include "log/wire/messages/metadata.h"
#include "log/wire/messages/offset_commit.h"
#include "log/wire/messages/offset_delete.h"
#include "log/wire/messages/offset_fetch.h"
#include "log/wire/messages/offset_for_leader_epoch.h"
#include "log/wire/messages/produce.h"
#include "log/wire/messages/sasl_authenticate.h"
#include "log/wire/messages/sasl_handshake.h"
#include "log/wire/messages/sync_group.h"
#include "log/wire/messages/txn_offset_commit.h"
#include "log/wire/wire_reader.h"

namespace tidemill::wire {

namespace {

// Decoded, a request takes many times its size in memory; only records, which stay bytes, need more than this.
constexpr size_t kPlainRequestBytesMax = 8 << 20;

template <typename Message, void (*Handle)(Broker&, const CallPtr<Message>&)>
void DecodeAndHandle(Broker& broker, KafkaRequest request) {
  auto call = std::make_shared<Call<Message>>(std::move(request));
  if (Message::kApiKey != ProduceRequest::kApiKey && call->frame.size() > kPlainRequestBytesMax) {
    LogWarning(fmt::format("Kafka: {} from {} has {} bytes, more than any needs; the connection is closed",
                           call->api->name, call->connection->peer(), call->frame.size()));
    return call->CloseConnection();
  }
  WireReader reader(std::string_view(call->frame).substr(call->body));
  call->message.Read(reader, call->version);
  if (!reader.ok()) {
    LogWarning(fmt::format("Kafka: {} v{} from {}: {}; the connection is closed", call->api->name, call->version,
                           call->connection->peer(), reader.status().ToString()));
    return call->CloseConnection();
  }
  Handle(broker, call);
}

struct ApiHandler {
  ServedApi api;
  void (*handle)(Broker& broker, KafkaRequest request);
};

// `max_version`: below the newest where that asks for what is not there.
template <typename Message, void (*Handle)(Broker&, const CallPtr<Message>&)>
constexpr ApiHandler On(int16_t max_version = Message::kMaxVersion) {
  return {{Message::kApiKey, Message::kMinVersion, max_version}, &DecodeAndHandle<Message, Handle>};
}

const ApiHandler kHandlers[] = {
    On<ProduceRequest, HandleProduce>(),
    On<FetchRequest, HandleFetch>(),
    On<ListOffsetsRequest, HandleListOffsets>(),
    On<MetadataRequest, HandleMetadata>(),
    On<FindCoordinatorRequest, HandleFindCoordinator>(5),  // 6 is for share groups
    On<OffsetCommitRequest, HandleOffsetCommit>(),
    On<OffsetFetchRequest, HandleOffsetFetch>(),
    On<JoinGroupRequest, HandleJoinGroup>(),
    On<HeartbeatRequest, HandleHeartbeat>(),
    On<LeaveGroupRequest, HandleLeaveGroup>(),
    On<SyncGroupRequest, HandleSyncGroup>(),
    On<DescribeGroupsRequest, HandleDescribeGroups>(),
    On<ListGroupsRequest, HandleListGroups>(),
    On<DeleteGroupsRequest, HandleDeleteGroups>(),
    On<OffsetDeleteRequest, HandleOffsetDelete>(),
    On<ApiVersionsRequest, HandleApiVersions>(),
    On<SaslHandshakeRequest, HandleSaslHandshake>(),
    On<SaslAuthenticateRequest, HandleSaslAuthenticate>(),
    On<InitProducerIdRequest, HandleInitProducerId>(),
    On<AddPartitionsToTxnRequest, HandleAddPartitionsToTxn>(3),  // from 4 on it is for brokers
    On<AddOffsetsToTxnRequest, HandleAddOffsetsToTxn>(),
    On<EndTxnRequest, HandleEndTxn>(),
    On<TxnOffsetCommitRequest, HandleTxnOffsetCommit>(),
    On<DescribeProducersRequest, HandleDescribeProducers>(),
    On<DescribeTransactionsRequest, HandleDescribeTransactions>(),
    On<ListTransactionsRequest, HandleListTransactions>(1),  // 2 asks by a pattern
    On<ConsumerGroupHeartbeatRequest, HandleConsumerGroupHeartbeat>(),
    On<ConsumerGroupDescribeRequest, HandleConsumerGroupDescribe>(),
    On<CreateTopicsRequest, HandleCreateTopics>(),
    On<DeleteTopicsRequest, HandleDeleteTopics>(),
    On<DeleteRecordsRequest, HandleDeleteRecords>(),
    On<OffsetForLeaderEpochRequest, HandleOffsetForLeaderEpoch>(),
    On<DescribeConfigsRequest, HandleDescribeConfigs>(),
    On<AlterConfigsRequest, HandleAlterConfigs>(),
    On<CreatePartitionsRequest, HandleCreatePartitions>(),
    On<IncrementalAlterConfigsRequest, HandleIncrementalAlterConfigs>(),
    On<DescribeClusterRequest, HandleDescribeCluster>(1),
};

bool IsForStrangers(int16_t key) {
  return key == ApiVersionsRequest::kApiKey || key == SaslHandshakeRequest::kApiKey ||
         key == SaslAuthenticateRequest::kApiKey;
}

std::shared_ptr<KafkaSession> SessionOf(const Broker& broker, FrameConnection& connection) {
  if (connection.session == nullptr) {
    const auto session = std::make_shared<KafkaSession>();
    if (broker.security.users == nullptr) {
      const std::string& subject = connection.tls_subject();
      session->BecomeUser(subject.empty() ? "ANONYMOUS" : subject, HostOf(connection).substr(1));
    }
    connection.session = session;
  }
  return std::static_pointer_cast<KafkaSession>(connection.session);
}

const ApiHandler* FindHandler(int16_t key) {
  const auto* found = std::ranges::find(kHandlers, key, [](const ApiHandler& handler) { return handler.api.key; });
  return found == std::end(kHandlers) ? nullptr : found;
}

}  // namespace

std::span<const ServedApi> ServedApis() {
  static const std::vector<ServedApi> apis = [] {
    std::vector<ServedApi> served;
    for (const ApiHandler& handler : kHandlers) served.push_back(handler.api);
    return served;
  }();
  return apis;
}

std::vector<ApiMetrics> MakeApiMetrics(MetricsRegistry& metrics) {
  std::vector<ApiMetrics> made;
  for (const ServedApi& api : ServedApis()) {
    const Labels labels = {{"api", std::string(FindApi(api.key)->name)}};
    made.push_back(
        {metrics.GetCounter("tidemill_kafka_requests_total", "Requests of Kafka clients", labels),
         metrics.GetHistogram("tidemill_kafka_request_seconds",
                              "From a request's arrival to its answer, with what it asked to wait", labels)});
  }
  return made;
}

void HandleFrame(Broker& broker, const std::shared_ptr<FrameConnection>& connection, std::string frame,
                 FrameServer::Reply reply) {
  const auto refuse = [&](const std::string& why) {
    LogWarning(fmt::format("Kafka: request from {}: {}; the connection is closed", connection->peer(), why));
    reply({{}, true, true});
  };
  const std::shared_ptr<KafkaSession> session = SessionOf(broker, *connection);
  if (session->takes_bare_tokens)
    return HandleBareToken(broker, connection, session, std::move(frame), std::move(reply));
  WireReader start(frame);
  const int16_t key = start.Int16("api_key");
  int16_t version = start.Int16("api_version");
  const ApiHandler* handler = FindHandler(key);
  if (!start.ok()) return refuse(start.status().ToString());
  if (handler == nullptr) return refuse(fmt::format("there is no API {} here", key));
  const ApiInfo& api = *FindApi(key);
  if (!session->is_known.load(std::memory_order_acquire) && !IsForStrangers(key))
    return refuse(fmt::format("{} before the client has logged in (SASL)", api.name));
  const bool known = version >= handler->api.min_version && version <= handler->api.max_version;
  // A newer client learns from the answer in version 0 what there is (KIP-511).
  if (!known && key != ApiVersionsRequest::kApiKey)
    return refuse(fmt::format("{} version {} is not among {} to {}", api.name, version, handler->api.min_version,
                              handler->api.max_version));
  WireReader reader(frame);
  RequestHeader header;
  header.Read(reader, RequestHeaderVersion(api, known ? version : 0));
  if (!reader.ok()) return refuse(reader.status().ToString());

  KafkaRequest request;
  request.connection = connection;
  request.session = session;
  request.clock = &broker.clock;
  if (!broker.api_metrics.empty()) {
    request.metrics = broker.api_metrics[static_cast<size_t>(handler - kHandlers)];
    request.began_us = broker.clock.NowMicros();
    request.metrics.requests->Add();
  }
  request.body = reader.offset();
  request.api = &api;
  request.version = version;
  request.correlation_id = header.correlation_id;
  request.client_id = header.client_id.value_or(std::string_view());
  request.frame = std::move(frame);
  request.reply = std::move(reply);
  if (!known) {
    request.version = 0;
    ApiVersionsResponse response;
    response.error_code = Code(KafkaError::kUnsupportedVersion);
    response.api_keys.push_back({key, handler->api.min_version, handler->api.max_version});
    return request.Answer(response);
  }
  handler->handle(broker, std::move(request));
}

}  // namespace tidemill::wire
