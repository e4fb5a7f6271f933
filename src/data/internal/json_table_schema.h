#pragma once

#include <string>

#include "base/status.h"
#include "data/schema.h"

namespace tidemill {

// The JSON Schema (draft 7) of what the JSON encoder writes for a table: a closed object, columns that can't be NULL
// required, the others one of null and their type. Closed, so that a column can be added under BACKWARD compatibility.
// kUnsupportedType for maps with keys that are no text.
Result<std::string> JsonSchemaOfTable(const Schema& table);

}  // namespace tidemill
