#include <atomic>
#include <deque>

#include "log/wire/internal/handlers.h"
#include "log/wire/messages/produce.h"

namespace tidemill::wire {

namespace {

using PartitionAnswer = ProduceResponse::PartitionProduceResponse;

// One produce request: appended at once, answered when the last of its partitions is on disk.
struct ProduceUnderWay {
  explicit ProduceUnderWay(CallPtr<ProduceRequest> the_call) : call(std::move(the_call)) {}

  void Refuse(PartitionAnswer& answer, KafkaError error, std::string message = {}) {
    answer.error_code = Code(error);
    answer.base_offset = -1;
    if (!message.empty()) answer.error_message = texts.emplace_back(std::move(message));
  }
  void FinishOne() {
    if (waiting.fetch_sub(1) > 1) return;
    if (call->message.acks == 0) {
      call->AnswerNothing();
    } else {
      call->Answer(response);
    }
  }

  CallPtr<ProduceRequest> call;
  ProduceResponse response;       // has all its partitions before anything waits
  std::deque<std::string> texts;  // what its views point into
  std::atomic<int> waiting{1};    // the handler itself is one
};

struct Appended {
  std::shared_ptr<Partition> partition;
  PartitionAnswer* answer;
};

void AppendPartition(ProduceUnderWay& produce, const Broker& broker, const std::string& topic,
                     const ProduceRequest::PartitionProduceData& data, PartitionAnswer& answer,
                     std::vector<Appended>* appended) {
  if (!data.records || data.records->empty()) return produce.Refuse(answer, KafkaError::kInvalidRecord, "no records");
  auto partition = broker.log.partition(topic, data.index);
  if (!partition.ok()) return produce.Refuse(answer, KafkaErrorOf(partition.status()));
  const auto base_offset = (*partition)->AppendBatchBytes(std::string(*data.records));
  if (!base_offset.ok())
    return produce.Refuse(answer, KafkaErrorOf(base_offset.status()), base_offset.status().ToString());
  answer.base_offset = *base_offset;
  answer.log_start_offset = (*partition)->Offsets().log_start;
  appended->push_back({*std::move(partition), &answer});
}

}  // namespace

void HandleProduce(Broker& broker, const CallPtr<ProduceRequest>& call) {
  const ProduceRequest& request = call->message;
  const auto produce = std::make_shared<ProduceUnderWay>(call);
  const bool known_acks = request.acks >= -1 && request.acks <= 1;
  // First all answers, so that none moves; then the appends.
  for (const auto& topic : request.topic_data) {
    auto& topic_answer = produce->response.responses.emplace_back();
    topic_answer.name = topic.name;
    topic_answer.topic_id = topic.topic_id;
    for (const auto& data : topic.partition_data) topic_answer.partition_responses.emplace_back().index = data.index;
  }
  std::vector<Appended> appended;
  for (size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto& topic = request.topic_data[i];
    const auto name = broker.NameOf(topic.name, topic.topic_id);
    for (size_t j = 0; j < topic.partition_data.size(); ++j) {
      PartitionAnswer& answer = produce->response.responses[i].partition_responses[j];
      if (!known_acks) {
        produce->Refuse(answer, KafkaError::kInvalidRequiredAcks);
      } else if (!name) {
        produce->Refuse(answer, KafkaError::kUnknownTopicId);
      } else {
        AppendPartition(*produce, broker, *name, topic.partition_data[j], answer, &appended);
      }
    }
  }
  if (request.acks == -1) {
    produce->waiting += static_cast<int>(appended.size());
    for (const Appended& item : appended) {
      item.partition->WhenDurable(item.partition->Offsets().end - 1, [produce, answer = item.answer](Status durable) {
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

}  // namespace tidemill::wire
