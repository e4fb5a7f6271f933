#include "connect/schema_registry/http_schema_source.h"

#include <algorithm>
#include <future>
#include <thread>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/errors.h"
#include "base/url.h"
#include "data/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kAnswerBytesMax = 8 << 20;
constexpr int kReferenceDepthMax = 32;
constexpr int kUnknownSubject = 40401;
constexpr int kUnknownVersion = 40402;
constexpr int kUnknownSchema = 40403;

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

const char* LanguageName(SchemaLanguage language) {
  switch (language) {
    case SchemaLanguage::kAvro:
      return "AVRO";
    case SchemaLanguage::kJson:
      return "JSON";
    case SchemaLanguage::kProtobuf:
      return "PROTOBUF";
  }
  return "AVRO";
}

std::string RegistrationBody(const SchemaDefinition& schema) {
  std::string out = fmt::format("{{\"schema\":{}", JsonText(schema.text));
  if (schema.language != SchemaLanguage::kAvro)
    out += fmt::format(",\"schemaType\":\"{}\"", LanguageName(schema.language));
  if (!schema.references.empty()) {
    out += ",\"references\":[";
    for (const SchemaReference& reference : schema.references) {
      if (out.back() != '[') out += ',';
      out += fmt::format("{{\"name\":{},\"subject\":{},\"version\":{}}}", JsonText(reference.name),
                         JsonText(reference.subject), reference.version);
    }
    out += ']';
  }
  return out + "}";
}

Status BadAnswer() { return Status(kNetworkError, "the schema registry's answer is no answer of a schema registry"); }

Result<int32_t> NumberIn(const std::string& body, std::string_view member) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  int64_t value = 0;
  if (parser.parse(body).get(root) || root.at_key(member).get(value) || value < 0 || value > INT32_MAX)
    return BadAnswer();
  return static_cast<int32_t>(value);
}

Result<SchemaDefinition> DefinitionIn(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  SchemaDefinition out;
  std::string_view text;
  if (parser.parse(body).get(root) || root.at_key("schema").get(text)) return BadAnswer();
  out.text = text;
  std::string_view language;
  if (root.at_key("schemaType").get(language) == simdjson::SUCCESS) {
    if (language == "JSON") {
      out.language = SchemaLanguage::kJson;
    } else if (language == "PROTOBUF") {
      out.language = SchemaLanguage::kProtobuf;
    } else if (language != "AVRO") {
      return Status(kUnsupportedType, fmt::format("schemas in '{}' are not supported", language.substr(0, 40)));
    }
  }
  simdjson::dom::array references;
  if (root.at_key("references").get(references)) return out;
  for (const simdjson::dom::element reference : references) {
    std::string_view name;
    std::string_view subject;
    int64_t version = 0;
    if (reference.at_key("name").get(name) || reference.at_key("subject").get(subject) ||
        reference.at_key("version").get(version) || version < 1 || version > INT32_MAX)
      return BadAnswer();
    out.references.push_back({std::string(name), std::string(subject), static_cast<int32_t>(version)});
  }
  return out;
}

// The registry's error: its own code, and its words cut to a bearable length.
struct RegistryError {
  int64_t code = 0;
  std::string message;
};

RegistryError ErrorIn(const std::string& body) {
  RegistryError out;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view message;
  if (parser.parse(body).get(root)) return out;
  if (root.at_key("error_code").get(out.code)) out.code = 0;
  if (root.at_key("message").get(message) == simdjson::SUCCESS) out.message = message.substr(0, 2000);
  return out;
}

Status StatusOfAnswer(int status, const std::string& body) {
  const RegistryError error = ErrorIn(body);
  const std::string words = error.message.empty() ? fmt::format("HTTP {}", status) : error.message;
  if (status == 401 || status == 403)
    return Status(kPermissionDenied, fmt::format("the schema registry refuses: HTTP {}", status));
  if (status == 404 &&
      (error.code == kUnknownSubject || error.code == kUnknownVersion || error.code == kUnknownSchema)) {
    return Status(kSchemaNotFound, "the schema registry: " + words);
  }
  if (status == 409) return Status(kIncompatibleSchema, "the schema registry: " + words);
  if (status == 422) return Status(kInvalidSchema, "the schema registry: " + words);
  return Status(kNetworkError, "the schema registry: " + words);
}

bool IsWorthAnotherTry(int status) { return status == 429 || status >= 500; }

}  // namespace

HttpSchemaSource::HttpSchemaSource(SchemaRegistryConnection connection, Network& network, const Clock& clock)
    : connection_(std::move(connection)), network_(network), clock_(clock) {}

Result<HttpSchemaSource::Answer> HttpSchemaSource::Try(const std::string& url, const std::string& method,
                                                       const std::string& path, const std::string& body) {
  HttpRequest request;
  request.method = method;
  request.url = url + path;
  request.headers = {{"Accept", "application/vnd.schemaregistry.v1+json, application/json"}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/vnd.schemaregistry.v1+json");
  if (!connection_.authorization.empty()) request.headers.emplace_back("Authorization", connection_.authorization);
  request.body = body;
  request.timeout_ms = connection_.timeout_ms;
  request.response_bytes_max = kAnswerBytesMax;
  request.allow_addresses = {"*"};  // who names a registry means it, on a private network too
  auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
  auto answer = promise->get_future();
  network_.Fetch(std::move(request), [promise](Result<HttpResponse> response) { promise->set_value(response); });
  TM_ASSIGN_OR_RETURN(HttpResponse response, answer.get());
  return Answer{response.status, std::move(response.body)};
}

Result<std::string> HttpSchemaSource::Call(const std::string& method, const std::string& path, std::string body) {
  Status last;
  int64_t pause_ms = connection_.backoff_ms;
  for (int attempt = 0; attempt < connection_.attempts_max; ++attempt) {
    if (attempt > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
      pause_ms = std::min<int64_t>(pause_ms * 2, 2'000);
    }
    const std::string& url = connection_.urls[static_cast<size_t>(attempt) % connection_.urls.size()];
    auto answer = Try(url, method, path, body);
    if (answer.ok() && answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    last = answer.ok() ? StatusOfAnswer(answer->status, answer->body) : answer.status();
    last = last.WithContext(url);
    if (answer.ok() && !IsWorthAnotherTry(answer->status)) break;
  }
  return last;
}

Status HttpSchemaSource::AddReferences(const SchemaDefinition& definition, std::map<Version, bool>& seen, int depth,
                                       ResolvedSchema& out) {
  if (depth > kReferenceDepthMax) return Status(kInvalidSchema, "references are nested too deep");
  for (const SchemaReference& reference : definition.references) {
    if (!seen.emplace(Version(reference.subject, reference.version), true).second) continue;
    if (seen.size() > kReferencesMax) return Status(kInvalidSchema, "the schema has too many references");
    TM_ASSIGN_OR_RETURN(
        const std::string body,
        Call("GET", fmt::format("/subjects/{}/versions/{}", PercentEncode(reference.subject), reference.version), ""));
    TM_ASSIGN_OR_RETURN(SchemaDefinition part, DefinitionIn(body));
    TM_RETURN_IF_ERROR(AddReferences(part, seen, depth + 1, out));
    out.parts.push_back({reference.name, std::move(part.text)});
  }
  return Status::OK();
}

Result<ResolvedSchema> HttpSchemaSource::Resolve(const std::string& body) {
  TM_ASSIGN_OR_RETURN(SchemaDefinition definition, DefinitionIn(body));
  ResolvedSchema out;
  out.language = definition.language;
  std::map<Version, bool> seen;
  TM_RETURN_IF_ERROR(AddReferences(definition, seen, 0, out));
  out.text = std::move(definition.text);
  return out;
}

Result<ResolvedSchema> HttpSchemaSource::SchemaById(int32_t id) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = by_id_.find(id); found != by_id_.end()) return found->second;
    while (!unknown_.empty() && unknown_.front().first < clock_.MonotonicNanos()) unknown_.pop_front();
    for (const auto& [until, unknown] : unknown_) {
      if (unknown == id) return Status(kSchemaNotFound, fmt::format("the schema registry has no schema {}", id));
    }
  }
  auto body = Call("GET", fmt::format("/schemas/ids/{}", id), "");
  if (body.status().Is(kSchemaNotFound)) {
    std::lock_guard<std::mutex> lock(mutex_);
    unknown_.emplace_back(clock_.MonotonicNanos() + kUnknownMs * 1'000'000, id);
    if (unknown_.size() > kSchemasMax) unknown_.pop_front();
  }
  if (!body.ok()) return body.status();
  TM_ASSIGN_OR_RETURN(ResolvedSchema schema, Resolve(*body));
  std::lock_guard<std::mutex> lock(mutex_);
  if (by_id_.size() >= kSchemasMax) by_id_.clear();
  by_id_[id] = schema;
  return schema;
}

Result<int32_t> HttpSchemaSource::Register(const std::string& subject, const SchemaDefinition& schema) {
  TM_ASSIGN_OR_RETURN(const std::string body, Call("POST", fmt::format("/subjects/{}/versions", PercentEncode(subject)),
                                                   RegistrationBody(schema)));
  return NumberIn(body, "id");
}

Result<std::optional<SchemaSource::Latest>> HttpSchemaSource::LatestOf(const std::string& subject) {
  auto body = Call("GET", fmt::format("/subjects/{}/versions/latest", PercentEncode(subject)), "");
  if (body.status().Is(kSchemaNotFound)) return std::optional<Latest>();
  if (!body.ok()) return body.status();
  Latest out;
  TM_ASSIGN_OR_RETURN(out.id, NumberIn(*body, "id"));
  TM_ASSIGN_OR_RETURN(out.version, NumberIn(*body, "version"));
  TM_ASSIGN_OR_RETURN(out.schema, Resolve(*body));
  return std::optional<Latest>(std::move(out));
}

}  // namespace tidemill
