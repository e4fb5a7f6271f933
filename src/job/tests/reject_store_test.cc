#include "job/reject_store.h"

#include <atomic>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/simulated_file_system.h"
#include "log/log.h"

namespace tidemill {
namespace {

RejectedRow Row(int64_t offset, std::string raw) {
  return {.reason = RejectReason::kWrongType,
          .source = "orders",
          .partition = 2,
          .offset = offset,
          .field = "amount",
          .detail = "expected DOUBLE",
          .raw = std::move(raw),
          .event_time = 77};
}

class RejectStoreTest : public ::testing::Test {
 protected:
  RejectStore::Options Options() { return {.files = &files_, .clock = &clock_, .metrics = &metrics_, .job = "fraud"}; }

  ManualClock clock_{5'000'000};
  SimulatedFileSystem files_;
  MetricsRegistry metrics_;
};

TEST_F(RejectStoreTest, RowsGoToATopicWithTheirPlaceAndReason) {
  auto log = Log::Open(files_, clock_, "log");
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  RejectStore::Options options = Options();
  options.log = log->get();
  {
    RejectStore store(options);
    auto sink = store.MakeSink("odd name/х");  // what no topic may be called
    for (int64_t i = 0; i < 2500; ++i) sink->Reject(Row(i, "{" + std::to_string(i)));
    ASSERT_TRUE(store.Sync().ok());
    EXPECT_EQ(store.total(), 2500);
  }
  const std::vector<std::string> topics = (*log)->ListTopics();
  ASSERT_EQ(topics.size(), 1u);
  EXPECT_EQ(topics[0], "dlq.odd_name___");
  auto partition = *(*log)->partition(topics[0], 0);
  EXPECT_EQ(partition->Offsets().durable_end, 2500);
  PartitionReader reader(partition, 0);
  std::vector<RecordView> records;
  ASSERT_TRUE(reader.Poll(10, &records).ok());
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].value, "{0");
  const auto headers = *DecodeHeaders(records[0]);
  std::map<std::string, std::string> by_key;
  for (const auto& header : headers) by_key[std::string(header.key)] = std::string(header.value.value_or(""));
  EXPECT_EQ(by_key, (std::map<std::string, std::string>{{"reason", "wrong_type"},
                                                        {"detail", "expected DOUBLE"},
                                                        {"topic", "orders"},
                                                        {"partition", "2"},
                                                        {"offset", "0"},
                                                        {"field", "amount"},
                                                        {"event_time", "77"},
                                                        {"job", "fraud"}}));
  EXPECT_EQ(metrics_.SumCounter("tidemill_dlq_records_total"), 2500);
}

TEST_F(RejectStoreTest, WithoutALogRowsGoToAFile) {
  RejectStore::Options options = Options();
  options.directory = "out/rejects";
  RejectStore store(options);
  auto sink = store.MakeSink("orders");
  sink->Reject(Row(7, "caf\xff"));  // not UTF-8
  ASSERT_TRUE(store.Sync().ok());
  files_.Crash(1);
  const auto text = ReadFile(files_, "out/rejects/orders.jsonl", 1 << 20);
  ASSERT_TRUE(text.ok());
  const auto row = nlohmann::json::parse(*text);
  EXPECT_EQ(row["reason"], "wrong_type");
  EXPECT_EQ(row["offset"], 7);
  EXPECT_EQ(row["refused_at"], 5000);
}

TEST_F(RejectStoreTest, TheLastOnesStayInMemory) {
  RejectStore::Options options = Options();
  options.kept_in_memory = 10;
  RejectStore store(options);
  auto sink = store.MakeSink("orders");
  for (int64_t i = 0; i < 100; ++i) sink->Reject(Row(i, ""));
  ASSERT_TRUE(store.Sync().ok());
  const auto recent = store.Recent("orders");
  ASSERT_EQ(recent.size(), 10u);
  EXPECT_EQ(recent.front().offset, 90);
  EXPECT_TRUE(store.Recent("other").empty());
}

TEST_F(RejectStoreTest, AFullDiskFillsTheQueueLosesNothingAndEndsByItself) {
  RejectStore::Options options = Options();
  options.directory = "d";
  options.queue_bytes_max = 10'000;
  RejectStore store(options);
  auto sink = store.MakeSink("orders");
  std::atomic<int> woken{0};
  sink->SetWake([&] { ++woken; });
  files_.SetCapacity(0);
  int64_t rows = 0;
  while (sink->HasRoom()) sink->Reject(Row(rows++, std::string(100, 'x')));
  EXPECT_LT(rows, 100);
  EXPECT_TRUE(store.Sync().Is(kDiskFull));
  files_.SetCapacity(-1);
  Status synced = store.Sync();
  for (int i = 0; i < 100'000 && !synced.ok(); ++i) synced = store.Sync();
  ASSERT_TRUE(synced.ok()) << synced.ToString();
  const auto text = ReadFile(files_, "d/orders.jsonl", 1 << 20);
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), rows);
  while (woken == 0) std::this_thread::yield();
  EXPECT_TRUE(sink->HasRoom());
}

}  // namespace
}  // namespace tidemill
