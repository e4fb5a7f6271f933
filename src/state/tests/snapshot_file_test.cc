#include "state/snapshot_file.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "base/errors.h"
#include "state/tests/state_fixture.h"

namespace tidemill {
namespace {

class SnapshotFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        ::testing::TempDir() + "tidemill_snapshot_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  TableSnapshot Sample() {
    TestValues values;
    auto table = KeyedTable::Make({.keys = {{"name", DataType(TypeKind::kString)}}}, &values);
    TM_CHECK(table.ok());
    std::vector<uint32_t> slots;
    TM_CHECK((*table)->Upsert({Strings({"a", "b", "a"})}, 3, slots).ok());
    values.totals[slots[0]] = 3;
    auto snapshot = (*table)->Take(true);
    TM_CHECK(snapshot.ok());
    snapshot->operator_name = "GroupAggregate[q]";
    snapshot->table = "groups";
    return *snapshot;
  }

  LocalFileSystem fs_;
  std::string directory_;
};

TEST_F(SnapshotFileTest, ComesBack) {
  const TableSnapshot snapshot = Sample();
  auto file = WriteSnapshotFile(fs_, directory_, "7/groups-0.arrow", snapshot);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(file->operator_name, "GroupAggregate[q]");
  auto back = ReadSnapshotFile(fs_, directory_, *file);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->table, "groups");
  EXPECT_TRUE(back->full);
  ASSERT_EQ(back->batches.size(), 1u);
  EXPECT_TRUE(back->batches[0]->Equals(*snapshot.batches[0], true));
}

TEST_F(SnapshotFileTest, EveryFlippedByteAndEveryCutIsFound) {
  auto file = WriteSnapshotFile(fs_, directory_, "s.arrow", Sample());
  ASSERT_TRUE(file.ok());
  const std::string path = JoinPath(directory_, file->path);
  const std::string good = *ReadFile(fs_, path, 1 << 20);
  for (size_t i = 0; i < good.size(); i += 13) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    ASSERT_TRUE(WriteFileAtomically(fs_, path, bad).ok());
    const Status status = ReadSnapshotFile(fs_, directory_, *file).status();
    ASSERT_TRUE(status.Is(kCorruption)) << "byte " << i;
    EXPECT_NE(status.message().find(path), std::string::npos);
  }
  ASSERT_TRUE(WriteFileAtomically(fs_, path, good.substr(0, good.size() - 1)).ok());
  EXPECT_TRUE(ReadSnapshotFile(fs_, directory_, *file).status().Is(kCorruption));
  ASSERT_TRUE(fs_.Remove(path).ok());
  EXPECT_TRUE(ReadSnapshotFile(fs_, directory_, *file).status().Is(kFileNotFound));
}

TEST(StateStoreTest, LoadsWhatWasSavedAndNamesWhatNobodyClaims) {
  TestValues values;
  auto table = KeyedTable::Make({.keys = {{"k", DataType(TypeKind::kBigInt, false)}}}, &values);
  StateStore first("Op", {});
  ASSERT_TRUE(first.Register("rows", table->get()).ok());
  std::vector<uint32_t> slots;
  ASSERT_TRUE((*table)->Upsert({Int64s({1, 2})}, 2, slots).ok());
  auto saved = first.Take(true);
  ASSERT_TRUE(saved.ok());
  EXPECT_EQ((*saved)[0].operator_name, "Op");
  EXPECT_EQ((*saved)[0].table, "rows");
  EXPECT_EQ(first.NumKeys(), 2);
  EXPECT_GT(first.MemoryBytes(), 0);

  TestValues other_values;
  auto other = KeyedTable::Make({.keys = {{"k", DataType(TypeKind::kBigInt, false)}}}, &other_values);
  StateStore second("Op", KeyGroupsOfLane(0, 1));
  second.SetRestored({{"rows", {(*saved)[0]}}, {"old", {(*saved)[0]}}});
  ASSERT_TRUE(second.Register("rows", other->get()).ok());
  EXPECT_EQ(second.NumKeys(), 2);
  EXPECT_EQ(second.UnclaimedTables(), std::vector<std::string>{"old"});
}

}  // namespace
}  // namespace tidemill
