#include "state/time_buffer.h"

#include <map>

#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "state/errors.h"
#include "state/tests/state_fixture.h"
#include "state/words.h"

namespace tidemill {
namespace {

struct TimedRow {
  EventTime time;
  int64_t number;
  std::string text;
  bool operator==(const TimedRow&) const = default;
};
using Content = std::map<int64_t, std::vector<TimedRow>>;

TimeBuffer::Options TestOptions() {
  return {.keys = {{"k", DataType(TypeKind::kBigInt, false)}},
          .values = {{"number", DataType(TypeKind::kBigInt)}, {"text", DataType(TypeKind::kString, false)}},
          .flags = {"odd"}};
}

std::unique_ptr<TimeBuffer> MakeTimeBuffer() {
  auto buffer = TimeBuffer::Make(TestOptions());
  TM_CHECK(buffer.ok());
  return *std::move(buffer);
}

void Add(TimeBuffer& buffer, int64_t key, const TimedRow& row) {
  std::vector<uint32_t> slots;
  TM_CHECK(buffer.FindOrInsert({Int64s({key})}, 1, slots).ok());
  uint32_t sequence = 0;
  uint64_t* record = buffer.Insert(slots[0], row.time, &sequence);
  record[buffer.word_of(0)] = static_cast<uint64_t>(row.number);
  if (row.number < 0) record[buffer.null_word()] |= buffer.null_bit(0);
  if (row.number % 2) record[buffer.null_word()] |= buffer.flag_bit(0);
  record[buffer.word_of(1)] = buffer.strings().Intern(row.text);
  buffer.NoteInserted(slots[0], sequence);
}

// Also checks that the times of each key ascend, and nulls and flags.
Content ContentOf(const TimeBuffer& buffer, const Content& keys) {
  Content content;
  for (const auto& [key, rows] : keys) {
    std::vector<uint32_t> slots;
    TM_CHECK(const_cast<TimeBuffer&>(buffer).Find({Int64s({key})}, 1, slots).ok());
    if (slots[0] == kNoSlot) continue;
    const TimeBuffer::Ring& ring = buffer.ring(slots[0]);
    EventTime last = kMinEventTime;
    for (uint32_t s = ring.front; s != ring.back; ++s) {
      const uint64_t* record = buffer.record(ring, s);
      const bool null = record[buffer.null_word()] & buffer.null_bit(0);
      TimedRow row{buffer.time(ring, s), static_cast<int64_t>(record[buffer.word_of(0)]),
                   std::string(buffer.strings().Get(record[buffer.word_of(1)]))};
      EXPECT_LE(last, row.time);
      last = row.time;
      if (null) {
        row.number = -1;
      } else {
        EXPECT_EQ((record[buffer.null_word()] & buffer.flag_bit(0)) != 0, row.number % 2 == 1);
      }
      content[key].push_back(row);
    }
  }
  return content;
}

TEST(TimeBufferTest, RandomRowsTrimsAndSnapshotsEqualAModel) {
  Random random(11);
  auto live = MakeTimeBuffer();
  Content model;
  std::vector<TableSnapshot> chain;
  int64_t delta_rows = 0;
  EventTime bound = 0;
  for (int epoch = 0; epoch < 30; ++epoch) {
    for (int i = 0; i < 500; ++i) {
      const int64_t key = static_cast<int64_t>(random.Uniform(40));
      const EventTime late = random.Uniform(4) == 0 ? static_cast<EventTime>(random.Uniform(150)) : 0;
      TimedRow row{epoch * 100 + i / 5 - late, static_cast<int64_t>(random.Uniform(1000)),
                   "t" + std::to_string(random.Uniform(50))};
      if (row.time < bound) continue;
      if (random.Uniform(10) == 0) row.number = -1;
      Add(*live, key, row);
      auto& rows = model[key];
      rows.insert(std::upper_bound(rows.begin(), rows.end(), row,
                                   [](const TimedRow& a, const TimedRow& b) { return a.time < b.time; }),
                  row);
    }
    // Two windows of 100 are kept.
    bound = epoch * 100 - 200;
    for (auto& [key, rows] : model) {
      std::vector<uint32_t> slots;
      ASSERT_TRUE(live->Find({Int64s({key})}, 1, slots).ok());
      live->TrimTo(slots[0], live->LowerBound(live->ring(slots[0]), bound));
      std::erase_if(rows, [&](const TimedRow& row) { return row.time < bound; });
    }
    live->set_trim_bound(bound);
    ASSERT_EQ(ContentOf(*live, model), model);
    auto snapshot = live->Take(epoch % 10 == 0);
    ASSERT_TRUE(snapshot.ok());
    if (snapshot->full) chain.clear();
    if (!snapshot->full) delta_rows += snapshot->batches[0]->num_rows();
    chain.push_back(*snapshot);
    for (const int lanes : {1, 3}) {
      Content together;
      for (int lane = 0; lane < lanes; ++lane) {
        auto restored = MakeTimeBuffer();
        for (const TableSnapshot& part : chain) ASSERT_TRUE(restored->Load(part, KeyGroupsOfLane(lane, lanes)).ok());
        EXPECT_EQ(restored->trim_bound(), bound);
        for (auto& [key, rows] : ContentOf(*restored, model)) {
          std::erase_if(rows, [&](const TimedRow& row) { return row.time < bound; });
          together[key] = rows;
        }
      }
      ASSERT_EQ(together, model) << "epoch " << epoch << ", " << lanes << " lanes";
    }
  }
  EXPECT_LT(delta_rows, 27 * 520) << "a delta holds the new rows alone";
}

TEST(TimeBufferTest, ErasedKeysGiveTheirMemoryAndStringsBack) {
  auto buffer = MakeTimeBuffer();
  for (int i = 0; i < 10000; ++i) Add(*buffer, i % 10, {i, i, "only" + std::to_string(i)});
  EXPECT_EQ(buffer->strings().size(), 10000);
  EXPECT_EQ(buffer->num_records(), 10000);
  for (uint32_t slot = 0; slot < 10; ++slot) buffer->EraseKey(slot);
  EXPECT_EQ(buffer->strings().size(), 0);
  EXPECT_EQ(buffer->NumKeys(), 0);
  const int64_t before = buffer->MemoryBytes();
  for (int i = 0; i < 10000; ++i) Add(*buffer, i % 10, {i, i, "only" + std::to_string(i)});
  EXPECT_LE(buffer->MemoryBytes(), before * 11 / 10);
}

TEST(TimeBufferTest, TrimmingShrinksRings) {
  auto buffer = MakeTimeBuffer();
  for (int i = 0; i < 100000; ++i) Add(*buffer, 1, {i, i, "x"});
  const int64_t full = buffer->MemoryBytes();
  buffer->TrimTo(0, buffer->LowerBound(buffer->ring(0), 99'990));
  for (int i = 0; i < 100; ++i) {
    Add(*buffer, 1, {200'000 + i, i, "x"});
    buffer->TrimTo(0, buffer->ring(0).back - 5);
  }
  EXPECT_LT(buffer->MemoryBytes(), full / 10);
  EXPECT_EQ(buffer->ring(0).size(), 5u);
}

TEST(TimeBufferTest, NestedTypesAndTooManyBitsAreRefused) {
  EXPECT_TRUE(
      TimeBuffer::Make({.values = {{"a", DataType::Array(DataType(TypeKind::kInt))}}}).status().Is(kUnsupportedType));
  std::vector<Field> many(65, Field{"v", DataType(TypeKind::kInt)});
  EXPECT_TRUE(TimeBuffer::Make({.values = many}).status().Is(kStateLimit));
}

TEST(WordsTest, EveryFlatTypeComesBack) {
  const std::vector<std::pair<DataType, std::string>> cases = {
      {DataType(TypeKind::kBoolean), "[true, null, false]"},
      {DataType(TypeKind::kTinyInt), "[-128, null, 127]"},
      {DataType(TypeKind::kSmallInt), "[-5, null, 5]"},
      {DataType(TypeKind::kInt), "[-7, null, 2147483647]"},
      {DataType(TypeKind::kBigInt), "[-9223372036854775807, null, 1]"},
      {DataType(TypeKind::kFloat), "[1.5, null, -0.25]"},
      {DataType(TypeKind::kDouble), "[1e300, null, -0.1]"},
      {DataType::Decimal(38, 4), "[\"-123456789012345678901234567890.1234\", null, \"0.0001\"]"},
      {DataType(TypeKind::kString), "[\"\", null, \"naïve\"]"},
      {DataType(TypeKind::kBytes), "[\"a\", null, \"\"]"},
      {DataType(TypeKind::kDate), "[0, null, -1]"},
      {DataType(TypeKind::kTime), "[0, null, 86399999]"},
      {DataType::Timestamp(3), "[0, null, -1]"},
      {DataType::TimestampLtz(9), "[0, null, 1]"},
      {DataType(TypeKind::kIntervalDay), "[0, null, 9]"},
      {DataType(TypeKind::kIntervalMonth), "[0, null, 9]"},
  };
  for (const auto& [type, json] : cases) {
    auto array = arrow::json::ArrayFromJSONString(ToArrow(type), json);
    ASSERT_TRUE(array.ok()) << type.ToString();
    StringStore strings;
    uint64_t table[3][4] = {};
    uint64_t* records[3] = {table[0], table[1], table[2]};
    ScatterWords(**array, records, 1, &strings);
    ScatterNulls(**array, records, 0, 4);
    const uint64_t* read[3] = {table[0], table[1], table[2]};
    auto back = GatherWords(type, read, 1, 0, 4, strings);
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE((*back)->Equals(**array)) << (*back)->ToString();
    EXPECT_TRUE((*back)->ValidateFull().ok());
    read[0] = nullptr;
    back = GatherWords(type, read, 1, 0, 4, strings);
    EXPECT_TRUE((*back)->IsNull(0) && (*back)->IsNull(1) && !(*back)->IsNull(2));
  }
}

}  // namespace
}  // namespace tidemill
