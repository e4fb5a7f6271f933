#include "connect/kinesis/kinesis_client.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "base/base64.h"
#include "base/errors.h"
#include "base/url.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kKinesisAnswerBytesMax = 32 << 20;  // 10 MB of records, in Base64
constexpr int kPagesMax = 1000;
constexpr size_t kMessageMax = 300;
constexpr std::string_view kExpired = "ExpiredIteratorException";

template <size_t N>
bool Among(std::string_view text, const std::string_view (&list)[N]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

constexpr std::string_view kPassing[] = {"ProvisionedThroughputExceededException",
                                         "LimitExceededException",
                                         "KMSThrottlingException",
                                         "ThrottlingException",
                                         "InternalFailure",
                                         "InternalFailureException",
                                         "ServiceUnavailable",
                                         "ServiceUnavailableException",
                                         "RequestTimeout"};
constexpr std::string_view kLogin[] = {"UnrecognizedClientException", "InvalidSignatureException",
                                       "SignatureDoesNotMatch",       "ExpiredTokenException",
                                       "InvalidClientTokenId",        "MissingAuthenticationTokenException",
                                       "IncompleteSignature",         "IncompleteSignatureException"};

Status KinesisStatus(const std::string& stream, const HttpResponse& response) {
  std::string kind;
  std::string message;
  const auto body = nlohmann::json::parse(response.body.substr(0, 64 << 10), nullptr, false);
  if (body.is_object()) {
    for (const char* name : {"__type", "code"}) {
      if (kind.empty() && body.contains(name) && body[name].is_string()) kind = body[name].get<std::string>();
    }
    for (const char* name : {"message", "Message"}) {
      if (message.empty() && body.contains(name) && body[name].is_string()) message = body[name].get<std::string>();
    }
  }
  kind = kind.substr(kind.find('#') == std::string::npos ? 0 : kind.find('#') + 1);
  const std::string text = "Kinesis, stream '" + stream +
                           "': " + (kind.empty() ? "status " + std::to_string(response.status) : kind) +
                           (message.empty() ? "" : ": " + message.substr(0, kMessageMax));
  if (Among(kind, kPassing) || response.status >= 500 || response.status == 429)
    return Status(kKinesisUnreachable, text);
  if (Among(kind, kLogin)) return Status(kKinesisLoginFailed, text);
  if (kind == "AccessDeniedException" || kind.starts_with("KMS")) return Status(kKinesisNotAllowed, text);
  if (kind == "ResourceNotFoundException") return Status(kKinesisUnknownStream, text);
  return Status(kKinesisRefused, text);
}

Status NotKinesis(const char* what) {
  return Status(kKinesisRefused, std::string("the answer is not that of Kinesis: ") + what);
}

// A member that is a text; absent or null: nullopt.
std::optional<std::string_view> TextOf(const simdjson::dom::element& element, const char* name) {
  std::string_view text;
  if (element[name].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

bool ParseHash(std::string_view text, unsigned __int128* out) {
  if (text.empty() || text.size() > 39) return false;
  *out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    *out = *out * 10 + static_cast<unsigned>(c - '0');
  }
  return true;
}

}  // namespace

void WaitStop::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

bool WaitStop::stopped() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stopped_;
}

bool WaitStop::SleepMs(int64_t ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return stopped_; });
}

bool IsPassingKinesisError(const Status& status) {
  return status.Is(kKinesisUnreachable) || status.Is(kNetworkError) || status.Is(kTimeout);
}

bool IsExpiredIterator(const Status& status) {
  return status.Is(kKinesisRefused) && status.message().find(kExpired) != std::string::npos;
}

Result<std::string> KinesisClient::Call(const char* action, std::string body, const std::shared_ptr<WaitStop>& stop) {
  TM_ASSIGN_OR_RETURN(const Url url, ParseUrl(options_.endpoint));
  std::string host = url.host.find(':') == std::string::npos ? url.host : "[" + url.host + "]";
  if (url.port != (url.tls ? 443 : 80)) host += ":" + std::to_string(url.port);
  const std::string date_time = AwsDateTime(clock_.NowMicros() / 1'000'000);
  AwsRequest signed_part;
  signed_part.headers = {{"content-type", "application/x-amz-json-1.1"},
                         {"host", host},
                         {"x-amz-date", date_time},
                         {"x-amz-target", std::string("Kinesis_20131202.") + action}};
  if (!credentials_.session_token.empty())
    signed_part.headers.emplace_back("x-amz-security-token", credentials_.session_token);
  signed_part.body = body;
  HttpRequest request;
  request.url = options_.endpoint + "/";
  request.headers = {
      {"Authorization", SignAwsRequest(signed_part, options_.region, "kinesis", date_time, credentials_)}};
  for (const auto& header : signed_part.headers) {
    if (header.first != "host") request.headers.push_back(header);
  }
  request.body = std::move(body);
  request.timeout_ms = options_.timeout_ms;
  request.response_bytes_max = kKinesisAnswerBytesMax;
  request.allow_addresses = options_.allow_addresses;

  auto answer = std::make_shared<std::optional<Result<HttpResponse>>>();  // guarded by the stop's mutex
  network_.Fetch(std::move(request), [answer, stop](Result<HttpResponse> response) {
    {
      std::lock_guard<std::mutex> lock(stop->mutex_);
      *answer = std::move(response);
    }
    stop->changed_.notify_all();
  });
  std::unique_lock<std::mutex> lock(stop->mutex_);
  stop->changed_.wait(lock, [&] { return stop->stopped_ || answer->has_value(); });
  if (!answer->has_value()) return Status(kNetworkError, "cancelled");
  Result<HttpResponse>& response = **answer;
  if (!response.ok()) {
    const Status& status = response.status();
    return status.Is(kNetworkError) || status.Is(kTimeout) ? Status(kKinesisUnreachable, status.message()) : status;
  }
  if (response->status != 200) return KinesisStatus(options_.stream, *response);
  return std::move(response->body);
}

std::string KinesisClient::StreamMember() const {
  return options_.stream_arn.empty() ? "\"StreamName\":\"" + options_.stream + "\""
                                     : "\"StreamARN\":" + nlohmann::json(options_.stream_arn).dump();
}

Result<std::vector<KinesisShard>> ParseKinesisShards(std::string_view json, std::string* next_token) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  if (parser.parse(simdjson::padded_string(json)).get(answer) != simdjson::SUCCESS) return NotKinesis("no JSON");
  simdjson::dom::array list;
  if (answer["Shards"].get(list) != simdjson::SUCCESS) return NotKinesis("no shards");
  std::vector<KinesisShard> shards;
  for (const simdjson::dom::element each : list) {
    KinesisShard shard;
    const auto id = TextOf(each, "ShardId");
    if (!id || id->empty() || id->size() > 128) return NotKinesis("a shard without an id");
    shard.id = std::string(*id);
    for (const char* name : {"ParentShardId", "AdjacentParentShardId"}) {
      if (const auto parent = TextOf(each, name); parent && !parent->empty()) shard.parents.emplace_back(*parent);
    }
    simdjson::dom::element range;
    if (each["SequenceNumberRange"].get(range) == simdjson::SUCCESS)
      shard.closed = TextOf(range, "EndingSequenceNumber").has_value();
    if (each["HashKeyRange"].get(range) == simdjson::SUCCESS) {
      const auto first = TextOf(range, "StartingHashKey");
      const auto last = TextOf(range, "EndingHashKey");
      if (!first || !last || !ParseHash(*first, &shard.hash_first) || !ParseHash(*last, &shard.hash_last))
        return NotKinesis("a range that is none");
    }
    shards.push_back(std::move(shard));
  }
  next_token->clear();
  if (const auto token = TextOf(answer, "NextToken")) *next_token = std::string(*token);
  return shards;
}

Result<std::vector<KinesisShard>> KinesisClient::ListShards(const std::shared_ptr<WaitStop>& stop) {
  std::vector<KinesisShard> shards;
  std::string token;
  for (int page = 0; page < kPagesMax; ++page) {
    std::string body = "{" + (token.empty() ? StreamMember() : "\"NextToken\":" + nlohmann::json(token).dump()) + "}";
    TM_ASSIGN_OR_RETURN(const std::string answer, Call("ListShards", std::move(body), stop));
    TM_ASSIGN_OR_RETURN(std::vector<KinesisShard> found, ParseKinesisShards(answer, &token));
    std::move(found.begin(), found.end(), std::back_inserter(shards));
    if (token.empty()) return shards;
  }
  return Status(kLimitExceeded, "stream '" + options_.stream + "' has too many shards");
}

Result<std::string> KinesisClient::ShardIterator(const std::string& shard, const std::string& place,
                                                 const std::shared_ptr<WaitStop>& stop) {
  TM_ASSIGN_OR_RETURN(
      const std::string answer,
      Call("GetShardIterator",
           "{" + StreamMember() + ",\"ShardId\":" + nlohmann::json(shard).dump() + "," + place + "}", stop));
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(simdjson::padded_string(answer)).get(element) != simdjson::SUCCESS) return NotKinesis("no JSON");
  const auto iterator = TextOf(element, "ShardIterator");
  if (!iterator || iterator->empty()) return NotKinesis("no iterator");
  return std::string(*iterator);
}

Result<KinesisRecords> ParseKinesisRecords(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  if (parser.parse(simdjson::padded_string(json)).get(answer) != simdjson::SUCCESS) return NotKinesis("no JSON");
  simdjson::dom::array list;
  if (answer["Records"].get(list) != simdjson::SUCCESS) return NotKinesis("no records");
  KinesisRecords records;
  for (const simdjson::dom::element each : list) {
    KinesisRecord record;
    const auto data = TextOf(each, "Data");
    const auto number = TextOf(each, "SequenceNumber");
    if (!data || !number || number->empty() || number->size() > 128) return NotKinesis("a record without its parts");
    if (!std::all_of(number->begin(), number->end(), [](char c) { return c >= '0' && c <= '9'; }))
      return NotKinesis("a sequence number that is none");
    auto bytes = DecodeBase64(*data);
    if (!bytes) return NotKinesis("data that are not Base64");
    record.data = *std::move(bytes);
    record.sequence_number = std::string(*number);
    record.partition_key = std::string(TextOf(each, "PartitionKey").value_or(""));
    double seconds = 0;
    if (each["ApproximateArrivalTimestamp"].get(seconds) == simdjson::SUCCESS && seconds > 0 && seconds < 1e11)
      record.arrival_ms = std::llround(seconds * 1000);
    records.records.push_back(std::move(record));
  }
  records.next_iterator = std::string(TextOf(answer, "NextShardIterator").value_or(""));
  int64_t behind = 0;
  if (answer["MillisBehindLatest"].get(behind) == simdjson::SUCCESS)
    records.millis_behind = std::max<int64_t>(0, behind);
  return records;
}

Result<KinesisRecords> KinesisClient::GetRecords(const std::string& iterator, const std::shared_ptr<WaitStop>& stop) {
  std::string body = "{\"ShardIterator\":" + nlohmann::json(iterator).dump() +
                     ",\"Limit\":" + std::to_string(options_.read_records_max);
  if (!options_.stream_arn.empty()) body += "," + StreamMember();
  TM_ASSIGN_OR_RETURN(const std::string answer, Call("GetRecords", body + "}", stop));
  return ParseKinesisRecords(answer);
}

Status KinesisClient::PutRecords(const std::vector<KinesisOutgoing>& records, const std::shared_ptr<WaitStop>& stop,
                                 std::vector<size_t>* left, std::string* why) {
  std::string body = "{" + StreamMember() + ",\"Records\":[";
  for (size_t i = 0; i < records.size(); ++i) {
    body += i == 0 ? "{\"Data\":\"" : ",{\"Data\":\"";
    body += EncodeBase64(records[i].data);
    body += "\",\"PartitionKey\":";
    body += nlohmann::json(records[i].partition_key).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    body += "}";
  }
  TM_ASSIGN_OR_RETURN(const std::string answer, Call("PutRecords", body + "]}", stop));
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  simdjson::dom::array results;
  if (parser.parse(simdjson::padded_string(answer)).get(element) != simdjson::SUCCESS ||
      element["Records"].get(results) != simdjson::SUCCESS || results.size() != records.size())
    return NotKinesis("not one result a record");
  left->clear();
  size_t number = 0;
  for (const simdjson::dom::element each : results) {
    if (const auto code = TextOf(each, "ErrorCode"); code && !code->empty()) {
      left->push_back(number);
      *why = std::string(*code) + ": " + std::string(TextOf(each, "ErrorMessage").value_or("")).substr(0, kMessageMax);
    }
    ++number;
  }
  return Status::OK();
}

}  // namespace tidemill
