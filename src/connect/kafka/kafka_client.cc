#include "connect/kafka/kafka_client.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <librdkafka/rdkafka.h>
#include <syslog.h>

#include "base/logging.h"
#include "base/owned.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr std::chrono::seconds kLogInterval{10};
constexpr size_t kLogKindsMax = 64;
constexpr int64_t kRetryPauseMs = 100;

using ConfPtr = Owned<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using TopicPtr = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using MetadataPtr = Owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy>;
using ListPtr = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

ListPtr MakeList(const std::vector<KafkaPartition>& partitions, int64_t offset) {
  ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const KafkaPartition& partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)->offset = offset;
  }
  return list;
}

bool Mentions(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return strcasestr(text.c_str(), word); });
}

Status SetProperty(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char text[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text, sizeof text) == RD_KAFKA_CONF_OK) return Status::OK();
  // librdkafka's own words hold the value, which may be a secret.
  return Status(kInvalidConfig, "the value of Kafka property '" + name + "' is not valid");
}

}  // namespace

bool IsPassingKafkaError(int error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__WAIT_COORD:
    case RD_KAFKA_RESP_ERR__WAIT_CACHE:
    case RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
      return true;
    default:
      return false;
  }
}

Status KafkaStatus(int error, const std::string& message) {
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  const std::string text = message + ": " + rd_kafka_err2str(code) + " (" + rd_kafka_err2name(code) + ")";
  if (IsPassingKafkaError(error)) return Status(kKafkaUnreachable, text);
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
      return Status(kKafkaLoginFailed, text);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return Status(kKafkaNotAllowed, text);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return Status(kKafkaUnknownTopic, text);
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return Status(kKafkaRecordsGone, text);
    default:
      return Status(kKafkaRefused, text);
  }
}

std::vector<std::string> KafkaPropertyNames() {
  std::set<std::string> names;
  const auto add = [&](const char** dump, size_t count) {
    for (size_t i = 0; i + 1 < count; i += 2) names.insert(dump[i]);
    rd_kafka_conf_dump_free(dump, count);
  };
  size_t count = 0;
  const ConfPtr conf(rd_kafka_conf_new());
  const char** dump = rd_kafka_conf_dump(conf.get(), &count);
  add(dump, count);
  rd_kafka_topic_conf_t* topic = rd_kafka_topic_conf_new();
  dump = rd_kafka_topic_conf_dump(topic, &count);
  add(dump, count);
  rd_kafka_topic_conf_destroy(topic);
  return {names.begin(), names.end()};
}

Status CheckKafkaProperty(const std::string& name, const std::string& value) {
  const ConfPtr conf(rd_kafka_conf_new());
  char text[512];
  switch (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
      return Status::OK();
    case RD_KAFKA_CONF_UNKNOWN:
      return Status(kUnknownOption, text);
    default:
      return Status(kInvalidConfig, text);
  }
}

void KafkaLog::Take(int level, const std::string& facility, const std::string& text) {
  // "This is a property of producers": a table can be read and written, its options are for both.
  if (facility == "CONFWARN") return;
  std::string line;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (level <= LOG_WARNING && (facility == "FAIL" || Mentions(facility, {"SASL", "SSL", "AUTH"}))) {
      last_failure_ = text;
    }
    const auto now = std::chrono::steady_clock::now();
    if (kinds_.size() >= kLogKindsMax && !kinds_.contains(facility)) kinds_.clear();
    Kind& kind = kinds_[facility];
    if (level <= LOG_WARNING) {
      if (now < kind.until) {
        ++kind.held_back;
        return;
      }
      kind.until = now + kLogInterval;
    }
    line = "Kafka at " + servers_ + ": " + text;
    if (kind.held_back > 0) line += " (and " + std::to_string(kind.held_back) + " more like it)";
    kind.held_back = 0;
  }
  if (level <= LOG_WARNING) return LogWarning(line);
  if (level <= LOG_INFO) return LogInfo(line);
  LogDebug(line);
}

std::string KafkaLog::last_failure() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_failure_;
}

Result<std::shared_ptr<KafkaClient>> KafkaClient::Make(Kind kind, const KafkaConnection& connection,
                                                       const std::map<std::string, std::string>& defaults,
                                                       const std::map<std::string, std::string>& forced,
                                                       DeliveryCallback on_delivery) {
  std::shared_ptr<KafkaClient> client(new KafkaClient(connection));
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& [name, value] : defaults) TM_RETURN_IF_ERROR(SetProperty(conf.get(), name, value));
  for (const auto& [name, value] : connection.settings) TM_RETURN_IF_ERROR(SetProperty(conf.get(), name, value));
  if (!connection.group_id.empty()) TM_RETURN_IF_ERROR(SetProperty(conf.get(), "group.id", connection.group_id));
  for (const auto& [name, value] : forced) TM_RETURN_IF_ERROR(SetProperty(conf.get(), name, value));
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), &OnLog);
  if (kind == Kind::kConsumer) {
    // What is wrong with a partition comes here too, from within Take, not as a record.
    rd_kafka_conf_set_error_cb(conf.get(), [](rd_kafka_t* handle, int error, const char* reason, void* opaque) {
      OnError(handle, error, reason, opaque);
    });
    rd_kafka_conf_set_offset_commit_cb(
        conf.get(), [](rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*, void* opaque) {
          if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET) {
            static_cast<KafkaClient*>(opaque)->commit_failed_.store(true);
          }
        });
  }
  if (on_delivery != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  char text[512];
  const auto type = kind == Kind::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  client->handle_ = rd_kafka_new(type, conf.get(), text, sizeof text);
  if (client->handle_ == nullptr) return Status(kInvalidConfig, std::string("Kafka client: ") + text);
  (void)conf.release();  // the client's now
  return client;
}

KafkaClient::~KafkaClient() {
  if (handle_ != nullptr) rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void KafkaClient::OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  auto* client = static_cast<KafkaClient*>(rd_kafka_opaque(handle));
  if (client != nullptr) client->log_.Take(level, facility, text);
}

void KafkaClient::OnError(rd_kafka_t*, int error, const char* reason, void* opaque) {
  auto* client = static_cast<KafkaClient*>(opaque);
  const bool of_connection = error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL;
  if (IsPassingKafkaError(error) || of_connection) {
    return client->log_.Take(LOG_WARNING, of_connection ? "AUTH" : "ERROR", reason);
  }
  Status status = KafkaStatus(error, "Kafka at " + client->servers_ + ": " + reason);
  // A broker that is coming up may not know its topics yet: the restart of the job will tell.
  if (status.Is(kKafkaUnknownTopic)) status = Status(kKafkaRefused, status.message());
  {
    std::lock_guard<std::mutex> lock(client->mutex_);
    if (client->failed_.ok()) client->failed_ = std::move(status);
  }
  client->has_failed_.store(true, std::memory_order_release);
}

Status KafkaClient::failed() const {
  if (!has_failed_.load(std::memory_order_acquire)) return Status::OK();
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

void KafkaClient::Serve() { (void)rd_kafka_poll(handle_, 0); }

Status KafkaClient::Failed(int error, const std::string& what) const {
  const std::string context = "Kafka at " + servers_ + ": " + what;
  Status status = KafkaStatus(error, context);
  if (!status.Is(kKafkaUnreachable)) return status;
  const std::string reason = log_.last_failure();
  if (Mentions(reason, {"authentication", "SASL", "certificate", "SSL handshake"})) {
    status = Status(kKafkaLoginFailed, status.message());
  }
  return reason.empty() ? status : status.WithNote("the connection: " + reason);
}

Result<std::map<std::string, int32_t>> KafkaClient::Topics() {
  const rd_kafka_metadata_t* raw = nullptr;
  const auto error = rd_kafka_metadata(handle_, 1, nullptr, &raw, static_cast<int>(timeout_ms_));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(error, "asking for its topics");
  const MetadataPtr metadata(raw);
  std::map<std::string, int32_t> topics;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& topic = metadata->topics[i];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR) topics[topic.topic] = topic.partition_cnt;
  }
  return topics;
}

Result<int32_t> KafkaClient::PartitionsOf(const std::string& topic) {
  const TopicPtr named(rd_kafka_topic_new(handle_, topic.c_str(), nullptr));
  if (named == nullptr) return Failed(rd_kafka_last_error(), "topic '" + topic + "'");
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms_);
  while (true) {
    const rd_kafka_metadata_t* raw = nullptr;
    const auto error = rd_kafka_metadata(handle_, 0, named.get(), &raw, static_cast<int>(timeout_ms_));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(error, "asking for topic '" + topic + "'");
    const MetadataPtr metadata(raw);
    if (metadata->topic_cnt != 1) return 0;
    const rd_kafka_metadata_topic_t& found = metadata->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt > 0) return found.partition_cnt;
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
    // Just made: its leaders are being chosen.
    if (found.err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || std::chrono::steady_clock::now() > until) {
      return Failed(found.err, "topic '" + topic + "'");
    }
    rd_kafka_poll(handle_, kRetryPauseMs);
  }
}

Result<std::map<KafkaPartition, int64_t>> KafkaClient::OffsetsForTime(const std::vector<KafkaPartition>& partitions,
                                                                      int64_t timestamp_ms) {
  std::map<KafkaPartition, int64_t> offsets;
  if (partitions.empty()) return offsets;
  const ListPtr list = MakeList(partitions, timestamp_ms);
  const auto error = rd_kafka_offsets_for_times(handle_, list.get(), static_cast<int>(timeout_ms_));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(error, "asking for offsets");
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    const KafkaPartition partition{entry.topic, entry.partition};
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Failed(entry.err, "asking for offsets of " + partition.ToString());
    offsets[partition] = entry.offset;
  }
  return offsets;
}

Result<std::map<KafkaPartition, int64_t>> KafkaClient::Committed(const std::vector<KafkaPartition>& partitions) {
  std::map<KafkaPartition, int64_t> offsets;
  if (partitions.empty()) return offsets;
  const ListPtr list = MakeList(partitions, RD_KAFKA_OFFSET_INVALID);
  const auto error = rd_kafka_committed(handle_, list.get(), static_cast<int>(timeout_ms_));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(error, "asking for the group's offsets");
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    if (entry.err != RD_KAFKA_RESP_ERR_NO_ERROR) return Failed(entry.err, "asking for the group's offsets");
    if (entry.offset >= 0) offsets[{entry.topic, entry.partition}] = entry.offset;
  }
  return offsets;
}

void KafkaClient::CommitAsync(const std::map<KafkaPartition, int64_t>& offsets) {
  if (offsets.empty()) return;
  const ListPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)->offset = offset;
  }
  (void)rd_kafka_commit(handle_, list.get(), 1);
}

}  // namespace tidemill
