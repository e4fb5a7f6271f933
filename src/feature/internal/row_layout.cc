#include "feature/internal/row_layout.h"

#include <cstdlib>
#include <cstring>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr int kNullsOffset = 9;
constexpr uint32_t kBlockSlack = 16;

int WidthOf(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
      return 2;
    case TypeKind::kInt:
    case TypeKind::kFloat:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kIntervalMonth:
      return 4;
    case TypeKind::kDecimal:
      return 16;
    default:
      return 8;
  }
}

void SetNull(const RowLayout::Column& column, uint8_t* row, bool null) {
  uint8_t& byte = row[column.null_byte];
  byte = static_cast<uint8_t>(null ? byte | column.null_mask : byte & ~column.null_mask);
}

template <int kWidth>
void WriteFixed(const arrow::Array& values, const RowLayout::Column& column, const uint32_t* source,
                uint8_t* const* rows, int64_t n) {
  const uint8_t* data = values.data()->buffers[1]->data() + values.offset() * kWidth;
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(rows[i] + column.offset, data + static_cast<size_t>(source[i]) * kWidth, kWidth);
  }
}

template <int kWidth>
void ReadFixed(const uint8_t* rows, int64_t stride, int64_t n, int offset, uint8_t* out) {
  for (int64_t i = 0; i < n; ++i) std::memcpy(out + i * kWidth, rows + i * stride + offset, kWidth);
}

uint64_t SlotOf(const uint8_t* slot) {
  uint64_t value;
  std::memcpy(&value, slot, 8);
  return value;
}

void SetSlot(uint8_t* slot, uint64_t value) { std::memcpy(slot, &value, 8); }

}  // namespace

RowLayout::RowLayout(const std::vector<DataType>& columns, int key_width) : key_width_(key_width) {
  const int nulls = static_cast<int>(columns.size() + 7) / 8;
  int at = (kNullsOffset + nulls + 7) / 8 * 8;
  key_offset_ = at;
  at += key_width > 0 ? key_width : 8;
  if (key_width == 0) varying_.push_back(key_offset_);
  columns_.resize(columns.size());
  // Wide columns first, so that all are aligned.
  for (const int width : {16, 8, 4, 2, 1}) {
    if (width == 8 || width == 16) at = (at + 7) / 8 * 8;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (WidthOf(columns[i]) != width) continue;
      Column& column = columns_[i];
      column.type = columns[i];
      column.width = width;
      column.varying = columns[i].kind() == TypeKind::kString || columns[i].kind() == TypeKind::kBytes;
      column.offset = at;
      column.null_byte = kNullsOffset + static_cast<int>(i / 8);
      column.null_mask = static_cast<uint8_t>(1u << (i % 8));
      if (column.varying) varying_.push_back(at);
      at += width;
    }
  }
  row_bytes_ = (at + 7) / 8 * 8;
}

EventTime RowLayout::event_time(const uint8_t* row) { return static_cast<EventTime>(SlotOf(row)); }
void RowLayout::set_event_time(uint8_t* row, EventTime time) { SetSlot(row, static_cast<uint64_t>(time)); }

void StoreVarying(uint8_t* slot, const char* bytes, uint32_t size) {
  auto* block = reinterpret_cast<VaryingBlock*>(SlotOf(slot));
  if (block == nullptr || block->capacity < size) {
    std::free(block);
    const uint32_t capacity = size + kBlockSlack;
    block = static_cast<VaryingBlock*>(std::malloc(sizeof(VaryingBlock) + capacity));
    TM_CHECK(block != nullptr);
    block->capacity = capacity;
    SetSlot(slot, reinterpret_cast<uint64_t>(block));
  }
  block->size = size;
  if (size > 0) std::memcpy(block->bytes, bytes, size);
}

const VaryingBlock* LoadVarying(const uint8_t* slot) { return reinterpret_cast<const VaryingBlock*>(SlotOf(slot)); }

void FreeVarying(uint8_t* slot) {
  std::free(reinterpret_cast<void*>(SlotOf(slot)));
  SetSlot(slot, 0);
}

void WriteColumn(const arrow::Array& values, const RowLayout::Column& column, const uint32_t* source,
                 uint8_t* const* rows, int64_t n) {
  if (column.varying) {
    const auto& binary = static_cast<const arrow::BinaryArray&>(values);
    for (int64_t i = 0; i < n; ++i) {
      if (binary.IsNull(source[i])) continue;
      const std::string_view bytes = binary.GetView(source[i]);
      StoreVarying(rows[i] + column.offset, bytes.data(), static_cast<uint32_t>(bytes.size()));
    }
  } else if (column.type.kind() == TypeKind::kBoolean) {
    const auto& booleans = static_cast<const arrow::BooleanArray&>(values);
    for (int64_t i = 0; i < n; ++i) rows[i][column.offset] = booleans.Value(source[i]);
  } else {
    switch (column.width) {
      case 1:
        WriteFixed<1>(values, column, source, rows, n);
        break;
      case 2:
        WriteFixed<2>(values, column, source, rows, n);
        break;
      case 4:
        WriteFixed<4>(values, column, source, rows, n);
        break;
      case 8:
        WriteFixed<8>(values, column, source, rows, n);
        break;
      default:
        WriteFixed<16>(values, column, source, rows, n);
        break;
    }
  }
  if (values.null_count() == 0) {
    for (int64_t i = 0; i < n; ++i) SetNull(column, rows[i], false);
  } else {
    for (int64_t i = 0; i < n; ++i) SetNull(column, rows[i], values.IsNull(source[i]));
  }
}

void RowCopies::Append(const RowLayout& layout, const uint8_t* row) {
  const size_t at = rows.size();
  rows.insert(rows.end(), row, row + layout.row_bytes());
  ++num_rows;
  for (const int offset : layout.varying()) {
    const VaryingBlock* block = LoadVarying(row + offset);
    if (block == nullptr) continue;  // stays 0: empty
    SetSlot(rows.data() + at + offset, blocks.size() + 1);
    blocks.append(reinterpret_cast<const char*>(&block->size), 4);
    blocks.append(block->bytes, block->size);
  }
}

void RowCopies::AppendAbsent(const RowLayout& layout) {
  const size_t at = rows.size();
  rows.resize(at + layout.row_bytes(), 0);
  ++num_rows;
  uint8_t* row = rows.data() + at;
  RowLayout::set_event_time(row, kMinEventTime);
  for (const RowLayout::Column& column : layout.columns()) SetNull(column, row, true);
}

namespace {
std::string_view BlockOf(const RowCopies& copies, const uint8_t* slot) {
  const uint64_t at = SlotOf(slot);
  if (at == 0) return {};
  uint32_t size;
  std::memcpy(&size, copies.blocks.data() + at - 1, 4);
  return {copies.blocks.data() + at + 3, size};
}
}  // namespace

std::string_view RowCopies::key(const RowLayout& layout, int64_t i) const {
  const uint8_t* row = rows.data() + i * layout.row_bytes() + layout.key_offset();
  if (layout.key_width() > 0) return {reinterpret_cast<const char*>(row), static_cast<size_t>(layout.key_width())};
  return BlockOf(*this, row);
}

Result<std::shared_ptr<arrow::Array>> ReadColumn(const RowCopies& copies, const RowLayout& layout,
                                                 const RowLayout::Column& column) {
  constexpr std::string_view kDoing = "reading online features";
  const int64_t n = copies.num_rows;
  const int64_t stride = layout.row_bytes();
  const uint8_t* rows = copies.rows.data();
  if (column.varying) {
    std::unique_ptr<arrow::ArrayBuilder> builder;
    TM_ARROW_RETURN_IF_ERROR(arrow::MakeBuilder(arrow::default_memory_pool(), ToArrow(column.type), &builder), kDoing);
    auto& binary = static_cast<arrow::BinaryBuilder&>(*builder);
    for (int64_t i = 0; i < n; ++i) {
      const uint8_t* row = rows + i * stride;
      const bool null = (row[column.null_byte] & column.null_mask) != 0;
      TM_ARROW_RETURN_IF_ERROR(null ? binary.AppendNull() : binary.Append(BlockOf(copies, row + column.offset)),
                               kDoing);
    }
    std::shared_ptr<arrow::Array> result;
    TM_ARROW_RETURN_IF_ERROR(builder->Finish(&result), kDoing);
    return result;
  }
  int64_t null_count = 0;
  for (int64_t i = 0; i < n; ++i) null_count += (rows[i * stride + column.null_byte] & column.null_mask) != 0;
  std::shared_ptr<arrow::Buffer> validity;
  if (null_count > 0) {
    TM_ARROW_ASSIGN_OR_RETURN(validity, arrow::AllocateEmptyBitmap(n), kDoing);
    for (int64_t i = 0; i < n; ++i) {
      if ((rows[i * stride + column.null_byte] & column.null_mask) == 0)
        arrow::bit_util::SetBit(validity->mutable_data(), i);
    }
  }
  std::shared_ptr<arrow::Buffer> data;
  if (column.type.kind() == TypeKind::kBoolean) {
    TM_ARROW_ASSIGN_OR_RETURN(data, arrow::AllocateEmptyBitmap(n), kDoing);
    for (int64_t i = 0; i < n; ++i)
      arrow::bit_util::SetBitTo(data->mutable_data(), i, rows[i * stride + column.offset] != 0);
  } else {
    TM_ARROW_ASSIGN_OR_RETURN(data, arrow::AllocateBuffer(n * column.width), kDoing);
    uint8_t* out = data->mutable_data();
    switch (column.width) {
      case 1:
        ReadFixed<1>(rows, stride, n, column.offset, out);
        break;
      case 2:
        ReadFixed<2>(rows, stride, n, column.offset, out);
        break;
      case 4:
        ReadFixed<4>(rows, stride, n, column.offset, out);
        break;
      case 8:
        ReadFixed<8>(rows, stride, n, column.offset, out);
        break;
      default:
        ReadFixed<16>(rows, stride, n, column.offset, out);
        break;
    }
  }
  return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(column.type), n, {validity, data}, null_count));
}

}  // namespace tidemill
