#include "sql/binder/scope.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/errors.h"

namespace tidemill {
namespace {

std::vector<std::string> Qualifiers(const Relation& relation) {
  std::vector<std::string> out;
  for (const ScopeColumn& column : relation.columns) {
    if (!column.qualifier.empty() && std::find(out.begin(), out.end(), column.qualifier) == out.end())
      out.push_back(column.qualifier);
  }
  return out;
}

std::vector<std::string> VisibleNames(const Relation& relation, const std::string* qualifier) {
  std::vector<std::string> out;
  for (const ScopeColumn& column : relation.columns) {
    if (!column.name.empty() && (!qualifier || column.qualifier == *qualifier)) out.push_back(column.name);
  }
  return out;
}

Status NotFound(const Relation& relation, const ast::Name& name, const std::string* qualifier) {
  std::string where;
  std::vector<std::string> qualifiers = Qualifiers(relation);
  if (qualifier) {
    where = fmt::format(" in '{}'", *qualifier);
  } else if (qualifiers.size() == 1) {
    where = fmt::format(" in '{}'", qualifiers[0]);
  }
  Status status = Status(kColumnNotFound, fmt::format("column '{}' not found{}", name.text, where)).At(name.position);
  std::string nearest = NearestName(name.text, VisibleNames(relation, qualifier));
  if (!nearest.empty()) status = status.WithHint(fmt::format("did you mean '{}'?", nearest));
  return relation.columns.empty() ? status : status.WithNote(ColumnsNote(relation));
}

}  // namespace

Relation MakeRelation(LogicalPtr node, const std::string& qualifier) {
  Relation relation;
  for (const Field& field : node->schema.fields()) relation.columns.push_back({qualifier, field.name, field.type});
  relation.node = std::move(node);
  return relation;
}

std::string ColumnsNote(const Relation& relation) {
  std::string out = "columns: ";
  constexpr size_t kShown = 60;
  size_t shown = 0;
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name.empty()) continue;
    if (shown == kShown) return out + ", ...";
    if (shown++ > 0) out += ", ";
    out += relation.columns[i].name;
    if (static_cast<int>(i) != relation.node->rowtime_column) continue;
    const auto* scan = std::get_if<ScanSpec>(&relation.node->spec);
    if (scan && scan->table->watermark) {
      out +=
          fmt::format(" (event time, watermark {})", scan->table->watermark->ToString(scan->table->schema().names()));
    } else {
      out += " (event time)";
    }
  }
  return out;
}

Result<ResolvedName> ResolveColumn(const Relation& relation, const std::vector<ast::Name>& names) {
  auto find = [&](const std::string* qualifier, const std::string& name, std::vector<int>& found) {
    for (size_t i = 0; i < relation.columns.size(); ++i) {
      const ScopeColumn& column = relation.columns[i];
      if (!column.name.empty() && column.name == name && (!qualifier || column.qualifier == *qualifier))
        found.push_back(static_cast<int>(i));
    }
  };
  const std::vector<std::string> qualifiers = Qualifiers(relation);
  const bool qualified =
      names.size() > 1 && std::find(qualifiers.begin(), qualifiers.end(), names[0].text) != qualifiers.end();
  std::vector<int> found;
  if (qualified) find(&names[0].text, names[1].text, found);
  size_t parts = 2;
  if (found.empty()) {
    std::vector<int> plain;
    find(nullptr, names[0].text, plain);
    if (!plain.empty()) {
      found = std::move(plain);
      parts = 1;
    }
  }
  if (found.size() == 1) return ResolvedName{found[0], parts};
  if (found.size() > 1) {
    std::string choices;
    for (int column : found) {
      const ScopeColumn& c = relation.columns[column];
      if (!choices.empty()) choices += ", ";
      choices += c.qualifier.empty() ? c.name : c.qualifier + "." + c.name;
    }
    return Status(kAmbiguousColumn, fmt::format("column '{}' is ambiguous", names[parts - 1].text))
        .At(names[parts - 1].position)
        .WithHint("name its table")
        .WithNote("it may be: " + choices);
  }
  if (qualified) return NotFound(relation, names[1], &names[0].text);
  if (names.size() > 1 && !qualifiers.empty()) {
    std::string nearest = NearestName(names[0].text, qualifiers);
    if (!nearest.empty()) {
      return Status(kTableNotFound, fmt::format("'{}' is neither a table of this query nor a column", names[0].text))
          .At(names[0].position)
          .WithHint(fmt::format("did you mean '{}'?", nearest));
    }
  }
  return NotFound(relation, names[0], nullptr);
}

Result<std::vector<int>> ResolveStar(const Relation& relation, const ast::Expr& star) {
  if (star.names.size() > 1) {
    return Status(kUnsupportedSyntax, "a qualified star of several parts is not supported").At(star.position);
  }
  std::vector<int> out;
  bool known = star.names.empty();
  for (size_t i = 0; i < relation.columns.size(); ++i) {
    const ScopeColumn& column = relation.columns[i];
    if (!star.names.empty() && column.qualifier != star.names[0].text) continue;
    known = true;
    if (!column.name.empty()) out.push_back(static_cast<int>(i));
  }
  if (known) return out;
  Status status = Status(kTableNotFound, fmt::format("'{}' is not a table of this query", star.names[0].text))
                      .At(star.names[0].position);
  std::string nearest = NearestName(star.names[0].text, Qualifiers(relation));
  return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

}  // namespace tidemill
