#include "log/schema_registry/registry_rules.h"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include "base/base64.h"
#include "base/errors.h"
#include "data/errors.h"
#include "data/schema_compatibility.h"
#include "log/errors.h"
#include "log/schema_registry/schema_registry.h"

namespace tidemill {
namespace {

// Collects what a schema refers to, what is needed first before what needs it.
class ReferenceResolver {
 public:
  ReferenceResolver(const RegistryState& state, SchemaLanguage language, bool live_only, ResolvedSchema& out)
      : state_(state), language_(language), filter_(live_only ? DeletedFilter::kLive : DeletedFilter::kAll), out_(out) {
    out_.language = language;
  }

  Status Add(const std::vector<SchemaReference>& references, int depth) {
    if (depth > kReferenceDepthMax)
      return Status(kInvalidSchema, fmt::format("references go deeper than {}", kReferenceDepthMax));
    for (const SchemaReference& reference : references) {
      const auto known = std::find_if(seen_.begin(), seen_.end(),
                                      [&](const SchemaReference& other) { return other.name == reference.name; });
      if (known != seen_.end()) {
        if (known->subject == reference.subject && known->version == reference.version) continue;
        return Status(kInvalidSchema, fmt::format("'{}' is referred to as two schemas: version {} of '{}' and version "
                                                  "{} of '{}'",
                                                  reference.name, known->version, known->subject, reference.version,
                                                  reference.subject));
      }
      if (static_cast<int>(seen_.size()) >= kReferencesPerSchemaMax)
        return Status(kInvalidSchema, fmt::format("more than {} references", kReferencesPerSchemaMax));
      const auto target = FindVersion(state_, reference.subject, reference.version, filter_);
      if (!target.ok())
        return Status(kInvalidSchema, fmt::format("no schema for the reference '{}': subject '{}', version {}",
                                                  reference.name, reference.subject, reference.version));
      if (target->schema.language != language_)
        return Status(kInvalidSchema, fmt::format("the reference '{}' is to a schema of another type: {}",
                                                  reference.name, SchemaLanguageName(target->schema.language)));
      bytes_ += static_cast<int64_t>(target->schema.text.size());
      if (bytes_ > kResolvedBytesMax)
        return Status(kInvalidSchema,
                      fmt::format("the schema and what it refers to have more than {} bytes", kResolvedBytesMax));
      seen_.push_back(reference);
      TM_RETURN_IF_ERROR(Add(target->schema.references, depth + 1));
      out_.parts.push_back({reference.name, target->schema.text});
    }
    return Status::OK();
  }

 private:
  const RegistryState& state_;
  const SchemaLanguage language_;
  const DeletedFilter filter_;
  ResolvedSchema& out_;
  std::vector<SchemaReference> seen_;
  int64_t bytes_ = 0;
};

std::string FingerprintText(const SchemaDefinition& schema, std::string_view canonical) {
  std::string text(SchemaLanguageName(schema.language));
  for (const SchemaReference& reference : schema.references)
    text += fmt::format("\n{}:{}{}:{}{}", reference.name.size(), reference.name, reference.subject.size(),
                        reference.subject, reference.version);
  text += '\0';
  text += canonical;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  TM_CHECK(EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr) == 1);
  return {reinterpret_cast<const char*>(digest), length};
}

// Some clients send Protobuf as a descriptor in base64.
bool IsDescriptorInBase64(const SchemaDefinition& schema) {
  return schema.language == SchemaLanguage::kProtobuf && !schema.text.empty() && DecodeBase64(schema.text).has_value();
}

bool ReadsBackward(CompatibilityLevel level) {
  return level == CompatibilityLevel::kBackward || level == CompatibilityLevel::kBackwardTransitive ||
         level == CompatibilityLevel::kFull || level == CompatibilityLevel::kFullTransitive;
}
bool ReadsForward(CompatibilityLevel level) {
  return level == CompatibilityLevel::kForward || level == CompatibilityLevel::kForwardTransitive ||
         level == CompatibilityLevel::kFull || level == CompatibilityLevel::kFullTransitive;
}
bool IsTransitive(CompatibilityLevel level) {
  return level == CompatibilityLevel::kBackwardTransitive || level == CompatibilityLevel::kForwardTransitive ||
         level == CompatibilityLevel::kFullTransitive;
}

Status CompareOne(const ResolvedSchema& reader, const ResolvedSchema& writer, bool backward,
                  std::vector<std::string>& messages) {
  TM_ASSIGN_OR_RETURN(const std::vector<SchemaConflict> conflicts, FindSchemaConflicts(reader, writer));
  for (const SchemaConflict& conflict : conflicts)
    messages.push_back(fmt::format("{{errorType:'{}', description:'{} (reader: the {} schema)', path:'{}'}}",
                                   conflict.kind, conflict.message, backward ? "new" : "old", conflict.path));
  return Status::OK();
}

}  // namespace

Status SubjectNotFoundError(const std::string& subject) {
  return Status(kSubjectNotFound, fmt::format("Subject '{}' not found.", subject));
}
Status VersionNotFoundError(int32_t version) {
  return Status(kSchemaVersionNotFound, version == kLatestVersion ? std::string("Version latest not found.")
                                                                  : fmt::format("Version {} not found.", version));
}

RegistryConfig EffectiveConfigOf(const RegistryState& state, const std::string& subject) {
  RegistryConfig config;
  if (const StoredSubject* stored = state.Find(subject); stored != nullptr && stored->config) config = *stored->config;
  const RegistryConfig& global = state.global_config();
  if (!config.compatibility) config.compatibility = global.compatibility.value_or(CompatibilityLevel::kBackward);
  if (!config.normalize) config.normalize = global.normalize.value_or(false);
  return config;
}

RegistryMode EffectiveModeOf(const RegistryState& state, const std::string& subject) {
  const RegistryMode global = state.global_mode().value_or(RegistryMode::kReadWrite);
  const StoredSubject* stored = state.Find(subject);
  if (global == RegistryMode::kReadOnlyOverride || stored == nullptr) return global;
  return stored->mode.value_or(global);
}

RegisteredVersion DescribeVersion(const std::string& subject, int32_t version, const StoredVersion& stored) {
  return {subject, version, stored.schema->id, stored.schema->definition, stored.deleted};
}

bool PassesFilter(bool deleted, DeletedFilter filter) {
  return filter == DeletedFilter::kAll || deleted == (filter == DeletedFilter::kDeleted);
}

Result<RegisteredVersion> FindVersion(const RegistryState& state, const std::string& subject, int32_t version,
                                      DeletedFilter filter) {
  const StoredSubject* stored = state.Find(subject);
  if (stored == nullptr || std::none_of(stored->versions.begin(), stored->versions.end(),
                                        [&](const auto& item) { return PassesFilter(item.second.deleted, filter); }))
    return SubjectNotFoundError(subject);
  if (version == kLatestVersion) {
    for (auto at = stored->versions.rbegin(); at != stored->versions.rend(); ++at) {
      if (PassesFilter(at->second.deleted, filter)) return DescribeVersion(subject, at->first, at->second);
    }
  }
  const auto found = stored->versions.find(version);
  if (found == stored->versions.end() || !PassesFilter(found->second.deleted, filter))
    return VersionNotFoundError(version);
  return DescribeVersion(subject, version, found->second);
}

Result<ResolvedSchema> ResolveSchema(const RegistryState& state, const SchemaDefinition& schema, bool live_only) {
  ResolvedSchema resolved;
  resolved.text = schema.text;
  TM_RETURN_IF_ERROR(ReferenceResolver(state, schema.language, live_only, resolved).Add(schema.references, 1));
  return resolved;
}

Result<PreparedSchema> PrepareSchema(const RegistryState& state, SchemaDefinition schema, bool normalize) {
  if (static_cast<int64_t>(schema.text.size()) > kSchemaTextBytesMax)
    return Status(kLimitExceeded, fmt::format("the schema has {} bytes, at most {} are taken", schema.text.size(),
                                              kSchemaTextBytesMax));
  if (!simdjson::validate_utf8(schema.text)) return Status(kInvalidSchema, "the schema is not UTF-8");
  for (SchemaReference& reference : schema.references) {
    if (reference.version != kLatestVersion) continue;
    const auto latest = FindVersion(state, reference.subject, kLatestVersion, DeletedFilter::kLive);
    if (latest.ok()) reference.version = latest->version;
  }
  PreparedSchema prepared;
  TM_ASSIGN_OR_RETURN(prepared.resolved, ResolveSchema(state, schema, true));
  TM_ASSIGN_OR_RETURN(std::string canonical, CanonicalSchema(prepared.resolved));
  const bool is_descriptor = IsDescriptorInBase64(schema);
  if (normalize || is_descriptor) {
    schema.text = canonical;
    prepared.resolved.text = canonical;
    // A descriptor may say what text does not: what is stored decides what is the same.
    if (is_descriptor) {
      TM_ASSIGN_OR_RETURN(canonical, CanonicalSchema(prepared.resolved));
    }
  }
  prepared.fingerprint = FingerprintText(schema, canonical);
  prepared.definition = std::move(schema);
  return prepared;
}

std::string FingerprintOf(const RegistryState& state, const SchemaDefinition& schema) {
  const auto resolved = ResolveSchema(state, schema, false);
  if (resolved.ok()) {
    if (const auto canonical = CanonicalSchema(*resolved); canonical.ok()) return FingerprintText(schema, *canonical);
  }
  return FingerprintText(schema, schema.text);
}

Result<std::vector<EarlierSchema>> EarlierSchemas(const RegistryState& state, const std::string& subject,
                                                  CompatibilityLevel level, std::optional<int32_t> version) {
  std::vector<EarlierSchema> earlier;
  if (version && *version != kLatestVersion) {
    TM_ASSIGN_OR_RETURN(const RegisteredVersion found, FindVersion(state, subject, *version, DeletedFilter::kLive));
    TM_ASSIGN_OR_RETURN(ResolvedSchema resolved, ResolveSchema(state, found.schema, false));
    earlier.push_back({found.version, std::move(resolved)});
    return earlier;
  }
  const StoredSubject* stored = state.Find(subject);
  if (stored == nullptr || level == CompatibilityLevel::kNone) return earlier;
  for (auto at = stored->versions.rbegin(); at != stored->versions.rend(); ++at) {
    if (at->second.deleted) continue;
    TM_ASSIGN_OR_RETURN(ResolvedSchema resolved, ResolveSchema(state, at->second.schema->definition, false));
    earlier.push_back({at->first, std::move(resolved)});
    if (version || !IsTransitive(level)) break;
  }
  return earlier;
}

Result<CompatibilityReport> CompareSchemas(const std::vector<EarlierSchema>& earlier, CompatibilityLevel level,
                                           const ResolvedSchema& schema) {
  CompatibilityReport report;
  if (level == CompatibilityLevel::kNone) return report;
  for (const EarlierSchema& old : earlier) {
    std::vector<std::string> messages;
    if (old.schema.language != schema.language) {
      messages.push_back(
          fmt::format("{{errorType:'TYPE_MISMATCH', description:'the new schema is {}, the old one {}', "
                      "path:'/'}}",
                      SchemaLanguageName(schema.language), SchemaLanguageName(old.schema.language)));
    } else {
      if (ReadsBackward(level)) TM_RETURN_IF_ERROR(CompareOne(schema, old.schema, true, messages));
      if (ReadsForward(level)) TM_RETURN_IF_ERROR(CompareOne(old.schema, schema, false, messages));
    }
    if (messages.empty()) continue;
    report.compatible = false;
    report.messages = std::move(messages);
    report.messages.push_back(fmt::format("{{oldSchemaVersion: {}}}", old.version));
    report.messages.push_back(fmt::format("{{oldSchema: '{}'}}", old.schema.text));
    report.messages.push_back(fmt::format("{{compatibility: '{}'}}", CompatibilityLevelName(level)));
    return report;
  }
  return report;
}

}  // namespace tidemill
