#include "log/wire/internal/fetch_sessions.h"

#include <gtest/gtest.h>

namespace tidemill::wire {
namespace {

FetchRequest Asks(int32_t session_id, int32_t epoch, const std::vector<std::pair<int32_t, int64_t>>& partitions = {}) {
  FetchRequest request;
  request.session_id = session_id;
  request.session_epoch = epoch;
  if (partitions.empty()) return request;
  auto& topic = request.topics.emplace_back();
  topic.topic = "t";
  for (const auto& [partition, offset] : partitions) {
    auto& wanted = topic.partitions.emplace_back();
    wanted.partition = partition;
    wanted.fetch_offset = offset;
    wanted.partition_max_bytes = 1000;
  }
  return request;
}

// "partition@offset(high watermark)", in the order in which they are served.
std::string Shown(const FetchContext& context) {
  std::string out;
  for (const FetchedPartition& partition : context.partitions) {
    out += (out.empty() ? "" : " ") + std::to_string(partition.partition) + "@" +
           std::to_string(partition.fetch_offset) + "(" + std::to_string(partition.high_watermark) + ")";
  }
  return out;
}

class FetchSessionsTest : public ::testing::Test {
 protected:
  // Asks for partitions 0 and 1 of t, and is told that both end at 5.
  int32_t OpenOne(const std::string& owner = "User:a", int64_t now_ms = 0) {
    FetchContext context = sessions_.Begin(Asks(0, 0, {{0, 3}, {1, 4}}), owner, now_ms);
    EXPECT_TRUE(context.opens_session);
    EXPECT_EQ(context.session_id, 0);
    for (FetchedPartition& partition : context.partitions) partition.high_watermark = 5;
    return sessions_.Open(context.partitions, owner, now_ms);
  }

  FetchSessions sessions_{7, 3, 10};
};

TEST_F(FetchSessionsTest, WhoAsksForNoneGetsNone) {
  const FetchContext context = sessions_.Begin(Asks(0, -1, {{0, 3}}), "User:a", 0);
  EXPECT_FALSE(context.opens_session);
  EXPECT_EQ(Shown(context), "0@3(-1)");
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(FetchSessionsTest, RemembersAddsChangesAndForgets) {
  const int32_t id = OpenOne();
  ASSERT_NE(id, 0);
  FetchContext context = sessions_.Begin(Asks(id, 1), "User:a", 1);
  EXPECT_EQ(context.session_id, id);
  EXPECT_EQ(Shown(context), "0@3(5) 1@4(5)");
  // The one that had records is served last the next time.
  context.partitions[0].high_watermark = 9;
  sessions_.Told(id, {context.partitions[0]}, {true});
  EXPECT_EQ(Shown(sessions_.Begin(Asks(id, 2, {{0, 8}, {2, 0}}), "User:a", 2)), "1@4(5) 0@8(9) 2@0(-1)");
  FetchRequest forget = Asks(id, 3);
  forget.forgotten_topics_data.push_back({"t", {}, {1, 77}});
  EXPECT_EQ(Shown(sessions_.Begin(forget, "User:a", 3)), "0@8(9) 2@0(-1)");
  // Without a partition left there is nothing to remember.
  forget = Asks(id, 4);
  forget.forgotten_topics_data.push_back({"t", {}, {0, 2}});
  EXPECT_EQ(sessions_.Begin(forget, "User:a", 4).session_id, 0);
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(FetchSessionsTest, RefusesWhatIsOutOfStepUnknownOrOfAnother) {
  const int32_t id = OpenOne();
  EXPECT_EQ(sessions_.Begin(Asks(id + 1, 1), "User:a", 1).error, KafkaError::kFetchSessionIdNotFound);
  EXPECT_EQ(sessions_.Begin(Asks(id, 1), "User:b", 1).error, KafkaError::kFetchSessionIdNotFound);
  EXPECT_EQ(sessions_.Begin(Asks(id, 2), "User:a", 1).error, KafkaError::kInvalidFetchSessionEpoch);
  FetchRequest with_ids = Asks(id, 1, {{0, 3}});
  with_ids.topics[0].topic_id[0] = 1;
  EXPECT_EQ(sessions_.Begin(with_ids, "User:a", 1).error, KafkaError::kFetchSessionTopicIdError);
  EXPECT_EQ(sessions_.Begin(Asks(id, 1), "User:a", 1).error, KafkaError::kNone);
  EXPECT_EQ(sessions_.Begin(Asks(id, 1), "User:a", 1).error, KafkaError::kInvalidFetchSessionEpoch);
  // Another's session is not ended by asking for a new one.
  sessions_.Begin(Asks(id, 0, {{0, 3}}), "User:b", 1);
  EXPECT_EQ(sessions_.size(), 1u);
  sessions_.Begin(Asks(id, -1, {{0, 3}}), "User:a", 1);
  EXPECT_EQ(sessions_.size(), 0u);
}

TEST_F(FetchSessionsTest, IsBoundedAndDropsTheIdleFirst) {
  const int32_t first = OpenOne("User:a", 0);
  OpenOne("User:a", 1000);
  OpenOne("User:a", 1000);
  EXPECT_EQ(sessions_.size(), 3u);
  EXPECT_EQ(OpenOne("User:a", 2000), 0);  // no room, nobody idle
  EXPECT_NE(OpenOne("User:a", 120'500), 0);
  EXPECT_EQ(sessions_.size(), 3u);
  EXPECT_EQ(sessions_.Begin(Asks(first, 1), "User:a", 1).error, KafkaError::kFetchSessionIdNotFound);
  const FetchContext large = sessions_.Begin(Asks(0, 0, {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}), "User:a", 120'600);
  EXPECT_EQ(sessions_.Open(large.partitions, "User:a", 120'600), 0);  // 6 partitions of 10 are there
}

TEST_F(FetchSessionsTest, ASessionThatGrowsBeyondTheBoundEnds) {
  const int32_t id = OpenOne();
  std::vector<std::pair<int32_t, int64_t>> many;
  for (int i = 0; i < 11; ++i) many.emplace_back(i, 0);
  EXPECT_EQ(sessions_.Begin(Asks(id, 1, many), "User:a", 1).error, KafkaError::kFetchSessionIdNotFound);
  EXPECT_EQ(sessions_.size(), 0u);
  EXPECT_NE(OpenOne(), 0);
}

}  // namespace
}  // namespace tidemill::wire
