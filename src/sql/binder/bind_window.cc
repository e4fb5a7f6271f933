#include <fmt/format.h>

#include "sql/binder/binder.h"
#include "sql/errors.h"

namespace tidemill {

Result<int> Binder::BindTimeColumn(const Relation& input, const ast::Expr& descriptor) const {
  if (descriptor.kind != ast::Expr::Kind::kDescriptor)
    return Status(kWrongArguments, "expected DESCRIPTOR(time column)").At(descriptor.position);
  if (descriptor.names.size() != 1)
    return Status(kInvalidWindow, "a window has one time column").At(descriptor.names[1].position);
  TM_ASSIGN_OR_RETURN(ResolvedName found, ResolveColumn(input, descriptor.names));
  if (found.column == input.node->rowtime_column) return found.column;
  Status status = Status(kNoTimeAttribute, fmt::format("'{}' is not a time attribute", descriptor.names[0].text))
                      .At(descriptor.names[0].position);
  const int rowtime = input.node->rowtime_column;
  return rowtime >= 0 && !input.columns[rowtime].name.empty()
             ? status.WithHint(fmt::format("the event time is '{}'", input.columns[rowtime].name))
             : status;
}

Result<LogicalPtr> Binder::MakeWindow(Relation& input, WindowSpec window, const SourcePosition& position) {
  const DataType& time = input.node->schema.field(window.time_column).type;
  if (time.kind() == TypeKind::kTimestampLtz) window.time_zone = TimeZone();
  // Offsets congruent modulo the grid are the same.
  const int64_t grid = window.kind == WindowKind::kHop ? window.slide_ms : window.size_ms;
  if (window.kind == WindowKind::kSession) {
    window.offset_ms = 0;
  } else {
    window.offset_ms = ((window.offset_ms % grid) + grid) % grid;
  }
  return MakeWindowTvf(input.node, std::move(window), hint_, position);
}

// TUMBLE, HOP, CUMULATE and SESSION in FROM, arguments by position or name.
Result<Relation> Binder::BindWindowFunction(const ast::Expr& call, const CommonTableScope* scope) {
  WindowSpec window;
  std::vector<std::string> parameters;
  size_t required = 3;
  if (call.op == "TUMBLE") {
    window.kind = WindowKind::kTumble;
    parameters = {"DATA", "TIMECOL", "SIZE", "OFFSET"};
  } else if (call.op == "HOP") {
    window.kind = WindowKind::kHop;
    parameters = {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"};
    required = 4;
  } else if (call.op == "CUMULATE") {
    window.kind = WindowKind::kCumulate;
    parameters = {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET", "EMITONLYONUPDATE"};
    required = 4;
  } else {
    window.kind = WindowKind::kSession;
    parameters = {"DATA", "TIMECOL", "GAP"};
  }
  using Arguments = std::map<std::string, const ast::Expr*>;
  TM_ASSIGN_OR_RETURN(Arguments args, MatchArguments(call, parameters, required));
  if (args.contains("EMITONLYONUPDATE")) {
    return Status(kUnsupportedSyntax, "emitOnlyOnUpdate of CUMULATE is not supported")
        .At(args["EMITONLYONUPDATE"]->position);
  }
  const ast::Expr& data = *args["DATA"];
  TM_ASSIGN_OR_RETURN(Relation input, BindTableArgument(data, scope));
  TM_ASSIGN_OR_RETURN(window.time_column, BindTimeColumn(input, *args["TIMECOL"]));
  Relation none;
  BindContext constant;
  constant.relation = &none;
  constant.clause = "a window's arguments";
  auto interval = [&](const char* name, bool positive, int64_t& out) -> Status {
    if (!args.contains(name)) return Status::OK();
    TM_ASSIGN_OR_RETURN(ExpressionPtr e, ExpressionBinder(constant).Bind(*args[name]));
    std::optional<int64_t> ms = IntervalMillis(*e);
    if (!ms || (positive && *ms <= 0)) {
      return Status(kInvalidWindow, fmt::format("{} of {} must be a constant {}INTERVAL of days or less", name, call.op,
                                                positive ? "positive " : ""))
          .At(args[name]->position);
    }
    out = *ms;
    return Status::OK();
  };
  TM_RETURN_IF_ERROR(interval("SIZE", true, window.size_ms));
  TM_RETURN_IF_ERROR(interval("GAP", true, window.size_ms));
  TM_RETURN_IF_ERROR(interval("SLIDE", true, window.slide_ms));
  TM_RETURN_IF_ERROR(interval("STEP", true, window.slide_ms));
  TM_RETURN_IF_ERROR(interval("OFFSET", false, window.offset_ms));
  if (window.kind == WindowKind::kTumble) window.slide_ms = window.size_ms;
  if (window.kind == WindowKind::kCumulate && window.size_ms % window.slide_ms != 0) {
    return Status(kInvalidWindow, "the SIZE of CUMULATE must be a multiple of its STEP").At(args["SIZE"]->position);
  }
  if (!data.partition.empty()) {
    if (window.kind != WindowKind::kSession) {
      return Status(kInvalidWindow,
                    fmt::format("{} takes no PARTITION BY: its windows are the same for all rows", call.op))
          .At(data.partition[0]->position);
    }
    BindContext context;
    context.relation = &input;
    context.clause = "PARTITION BY";
    for (const ast::ExprPtr& key : data.partition) {
      TM_ASSIGN_OR_RETURN(ExpressionPtr e, ExpressionBinder(context).Bind(*key));
      if (e->kind != Expression::Kind::kColumn) {
        return Status(kUnsupportedSyntax, "PARTITION BY of SESSION takes columns").At(key->position);
      }
      window.partition_columns.push_back(e->column);
    }
  }
  TM_ASSIGN_OR_RETURN(LogicalPtr node, MakeWindow(input, std::move(window), call.position));
  const int width = static_cast<int>(input.columns.size());
  Relation out{node, std::move(input.columns)};
  for (int i = width; i < node->schema.num_fields(); ++i) {
    static constexpr const char* kNames[] = {"window_start", "window_end", "window_time"};
    out.columns.push_back({"", kNames[i - width], node->schema.field(i).type});
  }
  // Of a window over windows the inner columns give way to the outer ones.
  for (int i = 0; i < width; ++i) {
    std::string& name = out.columns[i].name;
    if (name == "window_start" || name == "window_end" || name == "window_time") name += "0";
    out.columns[i].qualifier.clear();
  }
  return out;
}

}  // namespace tidemill
