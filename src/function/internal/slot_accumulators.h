#pragma once

#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include <arrow/array.h>

#include "base/errors.h"
#include "data/batch.h"
#include "function/aggregate_function.h"
#include "function/internal/row_kernel.h"

namespace tidemill {

// Rows that count: valid in `arg` (nullptr = all are) and selected. `fold(i, sign)`, sign -1 for a row that is taken
// back. The plain case, no NULLs, no filter, no changes, is a loop of its own in which `sign` is a constant.
template <typename F>
void ForEachCounted(int64_t rows, const arrow::Array* arg, const int8_t* kinds, const uint8_t* selected, F&& fold) {
  const bool has_nulls = arg != nullptr && arg->null_count() != 0;
  if (!has_nulls && kinds == nullptr && selected == nullptr) {
    for (int64_t i = 0; i < rows; ++i) fold(i, 1);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    if (selected != nullptr && selected[i] == 0) continue;
    if (has_nulls && arg->IsNull(i)) continue;
    const bool retract = kinds != nullptr && (kinds[i] == static_cast<int8_t>(RowKind::kUpdateBefore) ||
                                              kinds[i] == static_cast<int8_t>(RowKind::kDelete));
    fold(i, retract ? -1 : 1);
  }
}

// For aggregates that can't take rows back: a plan that sends them -U or -D is wrong, and must not pass unnoticed.
inline Status RefuseRetractions(int64_t rows, const int8_t* kinds) {
  for (int64_t i = 0; kinds != nullptr && i < rows; ++i) {
    if (kinds[i] == static_cast<int8_t>(RowKind::kUpdateBefore) || kinds[i] == static_cast<int8_t>(RowKind::kDelete)) {
      return Status(kInternalError, "an aggregate that can't take rows back was given one");
    }
  }
  return Status::OK();
}

// Columns from values: `get(i, value)` returns false for NULL.
template <typename T, typename Get>
Result<std::shared_ptr<arrow::Array>> BuildColumn(const DataType& type, int64_t rows, Get&& get) {
  TM_ASSIGN_OR_RETURN(OutColumn<T> out, OutColumn<T>::Make(rows));
  Validity validity;
  bool owned = false;
  T value{};
  for (int64_t i = 0; i < rows; ++i) {
    if (get(i, value)) {
      TM_RETURN_IF_ERROR(out.Append(i, value));
    } else {
      TM_RETURN_IF_ERROR(AddNull(validity, owned, i, rows));
      TM_RETURN_IF_ERROR(out.AppendNull(i));
    }
  }
  return out.Finish(type, rows, validity);
}

// Storage type of a value that is kept: texts own their bytes.
template <typename T>
using Kept = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;
// How a kept value is read from an arrow array.
template <typename T>
using Read = std::conditional_t<std::is_same_v<T, std::string>, std::string_view, T>;

// Accumulators of fixed width: one State per slot, side by side, so that a fold touches one place in memory. Derived
// gives
//   static constexpr auto kFields = std::make_tuple(&State::count, ...)   in the order of the state schema
//   static void Combine(State& into, const State& from)
// and Update, Finish, retractable.
template <typename Derived, typename State>
class SlotAccumulators : public Accumulators {
 public:
  explicit SlotAccumulators(Schema schema) : schema_(std::move(schema)) {}

  void Resize(int64_t slots) override { states_.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) states_[slot] = State{};
  }
  Status Merge(std::span<const uint32_t> target, const Accumulators& other, std::span<const uint32_t> source) override {
    const auto& from = static_cast<const SlotAccumulators&>(other).states_;
    for (size_t i = 0; i < target.size(); ++i) Derived::Combine(states_[target[i]], from[source[i]]);
    return Status::OK();
  }
  const Schema& state_schema() const override { return schema_; }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    Status status;
    std::apply([&](auto... field) { (..., ExportField(field, slots, columns, status)); }, Derived::kFields);
    if (!status.ok()) return status;
    return columns;
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    if (columns.size() != std::tuple_size_v<std::remove_cvref_t<decltype(Derived::kFields)>>) {
      return Status(kInternalError, "accumulator columns do not match");
    }
    size_t at = 0;
    std::apply([&](auto... field) { (..., ImportField(field, slots, *columns[at++])); }, Derived::kFields);
    return Status::OK();
  }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(states_.capacity() * sizeof(State)); }

 protected:
  std::vector<State> states_;

 private:
  template <typename T>
  void ExportField(T State::*field, std::span<const uint32_t> slots,
                   std::vector<std::shared_ptr<arrow::Array>>& columns, Status& status) const {
    if (!status.ok()) return;
    const DataType& type = schema_.field(static_cast<int>(columns.size())).type;
    Result<std::shared_ptr<arrow::Array>> column =
        BuildColumn<T>(type, static_cast<int64_t>(slots.size()), [&](int64_t i, T& out) {
          out = states_[slots[static_cast<size_t>(i)]].*field;
          return true;
        });
    if (column.ok())
      columns.push_back(*std::move(column));
    else
      status = column.status();
  }
  template <typename T>
  void ImportField(T State::*field, std::span<const uint32_t> slots, const arrow::Array& column) {
    const Reader<Read<T>> read(column, false);
    for (size_t i = 0; i < slots.size(); ++i) states_[slots[i]].*field = T(read(static_cast<int64_t>(i)));
  }

  Schema schema_;
};

inline Schema StateSchema(std::initializer_list<std::pair<const char*, DataType>> fields) {
  std::vector<Field> out;
  for (const auto& [name, type] : fields) out.push_back(Field{name, type.WithNullable(false)});
  return Schema(std::move(out));
}

}  // namespace tidemill
