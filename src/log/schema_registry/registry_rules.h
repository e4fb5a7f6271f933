#pragma once

#include <optional>
#include <string>
#include <vector>

#include "log/schema_registry/registry_state.h"

namespace tidemill {

// Questions about a state and a schema that is not in it yet. The caller sees to it that the state does not change
// meanwhile.

RegistryConfig EffectiveConfigOf(const RegistryState& state, const std::string& subject);  // all members set
RegistryMode EffectiveModeOf(const RegistryState& state, const std::string& subject);

RegisteredVersion DescribeVersion(const std::string& subject, int32_t version, const StoredVersion& stored);
bool PassesFilter(bool deleted, DeletedFilter filter);
// kSubjectNotFound, kSchemaVersionNotFound.
Result<RegisteredVersion> FindVersion(const RegistryState& state, const std::string& subject, int32_t version,
                                      DeletedFilter filter);

// The schema with all it refers to. kInvalidSchema when that is not there, too much, or refers to itself.
Result<ResolvedSchema> ResolveSchema(const RegistryState& state, const SchemaDefinition& schema, bool live_only);

struct PreparedSchema {
  SchemaDefinition definition;  // as it is stored: references to "latest" have a number
  ResolvedSchema resolved;
  std::string fingerprint;
};
// Checks bounds, resolves and parses it. kInvalidSchema, kLimitExceeded.
Result<PreparedSchema> PrepareSchema(const RegistryState& state, SchemaDefinition schema, bool normalize);
// Of a schema that is stored. One that can't be parsed here is the same as one with the same text.
std::string FingerprintOf(const RegistryState& state, const SchemaDefinition& schema);

struct EarlierSchema {
  int32_t version = 0;
  ResolvedSchema schema;
};
// Live versions that a new one is compared with, newest first; with `version` only that one.
Result<std::vector<EarlierSchema>> EarlierSchemas(const RegistryState& state, const std::string& subject,
                                                  CompatibilityLevel level, std::optional<int32_t> version);
// Looks at no state: may run without a lock.
Result<CompatibilityReport> CompareSchemas(const std::vector<EarlierSchema>& earlier, CompatibilityLevel level,
                                           const ResolvedSchema& schema);

Status SubjectNotFoundError(const std::string& subject);
Status VersionNotFoundError(int32_t version);

}  // namespace tidemill
