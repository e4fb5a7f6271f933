#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sql/logical_plan.h"

namespace tidemill {
namespace {

using Names = std::vector<std::string>;

std::string JoinColumns(const std::vector<int>& columns, const Names& names) {
  std::string out;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ", ";
    out += columns[i] >= 0 && columns[i] < static_cast<int>(names.size()) ? names[columns[i]]
                                                                          : fmt::format("${}", columns[i]);
  }
  return out;
}

std::string DurationText(int64_t ms) {
  if (ms % 86'400'000 == 0 && ms != 0) return fmt::format("{} d", ms / 86'400'000);
  if (ms % 3'600'000 == 0 && ms != 0) return fmt::format("{} h", ms / 3'600'000);
  if (ms % 60'000 == 0 && ms != 0) return fmt::format("{} min", ms / 60'000);
  if (ms % 1000 == 0) return fmt::format("{} s", ms / 1000);
  return fmt::format("{} ms", ms);
}

std::string CallText(const AggregateCall& call, const Names& names) {
  std::string out = std::string(call.function->name) + "(";
  if (call.resolved.distinct) out += "DISTINCT ";
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i > 0) out += ", ";
    out += call.args[i]->ToString(names);
  }
  if (call.args.empty() && call.function->name == "COUNT") out += "*";
  if (call.offset != 1) out += fmt::format(", {}", call.offset);
  out += ")";
  if (call.filter) out += fmt::format(" FILTER (WHERE {})", call.filter->ToString(names));
  return out;
}

std::string CallsText(const std::vector<AggregateCall>& calls, const Names& names) {
  std::string out;
  for (const AggregateCall& call : calls) {
    if (!out.empty()) out += ", ";
    out += CallText(call, names) + " AS " + call.name;
  }
  return out;
}

std::string FrameText(const OverFrame& frame) {
  const char* unit = frame.unit == OverFrame::Unit::kRows ? "ROWS" : "RANGE";
  if (frame.unbounded) return fmt::format("{} UNBOUNDED", unit);
  if (frame.unit == OverFrame::Unit::kRows) return fmt::format("{} {}", unit, frame.preceding);
  return fmt::format("{} {}", unit, DurationText(frame.preceding));
}

std::string WindowText(const WindowSpec& window, const Names& names) {
  std::string out;
  switch (window.kind) {
    case WindowKind::kTumble:
      out = fmt::format("TUMBLE({}, {}", JoinColumns({window.time_column}, names), DurationText(window.size_ms));
      break;
    case WindowKind::kHop:
      out = fmt::format("HOP({}, slide {}, size {}", JoinColumns({window.time_column}, names),
                        DurationText(window.slide_ms), DurationText(window.size_ms));
      break;
    case WindowKind::kCumulate:
      out = fmt::format("CUMULATE({}, step {}, size {}", JoinColumns({window.time_column}, names),
                        DurationText(window.slide_ms), DurationText(window.size_ms));
      break;
    case WindowKind::kSession:
      out = fmt::format("SESSION({}, gap {}", JoinColumns({window.time_column}, names), DurationText(window.size_ms));
      break;
  }
  if (window.offset_ms != 0) out += fmt::format(", offset {}", DurationText(window.offset_ms));
  if (!window.time_zone.empty()) out += fmt::format(", zone {}", window.time_zone);
  if (!window.partition_columns.empty())
    out += fmt::format(", partition {}", JoinColumns(window.partition_columns, names));
  return out + ")";
}

struct Describer {
  const LogicalNode& node;
  Names input;  // names of the first input's columns

  std::string operator()(const ScanSpec& spec) const {
    std::string out = fmt::format("table={} columns=[{}]", spec.table->name, fmt::join(node.schema.names(), ", "));
    if (spec.table->rowtime_column >= 0 && spec.table->watermark) {
      out += fmt::format(" watermark={}", spec.table->watermark->ToString(spec.table->schema().names()));
    }
    return out;
  }
  std::string operator()(const ValuesSpec& spec) const { return fmt::format("rows={}", spec.rows.size()); }
  std::string operator()(const ProjectSpec& spec) const {
    std::string out = "[";
    for (size_t i = 0; i < spec.expressions.size(); ++i) {
      if (i > 0) out += ", ";
      std::string text = spec.expressions[i]->ToString(input);
      const std::string& name = node.schema.field(static_cast<int>(i)).name;
      out += text == name ? text : text + " AS " + name;
    }
    return out + "]";
  }
  std::string operator()(const FilterSpec& spec) const { return spec.predicate->ToString(input); }
  std::string operator()(const WindowTvfSpec& spec) const { return WindowText(spec.window, input); }
  std::string operator()(const WindowAggregateSpec& spec) const {
    return fmt::format("window={} keys=[{}] calls=[{}]", WindowText(spec.window, input), JoinColumns(spec.keys, input),
                       CallsText(spec.calls, input));
  }
  std::string operator()(const GroupAggregateSpec& spec) const {
    return fmt::format("keys=[{}] calls=[{}]", JoinColumns(spec.keys, input), CallsText(spec.calls, input));
  }
  std::string operator()(const OverSpec& spec) const {
    std::string calls;
    for (const OverCall& call : spec.calls) {
      if (!calls.empty()) calls += ", ";
      calls += fmt::format("{} {} AS {}", CallText(call.call, input), FrameText(call.frame), call.call.name);
    }
    return fmt::format("partition=[{}] order={} emit={} calls=[{}]", JoinColumns(spec.partition_columns, input),
                       JoinColumns({spec.time_column}, input),
                       spec.emit == OverEmit::kOnArrival ? "on-arrival" : "on-watermark", calls);
  }
  std::string operator()(const UnionSpec&) const { return fmt::format("all inputs={}", node.inputs.size()); }
  std::string operator()(const TemporalJoinSpec& spec) const {
    Names right = node.inputs[1]->schema.names();
    std::string keys;
    for (size_t i = 0; i < spec.left_keys.size(); ++i) {
      if (i > 0) keys += " AND ";
      keys += input[spec.left_keys[i]] + " = " + right[spec.right_keys[i]];
    }
    std::string out = fmt::format("{} on={} left-time={} right-time={}", spec.left_outer ? "left" : "inner", keys,
                                  input[spec.left_time_column], right[spec.right_time_column]);
    if (spec.emit == OverEmit::kOnArrival) out += " emit=on-arrival";
    if (spec.condition) out += fmt::format(" condition={}", spec.condition->ToString(node.schema.names()));
    return out;
  }
  std::string operator()(const PredictSpec& spec) const {
    std::string out =
        fmt::format("model={} arguments=[{}]", spec.model->name, JoinColumns(spec.argument_columns, input));
    for (const auto& [key, value] : spec.config.values()) out += fmt::format(" {}={}", key, value);
    return out;
  }
  std::string operator()(const JournalSpec& spec) const {
    return fmt::format("identity=[{}]", JoinColumns(spec.deterministic_columns, input));
  }
  std::string operator()(const SinkSpec& spec) const {
    return fmt::format("table={} columns=[{}]", spec.table->name,
                       JoinColumns(spec.columns, spec.table->schema().names()));
  }
};

// Depth is bounded by the plan's own, which follows the bounded nesting of the text.
void ExplainNode(const LogicalPtr& node, int level, std::unordered_set<const LogicalNode*>& seen, std::string& out) {
  out.append(static_cast<size_t>(level) * 2, ' ');
  out += node->name;
  if (!seen.insert(node.get()).second) {
    out += " (shared, as above)\n";
    return;
  }
  Describer describer{*node, node->inputs.empty() ? Names{} : node->inputs[0]->schema.names()};
  std::string text = std::visit(describer, node->spec);
  if (!text.empty()) out += " " + text;
  if (node->changelog == ChangelogMode::kUpsert) out += " changelog=upsert";
  if (node->changelog == ChangelogMode::kRetract) out += " changelog=retract";
  out += "\n";
  for (const LogicalPtr& input : node->inputs) ExplainNode(input, level + 1, seen, out);
}

}  // namespace

std::string ExplainPlan(const LogicalPlan& plan) {
  std::string out;
  std::unordered_set<const LogicalNode*> seen;
  for (const LogicalPtr& root : plan.roots) ExplainNode(root, 0, seen, out);
  return out;
}

}  // namespace tidemill
