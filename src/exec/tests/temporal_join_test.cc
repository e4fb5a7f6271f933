#include "exec/temporal_join.h"

#include <map>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "exec/tests/operator_harness.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

using Rows = std::vector<std::string>;

Schema Left() {
  return Schema(
      {{"k", DataType(TypeKind::kString)}, {"ts", DataType::Timestamp(3)}, {"id", DataType(TypeKind::kBigInt)}});
}
Schema Right() {
  return Schema({{"name", DataType(TypeKind::kString, false)},
                 {"since", DataType::Timestamp(3)},
                 {"level", DataType(TypeKind::kBigInt)},
                 {"note", DataType(TypeKind::kString)}});
}
Schema JoinOutput() {
  std::vector<Field> fields = Left().fields();
  const Schema right = Right();
  for (const Field& field : right.fields()) fields.push_back({field.name, field.type.WithNullable(true)});
  return Schema(fields);
}

OperatorHarness MakeHarness(bool left_outer, OverEmit emit = OverEmit::kOnWatermark, ExpressionPtr condition = nullptr,
                            int parallelism = 1) {
  TemporalJoinSpec spec{.left_keys = {0},
                        .right_keys = {0},
                        .left_time_column = 1,
                        .right_time_column = 1,
                        .left_outer = left_outer,
                        .condition = condition,
                        .emit = emit};
  return OperatorHarness(
      [spec] { return Result<std::unique_ptr<Operator>>(*TemporalJoin::Make(spec, Left(), Right(), JoinOutput())); },
      {Left(), Right()}, {{0}, {0}}, parallelism);
}

TEST(TemporalJoinTest, LeftRowsWaitAndGetTheVersionOfTheirTime) {
  OperatorHarness harness = MakeHarness(true);
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",50,1],[\"a\",10,2],[\"a\",9,3],[\"b\",20,4],[null,20,5]]")).ok());
  ASSERT_TRUE(harness.Feed(1, RowsOf(Right(), "[[\"a\",10,1,\"one\"],[\"a\",40,2,null]]")).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  ASSERT_TRUE(harness.Watermark(30).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|9|3|NULL|NULL|NULL|NULL", "a|10|2|a|10|1|one", "b|20|4|NULL|NULL|NULL|NULL",
                                      "NULL|20|5|NULL|NULL|NULL|NULL"}));
  // A version that comes late counts for rows that were not joined yet; the last of two with one time wins.
  ASSERT_TRUE(harness.Feed(1, RowsOf(Right(), "[[\"a\",45,3,\"x\"],[\"a\",45,4,\"y\"],[\"a\",28,9,\"late\"]]")).ok());
  ASSERT_TRUE(harness.Watermark(60).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|50|1|a|45|4|y"}));
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",60,6],[\"a\",61,7]]")).ok());
  ASSERT_EQ(harness.rejects().size(), 1u);
  EXPECT_EQ(harness.rejects()[0].reason, RejectReason::kLate);
  EXPECT_EQ(harness.metrics().SumCounter("tidemill_late_records_total"), 1);
}

TEST(TemporalJoinTest, InnerDropsAndDeletionsEndAVersion) {
  OperatorHarness harness = MakeHarness(false);
  ASSERT_TRUE(harness
                  .Feed(1, RowsOf(Right(),
                                  "[[\"a\",10,1,\"one\"],[\"a\",20,1,\"one\"],[\"a\",30,2,\"two\"],[\"b\",5,1,\"b\"],["
                                  "\"b\",6,1,\"b\"]]",
                                  {"+I", "-D", "+I", "+I", "-U"}))
                  .ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",15,1],[\"a\",25,2],[\"a\",35,3],[\"b\",9,4]]")).ok());
  ASSERT_TRUE(harness.Watermark(100).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"b|9|4|b|5|1|b", "a|15|1|a|10|1|one", "a|35|3|a|30|2|two"}));
}

TEST(TemporalJoinTest, ConditionIsPartOfTheMatch) {
  const ScalarFunction* greater = FunctionRegistry::BuiltIn().FindScalar(">");
  auto condition = std::make_shared<Expression>();
  condition->kind = Expression::Kind::kCall;
  condition->function = greater;
  condition->args = {MakeColumn(5, JoinOutput().field(5).type), MakeColumn(2, JoinOutput().field(2).type)};
  const std::vector<ArgumentInfo> arguments{{condition->args[0]->type}, {condition->args[1]->type}};
  condition->resolved = *greater->resolve(arguments);
  condition->type = condition->resolved.result;
  for (const bool outer : {false, true}) {
    OperatorHarness harness = MakeHarness(outer, OverEmit::kOnWatermark, condition);
    ASSERT_TRUE(harness.Feed(1, RowsOf(Right(), "[[\"a\",10,5,\"one\"]]")).ok());
    ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",15,4],[\"a\",16,6]]")).ok());
    ASSERT_TRUE(harness.Watermark(100).ok());
    Rows expected = {"a|15|4|a|10|5|one"};
    if (outer) expected.push_back("a|16|6|NULL|NULL|NULL|NULL");
    EXPECT_EQ(harness.TakeRows(), expected);
  }
}

TEST(TemporalJoinTest, OnArrivalJoinsAtOnceWithWhatIsKnown) {
  OperatorHarness harness = MakeHarness(true, OverEmit::kOnArrival);
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",15,1]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|15|1|NULL|NULL|NULL|NULL"}));
  ASSERT_TRUE(harness.Feed(1, RowsOf(Right(), "[[\"a\",10,1,\"one\"],[\"a\",20,2,\"two\"]]")).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",15,2],[\"a\",25,3]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|15|2|a|10|1|one", "a|25|3|a|20|2|two"}));
  // Versions below the watermark's are let go: a row that needs one is late, others are not.
  ASSERT_TRUE(harness.Watermark(22).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), "[[\"a\",15,4],[\"a\",21,5],[\"c\",1,6]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|21|5|a|20|2|two", "c|1|6|NULL|NULL|NULL|NULL"}));
  ASSERT_EQ(harness.rejects().size(), 1u);
  EXPECT_EQ(harness.rejects()[0].reason, RejectReason::kLate);
}

TEST(TemporalJoinTest, EqualsTheDefinitionThroughRestoresAndParallelism) {
  Random random(3);
  OperatorHarness harness = MakeHarness(true);
  std::map<std::string, std::map<EventTime, std::pair<bool, int64_t>>> versions;  // deleted, level
  struct LeftRow {
    std::string key;
    EventTime time;
    int64_t id;
  };
  std::vector<LeftRow> waiting;
  std::map<int64_t, std::string> expected, got;
  EventTime watermark = 0;
  int64_t id = 0;
  for (int step = 0; step < 300; ++step) {
    std::string left = "[", right = "[";
    std::vector<std::string> kinds;
    for (int i = 0; i < 20; ++i) {
      const std::string key = "key number " + std::to_string(random.Uniform(30));
      const EventTime time = watermark + 1 + static_cast<EventTime>(random.Uniform(40));
      if (random.Uniform(3)) {
        waiting.push_back({key, time, id});
        left += (left.size() > 1 ? "," : "") +
                ("[\"" + key + "\"," + std::to_string(time) + "," + std::to_string(id++) + "]");
      } else {
        const bool deleted = random.Uniform(4) == 0;
        const int64_t level = static_cast<int64_t>(random.Uniform(1000));
        versions[key][time] = {deleted, level};
        right += (right.size() > 1 ? "," : "") + ("[\"" + key + "\"," + std::to_string(time) + "," +
                                                  std::to_string(level) + ",\"n" + std::to_string(level) + "\"]");
        kinds.push_back(deleted ? "-D" : "+U");
      }
    }
    if (left.size() > 1) {
      ASSERT_TRUE(harness.Feed(0, RowsOf(Left(), left + "]")).ok());
    }
    if (right.size() > 1) {
      ASSERT_TRUE(harness.Feed(1, RowsOf(Right(), right + "]", kinds)).ok());
    }
    watermark += static_cast<EventTime>(random.Uniform(30));
    ASSERT_TRUE(harness.Watermark(watermark).ok());
    std::erase_if(waiting, [&](const LeftRow& row) {
      if (row.time > watermark) return false;
      auto& of_key = versions[row.key];
      const auto after = of_key.upper_bound(row.time);
      const bool found = after != of_key.begin() && !std::prev(after)->second.first;
      expected[row.id] = found ? row.key + "|" + std::to_string(std::prev(after)->first) + "|" +
                                     std::to_string(std::prev(after)->second.second) + "|n" +
                                     std::to_string(std::prev(after)->second.second)
                               : "NULL|NULL|NULL|NULL";
      return true;
    });
    for (const std::string& row : harness.TakeRows()) {
      const size_t second = row.find('|', row.find('|') + 1);
      const size_t third = row.find('|', second + 1);
      got[std::stoll(row.substr(second + 1, third - second - 1))] = row.substr(third + 1);
    }
    ASSERT_EQ(got, expected) << "step " << step;
    if (step % 5 == 2) {
      ASSERT_TRUE(harness.Snapshot(step % 25 == 2).ok());
    }
    if (step % 35 == 34) {
      ASSERT_TRUE(harness.Snapshot(false).ok());
      ASSERT_TRUE(harness.Restore(1 + static_cast<int>(random.Uniform(3))).ok());
    }
  }
  EXPECT_GT(id, 3000);
}

}  // namespace
}  // namespace tidemill
