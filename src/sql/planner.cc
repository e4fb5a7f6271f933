#include "sql/planner.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"
#include "sql/parser/parser.h"
#include "sql/rules/rules.h"
#include "sql/settings.h"

namespace tidemill {

using ast::Statement;
using Kind = PlannedStatement::Kind;

struct Planner::Impl {
  PlannerEnvironment& environment;
  Catalog catalog;
  Config settings;

  explicit Impl(PlannerEnvironment& env) : environment(env) {}

  Result<std::vector<PlannedStatement>> Run(const std::vector<Statement>& statements) {
    std::vector<PlannedStatement> out;
    for (size_t i = 0; i < statements.size(); ++i) {
      if (statements[i].kind != Statement::Kind::kInsert) {
        TM_ASSIGN_OR_RETURN(PlannedStatement planned, PlanOne(statements[i]));
        out.push_back(std::move(planned));
        continue;
      }
      // Neighbouring INSERTs are one job.
      std::vector<ast::Insert> inserts;
      const SourcePosition position = statements[i].position;
      for (; i < statements.size() && statements[i].kind == Statement::Kind::kInsert; ++i)
        inserts.push_back(statements[i].inserts[0]);
      --i;
      TM_ASSIGN_OR_RETURN(PlannedStatement planned, PlanInserts(inserts, position));
      out.push_back(std::move(planned));
    }
    return out;
  }

  static PlannedStatement Made(Kind kind, const SourcePosition& position, std::string text = "") {
    PlannedStatement planned;
    planned.kind = kind;
    planned.position = position;
    planned.text = std::move(text);
    return planned;
  }

  Result<LogicalPlan> MakePlan(const std::vector<ast::Insert>& inserts, const ast::QueryPtr& query) {
    Binder binder(environment, catalog, settings);
    PlanRoots roots;
    for (const ast::Insert& insert : inserts) {
      TM_ASSIGN_OR_RETURN(LogicalPtr sink, binder.BindInsert(insert));
      roots.push_back(std::move(sink));
    }
    if (query) {
      TM_ASSIGN_OR_RETURN(LogicalPtr root, binder.BindQueryStatement(*query));
      roots.push_back(std::move(root));
    }
    LogicalPlan plan;
    TM_ASSIGN_OR_RETURN(plan.roots, OptimizePlan(std::move(roots), settings, environment));
    plan.settings = settings;
    return plan;
  }

  Result<PlannedStatement> PlanInserts(const std::vector<ast::Insert>& inserts, const SourcePosition& position) {
    PlannedStatement planned = Made(Kind::kInsert, position);
    TM_ASSIGN_OR_RETURN(planned.plan, MakePlan(inserts, nullptr));
    return planned;
  }

  Result<PlannedStatement> PlanOne(const Statement& statement) {
    Binder binder(environment, catalog, settings);
    switch (statement.kind) {
      case Statement::Kind::kCreateTable: {
        const ast::CreateTable& create = statement.create_table;
        TM_ASSIGN_OR_RETURN(TablePtr table, binder.BindCreateTable(create));
        TM_RETURN_IF_ERROR(catalog.AddTable(std::move(table), create.if_not_exists));
        return Made(Kind::kDefinition, statement.position, fmt::format("table '{}' created", create.name.text));
      }
      case Statement::Kind::kCreateView: {
        const ast::CreateView& create = statement.create_view;
        TM_RETURN_IF_ERROR(binder.BindView(create).status());
        Catalog::View view{create.query, {}, create.name.position, create.comment};
        for (const ast::Name& name : create.columns) view.columns.push_back(name.text);
        TM_RETURN_IF_ERROR(catalog.AddView(create.name.text, std::move(view), create.if_not_exists));
        return Made(Kind::kDefinition, statement.position, fmt::format("view '{}' created", create.name.text));
      }
      case Statement::Kind::kCreateModel: {
        const ast::CreateModel& create = statement.create_model;
        TM_ASSIGN_OR_RETURN(ModelPtr model, binder.BindCreateModel(create));
        TM_RETURN_IF_ERROR(catalog.AddModel(std::move(model), create.if_not_exists));
        return Made(Kind::kDefinition, statement.position, fmt::format("model '{}' created", create.name.text));
      }
      case Statement::Kind::kDrop:
        TM_RETURN_IF_ERROR(
            catalog.Drop(statement.what, statement.name.text, statement.if_exists).At(statement.name.position));
        return Made(Kind::kDefinition, statement.position, fmt::format("'{}' dropped", statement.name.text));
      case Statement::Kind::kShow:
        return Show(statement);
      case Statement::Kind::kDescribe:
        return Describe(statement, binder);
      case Statement::Kind::kSet:
        return Set(statement);
      case Statement::Kind::kReset:
        return Reset(statement);
      case Statement::Kind::kInsert:
      case Statement::Kind::kStatementSet:
        return PlanInserts(statement.inserts, statement.position);
      case Statement::Kind::kSelect: {
        PlannedStatement planned = Made(Kind::kQuery, statement.position);
        TM_ASSIGN_OR_RETURN(planned.plan, MakePlan({}, statement.query));
        return planned;
      }
      case Statement::Kind::kExplain: {
        PlannedStatement planned = Made(Kind::kExplain, statement.position);
        TM_ASSIGN_OR_RETURN(planned.plan, MakePlan(statement.inserts, statement.query));
        planned.text = ExplainPlan(planned.plan);
        return planned;
      }
    }
    return Status(kInternalError, "unknown statement").At(statement.position);
  }

  PlannedStatement Show(const Statement& statement) const {
    PlannedStatement planned = Made(Kind::kDescribe, statement.position);
    auto list = [&](const char* column, const std::vector<std::string>& names) {
      planned.columns = {column};
      for (const std::string& name : names) planned.cells.push_back({name});
    };
    if (statement.what == "TABLES") {
      std::vector<std::string> names = catalog.table_names();
      for (const std::string& view : catalog.view_names()) names.push_back(view);
      std::sort(names.begin(), names.end());
      list("table name", names);
    } else if (statement.what == "VIEWS") {
      list("view name", catalog.view_names());
    } else if (statement.what == "MODELS") {
      list("model name", catalog.model_names());
    } else {
      planned.columns = {"function", "signature", "summary"};
      const FunctionRegistry& registry = FunctionRegistry::BuiltIn();
      for (const ScalarFunction* f : registry.scalars())
        planned.cells.push_back({std::string(f->name), std::string(f->signature), std::string(f->summary)});
      for (const AggregateFunction* f : registry.aggregates())
        planned.cells.push_back({std::string(f->name), std::string(f->signature), std::string(f->summary)});
      std::sort(planned.cells.begin(), planned.cells.end());
    }
    planned.text = TextTable(planned);
    return planned;
  }

  // One row a column: name, type, key, how it comes about, watermark, comment.
  Result<PlannedStatement> Describe(const Statement& statement, Binder& binder) const {
    PlannedStatement planned = Made(Kind::kDescribe, statement.position);
    planned.columns = {"name", "type", "null", "key", "extras", "watermark", "comment"};
    auto add = [&](const std::string& name, const DataType& type) -> std::vector<std::string>& {
      planned.cells.push_back(
          {name, type.WithNullable(true).ToString(), type.nullable() ? "TRUE" : "FALSE", "", "", "", ""});
      return planned.cells.back();
    };
    TablePtr table = statement.what == "MODEL" ? nullptr : catalog.FindTable(statement.name.text);
    ModelPtr model = catalog.FindModel(statement.name.text);
    if (table) {
      const std::vector<std::string> names = table->schema().names();
      for (size_t i = 0; i < table->columns.size(); ++i) {
        const ColumnDefinition& column = table->columns[i];
        std::vector<std::string>& row = add(column.name, column.type);
        if (std::find(table->primary_key.begin(), table->primary_key.end(), static_cast<int>(i)) !=
            table->primary_key.end())
          row[3] = "PRI";
        if (column.kind == ColumnDefinition::Kind::kComputed) row[4] = "AS " + column.computed->ToString(names);
        if (column.kind == ColumnDefinition::Kind::kMetadata) {
          row[4] = fmt::format("METADATA FROM '{}'{}", column.metadata_key, column.is_virtual ? " VIRTUAL" : "");
        }
        if (static_cast<int>(i) == table->rowtime_column) row[5] = table->watermark->ToString(names);
        row[6] = column.comment;
      }
    } else if (model && (statement.what == "MODEL" || !catalog.FindView(statement.name.text))) {
      for (const Field& field : model->input.fields()) add(field.name, field.type)[4] = "INPUT";
      for (const Field& field : model->output.fields()) add(field.name, field.type)[4] = "OUTPUT";
    } else if (statement.what == "MODEL") {
      Status status =
          Status(kModelNotFound, fmt::format("model '{}' not found", statement.name.text)).At(statement.name.position);
      std::string nearest = NearestName(statement.name.text, catalog.model_names());
      return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
    } else {
      TM_ASSIGN_OR_RETURN(Relation relation, binder.BindNamed(statement.name));
      for (const ScopeColumn& column : relation.columns) add(column.name, column.type);
    }
    planned.text = TextTable(planned);
    return planned;
  }

  Result<PlannedStatement> Set(const Statement& statement) {
    if (statement.key.empty()) {
      PlannedStatement planned = Made(Kind::kDescribe, statement.position);
      planned.columns = {"key", "value"};
      for (const auto& [key, value] : settings.values()) planned.cells.push_back({key, value});
      planned.text = TextTable(planned);
      return planned;
    }
    std::string warning;
    TM_RETURN_IF_ERROR(
        CheckSetting(statement.key, statement.value, statement.key_position, statement.value_position, warning));
    settings.Set(statement.key, CanonicalValue(statement.key, statement.value));
    return Made(
        Kind::kDefinition, statement.position,
        warning.empty() ? fmt::format("'{}' set to '{}'", statement.key, statement.value) : "warning: " + warning);
  }

  Result<PlannedStatement> Reset(const Statement& statement) {
    if (statement.key.empty()) {
      settings = Config();
      return Made(Kind::kDefinition, statement.position, "all settings reset");
    }
    std::map<std::string, std::string> values = settings.values();
    if (values.erase(statement.key) == 0) {
      std::vector<std::string> names;
      for (const auto& entry : values) names.push_back(entry.first);
      bool known = false;
      for (const Setting& setting : KnownSettings()) known = known || setting.key == statement.key;
      if (!known) {
        Status status =
            Status(kUnknownOption, fmt::format("'{}' is not set", statement.key)).At(statement.key_position);
        std::string nearest = NearestName(statement.key, names);
        return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
      }
    }
    settings = Config(std::move(values));
    return Made(Kind::kDefinition, statement.position, fmt::format("'{}' reset", statement.key));
  }

  static std::string TextTable(const PlannedStatement& planned) {
    std::vector<size_t> widths;
    for (const std::string& column : planned.columns) widths.push_back(column.size());
    for (const auto& row : planned.cells) {
      for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    auto line = [&](const std::vector<std::string>& row) {
      std::string text;
      for (size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
      text.erase(text.find_last_not_of(' ') + 1);
      out += text + "\n";
    };
    line(planned.columns);
    for (const auto& row : planned.cells) line(row);
    return out;
  }
};

Planner::Planner(PlannerEnvironment& environment) : impl_(std::make_unique<Impl>(environment)) {}
Planner::~Planner() = default;

Result<std::vector<PlannedStatement>> Planner::Plan(const std::string& file, const std::string& text,
                                                    const std::map<std::string, std::string>& variables) {
  TM_ASSIGN_OR_RETURN(std::vector<Statement> statements, ParseScript(file, text, variables));
  const Catalog catalog = impl_->catalog;
  const Config settings = impl_->settings;
  Result<std::vector<PlannedStatement>> planned = impl_->Run(statements);
  if (!planned.ok()) {
    impl_->catalog = catalog;
    impl_->settings = settings;
  }
  return planned;
}

Catalog& Planner::catalog() { return impl_->catalog; }
Config& Planner::settings() { return impl_->settings; }

std::vector<std::string> Planner::Complete(const std::string& prefix) const {
  auto lower = [](std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
  };
  const std::string wanted = lower(prefix);
  std::vector<std::string> out;
  auto offer = [&](const std::string& word) {
    if (lower(word).starts_with(wanted)) out.push_back(word);
  };
  for (const std::string& word : SqlKeywords()) offer(word);
  for (const std::string& name : FunctionRegistry::BuiltIn().names()) {
    if (!name.empty() && std::isalpha(static_cast<unsigned char>(name[0]))) offer(name);
  }
  for (const std::string& name : impl_->catalog.table_names()) offer(name);
  for (const std::string& name : impl_->catalog.view_names()) offer(name);
  for (const std::string& name : impl_->catalog.model_names()) offer(name);
  for (const std::string& name : impl_->catalog.table_names()) {
    for (const ColumnDefinition& column : impl_->catalog.FindTable(name)->columns) offer(column.name);
  }
  for (const Setting& setting : KnownSettings()) offer(std::string(setting.key));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tidemill
