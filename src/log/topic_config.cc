#include "log/topic_config.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <vector>

#include "log/compression.h"
#include "log/errors.h"

namespace tidemill {
namespace {

struct NumberSetting {
  std::string_view name;
  int64_t TopicConfig::*field;
  int64_t low;
  int64_t high;
};

constexpr NumberSetting kNumbers[] = {
    {"retention.ms", &TopicConfig::retention_ms, -1, INT64_MAX},
    {"retention.bytes", &TopicConfig::retention_bytes, -1, INT64_MAX},
    {"segment.bytes", &TopicConfig::segment_bytes, 4096, 1LL << 30},
    {"segment.ms", &TopicConfig::segment_ms, 1, INT64_MAX},
    {"max.message.bytes", &TopicConfig::max_message_bytes, 1, 64LL << 20},
    {"delete.retention.ms", &TopicConfig::delete_retention_ms, 0, INT64_MAX / 2},
    {"min.compaction.lag.ms", &TopicConfig::min_compaction_lag_ms, 0, INT64_MAX / 2},
};

Status OutOfBounds(std::string_view name, int64_t value, int64_t low, int64_t high) {
  return Status(kInvalidTopicConfig, "'" + std::string(name) + "' = " + std::to_string(value) + ": expected " +
                                         std::to_string(low) + " .. " + std::to_string(high));
}

Status BadChoice(std::string_view name, std::string_view value, std::string_view choices) {
  return Status(kInvalidTopicConfig,
                "'" + std::string(name) + "' = '" + std::string(value) + "': expected " + std::string(choices));
}

// A list, as Kafka takes it: in any order, with blanks.
std::optional<CleanupPolicy> ParsePolicy(std::string_view text) {
  int flags = 0;
  while (true) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (word != "delete" && word != "compact") return std::nullopt;
    flags |= word == "delete" ? 1 : 2;
    if (comma == text.size()) return static_cast<CleanupPolicy>(flags);
    text.remove_prefix(comma + 1);
  }
}

std::string_view PolicyName(CleanupPolicy policy) {
  return policy == CleanupPolicy::kDelete ? "delete" : policy == CleanupPolicy::kCompact ? "compact" : "compact,delete";
}

std::string RatioText(double ratio) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", ratio);
  return text;
}

}  // namespace

Status TopicConfig::Validate() const {
  if (partitions < 1 || partitions > 10'000) return OutOfBounds("partitions", partitions, 1, 10'000);
  for (const NumberSetting& setting : kNumbers) {
    const int64_t value = this->*setting.field;
    if (value < setting.low || value > setting.high) return OutOfBounds(setting.name, value, setting.low, setting.high);
  }
  if (!(min_cleanable_dirty_ratio >= 0 && min_cleanable_dirty_ratio <= 1)) {
    return Status(kInvalidTopicConfig,
                  "'min.cleanable.dirty.ratio' = " + RatioText(min_cleanable_dirty_ratio) + ": expected 0 .. 1");
  }
  if (compression != CompressionCodec::kNone && compression != CompressionCodec::kLz4 &&
      compression != CompressionCodec::kZstd) {
    return BadChoice("compression.type", CodecName(compression), "'none', 'lz4' or 'zstd'");
  }
  return Status::OK();
}

Config TopicConfig::ToConfig() const {
  Config config;
  config.Set("partitions", std::to_string(partitions));
  for (const NumberSetting& setting : kNumbers)
    config.Set(std::string(setting.name), std::to_string(this->*setting.field));
  config.Set("cleanup.policy", std::string(PolicyName(cleanup_policy)));
  config.Set("min.cleanable.dirty.ratio", RatioText(min_cleanable_dirty_ratio));
  config.Set("message.timestamp.type", timestamp_type == TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime");
  config.Set("compression.type", std::string(CodecName(compression)));
  return config;
}

Result<TopicConfig> TopicConfig::FromConfig(const Config& config, const TopicConfig& base) {
  TopicConfig result = base;
  std::vector<std::string> known = {"partitions", "cleanup.policy", "min.cleanable.dirty.ratio",
                                    "message.timestamp.type", "compression.type"};
  for (const NumberSetting& setting : kNumbers) known.emplace_back(setting.name);
  for (const auto& [key, value] : config.values()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    Status status(kInvalidTopicConfig, "topics have no setting '" + key + "'");
    const std::string nearest = NearestName(key, known);
    return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
  }
  TM_ASSIGN_OR_RETURN(const int64_t partitions, config.GetInt("partitions", base.partitions));
  if (partitions < 1 || partitions > 10'000) return OutOfBounds("partitions", partitions, 1, 10'000);
  result.partitions = static_cast<int32_t>(partitions);
  for (const NumberSetting& setting : kNumbers) {
    TM_ASSIGN_OR_RETURN(result.*setting.field, config.GetInt(setting.name, base.*setting.field));
  }
  if (const auto policy = config.Get("cleanup.policy")) {
    const auto parsed = ParsePolicy(*policy);
    if (!parsed) return BadChoice("cleanup.policy", *policy, "'delete', 'compact' or 'compact,delete'");
    result.cleanup_policy = *parsed;
  }
  TM_ASSIGN_OR_RETURN(result.min_cleanable_dirty_ratio,
                      config.GetDouble("min.cleanable.dirty.ratio", base.min_cleanable_dirty_ratio));
  if (const auto type = config.Get("message.timestamp.type")) {
    if (*type != "CreateTime" && *type != "LogAppendTime")
      return BadChoice("message.timestamp.type", *type, "'CreateTime' or 'LogAppendTime'");
    result.timestamp_type = *type == "CreateTime" ? TimestampType::kCreateTime : TimestampType::kLogAppendTime;
  }
  if (const auto codec = config.Get("compression.type")) {
    if (*codec == "none" || *codec == "uncompressed") {
      result.compression = CompressionCodec::kNone;
    } else if (*codec == "lz4") {
      result.compression = CompressionCodec::kLz4;
    } else if (*codec == "zstd") {
      result.compression = CompressionCodec::kZstd;
    } else {
      return BadChoice("compression.type", *codec, "'none', 'lz4' or 'zstd'");
    }
  }
  TM_RETURN_IF_ERROR(result.Validate());
  return result;
}

}  // namespace tidemill
