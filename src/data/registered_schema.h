#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace tidemill {

// Languages of schemas that a registry keeps, with Confluent's names on the wire: AVRO, JSON, PROTOBUF.
enum class SchemaLanguage { kAvro, kJson, kProtobuf };

// `name` is how the text speaks of it: Avro a full name, JSON Schema a URI, Protobuf an import path.
struct SchemaReference {
  std::string name;
  std::string subject;
  int32_t version = 0;

  bool operator==(const SchemaReference&) const = default;
};

// A schema as somebody registers it.
struct SchemaDefinition {
  SchemaLanguage language = SchemaLanguage::kAvro;
  std::string text;
  std::vector<SchemaReference> references;

  bool operator==(const SchemaDefinition&) const = default;
};

// A schema with all that it refers to, directly or not; what is needed by another comes before it. Enough to parse it
// without a registry.
struct ResolvedSchema {
  struct Part {
    std::string name;
    std::string text;
  };
  SchemaLanguage language = SchemaLanguage::kAvro;
  std::string text;
  std::vector<Part> parts;
};

// Where formats look schemas up: the registry in this process, or a client of another one. Thread-safe; answers about
// an id never change, so implementations keep them. Calls may wait for the network: once per schema, never per row.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  // kSchemaNotFound when the registry has no such id.
  virtual Result<ResolvedSchema> SchemaById(int32_t id) = 0;
  // Registers it, unless it is there: the same schema under the same subject gets the same id. kIncompatibleSchema with
  // the registry's words when its rules refuse it.
  virtual Result<int32_t> Register(const std::string& subject, const SchemaDefinition& schema) = 0;
  // The newest version's id and schema; nothing when the subject does not exist.
  struct Latest {
    int32_t id = 0;
    int32_t version = 0;
    ResolvedSchema schema;
  };
  virtual Result<std::optional<Latest>> LatestOf(const std::string& subject) = 0;
};

}  // namespace tidemill
