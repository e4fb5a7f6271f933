#include "exec/journal_operator.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "exec/tests/operator_harness.h"
#include "state/errors.h"

namespace tidemill {
namespace {

using Rows = std::vector<std::string>;

Schema RowSchema() { return Schema({{"id", DataType(TypeKind::kBigInt)}, {"score", DataType(TypeKind::kDouble)}}); }

// A journal that is durable when the test says so.
struct Disk {
  std::vector<Batch> written;
  std::vector<std::function<void(Status)>> waiting;
  std::vector<Batch> recovered;
  void Sync(Status status = Status::OK()) {
    for (auto& done : std::exchange(waiting, {})) done(status);
  }
};

class TestJournal final : public Journal {
 public:
  explicit TestJournal(Disk* disk) : disk_(disk) {}
  void Append(const Batch& batch, std::function<void(Status)> done) override {
    disk_->written.push_back(batch);
    disk_->waiting.push_back(std::move(done));
  }
  Result<std::vector<Batch>> TakeRecovered() override { return disk_->recovered; }
  void StartEpoch(int64_t) override {}

 private:
  Disk* disk_;
};

OperatorHarness MakeHarness(Disk* disk, int parallelism = 1) {
  return OperatorHarness(
      [disk] {
        return Result<std::unique_ptr<Operator>>(
            *JournalOperator::Make({.deterministic_columns = {0}}, RowSchema(), std::make_unique<TestJournal>(disk)));
      },
      {RowSchema()}, {{0}}, parallelism);
}

TEST(JournalOperatorTest, HoldsRowsAndWatermarkUntilDurable) {
  Disk disk;
  OperatorHarness harness = MakeHarness(&disk);
  ASSERT_TRUE(harness.Watermark(10).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[1,0.5],[2,0.25]]")).ok());
  ASSERT_TRUE(harness.Watermark(20).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[3,0.75]]")).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  EXPECT_FALSE(harness.subtask(0).IsQuiescent());
  EXPECT_EQ(harness.subtask(0).HoldsWatermark(20), 10);
  disk.Sync();
  ASSERT_TRUE(harness.Wake().ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"1|0.5", "2|0.25", "3|0.75"}));
  EXPECT_TRUE(harness.subtask(0).IsQuiescent());
  EXPECT_EQ(harness.subtask(0).HoldsWatermark(20), 20);
}

TEST(JournalOperatorTest, OrderIsKeptWhenLaterRowsAreDurableFirst) {
  Disk disk;
  OperatorHarness harness = MakeHarness(&disk);
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[1,0.5]]")).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[2,0.25]]")).ok());
  disk.waiting[1](Status::OK());
  ASSERT_TRUE(harness.Wake().ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  disk.waiting[0](Status::OK());
  ASSERT_TRUE(harness.Wake().ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"1|0.5", "2|0.25"}));
}

TEST(JournalOperatorTest, AReplayTakesWhatWasDecided) {
  Disk disk;
  disk.recovered = {RowsOf(RowSchema(), "[[1,0.5],[7,0.1],[7,0.2],[9,0.9]]")};
  OperatorHarness harness = MakeHarness(&disk);
  // Other scores this time, in another batch and order; row 5 is new.
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[7,1],[5,1],[7,1],[1,1],[7,1]]")).ok());
  ASSERT_EQ(disk.written.size(), 1u);
  EXPECT_EQ(TextOfRows(disk.written[0]), (Rows{"5|1", "7|1"})) << "only what is new is written";
  disk.Sync();
  ASSERT_TRUE(harness.Wake().ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"7|0.1", "5|1", "7|0.2", "1|0.5", "7|1"}));
  // Rows that are all known wait for nothing.
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[9,1]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"9|0.9"}));
  EXPECT_EQ(disk.written.size(), 1u);
}

TEST(JournalOperatorTest, WhatWasNotMetYetIsStateAtAnyParallelism) {
  Disk disk;
  std::string json = "[";
  for (int i = 0; i < 50; ++i) json += (i ? "," : "") + ("[" + std::to_string(i) + ",0.5]");
  disk.recovered = {RowsOf(RowSchema(), json + "]")};
  OperatorHarness harness = MakeHarness(&disk, 2);
  ASSERT_TRUE(harness.Snapshot(true).ok());
  disk.recovered.clear();  // the epoch is durable: the journal before it has gone
  ASSERT_TRUE(harness.Restore(3).ok());
  std::string replay = "[";
  for (int i = 49; i >= 0; --i) replay += (i < 49 ? "," : "") + ("[" + std::to_string(i) + ",0.75]");
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), replay + "]")).ok());
  EXPECT_TRUE(disk.written.empty());
  const Rows rows = harness.TakeRows();
  EXPECT_EQ(rows.size(), 50u);
  for (const std::string& row : rows) EXPECT_NE(row.find("|0.5"), std::string::npos);
}

TEST(JournalOperatorTest, RowsThatAreNeverMetAreForgotten) {
  Disk disk;
  disk.recovered = {RowsOf(RowSchema(), "[[1,0.5]]")};
  OperatorHarness harness = MakeHarness(&disk);
  for (int i = 0; i <= RecoveredRows::kEpochsMax; ++i) ASSERT_TRUE(harness.Snapshot(false).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[1,0.75]]")).ok());
  EXPECT_EQ(disk.written.size(), 1u);
}

TEST(JournalOperatorTest, AJournalThatFailsStopsTheJob) {
  Disk disk;
  OperatorHarness harness = MakeHarness(&disk);
  ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[1,0.5]]")).ok());
  disk.Sync(Status(kDiskFull, "no space"));
  EXPECT_TRUE(harness.Wake().Is(kDiskFull));
  EXPECT_TRUE(harness.TakeRows().empty());
}

TEST(JournalOperatorTest, RoomIsBounded) {
  Disk disk;
  OperatorHarness harness = MakeHarness(&disk);
  int batches = 0;
  while (harness.subtask(0).HasRoom() && batches < 100'000) {
    ASSERT_TRUE(harness.Feed(0, RowsOf(RowSchema(), "[[1,0.5]]")).ok());
    ++batches;
  }
  EXPECT_LT(batches, 10'000);
  disk.Sync();
  ASSERT_TRUE(harness.Wake().ok());
  EXPECT_TRUE(harness.subtask(0).HasRoom());
}

TEST(JournalOperatorTest, OtherColumnsInTheJournalAreRefused) {
  Disk disk;
  disk.recovered = {RowsOf(Schema({{"id", DataType(TypeKind::kString)}}), "[[\"1\"]]")};
  auto op = JournalOperator::Make({.deterministic_columns = {0}}, RowSchema(), std::make_unique<TestJournal>(&disk));
  StateStore state("Op", {});
  OpenContext context{.operator_name = "Op", .state = &state, .wake = [] {}};
  EXPECT_TRUE((*op)->Open(context).Is(kIncompatibleState));
}

}  // namespace
}  // namespace tidemill
