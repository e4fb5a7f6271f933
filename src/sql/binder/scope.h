#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/logical_plan.h"
#include "sql/parser/ast.h"

namespace tidemill {

// A column that names may refer to: `name` or `qualifier.name`. Column i of the scope is column i of the node.
struct ScopeColumn {
  std::string qualifier;  // alias or table; empty for unnamed table functions
  std::string name;       // empty = hidden from names and from *
  DataType type;
};

// A bound FROM item or query: a node and the names of its columns.
struct Relation {
  LogicalPtr node;
  std::vector<ScopeColumn> columns;
};

// The columns of a node under one qualifier, with the names of its schema.
Relation MakeRelation(LogicalPtr node, const std::string& qualifier);

// A resolved name: the column, and how many of the name's parts it took (the others select fields of a ROW).
struct ResolvedName {
  int column;
  size_t parts;
};
// kColumnNotFound with the nearest name and the list of columns, or kAmbiguousColumn.
Result<ResolvedName> ResolveColumn(const Relation& relation, const std::vector<ast::Name>& names);
// "columns: a, b, ts (event time)".
std::string ColumnsNote(const Relation& relation);
// Column numbers that * or t.* stands for.
Result<std::vector<int>> ResolveStar(const Relation& relation, const ast::Expr& star);

}  // namespace tidemill
