#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <xxhash.h>

#include "base/crc32c.h"
#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/consumer_positions_impl.h"
#include "log/internal/partition_impl.h"
#include "log/internal/transaction_coordinator.h"
#include "log/log.h"

namespace tidemill {
namespace log_internal {
namespace {

constexpr int64_t kTopicConfigMax = 64 << 10;
constexpr size_t kTopicsMax = 10'000;

constexpr std::string_view kTopicIdKey = "topic.id";

std::string EncodeTopicConfig(const TopicConfig& config, const TopicId& id) {
  const Config values = config.ToConfig();
  std::string text = fmt::format("{}={:02x}\n", kTopicIdKey, fmt::join(id, ""));
  for (const auto& [key, value] : values.values()) text += key + "=" + value + "\n";
  return text + "checksum=" + std::to_string(Crc32c(text)) + "\n";
}

Result<TopicId> ParseTopicId(std::string_view digits, const std::string& path) {
  TopicId id{};
  for (size_t i = 0; i < id.size(); ++i) {
    const char* end = digits.data() + std::min(digits.size(), 2 * i + 2);
    const auto parsed = std::from_chars(digits.data() + std::min(digits.size(), 2 * i), end, id[i], 16);
    if (digits.size() != 2 * id.size() || parsed.ec != std::errc() || parsed.ptr != end)
      return Status(kCorruption, "'" + path + "' has a topic id that is none");
  }
  return id;
}

Result<TopicConfig> ParseTopicConfig(std::string_view text, const std::string& path, TopicId* id) {
  Config config;
  const size_t last = text.rfind("checksum=");
  if (last == std::string_view::npos ||
      text.substr(last) != "checksum=" + std::to_string(Crc32c(text.substr(0, last))) + "\n") {
    return Status(kCorruption,
                  "'" + path + "' is damaged: wrong checksum (a topic's settings are changed by altering the topic)");
  }
  text = text.substr(0, last);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return Status(kCorruption, "'" + path + "' has a line without '='");
    if (line.substr(0, equals) == kTopicIdKey) {
      TM_ASSIGN_OR_RETURN(*id, ParseTopicId(line.substr(equals + 1), path));
    } else {
      config.Set(std::string(line.substr(0, equals)), std::string(line.substr(equals + 1)));
    }
  }
  if (!config.Get("partitions")) return Status(kCorruption, "'" + path + "' lacks settings");
  return TopicConfig::FromConfig(config, {});
}

// Runs something when it is woken, on a thread that is made the first time. So that an fsync never waits for the
// compaction of a large segment.
class WakeableThread {
 public:
  explicit WakeableThread(std::function<void()> run) : run_(std::move(run)) {}
  ~WakeableThread() { Stop(); }

  void Wake() {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    wanted_ = true;
    if (!thread_.joinable()) thread_ = std::thread([this] { Main(); });
    changed_.notify_one();
  }

  void Stop() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Main() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return wanted_ || stopping_; });
      if (stopping_) return;
      wanted_ = false;
      lock.unlock();
      run_();
      lock.lock();
    }
  }

  const std::function<void()> run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace

class LogImpl final : public Log {
 public:
  LogImpl(FileSystem& files, const Clock& clock, std::string path, LogOptions options)
      : files_(files),
        clock_(clock),
        path_(std::move(path)),
        options_(options),
        scheduler_(options.housekeeping_interval_ms, [this] { Housekeeping(); }),
        context_{files_,
                 clock_,
                 scheduler_,
                 health_,
                 nullptr,
                 options.producer_id_expiration_ms,
                 static_cast<size_t>(options.compaction_keys_max)} {
    if (options_.metrics != nullptr) {
      context_.sync_seconds =
          options_.metrics->GetHistogram("tidemill_log_sync_seconds", "Duration of fsyncs of the embedded log");
    }
  }
  ~LogImpl() override {
    if (Status closed = Close(); !closed.ok() && !closed.Is(kLogClosed))
      LogError("closing the log: " + closed.ToString());
  }

  Status OpenAll();

  Status CreateTopic(const std::string& name, const TopicConfig& config) override;
  Status DeleteTopic(const std::string& name) override;
  std::vector<std::string> ListTopics() const override;
  Result<TopicDescription> Describe(const std::string& name) const override;
  std::optional<std::string> TopicName(const TopicId& id) const override;
  Status AlterTopic(const std::string& name, const TopicConfig& config) override;
  Result<std::shared_ptr<Partition>> partition(std::string_view topic, int32_t index) override;

  Result<std::unique_ptr<Transaction>> Begin(const std::string& transactional_id) override {
    return coordinator_->Begin(transactional_id);
  }
  Status Commit(const PreparedTransaction& transaction) override { return coordinator_->Commit(transaction); }
  Status Abort(const PreparedTransaction& transaction) override { return coordinator_->Abort(transaction); }
  std::vector<PreparedTransaction> PreparedTransactions(std::string_view id_prefix) const override {
    return coordinator_->Prepared(id_prefix);
  }
  Result<int64_t> AllocateProducerId() override { return coordinator_->NextProducerId(); }
  ConsumerPositions& positions() override { return *positions_; }

  void RunPending() override;
  Status health() const override { return health_.status(); }
  Status Close() override;

 private:
  struct Topic {
    TopicId id{};
    std::shared_ptr<const TopicConfig> config;
    std::vector<std::shared_ptr<PartitionImpl>> partitions;
  };

  std::string TopicPath(const std::string& name) const { return JoinPath(JoinPath(path_, "topics"), name); }
  Status OpenTopic(const std::string& name);
  Status TakePositionsBack();
  Status OpenPartitions(const std::string& name, Topic* topic);
  TopicId MakeTopicId(const std::string& name);
  Status UnknownTopicLocked(std::string_view name) const;
  std::shared_ptr<PartitionImpl> Find(std::string_view topic, int32_t index) const;
  std::vector<std::shared_ptr<PartitionImpl>> AllPartitions() const;
  void Housekeeping();
  void CompactAll();

  FileSystem& files_;
  const Clock& clock_;
  const std::string path_;
  const LogOptions options_;
  SyncHealth health_;
  std::unique_ptr<FileLock> lock_;
  SyncScheduler scheduler_;
  LogContext context_;

  std::mutex changing_mutex_;  // one creation, deletion or change of a topic at a time
  mutable std::mutex mutex_;   // guards topics_, names_ and closed_
  std::map<std::string, Topic, std::less<>> topics_;
  std::map<TopicId, std::string> names_;
  int64_t topic_ids_ = 0;  // guarded by changing_mutex_
  Status closed_;
  int64_t deleted_ = 0;
  int64_t last_housekeeping_ns_ = 0;

  std::unique_ptr<ConsumerPositionsImpl> positions_;
  std::unique_ptr<TransactionCoordinator> coordinator_;
  WakeableThread compaction_{[this] { CompactAll(); }};
};

Status LogImpl::OpenAll() {
  TM_RETURN_IF_ERROR(files_.CreateDirectories(JoinPath(path_, "topics")));
  TM_ASSIGN_OR_RETURN(lock_, files_.Lock(JoinPath(path_, "LOCK")));
  TM_RETURN_IF_ERROR(RemoveRecursively(files_, JoinPath(path_, "deleted")));
  TM_ASSIGN_OR_RETURN(positions_, ConsumerPositionsImpl::Open(context_, JoinPath(path_, "consumer_positions")));
  TM_ASSIGN_OR_RETURN(coordinator_,
                      TransactionCoordinator::Open(context_, JoinPath(path_, "transactions"),
                                                   [this](std::string_view t, int32_t p) { return Find(t, p); }));
  TM_ASSIGN_OR_RETURN(const auto entries, files_.List(JoinPath(path_, "topics")));
  for (const FileInfo& entry : entries) {
    const std::string name = entry.path.substr(entry.path.rfind('/') + 1);
    if (entry.is_directory && IsSafeName(name)) TM_RETURN_IF_ERROR(OpenTopic(name));
  }
  TM_RETURN_IF_ERROR(coordinator_->Recover(AllPartitions()));
  TM_RETURN_IF_ERROR(TakePositionsBack());
  last_housekeeping_ns_ = clock_.MonotonicNanos();
  if (options_.background_thread) scheduler_.StartThread();
  return Status::OK();
}

// Records may be read, and a position behind them committed, before they are on disk. When a power cut takes them their
// offsets are given out again, to records that the group has not read.
Status LogImpl::TakePositionsBack() {
  for (const std::string& group : positions_->Groups()) {
    std::vector<ConsumerPosition> beyond;
    for (ConsumerPosition& position : positions_->List(group)) {
      const auto partition = Find(position.topic, position.partition);
      const int64_t end = partition == nullptr ? INT64_MAX : partition->Offsets().end;
      if (position.offset <= end) continue;
      LogWarning("group '" + group + "' had read topic '" + position.topic + "', partition " +
                 std::to_string(position.partition) + " up to offset " + std::to_string(position.offset) +
                 ", which ends at " + std::to_string(end) + "; it goes on from there");
      position.offset = end;
      beyond.push_back(std::move(position));
    }
    if (!beyond.empty()) TM_RETURN_IF_ERROR(positions_->Commit(group, std::move(beyond)));
  }
  return Status::OK();
}

Status LogImpl::OpenTopic(const std::string& name) {
  const std::string directory = TopicPath(name);
  const std::string config_path = JoinPath(directory, "topic.config");
  if (!files_.Exists(config_path)) {
    // The config comes last when a topic is made, so this one never existed - unless it has records.
    TM_ASSIGN_OR_RETURN(const auto files, ListRecursively(files_, directory));
    for (const FileInfo& file : files) {
      if (ParseSegmentName(file.path) && file.size > 0)
        return Status(kCorruption, "'" + config_path + "' is missing, but the topic has records");
    }
    LogWarning("topic '" + name + "' was not completely made; it is removed");
    return RemoveRecursively(files_, directory);
  }
  TM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files_, config_path, kTopicConfigMax));
  Topic topic;
  TM_ASSIGN_OR_RETURN(TopicConfig config, ParseTopicConfig(text, config_path, &topic.id));
  topic.config = std::make_shared<const TopicConfig>(config);
  TM_RETURN_IF_ERROR(OpenPartitions(name, &topic));
  if (topic.id == TopicId{}) {  // made before topics had ids
    topic.id = MakeTopicId(name);
    TM_RETURN_IF_ERROR(WriteFileAtomically(files_, config_path, EncodeTopicConfig(config, topic.id)));
  }
  std::lock_guard lock(mutex_);
  names_[topic.id] = name;
  topics_[name] = std::move(topic);
  return Status::OK();
}

// Never the same twice in one data directory: the clock tells one opening of the log from the next, the number one
// topic from the next.
TopicId LogImpl::MakeTopicId(const std::string& name) {
  TopicId id{};
  const int64_t parts[] = {clock_.NowMicros(), ++topic_ids_};
  const XXH128_hash_t seed = XXH3_128bits(parts, sizeof parts);
  const XXH128_hash_t hash = XXH3_128bits_withSeed(name.data(), name.size(), seed.low64 ^ seed.high64);
  std::memcpy(id.data(), &hash.low64, 8);
  std::memcpy(id.data() + 8, &hash.high64, 8);
  id[6] = static_cast<uint8_t>((id[6] & 0x0f) | 0x80);  // RFC 9562, version 8: of the maker's own sort
  id[8] = static_cast<uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

std::optional<std::string> LogImpl::TopicName(const TopicId& id) const {
  std::lock_guard lock(mutex_);
  const auto it = names_.find(id);
  return it == names_.end() ? std::nullopt : std::optional(it->second);
}

Status LogImpl::OpenPartitions(const std::string& name, Topic* topic) {
  PartitionMetrics metrics;
  if (options_.metrics != nullptr) {
    metrics.records = options_.metrics->GetCounter("tidemill_log_appended_records_total",
                                                   "Records appended to the embedded log", {{"topic", name}});
    metrics.bytes = options_.metrics->GetCounter("tidemill_log_appended_bytes_total",
                                                 "Bytes appended to the embedded log", {{"topic", name}});
  }
  for (auto i = static_cast<int32_t>(topic->partitions.size()); i < topic->config->partitions; ++i) {
    if (options_.metrics != nullptr) {
      metrics.size = options_.metrics->GetGauge("tidemill_log_size_bytes", "Bytes the embedded log keeps",
                                                {{"topic", name}, {"partition", std::to_string(i)}});
    }
    TM_ASSIGN_OR_RETURN(
        auto partition,
        PartitionImpl::Open(context_, name, i, JoinPath(TopicPath(name), std::to_string(i)), topic->config, metrics));
    topic->partitions.push_back(std::move(partition));
  }
  return Status::OK();
}

Status LogImpl::UnknownTopicLocked(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& [topic, unused] : topics_) names.push_back(topic);
  const Status status(kUnknownTopic, "there is no topic '" + std::string(name) + "'");
  const std::string nearest = NearestName(name, names);
  return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
}

Status LogImpl::CreateTopic(const std::string& name, const TopicConfig& config) {
  if (!IsSafeName(name)) return Status(kInvalidName, "'" + name + "' can't be a topic's name");
  TM_RETURN_IF_ERROR(config.Validate());
  std::lock_guard changing(changing_mutex_);
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    if (topics_.contains(name)) return Status(kTopicExists, "there is a topic '" + name + "' already");
    if (topics_.size() >= kTopicsMax) return Status(kLimitExceeded, "a log has at most 10000 topics");
  }
  Topic topic;
  topic.id = MakeTopicId(name);
  topic.config = std::make_shared<const TopicConfig>(config);
  const std::string directory = TopicPath(name);
  TM_RETURN_IF_ERROR(RemoveRecursively(files_, directory));  // what an earlier, failed attempt left
  TM_RETURN_IF_ERROR(files_.CreateDirectories(directory));
  TM_RETURN_IF_ERROR(OpenPartitions(name, &topic));
  TM_RETURN_IF_ERROR(
      WriteFileAtomically(files_, JoinPath(directory, "topic.config"), EncodeTopicConfig(config, topic.id)));
  std::lock_guard lock(mutex_);
  names_[topic.id] = name;
  topics_[name] = std::move(topic);
  return Status::OK();
}

Status LogImpl::DeleteTopic(const std::string& name) {
  std::lock_guard changing(changing_mutex_);
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    if (!topics_.contains(name)) return UnknownTopicLocked(name);
  }
  // First: a topic of the same name that is made later must not inherit positions.
  TM_RETURN_IF_ERROR(positions_->ForgetTopic(name));
  Topic topic;
  {
    std::lock_guard lock(mutex_);
    const auto it = topics_.find(name);
    topic = std::move(it->second);
    topics_.erase(it);
    names_.erase(topic.id);
  }
  for (const auto& partition : topic.partitions)
    partition->Fail(Status(kUnknownTopic, "topic '" + name + "' was deleted"));
  TM_RETURN_IF_ERROR(positions_->ForgetTopic(name));
  // Renamed first: a crash in the middle of removing must not leave half a topic.
  const std::string trash = JoinPath(path_, "deleted");
  const std::string grave = JoinPath(trash, name + "-" + std::to_string(++deleted_));
  TM_RETURN_IF_ERROR(files_.CreateDirectories(trash));
  TM_RETURN_IF_ERROR(files_.Rename(TopicPath(name), grave));
  TM_RETURN_IF_ERROR(files_.SyncDirectory(JoinPath(path_, "topics")));
  return RemoveRecursively(files_, grave);
}

std::vector<std::string> LogImpl::ListTopics() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  return names;
}

Result<TopicDescription> LogImpl::Describe(const std::string& name) const {
  Topic topic;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    const auto it = topics_.find(name);
    if (it == topics_.end()) return UnknownTopicLocked(name);
    topic = it->second;
  }
  TopicDescription description{name, topic.id, *topic.config, {}, 0};
  for (const auto& partition : topic.partitions) {
    description.partitions.push_back(partition->Offsets());
    description.size_bytes += partition->size_bytes();
  }
  return description;
}

Status LogImpl::AlterTopic(const std::string& name, const TopicConfig& config) {
  TM_RETURN_IF_ERROR(config.Validate());
  std::lock_guard changing(changing_mutex_);
  Topic topic;
  {
    std::lock_guard lock(mutex_);
    TM_RETURN_IF_ERROR(closed_);
    const auto it = topics_.find(name);
    if (it == topics_.end()) return UnknownTopicLocked(name);
    topic = it->second;
  }
  if (config.partitions < topic.config->partitions) {
    return Status(kInvalidTopicConfig, "topic '" + name + "' has " + std::to_string(topic.config->partitions) +
                                           " partitions; they can't become fewer");
  }
  topic.config = std::make_shared<const TopicConfig>(config);
  TM_RETURN_IF_ERROR(OpenPartitions(name, &topic));
  TM_RETURN_IF_ERROR(
      WriteFileAtomically(files_, JoinPath(TopicPath(name), "topic.config"), EncodeTopicConfig(config, topic.id)));
  for (const auto& partition : topic.partitions) partition->SetConfig(topic.config);
  std::lock_guard lock(mutex_);
  topics_[name] = std::move(topic);
  return Status::OK();
}

std::shared_ptr<PartitionImpl> LogImpl::Find(std::string_view topic, int32_t index) const {
  std::lock_guard lock(mutex_);
  const auto it = topics_.find(topic);
  if (it == topics_.end() || index < 0 || index >= static_cast<int32_t>(it->second.partitions.size())) return nullptr;
  return it->second.partitions[static_cast<size_t>(index)];
}

Result<std::shared_ptr<Partition>> LogImpl::partition(std::string_view topic, int32_t index) {
  if (auto found = Find(topic, index)) return std::shared_ptr<Partition>(std::move(found));
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(closed_);
  const auto it = topics_.find(topic);
  if (it == topics_.end()) return UnknownTopicLocked(topic);
  return Status(kUnknownPartition, "topic '" + std::string(topic) + "' has partitions 0 to " +
                                       std::to_string(it->second.partitions.size() - 1) + ", not " +
                                       std::to_string(index));
}

std::vector<std::shared_ptr<PartitionImpl>> LogImpl::AllPartitions() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<PartitionImpl>> all;
  for (const auto& [name, topic] : topics_) all.insert(all.end(), topic.partitions.begin(), topic.partitions.end());
  return all;
}

void LogImpl::Housekeeping() {
  for (const auto& partition : AllPartitions()) partition->Housekeeping();
  context_.open_segments.Prune();
  if (!health_.ok()) return;
  for (const Status& status : {coordinator_->Housekeeping(), positions_->Compact()}) {
    if (!status.ok()) LogWarning("housekeeping of the log: " + status.ToString());
  }
  if (!options_.background_thread) return CompactAll();
  for (const auto& partition : AllPartitions()) {
    if (partition->MayCompact()) return compaction_.Wake();
  }
}

void LogImpl::CompactAll() {
  for (const auto& partition : AllPartitions()) {
    if (context_.stopping.load() || !health_.ok()) return;
    if (!partition->MayCompact()) continue;
    const Status status = partition->Compact();
    if (!status.ok() && !status.Is(kLogClosed) && !status.Is(kUnknownTopic)) {
      LogWarning("compacting topic '" + partition->topic() + "', partition " + std::to_string(partition->index()) +
                 ": " + status.ToString());
    }
  }
}

void LogImpl::RunPending() {
  if (options_.background_thread) return;
  scheduler_.RunPending();
  const int64_t now = clock_.MonotonicNanos();
  if (now - last_housekeeping_ns_ < options_.housekeeping_interval_ms * 1'000'000) return;
  last_housekeeping_ns_ = now;
  Housekeeping();
}

Status LogImpl::Close() {
  const Status why(kLogClosed, "the log is closed");
  std::lock_guard changing(changing_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (!closed_.ok()) return closed_;
    closed_ = why;
  }
  context_.stopping.store(true);
  scheduler_.Stop();
  compaction_.Stop();
  Status result;
  const auto keep = [&](Status status) {
    if (result.ok()) result = std::move(status);
  };
  for (const auto& partition : AllPartitions()) keep(partition->Close(why));
  if (coordinator_ != nullptr) keep(coordinator_->Close(why));
  if (positions_ != nullptr) keep(positions_->Close(why));
  lock_.reset();
  return result;
}

}  // namespace log_internal

Result<std::unique_ptr<Log>> Log::Open(FileSystem& files, const Clock& clock, const std::string& path,
                                       LogOptions options) {
  auto log = std::make_unique<log_internal::LogImpl>(files, clock, path, options);
  TM_RETURN_IF_ERROR(log->OpenAll());
  return std::unique_ptr<Log>(std::move(log));
}

}  // namespace tidemill
