#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "data/registered_schema.h"
#include "log/log.h"
#include "log/schema_registry/registry_types.h"

namespace tidemill {

class RegistryState;
struct RegistryRecord;

// Its topic; it has Confluent's records, so that either registry can read it.
inline constexpr std::string_view kSchemaTopic = "_schemas";

inline constexpr int64_t kSchemaTextBytesMax = 1 << 20;
inline constexpr int64_t kRegistryTextBytesMax = 1LL << 30;  // of all schemas together: they are kept in memory
inline constexpr int kSubjectsMax = 100'000;
inline constexpr int kVersionsPerSubjectMax = 10'000;
inline constexpr int kSubjectBytesMax = 255;
inline constexpr int kReferencesPerSchemaMax = 256;
inline constexpr int kReferenceDepthMax = 32;
inline constexpr int64_t kResolvedBytesMax = 16 << 20;  // a schema with all it refers to

// The schema registry: subjects, their versions, and ids that are the same for the same schema under every subject and
// are never given to another one. What it knows is what the compacted topic `_schemas` says; a change is appended,
// synced, and only then applied and answered. Thread-safe: one change at a time, reading goes on meanwhile.
//
// `subject` "" in the calls about configuration and mode means the global ones. Versions: 1, 2, ..., or kLatestVersion.
class SchemaRegistry final : public SchemaSource {
 public:
  // Reads the topic, when there is one; it is made with the first change. `log` outlives the registry.
  static Result<std::unique_ptr<SchemaRegistry>> Open(Log& log);
  ~SchemaRegistry() override;

  Result<ResolvedSchema> SchemaById(int32_t id) override;
  Result<int32_t> Register(const std::string& subject, const SchemaDefinition& schema) override;
  Result<std::optional<Latest>> LatestOf(const std::string& subject) override;

  // The version that has it, which is a new one unless the subject has this schema already. kInvalidSchema,
  // kIncompatibleSchema with the reasons as notes, kRegistryNotPermitted, kInvalidSubject, kLimitExceeded.
  Result<RegisteredVersion> RegisterVersion(const std::string& subject, SchemaDefinition schema,
                                            const RegisterOptions& options = {});
  // The version of the subject that has this schema. kSubjectNotFound, kSchemaNotFound.
  Result<RegisteredVersion> Lookup(const std::string& subject, const SchemaDefinition& schema, bool normalize,
                                   DeletedFilter filter = DeletedFilter::kLive);
  // With `version` absent the subject's level says with which versions it is compared.
  Result<CompatibilityReport> CheckCompatibility(const std::string& subject, std::optional<int32_t> version,
                                                 const SchemaDefinition& schema, bool normalize);

  std::vector<std::string> Subjects(std::string_view prefix, DeletedFilter filter) const;
  Result<std::vector<int32_t>> Versions(const std::string& subject, DeletedFilter filter) const;
  Result<RegisteredVersion> Version(const std::string& subject, int32_t version, DeletedFilter filter) const;
  // All versions of the subjects with this prefix, or the newest of each.
  std::vector<RegisteredVersion> Schemas(std::string_view prefix, DeletedFilter filter, bool latest_only) const;
  Result<SchemaDefinition> Definition(int32_t id) const;  // kSchemaNotFound
  Result<std::vector<SubjectVersion>> UsesOf(int32_t id, DeletedFilter filter) const;
  // Ids of schemas that refer to it.
  Result<std::vector<int32_t>> ReferencedBy(const std::string& subject, int32_t version) const;
  int32_t max_id() const;

  // Softly: not listed any more, read by id all the same. Permanently: afterwards, and gone. kSchemaReferenced while
  // another refers to it. They return what was deleted.
  Result<std::vector<int32_t>> DeleteSubject(const std::string& subject, bool permanent);
  Result<int32_t> DeleteVersion(const std::string& subject, int32_t version, bool permanent);

  // kNoSubjectConfig, kNoSubjectMode when the subject has none of its own; the global ones are always there.
  Result<RegistryConfig> GetConfig(const std::string& subject) const;
  RegistryConfig EffectiveConfig(const std::string& subject) const;
  // What `config` does not say stays.
  Result<RegistryConfig> SetConfig(const std::string& subject, const RegistryConfig& config);
  Result<RegistryConfig> DeleteConfig(const std::string& subject);  // what it was
  Result<RegistryMode> GetMode(const std::string& subject) const;
  RegistryMode EffectiveMode(const std::string& subject) const;
  // IMPORT is refused while there are schemas, unless `force`.
  Status SetMode(const std::string& subject, RegistryMode mode, bool force);
  Result<RegistryMode> DeleteMode(const std::string& subject);

 private:
  explicit SchemaRegistry(Log& log);

  // These need write_mutex_.
  Status CatchUp();
  Status EnsureTopic();
  Status Write(const std::vector<RegistryRecord>& records);
  Status CheckWritable(const std::string& subject) const;
  Result<RegisteredVersion> RegisterAnew(const std::string& subject, SchemaDefinition schema,
                                         const ResolvedSchema& resolved, const std::string& fingerprint,
                                         const RegisterOptions& options);
  Result<RegisteredVersion> Import(const std::string& subject, SchemaDefinition schema, const std::string& fingerprint,
                                   const RegisterOptions& options);
  Result<RegisteredVersion> WriteVersion(RegisteredVersion version);
  Status CheckReferences(const std::string& subject, const std::set<int32_t>& versions, bool permanent) const;

  // Finds out which schemas are the same, when nobody has asked before.
  void EnsureIndexed();

  Log& log_;
  std::mutex write_mutex_;
  std::shared_ptr<Partition> partition_;
  std::unique_ptr<PartitionReader> reader_;
  bool indexed_ = false;
  mutable std::shared_mutex state_mutex_;  // of state_; changed under both mutexes
  std::unique_ptr<RegistryState> state_;
};

}  // namespace tidemill
