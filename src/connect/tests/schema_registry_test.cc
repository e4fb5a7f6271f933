#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/errors.h"
#include "base/simulated_file_system.h"
#include "base/simulated_network.h"
#include "connect/connector.h"
#include "connect/schema_registry/http_schema_source.h"
#include "connect/schema_registry/open_schema_source.h"
#include "data/errors.h"

namespace tidemill {
namespace {

// The other side of a registry's client: answers by method and path, on a thread of its own.
class AnsweringRegistry {
 public:
  using Answers = std::map<std::string, HttpResponse>;
  explicit AnsweringRegistry(Answers answers)
      : answers_(std::move(answers)), network_([this](const HttpRequest& request) { return Answer(request); }) {
    thread_ = std::thread([this] {
      while (!stopping_) {
        if (network_.Deliver() == 0) std::this_thread::yield();
      }
    });
  }
  ~AnsweringRegistry() {
    stopping_ = true;
    thread_.join();
  }
  Network& network() { return network_; }
  std::vector<HttpRequest> requests() {
    std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }
  void Set(const std::string& call, HttpResponse response) {
    std::lock_guard<std::mutex> lock(mutex_);
    answers_[call] = std::move(response);
  }

 private:
  Result<HttpResponse> Answer(const HttpRequest& request) {
    std::lock_guard<std::mutex> lock(mutex_);
    requests_.push_back(request);
    const auto found = answers_.find(request.method + " " + request.url);
    if (found == answers_.end()) return Status(kNetworkError, "connection refused");
    return found->second;
  }

  std::mutex mutex_;
  Answers answers_;
  std::vector<HttpRequest> requests_;
  SimulatedNetwork network_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

HttpResponse RegistryAnswer(int status, std::string body) { return {status, {}, std::move(body)}; }

SchemaRegistryConnection ConnectionTo(std::vector<std::string> urls) {
  SchemaRegistryConnection connection;
  connection.urls = std::move(urls);
  connection.backoff_ms = 1;
  return connection;
}

TEST(HttpSchemaSource, ResolvesReferencesAndKeepsIds) {
  AnsweringRegistry registry({
      {"GET http://r/schemas/ids/3",
       RegistryAnswer(200, R"({"schema":"\"a\"","references":[{"name":"a.B","subject":"x/b","version":2},
                           {"name":"a.C","subject":"c","version":1}]})")},
      {"GET http://r/subjects/x%2Fb/versions/2",
       RegistryAnswer(200, R"({"subject":"x/b","version":2,"id":2,"schema":"B","references":[
                           {"name":"a.C","subject":"c","version":1}]})")},
      {"GET http://r/subjects/c/versions/1", RegistryAnswer(200, R"({"schema":"C","schemaType":"AVRO"})")},
  });
  ManualClock clock;
  HttpSchemaSource source(ConnectionTo({"http://r"}), registry.network(), clock);
  for (int i = 0; i < 3; ++i) {
    const auto schema = source.SchemaById(3);
    ASSERT_TRUE(schema.ok()) << schema.status().ToString();
    EXPECT_EQ(schema->text, "\"a\"");
    ASSERT_EQ(schema->parts.size(), 2u);
    EXPECT_EQ(schema->parts[0].text, "C");
    EXPECT_EQ(schema->parts[1].name, "a.B");
  }
  EXPECT_EQ(registry.requests().size(), 3u);
}

TEST(HttpSchemaSource, RegistersAndTellsWhyNot) {
  AnsweringRegistry registry({{"POST http://r/base/subjects/t-value/versions", RegistryAnswer(200, R"({"id":17})")}});
  ManualClock clock;
  HttpSchemaSource source(ConnectionTo({"http://r/base"}), registry.network(), clock);
  const SchemaDefinition schema{SchemaLanguage::kProtobuf, "a \"b\"\n", {{"n", "s", 4}}};
  const auto id = source.Register("t-value", schema);
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  EXPECT_EQ(*id, 17);
  EXPECT_EQ(
      registry.requests()[0].body,
      R"({"schema":"a \"b\"\u000a","schemaType":"PROTOBUF","references":[{"name":"n","subject":"s","version":4}]})");
  const std::string call = "POST http://r/base/subjects/t-value/versions";
  registry.Set(call, RegistryAnswer(409, R"({"error_code":409,"message":"READER_FIELD_MISSING_DEFAULT_VALUE"})"));
  const Status conflict = source.Register("t-value", schema).status();
  EXPECT_TRUE(conflict.Is(kIncompatibleSchema));
  EXPECT_NE(conflict.message().find("READER_FIELD_MISSING_DEFAULT_VALUE"), std::string::npos);
  registry.Set(call, RegistryAnswer(422, R"({"error_code":42201,"message":"bad"})"));
  EXPECT_TRUE(source.Register("t-value", schema).status().Is(kInvalidSchema));
  registry.Set(call, RegistryAnswer(401, "no"));
  EXPECT_TRUE(source.Register("t-value", schema).status().Is(kPermissionDenied));
  registry.Set(call, RegistryAnswer(200, "<html>"));
  EXPECT_TRUE(source.Register("t-value", schema).status().Is(kNetworkError));
}

TEST(HttpSchemaSource, UnknownIdsAreAskedAgainLater) {
  AnsweringRegistry registry(
      {{"GET http://r/schemas/ids/9", RegistryAnswer(404, R"({"error_code":40403})")},
       {"GET http://r/subjects/s/versions/latest", RegistryAnswer(404, R"({"error_code":40401})")}});
  ManualClock clock;
  HttpSchemaSource source(ConnectionTo({"http://r"}), registry.network(), clock);
  EXPECT_TRUE(source.SchemaById(9).status().Is(kSchemaNotFound));
  EXPECT_TRUE(source.SchemaById(9).status().Is(kSchemaNotFound));
  EXPECT_EQ(registry.requests().size(), 1u);
  registry.Set("GET http://r/schemas/ids/9", RegistryAnswer(200, R"({"schema":"\"int\""})"));
  clock.AdvanceMicros((HttpSchemaSource::kUnknownMs + 1) * 1000);
  EXPECT_TRUE(source.SchemaById(9).ok());
  const auto none = source.LatestOf("s");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  registry.Set("GET http://r/subjects/s/versions/latest",
               RegistryAnswer(200, R"({"subject":"s","id":4,"version":2,"schema":"\"int\""})"));
  EXPECT_EQ((*source.LatestOf("s"))->version, 2);
}

TEST(HttpSchemaSource, GoesToTheNextAddress) {
  AnsweringRegistry registry({{"GET http://a/schemas/ids/1", RegistryAnswer(503, "busy")},
                              {"GET http://b/schemas/ids/1", RegistryAnswer(200, R"({"schema":"\"int\""})")}});
  ManualClock clock;
  HttpSchemaSource source(ConnectionTo({"http://a", "http://b"}), registry.network(), clock);
  EXPECT_TRUE(source.SchemaById(1).ok());
  EXPECT_TRUE(source.SchemaById(2).status().Is(kNetworkError));
  EXPECT_EQ(registry.requests().size(), 2u + 3u);
}

TEST(OpenSchemaSource, CredentialsGoIntoTheHeaderAlone) {
  AnsweringRegistry registry({{"GET http://r/schemas/ids/1", RegistryAnswer(403, "sesame")}});
  SimulatedFileSystem files;
  ManualClock clock;
  ConnectorContext context;
  context.network = &registry.network();
  context.files = &files;
  context.clock = &clock;
  Config options;
  options.Set("url", "http://r/");
  options.Set("basic-auth.user-info", "ali:sesame");
  auto source = OpenSchemaSource("avro-confluent", options, context);
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  const Status refused = (*source)->SchemaById(1).status();
  EXPECT_TRUE(refused.Is(kPermissionDenied));
  EXPECT_EQ(refused.ToString().find("sesame"), std::string::npos);
  std::set<std::string> headers;
  const std::vector<HttpRequest> requests = registry.requests();
  for (const auto& [name, value] : requests[0].headers) headers.insert(name + ": " + value);
  EXPECT_EQ(headers.count("Authorization: Basic YWxpOnNlc2FtZQ=="), 1u);

  options.Set("url", "http://ali:sesame@r");
  const Status bad = OpenSchemaSource("avro-confluent", options, context).status();
  EXPECT_TRUE(bad.Is(kInvalidFormatOption));
  EXPECT_EQ(bad.ToString().find("sesame"), std::string::npos);
  EXPECT_TRUE(OpenSchemaSource("avro-confluent", Config(), context).status().Is(kInvalidFormatOption));
  EXPECT_EQ(*OpenSchemaSource("json", Config(), context), nullptr);
}

}  // namespace
}  // namespace tidemill
