#include "connect/pubsub/pubsub_options.h"

#include <algorithm>
#include <iterator>

#include "connect/errors.h"
#include "connect/guard/secrets.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr std::string_view kMetadataNames[] = {"message-id", "publish-time", "attributes", "ordering-key",
                                               "delivery-attempt"};
constexpr std::string_view kGoogleEndpoint = "pubsub.googleapis.com:443";
constexpr int64_t kKeyFileBytesMax = 64 << 10;
constexpr int64_t kRootsBytesMax = 4 << 20;
constexpr const char* kRootsFile = "/etc/ssl/certs/ca-certificates.crt";

bool IsResourceName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.~+%:").find(c) != std::string_view::npos;
  });
}

// The full name of a topic or subscription; its short form needs 'project'.
Result<std::string> FullName(const TableDefinition& table, const std::string& option, const std::string& kind) {
  const std::string name = table.options.GetString(option, "");
  if (name.empty()) {
    return Status(kMissingOption, "connector 'pubsub' needs option '" + option + "' here").At(table.position);
  }
  if (name.starts_with("projects/")) {
    const size_t slash = name.find('/', 9);
    const std::string middle = "/" + kind + "/";
    if (slash != std::string::npos && name.substr(slash).starts_with(middle) &&
        IsResourceName(name.substr(9, slash - 9)) && IsResourceName(name.substr(slash + middle.size())))
      return name;
    return OptionError(table, option, "'" + name + "': expected 'projects/PROJECT/" + kind + "/NAME'");
  }
  const std::string project = table.options.GetString("project", "");
  if (project.empty()) {
    return Status(kMissingOption, "connector 'pubsub' needs option 'project', or '" + option +
                                      "' as 'projects/PROJECT/" + kind + "/NAME'")
        .At(table.position);
  }
  if (!IsResourceName(project)) return OptionError(table, "project", "'" + project + "' is no name of a project");
  if (!IsResourceName(name)) return OptionError(table, option, "'" + name + "' is no name of Pub/Sub");
  return "projects/" + project + "/" + kind + "/" + name;
}

Status ReadNumbers(const TableDefinition& table, PubsubTableOptions& out) {
  const auto deadline = table.options.GetDurationMs("scan.ack-deadline", 60'000);
  if (!deadline.ok()) return OptionError(table, "scan.ack-deadline", deadline.status().message());
  if (*deadline < 10'000 || *deadline > 600'000)
    return OptionError(table, "scan.ack-deadline", "Pub/Sub takes 10 s to 10 min");
  out.ack_deadline_s = static_cast<int>(*deadline / 1000);
  const auto messages = table.options.GetInt("scan.max-outstanding-messages", 10'000);
  if (!messages.ok()) return OptionError(table, "scan.max-outstanding-messages", messages.status().message());
  if (*messages < 1 || *messages > 1'000'000)
    return OptionError(table, "scan.max-outstanding-messages", "must be 1 to 1000000");
  out.outstanding_messages_max = *messages;
  const auto bytes = table.options.GetBytes("scan.max-outstanding-bytes", 64 << 20);
  if (!bytes.ok()) return OptionError(table, "scan.max-outstanding-bytes", bytes.status().message());
  if (*bytes < 1 << 20) return OptionError(table, "scan.max-outstanding-bytes", "must be 1 mb or more");
  out.outstanding_bytes_max = *bytes;
  const auto retry = table.options.GetDurationMs("sink.retry-timeout", 60'000);
  if (!retry.ok()) return OptionError(table, "sink.retry-timeout", retry.status().message());
  out.retry_timeout_ms = *retry;
  return Status::OK();
}

}  // namespace

DataType PubsubMetadataType(PubsubMetadata metadata) {
  switch (metadata) {
    case PubsubMetadata::kMessageId:
      return DataType(TypeKind::kString, false);
    case PubsubMetadata::kPublishTime:
      return DataType::TimestampLtz(6, false);
    case PubsubMetadata::kAttributes:
      return DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kString, false), false);
    case PubsubMetadata::kOrderingKey:
      return DataType(TypeKind::kString);
    case PubsubMetadata::kDeliveryAttempt:
      break;
  }
  return DataType(TypeKind::kInt);
}

std::vector<MetadataColumn> PubsubMetadataColumns() {
  std::vector<MetadataColumn> columns;
  for (const std::string_view name : kMetadataNames) {
    const PubsubMetadata metadata = PubsubMetadataOf(name);
    columns.push_back({name, PubsubMetadataType(metadata),
                       metadata == PubsubMetadata::kAttributes || metadata == PubsubMetadata::kOrderingKey});
  }
  return columns;
}

PubsubMetadata PubsubMetadataOf(std::string_view key) {
  const auto found = std::find(std::begin(kMetadataNames), std::end(kMetadataNames), key);
  TM_CHECK(found != std::end(kMetadataNames));
  return static_cast<PubsubMetadata>(found - std::begin(kMetadataNames));
}

Result<PubsubTableOptions> ParsePubsubTableOptions(const TableDefinition& table, bool as_source, bool as_sink) {
  PubsubTableOptions out;
  if (as_source) {
    TM_ASSIGN_OR_RETURN(out.subscription, FullName(table, "subscription", "subscriptions"));
  }
  if (as_sink) {
    TM_ASSIGN_OR_RETURN(out.topic, FullName(table, "topic", "topics"));
  }
  TM_RETURN_IF_ERROR(ReadNumbers(table, out));
  out.format = table.options.GetString("format", "");
  if (out.format.empty()) return Status(kMissingOption, "connector 'pubsub' needs option 'format'").At(table.position);
  const std::vector<std::string> formats = RowFormats();
  if (std::find(formats.begin(), formats.end(), out.format) == formats.end())
    return OptionError(table, "format", "'" + out.format + "' is not a format of messages");
  if (IsChangelogFormat(out.format))
    return OptionError(table, "format", "'" + out.format + "': changes of tables can't come through 'pubsub'");
  for (const auto& [key, value] : table.options.values()) {
    if (key.starts_with(out.format + ".")) out.format_options.Set(key.substr(out.format.size() + 1), value);
  }
  if (table.options.Has("emulator-host") && table.options.Has("endpoint"))
    return OptionError(table, "endpoint", "'emulator-host' is given too");
  return out;
}

Result<PubsubConnection> ResolvePubsubConnection(const TableDefinition& table, FileSystem& files) {
  PubsubConnection out;
  std::string emulator;
  if (table.options.Has("emulator-host")) {
    TM_ASSIGN_OR_RETURN(emulator, ResolveSecrets(table.options.GetString("emulator-host", ""), files));
  } else if (!table.options.Has("endpoint")) {
    // Where every client of Google's looks.
    const auto from_environment = ResolveSecrets("${env:PUBSUB_EMULATOR_HOST}", files);
    if (from_environment.ok()) emulator = *from_environment;
  }
  if (!emulator.empty()) {
    out.endpoint = emulator;
    out.plaintext = true;
    return out;
  }
  out.endpoint = table.options.GetString("endpoint", std::string(kGoogleEndpoint));
  if (const auto path = table.options.Get("credentials-file")) {
    auto key = ReadFile(files, *path, kKeyFileBytesMax);
    if (!key.ok()) return OptionError(table, "credentials-file", key.status().message());
    out.key_json = *std::move(key);
  }
  if (auto roots = ReadFile(files, kRootsFile, kRootsBytesMax); roots.ok()) out.roots_pem = *std::move(roots);
  return out;
}

}  // namespace tidemill
