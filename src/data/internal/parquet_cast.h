#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "data/data_type.h"

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace tidemill {

// Whether values of a file's column may become `to` without changing; kUnsupportedType says what doesn't fit.
Status CheckFileColumn(const arrow::DataType& from, const DataType& to);

// Converts; fails when any value doesn't fit (CheckFileColumn has passed).
Result<std::shared_ptr<arrow::Array>> CastFileColumn(const std::shared_ptr<arrow::Array>& column, const DataType& to);

}  // namespace tidemill
