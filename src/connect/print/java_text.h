#pragma once

#include <string>

#include <arrow/array.h>

#include "data/data_type.h"

namespace tidemill {

// Value i as Java's toString of what Flink has for the type: "1.0E10", "2024-05-01T12:34", "[1, 2]", "{a=1}", "+I[1,
// x]" for ROW, "null".
void AppendJavaText(const arrow::Array& column, const DataType& type, int64_t i, std::string& out);

}  // namespace tidemill
