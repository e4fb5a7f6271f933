#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/data_type.h"
#include "data/internal/number_text.h"
#include "data/time_text.h"

namespace arrow {
class Array;
class ResizableBuffer;
}  // namespace arrow

namespace tidemill {

// Fills one column by row number, straight into the Arrow buffers that Finish hands out. Rows are set in ascending
// order, every row up to the last one exactly once or more; setting a row again (a repeated key, a row given up and its
// place reused) replaces it. Not thread-safe.
class ColumnWriter {
 public:
  explicit ColumnWriter(DataType type);
  ~ColumnWriter();
  ColumnWriter(ColumnWriter&&) noexcept;

  const DataType& type() const { return type_; }
  TypeKind kind() const { return kind_; }

  // Room for rows 0 .. rows - 1. Keeps what is there.
  Status Reserve(int64_t rows) {
    if (rows <= capacity_) return Status::OK();
    return Grow(rows);
  }
  // The rows so far; the writer is empty again.
  Result<std::shared_ptr<arrow::Array>> Finish(int64_t rows);

  void SetNull(int64_t row);
  void SetBoolean(int64_t row, bool value) {
    values_[row] = value;
    valid_[row] = 1;
  }
  // TINYINT .. BIGINT.
  Conversion SetInteger(int64_t row, int64_t value);
  // FLOAT and DOUBLE; a FLOAT that overflows is kOutOfRange.
  Conversion SetDouble(int64_t row, double value);
  void SetDecimal(int64_t row, const arrow::Decimal128& value);
  // The raw value of any 4- or 8-byte type: dates, times, timestamps, intervals.
  void SetRaw4(int64_t row, int32_t value) { Store(row, value); }
  void SetRaw8(int64_t row, int64_t value) { Store(row, value); }

  // STRING and BYTES: room for `bytes` more for `row`; CommitBytes says how many were written there.
  Result<char*> PrepareBytes(int64_t row, size_t bytes) {
    const int64_t begin = row == 0 ? 0 : offsets_[row];
    if (begin + static_cast<int64_t>(bytes) + kSlack <= bytes_capacity_) return bytes_ + begin;
    return GrowBytes(begin, bytes);
  }
  void CommitBytes(int64_t row, size_t bytes) {
    const int32_t begin = row == 0 ? 0 : offsets_[row];
    offsets_[row] = begin;
    offsets_[row + 1] = begin + static_cast<int32_t>(bytes);
    valid_[row] = 1;
  }
  Status SetBytes(int64_t row, std::string_view bytes);

  // ARRAY, MAP and MULTISET: entries go to child(0) (and child(1)) from row ListStart(row) on; EndList says how many
  // there are. ROW: the fields are set at the same row; then MarkRow.
  std::vector<ColumnWriter>& children() { return children_; }
  int64_t ListStart(int64_t row) const { return row == 0 ? 0 : offsets_[row]; }
  void EndList(int64_t row, int64_t entries) { CommitBytes(row, static_cast<size_t>(entries)); }
  void MarkRow(int64_t row) { valid_[row] = 1; }

  // From text as Java parses it (CSV fields, quoted JSON values): numbers trimmed, "true"/"false" in any case or 1/0,
  // BYTES in base64.
  Conversion FromText(int64_t row, std::string_view text, TimeSyntax syntax);

  // Writing past the end of PrepareBytes's room by up to this much is allowed: whole vector stores.
  static constexpr int64_t kSlack = 32;

 private:
  template <typename T>
  void Store(int64_t row, T value) {
    std::memcpy(values_ + row * static_cast<int64_t>(sizeof(T)), &value, sizeof(T));
    valid_[row] = 1;
  }
  Status Grow(int64_t rows);
  Result<char*> GrowBytes(int64_t begin, size_t bytes);
  Result<std::shared_ptr<arrow::Array>> FinishNested(int64_t rows);

  DataType type_;
  TypeKind kind_;
  int width_ = 0;  // bytes per value; 0 when offsets_ are used instead
  bool any_null_ = false;
  int64_t capacity_ = 0;
  uint8_t* valid_ = nullptr;  // one byte per row, packed by Finish
  uint8_t* values_ = nullptr;
  int32_t* offsets_ = nullptr;
  char* bytes_ = nullptr;
  int64_t bytes_capacity_ = 0;
  int64_t bytes_expected_ = 0;  // what the last batch needed
  std::vector<uint8_t> valid_store_;
  std::shared_ptr<arrow::ResizableBuffer> values_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> offsets_buffer_;
  std::shared_ptr<arrow::ResizableBuffer> bytes_buffer_;
  std::vector<ColumnWriter> children_;
};

}  // namespace tidemill
