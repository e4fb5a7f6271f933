#pragma once

#include <vector>

#include "data/protobuf/protobuf_schema.h"
#include "data/schema_compatibility.h"

namespace tidemill {

// What of messages written with `writer` a program made from `reader` misreads, by the rules of Confluent's registry
// and with its names. Fields are known by their numbers, messages by their names.
std::vector<SchemaConflict> FindProtobufConflicts(const ProtobufSchema& reader, const ProtobufSchema& writer);

}  // namespace tidemill
