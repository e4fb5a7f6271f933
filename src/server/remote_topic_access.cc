#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "base/base64.h"
#include "base/errors.h"
#include "base/url.h"
#include "server/server_client.h"
#include "server/topic_access.h"

namespace tidemill {
namespace {

using nlohmann::json;

Status BadAnswer(std::string_view what) {
  return Status(kNetworkError, fmt::format("the server's answer is not understood: {}", what));
}

void SetBytes(json& record, const std::string& name, const std::optional<std::string>& bytes) {
  if (!bytes) return;
  if (simdjson::validate_utf8(bytes->data(), bytes->size())) {
    record[name] = *bytes;
  } else {
    record[name + "_base64"] = EncodeBase64(*bytes);
  }
}

std::optional<std::string> BytesOf(const json& record, const std::string& name) {
  if (const auto found = record.find(name); found != record.end() && found->is_string())
    return found->get<std::string>();
  if (const auto found = record.find(name + "_base64"); found != record.end() && found->is_string()) {
    return DecodeBase64(found->get<std::string>());
  }
  return std::nullopt;
}

Result<TopicDescription> ParseTopic(const json& body) {
  if (!body.is_object() || !body.contains("name") || !body["name"].is_string() || !body.contains("partitions"))
    return BadAnswer("topic");
  TopicDescription topic;
  topic.name = body["name"].get<std::string>();
  topic.size_bytes = body.value("size_bytes", int64_t{0});
  if (const auto config = body.find("config"); config != body.end() && config->is_object()) {
    std::map<std::string, std::string> values;
    for (const auto& [key, value] : config->items()) {
      if (value.is_string()) values[key] = value.get<std::string>();
    }
    TM_ASSIGN_OR_RETURN(topic.config, TopicConfig::FromConfig(Config(values), TopicConfig()));
  }
  for (const json& partition : body["partitions"]) {
    PartitionOffsets offsets;
    offsets.log_start = partition.value("start", int64_t{0});
    offsets.last_stable = partition.value("stable", int64_t{0});
    offsets.end = partition.value("end", int64_t{0});
    offsets.durable_end = partition.value("durable", int64_t{0});
    topic.partitions.push_back(offsets);
  }
  return topic;
}

class RemoteTopicAccess final : public TopicAccess {
 public:
  RemoteTopicAccess(Network& network, std::string url) : client_(network, std::move(url)) {}

  Result<std::vector<TopicDescription>> List() override {
    TM_ASSIGN_OR_RETURN(const std::string text, client_.Get("/api/v1/topics"));
    const json body = json::parse(text, nullptr, false);
    if (!body.is_object() || !body.contains("topics") || !body["topics"].is_array()) return BadAnswer("topics");
    std::vector<TopicDescription> topics;
    for (const json& item : body["topics"]) {
      TM_ASSIGN_OR_RETURN(TopicDescription topic, ParseTopic(item));
      topics.push_back(std::move(topic));
    }
    return topics;
  }

  Result<TopicDescription> Describe(const std::string& topic) override {
    TM_ASSIGN_OR_RETURN(const std::string text, client_.Get("/api/v1/topics/" + PercentEncode(topic)));
    return ParseTopic(json::parse(text, nullptr, false));
  }

  Status Create(const std::string& topic, const TopicConfig& config) override {
    const json body = {{"name", topic}, {"config", config.ToConfig().values()}};
    return client_.Post("/api/v1/topics", "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace))
        .status();
  }

  Status Delete(const std::string& topic) override {
    return client_.Delete("/api/v1/topics/" + PercentEncode(topic)).status();
  }

  Result<std::vector<AppendedRecords>> Produce(const std::string& topic, const std::vector<TopicRecord>& records,
                                               int32_t partition, bool create) override {
    std::string body = "{\"records\":[";
    for (const TopicRecord& record : records) {
      if (body.back() != '[') body += ',';
      json item = json::object();
      SetBytes(item, "key", record.key);
      SetBytes(item, "value", record.value);
      if (record.timestamp_ms != kNoTimestamp) item["timestamp"] = record.timestamp_ms;
      if (partition >= 0) item["partition"] = partition;
      body += item.dump();
    }
    // Strings go as they are: each is a record's bytes, not a JSON value to encode again.
    TM_ASSIGN_OR_RETURN(
        const std::string text,
        client_.Post(fmt::format("/api/v1/topics/{}/records{}", PercentEncode(topic), create ? "?create=true" : ""),
                     "application/vnd.tidemill.text+json", body + "]}"));
    const json answer = json::parse(text, nullptr, false);
    if (!answer.is_object() || !answer.contains("ranges")) return BadAnswer("records");
    std::vector<AppendedRecords> ranges;
    for (const json& range : answer["ranges"]) {
      ranges.push_back(
          {range.value("partition", 0), range.value("first_offset", int64_t{0}), range.value("count", int64_t{0})});
    }
    return ranges;
  }

  Result<Page> Fetch(const std::string& topic, int32_t partition, const StartOffset& from, int limit) override {
    TM_ASSIGN_OR_RETURN(
        const std::string text,
        client_.Get(fmt::format("/api/v1/topics/{}/records?partition={}&offset={}&limit={}", PercentEncode(topic),
                                partition, PercentEncode(from.ToString()), limit)));
    const json body = json::parse(text, nullptr, false);
    if (!body.is_object() || !body.contains("records") || !body["records"].is_array()) return BadAnswer("records");
    Page page;
    page.next_offset = body.value("next_offset", int64_t{0});
    page.end_offset = body.value("end_offset", int64_t{0});
    for (const json& item : body["records"]) {
      FetchedRecord& record = page.records.emplace_back();
      record.partition = item.value("partition", 0);
      record.offset = item.value("offset", int64_t{0});
      record.timestamp_ms = item.value("timestamp", int64_t{0});
      record.key = BytesOf(item, "key");
      record.value = BytesOf(item, "value");
      if (const auto headers = item.find("headers"); headers != item.end() && headers->is_array()) {
        for (const json& header : *headers)
          record.headers.emplace_back(header.value("key", ""), BytesOf(header, "value").value_or(""));
      }
    }
    return page;
  }

 private:
  ServerClient client_;
};

}  // namespace

std::unique_ptr<TopicAccess> MakeRemoteTopicAccess(Network& network, std::string server_url) {
  return std::make_unique<RemoteTopicAccess>(network, std::move(server_url));
}

}  // namespace tidemill
