#pragma once

#include <memory>
#include <vector>

#include <arrow/array/array_nested.h>

#include "data/schema.h"
#include "function/internal/slot_accumulators.h"

namespace tidemill {

// An array over a column of elements; `ends[i]` is where row i ends.
inline Result<std::shared_ptr<arrow::Array>> WrapLists(const DataType& list, const std::vector<int32_t>& ends,
                                                       const std::shared_ptr<arrow::Array>& elements,
                                                       const Validity& validity) {
  const auto rows = static_cast<int64_t>(ends.size());
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> offsets,
                      NewBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* raw = reinterpret_cast<int32_t*>(offsets->mutable_data());
  raw[0] = 0;
  std::copy(ends.begin(), ends.end(), raw + 1);
  return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(list), rows, {validity.bits, offsets}, {elements->data()},
                                                 validity.all() ? 0 : arrow::kUnknownNullCount));
}

// One ARRAY<element> a row: `each(row, add)` calls `add(value)` for its elements.
template <typename T, typename Each>
Result<std::shared_ptr<arrow::Array>> BuildLists(const DataType& element, size_t rows, Each&& each) {
  std::vector<T> values;
  std::vector<int32_t> ends;
  ends.reserve(rows);
  for (size_t i = 0; i < rows; ++i) {
    each(i, [&values](auto&& value) { values.push_back(T(std::forward<decltype(value)>(value))); });
    ends.push_back(static_cast<int32_t>(values.size()));
  }
  TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> elements,
                      BuildColumn<T>(element, static_cast<int64_t>(values.size()), [&](int64_t i, T& out) {
                        out = values[static_cast<size_t>(i)];
                        return true;
                      }));
  return WrapLists(DataType::Array(element), ends, elements, Validity{});
}

}  // namespace tidemill
