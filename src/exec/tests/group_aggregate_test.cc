#include "exec/group_aggregate.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"
#include "exec/tests/aggregate_calls.h"
#include "exec/tests/operator_harness.h"

namespace tidemill {
namespace {

using Rows = std::vector<std::string>;

Schema GroupInput() { return Schema({{"k", DataType(TypeKind::kString)}, {"x", DataType(TypeKind::kBigInt)}}); }

OperatorHarness MakeHarness(std::vector<int> keys, int64_t ttl_ms = 0, int parallelism = 1) {
  GroupAggregateSpec spec{.keys = keys,
                          .calls = {CallOf("COUNT", {}, GroupInput()), CallOf("SUM", {1}, GroupInput())},
                          .state_ttl_ms = ttl_ms};
  std::vector<Field> fields;
  for (const int key : keys) fields.push_back(GroupInput().field(key));
  fields.push_back({"n", spec.calls[0].resolved.result});
  fields.push_back({"s", spec.calls[1].resolved.result});
  return OperatorHarness(
      [=] { return Result<std::unique_ptr<Operator>>(*GroupAggregate::Make(spec, GroupInput(), Schema(fields))); },
      {GroupInput()}, {keys}, parallelism);
}

TEST(GroupAggregateTest, EveryRowGivesTheChangeOfItsGroup) {
  OperatorHarness harness = MakeHarness({0});
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",1],[\"b\",2],[\"a\",3]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"+I a|1|1", "+I b|1|2", "-U a|1|1", "+U a|2|4"}));
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",1],[\"b\",2],[\"b\",5]]", {"-U", "-D", "+I"})).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"-U a|2|4", "+U a|1|3", "-D b|1|2", "+I b|1|5"}));
}

TEST(GroupAggregateTest, OutputDoesNotDependOnBatches) {
  Random random(4);
  std::string json = "[";
  std::vector<std::string> single;
  for (int i = 0; i < 300; ++i) {
    single.push_back("[\"g" + std::to_string(random.Uniform(5)) + "\"," + std::to_string(random.Uniform(10)) + "]");
    json += (i ? "," : "") + single.back();
  }
  OperatorHarness whole = MakeHarness({0});
  ASSERT_TRUE(whole.Feed(0, RowsOf(GroupInput(), json + "]")).ok());
  OperatorHarness one_by_one = MakeHarness({0});
  for (const std::string& row : single) ASSERT_TRUE(one_by_one.Feed(0, RowsOf(GroupInput(), "[" + row + "]")).ok());
  EXPECT_EQ(whole.TakeRows(), one_by_one.TakeRows());
}

TEST(GroupAggregateTest, ResultsThatStayAreNotEmitted) {
  OperatorHarness harness = MakeHarness({});
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",1]]")).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",4],[\"a\",4]]", {"+I", "-D"})).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"+I 1|1", "-U 1|1", "+U 2|5", "-U 2|5", "+U 1|1"}));
}

TEST(GroupAggregateTest, StateSurvivesRestores) {
  Random random(8);
  OperatorHarness harness = MakeHarness({0}, 0, 2);
  std::map<std::string, std::pair<int64_t, int64_t>> model;
  std::map<std::string, std::string> got;
  for (int step = 0; step < 60; ++step) {
    std::string json = "[";
    for (int i = 0; i < 20; ++i) {
      const std::string key = "g" + std::to_string(random.Uniform(30));
      const int64_t x = static_cast<int64_t>(random.Uniform(100));
      ++model[key].first;
      model[key].second += x;
      json += (i ? "," : "") + ("[\"" + key + "\"," + std::to_string(x) + "]");
    }
    ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), json + "]")).ok());
    for (const std::string& row : harness.TakeRows()) {
      const size_t bar = row.find('|');
      if (row[0] == '+') got[row.substr(3, bar - 3)] = row.substr(bar + 1);
    }
    ASSERT_TRUE(harness.Snapshot(step % 7 == 0).ok());
    if (step % 13 == 12) {
      ASSERT_TRUE(harness.Restore(1 + static_cast<int>(random.Uniform(3))).ok());
    }
  }
  for (const auto& [key, totals] : model)
    EXPECT_EQ(got[key], std::to_string(totals.first) + "|" + std::to_string(totals.second));
}

TEST(GroupAggregateTest, IdleGroupsStartAgain) {
  OperatorHarness harness = MakeHarness({0}, 1000);
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",1]]")).ok());
  harness.clock().AdvanceMicros(1'500'000);
  ASSERT_TRUE(harness.Feed(0, RowsOf(GroupInput(), "[[\"a\",2]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"+I a|1|1", "+I a|1|2"}));
}

}  // namespace
}  // namespace tidemill
