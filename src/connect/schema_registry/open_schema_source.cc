#include "connect/schema_registry/open_schema_source.h"

#include "base/base64.h"
#include "base/url.h"
#include "connect/guard/secrets.h"
#include "connect/schema_registry/http_schema_source.h"
#include "data/errors.h"
#include "data/format.h"

namespace tidemill {
namespace {

Status BadRegistryOption(const std::string& format, const std::string& key, const std::string& why) {
  return Status(kInvalidFormatOption, "'" + format + "." + key + "': " + why);
}

// The option by Flink's name or by that of Confluent's clients.
std::string AuthOption(const Config& options, const std::string& flink, const std::string& confluent) {
  return options.GetString(flink, options.GetString("properties." + confluent, ""));
}

Status ReadUrls(const std::string& format, const std::string& text, std::vector<std::string>* urls) {
  std::string url;
  for (char c : text + ",") {
    if (c != ',') {
      if (c != ' ') url += c;
      continue;
    }
    while (url.ends_with('/')) url.pop_back();
    if (url.empty()) continue;
    const auto parsed = ParseUrl(url);
    // The address itself may hold what is secret, so it is not repeated.
    if (!parsed.ok() || parsed->target.find('?') != std::string::npos) {
      return BadRegistryOption(format, "url", "expected http:// or https:// addresses, separated by commas")
          .WithHint("user and password go into '" + format + ".basic-auth.user-info'");
    }
    urls->push_back(std::move(url));
    url.clear();
  }
  return urls->empty() ? BadRegistryOption(format, "url", "it is empty") : Status::OK();
}

// The schema of a file, read once: the newest of any subject.
class FileSchemaSource final : public SchemaSource {
 public:
  explicit FileSchemaSource(ResolvedSchema schema) : schema_(std::move(schema)) {}
  Result<ResolvedSchema> SchemaById(int32_t) override { return Status(kSchemaNotFound, "a file has no ids"); }
  Result<int32_t> Register(const std::string&, const SchemaDefinition&) override {
    return Status(kInvalidFormatOption, "nothing can be registered in a file");
  }
  Result<std::optional<Latest>> LatestOf(const std::string&) override { return std::optional<Latest>({0, 0, schema_}); }

 private:
  const ResolvedSchema schema_;
};

constexpr int64_t kSchemaFileBytesMax = int64_t{16} << 20;

Result<std::shared_ptr<SchemaSource>> OpenSchemaFile(const std::string& format, const Config& options,
                                                     const ConnectorContext& context) {
  if (context.files == nullptr) return BadRegistryOption(format, "schema-file", "there are no files here");
  const std::string path = options.GetString("schema-file", "");
  TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(*context.files, path, kSchemaFileBytesMax));
  TM_ASSIGN_OR_RETURN(ResolvedSchema schema, ProtobufFileSchema(path, bytes, options.GetString("message-name", "")));
  std::shared_ptr<SchemaSource> source = std::make_shared<FileSchemaSource>(std::move(schema));
  return source;
}

Result<std::string> Authorization(const std::string& format, const Config& options, FileSystem& files) {
  const std::string basic = AuthOption(options, "basic-auth.credentials-source", "basic.auth.credentials.source");
  const std::string user_info = AuthOption(options, "basic-auth.user-info", "basic.auth.user.info");
  const std::string bearer = AuthOption(options, "bearer-auth.credentials-source", "bearer.auth.credentials.source");
  const std::string token = AuthOption(options, "bearer-auth.token", "bearer.auth.token");
  if (!basic.empty() && basic != "USER_INFO")
    return BadRegistryOption(format, "basic-auth.credentials-source", "only USER_INFO is supported");
  if (!bearer.empty() && bearer != "STATIC_TOKEN")
    return BadRegistryOption(format, "bearer-auth.credentials-source", "only STATIC_TOKEN is supported");
  if (!user_info.empty() && !token.empty())
    return BadRegistryOption(format, "bearer-auth.token", "'basic-auth.user-info' is given too");
  if (!basic.empty() && user_info.empty())
    return BadRegistryOption(format, "basic-auth.user-info", "it is missing: 'user:password'");
  TM_ASSIGN_OR_RETURN(const std::string secret, ResolveSecrets(user_info.empty() ? token : user_info, files));
  if (secret.find_first_of("\r\n") != std::string::npos)
    return BadRegistryOption(format, user_info.empty() ? "bearer-auth.token" : "basic-auth.user-info", "a line break");
  if (secret.empty()) return std::string();
  if (!user_info.empty()) return "Basic " + EncodeBase64(secret);
  return "Bearer " + secret;
}

}  // namespace

Result<std::shared_ptr<SchemaSource>> OpenSchemaSource(const std::string& format, const Config& options,
                                                       const ConnectorContext& context) {
  if (format == "protobuf" && options.Has("schema-file")) return OpenSchemaFile(format, options, context);
  if (!UsesSchemaRegistry(format)) return std::shared_ptr<SchemaSource>();
  if (!options.Has("url")) {
    if (context.schemas == nullptr) {
      return Status(kInvalidFormatOption, "format '" + format + "' needs a schema registry")
          .WithHint("give '" + format + ".url', or start with --schema-registry");
    }
    // The embedded registry outlives every source and sink; nothing is owned.
    return std::shared_ptr<SchemaSource>(std::shared_ptr<void>(), context.schemas);
  }
  if (context.network == nullptr || context.files == nullptr || context.clock == nullptr)
    return Status(kInvalidFormatOption, "format '" + format + "' needs the network, which is not open");
  SchemaRegistryConnection connection;
  TM_ASSIGN_OR_RETURN(const std::string url, ResolveSecrets(*options.Get("url"), *context.files));
  TM_RETURN_IF_ERROR(ReadUrls(format, url, &connection.urls));
  TM_ASSIGN_OR_RETURN(connection.authorization, Authorization(format, options, *context.files));
  TM_ASSIGN_OR_RETURN(connection.timeout_ms, options.GetInt("properties.request.timeout.ms", connection.timeout_ms));
  if (connection.timeout_ms < 1 || connection.timeout_ms > 300'000)
    return BadRegistryOption(format, "properties.request.timeout.ms", "expected 1 to 300000");
  TM_ASSIGN_OR_RETURN(const int64_t retries, options.GetInt("properties.max.retries", connection.attempts_max - 1));
  if (retries < 0 || retries > 100) return BadRegistryOption(format, "properties.max.retries", "expected 0 to 100");
  connection.attempts_max = static_cast<int>(retries) + 1;
  std::shared_ptr<SchemaSource> source =
      std::make_shared<HttpSchemaSource>(std::move(connection), *context.network, *context.clock);
  return source;
}

}  // namespace tidemill
