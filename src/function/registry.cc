#include <algorithm>

#include <arrow/compute/initialize.h>

#include "function/aggregate_function.h"
#include "function/function_groups.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

template <typename T>
void Gather(std::vector<T>& into, std::vector<T> group) {
  into.insert(into.end(), group.begin(), group.end());
}

template <typename T>
const T* Find(const std::vector<T>& sorted, std::string_view name) {
  const auto at = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const T& row, std::string_view n) { return row.name < n; });
  return at != sorted.end() && at->name == name ? &*at : nullptr;
}

template <typename T>
std::vector<const T*> Pointers(const std::vector<T>& rows) {
  std::vector<const T*> pointers;
  for (const T& row : rows) pointers.push_back(&row);
  return pointers;
}

}  // namespace

FunctionRegistry::FunctionRegistry() {
  // Some kernels call Arrow's, which have to be made known to it once.
  TM_CHECK(arrow::compute::Initialize().ok());
  Gather(scalars_, ArithmeticFunctions());
  Gather(scalars_, MathFunctions());
  Gather(scalars_, ComparisonFunctions());
  Gather(scalars_, LogicFunctions());
  Gather(scalars_, ConditionalFunctions());
  Gather(scalars_, StringFunctions());
  Gather(scalars_, StringSearchFunctions());
  Gather(scalars_, PatternFunctions());
  Gather(scalars_, EncodingFunctions());
  Gather(scalars_, JsonFunctions());
  Gather(scalars_, CollectionFunctions());
  Gather(scalars_, TimeFieldFunctions());
  Gather(scalars_, TimeTextFunctions());
  Gather(scalars_, TimeArithmeticFunctions());
  Gather(aggregates_, BasicAggregates());
  Gather(aggregates_, ExtremeAggregates());
  Gather(aggregates_, StatisticAggregates());
  Gather(aggregates_, PositionAggregates());
  Gather(aggregates_, DistinctAggregates());
  Gather(aggregates_, CollectionAggregates());
  Gather(aggregates_, OverOnlyAggregates());
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(scalars_.begin(), scalars_.end(), by_name);
  std::sort(aggregates_.begin(), aggregates_.end(), by_name);
  const auto same_name = [](const auto& a, const auto& b) { return a.name == b.name; };
  TM_CHECK(std::adjacent_find(scalars_.begin(), scalars_.end(), same_name) == scalars_.end());
  TM_CHECK(std::adjacent_find(aggregates_.begin(), aggregates_.end(), same_name) == aggregates_.end());
}

const FunctionRegistry& FunctionRegistry::BuiltIn() {
  static const FunctionRegistry kRegistry;
  return kRegistry;
}

const ScalarFunction* FunctionRegistry::FindScalar(std::string_view upper_name) const {
  return Find(scalars_, upper_name);
}
const AggregateFunction* FunctionRegistry::FindAggregate(std::string_view upper_name) const {
  return Find(aggregates_, upper_name);
}
std::vector<const ScalarFunction*> FunctionRegistry::scalars() const { return Pointers(scalars_); }
std::vector<const AggregateFunction*> FunctionRegistry::aggregates() const { return Pointers(aggregates_); }

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names;
  for (const ScalarFunction& row : scalars_) names.emplace_back(row.name);
  for (const AggregateFunction& row : aggregates_) names.emplace_back(row.name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace tidemill
