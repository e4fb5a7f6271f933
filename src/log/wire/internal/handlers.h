#pragma once

#include <memory>
#include <span>
#include <string>

#include "log/wire/internal/broker.h"
#include "log/wire/internal/request.h"

namespace tidemill::wire {

struct ApiVersionsRequest;
struct CreatePartitionsRequest;
struct CreateTopicsRequest;
struct DeleteRecordsRequest;
struct DeleteTopicsRequest;
struct DescribeClusterRequest;
struct DescribeConfigsRequest;
struct FetchRequest;
struct FindCoordinatorRequest;
struct AlterConfigsRequest;
struct IncrementalAlterConfigsRequest;
struct ListOffsetsRequest;
struct MetadataRequest;
struct OffsetForLeaderEpochRequest;
struct ProduceRequest;
struct DeleteGroupsRequest;
struct DescribeGroupsRequest;
struct HeartbeatRequest;
struct JoinGroupRequest;
struct LeaveGroupRequest;
struct ListGroupsRequest;
struct OffsetCommitRequest;
struct OffsetDeleteRequest;
struct OffsetFetchRequest;
struct SyncGroupRequest;
struct InitProducerIdRequest;
struct AddPartitionsToTxnRequest;
struct AddOffsetsToTxnRequest;
struct TxnOffsetCommitRequest;
struct EndTxnRequest;
struct DescribeProducersRequest;
struct DescribeTransactionsRequest;
struct ListTransactionsRequest;
struct ConsumerGroupHeartbeatRequest;
struct ConsumerGroupDescribeRequest;
struct SaslHandshakeRequest;
struct SaslAuthenticateRequest;

// One function for each API. They answer at once or later; the views in a call's message live as long as the call.
void HandleApiVersions(Broker& broker, const CallPtr<ApiVersionsRequest>& call);
void HandleMetadata(Broker& broker, const CallPtr<MetadataRequest>& call);
void HandleDescribeCluster(Broker& broker, const CallPtr<DescribeClusterRequest>& call);
void HandleFindCoordinator(Broker& broker, const CallPtr<FindCoordinatorRequest>& call);

void HandleProduce(Broker& broker, const CallPtr<ProduceRequest>& call);
void HandleFetch(Broker& broker, const CallPtr<FetchRequest>& call);
void HandleListOffsets(Broker& broker, const CallPtr<ListOffsetsRequest>& call);
void HandleOffsetForLeaderEpoch(Broker& broker, const CallPtr<OffsetForLeaderEpochRequest>& call);
void HandleDeleteRecords(Broker& broker, const CallPtr<DeleteRecordsRequest>& call);

void HandleCreateTopics(Broker& broker, const CallPtr<CreateTopicsRequest>& call);
void HandleDeleteTopics(Broker& broker, const CallPtr<DeleteTopicsRequest>& call);
void HandleCreatePartitions(Broker& broker, const CallPtr<CreatePartitionsRequest>& call);
void HandleDescribeConfigs(Broker& broker, const CallPtr<DescribeConfigsRequest>& call);
void HandleAlterConfigs(Broker& broker, const CallPtr<AlterConfigsRequest>& call);
void HandleIncrementalAlterConfigs(Broker& broker, const CallPtr<IncrementalAlterConfigsRequest>& call);

void HandleJoinGroup(Broker& broker, const CallPtr<JoinGroupRequest>& call);
void HandleSyncGroup(Broker& broker, const CallPtr<SyncGroupRequest>& call);
void HandleHeartbeat(Broker& broker, const CallPtr<HeartbeatRequest>& call);
void HandleLeaveGroup(Broker& broker, const CallPtr<LeaveGroupRequest>& call);
void HandleOffsetCommit(Broker& broker, const CallPtr<OffsetCommitRequest>& call);
void HandleOffsetFetch(Broker& broker, const CallPtr<OffsetFetchRequest>& call);
void HandleOffsetDelete(Broker& broker, const CallPtr<OffsetDeleteRequest>& call);
void HandleListGroups(Broker& broker, const CallPtr<ListGroupsRequest>& call);
void HandleDescribeGroups(Broker& broker, const CallPtr<DescribeGroupsRequest>& call);
void HandleDeleteGroups(Broker& broker, const CallPtr<DeleteGroupsRequest>& call);

void HandleInitProducerId(Broker& broker, const CallPtr<InitProducerIdRequest>& call);
void HandleAddPartitionsToTxn(Broker& broker, const CallPtr<AddPartitionsToTxnRequest>& call);
void HandleAddOffsetsToTxn(Broker& broker, const CallPtr<AddOffsetsToTxnRequest>& call);
void HandleTxnOffsetCommit(Broker& broker, const CallPtr<TxnOffsetCommitRequest>& call);
void HandleEndTxn(Broker& broker, const CallPtr<EndTxnRequest>& call);
void HandleDescribeProducers(Broker& broker, const CallPtr<DescribeProducersRequest>& call);
void HandleDescribeTransactions(Broker& broker, const CallPtr<DescribeTransactionsRequest>& call);
void HandleListTransactions(Broker& broker, const CallPtr<ListTransactionsRequest>& call);
void HandleConsumerGroupHeartbeat(Broker& broker, const CallPtr<ConsumerGroupHeartbeatRequest>& call);
void HandleConsumerGroupDescribe(Broker& broker, const CallPtr<ConsumerGroupDescribeRequest>& call);

void HandleSaslHandshake(Broker& broker, const CallPtr<SaslHandshakeRequest>& call);
void HandleSaslAuthenticate(Broker& broker, const CallPtr<SaslAuthenticateRequest>& call);
// A SASL message without Kafka's frame around it.
void HandleBareToken(Broker& broker, const std::shared_ptr<FrameConnection>& connection,
                     const std::shared_ptr<KafkaSession>& session, std::string token, FrameServer::Reply reply);

// What ApiVersions says: the APIs that have a handler.
struct ServedApi {
  int16_t key;
  int16_t min_version;
  int16_t max_version;
};
std::span<const ServedApi> ServedApis();
// One for each of them.
std::vector<ApiMetrics> MakeApiMetrics(MetricsRegistry& metrics);

// Reads the header, decodes the message, calls its handler.
void HandleFrame(Broker& broker, const std::shared_ptr<FrameConnection>& connection, std::string frame,
                 FrameServer::Reply reply);

}  // namespace tidemill::wire
