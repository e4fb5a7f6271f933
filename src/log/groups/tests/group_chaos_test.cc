// Members that come, go, crash, stall and lose answers, under a printed seed.

#include <cstdio>
#include <deque>
#include <set>

#include "base/random.h"
#include "log/groups/tests/group_test_fixture.h"

namespace tidemill {
namespace {

constexpr int kChaosPartitions = 7;
constexpr int64_t kChaosStepMs = 20;

class GroupChaosTest : public GroupTest {
 protected:
  // A consumer as client libraries write them: joins, assigns when it leads, heartbeats, commits what it owns.
  struct Consumer {
    Client client;
    enum { kIdle, kJoining, kSyncing, kOwning, kDead } phase = kIdle;
    int64_t since_ms = 0;      // of the phase
    int64_t heartbeat_ms = 0;  // of the last one
    bool settled = false;      // what it waited for was looked at
    std::string owns;
  };

  void Start(Consumer* consumer, const std::string& instance_id) {
    consumer->client = MakeClient();
    consumer->client.join.require_known_member_id = instance_id.empty() && random_.Uniform(2) == 0;
    consumer->client.join.support_skip_assignment = true;
    consumer->client.join.session_timeout_ms = 6'000 + static_cast<int32_t>(random_.Uniform(6'000));
    consumer->client.join.rebalance_timeout_ms = 2'000 + static_cast<int32_t>(random_.Uniform(10'000));
    if (!instance_id.empty()) consumer->client.join.group_instance_id = instance_id;
    Rejoin(consumer);
  }
  void Rejoin(Consumer* consumer) {
    consumer->phase = Consumer::kJoining;
    consumer->since_ms = coordinator_->NowMs();
    consumer->owns.clear();
    consumer->client.Join();
  }
  void OnJoined(Consumer* consumer) {
    const JoinResult& joined = *consumer->client.joined;
    if (joined.error == KafkaError::kUnknownMemberId) consumer->client.join.member_id.clear();
    if (joined.error != KafkaError::kNone) return Rejoin(consumer);
    latest_generation_ = std::max(latest_generation_, joined.generation);
    std::vector<SyncRequest::Assignment> assignments;
    if (consumer->client.is_leader() && !joined.skip_assignment) {
      EXPECT_FALSE(joined.members.empty());
      for (const JoinedMember& member : joined.members) assignments.push_back({member.member_id, ""});
      for (int p = 0; p < kChaosPartitions; ++p) {
        assignments[static_cast<size_t>(p) % assignments.size()].assignment += static_cast<char>('0' + p);
      }
    }
    consumer->phase = Consumer::kSyncing;
    consumer->since_ms = coordinator_->NowMs();
    consumer->client.Sync(std::move(assignments));
  }
  void OnSynced(Consumer* consumer) {
    const SyncResult& synced = *consumer->client.synced;
    if (synced.error == KafkaError::kUnknownMemberId) consumer->client.join.member_id.clear();
    if (synced.error != KafkaError::kNone) return Rejoin(consumer);
    consumer->phase = Consumer::kOwning;
    consumer->owns = synced.assignment;
    consumer->heartbeat_ms = coordinator_->NowMs();
    // The same instance may ask again for what it had; nobody else may have it in this generation.
    const std::string who = consumer->client.join.group_instance_id.value_or(consumer->client.join.member_id);
    for (const char partition : synced.assignment) {
      const auto [it, fresh] = owners_.try_emplace({consumer->client.generation, partition}, who);
      EXPECT_TRUE(fresh || it->second == who)
          << "partition " << partition << " of generation " << consumer->client.generation;
    }
  }
  void Beat(Consumer* consumer) {
    if (coordinator_->NowMs() - consumer->heartbeat_ms < 1'500) return;
    consumer->heartbeat_ms = coordinator_->NowMs();
    const KafkaError error = consumer->client.Heartbeat();
    if (error == KafkaError::kNone) return;
    if (error == KafkaError::kFencedInstanceId) {
      consumer->phase = Consumer::kDead;
      return;
    }
    if (error != KafkaError::kRebalanceInProgress) consumer->client.join.member_id.clear();
    Rejoin(consumer);
  }
  // Does what is next for a consumer, unless it stalls.
  void Step(Consumer* consumer) {
    const int64_t waited_ms = coordinator_->NowMs() - consumer->since_ms;
    switch (consumer->phase) {
      case Consumer::kJoining:
        if (consumer->client.joined) return OnJoined(consumer);
        EXPECT_LE(waited_ms, kLongestWaitMs) << "waits for its generation";
        break;
      case Consumer::kSyncing:
        if (consumer->client.synced) return OnSynced(consumer);
        EXPECT_LE(waited_ms, kLongestWaitMs) << "waits for its part";
        break;
      case Consumer::kOwning:
        if (random_.Uniform(20) == 0) Commits(consumer);
        Beat(consumer);
        break;
      default:
        break;
    }
  }
  void Commits(Consumer* consumer) {
    if (CommitOne(consumer->client, 1) != KafkaError::kNone) return;
    EXPECT_EQ(consumer->client.generation, latest_generation_) << "a commit of an older generation was taken";
  }
  void CheckGroup() {
    const GroupDescription group = coordinator_->Describe("g");
    EXPECT_LE(group.members.size(), 12u);
    if (group.state != "Stable") return;
    std::string handed_out;
    for (const GroupMemberDescription& member : group.members) handed_out += member.assignment;
    std::sort(handed_out.begin(), handed_out.end());
    // A member that stayed away from the round has nothing; what it would have had was handed to nobody else twice.
    EXPECT_EQ(std::adjacent_find(handed_out.begin(), handed_out.end()), handed_out.end()) << handed_out;
  }

  // A round, the wait for its leader, and a session.
  static constexpr int64_t kLongestWaitMs = 12'000 + 12'000 + 12'000 + 5'000;
  Random random_{0};
  int32_t latest_generation_ = 0;
  std::map<std::pair<int32_t, char>, std::string> owners_;
};

TEST_F(GroupChaosTest, EachPartitionHasOneOwnerAndNobodyWaitsForEver) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    random_ = Random(seed);
    latest_generation_ = 0;
    owners_.clear();
    StartCoordinator({.initial_rebalance_delay_ms = static_cast<int32_t>(random_.Uniform(3) * 100),
                      .new_member_join_timeout_ms = 20'000,
                      .group_size_max = 12});
    // A consumer's answers point into it, so those that died stay until the end.
    std::deque<Consumer> graveyard;
    std::vector<Consumer*> consumers(6, nullptr);
    const auto instance_of = [](size_t i) { return i < 2 ? "instance-" + std::to_string(i) : std::string(); };
    for (int step = 0; step < 4'000; ++step) {
      for (size_t i = 0; i < consumers.size(); ++i) {
        Consumer*& consumer = consumers[i];
        const uint64_t dice = random_.Uniform(1'000);
        if (consumer == nullptr || consumer->phase == Consumer::kDead) {
          if (dice < 20) Start(consumer = &graveyard.emplace_back(), instance_of(i));
        } else if (dice < 1) {
          consumer = nullptr;  // crashes; the coordinator learns it by its silence
        } else if (dice < 2) {
          consumer->client.Leave();
          consumer = nullptr;
        } else if (dice < 4 && consumer->phase == Consumer::kOwning) {
          Rejoin(consumer);
        } else if (dice < 500) {
          Step(consumer);
        }
      }
      Advance(kChaosStepMs);
      CheckGroup();
      if (HasFailure()) return;
    }
    // In peace: everybody who lives ends up in one generation, and together they own everything.
    for (size_t i = 0; i < consumers.size(); ++i) {
      if (consumers[i] == nullptr) Start(consumers[i] = &graveyard.emplace_back(), instance_of(i));
    }
    for (int step = 0; step < 5'000; ++step) {
      for (Consumer* consumer : consumers) Step(consumer);
      Advance(kChaosStepMs);
    }
    EXPECT_EQ(StateOf(), "Stable");
    std::string owned;
    for (const Consumer* consumer : consumers) {
      EXPECT_EQ(consumer->phase, Consumer::kOwning);
      EXPECT_EQ(consumer->client.generation, consumers[0]->client.generation);
      owned += consumer->owns;
    }
    std::sort(owned.begin(), owned.end());
    EXPECT_EQ(owned, "0123456");
    for (Consumer* consumer : consumers) EXPECT_EQ(consumer->client.Leave(), KafkaError::kNone);
    EXPECT_EQ(StateOf(), "Empty");
    EXPECT_EQ(coordinator_->metadata_bytes(), 0);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace tidemill
