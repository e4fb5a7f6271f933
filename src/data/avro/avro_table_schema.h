#pragma once

#include <string>

#include "base/status.h"
#include "data/schema.h"

namespace tidemill {

// The Avro schema of a table's rows as Flink derives it: the record `org.apache.flink.avro.generated.record`, nested
// records named after their place, a column that can be NULL a union with null first and null as its default. Beyond
// Flink: TIMESTAMP_LTZ also with `legacy_timestamps`, precisions up to 9 (timestamp-micros, timestamp-nanos).
// kUnsupportedType for intervals, maps with keys that are no text, and names that Avro does not have.
Result<std::string> AvroSchemaOfTable(const Schema& table, bool legacy_timestamps);

}  // namespace tidemill
