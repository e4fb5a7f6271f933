#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "base/tests/eventually.h"
#include "job/job.h"
#include "job/job_environment.h"
#include "job/manifest.h"
#include "log/log.h"
#include "sql/planner.h"

// A job that reads the embedded log, and power cuts: what a manifest names is there afterwards.
namespace tidemill {
namespace {

constexpr int kPartitions = 2;
constexpr int kRecordsAtOnce = 300;

// Connectors over one simulated disk. The log syncs only when it is asked: nothing becomes durable by the way.
struct Machine {
  explicit Machine(SimulatedFileSystem& disk) : files(disk) {
    auto opened = Log::Open(files, clock, "log", {.background_thread = false});
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    if (!opened.ok()) return;
    log = *std::move(opened);
    JobEnvironment::Options options;
    options.connectors = {.files = &files, .clock = &clock, .metrics = &metrics, .log = log.get(), .job = "job"};
    environment = std::make_unique<JobEnvironment>(std::move(options));
  }

  void Append() {
    for (int32_t partition = 0; partition < kPartitions; ++partition) {
      const std::vector<Record> records(kRecordsAtOnce, Record{.value = R"({"n": 1})", .timestamp_ms = 1});
      ASSERT_TRUE((*log->partition("in", partition))->Append(records).ok());
    }
  }
  int64_t End(const std::string& split) const {
    return log->Describe("in")->partitions.at(split == "in-0" ? 0 : 1).end;
  }

  SimulatedFileSystem& files;
  SystemClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<Log> log;
  std::unique_ptr<JobEnvironment> environment;
};

constexpr const char* kCopy = R"(
  CREATE TABLE t (n BIGINT) WITH ('connector' = 'tidemill-log', 'topic' = 'in', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset');
  CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole');
  INSERT INTO nowhere SELECT n FROM t;)";

Result<LogicalPlan> CopyPlan(Machine& machine) {
  JobPlannerEnvironment environment(
      {.connectors = {.files = &machine.files, .clock = &machine.clock, .metrics = &machine.metrics}});
  Planner planner(environment);
  TM_ASSIGN_OR_RETURN(std::vector<PlannedStatement> statements, planner.Plan("copy.sql", kCopy, {}));
  return std::move(statements.back().plan);
}

TEST(LogInputTest, PositionsOfAManifestSurviveAPowerCut) {
  SimulatedFileSystem files;
  int64_t appended = 0;
  for (uint64_t life = 1; life <= 8; ++life) {
    Machine machine(files);
    ASSERT_NE(machine.environment, nullptr);
    if (life == 1) {
      TopicConfig config;
      config.partitions = kPartitions;
      ASSERT_TRUE(machine.log->CreateTopic("in", config).ok());
    }
    auto plan = CopyPlan(machine);
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    auto job = Job::Start(*std::move(plan), *machine.environment,
                          {.parallelism = 2, .files = &files, .state_dir = "state", .checkpoint_interval_ms = 1});
    ASSERT_TRUE(job.ok()) << "life " << life << ": " << job.status().ToString();
    machine.Append();
    appended += int64_t{kPartitions} * kRecordsAtOnce;
    const auto failed = [&] { return (*job)->status().state == JobStatus::State::kFailed; };
    ASSERT_TRUE(testing::Eventually(
        [&] { return failed() || (*job)->status().records_in >= int64_t{kPartitions} * kRecordsAtOnce; }));
    // The epoch after the next one surely began when all was read: it names the ends of the partitions.
    const int64_t epoch = (*job)->status().epoch;
    ASSERT_TRUE(testing::Eventually([&] { return failed() || (*job)->status().epoch >= epoch + 2; }));
    ASSERT_FALSE(failed()) << "life " << life << ": " << (*job)->status().error.ToString();
    files.StopAfter(0);
    (*job)->Cancel();
    (void)(*job)->Wait().ok();
    job->reset();
    machine.environment.reset();
    machine.log.reset();
    files.Crash(life);

    Machine after(files);
    ASSERT_NE(after.environment, nullptr);
    const auto manifest = ManifestStore(files, "state").LoadNewest();
    ASSERT_TRUE(manifest.ok() && manifest->has_value());
    int64_t named = 0;
    for (const auto& [split, position] : (*manifest)->sources.begin()->second) {
      ASSERT_TRUE(position.position.has_value());
      EXPECT_LE(std::stoll(*position.position), after.End(split)) << "life " << life << ", " << split;
      named += std::stoll(*position.position);
    }
    EXPECT_EQ(named, appended) << "life " << life;
  }
}

}  // namespace
}  // namespace tidemill
