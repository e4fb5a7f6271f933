#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "base/errors.h"
#include "base/metrics.h"
#include "exec/lower/stage_graph.h"
#include "exec/runtime_environment.h"
#include "sql/catalog.h"

// Sources and sinks in memory, for tests of the runtime: real contracts, no files. Their contents outlive a crash of
// the job.
namespace tidemill::testing {

struct Row {
  int64_t key = 0;
  int64_t value = 0;
  EventTime time = 0;
  EventTime mark = 0;  // the watermark that this row allows; kMinEventTime = NULL
  bool null_time = false;
  auto operator<=>(const Row&) const = default;
};

inline Schema RowSchema() {
  return Schema({{"key", DataType(TypeKind::kBigInt)},
                 {"value", DataType(TypeKind::kBigInt)},
                 {"time", DataType::Timestamp(3)},
                 {"mark", DataType::Timestamp(3)}});
}

inline Batch BatchOf(const std::vector<Row>& rows) {
  arrow::Int64Builder key, value;
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  arrow::TimestampBuilder mark(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  for (const Row& row : rows) {
    TM_CHECK(key.Append(row.key).ok() && value.Append(row.value).ok());
    TM_CHECK((row.null_time ? time.AppendNull() : time.Append(row.time)).ok());
    TM_CHECK((row.mark == kMinEventTime ? mark.AppendNull() : mark.Append(row.mark)).ok());
  }
  arrow::ArrayVector columns{*key.Finish(), *value.Finish(), *time.Finish(), *mark.Finish()};
  return Batch{arrow::RecordBatch::Make(RowSchema().arrow(), static_cast<int64_t>(rows.size()), std::move(columns))};
}

inline std::vector<Row> RowsOf(const Batch& batch) {
  std::vector<Row> rows;
  const auto value = [&](int column, int64_t row) {
    const auto& data = *batch.rows->column(column)->data();
    return data.GetValues<int64_t>(1)[row];
  };
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    const bool null_mark = batch.rows->column(3)->IsNull(row);
    rows.push_back({value(0, row), value(1, row), value(2, row), null_mark ? kMinEventTime : value(3, row),
                    batch.rows->column(2)->IsNull(row)});
  }
  return rows;
}

// The content of a table: splits that may grow.
struct MemoryInput {
  std::mutex mutex;
  std::vector<std::vector<Row>> splits;
  size_t at_start = SIZE_MAX;  // splits there were when the source was asked for them
  std::vector<std::function<void()>> found;
  bool bounded = true;
  bool has_watermark = true;
  std::map<std::string, std::function<void()>> wakes;
  std::atomic<int64_t> rows_read{0};
  std::function<Status(size_t split, size_t row)> fail;  // before a row is read
  std::map<std::string, std::string> committed;          // positions

  void Append(size_t split, std::vector<Row> rows) {
    std::vector<std::function<void()>> wake;
    {
      std::lock_guard<std::mutex> lock(mutex);
      splits[split].insert(splits[split].end(), rows.begin(), rows.end());
      for (auto& [id, each] : wakes) wake.push_back(each);
    }
    for (auto& each : wake) each();
  }
  // A split that is found while the dataflow runs.
  void AddSplit(std::vector<Row> rows) {
    std::vector<std::function<void()>> wake;
    {
      std::lock_guard<std::mutex> lock(mutex);
      splits.push_back(std::move(rows));
      wake = found;
    }
    for (auto& each : wake) each();
  }
};

class MemoryReader final : public SplitReader {
 public:
  MemoryReader(MemoryInput& input, size_t split, size_t at) : input_(input), split_(split), at_(at) {}
  Result<ReadOutcome> Read(int rows_max) override {
    std::lock_guard<std::mutex> lock(input_.mutex);
    const std::vector<Row>& rows = input_.splits[split_];
    const size_t to = std::min(rows.size(), at_ + static_cast<size_t>(rows_max));
    ReadOutcome outcome;
    if (input_.fail && at_ < to) {
      for (size_t row = at_; row < to; ++row) TM_RETURN_IF_ERROR(input_.fail(split_, row));
    }
    if (to > at_) {
      const std::vector<Row> part(rows.data() + at_, rows.data() + to);
      outcome.batch = BatchOf(part);
    }
    input_.rows_read += static_cast<int64_t>(to - at_);
    outcome.idle = to == at_ && !input_.bounded;
    at_ = to;
    outcome.position = std::to_string(at_);
    outcome.ended = input_.bounded && at_ == rows.size();
    return outcome;
  }
  std::optional<std::string> StartPosition() const override { return std::to_string(at_); }
  int64_t LagRecords() const override {
    std::lock_guard<std::mutex> lock(input_.mutex);
    return static_cast<int64_t>(input_.splits[split_].size() - at_);
  }

 private:
  MemoryInput& input_;
  const size_t split_;
  size_t at_;
};

class MemorySource final : public Source {
 public:
  explicit MemorySource(MemoryInput& input) : input_(input) {}
  Result<std::vector<SourceSplit>> Splits() override {
    std::vector<SourceSplit> splits;
    input_.at_start = input_.splits.size();
    for (size_t i = 0; i < input_.splits.size(); ++i) splits.push_back({std::to_string(i)});
    return splits;
  }
  std::vector<SourceSplit> LaterSplits(size_t from) override {
    std::lock_guard<std::mutex> lock(input_.mutex);
    std::vector<SourceSplit> splits;
    for (size_t i = input_.at_start + from; i < input_.splits.size(); ++i) splits.push_back({std::to_string(i)});
    return splits;
  }
  void OnLaterSplits(std::function<void()> found) override { input_.found.push_back(std::move(found)); }
  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    {
      std::lock_guard<std::mutex> lock(input_.mutex);
      input_.wakes[split.id] = context.wake;
    }
    return std::unique_ptr<SplitReader>(
        std::make_unique<MemoryReader>(input_, std::stoul(split.id), position.has_value() ? std::stoul(*position) : 0));
  }
  bool bounded() const override { return input_.bounded; }
  void OnEpochCommitted(const std::map<std::string, std::string>& positions) override { input_.committed = positions; }

 private:
  MemoryInput& input_;
};

// What a sink has made durable: prepared transactions and those that are committed, with the order of commits.
struct MemoryOutput {
  std::mutex mutex;
  std::map<std::string, std::vector<Row>> prepared;
  std::set<std::string> committed_handles;
  std::vector<Row> committed;
  std::vector<Row> written;  // as they come, committed or not
  std::atomic<bool> has_room{true};
  std::atomic<int64_t> writes{0};
  std::function<void()> wake;
  std::function<Status()> on_commit;  // may fail: a crash
  int64_t serial = 0;
  int delays = 0;  // prepares that first say "not yet", then wake

  std::vector<Row> Committed() {
    std::lock_guard<std::mutex> lock(mutex);
    return committed;
  }
  std::vector<Row> Written() {
    std::lock_guard<std::mutex> lock(mutex);
    return written;
  }
  void Commit(const std::string& handle) {
    if (!committed_handles.insert(handle).second) return;
    const auto found = prepared.find(handle);
    TM_CHECK(found != prepared.end());
    committed.insert(committed.end(), found->second.begin(), found->second.end());
    prepared.erase(found);
  }
};

class MemoryWriter final : public SinkWriter {
 public:
  MemoryWriter(MemoryOutput& output, SinkContext context) : output_(output), context_(std::move(context)) {}
  Status Write(Batch batch) override {
    const std::vector<Row> rows = RowsOf(batch);
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    std::lock_guard<std::mutex> lock(output_.mutex);
    output_.written.insert(output_.written.end(), rows.begin(), rows.end());
    output_.wake = context_.wake;
    ++output_.writes;
    return Status::OK();
  }
  bool HasRoom() const override { return output_.has_room; }
  Result<std::optional<std::string>> Prepare(int64_t epoch) override {
    if (delayed_++ < output_.delays) {
      context_.wake();
      return std::optional<std::string>();
    }
    delayed_ = 0;
    if (rows_.empty()) return std::optional<std::string>("");
    std::lock_guard<std::mutex> lock(output_.mutex);
    std::string handle =
        std::to_string(epoch) + "/" + std::to_string(context_.subtask) + "/" + std::to_string(++output_.serial);
    output_.prepared[handle] = std::move(rows_);
    rows_.clear();
    return std::optional<std::string>(std::move(handle));
  }

 private:
  MemoryOutput& output_;
  SinkContext context_;
  std::vector<Row> rows_;
  int delayed_ = 0;
};

class MemorySink final : public Sink {
 public:
  explicit MemorySink(MemoryOutput& output) : output_(output) {}
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<MemoryWriter>(output_, std::move(context)));
  }
  Status Commit(std::span<const std::string> handles) override {
    std::lock_guard<std::mutex> lock(output_.mutex);
    for (const std::string& handle : handles) {
      if (output_.on_commit) TM_RETURN_IF_ERROR(output_.on_commit());
      output_.Commit(handle);
    }
    return Status::OK();
  }
  Status Recover(std::span<const std::string> handles) override {
    std::lock_guard<std::mutex> lock(output_.mutex);
    for (const std::string& handle : handles) output_.Commit(handle);
    output_.prepared.clear();
    return Status::OK();
  }

 private:
  MemoryOutput& output_;
};

struct Rejects {
  std::mutex mutex;
  std::vector<std::pair<std::string, RejectedRow>> rows;
  size_t size() {
    std::lock_guard<std::mutex> lock(mutex);
    return rows.size();
  }
};

class MemoryRejectSink final : public RejectSink {
 public:
  MemoryRejectSink(Rejects& rejects, std::string origin) : rejects_(rejects), origin_(std::move(origin)) {}
  void Reject(RejectedRow row) override {
    std::lock_guard<std::mutex> lock(rejects_.mutex);
    rejects_.rows.emplace_back(origin_, std::move(row));
  }

 private:
  Rejects& rejects_;
  std::string origin_;
};

// A runtime environment over tables in memory, by name.
class MemoryEnvironment final : public RuntimeEnvironment {
 public:
  explicit MemoryEnvironment(const Clock* clock = nullptr) : clock_(clock != nullptr ? *clock : system_clock_) {}
  Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan) override {
    return std::unique_ptr<Source>(std::make_unique<MemorySource>(inputs[scan.table->name]));
  }
  Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& sink) override {
    return std::unique_ptr<Sink>(std::make_unique<MemorySink>(outputs[sink.table->name]));
  }
  Result<std::unique_ptr<Predictor>> MakePredictor(const PredictSpec&) override {
    return Status(kInternalError, "no models");
  }
  Result<std::unique_ptr<Journal>> MakeJournal(const std::string&, int) override {
    return Status(kInternalError, "no journals");
  }
  std::unique_ptr<RejectSink> MakeRejectSink(const std::string& origin) override {
    return std::make_unique<MemoryRejectSink>(rejects, origin);
  }
  MetricsRegistry& metrics() override { return metrics_; }
  const Clock& clock() override { return clock_; }

  std::map<std::string, MemoryInput> inputs;
  std::map<std::string, MemoryOutput> outputs;
  Rejects rejects;

 private:
  SystemClock system_clock_;
  const Clock& clock_;
  MetricsRegistry metrics_;
};

// --- plans by hand ---

inline TablePtr MakeTable(const std::string& name, bool has_watermark = true,
                          std::map<std::string, std::string> options = {}) {
  auto table = std::make_shared<TableDefinition>();
  table->name = name;
  const Schema schema = RowSchema();
  for (const Field& field : schema.fields()) {
    table->columns.push_back({.kind = ColumnDefinition::Kind::kPhysical, .name = field.name, .type = field.type});
  }
  if (has_watermark) {
    table->rowtime_column = 2;
    table->watermark = MakeColumn(3, DataType::Timestamp(3));
  }
  table->options = Config(std::move(options));
  return table;
}

inline LogicalPtr ScanOf(TablePtr table) {
  auto node = std::make_shared<LogicalNode>();
  ScanSpec scan{.table = table, .columns = {0, 1, 2, 3}, .options = table->options};
  node->spec = scan;
  node->schema = table->schema();
  node->rowtime_column = table->rowtime_column;
  node->name = "Scan[" + table->name + "]";
  return node;
}

inline LogicalPtr SinkOf(TablePtr table, LogicalPtr input) {
  auto node = std::make_shared<LogicalNode>();
  node->spec = SinkSpec{.table = table, .columns = {0, 1, 2, 3}, .statement = "INSERT INTO " + table->name};
  node->schema = table->schema();
  node->inputs = {std::move(input)};
  node->name = "Sink[" + table->name + "]";
  return node;
}

using MakeOperator = std::function<std::unique_ptr<Operator>()>;

inline OperatorStageSpec OperatorOf(std::string name, MakeOperator make) {
  return {.name = std::move(name), .type = "Test", .make = [make = std::move(make)](OperatorMakeContext&) {
            return Result<std::unique_ptr<Operator>>(make());
          }};
}

// Builds stage graphs: every call adds one stage and returns its number.
class GraphBuilder {
 public:
  int Source(const std::string& table, bool has_watermark = true, std::map<std::string, std::string> options = {}) {
    StageSpec stage{.name = "Scan[" + table + "]", .scan = ScanOf(MakeTable(table, has_watermark, std::move(options)))};
    stage.reject_origin = table;
    stage.timed = has_watermark;
    graph_.stages.push_back(std::move(stage));
    return static_cast<int>(graph_.stages.size()) - 1;
  }
  int Operators(std::vector<int> inputs, bool by_key, std::vector<OperatorStageSpec> operators) {
    StageSpec stage{.name = operators.empty() ? "stage" : operators[0].name, .operators = std::move(operators)};
    stage.timed = true;
    for (size_t i = 0; i < inputs.size(); ++i) {
      StageInputSpec input{.stage = inputs[i], .operator_input = static_cast<int>(i)};
      if (by_key) input.exchange = {ExchangeSpec::Kind::kHash, {0}, {DataType(TypeKind::kBigInt)}};
      stage.timed &= graph_.stages[inputs[i]].timed;
      stage.inputs.push_back(std::move(input));
    }
    stage.reject_origin = stage.name;
    graph_.stages.push_back(std::move(stage));
    return static_cast<int>(graph_.stages.size()) - 1;
  }
  // A sink at the end of `stage`'s chain.
  void Sink(int stage, const std::string& table) {
    const TablePtr definition = MakeTable(table, false);
    auto node = std::const_pointer_cast<LogicalNode>(SinkOf(definition, nullptr));
    node->inputs.clear();
    graph_.sinks.push_back({.name = table, .node = node});
    graph_.stages[stage].operators.push_back(
        {.name = "Sink[" + table + "]", .type = "Sink", .sink = static_cast<int>(graph_.sinks.size()) - 1});
  }
  StageGraph Build() { return graph_; }

 private:
  StageGraph graph_;
};

}  // namespace tidemill::testing
