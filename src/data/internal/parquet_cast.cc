#include "data/internal/parquet_cast.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/type.h>

#include "data/arrow_status.h"

namespace tidemill {
namespace {

bool IsIntegerLike(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || type.id() == arrow::Type::BOOL;
}

bool IsTextLike(arrow::Type::type id) {
  return arrow::is_base_binary_like(id) || id == arrow::Type::STRING_VIEW || id == arrow::Type::BINARY_VIEW ||
         id == arrow::Type::FIXED_SIZE_BINARY;
}

bool FitsFlat(const arrow::DataType& from, const DataType& to) {
  const arrow::Type::type id = from.id();
  switch (to.kind()) {
    case TypeKind::kNull:
      return id == arrow::Type::NA;
    case TypeKind::kBoolean:
      return IsIntegerLike(from);
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
    case TypeKind::kBigInt:
      return IsIntegerLike(from) ||
             (arrow::is_decimal(id) && static_cast<const arrow::DecimalType&>(from).scale() == 0);
    case TypeKind::kFloat:
      return IsIntegerLike(from) || id == arrow::Type::HALF_FLOAT || id == arrow::Type::FLOAT;
    case TypeKind::kDouble:
      return IsIntegerLike(from) || arrow::is_floating(id);
    case TypeKind::kDecimal:
      return arrow::is_integer(id) || arrow::is_decimal(id);
    case TypeKind::kString:
    case TypeKind::kBytes:
      return IsTextLike(id);
    case TypeKind::kDate:
      return id == arrow::Type::DATE32 || id == arrow::Type::DATE64;
    case TypeKind::kTime:
      return id == arrow::Type::TIME32 || id == arrow::Type::TIME64;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return id == arrow::Type::TIMESTAMP;
    case TypeKind::kIntervalDay:
      return id == arrow::Type::INT64 || id == arrow::Type::DURATION;
    case TypeKind::kIntervalMonth:
      return id == arrow::Type::INT32;
    default:
      return false;
  }
}

bool FitsNested(const arrow::DataType& from, const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kArray:
      return arrow::is_list_like(from.id()) && from.id() != arrow::Type::MAP &&
             CheckFileColumn(*from.field(0)->type(), to.children()[0].type).ok();
    case TypeKind::kMap: {
      if (from.id() != arrow::Type::MAP) return false;
      const auto& map = static_cast<const arrow::MapType&>(from);
      return CheckFileColumn(*map.key_type(), to.children()[0].type).ok() &&
             CheckFileColumn(*map.item_type(), to.children()[1].type).ok();
    }
    case TypeKind::kRow: {
      if (from.id() != arrow::Type::STRUCT) return false;
      for (const Field& field : to.children()) {
        const auto found = static_cast<const arrow::StructType&>(from).GetFieldByName(field.name);
        if (!found || !CheckFileColumn(*found->type(), field.type).ok()) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

// The same ticks under another zone (or none): the instant's UTC wall clock and the reverse.
std::shared_ptr<arrow::Array> Relabelled(const arrow::Array& column, std::shared_ptr<arrow::DataType> type) {
  auto data = column.data()->Copy();
  data->type = std::move(type);
  return arrow::MakeArray(std::move(data));
}

}  // namespace

Status CheckFileColumn(const arrow::DataType& from, const DataType& to) {
  const arrow::DataType* type = &from;
  if (from.id() == arrow::Type::DICTIONARY) type = static_cast<const arrow::DictionaryType&>(from).value_type().get();
  if (to.children().empty() ? FitsFlat(*type, to) : FitsNested(*type, to)) return Status::OK();
  return Status(kUnsupportedType,
                "the file has " + from.ToString() + ", which does not fit " + to.WithNullable(true).ToString());
}

Result<std::shared_ptr<arrow::Array>> CastFileColumn(const std::shared_ptr<arrow::Array>& column, const DataType& to) {
  const auto target = ToArrow(to);
  if (column->type()->Equals(*target)) return column;
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe();
  options.allow_time_truncate = true;
  if (to.kind() == TypeKind::kBoolean) {
    // Arrow takes any number for a flag; here only 0 and 1 fit.
    TM_ARROW_ASSIGN_OR_RETURN(auto small, arrow::compute::Cast(*column, arrow::int8(), options), "convert a column");
    const auto& numbers = static_cast<const arrow::Int8Array&>(*small);
    for (int64_t i = 0; i < numbers.length(); ++i) {
      if (numbers.IsValid(i) && (numbers.Value(i) & ~1) != 0) return Status(kArrowError, "a flag is neither 0 nor 1");
    }
  }
  if (column->type_id() != arrow::Type::TIMESTAMP) {
    TM_ARROW_ASSIGN_OR_RETURN(auto cast, arrow::compute::Cast(*column, target, options), "convert a column");
    return cast;
  }
  const auto unit_of = [](const arrow::DataType& type) {
    return static_cast<const arrow::TimestampType&>(type).unit();
  };
  auto plain = Relabelled(*column, arrow::timestamp(unit_of(*column->type())));
  if (unit_of(*plain->type()) != unit_of(*target)) {
    TM_ARROW_ASSIGN_OR_RETURN(plain, arrow::compute::Cast(*plain, arrow::timestamp(unit_of(*target)), options),
                              "convert a column");
  }
  return Relabelled(*plain, target);
}

}  // namespace tidemill
