#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "exec/runtime_environment.h"
#include "job/job.h"
#include "server/engine.h"
#include "server/job_list.h"
#include "server/job_record.h"
#include "server/output_directories.h"
#include "server/planning.h"
#include "server/result_printer.h"

namespace tidemill {

struct RunOptions {
  std::string file;
  std::vector<std::string> init_files;
  std::string name;  // "" = the file's stem
  int parallelism = 0;
  bool fresh = false;  // forget saved state
  ExistingOutput existing = ExistingOutput::kRefuse;
  bool skip_finished = false;  // a bounded script that was run to its end is not run again (serve)
};

// One script and its jobs in an opened engine. Main thread.
class ScriptRunner {
 public:
  // `engine` and `jobs` outlive it.
  ScriptRunner(const CommandContext& context, Engine& engine, JobList& jobs, RunOptions options);
  ~ScriptRunner();

  // "" -> the stem of FILE; kInvalidName.
  static Result<std::string> JobName(const RunOptions& options);
  static Result<std::vector<PlannedStatement>> Plan(PlanningSession& session, const RunOptions& options);

  // Starts the next plan of the script; false when there is none left. Afterwards current() is its job.
  Result<bool> StartNext(PlanningSession& session, std::vector<PlannedStatement>& statements);
  bool current_is_bounded() const;
  // The jobs that were started and are not yet settled.
  bool AllEnded();
  // Gives ended jobs their last word (record, result rows); the first failure.
  Status Settle();
  void Tick();  // result rows that wait to be shown
  void Stop();  // all, with an epoch
  void Cancel();
  bool WantsStop() const;                      // a SELECT whose rows are enough
  bool finished() const { return finished_; }  // every job settled so far processed its input to the end
  std::vector<JobStatus> statuses() const;

 private:
  struct Run;
  Status StartPlan(PlanningSession& session, PlannedStatement& statement, int number);
  Result<JobRecord> PrepareRecord(PlanningSession& session, const LogicalPlan& plan, const std::string& name,
                                  bool bounded, bool* restore, bool* skip);

  const CommandContext context_;
  Engine& engine_;
  JobList& jobs_;
  const RunOptions options_;
  std::vector<std::unique_ptr<Run>> runs_;
  size_t next_statement_ = 0;
  int started_ = 0;
  bool finished_ = true;
};

}  // namespace tidemill
