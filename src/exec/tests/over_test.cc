#include "exec/over.h"

#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "exec/errors.h"
#include "exec/tests/operator_harness.h"

namespace tidemill {
namespace {

constexpr int kKey = 0, kTime = 1, kId = 2, kAmount = 3, kNumber = 4, kName = 5, kPrice = 6, kGood = 7;

Schema OverInput() {
  return Schema({{"k", DataType(TypeKind::kBigInt)},
                 {"ts", DataType::Timestamp(3)},
                 {"id", DataType(TypeKind::kBigInt, false)},
                 {"amount", DataType(TypeKind::kDouble)},
                 {"number", DataType(TypeKind::kBigInt, false)},
                 {"name", DataType(TypeKind::kString)},
                 {"price", DataType::Decimal(10, 2)},
                 {"good", DataType(TypeKind::kBoolean)}});
}

const AggregateFunction& Function(std::string_view name) {
  static const std::map<std::string_view, AggregateFunction> kFunctions = [] {
    std::map<std::string_view, AggregateFunction> functions;
    for (const char* text : {"COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV_SAMP", "VAR_POP", "FIRST_VALUE", "LAST_VALUE",
                             "LAG", "ROW_NUMBER", "APPROX_COUNT_DISTINCT", "LISTAGG"}) {
      functions[text] = AggregateFunction{.name = text};
    }
    return functions;
  }();
  return kFunctions.at(name);
}

struct Frame {
  bool rows = false;
  int64_t preceding = -1;  // -1 = unbounded
};

OverCall Call(std::string_view name, int column, DataType result, Frame frame, int filter = -1, bool distinct = false,
              int64_t offset = 1) {
  const Schema schema = OverInput();
  OverCall over;
  over.call.function = &Function(name);
  over.call.resolved.result = result;
  over.call.resolved.distinct = distinct;
  over.call.name = std::string(name) + std::to_string(column) + (frame.rows ? "r" : "t") +
                   std::to_string(frame.preceding) + (filter < 0 ? "" : "f");
  over.call.offset = offset;
  if (column >= 0) over.call.args.push_back(MakeColumn(column, schema.field(column).type));
  if (filter >= 0) over.call.filter = MakeColumn(filter, schema.field(filter).type);
  over.frame = {.unit = frame.rows ? OverFrame::Unit::kRows : OverFrame::Unit::kRange,
                .unbounded = frame.preceding < 0,
                .preceding = std::max<int64_t>(frame.preceding, 0)};
  return over;
}

Schema OutputSchema(const OverSpec& spec) {
  std::vector<Field> fields = OverInput().fields();
  for (size_t i = 0; i < spec.calls.size(); ++i)
    fields.push_back({"out" + std::to_string(i), spec.calls[i].call.resolved.result});
  return Schema(fields);
}

struct Row {
  int64_t key;
  EventTime time;
  int64_t id;
  std::optional<double> amount;
  int64_t number;
  std::optional<std::string> name;
  std::optional<int64_t> cents;
  std::optional<bool> good;
};

std::string JsonOf(const std::vector<Row>& rows) {
  std::string json = "[";
  for (const Row& row : rows) {
    if (json.size() > 1) json += ",";
    char amount[64] = "null";
    if (row.amount) std::snprintf(amount, sizeof(amount), "%.17g", *row.amount);
    char price[64] = "null";
    if (row.cents)
      std::snprintf(price, sizeof(price), "\"%s%ld.%02ld\"", *row.cents < 0 ? "-" : "", std::abs(*row.cents) / 100,
                    std::abs(*row.cents) % 100);
    json += "[" + (row.key < 0 ? "null" : std::to_string(row.key)) + "," + std::to_string(row.time) + "," +
            std::to_string(row.id) + "," + amount + "," + std::to_string(row.number) + "," +
            (row.name ? "\"" + *row.name + "\"" : "null") + "," + price + "," +
            (row.good ? (*row.good ? "true" : "false") : "null") + "]";
  }
  return json + "]";
}

using Value = std::variant<std::monostate, int64_t, double, std::string>;

Value CellOf(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return std::monostate();
  if (column.type_id() == arrow::Type::DOUBLE) return static_cast<const arrow::DoubleArray&>(column).Value(row);
  if (column.type_id() == arrow::Type::INT64) return static_cast<const arrow::Int64Array&>(column).Value(row);
  return (*column.GetScalar(row))->ToString();
}

Value ArgumentOf(const Row& row, int column) {
  switch (column) {
    case kAmount:
      return row.amount ? Value(*row.amount) : Value();
    case kNumber:
      return row.number;
    case kName:
      return row.name ? Value(*row.name) : Value();
    case kPrice:
      return row.cents ? Value(*row.cents) : Value();
    default:
      return row.id;
  }
}

std::string DecimalText(__int128 unscaled, int scale) {
  return arrow::Decimal128(static_cast<int64_t>(unscaled >> 64), static_cast<uint64_t>(unscaled)).ToString(scale);
}

// The value of a call over `frame` (oldest first, the row itself last but for its peers), by the book.
Value Expected(const OverCall& over, const std::vector<const Row*>& frame) {
  const std::string_view name = over.call.function->name;
  const int column = over.call.args.empty() ? -1 : over.call.args[0]->column;
  std::vector<Value> values;
  int64_t rows = 0;
  for (const Row* row : frame) {
    if (over.call.filter && !row->good.value_or(false)) continue;
    ++rows;
    if (column < 0) continue;
    Value value = ArgumentOf(*row, column);
    if (!std::holds_alternative<std::monostate>(value)) values.push_back(value);
  }
  if (name == "COUNT" && column < 0) return rows;
  if (name == "APPROX_COUNT_DISTINCT" || over.call.resolved.distinct)
    return static_cast<int64_t>(std::set<Value>(values.begin(), values.end()).size());
  if (name == "COUNT") return static_cast<int64_t>(values.size());
  if (values.empty()) return std::monostate();
  const auto out = [&](const Value& value) {
    return column == kPrice ? Value(DecimalText(std::get<int64_t>(value), 2)) : value;
  };
  if (name == "MIN") return out(*std::min_element(values.begin(), values.end()));
  if (name == "MAX") return out(*std::max_element(values.begin(), values.end()));
  if (name == "FIRST_VALUE") return out(values.front());
  if (name == "LAST_VALUE") return out(values.back());
  if (column == kNumber || column == kPrice) {
    int64_t sum = 0;
    for (const Value& value : values) sum += std::get<int64_t>(value);
    if (column == kNumber) return name == "SUM" ? sum : sum / static_cast<int64_t>(values.size());
    if (name == "SUM") return DecimalText(sum, 2);
    const __int128 scaled = static_cast<__int128>(sum) * 10000;
    const int64_t n = static_cast<int64_t>(values.size());
    __int128 average = scaled / n;
    const __int128 rest = scaled % n;
    if ((rest < 0 ? -rest : rest) * 2 >= n) average += scaled < 0 ? -1 : 1;
    return DecimalText(average, 6);
  }
  long double sum = 0;
  for (const Value& value : values) sum += std::get<double>(value);
  const long double n = static_cast<long double>(values.size());
  if (name == "SUM") return static_cast<double>(sum);
  if (name == "AVG") return static_cast<double>(sum / n);
  long double squares = 0;
  for (const Value& value : values)
    squares += (std::get<double>(value) - sum / n) * (std::get<double>(value) - sum / n);
  if (name == "VAR_POP") return static_cast<double>(squares / n);
  if (n < 2) return std::monostate();
  return static_cast<double>(std::sqrt(squares / (n - 1)));
}

// Rows of one key in order of (time, arrival), as far as they count for `at`; `visible`: those that are there.
Value ExpectedAt(const OverCall& over, const std::vector<Row>& rows_of_key, size_t at, bool peers) {
  const std::string_view name = over.call.function->name;
  if (name == "LAG") {
    if (at < static_cast<size_t>(over.call.offset)) return std::monostate();
    const Value value = ArgumentOf(rows_of_key[at - static_cast<size_t>(over.call.offset)], over.call.args[0]->column);
    return value;
  }
  if (name == "ROW_NUMBER") return static_cast<int64_t>(at + 1);
  std::vector<const Row*> frame;
  const bool range = over.frame.unit == OverFrame::Unit::kRange;
  for (size_t i = 0; i < rows_of_key.size(); ++i) {
    if (i > at && !(range && peers && rows_of_key[i].time == rows_of_key[at].time)) continue;
    if (!over.frame.unbounded) {
      if (range && rows_of_key[i].time < rows_of_key[at].time - over.frame.preceding) continue;
      if (!range && i + static_cast<size_t>(over.frame.preceding) < at) continue;
    }
    frame.push_back(&rows_of_key[i]);
  }
  return Expected(over, frame);
}

void ExpectEqual(const Value& got, const Value& want, const std::string& what) {
  if (std::holds_alternative<double>(got) && std::holds_alternative<double>(want)) {
    EXPECT_NEAR(std::get<double>(got), std::get<double>(want), 1e-9 * std::max(1.0, std::fabs(std::get<double>(want))))
        << what;
    return;
  }
  EXPECT_EQ(got, want) << what;
}

Row RandomRow(Random& random, EventTime time, int64_t id) {
  Row row{static_cast<int64_t>(random.Uniform(8)) - 1,      time, id, {},
          static_cast<int64_t>(random.Uniform(1000)) - 500, {},   {}, {}};
  if (random.Uniform(5)) row.amount = static_cast<double>(random.Uniform(100000)) / 100 - 300;
  if (random.Uniform(5)) row.name = "n" + std::to_string(random.Uniform(12));
  if (random.Uniform(5)) row.cents = static_cast<int64_t>(random.Uniform(10000)) - 5000;
  if (random.Uniform(5)) row.good = random.Uniform(2) == 0;
  return row;
}

OverSpec EverySpec(OverEmit emit) {
  const DataType bigint(TypeKind::kBigInt), real(TypeKind::kDouble), text(TypeKind::kString);
  const DataType price = DataType::Decimal(10, 2), sum_price = DataType::Decimal(38, 2),
                 avg_price = DataType::Decimal(38, 6);
  OverSpec spec{.partition_columns = {kKey}, .time_column = kTime, .calls = {}, .emit = emit};
  for (const Frame frame : {Frame{false, 50}, Frame{false, 0}, Frame{false, 400}, Frame{true, 5}, Frame{true, 0},
                            Frame{false, -1}, Frame{true, -1}}) {
    const bool bounded = frame.preceding >= 0;
    spec.calls.push_back(Call("COUNT", -1, bigint.WithNullable(false), frame));
    spec.calls.push_back(Call("COUNT", -1, bigint.WithNullable(false), frame, kGood));
    spec.calls.push_back(Call("COUNT", kName, bigint.WithNullable(false), frame));
    spec.calls.push_back(Call("COUNT", kAmount, bigint.WithNullable(false), frame));
    spec.calls.push_back(Call("SUM", kAmount, real, frame));
    spec.calls.push_back(Call("AVG", kAmount, real, frame));
    spec.calls.push_back(Call("SUM", kAmount, real, frame, kGood));
    spec.calls.push_back(Call("SUM", kNumber, bigint, frame));
    spec.calls.push_back(Call("AVG", kNumber, bigint, frame));
    spec.calls.push_back(Call("SUM", kPrice, sum_price, frame));
    spec.calls.push_back(Call("AVG", kPrice, avg_price, frame));
    spec.calls.push_back(Call("VAR_POP", kAmount, real, frame));
    spec.calls.push_back(Call("STDDEV_SAMP", kAmount, real, frame, kGood));
    if (bounded) spec.calls.push_back(Call("COUNT", kName, bigint.WithNullable(false), frame, -1, true));
    if (bounded) spec.calls.push_back(Call("APPROX_COUNT_DISTINCT", kAmount, bigint.WithNullable(false), frame, kGood));
    if (!bounded && emit == OverEmit::kOnArrival) continue;
    for (const char* name : {"MIN", "MAX", "FIRST_VALUE", "LAST_VALUE"}) {
      spec.calls.push_back(Call(name, kAmount, real, frame));
      spec.calls.push_back(Call(name, kName, text, frame));
      spec.calls.push_back(Call(name, kPrice, price, frame, kGood));
    }
    spec.calls.push_back(Call("MAX", kNumber, bigint, frame));
  }
  spec.calls.push_back(Call("LAG", kNumber, bigint, {}, -1, false, 1));
  spec.calls.push_back(Call("LAG", kName, text, {}, -1, false, 3));
  spec.calls.push_back(Call("ROW_NUMBER", -1, bigint, {}));
  return spec;
}

OperatorHarness MakeHarness(const OverSpec& spec, int parallelism = 1) {
  return OperatorHarness(
      [spec] { return Result<std::unique_ptr<Operator>>(*Over::Make(spec, OverInput(), OutputSchema(spec))); },
      {OverInput()}, {spec.partition_columns}, parallelism);
}

// Reads id -> the values of all calls.
std::map<int64_t, std::vector<Value>> Outputs(OperatorHarness& harness, size_t calls,
                                              std::vector<int64_t>* order = nullptr) {
  std::map<int64_t, std::vector<Value>> outputs;
  for (const Batch& batch : harness.TakeBatches()) {
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      const int64_t id = std::get<int64_t>(CellOf(*batch.rows->column(kId), i));
      EXPECT_TRUE(batch.rows->ValidateFull().ok());
      if (order) order->push_back(id);
      std::vector<Value>& values = outputs[id];
      EXPECT_TRUE(values.empty()) << "row " << id << " came twice";
      for (size_t c = 0; c < calls; ++c)
        values.push_back(CellOf(*batch.rows->column(kGood + 1 + static_cast<int>(c)), i));
    }
  }
  return outputs;
}

TEST(OverTest, OnWatermarkEqualsTheDefinitionThroughRestores) {
  const OverSpec spec = EverySpec(OverEmit::kOnWatermark);
  Random random(5);
  OperatorHarness harness = MakeHarness(spec);
  std::map<int64_t, std::vector<Row>> model;
  std::map<int64_t, std::vector<Value>> outputs;
  EventTime watermark = 0;
  int64_t id = 0;
  for (int step = 0; step < 120; ++step) {
    std::vector<Row> rows(1 + random.Uniform(step % 3 == 0 ? 1 : 60));
    for (Row& row : rows) {
      // Many ties; a wide range now and then, so that keys run empty.
      row = RandomRow(random, watermark + 1 + static_cast<EventTime>(random.Uniform(30)), id++);
      model[row.key].push_back(row);
    }
    ASSERT_TRUE(harness.Feed(0, RowsOf(OverInput(), JsonOf(rows))).ok());
    watermark += static_cast<EventTime>(random.Uniform(step % 10 == 0 ? 300 : 20));
    ASSERT_TRUE(harness.Watermark(watermark).ok());
    outputs.merge(Outputs(harness, spec.calls.size()));
    if (step % 8 == 3) {
      ASSERT_TRUE(harness.Snapshot(step % 24 == 3).ok());
    }
    if (step % 24 == 19) {
      ASSERT_TRUE(harness.Snapshot(false).ok());
      ASSERT_TRUE(harness.Restore(1 + static_cast<int>(random.Uniform(3))).ok());
    }
  }
  ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
  outputs.merge(Outputs(harness, spec.calls.size()));
  ASSERT_EQ(static_cast<int64_t>(outputs.size()), id);
  EXPECT_TRUE(harness.rejects().empty());
  for (auto& [key, rows] : model) {
    std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t c = 0; c < spec.calls.size(); ++c) {
        ExpectEqual(
            outputs[rows[i].id][c], ExpectedAt(spec.calls[c], rows, i, true),
            spec.calls[c].call.name + " of row " + std::to_string(rows[i].id) + " at " + std::to_string(rows[i].time));
      }
      if (HasFailure()) return;
    }
  }
}

TEST(OverTest, OnArrivalEqualsTheDefinitionForWhatHasArrived) {
  const OverSpec spec = EverySpec(OverEmit::kOnArrival);
  for (const int64_t batch_rows : {1, 40}) {
    Random random(static_cast<uint64_t>(batch_rows));
    OperatorHarness harness = MakeHarness(spec);
    std::map<int64_t, std::vector<Row>> model;  // what has arrived, by (time, arrival)
    EventTime now = 1000;
    int64_t id = 0;
    for (int step = 0; step < 2000 / batch_rows; ++step) {
      std::vector<Row> rows(static_cast<size_t>(batch_rows));
      for (Row& row : rows) {
        now += static_cast<EventTime>(random.Uniform(6));
        const EventTime back = random.Uniform(3) == 0 ? static_cast<EventTime>(random.Uniform(300)) : 0;
        row = RandomRow(random, now - back, id++);
      }
      ASSERT_TRUE(harness.Feed(0, RowsOf(OverInput(), JsonOf(rows))).ok());
      std::vector<int64_t> order;
      const auto outputs = Outputs(harness, spec.calls.size(), &order);
      if (harness.parallelism() == 1) {
        EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << "rows keep their place";
      }
      for (const Row& row : rows) {
        auto& of_key = model[row.key];
        const auto place = std::upper_bound(of_key.begin(), of_key.end(), row,
                                            [](const Row& a, const Row& b) { return a.time < b.time; });
        const auto inserted = of_key.insert(place, row);
        const size_t at = static_cast<size_t>(inserted - of_key.begin());
        ASSERT_EQ(outputs.count(row.id), 1u);
        for (size_t c = 0; c < spec.calls.size(); ++c) {
          ExpectEqual(
              outputs.at(row.id)[c], ExpectedAt(spec.calls[c], of_key, at, false),
              spec.calls[c].call.name + " of row " + std::to_string(row.id) + " at " + std::to_string(row.time));
        }
        if (HasFailure()) return;
      }
      ASSERT_TRUE(harness.Watermark(now - 300).ok());
      if (step % 7 == 6) {
        ASSERT_TRUE(harness.Snapshot(step % 21 == 20).ok());
      }
      if (step % 21 == 13) {
        ASSERT_TRUE(harness.Snapshot(false).ok());
        ASSERT_TRUE(harness.Restore(1 + static_cast<int>(random.Uniform(2))).ok());
      }
    }
    EXPECT_TRUE(harness.rejects().empty());
  }
}

TEST(OverTest, LateRowsAndNullTimesAreRefused) {
  OverSpec spec{.partition_columns = {kKey},
                .time_column = kTime,
                .calls = {Call("COUNT", -1, DataType(TypeKind::kBigInt), {false, 100})}};
  OperatorHarness harness = MakeHarness(spec);
  ASSERT_TRUE(harness.Watermark(1000).ok());
  ASSERT_TRUE(harness
                  .Feed(0, RowsOf(OverInput(),
                                  "[[1,1000,1,null,0,null,null,null],[1,1001,2,null,0,null,null,null],[1,null,3,null,0,"
                                  "null,null,null]]"))
                  .ok());
  ASSERT_EQ(harness.rejects().size(), 2u);
  EXPECT_EQ(harness.rejects()[0].reason, RejectReason::kLate);
  EXPECT_EQ(harness.rejects()[0].event_time, 1000);
  EXPECT_NE(harness.rejects()[0].raw.find("\"id\":1"), std::string::npos);
  EXPECT_EQ(harness.rejects()[1].reason, RejectReason::kNullRowtime);
  EXPECT_EQ(harness.metrics().SumCounter("tidemill_late_records_total"), 1);
  ASSERT_TRUE(harness.Snapshot(true).ok());
  ASSERT_TRUE(harness.Restore(1).ok());
  // What was late before the restart is late after it.
  ASSERT_TRUE(harness.Feed(0, RowsOf(OverInput(), "[[1,1000,4,null,0,null,null,null]]")).ok());
  EXPECT_EQ(harness.rejects().size(), 3u);
  ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
  EXPECT_EQ(harness.TakeRows().size(), 1u);
}

TEST(OverTest, OnArrivalRefusesWhatIsOlderThanTheLongestWindow) {
  OverSpec spec{.partition_columns = {kKey},
                .time_column = kTime,
                .calls = {Call("COUNT", -1, DataType(TypeKind::kBigInt), {false, 100})},
                .emit = OverEmit::kOnArrival};
  OperatorHarness harness = MakeHarness(spec);
  ASSERT_TRUE(harness.Watermark(1000).ok());
  ASSERT_TRUE(
      harness.Feed(0, RowsOf(OverInput(), "[[1,900,1,null,0,null,null,null],[1,899,2,null,0,null,null,null]]")).ok());
  EXPECT_EQ(harness.TakeRows().size(), 1u);
  EXPECT_EQ(harness.rejects().size(), 1u);
}

TEST(OverTest, SumsDoNotDriftAndSurviveHugeValuesAndInfinities) {
  const DataType real(TypeKind::kDouble);
  OverSpec spec{.partition_columns = {},
                .time_column = kTime,
                .calls = {Call("SUM", kAmount, real, {true, 2}), Call("AVG", kAmount, real, {true, 2})}};
  OperatorHarness harness = MakeHarness(spec);
  const std::vector<std::string> amounts = {"0.1", "1e300", "0.2", "0.3", "0.4", "Inf", "0.5", "-Inf",
                                            "0.6", "0.7",   "0.8", "NaN", "1",   "2",   "3"};
  std::string json = "[";
  for (size_t i = 0; i < amounts.size(); ++i) {
    json += (i ? "," : "") +
            ("[1," + std::to_string(i + 1) + "," + std::to_string(i) + "," + amounts[i] + ",0,null,null,null]");
  }
  ASSERT_TRUE(harness.Feed(0, RowsOf(OverInput(), json + "]")).ok());
  ASSERT_TRUE(harness.Watermark(1000).ok());
  const auto out = Outputs(harness, 2);
  EXPECT_DOUBLE_EQ(std::get<double>(out.at(4)[0]), 0.2 + 0.3 + 0.4) << "1e300 has left";
  EXPECT_TRUE(std::isinf(std::get<double>(out.at(6)[0])));
  EXPECT_TRUE(std::isnan(std::get<double>(out.at(7)[0]))) << "Infinity and -Infinity";
  EXPECT_DOUBLE_EQ(std::get<double>(out.at(10)[0]), 0.6 + 0.7 + 0.8);
  EXPECT_TRUE(std::isnan(std::get<double>(out.at(11)[1])));
  EXPECT_DOUBLE_EQ(std::get<double>(out.at(14)[1]), 2);
}

TEST(OverTest, AMillionAdditionsAndRemovalsEqualAFreshSum) {
  OverSpec spec{.partition_columns = {kKey},
                .time_column = kTime,
                .calls = {Call("SUM", kAmount, DataType(TypeKind::kDouble), {false, 999})}};
  OperatorHarness harness = MakeHarness(spec);
  Random random(9);
  std::vector<double> all;
  const Schema schema = OverInput();
  Batch base = RowsOf(schema, "[[1,0,0,0.5,0,null,null,null]]");
  for (int64_t start = 0; start < 1'000'000; start += 8000) {
    arrow::Int64Builder keys, ids, numbers;
    arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
    arrow::DoubleBuilder amounts;
    for (int64_t i = start; i < start + 8000; ++i) {
      const double amount = std::exp(random.Normal() * 12);
      all.push_back(amount);
      ASSERT_TRUE(keys.Append(1).ok() && ids.Append(i).ok() && numbers.Append(0).ok() && times.Append(i).ok() &&
                  amounts.Append(amount).ok());
    }
    auto nulls = [](const std::shared_ptr<arrow::DataType>& type) { return *arrow::MakeArrayOfNull(type, 8000); };
    Batch batch{
        arrow::RecordBatch::Make(schema.arrow(), 8000,
                                 {*keys.Finish(), *times.Finish(), *ids.Finish(), *amounts.Finish(), *numbers.Finish(),
                                  nulls(arrow::utf8()), nulls(arrow::decimal128(10, 2)), nulls(arrow::boolean())}),
        nullptr, 0};
    ASSERT_TRUE(harness.Feed(0, batch).ok());
    ASSERT_TRUE(harness.Watermark(start + 7999).ok());
    const auto batches = harness.TakeBatches();
    const auto& sums = static_cast<const arrow::DoubleArray&>(*batches.back().rows->column(kGood + 1));
    double fresh = 0;
    for (int64_t i = std::max<int64_t>(0, start + 7999 - 999); i <= start + 7999; ++i)
      fresh += all[static_cast<size_t>(i)];
    ASSERT_NEAR(sums.Value(sums.length() - 1), fresh, 1e-9 * fresh);
  }
  EXPECT_LT(harness.StateBytes(), 4 << 20) << "rows leave the buffer";
}

TEST(OverTest, IdleKeysAreForgotten) {
  OverSpec spec{.partition_columns = {kId},
                .time_column = kTime,
                .calls = {Call("MAX", kName, DataType(TypeKind::kString), {false, 100})}};
  OperatorHarness harness = MakeHarness(spec);
  std::vector<Row> rows;
  for (int64_t i = 0; i < 5000; ++i) rows.push_back({1, i, i, {}, 0, "name" + std::to_string(i), {}, {}});
  ASSERT_TRUE(harness.Feed(0, RowsOf(OverInput(), JsonOf(rows))).ok());
  ASSERT_TRUE(harness.Watermark(5000).ok());
  const int64_t full = harness.StateBytes();
  EXPECT_GT(full, 0);
  for (EventTime time = 6000; time < 6600; ++time) {
    ASSERT_TRUE(
        harness.Feed(0, RowsOf(OverInput(), "[[1," + std::to_string(time) + ",-1,null,0,\"x\",null,null]]")).ok());
    ASSERT_TRUE(harness.Watermark(time).ok());
  }
  ASSERT_TRUE(harness.Snapshot(true).ok());
  ASSERT_TRUE(harness.Restore(1).ok());
  EXPECT_LT(harness.StateBytes(), full / 10);
}

TEST(OverTest, WhatCannotBeComputedIsRefusedWithItsPlace) {
  const auto refusal = [](OverCall call, OverEmit emit = OverEmit::kOnWatermark) {
    call.call.position = {.file = "q.sql", .line = 3, .column = 9};
    OverSpec spec{.partition_columns = {kKey}, .time_column = kTime, .calls = {std::move(call)}, .emit = emit};
    return Over::Make(spec, OverInput(), OutputSchema(spec)).status();
  };
  const DataType bigint(TypeKind::kBigInt);
  const Status listagg = refusal(Call("LISTAGG", kName, DataType(TypeKind::kString), {false, 10}));
  EXPECT_TRUE(listagg.Is(kUnsupportedOver));
  EXPECT_EQ(listagg.position()->line, 3);
  EXPECT_TRUE(refusal(Call("COUNT", kName, bigint, {false, -1}, -1, true)).Is(kUnsupportedOver));
  EXPECT_TRUE(refusal(Call("SUM", kAmount, bigint, {false, 5}, -1, true)).Is(kUnsupportedOver));
  EXPECT_TRUE(refusal(Call("MAX", kAmount, bigint, {false, -1}), OverEmit::kOnArrival).Is(kUnsupportedOver));
  EXPECT_TRUE(refusal(Call("MAX", kAmount, bigint, {false, -1})).ok());
}

}  // namespace
}  // namespace tidemill
