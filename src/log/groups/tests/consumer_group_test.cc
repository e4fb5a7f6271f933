#include <cstdio>

#include "base/random.h"
#include "log/groups/assignors.h"
#include "log/groups/tests/group_test_fixture.h"

namespace tidemill {
namespace {

TopicId IdOf(uint8_t n) {
  TopicId id{};
  id[15] = n;
  return id;
}

int64_t Count(const PartitionsByTopic& partitions) {
  int64_t count = 0;
  for (const auto& [topic, numbers] : partitions) count += static_cast<int64_t>(numbers.size());
  return count;
}

class ConsumerGroupTest : public GroupTest {
 protected:
  // A consumer of the new protocol, which gives up what it must with its next heartbeat.
  struct Consumer {
    ConsumerHeartbeatRequest join;
    std::string id;
    int32_t epoch = 0;
    PartitionsByTopic owns;
    std::optional<ConsumerHeartbeatResult> last;
  };

  void SetUp() override {
    GroupTest::SetUp();
    topics_ = {{"t", IdOf(1), 4}, {"u", IdOf(2), 2}, {"other", IdOf(3), 3}};
    StartWithTopics();
  }
  void StartWithTopics() {
    GroupOptions options;
    options.topics = [this] { return topics_; };
    StartCoordinator(std::move(options));
  }
  Consumer MakeConsumer(const std::string& id, std::vector<std::string> topics = {"t"}) {
    Consumer consumer;
    consumer.id = id;
    consumer.join.group = "g";
    consumer.join.member_id = id;
    consumer.join.rebalance_timeout_ms = 30'000;
    consumer.join.subscribed_topics = std::move(topics);
    consumer.join.owned.emplace();
    return consumer;
  }
  KafkaError Take(Consumer* consumer, ConsumerHeartbeatRequest request) {
    ConsumerHeartbeatResult result = coordinator_->ConsumerHeartbeat(std::move(request));
    if (result.error == KafkaError::kNone) {
      consumer->id = result.member_id;
      consumer->epoch = result.member_epoch;
      if (result.assignment) consumer->owns = *result.assignment;
    }
    consumer->last = std::move(result);
    return consumer->last->error;
  }
  KafkaError Join(Consumer* consumer) {
    consumer->epoch = 0;
    consumer->owns.clear();
    return Take(consumer, consumer->join);
  }
  ConsumerHeartbeatRequest Short(const Consumer& consumer) {
    ConsumerHeartbeatRequest request;
    request.group = "g";
    request.member_id = consumer.id;
    request.member_epoch = consumer.epoch;
    request.instance_id = consumer.join.instance_id;
    return request;
  }
  KafkaError Beat(Consumer* consumer, bool tells_owned = true) {
    ConsumerHeartbeatRequest request = Short(*consumer);
    if (tells_owned) request.owned = consumer->owns;
    return Take(consumer, std::move(request));
  }
  KafkaError LeaveWith(Consumer* consumer, int32_t epoch) {
    ConsumerHeartbeatRequest request = Short(*consumer);
    request.member_epoch = epoch;
    return coordinator_->ConsumerHeartbeat(std::move(request)).error;
  }
  KafkaError CommitOffsetsWith(int32_t epoch) {
    return Commit({"g", "a", {}, epoch, {{"t", 0, 1, "", 0}}})->errors.at(0);
  }
  std::string GroupState() { return coordinator_->DescribeConsumerGroup("g").state; }

  std::vector<GroupTopic> topics_;
};

TEST_F(ConsumerGroupTest, FirstMemberGetsEverything) {
  Consumer a = MakeConsumer("a", {"t", "u"});
  ASSERT_EQ(Join(&a), KafkaError::kNone);
  EXPECT_EQ(a.owns, (PartitionsByTopic{{IdOf(1), {0, 1, 2, 3}}, {IdOf(2), {0, 1}}}));
  EXPECT_GT(a.epoch, 0);
  EXPECT_EQ(a.last->heartbeat_interval_ms, 5'000);
  EXPECT_EQ(GroupState(), "Stable");
  ASSERT_EQ(Beat(&a), KafkaError::kNone);
  EXPECT_FALSE(a.last->assignment);
  EXPECT_EQ(coordinator_->List({}, {"consumer"}).at(0).state, "Stable");
}

TEST_F(ConsumerGroupTest, PartitionsAreGivenUpBeforeTheyAreTaken) {
  Consumer a = MakeConsumer("a"), b = MakeConsumer("b");
  Join(&a);
  Join(&b);
  EXPECT_TRUE(b.owns.empty());
  EXPECT_EQ(GroupState(), "Reconciling");
  const int32_t epoch = a.epoch;
  Beat(&a);
  EXPECT_EQ(Count(a.owns), 2);
  EXPECT_EQ(a.epoch, epoch);  // until it has given up the others
  Beat(&b);
  EXPECT_TRUE(b.owns.empty());
  Beat(&a, false);  // no word of what it owns
  EXPECT_EQ(a.epoch, epoch);
  Beat(&b);
  EXPECT_TRUE(b.owns.empty());
  Beat(&a);
  EXPECT_GT(a.epoch, epoch);
  Beat(&b);
  EXPECT_EQ(Count(b.owns), 2);
  EXPECT_EQ(GroupState(), "Stable");
  EXPECT_EQ(LeaveWith(&b, -1), KafkaError::kNone);
  Beat(&a);
  EXPECT_EQ(Count(a.owns), 4);
  EXPECT_EQ(Beat(&b), KafkaError::kUnknownMemberId);
}

TEST_F(ConsumerGroupTest, WhoDoesNotGiveUpIsOut) {
  Consumer a = MakeConsumer("a"), b = MakeConsumer("b");
  Join(&a);
  Join(&b);
  Beat(&a);
  for (int i = 0; i < 6; ++i) {
    Advance(5'000);
    Beat(&a, false);
    EXPECT_EQ(Beat(&b), KafkaError::kNone);
  }
  EXPECT_EQ(Beat(&a), KafkaError::kUnknownMemberId);
  Beat(&b);
  EXPECT_EQ(Count(b.owns), 4);
}

TEST_F(ConsumerGroupTest, SilentMemberIsOutAfterItsSession) {
  Consumer a = MakeConsumer("a"), b = MakeConsumer("b");
  Join(&a);
  Join(&b);
  for (int i = 0; i < 9; ++i) {
    Advance(5'000);
    ASSERT_EQ(Beat(&b), KafkaError::kNone);
  }
  EXPECT_EQ(Count(b.owns), 4);
  EXPECT_EQ(Beat(&a), KafkaError::kUnknownMemberId);
  EXPECT_EQ(Join(&a), KafkaError::kNone);
  Advance(200'000);
  EXPECT_EQ(coordinator_->group_count(), 0);
  EXPECT_EQ(coordinator_->metadata_bytes(), 0);
}

TEST_F(ConsumerGroupTest, EpochsFence) {
  Consumer a = MakeConsumer("a"), b = MakeConsumer("b");
  Join(&a);
  Consumer ahead = a;
  ++ahead.epoch;
  EXPECT_EQ(Beat(&ahead), KafkaError::kFencedMemberEpoch);
  Consumer behind = a;
  behind.epoch -= 2;
  EXPECT_EQ(Beat(&behind), KafkaError::kFencedMemberEpoch);
  EXPECT_EQ(CommitOffsetsWith(a.epoch - 1), KafkaError::kStaleMemberEpoch);
  EXPECT_EQ(CommitOffsetsWith(a.epoch), KafkaError::kNone);
  EXPECT_EQ(CommitOffsetsWith(-1), KafkaError::kStaleMemberEpoch);
  FetchOffsetsRequest fetch{.group = "g", .member_id = "a", .member_epoch = a.epoch - 1};
  EXPECT_EQ(coordinator_->FetchOffsets(fetch).error, KafkaError::kStaleMemberEpoch);
  fetch.member_epoch = a.epoch;
  EXPECT_EQ(coordinator_->FetchOffsets(fetch).error, KafkaError::kNone);

  // The answer that raised the epoch is lost: the member says again what it knew, and learns what it has.
  Join(&b);
  Beat(&a);
  const Consumer before = a;
  Beat(&a);
  ASSERT_GT(a.epoch, before.epoch);
  a = before;
  EXPECT_EQ(Beat(&a), KafkaError::kNone);
  EXPECT_GT(a.epoch, before.epoch);
  EXPECT_TRUE(a.last->assignment);
}

TEST_F(ConsumerGroupTest, StaticMemberComesBackToItsPartitions) {
  Consumer a = MakeConsumer("a"), b = MakeConsumer("b");
  a.join.instance_id = "one";
  b.join.instance_id = "two";
  Join(&a);
  Join(&b);
  for (int i = 0; i < 3; ++i) {
    Beat(&a);
    Beat(&b);
  }
  const PartitionsByTopic had = a.owns;
  ASSERT_EQ(Count(had), 2);
  Consumer a2 = MakeConsumer("a2");
  a2.join.instance_id = "one";
  EXPECT_EQ(Join(&a2), KafkaError::kUnreleasedInstanceId);
  EXPECT_EQ(LeaveWith(&a, -2), KafkaError::kNone);
  Beat(&b);
  EXPECT_EQ(Count(b.owns), 2);
  const int32_t epoch = b.epoch;
  EXPECT_EQ(Join(&a2), KafkaError::kNone);
  EXPECT_EQ(a2.owns, had);
  EXPECT_EQ(a2.epoch, epoch);
  EXPECT_EQ(Beat(&a), KafkaError::kFencedInstanceId);
  EXPECT_EQ(Beat(&a2), KafkaError::kNone);
  // Away for longer than its session.
  EXPECT_EQ(LeaveWith(&a2, -2), KafkaError::kNone);
  for (int i = 0; i < 10; ++i) {
    Advance(5'000);
    Beat(&b);
  }
  EXPECT_EQ(Count(b.owns), 4);
}

TEST_F(ConsumerGroupTest, TopicsThatComeAndGrowAreAssigned) {
  Consumer a = MakeConsumer("a", {});
  a.join.subscribed_regex = "(";
  EXPECT_EQ(Join(&a), KafkaError::kInvalidRegularExpression);
  EXPECT_EQ(GroupState(), "Empty");
  a.join.subscribed_regex = "t.*";
  ASSERT_EQ(Join(&a), KafkaError::kNone);
  EXPECT_EQ(Count(a.owns), 4);  // "other" only has a t inside
  topics_[0].partitions = 6;
  topics_.push_back({"tt", IdOf(9), 1});
  Beat(&a);
  EXPECT_EQ(Count(a.owns), 4);
  coordinator_->TopicsChanged();
  Beat(&a);
  EXPECT_EQ(Count(a.owns), 7);
  topics_.pop_back();
  coordinator_->TopicsChanged();
  Beat(&a);
  EXPECT_EQ(Count(a.owns), 6);
  EXPECT_EQ(coordinator_->DeleteOffsets("g", {{"t", 0}, {"u", 0}}).partitions,
            (std::vector{KafkaError::kGroupSubscribedToTopic, KafkaError::kNone}));
}

TEST_F(ConsumerGroupTest, RefusesWhatIsNotWellFormed) {
  Consumer a = MakeConsumer("a");
  a.join.owned.reset();
  EXPECT_EQ(Join(&a), KafkaError::kInvalidRequest);
  a = MakeConsumer("a", {});
  EXPECT_EQ(Join(&a), KafkaError::kInvalidRequest);
  a = MakeConsumer("a");
  a.join.rebalance_timeout_ms = -1;
  EXPECT_EQ(Join(&a), KafkaError::kInvalidRequest);
  a = MakeConsumer("a");
  a.join.server_assignor = "mine";
  EXPECT_EQ(Join(&a), KafkaError::kUnsupportedAssignor);
  a.join.server_assignor = "range";
  EXPECT_EQ(LeaveWith(&a, -2), KafkaError::kInvalidRequest);
  EXPECT_EQ(LeaveWith(&a, -3), KafkaError::kInvalidRequest);
  a.epoch = 7;
  EXPECT_EQ(Beat(&a), KafkaError::kUnknownMemberId);
  EXPECT_EQ(Join(&a), KafkaError::kNone);
  EXPECT_EQ(coordinator_->DescribeConsumerGroup("g").assignor, "range");
  Consumer unnamed = MakeConsumer("");
  EXPECT_EQ(Join(&unnamed), KafkaError::kNone);
  EXPECT_EQ(unnamed.id.size(), 37u);
}

TEST_F(ConsumerGroupTest, ProtocolsDoNotMixInOneGroup) {
  Consumer a = MakeConsumer("a");
  Join(&a);
  Client classic = MakeClient();
  classic.Join();
  EXPECT_EQ(classic.joined->error, KafkaError::kInconsistentGroupProtocol);
  EXPECT_EQ(coordinator_->Describe("g").error, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(coordinator_->Delete("g"), KafkaError::kNonEmptyGroup);
  EXPECT_EQ(LeaveWith(&a, -1), KafkaError::kNone);
  MakeStable({&classic});
  EXPECT_EQ(Join(&a), KafkaError::kGroupIdNotFound);
  EXPECT_EQ(coordinator_->DescribeConsumerGroup("g").error, KafkaError::kGroupIdNotFound);
  EXPECT_EQ(classic.Leave(), KafkaError::kNone);
  EXPECT_EQ(Join(&a), KafkaError::kNone);
  EXPECT_EQ(LeaveWith(&a, -1), KafkaError::kNone);
  EXPECT_EQ(coordinator_->Delete("g"), KafkaError::kNone);
}

TEST_F(ConsumerGroupTest, EpochsGrowOverARestart) {
  Consumer a = MakeConsumer("a");
  Join(&a);
  const int32_t epoch = a.epoch;
  Advance(1'000);
  StartWithTopics();
  EXPECT_EQ(Beat(&a), KafkaError::kGroupIdNotFound);
  Join(&a);
  EXPECT_GT(a.epoch, epoch);
}

TEST_F(ConsumerGroupTest, NoPartitionHasTwoOwnersWhateverMembersDo) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    StartWithTopics();
    std::vector<Consumer> consumers;
    for (int i = 0; i < 6; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      const std::vector<std::vector<std::string>> wishes = {{"t"}, {"t", "u"}, {"u", "other"}, {"t", "u", "other"}};
      consumers.push_back(MakeConsumer(name, wishes[random.Uniform(wishes.size())]));
      if (i < 2) consumers.back().join.instance_id = "instance-" + name;
      if (random.Uniform(3) == 0) consumers.back().join.server_assignor = "range";
      consumers.back().epoch = -9;  // is not there
    }
    const auto check = [&] {
      std::set<std::pair<TopicId, int32_t>> owned;
      for (const Consumer& consumer : consumers) {
        if (consumer.epoch < 0) continue;
        for (const auto& [topic, partitions] : consumer.owns) {
          for (const int32_t p : partitions) EXPECT_TRUE(owned.emplace(topic, p).second) << "two owners of " << p;
        }
      }
      return owned.size();
    };
    const auto step = [&](Consumer& consumer, bool tells_owned) {
      if (consumer.epoch < 0) {
        if (Join(&consumer) != KafkaError::kNone) consumer.epoch = -9;
      } else if (Beat(&consumer, tells_owned) != KafkaError::kNone) {
        consumer.owns.clear();  // fenced: it drops all and comes again
        consumer.epoch = -9;
      }
    };
    for (int i = 0; i < 600; ++i) {
      Consumer& consumer = consumers[random.Uniform(consumers.size())];
      const uint64_t dice = random.Uniform(100);
      if (dice < 2 && consumer.epoch > 0) {
        LeaveWith(&consumer, consumer.join.instance_id && random.Uniform(2) == 0 ? -2 : -1);
        consumer.owns.clear();
        consumer.epoch = -9;
      } else if (dice < 4) {
        topics_[0].partitions = 1 + static_cast<int32_t>(random.Uniform(9));
        coordinator_->TopicsChanged();
      } else {
        step(consumer, random.Uniform(4) != 0);
      }
      // Nobody stays silent for a session, so what consumers believe is what the coordinator knows.
      Advance(static_cast<int64_t>(random.Uniform(100)));
      check();
    }
    for (int i = 0; i < 20; ++i) {
      for (Consumer& consumer : consumers) step(consumer, true);
    }
    EXPECT_EQ(GroupState(), "Stable");
    std::set<std::string> wanted;
    for (const Consumer& consumer : consumers) {
      wanted.insert(consumer.join.subscribed_topics->begin(), consumer.join.subscribed_topics->end());
    }
    size_t total = 0;
    for (const GroupTopic& topic : topics_) {
      if (wanted.contains(topic.name)) total += static_cast<size_t>(topic.partitions);
    }
    EXPECT_EQ(check(), total);
    if (HasFailure()) return;
  }
}

TEST(AssignorTest, UniformIsEvenAndSticky) {
  const AssignorTopics topics = {{IdOf(1), 7}, {IdOf(2), 5}};
  AssignorMembers members;
  for (const char* id : {"a", "b", "c"}) members[id] = {id, {IdOf(1), IdOf(2)}, {}};
  TargetAssignment target = AssignUniformly(members, topics);
  for (auto& [id, member] : members) {
    EXPECT_EQ(Count(target[id]), 4);
    member.current = target[id];
  }
  EXPECT_EQ(AssignUniformly(members, topics), target);
  members["d"] = {"d", {IdOf(1), IdOf(2)}, {}};
  const TargetAssignment next = AssignUniformly(members, topics);
  int64_t kept = 0;
  for (const auto& [id, partitions] : next) {
    EXPECT_EQ(Count(partitions), 3);
    for (const auto& [topic, numbers] : partitions) {
      for (const int32_t p : numbers) kept += id != "d" && target[id][topic].contains(p);
    }
  }
  EXPECT_EQ(kept, 9);
}

TEST(AssignorTest, UniformRespectsSubscriptions) {
  const AssignorTopics topics = {{IdOf(1), 4}, {IdOf(2), 4}};
  AssignorMembers members;
  members["a"] = {"a", {IdOf(1)}, {}};
  members["b"] = {"b", {IdOf(1), IdOf(2)}, {}};
  const TargetAssignment target = AssignUniformly(members, topics);
  EXPECT_EQ(target.at("a"), (PartitionsByTopic{{IdOf(1), {0, 1, 2, 3}}}));
  EXPECT_EQ(target.at("b"), (PartitionsByTopic{{IdOf(2), {0, 1, 2, 3}}}));
}

TEST(AssignorTest, RangeGivesTheSamePartitionsOfLikeTopics) {
  const AssignorTopics topics = {{IdOf(1), 5}, {IdOf(2), 5}};
  AssignorMembers members;
  members["x"] = {"2", {IdOf(1), IdOf(2)}, {}};
  members["y"] = {"1", {IdOf(1), IdOf(2)}, {}};
  const TargetAssignment target = AssignByRange(members, topics);
  EXPECT_EQ(target.at("y"), (PartitionsByTopic{{IdOf(1), {0, 1, 2}}, {IdOf(2), {0, 1, 2}}}));
  EXPECT_EQ(target.at("x"), (PartitionsByTopic{{IdOf(1), {3, 4}}, {IdOf(2), {3, 4}}}));
}

}  // namespace
}  // namespace tidemill
