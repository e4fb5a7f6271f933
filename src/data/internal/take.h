#pragma once

#include <memory>
#include <span>

#include "base/status.h"

namespace arrow {
class Array;
}

namespace tidemill {

// The elements of `array` at `indices` (each in [0, array.length())). Own gathers for flat types, Arrow's Take for
// nested ones.
Result<std::shared_ptr<arrow::Array>> TakeArray(const std::shared_ptr<arrow::Array>& array,
                                                std::span<const int32_t> indices);

}  // namespace tidemill
