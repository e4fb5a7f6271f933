#include <fmt/format.h>

#include "base/config.h"
#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {

using ast::TableRef;

Result<std::map<std::string, const ast::Expr*>> MatchArguments(const ast::Expr& call,
                                                               const std::vector<std::string>& parameters,
                                                               size_t required) {
  std::map<std::string, const ast::Expr*> out;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const ast::Expr& arg = *call.args[i];
    if (arg.kind != ast::Expr::Kind::kNamedArg) {
      if (i >= parameters.size()) {
        return Status(kWrongArguments, fmt::format("{} takes at most {} arguments", call.op, parameters.size()))
            .At(arg.position);
      }
      if (i > 0 && call.args[i - 1]->kind == ast::Expr::Kind::kNamedArg) {
        return Status(kWrongArguments, "an argument by position can't follow one by name").At(arg.position);
      }
      out[parameters[i]] = &arg;
      continue;
    }
    std::string name = arg.names[0].text;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    bool known = false;
    std::string list;
    for (const std::string& parameter : parameters) {
      known = known || parameter == name;
      list += (list.empty() ? "" : ", ") + parameter;
    }
    if (!known) {
      Status status = Status(kWrongArguments, fmt::format("{} has no argument '{}'", call.op, arg.names[0].text))
                          .At(arg.position)
                          .WithNote("arguments: " + list);
      std::string nearest = NearestName(name, parameters);
      return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
    }
    if (!out.emplace(name, arg.args[0].get()).second)
      return Status(kWrongArguments, fmt::format("argument {} stands twice", name)).At(arg.position);
  }
  for (size_t i = 0; i < required; ++i) {
    if (!out.contains(parameters[i]))
      return Status(kWrongArguments, fmt::format("{} lacks its argument {}", call.op, parameters[i])).At(call.position);
  }
  return out;
}

Result<Relation> Binder::BindFrom(const TableRef& table, const CommonTableScope* scope) {
  Depth guard(*this);
  TM_RETURN_IF_ERROR(CheckDepth(table.position));
  const std::string alias = table.alias ? table.alias->text : "";
  const ast::Name owner = table.alias           ? *table.alias
                          : table.names.empty() ? ast::Name{"the subquery", table.position}
                                                : table.names[0];
  if (table.kind == TableRef::Kind::kJoin) return BindJoin(table, scope);
  if (table.lateral) {
    return Status(kUnsupportedSyntax, "LATERAL is not supported").At(table.position);
  }
  const std::string outer = hint_;
  Result<Relation> relation = Status(kInternalError, "unknown FROM item");
  std::string qualifier = alias;
  switch (table.kind) {
    case TableRef::Kind::kTable:
      if (table.system_time) {
        return Status(kInvalidJoin, "FOR SYSTEM_TIME AS OF stands on the right side of a JOIN")
            .At(table.system_time->position);
      }
      if (qualifier.empty()) qualifier = table.names[0].text;
      relation = BindTable(table.names[0], table.hints, qualifier, scope);
      break;
    case TableRef::Kind::kSubquery:
      if (!alias.empty()) hint_ = alias;
      relation = BindQuery(*table.query, scope);
      break;
    case TableRef::Kind::kFunction:
      if (!alias.empty()) hint_ = alias;
      relation = BindTableFunction(table, scope);
      break;
    case TableRef::Kind::kJoin:
      break;
  }
  hint_ = outer;
  if (!relation.ok()) return relation;
  return RenameColumns(*std::move(relation), table.column_aliases, qualifier, owner);
}

Status Binder::TableNotFound(const ast::Name& name, const CommonTableScope* scope) const {
  std::vector<std::string> names = catalog_.table_names();
  for (const std::string& view : catalog_.view_names()) names.push_back(view);
  for (; scope; scope = scope->outer) {
    if (scope->table) names.push_back(scope->table->name.text);
  }
  Status status = Status(kTableNotFound, fmt::format("table or view '{}' not found", name.text)).At(name.position);
  std::string nearest = NearestName(name.text, names);
  if (!nearest.empty()) return status.WithHint(fmt::format("did you mean '{}'?", nearest));
  if (names.empty()) return status.WithNote("there are no tables yet");
  std::string list;
  for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
  return status.WithNote("tables: " + list);
}

Result<Relation> Binder::BindTable(const ast::Name& name, const std::vector<ast::Hint>& hints,
                                   const std::string& qualifier, const CommonTableScope* scope) {
  for (const CommonTableScope* s = scope; s; s = s->outer) {
    if (!s->table || s->table->name.text != name.text) continue;
    if (!hints.empty())
      return Status(kUnsupportedSyntax, "hints are for tables, not for WITH queries").At(hints[0].position);
    auto bound = shared_queries_.find(s->table->query.get());
    if (bound == shared_queries_.end()) return TableNotFound(name, s->outer);
    return RenameColumns(bound->second, s->table->columns, qualifier, s->table->name);
  }
  if (TablePtr table = catalog_.FindTable(name.text))
    return BindScan(std::move(table), hints, qualifier, name.position);
  if (const Catalog::View* view = catalog_.FindView(name.text)) {
    if (!hints.empty()) return Status(kUnsupportedSyntax, "hints are for tables, not for views").At(hints[0].position);
    return BindView(*view, name.text, qualifier);
  }
  return TableNotFound(name, scope);
}

Result<Relation> Binder::BindView(const Catalog::View& view, const std::string& name, const std::string& qualifier) {
  auto bound = shared_queries_.find(view.query.get());
  if (bound == shared_queries_.end()) {
    const std::string outer = std::exchange(hint_, name);
    Result<Relation> relation = BindQuery(*view.query, nullptr);
    hint_ = outer;
    if (!relation.ok()) return relation.status().WithNote(fmt::format("in view '{}'", name));
    bound = shared_queries_.emplace(view.query.get(), *std::move(relation)).first;
  }
  std::vector<ast::Name> names;
  for (const std::string& column : view.columns) names.push_back({column, view.position});
  return RenameColumns(bound->second, names, qualifier, {name, view.position});
}

Result<TablePtr> Binder::ApplyHints(TablePtr table, const std::vector<ast::Hint>& hints) const {
  std::shared_ptr<TableDefinition> copy;
  for (const ast::Hint& hint : hints) {
    if (hint.name == "BROADCAST" || hint.name == "SHUFFLE_HASH" || hint.name == "SHUFFLE_MERGE" ||
        hint.name == "NEST_LOOP")
      continue;
    if (hint.name != "OPTIONS")
      return Status(kUnsupportedSyntax, fmt::format("hint {} is not supported", hint.name)).At(hint.position);
    for (const ast::Option& option : hint.options) {
      if (!copy) copy = std::make_shared<TableDefinition>(*table);
      copy->options.Set(option.key, option.value);
      copy->option_positions[option.key] = option.value_position;
    }
  }
  return copy ? TablePtr(std::move(copy)) : table;
}

Status Binder::Validate(const TablePtr& table, bool as_sink) {
  if (!validated_tables_.insert({table.get(), as_sink}).second) return Status::OK();
  return environment_.ValidateTable(*table, !as_sink, as_sink).At(table->position);
}

Result<Relation> Binder::BindScan(TablePtr table, const std::vector<ast::Hint>& hints, const std::string& qualifier,
                                  const SourcePosition& position) {
  TM_ASSIGN_OR_RETURN(table, ApplyHints(std::move(table), hints));
  TM_RETURN_IF_ERROR(Validate(table, false));
  std::vector<int> columns(table->columns.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
  Config options = table->options;
  std::string name = table->name;
  return MakeRelation(MakeScan(std::move(table), std::move(columns), std::move(options), std::move(name), position),
                      qualifier);
}

Result<Relation> Binder::BindTableFunction(const TableRef& table, const CommonTableScope* scope) {
  const ast::Expr& call = *table.function;
  if (call.kind == ast::Expr::Kind::kCall && !call.over && !call.filter) {
    if (call.op == "TUMBLE" || call.op == "HOP" || call.op == "CUMULATE" || call.op == "SESSION")
      return BindWindowFunction(call, scope);
    if (call.op == "ML_PREDICT") return BindPredict(call, scope);
    static constexpr std::string_view kRefused[] = {"VECTOR_SEARCH", "ML_EVALUATE",    "ML_TRAIN",
                                                    "TO_CHANGELOG",  "FROM_CHANGELOG", "SNAPSHOT"};
    for (std::string_view name : kRefused) {
      if (call.op == name)
        return Status(kUnsupportedSyntax, fmt::format("{} is not supported", name)).At(call.position);
    }
  }
  if (call.kind != ast::Expr::Kind::kCall)
    return Status(kSyntaxError, "TABLE(...) takes a table function").At(call.position);
  Status status = Status(kNoSuchFunction, fmt::format("table function '{}' not found", call.written)).At(call.position);
  std::string nearest = NearestName(call.op, {"TUMBLE", "HOP", "CUMULATE", "SESSION", "ML_PREDICT"});
  return nearest.empty() ? status.WithNote("table functions: CUMULATE, HOP, ML_PREDICT, SESSION, TUMBLE")
                         : status.WithHint(fmt::format("did you mean '{}'?", nearest));
}

Result<Relation> Binder::BindTableArgument(const ast::Expr& arg, const CommonTableScope* scope) {
  if (arg.kind == ast::Expr::Kind::kSubquery && arg.op.empty()) return BindQuery(*arg.query, scope);
  if (arg.kind != ast::Expr::Kind::kTableArg) return Status(kWrongArguments, "expected TABLE t").At(arg.position);
  if (arg.query) return BindQuery(*arg.query, scope);
  return BindTable(arg.names[0], {}, arg.names[0].text, scope);
}

}  // namespace tidemill
