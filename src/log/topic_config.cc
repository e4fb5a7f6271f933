#include "log/topic_config.h"

#include <algorithm>
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
};

Status OutOfBounds(std::string_view name, int64_t value, int64_t low, int64_t high) {
  return Status(kInvalidTopicConfig, "'" + std::string(name) + "' = " + std::to_string(value) + ": expected " +
                                         std::to_string(low) + " .. " + std::to_string(high));
}

Status BadChoice(std::string_view name, std::string_view value, std::string_view choices) {
  return Status(kInvalidTopicConfig,
                "'" + std::string(name) + "' = '" + std::string(value) + "': expected " + std::string(choices));
}

}  // namespace

Status TopicConfig::Validate() const {
  if (partitions < 1 || partitions > 10'000) return OutOfBounds("partitions", partitions, 1, 10'000);
  for (const NumberSetting& setting : kNumbers) {
    const int64_t value = this->*setting.field;
    if (value < setting.low || value > setting.high) return OutOfBounds(setting.name, value, setting.low, setting.high);
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
  config.Set("cleanup.policy", "delete");
  config.Set("message.timestamp.type", timestamp_type == TimestampType::kCreateTime ? "CreateTime" : "LogAppendTime");
  config.Set("compression.type", std::string(CodecName(compression)));
  return config;
}

Result<TopicConfig> TopicConfig::FromConfig(const Config& config, const TopicConfig& base) {
  TopicConfig result = base;
  std::vector<std::string> known = {"partitions", "cleanup.policy", "message.timestamp.type", "compression.type"};
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
  if (const auto policy = config.Get("cleanup.policy"); policy && *policy != "delete") {
    return BadChoice("cleanup.policy", *policy, "'delete' (compacted topics are not supported yet)");
  }
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
