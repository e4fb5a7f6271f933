#include "connect/kafka/kafka_consumer.h"

#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "connect/errors.h"

namespace tidemill {
namespace {

// Fetched ahead for all partitions of a source, and the least for one: a broker's answer to one fetch must fit. Records
// are counted too, since librdkafka needs some 300 bytes for each beside its own.
constexpr int64_t kFetchedKbMax = 64 << 10;
constexpr int64_t kFetchedKbMin = 1 << 10;
constexpr int64_t kFetchedRecordsMax = 200'000;
constexpr int64_t kFetchedRecordsMin = 2'000;

void OnQueueFilled(rd_kafka_t*, void* opaque) { (*static_cast<const std::function<void()>*>(opaque))(); }

}  // namespace

const char* KafkaTimestampType(const KafkaRecord& record) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  (void)rd_kafka_message_timestamp(record.message, &type);
  if (type == RD_KAFKA_TIMESTAMP_CREATE_TIME) return "CreateTime";
  return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME ? "LogAppendTime" : "NoTimestampType";
}

void KafkaHeadersOf(const KafkaRecord& record, std::vector<KafkaHeader>* headers) {
  rd_kafka_headers_t* all = nullptr;
  if (rd_kafka_message_headers(record.message, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0; rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers->push_back({name, {static_cast<const char*>(value), value == nullptr ? 0 : size}, value != nullptr});
  }
}

Result<std::shared_ptr<KafkaClient>> MakeKafkaConsumer(const KafkaConnection& connection, size_t partitions,
                                                       const std::string& offset_reset) {
  const int64_t sharers = std::max<int64_t>(1, static_cast<int64_t>(partitions));
  std::map<std::string, std::string> defaults = {
      {"isolation.level", "read_uncommitted"},  // as Kafka's Java client, and so Flink, has it
      {"check.crcs", "true"},
      {"queued.max.messages.kbytes", std::to_string(std::max(kFetchedKbMin, kFetchedKbMax / sharers))},
      {"queued.min.messages", std::to_string(std::max(kFetchedRecordsMin, kFetchedRecordsMax / sharers))},
      // librdkafka 2.0 sleeps so long (500 ms if not told) before it looks whether a full queue has been read.
      {"fetch.error.backoff.ms", "10"},
      // One question at a time goes to a broker: one that waits for partitions that are read to their end holds up
      // those whose queues have been read meanwhile.
      {"fetch.wait.max.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      {"client.id", "tidemill"},
      // How long a commit waits for the group's coordinator, and with it the end of the client. It joins no group.
      {"session.timeout.ms", "1000"},
  };
  // Positions are the job's: nothing is committed, moved or reset behind its back.
  std::map<std::string, std::string> forced = {
      {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"}, {"enable.partition.eof", "true"},
      {"allow.auto.create.topics", "false"}, {"auto.offset.reset", offset_reset},
  };
  return KafkaClient::Make(KafkaClient::Kind::kConsumer, connection, defaults, forced);
}

Result<std::unique_ptr<KafkaQueue>> KafkaQueue::Start(std::shared_ptr<KafkaClient> consumer,
                                                      const KafkaPartition& partition, int64_t offset,
                                                      std::function<void()> wake) {
  std::unique_ptr<KafkaQueue> made(new KafkaQueue(std::move(consumer), partition, std::move(wake)));
  rd_kafka_t* handle = made->consumer_->handle();
  made->topic_ = rd_kafka_topic_new(handle, partition.topic.c_str(), nullptr);
  if (made->topic_ == nullptr) return KafkaStatus(rd_kafka_last_error(), "topic '" + partition.topic + "'");
  made->queue_ = rd_kafka_queue_new(handle);
  if (made->wake_) {
    rd_kafka_queue_cb_event_enable(made->queue_, &OnQueueFilled, const_cast<std::function<void()>*>(&made->wake_));
  }
  if (rd_kafka_consume_start_queue(made->topic_, partition.partition, offset, made->queue_) != 0) {
    return KafkaStatus(rd_kafka_last_error(), "reading " + partition.ToString());
  }
  made->started_ = true;
  return made;
}

KafkaQueue::~KafkaQueue() {
  Release();
  if (queue_ != nullptr) rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
  if (started_) (void)rd_kafka_consume_stop(topic_, partition_.partition);
  if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
  if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
}

void KafkaQueue::Release() {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  messages_.clear();
}

Status KafkaQueue::Take(int max, std::vector<KafkaRecord>* records, int64_t* reached) {
  Release();
  records->clear();
  *reached = -1;
  messages_.resize(static_cast<size_t>(max));
  const ssize_t count = rd_kafka_consume_batch_queue(queue_, 0, messages_.data(), messages_.size());
  messages_.resize(count < 0 ? 0 : static_cast<size_t>(count));
  if (count < 0) return KafkaStatus(rd_kafka_last_error(), "reading " + partition_.ToString());
  TM_RETURN_IF_ERROR(consumer_->failed());
  for (const rd_kafka_message_t* message : messages_) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      KafkaRecord record;
      record.has_key = message->key != nullptr;
      record.has_value = message->payload != nullptr;
      record.key = {static_cast<const char*>(message->key), record.has_key ? message->key_len : 0};
      record.value = {static_cast<const char*>(message->payload), record.has_value ? message->len : 0};
      record.offset = message->offset;
      record.timestamp_ms = rd_kafka_message_timestamp(message, nullptr);
      record.message = message;
      records->push_back(record);
      *reached = message->offset + 1;
    } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      *reached = std::max(*reached, message->offset);
    } else if (!IsPassingKafkaError(message->err)) {
      const char* text = rd_kafka_message_errstr(message);
      return KafkaStatus(message->err, "reading " + partition_.ToString() + (text ? std::string(": ") + text : ""));
    }
  }
  return Status::OK();
}

int64_t KafkaQueue::end_offset() const {
  int64_t low = -1;
  int64_t high = -1;
  const auto error =
      rd_kafka_get_watermark_offsets(consumer_->handle(), partition_.topic.c_str(), partition_.partition, &low, &high);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1;
}

}  // namespace tidemill
