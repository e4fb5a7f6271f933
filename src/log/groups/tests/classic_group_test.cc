#include "log/groups/tests/group_test_fixture.h"

namespace tidemill {
namespace {

using ClassicGroupTest = GroupTest;

TEST_F(ClassicGroupTest, OneMemberJoinsSyncsAndStays) {
  Client a = MakeClient();
  a.Join();
  EXPECT_FALSE(a.joined);
  EXPECT_EQ(StateOf(), "PreparingRebalance");
  Advance(49);
  EXPECT_FALSE(a.joined);
  Advance(1);
  ASSERT_TRUE(a.joined);
  EXPECT_EQ(a.joined->error, KafkaError::kNone);
  EXPECT_EQ(a.joined->generation, 1);
  EXPECT_EQ(a.joined->protocol_name, "range");
  EXPECT_TRUE(a.is_leader());
  ASSERT_EQ(a.joined->members.size(), 1u);
  EXPECT_EQ(a.joined->members[0].metadata, Subscription({"t"}));
  EXPECT_EQ(StateOf(), "CompletingRebalance");
  a.Sync({{a.join.member_id, "all"}});
  ASSERT_TRUE(a.synced);
  EXPECT_EQ(a.synced->assignment, "all");
  for (int i = 0; i < 10; ++i) {
    Advance(9'000);
    EXPECT_EQ(a.Heartbeat(), KafkaError::kNone);
  }
  EXPECT_EQ(StateOf(), "Stable");
  Advance(10'000);
  EXPECT_EQ(StateOf(), "Empty");
  EXPECT_EQ(a.Heartbeat(), KafkaError::kUnknownMemberId);
  EXPECT_EQ(coordinator_->metadata_bytes(), 0);
}

TEST_F(ClassicGroupTest, MembersThatComeTogetherMakeOneGeneration) {
  Client a = MakeClient(), b = MakeClient(), c = MakeClient();
  a.Join();
  Advance(40);
  b.Join();
  Advance(40);
  c.Join();  // within the second wait, which b's coming began
  Advance(200);
  for (const Client* client : {&a, &b, &c}) {
    ASSERT_TRUE(client->joined);
    EXPECT_EQ(client->joined->generation, 1);
    EXPECT_EQ(client->joined->leader, a.join.member_id);
    EXPECT_EQ(client->joined->members.size(), client == &a ? 3u : 0u);
  }
}

TEST_F(ClassicGroupTest, MemberIdIsGivenFirstWhenRequired) {
  Client a = MakeClient();
  a.join.require_known_member_id = true;
  a.Join();
  ASSERT_TRUE(a.joined);
  EXPECT_EQ(a.joined->error, KafkaError::kMemberIdRequired);
  EXPECT_EQ(a.join.member_id.substr(0, 7), "client-");
  EXPECT_EQ(a.join.member_id.size(), 7u + 36u);
  MakeStable({&a});

  Client late = MakeClient();
  late.join.require_known_member_id = true;
  late.Join();
  Advance(10'000);
  EXPECT_EQ(a.Heartbeat(), KafkaError::kUnknownMemberId);  // it slept too long as well
  late.Join();
  EXPECT_EQ(late.joined->error, KafkaError::kUnknownMemberId);
}

TEST_F(ClassicGroupTest, RoundWaitsForAMemberThatWasGivenAnId) {
  Client a = MakeClient(), b = MakeClient(), c = MakeClient();
  MakeStable({&a});
  b.Join();
  c.join.require_known_member_id = true;
  c.Join();
  a.Join();
  EXPECT_FALSE(a.joined);
  EXPECT_EQ(c.Leave(), KafkaError::kNone);
  ASSERT_TRUE(a.joined);
  ASSERT_TRUE(b.joined);
  EXPECT_EQ(a.joined->generation, 2);
}

TEST_F(ClassicGroupTest, NewcomerStartsARoundThatAllMembersJoin) {
  Client a = MakeClient(), b = MakeClient();
  MakeStable({&a});
  b.Join();
  EXPECT_FALSE(b.joined);
  EXPECT_EQ(a.Heartbeat(), KafkaError::kRebalanceInProgress);
  EXPECT_EQ(CommitOne(a, 7), KafkaError::kNone);  // while it still has its partitions
  a.Sync();
  EXPECT_EQ(a.synced->error, KafkaError::kRebalanceInProgress);
  a.Join();
  ASSERT_TRUE(a.joined);
  ASSERT_TRUE(b.joined);
  EXPECT_EQ(a.joined->generation, 2);
  EXPECT_TRUE(a.is_leader());
  EXPECT_EQ(CommitOne(a, 8), KafkaError::kRebalanceInProgress);  // they may be another's now
  b.Sync();
  EXPECT_FALSE(b.synced);
  a.Sync({{a.join.member_id, "x"}, {b.join.member_id, "y"}, {"stranger", "z"}});
  ASSERT_TRUE(b.synced);
  EXPECT_EQ(a.synced->assignment, "x");
  EXPECT_EQ(b.synced->assignment, "y");
  EXPECT_EQ(Committed("g"), 7);
}

TEST_F(ClassicGroupTest, MemberThatDoesNotRejoinIsOut) {
  Client a = MakeClient(), b = MakeClient(), c = MakeClient();
  a.join.session_timeout_ms = b.join.session_timeout_ms = c.join.session_timeout_ms = 1'800'000;
  MakeStable({&a, &b});
  c.Join();
  a.Join();
  Advance(59'999);
  EXPECT_FALSE(a.joined);
  Advance(1);
  ASSERT_TRUE(a.joined);
  ASSERT_TRUE(c.joined);
  EXPECT_EQ(b.Heartbeat(), KafkaError::kUnknownMemberId);
  EXPECT_EQ(coordinator_->Describe("g").members.size(), 2u);
}

TEST_F(ClassicGroupTest, LeaderThatNeverSyncsIsOut) {
  Client a = MakeClient(), b = MakeClient();
  a.join.session_timeout_ms = b.join.session_timeout_ms = 1'800'000;
  a.Join();
  b.Join();
  Advance(1'000);
  ASSERT_TRUE(a.joined && b.joined);
  Client& leader = a.is_leader() ? a : b;
  Client& follower = a.is_leader() ? b : a;
  follower.Sync();
  Advance(59'000);
  EXPECT_FALSE(follower.synced);
  Advance(1'000);
  ASSERT_TRUE(follower.synced);
  EXPECT_EQ(follower.synced->error, KafkaError::kRebalanceInProgress);
  EXPECT_EQ(leader.Heartbeat(), KafkaError::kUnknownMemberId);
  follower.Join();
  ASSERT_TRUE(follower.joined);
  EXPECT_TRUE(follower.is_leader());
}

TEST_F(ClassicGroupTest, MemberThatLeavesStartsARound) {
  Client a = MakeClient(), b = MakeClient();
  MakeStable({&a, &b});
  EXPECT_EQ(b.Leave(), KafkaError::kNone);
  EXPECT_EQ(b.Leave(), KafkaError::kUnknownMemberId);
  EXPECT_EQ(a.Heartbeat(), KafkaError::kRebalanceInProgress);
  a.Join();
  ASSERT_TRUE(a.joined);
  EXPECT_EQ(a.joined->members.size(), 1u);
  EXPECT_EQ(a.Leave(), KafkaError::kNone);
  EXPECT_EQ(StateOf(), "Empty");
}

TEST_F(ClassicGroupTest, MostVotesPickTheProtocol) {
  Client a = MakeClient(), b = MakeClient(), c = MakeClient(), d = MakeClient();
  a.join.protocols = {{"one", "a1"}, {"two", "a2"}, {"sticky", "a3"}};
  b.join.protocols = {{"two", "b2"}, {"one", "b1"}};
  c.join.protocols = {{"three", "c3"}, {"two", "c2"}, {"one", "c1"}};
  d.join.protocols = {{"sticky", "d3"}};
  a.Join();
  b.Join();
  c.Join();
  d.Join();
  ASSERT_TRUE(d.joined);
  EXPECT_EQ(d.joined->error, KafkaError::kInconsistentGroupProtocol);
  Advance(1'000);
  ASSERT_TRUE(a.joined);
  EXPECT_EQ(a.joined->protocol_name, "two");
  for (const JoinedMember& member : a.joined->members) EXPECT_EQ(member.metadata.substr(1), "2");
  Client other = MakeClient();
  other.join.protocol_type = "connect";
  other.join.protocols = a.join.protocols;
  other.Join();
  EXPECT_EQ(other.joined->error, KafkaError::kInconsistentGroupProtocol);
}

TEST_F(ClassicGroupTest, AskingAgainGivesTheSameAnswer) {
  Client a = MakeClient(), b = MakeClient();
  a.Join();
  b.Join();
  Advance(1'000);
  Client& leader = a.is_leader() ? a : b;
  Client& follower = a.is_leader() ? b : a;
  leader.Join();  // its answer was lost
  ASSERT_TRUE(leader.joined);
  EXPECT_EQ(leader.joined->generation, 1);
  EXPECT_EQ(leader.joined->members.size(), 2u);
  follower.Join();
  ASSERT_TRUE(follower.joined);
  EXPECT_EQ(follower.joined->generation, 1);
  leader.Sync({{a.join.member_id, "x"}, {b.join.member_id, "y"}});
  follower.Sync();
  ASSERT_TRUE(follower.synced);
  EXPECT_EQ(StateOf(), "Stable");
  follower.Join();
  EXPECT_EQ(follower.joined->generation, 1);
  EXPECT_EQ(StateOf(), "Stable");
  follower.join.protocols[0].metadata = Subscription({"t", "u"});
  follower.Join();
  EXPECT_FALSE(follower.joined);
  EXPECT_EQ(StateOf(), "PreparingRebalance");
  leader.Join();
  EXPECT_TRUE(follower.joined);
  EXPECT_EQ(leader.joined->generation, 2);
}

TEST_F(ClassicGroupTest, SecondRequestTakesTheFirstOnesPlace) {
  Client a = MakeClient(), b = MakeClient();
  MakeStable({&a, &b});
  std::optional<JoinResult> first, second;
  coordinator_->Join(a.join, [&](JoinResult result) { first = std::move(result); });
  ASSERT_EQ(StateOf(), "PreparingRebalance");
  coordinator_->Join(a.join, [&](JoinResult result) { second = std::move(result); });
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error, KafkaError::kRebalanceInProgress);
  b.Join();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->error, KafkaError::kNone);
}

TEST_F(ClassicGroupTest, StaticMemberComesBackWithoutARound) {
  Client a = MakeClient(), b = MakeClient();
  a.join.group_instance_id = "one";
  b.join.group_instance_id = "two";
  MakeStable({&a, &b});
  Client a2 = MakeClient();
  a2.join.group_instance_id = "one";
  a2.join.support_skip_assignment = true;
  a2.Join();
  ASSERT_TRUE(a2.joined);
  EXPECT_EQ(a2.joined->generation, 1);
  EXPECT_NE(a2.join.member_id, a.join.member_id);
  EXPECT_EQ(a2.joined->skip_assignment, a.is_leader());
  a2.Sync();
  EXPECT_EQ(a2.synced->assignment, "0");
  EXPECT_EQ(a.Heartbeat(), KafkaError::kFencedInstanceId);
  EXPECT_EQ(CommitOne(a, 1), KafkaError::kFencedInstanceId);
  EXPECT_EQ(b.Heartbeat(), KafkaError::kNone);
  EXPECT_EQ(a2.Heartbeat(), KafkaError::kNone);

  Client old_leader = MakeClient();  // of an older client library: it must not think that it has to assign
  old_leader.join.group_instance_id = "one";
  old_leader.Join();
  ASSERT_TRUE(old_leader.joined);
  EXPECT_FALSE(old_leader.is_leader());
  // Leaving takes the instance id alone.
  const LeaveResult left = coordinator_->Leave("g", {{"", "one"}, {"", "three"}});
  EXPECT_EQ(left.members, (std::vector{KafkaError::kNone, KafkaError::kUnknownMemberId}));
  EXPECT_EQ(coordinator_->Describe("g").members.size(), 1u);
}

TEST_F(ClassicGroupTest, StaticMemberThatIsAwayKeepsItsPlaceForItsSession) {
  Client a = MakeClient(), b = MakeClient(), c = MakeClient();
  a.join.group_instance_id = "one";
  a.join.session_timeout_ms = 300'000;
  b.join.session_timeout_ms = c.join.session_timeout_ms = 300'000;
  MakeStable({&a, &b});
  c.Join();
  b.Join();
  Advance(60'000);
  ASSERT_TRUE(b.joined && c.joined);
  EXPECT_EQ(coordinator_->Describe("g").members.size(), 3u);
  Client& leader = b.is_leader() ? b : c;
  ASSERT_TRUE(leader.is_leader());
  EXPECT_EQ(leader.joined->members.size(), 3u);
  leader.Sync({{a.join.member_id, "still mine"}});
  (&leader == &b ? c : b).Sync();
  Advance(100'000);
  Client a2 = MakeClient();
  a2.join = a.join;
  a2.join.member_id.clear();
  a2.Join();
  ASSERT_TRUE(a2.joined);
  EXPECT_EQ(a2.joined->generation, 2);
  a2.Sync();
  EXPECT_EQ(a2.synced->assignment, "still mine");
}

TEST_F(ClassicGroupTest, OnlyStaticMembersAwayEndInAnEmptyGroup) {
  Client a = MakeClient(), b = MakeClient();
  a.join.group_instance_id = "one";
  a.join.rebalance_timeout_ms = 0;
  a.join.session_timeout_ms = 30'000;
  MakeStable({&a});
  b.join.require_known_member_id = true;
  b.Join();
  b.Join();
  EXPECT_FALSE(b.joined);
  EXPECT_EQ(b.Leave(), KafkaError::kNone);
  ASSERT_TRUE(b.joined);
  EXPECT_EQ(b.joined->error, KafkaError::kUnknownMemberId);
  Advance(20'000);
  EXPECT_EQ(StateOf(), "PreparingRebalance");
  EXPECT_EQ(coordinator_->Describe("g").members.size(), 1u);
  Advance(20'000);
  EXPECT_EQ(StateOf(), "Empty");
}

TEST_F(ClassicGroupTest, RefusesWhatDoesNotFit) {
  Client a = MakeClient("");
  const auto error_of = [](Client& client) {
    client.Join();
    return client.joined ? client.joined->error : KafkaError::kNone;
  };
  EXPECT_EQ(error_of(a), KafkaError::kInvalidGroupId);
  a = MakeClient(std::string(250, 'g'));
  EXPECT_EQ(error_of(a), KafkaError::kInvalidGroupId);
  a = MakeClient();
  a.join.session_timeout_ms = 5'999;
  EXPECT_EQ(error_of(a), KafkaError::kInvalidSessionTimeout);
  a.join.session_timeout_ms = 1'800'001;
  EXPECT_EQ(error_of(a), KafkaError::kInvalidSessionTimeout);
  a = MakeClient();
  a.join.member_id = "made up";
  EXPECT_EQ(error_of(a), KafkaError::kUnknownMemberId);
  a = MakeClient();
  a.join.protocols.clear();
  EXPECT_EQ(error_of(a), KafkaError::kInconsistentGroupProtocol);
  a = MakeClient();
  a.join.group_instance_id = std::string(250, 'i');
  EXPECT_EQ(error_of(a), KafkaError::kInvalidRequest);
  a = MakeClient();
  a.Sync();
  EXPECT_EQ(a.synced->error, KafkaError::kUnknownMemberId);
  MakeStable({&a});
  ++a.generation;
  EXPECT_EQ(a.Heartbeat(), KafkaError::kIllegalGeneration);
  a.Sync();
  EXPECT_EQ(a.synced->error, KafkaError::kIllegalGeneration);
  EXPECT_EQ(CommitOne(a, 1), KafkaError::kIllegalGeneration);
}

TEST_F(ClassicGroupTest, BoundsHold) {
  StartCoordinator({.groups_max = 2,
                    .group_size_max = 2,
                    .member_metadata_bytes_max = 1'000,
                    .group_assignment_bytes_max = 100,
                    .metadata_bytes_max = 1'500});
  Client a = MakeClient(), b = MakeClient(), c = MakeClient();
  MakeStable({&a, &b});
  c.Join();
  ASSERT_TRUE(c.joined);
  EXPECT_EQ(c.joined->error, KafkaError::kGroupMaxSizeReached);
  Client d = MakeClient("h"), e = MakeClient("h");
  d.join.protocols[0].metadata = std::string(1'001, 'm');
  d.Join();
  EXPECT_EQ(d.joined->error, KafkaError::kInvalidRequest);
  d.join.protocols[0].metadata = std::string(900, 'm');
  d.Join();
  EXPECT_FALSE(d.joined);
  e.join.protocols[0].metadata = std::string(900, 'm');
  e.Join();
  EXPECT_EQ(e.joined->error, KafkaError::kGroupMaxSizeReached);
  Client third = MakeClient("third");
  third.Join();
  EXPECT_EQ(third.joined->error, KafkaError::kGroupMaxSizeReached);
  Advance(1'000);
  ASSERT_TRUE(d.joined);
  d.Sync({{d.join.member_id, std::string(101, 'a')}});
  EXPECT_EQ(d.synced->error, KafkaError::kUnknownServerError);
  EXPECT_EQ(StateOf("h"), "PreparingRebalance");
  EXPECT_EQ(d.Leave(), KafkaError::kNone);
  EXPECT_EQ(StateOf("h"), "Empty");
  third.Join();  // in the place of the empty group
  EXPECT_FALSE(third.joined);
  EXPECT_EQ(coordinator_->group_count(), 2);
  EXPECT_EQ(a.Leave(), KafkaError::kNone);
  EXPECT_EQ(b.Leave(), KafkaError::kNone);
  Advance(1'000'000);
  EXPECT_EQ(coordinator_->group_count(), 0);
  EXPECT_EQ(coordinator_->metadata_bytes(), 0);
  EXPECT_EQ(coordinator_->next_deadline_ms(), INT64_MAX);
}

TEST_F(ClassicGroupTest, WhoWaitsIsAnsweredWhenTheCoordinatorGoes) {
  Client a = MakeClient();
  a.Join();
  coordinator_.reset();
  ASSERT_TRUE(a.joined);
  EXPECT_EQ(a.joined->error, KafkaError::kCoordinatorNotAvailable);
}

TEST_F(ClassicGroupTest, EarlierDeadlinesAreTold) {
  int moved = 0;
  GroupOptions options;
  options.deadline_moved = [&moved] { ++moved; };
  StartCoordinator(std::move(options));
  Client a = MakeClient();
  a.Join();
  EXPECT_EQ(moved, 1);
  EXPECT_EQ(coordinator_->next_deadline_ms(), coordinator_->NowMs() + 50);
}

}  // namespace
}  // namespace tidemill
