#include "data/protobuf/protobuf_write_plan.h"

#include <algorithm>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "data/errors.h"
#include "data/protobuf/protobuf_wire.h"

namespace tidemill {
namespace {

namespace pb = google::protobuf;

ProtobufWireType WrittenWire(const ProtobufWriteStep& step) {
  switch (step.op) {
    case ProtobufWriteOp::kBoolean:
    case ProtobufWriteOp::kSymbol:
      return kProtobufVarint;
    case ProtobufWriteOp::kInteger:
      return step.code == ProtobufIntegerCode::kFixed32   ? kProtobufFixed32
             : step.code == ProtobufIntegerCode::kFixed64 ? kProtobufFixed64
                                                          : kProtobufVarint;
    case ProtobufWriteOp::kFloat:
      return kProtobufFixed32;
    case ProtobufWriteOp::kDouble:
    case ProtobufWriteOp::kFloatAsDouble:
      return kProtobufFixed64;
    default:
      return kProtobufLength;
  }
}

int IntegerWidth(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
      return 2;
    case TypeKind::kInt:
      return 4;
    case TypeKind::kBigInt:
      return 8;
    default:
      return 0;
  }
}

class ProtobufWritePlanner {
 public:
  explicit ProtobufWritePlanner(const std::string& null_text) : null_text_(null_text) {}

  Result<ProtobufWriteStep> Message(const pb::Descriptor& message, const std::vector<Field>& columns,
                                    const std::string& prefix) {
    ProtobufWriteStep out;
    std::map<const pb::OneofDescriptor*, size_t> oneofs;
    for (size_t c = 0; c < columns.size(); ++c) {
      const std::string path = prefix + columns[c].name;
      const pb::FieldDescriptor* field = message.FindFieldByName(columns[c].name);
      if (field == nullptr) return Refuse(path, fmt::format("not a field of '{}'", message.full_name()));
      TM_ASSIGN_OR_RETURN(ProtobufWriteStep step, FieldStep(*field, columns[c].type, path));
      step.column = static_cast<int>(c);
      const pb::OneofDescriptor* oneof = field->real_containing_oneof();
      if (oneof == nullptr) {
        out.children.push_back(std::move(step));
        continue;
      }
      const auto [at, is_new] = oneofs.try_emplace(oneof, out.children.size());
      if (is_new) {
        out.children.emplace_back();
        out.children.back().op = ProtobufWriteOp::kOneof;
        out.children.back().number = field->number();
      }
      out.children[at->second].children.push_back(std::move(step));
    }
    for (int i = 0; i < message.field_count(); ++i) {
      const pb::FieldDescriptor& field = *message.field(i);
      const bool has_column =
          std::any_of(columns.begin(), columns.end(), [&](const Field& column) { return column.name == field.name(); });
      if (field.is_required() && !has_column)
        return Refuse(prefix + field.name(), "the schema's required field has no column");
    }
    std::stable_sort(out.children.begin(), out.children.end(),
                     [](const auto& left, const auto& right) { return left.number < right.number; });
    return out;
  }

 private:
  static Status Refuse(const std::string& path, std::string_view why) {
    return Status(kInvalidFormatOption, fmt::format("column '{}': {}", path, why));
  }

  Result<ProtobufWriteStep> FieldStep(const pb::FieldDescriptor& field, const DataType& column,
                                      const std::string& path) {
    ProtobufWriteStep out;
    const TypeKind kind = column.kind();
    if (field.is_map() && (kind == TypeKind::kMap || kind == TypeKind::kMultiset)) {
      const DataType value = kind == TypeKind::kMap ? column.children()[1].type : DataType(TypeKind::kInt, false);
      const pb::Descriptor& entry = *field.message_type();
      out.op = ProtobufWriteOp::kMap;
      TM_ASSIGN_OR_RETURN(auto key, FieldStep(*entry.field(0), column.children()[0].type, path + ".key"));
      TM_ASSIGN_OR_RETURN(auto item, FieldStep(*entry.field(1), value, path + ".value"));
      key.required = true;
      key.optional = item.optional = true;
      item.required = false;
      if (value.kind() == TypeKind::kString) item.null_text = null_text_;
      out.children.push_back(std::move(key));
      out.children.push_back(std::move(item));
    } else if (field.is_repeated()) {
      if (kind != TypeKind::kArray) return Mismatch(field, column, path);
      const DataType& element = column.children()[0].type;
      ProtobufWriteStep item;
      if (!Value(field, element, path + "[]", item)) {
        return error_.ok() ? Mismatch(field, column, path) : std::exchange(error_, Status::OK());
      }
      item.optional = true;
      if (element.kind() == TypeKind::kString) item.null_text = null_text_;
      item.path = path + "[]";
      AppendProtobufTag(field.number(), WrittenWire(item), item.tag);
      out.op = ProtobufWriteOp::kList;
      out.packed = field.is_packed();
      out.children.push_back(std::move(item));
    } else if (!Value(field, column, path, out)) {
      return error_.ok() ? Mismatch(field, column, path) : std::exchange(error_, Status::OK());
    }
    out.number = field.number();
    out.optional = field.has_presence();
    out.required = field.is_required();
    out.path = path;
    AppendProtobufTag(field.number(), WrittenWire(out), out.tag);
    return out;
  }

  static Status Mismatch(const pb::FieldDescriptor& field, const DataType& column, const std::string& path) {
    const std::string type = field.message_type() != nullptr ? field.message_type()->full_name()
                             : field.enum_type() != nullptr  ? field.enum_type()->full_name()
                                                             : std::string(field.type_name());
    return Refuse(path, fmt::format("{} can't be written as {}{}", column.ToString(),
                                    field.is_repeated() && !field.is_map() ? "repeated " : "", type));
  }

  bool Value(const pb::FieldDescriptor& field, const DataType& column, const std::string& path,
             ProtobufWriteStep& out) {
    const TypeKind kind = column.kind();
    out.path = path;
    const auto set = [&out](bool fits, ProtobufWriteOp op) {
      if (fits) out.op = op;
      return fits;
    };
    switch (field.type()) {
      case pb::FieldDescriptor::TYPE_BOOL:
        return set(kind == TypeKind::kBoolean, ProtobufWriteOp::kBoolean);
      case pb::FieldDescriptor::TYPE_FLOAT:
        return set(kind == TypeKind::kFloat, ProtobufWriteOp::kFloat);
      case pb::FieldDescriptor::TYPE_DOUBLE:
        return set(kind == TypeKind::kDouble, ProtobufWriteOp::kDouble) ||
               set(kind == TypeKind::kFloat, ProtobufWriteOp::kFloatAsDouble);
      case pb::FieldDescriptor::TYPE_STRING:
        return set(kind == TypeKind::kString, ProtobufWriteOp::kBytes);
      case pb::FieldDescriptor::TYPE_BYTES:
        return set(kind == TypeKind::kString || kind == TypeKind::kBytes, ProtobufWriteOp::kBytes);
      case pb::FieldDescriptor::TYPE_ENUM:
        for (int i = 0; i < field.enum_type()->value_count(); ++i)
          out.symbols.emplace(field.enum_type()->value(i)->name(), field.enum_type()->value(i)->number());
        out.first_symbol = field.enum_type()->value(0)->number();
        return set(kind == TypeKind::kString, ProtobufWriteOp::kSymbol) || Integer(field, kind, out);
      case pb::FieldDescriptor::TYPE_MESSAGE:
        return MessageValue(*field.message_type(), column, path, out);
      case pb::FieldDescriptor::TYPE_GROUP:
        return false;
      default:
        return Integer(field, kind, out);
    }
  }

  static bool Integer(const pb::FieldDescriptor& field, TypeKind kind, ProtobufWriteStep& out) {
    out.op = ProtobufWriteOp::kInteger;
    out.width = IntegerWidth(kind);
    const pb::FieldDescriptor::CppType type = field.cpp_type();
    const bool is_short = type == pb::FieldDescriptor::CPPTYPE_INT32 || type == pb::FieldDescriptor::CPPTYPE_UINT32 ||
                          type == pb::FieldDescriptor::CPPTYPE_ENUM;
    // A BIGINT is what uint32 is read as, so it may be written so; what does not fit is an error.
    const bool is_unsigned = type == pb::FieldDescriptor::CPPTYPE_UINT32 || type == pb::FieldDescriptor::CPPTYPE_UINT64;
    out.is_unsigned = is_unsigned;
    out.precision = is_short ? 32 : 64;
    switch (field.type()) {
      case pb::FieldDescriptor::TYPE_SINT32:
      case pb::FieldDescriptor::TYPE_SINT64:
        out.code = ProtobufIntegerCode::kZigZag;
        break;
      case pb::FieldDescriptor::TYPE_FIXED32:
      case pb::FieldDescriptor::TYPE_SFIXED32:
        out.code = ProtobufIntegerCode::kFixed32;
        break;
      case pb::FieldDescriptor::TYPE_FIXED64:
      case pb::FieldDescriptor::TYPE_SFIXED64:
        out.code = ProtobufIntegerCode::kFixed64;
        break;
      default:
        break;
    }
    return out.width > 0 && (out.width <= 4 || !is_short || is_unsigned);
  }

  bool MessageValue(const pb::Descriptor& message, const DataType& column, const std::string& path,
                    ProtobufWriteStep& out) {
    const std::string& name = message.full_name();
    const auto set = [&out](bool fits, ProtobufWriteOp op) {
      if (fits) out.op = op;
      return fits;
    };
    out.precision = column.precision();
    out.scale = column.scale();
    switch (column.kind()) {
      case TypeKind::kRow: {
        auto made = Message(message, column.children(), path + ".");
        if (!made.ok()) {
          error_ = made.status();
          return false;
        }
        out = *std::move(made);
        out.path = path;
        return true;
      }
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        out.units = column.precision() <= 3 ? 1'000 : column.precision() <= 6 ? 1'000'000 : 1'000'000'000;
        return set(name == "google.protobuf.Timestamp", ProtobufWriteOp::kTimestamp);
      case TypeKind::kIntervalDay:
        out.units = 1'000;
        return set(name == "google.protobuf.Duration", ProtobufWriteOp::kDuration);
      case TypeKind::kDate:
        return set(name == "google.type.Date", ProtobufWriteOp::kDate);
      case TypeKind::kTime:
        return set(name == "google.type.TimeOfDay", ProtobufWriteOp::kTimeOfDay);
      case TypeKind::kDecimal:
        return set(name == "confluent.type.Decimal", ProtobufWriteOp::kDecimal);
      default:
        break;
    }
    if (message.file()->name() != "google/protobuf/wrappers.proto") return false;
    auto value = FieldStep(*message.field(0), column, path);
    if (!value.ok()) return false;
    out.op = ProtobufWriteOp::kWrapper;
    out.children.push_back(*std::move(value));
    return true;
  }

  const std::string null_text_;
  Status error_;
};

}  // namespace

Result<ProtobufWriteStep> MakeProtobufWritePlan(const pb::Descriptor& message, const Schema& table,
                                                const std::string& null_string_literal) {
  return ProtobufWritePlanner(null_string_literal).Message(message, table.fields(), "");
}

}  // namespace tidemill
