// Transactions of producers, told to their coordinator in its own terms and back.
#include <algorithm>
#include <deque>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/add_offsets_to_txn.h"
#include "log/wire/messages/add_partitions_to_txn.h"
#include "log/wire/messages/describe_producers.h"
#include "log/wire/messages/describe_transactions.h"
#include "log/wire/messages/end_txn.h"
#include "log/wire/messages/init_producer_id.h"
#include "log/wire/messages/list_transactions.h"
#include "log/wire/messages/txn_offset_commit.h"

namespace tidemill::wire {

namespace {

// What clients of older versions know in place of PRODUCER_FENCED.
int16_t TransactionCode(KafkaError error, bool knows_fenced) {
  if (error == KafkaError::kProducerFenced && !knows_fenced) error = KafkaError::kInvalidProducerEpoch;
  return Code(error);
}

std::vector<GroupPartition> PartitionsIn(
    const std::vector<AddPartitionsToTxnRequest::AddPartitionsToTxnTopic>& topics) {
  std::vector<GroupPartition> partitions;
  for (const auto& topic : topics) {
    for (const int32_t index : topic.partitions) partitions.push_back({std::string(topic.name), index});
  }
  return partitions;
}

void AnswerAddPartitions(const CallPtr<AddPartitionsToTxnRequest>& call, const std::vector<KafkaError>& unknown,
                         KafkaError error) {
  const bool refused = std::ranges::any_of(unknown, [](KafkaError e) { return e != KafkaError::kNone; });
  AddPartitionsToTxnResponse response;
  size_t next = 0;
  for (const auto& topic : call->message.v3_and_below_topics) {
    auto& answer = response.results_by_topic_v3_and_below.emplace_back();
    answer.name = topic.name;
    for (const int32_t index : topic.partitions) {
      const KafkaError own = unknown[next++];
      const KafkaError said = !refused ? error : own != KafkaError::kNone ? own : KafkaError::kOperationNotAttempted;
      answer.results_by_partition.push_back({index, TransactionCode(said, call->version >= 2)});
    }
  }
  call->Answer(response);
}

struct TransactionalCommit {
  CallPtr<TxnOffsetCommitRequest> call;
  TxnOffsetCommitResponse response;
  std::vector<int16_t*> at;

  void Answer(KafkaError error) {
    for (int16_t* place : at) *place = Code(error);
    call->Answer(response);
  }
};

}  // namespace

void HandleInitProducerId(Broker& broker, const CallPtr<InitProducerIdRequest>& call) {
  const InitProducerIdRequest& request = call->message;
  const auto answer = [call](const ProducerIdResult& result) {
    InitProducerIdResponse response;
    response.error_code = TransactionCode(result.error, call->version >= 4);
    response.producer_id = result.producer_id;
    response.producer_epoch = result.producer_epoch;
    call->Answer(response);
  };
  // Two-phase commit (KIP-939) is not there.
  if (request.enable2_pc || request.keep_prepared_txn) return answer({KafkaError::kInvalidRequest, -1, -1});
  const auto& id = request.transactional_id;
  if (id && !broker.AllowsTransactionalId(*call, AclOperation::kWrite, *id))
    return answer({KafkaError::kTransactionalIdAuthorizationFailed, -1, -1});
  // Whoever may write somewhere may do so without duplicates (KIP-679).
  if (!id && !broker.AllowsCluster(*call, AclOperation::kIdempotentWrite) &&
      !broker.security.access->AllowsSome(call->session->who, AclOperation::kWrite, AclResource::kTopic))
    return answer({KafkaError::kClusterAuthorizationFailed, -1, -1});
  broker.transactions->InitProducerId(
      {Text(request.transactional_id), request.transaction_timeout_ms, request.producer_id, request.producer_epoch},
      answer);
}

void HandleAddPartitionsToTxn(Broker& broker, const CallPtr<AddPartitionsToTxnRequest>& call) {
  const AddPartitionsToTxnRequest& request = call->message;
  const std::vector<GroupPartition> partitions = PartitionsIn(request.v3_and_below_topics);
  std::vector<KafkaError> unknown;
  const bool is_allowed =
      broker.AllowsTransactionalId(*call, AclOperation::kWrite, request.v3_and_below_transactional_id);
  bool refused = false;
  for (const GroupPartition& partition : partitions) {
    if (!is_allowed) {
      unknown.push_back(KafkaError::kTransactionalIdAuthorizationFailed);
    } else if (!broker.AllowsTopic(*call, AclOperation::kWrite, partition.topic)) {
      unknown.push_back(KafkaError::kTopicAuthorizationFailed);
    } else {
      unknown.push_back(KafkaErrorOf(broker.log.partition(partition.topic, partition.partition).status()));
    }
    refused = refused || unknown.back() != KafkaError::kNone;
  }
  if (refused) return AnswerAddPartitions(call, unknown, KafkaError::kNone);
  broker.transactions->AddPartitions({std::string(request.v3_and_below_transactional_id),
                                      request.v3_and_below_producer_id, request.v3_and_below_producer_epoch},
                                     partitions,
                                     [call, unknown](KafkaError error) { AnswerAddPartitions(call, unknown, error); });
}

void HandleAddOffsetsToTxn(Broker& broker, const CallPtr<AddOffsetsToTxnRequest>& call) {
  const AddOffsetsToTxnRequest& request = call->message;
  const auto answer = [call](KafkaError error) {
    AddOffsetsToTxnResponse response;
    response.error_code = TransactionCode(error, call->version >= 2);
    call->Answer(response);
  };
  if (!broker.AllowsTransactionalId(*call, AclOperation::kWrite, request.transactional_id))
    return answer(KafkaError::kTransactionalIdAuthorizationFailed);
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id))
    return answer(KafkaError::kGroupAuthorizationFailed);
  broker.transactions->AddOffsets({std::string(request.transactional_id), request.producer_id, request.producer_epoch},
                                  std::string(request.group_id), answer);
}

void HandleTxnOffsetCommit(Broker& broker, const CallPtr<TxnOffsetCommitRequest>& call) {
  const TxnOffsetCommitRequest& request = call->message;
  const auto commit = std::make_shared<TransactionalCommit>();
  commit->call = call;
  std::vector<ConsumerPosition> positions;
  for (const auto& topic : request.topics) {
    auto& answer = commit->response.topics.emplace_back();
    answer.name = topic.name;
    for (const auto& partition : topic.partitions) answer.partitions.push_back({partition.partition_index, 0});
  }
  for (size_t i = 0; i < request.topics.size(); ++i) {
    for (size_t j = 0; j < request.topics[i].partitions.size(); ++j) {
      const auto& partition = request.topics[i].partitions[j];
      int16_t& error = commit->response.topics[i].partitions[j].error_code;
      const auto found = broker.log.partition(request.topics[i].name, partition.partition_index);
      if (!broker.AllowsTopic(*call, AclOperation::kRead, request.topics[i].name)) {
        error = Code(KafkaError::kTopicAuthorizationFailed);
        continue;
      }
      if (!found.ok()) {
        error = Code(KafkaErrorOf(found.status()));
        continue;
      }
      ConsumerPosition& position = positions.emplace_back();
      position.topic = request.topics[i].name;
      position.partition = partition.partition_index;
      position.offset = partition.committed_offset;
      position.metadata = partition.committed_metadata.value_or(std::string_view());
      commit->at.push_back(&error);
    }
  }
  if (!broker.AllowsTransactionalId(*call, AclOperation::kWrite, request.transactional_id))
    return commit->Answer(KafkaError::kTransactionalIdAuthorizationFailed);
  if (!broker.AllowsGroup(*call, AclOperation::kRead, request.group_id))
    return commit->Answer(KafkaError::kGroupAuthorizationFailed);
  CommitOffsetsRequest membership;
  membership.group = request.group_id;
  membership.member_id = request.member_id;
  membership.group_instance_id = Text(request.group_instance_id);
  membership.generation = request.generation_id;
  membership.positions = positions;
  if (const KafkaError error = broker.groups->ValidateTransactionalCommit(membership); error != KafkaError::kNone)
    return commit->Answer(error);
  broker.transactions->CommitOffsets(
      {std::string(request.transactional_id), request.producer_id, request.producer_epoch},
      std::string(request.group_id), std::move(positions), call->version >= 5,
      [commit](KafkaError error) { commit->Answer(error); });
}

void HandleEndTxn(Broker& broker, const CallPtr<EndTxnRequest>& call) {
  const EndTxnRequest& request = call->message;
  if (!broker.AllowsTransactionalId(*call, AclOperation::kWrite, request.transactional_id)) {
    EndTxnResponse response;
    response.error_code = Code(KafkaError::kTransactionalIdAuthorizationFailed);
    return call->Answer(response);
  }
  broker.transactions->EndTransaction(
      {std::string(request.transactional_id), request.producer_id, request.producer_epoch}, request.committed,
      call->version >= 5, [call](const ProducerIdResult& result) {
        EndTxnResponse response;
        response.error_code = TransactionCode(result.error, call->version >= 2);
        if (call->version >= 5) {
          response.producer_id = result.producer_id;
          response.producer_epoch = result.producer_epoch;
        }
        call->Answer(response);
      });
}

void HandleDescribeProducers(Broker& broker, const CallPtr<DescribeProducersRequest>& call) {
  DescribeProducersResponse response;
  for (const auto& topic : call->message.topics) {
    auto& topic_answer = response.topics.emplace_back();
    topic_answer.name = topic.name;
    for (const int32_t index : topic.partition_indexes) {
      auto& answer = topic_answer.partitions.emplace_back();
      answer.partition_index = index;
      if (!broker.AllowsTopic(*call, AclOperation::kRead, topic.name)) {
        answer.error_code = Code(KafkaError::kTopicAuthorizationFailed);
        continue;
      }
      const auto partition = broker.log.partition(topic.name, index);
      answer.error_code = Code(KafkaErrorOf(partition.status()));
      if (!partition.ok()) continue;
      for (const ProducerDescription& producer : (*partition)->ActiveProducers()) {
        answer.active_producers.push_back({producer.producer_id, producer.producer_epoch, producer.last_sequence,
                                           producer.last_timestamp_ms, producer.coordinator_epoch,
                                           producer.transaction_start_offset});
      }
    }
  }
  call->Answer(response);
}

void HandleDescribeTransactions(Broker& broker, const CallPtr<DescribeTransactionsRequest>& call) {
  std::deque<TransactionDescription> found;
  DescribeTransactionsResponse response;
  for (const std::string_view id : call->message.transactional_ids) {
    if (!broker.AllowsTransactionalId(*call, AclOperation::kDescribe, id)) {
      auto& refused = response.transaction_states.emplace_back();
      refused.error_code = Code(KafkaError::kTransactionalIdAuthorizationFailed);
      refused.transactional_id = id;
      continue;
    }
    const TransactionDescription& one = found.emplace_back(broker.transactions->Describe(std::string(id)));
    auto& answer = response.transaction_states.emplace_back();
    answer.error_code = Code(one.error);
    answer.transactional_id = id;
    answer.transaction_state = one.state;
    answer.transaction_timeout_ms = one.timeout_ms;
    answer.transaction_start_time_ms = one.start_time_ms;
    answer.producer_id = one.producer_id;
    answer.producer_epoch = one.producer_epoch;
    for (const GroupPartition& partition : one.partitions) {
      if (!broker.AllowsTopic(*call, AclOperation::kDescribe, partition.topic)) continue;
      if (answer.topics.empty() || answer.topics.back().topic != partition.topic)
        answer.topics.push_back({partition.topic, {}});
      answer.topics.back().partitions.push_back(partition.partition);
    }
  }
  call->Answer(response);
}

void HandleListTransactions(Broker& broker, const CallPtr<ListTransactionsRequest>& call) {
  const ListTransactionsRequest& request = call->message;
  const std::vector<TransactionListing> found =
      broker.transactions->List({request.state_filters.begin(), request.state_filters.end()},
                                request.producer_id_filters, request.duration_filter);
  ListTransactionsResponse response;
  for (const TransactionListing& one : found) {
    if (broker.AllowsTransactionalId(*call, AclOperation::kDescribe, one.transactional_id))
      response.transaction_states.push_back({one.transactional_id, one.producer_id, one.state});
  }
  call->Answer(response);
}

}  // namespace tidemill::wire
