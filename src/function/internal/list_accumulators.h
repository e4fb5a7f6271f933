#pragma once

#include <memory>
#include <string>
#include <vector>

#include "function/aggregate_function.h"
#include "function/internal/frame.h"

namespace tidemill {

// Aggregates that keep every value of a group in order, up to `elements_max`. A row that is taken back removes its
// first equal.
enum class ListResult : uint8_t {
  kArray,  // ARRAY_AGG, NULL kept
  kText,   // LISTAGG
  kFirst,  // FIRST_VALUE and LAST_VALUE over input that takes rows back
  kLast,
};

// T as DispatchPhysical gives it.
template <typename T>
std::unique_ptr<Accumulators> MakeListAccumulators(const ResolvedAggregate& resolved, ListResult result);

}  // namespace tidemill
