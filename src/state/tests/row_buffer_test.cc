#include "state/row_buffer.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/random.h"
#include "state/tests/state_fixture.h"

namespace tidemill {
namespace {

Schema RowSchema() {
  return Schema({{"k", DataType(TypeKind::kBigInt, false)},
                 {"n", DataType(TypeKind::kBigInt)},
                 {"s", DataType(TypeKind::kString)}});
}

std::unique_ptr<RowBuffer> MakeBuffer() {
  auto buffer = RowBuffer::Make({RowSchema(), {0}});
  TM_CHECK(buffer.ok());
  return *std::move(buffer);
}

// Row n has number n; its key and text follow from it.
struct Row {
  EventTime time;
  int64_t number;
  auto operator<=>(const Row&) const = default;
};

Batch BatchOf(const std::vector<Row>& rows) {
  std::vector<int64_t> keys;
  std::vector<int64_t> numbers;
  std::vector<std::string> texts;
  for (const Row& row : rows) {
    keys.push_back(row.number % 50);
    numbers.push_back(row.number);
    texts.push_back("row" + std::to_string(row.number));
  }
  return Batch{arrow::RecordBatch::Make(RowSchema().arrow(), static_cast<int64_t>(rows.size()),
                                        {Int64s(keys), Int64s(numbers), Strings(texts)}),
               nullptr, 0};
}

std::vector<EventTime> TimesOf(const std::vector<Row>& rows) {
  std::vector<EventTime> times;
  for (const Row& row : rows) times.push_back(row.time);
  return times;
}

std::vector<Row> RowsOf(const std::vector<RowBuffer::Released>& released) {
  std::vector<Row> rows;
  EventTime last_of_batch = kMinEventTime;
  for (const auto& part : released) {
    EXPECT_EQ(part.batch.num_rows(), static_cast<int64_t>(part.times.size()));
    EXPECT_LT(last_of_batch, part.times.front()) << "rows of one time are in one batch";
    last_of_batch = part.times.back();
    const auto& numbers = static_cast<const arrow::Int64Array&>(*part.batch.rows->column(1));
    const auto& texts = static_cast<const arrow::StringArray&>(*part.batch.rows->column(2));
    for (int64_t i = 0; i < part.batch.num_rows(); ++i) {
      rows.push_back({part.times[static_cast<size_t>(i)], numbers.Value(i)});
      EXPECT_EQ(texts.GetString(i), "row" + std::to_string(numbers.Value(i)));
    }
  }
  return rows;
}

TEST(RowBufferTest, RandomRowsComeOutInOrderOfTimeAndArrival) {
  for (const int64_t batch_rows : {1, 7, 3000}) {
    Random random(static_cast<uint64_t>(batch_rows));
    auto buffer = MakeBuffer();
    std::vector<Row> model;
    std::vector<TableSnapshot> chain;
    int64_t number = 0;
    EventTime watermark = 0;
    for (int step = 0; step < 300; ++step) {
      std::vector<Row> rows(1 + random.Uniform(static_cast<uint64_t>(batch_rows)));
      const bool ordered = random.Uniform(2) == 0;
      for (size_t i = 0; i < rows.size(); ++i) {
        rows[i] = {watermark + 1 + static_cast<EventTime>(ordered ? i / 100 : random.Uniform(40)), number++};
        if (random.Uniform(500) == 0) rows[i].time += 10'000;
      }
      if (ordered)
        std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
      model.insert(model.end(), rows.begin(), rows.end());
      ASSERT_TRUE(buffer->Add(BatchOf(rows), TimesOf(rows)).ok());
      if (random.Uniform(3) == 0) {
        watermark += static_cast<EventTime>(random.Uniform(20));
        std::vector<RowBuffer::Released> released;
        ASSERT_TRUE(buffer->TakeUntil(watermark, released).ok());
        std::stable_sort(model.begin(), model.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
        const auto end = std::find_if(model.begin(), model.end(), [&](const Row& row) { return row.time > watermark; });
        ASSERT_EQ(RowsOf(released), std::vector<Row>(model.begin(), end));
        model.erase(model.begin(), end);
        std::sort(model.begin(), model.end(), [](const Row& a, const Row& b) { return a.number < b.number; });
      }
      ASSERT_EQ(buffer->num_rows(), static_cast<int64_t>(model.size()));
      if (step % 20 == 10) {
        auto snapshot = buffer->Take(step % 100 == 10);
        ASSERT_TRUE(snapshot.ok());
        if (snapshot->full) chain.clear();
        chain.push_back(*snapshot);
        std::vector<Row> together;
        for (int lane = 0; lane < 3; ++lane) {
          auto restored = MakeBuffer();
          for (const auto& part : chain) ASSERT_TRUE(restored->Load(part, KeyGroupsOfLane(lane, 3)).ok());
          EXPECT_EQ(restored->released_until(), buffer->released_until());
          std::vector<RowBuffer::Released> all;
          ASSERT_TRUE(restored->TakeUntil(kMaxEventTime, all).ok());
          const std::vector<Row> rows_of_lane = RowsOf(all);
          EXPECT_TRUE(std::is_sorted(rows_of_lane.begin(), rows_of_lane.end())) << "ties keep their arrival";
          together.insert(together.end(), rows_of_lane.begin(), rows_of_lane.end());
        }
        std::sort(together.begin(), together.end());
        std::vector<Row> expected = model;
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(together, expected);
      }
    }
  }
}

TEST(RowBufferTest, RowsInOrderAreNotCopied) {
  auto buffer = MakeBuffer();
  std::vector<Row> rows;
  for (int64_t i = 0; i < 8000; ++i) rows.push_back({i, i});
  const Batch batch = BatchOf(rows);
  ASSERT_TRUE(buffer->Add(batch, TimesOf(rows)).ok());
  std::vector<RowBuffer::Released> released;
  ASSERT_TRUE(buffer->TakeUntil(4999, released).ok());
  ASSERT_EQ(released.size(), 1u);
  EXPECT_EQ(released[0].batch.num_rows(), 5000);
  EXPECT_EQ(released[0].batch.rows->column(1)->data()->buffers[1], batch.rows->column(1)->data()->buffers[1]);
}

TEST(RowBufferTest, FarRowsDoNotKeepTheirBatches) {
  auto buffer = MakeBuffer();
  for (int64_t b = 0; b < 100; ++b) {
    std::vector<Row> rows;
    for (int64_t i = 0; i < 1000; ++i) rows.push_back({b * 1000 + i, i});
    rows.push_back({1'000'000, 1});
    ASSERT_TRUE(buffer->Add(BatchOf(rows), TimesOf(rows)).ok());
    std::vector<RowBuffer::Released> released;
    ASSERT_TRUE(buffer->TakeUntil(b * 1000 + 999, released).ok());
  }
  EXPECT_EQ(buffer->num_rows(), 100);
  EXPECT_LT(buffer->MemoryBytes(), 100 * 200);
  EXPECT_EQ(buffer->earliest(), 1'000'000);
}

TEST(RowBufferTest, RowKindsComeBack) {
  auto buffer = MakeBuffer();
  Batch batch = BatchOf({{5, 1}, {4, 2}});
  arrow::Int8Builder kinds;
  ASSERT_TRUE(kinds.AppendValues({0, 3}).ok());
  batch.row_kinds = *kinds.Finish();
  ASSERT_TRUE(buffer->Add(batch, {5, 4}).ok());
  auto snapshot = buffer->Take(true);
  auto restored = MakeBuffer();
  ASSERT_TRUE(restored->Load(*snapshot, {}).ok());
  std::vector<RowBuffer::Released> released;
  ASSERT_TRUE(restored->TakeUntil(10, released).ok());
  ASSERT_EQ(released.size(), 1u);
  const auto& out = static_cast<const arrow::Int8Array&>(*released[0].batch.row_kinds);
  EXPECT_EQ(out.Value(0), 3);
  EXPECT_EQ(out.Value(1), 0);
}

}  // namespace
}  // namespace tidemill
