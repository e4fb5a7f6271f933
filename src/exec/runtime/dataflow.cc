#include "exec/runtime/dataflow.h"

#include <algorithm>
#include <set>
#include <thread>

#include "exec/errors.h"
#include "exec/values_source.h"

namespace tidemill {

// Hears its subtasks, adds what only the dataflow knows, and passes on.
class Dataflow::Events final : public SubtaskListener {
 public:
  explicit Events(Dataflow& dataflow) : dataflow_(dataflow) {}

  void OnEpochPart(EpochPart part, const SourceTask* source) override {
    EpochAnswer answer;
    if (source != nullptr) {
      const int stage = part.subtask_id / dataflow_.options_.parallelism;
      answer.source = dataflow_.graph_.stages[stage].scan->name;
      source->Snapshot(answer.positions);
    }
    answer.part = std::move(part);
    dataflow_.listener_.OnEpochAnswer(std::move(answer));
  }
  void OnSubtaskEnded() override {
    if (ended_.fetch_add(1) + 1 == dataflow_.num_subtasks()) dataflow_.listener_.OnEnded();
  }

 private:
  Dataflow& dataflow_;
  std::atomic<int> ended_{0};
};

Result<std::unique_ptr<Dataflow>> Dataflow::Make(StageGraph graph, RuntimeEnvironment& environment,
                                                 DataflowOptions options, DataflowListener& listener) {
  if (options.parallelism < 1 || options.parallelism > kKeyGroups) {
    return Status(kInvalidRuntimeOption, "parallelism is " + std::to_string(options.parallelism) + ", expected 1 to " +
                                             std::to_string(kKeyGroups));
  }
  std::unique_ptr<Dataflow> dataflow(new Dataflow(std::move(graph), environment, std::move(options), listener));
  TM_RETURN_IF_ERROR(dataflow->MakeEnds());
  return dataflow;
}

Dataflow::Dataflow(StageGraph graph, RuntimeEnvironment& environment, DataflowOptions options,
                   DataflowListener& listener)
    : graph_(std::move(graph)),
      environment_(environment),
      options_(std::move(options)),
      listener_(listener),
      events_(std::make_unique<Events>(*this)) {}

Dataflow::~Dataflow() {
  Cancel();
  Join();
  for (auto& subtask : subtasks_) subtask->chain().Close();
}

Labels Dataflow::LabelsOf(const std::string& op, int subtask) const {
  return {{"pipeline", options_.job}, {"operator", op}, {"subtask", std::to_string(subtask)}};
}

Status Dataflow::MakeEnds() {
  sources_.resize(graph_.stages.size());
  for (size_t stage = 0; stage < graph_.stages.size(); ++stage) {
    const LogicalPtr& scan = graph_.stages[stage].scan;
    if (scan == nullptr) continue;
    if (std::holds_alternative<ValuesSpec>(scan->spec)) {
      sources_[stage].source =
          std::make_unique<ValuesSource>(scan, options_.settings.GetString("table.local-time-zone", "UTC"));
    } else {
      auto source = environment_.MakeSource(std::get<ScanSpec>(scan->spec));
      if (!source.ok()) return source.status().At(scan->position);
      sources_[stage].source = *std::move(source);
    }
    bounded_ &= sources_[stage].source->bounded();
    source_of_[scan->name] = sources_[stage].source.get();
  }
  for (const SinkStageSpec& sink : graph_.sinks) {
    Sink* made = nullptr;
    if (std::holds_alternative<SinkSpec>(sink.node->spec)) {
      auto owned = environment_.MakeSink(std::get<SinkSpec>(sink.node->spec));
      if (!owned.ok()) return owned.status().At(sink.node->position);
      owned_sinks_.push_back(*std::move(owned));
      made = owned_sinks_.back().get();
    } else {
      made = options_.result_sink.get();
      if (made == nullptr) return Status(kUnsupportedOperator, "a SELECT whose rows nobody takes");
    }
    sink_at_.push_back(made);
    sinks_[sink.name] = made;
  }
  return Status::OK();
}

Status Dataflow::Open() {
  for (size_t stage = 0; stage < sources_.size(); ++stage) {
    SourceSplits& source = sources_[stage];
    if (source.source == nullptr) continue;
    if (const auto* saved = SavedSplitsOf(stage); saved != nullptr) {
      std::map<std::string, SavedSplit> splits;
      for (const auto& [id, split] : *saved) splits[id] = {split.position, split.ended};
      source.source->OnRestore(splits);
    }
    TM_ASSIGN_OR_RETURN(source.splits, source.source->Splits());
    std::set<std::string> ids;
    for (const SourceSplit& split : source.splits) {
      if (!ids.insert(split.id).second) return Status(kInternalError, "two splits named '" + split.id + "'");
    }
  }
  TM_RETURN_IF_ERROR(MakeSubtasks());
  TM_RETURN_IF_ERROR(Connect());
  if (options_.restored != nullptr) TM_RETURN_IF_ERROR(Restore());
  for (auto& subtask : subtasks_) TM_RETURN_IF_ERROR(subtask->chain().Open());
  if (options_.restored != nullptr) {
    std::set<std::string> unclaimed;
    for (auto& subtask : subtasks_) {
      for (int link = 0; link < subtask->chain().size(); ++link) {
        const StateStore& state = subtask->chain().state(link);
        for (const std::string& table : state.UnclaimedTables()) unclaimed.insert(state.operator_name() + "." + table);
      }
    }
    unclaimed_.assign(unclaimed.begin(), unclaimed.end());
  }
  MakeMetrics();
  return Status::OK();
}

Status Dataflow::MakeSubtasks() {
  const int lanes = options_.parallelism;
  for (int lane = 0; lane < lanes; ++lane) {
    signals_.push_back(std::make_shared<LaneSignal>());
    lanes_.push_back(std::make_unique<Lane>(lane, signals_.back(), environment_.clock()));
  }
  const int num_sources = static_cast<int>(
      std::count_if(sources_.begin(), sources_.end(), [](const auto& source) { return source.source != nullptr; }));
  if (bounded_) {
    aligner_ = std::make_unique<SourceAligner>(num_sources * lanes, 4 * options_.batch_rows_max);
    aligner_->SetSignals(signals_);
  }
  int member = 0;
  for (size_t stage = 0; stage < graph_.stages.size(); ++stage) {
    for (int index = 0; index < lanes; ++index) {
      Subtask::Options options{.name = graph_.stages[stage].name,
                               .id = static_cast<int>(subtasks_.size()),
                               .index = index,
                               .ordered = bounded_};
      subtasks_.push_back(std::make_unique<Subtask>(std::move(options), *events_, request_));
      Subtask& subtask = *subtasks_.back();
      subtask.chain().SetTakeState(options_.take_state);
      if (graph_.stages[stage].scan != nullptr) {
        auto made = MakeSource(static_cast<int>(stage), index, subtask);
        TM_RETURN_IF_ERROR(made);
        source_views_.push_back({graph_.stages[stage].scan->name, &subtask.source()->progress()});
      }
      TM_RETURN_IF_ERROR(MakeOperators(static_cast<int>(stage), index, subtask));
      lanes_[index]->Add(&subtask);
    }
  }
  // Members are numbered once all sources know their splits, so that nobody starts against a member that is missing.
  for (auto& subtask : subtasks_) {
    if (subtask->source() != nullptr) subtask->JoinAligner(aligner_.get(), member++);
  }
  return Status::OK();
}

const std::map<std::string, SplitPosition>* Dataflow::SavedSplitsOf(size_t stage) const {
  if (options_.restored == nullptr) return nullptr;
  const auto found = options_.restored->sources.find(graph_.stages[stage].scan->name);
  return found == options_.restored->sources.end() ? nullptr : &found->second;
}

Status Dataflow::MakeSource(int stage, int index, Subtask& subtask) {
  const LogicalPtr& scan = graph_.stages[stage].scan;
  SourceSplits& source = sources_[stage];
  const Labels labels = LabelsOf(scan->name, index);
  MetricsRegistry& metrics = environment_.metrics();
  SourceTaskOptions options{
      .rows_max = options_.batch_rows_max, .ordered = bounded_, .bounded = source.source->bounded()};
  std::unique_ptr<RowTimer> timer;
  if (const auto* spec = std::get_if<ScanSpec>(&scan->spec)) {
    TM_ASSIGN_OR_RETURN(RowTimingSpec timing, RowTimingSpec::Make(scan, options_.settings));
    timer = std::make_unique<RowTimer>(std::move(timing), environment_.clock(), metrics, labels);
    TM_ASSIGN_OR_RETURN(options.idle_timeout_ms, options_.settings.GetDurationMs("table.exec.source.idle-timeout", 0));
    TM_ASSIGN_OR_RETURN(options.idle_timeout_ms,
                        spec->options.GetDurationMs("scan.watermark.idle-timeout", options.idle_timeout_ms));
  }
  auto task = std::make_unique<SourceTask>(
      options, std::move(timer), environment_.MakeRejectSink(graph_.stages[stage].reject_origin), environment_.clock(),
      metrics.GetCounter("tidemill_records_out_total", "Rows given to a sink or the next operator.", labels));
  const std::map<std::string, SplitPosition>* restored = SavedSplitsOf(static_cast<size_t>(stage));
  const Labels split_labels = {{"pipeline", options_.job}, {"topic", graph_.stages[stage].reject_origin}};
  const Clock& clock = environment_.clock();
  for (size_t i = 0; i < source.splits.size(); ++i) {
    if (static_cast<int>(i) % options_.parallelism != index) continue;
    const SourceSplit& split = source.splits[i];
    const SplitPosition* position = nullptr;
    if (restored != nullptr) {
      const auto found = restored->find(split.id);
      if (found != restored->end()) position = &found->second;
    }
    SplitContext context{.metrics = &metrics,
                         .labels = split_labels,
                         .clock = &clock,
                         .restored_without = restored != nullptr && position == nullptr};
    Status added = task->AddSplit(*source.source, split, position, std::move(context), signals_[index]);
    if (!added.ok()) return added.WithContext(scan->name);
  }
  if (!source.source->bounded()) {
    task->FollowSource(
        *source.source, source.splits.size(), index, options_.parallelism,
        [&metrics, split_labels, &clock] {
          return SplitContext{.metrics = &metrics, .labels = split_labels, .clock = &clock, .restored_without = true};
        },
        signals_[index]);
  }
  subtask.SetSource(std::move(task));
  return Status::OK();
}

Status Dataflow::MakeOperators(int stage, int index, Subtask& subtask) {
  const StageSpec& spec = graph_.stages[stage];
  for (const OperatorStageSpec& op : spec.operators) {
    std::unique_ptr<Operator> made;
    Journal* journal = nullptr;
    if (op.sink >= 0) {
      const SinkStageSpec& sink = graph_.sinks[op.sink];
      SinkWriteSpec write;
      if (const auto* sink_spec = std::get_if<SinkSpec>(&sink.node->spec)) {
        TM_ASSIGN_OR_RETURN(write, SinkWriteSpec::Make(sink.name, *sink_spec, options_.settings));
      } else {
        write = SinkWriteSpec::OfQuery(sink.name, sink.node->schema);
      }
      made = std::make_unique<SinkOperator>(std::move(write), *sink_at_[op.sink], options_.job);
    } else {
      OperatorMakeContext context{environment_, options_.settings, options_.job, index, options_.parallelism};
      auto result = op.make(context);
      if (!result.ok()) return result.status().WithContext(op.name);
      made = *std::move(result);
      journal = context.journal;
    }
    OpenContext open{.operator_name = op.name,
                     .subtask = index,
                     .parallelism = options_.parallelism,
                     .metrics = &environment_.metrics(),
                     .labels = LabelsOf(op.name, index),
                     .clock = &environment_.clock(),
                     .time_zone = options_.settings.GetString("table.local-time-zone", "UTC")};
    subtask.chain().Add(std::move(made), std::move(open), KeyGroupsOfLane(index, options_.parallelism),
                        environment_.MakeRejectSink(spec.reject_origin), std::make_shared<WakeFlag>(signals_[index]),
                        journal);
  }
  return Status::OK();
}

Status Dataflow::Connect() {
  const int lanes = options_.parallelism;
  for (size_t stage = 0; stage < graph_.stages.size(); ++stage) {
    for (const StageInputSpec& input : graph_.stages[stage].inputs) {
      // channels[from][to]
      for (int from = 0; from < lanes; ++from) {
        std::vector<Channel*> out;
        for (int to = 0; to < lanes; ++to) {
          if (input.exchange.kind == ExchangeSpec::Kind::kForward && to != from) continue;
          channels_.push_back(std::make_unique<Channel>(options_.queue_bytes_max, signals_[from], signals_[to]));
          out.push_back(channels_.back().get());
          At(static_cast<int>(stage), to)
              .AddInput({.channel = out.back(),
                         .operator_input = input.operator_input,
                         .timed = graph_.stages[input.stage].timed});
        }
        TM_ASSIGN_OR_RETURN(auto output, Output::Make(input.exchange, std::move(out)));
        At(input.stage, from).chain().AddOutput(std::move(output));
      }
    }
  }
  return Status::OK();
}

Status Dataflow::Restore() {
  for (auto& subtask : subtasks_) {
    for (int link = 0; link < subtask->chain().size(); ++link) {
      StateStore& state = subtask->chain().state(link);
      TM_ASSIGN_OR_RETURN(auto tables, options_.restored->state(state.operator_name()));
      if (!tables.empty()) state.SetRestored(std::move(tables));
    }
  }
  return Status::OK();
}

void Dataflow::Start() {
  const bool pin = options_.pin_lanes && options_.parallelism > 1 &&
                   options_.parallelism <= static_cast<int>(std::thread::hardware_concurrency());
  for (auto& lane : lanes_) {
    lane->Start([this](Status status) { Fail(std::move(status)); }, pin);
  }
}

void Dataflow::RequestEpoch(EpochMark mark) {
  request_.store(Subtask::PackRequest(mark), std::memory_order_release);
  for (auto& signal : signals_) signal->Notify();
}

void Dataflow::Fail(Status status) {
  if (failed_.exchange(true)) return;
  for (auto& lane : lanes_) lane->RequestStop();
  listener_.OnFailed(std::move(status));
}

void Dataflow::Cancel() {
  for (auto& lane : lanes_) lane->RequestStop();
}

void Dataflow::Join() {
  for (auto& lane : lanes_) lane->Join();
}

Result<bool> Dataflow::Step(Random& random) {
  std::vector<Subtask*> ready;
  for (auto& lane : lanes_) lane->AppendReady(ready);
  if (ready.empty()) {
    for (auto& lane : lanes_) TM_RETURN_IF_ERROR(lane->CheckDeadlines());
    for (auto& lane : lanes_) lane->AppendReady(ready);
    if (ready.empty()) return false;
  }
  TM_RETURN_IF_ERROR(ready[random.Uniform(ready.size())]->Run());
  return true;
}

void Dataflow::MakeMetrics() {
  MetricsRegistry& metrics = environment_.metrics();
  for (auto& subtask : subtasks_) {
    const Labels labels = LabelsOf(subtask->options().name, subtask->options().index);
    SubtaskMetrics made;
    made.watermark_lag = metrics.GetGauge("tidemill_watermark_lag_seconds", "Clock minus watermark.", labels);
    made.watermark = metrics.GetGauge("tidemill_watermark_timestamp_seconds", "The watermark.", labels);
    made.busy = metrics.GetGauge("tidemill_busy_ratio", "Share of the time that the subtask ran.", labels);
    made.pressure = metrics.GetGauge("tidemill_backpressure_ratio",
                                     "Share of looks at which input waited for room further on.", labels);
    if (subtask->source() != nullptr)
      made.idle = metrics.GetGauge("tidemill_source_idle", "1 while a source says nothing.", labels);
    metrics_.push_back(made);
  }
  queued_ = metrics.GetGauge("tidemill_queue_bytes", "Bytes between stages.", {{"pipeline", options_.job}});
  metrics_at_ns_ = environment_.clock().MonotonicNanos();
}

void Dataflow::UpdateMetrics() {
  const int64_t now_ns = environment_.clock().MonotonicNanos();
  const double passed_ns = static_cast<double>(std::max<int64_t>(1, now_ns - metrics_at_ns_));
  const double now_s = static_cast<double>(environment_.clock().NowMicros()) / 1e6;
  metrics_at_ns_ = now_ns;
  for (size_t i = 0; i < metrics_.size(); ++i) {
    SubtaskMetrics& metrics = metrics_[i];
    const int64_t busy_ns = subtasks_[i]->busy_ns().load(std::memory_order_relaxed);
    metrics.busy->Set(static_cast<double>(busy_ns - metrics.busy_ns) / passed_ns);
    metrics.busy_ns = busy_ns;
    const int64_t samples = subtasks_[i]->pressure_samples().load(std::memory_order_relaxed);
    const int64_t blocked = subtasks_[i]->pressure_blocked().load(std::memory_order_relaxed);
    if (samples > metrics.samples) {
      metrics.pressure->Set(static_cast<double>(blocked - metrics.blocked) /
                            static_cast<double>(samples - metrics.samples));
    }
    metrics.samples = samples;
    metrics.blocked = blocked;
    const EventTime watermark = subtasks_[i]->watermark().load(std::memory_order_relaxed);
    if (watermark != kMinEventTime && watermark != kMaxEventTime) {
      metrics.watermark->Set(static_cast<double>(watermark) / 1e3);
      metrics.watermark_lag->Set(now_s - static_cast<double>(watermark) / 1e3);
    }
    if (metrics.idle != nullptr) metrics.idle->Set(subtasks_[i]->source()->progress().idle.load() ? 1 : 0);
  }
  queued_->Set(static_cast<double>(queued_bytes()));
}

int64_t Dataflow::rows_read() const {
  int64_t rows = 0;
  for (const SourceView& view : source_views_) rows += view.progress->rows.load(std::memory_order_relaxed);
  return rows;
}

int64_t Dataflow::rows_written() const {
  int64_t rows = 0;
  for (const auto& subtask : subtasks_) rows += subtask->chain().rows_written();
  return rows;
}

int64_t Dataflow::queued_bytes() const {
  int64_t bytes = 0;
  for (const auto& channel : channels_) bytes += channel->bytes();
  return bytes;
}

}  // namespace tidemill
