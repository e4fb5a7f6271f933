#include <deque>
#include <optional>

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "exec/runtime/dataflow.h"
#include "exec/tests/memory_world.h"
#include "exec/tests/test_operators.h"
#include "job/epoch_coordinator.h"

// Whole jobs in one thread from one seed: a random schedule, crashes at any step and inside any file operation, and
// another parallelism after each. What becomes visible must be exactly what an undisturbed run gives.
namespace tidemill {
namespace {

using namespace testing;

class Answers final : public DataflowListener {
 public:
  void OnEpochAnswer(EpochAnswer answer) override { answers.push_back(std::move(answer)); }
  void OnEnded() override { ended = true; }
  void OnFailed(Status status) override { failure = std::move(status); }

  std::deque<EpochAnswer> answers;
  bool ended = false;
  Status failure;
};

constexpr const char* kStateDir = "state_dir";

// Random rows whose keys belong to one split each, some of them late; and the rows that a run must show.
struct World {
  explicit World(Random& random) {
    for (const char* table : {"a", "b"}) {
      const size_t splits = 1 + random.Uniform(4);
      for (size_t split = 0; split < splits; ++split) {
        std::vector<testing::Row> rows;
        EventTime now = static_cast<EventTime>(random.Uniform(2000));
        const size_t count = random.Uniform(120);
        for (size_t i = 0; i < count; ++i) {
          now += static_cast<EventTime>(random.Uniform(60));
          const EventTime time = now - static_cast<EventTime>(random.Uniform(4) == 0 ? random.Uniform(400) : 0);
          const int64_t key = next_key + static_cast<int64_t>(random.Uniform(5));
          rows.push_back({key, static_cast<int64_t>(random.Uniform(100)), time, time - 50});
        }
        next_key += 5;
        Expect(rows);
        environment.inputs[table].splits.push_back(std::move(rows));
      }
    }
    std::sort(expected.begin(), expected.end());
  }

  void Expect(const std::vector<testing::Row>& rows) {
    EventTime watermark = kMinEventTime;
    std::map<int64_t, int64_t> sums;
    for (const testing::Row& row : rows) {
      if (row.time > watermark) {
        testing::Row out = row;
        out.value = sums[row.key] += row.value;
        expected.push_back(out);
      }
      watermark = std::max(watermark, row.mark);
    }
  }

  StageGraph Graph(int parallelism) {
    GraphBuilder graph;
    const int a = graph.Source("a");
    const int b = graph.Source("b");
    const int keyed = graph.Operators({a, b}, parallelism > 1,
                                      {OperatorOf("late", [] { return std::make_unique<LateFilter>(); }),
                                       OperatorOf("sum", [] { return std::make_unique<KeyedSum>(); })});
    const int second =
        graph.Operators({keyed}, false, {OperatorOf("async", [] { return std::make_unique<AsyncOperator>(false); })});
    graph.Sink(second, "out");
    return graph.Build();
  }

  ManualClock clock{1'000'000};
  MemoryEnvironment environment{&clock};
  SimulatedFileSystem files;
  int64_t next_key = 0;
  std::vector<testing::Row> expected;
};

struct RunPlan {
  int parallelism = 1;
  int rows_max = 1;
  int64_t queue_bytes_max = 2000;
  uint64_t epoch_every = 20;  // steps, on average
  std::optional<int64_t> crash_after_steps;
  std::optional<int64_t> crash_after_file_operations;
  bool crash_in_commit = false;
};

// One life of the job. True: it came to its end.
Result<bool> Live(World& world, const RunPlan& plan, Random& random) {
  world.files.StopAfter(plan.crash_after_file_operations.value_or(-1));
  world.environment.outputs["out"].on_commit = [&]() -> Status {
    if (plan.crash_in_commit && random.Uniform(4) == 0) return Status(kIoError, "crash in commit");
    return Status::OK();
  };
  ManifestStore manifests(world.files, kStateDir);
  TM_ASSIGN_OR_RETURN(const std::optional<Manifest> manifest, manifests.LoadNewest());
  EpochCoordinator::RemoveLeftovers(world.files, kStateDir, manifest ? &*manifest : nullptr);
  std::unique_ptr<RestoredEpoch> restored;
  if (manifest) restored = EpochCoordinator::MakeRestored(world.files, kStateDir, *manifest);

  Answers listener;
  StageGraph graph = world.Graph(plan.parallelism);
  const auto operators = OperatorsOf(graph);
  DataflowOptions options{.parallelism = plan.parallelism,
                          .batch_rows_max = plan.rows_max,
                          .queue_bytes_max = plan.queue_bytes_max,
                          .restored = restored.get()};
  TM_ASSIGN_OR_RETURN(auto dataflow, Dataflow::Make(std::move(graph), world.environment, std::move(options), listener));
  for (const auto& [name, sink] : dataflow->sinks()) {
    const auto found =
        manifest ? manifest->sinks.find(name) : std::map<std::string, std::vector<std::string>>::const_iterator();
    const bool any = manifest && found != manifest->sinks.end();
    TM_RETURN_IF_ERROR(sink->Recover(any ? found->second : std::vector<std::string>()));
  }
  TM_RETURN_IF_ERROR(dataflow->Open());
  EpochCoordinator coordinator({.files = &world.files,
                                .state_dir = kStateDir,
                                .parallelism = plan.parallelism,
                                .operators = operators,
                                .first_epoch = manifest ? manifest->epoch + 1 : 1,
                                .clock = &world.clock,
                                .metrics = &world.environment.metrics(),
                                .deltas_max = 3},
                               *dataflow, nullptr);
  bool last = false;
  for (int64_t step = 0; !plan.crash_after_steps || step < *plan.crash_after_steps; ++step) {
    TM_ASSIGN_OR_RETURN(const bool ran, dataflow->Step(random));
    TM_RETURN_IF_ERROR(listener.failure);
    if (!ran && listener.answers.empty() && coordinator.pending())
      return Status(kInternalError, "an epoch that nobody finishes");
    if (!ran && !listener.ended && !coordinator.pending()) return Status(kInternalError, "stuck");
    if (!coordinator.pending() && (listener.ended || random.Uniform(plan.epoch_every) == 0)) {
      last = listener.ended;
      coordinator.Trigger();
    }
    // Answers are heard late or early, as the job's thread would.
    while (!listener.answers.empty() && (!ran || random.Uniform(3) == 0)) {
      TM_ASSIGN_OR_RETURN(const bool completed, coordinator.OnAnswer(std::move(listener.answers.front())));
      listener.answers.pop_front();
      if (completed && last) return true;
    }
  }
  return false;
}

void RunSeed(uint64_t seed) {
  Random random(seed);
  World world(random);
  int crashes_left = static_cast<int>(random.Uniform(6));
  bool done = false;
  for (int life = 0; !done && life < 40; ++life) {
    RunPlan plan;
    plan.parallelism = 1 << random.Uniform(3);
    plan.rows_max = 1 + static_cast<int>(random.Uniform(30));
    plan.queue_bytes_max = 500 + static_cast<int64_t>(random.Uniform(6000));
    plan.epoch_every = 3 + random.Uniform(60);
    if (crashes_left-- > 0) {
      switch (random.Uniform(3)) {
        case 0:
          plan.crash_after_steps = static_cast<int64_t>(random.Uniform(400));
          break;
        case 1:
          plan.crash_after_file_operations = static_cast<int64_t>(random.Uniform(120));
          break;
        default:
          plan.crash_in_commit = true;
          break;
      }
    }
    const auto lived = Live(world, plan, random);
    if (!lived.ok()) {
      ASSERT_TRUE(lived.status().Is(kIoError) && (plan.crash_after_file_operations || plan.crash_in_commit))
          << lived.status().ToString();
    }
    done = lived.ok() && *lived;
    if (!done) world.files.Crash(random.Next());
    world.files.StopAfter(-1);
  }
  ASSERT_TRUE(done);
  std::vector<testing::Row> rows = world.environment.outputs["out"].Committed();
  std::sort(rows.begin(), rows.end());
  std::vector<testing::Row> more, missing;
  std::set_difference(rows.begin(), rows.end(), world.expected.begin(), world.expected.end(), std::back_inserter(more));
  std::set_difference(world.expected.begin(), world.expected.end(), rows.begin(), rows.end(),
                      std::back_inserter(missing));
  const auto text = [](const std::vector<testing::Row>& list) {
    std::string out;
    for (const testing::Row& row : list) {
      out += "(" + std::to_string(row.key) + ", " + std::to_string(row.value) + ", " + std::to_string(row.time) + ") ";
    }
    return out;
  };
  ASSERT_TRUE(rows == world.expected) << "too many: " << text(more) << "\nmissing: " << text(missing);
}

TEST(SimulationTest, WhatBecomesVisibleIsExactlyTheUndisturbedRuns) {
  const char* wanted = std::getenv("TIDEMILL_SEED");
  const uint64_t first = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 1;
  const char* many = std::getenv("TIDEMILL_SEEDS");
  const uint64_t count = wanted != nullptr ? 1 : many != nullptr ? std::strtoull(many, nullptr, 10) : 1000;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("TIDEMILL_SEED=" + std::to_string(seed));
    RunSeed(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace tidemill
