#include "log/groups/consumer_subscription.h"
#include "log/groups/tests/group_test_fixture.h"

namespace tidemill {
namespace {

using GroupPositionsTest = GroupTest;

TEST_F(GroupPositionsTest, ConsumerWithoutMembershipCommitsToAnEmptyGroup) {
  EXPECT_EQ(Commit({"g", "", {}, -1, {{"t", 0, 5, "note", 0}}})->errors, std::vector{KafkaError::kNone});
  EXPECT_EQ(Committed("g"), 5);
  EXPECT_EQ(Committed("h"), -1);
  EXPECT_EQ(Commit({"g", "", {}, 3, {{"t", 0, 6, "", 0}}})->errors, std::vector{KafkaError::kIllegalGeneration});
  Client a = MakeClient();
  MakeStable({&a});
  EXPECT_EQ(Commit({"g", "", {}, -1, {{"t", 0, 6, "", 0}}})->errors, std::vector{KafkaError::kUnknownMemberId});
  EXPECT_EQ(CommitOne(a, 7), KafkaError::kNone);
  EXPECT_EQ(Committed("g"), 7);
}

TEST_F(GroupPositionsTest, AnswerComesWhenTheCommitIsDurable) {
  bool answered = false;
  coordinator_->CommitOffsets({"g", "", {}, -1, {{"t", 0, 5, "", 0}}}, [&](CommitOffsetsResult) { answered = true; });
  EXPECT_FALSE(answered);
  log_->RunPending();
  EXPECT_TRUE(answered);
  coordinator_.reset();
  CrashAndOpen(1);
  StartCoordinator({});
  EXPECT_EQ(Committed("g"), 5);
}

TEST_F(GroupPositionsTest, OnePositionThatDoesNotFitLeavesTheOthers) {
  const auto result = Commit({"g",
                              "",
                              {},
                              -1,
                              {{"t", 0, 5, "", 0},
                               {"t", 1, 5, std::string(4'097, 'm'), 0},
                               {"", 1, 5, "", 0},
                               {"t", -1, 5, "", 0},
                               {"t", 2, -5, "", 0}}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->errors,
            (std::vector{KafkaError::kNone, KafkaError::kOffsetMetadataTooLarge, KafkaError::kInvalidTopic,
                         KafkaError::kUnknownTopicOrPartition, KafkaError::kOffsetOutOfRange}));
  EXPECT_EQ(coordinator_->FetchOffsets({.group = "g"}).offsets.size(), 1u);
}

TEST_F(GroupPositionsTest, FailedDiskIsAnAnswerToo) {
  files_.StopAfter(0);
  const auto result = Commit({"g", "", {}, -1, {{"t", 0, 5, "", 0}}});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->errors.at(0), KafkaError::kCoordinatorNotAvailable);
}

TEST_F(GroupPositionsTest, PositionsInAnOpenTransactionAreUnstable) {
  GroupOptions options;
  options.position_is_pending = [](const std::string& group, const std::string& topic, int32_t partition) {
    return group == "g" && topic == "t" && partition == 1;
  };
  StartCoordinator(std::move(options));
  Commit({"g", "", {}, -1, {{"t", 0, 5, "", 0}, {"t", 1, 6, "", 0}}});
  FetchOffsetsRequest request{.group = "g"};
  EXPECT_EQ(coordinator_->FetchOffsets(request).offsets.at(1).position.offset, 6);
  request.require_stable = true;
  const FetchOffsetsResult fetched = coordinator_->FetchOffsets(request);
  EXPECT_EQ(fetched.offsets.at(0).error, KafkaError::kNone);
  EXPECT_EQ(fetched.offsets.at(1).error, KafkaError::kUnstableOffsetCommit);
  EXPECT_EQ(fetched.offsets.at(1).position.offset, -1);
}

TEST_F(GroupPositionsTest, NobodyFromBeforeARestartIsAMember) {
  Client a = MakeClient();
  MakeStable({&a});
  EXPECT_EQ(CommitOne(a, 7), KafkaError::kNone);
  coordinator_.reset();
  Reopen();
  StartCoordinator({});
  Client zombie = a;
  zombie.coordinator = coordinator_.get();
  EXPECT_EQ(zombie.Heartbeat(), KafkaError::kUnknownMemberId);
  EXPECT_EQ(CommitOne(zombie, 1), KafkaError::kIllegalGeneration);
  Client fresh = MakeClient();
  MakeStable({&fresh});
  ASSERT_EQ(fresh.generation, zombie.generation);
  EXPECT_NE(fresh.join.member_id, zombie.join.member_id);
  EXPECT_EQ(CommitOne(zombie, 1), KafkaError::kUnknownMemberId);
  EXPECT_EQ(zombie.Heartbeat(), KafkaError::kUnknownMemberId);
  EXPECT_EQ(Committed("g"), 7);
}

TEST_F(GroupPositionsTest, DeletesPositionsThatNobodyReads) {
  EXPECT_EQ(coordinator_->DeleteOffsets("g", {{"t", 0}}).error, KafkaError::kGroupIdNotFound);
  Commit({"g", "", {}, -1, {{"t", 0, 5, "", 0}, {"u", 0, 6, "", 0}, {"u", 1, 7, "", 0}}});
  Client a = MakeClient();
  MakeStable({&a});
  EXPECT_EQ(coordinator_->DeleteOffsets("g", {{"t", 0}, {"u", 0}, {"u", 9}}).partitions,
            (std::vector{KafkaError::kGroupSubscribedToTopic, KafkaError::kNone, KafkaError::kNone}));
  const FetchOffsetsResult fetched = coordinator_->FetchOffsets({.group = "g"});
  ASSERT_EQ(fetched.offsets.size(), 2u);
  EXPECT_EQ(fetched.offsets[0].position.topic, "t");
  EXPECT_EQ(fetched.offsets[1].position.partition, 1);
  coordinator_.reset();
  CrashAndOpen(2);
  StartCoordinator({});
  EXPECT_EQ(coordinator_->FetchOffsets({.group = "g"}).offsets.size(), 2u);
  EXPECT_EQ(coordinator_->DeleteOffsets("g", {{"t", 0}, {"u", 1}}).error, KafkaError::kNone);
  EXPECT_EQ(coordinator_->Describe("g").error, KafkaError::kGroupIdNotFound);
}

TEST_F(GroupPositionsTest, GroupOfAnotherKindKeepsItsPositionsWhileItHasMembers) {
  Commit({"g", "", {}, -1, {{"t", 0, 5, "", 0}}});
  Client a = MakeClient();
  a.join.protocol_type = "connect";
  MakeStable({&a});
  EXPECT_EQ(coordinator_->DeleteOffsets("g", {{"t", 0}}).error, KafkaError::kNonEmptyGroup);
}

TEST_F(GroupPositionsTest, ListsDescribesAndDeletes) {
  Commit({"positions-only", "", {}, -1, {{"t", 0, 5, "", 0}}});
  Client a = MakeClient("a"), b = MakeClient("b");
  MakeStable({&a});
  b.Join();
  const auto names = [&](const std::vector<std::string>& states, const std::vector<std::string>& types) {
    std::string text;
    for (const GroupListing& listing : coordinator_->List(states, types)) {
      text += listing.group + ":" + listing.protocol_type + ":" + listing.state + ":" + listing.type + " ";
    }
    return text;
  };
  EXPECT_EQ(names({}, {}),
            "a:consumer:Stable:classic b:consumer:PreparingRebalance:classic positions-only::Empty:classic ");
  EXPECT_EQ(names({"stable"}, {"Classic"}), "a:consumer:Stable:classic ");
  EXPECT_EQ(names({}, {"consumer"}), "");

  const GroupDescription described = coordinator_->Describe("a");
  EXPECT_EQ(described.protocol_name, "range");
  ASSERT_EQ(described.members.size(), 1u);
  EXPECT_EQ(described.members[0].assignment, "0");
  EXPECT_EQ(described.members[0].client_id, "client");
  EXPECT_EQ(described.members[0].metadata, Subscription({"t"}));
  EXPECT_EQ(coordinator_->Describe("nobody").state, "Dead");

  EXPECT_EQ(coordinator_->Delete("a"), KafkaError::kNonEmptyGroup);
  EXPECT_EQ(coordinator_->Delete("nobody"), KafkaError::kGroupIdNotFound);
  EXPECT_EQ(coordinator_->Delete("positions-only"), KafkaError::kNone);
  EXPECT_EQ(Committed("positions-only"), -1);
  EXPECT_EQ(a.Leave(), KafkaError::kNone);
  EXPECT_EQ(coordinator_->Delete("a"), KafkaError::kNone);
  EXPECT_EQ(names({}, {}), "b:consumer:PreparingRebalance:classic ");
}

TEST_F(GroupPositionsTest, ReadsSubscriptions) {
  EXPECT_EQ(ReadSubscribedTopics(Subscription({"t", "uu"})), (std::vector<std::string>{"t", "uu"}));
  const std::string whole = Subscription({"t", "uu"});
  for (size_t size = 0; size < 13; ++size) EXPECT_FALSE(ReadSubscribedTopics(whole.substr(0, size))) << size;
  EXPECT_TRUE(ReadSubscribedTopics(whole.substr(0, 13)));
  EXPECT_FALSE(ReadSubscribedTopics(std::string("\0\0\x7f\xff\xff\xff", 6)));
  EXPECT_FALSE(ReadSubscribedTopics(std::string("\0\0\xff\xff\xff\xff", 6)));
}

}  // namespace
}  // namespace tidemill
