#include "log/schema_registry/registry_record.h"

#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace tidemill {
namespace {

using RegistryJson = nlohmann::ordered_json;

constexpr std::string_view kCompatibilityNames[] = {
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"};
constexpr std::string_view kModeNames[] = {"READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT"};
constexpr std::string_view kLanguageNames[] = {"AVRO", "JSON", "PROTOBUF"};

template <typename Enum, size_t size>
std::optional<Enum> FindName(const std::string_view (&names)[size], std::string_view name) {
  for (size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

std::string RegistryText(const RegistryJson& json) {
  return json.dump(-1, ' ', false, RegistryJson::error_handler_t::replace);
}

RegistryJson SubjectOrNull(const std::string& subject) {
  return subject.empty() ? RegistryJson(nullptr) : RegistryJson(subject);
}

std::string StringMember(const RegistryJson& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int32_t NumberMember(const RegistryJson& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return 0;
  const auto number = found->get<int64_t>();
  return number < 0 || number > INT32_MAX ? 0 : static_cast<int32_t>(number);
}

Status BadRecord(std::string_view what) { return Status(kCorruption, std::string(what)); }

Status DecodeSchema(const RegistryJson& value, RegistryRecord& record) {
  RegisteredVersion& version = record.version;
  version.id = NumberMember(value, "id");
  if (version.id < 1) return BadRecord("a schema without an id");
  const auto text = value.find("schema");
  if (text == value.end() || !text->is_string()) return BadRecord("a schema without its text");
  version.schema.text = text->get<std::string>();
  const std::string type = StringMember(value, "schemaType");
  const auto language = type.empty() ? SchemaLanguage::kAvro : ParseSchemaLanguage(type);
  if (!language) return BadRecord("a schema of the unknown type " + type);
  version.schema.language = *language;
  if (const auto found = value.find("references"); found != value.end() && found->is_array()) {
    for (const RegistryJson& item : *found) {
      if (!item.is_object()) return BadRecord("a reference that is no object");
      version.schema.references.push_back(
          {StringMember(item, "name"), StringMember(item, "subject"), NumberMember(item, "version")});
    }
  }
  const auto deleted = value.find("deleted");
  version.deleted = deleted != value.end() && deleted->is_boolean() && deleted->get<bool>();
  return Status::OK();
}

Status DecodeConfig(const RegistryJson& value, RegistryRecord& record) {
  if (const std::string level = StringMember(value, "compatibilityLevel"); !level.empty()) {
    record.config.compatibility = ParseCompatibilityLevel(level);
    if (!record.config.compatibility) return BadRecord("the unknown compatibility level " + level);
  }
  if (const auto found = value.find("normalize"); found != value.end() && found->is_boolean())
    record.config.normalize = found->get<bool>();
  return Status::OK();
}

}  // namespace

std::string_view CompatibilityLevelName(CompatibilityLevel level) {
  return kCompatibilityNames[static_cast<size_t>(level)];
}
std::optional<CompatibilityLevel> ParseCompatibilityLevel(std::string_view name) {
  return FindName<CompatibilityLevel>(kCompatibilityNames, name);
}
std::string_view RegistryModeName(RegistryMode mode) { return kModeNames[static_cast<size_t>(mode)]; }
std::optional<RegistryMode> ParseRegistryMode(std::string_view name) {
  return FindName<RegistryMode>(kModeNames, name);
}
std::string_view SchemaLanguageName(SchemaLanguage language) { return kLanguageNames[static_cast<size_t>(language)]; }
std::optional<SchemaLanguage> ParseSchemaLanguage(std::string_view name) {
  return FindName<SchemaLanguage>(kLanguageNames, name);
}

std::string EncodeRegistryKey(const RegistryRecord& record) {
  const RegisteredVersion& version = record.version;
  switch (record.kind) {
    case RegistryRecord::Kind::kSchema:
      return RegistryText(
          {{"keytype", "SCHEMA"}, {"subject", version.subject}, {"version", version.version}, {"magic", 1}});
    case RegistryRecord::Kind::kDeleteSubject:
      return RegistryText({{"keytype", "DELETE_SUBJECT"}, {"subject", version.subject}, {"magic", 0}});
    case RegistryRecord::Kind::kConfig:
      return RegistryText({{"keytype", "CONFIG"}, {"subject", SubjectOrNull(version.subject)}, {"magic", 0}});
    case RegistryRecord::Kind::kMode:
      return RegistryText({{"keytype", "MODE"}, {"subject", SubjectOrNull(version.subject)}, {"magic", 0}});
    case RegistryRecord::Kind::kIdWatermark:
      return RegistryText({{"keytype", "TIDEMILL_ID_WATERMARK"}, {"magic", 0}});
    case RegistryRecord::Kind::kOther:
      break;
  }
  return RegistryText({{"keytype", "NOOP"}, {"magic", 0}});
}

std::string EncodeRegistryValue(const RegistryRecord& record) {
  const RegisteredVersion& version = record.version;
  RegistryJson value = RegistryJson::object();
  switch (record.kind) {
    case RegistryRecord::Kind::kSchema:
      value = {{"subject", version.subject}, {"version", version.version}, {"id", version.id}};
      if (version.schema.language != SchemaLanguage::kAvro)
        value["schemaType"] = std::string(SchemaLanguageName(version.schema.language));
      if (!version.schema.references.empty()) {
        value["references"] = RegistryJson::array();
        for (const SchemaReference& reference : version.schema.references)
          value["references"].push_back(
              {{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
      }
      value["schema"] = version.schema.text;
      value["deleted"] = version.deleted;
      break;
    case RegistryRecord::Kind::kDeleteSubject:
      value = {{"subject", version.subject}, {"version", version.version}};
      break;
    case RegistryRecord::Kind::kConfig:
      value["subject"] = SubjectOrNull(version.subject);
      if (record.config.compatibility)
        value["compatibilityLevel"] = std::string(CompatibilityLevelName(*record.config.compatibility));
      if (record.config.normalize) value["normalize"] = *record.config.normalize;
      break;
    case RegistryRecord::Kind::kMode:
      value = {{"subject", SubjectOrNull(version.subject)}, {"mode", std::string(RegistryModeName(record.mode))}};
      break;
    case RegistryRecord::Kind::kIdWatermark:
      value["id"] = version.id;
      break;
    case RegistryRecord::Kind::kOther:
      break;
  }
  return RegistryText(value);
}

Result<RegistryRecord> DecodeRegistryRecord(std::string_view key_text, std::optional<std::string_view> value_text) {
  const RegistryJson key = RegistryJson::parse(key_text, nullptr, false);
  if (!key.is_object()) return BadRecord("a key that is no JSON object");
  RegistryRecord record;
  record.tombstone = !value_text;
  record.version.subject = StringMember(key, "subject");
  const std::string type = StringMember(key, "keytype");
  using Kind = RegistryRecord::Kind;
  record.kind = type == "SCHEMA"                  ? Kind::kSchema
                : type == "DELETE_SUBJECT"        ? Kind::kDeleteSubject
                : type == "CONFIG"                ? Kind::kConfig
                : type == "MODE"                  ? Kind::kMode
                : type == "TIDEMILL_ID_WATERMARK" ? Kind::kIdWatermark
                                                  : Kind::kOther;
  if (record.kind == Kind::kOther) return record;
  if ((record.kind == Kind::kSchema || record.kind == Kind::kDeleteSubject) && record.version.subject.empty())
    return BadRecord("a key without a subject");
  if (record.kind == Kind::kSchema) {
    record.version.version = NumberMember(key, "version");
    if (record.version.version < 1) return BadRecord("a key without a version");
  }
  if (record.tombstone) return record;
  const RegistryJson value = RegistryJson::parse(*value_text, nullptr, false);
  if (!value.is_object()) return BadRecord("a value that is no JSON object");
  switch (record.kind) {
    case Kind::kSchema:
      TM_RETURN_IF_ERROR(DecodeSchema(value, record));
      break;
    case Kind::kDeleteSubject:
      record.version.version = NumberMember(value, "version");
      break;
    case Kind::kConfig:
      TM_RETURN_IF_ERROR(DecodeConfig(value, record));
      break;
    case Kind::kMode: {
      const auto mode = ParseRegistryMode(StringMember(value, "mode"));
      if (!mode) return BadRecord("an unknown mode");
      record.mode = *mode;
      break;
    }
    case Kind::kIdWatermark:
      record.version.id = NumberMember(value, "id");
      break;
    case Kind::kOther:
      break;
  }
  return record;
}

}  // namespace tidemill
