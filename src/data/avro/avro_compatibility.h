#pragma once

#include <vector>

#include "data/avro/avro_schema.h"
#include "data/schema_compatibility.h"

namespace tidemill {

// What keeps a reader with `reader` from data written with `writer`: the rules of schema resolution in Avro's
// specification, with Confluent's names: NAME_MISMATCH, FIXED_SIZE_MISMATCH, MISSING_ENUM_SYMBOLS,
// READER_FIELD_MISSING_DEFAULT_VALUE, TYPE_MISMATCH, MISSING_UNION_BRANCH. Paths are places in the reader, and the
// writer's branch where it has a union. At most 100; kInvalidSchema when both are too large to be compared.
Result<std::vector<SchemaConflict>> FindAvroConflicts(const AvroSchema& reader, const AvroSchema& writer);

// Whether a reader's named type takes the writer's: the same simple name, or an alias that is the writer's full name.
bool AvroNamesMatch(const AvroType& reader, const AvroType& writer);

}  // namespace tidemill
