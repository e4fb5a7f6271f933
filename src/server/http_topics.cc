#include <charconv>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/errors.h"
#include "base/file_system.h"
#include "log/errors.h"
#include "server/errors.h"
#include "server/http_api.h"
#include "server/output.h"

namespace tidemill {
namespace {

using nlohmann::json;

constexpr int kFetchRecordsMax = 10'000;
// Of a record's size in its batch: offsets, lengths, times.
constexpr int64_t kRecordOverhead = 128;

constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kKafkaJson = "application/vnd.kafka.json.v2+json";
constexpr std::string_view kKafkaBinary = "application/vnd.kafka.binary.v2+json";
// As kKafkaJson, but keys and values are the bytes themselves: "value" a string, or "value_base64".
constexpr std::string_view kTextRecords = "application/vnd.tidemill.text+json";

std::string QueryValue(const ServerRequest& request, const std::string& name, std::string fallback) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::move(fallback) : found->second;
}

Result<int64_t> QueryNumber(const ServerRequest& request, const std::string& name, int64_t fallback, int64_t min,
                            int64_t max) {
  const std::string text = QueryValue(request, name, std::to_string(fallback));
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < min || number > max) {
    return Status(kInvalidConfig, fmt::format("{}={}: expected a number from {} to {}", name, text, min, max));
  }
  return number;
}

json TopicJson(const TopicDescription& topic) {
  json partitions = json::array();
  for (size_t i = 0; i < topic.partitions.size(); ++i) {
    const PartitionOffsets& offsets = topic.partitions[i];
    partitions.push_back({{"partition", i},
                          {"start", offsets.log_start},
                          {"stable", offsets.last_stable},
                          {"end", offsets.end},
                          {"durable", offsets.durable_end}});
  }
  return {{"name", topic.name},
          {"partitions", partitions},
          {"size_bytes", topic.size_bytes},
          {"config", topic.config.ToConfig().values()}};
}

std::string MediaType(const ServerRequest& request) {
  const auto found = request.headers.find("content-type");
  if (found == request.headers.end()) return "";
  std::string type = found->second.substr(0, found->second.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type;
}

struct ProduceRequest {
  std::vector<TopicRecord> records;
  std::vector<int64_t> numbers;  // by record: its line, from 1, or its place in the document, from 0
  int32_t partition = -1;
};

Result<ProduceRequest> ParseNdjson(const ServerRequest& request) {
  ProduceRequest parsed;
  const std::string key_field = QueryValue(request, "key", "");
  std::string_view rest = request.body;
  int64_t number = 0;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) continue;
    TopicRecord& record = parsed.records.emplace_back();
    parsed.numbers.push_back(number);
    record.value = std::string(line);
    if (key_field.empty()) continue;
    auto key = JsonFieldText(line, key_field);
    if (!key.ok()) return key.status().WithContext(fmt::format("line {}", number));
    record.key = *std::move(key);
  }
  TM_ASSIGN_OR_RETURN(const int64_t partition, QueryNumber(request, "partition", -1, -1, INT32_MAX));
  parsed.partition = static_cast<int32_t>(partition);
  return parsed;
}

// Bytes of a JSON member in the given way of writing records; absent and null are "no value".
Result<std::optional<std::string>> MemberBytes(const json& record, const std::string& name, std::string_view type) {
  if (type == kTextRecords) {
    if (const auto found = record.find(name + "_base64"); found != record.end() && found->is_string()) {
      auto bytes = DecodeBase64(found->get<std::string>());
      if (!bytes) return Status(kInvalidConfig, fmt::format("\"{}_base64\" is not base64", name));
      return bytes;
    }
  }
  const auto found = record.find(name);
  if (found == record.end() || found->is_null()) return std::optional<std::string>();
  if (type == kKafkaJson)
    return std::optional<std::string>(found->is_string() && name == "key" ? found->get<std::string>() : found->dump());
  if (!found->is_string()) return Status(kInvalidConfig, fmt::format("\"{}\" is not a string", name));
  if (type == kTextRecords) return std::optional<std::string>(found->get<std::string>());
  auto bytes = DecodeBase64(found->get<std::string>());
  if (!bytes) return Status(kInvalidConfig, fmt::format("\"{}\" is not base64", name));
  return bytes;
}

Result<ProduceRequest> ParseRecordsDocument(const ServerRequest& request, std::string_view type) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("records") || !body["records"].is_array()) {
    return Status(kInvalidConfig, "the body is not {\"records\": [{\"key\": ..., \"value\": ...}, ...]}");
  }
  ProduceRequest parsed;
  int64_t number = 0;
  for (const json& item : body["records"]) {
    parsed.numbers.push_back(number);
    const std::string place = fmt::format("record {}", number++);
    if (!item.is_object()) return Status(kInvalidConfig, place + ": not an object");
    TopicRecord& record = parsed.records.emplace_back();
    auto key = MemberBytes(item, "key", type);
    if (!key.ok()) return key.status().WithContext(place);
    auto value = MemberBytes(item, "value", type);
    if (!value.ok()) return value.status().WithContext(place);
    record.key = *std::move(key);
    record.value = *std::move(value);
    if (const auto time = item.find("timestamp"); time != item.end() && time->is_number_integer())
      record.timestamp_ms = time->get<int64_t>();
    if (const auto partition = item.find("partition"); partition != item.end() && partition->is_number_integer()) {
      const auto wanted = partition->get<int32_t>();
      if (number > 1 && wanted != parsed.partition)
        return Status(kInvalidConfig, place + ": all records of a request go to one partition, or choose by key");
      parsed.partition = wanted;
    }
  }
  return parsed;
}

// Every record must fit, or none is taken.
Status CheckSizes(const ProduceRequest& request, int64_t bytes_max, bool lines) {
  for (size_t i = 0; i < request.records.size(); ++i) {
    const TopicRecord& record = request.records[i];
    const auto bytes =
        static_cast<int64_t>((record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0));
    if (bytes + kRecordOverhead <= bytes_max) continue;
    return Status(
        kRecordTooLarge,
        fmt::format(
            "{} {}: {} bytes, the topic takes at most {} (max.message.bytes); nothing of this request was taken",
            lines ? "line" : "record", request.numbers[i], bytes, bytes_max));
  }
  return Status::OK();
}

json RangesJson(const ProducedRecords& produced) {
  json list = json::array();
  for (const AppendedRecords& range : produced.ranges)
    list.push_back({{"partition", range.partition}, {"first_offset", range.first_offset}, {"count", range.count}});
  return list;
}

ServerResponse Accepted(const ProducedRecords& produced, bool kafka) {
  if (!kafka) {
    return JsonResponse({{"accepted", produced.acknowledged()}, {"ranges", RangesJson(produced)}});
  }
  json offsets = json::array();
  for (const ProducedRecords::Place& place : produced.places)
    offsets.push_back(
        {{"partition", place.partition}, {"offset", place.offset}, {"error_code", nullptr}, {"error", nullptr}});
  const json body = {{"offsets", offsets}, {"key_schema_id", nullptr}, {"value_schema_id", nullptr}};
  return {200, "application/vnd.kafka.v2+json", body.dump(), {}};
}

// A problem that also says which records are on disk, so that only the others need to be sent again.
ServerResponse Refused(const ProducedRecords& produced, const std::vector<int64_t>& numbers, bool lines) {
  ServerResponse response = ErrorResponse(produced.status);
  json body = json::parse(response.body, nullptr, false);
  body["accepted"] = produced.acknowledged();
  body["ranges"] = RangesJson(produced);
  if (!produced.ranges.empty()) {
    json rest = json::array();
    for (size_t i = 0; i < produced.places.size(); ++i) {
      if (produced.places[i].offset < 0) rest.push_back(numbers[i]);
    }
    body[lines ? "lines_not_accepted" : "records_not_accepted"] = std::move(rest);
  }
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return response;
}

void Produce(const HttpApiParts& parts, const ServerRequest& request, const HttpServer::Reply& reply) {
  const std::string& topic = request.path_parameters.at("topic");
  const std::string type = MediaType(request);
  if (!IsSafeName(topic))
    return reply(ErrorResponse(Status(kInvalidName, fmt::format("'{}' is no name of a topic", topic))));
  const bool lines = type != kKafkaJson && type != kKafkaBinary && type != kTextRecords;
  if (lines && type != kNdjson && type != "application/jsonl" && type != "application/json" && type != "text/plain" &&
      !type.empty()) {
    return reply(ProblemResponse(
        415, Status(kInvalidConfig,
                    fmt::format("content type '{}' is not taken; send {} or {}", type, kNdjson, kKafkaJson))));
  }
  const bool create = QueryValue(request, "create", "false") == "true";
  if (const auto described = parts.topics->Describe(topic);
      !described.ok() && !(create && described.status().Is(kUnknownTopic))) {
    return reply(ErrorResponse(described.status()));
  }
  Result<ProduceRequest> parsed = lines ? ParseNdjson(request) : ParseRecordsDocument(request, type);
  if (!parsed.ok()) return reply(ErrorResponse(parsed.status()));
  const auto described = parts.topics->Describe(topic);
  const int64_t bytes_max = described.ok() ? described->config.max_message_bytes : TopicConfig().max_message_bytes;
  if (const Status sizes = CheckSizes(*parsed, bytes_max, lines); !sizes.ok()) return reply(ErrorResponse(sizes));
  const bool kafka = type == kKafkaJson || type == kKafkaBinary;
  parts.topics->ProduceAsync(
      topic, parsed->records, parsed->partition, create,
      [reply, lines, kafka, numbers = std::move(parsed->numbers)](const ProducedRecords& produced) {
        reply(produced.status.ok() ? Accepted(produced, kafka) : Refused(produced, numbers, lines));
      });
}

ServerResponse Fetch(const HttpApiParts& parts, const ServerRequest& request) {
  const std::string& topic = request.path_parameters.at("topic");
  const auto partition = QueryNumber(request, "partition", 0, 0, INT32_MAX);
  if (!partition.ok()) return ErrorResponse(partition.status());
  const auto limit = QueryNumber(request, "limit", 100, 1, kFetchRecordsMax);
  if (!limit.ok()) return ErrorResponse(limit.status());
  const auto from = StartOffset::Parse(QueryValue(request, "offset", "start"));
  if (!from.ok()) return ErrorResponse(from.status());
  const auto page = parts.topics->Fetch(topic, static_cast<int32_t>(*partition), *from, static_cast<int>(*limit));
  if (!page.ok()) return ErrorResponse(page.status());
  std::string body = "{\"records\":[";
  for (const FetchedRecord& record : page->records) {
    if (body.back() != '[') body += ',';
    body += RecordToJson(topic, record);
  }
  body += fmt::format("],\"next_offset\":{},\"end_offset\":{}}}", page->next_offset, page->end_offset);
  return {200, "application/json", std::move(body), {}};
}

// {"name": "clicks", "config": {"partitions": "2", "retention.ms": "..."}}
ServerResponse CreateTopic(const HttpApiParts& parts, const ServerRequest& request) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("name") || !body["name"].is_string()) {
    return ErrorResponse(
        Status(kInvalidConfig, "the body is not {\"name\": \"clicks\", \"config\": {\"partitions\": 1}}"));
  }
  Config given;
  if (const auto config = body.find("config"); config != body.end() && config->is_object()) {
    for (const auto& [key, value] : config->items())
      given.Set(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  const auto config = TopicConfig::FromConfig(given, TopicConfig());
  if (!config.ok()) return ErrorResponse(config.status());
  const std::string name = body["name"].get<std::string>();
  if (const Status created = parts.topics->Create(name, *config); !created.ok()) return ErrorResponse(created);
  const auto topic = parts.topics->Describe(name);
  if (!topic.ok()) return ErrorResponse(topic.status());
  return JsonResponse(TopicJson(*topic), 201);
}

}  // namespace

void MountTopicRoutes(HttpServer& server, const HttpApiParts& parts) {
  server.Route("GET", "/api/v1/topics", [parts](const ServerRequest&) {
    const auto topics = parts.topics->List();
    if (!topics.ok()) return ErrorResponse(topics.status());
    json list = json::array();
    for (const TopicDescription& topic : *topics) list.push_back(TopicJson(topic));
    return JsonResponse({{"topics", list}});
  });
  server.Route("GET", "/api/v1/topics/{topic}", [parts](const ServerRequest& request) {
    const auto topic = parts.topics->Describe(request.path_parameters.at("topic"));
    if (!topic.ok()) return ErrorResponse(topic.status());
    return JsonResponse(TopicJson(*topic));
  });
  server.Route("POST", "/api/v1/topics", [parts](const ServerRequest& request) { return CreateTopic(parts, request); });
  server.Route("DELETE", "/api/v1/topics/{topic}", [parts](const ServerRequest& request) {
    const Status deleted = parts.topics->Delete(request.path_parameters.at("topic"));
    return deleted.ok() ? ServerResponse{200, "application/json", "{}", {}} : ErrorResponse(deleted);
  });
  const auto produce = [parts](const ServerRequest& request, const HttpServer::Reply& reply) {
    Produce(parts, request, reply);
  };
  server.RouteAsync("POST", "/api/v1/topics/{topic}/records", produce);
  server.RouteAsync("POST", "/topics/{topic}", produce);  // where Confluent's REST proxy has it
  server.Route("GET", "/api/v1/topics/{topic}/records",
               [parts](const ServerRequest& request) { return Fetch(parts, request); });
}

}  // namespace tidemill
