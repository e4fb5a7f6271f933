#pragma once

#include <string_view>
#include <vector>

#include "function/aggregate_function.h"
#include "sql/logical_plan.h"

namespace tidemill {

// A call of a built-in aggregate over columns of `input`, as the planner would bind it.
inline AggregateCall CallOf(std::string_view name, const std::vector<int>& columns, const Schema& input,
                            int filter = -1, bool distinct = false) {
  AggregateCall call;
  call.function = FunctionRegistry::BuiltIn().FindAggregate(name);
  TM_CHECK(call.function != nullptr);
  std::vector<ArgumentInfo> arguments;
  for (const int column : columns) {
    call.args.push_back(MakeColumn(column, input.field(column).type));
    arguments.push_back({input.field(column).type});
  }
  auto resolved = call.function->resolve(arguments, distinct);
  TM_CHECK(resolved.ok());
  call.resolved = *std::move(resolved);
  call.resolved.distinct = distinct;
  if (filter >= 0) call.filter = MakeColumn(filter, input.field(filter).type);
  call.name = std::string(name) + (columns.empty() ? "" : "_" + input.field(columns[0]).name);
  return call;
}

}  // namespace tidemill
