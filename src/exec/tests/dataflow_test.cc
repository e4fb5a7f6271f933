#include "exec/runtime/dataflow.h"

#include <chrono>
#include <condition_variable>

#include <gtest/gtest.h>

#include "base/tests/eventually.h"
#include "exec/tests/memory_world.h"
#include "exec/tests/test_operators.h"

namespace tidemill {
namespace {

using namespace testing;

// Hears a dataflow, from any thread.
class Listener final : public DataflowListener {
 public:
  void OnEpochAnswer(EpochAnswer answer) override {
    std::lock_guard<std::mutex> lock(mutex_);
    answers.push_back(std::move(answer));
    changed_.notify_all();
  }
  void OnEnded() override {
    std::lock_guard<std::mutex> lock(mutex_);
    ended = true;
    changed_.notify_all();
  }
  void OnFailed(Status status) override {
    std::lock_guard<std::mutex> lock(mutex_);
    failure = std::move(status);
    changed_.notify_all();
  }
  template <typename Condition>
  bool WaitFor(Condition condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), condition);
  }
  bool WaitEnded() {
    return WaitFor([&] { return ended || !failure.ok(); }) && ended;
  }

  std::vector<EpochAnswer> answers;
  bool ended = false;
  Status failure;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

std::unique_ptr<Dataflow> MakeDataflow(StageGraph graph, MemoryEnvironment& environment, DataflowOptions options,
                                       Listener& listener) {
  auto dataflow = Dataflow::Make(std::move(graph), environment, std::move(options), listener);
  EXPECT_TRUE(dataflow.ok()) << dataflow.status().ToString();
  const Status opened = (*dataflow)->Open();
  EXPECT_TRUE(opened.ok()) << opened.ToString();
  return *std::move(dataflow);
}

std::vector<Row> Sequence(int64_t key, int n, EventTime from = 0, int64_t step = 1000) {
  std::vector<Row> rows;
  for (int i = 0; i < n; ++i) rows.push_back({key, i, from + i * step, from + i * step});
  return rows;
}

std::vector<Row> Sorted(std::vector<Row> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(DataflowTest, RowsOfOneKeyStayInOrderThroughAnExchange) {
  for (int parallelism : {1, 2, 4}) {
    MemoryEnvironment environment;
    for (int64_t split = 0; split < 4; ++split) environment.inputs["t"].splits.push_back(Sequence(split * 7, 20'000));
    GraphBuilder graph;
    const int source = graph.Source("t");
    graph.Sink(
        graph.Operators({source}, parallelism > 1, {OperatorOf("sum", [] { return std::make_unique<KeyedSum>(); })}),
        "out");
    Listener listener;
    auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = parallelism}, listener);
    dataflow->Start();
    ASSERT_TRUE(listener.WaitEnded()) << listener.failure.ToString();
    std::map<int64_t, int64_t> sums, counts;
    for (const Row& row : environment.outputs["out"].Written()) {
      const int64_t i = counts[row.key]++;
      ASSERT_EQ(row.time, i * 1000) << "key " << row.key;
      ASSERT_EQ(row.value, sums[row.key] += i);
    }
    EXPECT_EQ(counts.size(), 4u);
    for (auto& [key, count] : counts) EXPECT_EQ(count, 20'000);
    EXPECT_EQ(dataflow->rows_read(), 80'000);
    EXPECT_EQ(dataflow->rows_written(), 80'000);
  }
}

TEST(DataflowTest, ASlowSinkStopsTheSourceAndQueuesStayBounded) {
  for (int parallelism : {1, 2}) {
    MemoryEnvironment environment;
    environment.inputs["t"].splits = {Sequence(1, 400'000), Sequence(2, 400'000)};
    MemoryOutput& output = environment.outputs["out"];
    output.has_room = false;
    GraphBuilder graph;
    const int source = graph.Source("t");
    const int pass = graph.Operators({source}, parallelism > 1,
                                     {OperatorOf("pass", [] { return std::make_unique<PassOperator>(); })});
    graph.Sink(graph.Operators({pass}, false, {OperatorOf("pass2", [] { return std::make_unique<PassOperator>(); })}),
               "out");
    Listener listener;
    const int64_t queue_bytes = 1 << 20;
    auto dataflow = MakeDataflow(graph.Build(), environment,
                                 {.parallelism = parallelism, .queue_bytes_max = queue_bytes}, listener);
    dataflow->Start();
    // Reading goes on until every queue is full, then stops.
    int64_t seen = -1;
    ASSERT_TRUE(Eventually([&] {
      const int64_t read = environment.inputs["t"].rows_read;
      const bool still = read > 0 && read == seen;
      seen = read;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      return still;
    }));
    EXPECT_LT(seen, 800'000);
    const int64_t batch_bytes = BatchOf(Sequence(1, kBatchRowsMax)).num_bytes();
    const int channels = parallelism * parallelism + parallelism;
    EXPECT_LE(dataflow->queued_bytes(), channels * (queue_bytes + batch_bytes));
    EXPECT_GT(dataflow->queued_bytes(), 0);
    EXPECT_EQ(output.Written().size(), 0u);
    output.has_room = true;
    // Nobody has written yet, so nobody holds the sink's wake: a barrier does as well.
    dataflow->RequestEpoch({1, true});
    ASSERT_TRUE(listener.WaitEnded()) << listener.failure.ToString();
    EXPECT_EQ(output.Written().size(), 800'000u);
  }
}

TEST(DataflowTest, ALoneEventTravelsAtOnce) {
  for (int parallelism : {1, 2}) {
    MemoryEnvironment environment;
    MemoryInput& input = environment.inputs["t"];
    input.bounded = false;
    input.splits.resize(2);
    GraphBuilder graph;
    const int source = graph.Source("t");
    const int sum =
        graph.Operators({source}, parallelism > 1, {OperatorOf("sum", [] { return std::make_unique<KeyedSum>(); })});
    graph.Sink(graph.Operators({sum}, false, {OperatorOf("pass", [] { return std::make_unique<PassOperator>(); })}),
               "out");
    Listener listener;
    auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = parallelism}, listener);
    dataflow->Start();
    std::vector<int64_t> latencies_us;
    for (int i = 0; i < 300; ++i) {
      const auto from = std::chrono::steady_clock::now();
      input.Append(static_cast<size_t>(i % 2), {{i, 1, i, i}});
      ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].writes == i + 1; }));
      latencies_us.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - from).count());
    }
    std::sort(latencies_us.begin(), latencies_us.end());
    // Far above what an idle machine shows (tens of microseconds), far below any polling interval.
    EXPECT_LT(latencies_us[150], 5'000) << "parallelism " << parallelism;
    RecordProperty("median_us_" + std::to_string(parallelism), static_cast<int>(latencies_us[150]));
    dataflow->Cancel();
  }
}

TEST(DataflowTest, SplitsThatAreFoundLaterAreReadAndSaved) {
  for (int parallelism : {1, 2, 4}) {
    MemoryEnvironment environment;
    MemoryInput& input = environment.inputs["t"];
    input.bounded = false;
    input.has_watermark = false;
    input.splits = {Sequence(0, 10)};
    GraphBuilder graph;
    graph.Sink(graph.Source("t"), "out");
    Listener listener;
    auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = parallelism}, listener);
    dataflow->Start();
    MemoryOutput& output = environment.outputs["out"];
    ASSERT_TRUE(Eventually([&] { return output.Written().size() == 10; }));
    for (int64_t split = 1; split < 6; ++split) input.AddSplit(Sequence(split, split == 5 ? 0 : 10));
    ASSERT_TRUE(Eventually([&] { return output.Written().size() == 50; })) << output.Written().size();
    dataflow->RequestEpoch({1, true});
    ASSERT_TRUE(
        listener.WaitFor([&] { return static_cast<int>(listener.answers.size()) == dataflow->num_subtasks(); }));
    std::map<std::string, std::string> positions;
    for (const EpochAnswer& answer : listener.answers) {
      for (const auto& [split, position] : answer.positions) positions[split] = position.position.value_or("none");
    }
    const std::map<std::string, std::string> expected = {{"0", "10"}, {"1", "10"}, {"2", "10"},
                                                         {"3", "10"}, {"4", "10"}, {"5", "0"}};
    EXPECT_EQ(positions, expected) << parallelism;
    EXPECT_TRUE(listener.failure.ok()) << listener.failure.ToString();
  }
}

TEST(DataflowTest, FanOutFeedsEveryConsumerTheSame) {
  MemoryEnvironment environment;
  environment.inputs["t"].splits = {Sequence(1, 5000), Sequence(2, 5000)};
  GraphBuilder graph;
  const int source = graph.Source("t");
  graph.Sink(graph.Operators({source}, false, {OperatorOf("a", [] { return std::make_unique<PassOperator>(); })}), "a");
  graph.Sink(graph.Operators({source}, true, {OperatorOf("b", [] { return std::make_unique<PassOperator>(); })}), "b");
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = 2}, listener);
  dataflow->Start();
  ASSERT_TRUE(listener.WaitEnded());
  EXPECT_EQ(environment.outputs["a"].Written().size(), 10'000u);
  EXPECT_EQ(Sorted(environment.outputs["a"].Written()), Sorted(environment.outputs["b"].Written()));
  EXPECT_EQ(environment.inputs["t"].rows_read, 10'000);
}

// A row is late by what came before it in its own split: batch size, lanes and timing change nothing.
TEST(DataflowTest, TheSameRowsAreLateWhateverTheBatchSizeOrLanes) {
  Random random(7);
  std::vector<std::vector<Row>> splits(3);
  int64_t id = 0;
  for (auto& split : splits) {
    EventTime now = static_cast<EventTime>(random.Uniform(5000));
    for (int i = 0; i < 3000; ++i) {
      now += static_cast<EventTime>(random.Uniform(50));
      const EventTime time = now - static_cast<EventTime>(random.Uniform(300));
      split.push_back({static_cast<int64_t>(random.Uniform(50)), id++, time, time - 100});
    }
  }
  std::vector<Row> first;
  for (int parallelism : {1, 2, 4}) {
    for (int rows_max : {1, 17, kBatchRowsMax}) {
      MemoryEnvironment environment;
      environment.inputs["t"].splits = splits;
      GraphBuilder graph;
      const int source = graph.Source("t");
      graph.Sink(graph.Operators({source}, parallelism > 1,
                                 {OperatorOf("late", [] { return std::make_unique<LateFilter>(); })}),
                 "out");
      Listener listener;
      auto dataflow =
          MakeDataflow(graph.Build(), environment, {.parallelism = parallelism, .batch_rows_max = rows_max}, listener);
      dataflow->Start();
      ASSERT_TRUE(listener.WaitEnded()) << listener.failure.ToString();
      const std::vector<Row> rows = Sorted(environment.outputs["out"].Written());
      if (first.empty()) first = rows;
      EXPECT_EQ(rows.size() + environment.rejects.size(), 9000u);
      EXPECT_GT(environment.rejects.size(), 100u);
      EXPECT_EQ(rows, first) << "parallelism " << parallelism << ", batches of " << rows_max;
    }
  }
}

TEST(DataflowTest, BarriersAlignWhileQueuesAreFull) {
  MemoryEnvironment environment;
  for (int64_t split = 0; split < 4; ++split) environment.inputs["a"].splits.push_back(Sequence(split, 30'000));
  environment.inputs["b"].splits = {Sequence(100, 30'000, 10'000'000)};  // far ahead in event time
  GraphBuilder graph;
  const int a = graph.Source("a");
  const int b = graph.Source("b");
  const int join = graph.Operators({a, b}, true, {OperatorOf("sum", [] { return std::make_unique<KeyedSum>(); })});
  graph.Sink(graph.Operators({join}, true, {OperatorOf("async", [] { return std::make_unique<AsyncOperator>(true); })}),
             "out");
  environment.outputs["out"].delays = 2;
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment,
                               {.parallelism = 2, .batch_rows_max = 512, .queue_bytes_max = 40'000}, listener);
  dataflow->Start();
  size_t answered = 0;
  for (int64_t epoch = 1; epoch <= 200; ++epoch) {
    dataflow->RequestEpoch({epoch, epoch % 3 == 0});
    answered += static_cast<size_t>(dataflow->num_subtasks());
    ASSERT_TRUE(listener.WaitFor([&] { return listener.answers.size() == answered || !listener.failure.ok(); }));
    ASSERT_TRUE(listener.failure.ok()) << listener.failure.ToString();
  }
  ASSERT_TRUE(listener.WaitEnded());
  EXPECT_EQ(environment.outputs["out"].Written().size(), 150'000u);
}

TEST(DataflowTest, AnIdleSplitLeavesTheMinimum) {
  ManualClock clock(1'000'000);
  MemoryEnvironment environment(&clock);
  MemoryInput& input = environment.inputs["t"];
  input.bounded = false;
  input.splits.resize(2);
  GraphBuilder graph;
  const int source = graph.Source("t", true, {{"scan.watermark.idle-timeout", "5 s"}});
  graph.Sink(graph.Operators({source}, true, {OperatorOf("late", [] { return std::make_unique<LateFilter>(); })}),
             "out");
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = 2}, listener);
  Random random(1);
  const auto drain = [&] {
    while (true) {
      auto stepped = dataflow->Step(random);
      ASSERT_TRUE(stepped.ok());
      if (!*stepped) return;
    }
  };
  input.Append(0, {{1, 1, 50'000, 50'000}});
  drain();
  input.Append(0, {{1, 2, 40'000, 40'000}});  // the other split has said nothing: not late
  drain();
  EXPECT_EQ(environment.rejects.size(), 0u);
  clock.AdvanceMicros(4'000'000);
  drain();
  input.Append(0, {{1, 3, 40'000, 40'000}});
  drain();
  EXPECT_EQ(environment.rejects.size(), 0u);
  clock.AdvanceMicros(2'000'000);  // now split 1 is idle; split 0 was heard 2 s ago
  drain();
  input.Append(0, {{1, 4, 40'000, 40'000}});
  drain();
  EXPECT_EQ(environment.rejects.size(), 1u);
  input.Append(1, {{1, 5, 60'000, 60'000}});  // is back, and late only by its own lane's watermark
  drain();
  EXPECT_EQ(environment.outputs["out"].Written().size(), 4u);
}

TEST(DataflowTest, NullTimesFollowTheSetting) {
  const std::vector<Row> rows = {{1, 1, 1000, 1000}, {1, 2, 0, 0, true}, {1, 3, 2000, 2000}};
  const auto run = [&](const std::string& handling, MemoryEnvironment& environment, Listener& listener) {
    environment.inputs["t"].splits = {rows};
    GraphBuilder graph;
    graph.Sink(graph.Source("t"), "out");
    DataflowOptions options;
    options.settings.Set("table.exec.source.rowtime-null-handling", handling);
    auto dataflow = MakeDataflow(graph.Build(), environment, options, listener);
    dataflow->Start();
    EXPECT_TRUE(listener.WaitFor([&] { return listener.ended || !listener.failure.ok(); }));
    dataflow->Cancel();
    dataflow->Join();
  };
  {
    MemoryEnvironment environment;
    Listener listener;
    run("FAIL", environment, listener);
    ASSERT_FALSE(listener.failure.ok());
    EXPECT_EQ(listener.failure.code().number, 3001);
  }
  {
    MemoryEnvironment environment;
    Listener listener;
    run("DROP", environment, listener);
    EXPECT_EQ(environment.outputs["out"].Written().size(), 2u);
    ASSERT_EQ(environment.rejects.size(), 1u);
    EXPECT_EQ(environment.rejects.rows[0].second.reason, RejectReason::kNullRowtime);
    EXPECT_EQ(environment.rejects.rows[0].second.field, "time");
    EXPECT_NE(environment.rejects.rows[0].second.raw.find("\"time\":null"), std::string::npos)
        << environment.rejects.rows[0].second.raw;
  }
  {
    MemoryEnvironment environment;
    Listener listener;
    run("SKIP_WATERMARK", environment, listener);
    EXPECT_EQ(environment.outputs["out"].Written().size(), 3u);
  }
}

TEST(DataflowTest, ATimeFarAheadOfTheClockIsRefusedAndMovesNothing) {
  ManualClock clock(1'000'000'000);  // 1,000 s after 1970
  MemoryEnvironment environment(&clock);
  environment.inputs["t"].splits = {
      {{1, 1, 1'000'000, 1'000'000}, {1, 2, 253'370'764'800'000, 253'370'764'800'000}, {1, 3, 1'000'500, 1'000'500}}};
  GraphBuilder graph;
  const int source = graph.Source("t", true, {{"scan.watermark.max-future-drift", "1 h"}});
  graph.Sink(graph.Operators({source}, false, {OperatorOf("late", [] { return std::make_unique<LateFilter>(); })}),
             "out");
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment, {.batch_rows_max = 1}, listener);
  Random random(3);
  while (*dataflow->Step(random)) {
  }
  EXPECT_TRUE(listener.ended);
  EXPECT_EQ(environment.outputs["out"].Written().size(), 2u);
  ASSERT_EQ(environment.rejects.size(), 1u);
  EXPECT_EQ(environment.rejects.rows[0].second.reason, RejectReason::kOutOfRange);
}

TEST(DataflowTest, AFastBoundedSourceWaitsForTheSlowest) {
  MemoryEnvironment environment;
  environment.inputs["slow"].splits = {Sequence(1, 100'000, 0, 10)};
  environment.inputs["fast"].splits = {Sequence(2, 100'000, 0, 10)};
  GraphBuilder graph;
  const int slow = graph.Source("slow");
  const int fast = graph.Source("fast");
  graph.Sink(graph.Operators({slow, fast}, false, {OperatorOf("late", [] { return std::make_unique<LateFilter>(); })}),
             "out");
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment, {.batch_rows_max = 1000}, listener);
  Random random(5);
  int64_t apart_max = 0;
  while (*dataflow->Step(random)) {
    apart_max =
        std::max(apart_max, std::abs(environment.inputs["slow"].rows_read - environment.inputs["fast"].rows_read));
  }
  EXPECT_TRUE(listener.ended);
  EXPECT_EQ(environment.outputs["out"].Written().size(), 200'000u);
  EXPECT_EQ(environment.rejects.size(), 0u);
  EXPECT_LE(apart_max, 8'000);  // a few batches, not the file
}

TEST(DataflowTest, AFailureStopsAllLanesOnce) {
  MemoryEnvironment environment;
  environment.inputs["t"].splits = {Sequence(1, 1000), Sequence(2, 1000)};
  environment.inputs["t"].fail = [](size_t, size_t row) {
    return row == 500 ? Status(kIoError, "bad sector") : Status::OK();
  };
  GraphBuilder graph;
  graph.Sink(graph.Source("t"), "out");
  Listener listener;
  auto dataflow = MakeDataflow(graph.Build(), environment, {.parallelism = 2, .batch_rows_max = 10}, listener);
  dataflow->Start();
  ASSERT_TRUE(listener.WaitFor([&] { return !listener.failure.ok(); }));
  dataflow->Join();
  EXPECT_TRUE(listener.failure.Is(kIoError));
  EXPECT_FALSE(listener.ended);
}

}  // namespace
}  // namespace tidemill
