#include <atomic>
#include <deque>
#include <span>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/produce.h"

namespace tidemill::wire {

namespace {

using ProduceAnswer = ProduceResponse::PartitionProduceResponse;

// One produce request: appended at once, answered when the last of its partitions is on disk.
struct ProduceUnderWay {
  explicit ProduceUnderWay(CallPtr<ProduceRequest> the_call) : call(std::move(the_call)) {}

  void Refuse(ProduceAnswer& answer, KafkaError error, std::string message = {}) {
    answer.error_code = Code(error);
    answer.base_offset = -1;
    if (!message.empty()) answer.error_message = texts.emplace_back(std::move(message));
  }
  void RefuseAll(KafkaError error) {
    for (auto& topic : response.responses) {
      for (ProduceAnswer& answer : topic.partition_responses) Refuse(answer, error);
    }
  }
  void FinishOne() {
    if (waiting.fetch_sub(1) > 1) return;
    if (call->message.acks == 0) {
      // Nobody waits for an answer, so a refusal ends the connection, as Kafka does: the producer asks for metadata
      // anew.
      refused() ? call->CloseConnection() : call->AnswerNothing();
    } else {
      call->Answer(response);
    }
  }

  bool refused() const {
    for (const auto& topic : response.responses) {
      for (const ProduceAnswer& answer : topic.partition_responses) {
        if (answer.error_code != 0) return true;
      }
    }
    return false;
  }

  CallPtr<ProduceRequest> call;
  ProduceResponse response;       // has all its partitions before anything waits
  std::deque<std::string> texts;  // what its views point into
  std::atomic<int> waiting{1};    // the handler itself is one
};

struct Appended {
  std::shared_ptr<Partition> partition;
  int64_t last_offset;
  ProduceAnswer* answer;
};

void AppendPartition(ProduceUnderWay& produce, const Broker& broker, const std::string& topic,
                     const ProduceRequest::PartitionProduceData& data, ProduceAnswer& answer,
                     std::vector<Appended>* appended) {
  if (!data.records || data.records->empty()) return produce.Refuse(answer, KafkaError::kInvalidRecord, "no records");
  auto partition = broker.log.partition(topic, data.index);
  if (!partition.ok()) return produce.Refuse(answer, KafkaErrorOf(partition.status()));
  const bool transactional = produce.call->message.transactional_id.has_value();
  // Offsets are written where the batch lies: in the request's own frame.
  std::string& frame = produce.call->frame;
  const std::span<char> batches(frame.data() + (data.records->data() - frame.data()), data.records->size());
  const auto append = (*partition)->AppendBatchBytes(batches, {.transactional = transactional});
  if (!append.ok()) return produce.Refuse(answer, KafkaErrorOf(append.status()), append.status().ToString());
  answer.base_offset = append->base_offset;
  answer.log_append_time_ms = append->log_append_time_ms;
  answer.log_start_offset = (*partition)->Offsets().log_start;
  appended->push_back({*std::move(partition), append->last_offset, &answer});
}

// Every partition's records, in the request's order; then the answer, when what was asked for is on disk.
void AppendAll(const Broker& broker, const std::shared_ptr<ProduceUnderWay>& produce) {
  const ProduceRequest& request = produce->call->message;
  std::vector<Appended> appended;
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto& topic = request.topic_data[i];
    const auto name = broker.NameOf(topic.name, topic.topic_id);
    for (size_t j = 0; j < topic.partition_data.size(); ++j) {
      ProduceAnswer& answer = produce->response.responses[i].partition_responses[j];
      if (answer.error_code != 0) continue;
      if (name) {
        AppendPartition(*produce, broker, *name, topic.partition_data[j], answer, &appended);
      } else {
        produce->Refuse(answer, KafkaError::kUnknownTopicId);
      }
    }
  }
  if (request.acks == -1) {
    produce->waiting += static_cast<int>(appended.size());
    for (const Appended& item : appended) {
      item.partition->WhenDurable(item.last_offset, [produce, answer = item.answer](Status durable) {
        if (!durable.ok()) {
          answer->error_code = Code(KafkaErrorOf(durable));
          answer->base_offset = -1;
        }
        produce->FinishOne();
      });
    }
  }
  produce->FinishOne();
}

// A producer that was replaced learns it from Produce in the words of older versions, whoever found it out.
KafkaError ProduceError(KafkaError error) {
  return error == KafkaError::kProducerFenced ? KafkaError::kInvalidProducerEpoch : error;
}

// Of the first batch: a request is of one producer.
TransactionalProducer ProducerOf(const ProduceRequest& request) {
  TransactionalProducer producer;
  producer.transactional_id = *request.transactional_id;
  for (const auto& topic : request.topic_data) {
    for (const auto& data : topic.partition_data) {
      const auto header = ParseBatchHeader(data.records.value_or(std::string_view()));
      if (!header.ok()) continue;
      producer.producer_id = header->producer_id;
      producer.producer_epoch = header->producer_epoch;
      return producer;
    }
  }
  return producer;
}

// Records of a transaction go only where its coordinator says that it is; newer clients leave it to us to tell the
// coordinator (KIP-890).
void AppendInTransaction(Broker& broker, const std::shared_ptr<ProduceUnderWay>& produce) {
  const ProduceRequest& request = produce->call->message;
  const TransactionalProducer producer = ProducerOf(request);
  const bool adds = produce->call->version >= 12;
  std::vector<GroupPartition> partitions;
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto name = broker.NameOf(request.topic_data[i].name, request.topic_data[i].topic_id);
    for (size_t j = 0; name && j < request.topic_data[i].partition_data.size(); ++j) {
      if (produce->response.responses[i].partition_responses[j].error_code != 0) continue;
      const GroupPartition partition{*name, request.topic_data[i].partition_data[j].index};
      if (!broker.log.partition(partition.topic, partition.partition).ok()) continue;  // refused when it is appended
      if (adds) {
        partitions.push_back(partition);
        continue;
      }
      KafkaError error = ProduceError(broker.transactions->VerifyPartition(producer, partition));
      if (error == KafkaError::kTransactionAbortable && produce->call->version < 11)
        error = KafkaError::kInvalidTxnState;
      if (error != KafkaError::kNone) produce->Refuse(produce->response.responses[i].partition_responses[j], error);
    }
  }
  if (!adds) return AppendAll(broker, produce);
  broker.transactions->AddPartitions(producer, partitions, [&broker, produce](KafkaError error) {
    if (error != KafkaError::kNone) produce->RefuseAll(ProduceError(error));
    AppendAll(broker, produce);
  });
}

void RefuseWhatIsNotAllowed(const Broker& broker, ProduceUnderWay& produce) {
  const ProduceRequest& request = produce.call->message;
  const auto& id = request.transactional_id;
  if (id && !broker.AllowsTransactionalId(*produce.call, AclOperation::kWrite, *id))
    return produce.RefuseAll(KafkaError::kTransactionalIdAuthorizationFailed);
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto name = broker.NameOf(request.topic_data[i].name, request.topic_data[i].topic_id);
    if (!name || broker.AllowsTopic(*produce.call, AclOperation::kWrite, *name)) continue;
    for (ProduceAnswer& answer : produce.response.responses[i].partition_responses)
      produce.Refuse(answer, KafkaError::kTopicAuthorizationFailed);
  }
}

}  // namespace

void HandleProduce(Broker& broker, const CallPtr<ProduceRequest>& call) {
  const ProduceRequest& request = call->message;
  const auto produce = std::make_shared<ProduceUnderWay>(call);
  // First all answers, so that none moves; then the appends.
  for (const auto& topic : request.topic_data) {
    auto& topic_answer = produce->response.responses.emplace_back();
    topic_answer.name = topic.name;
    topic_answer.topic_id = topic.topic_id;
    for (const auto& data : topic.partition_data) topic_answer.partition_responses.emplace_back().index = data.index;
  }
  const bool transactional = request.transactional_id.has_value();
  if (request.acks < -1 || request.acks > 1 || (transactional && request.acks != -1))
    produce->RefuseAll(KafkaError::kInvalidRequiredAcks);
  RefuseWhatIsNotAllowed(broker, *produce);
  produce->response.throttle_time_ms = broker.Charge(*call, QuotaKind::kProduce, call->frame.size());
  if (transactional) {
    AppendInTransaction(broker, produce);
  } else {
    AppendAll(broker, produce);
  }
}

}  // namespace tidemill::wire
