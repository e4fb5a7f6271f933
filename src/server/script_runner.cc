#include "server/script_runner.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/errors.h"
#include "exec/errors.h"
#include "job/job_environment.h"
#include "server/errors.h"
#include "server/query_session.h"

namespace tidemill {

// A job that was started and not yet settled.
struct ScriptRunner::Run {
  JobEntry entry;
  std::unique_ptr<JobEnvironment> environment;  // outlives the job
  std::shared_ptr<ResultPrinter> printer;       // of a SELECT
  JobRecord record;
  bool has_record = false;
  bool settled = false;
  std::vector<std::string> notes_shown;

  ~Run() {
    // The job first: its lanes use the environment and the printer. The list of jobs may still hold it, ended.
    if (entry.job) {
      entry.job->Cancel();
      (void)entry.job->Wait();
    }
  }
};

namespace {

std::string WholePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.lexically_normal().string();
}

bool AllSourcesEnded(const JobStatus& status) {
  return std::all_of(status.sources.begin(), status.sources.end(),
                     [](const SourceStatus& source) { return source.ended; });
}

}  // namespace

ScriptRunner::ScriptRunner(const CommandContext& context, Engine& engine, JobList& jobs, RunOptions options)
    : context_(context), engine_(engine), jobs_(jobs), options_(std::move(options)) {}
ScriptRunner::~ScriptRunner() = default;

Result<std::string> ScriptRunner::JobName(const RunOptions& options) {
  std::string name = options.name;
  if (name.empty()) {
    name = options.file.substr(options.file.rfind('/') + 1);
    if (const size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0) name.resize(dot);
    if (name == "-") name = "stdin";
    for (char& c : name) {
      if (!IsSafeName(std::string_view(&c, 1)) && c != '.') c = '_';
    }
  }
  if (!IsSafeName(name))
    return Status(kInvalidName, fmt::format("'{}' is no name of a job", name)).WithHint("give one with --name");
  return name;
}

Result<std::vector<PlannedStatement>> ScriptRunner::Plan(PlanningSession& session, const RunOptions& options) {
  std::vector<PlannedStatement> all;
  const auto append = [&](std::vector<PlannedStatement> statements) {
    for (PlannedStatement& statement : statements) all.push_back(std::move(statement));
  };
  for (const std::string& file : options.init_files) {
    TM_ASSIGN_OR_RETURN(auto statements, session.PlanFile(file));
    append(std::move(statements));
  }
  TM_ASSIGN_OR_RETURN(auto statements, session.PlanFile(options.file));
  append(std::move(statements));
  return all;
}

Result<bool> ScriptRunner::StartNext(PlanningSession& session, std::vector<PlannedStatement>& statements) {
  while (next_statement_ < statements.size()) {
    PlannedStatement& statement = statements[next_statement_++];
    switch (statement.kind) {
      case PlannedStatement::Kind::kDefinition:
        if (context_.options.verbosity > 0 && !statement.text.empty()) context_.console.Notice(statement.text);
        break;
      case PlannedStatement::Kind::kExplain:
      case PlannedStatement::Kind::kDescribe:
        PrintStatement(context_.console, statement, context_.options.output);
        break;
      case PlannedStatement::Kind::kInsert:
      case PlannedStatement::Kind::kQuery: {
        const size_t before = runs_.size();
        TM_RETURN_IF_ERROR(StartPlan(session, statement, ++started_));
        if (runs_.size() > before) return true;
        break;
      }
    }
  }
  return false;
}

Result<JobRecord> ScriptRunner::PrepareRecord(PlanningSession& session, const LogicalPlan& plan,
                                              const std::string& name, bool bounded, bool* restore, bool* skip) {
  FileSystem& files = engine_.files();
  const std::string& data_dir = engine_.data_dir();
  JobRecord record;
  record.name = name;
  record.script = options_.file;
  record.bounded = bounded;
  std::vector<std::string> identity = {session.script_text()};
  for (const auto& [key, value] : context_.options.variables) identity.push_back(key + "=" + value);
  for (const auto& [key, value] : context_.options.settings.values()) identity.push_back(key + "=" + value);
  record.fingerprint = Fingerprint(identity);
  std::vector<OutputDirectory> directories = OutputDirectoriesOf(plan);
  // Whole paths: the next run may be started in another folder.
  for (OutputDirectory& directory : directories) directory.path = WholePath(directory.path);
  for (const OutputDirectory& directory : directories) record.outputs.push_back(directory.path);

  std::optional<JobRecord> known;
  if (auto loaded = LoadJobRecord(files, data_dir, name); loaded.ok()) {
    known = *std::move(loaded);
  } else if (!options_.fresh) {
    return loaded.status();
  }
  const bool same = known && known->fingerprint == record.fingerprint;
  *skip = options_.skip_finished && known && known->finished && same && !options_.fresh;
  if (*skip) return record;
  *restore = known && !known->finished && !options_.fresh && (same || !bounded);
  if (*restore) {
    if (!same)
      context_.console.Notice(fmt::format(
          "{}: the script has changed since it was stopped; what still fits of its state is restored", name));
    // Folders of earlier scripts stay known as this job's own.
    for (const std::string& output : known->outputs) {
      if (std::find(record.outputs.begin(), record.outputs.end(), output) == record.outputs.end())
        record.outputs.push_back(output);
    }
    return record;
  }
  if (known && !known->finished && !same && !options_.fresh) {
    context_.console.Notice(fmt::format(
        "{}: the script or its variables have changed since it was stopped; it starts from the beginning", name));
  }
  // Before the old state goes, so that a refusal leaves everything as it was.
  TM_ASSIGN_OR_RETURN(const std::vector<std::string> replaced,
                      PrepareOutputDirectories(files, directories, options_.existing,
                                               known ? known->outputs : std::vector<std::string>(), bounded));
  for (const std::string& path : replaced)
    context_.console.Notice(fmt::format("{}: replaces the output of an earlier run in {}", name, path));
  TM_RETURN_IF_ERROR(RemoveRecursively(files, JobStateDirectory(data_dir, name)));
  return record;
}

Status ScriptRunner::StartPlan(PlanningSession& session, PlannedStatement& statement, int number) {
  TM_ASSIGN_OR_RETURN(std::string name, JobName(options_));
  if (number > 1) name += fmt::format("-{}", number);
  const bool is_query = statement.kind == PlannedStatement::Kind::kQuery;
  auto run = std::make_unique<Run>();
  run->entry.name = name;
  run->entry.script = options_.file;
  run->entry.started_us = engine_.clock().NowMicros();
  run->entry.bounded = session.IsBounded(statement.plan);

  JobOptions job;
  job.name = name;
  job.parallelism = options_.parallelism;
  job.files = &engine_.files();
  if (is_query) {
    const LogicalNode& root = *statement.plan.roots.front();
    ResultPrinter::Options printer;
    printer.schema = root.schema;
    printer.changelog = root.changelog != ChangelogMode::kAppend;
    printer.bounded = run->entry.bounded;
    printer.format = context_.options.output;
    printer.time_zone = statement.plan.settings.GetString("table.local-time-zone", "UTC");
    run->printer = std::make_shared<ResultPrinter>(std::move(printer), context_.console, engine_.clock());
    job.result_sink = MakeResultSink(run->printer);
    job.restart_attempts = 0;  // rows are shown once
    job.restore = false;
  } else {
    bool skip = false;
    TM_ASSIGN_OR_RETURN(run->record,
                        PrepareRecord(session, statement.plan, name, run->entry.bounded, &job.restore, &skip));
    if (skip) {
      context_.console.Notice(fmt::format("{}: was run to its end before; not run again", name));
      return Status::OK();
    }
    run->has_record = true;
    job.state_dir = JobStateDirectory(engine_.data_dir(), name);
    TM_RETURN_IF_ERROR(SaveJobRecord(engine_.files(), engine_.data_dir(), run->record));
  }
  run->environment = engine_.MakeEnvironment(name);
  const bool restore = job.restore;
  auto started = Job::Start(std::move(statement.plan), *run->environment, std::move(job));
  if (!started.ok()) {
    run->entry.start_error = started.status();
    jobs_.Add(run->entry);
    return started.status();
  }
  run->entry.job = std::move(*started);
  jobs_.Add(run->entry);
  const JobStatus status = run->entry.job->status();
  if (restore && status.restored_epoch > 0) {
    context_.console.Notice(fmt::format("{}: resumes from epoch {}", name, status.restored_epoch));
  }
  runs_.push_back(std::move(run));
  return Status::OK();
}

bool ScriptRunner::current_is_bounded() const { return runs_.empty() || runs_.back()->entry.bounded; }

bool ScriptRunner::AllEnded() {
  return std::all_of(runs_.begin(), runs_.end(),
                     [](const auto& run) { return run->settled || run->entry.job->WaitFor(0); });
}

Status ScriptRunner::Settle() {
  Status first;
  for (const auto& run : runs_) {
    if (run->settled || !run->entry.job->WaitFor(0)) continue;
    run->settled = true;
    const Status ended = run->entry.job->Wait();
    const JobStatus status = run->entry.job->status();
    const bool complete = ended.ok() && run->entry.bounded && AllSourcesEnded(status);
    finished_ = finished_ && complete;
    if (run->printer) {
      const Status shown = run->printer->Finish();
      if (first.ok() && !shown.ok()) first = shown;
    }
    if (run->has_record && complete) {
      run->record.finished = true;
      const Status saved = SaveJobRecord(engine_.files(), engine_.data_dir(), run->record);
      if (first.ok() && !saved.ok()) first = saved;
    }
    const bool enough = ended.Is(kCancelled) && run->printer && run->printer->is_full();
    if (first.ok() && !ended.ok() && !enough) first = ended;
  }
  return first;
}

void ScriptRunner::Tick() {
  for (const auto& run : runs_) {
    if (run->printer) (void)run->printer->Tick();
    if (!run->entry.job) continue;
    const JobStatus status = run->entry.job->status();
    for (const std::string& note : status.notes) {
      if (std::find(run->notes_shown.begin(), run->notes_shown.end(), note) != run->notes_shown.end()) continue;
      run->notes_shown.push_back(note);
      context_.console.Notice(fmt::format("{}: {}", run->entry.name, note));
    }
  }
}

void ScriptRunner::Stop() {
  for (const auto& run : runs_) run->printer ? run->entry.job->Cancel() : run->entry.job->Stop();
}

void ScriptRunner::Cancel() {
  for (const auto& run : runs_) run->entry.job->Cancel();
}

bool ScriptRunner::WantsStop() const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const auto& run) { return !run->settled && run->printer && run->printer->is_full(); });
}

std::vector<JobStatus> ScriptRunner::statuses() const {
  std::vector<JobStatus> all;
  for (const auto& run : runs_) all.push_back(run->entry.status());
  return all;
}

}  // namespace tidemill
