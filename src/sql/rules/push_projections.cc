#include <algorithm>

#include "sql/expression_factory.h"
#include "sql/node_factory.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

using Needed = std::vector<bool>;
// Old column -> new column; -1 where it was dropped.
using Mapping = std::vector<int>;

struct Pruned {
  LogicalPtr node;
  Mapping mapping;
};

void Need(Needed& needed, const ExpressionPtr& e) {
  if (!e) return;
  for (int column : ColumnsOf(*e)) needed[column] = true;
}

void Need(Needed& needed, const std::vector<int>& columns) {
  for (int column : columns) needed[column] = true;
}

void Need(Needed& needed, const AggregateCall& call) {
  for (const ExpressionPtr& arg : call.args) Need(needed, arg);
  Need(needed, call.filter);
}

std::vector<int> Remap(const std::vector<int>& columns, const Mapping& mapping) {
  std::vector<int> out;
  for (int column : columns) out.push_back(mapping[column]);
  return out;
}

AggregateCall Remap(AggregateCall call, const Mapping& mapping) {
  for (ExpressionPtr& arg : call.args) arg = RemapColumns(arg, mapping);
  if (call.filter) call.filter = RemapColumns(call.filter, mapping);
  return call;
}

int Width(const LogicalPtr& node) { return node->schema.num_fields(); }

// What a node must get from its inputs so that it can give the columns `needed`.
struct InputNeeds {
  const LogicalNode& node;
  const Needed& needed;
  std::vector<Needed>& inputs;

  void Through(int width) const {
    for (int i = 0; i < width; ++i) {
      if (needed[i]) inputs[0][i] = true;
    }
  }
  void operator()(const ScanSpec&) const {}
  void operator()(const ValuesSpec&) const {}
  void operator()(const ProjectSpec& s) const {
    for (size_t i = 0; i < s.expressions.size(); ++i) {
      if (needed[i]) Need(inputs[0], s.expressions[i]);
    }
  }
  void operator()(const FilterSpec& s) const {
    Through(Width(node.inputs[0]));
    Need(inputs[0], s.predicate);
  }
  void Window(const WindowSpec& w) const {
    inputs[0][w.time_column] = true;
    Need(inputs[0], w.partition_columns);
  }
  void operator()(const WindowTvfSpec& s) const {
    Through(Width(node.inputs[0]));
    Window(s.window);
  }
  void Calls(const std::vector<int>& keys, const std::vector<AggregateCall>& calls) const {
    Need(inputs[0], keys);
    for (size_t c = 0; c < calls.size(); ++c) {
      if (needed[keys.size() + c]) Need(inputs[0], calls[c]);
    }
  }
  void operator()(const WindowAggregateSpec& s) const {
    Window(s.window);
    Calls(s.keys, s.calls);
  }
  void operator()(const GroupAggregateSpec& s) const { Calls(s.keys, s.calls); }
  void operator()(const OverSpec& s) const {
    const int width = Width(node.inputs[0]);
    Through(width);
    Need(inputs[0], s.partition_columns);
    inputs[0][s.time_column] = true;
    for (size_t c = 0; c < s.calls.size(); ++c) {
      if (needed[width + c]) Need(inputs[0], s.calls[c].call);
    }
  }
  void operator()(const UnionSpec&) const {
    for (Needed& input : inputs) {
      for (size_t i = 0; i < input.size(); ++i) input[i] = input[i] || needed[i];
    }
  }
  void operator()(const TemporalJoinSpec& s) const {
    const int left = Width(node.inputs[0]);
    Needed all = needed;
    Need(all, s.condition);
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i]) inputs[i < static_cast<size_t>(left) ? 0 : 1][i < static_cast<size_t>(left) ? i : i - left] = true;
    }
    Need(inputs[0], s.left_keys);
    Need(inputs[1], s.right_keys);
    inputs[0][s.left_time_column] = true;
    inputs[1][s.right_time_column] = true;
  }
  void operator()(const PredictSpec& s) const {
    Through(Width(node.inputs[0]));
    Need(inputs[0], s.argument_columns);
  }
  void operator()(const JournalSpec& s) const {
    Through(Width(node.inputs[0]));
    Need(inputs[0], s.deterministic_columns);
  }
  void operator()(const SinkSpec&) const { std::fill(inputs[0].begin(), inputs[0].end(), true); }
};

// A batch has at least one column: the event time where there is one, else the cheapest at hand.
void NeedSomething(const LogicalNode& node, Needed& needed) {
  if (needed.empty() || std::find(needed.begin(), needed.end(), true) != needed.end()) return;
  size_t pick = node.rowtime_column >= 0 ? static_cast<size_t>(node.rowtime_column) : 0;
  if (const auto* project = std::get_if<ProjectSpec>(&node.spec); project && node.rowtime_column < 0) {
    for (size_t i = 0; i < project->expressions.size(); ++i) {
      if (project->expressions[i]->args.empty()) pick = i;
    }
  }
  needed[pick] = true;
}

struct Pruner {
  const LogicalPtr& node;
  const Needed& needed;
  const std::vector<Pruned>& inputs;

  const LogicalPtr& Input() const { return inputs[0].node; }
  const Mapping& Map() const { return inputs[0].mapping; }

  Mapping Identity() const {
    Mapping mapping(node->schema.num_fields());
    for (size_t i = 0; i < mapping.size(); ++i) mapping[i] = static_cast<int>(i);
    return mapping;
  }
  // Columns of the input first, then `added` of the node's own, of which `kept` are kept.
  Mapping Appended(const std::vector<int>& kept, int added) const {
    Mapping mapping = Map();
    for (int i = 0; i < added; ++i) mapping.push_back(kept[i] < 0 ? -1 : Width(Input()) + kept[i]);
    return mapping;
  }

  Pruned operator()(const ScanSpec& s) const {
    std::vector<int> columns;
    Mapping mapping(s.columns.size(), -1);
    for (size_t i = 0; i < s.columns.size(); ++i) {
      if (!needed[i]) continue;
      mapping[i] = static_cast<int>(columns.size());
      columns.push_back(s.columns[i]);
    }
    if (columns.size() == s.columns.size()) return {node, mapping};
    return {MakeScan(s.table, std::move(columns), s.options, node->name, node->position), mapping};
  }
  Pruned operator()(const ValuesSpec&) const { return {node, Identity()}; }
  Pruned operator()(const ProjectSpec& s) const {
    std::vector<ExpressionPtr> expressions;
    std::vector<std::string> names;
    Mapping mapping(s.expressions.size(), -1);
    for (size_t i = 0; i < s.expressions.size(); ++i) {
      if (!needed[i]) continue;
      mapping[i] = static_cast<int>(expressions.size());
      expressions.push_back(RemapColumns(s.expressions[i], Map()));
      names.push_back(node->schema.field(static_cast<int>(i)).name);
    }
    return {MakeProject(Input(), std::move(expressions), std::move(names), node->name, node->position), mapping};
  }
  Pruned operator()(const FilterSpec& s) const {
    return {MakeFilter(Input(), RemapColumns(s.predicate, Map()), node->name, node->position), Map()};
  }
  WindowSpec Window(WindowSpec window) const {
    window.time_column = Map()[window.time_column];
    window.partition_columns = Remap(window.partition_columns, Map());
    return window;
  }
  Pruned operator()(const WindowTvfSpec& s) const {
    return {MakeWindowTvf(Input(), Window(s.window), node->name, node->position), Appended({0, 1, 2}, 3)};
  }
  std::vector<AggregateCall> Calls(const std::vector<AggregateCall>& calls, size_t num_keys, Mapping& mapping) const {
    std::vector<AggregateCall> kept;
    for (size_t k = 0; k < num_keys; ++k) mapping.push_back(static_cast<int>(k));
    for (size_t c = 0; c < calls.size(); ++c) {
      const bool keep = needed[num_keys + c];
      mapping.push_back(keep ? static_cast<int>(num_keys + kept.size()) : -1);
      if (keep) kept.push_back(Remap(calls[c], Map()));
    }
    return kept;
  }
  Pruned operator()(const WindowAggregateSpec& s) const {
    WindowAggregateSpec spec;
    Mapping mapping;
    spec.window = Window(s.window);
    spec.keys = Remap(s.keys, Map());
    spec.calls = Calls(s.calls, s.keys.size(), mapping);
    const int base = static_cast<int>(spec.keys.size() + spec.calls.size());
    for (int w = 0; w < 3; ++w) mapping.push_back(base + w);
    return {MakeWindowAggregate(Input(), std::move(spec), node->name, node->position), mapping};
  }
  Pruned operator()(const GroupAggregateSpec& s) const {
    GroupAggregateSpec spec;
    Mapping mapping;
    spec.keys = Remap(s.keys, Map());
    spec.calls = Calls(s.calls, s.keys.size(), mapping);
    return {MakeGroupAggregate(Input(), std::move(spec), node->name, node->position), mapping};
  }
  Pruned operator()(const OverSpec& s) const {
    OverSpec spec;
    spec.partition_columns = Remap(s.partition_columns, Map());
    spec.time_column = Map()[s.time_column];
    spec.emit = s.emit;
    std::vector<int> kept(s.calls.size(), -1);
    const int width = Width(node->inputs[0]);
    for (size_t c = 0; c < s.calls.size(); ++c) {
      if (!needed[width + c]) continue;
      kept[c] = static_cast<int>(spec.calls.size());
      spec.calls.push_back({Remap(s.calls[c].call, Map()), s.calls[c].frame});
    }
    Mapping mapping = Appended(kept, static_cast<int>(s.calls.size()));
    if (spec.calls.empty()) return {Input(), mapping};
    return {MakeOver(Input(), std::move(spec), node->name, node->position), mapping};
  }
  Pruned operator()(const UnionSpec&) const {
    Mapping mapping(needed.size(), -1);
    std::vector<int> columns;
    for (size_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) continue;
      mapping[i] = static_cast<int>(columns.size());
      columns.push_back(static_cast<int>(i));
    }
    std::vector<LogicalPtr> aligned;
    for (const Pruned& input : inputs) {
      bool same = Width(input.node) == static_cast<int>(columns.size());
      std::vector<ExpressionPtr> expressions;
      std::vector<std::string> names;
      for (size_t i = 0; i < columns.size(); ++i) {
        const int column = input.mapping[columns[i]];
        same = same && column == static_cast<int>(i);
        expressions.push_back(MakeColumn(column, input.node->schema.field(column).type, node->position));
        names.push_back(node->schema.field(columns[i]).name);
      }
      aligned.push_back(
          same ? input.node
               : MakeProject(input.node, std::move(expressions), std::move(names), node->name, node->position));
    }
    return {MakeUnion(std::move(aligned), node->name, node->position), mapping};
  }
  Pruned operator()(const TemporalJoinSpec& s) const {
    TemporalJoinSpec spec;
    spec.left_keys = Remap(s.left_keys, inputs[0].mapping);
    spec.right_keys = Remap(s.right_keys, inputs[1].mapping);
    spec.left_time_column = inputs[0].mapping[s.left_time_column];
    spec.right_time_column = inputs[1].mapping[s.right_time_column];
    spec.left_outer = s.left_outer;
    spec.emit = s.emit;
    Mapping mapping = inputs[0].mapping;
    for (int column : inputs[1].mapping) mapping.push_back(column < 0 ? -1 : Width(inputs[0].node) + column);
    if (s.condition) spec.condition = RemapColumns(s.condition, mapping);
    return {MakeTemporalJoin(inputs[0].node, inputs[1].node, std::move(spec), node->name, node->position), mapping};
  }
  Pruned operator()(const PredictSpec& s) const {
    const int width = Width(node->inputs[0]);
    const int outputs = s.model->output.num_fields();
    std::vector<int> kept(outputs);
    for (int i = 0; i < outputs; ++i) kept[i] = i;
    if (std::find(needed.begin() + width, needed.end(), true) == needed.end()) {
      std::fill(kept.begin(), kept.end(), -1);
      return {Input(), Appended(kept, outputs)};
    }
    PredictSpec spec = s;
    spec.argument_columns = Remap(s.argument_columns, Map());
    return {MakePredict(Input(), std::move(spec), node->name, node->position), Appended(kept, outputs)};
  }
  Pruned operator()(const JournalSpec& s) const {
    return {MakeJournal(Input(), {Remap(s.deterministic_columns, Map())}, node->name, node->position), Map()};
  }
  Pruned operator()(const SinkSpec& s) const { return {MakeSink(Input(), s, node->name, node->position), Map()}; }
};

}  // namespace

PlanRoots PushProjections(const PlanRoots& roots) {
  const std::vector<LogicalPtr> order = InputsFirst(roots);
  std::unordered_map<const LogicalNode*, Needed> needed;
  for (const LogicalPtr& node : order) needed[node.get()].assign(node->schema.num_fields(), false);
  for (const LogicalPtr& root : roots) std::fill(needed[root.get()].begin(), needed[root.get()].end(), true);
  for (size_t i = order.size(); i-- > 0;) {
    const LogicalPtr& node = order[i];
    Needed& own = needed[node.get()];
    NeedSomething(*node, own);
    std::vector<Needed> inputs;
    for (const LogicalPtr& input : node->inputs) inputs.emplace_back(input->schema.num_fields(), false);
    std::visit(InputNeeds{*node, own, inputs}, node->spec);
    for (size_t k = 0; k < inputs.size(); ++k) {
      Needed& target = needed[node->inputs[k].get()];
      for (size_t c = 0; c < target.size(); ++c) target[c] = target[c] || inputs[k][c];
    }
  }
  std::unordered_map<const LogicalNode*, Pruned> done;
  for (const LogicalPtr& node : order) {
    std::vector<Pruned> inputs;
    for (const LogicalPtr& input : node->inputs) inputs.push_back(done.at(input.get()));
    done.emplace(node.get(), std::visit(Pruner{node, needed[node.get()], inputs}, node->spec));
  }
  PlanRoots out;
  for (const LogicalPtr& root : roots) {
    const Pruned& pruned = done.at(root.get());
    // A query that is shown keeps its columns in order.
    bool same = Width(pruned.node) == Width(root);
    for (size_t i = 0; i < pruned.mapping.size() && same; ++i) same = pruned.mapping[i] == static_cast<int>(i);
    if (same || std::holds_alternative<SinkSpec>(root->spec)) {
      out.push_back(pruned.node);
      continue;
    }
    std::vector<ExpressionPtr> columns;
    for (int column : pruned.mapping)
      columns.push_back(MakeColumn(column, pruned.node->schema.field(column).type, root->position));
    out.push_back(MakeProject(pruned.node, std::move(columns), root->schema.names(), root->name, root->position));
  }
  return out;
}

}  // namespace tidemill
