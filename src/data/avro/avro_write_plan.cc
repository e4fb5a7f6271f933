#include "data/avro/avro_write_plan.h"

#include <fmt/format.h>

#include "data/avro/avro_binary.h"
#include "data/errors.h"

namespace tidemill {
namespace {

std::string EncodedLong(size_t value) {
  std::string out;
  AppendAvroLong(static_cast<int64_t>(value), out);
  return out;
}

class AvroWritePlanner {
 public:
  Result<AvroWriteStep> Record(const AvroType& type, const std::vector<Field>& fields, const std::string& prefix) {
    if (++steps_ > kStepsMax) return Status(kInvalidFormatOption, "the schema is too large");
    AvroWriteStep out;
    out.op = AvroWriteOp::kRecord;
    std::vector<bool> used(fields.size());
    for (const AvroField& field : type.fields) {
      size_t column = 0;
      while (column < fields.size() && fields[column].name != field.name) ++column;
      if (column < fields.size()) {
        used[column] = true;
        TM_ASSIGN_OR_RETURN(AvroWriteStep step, Value(*field.type, fields[column].type, prefix + field.name));
        step.column = static_cast<int>(column);
        out.children.push_back(std::move(step));
        continue;
      }
      AvroWriteStep constant;
      constant.constant = field.default_bytes;
      if (!field.default_text && !NullOf(*field.type, &constant.constant)) {
        return Refuse(prefix + field.name, "the schema's field has no column and no default");
      }
      out.children.push_back(std::move(constant));
    }
    for (size_t i = 0; i < fields.size(); ++i) {
      if (!used[i]) return Refuse(prefix + fields[i].name, fmt::format("not a field of the schema's '{}'", type.name));
    }
    return out;
  }

 private:
  static Status Refuse(const std::string& path, std::string_view why) {
    return Status(kInvalidFormatOption, fmt::format("column '{}': {}", path, why));
  }

  // Whether NULL can stand in a field, and its bytes.
  static bool NullOf(const AvroType& type, std::string* bytes) {
    if (type.kind == AvroKind::kNull) return true;
    for (size_t i = 0; type.kind == AvroKind::kUnion && i < type.children.size(); ++i) {
      if (type.children[i]->kind != AvroKind::kNull) continue;
      *bytes = EncodedLong(i);
      return true;
    }
    return false;
  }

  Result<AvroWriteStep> Value(const AvroType& type, const DataType& column, const std::string& path) {
    if (type.kind == AvroKind::kUnion) return Union(type, column, path);
    TM_ASSIGN_OR_RETURN(AvroWriteStep step, NotUnion(type, column, path));
    if (column.nullable() && type.kind != AvroKind::kNull) {
      return Refuse(path, "it can be NULL, the schema's field can't")
          .WithHint("declare the column NOT NULL, or make the field a union with null");
    }
    step.not_null = true;
    return step;
  }

  // The first branch that the column fits.
  Result<AvroWriteStep> Union(const AvroType& type, const DataType& column, const std::string& path) {
    std::string null_branch;
    const bool has_null = NullOf(type, &null_branch);
    if (column.nullable() && !has_null) return Refuse(path, "it can be NULL, the schema's union has no null");
    Status first_error;
    for (size_t i = 0; i < type.children.size(); ++i) {
      if (type.children[i]->kind == AvroKind::kNull) continue;
      auto step = NotUnion(*type.children[i], column, path);
      if (!step.ok()) {
        if (first_error.ok()) first_error = step.status();
        continue;
      }
      step->in_union = true;
      step->not_null = !has_null;
      step->null_branch = null_branch;
      step->value_branch = EncodedLong(i);
      return step;
    }
    return first_error.ok() ? Refuse(path, "the schema's union has only null") : first_error;
  }

  Result<AvroWriteStep> NotUnion(const AvroType& type, const DataType& column, const std::string& path) {
    AvroWriteStep step;
    const TypeKind kind = column.kind();
    if (type.kind == AvroKind::kRecord && kind == TypeKind::kRow) {
      TM_ASSIGN_OR_RETURN(step, Record(type, column.children(), path + "."));
    } else if (type.kind == AvroKind::kArray && kind == TypeKind::kArray) {
      step.op = AvroWriteOp::kArray;
      TM_ASSIGN_OR_RETURN(AvroWriteStep items, Value(*type.children[0], column.children()[0].type, path + "[]"));
      step.children.push_back(std::move(items));
    } else if (type.kind == AvroKind::kMap && (kind == TypeKind::kMap || kind == TypeKind::kMultiset) &&
               column.children()[0].type.kind() == TypeKind::kString) {
      step.op = AvroWriteOp::kMap;
      AvroWriteStep key;
      key.op = AvroWriteOp::kBytes;
      key.not_null = true;
      key.field = path;
      const DataType value_type = kind == TypeKind::kMap ? column.children()[1].type : DataType(TypeKind::kInt, false);
      TM_ASSIGN_OR_RETURN(AvroWriteStep value, Value(*type.children[0], value_type, path + "{}"));
      step.children.push_back(std::move(key));
      step.children.push_back(std::move(value));
    } else if (!SetOp(type, column, step)) {
      return Refuse(path, fmt::format("{} can't be written as {}{}{}", column.ToString(), AvroKindName(type.kind),
                                      type.logical == AvroLogical::kNone ? "" : " ", AvroLogicalName(type.logical)));
    }
    step.field = path;
    step.size = type.size;
    return step;
  }

  static bool SetOp(const AvroType& type, const DataType& column, AvroWriteStep& step) {
    const auto set = [&step](bool fits, AvroWriteOp op) {
      if (fits) step.op = op;
      return fits;
    };
    const bool plain_long = type.kind == AvroKind::kLong && type.logical == AvroLogical::kNone;
    const bool plain_int = type.kind == AvroKind::kInt && type.logical == AvroLogical::kNone;
    switch (column.kind()) {
      case TypeKind::kNull:
        return set(type.kind == AvroKind::kNull, AvroWriteOp::kConstant);
      case TypeKind::kBoolean:
        return set(type.kind == AvroKind::kBoolean, AvroWriteOp::kBoolean);
      case TypeKind::kTinyInt:
        return set(plain_int || plain_long, AvroWriteOp::kInt8);
      case TypeKind::kSmallInt:
        return set(plain_int || plain_long, AvroWriteOp::kInt16);
      case TypeKind::kInt:
        return set(plain_int || plain_long, AvroWriteOp::kInt32);
      case TypeKind::kBigInt:
        return set(plain_long, AvroWriteOp::kInt64);
      case TypeKind::kFloat:
        return set(type.kind == AvroKind::kFloat, AvroWriteOp::kFloat) ||
               set(type.kind == AvroKind::kDouble, AvroWriteOp::kFloatAsDouble);
      case TypeKind::kDouble:
        return set(type.kind == AvroKind::kDouble, AvroWriteOp::kDouble);
      case TypeKind::kDecimal:
        return type.logical == AvroLogical::kDecimal && type.scale == column.scale() &&
               type.precision >= column.precision() &&
               set(true, type.kind == AvroKind::kFixed ? AvroWriteOp::kDecimalFixed : AvroWriteOp::kDecimal);
      case TypeKind::kString:
        if (type.kind == AvroKind::kEnum) {
          for (const std::string& symbol : type.symbols)
            step.symbols.emplace(symbol, static_cast<int64_t>(step.symbols.size()));
        }
        return set(type.kind == AvroKind::kString, AvroWriteOp::kBytes) ||
               set(type.kind == AvroKind::kEnum, AvroWriteOp::kSymbol);
      case TypeKind::kBytes:
        return set(type.kind == AvroKind::kBytes && type.logical == AvroLogical::kNone, AvroWriteOp::kBytes) ||
               set(type.kind == AvroKind::kFixed && type.logical == AvroLogical::kNone, AvroWriteOp::kBytesFixed);
      case TypeKind::kDate:
        return set(type.logical == AvroLogical::kDate, AvroWriteOp::kInt32);
      case TypeKind::kTime:
        return set(type.logical == AvroLogical::kTimeMillis, AvroWriteOp::kInt32) ||
               set(type.logical == AvroLogical::kTimeMicros, AvroWriteOp::kTimeMicros);
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz: {
        const int64_t to = AvroUnitsPerSecond(type.logical);
        const int64_t from = column.precision() <= 3 ? 1'000 : column.precision() <= 6 ? 1'000'000 : 1'000'000'000;
        if (to == 0) return false;
        step.factor = to > from ? to / from : 1;
        step.divisor = from > to ? from / to : 1;
        return set(true, AvroWriteOp::kTimestamp);
      }
      default:
        return false;
    }
  }

  static constexpr int kStepsMax = 100'000;
  int steps_ = 0;
};

}  // namespace

Result<AvroWriteStep> MakeAvroWritePlan(const AvroSchema& schema, const Schema& table) {
  if (schema.root().kind != AvroKind::kRecord)
    return Status(kInvalidFormatOption, "the schema of a table's rows is a record");
  return AvroWritePlanner().Record(schema.root(), table.fields(), "");
}

}  // namespace tidemill
