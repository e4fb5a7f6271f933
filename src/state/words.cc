#include "state/words.h"

#include <cstring>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

using Records = std::span<const uint64_t* const>;

template <typename T>
void ScatterIntegers(const arrow::Array& column, uint64_t* const* records, int word) {
  const T* values = column.data()->GetValues<T>(1);
  for (int64_t i = 0; i < column.length(); ++i)
    records[i][word] = static_cast<uint64_t>(static_cast<int64_t>(values[i]));
}

template <typename T>
void ScatterDoubles(const arrow::Array& column, uint64_t* const* records, int word) {
  const T* values = column.data()->GetValues<T>(1);
  for (int64_t i = 0; i < column.length(); ++i) {
    const double value = values[i];
    std::memcpy(&records[i][word], &value, 8);
  }
}

void ScatterStrings(const arrow::BinaryArray& column, uint64_t* const* records, int word, StringStore* strings) {
  for (int64_t i = 0; i < column.length(); ++i)
    records[i][word] = column.IsNull(i) ? 0 : strings->Intern(column.GetView(i));
}

void ZeroNulls(const arrow::Array& column, uint64_t* const* records, int word, int words) {
  if (column.null_count() == 0) return;
  for (int64_t i = 0; i < column.length(); ++i) {
    if (!column.IsNull(i)) continue;
    for (int w = 0; w < words; ++w) records[i][word + w] = 0;
  }
}

arrow::Result<std::shared_ptr<arrow::Buffer>> GatherValidity(Records records, int null_word, uint64_t null_mask,
                                                             int64_t* null_count) {
  const int64_t n = static_cast<int64_t>(records.size());
  *null_count = 0;
  const auto is_null = [&](int64_t i) {
    return records[static_cast<size_t>(i)] == nullptr ||
           (null_word >= 0 && (records[static_cast<size_t>(i)][null_word] & null_mask) != 0);
  };
  for (int64_t i = 0; i < n; ++i) *null_count += is_null(i);
  if (*null_count == 0) return nullptr;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits, arrow::AllocateEmptyBitmap(n));
  for (int64_t i = 0; i < n; ++i) {
    if (!is_null(i)) arrow::bit_util::SetBit(bits->mutable_data(), i);
  }
  return bits;
}

template <typename T>
void GatherIntegers(Records records, int word, uint8_t* out) {
  T* to = reinterpret_cast<T*>(out);
  for (size_t i = 0; i < records.size(); ++i) to[i] = records[i] ? static_cast<T>(records[i][word]) : T{};
}

template <typename T>
void GatherDoubles(Records records, int word, uint8_t* out) {
  T* to = reinterpret_cast<T*>(out);
  for (size_t i = 0; i < records.size(); ++i) {
    double value = 0;
    if (records[i]) std::memcpy(&value, &records[i][word], 8);
    to[i] = static_cast<T>(value);
  }
}

void GatherBits(Records records, int word, uint8_t* out) {
  for (size_t i = 0; i < records.size(); ++i)
    arrow::bit_util::SetBitTo(out, static_cast<int64_t>(i), records[i] && records[i][word] != 0);
}

Result<std::shared_ptr<arrow::Array>> GatherStrings(const DataType& type, Records records, int word, int null_word,
                                                    uint64_t null_mask, const StringStore& strings) {
  arrow::BinaryBuilder builder;
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(records.size())), "gather strings");
  for (const uint64_t* record : records) {
    if (record == nullptr || (null_word >= 0 && (record[null_word] & null_mask) != 0)) {
      builder.UnsafeAppendNull();
    } else {
      TM_ARROW_RETURN_IF_ERROR(builder.Append(strings.Get(record[word])), "gather strings");
    }
  }
  std::shared_ptr<arrow::ArrayData> data;
  TM_ARROW_RETURN_IF_ERROR(builder.FinishInternal(&data), "gather strings");
  data->type = ToArrow(type);
  return arrow::MakeArray(std::move(data));
}

}  // namespace

WordKind WordKindOf(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return WordKind::kDouble;
    case TypeKind::kDecimal:
      return WordKind::kDecimal;
    case TypeKind::kString:
    case TypeKind::kBytes:
      return WordKind::kString;
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDay:
    case TypeKind::kIntervalMonth:
      return WordKind::kInteger;
    default:
      return WordKind::kUnsupported;
  }
}

int WordsOf(const DataType& type) {
  switch (WordKindOf(type)) {
    case WordKind::kUnsupported:
      return 0;
    case WordKind::kDecimal:
      return 2;
    default:
      return 1;
  }
}

void ScatterWords(const arrow::Array& column, uint64_t* const* records, int word, StringStore* strings) {
  if (column.length() == 0) return;
  switch (column.type_id()) {
    case arrow::Type::BOOL: {
      const auto& values = static_cast<const arrow::BooleanArray&>(column);
      for (int64_t i = 0; i < column.length(); ++i) records[i][word] = values.Value(i);
      break;
    }
    case arrow::Type::INT8:
      ScatterIntegers<int8_t>(column, records, word);
      break;
    case arrow::Type::INT16:
      ScatterIntegers<int16_t>(column, records, word);
      break;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      ScatterIntegers<int32_t>(column, records, word);
      break;
    case arrow::Type::FLOAT:
      ScatterDoubles<float>(column, records, word);
      break;
    case arrow::Type::DOUBLE:
      ScatterDoubles<double>(column, records, word);
      break;
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return ScatterStrings(static_cast<const arrow::BinaryArray&>(column), records, word, strings);
    case arrow::Type::DECIMAL128: {
      const auto& values = static_cast<const arrow::Decimal128Array&>(column);
      for (int64_t i = 0; i < column.length(); ++i) std::memcpy(&records[i][word], values.GetValue(i), 16);
      return ZeroNulls(column, records, word, 2);
    }
    default:
      ScatterIntegers<int64_t>(column, records, word);
      break;
  }
  ZeroNulls(column, records, word, 1);
}

void ScatterNulls(const arrow::Array& column, uint64_t* const* records, int word, uint64_t bit) {
  if (column.null_count() == 0) return;
  for (int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) records[i][word] |= bit;
  }
}

Result<std::shared_ptr<arrow::Array>> GatherWords(const DataType& type, Records records, int word, int null_word,
                                                  uint64_t null_mask, const StringStore& strings) {
  const WordKind kind = WordKindOf(type);
  TM_CHECK(kind != WordKind::kUnsupported);
  if (kind == WordKind::kString) return GatherStrings(type, records, word, null_word, null_mask, strings);
  const std::shared_ptr<arrow::DataType> arrow_type = ToArrow(type);
  const int64_t n = static_cast<int64_t>(records.size());
  int64_t null_count = 0;
  TM_ARROW_ASSIGN_OR_RETURN(auto validity, GatherValidity(records, null_word, null_mask, &null_count), "gather");
  const int bits = static_cast<const arrow::FixedWidthType&>(*arrow_type).bit_width();
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values, arrow::AllocateBuffer((n * bits + 7) / 8), "gather");
  uint8_t* out = values->mutable_data();
  switch (arrow_type->id()) {
    case arrow::Type::BOOL:
      if (n > 0) std::memset(out, 0, static_cast<size_t>(values->size()));
      GatherBits(records, word, out);
      break;
    case arrow::Type::INT8:
      GatherIntegers<int8_t>(records, word, out);
      break;
    case arrow::Type::INT16:
      GatherIntegers<int16_t>(records, word, out);
      break;
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      GatherIntegers<int32_t>(records, word, out);
      break;
    case arrow::Type::FLOAT:
      GatherDoubles<float>(records, word, out);
      break;
    case arrow::Type::DOUBLE:
      GatherDoubles<double>(records, word, out);
      break;
    case arrow::Type::DECIMAL128:
      for (int64_t i = 0; i < n; ++i) {
        static constexpr uint64_t kZero[2] = {0, 0};
        const uint64_t* record = records[static_cast<size_t>(i)];
        std::memcpy(out + i * 16, record ? record + word : kZero, 16);
      }
      break;
    default:
      GatherIntegers<int64_t>(records, word, out);
      break;
  }
  return arrow::MakeArray(arrow::ArrayData::Make(arrow_type, n, {std::move(validity), std::move(values)}, null_count));
}

}  // namespace tidemill
