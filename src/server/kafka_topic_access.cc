#include "server/kafka_topic_access.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include <fmt/format.h>

#include "base/errors.h"
#include "connect/kafka/kafka_admin.h"
#include "connect/kafka/kafka_consumer.h"
#include "connect/kafka/kafka_producer.h"
#include "connect/kafka/kafka_properties.h"
#include "log/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kKafkaPageBytesMax = 1 << 20;
constexpr int kTakenMax = 256;
constexpr int64_t kInFlightBytesMax = 64 << 20;
constexpr std::chrono::milliseconds kLookAgainAfter{50};

// Woken by librdkafka's threads.
class Bell {
 public:
  void Ring() {
    {
      std::lock_guard lock(mutex_);
      rung_ = true;
    }
    changed_.notify_all();
  }
  void WaitFor(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [&] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

// One partition being read; pages follow each other without asking where they begin.
struct OpenPartition {
  Bell bell;
  std::unique_ptr<KafkaQueue> queue;
  int64_t next = 0;
  bool is_at_end = false;
};

class KafkaTopicAccess final : public TopicAccess {
 public:
  KafkaTopicAccess(KafkaConnection connection, std::unique_ptr<KafkaAdmin> admin)
      : connection_(std::move(connection)), admin_(std::move(admin)) {}

  Result<std::vector<TopicDescription>> List() override {
    std::lock_guard lock(mutex_);
    TM_ASSIGN_OR_RETURN(const auto topics, admin_->client().Topics());
    std::vector<TopicDescription> found;
    for (const auto& [name, partitions] : topics) {
      TM_ASSIGN_OR_RETURN(TopicDescription topic, OffsetsOf(name, partitions));
      found.push_back(std::move(topic));
    }
    return found;
  }
  Result<TopicDescription> Describe(const std::string& topic) override {
    std::lock_guard lock(mutex_);
    TM_ASSIGN_OR_RETURN(const int32_t partitions, PartitionsOf(topic));
    return OffsetsOf(topic, partitions);
  }
  Result<Config> Settings(const std::string& topic) override {
    std::lock_guard lock(mutex_);
    TM_ASSIGN_OR_RETURN(auto settings, admin_->TopicSettings(topic));
    return Config(std::move(settings));
  }
  Status Create(const std::string& topic, const TopicConfig& config) override {
    std::lock_guard lock(mutex_);
    const Config defaults = TopicConfig().ToConfig(), wanted = config.ToConfig();
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : wanted.values()) {
      if (name != "partitions" && defaults.Get(name) != value) settings[name] = value;
    }
    TM_ASSIGN_OR_RETURN(const auto topics, admin_->client().Topics());
    if (topics.contains(topic)) return Status(kTopicExists, fmt::format("topic '{}' exists already", topic));
    return admin_->CreateTopic(topic, config.partitions, settings);
  }
  Status Delete(const std::string& topic) override {
    std::lock_guard lock(mutex_);
    return admin_->DeleteTopic(topic);
  }

  Result<std::vector<AppendedRecords>> Produce(const std::string& topic, const std::vector<TopicRecord>& records,
                                               int32_t partition, bool create) override {
    std::lock_guard lock(mutex_);
    const Result<int32_t> partitions = PartitionsOf(topic);
    if (partitions.status().Is(kUnknownTopic) && create) {
      TM_RETURN_IF_ERROR(admin_->CreateTopic(topic, TopicConfig().partitions, {}));
    } else if (!partitions.ok()) {
      return partitions.status();
    } else if (partition >= *partitions) {
      return Status(kUnknownPartition,
                    fmt::format("topic '{}' has {} partitions, numbered from 0", topic, *partitions));
    }
    if (producer_ == nullptr || producer_topic_ != topic) {
      producer_.reset();
      TM_ASSIGN_OR_RETURN(producer_, KafkaProducer::Make(connection_, {{topic}, {}}));
      producer_topic_ = topic;
      in_flight_ = producer_->NewInFlight(kInFlightBytesMax, [bell = sent_] { bell->Ring(); });
    }
    std::vector<KafkaOutgoing> outgoing;
    for (const TopicRecord& record : records) {
      KafkaOutgoing& out = outgoing.emplace_back();
      out.has_key = record.key.has_value();
      out.has_value = record.value.has_value();
      if (out.has_key) out.key = *record.key;
      if (out.has_value) out.value = *record.value;
      out.partition = partition >= 0 ? partition : KafkaOutgoing::kAnyPartition;
      out.timestamp_ms = record.timestamp_ms == kNoTimestamp ? 0 : record.timestamp_ms;
    }
    std::vector<size_t> too_large;
    TM_RETURN_IF_ERROR(producer_->Send(outgoing, *in_flight_, &too_large));
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(connection_.timeout_ms);
    while (!in_flight_->empty() && in_flight_->failed().ok() && std::chrono::steady_clock::now() < until)
      sent_->WaitFor(kLookAgainAfter);
    TM_RETURN_IF_ERROR(in_flight_->failed());
    if (!in_flight_->empty())
      return Status(kTimeout, fmt::format("{} did not acknowledge {} records in {} s", connection_.servers,
                                          in_flight_->records(), connection_.timeout_ms / 1000));
    if (!too_large.empty())
      return Status(kRecordTooLarge, fmt::format("{} of {} records are too large", too_large.size(), records.size()));
    return std::vector<AppendedRecords>();  // librdkafka keeps where each went to itself
  }

  Result<Page> Fetch(const std::string& topic, int32_t partition, const StartOffset& from, int limit) override {
    std::lock_guard lock(mutex_);
    TM_ASSIGN_OR_RETURN(OpenPartition* const open, OpenAt({topic, partition}, from));
    Page page;
    page.next_offset = open->next;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(connection_.timeout_ms);
    int64_t bytes = 0;
    while (static_cast<int>(page.records.size()) < limit && bytes < kKafkaPageBytesMax) {
      int64_t reached = -1;
      const int want = std::min(kTakenMax, limit - static_cast<int>(page.records.size()));
      TM_RETURN_IF_ERROR(open->queue->Take(want, &taken_, &reached));
      for (const KafkaRecord& record : taken_) {
        page.records.push_back(FetchedOf(partition, record));
        bytes += static_cast<int64_t>(record.key.size() + record.value.size());
      }
      if (reached >= 0) page.next_offset = reached;
      if (!taken_.empty()) open->is_at_end = false;
      if (reached >= 0 && taken_.empty()) open->is_at_end = true;  // librdkafka says so once
      if (!taken_.empty()) continue;
      if (open->is_at_end || !page.records.empty()) break;
      if (std::chrono::steady_clock::now() > until)
        return Status(kTimeout, fmt::format("{} gave nothing of {}/{} in {} s", connection_.servers, topic, partition,
                                            connection_.timeout_ms / 1000));
      open->bell.WaitFor(kLookAgainAfter);
    }
    open->next = page.next_offset;
    page.end_offset = std::max(open->queue->end_offset(), page.next_offset);
    return page;
  }
  Result<int64_t> Resolve(const std::string& topic, int32_t partition, const StartOffset& from) override {
    std::lock_guard lock(mutex_);
    return ResolveIn({topic, partition}, from);
  }

 private:
  Result<int32_t> PartitionsOf(const std::string& topic) {
    TM_ASSIGN_OR_RETURN(const auto topics, admin_->client().Topics());
    const auto found = topics.find(topic);
    if (found == topics.end())
      return Status(kUnknownTopic, fmt::format("{} has no topic '{}'", connection_.servers, topic));
    return found->second;
  }

  Result<TopicDescription> OffsetsOf(const std::string& topic, int32_t count) {
    TopicDescription description;
    description.name = topic;
    description.config.partitions = count;
    description.size_bytes = -1;
    std::vector<KafkaPartition> partitions;
    for (int32_t i = 0; i < count; ++i) partitions.push_back({topic, i});
    TM_ASSIGN_OR_RETURN(auto starts, admin_->client().OffsetsForTime(partitions, KafkaClient::kEarliest));
    TM_ASSIGN_OR_RETURN(auto ends, admin_->client().OffsetsForTime(partitions, KafkaClient::kLatest));
    for (const KafkaPartition& partition : partitions) {
      PartitionOffsets& offsets = description.partitions.emplace_back();
      offsets.log_start = starts[partition];
      offsets.end = offsets.last_stable = offsets.durable_end = ends[partition];
    }
    return description;
  }

  Result<int64_t> ResolveIn(const KafkaPartition& partition, const StartOffset& from) {
    const auto ask = [&](int64_t time) -> Result<int64_t> {
      TM_ASSIGN_OR_RETURN(const auto offsets, admin_->client().OffsetsForTime({partition}, time));
      return offsets.at(partition);
    };
    TM_ASSIGN_OR_RETURN(const int64_t start, ask(KafkaClient::kEarliest));
    TM_ASSIGN_OR_RETURN(const int64_t end, ask(KafkaClient::kLatest));
    if (from.kind == StartOffset::Kind::kTime) {
      TM_ASSIGN_OR_RETURN(const int64_t found, ask(from.number));
      return found < 0 ? end : found;
    }
    return ResolveStartOffset(fmt::format("{}/{}", partition.topic, partition.partition), start, end, from);
  }

  Result<OpenPartition*> OpenAt(const KafkaPartition& partition, const StartOffset& from) {
    std::unique_ptr<OpenPartition>& open = open_[partition];
    if (open != nullptr && from.kind == StartOffset::Kind::kOffset && from.number == open->next) return open.get();
    open.reset();
    if (consumer_ == nullptr) {
      TM_ASSIGN_OR_RETURN(consumer_, MakeKafkaConsumer(connection_, 1, "error"));
    }
    TM_ASSIGN_OR_RETURN(const int64_t offset, ResolveIn(partition, from));
    auto fresh = std::make_unique<OpenPartition>();
    fresh->next = offset;
    TM_ASSIGN_OR_RETURN(fresh->queue,
                        KafkaQueue::Start(consumer_, partition, offset, [&bell = fresh->bell] { bell.Ring(); }));
    open = std::move(fresh);
    return open.get();
  }

  static FetchedRecord FetchedOf(int32_t partition, const KafkaRecord& record) {
    FetchedRecord fetched;
    fetched.partition = partition;
    fetched.offset = record.offset;
    fetched.timestamp_ms = record.timestamp_ms;
    if (record.has_key) fetched.key = std::string(record.key);
    if (record.has_value) fetched.value = std::string(record.value);
    std::vector<KafkaHeader> headers;
    KafkaHeadersOf(record, &headers);
    for (const KafkaHeader& header : headers) fetched.headers.emplace_back(header.name, header.value);
    return fetched;
  }

  const KafkaConnection connection_;
  std::mutex mutex_;
  const std::unique_ptr<KafkaAdmin> admin_;
  std::shared_ptr<KafkaClient> consumer_;
  std::map<KafkaPartition, std::unique_ptr<OpenPartition>> open_;
  std::vector<KafkaRecord> taken_;
  std::string producer_topic_;
  const std::shared_ptr<Bell> sent_ = std::make_shared<Bell>();
  std::shared_ptr<KafkaInFlight> in_flight_;
  std::unique_ptr<KafkaProducer> producer_;  // ends before what it counts down
};

}  // namespace

Result<KafkaConnection> KafkaConnectionOf(const GlobalOptions& options) {
  TableDefinition table;
  for (const auto& [name, value] : options.settings.values()) {
    if (name.starts_with("properties.")) table.options.Set(name, value);
  }
  table.options.Set("properties.bootstrap.servers", options.brokers);
  LocalFileSystem files;
  TM_ASSIGN_OR_RETURN(KafkaProperties properties, ResolveKafkaProperties(table, files));
  return std::move(properties.connection);
}

Result<std::unique_ptr<TopicAccess>> MakeKafkaTopicAccess(const KafkaConnection& connection) {
  TM_ASSIGN_OR_RETURN(auto admin, KafkaAdmin::Open(connection));
  return std::unique_ptr<TopicAccess>(std::make_unique<KafkaTopicAccess>(connection, std::move(admin)));
}

}  // namespace tidemill
