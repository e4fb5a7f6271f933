#include "connect/kafka/kafka_producer.h"

#include <algorithm>

#include <librdkafka/rdkafka.h>

#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr int kPollMs = 50;
constexpr size_t kPlainChunk = 1024;
constexpr int64_t kRecordOverhead = 128;

}  // namespace

Status KafkaInFlight::failed() const {
  if (!has_failed_.load(std::memory_order_acquire)) return Status::OK();
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

void KafkaInFlight::Add(int64_t bytes) {
  records_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(bytes + kRecordOverhead, std::memory_order_relaxed);
}

void KafkaInFlight::Settle(int64_t bytes) {
  bytes += kRecordOverhead;
  const int64_t before = bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
  const int64_t left = records_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if (left == 0 || (before >= bytes_max_ && before - bytes < bytes_max_)) Wake();
}

void KafkaInFlight::Fail(Status status) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (failed_.ok()) failed_ = std::move(status);
  }
  if (!has_failed_.exchange(true, std::memory_order_acq_rel)) Wake();
}

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::Make(const KafkaConnection& connection, Options options) {
  std::unique_ptr<KafkaProducer> producer(new KafkaProducer(std::move(options)));
  const std::map<std::string, std::string> defaults = {
      {"enable.idempotence", "true"},
      // A broker that is away is waited for; the writers' bounds hold meanwhile.
      {"message.timeout.ms", "0"},
      {"partitioner", "murmur2_random"},  // Java's
      {"compression.codec", "none"},
      {"queue.buffering.max.messages", "1000000"},
      {"queue.buffering.max.kbytes", "262144"},
      {"reconnect.backoff.max.ms", "2000"},
      {"client.id", "tidemill"},
  };
  TM_ASSIGN_OR_RETURN(producer->client_, KafkaClient::Make(KafkaClient::Kind::kProducer, connection, defaults, {},
                                                           &KafkaProducer::OnDelivery));
  for (const std::string& name : producer->options_.topics) {
    rd_kafka_topic_t* topic = rd_kafka_topic_new(producer->client_->handle(), name.c_str(), nullptr);
    if (topic == nullptr) return KafkaStatus(rd_kafka_last_error(), "topic '" + name + "'");
    producer->topics_.push_back(topic);
  }
  producer->thread_ = std::thread([self = producer.get()] { self->Run(); });
  return producer;
}

KafkaProducer::~KafkaProducer() {
  stopping_.store(true);
  if (thread_.joinable()) thread_.join();
  if (client_ != nullptr) {
    rd_kafka_t* handle = client_->handle();
    (void)rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (rd_kafka_poll(handle, 0) > 0) {
    }
  }
  for (rd_kafka_topic_t* topic : topics_) rd_kafka_topic_destroy(topic);
  client_.reset();  // before the writers that delivery reports point to
}

std::shared_ptr<KafkaInFlight> KafkaProducer::NewInFlight(int64_t bytes_max, std::function<void()> wake) {
  auto in_flight = std::make_shared<KafkaInFlight>(bytes_max, std::move(wake));
  std::lock_guard<std::mutex> lock(mutex_);
  writers_.push_back(in_flight);
  return in_flight;
}

void KafkaProducer::OnDelivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  auto* in_flight = static_cast<KafkaInFlight*>(message->_private);
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE &&
      message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
    const char* topic = message->rkt != nullptr ? rd_kafka_topic_name(message->rkt) : "?";
    const Status reason = KafkaStatus(message->err, "writing to topic '" + std::string(topic) + "'");
    in_flight->Fail(reason.Is(kKafkaUnreachable) || reason.Is(kKafkaRefused) ? Status(kDeliveryFailed, reason.message())
                                                                             : reason);
  }
  in_flight->Settle(static_cast<int64_t>(message->len + message->key_len));
}

void KafkaProducer::Run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    (void)rd_kafka_poll(client_->handle(), kPollMs);
    if (any_kept_.load(std::memory_order_acquire)) HandOverKept();
    if (options_.tick) options_.tick();
    char text[256];
    const auto fatal = rd_kafka_fatal_error(client_->handle(), text, sizeof text);
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const Status status(kDeliveryFailed, std::string("Kafka's producer can't go on: ") + text);
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& writer : writers_) writer->Fail(status);
  }
}

void KafkaProducer::HandOverKept() {
  std::lock_guard<std::mutex> lock(mutex_);
  while (!kept_.empty()) {
    Kept& kept = kept_.front();
    const int error = SendOne(kept.record, *kept.in_flight);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return;
    if (error != 0) {
      kept.in_flight->Fail(KafkaStatus(error, "writing to topic '" + options_.topics[kept.record.topic] + "'"));
      kept.in_flight->Settle(static_cast<int64_t>(kept.key.size() + kept.value.size()));
    }
    kept_.pop_front();
  }
  any_kept_.store(false, std::memory_order_release);
}

void KafkaProducer::Keep(const KafkaOutgoing& record, KafkaInFlight& in_flight) {
  std::lock_guard<std::mutex> lock(mutex_);
  Kept& kept = kept_.emplace_back(Kept{&in_flight,
                                       std::string(record.key),
                                       std::string(record.value),
                                       {record.headers.begin(), record.headers.end()},
                                       record});
  kept.record.key = kept.key;
  kept.record.value = kept.value;
  kept.record.headers = kept.headers;
  any_kept_.store(true, std::memory_order_release);
}

int KafkaProducer::SendOne(const KafkaOutgoing& record, KafkaInFlight& in_flight) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      (void)rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                                value ? value->data() : nullptr, value ? static_cast<ssize_t>(value->size()) : 0);
    }
  }
  static constexpr char kEmpty[1] = {};
  const void* key = !record.has_key ? nullptr : record.key.empty() ? kEmpty : record.key.data();
  const void* value = !record.has_value ? nullptr : record.value.empty() ? kEmpty : record.value.data();
  rd_kafka_vu_t fields[8];
  size_t count = 0;
  fields[count].vtype = RD_KAFKA_VTYPE_RKT;
  fields[count++].u.rkt = topics_[record.topic];
  fields[count].vtype = RD_KAFKA_VTYPE_PARTITION;
  fields[count++].u.i32 = record.partition;
  fields[count].vtype = RD_KAFKA_VTYPE_KEY;
  fields[count].u.mem.ptr = const_cast<void*>(key);
  fields[count++].u.mem.size = record.key.size();
  fields[count].vtype = RD_KAFKA_VTYPE_VALUE;
  fields[count].u.mem.ptr = const_cast<void*>(value);
  fields[count++].u.mem.size = record.value.size();
  fields[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
  fields[count++].u.ptr = &in_flight;
  fields[count].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  fields[count++].u.i = RD_KAFKA_MSG_F_COPY;
  fields[count].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  fields[count++].u.i64 = record.timestamp_ms;
  if (headers != nullptr) {
    fields[count].vtype = RD_KAFKA_VTYPE_HEADERS;
    fields[count++].u.headers = headers;
  }
  rd_kafka_error_t* error = rd_kafka_produceva(client_->handle(), fields, count);
  if (error == nullptr) return 0;
  const int code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  return code;
}

// Records without headers, time and other topics go a thousand at a time. Returns how many are settled or on their way;
// those behind found the queue full.
size_t KafkaProducer::SendPlain(std::span<const KafkaOutgoing> records, KafkaInFlight& in_flight,
                                std::vector<size_t>* too_large, Status* failed) {
  static constexpr char kEmpty[1] = {};
  std::vector<rd_kafka_message_t> messages;
  for (size_t from = 0; from < records.size(); from += kPlainChunk) {
    const size_t count = std::min(kPlainChunk, records.size() - from);
    messages.assign(count, rd_kafka_message_t{});
    for (size_t i = 0; i < count; ++i) {
      const KafkaOutgoing& record = records[from + i];
      rd_kafka_message_t& message = messages[i];
      message.partition = record.partition;
      if (record.has_value) {
        message.payload = const_cast<char*>(record.value.empty() ? kEmpty : record.value.data());
        message.len = record.value.size();
      }
      if (record.has_key) {
        message.key = const_cast<char*>(record.key.empty() ? kEmpty : record.key.data());
        message.key_len = record.key.size();
      }
      message._private = &in_flight;
    }
    const int taken =
        rd_kafka_produce_batch(topics_[0], RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION,
                               messages.data(), static_cast<int>(count));
    if (taken == static_cast<int>(count)) continue;
    for (size_t i = 0; i < count; ++i) {
      if (messages[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      const KafkaOutgoing& record = records[from + i];
      if (messages[i].err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        Keep(record, in_flight);  // those behind it are kept too: the queue stays full for this call
        continue;
      }
      in_flight.Settle(static_cast<int64_t>(record.key.size() + record.value.size()));
      if (messages[i].err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        too_large->push_back(from + i);
      } else if (failed->ok()) {
        *failed = KafkaStatus(messages[i].err, "writing to topic '" + options_.topics[0] + "'");
      }
    }
    if (any_kept_.load(std::memory_order_acquire)) return from + count;
  }
  return records.size();
}

Status KafkaProducer::Send(std::span<const KafkaOutgoing> records, KafkaInFlight& in_flight,
                           std::vector<size_t>* too_large) {
  too_large->clear();
  bool plain = true;
  for (const KafkaOutgoing& record : records) {
    in_flight.Add(static_cast<int64_t>(record.key.size() + record.value.size()));
    plain &= record.headers.empty() && record.timestamp_ms == 0 && record.topic == 0;
  }
  Status failed;
  size_t done = 0;
  if (plain && !any_kept_.load(std::memory_order_acquire)) done = SendPlain(records, in_flight, too_large, &failed);
  for (size_t i = done; i < records.size(); ++i) {
    const KafkaOutgoing& record = records[i];
    const int error = any_kept_.load(std::memory_order_acquire) ? static_cast<int>(RD_KAFKA_RESP_ERR__QUEUE_FULL)
                                                                : SendOne(record, in_flight);
    if (error == 0) continue;
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      Keep(record, in_flight);
      continue;
    }
    in_flight.Settle(static_cast<int64_t>(record.key.size() + record.value.size()));
    if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
      too_large->push_back(i);
    } else if (failed.ok()) {
      failed = KafkaStatus(error, "writing to topic '" + options_.topics[record.topic] + "'");
    }
  }
  return failed;
}

}  // namespace tidemill
