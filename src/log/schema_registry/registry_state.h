#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/schema_registry/registry_record.h"

namespace tidemill {

struct StoredSchema {
  int32_t id = 0;
  SchemaDefinition definition;
};

struct StoredVersion {
  std::shared_ptr<const StoredSchema> schema;
  bool deleted = false;
};

struct StoredSubject {
  std::map<int32_t, StoredVersion> versions;
  std::optional<RegistryConfig> config;
  std::optional<RegistryMode> mode;
};

// What the records of the topic add up to. Not thread-safe.
class RegistryState {
 public:
  // Of two schemas that are the same, the same text. Bytes: SHA-256.
  using Fingerprint = std::function<std::string(const SchemaDefinition& schema)>;

  void Apply(const RegistryRecord& record);

  const std::map<std::string, StoredSubject>& subjects() const { return subjects_; }
  const StoredSubject* Find(const std::string& subject) const;
  std::shared_ptr<const StoredSchema> FindId(int32_t id) const;
  const RegistryConfig& global_config() const { return global_config_; }
  std::optional<RegistryMode> global_mode() const { return global_mode_; }
  int32_t max_id() const { return max_id_; }
  int64_t text_bytes() const { return text_bytes_; }
  // Subjects that have a version; a configuration alone does not count.
  int64_t subject_count() const;

  // Replay does not need to know which schemas are the same: the first that asks has it found out.
  bool is_indexed() const { return unindexed_.empty(); }
  void Index(const Fingerprint& fingerprint);
  // These need is_indexed().
  std::optional<int32_t> IdOf(const std::string& fingerprint) const;
  bool HasFingerprint(int32_t id, const std::string& fingerprint) const;

 private:
  struct IdEntry {
    std::shared_ptr<const StoredSchema> schema;
    int uses = 0;  // versions, deleted ones too
    std::string fingerprint;
  };
  void ApplySchema(const RegistryRecord& record);
  void Release(int32_t id);
  void DropIfEmpty(const std::string& subject);

  std::map<std::string, StoredSubject> subjects_;
  std::map<int32_t, IdEntry> ids_;
  std::map<std::string, int32_t> by_fingerprint_;
  std::vector<int32_t> unindexed_;
  RegistryConfig global_config_;
  std::optional<RegistryMode> global_mode_;
  int32_t max_id_ = 0;
  int64_t text_bytes_ = 0;
};

}  // namespace tidemill
