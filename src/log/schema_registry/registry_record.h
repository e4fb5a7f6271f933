#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "log/schema_registry/registry_types.h"

namespace tidemill {

// One record of the topic `_schemas`: JSON with the names of Confluent's registry. A record without a value takes back
// what its key says.
struct RegistryRecord {
  enum class Kind : uint8_t {
    kSchema,         // SCHEMA: `version`
    kDeleteSubject,  // DELETE_SUBJECT: softly all versions of version.subject up to version.version
    kConfig,         // CONFIG: `config`, of version.subject or global
    kMode,           // MODE: `mode`, the same
    kIdWatermark,    // TIDEMILL_ID_WATERMARK: ids up to version.id were given; Confluent's passes over it
    kOther,          // NOOP and what newer registries may write
  };
  Kind kind = Kind::kOther;
  bool tombstone = false;
  RegisteredVersion version;
  RegistryConfig config;
  RegistryMode mode = RegistryMode::kReadWrite;
};

std::string EncodeRegistryKey(const RegistryRecord& record);
std::string EncodeRegistryValue(const RegistryRecord& record);
// kCorruption says what is wrong with it.
Result<RegistryRecord> DecodeRegistryRecord(std::string_view key, std::optional<std::string_view> value);

}  // namespace tidemill
