#include "connect/kinesis/kinesis_options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/url.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/guard/secrets.h"
#include "data/format.h"
#include "data/time_text.h"

namespace tidemill {
namespace {

bool IsWord(std::string_view text, std::string_view more, size_t size_max) {
  if (text.empty() || text.size() > size_max) return false;
  return std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return (c < 0x80 && std::isalnum(c)) || more.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// The option by its name in Flink 2, or by the one it had before.
std::string OptionNameOf(const TableDefinition& table, const char* name, const char* older) {
  return !table.options.Has(name) && table.options.Has(older) ? older : name;
}

Status ParseStream(const TableDefinition& table, KinesisTableOptions* options) {
  const bool by_arn = table.options.Has("stream.arn");
  if (by_arn == table.options.Has("stream")) {
    return Status(kMissingOption, "connector 'kinesis' needs one of the options 'stream.arn' and 'stream'")
        .At(table.position);
  }
  options->region = table.options.GetString("aws.region", "");
  if (by_arn) {
    // arn:aws:kinesis:us-east-1:123456789012:stream/name
    options->stream_arn = *table.options.Get("stream.arn");
    std::vector<std::string> parts(1);
    for (const char c : options->stream_arn) {
      if (c == ':') {
        parts.emplace_back();
      } else {
        parts.back() += c;
      }
    }
    if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "kinesis" || !parts[5].starts_with("stream/")) {
      return OptionError(table, "stream.arn",
                         "'" + options->stream_arn + "': expected arn:aws:kinesis:<region>:<account>:stream/<name>");
    }
    options->stream = parts[5].substr(7);
    if (!options->region.empty() && options->region != parts[3])
      return OptionError(table, "aws.region", "the stream's ARN is of region '" + parts[3] + "'");
    options->region = parts[3];
  } else {
    options->stream = *table.options.Get("stream");
  }
  const char* named = by_arn ? "stream.arn" : "stream";
  if (!IsWord(options->stream, "_.-", 128))
    return OptionError(table, named, "'" + options->stream + "' is not a stream's name: [A-Za-z0-9_.-]{1,128}");
  if (options->region.empty())
    return Status(kMissingOption, "connector 'kinesis' needs option 'aws.region'").At(table.position);
  if (!IsWord(options->region, "-", 64))
    return OptionError(table, by_arn ? "stream.arn" : "aws.region", "'" + options->region + "' is not a region");
  return Status::OK();
}

Status ParseEndpoint(const TableDefinition& table, KinesisTableOptions* options) {
  options->endpoint = table.options.GetString("aws.endpoint", "");
  std::string part;
  for (const char c : table.options.GetString("allow-addresses", "") + ",") {
    if (c == ',' || c == ';') {
      if (!part.empty()) options->allow_addresses.push_back(part);
      part.clear();
    } else if (c != ' ') {
      part += c;
    }
  }
  if (options->endpoint.empty()) {
    const bool china = options->region.starts_with("cn-");
    const std::string host = "kinesis." + options->region + (china ? ".amazonaws.com.cn" : ".amazonaws.com");
    options->endpoint = "https://" + host;
    options->allow_addresses.push_back(host);  // with PrivateLink it is a private address
    return Status::OK();
  }
  const Result<Url> url = ParseUrl(options->endpoint);
  if (!url.ok()) return OptionError(table, "aws.endpoint", url.status().message());
  if (url->target != "/") return OptionError(table, "aws.endpoint", "an endpoint has no path");
  while (options->endpoint.ends_with('/')) options->endpoint.pop_back();
  return Status::OK();
}

template <typename T>
Status Between(const TableDefinition& table, const std::string& key, Result<int64_t> value, T low, T high,
               int64_t* out) {
  if (!value.ok()) return OptionError(table, key, value.status().message());
  if (*value < low || *value > high)
    return OptionError(table, key, "must be " + std::to_string(low) + " to " + std::to_string(high));
  *out = *value;
  return Status::OK();
}

Status ParseStart(const TableDefinition& table, KinesisTableOptions* options) {
  const std::string key = OptionNameOf(table, "source.init.position", "scan.stream.initpos");
  const std::string at = OptionNameOf(table, "source.init.timestamp", "scan.stream.initpos-timestamp");
  const std::string position = table.options.GetString(key, "LATEST");
  if (position == "LATEST") {
    options->start = KinesisStart::kLatest;
  } else if (position == "TRIM_HORIZON") {
    options->start = KinesisStart::kTrimHorizon;
  } else if (position == "AT_TIMESTAMP") {
    options->start = KinesisStart::kTimestamp;
    const std::string text = table.options.GetString(at, "");
    double seconds = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc() && rest == text.data() + text.size() && seconds >= 0 && seconds < 1e11) {
      options->start_ms = std::llround(seconds * 1000);
    } else if (!ParseTimestampValue(text, TimeSyntax::kAny, DataType::TimestampLtz(3), options->start_ms)) {
      return OptionError(table, at, "'" + text + "': expected '2026-01-31T12:00:00.000+01:00', or seconds since 1970");
    }
  } else {
    return OptionError(table, key, "'" + position + "' is not one of LATEST, TRIM_HORIZON, AT_TIMESTAMP");
  }
  if (options->start != KinesisStart::kTimestamp && table.options.Has(at))
    return OptionError(table, at, "it means something only with '" + key + "' = 'AT_TIMESTAMP'");
  const std::string reader = table.options.GetString("source.reader.type", "POLLING");
  if (reader != "POLLING")
    return OptionError(table, "source.reader.type", "'" + reader + "' is not there: only POLLING is");
  return Status::OK();
}

Status ParseKinesisScan(const TableDefinition& table, KinesisTableOptions* options) {
  TM_RETURN_IF_ERROR(ParseStart(table, options));
  const Config& given = table.options;
  const std::string discovery =
      OptionNameOf(table, "source.shard.discovery.interval", "scan.shard.discovery.intervalmillis");
  TM_RETURN_IF_ERROR(Between(table, discovery, given.GetDurationMs(discovery, options->discovery_interval_ms), 100,
                             86'400'000, &options->discovery_interval_ms));
  const std::string records =
      OptionNameOf(table, "source.shard.get-records.max-record-count", "scan.shard.getrecords.maxrecordcount");
  TM_RETURN_IF_ERROR(
      Between(table, records, given.GetInt(records, options->read_records_max), 1, 10'000, &options->read_records_max));
  const std::string interval =
      OptionNameOf(table, "source.shard.get-records.interval", "scan.shard.getrecords.intervalmillis");
  TM_RETURN_IF_ERROR(Between(table, interval, given.GetDurationMs(interval, options->read_interval_ms), 1, 600'000,
                             &options->read_interval_ms));
  TM_RETURN_IF_ERROR(
      Between(table, "timeout", given.GetDurationMs("timeout", options->timeout_ms), 1, 600'000, &options->timeout_ms));
  int64_t taken = 1;
  for (const char* key : {"scan.parallelism", "sink.parallelism", "sink.requests.max-inflight"})
    TM_RETURN_IF_ERROR(Between(table, key, given.GetInt(key, 1), 1, INT32_MAX, &taken));
  return Status::OK();
}

Status ParseKinesisFormat(const TableDefinition& table, KinesisTableOptions* options) {
  const std::string name = table.options.Has("format") ? "format" : "value.format";
  options->format = table.options.GetString(name, "");
  if (options->format.empty())
    return Status(kMissingOption, "connector 'kinesis' needs option 'format'").At(table.position);
  const std::vector<std::string> formats = RowFormats();
  if (std::find(formats.begin(), formats.end(), options->format) == formats.end()) {
    std::string list;
    for (const std::string& format : formats) list += (list.empty() ? "" : ", ") + format;
    return OptionError(table, name, "'" + options->format + "' is not a format of records: " + list);
  }
  if (IsChangelogFormat(options->format)) {
    return OptionError(table, name, "'" + options->format + "' has changes, connector 'kinesis' takes new rows only");
  }
  for (const std::string& prefix : {options->format + ".", "value." + options->format + "."}) {
    for (const auto& [key, value] : table.options.values()) {
      if (key.starts_with(prefix)) options->format_options.Set(key.substr(prefix.size()), value);
    }
  }
  return Status::OK();
}

Status ParseKinesisSink(const TableDefinition& table, KinesisTableOptions* options) {
  for (const std::string& name : table.partitioned_by) {
    const auto found = std::find_if(table.columns.begin(), table.columns.end(),
                                    [&](const ColumnDefinition& column) { return column.name == name; });
    if (found == table.columns.end() || found->kind != ColumnDefinition::Kind::kPhysical)
      return Status(kInvalidOption, "PARTITIONED BY: '" + name + "' is not a physical column").At(table.position);
    options->key_columns.push_back(static_cast<int>(found - table.columns.begin()));
  }
  if (options->key_columns.empty()) options->key_columns = table.primary_key;
  options->partitioner = options->key_columns.empty() ? KinesisPartitioner::kRandom : KinesisPartitioner::kFields;
  if (const auto partitioner = table.options.Get("sink.partitioner")) {
    if (!table.partitioned_by.empty())
      return OptionError(table, "sink.partitioner",
                         "the table's PARTITIONED BY says already which shard a row goes to");
    if (*partitioner != "random" && *partitioner != "fixed")
      return OptionError(table, "sink.partitioner", "'" + *partitioner + "' is not one of random, fixed");
    options->partitioner = *partitioner == "random" ? KinesisPartitioner::kRandom : KinesisPartitioner::kFixed;
  }
  const std::string delimiter = table.options.GetString("sink.partitioner-field-delimiter", "|");
  if (delimiter.size() != 1) return OptionError(table, "sink.partitioner-field-delimiter", "it must be one character");
  options->key_delimiter = delimiter[0];
  return Between(table, "sink.batch.max-size", table.options.GetInt("sink.batch.max-size", options->batch_records_max),
                 1, 500, &options->batch_records_max);
}

Status CheckCredentialOptions(const TableDefinition& table) {
  const std::string provider = table.options.GetString("aws.credentials.provider", "AUTO");
  if (provider != "AUTO" && provider != "BASIC" && provider != "ENV_VAR") {
    return OptionError(table, "aws.credentials.provider",
                       "'" + provider + "' is not one of AUTO, BASIC, ENV_VAR (files and roles are not read)");
  }
  const bool has_id = table.options.Has("aws.credentials.basic.accesskeyid");
  const bool has_key = table.options.Has("aws.credentials.basic.secretkey");
  if (has_id != has_key || (provider == "BASIC" && !has_id)) {
    return OptionError(table, has_key ? "aws.credentials.basic.secretkey" : "aws.credentials.basic.accesskeyid",
                       "'aws.credentials.basic.accesskeyid' and 'aws.credentials.basic.secretkey' belong together");
  }
  return Status::OK();
}

}  // namespace

Result<KinesisTableOptions> ParseKinesisTableOptions(const TableDefinition& table) {
  KinesisTableOptions options;
  TM_RETURN_IF_ERROR(ParseStream(table, &options));
  TM_RETURN_IF_ERROR(ParseEndpoint(table, &options));
  TM_RETURN_IF_ERROR(CheckCredentialOptions(table));
  TM_RETURN_IF_ERROR(ParseKinesisScan(table, &options));
  TM_RETURN_IF_ERROR(ParseKinesisFormat(table, &options));
  TM_RETURN_IF_ERROR(ParseKinesisSink(table, &options));
  return options;
}

Result<AwsCredentials> ResolveAwsCredentials(const TableDefinition& table, FileSystem& files) {
  AwsCredentials credentials;
  const auto resolve = [&](const char* key, std::string* out) -> Status {
    auto value = ResolveSecrets(table.options.GetString(key, ""), files);
    if (!value.ok()) return OptionError(table, key, value.status().message());
    *out = *std::move(value);
    return Status::OK();
  };
  const bool from_environment = table.options.GetString("aws.credentials.provider", "AUTO") == "ENV_VAR";
  if (!from_environment && table.options.Has("aws.credentials.basic.accesskeyid")) {
    TM_RETURN_IF_ERROR(resolve("aws.credentials.basic.accesskeyid", &credentials.access_key_id));
    TM_RETURN_IF_ERROR(resolve("aws.credentials.basic.secretkey", &credentials.secret_key));
    TM_RETURN_IF_ERROR(resolve("aws.credentials.basic.sessiontoken", &credentials.session_token));
  } else {
    const auto from = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value == nullptr ? "" : value);
    };
    credentials = {from("AWS_ACCESS_KEY_ID"), from("AWS_SECRET_ACCESS_KEY"), from("AWS_SESSION_TOKEN")};
  }
  if (credentials.access_key_id.empty() || credentials.secret_key.empty()) {
    return Status(kKinesisLoginFailed,
                  "no credentials for stream '" + table.name +
                      "': give 'aws.credentials.basic.accesskeyid' and '...secretkey', or set AWS_ACCESS_KEY_ID and "
                      "AWS_SECRET_ACCESS_KEY")
        .At(table.position);
  }
  for (const std::string* text : {&credentials.access_key_id, &credentials.session_token}) {
    if (std::any_of(text->begin(), text->end(), [](unsigned char c) { return c <= ' ' || c >= 127; }))
      return Status(kKinesisLoginFailed, "the credentials hold characters that a header can't").At(table.position);
  }
  return credentials;
}

}  // namespace tidemill
