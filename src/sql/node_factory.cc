#include "sql/node_factory.h"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

namespace tidemill {
namespace {

std::shared_ptr<LogicalNode> NewNode(LogicalSpec spec, std::vector<LogicalPtr> inputs, std::string hint,
                                     SourcePosition position) {
  auto node = std::make_shared<LogicalNode>();
  node->spec = std::move(spec);
  node->inputs = std::move(inputs);
  node->changelog = InferChangelog(node->spec, node->inputs);
  node->name = std::move(hint);
  node->position = std::move(position);
  return node;
}

Schema UniqueSchema(std::vector<Field> fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const Field& field : fields) names.push_back(field.name);
  MakeNamesUnique(names);
  for (size_t i = 0; i < fields.size(); ++i) fields[i].name = std::move(names[i]);
  return Schema(std::move(fields));
}

void AddWindowFields(const LogicalNode& input, const WindowSpec& window, std::vector<Field>& fields) {
  // window_start and window_end are wall-clock values of the session zone for TIMESTAMP_LTZ too; window_time keeps the
  // column's type.
  const DataType& time = input.schema.field(window.time_column).type;
  fields.push_back({"window_start", DataType::Timestamp(3, false)});
  fields.push_back({"window_end", DataType::Timestamp(3, false)});
  fields.push_back({"window_time", time.kind() == TypeKind::kTimestampLtz ? DataType::TimestampLtz(3, false)
                                                                          : DataType::Timestamp(3, false)});
}

}  // namespace

void MakeNamesUnique(std::vector<std::string>& names) {
  std::unordered_set<std::string> all(names.begin(), names.end());
  std::unordered_set<std::string> seen;
  for (std::string& name : names) {
    if (seen.insert(name).second) continue;
    std::string candidate;
    for (int i = 0;; ++i) {
      candidate = fmt::format("{}{}", name, i);
      if (!all.contains(candidate)) break;
    }
    all.insert(candidate);
    seen.insert(candidate);
    name = std::move(candidate);
  }
}

ChangelogMode InferChangelog(const LogicalSpec& spec, const std::vector<LogicalPtr>& inputs) {
  if (std::holds_alternative<GroupAggregateSpec>(spec)) return ChangelogMode::kRetract;
  if (const auto* scan = std::get_if<ScanSpec>(&spec)) {
    if (scan->table->gives_changes) return ChangelogMode::kRetract;
    return scan->table->gives_upserts ? ChangelogMode::kUpsert : ChangelogMode::kAppend;
  }
  ChangelogMode mode = ChangelogMode::kAppend;
  // The right side of a temporal join is versions, which never show.
  const size_t counted = std::holds_alternative<TemporalJoinSpec>(spec) ? 1 : inputs.size();
  for (size_t i = 0; i < counted; ++i) mode = std::max(mode, inputs[i]->changelog);
  return mode;
}

const char* NodeKindName(const LogicalSpec& spec) {
  static constexpr const char* kNames[] = {
      "Scan",  "Values",       "Project", "Filter",  "WindowTvf", "WindowAggregate", "GroupAggregate", "Over",
      "Union", "TemporalJoin", "Predict", "Journal", "Sink"};
  static_assert(std::size(kNames) == std::variant_size_v<LogicalSpec>);
  return kNames[spec.index()];
}

LogicalPtr MakeScan(TablePtr table, std::vector<int> columns, Config options, std::string hint,
                    SourcePosition position) {
  std::vector<Field> fields;
  int rowtime = -1;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnDefinition& column = table->columns[columns[i]];
    fields.push_back({column.name, column.type});
    if (columns[i] == table->rowtime_column) rowtime = static_cast<int>(i);
  }
  auto node = NewNode(ScanSpec{std::move(table), std::move(columns), std::move(options)}, {}, std::move(hint),
                      std::move(position));
  node->schema = Schema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeValues(std::vector<std::vector<ExpressionPtr>> rows, std::vector<Field> fields, std::string hint,
                      SourcePosition position) {
  auto node = NewNode(ValuesSpec{std::move(rows)}, {}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  return node;
}

LogicalPtr MakeProject(LogicalPtr input, std::vector<ExpressionPtr> expressions, std::vector<std::string> names,
                       std::string hint, SourcePosition position) {
  std::vector<Field> fields;
  int rowtime = -1;
  for (size_t i = 0; i < expressions.size(); ++i) {
    fields.push_back({names[i], expressions[i]->type});
    const bool passes =
        expressions[i]->kind == Expression::Kind::kColumn && expressions[i]->column == input->rowtime_column;
    if (passes && rowtime < 0) rowtime = static_cast<int>(i);
  }
  auto node = NewNode(ProjectSpec{std::move(expressions)}, {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeFilter(LogicalPtr input, ExpressionPtr predicate, std::string hint, SourcePosition position) {
  auto node = NewNode(FilterSpec{std::move(predicate)}, {input}, std::move(hint), std::move(position));
  node->schema = input->schema;
  node->rowtime_column = input->rowtime_column;
  return node;
}

LogicalPtr MakeWindowTvf(LogicalPtr input, WindowSpec window, std::string hint, SourcePosition position) {
  std::vector<Field> fields = input->schema.fields();
  AddWindowFields(*input, window, fields);
  const int rowtime = static_cast<int>(fields.size()) - 1;
  auto node = NewNode(WindowTvfSpec{std::move(window)}, {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeWindowAggregate(LogicalPtr input, WindowAggregateSpec spec, std::string hint, SourcePosition position) {
  std::vector<Field> fields;
  for (int key : spec.keys) fields.push_back(input->schema.field(key));
  for (const AggregateCall& call : spec.calls) fields.push_back({call.name, call.resolved.result});
  AddWindowFields(*input, spec.window, fields);
  const int rowtime = static_cast<int>(fields.size()) - 1;
  auto node = NewNode(std::move(spec), {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeGroupAggregate(LogicalPtr input, GroupAggregateSpec spec, std::string hint, SourcePosition position) {
  std::vector<Field> fields;
  for (int key : spec.keys) fields.push_back(input->schema.field(key));
  for (const AggregateCall& call : spec.calls) fields.push_back({call.name, call.resolved.result});
  auto node = NewNode(std::move(spec), {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  return node;
}

LogicalPtr MakeOver(LogicalPtr input, OverSpec spec, std::string hint, SourcePosition position) {
  std::vector<Field> fields = input->schema.fields();
  for (const OverCall& call : spec.calls) fields.push_back({call.call.name, call.call.resolved.result});
  const int rowtime = input->rowtime_column;
  auto node = NewNode(std::move(spec), {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeUnion(std::vector<LogicalPtr> inputs, std::string hint, SourcePosition position) {
  std::vector<Field> fields = inputs[0]->schema.fields();
  int rowtime = inputs[0]->rowtime_column;
  for (const LogicalPtr& input : inputs) {
    if (input->rowtime_column != rowtime) rowtime = -1;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (input->schema.field(static_cast<int>(i)).type.nullable()) fields[i].type = fields[i].type.WithNullable(true);
    }
  }
  auto node = NewNode(UnionSpec{}, std::move(inputs), std::move(hint), std::move(position));
  node->schema = Schema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeTemporalJoin(LogicalPtr left, LogicalPtr right, TemporalJoinSpec spec, std::string hint,
                            SourcePosition position) {
  std::vector<Field> fields = left->schema.fields();
  for (Field field : right->schema.fields()) {
    if (spec.left_outer) field.type = field.type.WithNullable(true);
    fields.push_back(std::move(field));
  }
  const int rowtime = left->rowtime_column;
  auto node = NewNode(std::move(spec), {std::move(left), std::move(right)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakePredict(LogicalPtr input, PredictSpec spec, std::string hint, SourcePosition position) {
  std::vector<Field> fields = input->schema.fields();
  for (const Field& field : spec.model->output.fields()) fields.push_back(field);
  const int rowtime = input->rowtime_column;
  auto node = NewNode(std::move(spec), {std::move(input)}, std::move(hint), std::move(position));
  node->schema = UniqueSchema(std::move(fields));
  node->rowtime_column = rowtime;
  return node;
}

LogicalPtr MakeJournal(LogicalPtr input, JournalSpec spec, std::string hint, SourcePosition position) {
  auto node = NewNode(std::move(spec), {input}, std::move(hint), std::move(position));
  node->schema = input->schema;
  node->rowtime_column = input->rowtime_column;
  return node;
}

LogicalPtr MakeSink(LogicalPtr input, SinkSpec spec, std::string hint, SourcePosition position) {
  auto node = NewNode(std::move(spec), {input}, std::move(hint), std::move(position));
  node->schema = input->schema;
  node->rowtime_column = input->rowtime_column;
  return node;
}

LogicalPtr WithInputs(const LogicalPtr& node, std::vector<LogicalPtr> inputs) {
  if (inputs == node->inputs) return node;
  auto copy = std::make_shared<LogicalNode>(*node);
  copy->inputs = std::move(inputs);
  copy->changelog = InferChangelog(copy->spec, copy->inputs);
  return copy;
}

std::vector<ExpressionPtr> ColumnsOfNode(const LogicalNode& node) {
  std::vector<ExpressionPtr> out;
  out.reserve(node.schema.num_fields());
  for (int i = 0; i < node.schema.num_fields(); ++i)
    out.push_back(MakeColumn(i, node.schema.field(i).type, node.position));
  return out;
}

}  // namespace tidemill
