#include "connect/kafka/kafka_source.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <re2/re2.h>

#include "base/logging.h"
#include "connect/errors.h"
#include "connect/kafka/kafka_consumer.h"
#include "connect/kafka/kafka_places.h"
#include "connect/kafka/kafka_rows.h"
#include "connect/offset_position.h"

namespace tidemill {
namespace {

constexpr int64_t kLagIntervalMs = 1000;
// Kafka's own topics: a pattern does not mean them.
constexpr std::string_view kInternalTopics[] = {"__consumer_offsets", "__transaction_state", "__share_group_state"};

// How far a reader is, for the thread that shows its lag.
struct KafkaProgress {
  KafkaProgress(Gauge* in_records, Gauge* in_seconds) : lag_records(in_records), lag_seconds(in_seconds) {}
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> last_timestamp_ms{-1};
  std::atomic<int64_t> end{-1};
  Gauge* const lag_records;
  Gauge* const lag_seconds;

  int64_t Lag() const {
    const int64_t known = end.load(std::memory_order_relaxed);
    return known < 0 ? -1 : std::max<int64_t>(0, known - next.load(std::memory_order_relaxed));
  }
  // Seconds: how old the last record is that was read, while there are younger ones.
  void Show(int64_t now_ms) const {
    const int64_t lag = Lag();
    if (lag < 0) return;
    lag_records->Set(static_cast<double>(lag));
    const int64_t read = last_timestamp_ms.load(std::memory_order_relaxed);
    if (lag == 0) {
      lag_seconds->Set(0);
    } else if (read >= 0) {
      lag_seconds->Set(static_cast<double>(std::max<int64_t>(0, now_ms - read)) / 1000.0);
    }
  }
};

class KafkaSplitReader final : public SplitReader {
 public:
  KafkaSplitReader(OffsetPosition position, std::unique_ptr<KafkaRowDecoder> decoder, int rows_per_record,
                   SplitContext context, std::shared_ptr<KafkaProgress> progress)
      : position_(position),
        rows_per_record_(rows_per_record),
        decoder_(std::move(decoder)),
        context_(std::move(context)),
        progress_(std::move(progress)) {
    progress_->next.store(position_.next);
  }

  Status Start(std::shared_ptr<KafkaClient> consumer, const KafkaPartition& partition) {
    if (ended()) return Status::OK();
    TM_ASSIGN_OR_RETURN(queue_, KafkaQueue::Start(std::move(consumer), partition, position_.next, context_.wake));
    return Status::OK();
  }

  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    outcome.position = position_.ToText();
    outcome.ended = ended();
    if (outcome.ended) return outcome;
    int64_t reached = -1;
    TM_RETURN_IF_ERROR(queue_->Take(std::max(1, rows_max / rows_per_record_), &records_, &reached));
    outcome.idle = records_.empty();
    while (!records_.empty() && position_.end >= 0 && records_.back().offset >= position_.end) records_.pop_back();
    if (!records_.empty()) {
      TM_RETURN_IF_ERROR(decoder_->Decode(records_, *context_.rejects, &outcome.batch));
      progress_->last_timestamp_ms.store(records_.back().timestamp_ms, std::memory_order_relaxed);
    }
    if (reached > position_.next) position_.next = reached;
    if (ended()) position_.next = position_.end;
    progress_->next.store(position_.next, std::memory_order_relaxed);
    progress_->end.store(queue_->end_offset(), std::memory_order_relaxed);
    outcome.position = position_.ToText();
    outcome.ended = ended();
    return outcome;
  }

  std::optional<std::string> StartPosition() const override { return position_.ToText(); }
  int64_t LagRecords() const override { return progress_->Lag(); }

 private:
  bool ended() const { return position_.end >= 0 && position_.next >= position_.end; }

  OffsetPosition position_;
  const int rows_per_record_;
  std::unique_ptr<KafkaRowDecoder> decoder_;
  SplitContext context_;
  std::shared_ptr<KafkaProgress> progress_;
  std::unique_ptr<KafkaQueue> queue_;
  std::vector<KafkaRecord> records_;
};

class KafkaSource final : public Source {
 public:
  KafkaSource(const ScanSpec& scan, KafkaTableOptions options, KafkaConnection connection, KafkaSchemas schemas,
              const ConnectorContext& context)
      : options_(std::move(options)),
        schemas_(std::move(schemas)),
        connection_(std::move(connection)),
        layout_(KafkaReadLayout::Make(scan, options_)),
        table_(*scan.table),
        clock_(*context.clock) {}

  ~KafkaSource() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<std::vector<SourceSplit>> Splits() override {
    TM_ASSIGN_OR_RETURN(asker_, MakeKafkaConsumer(connection_, 1, "error"));
    TM_ASSIGN_OR_RETURN(const auto topics, asker_->Topics());
    TM_RETURN_IF_ERROR(CheckTopics(topics));
    std::vector<SourceSplit> splits;
    for (KafkaPartition& partition : WantedOf(topics)) {
      splits.push_back(SplitOf(partition));
      known_.insert_or_assign(splits.back().id, partition);
      partitions_.push_back(std::move(partition));
    }
    const std::string& reset = options_.properties.offset_reset;
    KafkaConnection reading = connection_;
    reading.group_id.clear();  // partitions are assigned by the job
    TM_ASSIGN_OR_RETURN(
        consumer_, MakeKafkaConsumer(reading, partitions_.size(), reset.empty() || reset == "none" ? "error" : reset));
    thread_ = std::thread([this] { Watch(); });
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    KafkaPartition partition;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      const auto found = known_.find(split.id);
      if (found == known_.end()) return Status(kInternalError, "no split '" + split.id + "'");
      partition = found->second;
    }
    OffsetPosition start;
    if (position) {
      TM_ASSIGN_OR_RETURN(start, OffsetPosition::Parse(*position));
    } else {
      TM_ASSIGN_OR_RETURN(start.next, StartOf(partition, context.restored_without));
    }
    if (options_.bounded() && start.end < 0) {
      TM_ASSIGN_OR_RETURN(start.end, EndOf(partition));
    }
    TM_ASSIGN_OR_RETURN(auto decoder, KafkaRowDecoder::Make(layout_, options_, partition, schemas_));
    Labels labels;
    for (const auto& label : context.labels) {
      if (label.first == "pipeline") labels.push_back(label);
    }
    labels.emplace_back("topic", partition.topic);
    labels.emplace_back("partition", std::to_string(partition.partition));
    auto progress = std::make_shared<KafkaProgress>(
        context.metrics->GetGauge("tidemill_source_lag_records", "Rows that are there and not read yet.", labels),
        context.metrics->GetGauge("tidemill_source_lag_seconds",
                                  "Age of the last record that was read, while there are younger ones.", labels));
    {
      std::lock_guard<std::mutex> lock(mutex_);
      progress_.push_back(progress);
    }
    auto reader = std::make_unique<KafkaSplitReader>(start, std::move(decoder), layout_.changelog ? 2 : 1,
                                                     std::move(context), std::move(progress));
    TM_RETURN_IF_ERROR(reader->Start(consumer_, partition));
    return std::unique_ptr<SplitReader>(std::move(reader));
  }

  bool bounded() const override { return options_.bounded(); }

  std::vector<SourceSplit> LaterSplits(size_t from) override {
    std::lock_guard<std::mutex> lock(mutex_);
    return {later_.begin() + static_cast<ptrdiff_t>(std::min(from, later_.size())), later_.end()};
  }

  void OnLaterSplits(std::function<void()> found) override {
    std::lock_guard<std::mutex> lock(mutex_);
    found_.push_back(std::move(found));
  }

  void OnEpochCommitted(const std::map<std::string, std::string>& positions) override {
    std::map<KafkaPartition, int64_t> offsets;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (const auto& [split, text] : positions) {
        const auto partition = known_.find(split);
        const Result<OffsetPosition> position = OffsetPosition::Parse(text);
        if (partition != known_.end() && position.ok()) offsets[partition->second] = position->next;
      }
    }
    if (asker_->TakeCommitFailure()) committed_.clear();
    std::erase_if(offsets, [&](const auto& entry) {
      const auto before = committed_.find(entry.first);
      return before != committed_.end() && before->second == entry.second;
    });
    asker_->CommitAsync(offsets);
    for (const auto& [partition, offset] : offsets) committed_[partition] = offset;
  }

 private:
  static SourceSplit SplitOf(const KafkaPartition& partition) {
    return {partition.ToString(), partition.topic, partition.partition};
  }

  std::vector<KafkaPartition> WantedOf(const std::map<std::string, int32_t>& topics) const {
    std::vector<KafkaPartition> wanted;
    const re2::RE2 pattern(options_.topic_pattern, re2::RE2::Quiet);
    for (const auto& [topic, partitions] : topics) {
      const bool named = std::find(options_.topics.begin(), options_.topics.end(), topic) != options_.topics.end();
      const bool internal =
          std::find(std::begin(kInternalTopics), std::end(kInternalTopics), topic) != std::end(kInternalTopics);
      const bool fits = !options_.topic_pattern.empty() && !internal && re2::RE2::FullMatch(topic, pattern);
      if (!named && !fits) continue;
      for (int32_t i = 0; i < partitions; ++i) wanted.push_back({topic, i});
    }
    return wanted;
  }

  Status CheckTopics(const std::map<std::string, int32_t>& topics) const {
    std::vector<std::string> names;
    for (const auto& [topic, partitions] : topics) names.push_back(topic);
    for (const std::string& topic : options_.topics) {
      if (topics.contains(topic)) continue;
      Status status(kKafkaUnknownTopic, "Kafka at " + connection_.servers + " has no topic '" + topic + "'");
      const std::string nearest = NearestName(topic, names);
      if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
      const auto place = table_.option_positions.find("topic");
      return status.At(place != table_.option_positions.end() ? place->second : table_.position);
    }
    if (!options_.topic_pattern.empty() && WantedOf(topics).empty()) {
      const std::string text =
          "Kafka at " + connection_.servers + " has no topic that fits '" + options_.topic_pattern + "'";
      if (bounded() || options_.discovery_interval_ms == 0) return OptionError(table_, "topic-pattern", text);
      LogWarning(text + " yet");
    }
    return Status::OK();
  }

  // Asked once for all partitions, when the first of them has no saved position.
  Result<int64_t> StartOf(const KafkaPartition& partition, bool appeared_later) {
    if (appeared_later) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (const auto found = later_starts_.find(partition); found != later_starts_.end()) return found->second;
    }
    if (appeared_later) {
      if (!earliest_) {
        TM_ASSIGN_OR_RETURN(earliest_,
                            ResolveKafkaPlace(*asker_, {KafkaPlace::Kind::kEarliest, 0, {}}, false, "", partitions_));
      }
      return earliest_->at(partition);
    }
    if (!starts_) {
      TM_ASSIGN_OR_RETURN(
          starts_, ResolveKafkaPlace(*asker_, options_.start, false, options_.properties.offset_reset, partitions_));
    }
    return starts_->at(partition);
  }

  Result<int64_t> EndOf(const KafkaPartition& partition) {
    if (!ends_) {
      TM_ASSIGN_OR_RETURN(
          ends_, ResolveKafkaPlace(*asker_, options_.end, true, options_.properties.offset_reset, partitions_));
    }
    return ends_->at(partition);
  }

  // Shows the lag every second, looks for new partitions every discovery interval.
  void Watch() {
    const bool discovers = !bounded() && options_.discovery_interval_ms > 0;
    int64_t look_at = clock_.MonotonicNanos() + options_.discovery_interval_ms * 1'000'000;
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stopping_) {
      const int64_t step_ms = discovers ? std::min(kLagIntervalMs, options_.discovery_interval_ms) : kLagIntervalMs;
      changed_.wait_for(lock, std::chrono::milliseconds(step_ms), [&] { return stopping_; });
      if (stopping_) return;
      const int64_t now_ms = clock_.NowMicros() / 1000;
      for (const auto& progress : progress_) progress->Show(now_ms);
      asker_->Serve();
      consumer_->Serve();
      if (!discovers || clock_.MonotonicNanos() < look_at) continue;
      lock.unlock();
      const Status status = Discover();
      if (!status.ok()) LogWarning("looking for new partitions: " + status.ToString());
      look_at = clock_.MonotonicNanos() + options_.discovery_interval_ms * 1'000'000;
      lock.lock();
    }
  }

  Status Discover() {
    TM_ASSIGN_OR_RETURN(const auto topics, asker_->Topics());
    std::vector<KafkaPartition> fresh;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (KafkaPartition& partition : WantedOf(topics)) {
        if (!known_.contains(partition.ToString())) fresh.push_back(std::move(partition));
      }
    }
    if (fresh.empty()) return Status::OK();
    // All of a new partition is new, whatever the startup mode.
    TM_ASSIGN_OR_RETURN(const auto starts,
                        ResolveKafkaPlace(*asker_, {KafkaPlace::Kind::kEarliest, 0, {}}, false, "", fresh));
    std::vector<std::function<void()>> found;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (const KafkaPartition& partition : fresh) {
        LogInfo("Kafka at " + connection_.servers + ": new partition " + partition.ToString());
        later_.push_back(SplitOf(partition));
        later_starts_[partition] = starts.at(partition);
        known_.insert_or_assign(partition.ToString(), partition);
      }
      found = found_;
    }
    for (const auto& wake : found) wake();
    return Status::OK();
  }

  const KafkaTableOptions options_;
  const KafkaSchemas schemas_;
  const KafkaConnection connection_;
  const KafkaReadLayout layout_;
  const TableDefinition table_;
  const Clock& clock_;
  std::shared_ptr<KafkaClient> asker_;     // questions and commits
  std::shared_ptr<KafkaClient> consumer_;  // records
  std::vector<KafkaPartition> partitions_;
  std::optional<std::map<KafkaPartition, int64_t>> starts_, earliest_, ends_;
  std::map<KafkaPartition, int64_t> committed_;  // of the job's thread

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, KafkaPartition> known_;  // by split
  std::vector<SourceSplit> later_;
  std::map<KafkaPartition, int64_t> later_starts_;
  std::vector<std::function<void()>> found_;
  std::vector<std::shared_ptr<KafkaProgress>> progress_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeKafkaSource(const ScanSpec& scan, KafkaTableOptions options,
                                                const ConnectorContext& context) {
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(KafkaProperties properties, ResolveKafkaProperties(table, *context.files));
  KafkaConnection connection = std::move(properties.connection);
  if (connection.group_id.empty()) connection.group_id = "KafkaSource-" + table.name;
  TM_ASSIGN_OR_RETURN(KafkaSchemas schemas, OpenKafkaSchemas(options, context));
  return std::unique_ptr<Source>(
      new KafkaSource(scan, std::move(options), std::move(connection), std::move(schemas), context));
}

}  // namespace tidemill
