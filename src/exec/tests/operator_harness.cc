#include "exec/tests/operator_harness.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>

namespace tidemill {
namespace {

const char* const kKindNames[] = {"+I", "-U", "+U", "-D"};

}  // namespace

Batch RowsOf(const Schema& schema, std::string_view json, const std::vector<std::string>& kinds) {
  auto array = arrow::json::ArrayFromJSONString(arrow::struct_(schema.arrow()->fields()), json);
  if (!array.ok()) CheckFailed(__FILE__, __LINE__, array.status().ToString().c_str());
  auto rows = arrow::RecordBatch::FromStructArray(*array);
  TM_CHECK(rows.ok());
  Batch batch{arrow::RecordBatch::Make(schema.arrow(), (*rows)->num_rows(), (*rows)->columns()), nullptr, 0};
  if (kinds.empty()) return batch;
  arrow::Int8Builder builder;
  for (const std::string& kind : kinds) {
    for (int8_t k = 0; k < 4; ++k) {
      if (kind == kKindNames[k]) TM_CHECK(builder.Append(k).ok());
    }
  }
  batch.row_kinds = *builder.Finish();
  TM_CHECK(batch.row_kinds->length() == batch.num_rows());
  return batch;
}

std::vector<std::string> TextOfRows(const Batch& batch) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    std::string text;
    if (batch.row_kinds)
      text = std::string(kKindNames[static_cast<const arrow::Int8Array&>(*batch.row_kinds).Value(i)]) + " ";
    for (int c = 0; c < batch.rows->num_columns(); ++c) {
      if (c > 0) text += "|";
      const arrow::Array& column = *batch.rows->column(c);
      if (column.IsNull(i)) {
        text += "NULL";
      } else if (column.type_id() == arrow::Type::TIMESTAMP) {
        text += std::to_string(static_cast<const arrow::TimestampArray&>(column).Value(i));
      } else {
        text += (*column.GetScalar(i))->ToString();
      }
    }
    out.push_back(std::move(text));
  }
  return out;
}

Status OperatorHarness::Collected::Emit(Batch batch) {
  if (batch.num_rows() > 0) batches.push_back(std::move(batch));
  return Status::OK();
}

OperatorHarness::OperatorHarness(Factory factory, std::vector<Schema> schemas, std::vector<std::vector<int>> keys,
                                 int parallelism)
    : factory_(std::move(factory)), schemas_(std::move(schemas)), keys_(std::move(keys)), clock_(1'000'000'000) {
  out_.reject_sink = &rejects_;
  const Status opened = OpenAll(parallelism, {});
  if (!opened.ok()) CheckFailed(__FILE__, __LINE__, opened.ToString().c_str());
}

OperatorHarness::~OperatorHarness() {
  for (auto& subtask : subtasks_) subtask->op->Close();
}

Status OperatorHarness::OpenAll(int parallelism, const std::vector<std::vector<TableSnapshot>>& chains) {
  for (int i = 0; i < parallelism; ++i) {
    auto subtask = std::make_unique<Subtask>();
    TM_ASSIGN_OR_RETURN(subtask->op, factory_());
    subtask->state = std::make_unique<StateStore>("Op[test]", KeyGroupsOfLane(i, parallelism));
    std::map<std::string, std::vector<TableSnapshot>> by_table;
    for (const auto& chain : chains) {
      for (const TableSnapshot& snapshot : chain) by_table[snapshot.table].push_back(snapshot);
    }
    subtask->state->SetRestored(std::move(by_table));
    Subtask* raw = subtask.get();
    subtask->context = OpenContext{.operator_name = "Op[test]",
                                   .subtask = i,
                                   .parallelism = parallelism,
                                   .state = subtask->state.get(),
                                   .timers = &subtask->timers,
                                   .metrics = &metrics_,
                                   .labels = {{"operator", "Op[test]"}},
                                   .clock = &clock_,
                                   .time_zone = "UTC",
                                   .wake = [raw] { raw->woken = true; }};
    TM_RETURN_IF_ERROR(subtask->op->Open(subtask->context));
    subtasks_.push_back(std::move(subtask));
  }
  return Status::OK();
}

Status OperatorHarness::Feed(int input, const Batch& batch) {
  const int lanes = parallelism();
  if (lanes == 1) return subtasks_[0]->op->ProcessBatch(input, batch, out_);
  const auto& key_columns = keys_[static_cast<size_t>(input)];
  std::vector<std::vector<int32_t>> rows(static_cast<size_t>(lanes));
  if (key_columns.empty()) {
    for (int32_t i = 0; i < batch.num_rows(); ++i) rows[0].push_back(i);
  } else {
    std::vector<DataType> types;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const int column : key_columns) {
      types.push_back(schemas_[static_cast<size_t>(input)].field(column).type);
      columns.push_back(batch.rows->column(column));
    }
    TM_ASSIGN_OR_RETURN(auto encoder, KeyEncoder::Make(types));
    TM_ASSIGN_OR_RETURN(EncodedKeys keys, encoder->Encode(columns, batch.num_rows()));
    for (int32_t i = 0; i < batch.num_rows(); ++i)
      rows[static_cast<size_t>(LaneOfKeyGroup(keys.key_groups[i], lanes))].push_back(i);
  }
  for (int lane = 0; lane < lanes; ++lane) {
    if (rows[static_cast<size_t>(lane)].empty()) continue;
    TM_ASSIGN_OR_RETURN(Batch part, tidemill::TakeRows(batch, rows[static_cast<size_t>(lane)]));
    TM_RETURN_IF_ERROR(subtasks_[static_cast<size_t>(lane)]->op->ProcessBatch(input, std::move(part), out_));
  }
  return Status::OK();
}

Status OperatorHarness::Watermark(EventTime watermark) {
  for (auto& subtask : subtasks_) {
    auto& pending = subtask->timers.pending;
    while (!pending.empty() && pending.begin()->first <= watermark) {
      const auto [due, id] = *pending.begin();
      pending.erase(pending.begin());
      TM_RETURN_IF_ERROR(subtask->op->OnTimer(id, due, out_));
    }
    TM_RETURN_IF_ERROR(subtask->op->OnWatermark(watermark, out_));
  }
  return Status::OK();
}

Status OperatorHarness::Wake() {
  for (bool again = true; again;) {
    again = false;
    for (auto& subtask : subtasks_) {
      if (!std::exchange(subtask->woken, false)) continue;
      again = true;
      TM_RETURN_IF_ERROR(subtask->op->OnWake(out_));
    }
  }
  return Status::OK();
}

Status OperatorHarness::Snapshot(bool full) {
  chains_.resize(subtasks_.size());
  for (size_t i = 0; i < subtasks_.size(); ++i) {
    TM_RETURN_IF_ERROR(subtasks_[i]->op->PrepareSnapshot());
    TM_ASSIGN_OR_RETURN(auto snapshots, subtasks_[i]->state->Take(full));
    for (TableSnapshot& snapshot : snapshots) {
      auto& chain = chains_[i];
      if (snapshot.full)
        std::erase_if(chain, [&](const TableSnapshot& earlier) { return earlier.table == snapshot.table; });
      chain.push_back(std::move(snapshot));
    }
  }
  return Status::OK();
}

Status OperatorHarness::Restore(int parallelism) {
  for (auto& subtask : subtasks_) subtask->op->Close();
  subtasks_.clear();
  const auto chains = std::exchange(chains_, {});
  return OpenAll(parallelism, chains);
}

std::vector<std::string> OperatorHarness::TakeRows() {
  std::vector<std::string> rows;
  for (const Batch& batch : TakeBatches()) {
    for (std::string& row : TextOfRows(batch)) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Batch> OperatorHarness::TakeBatches() { return std::exchange(out_.batches, {}); }

int64_t OperatorHarness::StateBytes() const {
  int64_t bytes = 0;
  for (const auto& subtask : subtasks_) bytes += subtask->state->MemoryBytes();
  return bytes;
}

}  // namespace tidemill
