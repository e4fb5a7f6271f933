#include "data/internal/key_codec.h"

#include <cmath>
#include <cstring>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

uint32_t NormalisedBits(float value) {
  if (std::isnan(value)) return 0x7fc00000u;
  if (value == 0) return 0;
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

uint64_t NormalisedBits(double value) {
  if (std::isnan(value)) return 0x7ff8000000000000u;
  if (value == 0) return 0;
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

template <typename T>
const T* Values(const arrow::Array& column) {
  return column.data()->template GetValues<T>(1);
}

template <typename T>
void Widen(const arrow::Array& column, uint64_t* out) {
  const T* values = Values<T>(column);
  for (int64_t i = 0; i < column.length(); ++i) out[i] = static_cast<uint64_t>(static_cast<int64_t>(values[i]));
}

template <typename T>
void WidenFloat(const arrow::Array& column, uint64_t* out) {
  const T* values = Values<T>(column);
  for (int64_t i = 0; i < column.length(); ++i) out[i] = NormalisedBits(values[i]);
}

void WidenBits(const arrow::Array& column, uint64_t* out) {
  const auto& data = *column.data();
  const uint8_t* bits = data.buffers[1]->data();
  for (int64_t i = 0; i < column.length(); ++i) out[i] = arrow::bit_util::GetBit(bits, data.offset + i);
}

template <typename T>
struct Identity {
  T operator()(T value) const { return value; }
};
struct Normalise {
  uint32_t operator()(float value) const { return NormalisedBits(value); }
  uint64_t operator()(double value) const { return NormalisedBits(value); }
};

template <typename T, typename Map>
void Scatter(const arrow::Array& column, bool nullable, const uint32_t* starts, int offset, uint8_t* bytes, Map map) {
  const T* values = Values<T>(column);
  const int64_t n = column.length();
  if (!nullable) {
    for (int64_t i = 0; i < n; ++i) {
      const auto value = map(values[i]);
      std::memcpy(bytes + starts[i] + offset, &value, sizeof(value));
    }
    return;
  }
  const bool has_nulls = column.null_count() > 0;
  for (int64_t i = 0; i < n; ++i) {
    auto value = map(values[i]);
    const bool is_null = has_nulls && column.IsNull(i);
    if (is_null) value = {};
    uint8_t* to = bytes + starts[i] + offset;
    to[0] = is_null ? 1 : 0;
    std::memcpy(to + 1, &value, sizeof(value));
  }
}

void ScatterBits(const arrow::Array& column, bool nullable, const uint32_t* starts, int offset, uint8_t* bytes) {
  const auto& values = static_cast<const arrow::BooleanArray&>(column);
  for (int64_t i = 0; i < column.length(); ++i) {
    uint8_t* to = bytes + starts[i] + offset;
    const bool is_null = column.IsNull(i);
    if (nullable) *to++ = is_null ? 1 : 0;
    *to = !is_null && values.Value(i) ? 1 : 0;
  }
}

struct Bytes16 {
  uint64_t low = 0, high = 0;
};

// A validity bitmap from flag bytes (1 = NULL); null when no value is NULL.
arrow::Result<std::shared_ptr<arrow::Buffer>> Validity(std::span<const uint8_t> nulls) {
  bool any = false;
  for (uint8_t flag : nulls) any |= flag != 0;
  if (!any) return nullptr;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(static_cast<int64_t>(nulls.size())));
  for (size_t i = 0; i < nulls.size(); ++i) {
    if (nulls[i] == 0) arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
  }
  return bits;
}

// An array of `type` over packed values of `width` bytes (booleans: one byte each).
arrow::Result<std::shared_ptr<arrow::Array>> FromPacked(const DataType& type, int width, const uint8_t* packed,
                                                        size_t n, std::span<const uint8_t> nulls) {
  ARROW_ASSIGN_OR_RAISE(auto validity, Validity(nulls));
  std::shared_ptr<arrow::Buffer> values;
  if (type.kind() == TypeKind::kBoolean) {
    ARROW_ASSIGN_OR_RAISE(values, arrow::AllocateEmptyBitmap(static_cast<int64_t>(n)));
    for (size_t i = 0; i < n; ++i)
      arrow::bit_util::SetBitTo(values->mutable_data(), static_cast<int64_t>(i), packed[i] != 0);
  } else {
    ARROW_ASSIGN_OR_RAISE(values, arrow::AllocateBuffer(static_cast<int64_t>(n) * width));
    if (n > 0) std::memcpy(values->mutable_data(), packed, n * static_cast<size_t>(width));
  }
  const int64_t null_count = validity ? arrow::kUnknownNullCount : 0;
  return arrow::MakeArray(arrow::ArrayData::Make(ToArrow(type), static_cast<int64_t>(n),
                                                 {std::move(validity), std::move(values)}, null_count));
}

}  // namespace

int KeyValueWidth(const DataType& type) {
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
    case TypeKind::kBigInt:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDay:
      return 8;
    case TypeKind::kDecimal:
      return 16;
    case TypeKind::kString:
    case TypeKind::kBytes:
      return 0;
    default:
      return -1;
  }
}

Status CheckKeyColumns(std::span<const DataType> types, const std::vector<std::shared_ptr<arrow::Array>>& columns,
                       int64_t num_rows) {
  if (columns.size() != types.size()) {
    return Status(kArrowError,
                  "expected " + std::to_string(types.size()) + " key columns, found " + std::to_string(columns.size()));
  }
  for (size_t c = 0; c < types.size(); ++c) {
    const arrow::Array& column = *columns[c];
    const int width = KeyValueWidth(types[c]);
    const arrow::Type::type id = column.type_id();
    const bool fits =
        width == 0 ? id == arrow::Type::STRING || id == arrow::Type::BINARY : id == ToArrow(types[c])->id();
    if (!fits || column.length() != num_rows) {
      return Status(kArrowError, "key column " + std::to_string(c) + " should be " + types[c].ToString() + " with " +
                                     std::to_string(num_rows) + " rows, found " + column.type()->ToString() + " with " +
                                     std::to_string(column.length()));
    }
    if (!types[c].nullable() && column.null_count() > 0) {
      return Status(kNullKey, "key column " + std::to_string(c) + " is " + types[c].ToString() + " but has NULL");
    }
  }
  return Status::OK();
}

void WidenKeyColumn(const arrow::Array& column, uint64_t* out) {
  if (column.length() == 0) return;
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      return WidenBits(column, out);
    case arrow::Type::INT8:
      return Widen<int8_t>(column, out);
    case arrow::Type::INT16:
      return Widen<int16_t>(column, out);
    case arrow::Type::FLOAT:
      return WidenFloat<float>(column, out);
    case arrow::Type::DOUBLE:
      return WidenFloat<double>(column, out);
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return Widen<int32_t>(column, out);
    default:
      return Widen<int64_t>(column, out);
  }
}

Result<std::shared_ptr<arrow::Array>> NarrowKeyColumn(const DataType& type, std::span<const uint64_t> words,
                                                      std::span<const uint8_t> nulls) {
  const int width = KeyValueWidth(type);
  std::vector<uint8_t> packed(words.size() * static_cast<size_t>(width));
  for (size_t i = 0; i < words.size(); ++i) {
    std::memcpy(packed.data() + i * static_cast<size_t>(width), &words[i], static_cast<size_t>(width));
  }
  TM_ARROW_ASSIGN_OR_RETURN(auto column, FromPacked(type, width, packed.data(), words.size(), nulls), "decode keys");
  return column;
}

void WriteFixedKeyColumn(const arrow::Array& column, bool nullable, int width, const uint32_t* starts, int offset,
                         uint8_t* bytes) {
  if (column.length() == 0) return;
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      return ScatterBits(column, nullable, starts, offset, bytes);
    case arrow::Type::FLOAT:
      return Scatter<float>(column, nullable, starts, offset, bytes, Normalise());
    case arrow::Type::DOUBLE:
      return Scatter<double>(column, nullable, starts, offset, bytes, Normalise());
    default:
      break;
  }
  switch (width) {
    case 1:
      return Scatter<uint8_t>(column, nullable, starts, offset, bytes, Identity<uint8_t>());
    case 2:
      return Scatter<uint16_t>(column, nullable, starts, offset, bytes, Identity<uint16_t>());
    case 4:
      return Scatter<uint32_t>(column, nullable, starts, offset, bytes, Identity<uint32_t>());
    case 8:
      return Scatter<uint64_t>(column, nullable, starts, offset, bytes, Identity<uint64_t>());
    default:
      return Scatter<Bytes16>(column, nullable, starts, offset, bytes, Identity<Bytes16>());
  }
}

Result<std::shared_ptr<arrow::Array>> ReadFixedKeyColumn(const DataType& type, int width, int offset,
                                                         std::span<const std::string_view> keys) {
  std::vector<uint8_t> packed(keys.size() * static_cast<size_t>(width));
  std::vector<uint8_t> nulls;
  if (type.nullable()) nulls.resize(keys.size());
  const int value_offset = offset + (type.nullable() ? 1 : 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (type.nullable()) nulls[i] = static_cast<uint8_t>(keys[i][static_cast<size_t>(offset)]);
    std::memcpy(packed.data() + i * static_cast<size_t>(width), keys[i].data() + value_offset,
                static_cast<size_t>(width));
  }
  TM_ARROW_ASSIGN_OR_RETURN(auto column, FromPacked(type, width, packed.data(), keys.size(), nulls), "decode keys");
  return column;
}

Result<std::shared_ptr<arrow::Array>> BinaryKeyColumn(const DataType& type, std::span<const std::string_view> values,
                                                      std::span<const uint8_t> nulls) {
  int64_t total = 0;
  for (const std::string_view value : values) total += static_cast<int64_t>(value.size());
  arrow::BinaryBuilder builder;
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(values.size())), "decode keys");
  TM_ARROW_RETURN_IF_ERROR(builder.ReserveData(total), "decode keys");
  for (size_t i = 0; i < values.size(); ++i) {
    if (nulls[i]) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(values[i]);
    }
  }
  std::shared_ptr<arrow::ArrayData> out;
  TM_ARROW_RETURN_IF_ERROR(builder.FinishInternal(&out), "decode keys");
  out->type = ToArrow(type);
  return arrow::MakeArray(std::move(out));
}

uint64_t HashKeyBytes(std::string_view key) { return XXH3_64bits(key.data(), key.size()); }

Status BadKeyBytes() { return Status(kArrowError, "a key's bytes do not have the layout of its types"); }

}  // namespace tidemill
