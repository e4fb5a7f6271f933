#include "log/access/access_control.h"

#include <gtest/gtest.h>

#include "log/access/quotas.h"

namespace tidemill {
namespace {

constexpr auto kTopicKind = AclResource::kTopic;

class AccessControlTest : public ::testing::Test {
 protected:
  static Acl Rule(bool allow, std::string principal, AclOperation operation, std::string topic,
                  bool is_prefix = false) {
    return {allow, std::move(principal), "*", operation, kTopicKind, is_prefix, std::move(topic)};
  }
  static bool Allows(const AccessControl& control, const std::string& user, AclOperation operation,
                     std::string_view topic, const std::string& host = "10.0.0.1") {
    return control.Allows({"User:" + user, host}, operation, kTopicKind, topic);
  }
};

TEST_F(AccessControlTest, WhatNoRuleAllowsIsDenied) {
  const AccessControl control({{Rule(true, "User:alice", AclOperation::kRead, "orders")}, {"User:root"}});
  EXPECT_TRUE(Allows(control, "alice", AclOperation::kRead, "orders"));
  EXPECT_FALSE(Allows(control, "alice", AclOperation::kWrite, "orders"));
  EXPECT_FALSE(Allows(control, "alice", AclOperation::kRead, "orders2"));
  EXPECT_FALSE(Allows(control, "alice", AclOperation::kRead, "order"));
  EXPECT_FALSE(Allows(control, "bob", AclOperation::kRead, "orders"));
  EXPECT_TRUE(Allows(control, "root", AclOperation::kDelete, "anything"));
  EXPECT_FALSE(control.Allows({"User:alice", "h"}, AclOperation::kRead, AclResource::kGroup, "orders"));
}

TEST_F(AccessControlTest, AFewOperationsImplyToDescribe) {
  for (const AclOperation operation :
       {AclOperation::kRead, AclOperation::kWrite, AclOperation::kDelete, AclOperation::kAlter, AclOperation::kAll}) {
    const AccessControl control({{Rule(true, "User:a", operation, "t")}, {}});
    EXPECT_TRUE(Allows(control, "a", AclOperation::kDescribe, "t"));
  }
  const AccessControl create({{Rule(true, "User:a", AclOperation::kCreate, "t")}, {}});
  EXPECT_FALSE(Allows(create, "a", AclOperation::kDescribe, "t"));
  const AccessControl configs({{Rule(true, "User:a", AclOperation::kAlterConfigs, "t")}, {}});
  EXPECT_TRUE(Allows(configs, "a", AclOperation::kDescribeConfigs, "t"));
  EXPECT_FALSE(Allows(configs, "a", AclOperation::kDescribe, "t"));
}

TEST_F(AccessControlTest, PrefixesWildcardsHostsAndDenials) {
  std::vector<Acl> acls = {Rule(true, "User:*", AclOperation::kAll, "shop.", true),
                           Rule(false, "User:eve", AclOperation::kWrite, "shop.secret"),
                           Rule(true, "User:bob", AclOperation::kRead, "*"),
                           Rule(false, "User:bob", AclOperation::kAll, "hidden.", true)};
  acls.push_back({true, "User:carl", "10.0.0.7", AclOperation::kRead, kTopicKind, false, "t"});
  const AccessControl control({std::move(acls), {}});
  EXPECT_TRUE(Allows(control, "eve", AclOperation::kWrite, "shop.orders"));
  EXPECT_FALSE(Allows(control, "eve", AclOperation::kWrite, "shop.secret"));
  EXPECT_TRUE(Allows(control, "eve", AclOperation::kRead, "shop.secret"));
  EXPECT_FALSE(Allows(control, "eve", AclOperation::kRead, "sho"));
  EXPECT_TRUE(Allows(control, "bob", AclOperation::kRead, "whatever"));
  EXPECT_FALSE(Allows(control, "bob", AclOperation::kRead, "hidden.plan"));
  EXPECT_TRUE(Allows(control, "carl", AclOperation::kRead, "t", "10.0.0.7"));
  EXPECT_FALSE(Allows(control, "carl", AclOperation::kRead, "t", "10.0.0.8"));
}

TEST_F(AccessControlTest, SomeTopicOfAKind) {
  const AccessControl control(
      {{Rule(true, "User:a", AclOperation::kWrite, "x.", true), Rule(true, "User:b", AclOperation::kWrite, "t"),
        Rule(false, "User:b", AclOperation::kWrite, "*"), Rule(true, "User:c", AclOperation::kRead, "t")},
       {"User:root"}});
  const auto some = [&](const std::string& user) {
    return control.AllowsSome({"User:" + user, "h"}, AclOperation::kWrite, kTopicKind);
  };
  EXPECT_TRUE(some("a"));
  EXPECT_FALSE(some("b"));
  EXPECT_FALSE(some("c"));
  EXPECT_TRUE(some("root"));
}

TEST(QuotasTest, ClientsWaitForAsLongAsTheyWereTooFast) {
  ManualClock clock(1'000'000);
  Quotas quotas({{.user = "alice", .produce_bytes_per_second = 1000}}, clock);
  const auto produce = [&](const std::string& user, const std::string& client, int64_t bytes) {
    return quotas.Charge(QuotaKind::kProduce, user, client, bytes);
  };
  EXPECT_EQ(produce("alice", "c1", 1000), 0);  // a second's worth at once
  EXPECT_EQ(produce("alice", "c1", 500), 500);
  EXPECT_EQ(produce("alice", "c2", 500), 1000) << "a user's clients share what the user has";
  EXPECT_EQ(produce("bob", "c1", 1 << 30), 0);
  EXPECT_EQ(quotas.Charge(QuotaKind::kFetch, "alice", "c1", 1 << 30), 0);
  clock.AdvanceMicros(1'500'000);
  EXPECT_EQ(produce("alice", "c1", 500), 0);
  EXPECT_EQ(produce("alice", "c1", 1), 1);
  EXPECT_EQ(produce("alice", "c1", int64_t{1} << 40), 60'000) << "nobody waits for more than a minute at once";
}

TEST(QuotasTest, TheClosestRuleHolds) {
  ManualClock clock(1'000'000);
  Quotas quotas({{.user = "*", .fetch_bytes_per_second = 100},
                 {.user = "a", .fetch_bytes_per_second = 1000},
                 {.user = "a", .client_id = "c", .fetch_bytes_per_second = 10'000},
                 {.client_id = "c", .fetch_bytes_per_second = 1}},
                clock);
  const auto wait = [&](const std::string& user, const std::string& client) {
    return quotas.Charge(QuotaKind::kFetch, user, client, 20'000);
  };
  EXPECT_EQ(wait("a", "c"), 1000);
  EXPECT_EQ(wait("a", "d"), 19'000);
  EXPECT_EQ(wait("b", "c"), 60'000);
  EXPECT_EQ(wait("a", "e"), 39'000) << "shared with client d";
  EXPECT_EQ(wait("b2", "d"), 60'000);
}

TEST(QuotasTest, ManyClientIdsDoNotTakeMemoryForEver) {
  ManualClock clock(1'000'000);
  Quotas quotas({{.client_id = "*", .fetch_bytes_per_second = 100}}, clock);
  for (int i = 0; i < 50'000; ++i) EXPECT_EQ(quotas.Charge(QuotaKind::kFetch, "u", std::to_string(i), 100), 0);
  EXPECT_LE(quotas.size(), 10'000u);
}

}  // namespace
}  // namespace tidemill
