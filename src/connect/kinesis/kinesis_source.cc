#include "connect/kinesis/kinesis_source.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include "base/errors.h"
#include "base/logging.h"
#include "connect/errors.h"
#include "connect/kinesis/kinesis_client.h"
#include "connect/kinesis/shard_follower.h"
#include "connect/kinesis/shard_tree.h"
#include "connect/record_decoder.h"
#include "connect/record_rows.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

enum KinesisMetadata : int { kArrival, kShardId, kSequenceNumber };

class ShardReader final : public SplitReader {
 public:
  ShardReader(std::string stream, std::string shard, ShardPosition position, const RecordLayout& layout,
              std::unique_ptr<RowDecoder> decoder, SplitContext context, Gauge* lag_seconds,
              std::function<void()> on_end)
      : stream_(std::move(stream)),
        shard_(std::move(shard)),
        position_(std::move(position)),
        layout_(layout),
        decoder_(std::move(decoder)),
        context_(std::move(context)),
        lag_seconds_(lag_seconds),
        on_end_(std::move(on_end)) {
    decoder_->SetOrigin(stream_, 0);
  }

  void Start(std::shared_ptr<KinesisClient> client, const KinesisShard& shard, std::function<bool()> is_closed) {
    follower_ =
        std::make_unique<ShardFollower>(std::move(client), shard, position_, std::move(is_closed), context_.wake);
  }

  // An answer's records are given out whole where they fit, else in parts; the position moves on with the last part of
  // a record that was taken apart.
  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    if (done_ == chunk_.records.size() && position_.kind != ShardPosition::Kind::kEnded) {
      TM_ASSIGN_OR_RETURN(std::optional<ShardChunk> next, follower_->Take());
      outcome.idle = !next;
      if (next) {
        chunk_ = *std::move(next);
        done_ = 0;
        if (!chunk_.failed.empty()) RejectAggregate();
        if (chunk_.records.empty()) position_ = chunk_.after;
      }
    }
    if (done_ < chunk_.records.size()) TM_RETURN_IF_ERROR(DecodeSome(rows_max, &outcome.batch));
    if (position_.kind == ShardPosition::Kind::kEnded) {
      outcome.ended = true;
      on_end_();
    }
    outcome.position = position_.ToText();
    if (follower_ != nullptr && follower_->millis_behind() >= 0)
      lag_seconds_->Set(static_cast<double>(follower_->millis_behind()) / 1000.0);
    return outcome;
  }

  std::optional<std::string> StartPosition() const override { return position_.ToText(); }

 private:
  Status DecodeSome(int rows_max, Batch* batch) {
    size_t end = std::min(chunk_.records.size(), done_ + static_cast<size_t>(rows_max));
    // Never between records of one sequence number.
    while (end < chunk_.records.size() && end > done_ &&
           chunk_.records[end].sequence_number == chunk_.records[end - 1].sequence_number)
      --end;
    if (end == done_) {
      do {
        ++end;
      } while (end < chunk_.records.size() &&
               chunk_.records[end].sequence_number == chunk_.records[end - 1].sequence_number);
    }
    const auto records = std::span(chunk_.records).subspan(done_, end - done_);
    TM_RETURN_IF_ERROR(Decode(records, batch));
    done_ = end;
    position_.kind = ShardPosition::Kind::kAfter;
    position_.sequence_number = records.back().sequence_number;
    if (done_ == chunk_.records.size()) position_ = chunk_.after;
    return Status::OK();
  }

  Status Decode(std::span<const KinesisRecord> records, Batch* batch) {
    rows_.clear();
    for (size_t i = 0; i < records.size(); ++i) rows_.push_back({records[i].data, static_cast<int64_t>(i)});
    NamedRejects named(*context_.rejects, [&](int64_t place, int64_t* offset) {
      if (place < 0 || place >= static_cast<int64_t>(records.size())) return std::string();
      *offset = -1;
      return shard_ + " " + records[static_cast<size_t>(place)].sequence_number;
    });
    TM_ASSIGN_OR_RETURN(const RowDecoder::Output values, decoder_->Decode(rows_, named));
    if (values.input_index.empty()) return Status::OK();
    TM_ASSIGN_OR_RETURN(batch->rows, AssembleRecordRows(layout_, values, [&](int metadata) {
                          return MetadataOf(metadata, records, values.input_index);
                        }));
    if (records[0].arrival_ms > 0) batch->ingest_us = records[0].arrival_ms * 1000;
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::Array>> MetadataOf(int metadata, std::span<const KinesisRecord> records,
                                                   const std::vector<int32_t>& inputs) const {
    std::shared_ptr<arrow::Array> array;
    if (metadata == kArrival) {
      arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"), arrow::default_memory_pool());
      for (const int32_t input : inputs)
        TM_ARROW_RETURN_IF_ERROR(builder.Append(records[static_cast<size_t>(input)].arrival_ms), "metadata column");
      TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
      return array;
    }
    arrow::StringBuilder builder;
    for (const int32_t input : inputs) {
      TM_ARROW_RETURN_IF_ERROR(
          builder.Append(metadata == kShardId ? shard_ : records[static_cast<size_t>(input)].sequence_number),
          "metadata column");
    }
    TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
    return array;
  }

  void RejectAggregate() {
    context_.rejects->Reject({.reason = RejectReason::kMalformed,
                              .source = stream_,
                              .detail = shard_ + " " + chunk_.failed +
                                        ": the record says that it is one of the Kinesis Producer Library's, but "
                                        "can't be taken apart"});
  }

  const std::string stream_;
  const std::string shard_;
  ShardPosition position_;
  const RecordLayout& layout_;
  std::unique_ptr<RowDecoder> decoder_;
  SplitContext context_;
  Gauge* const lag_seconds_;
  const std::function<void()> on_end_;
  ShardChunk chunk_;
  size_t done_ = 0;
  std::vector<EncodedRow> rows_;
  std::unique_ptr<ShardFollower> follower_;  // last: its thread calls `wake`
};

class KinesisSource final : public Source {
 public:
  KinesisSource(const ScanSpec& scan, KinesisTableOptions options, AwsCredentials credentials,
                std::shared_ptr<SchemaSource> schemas, const ConnectorContext& context)
      : schemas_(std::move(schemas)),
        layout_(RecordLayout::Make(scan, KinesisMetadataColumns())),
        clock_(*context.clock),
        client_(std::make_shared<KinesisClient>(*context.network, *context.clock, std::move(options),
                                                std::move(credentials))) {}

  ~KinesisSource() override {
    {
      std::lock_guard<std::mutex> lock(state_->mutex);
      state_->stopping = true;
    }
    state_->changed.notify_all();
    stop_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void OnRestore(const std::map<std::string, SavedSplit>& splits) override { saved_ = splits; }

  Result<std::vector<SourceSplit>> Splits() override {
    TM_ASSIGN_OR_RETURN(const std::vector<KinesisShard> shards, client_->ListShards(stop_));
    std::vector<SourceSplit> splits;
    std::lock_guard<std::mutex> lock(state_->mutex);
    ShardTree& tree = state_->tree;
    tree.Update(shards);
    for (const auto& [id, saved] : saved_) {
      tree.MarkAncestorsEnded(id);
      const bool ended = saved.ended || (saved.position && *saved.position == "ended");
      const auto found = tree.shards().find(id);
      // That one has ended is to be known as long as it is listed: what came out of it may not have been read yet.
      if (ended && found == tree.shards().end()) continue;
      ended ? tree.MarkEnded(id) : tree.MarkTaken(id);
      splits.push_back(SplitOf(id));
      KinesisShard shard;
      shard.id = id;
      state_->known.emplace(id, found == tree.shards().end() ? shard : found->second);
    }
    if (saved_.empty() && client_->options().start == KinesisStart::kLatest) {
      for (const KinesisShard& shard : shards) {
        if (shard.closed) tree.MarkEnded(shard.id);
      }
    }
    for (KinesisShard& shard : tree.TakeReady()) {
      splits.push_back(SplitOf(shard.id));
      state_->known.emplace(shard.id, std::move(shard));
    }
    thread_ = std::thread([this] { Watch(); });
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    KinesisShard shard;
    {
      std::lock_guard<std::mutex> lock(state_->mutex);
      const auto found = state_->known.find(split.id);
      if (found == state_->known.end()) return Status(kInternalError, "no shard '" + split.id + "'");
      shard = found->second;
    }
    ShardPosition start;
    if (position) {
      TM_ASSIGN_OR_RETURN(start, ShardPosition::Parse(*position));
      if (start.kind == ShardPosition::Kind::kLatest) start.kind = ShardPosition::Kind::kTimestamp;
    } else {
      start = StartOf(context.restored_without);
    }
    const KinesisTableOptions& options = client_->options();
    TM_ASSIGN_OR_RETURN(
        auto decoder, MakeRecordDecoder(options.format, layout_.value_schema, layout_.value_all, options.format_options,
                                        {schemas_, options.stream, false, nullptr}));
    Labels labels;
    for (const auto& label : context.labels) {
      if (label.first == "pipeline") labels.push_back(label);
    }
    labels.emplace_back("topic", options.stream);
    labels.emplace_back("partition", split.id);
    Gauge* lag_seconds = context.metrics->GetGauge(
        "tidemill_source_lag_seconds", "Age of the last record that was read, while there are younger ones.", labels);
    auto reader =
        std::make_unique<ShardReader>(options.stream, split.id, start, layout_, std::move(decoder), std::move(context),
                                      lag_seconds, [state = state_, id = split.id] { state->End(id); });
    reader->Start(client_, shard, [state = state_, id = split.id] {
      std::lock_guard<std::mutex> lock(state->mutex);
      return state->tree.IsClosed(id);
    });
    return std::unique_ptr<SplitReader>(std::move(reader));
  }

  bool bounded() const override { return false; }

  std::vector<SourceSplit> LaterSplits(size_t from) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    return {later_.begin() + static_cast<ptrdiff_t>(std::min(from, later_.size())), later_.end()};
  }

  void OnLaterSplits(std::function<void()> found) override {
    std::lock_guard<std::mutex> lock(state_->mutex);
    found_.push_back(std::move(found));
  }

 private:
  // What readers share with the source; they may live a little longer.
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool stopping = false;
    bool look_now = false;
    ShardTree tree;
    std::map<std::string, KinesisShard> known;  // those that were given out

    void End(const std::string& id) {
      {
        std::lock_guard<std::mutex> lock(mutex);
        tree.MarkEnded(id);
        look_now = true;
      }
      changed.notify_all();
    }
  };

  SourceSplit SplitOf(const std::string& id) const { return {id, "", -1}; }

  ShardPosition StartOf(bool appeared_later) const {
    ShardPosition start;
    if (client_->options().start == KinesisStart::kTimestamp) {
      start.kind = ShardPosition::Kind::kTimestamp;
      start.timestamp_ms = client_->options().start_ms;
    } else if (client_->options().start == KinesisStart::kLatest && !appeared_later) {
      start.kind = ShardPosition::Kind::kLatest;
      start.timestamp_ms = clock_.NowMicros() / 1000;
    }
    return start;  // else all of it: of a shard that appeared later all is new
  }

  // Looks for new shards every discovery interval, and when one has ended.
  void Watch() {
    std::unique_lock<std::mutex> lock(state_->mutex);
    while (!state_->stopping) {
      state_->changed.wait_for(lock, std::chrono::milliseconds(client_->options().discovery_interval_ms),
                               [&] { return state_->stopping || state_->look_now; });
      if (state_->stopping) return;
      state_->look_now = false;
      lock.unlock();
      Result<std::vector<KinesisShard>> shards = client_->ListShards(stop_);
      lock.lock();
      if (state_->stopping) return;
      if (!shards.ok()) {
        LogWarning("looking for new shards: " + shards.status().ToString());
        continue;
      }
      state_->tree.Update(*shards);
      const std::vector<KinesisShard> ready = state_->tree.TakeReady();
      for (const KinesisShard& shard : ready) {
        LogInfo("stream '" + client_->options().stream + "': reading " + shard.id);
        later_.push_back(SplitOf(shard.id));
        state_->known.emplace(shard.id, shard);
      }
      if (ready.empty()) continue;
      const std::vector<std::function<void()>> found = found_;
      lock.unlock();
      for (const auto& wake : found) wake();
      lock.lock();
    }
  }

  const std::shared_ptr<SchemaSource> schemas_;
  const RecordLayout layout_;
  const Clock& clock_;
  const std::shared_ptr<KinesisClient> client_;
  const std::shared_ptr<WaitStop> stop_ = std::make_shared<WaitStop>();
  const std::shared_ptr<State> state_ = std::make_shared<State>();
  std::map<std::string, SavedSplit> saved_;
  std::vector<SourceSplit> later_;            // under the state's mutex
  std::vector<std::function<void()>> found_;  // under the state's mutex
  std::thread thread_;
};

}  // namespace

std::vector<MetadataColumn> KinesisMetadataColumns() {
  return {{"timestamp", DataType::TimestampLtz(3, false)},
          {"shard-id", DataType(TypeKind::kString, false)},
          {"sequence-number", DataType(TypeKind::kString, false)}};
}

Result<std::unique_ptr<Source>> MakeKinesisSource(const ScanSpec& scan, KinesisTableOptions options,
                                                  const ConnectorContext& context) {
  if (context.network == nullptr) return Status(kInvalidConfig, "'kinesis' needs a network");
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(AwsCredentials credentials, ResolveAwsCredentials(table, *context.files));
  TM_ASSIGN_OR_RETURN(auto schemas, OpenSchemaSource(options.format, options.format_options, context));
  return std::unique_ptr<Source>(
      new KinesisSource(scan, std::move(options), std::move(credentials), std::move(schemas), context));
}

}  // namespace tidemill
