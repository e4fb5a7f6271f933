#include "data/avro/avro_read_plan.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "data/internal/column_writer.h"

namespace tidemill {
namespace {

// A schema with that many steps is none that somebody wrote.
constexpr size_t kStepsMax = 200'000;

const AvroField* FieldNamed(const AvroType& record, std::string_view name) {
  for (const AvroField& field : record.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// The record that a type is, or that is the only one of its union.
const AvroType* RecordOf(const AvroType* type) {
  if (type == nullptr || type->kind == AvroKind::kRecord) return type;
  const AvroType* found = nullptr;
  if (type->kind != AvroKind::kUnion) return nullptr;
  for (const AvroType* branch : type->children) {
    if (branch->kind != AvroKind::kRecord) continue;
    if (found != nullptr) return nullptr;
    found = branch;
  }
  return found;
}

const AvroType* ElementOf(const AvroType* type, AvroKind kind) {
  if (type == nullptr) return nullptr;
  if (type->kind == kind) return type->children[0];
  if (type->kind != AvroKind::kUnion) return nullptr;
  for (const AvroType* branch : type->children) {
    if (branch->kind == kind) return branch->children[0];
  }
  return nullptr;
}

std::string DescribedAvro(const AvroType& type) {
  std::string text(AvroKindName(type.kind));
  if (type.logical != AvroLogical::kNone) text += fmt::format(" ({})", AvroLogicalName(type.logical));
  if (!type.name.empty()) text += fmt::format(" '{}'", type.name);
  return text;
}

class AvroReadPlanner {
 public:
  AvroReadPlan Make(const AvroSchema& writer, const AvroSchema* reader, const Schema& table, bool has_one_column,
                    std::vector<ColumnWriter>& columns) {
    AddStep();  // step 0, filled in last
    std::vector<Target> targets;
    for (int i = 0; i < table.num_fields(); ++i)
      targets.push_back({&table.field(i).name, &columns[static_cast<size_t>(i)]});
    const AvroType* reader_type = reader == nullptr ? nullptr : &reader->root();
    uint32_t root = 0;
    if (RecordOf(&writer.root()) == nullptr && has_one_column) {
      root = targets.empty() ? PlanSkip(writer.root())
                             : PlanValue(writer.root(), reader_type, *targets[0].writer, *targets[0].name);
    } else {
      root = PlanRoot(writer.root(), reader_type, targets);
    }
    if (too_large_) {
      plan_.steps.resize(1);
      plan_.steps[0] = {};
      SetRefusal(0, RejectReason::kTooLarge, "", "the schema is too large to be read into a table");
    } else {
      plan_.steps[0].op = AvroReadOp::kRecord;
      plan_.steps[0].children = {root};
    }
    return std::move(plan_);
  }

 private:
  struct Target {
    const std::string* name;
    ColumnWriter* writer;
  };

  uint32_t AddStep() {
    if (plan_.steps.size() >= kStepsMax) {
      too_large_ = true;
      return 0;
    }
    plan_.steps.emplace_back();
    return static_cast<uint32_t>(plan_.steps.size() - 1);
  }
  AvroReadStep& at(uint32_t step) { return plan_.steps[step]; }

  void SetRefusal(uint32_t step, RejectReason reason, std::string field, std::string detail) {
    at(step).op = AvroReadOp::kRefuse;
    at(step).reason = reason;
    at(step).field = std::move(field);
    at(step).detail = std::move(detail);
  }

  uint32_t Refusal(RejectReason reason, std::string field, std::string detail) {
    const uint32_t step = AddStep();
    SetRefusal(step, reason, std::move(field), std::move(detail));
    return step;
  }

  uint32_t PlanRoot(const AvroType& type, const AvroType* reader, const std::vector<Target>& targets) {
    if (type.kind == AvroKind::kUnion) {
      const uint32_t step = AddStep();
      std::vector<uint32_t> children;
      for (const AvroType* branch : type.children) children.push_back(PlanRoot(*branch, reader, targets));
      at(step).op = AvroReadOp::kUnion;
      at(step).children = std::move(children);
      return step;
    }
    if (type.kind != AvroKind::kRecord) {
      return Refusal(RejectReason::kWrongType, "",
                     fmt::format("expected a record with the table's columns, the schema has {}", DescribedAvro(type)));
    }
    const uint32_t step = AddStep();
    std::vector<uint32_t> children = PlanFields(type, RecordOf(reader), targets, "");
    at(step).op = AvroReadOp::kRecord;
    at(step).children = std::move(children);
    return step;
  }

  // Every field of the writer, into a target or past it, then the targets that it lacks.
  std::vector<uint32_t> PlanFields(const AvroType& record, const AvroType* reader, const std::vector<Target>& targets,
                                   const std::string& prefix) {
    std::unordered_map<std::string_view, size_t> wanted;  // name of the writer's field -> target
    std::vector<size_t> absent;
    for (size_t i = 0; i < targets.size(); ++i) {
      const std::string* name = targets[i].name;
      if (FieldNamed(record, *name) == nullptr) {
        name = nullptr;
        const AvroField* renamed = reader == nullptr ? nullptr : FieldNamed(*reader, *targets[i].name);
        if (renamed != nullptr) {
          for (const std::string& alias : renamed->aliases) {
            if (FieldNamed(record, alias) != nullptr) name = &alias;
          }
        }
      }
      if (name == nullptr || !wanted.emplace(*name, i).second) absent.push_back(i);
    }
    std::vector<uint32_t> steps;
    for (const AvroField& field : record.fields) {
      const auto found = wanted.find(field.name);
      if (found == wanted.end()) {
        steps.push_back(PlanSkip(*field.type));
        continue;
      }
      const Target& target = targets[found->second];
      const AvroField* known = reader == nullptr ? nullptr : FieldNamed(*reader, *target.name);
      steps.push_back(
          PlanValue(*field.type, known == nullptr ? nullptr : known->type, *target.writer, prefix + *target.name));
    }
    for (size_t i : absent) steps.push_back(PlanAbsent(reader, targets[i], prefix + *targets[i].name));
    return steps;
  }

  uint32_t PlanAbsent(const AvroType* reader, const Target& target, const std::string& path) {
    const AvroField* known = reader == nullptr ? nullptr : FieldNamed(*reader, *target.name);
    if (known != nullptr && known->default_text) {
      const uint32_t value = PlanValue(*known->type, known->type, *target.writer, path);
      const uint32_t step = AddStep();
      at(step).op = AvroReadOp::kDefault;
      at(step).children = {value};
      at(step).constant = known->default_bytes;
      return step;
    }
    if (target.writer->type().nullable()) return PlanNull(*target.writer, path);
    return Refusal(RejectReason::kMissingField, path, "the field is missing and has no default");
  }

  uint32_t PlanNull(ColumnWriter& target, const std::string& path) {
    if (!target.type().nullable()) return Refusal(RejectReason::kNotNull, path, "null in a NOT NULL column");
    const uint32_t step = AddStep();
    at(step).op = AvroReadOp::kNull;
    at(step).target = &target;
    return step;
  }

  // Skipping is planned once per type, so that types which hold themselves end.
  uint32_t PlanSkip(const AvroType& type) {
    const auto known = skips_.find(&type);
    if (known != skips_.end()) return known->second;
    const uint32_t step = AddStep();
    skips_.emplace(&type, step);
    std::vector<uint32_t> children;
    for (const AvroType* child : type.children) children.push_back(PlanSkip(*child));
    for (const AvroField& field : type.fields) children.push_back(PlanSkip(*field.type));
    at(step).children = std::move(children);
    AvroReadStep& made = at(step);
    switch (type.kind) {
      case AvroKind::kNull:
        made.op = AvroReadOp::kSkipNothing;
        break;
      case AvroKind::kBoolean:
        made.op = AvroReadOp::kSkipFixed;
        made.size = 1;
        break;
      case AvroKind::kInt:
      case AvroKind::kLong:
      case AvroKind::kEnum:
        made.op = AvroReadOp::kSkipLong;
        break;
      case AvroKind::kFloat:
      case AvroKind::kDouble:
      case AvroKind::kFixed:
        made.op = AvroReadOp::kSkipFixed;
        made.size = type.kind == AvroKind::kFloat ? 4 : type.kind == AvroKind::kDouble ? 8 : type.size;
        break;
      case AvroKind::kBytes:
      case AvroKind::kString:
        made.op = AvroReadOp::kSkipBytes;
        break;
      case AvroKind::kRecord:
        made.op = AvroReadOp::kRecord;
        break;
      case AvroKind::kUnion:
        made.op = AvroReadOp::kUnion;
        break;
      case AvroKind::kArray:
        made.op = AvroReadOp::kSkipArray;
        break;
      case AvroKind::kMap:
        made.op = AvroReadOp::kSkipMap;
        break;
    }
    return step;
  }

  uint32_t PlanValue(const AvroType& type, const AvroType* reader, ColumnWriter& target, const std::string& path) {
    if (too_large_) return 0;
    if (type.kind == AvroKind::kNull) return PlanNull(target, path);
    if (type.kind == AvroKind::kUnion) {
      const uint32_t step = AddStep();
      std::vector<uint32_t> children;
      for (const AvroType* branch : type.children) children.push_back(PlanValue(*branch, reader, target, path));
      at(step).op = AvroReadOp::kUnion;
      at(step).field = path;
      at(step).children = std::move(children);
      return step;
    }
    std::vector<uint32_t> children;
    const TypeKind kind = target.kind();
    if (kind == TypeKind::kRow && type.kind == AvroKind::kRecord) {
      std::vector<Target> fields;
      for (size_t i = 0; i < target.children().size(); ++i)
        fields.push_back({&target.type().children()[i].name, &target.children()[i]});
      children = PlanFields(type, RecordOf(reader), fields, path + ".");
    } else if (kind == TypeKind::kArray && type.kind == AvroKind::kArray) {
      children = {PlanValue(*type.children[0], ElementOf(reader, AvroKind::kArray), target.children()[0], path + "[]")};
    } else if ((kind == TypeKind::kMap || kind == TypeKind::kMultiset) && type.kind == AvroKind::kMap &&
               target.children()[0].kind() == TypeKind::kString) {
      const uint32_t key = AddStep();
      at(key).op = AvroReadOp::kString;
      at(key).target = &target.children()[0];
      at(key).field = path;
      children = {key,
                  PlanValue(*type.children[0], ElementOf(reader, AvroKind::kMap), target.children()[1], path + "{}")};
    }
    const uint32_t step = AddStep();
    at(step).target = &target;
    at(step).field = path;
    at(step).children = std::move(children);
    if (!SetOp(type, target.type(), at(step))) {
      SetRefusal(step, RejectReason::kWrongType, path,
                 fmt::format("expected {}, the schema has {}", target.type().ToString(), DescribedAvro(type)));
    }
    return step;
  }

  // False when a value of `type` can't be one of `column`.
  static bool SetOp(const AvroType& type, const DataType& column, AvroReadStep& step) {
    const bool integer = type.kind == AvroKind::kInt || type.kind == AvroKind::kLong;
    step.size = type.size;
    step.scale = type.scale;
    const auto set = [&step](bool fits, AvroReadOp op) {
      if (fits) step.op = op;
      return fits;
    };
    switch (column.kind()) {
      case TypeKind::kBoolean:
        return set(type.kind == AvroKind::kBoolean, AvroReadOp::kBoolean);
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInt:
      case TypeKind::kBigInt:
        return set(integer, AvroReadOp::kInteger);
      case TypeKind::kFloat:
        return set(integer, AvroReadOp::kFloatOfInteger) || set(type.kind == AvroKind::kFloat, AvroReadOp::kFloat);
      case TypeKind::kDouble:
        return set(integer, AvroReadOp::kFloatOfInteger) || set(type.kind == AvroKind::kFloat, AvroReadOp::kFloat) ||
               set(type.kind == AvroKind::kDouble, AvroReadOp::kDouble);
      case TypeKind::kDecimal:
        if (type.logical != AvroLogical::kDecimal)
          return set(integer && type.logical == AvroLogical::kNone, AvroReadOp::kDecimalOfInteger);
        return set(true, type.kind == AvroKind::kFixed ? AvroReadOp::kDecimalOfFixed : AvroReadOp::kDecimalOfBytes);
      case TypeKind::kString:
        if (type.kind == AvroKind::kEnum) step.texts = type.symbols;
        return set(type.kind == AvroKind::kString || type.kind == AvroKind::kBytes, AvroReadOp::kString) ||
               set(type.kind == AvroKind::kEnum, AvroReadOp::kSymbol) ||
               set(type.logical == AvroLogical::kUuid, AvroReadOp::kUuidOfFixed) ||
               set(type.kind == AvroKind::kFixed, AvroReadOp::kStringOfFixed);
      case TypeKind::kBytes:
        return set(type.kind == AvroKind::kString || type.kind == AvroKind::kBytes, AvroReadOp::kBytes) ||
               set(type.kind == AvroKind::kFixed, AvroReadOp::kBytesOfFixed);
      case TypeKind::kDate:
        return set(type.kind == AvroKind::kInt && type.logical != AvroLogical::kTimeMillis, AvroReadOp::kDate);
      case TypeKind::kTime: {
        const AvroLogical logical = MeaningOf(type);
        step.divisor = logical == AvroLogical::kTimeMicros ? 1000 : 1;
        return set(logical == AvroLogical::kTimeMillis || logical == AvroLogical::kTimeMicros, AvroReadOp::kTime);
      }
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        return set(SetUnits(MeaningOf(type), column.precision(), step), AvroReadOp::kTimestamp);
      case TypeKind::kRow:
        return set(type.kind == AvroKind::kRecord, AvroReadOp::kRow);
      case TypeKind::kArray:
        return set(type.kind == AvroKind::kArray, AvroReadOp::kArray);
      case TypeKind::kMap:
      case TypeKind::kMultiset:
        return set(!step.children.empty(), AvroReadOp::kMap);
      default:
        return false;
    }
  }

  // Kafka Connect's Avro converters name Debezium's types of times beside plain integers.
  static AvroLogical MeaningOf(const AvroType& type) {
    if (type.logical != AvroLogical::kNone) return type.logical;
    const auto name = type.attributes.find("connect.name");
    if (name == type.attributes.end()) return AvroLogical::kNone;
    static constexpr std::pair<std::string_view, AvroLogical> kNames[] = {
        {"\"io.debezium.time.Timestamp\"", AvroLogical::kTimestampMillis},
        {"\"io.debezium.time.MicroTimestamp\"", AvroLogical::kTimestampMicros},
        {"\"io.debezium.time.NanoTimestamp\"", AvroLogical::kTimestampNanos},
        {"\"io.debezium.time.MicroTime\"", AvroLogical::kTimeMicros},
    };
    if (type.kind == AvroKind::kInt && name->second == "\"io.debezium.time.Time\"") return AvroLogical::kTimeMillis;
    if (type.kind != AvroKind::kLong) return AvroLogical::kNone;
    for (const auto& [known, logical] : kNames) {
      if (name->second == known) return logical;
    }
    return AvroLogical::kNone;
  }

  static bool SetUnits(AvroLogical logical, int precision, AvroReadStep& step) {
    const int64_t from = AvroUnitsPerSecond(logical);
    if (from == 0) return false;
    const int digits = precision <= 3 ? 3 : precision <= 6 ? 6 : 9;
    const int64_t to = digits == 3 ? 1'000 : digits == 6 ? 1'000'000 : 1'000'000'000;
    step.factor = to > from ? to / from : 1;
    step.divisor = from > to ? from / to : 1;
    for (int i = precision; i < digits; ++i) step.granule *= 10;
    return true;
  }

  AvroReadPlan plan_;
  std::unordered_map<const AvroType*, uint32_t> skips_;
  bool too_large_ = false;
};

}  // namespace

AvroReadPlan MakeAvroReadPlan(const AvroSchema& writer, const AvroSchema* reader, const Schema& table,
                              bool has_one_column, std::vector<ColumnWriter>& columns) {
  return AvroReadPlanner().Make(writer, reader, table, has_one_column, columns);
}

bool AvroLacksColumns(const AvroSchema& writer, const Schema& table) {
  const auto lacks = [](const auto& self, const AvroType& type, const std::vector<Field>& columns) -> bool {
    const AvroType* record = RecordOf(&type);
    if (record == nullptr) return false;
    for (const Field& column : columns) {
      const AvroField* field = FieldNamed(*record, column.name);
      if (field == nullptr) return true;
      DataType inner = column.type;
      const AvroType* value = field->type;
      while (inner.kind() == TypeKind::kArray || inner.kind() == TypeKind::kMap) {
        value = ElementOf(value, inner.kind() == TypeKind::kArray ? AvroKind::kArray : AvroKind::kMap);
        inner = DataType(inner.children().back().type);
        if (value == nullptr) return false;
      }
      if (inner.kind() == TypeKind::kRow && self(self, *value, inner.children())) return true;
    }
    return false;
  };
  return lacks(lacks, writer.root(), table.fields());
}

}  // namespace tidemill
