#include "feature/online_table.h"

#include <thread>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "feature/errors.h"
#include "feature/tests/rows.h"

namespace tidemill {
namespace {

TEST(OnlineTable, HoldsTheNewestRowOfEachEntity) {
  const uint64_t seed = 11;
  Random random(seed);
  const auto table = *OnlineTable::Make(CardView());
  const auto keys = *table->MakeKeyEncoder();
  std::vector<CardRow> all;
  for (int batch = 0; batch < 200; ++batch) {
    std::vector<CardRow> rows;
    const int n = 1 + static_cast<int>(random.Uniform(300));
    for (int i = 0; i < n; ++i) {
      rows.push_back({static_cast<int64_t>(random.Uniform(500)) - 250, static_cast<int64_t>(random.Uniform(1000)),
                      static_cast<int32_t>(random.Uniform(100))});
    }
    const auto counts = table->Upsert(*CardRows(rows), *keys, true);
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(counts->written + counts->stale, n);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  const auto newest = NewestByCard(all);
  EXPECT_EQ(table->size(), static_cast<int64_t>(newest.size()));

  arrow::Int64Builder asked;
  for (int64_t card = -300; card < 300; ++card) ASSERT_TRUE(asked.Append(card).ok());
  const auto got = table->Get({*asked.Finish()}, 600, {2, 3, 4}, *keys);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  const auto& counts = static_cast<const arrow::Int32Array&>(*got->values[0]);
  const auto& means = static_cast<const arrow::DoubleArray&>(*got->values[1]);
  const auto& countries = static_cast<const arrow::StringArray&>(*got->values[2]);
  for (int i = 0; i < 600; ++i) {
    const auto expected = newest.find(i - 300);
    ASSERT_EQ(got->found[i], expected != newest.end()) << "seed " << seed << " card " << i - 300;
    if (!got->found[i]) {
      EXPECT_TRUE(counts.IsNull(i) && means.IsNull(i) && countries.IsNull(i));
      continue;
    }
    const CardRow& row = expected->second;
    EXPECT_EQ(got->event_times[i], row.ts);
    EXPECT_EQ(counts.Value(i), row.n) << "seed " << seed;
    EXPECT_EQ(means.IsNull(i), row.n % 5 == 0);
    if (row.n % 5 != 0) {
      EXPECT_EQ(means.Value(i), row.n / 2.0);
    }
    EXPECT_EQ(countries.IsNull(i), row.n % 7 == 0);
    if (row.n % 7 != 0) {
      EXPECT_EQ(countries.GetString(i), "c" + std::to_string(row.n));
    }
  }
  // What was written comes out of TakeDirty once, and again from CopyShard.
  std::map<int64_t, CardRow> dirty;
  while (true) {
    const auto taken = *table->TakeDirty(37);
    if (taken == nullptr) break;
    EXPECT_LE(taken->num_rows(), 37);
    EXPECT_TRUE(taken->ValidateFull().ok());
    for (int64_t i = 0; i < taken->num_rows(); ++i) {
      const int64_t card = taken->column_data(0)->GetValues<int64_t>(1)[i];
      EXPECT_TRUE(dirty
                      .try_emplace(card, CardRow{card, taken->column_data(1)->GetValues<int64_t>(1)[i],
                                                 taken->column_data(2)->GetValues<int32_t>(1)[i]})
                      .second);
    }
  }
  EXPECT_EQ(dirty, newest);
  int64_t copied = 0;
  for (int shard = 0; shard < OnlineTable::kShards; ++shard) {
    const auto batches = table->CopyShard(shard, 3);
    ASSERT_TRUE(batches.ok());
    for (const auto& rows : *batches) copied += rows->num_rows();
  }
  EXPECT_EQ(copied, table->size());
}

TEST(OnlineTable, HoldsEveryType) {
  FeatureView view;
  view.name = "types";
  view.schema = Schema({{"k", DataType(TypeKind::kString)},
                        {"k2", DataType(TypeKind::kInt)},
                        {"ts", DataType::TimestampLtz(3)},
                        {"a", DataType(TypeKind::kBoolean)},
                        {"b", DataType(TypeKind::kTinyInt)},
                        {"c", DataType(TypeKind::kSmallInt)},
                        {"d", DataType(TypeKind::kFloat)},
                        {"e", DataType::Decimal(20, 4)},
                        {"f", DataType(TypeKind::kDate)},
                        {"g", DataType(TypeKind::kTime)},
                        {"h", DataType::Timestamp(9)},
                        {"i", DataType(TypeKind::kBytes)}});
  view.entities = {"k", "k2"};
  view.event_time = "ts";
  const auto table_made = OnlineTable::Make(view);
  ASSERT_TRUE(table_made.ok()) << table_made.status().ToString();
  const auto& table = *table_made;
  const auto keys = *table->MakeKeyEncoder();
  std::vector<std::shared_ptr<arrow::Array>> columns = {ArrayFrom(arrow::utf8(), R"(["x", "", "x"])"),
                                                        ArrayFrom(arrow::int32(), "[1, 2, 2]"),
                                                        ArrayFrom(ToArrow(DataType::TimestampLtz(3)), "[1, 2, 3]")};
  const std::vector<std::string> values = {"[true, null, false]",
                                           "[1, -2, null]",
                                           "[null, 300, -300]",
                                           "[1.5, 2.5, null]",
                                           R"(["1.0000", null, "-12345678901234.5678"])",
                                           "[1, null, 3]",
                                           "[5, 6, null]",
                                           "[1000000001, null, 3]",
                                           R"(["ab", "", null])"};
  std::vector<int> features;
  for (size_t i = 0; i < values.size(); ++i) {
    features.push_back(static_cast<int>(i) + 3);
    columns.push_back(ArrayFrom(ToArrow(view.schema.field(features.back()).type), values[i]));
  }
  const auto rows = arrow::RecordBatch::Make(view.schema.arrow(), 3, columns);
  ASSERT_TRUE(table->Upsert(*rows, *keys, true).ok());
  const auto got = table->Get({columns[0], columns[1]}, 3, features, *keys);
  ASSERT_TRUE(got.ok());
  for (size_t i = 0; i < features.size(); ++i)
    EXPECT_TRUE(got->values[i]->Equals(columns[i + 3])) << i << " " << got->values[i]->ToString();
}

TEST(OnlineTable, RefusesMoreEntitiesThanAllowed) {
  FeatureView view = CardView();
  view.entities_max = 2;
  const auto table = *OnlineTable::Make(view);
  const auto keys = *table->MakeKeyEncoder();
  ASSERT_TRUE(table->Upsert(*CardRows({{1, 1, 1}, {2, 1, 1}, {1, 2, 2}}), *keys, true).ok());
  const auto refused = table->Upsert(*CardRows({{1, 3, 3}, {3, 1, 1}}), *keys, true);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.status().Is(kFeatureStoreFull));
  EXPECT_TRUE(table->Upsert(*CardRows({{2, 9, 9}}), *keys, true).ok());
  EXPECT_EQ(table->size(), 2);
  const auto got = table->Get({ArrayFrom(arrow::int64(), "[3, 2]")}, 2, {2}, *keys);
  EXPECT_FALSE(got->found[0]);
  EXPECT_TRUE(got->found[1]);
}

TEST(OnlineTable, ReadersSeeWholeRowsBesideWriters) {
  const auto table = *OnlineTable::Make(CardView());
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&table, writer] {
      const auto keys = *table->MakeKeyEncoder();
      for (int round = 0; round < 300; ++round) {
        std::vector<CardRow> rows;
        for (int card = 0; card < 200; ++card) rows.push_back({card, round, round * 2 + writer});
        EXPECT_TRUE(table->Upsert(*CardRows(rows), *keys, true).ok());
      }
    });
  }
  threads.emplace_back([&] {
    const auto keys = *table->MakeKeyEncoder();
    arrow::Int64Builder asked;
    for (int card = 0; card < 200; ++card) EXPECT_TRUE(asked.Append(card).ok());
    const auto cards = *asked.Finish();
    while (!stop.load()) {
      const auto got = table->Get({cards}, 200, {2, 4}, *keys);
      ASSERT_TRUE(got.ok());
      for (int i = 0; i < 200; ++i) {
        if (!got->found[i]) continue;
        const int32_t n = static_cast<const arrow::Int32Array&>(*got->values[0]).Value(i);
        ASSERT_EQ(n / 2, got->event_times[i]);
        if (n % 7 != 0) {
          ASSERT_EQ(static_cast<const arrow::StringArray&>(*got->values[1]).GetString(i), "c" + std::to_string(n));
        }
      }
      (void)table->TakeDirty(1000).ok();
    }
  });
  threads[0].join();
  threads[1].join();
  stop = true;
  threads[2].join();
}

}  // namespace
}  // namespace tidemill
