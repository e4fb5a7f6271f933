#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "connect/kafka/kafka_producer.h"

namespace tidemill {

// The changes of one writer that are not sent yet, the last one of each key ('sink.buffer-flush.*'). The lane adds and
// flushes, the producer's thread flushes what is old enough.
class KafkaUpsertBuffer {
 public:
  KafkaUpsertBuffer(int64_t rows_max, int64_t interval_ns, KafkaProducer& producer, KafkaInFlight& in_flight)
      : rows_max_(rows_max), interval_ns_(interval_ns), producer_(producer), in_flight_(in_flight) {}

  // Copies the bytes. Sends everything when there are enough rows.
  void Add(const KafkaOutgoing& record, int64_t now_ns);
  void FlushIfDue(int64_t now_ns);
  void Flush();
  // What went wrong in a flush; values that Kafka would never take are moved to `too_large`.
  Status TakeOutcome(std::vector<std::string>* too_large);

 private:
  struct Change {
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    KafkaOutgoing record;  // its views are set when it is sent
  };
  void FlushLocked();

  const int64_t rows_max_;
  const int64_t interval_ns_;
  KafkaProducer& producer_;
  KafkaInFlight& in_flight_;
  std::mutex mutex_;
  std::unordered_map<std::string, Change> changes_;
  int64_t rows_ = 0;  // added since the last flush, replaced ones too
  int64_t since_ns_ = 0;
  Status failed_;
  std::vector<std::string> too_large_;
};

}  // namespace tidemill
