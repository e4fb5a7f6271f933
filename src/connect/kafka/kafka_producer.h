#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/status.h"
#include "connect/kafka/kafka_client.h"

struct rd_kafka_message_s;
struct rd_kafka_topic_s;

namespace tidemill {

// One record to be sent. Bytes are copied by Send.
struct KafkaOutgoing {
  static constexpr int32_t kAnyPartition = -1;  // the partitioner's choice
  std::string_view key;
  std::string_view value;
  bool has_key = false;
  bool has_value = true;
  int32_t partition = kAnyPartition;
  int32_t topic = 0;         // number into KafkaProducer::Options::topics
  int64_t timestamp_ms = 0;  // 0: when it is sent
  std::span<const std::pair<std::string, std::optional<std::string>>> headers;
};

// What one writer has sent that Kafka has not taken yet. Counted down on the producer's thread, which calls `wake` when
// nothing is left, when there is room again, and on the first failure.
class KafkaInFlight {
 public:
  KafkaInFlight(int64_t bytes_max, std::function<void()> wake) : bytes_max_(bytes_max), wake_(std::move(wake)) {}
  bool empty() const { return records_.load(std::memory_order_acquire) == 0; }
  bool has_room() const { return bytes_.load(std::memory_order_acquire) < bytes_max_; }
  int64_t records() const { return records_.load(std::memory_order_acquire); }
  Status failed() const;
  void Wake() const {
    if (wake_) wake_();
  }

 private:
  friend class KafkaProducer;
  // `bytes` of key and value; what librdkafka needs for a record besides is added.
  void Add(int64_t bytes);
  void Settle(int64_t bytes);
  void Fail(Status status);

  const int64_t bytes_max_;
  const std::function<void()> wake_;
  std::atomic<int64_t> records_{0};
  std::atomic<int64_t> bytes_{0};
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  Status failed_;
};

// A client that writes, with a thread that takes the acknowledgements. Send never waits: what librdkafka's queue has no
// room for is kept here and handed over by that thread, in order. The records of one writer to one partition keep their
// order. Thread-safe.
class KafkaProducer {
 public:
  struct Options {
    std::vector<std::string> topics;
    std::function<void()> tick;  // on the producer's thread, some times a second
  };
  static Result<std::unique_ptr<KafkaProducer>> Make(const KafkaConnection& connection, Options options);
  // Takes back what was not sent and ends; some milliseconds.
  ~KafkaProducer();
  KafkaProducer(const KafkaProducer&) = delete;
  KafkaProducer& operator=(const KafkaProducer&) = delete;

  KafkaClient& client() { return *client_; }
  // `in_flight` is kept until the producer ends.
  std::shared_ptr<KafkaInFlight> NewInFlight(int64_t bytes_max, std::function<void()> wake);
  // `too_large` gets the numbers of records that Kafka would never take; the others are on their way. Failures that
  // come later are found in `in_flight`.
  Status Send(std::span<const KafkaOutgoing> records, KafkaInFlight& in_flight, std::vector<size_t>* too_large);

 private:
  struct Kept {
    KafkaInFlight* in_flight;
    std::string key;
    std::string value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    KafkaOutgoing record;  // its views point to the members above
  };
  KafkaProducer(Options options) : options_(std::move(options)) {}
  static void OnDelivery(rd_kafka_s*, const rd_kafka_message_s* message, void*);
  void Run();
  void HandOverKept();
  // An error code of librdkafka, 0 = taken.
  int SendOne(const KafkaOutgoing& record, KafkaInFlight& in_flight);
  size_t SendPlain(std::span<const KafkaOutgoing> records, KafkaInFlight& in_flight, std::vector<size_t>* too_large,
                   Status* failed);
  void Keep(const KafkaOutgoing& record, KafkaInFlight& in_flight);

  const Options options_;
  std::shared_ptr<KafkaClient> client_;
  std::vector<rd_kafka_topic_s*> topics_;
  std::mutex mutex_;  // of what follows
  std::vector<std::shared_ptr<KafkaInFlight>> writers_;
  std::deque<Kept> kept_;
  std::atomic<bool> any_kept_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tidemill
