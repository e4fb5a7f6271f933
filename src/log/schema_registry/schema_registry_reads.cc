#include <algorithm>

#include <fmt/format.h>

#include "data/errors.h"
#include "log/errors.h"
#include "log/schema_registry/registry_rules.h"
#include "log/schema_registry/schema_registry.h"

namespace tidemill {
namespace {

Status SchemaNotFoundError(int32_t id) { return Status(kSchemaNotFound, fmt::format("Schema {} not found", id)); }

}  // namespace

Result<ResolvedSchema> SchemaRegistry::SchemaById(int32_t id) {
  std::shared_lock lock(state_mutex_);
  const auto schema = state_->FindId(id);
  if (schema == nullptr) return SchemaNotFoundError(id);
  return ResolveSchema(*state_, schema->definition, false);
}

Result<int32_t> SchemaRegistry::Register(const std::string& subject, const SchemaDefinition& schema) {
  TM_ASSIGN_OR_RETURN(const RegisteredVersion version, RegisterVersion(subject, schema));
  return version.id;
}

Result<std::optional<SchemaSource::Latest>> SchemaRegistry::LatestOf(const std::string& subject) {
  std::shared_lock lock(state_mutex_);
  const auto latest = FindVersion(*state_, subject, kLatestVersion, DeletedFilter::kLive);
  if (!latest.ok()) return std::optional<Latest>();
  TM_ASSIGN_OR_RETURN(ResolvedSchema resolved, ResolveSchema(*state_, latest->schema, false));
  return std::optional(Latest{latest->id, latest->version, std::move(resolved)});
}

Result<RegisteredVersion> SchemaRegistry::Lookup(const std::string& subject, const SchemaDefinition& schema,
                                                 bool normalize, DeletedFilter filter) {
  EnsureIndexed();
  std::shared_lock lock(state_mutex_);
  const StoredSubject* stored = state_->Find(subject);
  if (stored == nullptr || !FindVersion(*state_, subject, kLatestVersion, filter).ok())
    return SubjectNotFoundError(subject);
  normalize = normalize || *EffectiveConfigOf(*state_, subject).normalize;
  TM_ASSIGN_OR_RETURN(const PreparedSchema prepared, PrepareSchema(*state_, schema, normalize));
  for (auto at = stored->versions.rbegin(); at != stored->versions.rend(); ++at) {
    if (PassesFilter(at->second.deleted, filter) && state_->HasFingerprint(at->second.schema->id, prepared.fingerprint))
      return DescribeVersion(subject, at->first, at->second);
  }
  return Status(kSchemaNotFound, "Schema not found");
}

Result<CompatibilityReport> SchemaRegistry::CheckCompatibility(const std::string& subject,
                                                               std::optional<int32_t> version,
                                                               const SchemaDefinition& schema, bool normalize) {
  std::vector<EarlierSchema> earlier;
  CompatibilityLevel level = CompatibilityLevel::kNone;
  PreparedSchema prepared;
  {
    std::shared_lock lock(state_mutex_);
    level = *EffectiveConfigOf(*state_, subject).compatibility;
    TM_ASSIGN_OR_RETURN(prepared, PrepareSchema(*state_, schema, normalize));
    TM_ASSIGN_OR_RETURN(earlier, EarlierSchemas(*state_, subject, level, version));
  }
  return CompareSchemas(earlier, level, prepared.resolved);
}

std::vector<std::string> SchemaRegistry::Subjects(std::string_view prefix, DeletedFilter filter) const {
  std::shared_lock lock(state_mutex_);
  std::vector<std::string> names;
  for (auto at = state_->subjects().lower_bound(std::string(prefix)); at != state_->subjects().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    const auto& versions = at->second.versions;
    const bool has_live =
        std::any_of(versions.begin(), versions.end(), [](const auto& item) { return !item.second.deleted; });
    if (!versions.empty() && PassesFilter(!has_live, filter)) names.push_back(at->first);
  }
  return names;
}

Result<std::vector<int32_t>> SchemaRegistry::Versions(const std::string& subject, DeletedFilter filter) const {
  std::shared_lock lock(state_mutex_);
  const StoredSubject* stored = state_->Find(subject);
  std::vector<int32_t> versions;
  if (stored != nullptr) {
    for (const auto& [number, version] : stored->versions) {
      if (PassesFilter(version.deleted, filter)) versions.push_back(number);
    }
  }
  if (versions.empty()) return SubjectNotFoundError(subject);
  return versions;
}

Result<RegisteredVersion> SchemaRegistry::Version(const std::string& subject, int32_t version,
                                                  DeletedFilter filter) const {
  std::shared_lock lock(state_mutex_);
  return FindVersion(*state_, subject, version, filter);
}

std::vector<RegisteredVersion> SchemaRegistry::Schemas(std::string_view prefix, DeletedFilter filter,
                                                       bool latest_only) const {
  std::shared_lock lock(state_mutex_);
  std::vector<RegisteredVersion> all;
  for (auto at = state_->subjects().lower_bound(std::string(prefix)); at != state_->subjects().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    const size_t first = all.size();
    for (const auto& [number, version] : at->second.versions) {
      if (PassesFilter(version.deleted, filter)) all.push_back(DescribeVersion(at->first, number, version));
    }
    if (latest_only && all.size() > first + 1) all.erase(all.begin() + static_cast<int64_t>(first), all.end() - 1);
  }
  return all;
}

Result<SchemaDefinition> SchemaRegistry::Definition(int32_t id) const {
  std::shared_lock lock(state_mutex_);
  const auto schema = state_->FindId(id);
  if (schema == nullptr) return SchemaNotFoundError(id);
  return schema->definition;
}

Result<std::vector<SubjectVersion>> SchemaRegistry::UsesOf(int32_t id, DeletedFilter filter) const {
  std::shared_lock lock(state_mutex_);
  if (state_->FindId(id) == nullptr) return SchemaNotFoundError(id);
  std::vector<SubjectVersion> uses;
  for (const auto& [name, subject] : state_->subjects()) {
    for (const auto& [number, version] : subject.versions) {
      if (version.schema->id == id && PassesFilter(version.deleted, filter)) uses.push_back({name, number});
    }
  }
  return uses;
}

Result<std::vector<int32_t>> SchemaRegistry::ReferencedBy(const std::string& subject, int32_t version) const {
  std::shared_lock lock(state_mutex_);
  TM_ASSIGN_OR_RETURN(const RegisteredVersion target, FindVersion(*state_, subject, version, DeletedFilter::kAll));
  std::set<int32_t> ids;
  for (const auto& [name, other] : state_->subjects()) {
    for (const auto& [number, stored] : other.versions) {
      if (stored.deleted) continue;
      for (const SchemaReference& reference : stored.schema->definition.references) {
        if (reference.subject == subject && reference.version == target.version) ids.insert(stored.schema->id);
      }
    }
  }
  return std::vector<int32_t>(ids.begin(), ids.end());
}

int32_t SchemaRegistry::max_id() const {
  std::shared_lock lock(state_mutex_);
  return state_->max_id();
}

Result<RegistryConfig> SchemaRegistry::GetConfig(const std::string& subject) const {
  std::shared_lock lock(state_mutex_);
  if (subject.empty()) {
    RegistryConfig config = state_->global_config();
    config.compatibility = config.compatibility.value_or(CompatibilityLevel::kBackward);
    return config;
  }
  const StoredSubject* stored = state_->Find(subject);
  if (stored == nullptr || !stored->config)
    return Status(kNoSubjectConfig,
                  fmt::format("Subject '{}' does not have subject-level compatibility configured", subject));
  return *stored->config;
}

RegistryConfig SchemaRegistry::EffectiveConfig(const std::string& subject) const {
  std::shared_lock lock(state_mutex_);
  return EffectiveConfigOf(*state_, subject);
}

Result<RegistryMode> SchemaRegistry::GetMode(const std::string& subject) const {
  std::shared_lock lock(state_mutex_);
  if (subject.empty()) return state_->global_mode().value_or(RegistryMode::kReadWrite);
  const StoredSubject* stored = state_->Find(subject);
  if (stored == nullptr || !stored->mode)
    return Status(kNoSubjectMode, fmt::format("Subject '{}' does not have subject-level mode configured", subject));
  return *stored->mode;
}

RegistryMode SchemaRegistry::EffectiveMode(const std::string& subject) const {
  std::shared_lock lock(state_mutex_);
  return EffectiveModeOf(*state_, subject);
}

}  // namespace tidemill
