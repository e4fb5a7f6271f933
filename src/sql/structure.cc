#include "sql/structure.h"

#include <functional>

#include <arrow/api.h>

namespace tidemill {
namespace {

uint64_t Mix(uint64_t seed, uint64_t value) {
  // The finalizer of splitmix64 over a running sum.
  uint64_t x = seed + 0x9e3779b97f4a7c15ull + value;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

uint64_t HashPointer(const void* p) { return std::hash<const void*>{}(p); }
uint64_t HashText(std::string_view text) { return std::hash<std::string_view>{}(text); }

bool SameExpressions(const std::vector<ExpressionPtr>& a, const std::vector<ExpressionPtr>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameExpression(a[i], b[i])) return false;
  }
  return true;
}

bool AllDeterministic(const std::vector<ExpressionPtr>& list) {
  for (const ExpressionPtr& e : list) {
    if (e && !e->IsDeterministic()) return false;
  }
  return true;
}

bool SameCall(const AggregateCall& a, const AggregateCall& b) {
  return a.function == b.function && a.resolved.distinct == b.resolved.distinct &&
         a.resolved.separator == b.resolved.separator && a.resolved.elements_max == b.resolved.elements_max &&
         a.resolved.result == b.resolved.result && a.offset == b.offset && a.name == b.name &&
         SameExpressions(a.args, b.args) && SameExpression(a.filter, b.filter);
}

bool SameCalls(const std::vector<AggregateCall>& a, const std::vector<AggregateCall>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!SameCall(a[i], b[i])) return false;
  }
  return true;
}

bool SameWindow(const WindowSpec& a, const WindowSpec& b) {
  return a.kind == b.kind && a.time_column == b.time_column && a.size_ms == b.size_ms && a.slide_ms == b.slide_ms &&
         a.offset_ms == b.offset_ms && a.time_zone == b.time_zone && a.partition_columns == b.partition_columns;
}

uint64_t HashCall(const AggregateCall& call) {
  uint64_t h = HashPointer(call.function);
  for (const ExpressionPtr& arg : call.args) h = Mix(h, HashExpression(*arg));
  if (call.filter) h = Mix(h, HashExpression(*call.filter));
  return Mix(h, static_cast<uint64_t>(call.offset));
}

struct SpecHasher {
  uint64_t operator()(const ScanSpec& s) const {
    uint64_t h = HashText(s.table->name);
    for (int c : s.columns) h = Mix(h, static_cast<uint64_t>(c));
    return h;
  }
  uint64_t operator()(const ValuesSpec& s) const { return s.rows.size(); }
  uint64_t operator()(const ProjectSpec& s) const {
    uint64_t h = 1;
    for (const ExpressionPtr& e : s.expressions) h = Mix(h, HashExpression(*e));
    return h;
  }
  uint64_t operator()(const FilterSpec& s) const { return HashExpression(*s.predicate); }
  uint64_t operator()(const WindowTvfSpec& s) const {
    return Mix(static_cast<uint64_t>(s.window.size_ms), s.window.slide_ms);
  }
  uint64_t operator()(const WindowAggregateSpec& s) const {
    uint64_t h = Mix(static_cast<uint64_t>(s.window.size_ms), s.window.slide_ms);
    for (const AggregateCall& c : s.calls) h = Mix(h, HashCall(c));
    return h;
  }
  uint64_t operator()(const GroupAggregateSpec& s) const {
    uint64_t h = s.keys.size();
    for (const AggregateCall& c : s.calls) h = Mix(h, HashCall(c));
    return h;
  }
  uint64_t operator()(const OverSpec& s) const {
    uint64_t h = s.partition_columns.size();
    for (const OverCall& c : s.calls) h = Mix(Mix(h, HashCall(c.call)), static_cast<uint64_t>(c.frame.preceding));
    return h;
  }
  uint64_t operator()(const UnionSpec&) const { return 7; }
  uint64_t operator()(const TemporalJoinSpec& s) const { return s.left_keys.size(); }
  uint64_t operator()(const PredictSpec& s) const { return HashText(s.model->name); }
  uint64_t operator()(const JournalSpec& s) const { return s.deterministic_columns.size(); }
  uint64_t operator()(const SinkSpec& s) const { return HashText(s.table->name); }
};

struct SpecComparer {
  const LogicalSpec& other;

  bool operator()(const ScanSpec& a) const {
    const auto& b = std::get<ScanSpec>(other);
    return a.table->name == b.table->name && a.columns == b.columns && a.options.values() == b.options.values();
  }
  bool operator()(const ValuesSpec& a) const {
    const auto& b = std::get<ValuesSpec>(other);
    if (a.rows.size() != b.rows.size()) return false;
    for (size_t i = 0; i < a.rows.size(); ++i) {
      if (!SameExpressions(a.rows[i], b.rows[i]) || !AllDeterministic(a.rows[i])) return false;
    }
    return true;
  }
  bool operator()(const ProjectSpec& a) const {
    return SameExpressions(a.expressions, std::get<ProjectSpec>(other).expressions) && AllDeterministic(a.expressions);
  }
  bool operator()(const FilterSpec& a) const {
    return SameExpression(a.predicate, std::get<FilterSpec>(other).predicate) && a.predicate->IsDeterministic();
  }
  bool operator()(const WindowTvfSpec& a) const { return SameWindow(a.window, std::get<WindowTvfSpec>(other).window); }
  bool operator()(const WindowAggregateSpec& a) const {
    const auto& b = std::get<WindowAggregateSpec>(other);
    return SameWindow(a.window, b.window) && a.keys == b.keys && SameCalls(a.calls, b.calls);
  }
  bool operator()(const GroupAggregateSpec& a) const {
    const auto& b = std::get<GroupAggregateSpec>(other);
    return a.keys == b.keys && SameCalls(a.calls, b.calls) && a.state_ttl_ms == b.state_ttl_ms;
  }
  bool operator()(const OverSpec& a) const {
    const auto& b = std::get<OverSpec>(other);
    if (a.partition_columns != b.partition_columns || a.time_column != b.time_column || a.emit != b.emit ||
        a.calls.size() != b.calls.size()) {
      return false;
    }
    for (size_t i = 0; i < a.calls.size(); ++i) {
      if (!SameCall(a.calls[i].call, b.calls[i].call) || !(a.calls[i].frame == b.calls[i].frame)) return false;
    }
    return true;
  }
  bool operator()(const UnionSpec&) const { return true; }
  bool operator()(const TemporalJoinSpec& a) const {
    const auto& b = std::get<TemporalJoinSpec>(other);
    return a.left_keys == b.left_keys && a.right_keys == b.right_keys && a.left_time_column == b.left_time_column &&
           a.right_time_column == b.right_time_column && a.left_outer == b.left_outer && a.emit == b.emit &&
           SameExpression(a.condition, b.condition);
  }
  bool operator()(const PredictSpec& a) const {
    const auto& b = std::get<PredictSpec>(other);
    return a.model == b.model && a.argument_columns == b.argument_columns && a.config.values() == b.config.values();
  }
  bool operator()(const JournalSpec& a) const {
    return a.deterministic_columns == std::get<JournalSpec>(other).deterministic_columns;
  }
  // Two INSERTs are two, even of the same rows into the same table.
  bool operator()(const SinkSpec&) const { return false; }
};

}  // namespace

uint64_t HashExpression(const Expression& e) {
  uint64_t h = Mix(static_cast<uint64_t>(e.kind), static_cast<uint64_t>(e.column + 1));
  h = Mix(h, static_cast<uint64_t>(e.type.kind()));
  h = Mix(h, HashPointer(e.function));
  if (e.kind == Expression::Kind::kLiteral && e.literal)
    h = Mix(h, e.literal->is_valid ? HashText(e.literal->ToString()) : 3);
  for (const ExpressionPtr& arg : e.args) h = Mix(h, HashExpression(*arg));
  return h;
}

bool SameExpression(const ExpressionPtr& a, const ExpressionPtr& b) {
  if (a == b) return true;
  return a && b && a->Equals(*b);
}

uint64_t HashNode(const LogicalNode& node) {
  uint64_t h = Mix(node.spec.index(), std::visit(SpecHasher{}, node.spec));
  for (const LogicalPtr& input : node.inputs) h = Mix(h, HashPointer(input.get()));
  return h;
}

bool SameNode(const LogicalNode& a, const LogicalNode& b) {
  if (&a == &b) return true;
  return a.spec.index() == b.spec.index() && a.inputs == b.inputs && a.schema == b.schema &&
         a.rowtime_column == b.rowtime_column && std::visit(SpecComparer{b.spec}, a.spec);
}

}  // namespace tidemill
