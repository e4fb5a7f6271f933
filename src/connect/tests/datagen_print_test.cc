#include <condition_variable>
#include <mutex>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/print/java_text.h"
#include "connect/tests/table_of.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Lines = std::vector<std::string>;
using Options = std::map<std::string, std::string>;

std::shared_ptr<TableDefinition> Datagen(const std::vector<Field>& fields, Options options) {
  options["connector"] = "datagen";
  return TableOf("t", fields, std::move(options));
}

class DatagenTest : public ::testing::Test {
 protected:
  Lines Read(const ScanSpec& scan, int step, bool reopen, int64_t rows_limit = 1000) {
    auto source = FindConnector("datagen")->make_source(scan, context_);
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    std::optional<std::string> position;
    std::unique_ptr<SplitReader> reader;
    std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
    int64_t rows = 0;
    while (rows < rows_limit) {
      if (!reader || reopen)
        reader = *(*source)->OpenSplit({"0"}, position, SplitContext{.rejects = &rejects_, .clock = &clock_});
      clock_.AdvanceMicros(10'000);
      auto outcome = reader->Read(static_cast<int>(std::min<int64_t>(step, rows_limit - rows)));
      EXPECT_TRUE(outcome.ok());
      position = outcome->position;
      rows += outcome->batch.num_rows();
      if (outcome->batch.num_rows() > 0) parts.push_back(outcome->batch.rows);
      if (outcome->ended) break;
    }
    Lines columns;
    const auto all = arrow::ConcatenateRecordBatches(parts).ValueOrDie();
    for (const auto& column : all->columns()) columns.push_back(TextOf(*column));
    return columns;
  }

  ManualClock clock_{1'714'566'896'000'000};
  ConnectorContext context_;
  CollectRejects rejects_;
};

const std::vector<Field> kAll = {{"id", DataType(TypeKind::kBigInt)}, {"v", DataType(TypeKind::kInt)},
                                 {"d", DataType(TypeKind::kDouble)},  {"s", DataType(TypeKind::kString)},
                                 {"ts", DataType::TimestampLtz(3)},   {"dec", DataType::Decimal(5, 2)},
                                 {"b", DataType(TypeKind::kBoolean)}, {"y", DataType(TypeKind::kBytes)}};

TEST_F(DatagenTest, TheSeedDecidesEveryValue) {
  const Options options = {{"seed", "42"},
                           {"number-of-rows", "50"},
                           {"fields.id.kind", "sequence"},
                           {"fields.id.start", "10"},
                           {"fields.id.end", "1000"},
                           {"fields.v.min", "-3"},
                           {"fields.v.max", "3"},
                           {"fields.s.length", "20"},
                           {"fields.s.var-len", "true"},
                           {"fields.d.min", "1"},
                           {"fields.d.max", "2"},
                           {"fields.v.null-rate", "0.2"},
                           {"fields.dec.min", "1"},
                           {"fields.dec.max", "2"}};
  const auto start = clock_.NowMicros();
  const Lines once = Read(ScanOf(Datagen(kAll, options)), 100, false);
  for (const auto& [step, reopen] : std::vector<std::pair<int, bool>>{{1, false}, {7, true}, {50, true}}) {
    clock_.AdvanceMicros(start - clock_.NowMicros());
    EXPECT_EQ(Read(ScanOf(Datagen(kAll, options)), step, reopen), once);
  }
  EXPECT_TRUE(once[0].starts_with("[10, 11, 12, ")) << once[0];
  EXPECT_NE(once[1].find("null"), std::string::npos);
  EXPECT_EQ(once[1].find("4"), std::string::npos);
  // Another projection reads the same values, another seed others.
  ScanSpec only = ScanOf(Datagen(kAll, options));
  only.columns = {3};
  EXPECT_EQ(Read(only, 50, false)[0], once[3]);
  Options other = options;
  other["seed"] = "43";
  EXPECT_NE(Read(ScanOf(Datagen(kAll, other)), 50, false)[3], once[3]);
}

TEST_F(DatagenTest, KeepsItsPaceAndEndsWithASequence) {
  auto table = Datagen(
      {kAll[0]},
      {{"rows-per-second", "100"}, {"fields.id.kind", "sequence"}, {"fields.id.start", "1"}, {"fields.id.end", "30"}});
  EXPECT_TRUE(FindConnector("datagen")->is_bounded(*table));
  EXPECT_FALSE(FindConnector("datagen")->is_bounded(*Datagen({kAll[1]}, {})));
  auto source = FindConnector("datagen")->make_source(ScanOf(table), context_);
  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  auto wake = [&] {
    std::lock_guard<std::mutex> lock(mutex);
    woken = true;
    changed.notify_all();
  };
  auto reader =
      (*source)->OpenSplit({"0"}, std::nullopt, SplitContext{.rejects = &rejects_, .clock = &clock_, .wake = wake});
  EXPECT_EQ((*reader)->Read(100)->batch.num_rows(), 1);
  auto none = (*reader)->Read(100);
  EXPECT_TRUE(none->idle);
  {
    std::unique_lock<std::mutex> lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return woken; }));
  }
  clock_.AdvanceMicros(100'000);
  EXPECT_EQ((*reader)->Read(100)->batch.num_rows(), 10);
  clock_.AdvanceMicros(10'000'000);
  auto rest = (*reader)->Read(100);
  EXPECT_EQ(rest->batch.num_rows(), 19);
  EXPECT_TRUE(rest->ended);
}

TEST_F(DatagenTest, RefusesWrongOptions) {
  const auto check = [this](Options options) {
    return ValidateTable(*Datagen(kAll, std::move(options)), true, false, context_);
  };
  EXPECT_TRUE(check({}).ok());
  EXPECT_EQ(check({{"fields.ids.min", "1"}}).hint(), "did you mean 'id'?");
  EXPECT_EQ(check({{"fields.id.mim", "1"}}).hint(), "did you mean 'min'?");
  for (const Options& bad : std::vector<Options>{{{"rows-per-second", "0"}},
                                                 {{"fields.v.min", "3000000000"}},
                                                 {{"fields.v.min", "3"}, {"fields.v.max", "2"}},
                                                 {{"fields.id.kind", "sequence"}},
                                                 {{"fields.b.kind", "sequence"}},
                                                 {{"fields.v.null-rate", "2"}},
                                                 {{"fields.id.kind", "other"}},
                                                 {{"seed", "x"}},
                                                 {{"fields.s.length", "-1"}}}) {
    EXPECT_TRUE(check(bad).Is(kInvalidOption)) << bad.begin()->first;
  }
  EXPECT_TRUE(ValidateTable(*Datagen({{"l", DataType::Array(DataType(TypeKind::kInt))}}, {}), true, false, context_)
                  .Is(kUnsupportedType));
  EXPECT_FALSE(ValidateTable(*Datagen(kAll, {}), false, true, context_).ok());
}

std::string Java(const DataType& type, const std::string& json) {
  std::string out;
  AppendJavaText(*ArrayOf(ToArrow(type), "[" + json + "]"), type, 0, out);
  return out;
}

// Expected texts are those of java.lang.Double, java.time and org.apache.flink.types.Row.
TEST(Print, WritesValuesAsJavaDoes) {
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "1"), "1.0");
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "1234567.5"), "1234567.5");
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "1e7"), "1.0E7");
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "0.001"), "0.001");
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "0.00012"), "1.2E-4");
  EXPECT_EQ(Java(DataType(TypeKind::kDouble), "-0.1"), "-0.1");
  EXPECT_EQ(Java(DataType(TypeKind::kFloat), "1.1"), "1.1");
  EXPECT_EQ(Java(DataType::Decimal(10, 2), "\"12.30\""), "12.30");
  EXPECT_EQ(Java(DataType::Timestamp(3), "1714566896120"), "2024-05-01T12:34:56.120");
  EXPECT_EQ(Java(DataType::Timestamp(3), "1714566896000"), "2024-05-01T12:34:56");
  EXPECT_EQ(Java(DataType::Timestamp(3), "1714566840000"), "2024-05-01T12:34");
  EXPECT_EQ(Java(DataType::Timestamp(6), "-1"), "1969-12-31T23:59:59.999999");
  EXPECT_EQ(Java(DataType::TimestampLtz(3), "1714566840000"), "2024-05-01T12:34:00Z");
  EXPECT_EQ(Java(DataType::TimestampLtz(3), "1714566896120"), "2024-05-01T12:34:56.120Z");
  EXPECT_EQ(Java(DataType(TypeKind::kTime), "45296500"), "12:34:56.500");
  EXPECT_EQ(Java(DataType(TypeKind::kTime), "45240000"), "12:34");
  EXPECT_EQ(Java(DataType(TypeKind::kBytes), "\"hi\""), "[104, 105]");
  EXPECT_EQ(Java(DataType::Array(DataType(TypeKind::kInt)), "[1, null]"), "[1, null]");
  EXPECT_EQ(Java(DataType::Map(DataType(TypeKind::kString), DataType(TypeKind::kInt)), "[[\"a\", 1]]"), "{a=1}");
  EXPECT_EQ(Java(DataType::Row({{"x", DataType(TypeKind::kInt)}}), "{\"x\": 1}"), "+I[1]");
  EXPECT_EQ(Java(DataType(TypeKind::kInt), "null"), "null");
}

TEST(Print, WritesLines) {
  const std::vector<Field> fields = {{"a", DataType(TypeKind::kInt)}, {"b", DataType(TypeKind::kString)}};
  const auto print = [&](Options options, int subtask, int parallelism) {
    options["connector"] = "print";
    auto table = TableOf("p", fields, options);
    EXPECT_TRUE(ValidateTable(*table, false, true, ConnectorContext()).ok());
    auto sink = FindConnector("print")->make_sink(SinkSpec{.table = table}, ConnectorContext());
    auto writer = (*sink)->OpenWriter(SinkContext{.subtask = subtask, .parallelism = parallelism});
    Batch batch{arrow::RecordBatch::Make(
                    Schema(fields).arrow(), 4,
                    {ArrayOf(arrow::int32(), "[1, 2, 2, null]"), ArrayOf(arrow::utf8(), R"(["x", "y", "z", "w"])")}),
                ArrayOf(arrow::int8(), "[0, 1, 2, 3]"), 0};
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE((*writer)->Write(batch).ok());
    return ::testing::internal::GetCapturedStdout() + "|" + ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(print({}, 0, 1), "+I[1, x]\n-U[2, y]\n+U[2, z]\n-D[null, w]\n|");
  EXPECT_TRUE(print({}, 1, 2).starts_with("2> +I[1, x]\n"));
  EXPECT_TRUE(print({{"print-identifier", "id"}}, 0, 1).starts_with("id> +I[1, x]\n"));
  EXPECT_TRUE(print({{"print-identifier", "id"}, {"standard-error", "true"}}, 0, 2).starts_with("|id:1> +I[1, x]\n"));
}

TEST(Blackhole, TakesEverything) {
  auto table = TableOf("b", {{"a", DataType(TypeKind::kInt)}}, {{"connector", "blackhole"}});
  EXPECT_TRUE(ValidateTable(*table, false, true, ConnectorContext()).ok());
  EXPECT_FALSE(ValidateTable(*table, true, false, ConnectorContext()).ok());
  auto sink = FindConnector("blackhole")->make_sink(SinkSpec{.table = table}, ConnectorContext());
  auto writer = (*sink)->OpenWriter(SinkContext{});
  EXPECT_TRUE((*writer)->Write(EmptyBatch(table->physical_schema())).ok());
  EXPECT_EQ(**(*writer)->Prepare(1), "");
}

}  // namespace
}  // namespace tidemill
