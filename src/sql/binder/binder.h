#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "sql/binder/expression_binder.h"
#include "sql/binder/scope.h"
#include "sql/catalog.h"
#include "sql/node_factory.h"
#include "sql/parser/ast.h"

namespace tidemill {

// Statements to plan nodes and definitions. One per statement, or per group of INSERTs that become one plan: views and
// WITH queries that are named twice are bound once and give the same node.
class Binder {
 public:
  Binder(PlannerEnvironment& environment, const Catalog& catalog, const Config& settings)
      : environment_(environment), catalog_(catalog), settings_(settings) {}

  // A bare query; its node ends in a Project, Union, Values, Scan ... with the names to show.
  Result<LogicalPtr> BindQueryStatement(const ast::Query& query);
  // A SinkSpec node.
  Result<LogicalPtr> BindInsert(const ast::Insert& insert);
  Result<TablePtr> BindCreateTable(const ast::CreateTable& create);
  Result<ModelPtr> BindCreateModel(const ast::CreateModel& create);
  // Checks a view's query; the schema it gives.
  Result<Schema> BindView(const ast::CreateView& create);
  // Columns of a table, view or model for DESCRIBE.
  Result<Relation> BindNamed(const ast::Name& name);

 private:
  struct CommonTableScope {
    const CommonTableScope* outer = nullptr;
    const ast::CommonTable* table = nullptr;
    const CommonTableScope* visible = nullptr;  // what the WITH query itself sees
  };

  // --- queries (bind_query.cc) ---
  Result<Relation> BindQuery(const ast::Query& query, const CommonTableScope* scope);
  Result<Relation> BindBody(const ast::Body& body, const CommonTableScope* scope);
  Result<Relation> BindUnion(const ast::Body& body, const CommonTableScope* scope);
  Result<Relation> BindValues(const ast::Body& body);
  Result<Relation> RenameColumns(Relation relation, const std::vector<ast::Name>& names, const std::string& qualifier,
                                 const ast::Name& owner);

  // --- SELECT (bind_select.cc, bind_aggregate.cc, bind_over.cc) ---
  struct SelectState {
    const ast::Select* select = nullptr;
    Relation input;
    std::vector<ExpressionPtr> outputs;
    std::vector<std::string> names;
    std::vector<AggregateCall> aggregates;
    std::vector<PendingOver> overs;
    ExpressionPtr having;
    std::vector<ExpressionPtr> keys;
    std::optional<GroupWindow> group_window;
    bool aggregated = false;
    SourcePosition position;
  };
  Result<Relation> BindSelect(const ast::Body& body, const CommonTableScope* scope);
  Result<Relation> BindSelectWithoutFrom(const ast::Body& body);
  Status BindSelectItems(SelectState& state);
  Status BindGroupBy(SelectState& state);
  Status BindGroupWindow(SelectState& state, const ast::Expr& call);
  Status ApplyAggregate(SelectState& state);
  Status ApplyOver(SelectState& state);
  Result<ExpressionPtr> AfterAggregate(const ExpressionPtr& e, const std::vector<ExpressionPtr>& keys,
                                       size_t num_keys) const;
  void NameAggregates(SelectState& state) const;
  // Columns of `relation` that hold these expressions; those that are none yet are appended by a Project.
  Result<std::vector<int>> ColumnsFor(Relation& relation, const std::vector<ExpressionPtr>& expressions,
                                      const SourcePosition& position);

  // --- FROM (bind_from.cc, bind_window.cc, bind_join.cc, bind_predict.cc) ---
  Result<Relation> BindFrom(const ast::TableRef& table, const CommonTableScope* scope);
  Result<Relation> BindTable(const ast::Name& name, const std::vector<ast::Hint>& hints, const std::string& qualifier,
                             const CommonTableScope* scope);
  Result<Relation> BindScan(TablePtr table, const std::vector<ast::Hint>& hints, const std::string& qualifier,
                            const SourcePosition& position);
  Result<TablePtr> ApplyHints(TablePtr table, const std::vector<ast::Hint>& hints) const;
  Result<Relation> BindView(const Catalog::View& view, const std::string& name, const std::string& qualifier);
  Status TableNotFound(const ast::Name& name, const CommonTableScope* scope) const;
  Result<Relation> BindTableFunction(const ast::TableRef& table, const CommonTableScope* scope);
  Result<Relation> BindTableArgument(const ast::Expr& arg, const CommonTableScope* scope);
  Result<Relation> BindWindowFunction(const ast::Expr& call, const CommonTableScope* scope);
  Result<int> BindTimeColumn(const Relation& input, const ast::Expr& descriptor) const;
  Result<Relation> BindPredict(const ast::Expr& call, const CommonTableScope* scope);
  Result<Relation> BindJoin(const ast::TableRef& join, const CommonTableScope* scope);
  Result<LogicalPtr> MakeWindow(Relation& input, WindowSpec window, const SourcePosition& position);

  // --- definitions (bind_definition.cc) ---
  Status BindColumns(const ast::CreateTable& create, TableDefinition& out) const;
  Status BindWatermark(const ast::CreateTable& create, TableDefinition& out) const;
  Status BindKey(const ast::CreateTable& create, TableDefinition& out) const;
  Status ApplyLike(const ast::CreateTable& create, TableDefinition& out) const;
  Status Validate(const TablePtr& table, bool as_sink);

  // Views may nest what no single text nests.
  struct Depth {
    explicit Depth(Binder& binder) : binder(binder) { ++binder.depth_; }
    ~Depth() { --binder.depth_; }
    Binder& binder;
  };
  Status CheckDepth(const SourcePosition& position) const;
  bool EmitsOnArrival() const { return settings_.GetString("table.exec.over.emit", "on-watermark") == "on-arrival"; }
  int64_t StateTtlMs() const {
    const Result<int64_t> ttl = settings_.GetDurationMs("table.exec.state.ttl", 0);
    return ttl.ok() ? *ttl : 0;  // SET has checked it
  }
  std::string TimeZone() const { return settings_.GetString("table.local-time-zone", "UTC"); }

  PlannerEnvironment& environment_;
  const Catalog& catalog_;
  const Config& settings_;
  // What nodes are named after: the view, WITH query, alias or INSERT that is being bound.
  std::string hint_;
  int depth_ = 0;
  std::unordered_map<const ast::Query*, Relation> shared_queries_;
  std::set<std::pair<const TableDefinition*, bool>> validated_tables_;  // and whether as sink
  std::set<const ModelDefinition*> validated_models_;
};

// Legal values of named and positional arguments of a table function, by parameter name.
Result<std::map<std::string, const ast::Expr*>> MatchArguments(const ast::Expr& call,
                                                               const std::vector<std::string>& parameters,
                                                               size_t required);

}  // namespace tidemill
