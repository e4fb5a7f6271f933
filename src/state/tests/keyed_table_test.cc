#include "state/keyed_table.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "state/errors.h"
#include "state/tests/state_fixture.h"

namespace tidemill {
namespace {

struct Side {
  TestValues values;
  std::unique_ptr<KeyedTable> table;
  explicit Side(KeyedTable::Options options) {
    auto made = KeyedTable::Make(std::move(options), &values);
    TM_CHECK(made.ok());
    table = *std::move(made);
  }
  std::map<int64_t, int64_t> Content() {
    std::map<int64_t, int64_t> content;
    for (uint32_t slot = 0; slot < table->index().slot_limit(); ++slot) {
      if (!table->index().IsLive(slot)) continue;
      auto keys = table->DecodeKeys(std::vector<uint32_t>{slot});
      TM_CHECK(keys.ok());
      content[static_cast<const arrow::Int64Array&>(*(*keys)[0]).Value(0)] = values.totals[slot];
    }
    return content;
  }
};

KeyedTable::Options BigIntKey() { return {.keys = {{"k", DataType(TypeKind::kBigInt, false)}}}; }

TEST(KeyedTableTest, FullAndDeltasRestoreAtOtherKeyGroupRanges) {
  Random random(7);
  Side live(BigIntKey());
  std::map<int64_t, int64_t> expected;
  std::vector<TableSnapshot> chain;
  for (int epoch = 0; epoch < 20; ++epoch) {
    std::vector<int64_t> keys(400);
    for (int64_t& key : keys) key = static_cast<int64_t>(random.Uniform(3000));
    std::vector<uint32_t> slots;
    ASSERT_TRUE(live.table->Upsert({Int64s(keys)}, 400, slots).ok());
    for (size_t i = 0; i < keys.size(); ++i) {
      live.values.totals[slots[i]] += epoch + 1;
      expected[keys[i]] += epoch + 1;
    }
    std::vector<uint32_t> gone;
    for (auto at = expected.begin(); at != expected.end();) {
      if (random.Uniform(10) != 0) {
        ++at;
        continue;
      }
      std::vector<uint32_t> found;
      ASSERT_TRUE(live.table->Find({Int64s({at->first})}, 1, found).ok());
      gone.push_back(found[0]);
      at = expected.erase(at);
    }
    live.table->Erase(gone);
    auto snapshot = live.table->Take(epoch == 0);
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(snapshot->full, epoch == 0);
    chain.push_back(*snapshot);
  }
  EXPECT_EQ(live.Content(), expected);
  for (const int lanes : {1, 2, 3}) {
    std::map<int64_t, int64_t> together;
    for (int lane = 0; lane < lanes; ++lane) {
      Side restored(BigIntKey());
      for (const TableSnapshot& snapshot : chain)
        ASSERT_TRUE(restored.table->Load(snapshot, KeyGroupsOfLane(lane, lanes)).ok());
      for (const auto& [key, total] : restored.Content())
        EXPECT_TRUE(together.emplace(key, total).second) << "key in two lanes";
      auto again = restored.table->Take(false);
      ASSERT_TRUE(again.ok());
      EXPECT_TRUE(again->full) << "after a load the next snapshot stands alone";
    }
    EXPECT_EQ(together, expected) << lanes << " lanes";
  }
}

TEST(KeyedTableTest, UnchangedKeysAreNotInADelta) {
  Side live(BigIntKey());
  std::vector<uint32_t> slots;
  ASSERT_TRUE(live.table->Upsert({Int64s({1, 2, 3})}, 3, slots).ok());
  ASSERT_TRUE(live.table->Take(false).ok());
  ASSERT_TRUE(live.table->Upsert({Int64s({2})}, 1, slots).ok());
  auto delta = live.table->Take(false);
  ASSERT_TRUE(delta.ok());
  ASSERT_EQ(delta->batches.size(), 1u);
  EXPECT_EQ(delta->batches[0]->num_rows(), 1);
}

TEST(KeyedTableTest, ErasedThenInsertedAgainIsEmptyAndSaved) {
  Side live(BigIntKey());
  std::vector<uint32_t> slots;
  ASSERT_TRUE(live.table->Upsert({Int64s({5})}, 1, slots).ok());
  live.values.totals[slots[0]] = 9;
  auto first = live.table->Take(true);
  live.table->Erase(slots);
  ASSERT_TRUE(live.table->Upsert({Int64s({5})}, 1, slots).ok());
  EXPECT_EQ(live.values.totals[slots[0]], 0);
  live.values.totals[slots[0]] = 4;
  auto second = live.table->Take(false);
  Side restored(BigIntKey());
  ASSERT_TRUE(restored.table->Load(*first, {}).ok());
  ASSERT_TRUE(restored.table->Load(*second, {}).ok());
  EXPECT_EQ(restored.Content(), (std::map<int64_t, int64_t>{{5, 4}}));
}

TEST(KeyedTableTest, TimeToLiveEmptiesIdleKeysAndSurvivesRestore) {
  ManualClock clock(1'000'000);
  KeyedTable::Options options = BigIntKey();
  options.ttl_ms = 100;
  options.clock = &clock;
  Side live(options);
  std::vector<uint32_t> slots;
  std::vector<uint32_t> new_rows;
  ASSERT_TRUE(live.table->Upsert({Int64s({1, 2})}, 2, slots, &new_rows).ok());
  EXPECT_EQ(new_rows.size(), 2u);
  live.values.totals[slots[0]] = 10;
  live.values.totals[slots[1]] = 20;
  clock.AdvanceMicros(60'000);
  ASSERT_TRUE(live.table->Upsert({Int64s({2})}, 1, slots).ok());
  auto snapshot = live.table->Take(true);
  clock.AdvanceMicros(60'000);  // key 1 idle for 120 ms, key 2 for 60 ms
  Side restored(options);
  ASSERT_TRUE(restored.table->Load(*snapshot, {}).ok());
  for (Side* side : {&live, &restored}) {
    ASSERT_TRUE(side->table->Find({Int64s({1, 2})}, 2, slots).ok());
    EXPECT_EQ(slots[0], kNoSlot);
    ASSERT_NE(slots[1], kNoSlot);
    EXPECT_EQ(side->values.totals[slots[1]], 20);
    std::vector<uint32_t> expired;
    side->table->CollectExpired(100, expired);
    EXPECT_EQ(expired.size(), 1u);
    new_rows.clear();
    ASSERT_TRUE(side->table->Upsert({Int64s({1})}, 1, slots, &new_rows).ok());
    EXPECT_EQ(new_rows.size(), 1u) << "an expired key is new again";
    EXPECT_EQ(side->values.totals[slots[0]], 0);
  }
}

TEST(KeyedTableTest, OtherTypesAreRefusedByName) {
  Side live(BigIntKey());
  std::vector<uint32_t> slots;
  ASSERT_TRUE(live.table->Upsert({Int64s({1})}, 1, slots).ok());
  auto snapshot = live.table->Take(true);
  Side other({.keys = {{"k", DataType(TypeKind::kString)}}});
  const Status status = other.table->Load(*snapshot, {});
  ASSERT_TRUE(status.Is(kIncompatibleState));
  EXPECT_NE(status.message().find("'k'"), std::string::npos);
  Side renamed({.keys = {{"key", DataType(TypeKind::kBigInt, false)}}});
  EXPECT_TRUE(renamed.table->Load(*snapshot, {}).Is(kIncompatibleState));
}

}  // namespace
}  // namespace tidemill
