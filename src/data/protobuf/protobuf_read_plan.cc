#include "data/protobuf/protobuf_read_plan.h"

#include <algorithm>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include "data/internal/column_writer.h"
#include "data/protobuf/protobuf_wire.h"

namespace tidemill {
namespace {

namespace pb = google::protobuf;

constexpr uint32_t kDenseNumbers = 1024;

bool IsWrapper(const pb::Descriptor& message) { return message.file()->name() == "google/protobuf/wrappers.proto"; }

std::string DescribedField(const pb::FieldDescriptor& field) {
  const std::string type = field.message_type() != nullptr ? field.message_type()->full_name()
                           : field.enum_type() != nullptr  ? field.enum_type()->full_name()
                                                           : std::string(field.type_name());
  if (field.is_map()) return "a map";
  return field.is_repeated() ? "repeated " + type : type;
}

ProtobufWireType WireOf(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case pb::FieldDescriptor::TYPE_FIXED32:
    case pb::FieldDescriptor::TYPE_SFIXED32:
    case pb::FieldDescriptor::TYPE_FLOAT:
      return kProtobufFixed32;
    case pb::FieldDescriptor::TYPE_FIXED64:
    case pb::FieldDescriptor::TYPE_SFIXED64:
    case pb::FieldDescriptor::TYPE_DOUBLE:
      return kProtobufFixed64;
    case pb::FieldDescriptor::TYPE_STRING:
    case pb::FieldDescriptor::TYPE_BYTES:
    case pb::FieldDescriptor::TYPE_MESSAGE:
      return kProtobufLength;
    case pb::FieldDescriptor::TYPE_GROUP:
      return kProtobufGroup;
    default:
      return kProtobufVarint;
  }
}

// The field's default as it would be on the wire.
std::string DefaultBytes(const pb::FieldDescriptor& field) {
  std::string out;
  switch (field.type()) {
    case pb::FieldDescriptor::TYPE_BOOL:
      AppendProtobufVarint(field.default_value_bool() ? 1 : 0, out);
      break;
    case pb::FieldDescriptor::TYPE_INT32:
      AppendProtobufVarint(static_cast<uint64_t>(int64_t{field.default_value_int32()}), out);
      break;
    case pb::FieldDescriptor::TYPE_INT64:
      AppendProtobufVarint(static_cast<uint64_t>(field.default_value_int64()), out);
      break;
    case pb::FieldDescriptor::TYPE_UINT32:
      AppendProtobufVarint(field.default_value_uint32(), out);
      break;
    case pb::FieldDescriptor::TYPE_UINT64:
      AppendProtobufVarint(field.default_value_uint64(), out);
      break;
    case pb::FieldDescriptor::TYPE_SINT32:
      AppendProtobufVarint(ProtobufZigZag(field.default_value_int32()), out);
      break;
    case pb::FieldDescriptor::TYPE_SINT64:
      AppendProtobufVarint(ProtobufZigZag(field.default_value_int64()), out);
      break;
    case pb::FieldDescriptor::TYPE_FIXED32:
      AppendProtobufFixed(field.default_value_uint32(), out);
      break;
    case pb::FieldDescriptor::TYPE_SFIXED32:
      AppendProtobufFixed(field.default_value_int32(), out);
      break;
    case pb::FieldDescriptor::TYPE_FIXED64:
      AppendProtobufFixed(field.default_value_uint64(), out);
      break;
    case pb::FieldDescriptor::TYPE_SFIXED64:
      AppendProtobufFixed(field.default_value_int64(), out);
      break;
    case pb::FieldDescriptor::TYPE_FLOAT:
      AppendProtobufFixed(field.default_value_float(), out);
      break;
    case pb::FieldDescriptor::TYPE_DOUBLE:
      AppendProtobufFixed(field.default_value_double(), out);
      break;
    case pb::FieldDescriptor::TYPE_ENUM:
      AppendProtobufVarint(static_cast<uint64_t>(int64_t{field.default_value_enum()->number()}), out);
      break;
    case pb::FieldDescriptor::TYPE_STRING:
    case pb::FieldDescriptor::TYPE_BYTES:
      AppendProtobufVarint(field.default_value_string().size(), out);
      out += field.default_value_string();
      break;
    default:
      out.assign(1, '\0');  // a message without fields
  }
  return out;
}

struct WantedColumn {
  const std::string* name;
  ColumnWriter* writer;
};

std::vector<WantedColumn> FieldsOfRow(ColumnWriter& row) {
  std::vector<WantedColumn> out;
  for (size_t i = 0; i < row.children().size(); ++i)
    out.push_back({&row.type().children()[i].name, &row.children()[i]});
  return out;
}

class ProtobufReadPlanner {
 public:
  explicit ProtobufReadPlanner(bool read_default_values) : read_default_values_(read_default_values) {}

  uint32_t Message(const pb::Descriptor& writer, const pb::Descriptor* reader, const std::vector<WantedColumn>& columns,
                   const std::string& prefix) {
    const auto number = static_cast<uint32_t>(plan_.messages.size());
    plan_.messages.emplace_back();
    std::vector<ProtobufReadField> fields;
    std::vector<const pb::FieldDescriptor*> sources;
    for (const WantedColumn& column : columns) {
      const pb::FieldDescriptor* named = reader == nullptr ? nullptr : reader->FindFieldByName(*column.name);
      const pb::FieldDescriptor* field = SourceOf(writer, named, columns, *column.name);
      const std::string path = prefix + *column.name;
      fields.push_back(field == nullptr ? Missing(writer, named, *column.writer, path)
                                        : Field(*field, named, *column.writer, path));
      sources.push_back(field);
    }
    AddOneofs(writer, fields, sources);
    ProtobufReadMessage& made = plan_.messages[number];
    made.begin = static_cast<uint32_t>(plan_.fields.size());
    for (ProtobufReadField& field : fields) {
      for (uint32_t& other : field.clears) other += made.begin;
      plan_.fields.push_back(std::move(field));
    }
    made.end = static_cast<uint32_t>(plan_.fields.size());
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i] != nullptr)
        AddNumber(static_cast<uint32_t>(sources[i]->number()), made.begin + static_cast<uint32_t>(i) + 1, made);
    }
    std::sort(made.far_numbers.begin(), made.far_numbers.end());
    return number;
  }

  ProtobufReadPlan Take() { return std::move(plan_); }

 private:
  static const pb::FieldDescriptor* SourceOf(const pb::Descriptor& writer, const pb::FieldDescriptor* named,
                                             const std::vector<WantedColumn>& columns, const std::string& name) {
    const pb::FieldDescriptor* field = writer.FindFieldByName(name);
    if (field != nullptr || named == nullptr) return field;
    field = writer.FindFieldByNumber(named->number());  // it had another name
    const bool taken = field != nullptr && std::any_of(columns.begin(), columns.end(), [&](const WantedColumn& other) {
                         return *other.name == field->name();
                       });
    return taken ? nullptr : field;
  }

  static void AddNumber(uint32_t number, uint32_t field, ProtobufReadMessage& message) {
    if (number >= kDenseNumbers) {
      message.far_numbers.emplace_back(number, field);
      return;
    }
    if (message.by_number.size() <= number) message.by_number.resize(number + 1);
    message.by_number[number] = field;
  }

  // Members of a oneof undo each other, also those that nobody reads.
  static void AddOneofs(const pb::Descriptor& writer, std::vector<ProtobufReadField>& fields,
                        std::vector<const pb::FieldDescriptor*>& sources) {
    for (int i = 0; i < writer.oneof_decl_count(); ++i) {
      const pb::OneofDescriptor& oneof = *writer.oneof_decl(i);
      if (oneof.field_count() < 2) continue;
      std::vector<uint32_t> members;
      for (uint32_t f = 0; f < sources.size(); ++f) {
        if (sources[f] != nullptr && sources[f]->containing_oneof() == &oneof) members.push_back(f);
      }
      if (members.empty()) continue;
      for (int m = 0; m < oneof.field_count(); ++m) {
        const pb::FieldDescriptor* member = oneof.field(m);
        auto at = std::find(sources.begin(), sources.end(), member);
        if (at == sources.end()) {
          ProtobufReadField skipped;
          skipped.wire = WireOf(*member);
          fields.push_back(std::move(skipped));
          sources.push_back(member);
          at = sources.end() - 1;
        }
        const auto self = static_cast<uint32_t>(at - sources.begin());
        for (uint32_t other : members) {
          if (other != self) fields[self].clears.push_back(other);
        }
      }
    }
  }

  void Trouble(std::string text) {
    if (plan_.trouble.empty()) plan_.trouble = std::move(text);
  }

  ProtobufAbsent AbsentOf(bool has_presence, const ColumnWriter& column) const {
    if (!has_presence || read_default_values_) return ProtobufAbsent::kDefault;
    return column.type().nullable() ? ProtobufAbsent::kNull : ProtobufAbsent::kRefuse;
  }

  // A column that the message has no field for: as if the newest schema's field had not come.
  ProtobufReadField Missing(const pb::Descriptor& writer, const pb::FieldDescriptor* named, ColumnWriter& column,
                            const std::string& path) {
    Trouble(fmt::format("column '{}' is no field of '{}'", path, writer.full_name()));
    ProtobufReadField out;
    if (named != nullptr) out = Field(*named, named, column, path);
    if (named == nullptr || out.op == ProtobufReadOp::kRefuse) {
      out.absent = column.type().nullable() ? ProtobufAbsent::kNull : ProtobufAbsent::kRefuse;
      out.target = &column;
      out.path = path;
    }
    return out;
  }

  ProtobufReadField Field(const pb::FieldDescriptor& field, const pb::FieldDescriptor* reader, ColumnWriter& column,
                          const std::string& path) {
    ProtobufReadField out;
    out.path = path;
    out.target = &column;
    const TypeKind kind = column.kind();
    bool good = true;
    if (field.is_map() && (kind == TypeKind::kMap || kind == TypeKind::kMultiset)) {
      out.op = ProtobufReadOp::kMap;
      out.wire = kProtobufLength;
      out.repeated = true;
      out.list = &column;
      const pb::Descriptor& entry = *field.message_type();
      const pb::Descriptor* entry_of_reader = reader != nullptr && reader->is_map() ? reader->message_type() : nullptr;
      out.child = Entry(entry, entry_of_reader, column, path);
    } else if (field.is_repeated()) {
      out.repeated = true;
      out.list = &column;
      good = kind == TypeKind::kArray && Value(field, reader, column.children()[0], path + "[]", out);
      out.packable = field.is_packable();
    } else {
      good = Value(field, reader, column, path, out);
    }
    out.absent = AbsentOf(field.has_presence(), column);
    if (field.is_repeated())
      out.absent = column.type().nullable() && !read_default_values_ ? ProtobufAbsent::kNull : ProtobufAbsent::kDefault;
    if (!field.is_repeated() && out.absent == ProtobufAbsent::kDefault) out.constant = DefaultBytes(field);
    out.nullable = out.target->type().nullable();
    if (!good) {
      out.op = ProtobufReadOp::kRefuse;
      out.target = &column;
      out.repeated = false;
      out.packable = false;
      out.wire = WireOf(field);
      out.absent = column.type().nullable() ? ProtobufAbsent::kNull : ProtobufAbsent::kRefuse;
      out.nullable = column.type().nullable();
      out.detail = fmt::format("expected {}, the schema has {}", column.type().ToString(), DescribedField(field));
      Trouble(fmt::format("column '{}' is {}, the field is {}", path, column.type().ToString(), DescribedField(field)));
    }
    return out;
  }

  // Keys and values that are left out of an entry have their default.
  uint32_t Entry(const pb::Descriptor& entry, const pb::Descriptor* reader, ColumnWriter& map,
                 const std::string& path) {
    static const std::string kKey = "key";
    static const std::string kValue = "value";
    const uint32_t message =
        Message(entry, reader, {{&kKey, &map.children()[0]}, {&kValue, &map.children()[1]}}, path + ".");
    for (uint32_t f = plan_.messages[message].begin; f < plan_.messages[message].end; ++f) {
      ProtobufReadField& field = plan_.fields[f];
      if (field.op == ProtobufReadOp::kRefuse) continue;
      field.absent = ProtobufAbsent::kDefault;
      field.constant = DefaultBytes(*entry.field(static_cast<int>(f - plan_.messages[message].begin)));
    }
    return message;
  }

  // False when a value of `field` can't be one of `column`.
  bool Value(const pb::FieldDescriptor& field, const pb::FieldDescriptor* reader, ColumnWriter& column,
             const std::string& path, ProtobufReadField& out) {
    out.target = &column;
    out.wire = WireOf(field);
    const auto set = [&out](bool fits, ProtobufReadOp op) {
      if (fits) out.op = op;
      return fits;
    };
    const TypeKind kind = column.kind();
    switch (field.type()) {
      case pb::FieldDescriptor::TYPE_BOOL:
        return set(kind == TypeKind::kBoolean, ProtobufReadOp::kBoolean);
      case pb::FieldDescriptor::TYPE_FLOAT:
        return set(kind == TypeKind::kFloat || kind == TypeKind::kDouble, ProtobufReadOp::kFloat);
      case pb::FieldDescriptor::TYPE_DOUBLE:
        return set(kind == TypeKind::kDouble, ProtobufReadOp::kDouble);
      case pb::FieldDescriptor::TYPE_STRING:
      case pb::FieldDescriptor::TYPE_BYTES:
        return set(kind == TypeKind::kString, ProtobufReadOp::kString) ||
               set(kind == TypeKind::kBytes, ProtobufReadOp::kBytes);
      case pb::FieldDescriptor::TYPE_ENUM:
        if (kind != TypeKind::kString) return set(Integer(column, out), ProtobufReadOp::kInt32);
        AddSymbols(*field.enum_type(), out);
        return set(true, ProtobufReadOp::kEnum);
      case pb::FieldDescriptor::TYPE_MESSAGE:
        return MessageValue(field, reader, column, path, out);
      case pb::FieldDescriptor::TYPE_GROUP:
        return false;
      default:
        return set(Integer(column, out), IntegerOp(field));
    }
  }

  static bool Integer(const ColumnWriter& column, ProtobufReadField& out) {
    const DataType& type = column.type();
    out.integer_target = type.IsApproximate()                ? ProtobufIntegerTarget::kDouble
                         : type.kind() == TypeKind::kDecimal ? ProtobufIntegerTarget::kDecimal
                                                             : ProtobufIntegerTarget::kInteger;
    return type.IsNumeric();
  }

  static ProtobufReadOp IntegerOp(const pb::FieldDescriptor& field) {
    switch (field.type()) {
      case pb::FieldDescriptor::TYPE_INT32:
        return ProtobufReadOp::kInt32;
      case pb::FieldDescriptor::TYPE_INT64:
        return ProtobufReadOp::kInt64;
      case pb::FieldDescriptor::TYPE_UINT32:
        return ProtobufReadOp::kUint32;
      case pb::FieldDescriptor::TYPE_UINT64:
        return ProtobufReadOp::kUint64;
      case pb::FieldDescriptor::TYPE_FIXED32:
        return ProtobufReadOp::kFixed32;
      case pb::FieldDescriptor::TYPE_SFIXED32:
        return ProtobufReadOp::kSfixed32;
      case pb::FieldDescriptor::TYPE_FIXED64:
        return ProtobufReadOp::kFixed64;
      case pb::FieldDescriptor::TYPE_SFIXED64:
        return ProtobufReadOp::kSfixed64;
      default:
        return ProtobufReadOp::kSint;
    }
  }

  static void AddSymbols(const pb::EnumDescriptor& type, ProtobufReadField& out) {
    out.closed_enum = type.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO2;
    for (int i = type.value_count() - 1; i >= 0; --i) {  // of several names the first one
      const int32_t number = type.value(i)->number();
      if (number < 0 || number >= static_cast<int32_t>(kDenseNumbers)) {
        out.far_symbols[number] = type.value(i)->name();
        continue;
      }
      if (out.symbols.size() <= static_cast<size_t>(number)) out.symbols.resize(static_cast<size_t>(number) + 1);
      out.symbols[static_cast<size_t>(number)] = type.value(i)->name();
    }
  }

  bool MessageValue(const pb::FieldDescriptor& field, const pb::FieldDescriptor* reader, ColumnWriter& column,
                    const std::string& path, ProtobufReadField& out) {
    const pb::Descriptor& message = *field.message_type();
    const std::string& name = message.full_name();
    const auto set = [&out](ProtobufReadOp op) {
      out.op = op;
      return true;
    };
    switch (column.kind()) {
      case TypeKind::kRow: {
        const pb::Descriptor* of_reader = reader == nullptr ? nullptr : reader->message_type();
        out.child = Message(message, of_reader, FieldsOfRow(column), path + ".");
        return set(ProtobufReadOp::kRow);
      }
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        return name == "google.protobuf.Timestamp" && set(ProtobufReadOp::kTimestamp);
      case TypeKind::kIntervalDay:
        return name == "google.protobuf.Duration" && set(ProtobufReadOp::kDuration);
      case TypeKind::kDate:
        return name == "google.type.Date" && set(ProtobufReadOp::kDate);
      case TypeKind::kTime:
        return name == "google.type.TimeOfDay" && set(ProtobufReadOp::kTimeOfDay);
      case TypeKind::kDecimal:
        if (name == "confluent.type.Decimal") return set(ProtobufReadOp::kDecimal);
        if (name == "google.type.Decimal") return set(ProtobufReadOp::kDecimalText);
        break;
      default:
        break;
    }
    const pb::FieldDescriptor* inner = IsWrapper(message) ? message.FindFieldByNumber(1) : nullptr;
    ProtobufReadField value;
    value.path = path;
    if (inner == nullptr || !Value(*inner, nullptr, column, path, value)) return false;
    value.constant = DefaultBytes(*inner);
    value.nullable = column.type().nullable();
    out.child = static_cast<uint32_t>(plan_.fields.size());
    plan_.fields.push_back(std::move(value));
    return set(ProtobufReadOp::kWrapper);
  }

  const bool read_default_values_;
  ProtobufReadPlan plan_;
};

bool LacksFields(const pb::Descriptor& message, const std::vector<Field>& columns) {
  return std::any_of(columns.begin(), columns.end(), [&](const Field& column) {
    const pb::FieldDescriptor* field = message.FindFieldByName(column.name);
    if (field == nullptr) return true;
    DataType inner = column.type;
    if (inner.kind() == TypeKind::kMap && field->is_map()) {
      field = field->message_type()->FindFieldByNumber(2);
      inner = DataType(inner.children()[1].type);
    } else if (inner.kind() == TypeKind::kArray) {
      inner = DataType(inner.children()[0].type);
    }
    return inner.kind() == TypeKind::kRow && field->message_type() != nullptr &&
           LacksFields(*field->message_type(), inner.children());
  });
}

}  // namespace

ProtobufReadPlan MakeProtobufReadPlan(const pb::Descriptor& writer, const pb::Descriptor* reader, const Schema& table,
                                      bool read_default_values, std::vector<ColumnWriter>& columns) {
  std::vector<WantedColumn> wanted;
  for (size_t i = 0; i < columns.size(); ++i) wanted.push_back({&table.field(static_cast<int>(i)).name, &columns[i]});
  ProtobufReadPlanner planner(read_default_values);
  planner.Message(writer, reader, wanted, "");
  return planner.Take();
}

bool ProtobufLacksColumns(const pb::Descriptor& writer, const Schema& table) {
  return LacksFields(writer, table.fields());
}

}  // namespace tidemill
