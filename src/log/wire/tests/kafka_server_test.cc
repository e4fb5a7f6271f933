// The Kafka server over real sockets, with our own codecs as the client. Real clients are in tests/wire.
#include "log/wire/kafka_server.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/tests/frame_client.h"
#include "base/tests/temp_folder.h"
#include "log/kafka_error.h"
#include "log/record_batch.h"
#include "log/wire/api.h"
#include "log/wire/messages/add_partitions_to_txn.h"
#include "log/wire/messages/api_versions.h"
#include "log/wire/messages/end_txn.h"
#include "log/wire/messages/fetch.h"
#include "log/wire/messages/init_producer_id.h"
#include "log/wire/messages/list_offsets.h"
#include "log/wire/messages/message_header.h"
#include "log/wire/messages/metadata.h"
#include "log/wire/messages/produce.h"
#include "log/wire/messages/sasl_authenticate.h"
#include "log/wire/messages/sasl_handshake.h"
#include "log/wire/wire_reader.h"
#include "log/wire/wire_writer.h"

namespace tidemill {
namespace {

class WireClient {
 public:
  explicit WireClient(uint16_t port) : frames_(port) {}

  template <typename Request>
  void Send(const Request& request, int16_t version) {
    const wire::ApiInfo& api = *wire::FindApi(Request::kApiKey);
    std::string bytes;
    WireWriter writer(&bytes);
    wire::RequestHeader header;
    header.request_api_key = api.key;
    header.request_api_version = version;
    header.correlation_id = ++sent_;
    header.client_id = "test";
    header.Encode(writer, wire::RequestHeaderVersion(api, version));
    request.Encode(writer, version);
    ASSERT_TRUE(writer.status().ok()) << writer.status().ToString();
    ASSERT_TRUE(frames_.Write(testing::FrameClient::Framed(bytes)));
  }
  // Views of the answer live until the next one.
  template <typename Request, typename Response>
  void Receive(int16_t version, Response* response) {
    auto answer = frames_.Read();
    ASSERT_TRUE(answer.has_value());
    answer_ = *std::move(answer);
    WireReader reader(answer_);
    wire::ResponseHeader header;
    header.Read(reader, wire::ResponseHeaderVersion(*wire::FindApi(Request::kApiKey), version));
    EXPECT_EQ(header.correlation_id, ++received_);
    response->Read(reader, version);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    EXPECT_EQ(reader.remaining(), 0u);
  }
  template <typename Response, typename Request>
  Response Ask(const Request& request, int16_t version) {
    Response response;
    Send(request, version);
    Receive<Request>(version, &response);
    return response;
  }

  bool IsClosed() { return !frames_.Read().has_value(); }
  std::optional<std::string> AskBare(std::string_view bytes) {
    EXPECT_TRUE(frames_.Write(testing::FrameClient::Framed(bytes)));
    return frames_.Read();
  }

 private:
  testing::FrameClient frames_;
  int32_t sent_ = 0;
  int32_t received_ = 0;
  std::string answer_;
};

class KafkaServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Log::Open(files_, clock_, folder_.path());
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    log_ = *std::move(opened);
    StartServer({});
  }
  void StartServer(KafkaSecurity security) {
    server_.reset();
    KafkaServerOptions options;
    options.listen.threads = 2;
    options.security = std::move(security);
    auto started = KafkaServer::Start(*log_, files_, clock_, folder_.path(), options);
    ASSERT_TRUE(started.ok()) << started.status().ToString();
    server_ = *std::move(started);
  }

  void MakeTopic() {
    WireClient client(server_->port());
    wire::MetadataRequest request;
    request.topics->push_back({{}, "t"});
    const auto response = client.Ask<wire::MetadataResponse>(request, 12);
    ASSERT_EQ(response.topics.size(), 1u);
    EXPECT_EQ(response.topics[0].error_code, 0);
    EXPECT_EQ(response.brokers[0].port, server_->port());
  }
  static std::string Batch(std::string_view value, BatchOptions options = {}) {
    std::string batch;
    Record record;
    record.value = value;
    record.timestamp_ms = 1'000;
    EXPECT_TRUE(EncodeBatch({&record, 1}, options, &batch).ok());
    return batch;
  }
  static wire::ProduceResponse Produce(WireClient& client, const std::string& batch,
                                       std::optional<std::string_view> transactional_id = {}, int16_t version = 9) {
    wire::ProduceRequest request;
    request.acks = -1;
    request.transactional_id = transactional_id;
    request.topic_data.push_back({"t", {}, {{0, batch}}});
    return client.Ask<wire::ProduceResponse>(request, version);
  }
  static wire::FetchRequest FetchFrom(int64_t offset, int32_t wait_ms, int8_t isolation = 0) {
    wire::FetchRequest request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.isolation_level = isolation;
    wire::FetchRequest::FetchPartition partition;
    partition.fetch_offset = offset;
    partition.partition_max_bytes = 1 << 20;
    request.topics.push_back({"t", {}, {partition}});
    return request;
  }

  LocalFileSystem files_;
  SystemClock clock_;
  testing::TempFolder folder_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<KafkaServer> server_;
};

TEST_F(KafkaServerTest, SaysWhatItSpeaks) {
  WireClient client(server_->port());
  for (int16_t version = 0; version <= wire::ApiVersionsRequest::kMaxVersion; ++version) {
    const auto response = client.Ask<wire::ApiVersionsResponse>(wire::ApiVersionsRequest(), version);
    EXPECT_EQ(response.error_code, 0);
    EXPECT_GT(response.api_keys.size(), 30u);
  }
}

TEST_F(KafkaServerTest, AFetchThatWaitsIsAnsweredByTheNextAppend) {
  MakeTopic();
  WireClient reader(server_->port()), writer(server_->port());
  for (int i = 0; i < 50; ++i) {
    reader.Send(FetchFrom(i, 30'000), 12);
    std::thread later(
        [&] { EXPECT_EQ(Produce(writer, Batch("x")).responses[0].partition_responses[0].base_offset, i); });
    wire::FetchResponse response;
    reader.Receive<wire::FetchRequest>(12, &response);
    later.join();
    const auto& partition = response.responses[0].partitions[0];
    EXPECT_EQ(partition.high_watermark, i + 1);
    ASSERT_GT(partition.records->size(), static_cast<size_t>(kBatchHeadBytes));
    EXPECT_EQ(ParseBatchHeader(*partition.records)->base_offset, i);
  }
  // Nothing comes: the time ends it.
  const auto empty = reader.Ask<wire::FetchResponse>(FetchFrom(50, 20), 12);
  EXPECT_TRUE(empty.responses[0].partitions[0].records->empty());
  const auto beyond = reader.Ask<wire::FetchResponse>(FetchFrom(51, 10'000), 12);
  EXPECT_EQ(beyond.responses[0].partitions[0].error_code, static_cast<int16_t>(KafkaError::kOffsetOutOfRange));
}

TEST_F(KafkaServerTest, AFetchSessionIsToldOnlyWhatIsNew) {
  MakeTopic();
  WireClient client(server_->port());
  Produce(client, Batch("a"));
  wire::FetchRequest request = FetchFrom(0, 1);
  request.session_epoch = 0;
  const auto opened = client.Ask<wire::FetchResponse>(request, 12);
  ASSERT_NE(opened.session_id, 0);
  ASSERT_FALSE(opened.responses[0].partitions[0].records->empty());
  // The partition is asked for with its new offset, and there is no news of it; then it need not be named any more.
  request = FetchFrom(1, 1);
  request.session_id = opened.session_id;
  request.session_epoch = 1;
  EXPECT_TRUE(client.Ask<wire::FetchResponse>(request, 12).responses.empty());
  Produce(client, Batch("b"));
  request.topics.clear();
  request.session_epoch = 2;
  const auto news = client.Ask<wire::FetchResponse>(request, 12);
  EXPECT_EQ(news.session_id, opened.session_id);
  ASSERT_EQ(news.responses.size(), 1u);
  EXPECT_EQ(ParseBatchHeader(*news.responses[0].partitions[0].records)->base_offset, 1);
  const auto again = client.Ask<wire::FetchResponse>(request, 12);
  EXPECT_EQ(again.error_code, static_cast<int16_t>(KafkaError::kInvalidFetchSessionEpoch));
  EXPECT_TRUE(again.responses.empty());
}

TEST_F(KafkaServerTest, RefusesBatchesThatAreDamaged) {
  MakeTopic();
  WireClient client(server_->port());
  std::string batch = Batch("hello");
  batch.back() ^= 1;
  EXPECT_EQ(Produce(client, batch).responses[0].partition_responses[0].error_code,
            static_cast<int16_t>(KafkaError::kCorruptMessage));
  EXPECT_EQ(Produce(client, "short").responses[0].partition_responses[0].error_code,
            static_cast<int16_t>(KafkaError::kInvalidRecord));
  EXPECT_EQ(log_->Describe("t")->partitions[0].end, 0);
}

TEST_F(KafkaServerTest, WhoWaitsForNoAnswerIsCutOffByARefusal) {
  MakeTopic();
  WireClient client(server_->port());
  wire::ProduceRequest request;
  request.acks = 0;
  const std::string batch = Batch("a");
  request.topic_data.push_back({"t", {}, {{0, batch}}});
  client.Send(request, 9);
  request.topic_data[0].partition_data[0].index = 7;
  client.Send(request, 9);
  EXPECT_TRUE(client.IsClosed());  // and nothing was answered before
  EXPECT_EQ(log_->Describe("t")->partitions[0].end, 1);
}

TEST_F(KafkaServerTest, ATransactionIsSeenWhenItEnds) {
  MakeTopic();
  WireClient client(server_->port());
  wire::InitProducerIdRequest init;
  init.transactional_id = "id";
  init.transaction_timeout_ms = 60'000;
  const auto producer = client.Ask<wire::InitProducerIdResponse>(init, 4);
  ASSERT_EQ(producer.error_code, 0);
  BatchOptions options;
  options.producer_id = producer.producer_id;
  options.producer_epoch = producer.producer_epoch;
  options.base_sequence = 0;
  options.transactional = true;
  // Not before the coordinator knows of it.
  EXPECT_EQ(Produce(client, Batch("a", options), "id").responses[0].partition_responses[0].error_code,
            static_cast<int16_t>(KafkaError::kInvalidTxnState));
  wire::AddPartitionsToTxnRequest add;
  add.v3_and_below_transactional_id = "id";
  add.v3_and_below_producer_id = producer.producer_id;
  add.v3_and_below_producer_epoch = producer.producer_epoch;
  add.v3_and_below_topics.push_back({"t", {0}});
  const auto added = client.Ask<wire::AddPartitionsToTxnResponse>(add, 3);
  EXPECT_EQ(added.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code, 0);
  EXPECT_EQ(Produce(client, Batch("a", options), "id").responses[0].partition_responses[0].error_code, 0);
  EXPECT_TRUE(client.Ask<wire::FetchResponse>(FetchFrom(0, 1, 1), 12).responses[0].partitions[0].records->empty());
  wire::EndTxnRequest end;
  end.transactional_id = "id";
  end.producer_id = producer.producer_id;
  end.producer_epoch = producer.producer_epoch;
  end.committed = true;
  EXPECT_EQ(client.Ask<wire::EndTxnResponse>(end, 3).error_code, 0);
  const auto seen = client.Ask<wire::FetchResponse>(FetchFrom(0, 1, 1), 12);
  EXPECT_FALSE(seen.responses[0].partitions[0].records->empty());
  EXPECT_EQ(seen.responses[0].partitions[0].last_stable_offset, 2);  // with the marker
  // Producers know only one word of Produce for having been replaced.
  EXPECT_EQ(client.Ask<wire::InitProducerIdResponse>(init, 4).error_code, 0);
  for (const int16_t version : {9, 12}) {
    EXPECT_EQ(Produce(client, Batch("late", options), "id", version).responses[0].partition_responses[0].error_code,
              static_cast<int16_t>(KafkaError::kInvalidProducerEpoch));
  }
}

class SecuredKafkaServerTest : public KafkaServerTest {
 protected:
  void SetUp() override {
    KafkaServerTest::SetUp();
    MakeTopic();
    KafkaSecurity security;
    security.users = std::make_shared<SaslUsers>(
        std::vector<SaslUsers::User>{{"writer", "w"}, {"reader", "r"}},
        std::vector<SaslMechanism>{SaslMechanism::kPlain, SaslMechanism::kScramSha256}, SystemRandomBytes());
    AccessRules rules;
    rules.acls.push_back({.principal = "User:writer", .operation = AclOperation::kWrite, .name = "t"});
    rules.acls.push_back({.principal = "User:reader", .operation = AclOperation::kRead, .name = "t"});
    security.access = std::make_shared<AccessControl>(std::move(rules));
    StartServer(std::move(security));
  }
  static int16_t LogIn(WireClient& client, std::string_view name, std::string_view password) {
    wire::SaslHandshakeRequest handshake;
    handshake.mechanism = "PLAIN";
    EXPECT_EQ(client.Ask<wire::SaslHandshakeResponse>(handshake, 1).error_code, 0);
    std::string message(1, '\0');
    message.append(name).append(1, '\0').append(password);
    wire::SaslAuthenticateRequest authenticate;
    authenticate.auth_bytes = message;
    return client.Ask<wire::SaslAuthenticateResponse>(authenticate, 2).error_code;
  }
};

TEST_F(SecuredKafkaServerTest, AClientMayDoWhatItsRulesSay) {
  const auto denied = static_cast<int16_t>(KafkaError::kTopicAuthorizationFailed);
  WireClient writer(server_->port()), reader(server_->port());
  EXPECT_EQ(LogIn(writer, "writer", "w"), 0);
  EXPECT_EQ(LogIn(reader, "reader", "r"), 0);
  EXPECT_EQ(Produce(writer, Batch("x")).responses[0].partition_responses[0].error_code, 0);
  EXPECT_EQ(Produce(reader, Batch("y")).responses[0].partition_responses[0].error_code, denied);
  const auto seen = reader.Ask<wire::FetchResponse>(FetchFrom(0, 1), 12);
  EXPECT_FALSE(seen.responses[0].partitions[0].records->empty());
  const auto hidden = writer.Ask<wire::FetchResponse>(FetchFrom(0, 60'000), 12);
  EXPECT_EQ(hidden.responses[0].partitions[0].error_code, denied);
  EXPECT_TRUE(hidden.responses[0].partitions[0].records->empty());
  wire::InitProducerIdRequest init;
  init.transactional_id = std::nullopt;
  EXPECT_EQ(writer.Ask<wire::InitProducerIdResponse>(init, 4).error_code, 0);
  EXPECT_EQ(reader.Ask<wire::InitProducerIdResponse>(init, 4).error_code,
            static_cast<int16_t>(KafkaError::kClusterAuthorizationFailed));
}

TEST_F(SecuredKafkaServerTest, AStrangerIsAnsweredNothing) {
  WireClient wrong(server_->port()), silent(server_->port()), twice(server_->port());
  EXPECT_EQ(LogIn(wrong, "writer", "no"), static_cast<int16_t>(KafkaError::kSaslAuthenticationFailed));
  EXPECT_TRUE(wrong.IsClosed());
  silent.Send(wire::MetadataRequest(), 12);
  EXPECT_TRUE(silent.IsClosed());
  wire::SaslAuthenticateRequest authenticate;
  EXPECT_EQ(twice.Ask<wire::SaslAuthenticateResponse>(authenticate, 2).error_code,
            static_cast<int16_t>(KafkaError::kSaslAuthenticationFailed))
      << "no handshake before";
}

TEST_F(SecuredKafkaServerTest, TokensWithoutKafkasFrameAsBeforeVersion1) {
  WireClient client(server_->port());
  wire::SaslHandshakeRequest handshake;
  handshake.mechanism = "PLAIN";
  EXPECT_EQ(client.Ask<wire::SaslHandshakeResponse>(handshake, 0).error_code, 0);
  EXPECT_EQ(client.AskBare(std::string_view("\0writer\0w", 9)), "");
  EXPECT_EQ(Produce(client, Batch("x")).responses[0].partition_responses[0].error_code, 0);
}

TEST_F(KafkaServerTest, StopsWhileRequestsWait) {
  MakeTopic();
  WireClient client(server_->port());
  client.Send(FetchFrom(0, 60'000), 12);
  client.Send(FetchFrom(0, 60'000), 12);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  server_.reset();
}

}  // namespace
}  // namespace tidemill
