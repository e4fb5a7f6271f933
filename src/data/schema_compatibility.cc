#include "data/schema_compatibility.h"

#include "data/avro/avro_compatibility.h"
#include "data/avro/avro_schema.h"
#include "data/errors.h"

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

Status UnknownLanguage(SchemaLanguage language) {
  return Status(kUnsupportedType, language == SchemaLanguage::kJson ? "schemas in JSON Schema are not supported"
                                                                    : "schemas in Protobuf are not supported");
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
    case SchemaLanguage::kProtobuf:
      break;
  }
  return UnknownLanguage(reader.language);
}

Result<std::string> CanonicalSchema(const ResolvedSchema& schema) {
  switch (schema.language) {
    case SchemaLanguage::kAvro:
      return CanonicalAvro(schema);
    case SchemaLanguage::kJson:
    case SchemaLanguage::kProtobuf:
      break;
  }
  return UnknownLanguage(schema.language);
}

}  // namespace tidemill
