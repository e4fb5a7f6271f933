#include "exec/over_plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "exec/errors.h"

namespace tidemill {
namespace {

using Kind = OverKernelSpec::Kind;

struct Known {
  std::string_view name;
  OverFunction function;
  Kind kind;
};

constexpr std::array<Known, 16> kKnown{{
    {"COUNT", OverFunction::kCount, Kind::kCount},
    {"SUM", OverFunction::kSum, Kind::kSum},
    {"AVG", OverFunction::kAvg, Kind::kSum},
    {"MIN", OverFunction::kMin, Kind::kExtreme},
    {"MAX", OverFunction::kMax, Kind::kExtreme},
    {"VAR_POP", OverFunction::kVarPop, Kind::kMoments},
    {"VAR_SAMP", OverFunction::kVarSamp, Kind::kMoments},
    {"VARIANCE", OverFunction::kVarSamp, Kind::kMoments},
    {"STDDEV_POP", OverFunction::kStddevPop, Kind::kMoments},
    {"STDDEV_SAMP", OverFunction::kStddevSamp, Kind::kMoments},
    {"STDDEV", OverFunction::kStddevSamp, Kind::kMoments},
    {"FIRST_VALUE", OverFunction::kFirst, Kind::kFirst},
    {"LAST_VALUE", OverFunction::kLast, Kind::kLast},
    {"LAG", OverFunction::kLag, Kind::kLag},
    {"ROW_NUMBER", OverFunction::kCount, Kind::kRowCount},
    // Exact: the rows of the frame are there anyway.
    {"APPROX_COUNT_DISTINCT", OverFunction::kCountDistinct, Kind::kDistinct},
}};

std::string NameOf(const AggregateCall& call) {
  std::string name(call.function->name);
  if (call.resolved.distinct) name += "(DISTINCT ...)";
  return name;
}

Status Refuse(const AggregateCall& call, const std::string& why) {
  return Status(kUnsupportedOver, NameOf(call) + " " + why).At(call.position);
}

// Number of an equal expression in `list`, added when there is none.
int NumberOf(const ExpressionPtr& expression, std::vector<ExpressionPtr>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i]->Equals(*expression)) return static_cast<int>(i);
  }
  list.push_back(expression);
  return static_cast<int>(list.size()) - 1;
}

int NumberOf(const OverFrame& frame, std::vector<OverFrame>& list) {
  const auto found = std::find(list.begin(), list.end(), frame);
  if (found != list.end()) return static_cast<int>(found - list.begin());
  list.push_back(frame);
  return static_cast<int>(list.size()) - 1;
}

std::string UniqueName(std::string name, const std::vector<std::string>& taken) {
  while (std::find(taken.begin(), taken.end(), name) != taken.end() || name.empty() || name[0] == '$')
    name = "of " + name;
  return name;
}

Result<OverKernelSpec> KernelOf(const OverCall& over, OverEmit emit, OverPlan& plan) {
  const AggregateCall& call = over.call;
  const auto known =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.name == call.function->name; });
  if (known == kKnown.end()) return Refuse(call, "can't be used with OVER");
  OverKernelSpec kernel{.kind = known->kind};
  OverFunction function = known->function;
  OverFrame frame = over.frame;
  if (frame.unbounded) frame.preceding = 0;
  const bool is_row_number = call.function->name == "ROW_NUMBER";
  if (is_row_number) frame = OverFrame{.unit = OverFrame::Unit::kRows, .unbounded = true};
  const size_t values_taken = kernel.kind == Kind::kLag ? 2 : 1;
  if (call.args.size() > values_taken) return Refuse(call, "takes no further arguments here");
  if (!call.args.empty() && !is_row_number) {
    if (WordKindOf(call.args[0]->type) == WordKind::kUnsupported)
      return Refuse(call, "with OVER can't take " + call.args[0]->type.ToString());
    kernel.value = NumberOf(call.args[0], plan.values);
  }
  if (call.filter) {
    if (kernel.kind == Kind::kLag || is_row_number) return Refuse(call, "takes no FILTER");
    kernel.filter = NumberOf(call.filter, plan.filters);
  }
  if (call.resolved.distinct) {
    if (kernel.kind == Kind::kCount) {
      kernel.kind = Kind::kDistinct;
      function = OverFunction::kCountDistinct;
    } else if (kernel.kind != Kind::kExtreme) {
      return Refuse(call, "with OVER is not supported; only COUNT(DISTINCT ...) is");
    }
  }
  const bool always_there = kernel.value < 0 || !plan.values[static_cast<size_t>(kernel.value)]->type.nullable();
  if (kernel.kind == Kind::kCount && always_there && kernel.filter < 0) kernel.kind = Kind::kRowCount;
  if (kernel.kind == Kind::kRowCount) kernel.value = -1;
  kernel.largest = function == OverFunction::kMax;
  if (kernel.kind == Kind::kLag) {
    if (call.offset < 0) return Refuse(call, "takes an offset of 0 or more");
    kernel.offset = call.offset;
    frame = OverFrame{.unit = OverFrame::Unit::kRows, .unbounded = false, .preceding = 0};
    plan.rows_kept = std::max(plan.rows_kept, kernel.offset);
  }
  if (frame.unbounded) {
    if (kernel.kind == Kind::kDistinct) {
      return Refuse(call,
                    "needs a bounded frame (RANGE BETWEEN INTERVAL ... PRECEDING AND CURRENT ROW): over all rows its "
                    "state would grow for ever");
    }
    const bool invertible = kernel.kind == Kind::kRowCount || kernel.kind == Kind::kCount ||
                            kernel.kind == Kind::kSum || kernel.kind == Kind::kMoments;
    if (emit == OverEmit::kOnArrival && !invertible) {
      return Refuse(call,
                    "over UNBOUNDED PRECEDING can't be given on arrival: a row that comes out of order would need all "
                    "earlier rows; bound the frame");
    }
    plan.has_unbounded = true;
  }
  kernel.frame = NumberOf(frame, plan.frames);
  kernel.outputs = {OverOutput{function, call.resolved.result, 0}};
  if (kernel.kind == Kind::kMoments && WordKindOf(call.resolved.result) == WordKind::kDecimal)
    return Refuse(call, "with OVER can't give DECIMAL; cast the argument to DOUBLE");
  return kernel;
}

// Whether `next` can be computed by `kernel` as well; COUNT(x) rides along with SUM(x).
bool Absorb(OverKernelSpec& kernel, const OverKernelSpec& next) {
  if (kernel.frame != next.frame || kernel.value != next.value || kernel.filter != next.filter) return false;
  if (kernel.largest != next.largest || kernel.offset != next.offset) return false;
  const auto counts_too = [](Kind kind) { return kind == Kind::kSum || kind == Kind::kMoments; };
  if (kernel.kind == Kind::kCount && counts_too(next.kind)) kernel.kind = next.kind;
  if (kernel.kind != next.kind && !(counts_too(kernel.kind) && next.kind == Kind::kCount)) return false;
  kernel.outputs.insert(kernel.outputs.end(), next.outputs.begin(), next.outputs.end());
  return true;
}

}  // namespace

Result<OverPlan> OverPlan::Make(const OverSpec& spec, const Schema& input) {
  OverPlan plan;
  for (size_t i = 0; i < spec.calls.size(); ++i) {
    TM_ASSIGN_OR_RETURN(OverKernelSpec kernel, KernelOf(spec.calls[i], spec.emit, plan));
    kernel.outputs[0].call = static_cast<int>(i);
    bool absorbed = false;
    for (OverKernelSpec& earlier : plan.kernels) {
      if ((absorbed = Absorb(earlier, kernel))) break;
    }
    if (!absorbed) plan.kernels.push_back(std::move(kernel));
  }
  for (const OverFrame& frame : plan.frames) {
    if (frame.unbounded) continue;
    if (frame.unit == OverFrame::Unit::kRange) {
      plan.range_ms = std::max(plan.range_ms, frame.preceding);
    } else {
      plan.rows_kept = std::max(plan.rows_kept, frame.preceding);
    }
  }
  // State columns are named by what they hold, so that a changed query finds what still fits.
  std::vector<std::string> taken;
  for (const int column : spec.partition_columns) {
    plan.buffer.keys.push_back(input.field(column));
    taken.push_back(input.field(column).name);
  }
  const std::vector<std::string> names = input.names();
  for (const ExpressionPtr& value : plan.values) {
    taken.push_back(UniqueName(value->ToString(names), taken));
    plan.buffer.values.push_back({taken.back(), value->type});
  }
  for (const ExpressionPtr& filter : plan.filters) {
    taken.push_back(UniqueName("not " + filter->ToString(names), taken));
    plan.buffer.flags.push_back(taken.back());
  }
  return plan;
}

}  // namespace tidemill
