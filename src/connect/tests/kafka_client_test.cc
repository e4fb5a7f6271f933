// Against librdkafka's own mock brokers, which speak the real protocol on a socket of this process.
#include "connect/kafka/kafka_client.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "connect/errors.h"
#include "connect/kafka/kafka_consumer.h"
#include "connect/kafka/kafka_producer.h"
#include "connect/kafka/kafka_upsert_buffer.h"

namespace tidemill {
namespace {

// Waits on the wake-ups that a lane would get.
class KafkaWakes {
 public:
  std::function<void()> Callback() {
    return [this] {
      std::lock_guard<std::mutex> lock(mutex_);
      ++count_;
      changed_.notify_all();
    };
  }
  template <typename Predicate>
  bool WaitFor(Predicate predicate) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), predicate);
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

KafkaConnection MockBrokers(std::vector<std::pair<std::string, std::string>> more = {}) {
  KafkaConnection connection;
  connection.servers = "mock";
  connection.settings = {{"test.mock.num.brokers", "1"}, {"enable.idempotence", "false"}};
  for (auto& setting : more) connection.settings.push_back(std::move(setting));
  return connection;
}

std::vector<KafkaOutgoing> Outgoing(int count) {
  std::vector<KafkaOutgoing> records(count);
  for (KafkaOutgoing& record : records) record.value = "value";
  return records;
}

TEST(KafkaProducer, WhatTheQueueHasNoRoomForIsKeptAndSent) {
  auto producer =
      KafkaProducer::Make(MockBrokers({{"queue.buffering.max.messages", "10"}, {"linger.ms", "0"}}), {{"t"}, {}});
  ASSERT_TRUE(producer.ok()) << producer.status().ToString();
  KafkaWakes wakes;
  const auto in_flight = (*producer)->NewInFlight(1 << 20, wakes.Callback());
  std::vector<size_t> too_large;
  ASSERT_TRUE((*producer)->Send(Outgoing(500), *in_flight, &too_large).ok());
  EXPECT_GT(in_flight->records(), 0);
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
  EXPECT_TRUE(in_flight->failed().ok()) << in_flight->failed().ToString();
  EXPECT_TRUE(too_large.empty());
}

TEST(KafkaProducer, AWriterHasRoomAgainWhenKafkaHasTakenIts) {
  auto producer = KafkaProducer::Make(MockBrokers(), {{"t"}, {}});
  ASSERT_TRUE(producer.ok());
  KafkaWakes wakes;
  const auto in_flight = (*producer)->NewInFlight(1000, wakes.Callback());
  EXPECT_TRUE(in_flight->has_room());
  std::vector<size_t> too_large;
  ASSERT_TRUE((*producer)->Send(Outgoing(100), *in_flight, &too_large).ok());
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->has_room(); }));
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
}

TEST(KafkaProducer, ARecordThatIsTooLargeIsNamed) {
  auto producer = KafkaProducer::Make(MockBrokers({{"message.max.bytes", "2000"}}), {{"t"}, {}});
  ASSERT_TRUE(producer.ok());
  KafkaWakes wakes;
  const auto in_flight = (*producer)->NewInFlight(1 << 20, wakes.Callback());
  const std::string large(5000, 'x');
  std::vector<KafkaOutgoing> records = Outgoing(3);
  records[1].value = large;
  std::vector<size_t> too_large;
  ASSERT_TRUE((*producer)->Send(records, *in_flight, &too_large).ok());
  EXPECT_EQ(too_large, std::vector<size_t>{1});
  records[0].timestamp_ms = 5;  // the other way, one at a time
  ASSERT_TRUE((*producer)->Send(records, *in_flight, &too_large).ok());
  EXPECT_EQ(too_large, std::vector<size_t>{1});
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
}

TEST(KafkaProducer, AFinalFailureIsNotedAndWakes) {
  KafkaConnection nobody;
  nobody.servers = "127.0.0.1:1";
  nobody.settings = {{"bootstrap.servers", nobody.servers}, {"message.timeout.ms", "300"}};
  auto producer = KafkaProducer::Make(nobody, {{"t"}, {}});
  ASSERT_TRUE(producer.ok());
  KafkaWakes wakes;
  const auto in_flight = (*producer)->NewInFlight(1 << 20, wakes.Callback());
  std::vector<size_t> too_large;
  ASSERT_TRUE((*producer)->Send(Outgoing(3), *in_flight, &too_large).ok());
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
  EXPECT_TRUE(in_flight->failed().Is(kDeliveryFailed)) << in_flight->failed().ToString();
}

TEST(KafkaClient, ABrokerThatIsNotThereIsAnErrorInTime) {
  KafkaConnection nobody;
  nobody.servers = "127.0.0.1:1";
  nobody.settings = {{"bootstrap.servers", nobody.servers}};
  nobody.timeout_ms = 300;
  auto client = MakeKafkaConsumer(nobody, 1, "error");
  ASSERT_TRUE(client.ok()) << client.status().ToString();
  const auto topics = (*client)->Topics();
  EXPECT_TRUE(topics.status().Is(kKafkaUnreachable)) << topics.status().ToString();
  EXPECT_NE(topics.status().message().find("127.0.0.1:1"), std::string::npos);
}

TEST(KafkaClient, AWrongCombinationIsAnErrorOfTheConfiguration) {
  KafkaConnection wrong;
  wrong.settings = {{"bootstrap.servers", "127.0.0.1:1"}, {"acks", "1"}, {"enable.idempotence", "true"}};
  const auto producer = KafkaProducer::Make(wrong, {{"t"}, {}});
  EXPECT_TRUE(producer.status().Is(kInvalidConfig)) << producer.status().ToString();
}

TEST(KafkaUpsertBuffer, OnlyTheLastChangeOfAKeyIsSent) {
  auto producer = KafkaProducer::Make(MockBrokers(), {{"t"}, {}});
  ASSERT_TRUE(producer.ok());
  KafkaWakes wakes;
  const auto in_flight = (*producer)->NewInFlight(1 << 20, wakes.Callback());
  KafkaUpsertBuffer buffer(5, 1'000'000, **producer, *in_flight);
  KafkaOutgoing record;
  record.has_key = true;
  for (const char* key : {"a", "b", "a", "a"}) {
    record.key = key;
    record.value = "v";
    buffer.Add(record, 100);
  }
  EXPECT_TRUE(in_flight->empty());
  buffer.FlushIfDue(100 + 999'999);
  EXPECT_TRUE(in_flight->empty());
  buffer.FlushIfDue(100 + 1'000'000);
  EXPECT_EQ(in_flight->records(), 2);
  std::vector<std::string> too_large;
  EXPECT_TRUE(buffer.TakeOutcome(&too_large).ok());
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
  for (int i = 0; i < 5; ++i) buffer.Add(record, 200);
  EXPECT_LE(in_flight->records(), 1);  // the fifth row sent them
  EXPECT_TRUE(wakes.WaitFor([&] { return in_flight->empty(); }));
}

TEST(KafkaLog, LinesOfAKindAreBounded) {
  KafkaLog log("b:1");
  for (int i = 0; i < 1000; ++i) log.Take(3, "FAIL", "Connect to 127.0.0.1:1 failed: Connection refused");
  EXPECT_EQ(log.last_failure(), "Connect to 127.0.0.1:1 failed: Connection refused");
}

}  // namespace
}  // namespace tidemill
