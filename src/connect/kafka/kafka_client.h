#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

// librdkafka's own types, so that its header stays in .cc files.
struct rd_kafka_s;
struct rd_kafka_message_s;

namespace tidemill {

struct KafkaPartition {
  std::string topic;
  int32_t partition = 0;
  auto operator<=>(const KafkaPartition&) const = default;
  std::string ToString() const { return topic + "-" + std::to_string(partition); }
};

// How a cluster is reached: librdkafka's names and values, secrets resolved. Not for logs.
struct KafkaConnection {
  std::vector<std::pair<std::string, std::string>> settings;
  std::string servers;          // for messages
  std::string group_id;         // empty: none
  int64_t timeout_ms = 10'000;  // of one question to the cluster
};

// An error of librdkafka as ours: unreachable, login, not allowed, no such topic, records gone, refused.
Status KafkaStatus(int error, const std::string& message);
// True for what librdkafka goes on trying by itself: a broker that is away.
bool IsPassingKafkaError(int error);

// The names of all properties that librdkafka knows.
std::vector<std::string> KafkaPropertyNames();
// kUnknownOption, or kInvalidConfig with what was expected instead of `value`.
Status CheckKafkaProperty(const std::string& name, const std::string& value);

// What librdkafka says, at most one line per kind and ten seconds; and the last reason for which a connection failed.
class KafkaLog {
 public:
  explicit KafkaLog(std::string servers) : servers_(std::move(servers)) {}
  void Take(int level, const std::string& facility, const std::string& text);
  std::string last_failure() const;

 private:
  struct Kind {
    std::chrono::steady_clock::time_point until;
    int64_t held_back = 0;
  };
  const std::string servers_;
  mutable std::mutex mutex_;
  std::map<std::string, Kind> kinds_;
  std::string last_failure_;
};

// A client of a cluster (rd_kafka_t): what consumers and producers share. Thread-safe; every call that asks the cluster
// blocks up to the connection's timeout, so it is not for lanes.
class KafkaClient {
 public:
  enum class Kind { kConsumer, kProducer };
  // What a delivery report is given to: a KafkaProducer.
  using DeliveryCallback = void (*)(rd_kafka_s*, const rd_kafka_message_s*, void*);

  // `defaults` hold where the connection says nothing, `forced` always. Connects in the background.
  static Result<std::shared_ptr<KafkaClient>> Make(Kind kind, const KafkaConnection& connection,
                                                   const std::map<std::string, std::string>& defaults,
                                                   const std::map<std::string, std::string>& forced,
                                                   DeliveryCallback on_delivery = nullptr);
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_s* handle() const { return handle_; }
  // Topic -> partitions, of every topic that may be seen. Makes none.
  Result<std::map<std::string, int32_t>> Topics();
  // Partitions of one topic; a broker that makes topics when they are asked for makes it. 0: there is none.
  Result<int32_t> PartitionsOf(const std::string& topic);
  // The offset of the first record at or after `timestamp_ms` (kEarliest, kLatest: the ends); -1 = no such record.
  static constexpr int64_t kLatest = -1;
  static constexpr int64_t kEarliest = -2;
  Result<std::map<KafkaPartition, int64_t>> OffsetsForTime(const std::vector<KafkaPartition>& partitions,
                                                           int64_t timestamp_ms);
  // The group's committed offsets; partitions without one are left out.
  Result<std::map<KafkaPartition, int64_t>> Committed(const std::vector<KafkaPartition>& partitions);
  // Best effort, in the background; Serve hears how it went.
  void CommitAsync(const std::map<KafkaPartition, int64_t>& offsets);
  // True once after a commit that failed.
  bool TakeCommitFailure() { return commit_failed_.exchange(false); }
  // Lets librdkafka tell what it has to tell; to be called now and then, never waits.
  void Serve();
  // Why this consumer can't go on: a topic is gone, records are gone, reading is not allowed.
  Status failed() const;

 private:
  KafkaClient(const KafkaConnection& connection)
      : log_(connection.servers), servers_(connection.servers), timeout_ms_(connection.timeout_ms) {}
  static void OnLog(const rd_kafka_s* handle, int level, const char* facility, const char* text);
  static void OnError(rd_kafka_s*, int error, const char* reason, void* opaque);
  // `error` with the reason why the cluster can't be reached, if that is it.
  Status Failed(int error, const std::string& what) const;

  KafkaLog log_;
  const std::string servers_;
  const int64_t timeout_ms_;
  rd_kafka_s* handle_ = nullptr;
  std::atomic<bool> commit_failed_{false};
  std::atomic<bool> has_failed_{false};
  mutable std::mutex mutex_;
  Status failed_;
};

}  // namespace tidemill
