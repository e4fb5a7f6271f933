#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "exec/session_aggregate.h"
#include "exec/tests/aggregate_calls.h"
#include "exec/tests/operator_harness.h"
#include "exec/window_aggregate.h"
#include "exec/window_grid.h"
#include "exec/window_tvf.h"

namespace tidemill {
namespace {

using Rows = std::vector<std::string>;

Schema WindowInput(bool zoned = false) {
  return Schema({{"k", DataType(TypeKind::kString)},
                 {"ts", zoned ? DataType::TimestampLtz(3) : DataType::Timestamp(3)},
                 {"x", DataType(TypeKind::kBigInt)},
                 {"good", DataType(TypeKind::kBoolean)}});
}

WindowAggregateSpec SpecOf(WindowSpec window, bool keyed = true) {
  WindowAggregateSpec spec{.window = std::move(window), .keys = {}, .calls = {}};
  spec.window.time_column = 1;
  if (keyed) spec.keys = {0};
  spec.calls = {CallOf("COUNT", {}, WindowInput()), CallOf("SUM", {2}, WindowInput(), 3),
                CallOf("MAX", {2}, WindowInput()), CallOf("COUNT", {2}, WindowInput(), -1, true)};
  spec.calls[3].name = "distinct";
  return spec;
}

Schema OutputSchema(const WindowAggregateSpec& spec, bool zoned = false) {
  std::vector<Field> fields;
  for (const int key : spec.keys) fields.push_back(WindowInput().field(key));
  for (size_t i = 0; i < spec.calls.size(); ++i)
    fields.push_back({"c" + std::to_string(i), spec.calls[i].resolved.result});
  fields.push_back({"window_start", DataType::Timestamp(3, false)});
  fields.push_back({"window_end", DataType::Timestamp(3, false)});
  fields.push_back({"window_time", zoned ? DataType::TimestampLtz(3) : DataType::Timestamp(3)});
  return Schema(fields);
}

OperatorHarness MakeHarness(const WindowAggregateSpec& spec, bool zoned = false, int parallelism = 1) {
  const Schema input = WindowInput(zoned);
  const Schema output = OutputSchema(spec, zoned);
  return OperatorHarness(
      [=]() -> Result<std::unique_ptr<Operator>> {
        if (spec.window.kind == WindowKind::kSession)
          return Result<std::unique_ptr<Operator>>(*SessionAggregate::Make(spec, input, output));
        return Result<std::unique_ptr<Operator>>(*WindowAggregate::Make(spec, input, output));
      },
      {input}, {spec.keys}, parallelism);
}

struct WindowRow {
  std::string key;
  EventTime time;
  int64_t x;
  bool good;
};

std::string JsonOfWindows(const std::vector<WindowRow>& rows) {
  std::string json = "[";
  for (const WindowRow& row : rows) {
    json += (json.size() > 1 ? "," : "") + ("[\"" + row.key + "\"," + std::to_string(row.time) + "," +
                                            std::to_string(row.x) + "," + (row.good ? "true" : "false") + "]");
  }
  return json + "]";
}

std::string ResultOf(const std::string& key, const std::vector<WindowRow>& rows, int64_t start, int64_t end) {
  int64_t sum = 0, max = INT64_MIN;
  bool any = false;
  std::set<int64_t> distinct;
  for (const WindowRow& row : rows) {
    if (row.good) sum += row.x, any = true;
    max = std::max(max, row.x);
    distinct.insert(row.x);
  }
  return key + "|" + std::to_string(rows.size()) + "|" + (any ? std::to_string(sum) : "NULL") + "|" +
         std::to_string(max) + "|" + std::to_string(distinct.size()) + "|" + std::to_string(start) + "|" +
         std::to_string(end) + "|" + std::to_string(end - 1);
}

struct WindowCase {
  WindowSpec window;
  const char* name;
};

// By the definition: every window of the right shape that holds rows.
std::multiset<std::string> ExpectedWindows(const WindowSpec& spec, const std::vector<WindowRow>& rows) {
  std::map<std::pair<std::pair<int64_t, int64_t>, std::string>, std::vector<WindowRow>> windows;
  const int64_t period = spec.kind == WindowKind::kHop ? spec.slide_ms : spec.size_ms;
  for (const WindowRow& row : rows) {
    const int64_t start = row.time - ((row.time - spec.offset_ms) % period + period) % period;
    if (spec.kind == WindowKind::kCumulate) {
      for (int64_t end = start + spec.slide_ms; end <= start + spec.size_ms; end += spec.slide_ms) {
        if (row.time < end) windows[{{start, end}, row.key}].push_back(row);
      }
    } else {
      for (int64_t s = start; s > row.time - spec.size_ms; s -= period)
        windows[{{s, s + spec.size_ms}, row.key}].push_back(row);
    }
  }
  std::multiset<std::string> expected;
  for (const auto& [window, of_window] : windows)
    expected.insert(ResultOf(window.second, of_window, window.first.first, window.first.second));
  return expected;
}

std::multiset<std::string> ExpectedSessions(int64_t gap, std::vector<WindowRow> rows) {
  std::map<std::string, std::vector<WindowRow>> by_key;
  std::stable_sort(rows.begin(), rows.end(), [](const WindowRow& a, const WindowRow& b) { return a.time < b.time; });
  std::multiset<std::string> expected;
  for (const WindowRow& row : rows) by_key[row.key].push_back(row);
  for (const auto& [key, of_key] : by_key) {
    for (size_t i = 0; i < of_key.size();) {
      size_t end = i + 1;
      while (end < of_key.size() && of_key[end].time <= of_key[end - 1].time + gap) ++end;
      expected.insert(ResultOf(key,
                               {of_key.begin() + static_cast<int64_t>(i), of_key.begin() + static_cast<int64_t>(end)},
                               of_key[i].time, of_key[end - 1].time + gap));
      i = end;
    }
  }
  return expected;
}

class WindowTest : public ::testing::TestWithParam<WindowCase> {};

TEST_P(WindowTest, EqualsTheDefinitionThroughRestoresAndParallelism) {
  const WindowAggregateSpec spec = SpecOf(GetParam().window);
  for (const uint64_t seed : {1, 2, 3}) {
    Random random(seed);
    OperatorHarness harness = MakeHarness(spec);
    std::vector<WindowRow> all;
    std::multiset<std::string> got;
    EventTime watermark = -500;
    for (int step = 0; step < 150; ++step) {
      std::vector<WindowRow> rows(1 + random.Uniform(30));
      for (WindowRow& row : rows) {
        row = {"key" + std::to_string(random.Uniform(6)), watermark + 1 + static_cast<EventTime>(random.Uniform(60)),
               static_cast<int64_t>(random.Uniform(9)), random.Uniform(2) == 0};
        // Rows exactly a gap apart are together only if the first session has not fired yet: even times and an odd gap
        // leave them out.
        if (spec.window.kind == WindowKind::kSession) row.time += row.time & 1;
        all.push_back(row);
      }
      ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), JsonOfWindows(rows))).ok());
      watermark += static_cast<EventTime>(random.Uniform(step % 20 == 0 ? 300 : 15));
      ASSERT_TRUE(harness.Watermark(watermark).ok());
      if (step % 6 == 1) {
        ASSERT_TRUE(harness.Snapshot(step % 30 == 1).ok());
      }
      if (step % 25 == 24) {
        ASSERT_TRUE(harness.Snapshot(false).ok());
        ASSERT_TRUE(harness.Restore(1 + static_cast<int>(random.Uniform(3))).ok());
      }
      for (std::string& row : harness.TakeRows()) got.insert(std::move(row));
    }
    ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
    for (std::string& row : harness.TakeRows()) got.insert(std::move(row));
    EXPECT_TRUE(harness.rejects().empty());
    const auto expected = spec.window.kind == WindowKind::kSession ? ExpectedSessions(spec.window.size_ms, all)
                                                                   : ExpectedWindows(spec.window, all);
    EXPECT_EQ(got, expected);
    ASSERT_TRUE(harness.Snapshot(true).ok());
    EXPECT_LT(harness.StateBytes(), 1 << 20);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, WindowTest,
    ::testing::Values(
        WindowCase{{.kind = WindowKind::kTumble, .size_ms = 50, .slide_ms = 50}, "tumble"},
        WindowCase{{.kind = WindowKind::kTumble, .size_ms = 50, .slide_ms = 50, .offset_ms = -13}, "tumble_offset"},
        WindowCase{{.kind = WindowKind::kHop, .size_ms = 100, .slide_ms = 20}, "hop"},
        WindowCase{{.kind = WindowKind::kHop, .size_ms = 50, .slide_ms = 20, .offset_ms = 7}, "hop_uneven"},
        WindowCase{{.kind = WindowKind::kHop, .size_ms = 10, .slide_ms = 25}, "hop_with_holes"},
        WindowCase{{.kind = WindowKind::kCumulate, .size_ms = 60, .slide_ms = 20}, "cumulate"},
        WindowCase{{.kind = WindowKind::kSession, .size_ms = 13}, "session"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(WindowAggregateTest, FiresAtTheEndLessAMillisecondAndLateRowsAreRefused) {
  OperatorHarness harness = MakeHarness(SpecOf({.kind = WindowKind::kTumble, .size_ms = 10, .slide_ms = 10}));
  ASSERT_TRUE(
      harness
          .Feed(0, RowsOf(WindowInput(), "[[\"a\",3,1,true],[\"a\",9,2,true],[\"a\",10,4,true],[\"a\",null,1,true]]"))
          .ok());
  ASSERT_TRUE(harness.Watermark(8).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  ASSERT_TRUE(harness.Watermark(9).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|2|3|2|2|0|10|9"}));
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",9,1,true],[\"a\",10,1,true]]")).ok());
  ASSERT_EQ(harness.rejects().size(), 2u);
  EXPECT_EQ(harness.rejects()[0].reason, RejectReason::kNullRowtime);
  EXPECT_EQ(harness.rejects()[1].reason, RejectReason::kLate);
  ASSERT_TRUE(harness.Snapshot(true).ok());
  ASSERT_TRUE(harness.Restore(2).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",9,1,true]]")).ok());
  EXPECT_EQ(harness.rejects().size(), 3u) << "late before the restart, late after it";
  ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|2|5|4|2|10|20|19"}));
}

TEST(WindowAggregateTest, ARowLateForSomeWindowsCountsInTheOthers) {
  OperatorHarness harness = MakeHarness(SpecOf({.kind = WindowKind::kHop, .size_ms = 30, .slide_ms = 10}));
  ASSERT_TRUE(harness.Watermark(15).ok());
  // Of the windows that hold 5 the one that ends at 10 has passed, those that end at 20 and 30 have not.
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",5,1,true]]")).ok());
  ASSERT_TRUE(harness.Watermark(29).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|1|1|1|1|-10|20|19", "a|1|1|1|1|0|30|29"}));
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",5,1,true]]")).ok());
  EXPECT_EQ(harness.rejects().size(), 1u);
}

TEST(WindowAggregateTest, WithoutKeysThereIsOneRowPerWindow) {
  OperatorHarness harness =
      MakeHarness(SpecOf({.kind = WindowKind::kTumble, .size_ms = 10, .slide_ms = 10}, false), false, 2);
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",3,1,true],[\"b\",4,2,true],[\"b\",25,2,false]]")).ok());
  ASSERT_TRUE(harness.Snapshot(true).ok());
  ASSERT_TRUE(harness.Restore(3).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"c\",5,7,true]]")).ok());
  ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"3|10|7|3|0|10|9", "1|NULL|2|1|20|30|29"}));
}

constexpr int64_t kHour = 3'600'000;

TEST(WindowAggregateTest, ZonedWindowsFollowTheWallClock) {
  // Berlin, 2024-03-31: at 01:00 UTC the clock goes from 02:00 to 03:00, so the day has 23 hours; 2024-10-27 has 25.
  WindowSpec day{
      .kind = WindowKind::kTumble, .size_ms = 24 * kHour, .slide_ms = 24 * kHour, .time_zone = "Europe/Berlin"};
  const int64_t march31 = 1711839600000;    // 2024-03-30T23:00Z = midnight in Berlin
  const int64_t october27 = 1729980000000;  // 2024-10-26T22:00Z = midnight in Berlin
  OperatorHarness harness = MakeHarness(SpecOf(day), true);
  const auto feed = [&](EventTime time) {
    return harness.Feed(0, RowsOf(WindowInput(true), "[[\"a\"," + std::to_string(time) + ",1,true]]"));
  };
  ASSERT_TRUE(feed(march31).ok() && feed(march31 + 23 * kHour - 1).ok() && feed(march31 + 23 * kHour).ok());
  ASSERT_TRUE(harness.Watermark(march31 + 23 * kHour - 2).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  ASSERT_TRUE(harness.Watermark(march31 + 23 * kHour - 1).ok());
  const int64_t local = 1711843200000;  // 2024-03-31T00:00 on the wall clock
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|2|2|1|1|" + std::to_string(local) + "|" + std::to_string(local + 24 * kHour) +
                                      "|" + std::to_string(march31 + 23 * kHour - 1)}));
  ASSERT_TRUE(feed(october27).ok() && feed(october27 + 25 * kHour - 1).ok());
  ASSERT_TRUE(harness.Watermark(october27 + 25 * kHour - 2).ok());
  harness.TakeRows();  // the day after the jump in March
  ASSERT_TRUE(harness.Watermark(october27 + 25 * kHour - 1).ok());
  const Rows rows = harness.TakeRows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].substr(0, 4), "a|2|");
}

TEST(WindowAggregateTest, AnHourThatExistsTwiceIsOneWindow) {
  WindowSpec hour{.kind = WindowKind::kTumble, .size_ms = kHour, .slide_ms = kHour, .time_zone = "Europe/Berlin"};
  const int64_t first = 1729987200000;  // 2024-10-27T00:00Z = 02:00 summer time, again at 01:00Z
  OperatorHarness harness = MakeHarness(SpecOf(hour), true);
  const auto feed = [&](EventTime time) {
    return harness.Feed(0, RowsOf(WindowInput(true), "[[\"a\"," + std::to_string(time) + ",1,true]]"));
  };
  ASSERT_TRUE(feed(first).ok());
  ASSERT_TRUE(harness.Watermark(first + kHour + 5).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
  ASSERT_TRUE(feed(first + kHour + 10).ok());
  ASSERT_TRUE(harness.Watermark(first + 2 * kHour - 1).ok());
  const Rows rows = harness.TakeRows();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].substr(0, 4), "a|2|");
  EXPECT_TRUE(harness.rejects().empty());
}

TEST(SessionAggregateTest, TouchingRowsJoinAndLateOnesAreRefused) {
  OperatorHarness harness = MakeHarness(SpecOf({.kind = WindowKind::kSession, .size_ms = 10}));
  ASSERT_TRUE(
      harness
          .Feed(0, RowsOf(WindowInput(),
                          "[[\"a\",20,1,true],[\"a\",0,2,true],[\"a\",10,4,true],[\"b\",31,1,true],[\"a\",31,8,true]]"))
          .ok());
  ASSERT_TRUE(harness.Watermark(29).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"a|3|7|4|3|0|30|29"})) << "exactly the gap apart is together";
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"a\",20,1,true],[\"a\",21,1,true],[\"c\",5,1,true]]")).ok());
  ASSERT_EQ(harness.rejects().size(), 2u) << "21 joins the session that is open";
  // A key of which every row is late, then one that is not, in one batch.
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"d\",1,1,true],[\"d\",100,1,true]]")).ok());
  ASSERT_TRUE(harness.Feed(0, RowsOf(WindowInput(), "[[\"e\",1,1,true]]")).ok());
  ASSERT_TRUE(harness.Watermark(kMaxEventTime).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"b|1|1|1|1|31|41|40", "a|2|9|8|2|21|41|40", "d|1|1|1|1|100|110|109"}));
}

TEST(WindowTvfTest, EveryRowInEveryWindow) {
  const Schema input = WindowInput();
  std::vector<Field> fields = input.fields();
  for (const char* name : {"window_start", "window_end", "window_time"})
    fields.push_back({name, DataType::Timestamp(3)});
  WindowTvfSpec spec{.window = {.kind = WindowKind::kHop, .time_column = 1, .size_ms = 20, .slide_ms = 10}};
  OperatorHarness harness(
      [=] { return Result<std::unique_ptr<Operator>>(*WindowTvf::Make(spec, input, Schema(fields))); }, {input}, {{}});
  ASSERT_TRUE(harness.Feed(0, RowsOf(input, "[[\"a\",5,1,true],[\"b\",10,2,null]]", {"+I", "-D"})).ok());
  EXPECT_EQ(harness.TakeRows(), (Rows{"+I a|5|1|true|-10|10|9", "+I a|5|1|true|0|20|19", "-D b|10|2|NULL|0|20|19",
                                      "-D b|10|2|NULL|10|30|29"}));
  EXPECT_FALSE(WindowTvf::Make({.window = {.kind = WindowKind::kSession, .size_ms = 5}}, input, Schema(fields)).ok());
}

}  // namespace
}  // namespace tidemill
