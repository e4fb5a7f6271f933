#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/simulated_file_system.h"
#include "connect/errors.h"
#include "connect/pubsub/pubsub_lease.h"
#include "connect/pubsub/pubsub_options.h"
#include "connect/pubsub/pubsub_publisher.h"
#include "connect/tests/table_of.h"

namespace tidemill {
namespace {

using PubsubOptionMap = std::map<std::string, std::string>;

std::shared_ptr<TableDefinition> PubsubTableOf(const PubsubOptionMap& more) {
  PubsubOptionMap options = {{"connector", "pubsub"}, {"project", "p"}, {"format", "json"}};
  for (const auto& [key, value] : more) options[key] = value;
  return TableOf("t", {{"id", DataType(TypeKind::kBigInt)}}, options);
}

std::string PubsubRefusal(const PubsubOptionMap& more, bool as_source = true) {
  const auto parsed = ParsePubsubTableOptions(*PubsubTableOf(more), as_source, !as_source);
  return parsed.ok() ? std::string() : parsed.status().message();
}

TEST(PubsubOptions, NamesAndNumbers) {
  const auto parsed =
      ParsePubsubTableOptions(*PubsubTableOf({{"subscription", "s"}, {"scan.ack-deadline", "10 s"}}), true, false);
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  EXPECT_EQ(parsed->subscription, "projects/p/subscriptions/s");
  EXPECT_EQ(parsed->ack_deadline_s, 10);
  EXPECT_EQ(PubsubRefusal({{"subscription", "projects/q/subscriptions/s"}, {"project", ""}}), "");
  EXPECT_EQ(PubsubRefusal({}), "connector 'pubsub' needs option 'subscription' here");
  EXPECT_EQ(PubsubRefusal({}, false), "connector 'pubsub' needs option 'topic' here");
  EXPECT_NE(PubsubRefusal({{"subscription", "s"}, {"project", ""}}).find("needs option 'project'"), std::string::npos);
  EXPECT_NE(
      PubsubRefusal({{"subscription", "projects/q/topics/s"}}).find("expected 'projects/PROJECT/subscriptions/NAME'"),
      std::string::npos);
  EXPECT_NE(PubsubRefusal({{"subscription", "a/b"}}).find("'a/b' is no name of Pub/Sub"), std::string::npos);
  EXPECT_NE(PubsubRefusal({{"subscription", "s"}, {"scan.ack-deadline", "5 s"}}).find("10 s to 10 min"),
            std::string::npos);
  EXPECT_NE(PubsubRefusal({{"subscription", "s"}, {"format", "nope"}}).find("not a format of messages"),
            std::string::npos);
  EXPECT_NE(PubsubRefusal({{"subscription", "s"}, {"format", "debezium-json"}}).find("changes of tables"),
            std::string::npos);
  EXPECT_NE(PubsubRefusal({{"subscription", "s"}, {"endpoint", "e:1"}, {"emulator-host", "e:2"}}).find("is given too"),
            std::string::npos);
}

TEST(PubsubOptions, WhereTheServerIs) {
  SimulatedFileSystem files;
  auto emulator = ResolvePubsubConnection(*PubsubTableOf({{"emulator-host", "localhost:8085"}}), files);
  ASSERT_TRUE(emulator.ok());
  EXPECT_TRUE(emulator->plaintext);
  EXPECT_EQ(emulator->endpoint, "localhost:8085");
  const auto google = ResolvePubsubConnection(*PubsubTableOf({{"endpoint", "e:443"}}), files);
  ASSERT_TRUE(google.ok());
  EXPECT_FALSE(google->plaintext);
  EXPECT_FALSE(
      ResolvePubsubConnection(*PubsubTableOf({{"endpoint", "e:443"}, {"credentials-file", "/none"}}), files).ok());
  PubsubConnection bad = *google;
  bad.key_json = "{}";
  EXPECT_TRUE(PubsubClient::Connect(bad).status().Is(kPubsubNotAllowed));
}

// Gives what a test says, remembers what it is told.
class ScriptedPubsub final : public PubsubClient {
 public:
  class Stream final : public PubsubStream {
   public:
    explicit Stream(ScriptedPubsub& owner) : owner_(owner) {}
    bool Read(std::vector<PubsubMessage>* messages) override {
      std::unique_lock<std::mutex> lock(owner_.mutex);
      owner_.changed.wait(lock, [&] { return canceled_ || !owner_.coming.empty(); });
      if (canceled_) return false;
      *messages = std::exchange(owner_.coming, {});
      owner_.changed.notify_all();
      return true;
    }
    Status Finish() override { return Status::OK(); }
    void Cancel() override {
      std::lock_guard<std::mutex> lock(owner_.mutex);
      canceled_ = true;
      owner_.changed.notify_all();
    }

   private:
    ScriptedPubsub& owner_;
    bool canceled_ = false;
  };

  std::unique_ptr<PubsubStream> OpenStream(const std::string&, int, int64_t, int64_t) override {
    return std::make_unique<Stream>(*this);
  }
  Status Acknowledge(const std::string&, std::span<const std::string> ack_ids) override {
    std::lock_guard<std::mutex> lock(mutex);
    acknowledged.insert(acknowledged.end(), ack_ids.begin(), ack_ids.end());
    changed.notify_all();
    return Status::OK();
  }
  Status ModifyDeadline(const std::string&, std::span<const std::string> ack_ids, int seconds) override {
    std::lock_guard<std::mutex> lock(mutex);
    if (seconds == 0) given_back.insert(given_back.end(), ack_ids.begin(), ack_ids.end());
    return Status::OK();
  }
  Status Publish(const std::string&, std::span<const PubsubMessage> messages) override {
    std::lock_guard<std::mutex> lock(mutex);
    ++publishes;
    if (failures > 0 && failures-- > 0) return failure;
    for (const PubsubMessage& message : messages) published.push_back(message.data);
    return Status::OK();
  }

  void Come(const std::vector<std::pair<std::string, std::string>>& ids) {
    std::lock_guard<std::mutex> lock(mutex);
    for (const auto& [id, ack_id] : ids) {
      coming.emplace_back();
      coming.back().id = id;
      coming.back().ack_id = ack_id;
    }
    changed.notify_all();
  }
  bool WaitFor(const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), condition);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<PubsubMessage> coming;
  std::vector<std::string> acknowledged, given_back, published;
  int failures = 0;
  int publishes = 0;
  Status failure;
};

std::vector<std::string> TakenIds(PubsubLease& lease, size_t count) {
  std::vector<std::string> ids;
  std::vector<PubsubMessage> messages;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (ids.size() < count && std::chrono::steady_clock::now() < end) {
    if (!lease.Take(100, &messages).ok()) break;
    for (const PubsubMessage& message : messages) ids.push_back(message.id);
    if (messages.empty()) std::this_thread::yield();
  }
  return ids;
}

TEST(PubsubLease, AcknowledgesWhatIsSettledAndGivesBackTheRest) {
  SystemClock clock;
  auto client = std::make_shared<ScriptedPubsub>();
  PubsubTableOptions options;
  options.outstanding_bytes_max = 64 << 20;
  std::atomic<int> wakes{0};
  {
    PubsubLease lease(client, options, clock, [&] { ++wakes; });
    client->Come({{"1", "a1"}, {"2", "a2"}, {"3", "a3"}});
    EXPECT_EQ(TakenIds(lease, 3), (std::vector<std::string>{"1", "2", "3"}));
    // Sent again before it was settled: one row, but both ids are acknowledged.
    client->Come({{"2", "b2"}, {"4", "a4"}});
    EXPECT_EQ(TakenIds(lease, 1), (std::vector<std::string>{"4"}));
    EXPECT_TRUE(client->acknowledged.empty());
    lease.Settle(2);
    EXPECT_TRUE(client->WaitFor([&] { return client->acknowledged.size() >= 3; }));
    lease.Settle(2);
    // Settled: when it comes now it is another delivery, at-least-once.
    client->Come({{"1", "c1"}});
    EXPECT_EQ(TakenIds(lease, 1), (std::vector<std::string>{"1"}));
    client->Come({{"5", "a5"}});
    ASSERT_TRUE(client->WaitFor([&] { return client->coming.empty(); }));
  }
  EXPECT_GE(wakes.load(), 1);
  EXPECT_EQ(client->acknowledged, (std::vector<std::string>{"a1", "b2", "a2"}));
  std::sort(client->given_back.begin(), client->given_back.end());
  const std::vector<std::string> with_queued = {"a3", "a4", "a5", "c1"};
  EXPECT_EQ(client->given_back, with_queued);
}

TEST(PubsubPublisher, TriesAgainWhatMayPassAndKeepsTheOrder) {
  SystemClock clock;
  auto client = std::make_shared<ScriptedPubsub>();
  client->failures = 2;
  client->failure = Status(kPubsubUnreachable, "away");
  PubsubPublisher publisher(client, "t", 60'000, 1 << 20, clock, [&] { client->changed.notify_all(); });
  std::vector<PubsubMessage> messages(2500);
  std::vector<std::string> expected;
  for (size_t i = 0; i < messages.size(); ++i) expected.push_back(messages[i].data = std::to_string(i));
  publisher.Send(std::move(messages));
  EXPECT_TRUE(client->WaitFor([&] { return client->published.size() == expected.size(); }));
  EXPECT_EQ(client->published, expected);
  EXPECT_EQ(client->publishes, 5);
}

TEST(PubsubPublisher, GivesUpOnWhatStays) {
  SystemClock clock;
  auto client = std::make_shared<ScriptedPubsub>();
  client->failures = 1;
  client->failure = Status(kPubsubNotFound, "no topic");
  std::atomic<bool> woken{false};
  PubsubPublisher publisher(client, "t", 60'000, 1 << 20, clock, [&] { woken = true; });
  publisher.Send(std::vector<PubsubMessage>(1));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!woken && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(publisher.failed().Is(kPubsubNotFound));
}

}  // namespace
}  // namespace tidemill
