#pragma once

#include <vector>

#include "data/json_schema/json_schema.h"
#include "data/schema_compatibility.h"

namespace tidemill {

// What of the documents that `writer` allows `reader` may refuse, by the rules of Confluent's registry and with its
// names: a property that is added to an open content model may have been written with any type before, one that is
// removed from a closed one is refused, and so on. kLimitExceeded when the comparison takes too many steps.
Result<std::vector<SchemaConflict>> FindJsonSchemaConflicts(const JsonSchema& reader, const JsonSchema& writer);

}  // namespace tidemill
