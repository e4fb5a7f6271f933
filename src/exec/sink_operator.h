#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "exec/operator.h"
#include "exec/sink.h"
#include "sql/logical_plan.h"

namespace tidemill {

class RowEncoder;

// What a sink writer is given, decided when the plan is lowered: the persisted columns of the table, and where each
// comes from.
struct SinkWriteSpec {
  std::string name;          // of the sink, stable
  Schema schema;             // persisted columns: physical and non-virtual metadata, in table order
  std::vector<int> sources;  // for each, the input column; -1 = NULL
  // A NULL for a NOT NULL column: the row is rejected (kNotNull), or with 'table.exec.sink.not-null-enforcer' = 'ERROR'
  // the job fails.
  bool fail_on_null = false;

  static Result<SinkWriteSpec> Make(const std::string& name, const SinkSpec& sink, const Config& settings);
  // For the root of a SELECT: all its columns.
  static SinkWriteSpec OfQuery(const std::string& name, const Schema& schema);
};

// The end of a chain: hands rows to a connector's writer.
class SinkOperator final : public Operator {
 public:
  // `sink` outlives it.
  SinkOperator(SinkWriteSpec spec, Sink& sink, std::string job);
  ~SinkOperator() override;
  // Before Open: where rejected rows go (the chain's reject sink).
  void SetRejects(RejectSink* rejects) { rejects_ = rejects; }

  Status Open(OpenContext& context) override;
  Status ProcessBatch(int input, Batch batch, Collector& out) override;
  Status OnWatermark(EventTime watermark, Collector& out) override;
  bool HasRoom() const override { return writer_->HasRoom(); }
  void Close() noexcept override;

  // The barrier of `epoch`: see SinkWriter::Prepare.
  Result<std::optional<std::string>> Prepare(int64_t epoch) { return writer_->Prepare(epoch); }
  const std::string& sink_name() const { return spec_.name; }
  const Counter& rows_written() const { return rows_written_; }

 private:
  Result<Batch> WithoutNulls(Batch batch);

  SinkWriteSpec spec_;
  std::string job_;
  Sink& sink_;
  RejectSink* rejects_ = nullptr;
  std::unique_ptr<SinkWriter> writer_;
  std::unique_ptr<RowEncoder> reject_encoder_;
  std::vector<int> not_null_;
  std::vector<std::shared_ptr<arrow::Array>> null_columns_;  // by column, kBatchRowsMax long, where sources is -1
  bool same_columns_ = false;
  Counter rows_written_;
  Counter* records_out_ = nullptr;
  Histogram* latency_ = nullptr;
  const Clock* clock_ = nullptr;
};

}  // namespace tidemill
