#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"
#include "data/schema.h"

namespace tidemill {

template <typename Out, typename T, typename Get>
Result<std::shared_ptr<arrow::Array>> BuildNumbersAs(const std::shared_ptr<arrow::DataType>& type, size_t n,
                                                     Get&& get) {
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                            arrow::AllocateBuffer(static_cast<int64_t>(n * sizeof(Out))), "build column");
  auto* out = reinterpret_cast<Out*>(values->mutable_data());
  std::shared_ptr<arrow::Buffer> validity;
  int64_t nulls = 0;
  for (size_t i = 0; i < n; ++i) {
    T value{};
    if (get(i, value)) [[likely]] {
      out[i] = static_cast<Out>(value);
      continue;
    }
    out[i] = Out{};
    if (nulls++ == 0) {
      TM_ARROW_ASSIGN_OR_RETURN(validity, arrow::AllocateBitmap(static_cast<int64_t>(n)), "build column");
      std::memset(validity->mutable_data(), 0xff, static_cast<size_t>(validity->size()));
    }
    arrow::bit_util::ClearBit(validity->mutable_data(), static_cast<int64_t>(i));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, static_cast<int64_t>(n), {std::move(validity), std::move(values)}, nulls));
}

// A numeric column of `type`: get(i, value) gives value i, false for NULL. Integers are cut to the type's width.
template <typename T, typename Get>
Result<std::shared_ptr<arrow::Array>> BuildNumbers(const DataType& type, size_t n, Get&& get) {
  const auto arrow_type = ToArrow(type);
  if constexpr (sizeof(T) == 16) {
    return BuildNumbersAs<T, T>(arrow_type, n, get);
  } else {
    switch (arrow_type->id()) {
      case arrow::Type::INT8:
        return BuildNumbersAs<int8_t, T>(arrow_type, n, get);
      case arrow::Type::INT16:
        return BuildNumbersAs<int16_t, T>(arrow_type, n, get);
      case arrow::Type::INT32:
        return BuildNumbersAs<int32_t, T>(arrow_type, n, get);
      case arrow::Type::FLOAT:
        return BuildNumbersAs<float, T>(arrow_type, n, get);
      case arrow::Type::DOUBLE:
        return BuildNumbersAs<double, T>(arrow_type, n, get);
      default:
        return BuildNumbersAs<int64_t, T>(arrow_type, n, get);
    }
  }
}

// Fixed-width states as columns of BIGINT and DOUBLE (both 8 bytes), and back: `read(slot, words)`, `write(slot,
// words)`.
template <typename Read>
Result<std::vector<std::shared_ptr<arrow::Array>>> ExportStates(const Schema& schema, std::span<const uint32_t> slots,
                                                                Read&& read) {
  const size_t width = static_cast<size_t>(schema.num_fields());
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(width);
  for (auto& buffer : buffers) {
    TM_ARROW_ASSIGN_OR_RETURN(buffer, arrow::AllocateBuffer(static_cast<int64_t>(slots.size() * 8)), "export state");
  }
  std::vector<uint64_t> words(width);
  for (size_t i = 0; i < slots.size(); ++i) {
    read(slots[i], words.data());
    for (size_t f = 0; f < width; ++f) reinterpret_cast<uint64_t*>(buffers[f]->mutable_data())[i] = words[f];
  }
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (size_t f = 0; f < width; ++f) {
    columns.push_back(
        arrow::MakeArray(arrow::ArrayData::Make(ToArrow(schema.field(static_cast<int>(f)).type),
                                                static_cast<int64_t>(slots.size()), {nullptr, buffers[f]}, 0)));
  }
  return columns;
}

template <typename Write>
void ImportStates(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns,
                  Write&& write) {
  std::vector<const uint64_t*> values;
  for (const auto& column : columns) values.push_back(column->data()->GetValues<uint64_t>(1));
  std::vector<uint64_t> words(columns.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    for (size_t f = 0; f < columns.size(); ++f) words[f] = values[f][i];
    write(slots[i], words.data());
  }
}

}  // namespace tidemill
