#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/api.h>

#include "data/schema.h"
#include "state/keyed_table.h"

namespace tidemill {

// Two columns beside the keys: a BIGINT that is 0 when empty and a STRING that is NULL when empty.
class TestValues final : public SlotValues {
 public:
  TestValues() : schema_({{"total", DataType(TypeKind::kBigInt)}, {"note", DataType(TypeKind::kString)}}) {}
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override {
    totals.resize(static_cast<size_t>(slots), 0);
    notes.resize(static_cast<size_t>(slots));
  }
  void Clear(std::span<const uint32_t> slots) override {
    for (const uint32_t slot : slots) {
      totals[slot] = 0;
      notes[slot].clear();
    }
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    arrow::Int64Builder total;
    arrow::StringBuilder note;
    for (const uint32_t slot : slots) {
      TM_CHECK(total.Append(totals[slot]).ok());
      TM_CHECK((notes[slot].empty() ? note.AppendNull() : note.Append(notes[slot])).ok());
    }
    return std::vector<std::shared_ptr<arrow::Array>>{*total.Finish(), *note.Finish()};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    for (size_t i = 0; i < slots.size(); ++i) {
      totals[slots[i]] = static_cast<const arrow::Int64Array&>(*columns[0]).Value(static_cast<int64_t>(i));
      const auto& note = static_cast<const arrow::StringArray&>(*columns[1]);
      notes[slots[i]] = note.IsNull(static_cast<int64_t>(i)) ? "" : note.GetString(static_cast<int64_t>(i));
    }
    return Status::OK();
  }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(totals.capacity() * 8); }

  std::vector<int64_t> totals;
  std::vector<std::string> notes;

 private:
  Schema schema_;
};

inline std::shared_ptr<arrow::Array> Int64s(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  TM_CHECK(builder.AppendValues(values).ok());
  return *builder.Finish();
}
inline std::shared_ptr<arrow::Array> Doubles(const std::vector<double>& values) {
  arrow::DoubleBuilder builder;
  TM_CHECK(builder.AppendValues(values).ok());
  return *builder.Finish();
}
inline std::shared_ptr<arrow::Array> Strings(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  TM_CHECK(builder.AppendValues(values).ok());
  return *builder.Finish();
}

}  // namespace tidemill
