#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "connect/kafka/kafka_client.h"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_s;

namespace tidemill {

// One record as it came; its bytes live until the next Take of its queue.
struct KafkaRecord {
  std::string_view key;
  std::string_view value;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  bool has_key = false;
  bool has_value = false;
  const rd_kafka_message_s* message = nullptr;
};

struct KafkaHeader {
  std::string_view name;
  std::string_view value;
  bool has_value = true;
};
// "NoTimestampType", "CreateTime" or "LogAppendTime", as Java names them.
const char* KafkaTimestampType(const KafkaRecord& record);
// Appends the headers of `record`, in their order; duplicates are kept.
void KafkaHeadersOf(const KafkaRecord& record, std::vector<KafkaHeader>* headers);

// The records of one partition, fetched ahead by librdkafka's threads within its bounds. Used by one thread at a time;
// Take never waits. Its destructor waits for librdkafka to stop fetching, some milliseconds.
class KafkaQueue {
 public:
  // `wake` is called on librdkafka's threads when an empty queue gets something.
  static Result<std::unique_ptr<KafkaQueue>> Start(std::shared_ptr<KafkaClient> consumer,
                                                   const KafkaPartition& partition, int64_t offset,
                                                   std::function<void()> wake);
  ~KafkaQueue();
  KafkaQueue(const KafkaQueue&) = delete;
  KafkaQueue& operator=(const KafkaQueue&) = delete;

  // Takes up to `max` of what is there. `*reached`: the offset up to which the partition is known to be read, beyond
  // the last record where markers of transactions or compaction left gaps; -1 = nothing new.
  Status Take(int max, std::vector<KafkaRecord>* records, int64_t* reached);
  // End of the partition as of the last fetch; -1 = none yet.
  int64_t end_offset() const;

 private:
  KafkaQueue(std::shared_ptr<KafkaClient> consumer, KafkaPartition partition, std::function<void()> wake)
      : consumer_(std::move(consumer)), partition_(std::move(partition)), wake_(std::move(wake)) {}
  void Release();

  std::shared_ptr<KafkaClient> consumer_;
  const KafkaPartition partition_;
  const std::function<void()> wake_;
  rd_kafka_topic_s* topic_ = nullptr;
  rd_kafka_queue_s* queue_ = nullptr;
  bool started_ = false;
  std::vector<rd_kafka_message_s*> messages_;  // of the last Take
};

// A client that reads; `partitions` divide what is fetched ahead among them. `offset_reset`: what happens when the
// records that should be read are gone: "error", "earliest", "latest".
Result<std::shared_ptr<KafkaClient>> MakeKafkaConsumer(const KafkaConnection& connection, size_t partitions,
                                                       const std::string& offset_reset);

}  // namespace tidemill
