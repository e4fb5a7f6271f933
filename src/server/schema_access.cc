#include "server/schema_access.h"

#include <charconv>
#include <future>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/file_system.h"
#include "base/url.h"
#include "data/errors.h"
#include "log/errors.h"
#include "log/schema_registry/schema_registry.h"
#include "server/errors.h"
#include "server/server_client.h"

namespace tidemill {
namespace {

using nlohmann::json;

constexpr int64_t kRegistryTimeoutMs = 30'000;
constexpr int64_t kRegistryResponseBytesMax = 256 << 20;

class LocalSchemaAccess final : public SchemaAccess {
 public:
  explicit LocalSchemaAccess(SchemaRegistry& registry) : registry_(registry) {}

  Result<std::vector<RegisteredVersion>> List(bool deleted) override {
    return registry_.Schemas("", deleted ? DeletedFilter::kAll : DeletedFilter::kLive, false);
  }
  Result<RegisteredVersion> Get(const std::string& subject, int32_t version) override {
    return registry_.Version(subject, version, DeletedFilter::kLive);
  }
  Result<SchemaDefinition> GetById(int32_t id) override { return registry_.Definition(id); }
  Result<RegisteredVersion> Register(const std::string& subject, const SchemaDefinition& schema,
                                     bool normalize) override {
    return registry_.RegisterVersion(subject, schema, {.normalize = normalize});
  }
  Result<CompatibilityReport> Check(const std::string& subject, std::optional<int32_t> version,
                                    const SchemaDefinition& schema, bool normalize) override {
    return registry_.CheckCompatibility(subject, version, schema, normalize);
  }
  Result<std::vector<int32_t>> Delete(const std::string& subject, std::optional<int32_t> version,
                                      bool permanent) override {
    if (!version) return registry_.DeleteSubject(subject, permanent);
    TM_ASSIGN_OR_RETURN(const int32_t deleted, registry_.DeleteVersion(subject, *version, permanent));
    return std::vector<int32_t>{deleted};
  }

 private:
  SchemaRegistry& registry_;
};

const ErrorCode& CodeOfAnswer(int status, int64_t error_code) {
  switch (error_code) {
    case 40401:
      return kSubjectNotFound;
    case 40402:
      return kSchemaVersionNotFound;
    case 40403:
      return kSchemaNotFound;
    case 40404:
      return kSubjectSoftDeleted;
    case 40405:
      return kSubjectNotSoftDeleted;
    case 40406:
      return kVersionSoftDeleted;
    case 40407:
      return kVersionNotSoftDeleted;
    case 42201:
      return kInvalidSchema;
    case 42205:
      return kRegistryNotPermitted;
    case 42206:
      return kSchemaReferenced;
    default:
      break;
  }
  if (status == 409) return kIncompatibleSchema;
  return status >= 500 ? kNetworkError : status == 404 ? kNotFound : kInvalidConfig;
}

Result<std::string> AnswerText(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_string()) return found->get<std::string>();
  return Status(kNetworkError, fmt::format("the registry's answer has no \"{}\"", name));
}

int32_t NumberOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int32_t>() : 0;
}

Result<RegisteredVersion> VersionFrom(const json& object) {
  if (!object.is_object()) return Status(kNetworkError, "the registry's answer is no object");
  RegisteredVersion version;
  version.subject = object.value("subject", "");
  version.version = NumberOf(object, "version");
  version.id = NumberOf(object, "id");
  version.deleted = object.value("deleted", false);
  TM_ASSIGN_OR_RETURN(version.schema.text, AnswerText(object, "schema"));
  const auto type = object.find("schemaType");
  const std::string name = type != object.end() && type->is_string() ? type->get<std::string>() : "AVRO";
  const auto language = ParseSchemaLanguage(name);
  if (!language) return Status(kUnsupportedType, fmt::format("the schema is of the type '{}'", name));
  version.schema.language = *language;
  const auto references = object.find("references");
  if (references != object.end() && references->is_array()) {
    for (const json& item : *references) {
      if (item.is_object())
        version.schema.references.push_back(
            {item.value("name", ""), item.value("subject", ""), NumberOf(item, "version")});
    }
  }
  return version;
}

json BodyFor(const SchemaDefinition& schema) {
  json body = {{"schema", schema.text}, {"schemaType", std::string(SchemaLanguageName(schema.language))}};
  for (const SchemaReference& reference : schema.references)
    body["references"].push_back(
        {{"name", reference.name}, {"subject", reference.subject}, {"version", reference.version}});
  return body;
}

std::string VersionPath(int32_t version) { return version == kLatestVersion ? "latest" : std::to_string(version); }

class RemoteSchemaAccess final : public SchemaAccess {
 public:
  RemoteSchemaAccess(Network& network, std::string url) : network_(network), url_(std::move(url)) {
    while (url_.ends_with('/')) url_.pop_back();
  }

  Result<std::vector<RegisteredVersion>> List(bool deleted) override {
    TM_ASSIGN_OR_RETURN(const json list, Call("GET", deleted ? "/schemas?deleted=true" : "/schemas"));
    std::vector<RegisteredVersion> versions;
    for (const json& item : list) {
      TM_ASSIGN_OR_RETURN(RegisteredVersion version, VersionFrom(item));
      versions.push_back(std::move(version));
    }
    return versions;
  }
  Result<RegisteredVersion> Get(const std::string& subject, int32_t version) override {
    TM_ASSIGN_OR_RETURN(const json answer, Call("GET", Path(subject) + "/versions/" + VersionPath(version)));
    return VersionFrom(answer);
  }
  Result<SchemaDefinition> GetById(int32_t id) override {
    TM_ASSIGN_OR_RETURN(const json answer, Call("GET", fmt::format("/schemas/ids/{}", id)));
    TM_ASSIGN_OR_RETURN(RegisteredVersion version, VersionFrom(answer));
    return std::move(version.schema);
  }
  Result<RegisteredVersion> Register(const std::string& subject, const SchemaDefinition& schema,
                                     bool normalize) override {
    const std::string query = normalize ? "?normalize=true" : "";
    TM_ASSIGN_OR_RETURN(const json answer, Call("POST", Path(subject) + "/versions" + query, BodyFor(schema).dump()));
    RegisteredVersion version{subject, NumberOf(answer, "version"), NumberOf(answer, "id"), schema};
    if (version.version > 0) return version;
    // Older registries answer with the id alone.
    TM_ASSIGN_OR_RETURN(const json found, Call("POST", Path(subject) + query, BodyFor(schema).dump()));
    version.version = NumberOf(found, "version");
    return version;
  }
  Result<CompatibilityReport> Check(const std::string& subject, std::optional<int32_t> version,
                                    const SchemaDefinition& schema, bool normalize) override {
    const std::string path = "/compatibility" + Path(subject) + "/versions" +
                             (version ? "/" + VersionPath(*version) : "") + "?verbose=true" +
                             (normalize ? "&normalize=true" : "");
    TM_ASSIGN_OR_RETURN(const json answer, Call("POST", path, BodyFor(schema).dump()));
    CompatibilityReport report;
    report.compatible = answer.is_object() && answer.value("is_compatible", false);
    if (const auto messages = answer.find("messages"); messages != answer.end() && messages->is_array()) {
      for (const json& message : *messages) {
        if (message.is_string()) report.messages.push_back(message.get<std::string>());
      }
    }
    return report;
  }
  Result<std::vector<int32_t>> Delete(const std::string& subject, std::optional<int32_t> version,
                                      bool permanent) override {
    const std::string path = Path(subject) + (version ? "/versions/" + VersionPath(*version) : "");
    TM_ASSIGN_OR_RETURN(const json answer, Call("DELETE", path + (permanent ? "?permanent=true" : "")));
    std::vector<int32_t> deleted;
    for (const json& item : answer.is_array() ? answer : json::array({answer})) {
      if (item.is_number_integer()) deleted.push_back(item.get<int32_t>());
    }
    return deleted;
  }

 private:
  static std::string Path(const std::string& subject) { return "/subjects/" + PercentEncode(subject); }

  Result<json> Call(const std::string& method, const std::string& target, std::string body = "") {
    HttpRequest request;
    request.method = method;
    request.url = url_ + target;
    request.headers = {{"Accept", "application/vnd.schemaregistry.v1+json"}};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/vnd.schemaregistry.v1+json");
    request.body = std::move(body);
    request.timeout_ms = kRegistryTimeoutMs;
    request.response_bytes_max = kRegistryResponseBytesMax;
    request.allow_addresses = {"*"};  // the user named the registry
    auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
    auto answered = promise->get_future();
    network_.Fetch(std::move(request),
                   [promise](Result<HttpResponse> response) { promise->set_value(std::move(response)); });
    Result<HttpResponse> response = answered.get();
    if (!response.ok()) return response.status().WithContext("schema registry " + url_);
    json answer = json::parse(response->body, nullptr, false);
    if (response->status >= 400) {
      const bool told = answer.is_object() && answer.contains("message") && answer["message"].is_string();
      return Status(CodeOfAnswer(response->status, answer.is_object() ? NumberOf(answer, "error_code") : 0),
                    told ? answer["message"].get<std::string>()
                         : fmt::format("the schema registry {} answered {}", url_, response->status));
    }
    if (answer.is_discarded())
      return Status(kNetworkError, fmt::format("the schema registry {} answered something else than JSON", url_));
    return answer;
  }

  Network& network_;
  std::string url_;
};

uint16_t ReadRegistryPort(const std::string& data_dir) {
  LocalFileSystem files;
  const auto text = ReadFile(files, SchemaRegistryPortPath(data_dir), 64);
  uint16_t port = 0;
  if (text.ok()) (void)std::from_chars(text->data(), text->data() + text->size(), port);
  return port;
}

}  // namespace

std::unique_ptr<SchemaAccess> MakeRemoteSchemaAccess(Network& network, std::string url) {
  return std::make_unique<RemoteSchemaAccess>(network, std::move(url));
}

Result<SchemaSession> SchemaSession::Open(const CommandContext& context, const std::string& url) {
  if (!context.options.server.empty() || !context.options.brokers.empty())
    return Status(kUsage, "a schema registry has an address of its own: --url http://HOST:PORT");
  SchemaSession session;
  std::string remote = url;
  if (remote.empty()) {
    auto engine = Engine::Open(context.options);
    if (engine.ok()) {
      session.engine_ = *std::move(engine);
      session.access_ = std::make_unique<LocalSchemaAccess>(session.engine_->schemas());
      return session;
    }
    const uint16_t port = engine.status().Is(kAlreadyLocked) ? ReadRegistryPort(context.options.data_dir) : 0;
    if (port == 0) return engine.status();
    remote = fmt::format("http://127.0.0.1:{}", port);
  }
  session.network_ = MakeNetwork();
  session.access_ = MakeRemoteSchemaAccess(*session.network_, remote);
  return session;
}

}  // namespace tidemill
