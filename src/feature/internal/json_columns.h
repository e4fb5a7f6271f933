#pragma once

#include <memory>

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"
#include "data/data_type.h"

namespace arrow {
class Array;
}

namespace tidemill {

// JSON values as a column of a scalar type. Numbers must be exact for integers; text that is a number is taken too, as
// Feast does; times are text (2024-05-01T12:00:00Z) or seconds since 1970. null gives NULL. kInvalidFeatureRequest
// names the value's number.
Result<std::shared_ptr<arrow::Array>> ColumnFromJson(const nlohmann::json& values, const DataType& type);
// A value as Feast's server writes it: timestamps are seconds since 1970, NaN and infinities null, decimals, dates and
// times text, bytes base64.
nlohmann::json JsonOf(const arrow::Array& column, int64_t row);
// The value for people: NULL, 42, 1.5, 2024-05-01 12:00:00.000.
std::string TextOfValue(const arrow::Array& column, const DataType& type, int64_t row);

}  // namespace tidemill
