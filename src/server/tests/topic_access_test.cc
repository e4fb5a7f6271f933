#include "server/topic_access.h"

#include <future>

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "log/errors.h"
#include "server/dead_letters.h"
#include "server/errors.h"
#include "server/topic_command.h"

namespace tidemill {
namespace {

class TopicAccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LogOptions options;
    options.background_thread = true;
    auto log = Log::Open(files_, clock_, "log", options);
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    log_ = *std::move(log);
    topics_ = std::make_unique<LogTopicAccess>(*log_);
  }

  std::vector<std::string> Values(const std::string& topic, int32_t partition, const StartOffset& from) {
    std::vector<std::string> values;
    const auto page = topics_->Fetch(topic, partition, from, 100);
    EXPECT_TRUE(page.ok()) << page.status().ToString();
    if (page.ok()) {
      for (const FetchedRecord& record : page->records) values.push_back(record.value.value_or("NULL"));
    }
    return values;
  }

  SimulatedFileSystem files_;
  ManualClock clock_{1'000'000'000};
  std::unique_ptr<Log> log_;
  std::unique_ptr<LogTopicAccess> topics_;
};

using Strings = std::vector<std::string>;

TEST_F(TopicAccessTest, RefusesWhatIsNotThereUnlessToldToCreate) {
  EXPECT_TRUE(topics_->Produce("t", {{{}, "x"}}, -1, false).status().Is(kUnknownTopic));
  ASSERT_TRUE(topics_->Produce("t", {{{}, "x"}}, -1, true).ok());
  EXPECT_EQ(Values("t", 0, {}), Strings{"x"});
  EXPECT_TRUE(topics_->Produce("a/b", {{{}, "x"}}, -1, true).status().Is(kInvalidName));
}

TEST_F(TopicAccessTest, PutsKeysWhereTheyBelongAndKeepsTheirOrder) {
  TopicConfig config;
  config.partitions = 3;
  ASSERT_TRUE(log_->CreateTopic("t", config).ok());
  std::vector<TopicRecord> records;
  for (int i = 0; i < 30; ++i) records.push_back({"k" + std::to_string(i % 5), std::to_string(i), kNoTimestamp});
  const auto ranges = topics_->Produce("t", records, -1, false);
  ASSERT_TRUE(ranges.ok());
  int64_t count = 0;
  for (const AppendedRecords& range : *ranges) count += range.count;
  EXPECT_EQ(count, 30);
  for (int32_t p = 0; p < 3; ++p) {
    int last = -1;
    for (const std::string& value : Values("t", p, {})) {
      EXPECT_EQ(PartitionOfKey("k" + std::to_string(std::stoi(value) % 5), 3), p);
      EXPECT_LT(last, std::stoi(value));
      last = std::stoi(value);
    }
  }
}

TEST_F(TopicAccessTest, AnswersWhenEverythingIsDurable) {
  TopicConfig config;
  config.partitions = 4;
  ASSERT_TRUE(log_->CreateTopic("t", config).ok());
  std::promise<Result<std::vector<AppendedRecords>>> promise;
  std::vector<TopicRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back({std::to_string(i), "v", kNoTimestamp});
  topics_->ProduceAsync("t", records, -1, false, [&](auto ranges) { promise.set_value(std::move(ranges)); });
  const auto ranges = promise.get_future().get();
  ASSERT_TRUE(ranges.ok());
  for (const AppendedRecords& range : *ranges) {
    EXPECT_GE((*log_->partition("t", range.partition))->Offsets().durable_end, range.first_offset + range.count);
  }
}

TEST_F(TopicAccessTest, StartsWhereItIsTold) {
  ASSERT_TRUE(log_->CreateTopic("t").ok());
  std::vector<TopicRecord> records;
  for (int i = 0; i < 5; ++i) records.push_back({{}, std::to_string(i), 1000 * i});
  ASSERT_TRUE(topics_->Produce("t", records, -1, false).ok());
  const auto from = [&](const char* text) { return Values("t", 0, *StartOffset::Parse(text)); };
  EXPECT_EQ(from("start").size(), 5u);
  EXPECT_EQ(from("end"), Strings{});
  EXPECT_EQ(from("3"), (Strings{"3", "4"}));
  EXPECT_EQ(from("-2"), (Strings{"3", "4"}));
  EXPECT_EQ(from("-9").size(), 5u);
  EXPECT_EQ(from("@2000"), (Strings{"2", "3", "4"}));
  EXPECT_EQ(from("@1970-01-01T00:00:03"), (Strings{"3", "4"}));
  EXPECT_EQ(from("@1970-01-01 01:00:04+01:00"), Strings{"4"});
  EXPECT_TRUE(topics_->Fetch("t", 0, *StartOffset::Parse("6"), 1).status().Is(kOffsetOutOfRange));
  EXPECT_TRUE(StartOffset::Parse("soon").status().Is(kUsage));
  EXPECT_EQ(StartOffset::Parse("-2")->ToString(), "-2");
}

TEST_F(TopicAccessTest, GroupsDeadLettersByReason) {
  ASSERT_TRUE(log_->CreateTopic("dlq.t").ok());
  const auto partition = *log_->partition("dlq.t", 0);
  const auto put = [&](const char* reason, const char* detail, int64_t time) {
    const RecordHeader headers[] = {{"reason", reason}, {"detail", detail}};
    const Record record{.value = "row", .headers = headers, .timestamp_ms = time};
    ASSERT_TRUE(partition->Append({&record, 1}).ok());
  };
  put("malformed", "first", 1);
  put("late", "too late", 2);
  put("malformed", "second", 3);
  const auto groups = ListDeadLetters(*topics_);
  ASSERT_TRUE(groups.ok());
  ASSERT_EQ(groups->size(), 2u);
  EXPECT_EQ(groups->at(0).reason, "malformed");
  EXPECT_EQ(groups->at(0).records, 2);
  EXPECT_EQ(groups->at(0).example, "second");
  EXPECT_EQ(groups->at(1).reason, "late");
}

TEST(RecordToJson, KeepsBytesThatAreNoText) {
  FetchedRecord record{1, 7, 5, "k", std::string("\xff\x00", 2), {{"reason", "late"}}};
  EXPECT_EQ(RecordToJson("t", record),
            "{\"topic\":\"t\",\"partition\":1,\"offset\":7,\"timestamp\":5,\"key\":\"k\",\"value_base64\":\"/wA=\","
            "\"headers\":[{\"key\":\"reason\",\"value\":\"late\"}]}");
}

TEST(JsonFieldText, TakesOneField) {
  EXPECT_EQ(**JsonFieldText(R"({"a": {"b": 1}, "k": "x\u00e9", "n": -1.50 })", "k"), "x\xC3\xA9");
  EXPECT_EQ(**JsonFieldText(R"({"k": -1.50 })", "k"), "-1.50");
  EXPECT_EQ(**JsonFieldText(R"({"k": true})", "k"), "true");
  EXPECT_FALSE((*JsonFieldText(R"({"k": null})", "k")).has_value());
  EXPECT_FALSE((*JsonFieldText(R"({"x": 1})", "k")).has_value());
  EXPECT_FALSE(JsonFieldText("[1]", "k").ok());
  EXPECT_FALSE(JsonFieldText("nonsense", "k").ok());
}

TEST(FormatRecord, KnowsItsMarks) {
  const FetchedRecord record{2, 9, 1500, "k", "v%k", {}};
  EXPECT_EQ(*FormatRecord("%t %p %o %d %k=%v %%", "t", record), "t 2 9 1500 k=v%k %\n");
  EXPECT_EQ(*FormatRecord("%T\\t%k\\n", "t", record), "1970-01-01 00:00:01.500\tk\n");
  EXPECT_TRUE(FormatRecord("%z", "t", record).status().Is(kUsage));
}

}  // namespace
}  // namespace tidemill
