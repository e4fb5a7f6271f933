#include "exec/lower/lower.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "exec/errors.h"
#include "exec/lower/operator_factory.h"

namespace tidemill {
namespace {

// How the rows of a stage's output are spread over lanes: by these columns, encoded as these types. No keys: anyhow.
using Spread = std::optional<KeyNeed>;

KeyNeed NeedOf(const Schema& schema, const std::vector<int>& keys) {
  KeyNeed need{keys, {}};
  for (int key : keys) need.types.push_back(schema.field(key).type);
  return need;
}

bool SameSpread(const Spread& have, const KeyNeed& need) {
  return have.has_value() && have->keys == need.keys && have->types == need.types;
}

// The spread of a node's output, given those of its inputs after their exchanges.
Spread SpreadOf(const LogicalNode& node, const std::vector<Spread>& inputs) {
  if (const auto* project = std::get_if<ProjectSpec>(&node.spec)) {
    if (!inputs[0].has_value()) return std::nullopt;
    KeyNeed spread{{}, inputs[0]->types};
    for (int key : inputs[0]->keys) {
      const auto& expressions = project->expressions;
      const auto found = std::find_if(expressions.begin(), expressions.end(), [key](const ExpressionPtr& expression) {
        return expression->kind == Expression::Kind::kColumn && expression->column == key;
      });
      if (found == expressions.end()) return std::nullopt;
      spread.keys.push_back(static_cast<int>(found - expressions.begin()));
    }
    return spread;
  }
  const auto of_leading_keys = [&](size_t count) -> Spread {
    if (!inputs[0].has_value()) return std::nullopt;
    KeyNeed spread{{}, inputs[0]->types};
    for (size_t key = 0; key < count; ++key) spread.keys.push_back(static_cast<int>(key));
    return spread;
  };
  if (const auto* aggregate = std::get_if<WindowAggregateSpec>(&node.spec))
    return of_leading_keys(aggregate->keys.size());
  if (const auto* aggregate = std::get_if<GroupAggregateSpec>(&node.spec))
    return of_leading_keys(aggregate->keys.size());
  if (std::holds_alternative<UnionSpec>(node.spec)) {
    for (const Spread& input : inputs) {
      if (!input.has_value() || !SameSpread(inputs[0], *input)) return std::nullopt;
    }
  }
  // Filter, window TVF, OVER, join (left columns first), prediction, journal: the input's columns come first, as they
  // were.
  return inputs[0];
}

void CollectTables(const LogicalPtr& node, std::set<std::string>& tables) {
  if (const auto* scan = std::get_if<ScanSpec>(&node->spec)) tables.insert(scan->table->name);
  for (const LogicalPtr& input : node->inputs) CollectTables(input, tables);
}

class Lowering {
 public:
  explicit Lowering(int parallelism) : parallelism_(parallelism) {}

  Result<StageGraph> Run(const LogicalPlan& plan) {
    for (const LogicalPtr& root : plan.roots) CountConsumers(root);
    for (const LogicalPtr& root : plan.roots) TM_RETURN_IF_ERROR(PlaceRoot(root));
    return std::move(graph_);
  }

 private:
  struct Place {
    int stage = 0;
    Spread spread;
  };

  void CountConsumers(const LogicalPtr& node) {
    if (++consumers_[node.get()] > 1) return;
    for (const LogicalPtr& input : node->inputs) CountConsumers(input);
  }

  Status PlaceRoot(const LogicalPtr& root) {
    SinkStageSpec sink{.node = root};
    OperatorStageSpec op{.name = root->name, .type = "Sink", .sink = static_cast<int>(graph_.sinks.size())};
    std::string name = "result";
    if (const auto* spec = std::get_if<SinkSpec>(&root->spec)) {
      name = spec->table->name;
    } else {
      op.name = "Select[" + root->name + "]";
    }
    const int same = ++sink_names_[name];
    sink.name = same == 1 ? name : name + "-" + std::to_string(same);
    graph_.sinks.push_back(std::move(sink));
    if (!std::holds_alternative<SinkSpec>(root->spec)) {
      TM_ASSIGN_OR_RETURN(Place place, PlaceNode(root));
      Append(place, root, consumers_[root.get()] <= 1, std::move(op));
      return Status::OK();
    }
    TM_RETURN_IF_ERROR(PlaceOperator(root, std::move(op)).status());
    return Status::OK();
  }

  Result<Place> PlaceNode(const LogicalPtr& node) {
    if (const auto found = places_.find(node.get()); found != places_.end()) return found->second;
    Result<Place> place = IsSource(*node) ? Result<Place>(PlaceSource(node)) : PlaceNewOperator(node);
    if (place.ok()) places_[node.get()] = *place;
    return place;
  }

  static bool IsSource(const LogicalNode& node) {
    return std::holds_alternative<ScanSpec>(node.spec) || std::holds_alternative<ValuesSpec>(node.spec);
  }

  Place PlaceSource(const LogicalPtr& node) {
    StageSpec stage{.name = node->name, .scan = node};
    if (const auto* scan = std::get_if<ScanSpec>(&node->spec)) {
      stage.timed = scan->table->rowtime_column >= 0 && scan->table->watermark != nullptr;
    }
    stage.reject_origin = OriginOf(node);
    graph_.stages.push_back(std::move(stage));
    return {static_cast<int>(graph_.stages.size()) - 1, std::nullopt};
  }

  Result<Place> PlaceNewOperator(const LogicalPtr& node) {
    if (std::holds_alternative<ProjectSpec>(node->spec)) {
      const LogicalPtr& filter = node->inputs[0];
      if (std::holds_alternative<FilterSpec>(filter->spec) && consumers_[filter.get()] == 1) {
        TM_ASSIGN_OR_RETURN(OperatorStageSpec op, MakeFilterProjectStage(node, filter));
        auto fused = std::make_shared<LogicalNode>(*node);
        fused->inputs = filter->inputs;
        return PlaceOperator(fused, std::move(op));
      }
    }
    TM_ASSIGN_OR_RETURN(OperatorStageSpec op, MakeOperatorStage(node));
    return PlaceOperator(node, std::move(op));
  }

  Result<Place> PlaceOperator(const LogicalPtr& node, OperatorStageSpec op) {
    std::vector<StageInputSpec> inputs;
    std::vector<Spread> spreads;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      TM_ASSIGN_OR_RETURN(Place place, PlaceNode(node->inputs[i]));
      StageInputSpec input{.stage = place.stage, .operator_input = static_cast<int>(i)};
      const std::optional<KeyNeed> need = KeysNeeded(*node, i);
      if (need.has_value() && !SameSpread(place.spread, *need)) {
        place.spread = need;
        if (parallelism_ > 1) input.exchange = {ExchangeSpec::Kind::kHash, need->keys, need->types};
      }
      inputs.push_back(std::move(input));
      spreads.push_back(std::move(place.spread));
    }
    TM_CHECK(!inputs.empty());
    Place place{0, SpreadOf(*node, spreads)};
    const bool chains = inputs.size() == 1 && inputs[0].exchange.kind == ExchangeSpec::Kind::kForward &&
                        consumers_[node->inputs[0].get()] == 1;
    if (chains) {
      place.stage = inputs[0].stage;
      graph_.stages[place.stage].operators.push_back(std::move(op));
      return place;
    }
    place.stage = AddStage(node, std::move(inputs), std::move(op));
    return place;
  }

  // One more operator after `place`, which spreads nothing anew.
  void Append(const Place& place, const LogicalPtr& node, bool chains, OperatorStageSpec op) {
    if (chains) {
      graph_.stages[place.stage].operators.push_back(std::move(op));
      return;
    }
    AddStage(node, {StageInputSpec{.stage = place.stage}}, std::move(op));
  }

  int AddStage(const LogicalPtr& node, std::vector<StageInputSpec> inputs, OperatorStageSpec op) {
    StageSpec stage{.name = op.name, .inputs = std::move(inputs)};
    stage.timed = std::all_of(stage.inputs.begin(), stage.inputs.end(),
                              [&](const StageInputSpec& input) { return graph_.stages[input.stage].timed; });
    stage.reject_origin = OriginOf(node);
    stage.operators.push_back(std::move(op));
    graph_.stages.push_back(std::move(stage));
    return static_cast<int>(graph_.stages.size()) - 1;
  }

  static std::string OriginOf(const LogicalPtr& node) {
    std::set<std::string> tables;
    CollectTables(node, tables);
    if (tables.size() == 1) return *tables.begin();
    return NodeTypeName(*node);
  }

  const int parallelism_;
  StageGraph graph_;
  std::map<const LogicalNode*, int> consumers_;
  std::map<const LogicalNode*, Place> places_;
  std::map<std::string, int> sink_names_;
};

}  // namespace

Result<StageGraph> LowerPlan(const LogicalPlan& plan, int parallelism) { return Lowering(parallelism).Run(plan); }

std::optional<KeyNeed> KeysNeeded(const LogicalNode& node, size_t input) {
  const Schema& schema = node.inputs[input]->schema;
  if (const auto* over = std::get_if<OverSpec>(&node.spec)) return NeedOf(schema, over->partition_columns);
  if (const auto* aggregate = std::get_if<WindowAggregateSpec>(&node.spec)) return NeedOf(schema, aggregate->keys);
  if (const auto* aggregate = std::get_if<GroupAggregateSpec>(&node.spec)) return NeedOf(schema, aggregate->keys);
  if (const auto* window = std::get_if<WindowTvfSpec>(&node.spec)) {
    if (window->window.kind == WindowKind::kSession) return NeedOf(schema, window->window.partition_columns);
    return std::nullopt;
  }
  if (const auto* join = std::get_if<TemporalJoinSpec>(&node.spec)) {
    // Both sides encode a key alike: nullable where either is.
    KeyNeed need = NeedOf(schema, input == 0 ? join->left_keys : join->right_keys);
    const size_t other = 1 - input;
    const std::vector<int>& other_keys = other == 0 ? join->left_keys : join->right_keys;
    for (size_t i = 0; i < need.types.size(); ++i) {
      const bool nullable = need.types[i].nullable() || node.inputs[other]->schema.field(other_keys[i]).type.nullable();
      need.types[i] = need.types[i].WithNullable(nullable);
    }
    return need;
  }
  if (const auto* sink = std::get_if<SinkSpec>(&node.spec)) {
    // Changes of one row must stay in order: its primary key decides the lane.
    if (node.inputs[0]->changelog == ChangelogMode::kAppend || sink->table->primary_key.empty()) return std::nullopt;
    std::vector<int> keys;
    for (int column : sink->table->primary_key) {
      const auto found = std::find(sink->columns.begin(), sink->columns.end(), column);
      if (found == sink->columns.end()) return std::nullopt;
      keys.push_back(static_cast<int>(found - sink->columns.begin()));
    }
    return NeedOf(schema, keys);
  }
  return std::nullopt;
}

std::string DescribeStages(const StageGraph& graph) {
  std::string text;
  for (size_t i = 0; i < graph.stages.size(); ++i) {
    const StageSpec& stage = graph.stages[i];
    text += "stage " + std::to_string(i) + ":";
    for (const StageInputSpec& input : stage.inputs) {
      text += " <-" + std::to_string(input.stage);
      if (input.exchange.kind == ExchangeSpec::Kind::kHash) {
        text += " hash(";
        for (size_t key = 0; key < input.exchange.keys.size(); ++key) {
          text += (key > 0 ? "," : "") + std::to_string(input.exchange.keys[key]);
        }
        text += ")";
      }
    }
    if (stage.scan != nullptr) text += " " + stage.scan->name;
    for (const OperatorStageSpec& op : stage.operators) text += " | " + op.name;
    text += "\n";
  }
  return text;
}

}  // namespace tidemill
