#pragma once

#include <memory>

#include "function/aggregate_function.h"
#include "function/internal/bind.h"

namespace tidemill {

using MakeAccumulators = std::unique_ptr<Accumulators> (*)(const ResolvedAggregate& resolved);

// Accumulators that let each value of the first argument through once per group, into those that `make` gives (for a
// `resolved` that is not distinct). Retractable: every value is kept with its count.
std::unique_ptr<Accumulators> MakeDistinct(const ResolvedAggregate& resolved, MakeAccumulators make);

// Whether values of this type can be told apart that way (not nested ones).
bool TakesDistinct(const DataType& type);

// `make` for functions with DISTINCT.
template <MakeAccumulators kPlain>
std::unique_ptr<Accumulators> MakeMaybeDistinct(const ResolvedAggregate& resolved) {
  return resolved.distinct ? MakeDistinct(resolved, kPlain) : kPlain(resolved);
}

}  // namespace tidemill
