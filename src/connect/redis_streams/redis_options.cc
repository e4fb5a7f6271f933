#include "connect/redis_streams/redis_options.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/guard/secrets.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr size_t kStreamsMax = 256;
constexpr size_t kStreamNameMax = 1024;

std::vector<std::string> PartsOf(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= text.size()) {
    const size_t end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

template <typename T>
bool ParseWhole(std::string_view text, T* out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && rest == text.data() + text.size();
}

// "events:{0..3}" is events:0 to events:3.
Status AddStreams(const TableDefinition& table, const std::string& part, std::vector<std::string>* streams) {
  const size_t open = part.find('{');
  const size_t dots = part.find("..", open == std::string::npos ? 0 : open);
  const size_t close = part.find('}', dots == std::string::npos ? 0 : dots);
  if (open == std::string::npos || dots == std::string::npos || close == std::string::npos) {
    streams->push_back(part);
    return Status::OK();
  }
  uint32_t first = 0;
  uint32_t last = 0;
  if (!ParseWhole(std::string_view(part).substr(open + 1, dots - open - 1), &first) ||
      !ParseWhole(std::string_view(part).substr(dots + 2, close - dots - 2), &last) || last < first ||
      last - first >= kStreamsMax) {
    return OptionError(
        table, "stream",
        "'" + part + "': expected 'name:{0..3}' with at most " + std::to_string(kStreamsMax) + " streams");
  }
  for (uint32_t number = first; number <= last; ++number) {
    streams->push_back(part.substr(0, open) + std::to_string(number) + part.substr(close + 1));
  }
  return Status::OK();
}

Status ParseStreams(const TableDefinition& table, RedisTableOptions* options) {
  for (const std::string& part : PartsOf(table.options.GetString("stream", ""), ';')) {
    TM_RETURN_IF_ERROR(AddStreams(table, part, &options->streams));
  }
  std::set<std::string> seen;
  for (const std::string& stream : options->streams) {
    if (!seen.insert(stream).second) return OptionError(table, "stream", "'" + stream + "' is named twice");
    const bool printable =
        std::all_of(stream.begin(), stream.end(), [](unsigned char c) { return c > ' ' && c != 127; });
    if (stream.size() > kStreamNameMax || !printable)
      return OptionError(table, "stream", "a name has up to 1024 printable characters without blanks");
  }
  if (options->streams.empty()) return OptionError(table, "stream", "'stream' is empty");
  if (options->streams.size() > kStreamsMax)
    return OptionError(table, "stream", "a table has at most " + std::to_string(kStreamsMax) + " streams");
  return Status::OK();
}

// "stream:orders,offset:1526919030474-0;stream:..." or one id for all.
Status ParseIds(const TableDefinition& table, const std::string& key, const RedisTableOptions& options,
                RedisPlace* place) {
  const std::string text = *table.options.Get(key);
  if (const auto id = StreamId::Parse(text)) {
    place->ids[""] = *id;
    return Status::OK();
  }
  for (const std::string& part : PartsOf(text, ';')) {
    const size_t comma = part.rfind(",offset:");
    const auto id = comma == std::string::npos ? std::nullopt : StreamId::Parse(part.substr(comma + 8));
    if (!part.starts_with("stream:") || !id) {
      return OptionError(table, key,
                         "'" + part + "': expected an id, or 'stream:orders,offset:1526919030474-0;stream:...'");
    }
    const std::string stream = part.substr(7, comma - 7);
    if (std::find(options.streams.begin(), options.streams.end(), stream) == options.streams.end())
      return OptionError(table, key, "'" + stream + "' is not one of the table's streams");
    place->ids[stream] = *id;
  }
  if (place->ids.size() != options.streams.size())
    return OptionError(table, key, "it says no id for some of the table's streams");
  return Status::OK();
}

Status ParseRedisPlace(const TableDefinition& table, const std::string& family, const RedisTableOptions& options,
                       RedisPlace* place) {
  const bool startup = family == "scan.startup";
  const std::string key = family + ".mode";
  const std::string mode = table.options.GetString(key, startup ? "earliest-offset" : "unbounded");
  const std::string timestamp = family + ".timestamp-millis";
  const std::string specific = family + ".specific-offsets";
  if (mode == "latest-offset") {
    place->kind = RedisPlace::Kind::kLatest;
  } else if (startup && mode == "earliest-offset") {
    place->kind = RedisPlace::Kind::kEarliest;
  } else if (!startup && mode == "unbounded") {
    place->kind = RedisPlace::Kind::kNever;
  } else if (mode == "timestamp") {
    place->kind = RedisPlace::Kind::kTimestamp;
    if (!table.options.Has(timestamp)) return OptionError(table, key, "'timestamp' needs option '" + timestamp + "'");
    const Result<int64_t> value = table.options.GetInt(timestamp, 0);
    if (!value.ok()) return OptionError(table, timestamp, value.status().message());
    if (*value < 0) return OptionError(table, timestamp, "milliseconds since 1970 are not negative");
    place->timestamp_ms = *value;
  } else if (mode == "specific-offsets") {
    place->kind = RedisPlace::Kind::kSpecific;
    if (!table.options.Has(specific))
      return OptionError(table, key, "'specific-offsets' needs option '" + specific + "'");
    TM_RETURN_IF_ERROR(ParseIds(table, specific, options, place));
  } else {
    return OptionError(table, key,
                       "'" + mode + "' is not one of " + (startup ? "earliest-offset" : "unbounded") +
                           ", latest-offset, timestamp, specific-offsets");
  }
  if (place->kind != RedisPlace::Kind::kTimestamp && table.options.Has(timestamp))
    return OptionError(table, timestamp, "it means something only with '" + key + "' = 'timestamp'");
  if (place->kind != RedisPlace::Kind::kSpecific && table.options.Has(specific))
    return OptionError(table, specific, "it means something only with '" + key + "' = 'specific-offsets'");
  return Status::OK();
}

Status ReadBounded(const TableDefinition& table, std::string_view key, int64_t low, int64_t high, int64_t* out) {
  const Result<int64_t> value = table.options.GetInt(key, *out);
  if (!value.ok()) return OptionError(table, key, value.status().message());
  if (*value < low || *value > high)
    return OptionError(table, key, "must be " + std::to_string(low) + " to " + std::to_string(high));
  *out = *value;
  return Status::OK();
}

Status ParseRedisScan(const TableDefinition& table, RedisTableOptions* options) {
  TM_RETURN_IF_ERROR(ParseRedisPlace(table, "scan.startup", *options, &options->start));
  TM_RETURN_IF_ERROR(ParseRedisPlace(table, "scan.bounded", *options, &options->end));
  options->reset = table.options.GetString("auto.offset.reset", "none");
  if (options->reset != "none" && options->reset != "earliest" && options->reset != "latest") {
    return OptionError(table, "auto.offset.reset", "'" + options->reset + "' is not one of none, earliest, latest");
  }
  TM_RETURN_IF_ERROR(ReadBounded(table, "scan.read.count", 1, 8192, &options->read_count));
  int64_t parallelism = 1;
  TM_RETURN_IF_ERROR(ReadBounded(table, "scan.parallelism", 1, INT32_MAX, &parallelism));
  TM_RETURN_IF_ERROR(ReadBounded(table, "sink.parallelism", 1, INT32_MAX, &parallelism));
  const Result<int64_t> timeout = table.options.GetDurationMs("timeout", options->timeout_ms);
  if (!timeout.ok()) return OptionError(table, "timeout", timeout.status().message());
  if (*timeout < 1 || *timeout > 600'000) return OptionError(table, "timeout", "must be 1 ms to 10 min");
  options->timeout_ms = *timeout;
  return Status::OK();
}

Status ParseRedisFormat(const TableDefinition& table, RedisTableOptions* options) {
  if (table.options.Has("format") && table.options.Has("value.format"))
    return OptionError(table, "format", "'format' and 'value.format' are the same option; give one of them");
  const std::string name = table.options.Has("format") ? "format" : "value.format";
  options->format = table.options.GetString(name, "");
  options->value_field = table.options.GetString("value.field", "value");
  if (options->value_field.empty()) return OptionError(table, "value.field", "it must not be empty");
  if (options->format.empty()) {
    if (table.options.Has("value.field")) return OptionError(table, "value.field", "it needs 'format'");
    for (const ColumnDefinition& column : table.columns) {
      if (column.kind != ColumnDefinition::Kind::kPhysical) continue;
      switch (column.type.kind()) {
        case TypeKind::kArray:
        case TypeKind::kMap:
        case TypeKind::kMultiset:
        case TypeKind::kRow:
          return Status(kMissingOption, "column '" + column.name + "' is " + column.type.ToString() +
                                            ", which a field of an entry can't be: give 'format', such as 'json', and "
                                            "'value.field'")
              .At(table.position);
        default:
          break;
      }
    }
    return Status::OK();
  }
  const std::vector<std::string> formats = RowFormats();
  if (std::find(formats.begin(), formats.end(), options->format) == formats.end()) {
    std::string list;
    for (const std::string& format : formats) list += (list.empty() ? "" : ", ") + format;
    return OptionError(table, name, "'" + options->format + "' is not a format of records: " + list);
  }
  if (IsChangelogFormat(options->format)) {
    return OptionError(table, name,
                       "'" + options->format + "' has changes, connector 'redis-streams' takes new rows only");
  }
  for (const std::string& prefix : {options->format + ".", "value." + options->format + "."}) {
    for (const auto& [key, value] : table.options.values()) {
      if (key.starts_with(prefix)) options->format_options.Set(key.substr(prefix.size()), value);
    }
  }
  return Status::OK();
}

Status ParseRedisSink(const TableDefinition& table, RedisTableOptions* options) {
  const std::string partitioner = table.options.GetString("sink.partitioner", "default");
  if (partitioner == "fixed") {
    options->partitioner = RedisPartitioner::kFixed;
  } else if (partitioner == "round-robin") {
    options->partitioner = RedisPartitioner::kRoundRobin;
  } else if (partitioner != "default") {
    return OptionError(table, "sink.partitioner", "'" + partitioner + "' is not one of default, fixed, round-robin");
  }
  const std::string delivery = table.options.GetString("sink.delivery-guarantee", "at-least-once");
  if (delivery != "at-least-once" && delivery != "none") {
    return OptionError(
        table, "sink.delivery-guarantee",
        "'" + delivery + "' is not one of at-least-once, none (Redis has no transaction that survives us)");
  }
  options->wait_for_acks = delivery == "at-least-once";
  if (table.options.Has("sink.maxlen"))
    TM_RETURN_IF_ERROR(ReadBounded(table, "sink.maxlen", 1, INT64_MAX, &options->length_max));
  const Result<bool> approximate = table.options.GetBool("sink.maxlen.approximate", true);
  if (!approximate.ok()) return OptionError(table, "sink.maxlen.approximate", approximate.status().message());
  options->length_exact = !*approximate;
  if (options->length_exact && options->length_max == 0)
    return OptionError(table, "sink.maxlen.approximate", "it needs 'sink.maxlen'");
  return Status::OK();
}

// redis://host[:port][/database]
Status ParseRedisUrl(const std::string& url, RedisEndpoint* endpoint) {
  const Status bad(kInvalidConfig, "expected redis://host[:port][/database], or rediss:// for TLS");
  std::string_view rest = url;
  endpoint->target.tls = rest.starts_with("rediss://");
  if (!endpoint->target.tls && !rest.starts_with("redis://")) return bad;
  rest.remove_prefix(endpoint->target.tls ? 9 : 8);
  const size_t slash = rest.find('/');
  std::string_view host = rest.substr(0, slash);
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    if (!ParseWhole(rest.substr(slash + 1), &endpoint->database) || endpoint->database < 0) return bad;
  }
  if (host.find('@') != std::string_view::npos)
    return Status(kInvalidConfig, "who logs in is said by 'username' and 'password', not in the address");
  endpoint->target.port = 6379;
  const size_t bracket = host.starts_with('[') ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return bad;
  if (const size_t colon = host.find(':', bracket); colon != std::string_view::npos) {
    if (!ParseWhole(host.substr(colon + 1), &endpoint->target.port) || endpoint->target.port == 0) return bad;
    host = host.substr(0, colon);
  }
  if (bracket > 0) host = host.substr(1, bracket - 1);
  const bool printable = std::all_of(host.begin(), host.end(), [](unsigned char c) { return c > ' ' && c < 127; });
  if (host.empty() || host.size() > 255 || !printable) return bad;
  endpoint->target.host = std::string(host);
  return Status::OK();
}

}  // namespace

Result<RedisTableOptions> ParseRedisTableOptions(const TableDefinition& table) {
  RedisTableOptions options;
  const std::string url = table.options.GetString("url", "");
  if (url.find("${") == std::string::npos) {
    RedisEndpoint ignored;
    const Status status = ParseRedisUrl(url, &ignored);
    if (!status.ok()) return OptionError(table, "url", status.message());
  }
  if (table.options.Has("username") && !table.options.Has("password"))
    return OptionError(table, "username", "it needs 'password'");
  if (table.options.Has("tls.certificate") != table.options.Has("tls.key"))
    return OptionError(table, table.options.Has("tls.key") ? "tls.key" : "tls.certificate",
                       "'tls.certificate' and 'tls.key' belong together");
  TM_RETURN_IF_ERROR(ParseStreams(table, &options));
  TM_RETURN_IF_ERROR(ParseRedisScan(table, &options));
  TM_RETURN_IF_ERROR(ParseRedisFormat(table, &options));
  TM_RETURN_IF_ERROR(ParseRedisSink(table, &options));
  return options;
}

Result<RedisEndpoint> ResolveRedisEndpoint(const TableDefinition& table, FileSystem& files) {
  RedisEndpoint endpoint;
  const auto resolve = [&](const char* key, std::string* out) -> Status {
    auto value = ResolveSecrets(table.options.GetString(key, ""), files);
    if (!value.ok()) return OptionError(table, key, value.status().message());
    *out = *std::move(value);
    return Status::OK();
  };
  std::string url;
  TM_RETURN_IF_ERROR(resolve("url", &url));
  const Status parsed = ParseRedisUrl(url, &endpoint);
  if (!parsed.ok()) return OptionError(table, "url", parsed.message());
  TM_RETURN_IF_ERROR(resolve("username", &endpoint.username));
  TM_RETURN_IF_ERROR(resolve("password", &endpoint.password));
  TM_RETURN_IF_ERROR(resolve("tls.ca", &endpoint.target.ca_pem));
  TM_RETURN_IF_ERROR(resolve("tls.certificate", &endpoint.target.certificate_pem));
  TM_RETURN_IF_ERROR(resolve("tls.key", &endpoint.target.key_pem));
  return endpoint;
}

}  // namespace tidemill
