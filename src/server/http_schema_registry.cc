#include "server/http_schema_registry.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "data/errors.h"
#include "data/json_schema/json_schema.h"
#include "data/schema_compatibility.h"
#include "log/errors.h"

namespace tidemill {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kBodyDepthMax = 32;

struct CodeOfError {
  const ErrorCode* error;
  int code;
};
constexpr CodeOfError kRegistryCodes[] = {
    {&kSubjectNotFound, 40401},       {&kSchemaVersionNotFound, 40402},
    {&kSchemaNotFound, 40403},        {&kSubjectSoftDeleted, 40404},
    {&kSubjectNotSoftDeleted, 40405}, {&kVersionSoftDeleted, 40406},
    {&kVersionNotSoftDeleted, 40407}, {&kNoSubjectConfig, 40408},
    {&kNoSubjectMode, 40409},         {&kIncompatibleSchema, 409},
    {&kInvalidSchema, 42201},         {&kUnsupportedType, 42201},
    {&kInvalidSchemaVersion, 42202},  {&kInvalidCompatibility, 42203},
    {&kInvalidRegistryMode, 42204},   {&kRegistryNotPermitted, 42205},
    {&kSchemaReferenced, 42206},      {&kInvalidSubject, 42208},
    {&kLimitExceeded, 42209},         {&kUnsupportedRegistryFeature, 422},
    {&kInvalidConfig, 422},
};

ServerResponse Answer(const Json& body, int status = 200) {
  return {status, std::string(kSchemaRegistryType), body.dump(-1, ' ', false, Json::error_handler_t::replace), {}};
}

ServerResponse PlainText(std::string text) { return {200, std::string(kSchemaRegistryType), std::move(text), {}}; }

bool Flag(const ServerRequest& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return false;
  std::string text = found->second;
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text == "true";
}

DeletedFilter FilterOf(const ServerRequest& request) {
  if (Flag(request, "deletedOnly")) return DeletedFilter::kDeleted;
  return Flag(request, "deleted") ? DeletedFilter::kAll : DeletedFilter::kLive;
}

std::optional<int32_t> ParseInt32(std::string_view text) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const std::string& SubjectOf(const ServerRequest& request) { return request.path_parameters.at("subject"); }

Result<int32_t> VersionOf(const ServerRequest& request) {
  const std::string& text = request.path_parameters.at("version");
  if (text == "latest" || text == "-1") return kLatestVersion;
  const auto number = ParseInt32(text);
  if (number && *number >= 1) return *number;
  return Status(kInvalidSchemaVersion,
                fmt::format("The specified version '{}' is not a valid version id. Allowed values are between [1, "
                            "2^31-1] and the string \"latest\"",
                            text));
}

Result<int32_t> IdOf(const ServerRequest& request) {
  const auto number = ParseInt32(request.path_parameters.at("id"));
  if (!number) return Status(kSchemaNotFound, fmt::format("Schema {} not found", request.path_parameters.at("id")));
  return *number;
}

// The part of a list that ?offset= and ?limit= ask for.
template <typename T>
std::vector<T> Page(const ServerRequest& request, std::vector<T> all) {
  const auto number = [&](const std::string& name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::nullopt : ParseInt32(found->second);
  };
  const auto offset = static_cast<size_t>(std::max(0, number("offset").value_or(0)));
  const int32_t limit = number("limit").value_or(-1);
  if (offset >= all.size()) return {};
  all.erase(all.begin(), all.begin() + static_cast<int64_t>(offset));
  if (limit >= 0 && static_cast<size_t>(limit) < all.size()) all.resize(static_cast<size_t>(limit));
  return all;
}

Result<Json> BodyOf(const ServerRequest& request) {
  if (JsonNesting(request.body) > kBodyDepthMax) return Status(kInvalidConfig, "the body is nested too deep");
  Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Status(kInvalidConfig, "the body is not a JSON object");
  return body;
}

bool HasValue(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null();
}

Result<std::string> TextMember(const Json& object, const char* name, const char* fallback) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string(fallback);
  if (!found->is_string()) return Status(kInvalidConfig, fmt::format("\"{}\" is not a string", name));
  return found->get<std::string>();
}

Result<int32_t> NumberMember(const Json& object, const char* name, int32_t fallback) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return fallback;
  const int64_t number = found->is_number_integer() ? found->get<int64_t>() : INT64_MAX;
  if (number < -1 || number > INT32_MAX)
    return Status(kInvalidConfig, fmt::format("\"{}\" is not a number of 32 bits", name));
  return static_cast<int32_t>(number);
}

struct GivenSchema {
  SchemaDefinition definition;
  RegisterOptions options;
};

Result<GivenSchema> SchemaOf(const ServerRequest& request) {
  TM_ASSIGN_OR_RETURN(const Json body, BodyOf(request));
  for (const char* name : {"metadata", "ruleSet", "schemaTagsToAdd", "schemaTagsToRemove"}) {
    if (HasValue(body, name))
      return Status(kUnsupportedRegistryFeature, fmt::format("\"{}\" of a schema is not supported", name));
  }
  GivenSchema given;
  if (!HasValue(body, "schema")) return Status(kInvalidSchema, "the body has no \"schema\"");
  TM_ASSIGN_OR_RETURN(given.definition.text, TextMember(body, "schema", ""));
  TM_ASSIGN_OR_RETURN(const std::string type, TextMember(body, "schemaType", "AVRO"));
  const auto language = ParseSchemaLanguage(type);
  if (!language)
    return Status(kInvalidSchema, fmt::format("schema type '{}' is not known: AVRO, JSON or PROTOBUF", type));
  given.definition.language = *language;
  if (const auto references = body.find("references"); references != body.end() && !references->is_null()) {
    if (!references->is_array()) return Status(kInvalidConfig, "\"references\" is not an array");
    if (references->size() > kReferencesPerSchemaMax)
      return Status(kInvalidSchema, fmt::format("more than {} references", kReferencesPerSchemaMax));
    for (const Json& item : *references) {
      if (!item.is_object()) return Status(kInvalidConfig, "a reference is no object");
      SchemaReference& reference = given.definition.references.emplace_back();
      TM_ASSIGN_OR_RETURN(reference.name, TextMember(item, "name", ""));
      TM_ASSIGN_OR_RETURN(reference.subject, TextMember(item, "subject", ""));
      TM_ASSIGN_OR_RETURN(reference.version, NumberMember(item, "version", kLatestVersion));
      if (reference.name.empty() || reference.subject.empty())
        return Status(kInvalidSchema, "a reference needs \"name\" and \"subject\"");
    }
  }
  TM_ASSIGN_OR_RETURN(given.options.id, NumberMember(body, "id", -1));
  TM_ASSIGN_OR_RETURN(given.options.version, NumberMember(body, "version", -1));
  given.options.normalize = Flag(request, "normalize");
  return given;
}

void AddSchema(const SchemaDefinition& schema, Json& body) {
  if (schema.language != SchemaLanguage::kAvro) body["schemaType"] = std::string(SchemaLanguageName(schema.language));
  if (!schema.references.empty()) {
    Json& list = body["references"] = Json::array();
    for (const SchemaReference& reference : schema.references)
      list.push_back({{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
  }
  body["schema"] = schema.text;
}

Json VersionJson(const RegisteredVersion& version) {
  Json body = {{"subject", version.subject}, {"version", version.version}, {"id", version.id}};
  AddSchema(version.schema, body);
  if (version.deleted) body["deleted"] = true;
  return body;
}

// ---- Subjects

ServerResponse GetVersion(SchemaRegistry& registry, const ServerRequest& request, bool text_only) {
  const auto number = VersionOf(request);
  if (!number.ok()) return SchemaRegistryError(number.status());
  const auto version = registry.Version(SubjectOf(request), *number, FilterOf(request));
  if (!version.ok()) return SchemaRegistryError(version.status());
  return text_only ? PlainText(version->schema.text) : Answer(VersionJson(*version));
}

ServerResponse RegisterSchema(SchemaRegistry& registry, const ServerRequest& request) {
  auto given = SchemaOf(request);
  if (!given.ok()) return SchemaRegistryError(given.status());
  const auto version = registry.RegisterVersion(SubjectOf(request), std::move(given->definition), given->options);
  if (!version.ok()) return SchemaRegistryError(version.status());
  Json body = {{"id", version->id}, {"version", version->version}};
  AddSchema(version->schema, body);
  return Answer(body);
}

ServerResponse LookUpSchema(SchemaRegistry& registry, const ServerRequest& request) {
  const auto given = SchemaOf(request);
  if (!given.ok()) return SchemaRegistryError(given.status());
  const auto found =
      registry.Lookup(SubjectOf(request), given->definition, given->options.normalize, FilterOf(request));
  return found.ok() ? Answer(VersionJson(*found)) : SchemaRegistryError(found.status());
}

void MountSubjects(HttpServer& server, SchemaRegistry& registry) {
  server.Route("GET", "/subjects", [&registry](const ServerRequest& request) {
    const auto prefix = request.query.find("subjectPrefix");
    const std::string wanted = prefix == request.query.end() || prefix->second == ":*:" ? "" : prefix->second;
    return Answer(Page(request, registry.Subjects(wanted, FilterOf(request))));
  });
  server.Route("POST", "/subjects/{subject}",
               [&registry](const ServerRequest& request) { return LookUpSchema(registry, request); });
  server.Route("DELETE", "/subjects/{subject}", [&registry](const ServerRequest& request) {
    const auto versions = registry.DeleteSubject(SubjectOf(request), Flag(request, "permanent"));
    return versions.ok() ? Answer(*versions) : SchemaRegistryError(versions.status());
  });
  server.Route("GET", "/subjects/{subject}/versions", [&registry](const ServerRequest& request) {
    auto versions = registry.Versions(SubjectOf(request), FilterOf(request));
    return versions.ok() ? Answer(Page(request, *std::move(versions))) : SchemaRegistryError(versions.status());
  });
  server.Route("POST", "/subjects/{subject}/versions",
               [&registry](const ServerRequest& request) { return RegisterSchema(registry, request); });
  server.Route("GET", "/subjects/{subject}/versions/{version}",
               [&registry](const ServerRequest& request) { return GetVersion(registry, request, false); });
  server.Route("GET", "/subjects/{subject}/versions/{version}/schema",
               [&registry](const ServerRequest& request) { return GetVersion(registry, request, true); });
  server.Route("GET", "/subjects/{subject}/versions/{version}/referencedby", [&registry](const ServerRequest& request) {
    const auto number = VersionOf(request);
    if (!number.ok()) return SchemaRegistryError(number.status());
    const auto ids = registry.ReferencedBy(SubjectOf(request), *number);
    return ids.ok() ? Answer(*ids) : SchemaRegistryError(ids.status());
  });
  server.Route("DELETE", "/subjects/{subject}/versions/{version}", [&registry](const ServerRequest& request) {
    const auto number = VersionOf(request);
    if (!number.ok()) return SchemaRegistryError(number.status());
    const auto deleted = registry.DeleteVersion(SubjectOf(request), *number, Flag(request, "permanent"));
    return deleted.ok() ? Answer(*deleted) : SchemaRegistryError(deleted.status());
  });
}

// ---- Schemas by id

// Protobuf as a descriptor in base64, which some clients ask for.
Result<SchemaDefinition> InFormat(SchemaRegistry& registry, const ServerRequest& request, int32_t id) {
  TM_ASSIGN_OR_RETURN(SchemaDefinition schema, registry.Definition(id));
  const auto format = request.query.find("format");
  if (format == request.query.end() || format->second.empty()) return schema;
  if (format->second == "serialized" && schema.language == SchemaLanguage::kProtobuf) {
    TM_ASSIGN_OR_RETURN(const ResolvedSchema resolved, registry.SchemaById(id));
    TM_ASSIGN_OR_RETURN(schema.text, SerializedSchema(resolved));
  }
  return schema;
}

ServerResponse GetSchema(SchemaRegistry& registry, const ServerRequest& request, bool text_only) {
  const auto id = IdOf(request);
  if (!id.ok()) return SchemaRegistryError(id.status());
  const auto schema = InFormat(registry, request, *id);
  if (!schema.ok()) return SchemaRegistryError(schema.status());
  if (text_only) return PlainText(schema->text);
  Json body = Json::object();
  AddSchema(*schema, body);
  if (Flag(request, "fetchMaxId")) body["maxId"] = registry.max_id();
  return Answer(body);
}

ServerResponse GetUses(SchemaRegistry& registry, const ServerRequest& request, bool versions) {
  const auto id = IdOf(request);
  if (!id.ok()) return SchemaRegistryError(id.status());
  const auto uses = registry.UsesOf(*id, FilterOf(request));
  if (!uses.ok()) return SchemaRegistryError(uses.status());
  std::vector<Json> list;
  for (const SubjectVersion& use : *uses) {
    Json item = versions ? Json{{"subject", use.subject}, {"version", use.version}} : Json(use.subject);
    if (list.empty() || list.back() != item) list.push_back(std::move(item));
  }
  return Answer(Page(request, std::move(list)));
}

void MountSchemas(HttpServer& server, SchemaRegistry& registry) {
  server.Route("GET", "/schemas", [&registry](const ServerRequest& request) {
    const auto prefix = request.query.find("subjectPrefix");
    const std::string wanted = prefix == request.query.end() || prefix->second == ":*:" ? "" : prefix->second;
    Json list = Json::array();
    for (const RegisteredVersion& version :
         Page(request, registry.Schemas(wanted, FilterOf(request), Flag(request, "latestOnly"))))
      list.push_back(VersionJson(version));
    return Answer(list);
  });
  server.Route("GET", "/schemas/types", [](const ServerRequest&) {
    return Answer(Json::array({"JSON", "PROTOBUF", "AVRO"}));
  });
  server.Route("GET", "/schemas/ids/{id}",
               [&registry](const ServerRequest& request) { return GetSchema(registry, request, false); });
  server.Route("GET", "/schemas/ids/{id}/schema",
               [&registry](const ServerRequest& request) { return GetSchema(registry, request, true); });
  server.Route("GET", "/schemas/ids/{id}/subjects",
               [&registry](const ServerRequest& request) { return GetUses(registry, request, false); });
  server.Route("GET", "/schemas/ids/{id}/versions",
               [&registry](const ServerRequest& request) { return GetUses(registry, request, true); });
}

// ---- Compatibility, configuration and mode. Without {subject} they are global.

ServerResponse CheckCompatibility(SchemaRegistry& registry, const ServerRequest& request, bool one_version) {
  std::optional<int32_t> version;
  if (one_version) {
    const auto number = VersionOf(request);
    if (!number.ok()) return SchemaRegistryError(number.status());
    version = *number;
  }
  const auto given = SchemaOf(request);
  if (!given.ok()) return SchemaRegistryError(given.status());
  const auto report =
      registry.CheckCompatibility(SubjectOf(request), version, given->definition, given->options.normalize);
  if (!report.ok()) return SchemaRegistryError(report.status());
  Json body = {{"is_compatible", report->compatible}};
  if (Flag(request, "verbose")) body["messages"] = report->messages;
  return Answer(body);
}

std::string ScopeOf(const ServerRequest& request) {
  const auto found = request.path_parameters.find("subject");
  return found == request.path_parameters.end() ? "" : found->second;
}

Json ConfigJson(const RegistryConfig& config, const char* level_name) {
  Json body = Json::object();
  if (config.normalize) body["normalize"] = *config.normalize;
  if (config.compatibility) body[level_name] = std::string(CompatibilityLevelName(*config.compatibility));
  return body;
}

ServerResponse GetConfig(SchemaRegistry& registry, const ServerRequest& request) {
  const std::string subject = ScopeOf(request);
  const auto config = registry.GetConfig(subject);
  if (config.ok()) return Answer(ConfigJson(*config, "compatibilityLevel"));
  if (config.status().Is(kNoSubjectConfig) && Flag(request, "defaultToGlobal"))
    return Answer(ConfigJson(*registry.GetConfig(""), "compatibilityLevel"));
  return SchemaRegistryError(config.status());
}

Result<RegistryConfig> GivenConfig(const ServerRequest& request) {
  TM_ASSIGN_OR_RETURN(const Json body, BodyOf(request));
  RegistryConfig config;
  for (const auto& [name, value] : body.items()) {
    if (value.is_null()) continue;
    if (name == "compatibility" || name == "compatibilityLevel") {
      if (value.is_string()) config.compatibility = ParseCompatibilityLevel(value.get<std::string>());
      if (!config.compatibility)
        return Status(kInvalidCompatibility,
                      "Invalid compatibility level. Valid values are none, backward, forward, full, "
                      "backward_transitive, forward_transitive, and full_transitive");
    } else if (name == "normalize" && value.is_boolean()) {
      config.normalize = value.get<bool>();
    } else {
      return Status(kUnsupportedRegistryFeature, fmt::format("\"{}\" of a configuration is not supported", name));
    }
  }
  if (!config.compatibility && !config.normalize)
    return Status(kInvalidCompatibility, "the body sets nothing: {\"compatibility\": \"BACKWARD\"}");
  return config;
}

ServerResponse GetMode(SchemaRegistry& registry, const ServerRequest& request) {
  auto mode = registry.GetMode(ScopeOf(request));
  if (!mode.ok() && mode.status().Is(kNoSubjectMode) && Flag(request, "defaultToGlobal")) mode = registry.GetMode("");
  if (!mode.ok()) return SchemaRegistryError(mode.status());
  return Answer({{"mode", std::string(RegistryModeName(*mode))}});
}

ServerResponse SetMode(SchemaRegistry& registry, const ServerRequest& request) {
  const auto body = BodyOf(request);
  if (!body.ok()) return SchemaRegistryError(body.status());
  const auto found = body->find("mode");
  const auto mode = found != body->end() && found->is_string() ? ParseRegistryMode(found->get<std::string>())
                                                               : std::optional<RegistryMode>();
  if (!mode)
    return SchemaRegistryError(Status(kInvalidRegistryMode,
                                      "Invalid mode. Valid values are READWRITE, READONLY, READONLY_OVERRIDE, and "
                                      "IMPORT"));
  const Status set = registry.SetMode(ScopeOf(request), *mode, Flag(request, "force"));
  return set.ok() ? Answer({{"mode", std::string(RegistryModeName(*mode))}}) : SchemaRegistryError(set);
}

void MountSettings(HttpServer& server, SchemaRegistry& registry) {
  server.Route("POST", "/compatibility/subjects/{subject}/versions",
               [&registry](const ServerRequest& request) { return CheckCompatibility(registry, request, false); });
  server.Route("POST", "/compatibility/subjects/{subject}/versions/{version}",
               [&registry](const ServerRequest& request) { return CheckCompatibility(registry, request, true); });
  for (const char* path : {"/config", "/config/{subject}"}) {
    server.Route("GET", path, [&registry](const ServerRequest& request) { return GetConfig(registry, request); });
    server.Route("PUT", path, [&registry](const ServerRequest& request) {
      const auto config = GivenConfig(request);
      if (!config.ok()) return SchemaRegistryError(config.status());
      const auto set = registry.SetConfig(ScopeOf(request), *config);
      return set.ok() ? Answer(ConfigJson(*config, "compatibility")) : SchemaRegistryError(set.status());
    });
    server.Route("DELETE", path, [&registry](const ServerRequest& request) {
      const auto was = registry.DeleteConfig(ScopeOf(request));
      return was.ok() ? Answer(ConfigJson(*was, "compatibilityLevel")) : SchemaRegistryError(was.status());
    });
  }
  for (const char* path : {"/mode", "/mode/{subject}"}) {
    server.Route("GET", path, [&registry](const ServerRequest& request) { return GetMode(registry, request); });
    server.Route("PUT", path, [&registry](const ServerRequest& request) { return SetMode(registry, request); });
    server.Route("DELETE", path, [&registry](const ServerRequest& request) {
      const auto was = registry.DeleteMode(ScopeOf(request));
      return was.ok() ? Answer({{"mode", std::string(RegistryModeName(*was))}}) : SchemaRegistryError(was.status());
    });
  }
}

}  // namespace

int SchemaRegistryErrorCode(const Status& error) {
  for (const CodeOfError& row : kRegistryCodes) {
    if (error.Is(*row.error)) return row.code;
  }
  return error.code().domain == ErrorDomain::kUser ? 422 : 50001;
}

ServerResponse SchemaRegistryError(const Status& error) {
  const int code = SchemaRegistryErrorCode(error);
  return Answer({{"error_code", code}, {"message", error.message()}}, code < 1000 ? code : code / 100);
}

void MountSchemaRegistryRoutes(HttpServer& server, SchemaRegistry& registry) {
  server.Route("GET", "/", [](const ServerRequest&) { return Answer(Json::object()); });
  server.Route("GET", "/contexts",
               [](const ServerRequest& request) { return Answer(Page(request, std::vector<std::string>{"."})); });
  server.Route("GET", "/v1/metadata/id", [](const ServerRequest&) {
    return Answer({{"scope", {{"path", Json::array()}, {"clusters", Json::object()}}}, {"id", ""}});
  });
  MountSubjects(server, registry);
  MountSchemas(server, registry);
  MountSettings(server, registry);
}

}  // namespace tidemill
