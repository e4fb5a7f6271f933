#include "job/job.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "base/tests/eventually.h"
#include "exec/tests/memory_world.h"
#include "job/errors.h"

namespace tidemill {
namespace {

using namespace testing;

std::vector<Row> Sequence(int64_t key, int n) {
  std::vector<Row> rows;
  for (int i = 0; i < n; ++i) rows.push_back({key, i, i * 1000, i * 1000});
  return rows;
}

LogicalPlan CopyPlan() {
  LogicalPlan plan;
  plan.roots = {SinkOf(MakeTable("out", false), ScanOf(MakeTable("t")))};
  return plan;
}

TEST(JobTest, BoundedInputIsCommittedToItsEnd) {
  for (const char* state_dir : {"", "d"}) {
    for (int parallelism : {1, 2, 4}) {
      MemoryEnvironment environment;
      SimulatedFileSystem files;
      environment.inputs["t"].splits = {Sequence(1, 50'000), Sequence(2, 50'000), Sequence(3, 10)};
      auto job = Job::Start(
          CopyPlan(), environment,
          {.parallelism = parallelism, .files = &files, .state_dir = state_dir, .checkpoint_interval_ms = 1});
      ASSERT_TRUE(job.ok()) << job.status().ToString();
      const Status status = (*job)->Wait();
      EXPECT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(environment.outputs["out"].Committed().size(), 100'010u);
      const JobStatus shown = (*job)->status();
      EXPECT_EQ(shown.state, JobStatus::State::kFinished);
      EXPECT_EQ(shown.records_in, 100'010);
      EXPECT_EQ(shown.records_out, 100'010);
      EXPECT_GE(shown.epoch, 1);
      ASSERT_EQ(shown.sources.size(), 1u);
      EXPECT_TRUE(shown.sources[0].ended);
    }
  }
}

TEST(JobTest, AFinishedJobStartedAgainDoesNothingMore) {
  MemoryEnvironment environment;
  SimulatedFileSystem files;
  environment.inputs["t"].splits = {Sequence(1, 1000)};
  const JobOptions options{.parallelism = 2, .files = &files, .state_dir = "d"};
  for (int run = 0; run < 3; ++run) {
    auto job = Job::Start(CopyPlan(), environment, options);
    ASSERT_TRUE(job.ok()) << job.status().ToString();
    ASSERT_TRUE((*job)->Wait().ok());
    EXPECT_EQ(environment.outputs["out"].Committed().size(), 1000u);
  }
  JobOptions anew = options;
  anew.restore = false;
  auto job = Job::Start(CopyPlan(), environment, anew);
  ASSERT_TRUE((*job)->Wait().ok());
  EXPECT_EQ(environment.outputs["out"].Committed().size(), 2000u);
}

TEST(JobTest, OutsideFailuresRestartFromTheLastEpoch) {
  MemoryEnvironment environment;
  SimulatedFileSystem files;
  MemoryInput& input = environment.inputs["t"];
  input.splits = {Sequence(1, 20'000), Sequence(2, 20'000)};
  std::atomic<int> failures{0};
  input.fail = [&](size_t split, size_t row) {
    if (split == 1 && row == 10'000 && failures.fetch_add(1) < 3) return Status(kIoError, "the line broke");
    return Status::OK();
  };
  auto job = Job::Start(CopyPlan(), environment,
                        {.parallelism = 2,
                         .files = &files,
                         .state_dir = "d",
                         .checkpoint_interval_ms = 1,
                         .restart_backoff_ms = 1,
                         .batch_rows_max = 100});
  ASSERT_TRUE(job.ok());
  const Status status = (*job)->Wait();
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ((*job)->status().restarts, 3);
  std::vector<Row> rows = environment.outputs["out"].Committed();
  std::sort(rows.begin(), rows.end());
  ASSERT_EQ(rows.size(), 40'000u);
  EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
}

TEST(JobTest, RestartsAreBoundedAndUserErrorsHaveNone) {
  for (const bool user : {false, true}) {
    MemoryEnvironment environment;
    SimulatedFileSystem files;
    environment.inputs["t"].splits = {Sequence(1, 100)};
    environment.inputs["t"].fail = [&](size_t, size_t) {
      return user ? Status(kInvalidConfig, "no") : Status(kIoError, "no");
    };
    auto job = Job::Start(CopyPlan(), environment,
                          {.files = &files, .state_dir = "d", .restart_attempts = 2, .restart_backoff_ms = 1});
    ASSERT_TRUE(job.ok());
    EXPECT_FALSE((*job)->Wait().ok());
    EXPECT_EQ((*job)->status().state, JobStatus::State::kFailed);
    EXPECT_EQ((*job)->status().restarts, user ? 0 : 2);
  }
}

TEST(JobTest, StopEndsALiveJobWithAnEpochCancelWithout) {
  MemoryEnvironment environment;
  SimulatedFileSystem files;
  MemoryInput& input = environment.inputs["t"];
  input.bounded = false;
  input.splits = {Sequence(1, 500), Sequence(2, 500)};
  JobOptions options{.parallelism = 2, .files = &files, .state_dir = "d", .checkpoint_interval_ms = 3'600'000};
  {
    auto job = Job::Start(CopyPlan(), environment, options);
    ASSERT_TRUE(job.ok());
    ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Written().size() == 1000; }));
    EXPECT_EQ(environment.outputs["out"].Committed().size(), 0u);
    EXPECT_FALSE((*job)->WaitFor(1));
    (*job)->Stop();
    EXPECT_TRUE((*job)->Wait().ok());
    EXPECT_EQ(environment.outputs["out"].Committed().size(), 1000u);
    EXPECT_EQ(input.committed, (std::map<std::string, std::string>{{"0", "500"}, {"1", "500"}}));
  }
  options.parallelism = 1;
  {
    auto job = Job::Start(CopyPlan(), environment, options);
    ASSERT_TRUE(job.ok());
    input.Append(0, Sequence(3, 10));
    ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Written().size() == 1010; }));
    (*job)->Cancel();
    EXPECT_TRUE((*job)->Wait().Is(kCancelled));
    EXPECT_EQ(environment.outputs["out"].Committed().size(), 1000u);
  }
  {
    auto job = Job::Start(CopyPlan(), environment, options);
    ASSERT_TRUE(job.ok());
    EXPECT_EQ((*job)->status().restored_epoch, 1);
    ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Written().size() == 1020; }));
    (*job)->Stop();
    EXPECT_TRUE((*job)->Wait().ok());
  }
  EXPECT_EQ(environment.outputs["out"].Committed().size(), 1010u);
}

TEST(JobTest, AFullDiskHoldsTheEpochAndEndsByItself) {
  MemoryEnvironment environment;
  SimulatedFileSystem files;
  MemoryInput& input = environment.inputs["t"];
  input.bounded = false;
  input.splits = {Sequence(1, 500)};
  auto job = Job::Start(CopyPlan(), environment, {.files = &files, .state_dir = "d", .checkpoint_interval_ms = 5});
  ASSERT_TRUE(job.ok());
  ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Committed().size() == 500; }));
  files.SetCapacity(0);
  input.Append(0, Sequence(2, 100));
  ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Written().size() == 600; }));  // lanes go on
  EXPECT_FALSE((*job)->WaitFor(50));
  EXPECT_EQ(environment.outputs["out"].Committed().size(), 500u);
  files.SetCapacity(-1);
  ASSERT_TRUE(Eventually([&] { return environment.outputs["out"].Committed().size() == 600; }));
}

TEST(JobTest, AQueryThatNoLongerWritesWhatWasPreparedIsRefused) {
  MemoryEnvironment environment;
  SimulatedFileSystem files;
  environment.inputs["t"].splits = {Sequence(1, 10)};
  const JobOptions options{.files = &files, .state_dir = "d"};
  ASSERT_TRUE((*Job::Start(CopyPlan(), environment, options))->Wait().ok());
  LogicalPlan other;
  other.roots = {SinkOf(MakeTable("elsewhere", false), ScanOf(MakeTable("t")))};
  const auto refused = Job::Start(std::move(other), environment, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(refused.status().Is(kIncompatiblePlan));
}

}  // namespace
}  // namespace tidemill
