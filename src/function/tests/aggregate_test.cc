#include <cmath>
#include <map>
#include <random>
#include <set>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "data/batch.h"
#include "data/schema.h"
#include "function/aggregate_function.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

// Accumulators of one call over `type`, driven by hand.
struct Groups {
  ResolvedAggregate resolved;
  std::unique_ptr<Accumulators> accumulators;
};

Groups MakeGroups(const char* name, std::vector<DataType> types, int64_t slots, bool distinct = false,
                  bool retracting = false) {
  std::vector<ArgumentInfo> infos;
  for (const DataType& type : types) infos.push_back(ArgumentInfo{type, nullptr});
  Groups groups;
  auto resolved = FunctionRegistry::BuiltIn().FindAggregate(name)->resolve(infos, distinct);
  TM_CHECK(resolved.ok());
  groups.resolved = *std::move(resolved);
  groups.resolved.retracting = retracting;
  groups.accumulators = groups.resolved.make(groups.resolved);
  groups.accumulators->Resize(slots);
  return groups;
}

std::shared_ptr<arrow::Array> Int64s(const std::vector<std::optional<int64_t>>& values) {
  arrow::Int64Builder builder;
  TM_CHECK(builder.AppendNulls(2).ok());  // an offset under every test
  for (const auto& value : values) TM_CHECK((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return (*builder.Finish())->Slice(2);
}

std::shared_ptr<arrow::Array> Doubles(const std::vector<double>& values) {
  arrow::DoubleBuilder builder;
  TM_CHECK(builder.Append(-1).ok());
  TM_CHECK(builder.AppendValues(values).ok());
  return (*builder.Finish())->Slice(1);
}

void Update(Groups& groups, std::vector<uint32_t> slots, std::vector<std::shared_ptr<arrow::Array>> args,
            const std::vector<int8_t>& kinds = {}, const std::vector<uint8_t>& selected = {}) {
  const Status status = groups.accumulators->Update(slots, args, kinds.empty() ? nullptr : kinds.data(),
                                                    selected.empty() ? nullptr : selected.data());
  ASSERT_TRUE(status.ok()) << status.ToString();
}

std::vector<std::string> Finish(const Groups& groups, std::vector<uint32_t> slots) {
  auto array = groups.accumulators->Finish(slots);
  TM_CHECK(array.ok());
  EXPECT_TRUE((*array)->ValidateFull().ok());
  EXPECT_TRUE((*array)->type()->Equals(ToArrow(groups.resolved.result)));
  const ManualClock clock;
  EvalContext context(static_cast<int64_t>(slots.size()), clock, "UTC");
  auto text = CastDatum(context, *array, groups.resolved.result, DataType(TypeKind::kString), false);
  const std::shared_ptr<arrow::Array> column_text = text->make_array();
  const auto& strings = static_cast<const arrow::StringArray&>(*column_text);
  std::vector<std::string> out;
  for (int64_t i = 0; i < strings.length(); ++i) out.push_back(strings.IsNull(i) ? "NULL" : strings.GetString(i));
  return out;
}

using Strings = std::vector<std::string>;
const DataType kBigIntType(TypeKind::kBigInt);
const DataType kDoubleType(TypeKind::kDouble);

TEST(Aggregate, CountsNullsFiltersAndRetractions) {
  Groups count = MakeGroups("COUNT", {kBigIntType}, 3);
  Update(count, {0, 0, 1, 1, 1}, {Int64s({1, {}, 3, 4, 5})}, {0, 0, 0, 2, 3}, {1, 1, 1, 1, 1});
  EXPECT_EQ(Finish(count, {0, 1, 2}), (Strings{"1", "1", "0"}));
  Groups star = MakeGroups("COUNT", {}, 2);
  Update(star, {0, 0, 1}, {}, {}, {1, 0, 1});
  EXPECT_EQ(Finish(star, {0, 1}), (Strings{"1", "1"}));
}

TEST(Aggregate, SumsKeepTheirTypeAndAreNullWhenEmpty) {
  Groups sum = MakeGroups("SUM", {kBigIntType}, 3);
  Update(sum, {0, 0, 1, 1}, {Int64s({1, 2, 7, {}})});
  EXPECT_EQ(Finish(sum, {0, 1, 2}), (Strings{"3", "7", "NULL"}));
  Update(sum, {1}, {Int64s({7})}, {3});
  EXPECT_EQ(Finish(sum, {1}), (Strings{"NULL"}));
  EXPECT_EQ(MakeGroups("SUM", {DataType(TypeKind::kTinyInt)}, 1).resolved.result.kind(), TypeKind::kTinyInt);
  EXPECT_EQ(MakeGroups("AVG", {DataType::Decimal(10, 2)}, 1).resolved.result, DataType::Decimal(38, 6));
  EXPECT_EQ(MakeGroups("SUM", {DataType::Decimal(10, 2)}, 1).resolved.result, DataType::Decimal(38, 2));
  Groups average = MakeGroups("AVG", {kBigIntType}, 1);
  Update(average, {0, 0}, {Int64s({-1, -2})});
  EXPECT_EQ(Finish(average, {0}), (Strings{"-1"}));
}

TEST(Aggregate, DoubleSumsDoNotDriftUnderRetraction) {
  Groups sum = MakeGroups("SUM", {kDoubleType}, 1);
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-1e6, 1e6);
  std::vector<double> window;
  for (int i = 0; i < 20000; ++i) {
    window.push_back(i % 100 == 0 ? 1e16 : uniform(random));
    Update(sum, {0}, {Doubles({window.back()})});
    if (window.size() > 3) {
      Update(sum, {0}, {Doubles({window.front()})}, {3});
      window.erase(window.begin());
    }
  }
  long double expected = 0;
  for (double value : window) expected += value;
  const auto out = *sum.accumulators->Finish(std::vector<uint32_t>{0});
  EXPECT_NEAR(static_cast<const arrow::DoubleArray&>(*out).Value(0), static_cast<double>(expected), 1e-9);
}

TEST(Aggregate, InfinityLeavesAWindowAgain) {
  Groups sum = MakeGroups("SUM", {kDoubleType}, 1);
  Update(sum, {0, 0, 0}, {Doubles({1, INFINITY, 2})});
  EXPECT_EQ(Finish(sum, {0}), (Strings{"Infinity"}));
  Update(sum, {0}, {Doubles({-INFINITY})});
  EXPECT_EQ(Finish(sum, {0}), (Strings{"NaN"}));
  Update(sum, {0, 0}, {Doubles({INFINITY, -INFINITY})}, {3, 3});
  EXPECT_EQ(Finish(sum, {0}), (Strings{"3.0"}));
}

TEST(Aggregate, DeviationsHoldFarFromZeroAndUnderRetraction) {
  Groups deviation = MakeGroups("STDDEV_SAMP", {kDoubleType}, 2);
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(1e9 + i % 3);
  Update(deviation, std::vector<uint32_t>(1000, 0), {Doubles(values)});
  double mean = 0, squares = 0;
  for (double v : values) mean += (v - 1e9) / 1000;
  for (double v : values) squares += (v - 1e9 - mean) * (v - 1e9 - mean);
  auto out = *deviation.accumulators->Finish(std::vector<uint32_t>{0});
  EXPECT_NEAR(static_cast<const arrow::DoubleArray&>(*out).Value(0), std::sqrt(squares / 999), 1e-12);
  Update(deviation, std::vector<uint32_t>(999, 0), {Doubles(std::vector<double>(values.begin(), values.end() - 1))},
         std::vector<int8_t>(999, 3));
  EXPECT_EQ(Finish(deviation, {0, 1}), (Strings{"NULL", "NULL"}));
  Update(deviation, {0}, {Doubles({values.back()})});
  EXPECT_EQ(Finish(deviation, {0}), (Strings{"0.0"}));
}

TEST(Aggregate, DistinctCountsEachValueOnceAndTakesItBack) {
  Groups count = MakeGroups("COUNT", {kBigIntType}, 2, true);
  Update(count, {0, 0, 0, 1}, {Int64s({5, 5, {}, 5})});
  EXPECT_EQ(Finish(count, {0, 1}), (Strings{"1", "1"}));
  Update(count, {0}, {Int64s({5})}, {3});
  EXPECT_EQ(Finish(count, {0}), (Strings{"1"}));
  Update(count, {0, 1}, {Int64s({5, 6})}, {3, 0});
  EXPECT_EQ(Finish(count, {0, 1}), (Strings{"0", "2"}));
  Groups sum = MakeGroups("SUM", {kBigIntType}, 2, true);
  Update(sum, {0, 0, 0, 1, 1}, {Int64s({5, 5, 6, 6, 7})});
  ASSERT_TRUE(sum.accumulators->Merge(std::vector<uint32_t>{0}, *sum.accumulators, std::vector<uint32_t>{1}).ok());
  EXPECT_EQ(Finish(sum, {0, 1}), (Strings{"18", "13"}));
}

TEST(Aggregate, ExtremesOfRetractingInputFallBackToTheNextValue) {
  Groups max = MakeGroups("MAX", {kBigIntType}, 1, false, true);
  EXPECT_TRUE(max.accumulators->retractable());
  Update(max, {0, 0, 0, 0}, {Int64s({3, 9, 9, 5})});
  Update(max, {0}, {Int64s({9})}, {3});
  EXPECT_EQ(Finish(max, {0}), (Strings{"9"}));
  Update(max, {0}, {Int64s({9})}, {1});
  EXPECT_EQ(Finish(max, {0}), (Strings{"5"}));
  Groups last = MakeGroups("LAST_VALUE", {kBigIntType}, 1, false, true);
  Update(last, {0, 0}, {Int64s({3, 9})});
  Update(last, {0}, {Int64s({9})}, {3});
  EXPECT_EQ(Finish(last, {0}), (Strings{"3"}));
}

TEST(Aggregate, RetractionsAreRefusedWhereTheyCannotBeDone) {
  for (const char* name : {"MIN", "MAX", "FIRST_VALUE", "LAST_VALUE", "APPROX_COUNT_DISTINCT"}) {
    Groups groups = MakeGroups(name, {kBigIntType}, 1);
    EXPECT_FALSE(groups.accumulators->retractable()) << name;
    const std::vector<uint32_t> slots = {0, 0};
    const std::vector<std::shared_ptr<arrow::Array>> args = {Int64s({1, 1})};
    const std::vector<int8_t> inserts = {0, 2}, retracts = {0, 1};
    EXPECT_TRUE(groups.accumulators->Update(slots, args, inserts.data(), nullptr).ok()) << name;
    EXPECT_FALSE(groups.accumulators->Update(slots, args, retracts.data(), nullptr).ok()) << name;
  }
}

TEST(Aggregate, SketchIsWithinItsErrorAtEverySize) {
  Groups sketch = MakeGroups("APPROX_COUNT_DISTINCT", {kBigIntType}, 2);
  int64_t value = 0;
  for (int64_t target : {1, 10, 100, 500, 600, 5000, 40000, 300000}) {
    std::vector<std::optional<int64_t>> values;
    while (value < target) values.push_back(value++ * 7919);
    values.push_back(0);
    Update(sketch, std::vector<uint32_t>(values.size(), 0), {Int64s(values)});
    const auto out = *sketch.accumulators->Finish(std::vector<uint32_t>{0});
    const auto estimate = static_cast<const arrow::Int64Array&>(*out).Value(0);
    EXPECT_NEAR(static_cast<double>(estimate), static_cast<double>(target), 0.04 * static_cast<double>(target))
        << target;
    if (target <= 10) {
      EXPECT_EQ(estimate, target);
    }
  }
  ASSERT_TRUE(
      sketch.accumulators->Merge(std::vector<uint32_t>{1}, *sketch.accumulators, std::vector<uint32_t>{0}).ok());
  EXPECT_EQ(Finish(sketch, {0})[0], Finish(sketch, {1})[0]);
}

TEST(Aggregate, ListsStopAtTheirBound) {
  Groups list = MakeGroups("ARRAY_AGG", {kBigIntType}, 1);
  list.resolved.elements_max = 2;
  list.accumulators = list.resolved.make(list.resolved);
  list.accumulators->Resize(1);
  EXPECT_EQ(Finish(list, {0}), (Strings{"NULL"}));
  Update(list, {0, 0, 0}, {Int64s({1, {}, 3})});
  EXPECT_EQ(Finish(list, {0}), (Strings{"[1, NULL]"}));
  EXPECT_EQ(list.accumulators->rows_over_bound(), 1);
}

// Whatever an aggregate is over: a run through Export, Import and Merge gives what one pass gives.
TEST(Aggregate, StateSurvivesExportImportAndMerge) {
  struct Call {
    const char* name;
    bool distinct = false;
    bool retracting = false;
  };
  const std::vector<Call> calls = {{"COUNT"},
                                   {"SUM"},
                                   {"AVG"},
                                   {"MIN"},
                                   {"MAX"},
                                   {"VAR_POP"},
                                   {"STDDEV"},
                                   {"FIRST_VALUE"},
                                   {"LAST_VALUE"},
                                   {"APPROX_COUNT_DISTINCT"},
                                   {"ARRAY_AGG"},
                                   {"COLLECT"},
                                   {"COUNT", true},
                                   {"SUM", true},
                                   {"AVG", true},
                                   {"MIN", false, true},
                                   {"FIRST_VALUE", false, true},
                                   {"LISTAGG"}};
  const std::vector<DataType> types = {DataType(TypeKind::kTinyInt),
                                       DataType(TypeKind::kInt),
                                       kBigIntType,
                                       DataType(TypeKind::kFloat),
                                       kDoubleType,
                                       DataType::Decimal(12, 3),
                                       DataType(TypeKind::kString),
                                       DataType(TypeKind::kBoolean),
                                       DataType::Timestamp(3),
                                       DataType(TypeKind::kDate)};
  const ManualClock clock;
  int checked = 0;
  for (const Call& call : calls) {
    for (const DataType& type : types) {
      const ArgumentInfo info{type, nullptr};
      auto resolved = FunctionRegistry::BuiltIn().FindAggregate(call.name)->resolve({&info, 1}, call.distinct);
      if (!resolved.ok()) continue;
      // 60 rows in 4 groups; TIMESTAMP and the like from their text.
      std::vector<std::optional<int64_t>> numbers;
      std::vector<uint32_t> slots;
      for (int i = 0; i < 60; ++i) {
        numbers.push_back(i % 7 == 3 ? std::nullopt : std::optional<int64_t>(i * 37 % 11));
        slots.push_back(static_cast<uint32_t>(i % 4));
      }
      EvalContext context(60, clock, "UTC");
      arrow::Datum column = Int64s(numbers);
      if (type.IsTimestamp() || type.kind() == TypeKind::kDate) {
        column = column.make_array()->View(arrow::timestamp(arrow::TimeUnit::MILLI)).ValueOrDie();
        column = *CastDatum(context, column, DataType::Timestamp(3), type, false);
      } else if (type.kind() != TypeKind::kBigInt) {
        column = *CastDatum(context, column, kBigIntType, type, false);
      }
      column = *CastDatum(context, column, type, resolved->arguments[0], false);
      Groups once = MakeGroups(call.name, {type}, 4, call.distinct, call.retracting);
      Update(once, slots, {column.make_array()});
      Groups first = MakeGroups(call.name, {type}, 4, call.distinct, call.retracting);
      Groups second = MakeGroups(call.name, {type}, 8, call.distinct, call.retracting);
      Update(first, std::vector<uint32_t>(slots.begin(), slots.begin() + 31), {column.make_array()->Slice(0, 31)});
      Update(second, std::vector<uint32_t>(slots.begin() + 31, slots.end()), {column.make_array()->Slice(31)});
      // Through a snapshot into other slots of a third table, where something old lies.
      Groups third = MakeGroups(call.name, {type}, 8, call.distinct, call.retracting);
      Update(third, std::vector<uint32_t>(60, 6), {column.make_array()});
      const std::vector<uint32_t> all = {0, 1, 2, 3}, there = {7, 6, 5, 4};
      auto exported = first.accumulators->Export(all);
      ASSERT_TRUE(exported.ok()) << call.name;
      const Schema& schema = first.accumulators->state_schema();
      ASSERT_EQ(static_cast<size_t>(schema.num_fields()), exported->size());
      for (int f = 0; f < schema.num_fields(); ++f) {
        EXPECT_TRUE((*exported)[static_cast<size_t>(f)]->ValidateFull().ok()) << call.name;
        EXPECT_TRUE((*exported)[static_cast<size_t>(f)]->type()->Equals(ToArrow(schema.field(f).type)))
            << call.name << " " << type.ToString();
      }
      ASSERT_TRUE(third.accumulators->Import(there, *exported).ok()) << call.name;
      ASSERT_TRUE(third.accumulators->Merge(there, *second.accumulators, all).ok());
      EXPECT_EQ(Finish(third, there), Finish(once, all))
          << call.name << (call.distinct ? " DISTINCT " : " ") << type.ToString();
      third.accumulators->Clear(there);
      const Groups empty = MakeGroups(call.name, {type}, 8, call.distinct, call.retracting);
      EXPECT_EQ(Finish(third, there), Finish(empty, there)) << call.name;
      EXPECT_GE(third.accumulators->MemoryBytes(), 8) << call.name;
      ++checked;
    }
  }
  EXPECT_GT(checked, 100);
}

}  // namespace
}  // namespace tidemill
