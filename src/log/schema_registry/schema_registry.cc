#include "log/schema_registry/schema_registry.h"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/errors.h"
#include "base/logging.h"
#include "data/errors.h"
#include "log/errors.h"
#include "log/schema_registry/registry_rules.h"

namespace tidemill {
namespace {

using RecordKind = RegistryRecord::Kind;

constexpr int kReplayRecords = 1024;

Status CheckSubjectName(const std::string& subject) {
  const auto refuse = [&](std::string_view why) {
    return Status(kInvalidSubject, fmt::format("The specified subject '{}' is not a valid name: {}", subject, why));
  };
  if (static_cast<int>(subject.size()) > kSubjectBytesMax)
    return Status(kInvalidSubject, fmt::format("a subject has at most {} bytes", kSubjectBytesMax));
  if (!simdjson::validate_utf8(subject)) return Status(kInvalidSubject, "a subject is UTF-8");
  if (std::all_of(subject.begin(), subject.end(), [](char c) { return c == ' '; })) return refuse("it is blank");
  if (std::any_of(subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    return refuse("it has control characters");
  if (subject == "__GLOBAL" || subject == "__EMPTY") return refuse("it is reserved");
  if (subject.starts_with(":.")) return refuse("contexts are not supported");
  return Status::OK();
}

RegistryRecord ConfigRecord(const std::string& subject, const std::optional<RegistryConfig>& config) {
  RegistryRecord record{.kind = RecordKind::kConfig, .tombstone = !config};
  record.version.subject = subject;
  record.config = config.value_or(RegistryConfig());
  return record;
}

RegistryRecord ModeRecord(const std::string& subject, std::optional<RegistryMode> mode) {
  RegistryRecord record{.kind = RecordKind::kMode, .tombstone = !mode};
  record.version.subject = subject;
  record.mode = mode.value_or(RegistryMode::kReadWrite);
  return record;
}

// A subject that has no live version any more keeps no settings.
void ForgetSettings(const std::string& subject, const StoredSubject& stored, std::vector<RegistryRecord>& records) {
  if (stored.config) records.push_back(ConfigRecord(subject, std::nullopt));
  if (stored.mode) records.push_back(ModeRecord(subject, std::nullopt));
}

}  // namespace

SchemaRegistry::SchemaRegistry(Log& log) : log_(log), state_(std::make_unique<RegistryState>()) {}
SchemaRegistry::~SchemaRegistry() = default;

Result<std::unique_ptr<SchemaRegistry>> SchemaRegistry::Open(Log& log) {
  std::unique_ptr<SchemaRegistry> registry(new SchemaRegistry(log));
  std::lock_guard lock(registry->write_mutex_);
  const auto topic = log.Describe(std::string(kSchemaTopic));
  if (topic.ok()) {
    TM_RETURN_IF_ERROR(registry->EnsureTopic());
    TM_RETURN_IF_ERROR(registry->CatchUp());
  } else if (!topic.status().Is(kUnknownTopic)) {
    return topic.status();
  }
  return registry;
}

// ---- The topic

Status SchemaRegistry::EnsureTopic() {
  if (partition_ != nullptr) return Status::OK();
  const std::string name(kSchemaTopic);
  const auto topic = log_.Describe(name);
  TopicConfig config = topic.ok() ? topic->config : TopicConfig();
  if (!topic.ok() && !topic.status().Is(kUnknownTopic)) return topic.status();
  if (!topic.ok() || config.cleanup_policy != CleanupPolicy::kCompact) {
    // Retention would lose schemas that data is still written with.
    config.cleanup_policy = CleanupPolicy::kCompact;
    TM_RETURN_IF_ERROR(topic.ok() ? log_.AlterTopic(name, config) : log_.CreateTopic(name, config));
  }
  TM_ASSIGN_OR_RETURN(auto partition, log_.partition(kSchemaTopic, 0));
  partition_ = std::move(partition);
  reader_ = std::make_unique<PartitionReader>(partition_, partition_->Offsets().log_start);
  return Status::OK();
}

Status SchemaRegistry::CatchUp() {
  if (reader_ == nullptr) return Status::OK();
  std::vector<RecordView> records;
  while (true) {
    TM_RETURN_IF_ERROR(reader_->Poll(kReplayRecords, &records));
    if (records.empty()) return Status::OK();
    std::unique_lock lock(state_mutex_);
    for (const RecordView& record : records) {
      const auto value = record.has_value() ? std::optional(record.value) : std::nullopt;
      const auto decoded = DecodeRegistryRecord(record.key, value);
      if (decoded.ok()) {
        state_->Apply(*decoded);
      } else {
        LogWarning(fmt::format("topic {}: the record at offset {} is passed over: {}", kSchemaTopic, record.offset,
                               decoded.status().message()));
      }
    }
    if (indexed_) {
      state_->Index([this](const SchemaDefinition& schema) { return FingerprintOf(*state_, schema); });
    }
  }
}

Status SchemaRegistry::Write(const std::vector<RegistryRecord>& records) {
  TM_RETURN_IF_ERROR(EnsureTopic());
  std::vector<std::string> texts;
  texts.reserve(records.size() * 2);
  std::vector<Record> batch;
  for (const RegistryRecord& record : records) {
    Record& row = batch.emplace_back();
    row.key = texts.emplace_back(EncodeRegistryKey(record));
    if (!record.tombstone) row.value = texts.emplace_back(EncodeRegistryValue(record));
  }
  TM_ASSIGN_OR_RETURN(const int64_t first, partition_->Append(batch));
  TM_RETURN_IF_ERROR(partition_->SyncUpTo(first + static_cast<int64_t>(batch.size()) - 1));
  return CatchUp();
}

void SchemaRegistry::EnsureIndexed() {
  {
    std::shared_lock lock(state_mutex_);
    if (indexed_) return;
  }
  std::lock_guard write(write_mutex_);
  std::unique_lock lock(state_mutex_);
  indexed_ = true;
  state_->Index([this](const SchemaDefinition& schema) { return FingerprintOf(*state_, schema); });
}

Status SchemaRegistry::CheckWritable(const std::string& subject) const {
  const RegistryMode mode = EffectiveModeOf(*state_, subject);
  if (mode != RegistryMode::kReadOnly && mode != RegistryMode::kReadOnlyOverride) return Status::OK();
  return Status(kRegistryNotPermitted, fmt::format("Subject {} is in read-only mode", subject));
}

// ---- Registering

Result<RegisteredVersion> SchemaRegistry::RegisterVersion(const std::string& subject, SchemaDefinition schema,
                                                          const RegisterOptions& options) {
  TM_RETURN_IF_ERROR(CheckSubjectName(subject));
  EnsureIndexed();
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  const bool normalize = options.normalize || *EffectiveConfigOf(*state_, subject).normalize;
  TM_ASSIGN_OR_RETURN(PreparedSchema prepared, PrepareSchema(*state_, std::move(schema), normalize));
  const StoredSubject* stored = state_->Find(subject);
  if (stored != nullptr) {
    for (const auto& [number, version] : stored->versions) {
      if (version.deleted || !state_->HasFingerprint(version.schema->id, prepared.fingerprint)) continue;
      if (options.id >= 0 && options.id != version.schema->id) continue;
      if (options.version > 0 && options.version != number) continue;
      return DescribeVersion(subject, number, version);
    }
  }
  const RegistryMode mode = EffectiveModeOf(*state_, subject);
  if (options.id >= 0 && mode != RegistryMode::kImport)
    return Status(kRegistryNotPermitted, fmt::format("Subject {} is not in import mode", subject));
  if (options.id < 0 && mode != RegistryMode::kReadWrite)
    return Status(kRegistryNotPermitted, fmt::format("Subject {} is not in read-write mode", subject));
  if (stored == nullptr || stored->versions.empty()) {
    if (state_->subject_count() >= kSubjectsMax)
      return Status(kLimitExceeded, fmt::format("the registry has {} subjects, the most it takes", kSubjectsMax));
  } else if (static_cast<int>(stored->versions.size()) >= kVersionsPerSubjectMax) {
    return Status(kLimitExceeded,
                  fmt::format("subject '{}' has {} versions, the most it takes", subject, kVersionsPerSubjectMax));
  }
  if (state_->text_bytes() + static_cast<int64_t>(prepared.definition.text.size()) > kRegistryTextBytesMax)
    return Status(kLimitExceeded, fmt::format("the schemas have {} bytes together, the most the registry takes",
                                              kRegistryTextBytesMax));
  if (options.id >= 0) return Import(subject, std::move(prepared.definition), prepared.fingerprint, options);
  return RegisterAnew(subject, std::move(prepared.definition), prepared.resolved, prepared.fingerprint, options);
}

Result<RegisteredVersion> SchemaRegistry::RegisterAnew(const std::string& subject, SchemaDefinition schema,
                                                       const ResolvedSchema& resolved, const std::string& fingerprint,
                                                       const RegisterOptions& options) {
  const StoredSubject* stored = state_->Find(subject);
  const int32_t version = stored == nullptr || stored->versions.empty() ? 1 : stored->versions.rbegin()->first + 1;
  if (options.version > 0 && options.version != version)
    return Status(kInvalidSchema,
                  fmt::format("version {} is not the next one of '{}': {}", options.version, subject, version));
  const CompatibilityLevel level = *EffectiveConfigOf(*state_, subject).compatibility;
  TM_ASSIGN_OR_RETURN(const auto earlier, EarlierSchemas(*state_, subject, level, std::nullopt));
  TM_ASSIGN_OR_RETURN(const CompatibilityReport report, CompareSchemas(earlier, level, resolved));
  if (!report.compatible) {
    std::string details;
    for (const std::string& message : report.messages) details += (details.empty() ? "" : ", ") + message;
    Status error(
        kIncompatibleSchema,
        fmt::format("Schema being registered is incompatible with an earlier schema for subject \"{}\", details: [{}]",
                    subject, details));
    return error;
  }
  const std::optional<int32_t> known = state_->IdOf(fingerprint);
  if (!known && state_->max_id() == INT32_MAX) return Status(kLimitExceeded, "every id has been given");
  return WriteVersion({subject, version, known.value_or(state_->max_id() + 1), std::move(schema)});
}

Result<RegisteredVersion> SchemaRegistry::Import(const std::string& subject, SchemaDefinition schema,
                                                 const std::string& fingerprint, const RegisterOptions& options) {
  if (options.id < 1) return Status(kInvalidSchema, "ids are numbers from 1 on");
  if (state_->FindId(options.id) != nullptr && !state_->HasFingerprint(options.id, fingerprint))
    return Status(kRegistryNotPermitted, fmt::format("Overwrite new schema with id {} is not permitted.", options.id));
  const StoredSubject* stored = state_->Find(subject);
  int32_t version = options.version;
  if (version < 1) version = stored == nullptr || stored->versions.empty() ? 1 : stored->versions.rbegin()->first + 1;
  if (stored != nullptr) {
    const auto found = stored->versions.find(version);
    if (found != stored->versions.end() && (found->second.schema->id != options.id || !found->second.deleted))
      return Status(kRegistryNotPermitted,
                    fmt::format("Overwriting version {} of subject {} is not permitted.", version, subject));
  }
  return WriteVersion({subject, version, options.id, std::move(schema)});
}

Result<RegisteredVersion> SchemaRegistry::WriteVersion(RegisteredVersion version) {
  // Of a schema that is there already the stored text stands: an id has one text.
  if (const auto known = state_->FindId(version.id)) version.schema = known->definition;
  RegistryRecord record{.kind = RecordKind::kSchema};
  record.version = version;
  TM_RETURN_IF_ERROR(Write({record}));
  return version;
}

// ---- Deleting

Status SchemaRegistry::CheckReferences(const std::string& subject, const std::set<int32_t>& versions,
                                       bool permanent) const {
  for (const auto& [name, other] : state_->subjects()) {
    for (const auto& [number, version] : other.versions) {
      // A softly deleted one is still read by its id, and then needs what it refers to.
      if ((version.deleted && !permanent) || (name == subject && versions.contains(number))) continue;
      for (const SchemaReference& reference : version.schema->definition.references) {
        if (reference.subject != subject || !versions.contains(reference.version)) continue;
        return Status(kSchemaReferenced,
                      fmt::format("One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={},"
                                  "version={}}}: version {} of '{}'{}.",
                                  subject, reference.version, number, name,
                                  version.deleted ? ", which is deleted, but not permanently" : ""));
      }
    }
  }
  return Status::OK();
}

Result<std::vector<int32_t>> SchemaRegistry::DeleteSubject(const std::string& subject, bool permanent) {
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  TM_RETURN_IF_ERROR(CheckWritable(subject));
  const StoredSubject* stored = state_->Find(subject);
  if (stored == nullptr || stored->versions.empty()) return SubjectNotFoundError(subject);
  std::vector<int32_t> deleted;
  bool has_live = false;
  for (const auto& [number, version] : stored->versions) {
    has_live = has_live || !version.deleted;
    if (permanent || !version.deleted) deleted.push_back(number);
  }
  if (permanent && has_live)
    return Status(kSubjectNotSoftDeleted,
                  fmt::format("Subject '{}' was not deleted first before being permanently deleted", subject));
  if (!permanent && !has_live)
    return Status(kSubjectSoftDeleted,
                  fmt::format("Subject '{}' was soft deleted.Set permanent=true to delete permanently", subject));
  TM_RETURN_IF_ERROR(CheckReferences(subject, {deleted.begin(), deleted.end()}, permanent));
  std::vector<RegistryRecord> records;
  RegistryRecord all{.kind = RecordKind::kDeleteSubject, .tombstone = permanent};
  all.version.subject = subject;
  all.version.version = deleted.back();
  if (permanent) {
    for (const int32_t version : deleted) {
      RegistryRecord& record = records.emplace_back(RegistryRecord{.kind = RecordKind::kSchema, .tombstone = true});
      record.version.subject = subject;
      record.version.version = version;
    }
    RegistryRecord& watermark = records.emplace_back(RegistryRecord{.kind = RecordKind::kIdWatermark});
    watermark.version.id = state_->max_id();
  }
  // Last: a crash that leaves only the first of these records must not bring the other versions back.
  records.push_back(all);
  ForgetSettings(subject, *stored, records);
  TM_RETURN_IF_ERROR(Write(records));
  return deleted;
}

Result<int32_t> SchemaRegistry::DeleteVersion(const std::string& subject, int32_t version, bool permanent) {
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  TM_RETURN_IF_ERROR(CheckWritable(subject));
  const DeletedFilter latest_of = permanent ? DeletedFilter::kDeleted : DeletedFilter::kLive;
  auto found = FindVersion(*state_, subject, version, version == kLatestVersion ? latest_of : DeletedFilter::kAll);
  if (!found.ok()) return found.status();
  RegisteredVersion target = *std::move(found);
  if (permanent && !target.deleted)
    return Status(kVersionNotSoftDeleted,
                  fmt::format("Subject '{}' Version {} was not deleted first before being permanently deleted", subject,
                              target.version));
  if (!permanent && target.deleted)
    return Status(kVersionSoftDeleted,
                  fmt::format("Subject '{}' Version {} was soft deleted.Set permanent=true to delete permanently",
                              subject, target.version));
  TM_RETURN_IF_ERROR(CheckReferences(subject, {target.version}, permanent));
  const int32_t number = target.version;
  std::vector<RegistryRecord> records;
  RegistryRecord record{.kind = RecordKind::kSchema, .tombstone = permanent};
  record.version = std::move(target);
  record.version.deleted = true;
  records.push_back(std::move(record));
  if (permanent) {
    RegistryRecord& watermark = records.emplace_back(RegistryRecord{.kind = RecordKind::kIdWatermark});
    watermark.version.id = state_->max_id();
  }
  const StoredSubject& stored = *state_->Find(subject);
  if (std::none_of(stored.versions.begin(), stored.versions.end(),
                   [&](const auto& item) { return item.first != number && !item.second.deleted; }))
    ForgetSettings(subject, stored, records);
  TM_RETURN_IF_ERROR(Write(records));
  return number;
}

// ---- Configuration and mode

Result<RegistryConfig> SchemaRegistry::SetConfig(const std::string& subject, const RegistryConfig& config) {
  if (!subject.empty()) TM_RETURN_IF_ERROR(CheckSubjectName(subject));
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  TM_RETURN_IF_ERROR(CheckWritable(subject));
  const StoredSubject* stored = state_->Find(subject);
  if (stored == nullptr && static_cast<int>(state_->subjects().size()) >= 2 * kSubjectsMax)
    return Status(kLimitExceeded, "too many subjects have a configuration");
  RegistryConfig merged = subject.empty()     ? state_->global_config()
                          : stored != nullptr ? stored->config.value_or(RegistryConfig())
                                              : RegistryConfig();
  if (config.compatibility) merged.compatibility = config.compatibility;
  if (config.normalize) merged.normalize = config.normalize;
  TM_RETURN_IF_ERROR(Write({ConfigRecord(subject, merged)}));
  return merged;
}

Result<RegistryConfig> SchemaRegistry::DeleteConfig(const std::string& subject) {
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  TM_RETURN_IF_ERROR(CheckWritable(subject));
  RegistryConfig was = EffectiveConfigOf(*state_, "");
  if (!subject.empty()) {
    const StoredSubject* stored = state_->Find(subject);
    if (stored == nullptr || !stored->config) return SubjectNotFoundError(subject);
    was = *stored->config;
  }
  TM_RETURN_IF_ERROR(Write({ConfigRecord(subject, std::nullopt)}));
  return was;
}

Status SchemaRegistry::SetMode(const std::string& subject, RegistryMode mode, bool force) {
  if (!subject.empty()) TM_RETURN_IF_ERROR(CheckSubjectName(subject));
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  if (mode == RegistryMode::kReadOnlyOverride && !subject.empty())
    return Status(kInvalidRegistryMode, "READONLY_OVERRIDE is a global mode");
  if (mode == RegistryMode::kImport && !force && EffectiveModeOf(*state_, subject) != RegistryMode::kImport) {
    const StoredSubject* stored = state_->Find(subject);
    if (subject.empty() ? state_->subject_count() > 0 : stored != nullptr && !stored->versions.empty())
      return Status(kRegistryNotPermitted, "Cannot import since found existing subjects");
  }
  if (state_->Find(subject) == nullptr && static_cast<int>(state_->subjects().size()) >= 2 * kSubjectsMax)
    return Status(kLimitExceeded, "too many subjects have a mode");
  return Write({ModeRecord(subject, mode)});
}

Result<RegistryMode> SchemaRegistry::DeleteMode(const std::string& subject) {
  std::lock_guard lock(write_mutex_);
  TM_RETURN_IF_ERROR(CatchUp());
  RegistryMode was = EffectiveModeOf(*state_, "");
  if (!subject.empty()) {
    const StoredSubject* stored = state_->Find(subject);
    if (stored == nullptr || !stored->mode) return SubjectNotFoundError(subject);
    was = *stored->mode;
  }
  TM_RETURN_IF_ERROR(Write({ModeRecord(subject, std::nullopt)}));
  return was;
}

}  // namespace tidemill
