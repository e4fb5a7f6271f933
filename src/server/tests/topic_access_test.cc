#include "server/topic_access.h"

#include <future>
#include <set>

#include <gtest/gtest.h>

#include "base/errors.h"
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

  ProducedRecords Produce(const std::string& topic, const std::vector<TopicRecord>& records) {
    std::promise<ProducedRecords> promise;
    topics_->ProduceAsync(topic, records, -1, false,
                          [&](ProducedRecords produced) { promise.set_value(std::move(produced)); });
    return promise.get_future().get();
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
  std::vector<TopicRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back({std::to_string(i), std::to_string(i), kNoTimestamp});
  const ProducedRecords produced = Produce("t", records);
  ASSERT_TRUE(produced.status.ok());
  EXPECT_EQ(produced.acknowledged(), 20);
  for (const AppendedRecords& range : produced.ranges) {
    EXPECT_GE((*log_->partition("t", range.partition))->Offsets().durable_end, range.first_offset + range.count);
  }
  for (size_t i = 0; i < records.size(); ++i) {
    const auto& [partition, offset] = produced.places[i];
    EXPECT_EQ(Values("t", partition, {StartOffset::Kind::kOffset, offset}).front(), records[i].value);
  }
}

TEST_F(TopicAccessTest, AFullDiskInBetweenIsToldRecordByRecord) {
  constexpr int kTopicPartitions = 4;
  const std::string padding(20'000, 'x');
  std::vector<TopicRecord> records;
  for (int i = 0; i < 16; ++i) records.push_back({"k" + std::to_string(i), std::to_string(i) + padding, kNoTimestamp});
  std::set<int64_t> seen;
  for (int64_t capacity = 0; seen.count(16) == 0; capacity += 20'000) {
    ASSERT_LT(capacity, 20'000'000);
    const std::string topic = "t" + std::to_string(capacity);
    files_.SetCapacity(-1);
    TopicConfig config;
    config.partitions = kTopicPartitions;
    ASSERT_TRUE(log_->CreateTopic(topic, config).ok());
    files_.SetCapacity(capacity);
    const ProducedRecords produced = Produce(topic, records);
    files_.SetCapacity(-1);
    seen.insert(produced.acknowledged());
    EXPECT_EQ(produced.status.ok(), produced.acknowledged() == 16);
    if (!produced.status.ok()) {
      EXPECT_TRUE(produced.status.Is(kDiskFull)) << produced.status.ToString();
    }
    if (!produced.status.ok() && produced.acknowledged() > 0) {
      ASSERT_EQ(produced.status.notes().size(), 1u);
      EXPECT_EQ(produced.status.notes()[0],
                std::to_string(produced.acknowledged()) + " of 16 records of the request are on disk, the others not");
    }
    // What is said to be there is there, in its place, and nothing else is.
    int64_t there = 0;
    for (int32_t p = 0; p < kTopicPartitions; ++p) there += static_cast<int64_t>(Values(topic, p, {}).size());
    int64_t acknowledged = 0;
    for (size_t i = 0; i < records.size(); ++i) {
      const auto& [partition, offset] = produced.places[i];
      if (offset < 0) continue;
      ++acknowledged;
      EXPECT_EQ(Values(topic, partition, {StartOffset::Kind::kOffset, offset}).front(), records[i].value);
    }
    EXPECT_EQ(acknowledged, produced.acknowledged());
    EXPECT_EQ(there, acknowledged);
    ASSERT_TRUE(log_->DeleteTopic(topic).ok());
  }
  EXPECT_GT(seen.size(), 2u) << "no request was cut in the middle";
}

TEST_F(TopicAccessTest, WhatAFailedSyncLeavesInDoubtIsNotAcknowledged) {
  TopicConfig config;
  config.partitions = 4;
  ASSERT_TRUE(log_->CreateTopic("t", config).ok());
  std::vector<TopicRecord> records;
  for (int i = 0; i < 20; ++i) records.push_back({std::to_string(i), "v", kNoTimestamp});
  files_.FailSyncAfter(2);
  const ProducedRecords produced = Produce("t", records);
  EXPECT_TRUE(produced.status.Is(kSyncFailed)) << produced.status.ToString();
  EXPECT_LT(produced.acknowledged(), 20);
  int64_t acknowledged = 0;
  for (const auto& [partition, offset] : produced.places) acknowledged += offset >= 0 ? 1 : 0;
  EXPECT_EQ(acknowledged, produced.acknowledged());
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
  const auto groups = MakeLogDeadLetterAccess(*log_, *topics_)->List();
  ASSERT_TRUE(groups.ok());
  ASSERT_EQ(groups->size(), 2u);
  EXPECT_EQ(groups->at(0).reason, "malformed");
  EXPECT_EQ(groups->at(0).records, 2);
  EXPECT_EQ(groups->at(0).example, "second");
  EXPECT_EQ(groups->at(1).reason, "late");
}

class DeadLetterTest : public TopicAccessTest {
 protected:
  void SetUp() override {
    TopicAccessTest::SetUp();
    ASSERT_TRUE(log_->CreateTopic("in").ok());
    TopicConfig config;
    config.partitions = 2;
    ASSERT_TRUE(log_->CreateTopic("dlq.t", config).ok());
    dead_letters_ = MakeLogDeadLetterAccess(*log_, *topics_);
  }
  void Refuse(int32_t partition, int count, const char* reason = "malformed") {
    const RecordHeader headers[] = {{"reason", reason}, {"topic", "in"}};
    const std::vector<Record> records(static_cast<size_t>(count), Record{.value = reason, .headers = headers});
    ASSERT_TRUE((*log_->partition("dlq.t", partition))->Append(records).ok());
  }
  // The whole replay; how many steps it took in `steps`.
  int64_t Replay(const ReplayRequest& request, int* steps = nullptr) {
    int64_t replayed = 0;
    std::vector<ReplayRange> rest;
    do {
      const auto step = dead_letters_->Replay(request, rest);
      EXPECT_TRUE(step.ok()) << step.status().ToString();
      if (!step.ok()) break;
      for (const auto& [topic, records] : step->records) replayed += records;
      rest = step->rest;
      if (steps != nullptr) ++*steps;
    } while (!rest.empty());
    return replayed;
  }
  int64_t InputEnd() { return topics_->Describe("in")->partitions[0].end; }

  std::unique_ptr<DeadLetterAccess> dead_letters_;
};

TEST_F(DeadLetterTest, ReplaysEachRowOnceInBoundedSteps) {
  Refuse(0, 15'000);
  Refuse(1, 7'000);
  int steps = 0;
  EXPECT_EQ(Replay({.table = "t", .dry_run = true}, &steps), 22'000);
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(InputEnd(), 0);
  EXPECT_EQ(Replay({.table = "dlq.t"}), 22'000);
  EXPECT_EQ(InputEnd(), 22'000);
  EXPECT_EQ(Replay({.table = "t"}), 0);
  Refuse(1, 3, "late");
  EXPECT_EQ(Replay({.table = "t", .reason = "late"}), 3);
  EXPECT_EQ(Replay({.table = "t", .all = true}), 22'003);
  EXPECT_EQ(Replay({.table = "t"}), 0) << "all of them were noted";
  EXPECT_EQ(InputEnd(), 44'006);
}

TEST_F(DeadLetterTest, RowsRefusedWhileItRunsAreLeftToTheNextReplay) {
  Refuse(0, 10'500);
  const ReplayRequest request{.table = "t"};
  auto step = dead_letters_->Replay(request, {});
  ASSERT_TRUE(step.ok());
  ASSERT_EQ(step->rest.size(), 2u);
  EXPECT_EQ(step->rest[0].from, 10'000);
  // The job reads what came back and refuses it again.
  Refuse(0, 10'000);
  Refuse(1, 5);
  step = dead_letters_->Replay(request, step->rest);
  ASSERT_TRUE(step.ok());
  EXPECT_EQ(step->records["in"], 500);
  EXPECT_TRUE(step->rest.empty());
  EXPECT_EQ(Replay(request), 10'005);
}

TEST_F(DeadLetterTest, TwoReplaysAtATimeShareTheRows) {
  Refuse(0, 12'000);
  const auto first = dead_letters_->Replay({.table = "t"}, {});
  ASSERT_TRUE(first.ok() && !first->rest.empty());
  EXPECT_EQ(Replay({.table = "t"}), 2'000);
  const auto last = dead_letters_->Replay({.table = "t"}, first->rest);
  ASSERT_TRUE(last.ok());
  EXPECT_TRUE(last->records.empty() && last->rest.empty());
  EXPECT_EQ(InputEnd(), 12'000);
}

TEST_F(DeadLetterTest, DropsAndNamesWhatIsThere) {
  Refuse(0, 4);
  Refuse(1, 2);
  const auto dropped = dead_letters_->Drop("t");
  ASSERT_TRUE(dropped.ok());
  EXPECT_EQ(dropped->topic, "dlq.t");
  EXPECT_EQ(dropped->records, 6);
  EXPECT_TRUE(dead_letters_->List()->empty());
  EXPECT_EQ(Replay({.table = "t", .all = true}), 0);
  const Status missing = dead_letters_->Drop("tt").status();
  EXPECT_TRUE(missing.Is(kNotFound));
  EXPECT_EQ(missing.hint(), "did you mean 'dlq.t'?");
  EXPECT_TRUE(dead_letters_->Replay({.table = "t"}, {{7, 0, 1}}).status().Is(kInvalidConfig));
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
