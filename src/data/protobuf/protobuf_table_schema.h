#pragma once

#include <string>

#include "base/status.h"
#include "data/schema.h"

namespace tidemill {

// The .proto text (proto3) of a table's rows: one message `name` (letters that a name can't have become '_') whose
// fields are the columns, numbered from 1 in their order; a column that can be NULL is `optional`. kUnsupportedType
// names columns that Protobuf has no type or name for.
Result<std::string> ProtobufSchemaOfTable(const Schema& table, const std::string& name);

}  // namespace tidemill
