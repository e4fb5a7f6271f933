#include "connect/redis_streams/redis_source.h"

#include <algorithm>

#include "base/errors.h"
#include "connect/errors.h"
#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/stream_follower.h"
#include "connect/schema_registry/open_schema_source.h"

namespace tidemill {
namespace {

Result<StreamInfo> AskStreamInfo(RedisClient& client, const std::string& server, const std::string& stream) {
  std::string command;
  AppendRespCommand(std::initializer_list<std::string_view>{"XINFO", "STREAM", stream}, &command);
  TM_RETURN_IF_ERROR(client.Send(command));
  TM_ASSIGN_OR_RETURN(const RespReply reply, client.Receive());
  if (reply.nodes[0].type != RespType::kError) return StreamInfoOf(reply, 0);
  if (reply.text(0u) == "ERR no such key") return StreamInfo();
  return RedisStatus(server, reply.text(0u)).WithContext("stream '" + stream + "'");
}

class RedisSplitReader final : public SplitReader {
 public:
  RedisSplitReader(StreamPosition position, std::unique_ptr<RedisRowDecoder> decoder, SplitContext context,
                   Gauge* lag_seconds)
      : position_(position), decoder_(std::move(decoder)), context_(std::move(context)), lag_seconds_(lag_seconds) {}

  void Start(Network& network, StreamFollower::Options options) {
    if (position_.ended()) return;
    options.wake = context_.wake;
    follower_ = std::make_unique<StreamFollower>(network, std::move(options), position_);
  }

  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    if (!position_.ended() && done_ == chunk_.entries.size()) {
      TM_ASSIGN_OR_RETURN(std::optional<StreamChunk> next, follower_->Take());
      outcome.idle = !next;
      if (next) {
        chunk_ = *std::move(next);
        done_ = 0;
        position_ = chunk_.entries.empty() ? chunk_.after : chunk_.before;
      }
    }
    if (done_ < chunk_.entries.size()) {
      const size_t count = std::min(chunk_.entries.size() - done_, static_cast<size_t>(rows_max));
      const auto entries = std::span(chunk_.entries).subspan(done_, count);
      TM_RETURN_IF_ERROR(decoder_->Decode(chunk_.reply, entries, *context_.rejects, &outcome.batch));
      done_ += count;
      position_.last = entries.back().id;
      position_.chosen = false;
      if (position_.ordinal >= 0) position_.ordinal += static_cast<int64_t>(count);
      if (done_ == chunk_.entries.size()) position_ = chunk_.after;
    }
    outcome.position = position_.ToText();
    outcome.ended = position_.ended();
    ShowLag();
    return outcome;
  }

  std::optional<std::string> StartPosition() const override { return position_.ToText(); }

  int64_t LagRecords() const override {
    const int64_t added = follower_ == nullptr ? -1 : follower_->added();
    if (added < 0 || position_.ordinal < 0) return -1;
    return std::max<int64_t>(0, added - position_.ordinal);
  }

 private:
  // How old the last entry is that was read, while there are younger ones.
  void ShowLag() const {
    const int64_t lag = LagRecords();
    if (lag < 0) return;
    const auto read_ms = static_cast<int64_t>(std::min<uint64_t>(position_.last.ms, INT64_MAX));
    const int64_t age_ms = context_.clock->NowMicros() / 1000 - read_ms;
    lag_seconds_->Set(lag == 0 ? 0 : static_cast<double>(std::max<int64_t>(0, age_ms)) / 1000.0);
  }

  StreamPosition position_;
  std::unique_ptr<RedisRowDecoder> decoder_;
  SplitContext context_;
  Gauge* const lag_seconds_;
  StreamChunk chunk_;
  size_t done_ = 0;                           // entries of the chunk
  std::unique_ptr<StreamFollower> follower_;  // last: its thread calls `wake`
};

class RedisSource final : public Source {
 public:
  RedisSource(const ScanSpec& scan, RedisTableOptions options, RedisEndpoint endpoint,
              std::shared_ptr<SchemaSource> schemas, Network& network)
      : options_(std::move(options)),
        endpoint_(std::move(endpoint)),
        schemas_(std::move(schemas)),
        layout_(RecordLayout::Make(scan, RedisMetadataColumns())),
        network_(network) {}

  Result<std::vector<SourceSplit>> Splits() override {
    TM_ASSIGN_OR_RETURN(asker_, RedisClient::Connect(network_, endpoint_, std::make_shared<const CancelSignal>()));
    std::vector<SourceSplit> splits;
    for (const std::string& stream : options_.streams) splits.push_back({stream, stream, 0});
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    StreamPosition start;
    if (position) {
      TM_ASSIGN_OR_RETURN(start, StreamPosition::Parse(*position));
    } else if (!context.restored_without) {
      TM_ASSIGN_OR_RETURN(start, StartOf(split.id));
    }
    if (options_.bounded() && !start.end) {
      TM_ASSIGN_OR_RETURN(start.end, EndOf(split.id));
    }
    TM_ASSIGN_OR_RETURN(auto decoder, RedisRowDecoder::Make(layout_, options_, split.id, schemas_));
    Labels labels;
    for (const auto& label : context.labels) {
      if (label.first == "pipeline") labels.push_back(label);
    }
    labels.emplace_back("topic", split.id);
    labels.emplace_back("partition", "0");
    Gauge* lag_seconds = context.metrics->GetGauge(
        "tidemill_source_lag_seconds", "Age of the last record that was read, while there are younger ones.", labels);
    auto reader = std::make_unique<RedisSplitReader>(start, std::move(decoder), std::move(context), lag_seconds);
    reader->Start(network_, {.endpoint = endpoint_,
                             .stream = split.id,
                             .reset = options_.reset,
                             .read_count = options_.read_count,
                             .wake = nullptr});
    return std::unique_ptr<SplitReader>(std::move(reader));
  }

  bool bounded() const override { return options_.bounded(); }

 private:
  static const StreamId& IdFor(const RedisPlace& place, const std::string& stream) {
    const auto found = place.ids.find(stream);
    return found != place.ids.end() ? found->second : place.ids.at("");
  }

  Result<StreamPosition> StartOf(const std::string& stream) {
    StreamPosition start;
    switch (options_.start.kind) {
      case RedisPlace::Kind::kLatest: {
        TM_ASSIGN_OR_RETURN(const StreamInfo info, AskStreamInfo(*asker_, endpoint_.name(), stream));
        start.last = info.last;
        start.ordinal = info.exists ? info.added : -1;
        start.chosen = true;
        break;
      }
      case RedisPlace::Kind::kTimestamp:
        start.last = StreamId{static_cast<uint64_t>(options_.start.timestamp_ms), 0}.Previous();
        start.chosen = true;
        break;
      case RedisPlace::Kind::kSpecific:
        start.last = IdFor(options_.start, stream).Previous();
        start.chosen = true;
        break;
      case RedisPlace::Kind::kEarliest:
      case RedisPlace::Kind::kNever:
        break;
    }
    return start;
  }

  Result<std::optional<StreamId>> EndOf(const std::string& stream) {
    if (options_.end.kind == RedisPlace::Kind::kSpecific) return std::optional(IdFor(options_.end, stream));
    TM_ASSIGN_OR_RETURN(const StreamInfo info, AskStreamInfo(*asker_, endpoint_.name(), stream));
    StreamId end = info.last.Next();
    if (options_.end.kind == RedisPlace::Kind::kTimestamp)
      end = std::min(end, StreamId{static_cast<uint64_t>(options_.end.timestamp_ms), 0});
    return std::optional(end);
  }

  const RedisTableOptions options_;
  const RedisEndpoint endpoint_;
  const std::shared_ptr<SchemaSource> schemas_;
  const RecordLayout layout_;
  Network& network_;
  std::unique_ptr<RedisClient> asker_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeRedisSource(const ScanSpec& scan, RedisTableOptions options,
                                                const ConnectorContext& context) {
  if (context.network == nullptr) return Status(kInvalidConfig, "'redis-streams' needs a network");
  TableDefinition table = *scan.table;
  table.options = scan.options;  // with OPTIONS hints
  TM_ASSIGN_OR_RETURN(RedisEndpoint endpoint, ResolveRedisEndpoint(table, *context.files));
  endpoint.timeout_ms = options.timeout_ms;
  TM_ASSIGN_OR_RETURN(auto schemas, OpenSchemaSource(options.format, options.format_options, context));
  return std::unique_ptr<Source>(
      new RedisSource(scan, std::move(options), std::move(endpoint), std::move(schemas), *context.network));
}

}  // namespace tidemill
