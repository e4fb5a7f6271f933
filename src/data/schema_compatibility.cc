#include "data/schema_compatibility.h"

#include "data/avro/avro_compatibility.h"
#include "data/avro/avro_schema.h"
#include "data/errors.h"
#include "data/json_schema/json_schema.h"
#include "data/json_schema/json_schema_compatibility.h"
#include "data/protobuf/protobuf_compatibility.h"
#include "data/protobuf/protobuf_schema.h"

namespace tidemill {
namespace {

Result<std::vector<SchemaConflict>> AvroConflicts(const ResolvedSchema& reader, const ResolvedSchema& writer) {
  TM_ASSIGN_OR_RETURN(const auto parsed_reader, AvroSchema::Parse(reader));
  TM_ASSIGN_OR_RETURN(const auto parsed_writer, AvroSchema::Parse(writer));
  return FindAvroConflicts(*parsed_reader, *parsed_writer);
}

Result<std::string> CanonicalAvro(const ResolvedSchema& schema) {
  TM_ASSIGN_OR_RETURN(const auto parsed, AvroSchema::Parse(schema));
  return parsed->CanonicalText();
}

Result<std::vector<SchemaConflict>> JsonSchemaConflicts(const ResolvedSchema& reader, const ResolvedSchema& writer) {
  TM_ASSIGN_OR_RETURN(const auto parsed_reader, JsonSchema::Parse(reader));
  TM_ASSIGN_OR_RETURN(const auto parsed_writer, JsonSchema::Parse(writer));
  return FindJsonSchemaConflicts(*parsed_reader, *parsed_writer);
}

Result<std::string> CanonicalJsonSchema(const ResolvedSchema& schema) {
  TM_ASSIGN_OR_RETURN(const auto parsed, JsonSchema::Parse(schema));
  return parsed->CanonicalText();
}

Result<std::vector<SchemaConflict>> ProtobufConflicts(const ResolvedSchema& reader, const ResolvedSchema& writer) {
  TM_ASSIGN_OR_RETURN(const auto parsed_reader, ProtobufSchema::Parse(reader));
  TM_ASSIGN_OR_RETURN(const auto parsed_writer, ProtobufSchema::Parse(writer));
  return FindProtobufConflicts(*parsed_reader, *parsed_writer);
}

Result<std::string> CanonicalProtobuf(const ResolvedSchema& schema) {
  TM_ASSIGN_OR_RETURN(const auto parsed, ProtobufSchema::Parse(schema));
  return parsed->CanonicalText();
}

}  // namespace

Result<std::vector<SchemaConflict>> FindSchemaConflicts(const ResolvedSchema& reader, const ResolvedSchema& writer) {
  if (reader.language != writer.language) {
    return std::vector<SchemaConflict>{{"TYPE_MISMATCH", "", "the schemas are in different languages"}};
  }
  switch (reader.language) {
    case SchemaLanguage::kAvro:
      return AvroConflicts(reader, writer);
    case SchemaLanguage::kJson:
      return JsonSchemaConflicts(reader, writer);
    case SchemaLanguage::kProtobuf:
      return ProtobufConflicts(reader, writer);
  }
  return Status(kUnsupportedType, "unknown language of a schema");
}

Result<std::string> CanonicalSchema(const ResolvedSchema& schema) {
  switch (schema.language) {
    case SchemaLanguage::kAvro:
      return CanonicalAvro(schema);
    case SchemaLanguage::kJson:
      return CanonicalJsonSchema(schema);
    case SchemaLanguage::kProtobuf:
      return CanonicalProtobuf(schema);
  }
  return Status(kUnsupportedType, "unknown language of a schema");
}

Result<std::string> SerializedSchema(const ResolvedSchema& schema) {
  if (schema.language != SchemaLanguage::kProtobuf)
    return Status(kUnsupportedType, "only schemas in Protobuf have a serialized form");
  TM_ASSIGN_OR_RETURN(const auto parsed, ProtobufSchema::Parse(schema));
  return parsed->SerializedText();
}

}  // namespace tidemill
