#pragma once

#include <vector>

#include "function/aggregate_function.h"
#include "function/scalar_function.h"

namespace tidemill {

// The function table, group by group; registry.cc gathers them.
std::vector<ScalarFunction> ArithmeticFunctions();
std::vector<ScalarFunction> MathFunctions();
std::vector<ScalarFunction> ComparisonFunctions();
std::vector<ScalarFunction> LogicFunctions();
std::vector<ScalarFunction> ConditionalFunctions();
std::vector<ScalarFunction> StringFunctions();
std::vector<ScalarFunction> StringSearchFunctions();
std::vector<ScalarFunction> PatternFunctions();
std::vector<ScalarFunction> EncodingFunctions();
std::vector<ScalarFunction> JsonFunctions();
std::vector<ScalarFunction> TimeFieldFunctions();
std::vector<ScalarFunction> TimeTextFunctions();
std::vector<ScalarFunction> TimeArithmeticFunctions();
std::vector<ScalarFunction> CollectionFunctions();

std::vector<AggregateFunction> BasicAggregates();
std::vector<AggregateFunction> ExtremeAggregates();
std::vector<AggregateFunction> StatisticAggregates();
std::vector<AggregateFunction> PositionAggregates();
std::vector<AggregateFunction> DistinctAggregates();
std::vector<AggregateFunction> CollectionAggregates();
std::vector<AggregateFunction> OverOnlyAggregates();

}  // namespace tidemill
