#include "log/schema_registry/registry_state.h"

#include <algorithm>

namespace tidemill {

const StoredSubject* RegistryState::Find(const std::string& subject) const {
  const auto found = subjects_.find(subject);
  return found == subjects_.end() ? nullptr : &found->second;
}

std::shared_ptr<const StoredSchema> RegistryState::FindId(int32_t id) const {
  const auto found = ids_.find(id);
  return found == ids_.end() ? nullptr : found->second.schema;
}

int64_t RegistryState::subject_count() const {
  return std::count_if(subjects_.begin(), subjects_.end(),
                       [](const auto& subject) { return !subject.second.versions.empty(); });
}

void RegistryState::Apply(const RegistryRecord& record) {
  const std::string& subject = record.version.subject;
  switch (record.kind) {
    case RegistryRecord::Kind::kSchema:
      ApplySchema(record);
      break;
    case RegistryRecord::Kind::kDeleteSubject: {
      const auto found = subjects_.find(subject);
      if (record.tombstone || found == subjects_.end()) return;
      for (auto& [number, version] : found->second.versions) {
        if (number <= record.version.version) version.deleted = true;
      }
      break;
    }
    case RegistryRecord::Kind::kConfig:
      if (subject.empty()) {
        global_config_ = record.tombstone ? RegistryConfig() : record.config;
      } else {
        subjects_[subject].config = record.tombstone ? std::nullopt : std::optional(record.config);
        DropIfEmpty(subject);
      }
      break;
    case RegistryRecord::Kind::kMode:
      if (subject.empty()) {
        global_mode_ = record.tombstone ? std::nullopt : std::optional(record.mode);
      } else {
        subjects_[subject].mode = record.tombstone ? std::nullopt : std::optional(record.mode);
        DropIfEmpty(subject);
      }
      break;
    case RegistryRecord::Kind::kIdWatermark:
      max_id_ = std::max(max_id_, record.version.id);
      break;
    case RegistryRecord::Kind::kOther:
      break;
  }
}

void RegistryState::ApplySchema(const RegistryRecord& record) {
  const RegisteredVersion& given = record.version;
  StoredSubject& subject = subjects_[given.subject];
  if (const auto old = subject.versions.find(given.version); old != subject.versions.end()) {
    if (!record.tombstone && old->second.schema->id == given.id) {
      old->second.deleted = given.deleted;
      return;
    }
    const int32_t id = old->second.schema->id;
    subject.versions.erase(old);
    Release(id);
  }
  if (record.tombstone) return DropIfEmpty(given.subject);
  IdEntry& entry = ids_[given.id];
  if (entry.schema == nullptr) {
    entry.schema = std::make_shared<const StoredSchema>(StoredSchema{given.id, given.schema});
    text_bytes_ += static_cast<int64_t>(given.schema.text.size());
    unindexed_.push_back(given.id);
  }
  ++entry.uses;
  max_id_ = std::max(max_id_, given.id);
  subject.versions[given.version] = {entry.schema, given.deleted};
}

void RegistryState::Release(int32_t id) {
  const auto found = ids_.find(id);
  if (found == ids_.end() || --found->second.uses > 0) return;
  text_bytes_ -= static_cast<int64_t>(found->second.schema->definition.text.size());
  if (const auto same = by_fingerprint_.find(found->second.fingerprint);
      same != by_fingerprint_.end() && same->second == id)
    by_fingerprint_.erase(same);
  std::erase(unindexed_, id);
  ids_.erase(found);
}

void RegistryState::DropIfEmpty(const std::string& subject) {
  const auto found = subjects_.find(subject);
  if (found == subjects_.end() || !found->second.versions.empty() || found->second.config || found->second.mode) return;
  subjects_.erase(found);
}

void RegistryState::Index(const Fingerprint& fingerprint) {
  for (const int32_t id : unindexed_) {
    IdEntry& entry = ids_[id];
    entry.fingerprint = fingerprint(entry.schema->definition);
    by_fingerprint_.try_emplace(entry.fingerprint, id);  // the first one's id stands for all
  }
  unindexed_.clear();
}

std::optional<int32_t> RegistryState::IdOf(const std::string& fingerprint) const {
  const auto found = by_fingerprint_.find(fingerprint);
  return found == by_fingerprint_.end() ? std::nullopt : std::optional(found->second);
}

bool RegistryState::HasFingerprint(int32_t id, const std::string& fingerprint) const {
  const auto found = ids_.find(id);
  return found != ids_.end() && found->second.fingerprint == fingerprint;
}

}  // namespace tidemill
