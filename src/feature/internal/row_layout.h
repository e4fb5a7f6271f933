#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/data_type.h"

namespace arrow {
class Array;
}

namespace tidemill {

// Where the values of an online row lie: event time (8 bytes), flags (1), one bit a column for NULL, the key, then each
// column in its natural width. A key or value of varying length is a pointer to a block of its own in the table, and an
// offset in a copy.
class RowLayout {
 public:
  struct Column {
    DataType type;
    int offset = 0;
    int width = 0;         // 1, 2, 4, 8, 16
    bool varying = false;  // STRING, BYTES: width 8
    int null_byte = 0;
    uint8_t null_mask = 0;
  };

  // `key_width`: bytes of a key of fixed width, 0 = varying.
  RowLayout(const std::vector<DataType>& columns, int key_width);

  int row_bytes() const { return row_bytes_; }
  int key_offset() const { return key_offset_; }
  int key_width() const { return key_width_; }
  const std::vector<Column>& columns() const { return columns_; }
  const std::vector<int>& varying() const { return varying_; }  // offsets of all pointers, the key's included

  static EventTime event_time(const uint8_t* row);
  static void set_event_time(uint8_t* row, EventTime time);
  static uint8_t& flags(uint8_t* row) { return row[8]; }

 private:
  std::vector<Column> columns_;
  std::vector<int> varying_;
  int row_bytes_ = 0;
  int key_offset_ = 0;
  int key_width_ = 0;
};

// A block of varying length, owned by one row slot.
struct VaryingBlock {
  uint32_t capacity;
  uint32_t size;
  char bytes[];
};
// Puts `bytes` into the block that `slot` points to, growing it when needed.
void StoreVarying(uint8_t* slot, const char* bytes, uint32_t size);
const VaryingBlock* LoadVarying(const uint8_t* slot);
void FreeVarying(uint8_t* slot);

// values[source[i]] -> the column's place in rows[i], for all i < n.
void WriteColumn(const arrow::Array& values, const RowLayout::Column& column, const uint32_t* source,
                 uint8_t* const* rows, int64_t n);

// Rows copied out of a table: fixed parts one behind the other, blocks behind offsets into `blocks`.
struct RowCopies {
  std::vector<uint8_t> rows;
  std::string blocks;
  int64_t num_rows = 0;
  void Append(const RowLayout& layout, const uint8_t* row);
  void AppendAbsent(const RowLayout& layout);  // all NULL, event time kMinEventTime
  std::string_view key(const RowLayout& layout, int64_t i) const;
};
// One column of copied rows as an array of its type.
Result<std::shared_ptr<arrow::Array>> ReadColumn(const RowCopies& copies, const RowLayout& layout,
                                                 const RowLayout::Column& column);

}  // namespace tidemill
