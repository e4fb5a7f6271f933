#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/datum.h>
#include <arrow/util/bit_util.h>

#include "base/status.h"
#include "function/scalar_function.h"

namespace tidemill {

// Which rows of a column are not NULL: bitmap from bit 0, or nothing when all are.
struct Validity {
  std::shared_ptr<arrow::Buffer> bits;
  bool IsValid(int64_t row) const { return bits == nullptr || arrow::bit_util::GetBit(bits->data(), row); }
  bool all() const { return bits == nullptr; }
};

// One kernel call: its arguments as columns, how many rows to compute (1 when every argument is a constant), and its
// row errors. Lives for the call.
class Frame {
 public:
  static Result<Frame> Make(EvalContext& context, std::span<const arrow::Datum> args);

  EvalContext& context() const { return *context_; }
  int64_t rows() const { return rows_; }
  int num_columns() const { return static_cast<int>(columns_.size()); }
  const arrow::Array& column(int i) const { return *columns_[static_cast<size_t>(i)]; }
  const std::shared_ptr<arrow::Array>& column_ptr(int i) const { return columns_[static_cast<size_t>(i)]; }
  bool is_constant(int i) const { return constant_[static_cast<size_t>(i)]; }
  bool all_constant() const { return all_constant_; }
  // Row of column i that holds the value of `row`.
  int64_t index(int i, int64_t row) const { return is_constant(i) ? 0 : row; }

  // Rows where no argument (or none of `columns`) is NULL.
  Result<Validity> StrictValidity() const;
  Result<Validity> ValidityOf(std::span<const int> columns) const;
  // `row` counts in rows(); when all is constant every row of the batch has the error.
  void Raise(int64_t row, const ErrorCode& code, std::string detail) const;
  bool IsActive(int64_t row) const {
    return all_constant_ || context_->active() == nullptr || context_->active()[row] != 0;
  }
  // The array as the result, one value when all is constant.
  Result<arrow::Datum> Finish(std::shared_ptr<arrow::Array> array) const;

 private:
  EvalContext* context_ = nullptr;
  int64_t rows_ = 0;
  bool all_constant_ = true;
  std::vector<std::shared_ptr<arrow::Array>> columns_;
  std::vector<bool> constant_;
};

// Reads values of a fixed-width column; a constant has step 0. Values under NULL are undefined but readable.
template <typename T>
class Reader {
 public:
  Reader(const arrow::Array& array, bool constant)
      : values_(array.data()->GetValues<uint8_t>(1, 0)), step_(constant ? 0 : 1) {
    if (values_ != nullptr) values_ += array.offset() * static_cast<int64_t>(sizeof(T));
  }
  T operator()(int64_t i) const {
    T value;  // 128-bit values of mapped files may lie unaligned
    std::memcpy(&value, values_ + i * step_ * static_cast<int64_t>(sizeof(T)), sizeof(T));
    return value;
  }
  const T* data() const { return reinterpret_cast<const T*>(values_); }

 private:
  const uint8_t* values_;
  int64_t step_;
};

template <>
class Reader<bool> {
 public:
  Reader(const arrow::Array& array, bool constant)
      : bits_(array.data()->GetValues<uint8_t>(1, 0)), offset_(array.offset()), step_(constant ? 0 : 1) {}
  bool operator()(int64_t i) const { return arrow::bit_util::GetBit(bits_, offset_ + i * step_); }

 private:
  const uint8_t* bits_;
  int64_t offset_;
  int64_t step_;
};

template <>
class Reader<std::string_view> {
 public:
  Reader(const arrow::Array& array, bool constant)
      : offsets_(array.data()->GetValues<int32_t>(1)),
        bytes_(array.data()->buffers[2] ? reinterpret_cast<const char*>(array.data()->buffers[2]->data()) : ""),
        step_(constant ? 0 : 1) {}
  std::string_view operator()(int64_t i) const {
    const int64_t at = i * step_;
    return {bytes_ + offsets_[at], static_cast<size_t>(offsets_[at + 1] - offsets_[at])};
  }

 private:
  const int32_t* offsets_;
  const char* bytes_;
  int64_t step_;
};

// What the values of an arrow array with this logical type are in memory, handed to a generic lambda as `Tag<T>{}`:
// bool, int8_t .. int64_t, float, double, __int128 (decimal), std::string_view. False for nested types and NULL.
template <typename T>
struct Tag {
  using Type = T;
};
template <typename F>
bool DispatchPhysical(TypeKind kind, F&& f) {
  switch (kind) {
    case TypeKind::kBoolean:
      f(Tag<bool>{});
      return true;
    case TypeKind::kTinyInt:
      f(Tag<int8_t>{});
      return true;
    case TypeKind::kSmallInt:
      f(Tag<int16_t>{});
      return true;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kIntervalMonth:
      f(Tag<int32_t>{});
      return true;
    case TypeKind::kBigInt:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDay:
      f(Tag<int64_t>{});
      return true;
    case TypeKind::kFloat:
      f(Tag<float>{});
      return true;
    case TypeKind::kDouble:
      f(Tag<double>{});
      return true;
    case TypeKind::kDecimal:
      f(Tag<__int128>{});
      return true;
    case TypeKind::kString:
    case TypeKind::kBytes:
      f(Tag<std::string_view>{});
      return true;
    default:
      return false;
  }
}

Result<std::shared_ptr<arrow::Buffer>> NewBuffer(int64_t bytes);
Result<std::shared_ptr<arrow::Buffer>> NewBitmap(int64_t bits, bool value);
// An array over raw values (or, for BOOLEAN, a bitmap) and who is NULL.
std::shared_ptr<arrow::Array> MakeFixedArray(const DataType& type, int64_t rows, std::shared_ptr<arrow::Buffer> values,
                                             const Validity& validity);
// The column with whatever lies under NULL as values: for keys of maps, which Arrow wants without NULL, in rows that
// are refused anyway.
std::shared_ptr<arrow::ArrayData> WithoutNulls(const std::shared_ptr<arrow::ArrayData>& data);
Result<std::shared_ptr<arrow::Array>> MakeNullArray(const DataType& type, int64_t rows);

// Fills `bits` (from bit 0) with f(0) .. f(rows - 1).
template <typename F>
void FillBits(uint8_t* bits, int64_t rows, F&& f) {
  int64_t i = 0;
  for (; i + 64 <= rows; i += 64) {
    uint8_t bytes[64];
    for (int k = 0; k < 64; ++k) bytes[k] = static_cast<uint8_t>(f(i + k));
    for (int k = 0; k < 8; ++k) {
      uint64_t eight;
      std::memcpy(&eight, bytes + k * 8, 8);
      bits[i / 8 + k] = static_cast<uint8_t>((eight * 0x0102040810204080ULL) >> 56);
    }
  }
  for (; i < rows; ++i) arrow::bit_util::SetBitTo(bits, i, f(i));
}

}  // namespace tidemill
