#include "exec/sink_operator.h"

#include <algorithm>

#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/format.h"
#include "exec/errors.h"

namespace tidemill {

Result<SinkWriteSpec> SinkWriteSpec::Make(const std::string& name, const SinkSpec& sink, const Config& settings) {
  SinkWriteSpec spec;
  spec.name = name;
  std::vector<Field> fields;
  for (size_t column = 0; column < sink.table->columns.size(); ++column) {
    const ColumnDefinition& definition = sink.table->columns[column];
    const bool persisted = definition.kind == ColumnDefinition::Kind::kPhysical ||
                           (definition.kind == ColumnDefinition::Kind::kMetadata && !definition.is_virtual);
    if (!persisted) continue;
    fields.push_back({definition.name, definition.type});
    const auto found = std::find(sink.columns.begin(), sink.columns.end(), static_cast<int>(column));
    spec.sources.push_back(found == sink.columns.end() ? -1 : static_cast<int>(found - sink.columns.begin()));
  }
  spec.schema = Schema(std::move(fields));
  const std::string enforcer = settings.GetString("table.exec.sink.not-null-enforcer", "");
  if (enforcer == "ERROR") {
    spec.fail_on_null = true;
  } else if (!enforcer.empty() && enforcer != "DROP") {
    return Status(kInvalidConfig, "'table.exec.sink.not-null-enforcer' = '" + enforcer + "': expected ERROR or DROP");
  }
  return spec;
}

SinkWriteSpec SinkWriteSpec::OfQuery(const std::string& name, const Schema& schema) {
  SinkWriteSpec spec;
  spec.name = name;
  spec.schema = schema;
  for (int column = 0; column < schema.num_fields(); ++column) spec.sources.push_back(column);
  return spec;
}

SinkOperator::SinkOperator(SinkWriteSpec spec, Sink& sink, std::string job)
    : spec_(std::move(spec)), job_(std::move(job)), sink_(sink) {}
SinkOperator::~SinkOperator() = default;

Status SinkOperator::Open(OpenContext& context) {
  clock_ = context.clock;
  records_out_ = context.metrics->GetCounter("tidemill_records_out_total", "Rows given to a sink or the next operator.",
                                             context.labels);
  latency_ = context.metrics->GetHistogram(
      "tidemill_e2e_latency_seconds", "From a row's append to the log (or its reading) to its sink.", context.labels);
  null_columns_.resize(spec_.sources.size());
  for (size_t column = 0; column < spec_.sources.size(); ++column) {
    const Field& field = spec_.schema.field(static_cast<int>(column));
    if (!field.type.nullable()) not_null_.push_back(static_cast<int>(column));
    if (spec_.sources[column] >= 0) continue;
    TM_ARROW_ASSIGN_OR_RETURN(null_columns_[column], arrow::MakeArrayOfNull(ToArrow(field.type), kBatchRowsMax),
                              "column of NULLs");
  }
  SinkContext sink{.job = job_,
                   .sink_name = spec_.name,
                   .subtask = context.subtask,
                   .parallelism = context.parallelism,
                   .rejects = rejects_,
                   .metrics = context.metrics,
                   .labels = context.labels,
                   .clock = context.clock,
                   .wake = context.wake};
  TM_ASSIGN_OR_RETURN(writer_, sink_.OpenWriter(std::move(sink)));
  return Status::OK();
}

Status SinkOperator::ProcessBatch(int, Batch batch, Collector&) {
  arrow::ArrayVector columns(spec_.sources.size());
  for (size_t column = 0; column < columns.size(); ++column) {
    const int source = spec_.sources[column];
    columns[column] = source >= 0 ? batch.rows->column(source) : null_columns_[column]->Slice(0, batch.num_rows());
  }
  batch = batch.WithRows(arrow::RecordBatch::Make(spec_.schema.arrow(), batch.num_rows(), std::move(columns)));
  TM_ASSIGN_OR_RETURN(batch, WithoutNulls(std::move(batch)));
  if (batch.num_rows() == 0) return Status::OK();
  rows_written_.Add(batch.num_rows());
  records_out_->Add(batch.num_rows());
  if (batch.ingest_us > 0) {
    latency_->ObserveMicros(std::max<int64_t>(0, clock_->NowMicros() - batch.ingest_us), batch.num_rows());
  }
  return writer_->Write(std::move(batch));
}

Status SinkOperator::OnWatermark(EventTime, Collector&) { return Status::OK(); }

void SinkOperator::Close() noexcept {
  if (writer_) writer_->Close();
}

Result<Batch> SinkOperator::WithoutNulls(Batch batch) {
  int bad_column = -1;
  for (int column : not_null_) {
    if (batch.rows->column(column)->null_count() > 0) bad_column = column;
  }
  if (bad_column < 0) return batch;
  std::vector<int32_t> good;
  good.reserve(static_cast<size_t>(batch.num_rows()));
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    int null_column = -1;
    for (int column : not_null_) {
      if (batch.rows->column(column)->IsNull(row)) null_column = column;
    }
    if (null_column < 0) {
      good.push_back(static_cast<int32_t>(row));
      continue;
    }
    const std::string& name = spec_.schema.field(null_column).name;
    if (spec_.fail_on_null)
      return Status(kNullInNotNull, "column '" + name + "' of sink '" + spec_.name + "' is NOT NULL, found NULL");
    RejectedRow rejected{
        .reason = RejectReason::kNotNull, .source = spec_.name, .field = name, .detail = "NULL in a NOT NULL column"};
    if (reject_encoder_ == nullptr) {
      TM_ASSIGN_OR_RETURN(reject_encoder_, MakeJsonEncoder(spec_.schema, Config()));
    }
    std::vector<size_t> ends;
    TM_RETURN_IF_ERROR(reject_encoder_->Encode(batch.Slice(row, 1), rejected.raw, ends));
    rejects_->Reject(std::move(rejected));
  }
  return TakeRows(batch, good);
}

}  // namespace tidemill
