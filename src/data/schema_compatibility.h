#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "data/registered_schema.h"

namespace tidemill {

// One reason why data written with one schema can't be read with another. `kind` is Confluent's name of it
// (READER_FIELD_MISSING_DEFAULT_VALUE, TYPE_MISMATCH, FIELD_SCALAR_KIND_CHANGED, ...), `path` the place in the schema
// ("/fields/2/type"), `message` a sentence with both sides.
struct SchemaConflict {
  std::string kind;
  std::string path;
  std::string message;
};

// What of data written with `writer` a reader with `reader` can't take, by the rules of the language (Avro's schema
// resolution; Confluent's rules for JSON Schema and Protobuf). Empty: it can. At most 100 conflicts are named.
// kInvalidSchema when one can't be parsed. Both have the same language.
Result<std::vector<SchemaConflict>> FindSchemaConflicts(const ResolvedSchema& reader, const ResolvedSchema& writer);

// Parses it and gives the form under which equal schemas are equal: white space and the order of members that mean
// nothing removed. kInvalidSchema says what and where.
Result<std::string> CanonicalSchema(const ResolvedSchema& schema);

// Protobuf alone: its FileDescriptorProto, in base64. kInvalidSchema; kUnsupportedType for other languages.
Result<std::string> SerializedSchema(const ResolvedSchema& schema);

}  // namespace tidemill
