#include "feature/point_in_time.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/simulated_file_system.h"
#include "feature/errors.h"
#include "feature/historical.h"
#include "feature/offline_writer.h"
#include "feature/tests/rows.h"

namespace tidemill {
namespace {

constexpr int64_t kMillisPerDay = 86'400'000;
constexpr char kPath[] = "/offline/card_stats";

FeatureView OfflineCardView(int64_t ttl_ms = 0) {
  FeatureView view = CardView();
  view.offline_path = kPath;
  view.ttl_ms = ttl_ms;
  return view;
}

// One epoch of rows, all written at `written_ms`.
void WriteEpoch(FileSystem& files, const std::vector<CardRow>& rows, int64_t epoch, int64_t written_ms,
                const std::string& writer = "w") {
  OfflineWriter out(files, OfflineCardView(), "0", writer);
  ASSERT_TRUE(out.Add(CardRows(rows), written_ms).ok());
  const auto handle = out.Prepare(epoch);
  ASSERT_TRUE(handle.ok()) << handle.status().ToString();
  ASSERT_TRUE(CommitOffline(files, kPath, *handle).ok());
}

struct WrittenRow {
  CardRow row;
  int64_t written_ms;
};

// The definition, word for word: -1 = none.
int32_t Naive(const std::vector<WrittenRow>& rows, int64_t card, int64_t time, int64_t ttl) {
  const WrittenRow* best = nullptr;
  for (const WrittenRow& row : rows) {
    if (row.row.card != card || row.row.ts > time || (ttl > 0 && row.row.ts < time - ttl)) continue;
    if (best == nullptr || row.row.ts > best->row.ts ||
        (row.row.ts == best->row.ts && row.written_ms >= best->written_ms))
      best = &row;
  }
  return best == nullptr ? -1 : best->row.n;
}

TEST(PointInTime, EqualsTheDefinition) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    SimulatedFileSystem files;
    std::vector<WrittenRow> all;
    const int64_t span = 1 + static_cast<int64_t>(random.Uniform(6)) * kMillisPerDay;
    const uint64_t cards = 1 + random.Uniform(30);
    // Coarse times, so that many are equal; before 1970 too.
    const auto any_time = [&] { return static_cast<int64_t>(random.Uniform(40)) * span / 40 - kMillisPerDay; };
    int32_t n = 1;
    const int epochs = 1 + static_cast<int>(random.Uniform(5));
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      const int64_t written =
          1000 + static_cast<int64_t>(random.Uniform(3)) + epoch;  // written_at may be equal over epochs
      std::vector<CardRow> rows;
      for (uint64_t i = random.Uniform(120); i > 0; --i)
        rows.push_back({static_cast<int64_t>(random.Uniform(cards)), any_time(), n++});
      for (const CardRow& row : rows) all.push_back({row, written});
      WriteEpoch(files, rows, epoch, written);
    }
    const int64_t ttl =
        random.Uniform(2) == 0 ? 0 : 1 + static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(span)));
    arrow::Int64Builder asked;
    std::vector<EventTime> times;
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(i % 17 == 0 ? asked.AppendNull().ok()
                              : asked.Append(static_cast<int64_t>(random.Uniform(cards + 3))).ok());
      times.push_back(i % 19 == 0 ? kMinEventTime : any_time() + static_cast<int64_t>(random.Uniform(3)) - 1);
    }
    const auto keys = std::static_pointer_cast<arrow::Int64Array>(*asked.Finish());
    // Small limits, so that days are cut and held rows are compacted.
    PointInTimeOptions options;
    if (seed % 2 == 0)
      options = {.held_rows_max = static_cast<int64_t>(random.Uniform(40)),
                 .slice_rows_max = 1 + static_cast<int64_t>(random.Uniform(60))};
    const auto joined = JoinPointInTime(files, OfflineCardView(ttl), {2, 4}, {keys}, times, options);
    ASSERT_TRUE(joined.ok()) << joined.status().ToString();
    ASSERT_EQ(joined->values.size(), 2u);
    const auto& counts = static_cast<const arrow::Int32Array&>(*joined->values[0]);
    const auto& countries = static_cast<const arrow::StringArray&>(*joined->values[1]);
    ASSERT_EQ(counts.length(), 200);
    for (int i = 0; i < 200; ++i) {
      const int32_t expected =
          keys->IsNull(i) || times[i] == kMinEventTime ? -1 : Naive(all, keys->Value(i), times[i], ttl);
      ASSERT_EQ(counts.IsNull(i) ? -1 : counts.Value(i), expected)
          << "seed " << seed << " label " << i << " card " << keys->Value(i) << " time " << times[i] << " ttl " << ttl;
      ASSERT_EQ(countries.IsNull(i), expected == -1 || expected % 7 == 0) << "seed " << seed;
    }
  }
}

TEST(PointInTime, FilesOfAnEarlierShapeGiveNulls) {
  SimulatedFileSystem files;
  WriteEpoch(files, {{1, 10, 8}}, 1, 100);
  FeatureView view = OfflineCardView();
  view.schema = Schema({{"card_id", DataType(TypeKind::kBigInt)},
                        {"ts", DataType::Timestamp(3)},
                        {"n", DataType(TypeKind::kBigInt)},  // was INT
                        {"extra", DataType(TypeKind::kDouble)}});
  const auto joined = JoinPointInTime(files, view, {2, 3}, {ArrayFrom(arrow::int64(), "[1, 2]")}, {10, 10});
  ASSERT_TRUE(joined.ok()) << joined.status().ToString();
  EXPECT_TRUE(joined->values[0]->Equals(ArrayFrom(arrow::int64(), "[8, null]")));
  EXPECT_TRUE(joined->values[1]->Equals(ArrayFrom(arrow::float64(), "[null, null]")));
}

class HistoricalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteEpoch(files_, {{1, 1000, 1}, {2, 2000, 3}, {1, kMillisPerDay + 1000, 6}}, 1, 100);
    ASSERT_TRUE(files_.CreateDirectories("/t").ok());
  }
  void Put(const std::string& path, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(files_, path, text).ok());
  }
  Result<HistoricalSummary> Join(const std::string& labels, std::vector<std::string> features, std::string time = "",
                                 std::string out = "/t/out.csv", bool full = false) {
    return JoinHistory(files_, {OfflineCardView()},
                       {labels, std::move(features), std::move(time), std::move(out), full});
  }
  SimulatedFileSystem files_;
};

TEST_F(HistoricalTest, JoinsCsvToCsv) {
  Put("/t/labels.csv",
      "id,card_id,event_timestamp,is_fraud\n10,1,1970-01-01T00:00:00.999Z,1\n11,1,1970-01-01 "
      "00:00:01,0\n12,2,1970-01-05T00:00:00Z,0\n13,1,1970-01-05T02:00:00+02:00,1\n");
  const auto summary = Join("/t/labels.csv", {"card_stats:n", "card_stats:mean"});
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->labels, 4);
  EXPECT_EQ(summary->views[0].matched, 3);
  EXPECT_EQ(*ReadFile(files_, "/t/out.csv", 1 << 20),
            "\"id\",\"card_id\",\"event_timestamp\",\"is_fraud\",\"n\",\"mean\"\n"
            "10,1,\"1970-01-01T00:00:00.999Z\",1,,\n"
            "11,1,\"1970-01-01 00:00:01\",0,1,0.5\n"
            "12,2,\"1970-01-05T00:00:00Z\",0,3,1.5\n"
            "13,1,\"1970-01-05T02:00:00+02:00\",1,6,3\n");
}

TEST_F(HistoricalTest, JoinsJsonToParquetWithFullNames) {
  Put("/t/labels.jsonl",
      "{\"card_id\": \"1\", \"at\": 1000, \"n\": 5}\n{\"card_id\": \"2\", \"at\": 1999, \"n\": 6}\n");
  const auto summary = Join("/t/labels.jsonl", {"card_stats:*"}, "at", "/t/out.parquet", true);
  ASSERT_TRUE(summary.ok()) << summary.status().ToString();
  EXPECT_EQ(summary->columns, (std::vector<std::string>{"card_id", "at", "n", "card_stats__n", "card_stats__mean",
                                                        "card_stats__country"}));
  const auto reader = *ParquetFileReader::Open(files_, "/t/out.parquet");
  const auto table = *reader->Read(0, {"card_stats__n"});
  EXPECT_TRUE(table->column(0)->chunk(0)->Equals(ArrayFrom(arrow::int32(), "[1, null]")));
  EXPECT_FALSE(files_.Exists("/t/out.parquet.tmp"));
}

TEST_F(HistoricalTest, RefusesWhatCanNotBeJoined) {
  Put("/t/labels.csv", "card,event_timestamp,n,when\n1,1970-01-01T00:00:00Z,1,soon\n");
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats:mean"}).status().Is(kInvalidLabels));  // no card_id
  Put("/t/labels.csv", "card_id,event_timestamp,n,when\n1,1970-01-01T00:00:00Z,1,soon\n");
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats:n"}).status().Is(kInvalidLabels));  // n twice
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats:nn"}).status().Is(kFeatureNotFound));
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stat:n"}).status().Is(kViewNotFound));
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats"}).status().Is(kInvalidFeatureRequest));
  EXPECT_TRUE(Join("/t/labels.csv", {}).status().Is(kInvalidFeatureRequest));
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats:mean"}, "time").status().Is(kInvalidLabels));
  const Status when = Join("/t/labels.csv", {"card_stats:mean"}, "when").status();
  EXPECT_NE(when.message().find("label 1: 'when' is 'soon'"), std::string::npos) << when.ToString();
  EXPECT_TRUE(Join("/t/labels.txt", {"card_stats:mean"}).status().Is(kInvalidLabels));
  EXPECT_TRUE(Join("/t/nothing.csv", {"card_stats:mean"}).status().Is(kFileNotFound));
  EXPECT_TRUE(Join("/t/labels.csv", {"card_stats:mean"}, "", "/t/out.xls").status().Is(kInvalidConfig));
  Put("/t/bad.parquet", "PAR1 nothing");
  EXPECT_TRUE(Join("/t/bad.parquet", {"card_stats:mean"}).status().Is(kOfflineFile));
}

}  // namespace
}  // namespace tidemill
