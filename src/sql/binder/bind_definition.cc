#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/binder.h"
#include "sql/errors.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

// Columns of a table as far as they are known, for computed columns and the watermark.
Relation ColumnScope(const TableDefinition& table, bool with_computed) {
  Relation relation;
  std::vector<Field> fields;
  for (const ColumnDefinition& column : table.columns) {
    const bool visible = with_computed || column.kind != ColumnDefinition::Kind::kComputed;
    relation.columns.push_back({table.name, visible ? column.name : "", column.type});
  }
  auto node = std::make_shared<LogicalNode>();
  node->spec = UnionSpec{};
  relation.node = std::move(node);
  return relation;
}

template <typename Definition>
Status SetOptions(const std::vector<ast::Option>& options, Definition& out) {
  std::set<std::string> seen;
  for (const ast::Option& option : options) {
    if (!seen.insert(option.key).second)
      return Status(kInvalidOption, fmt::format("option '{}' stands twice", option.key)).At(option.key_position);
    out.options.Set(option.key, option.value);
    out.option_positions[option.key] = option.value_position;
  }
  return Status::OK();
}

int FindColumn(const TableDefinition& table, const std::string& name) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Status NoSuchColumn(const TableDefinition& table, const ast::Name& name) {
  Status status =
      Status(kColumnNotFound, fmt::format("column '{}' not found in '{}'", name.text, table.name)).At(name.position);
  std::vector<std::string> names;
  for (const ColumnDefinition& column : table.columns) names.push_back(column.name);
  std::string nearest = NearestName(name.text, names);
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

}  // namespace

Status Binder::BindColumns(const ast::CreateTable& create, TableDefinition& out) const {
  const size_t inherited = out.columns.size();
  for (const ast::Column& column : create.columns) {
    ColumnDefinition definition;
    definition.name = column.name.text;
    definition.type = column.type;
    definition.comment = column.comment;
    if (column.kind == ast::Column::Kind::kMetadata) {
      definition.kind = ColumnDefinition::Kind::kMetadata;
      definition.metadata_key = column.metadata_key.value_or(definition.name);
      definition.is_virtual = column.is_virtual;
    } else if (column.kind == ast::Column::Kind::kComputed) {
      definition.kind = ColumnDefinition::Kind::kComputed;
    }
    if (FindColumn(out, definition.name) >= 0) {
      return Status(kAlreadyExists, fmt::format("column '{}' stands twice in '{}'", definition.name, out.name))
          .At(column.name.position);
    }
    out.columns.push_back(std::move(definition));
  }
  const Relation scope = ColumnScope(out, /*with_computed=*/false);
  BindContext context;
  context.relation = &scope;
  context.clause = "a computed column";
  for (size_t i = 0; i < create.columns.size(); ++i) {
    if (create.columns[i].kind != ast::Column::Kind::kComputed) continue;
    ColumnDefinition& definition = out.columns[inherited + i];
    TM_ASSIGN_OR_RETURN(definition.computed, ExpressionBinder(context).Bind(*create.columns[i].computed));
    definition.type = definition.computed->type;
    definition.computed = FoldExpression(definition.computed, SystemClock(), TimeZone());
    if (definition.type.kind() == TypeKind::kNull) {
      return Status(kTypeMismatch, fmt::format("column '{}' has no type", definition.name))
          .At(create.columns[i].computed->position)
          .WithHint("CAST(NULL AS type)");
    }
  }
  return Status::OK();
}

Status Binder::BindWatermark(const ast::CreateTable& create, TableDefinition& out) const {
  if (!create.watermark_column) return Status::OK();
  const ast::Name& name = *create.watermark_column;
  if (out.rowtime_column >= 0)
    return Status(kInvalidWatermark, "the table has a WATERMARK already, from LIKE")
        .At(name.position)
        .WithHint("OVERWRITING WATERMARKS");
  out.rowtime_column = FindColumn(out, name.text);
  if (out.rowtime_column < 0) return NoSuchColumn(out, name);
  const DataType& type = out.columns[out.rowtime_column].type;
  if (!type.IsTimestamp() || type.precision() > 3) {
    return Status(kInvalidWatermark, fmt::format("the event time must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), '{}' is {}",
                                                 name.text, type.WithNullable(true).ToString()))
        .At(name.position);
  }
  const Relation scope = ColumnScope(out, /*with_computed=*/true);
  BindContext context;
  context.relation = &scope;
  context.clause = "WATERMARK";
  TM_ASSIGN_OR_RETURN(out.watermark, ExpressionBinder(context).Bind(*create.watermark));
  if (out.watermark->type.kind() != type.kind() || out.watermark->type.precision() > 3) {
    return Status(kInvalidWatermark,
                  fmt::format("the watermark must be {}, as its column is, found {}",
                              type.WithNullable(true).ToString(), out.watermark->type.WithNullable(true).ToString()))
        .At(create.watermark->position);
  }
  out.watermark = FoldExpression(out.watermark, SystemClock(), TimeZone());
  return Status::OK();
}

Status Binder::BindKey(const ast::CreateTable& create, TableDefinition& out) const {
  if (!create.primary_key.empty() && !out.primary_key.empty()) {
    return Status(kInvalidOption, "the table has a PRIMARY KEY already, from LIKE")
        .At(create.primary_key_position)
        .WithHint("EXCLUDING CONSTRAINTS");
  }
  for (const ast::Name& name : create.primary_key) {
    const int column = FindColumn(out, name.text);
    if (column < 0) return NoSuchColumn(out, name);
    if (out.columns[column].kind == ColumnDefinition::Kind::kComputed) {
      return Status(kTypeMismatch, fmt::format("computed column '{}' can't be in the PRIMARY KEY", name.text))
          .At(name.position);
    }
    if (std::find(out.primary_key.begin(), out.primary_key.end(), column) != out.primary_key.end()) {
      return Status(kAlreadyExists, fmt::format("column '{}' stands twice in the PRIMARY KEY", name.text))
          .At(name.position);
    }
    out.primary_key.push_back(column);
    out.columns[column].type = out.columns[column].type.WithNullable(false);
  }
  for (const ast::Name& name : create.partitioned_by) {
    const int column = FindColumn(out, name.text);
    if (column < 0) return NoSuchColumn(out, name);
    out.partitioned_by.push_back(name.text);
  }
  return Status::OK();
}

// LIKE source: INCLUDING ALL, options overwritten, unless said otherwise.
Status Binder::ApplyLike(const ast::CreateTable& create, TableDefinition& out) const {
  TablePtr source = catalog_.FindTable(create.like->text);
  if (!source) return TableNotFound(*create.like, nullptr);
  auto says = [&](std::string_view what) {
    return std::find(create.like_options.begin(), create.like_options.end(), what) != create.like_options.end();
  };
  auto excluded = [&](const std::string& what) {
    return says("EXCLUDING " + what) ||
           (says("EXCLUDING ALL") && !says("INCLUDING " + what) && !says("OVERWRITING " + what));
  };
  std::vector<int> moved(source->columns.size(), -1);
  for (size_t i = 0; i < source->columns.size(); ++i) {
    const ColumnDefinition& column = source->columns[i];
    if (column.kind == ColumnDefinition::Kind::kComputed && excluded("GENERATED")) continue;
    if (column.kind == ColumnDefinition::Kind::kMetadata && excluded("METADATA")) continue;
    moved[i] = static_cast<int>(out.columns.size());
    out.columns.push_back(column);
  }
  for (ColumnDefinition& column : out.columns) {
    if (!column.computed) continue;
    for (int c : ColumnsOf(*column.computed)) {
      if (moved[c] < 0)
        return Status(kInvalidOption,
                      fmt::format("computed column '{}' needs a column that LIKE leaves out", column.name))
            .At(create.like_position);
    }
    column.computed = RemapColumns(column.computed, moved);
  }
  if (source->rowtime_column >= 0 && !excluded("WATERMARKS") &&
      !(says("OVERWRITING WATERMARKS") && create.watermark_column)) {
    for (int c : ColumnsOf(*source->watermark)) {
      if (moved[c] < 0)
        return Status(kInvalidWatermark, "the watermark of LIKE needs a column that is left out")
            .At(create.like_position);
    }
    out.rowtime_column = moved[source->rowtime_column];
    out.watermark = RemapColumns(source->watermark, moved);
  }
  if (!excluded("CONSTRAINTS")) {
    for (int key : source->primary_key) out.primary_key.push_back(moved[key]);
  }
  if (!excluded("PARTITIONS")) out.partitioned_by = source->partitioned_by;
  if (!excluded("OPTIONS")) {
    out.options = source->options;
    out.option_positions = source->option_positions;
  }
  return Status::OK();
}

Result<TablePtr> Binder::BindCreateTable(const ast::CreateTable& create) {
  auto table = std::make_shared<TableDefinition>();
  table->name = create.name.text;
  table->position = create.name.position;
  table->comment = create.comment;
  if (create.like) TM_RETURN_IF_ERROR(ApplyLike(create, *table));
  TM_RETURN_IF_ERROR(BindColumns(create, *table));
  if (table->columns.empty())
    return Status(kSyntaxError, fmt::format("table '{}' has no columns", table->name)).At(create.name.position);
  TM_RETURN_IF_ERROR(BindKey(create, *table));
  TM_RETURN_IF_ERROR(BindWatermark(create, *table));
  TM_RETURN_IF_ERROR(SetOptions(create.options, *table));
  if (!table->options.Has("connector")) {
    return Status(kMissingOption, fmt::format("table '{}' has no 'connector'", table->name))
        .At(create.name.position)
        .WithHint("WITH ('connector' = '...')");
  }
  TM_RETURN_IF_ERROR(environment_.ValidateTable(*table, false, false).At(table->position));
  table->gives_upserts = environment_.GivesUpserts(*table);
  table->gives_changes = environment_.HoldsChanges(*table);
  return TablePtr(std::move(table));
}

Result<ModelPtr> Binder::BindCreateModel(const ast::CreateModel& create) {
  auto model = std::make_shared<ModelDefinition>();
  model->name = create.name.text;
  model->position = create.name.position;
  model->comment = create.comment;
  auto fields = [](const std::vector<ast::Column>& columns) {
    std::vector<Field> out;
    for (const ast::Column& column : columns) out.push_back({column.name.text, column.type});
    return out;
  };
  model->input = Schema(fields(create.input));
  model->output = Schema(fields(create.output));
  TM_RETURN_IF_ERROR(SetOptions(create.options, *model));
  if (!model->options.Has("provider")) {
    return Status(kMissingOption, fmt::format("model '{}' has no 'provider'", model->name))
        .At(create.name.position)
        .WithHint("WITH ('provider' = 'onnx', ...)");
  }
  return ModelPtr(std::move(model));
}

Result<Schema> Binder::BindView(const ast::CreateView& create) {
  hint_ = create.name.text;
  TM_ASSIGN_OR_RETURN(Relation relation, BindQuery(*create.query, nullptr));
  TM_ASSIGN_OR_RETURN(relation, RenameColumns(std::move(relation), create.columns, create.name.text, create.name));
  std::set<std::string> seen;
  std::vector<Field> fields;
  for (const ScopeColumn& column : relation.columns) {
    if (!seen.insert(column.name).second) {
      return Status(kAmbiguousColumn,
                    fmt::format("view '{}' would have two columns '{}'", create.name.text, column.name))
          .At(create.name.position)
          .WithHint("name one of them with AS");
    }
    fields.push_back({column.name, column.type});
  }
  return Schema(std::move(fields));
}

Result<Relation> Binder::BindNamed(const ast::Name& name) {
  if (const Catalog::View* view = catalog_.FindView(name.text)) return BindView(*view, name.text, name.text);
  TablePtr table = catalog_.FindTable(name.text);
  if (!table) return TableNotFound(name, nullptr);
  std::vector<int> columns(table->columns.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  Config options = table->options;
  return MakeRelation(MakeScan(table, std::move(columns), std::move(options), table->name, name.position), name.text);
}

}  // namespace tidemill
