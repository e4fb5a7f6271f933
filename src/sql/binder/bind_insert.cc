#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

bool IsWritable(const ColumnDefinition& column) {
  return column.kind == ColumnDefinition::Kind::kPhysical ||
         (column.kind == ColumnDefinition::Kind::kMetadata && !column.is_virtual);
}

// The target column of each value: the list as written, or all writable columns in order.
Result<std::vector<int>> TargetColumns(const ast::Insert& insert, const TableDefinition& table) {
  std::vector<int> targets;
  const std::vector<std::string> all = table.schema().names();
  if (insert.columns.empty()) {
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (IsWritable(table.columns[i])) targets.push_back(static_cast<int>(i));
    }
    return targets;
  }
  for (const ast::Name& name : insert.columns) {
    size_t i = 0;
    while (i < all.size() && all[i] != name.text) ++i;
    if (i == all.size()) {
      Status status = Status(kColumnNotFound, fmt::format("column '{}' not found in '{}'", name.text, table.name))
                          .At(name.position);
      std::string nearest = NearestName(name.text, all);
      return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
    }
    if (!IsWritable(table.columns[i])) {
      return Status(kInvalidInsert,
                    fmt::format(
                        "column '{}' of '{}' can't be written: it is {}", name.text, table.name,
                        table.columns[i].kind == ColumnDefinition::Kind::kComputed ? "computed" : "VIRTUAL metadata"))
          .At(name.position);
    }
    if (std::find(targets.begin(), targets.end(), static_cast<int>(i)) != targets.end()) {
      return Status(kInvalidInsert, fmt::format("column '{}' stands twice", name.text)).At(name.position);
    }
    targets.push_back(static_cast<int>(i));
  }
  return targets;
}

}  // namespace

Result<LogicalPtr> Binder::BindInsert(const ast::Insert& insert) {
  TablePtr table = catalog_.FindTable(insert.table.text);
  if (!table) {
    if (catalog_.FindView(insert.table.text))
      return Status(kInvalidInsert, fmt::format("'{}' is a view: it can't be written", insert.table.text))
          .At(insert.table.position);
    return TableNotFound(insert.table, nullptr);
  }
  TM_ASSIGN_OR_RETURN(table, ApplyHints(std::move(table), insert.hints));
  TM_RETURN_IF_ERROR(Validate(table, true));
  hint_ = insert.table.text;
  TM_ASSIGN_OR_RETURN(Relation relation, BindQuery(*insert.query, nullptr));
  TM_ASSIGN_OR_RETURN(std::vector<int> targets, TargetColumns(insert, *table));
  const int width = relation.node->schema.num_fields();
  if (width != static_cast<int>(targets.size())) {
    Schema sink = table->schema();
    std::string names;
    for (int target : targets) names += (names.empty() ? "" : ", ") + sink.field(target).name;
    return Status(kInvalidInsert,
                  fmt::format("'{}' takes {} columns, the query gives {}", table->name, targets.size(), width))
        .At(insert.query->position)
        .WithNote("columns: " + names);
  }
  const auto* project = std::get_if<ProjectSpec>(&relation.node->spec);
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  SinkSpec sink;
  sink.statement = "INSERT INTO " + insert.table.text;
  for (size_t i = 0; i < table->columns.size(); ++i) {
    const ColumnDefinition& column = table->columns[i];
    if (!IsWritable(column)) continue;
    auto at = std::find(targets.begin(), targets.end(), static_cast<int>(i));
    if (at == targets.end()) {
      if (!column.type.nullable()) {
        return Status(kInvalidInsert,
                      fmt::format("column '{}' of '{}' is NOT NULL: it must be given", column.name, table->name))
            .At(insert.table.position);
      }
      expressions.push_back(MakeNullLiteral(column.type, insert.table.position));
    } else {
      const int source = static_cast<int>(at - targets.begin());
      const SourcePosition position = project ? project->expressions[source]->position : insert.query->position;
      ExpressionPtr e = MakeColumn(source, relation.node->schema.field(source).type, position);
      if (e->type.kind() == TypeKind::kNull) {
        e = MakeNullLiteral(column.type, position);
      } else if (!ImplicitlyCastable(e->type, column.type) && !e->type.SameAs(column.type)) {
        Status status = Status(kInvalidInsert, fmt::format("column '{}' of '{}' is {}, found {}", column.name,
                                                           table->name, column.type.WithNullable(true).ToString(),
                                                           e->type.WithNullable(true).ToString()))
                            .At(position);
        return ExplicitlyCastable(e->type, column.type)
                   ? status.WithHint(
                         fmt::format("CAST(... AS {}) makes it fit", column.type.WithNullable(true).ToString()))
                   : status;
      }
      expressions.push_back(CastTo(e, column.type));
    }
    names.push_back(column.name);
    sink.columns.push_back(static_cast<int>(i));
  }
  sink.table = std::move(table);
  LogicalPtr input = MakeProject(std::move(relation.node), std::move(expressions), std::move(names), insert.table.text,
                                 insert.query->position);
  return MakeSink(std::move(input), std::move(sink), insert.table.text, insert.position);
}

}  // namespace tidemill
