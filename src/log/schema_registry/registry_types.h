#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/registered_schema.h"

namespace tidemill {

// Which versions a new one is compared with, and which way: backward, the new schema reads data written with the old
// one; forward, the old reads data of the new. Transitive: with all versions, otherwise with the newest.
enum class CompatibilityLevel : uint8_t {
  kNone,
  kBackward,
  kBackwardTransitive,
  kForward,
  kForwardTransitive,
  kFull,
  kFullTransitive,
};

// What may be done with a subject. READONLY_OVERRIDE, globally, goes before the modes of subjects; IMPORT takes schemas
// with ids and versions that the client chooses.
enum class RegistryMode : uint8_t { kReadWrite, kReadOnly, kReadOnlyOverride, kImport };

// Confluent's names, as they are on the wire. Parsing knows no other case.
std::string_view CompatibilityLevelName(CompatibilityLevel level);
std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name);
std::string_view RegistryModeName(RegistryMode mode);
std::optional<RegistryMode> ParseRegistryMode(std::string_view name);
std::string_view SchemaLanguageName(SchemaLanguage language);
std::optional<SchemaLanguage> ParseSchemaLanguage(std::string_view name);

// Of a subject, or of all that have none of their own. Absent: the global one's, and where that has none, BACKWARD and
// not normalized.
struct RegistryConfig {
  std::optional<CompatibilityLevel> compatibility;
  std::optional<bool> normalize;

  bool operator==(const RegistryConfig&) const = default;
};

inline constexpr int32_t kLatestVersion = -1;

// One version of a subject.
struct RegisteredVersion {
  std::string subject;
  int32_t version = 0;
  int32_t id = 0;
  SchemaDefinition schema;
  bool deleted = false;  // softly: its id can still be read
};

struct SubjectVersion {
  std::string subject;
  int32_t version = 0;
};

// Softly deleted ones as well, or only those.
enum class DeletedFilter : uint8_t { kLive, kAll, kDeleted };

struct RegisterOptions {
  bool normalize = false;  // stores and compares the canonical text
  int32_t id = -1;         // chosen by the client: mode IMPORT
  int32_t version = -1;    // the same; in another mode it must be the next one
};

struct CompatibilityReport {
  bool compatible = true;
  std::vector<std::string> messages;  // in Confluent's way of writing them
};

}  // namespace tidemill
