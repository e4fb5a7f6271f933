#pragma once

#include <arrow/api.h>

#include <memory>
#include <string>
#include <string_view>

namespace tidemill {

// An array from JSON text, as Arrow's own reader understands it; aborts the test program when the text is wrong.
std::shared_ptr<arrow::Array> ArrayOf(const std::shared_ptr<arrow::DataType>& type, std::string_view json);
// "[1, null, 3]".
std::string TextOf(const arrow::Array& array);

}  // namespace tidemill
