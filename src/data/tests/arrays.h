#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "base/status.h"

namespace tidemill {

// An array from JSON text, as Arrow's own reader understands it; aborts the test program when the text is wrong.
inline std::shared_ptr<arrow::Array> ArrayOf(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  auto array = arrow::json::ArrayFromJSONString(type, json);
  if (!array.ok()) CheckFailed(__FILE__, __LINE__, array.status().ToString().c_str());
  return *std::move(array);
}

// "[1, null, 3]".
inline std::string TextOf(const arrow::Array& array) {
  std::string out = "[";
  for (int64_t i = 0; i < array.length(); ++i) {
    if (i > 0) out += ", ";
    const auto scalar = array.GetScalar(i).ValueOrDie();
    if (!scalar->is_valid) {
      out += "null";
    } else if (arrow::is_base_binary_like(scalar->type->id())) {
      out += "\"" + scalar->ToString() + "\"";
    } else {
      out += scalar->ToString();
    }
  }
  return out + "]";
}

}  // namespace tidemill
