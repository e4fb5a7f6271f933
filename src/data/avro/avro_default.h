#pragma once

#include <string>

#include <simdjson.h>

#include "base/status.h"
#include "data/avro/avro_schema.h"

namespace tidemill {

// Appends a field's default, given as JSON, in Avro's binary encoding; kInvalidSchema when it does not fit the type.
// Fields of a record that it leaves out take their own defaults. `out` grows to at most `bytes_max`.
Status EncodeAvroDefault(const AvroType& type, simdjson::dom::element value, size_t bytes_max, std::string& out);

// Text of a value as JSON: no white space, members of objects by name.
std::string SortedJson(simdjson::dom::element value);

}  // namespace tidemill
