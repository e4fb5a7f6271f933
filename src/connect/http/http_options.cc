#include "connect/http/http_options.h"

#include "base/file_system.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "data/format.h"

namespace tidemill {
namespace {

Status ReadInt(const TableDefinition& table, std::string_view key, int64_t low, int64_t high, int* out) {
  const Result<int64_t> value = table.options.GetInt(key, *out);
  if (!value.ok()) return OptionError(table, key, value.status().message());
  if (*value < low || *value > high) {
    return OptionError(table, key,
                       "'" + std::string(key) + "' must be " + std::to_string(low) + " to " + std::to_string(high));
  }
  *out = static_cast<int>(*value);
  return Status::OK();
}

Status ReadDuration(const TableDefinition& table, std::string_view key, int64_t low_ms, int64_t* out) {
  const Result<int64_t> value = table.options.GetDurationMs(key, *out);
  if (!value.ok()) return OptionError(table, key, value.status().message());
  if (*value < low_ms)
    return OptionError(table, key, "'" + std::string(key) + "' must be at least " + FormatDurationMs(low_ms));
  *out = *value;
  return Status::OK();
}

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  for (char c : text + ",") {
    if (c == ',' || c == ';') {
      if (!part.empty()) parts.push_back(std::move(part));
      part.clear();
    } else if (c != ' ') {
      part += c;
    }
  }
  return parts;
}

bool IsHeaderName(std::string_view name) {
  if (name.empty()) return false;
  for (char c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
  }
  return true;
}

Status ReadHeaders(const TableDefinition& table, HttpTableOptions* options) {
  for (const auto& [key, value] : table.options.values()) {
    if (!key.starts_with("header.")) continue;
    const std::string name = key.substr(7);
    if (!IsHeaderName(name)) return OptionError(table, key, "'" + name + "' is not the name of a header");
    if (value.find_first_of("\r\n") != std::string::npos) return OptionError(table, key, "a header has no line breaks");
    options->headers.emplace_back(name, value);
  }
  return Status::OK();
}

Status ReadRetries(const TableDefinition& table, HttpTableOptions* options) {
  TM_RETURN_IF_ERROR(ReadInt(table, "retry.attempts-before-outbox", 1, 100, &options->first_retry.attempts_max));
  TM_RETURN_IF_ERROR(ReadInt(table, "retry.max-attempts", 1, 10'000, &options->outbox_retry.attempts_max));
  TM_RETURN_IF_ERROR(ReadDuration(table, "retry.backoff", 1, &options->first_retry.backoff_ms));
  TM_RETURN_IF_ERROR(ReadDuration(table, "retry.backoff-max", 1, &options->outbox_retry.backoff_max_ms));
  options->outbox_retry.backoff_ms = options->first_retry.backoff_ms;
  options->first_retry.backoff_max_ms =
      std::min(options->first_retry.backoff_max_ms, options->outbox_retry.backoff_max_ms);
  return ReadDuration(table, "park-after", 0, &options->park_after_ms);
}

}  // namespace

Result<HttpTableOptions> ParseHttpTableOptions(const TableDefinition& table) {
  HttpTableOptions options;
  options.url = table.options.GetString("url", "");
  if (!options.url.starts_with("http://") && !options.url.starts_with("https://") && !options.url.starts_with("${")) {
    return OptionError(table, "url", "'" + options.url + "' is not an http:// or https:// address");
  }
  options.method = table.options.GetString("method", "POST");
  if (options.method != "POST" && options.method != "PUT" && options.method != "PATCH") {
    return OptionError(table, "method", "'" + options.method + "' is not one of POST, PUT, PATCH");
  }
  TM_RETURN_IF_ERROR(ReadHeaders(table, &options));
  options.allow_addresses = SplitCommas(table.options.GetString("allow-addresses", ""));
  TM_RETURN_IF_ERROR(ReadDuration(table, "timeout", 1, &options.timeout_ms));
  TM_RETURN_IF_ERROR(ReadInt(table, "max-in-flight", 1, 1024, &options.in_flight_max));
  TM_RETURN_IF_ERROR(ReadInt(table, "buffer-rows", 1, 1'000'000, &options.buffer_rows));
  TM_RETURN_IF_ERROR(ReadRetries(table, &options));
  options.dead_letter_topic = table.options.GetString("dead-letter-topic", "dlq." + table.name);
  if (!IsSafeName(options.dead_letter_topic)) {
    return OptionError(table, "dead-letter-topic",
                       "'" + options.dead_letter_topic + "' is not a topic name: [A-Za-z0-9._-]{1,128}");
  }
  options.format = table.options.GetString("format", "json");
  if (IsBinaryFormat(options.format)) {
    return OptionError(table, "format", "'" + options.format + "' is not a format of requests: json, csv, raw");
  }
  for (const auto& [key, value] : table.options.values()) {
    if (key.starts_with(options.format + ".")) options.format_options.Set(key.substr(options.format.size() + 1), value);
  }
  return options;
}

}  // namespace tidemill
