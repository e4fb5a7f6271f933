// Real threads against one coordinator and one log: for the thread sanitizer, and for answers that come from elsewhere.

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "log/groups/kafka_transactions.h"
#include "log/groups/tests/group_test_fixture.h"

namespace tidemill {
namespace {

// What one thread waits for.
template <typename T>
class Awaited {
 public:
  void Set(T value) {
    std::lock_guard lock(mutex_);
    value_ = std::move(value);
    set_.notify_all();
  }
  std::optional<T> Wait() {
    std::unique_lock lock(mutex_);
    set_.wait_for(lock, std::chrono::seconds(60), [this] { return value_.has_value(); });
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable set_;
  std::optional<T> value_;
};

class GroupThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Log::Open(files_, clock_, "data/log");
    TM_ASSERT_OK(opened);
    log_ = *std::move(opened);
    TM_ASSERT_OK(log_->CreateTopic("t", {}));
  }

  SystemClock clock_;
  SimulatedFileSystem files_;
  std::unique_ptr<Log> log_;
};

TEST_F(GroupThreadsTest, MembersOnManyThreadsReachOneGenerationAndCommit) {
  constexpr int kThreads = 6;
  GroupCoordinator coordinator(clock_, 1, log_->positions(), {});
  std::atomic<bool> stop{false};
  std::thread ticker([&] {
    while (!stop) {
      coordinator.Tick(coordinator.NowMs());
      std::this_thread::yield();
    }
  });
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      JoinRequest join;
      join.group = "g";
      join.protocol_type = "consumer";
      join.protocols = {{"range", ""}};
      join.session_timeout_ms = 30'000;
      join.rebalance_timeout_ms = 30'000;
      while (true) {
        Awaited<JoinResult> joined;
        coordinator.Join(join, [&](JoinResult result) { joined.Set(std::move(result)); });
        const auto member = joined.Wait();
        ASSERT_TRUE(member) << "waits for ever";
        if (member->error != KafkaError::kNone) continue;
        join.member_id = member->member_id;
        SyncRequest sync;
        sync.group = "g";
        sync.member_id = member->member_id;
        sync.generation = member->generation;
        for (const JoinedMember& other : member->members) sync.assignments.push_back({other.member_id, "part"});
        Awaited<SyncResult> synced;
        coordinator.Sync(std::move(sync), [&](SyncResult result) { synced.Set(std::move(result)); });
        const auto part = synced.Wait();
        ASSERT_TRUE(part) << "waits for ever";
        if (part->error != KafkaError::kNone) continue;
        EXPECT_EQ(part->assignment, "part");
        Awaited<CommitOffsetsResult> committed;
        coordinator.CommitOffsets({"g", member->member_id, {}, member->generation, {{"t", i, i, "", 0}}},
                                  [&](CommitOffsetsResult result) { committed.Set(std::move(result)); });
        const auto answer = committed.Wait();
        ASSERT_TRUE(answer) << "waits for ever";
        if (answer->errors.at(0) == KafkaError::kNone) break;
      }
      // Stays, and follows the others' rounds, until everybody has committed.
      ++done;
      while (done < kThreads) {
        coordinator.Heartbeat({"g", join.member_id, {}, 0});
        std::this_thread::yield();
        if (coordinator.Describe("g").state != "PreparingRebalance") continue;
        Awaited<JoinResult> joined;
        coordinator.Join(join, [&](JoinResult result) { joined.Set(std::move(result)); });
        const auto member = joined.Wait();
        ASSERT_TRUE(member);
        if (member->error != KafkaError::kNone) break;
        SyncRequest sync;
        sync.group = "g";
        sync.member_id = join.member_id;
        sync.generation = member->generation;
        for (const JoinedMember& other : member->members) sync.assignments.push_back({other.member_id, "part"});
        Awaited<SyncResult> synced;
        coordinator.Sync(std::move(sync), [&](SyncResult result) { synced.Set(std::move(result)); });
        ASSERT_TRUE(synced.Wait());
      }
      coordinator.Leave("g", {{join.member_id, {}}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log_->positions().List("g").size(), static_cast<size_t>(kThreads));
  EXPECT_EQ(coordinator.Describe("g").members.size(), 0u);
  stop = true;
  ticker.join();
}

TEST_F(GroupThreadsTest, TransactionsOnManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 30;
  KafkaTransactionOptions options;
  options.allocate_producer_id = [this] { return log_->AllocateProducerId(); };
  options.write_marker = MarkerWriter(*log_);
  auto opened = KafkaTransactionCoordinator::Open(files_, clock_, "data/log", log_->positions(), std::move(options));
  TM_ASSERT_OK(opened);
  const auto transactions = *std::move(opened);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      TransactionalProducer producer{"tx" + std::to_string(i), -1, -1};
      Awaited<ProducerIdResult> first;
      transactions->InitProducerId({producer.transactional_id, 60'000, -1, -1},
                                   [&](ProducerIdResult result) { first.Set(result); });
      ProducerIdResult now = first.Wait().value_or(ProducerIdResult{KafkaError::kRequestTimedOut});
      ASSERT_EQ(now.error, KafkaError::kNone);
      for (int round = 0; round < kRounds; ++round) {
        producer.producer_id = now.producer_id;
        producer.producer_epoch = now.producer_epoch;
        Awaited<KafkaError> added, committed;
        transactions->AddPartitions(producer, {{"t", 0}}, [&](KafkaError error) { added.Set(error); });
        EXPECT_EQ(added.Wait(), KafkaError::kNone);
        transactions->CommitOffsets(producer, "g" + std::to_string(i), {{"in", 0, round, "", 0}}, true,
                                    [&](KafkaError error) { committed.Set(error); });
        EXPECT_EQ(committed.Wait(), KafkaError::kNone);
        Awaited<ProducerIdResult> ended;
        transactions->EndTransaction(producer, true, true, [&](ProducerIdResult result) { ended.Set(result); });
        now = ended.Wait().value_or(ProducerIdResult{KafkaError::kRequestTimedOut});
        ASSERT_EQ(now.error, KafkaError::kNone);
        EXPECT_EQ(now.producer_epoch, producer.producer_epoch + 1);
        EXPECT_EQ(log_->positions().Get("g" + std::to_string(i), "in", 0)->offset, round);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  TM_EXPECT_OK(transactions->Close());
}

}  // namespace
}  // namespace tidemill
