#pragma once

#include <string_view>

#include "function/internal/bind.h"

namespace tidemill {

// "+", "-", "*", "/", "MOD" where one argument is DECIMAL and the other DECIMAL or an integer. Result types are
// Flink's: digits over 38 are taken from the scale, down to 6. A result that does not fit is NULL; dividing by zero is
// an error of the row.
Result<ResolvedCall> BindDecimalArithmetic(std::string_view symbol, Args args);

}  // namespace tidemill
