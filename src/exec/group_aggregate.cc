#include "exec/group_aggregate.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/array/concatenate.h>

#include "data/arrow_status.h"
#include "exec/internal/over_column.h"

namespace tidemill {
namespace {

constexpr int kExpirySlots = 256;

}  // namespace

// The number of rows that a group holds, then the accumulators.
class GroupAggregate::Values final : public SlotValues {
 public:
  explicit Values(const std::vector<AggregateCall>& calls)
      : aggregates(calls), rows_schema_({{"rows", DataType(TypeKind::kBigInt, false)}}) {
    std::vector<Field> fields = rows_schema_.fields();
    fields.insert(fields.end(), aggregates.schema().fields().begin(), aggregates.schema().fields().end());
    schema_ = Schema(std::move(fields));
  }
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override {
    rows.resize(static_cast<size_t>(slots), 0);
    aggregates.Resize(slots);
  }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) rows[slot] = 0;
    aggregates.Clear(slots);
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    TM_ASSIGN_OR_RETURN(auto columns, ExportStates(rows_schema_, slots, [this](uint32_t slot, uint64_t* words) {
                          words[0] = static_cast<uint64_t>(rows[slot]);
                        }));
    TM_ASSIGN_OR_RETURN(auto rest, aggregates.Export(slots));
    columns.insert(columns.end(), rest.begin(), rest.end());
    return columns;
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    ImportStates(slots, columns.first(1),
                 [this](uint32_t slot, const uint64_t* words) { rows[slot] = static_cast<int64_t>(words[0]); });
    return aggregates.Import(slots, columns.subspan(1));
  }
  int64_t MemoryBytes() const override { return aggregates.MemoryBytes() + static_cast<int64_t>(rows.capacity() * 8); }

  AggregateState aggregates;
  std::vector<int64_t> rows;  // by slot

 private:
  Schema rows_schema_;
  Schema schema_;
};

GroupAggregate::GroupAggregate(GroupAggregateSpec spec, Schema input, Schema output)
    : spec_(std::move(spec)),
      input_(std::move(input)),
      output_(std::move(output)),
      values_(std::make_unique<Values>(spec_.calls)) {}

GroupAggregate::~GroupAggregate() = default;

Result<std::unique_ptr<GroupAggregate>> GroupAggregate::Make(GroupAggregateSpec spec, const Schema& input,
                                                             const Schema& output) {
  return std::unique_ptr<GroupAggregate>(new GroupAggregate(std::move(spec), input, output));
}

Status GroupAggregate::Open(OpenContext& context) {
  rejecter_.Open(context);
  values_->aggregates.Open(context);
  KeyedTable::Options options{.ttl_ms = spec_.state_ttl_ms, .clock = context.clock};
  for (const int key : spec_.keys) options.keys.push_back(input_.field(key));
  TM_ASSIGN_OR_RETURN(table_, KeyedTable::Make(std::move(options), values_.get()));
  return context.state->Register("groups", table_.get());
}

std::vector<std::vector<int32_t>> GroupAggregate::Rounds(const std::vector<uint32_t>& slots) {
  round_of_slot_.resize(std::max<size_t>(round_of_slot_.size(), table_->index().slot_limit()), 0);
  std::vector<std::vector<int32_t>> rounds;
  for (size_t i = 0; i < slots.size(); ++i) {
    const size_t round = static_cast<size_t>(round_of_slot_[slots[i]]++);
    if (round == rounds.size()) rounds.emplace_back();
    rounds[round].push_back(static_cast<int32_t>(i));
  }
  for (const uint32_t slot : slots) round_of_slot_[slot] = 0;
  return rounds;
}

Status GroupAggregate::RunRound(const std::vector<int32_t>& rows, const std::vector<uint32_t>& slots,
                                const AggregateState::Arguments& arguments, std::vector<Columns>& parts,
                                std::vector<Change>& changes) {
  std::vector<uint32_t> round_slots;
  for (const int32_t row : rows) round_slots.push_back(slots[static_cast<size_t>(row)]);
  TM_ASSIGN_OR_RETURN(Columns before, values_->aggregates.Finish(round_slots));
  if (rows.size() == slots.size()) {
    TM_RETURN_IF_ERROR(values_->aggregates.Update(round_slots, arguments));
  } else {
    TM_RETURN_IF_ERROR(values_->aggregates.UpdateRows(round_slots, rows, arguments));
  }
  TM_ASSIGN_OR_RETURN(Columns after, values_->aggregates.Finish(round_slots));
  const int8_t* kinds =
      arguments.row_kinds ? static_cast<const arrow::Int8Array&>(*arguments.row_kinds).raw_values() : nullptr;
  int32_t base = 0;
  for (const Columns& part : parts) base += static_cast<int32_t>(part[0]->length());
  const int32_t after_base = base + static_cast<int32_t>(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const int8_t kind = kinds ? kinds[rows[i]] : 0;
    int64_t& count = values_->rows[round_slots[i]];
    const bool was_there = count > 0;
    count +=
        kind == static_cast<int8_t>(RowKind::kUpdateBefore) || kind == static_cast<int8_t>(RowKind::kDelete) ? -1 : 1;
    const bool is_there = count > 0;
    const int64_t at = static_cast<int64_t>(i);
    const int32_t old_at = base + static_cast<int32_t>(i);
    const int32_t new_at = after_base + static_cast<int32_t>(i);
    if (was_there && !is_there) {
      changes.push_back({rows[i], RowKind::kDelete, old_at});
    } else if (!was_there && is_there) {
      changes.push_back({rows[i], RowKind::kInsert, new_at});
    } else if (was_there) {
      bool same = true;
      for (size_t c = 0; c < before.size() && same; ++c) same = before[c]->RangeEquals(*after[c], at, at + 1, at);
      if (same) continue;
      changes.push_back({rows[i], RowKind::kUpdateBefore, old_at});
      changes.push_back({rows[i], RowKind::kUpdateAfter, new_at});
    }
    // A group that is empty again starts from nothing; below nothing too: what was taken back had not been given.
    if (!is_there) {
      values_->Clear(std::span(&round_slots[i], 1));
    }
  }
  if (before.empty()) {
    // GROUP BY without aggregates: the rows still have to be counted.
    before.push_back(std::make_shared<arrow::NullArray>(static_cast<int64_t>(rows.size())));
    after = before;
  }
  parts.push_back(std::move(before));
  parts.push_back(std::move(after));
  return Status::OK();
}

Status GroupAggregate::EmitChanges(const Batch& batch, const std::vector<Columns>& parts, std::vector<Change> changes,
                                   Collector& out) {
  if (changes.empty()) return Status::OK();
  std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.row < b.row; });
  std::vector<int32_t> rows, places;
  std::vector<int8_t> kinds;
  for (const Change& change : changes) {
    rows.push_back(change.row);
    places.push_back(change.at);
    kinds.push_back(static_cast<int8_t>(change.kind));
  }
  TM_ASSIGN_OR_RETURN(Batch of_input, TakeRows(batch, rows));
  Columns columns;
  for (const int key : spec_.keys) columns.push_back(of_input.rows->column(key));
  if (!spec_.calls.empty()) {
    arrow::FieldVector fields;
    Columns all;
    for (size_t c = 0; c < spec_.calls.size(); ++c) {
      arrow::ArrayVector pieces;
      for (const Columns& part : parts) pieces.push_back(part[c]);
      TM_ARROW_ASSIGN_OR_RETURN(auto column, arrow::Concatenate(pieces), "group results");
      fields.push_back(arrow::field("", column->type()));
      all.push_back(std::move(column));
    }
    const int64_t n = all[0]->length();
    TM_ASSIGN_OR_RETURN(
        Batch results,
        TakeRows(Batch{arrow::RecordBatch::Make(arrow::schema(std::move(fields)), n, std::move(all)), nullptr, 0},
                 places));
    const auto& taken = results.rows->columns();
    columns.insert(columns.end(), taken.begin(), taken.end());
  }
  const int64_t n = static_cast<int64_t>(kinds.size());
  return out.Emit(Batch{arrow::RecordBatch::Make(output_.arrow(), n, std::move(columns)),
                        std::make_shared<arrow::Int8Array>(n, arrow::Buffer::FromVector(std::move(kinds))),
                        batch.ingest_us});
}

Status GroupAggregate::ProcessBatch(int, Batch batch, Collector& out) {
  std::vector<int32_t> kept;
  TM_ASSIGN_OR_RETURN(auto arguments, values_->aggregates.Evaluate(batch, rejecter_, out, kept));
  if (batch.num_rows() == 0) return Status::OK();
  Columns keys;
  for (const int key : spec_.keys) keys.push_back(batch.rows->column(key));
  std::vector<uint32_t> slots;
  TM_RETURN_IF_ERROR(table_->Upsert(keys, batch.num_rows(), slots));
  std::vector<Columns> parts;
  std::vector<Change> changes;
  for (const std::vector<int32_t>& rows : Rounds(slots))
    TM_RETURN_IF_ERROR(RunRound(rows, slots, arguments, parts, changes));
  TM_RETURN_IF_ERROR(EmitChanges(batch, parts, std::move(changes), out));
  // Groups that hold no row any more.
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  std::erase_if(slots, [&](uint32_t slot) { return values_->rows[slot] > 0; });
  table_->CollectExpired(kExpirySlots, slots);
  std::sort(slots.begin(), slots.end());
  slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
  if (!slots.empty()) table_->Erase(slots);
  return Status::OK();
}

Status GroupAggregate::OnWatermark(EventTime, Collector&) { return Status::OK(); }

}  // namespace tidemill
