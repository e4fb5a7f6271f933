#include "server/query_session.h"

#include <functional>

#include <fmt/format.h>

#include "exec/errors.h"
#include "job/job.h"
#include "job/job_environment.h"
#include "server/errors.h"
#include "server/result_printer.h"

namespace tidemill {

namespace {

constexpr int kPollMs = 10;
constexpr size_t kRejectsShown = 3;

void ForEachNode(const LogicalNode& node, const std::function<void(const LogicalNode&)>& visit) {
  visit(node);
  for (const LogicalPtr& input : node.inputs) ForEachNode(*input, visit);
}

bool NeedsData(const LogicalPlan& plan) {
  bool needs = false;
  const auto look = [&](const TableDefinition& table) {
    const std::string connector = table.connector();
    needs = needs || connector == "tidemill-log" || connector == "feature-store" || connector == "http";
  };
  for (const LogicalPtr& root : plan.roots) {
    ForEachNode(*root, [&](const LogicalNode& node) {
      if (const auto* scan = std::get_if<ScanSpec>(&node.spec)) look(*scan->table);
      if (const auto* sink = std::get_if<SinkSpec>(&node.spec)) look(*sink->table);
    });
  }
  return needs;
}

}  // namespace

void PrintStatement(Console& console, const PlannedStatement& statement, OutputFormat format) {
  if (!statement.columns.empty()) {
    Listing listing{statement.columns, {}};
    for (const auto& row : statement.cells) listing.rows.emplace_back(row.begin(), row.end());
    console.Print(FormatListing(listing, format));
    return;
  }
  if (statement.text.empty()) return;
  console.Print(statement.text.back() == '\n' ? statement.text : statement.text + "\n");
}

QuerySession::QuerySession(const CommandContext& context, SignalWatch& signals)
    : context_(context), signals_(signals), planning_(context), output_(context.options.output) {}
QuerySession::~QuerySession() = default;

int QuerySession::ExecuteFile(const std::string& path) {
  auto planned = planning_.PlanFile(path);
  if (!planned.ok()) return context_.FailPlanning(planned.status());
  for (PlannedStatement& statement : *planned) {
    if (const int code = Run(statement); code != kExitOk) return code;
  }
  return kExitOk;
}

int QuerySession::Execute(const std::string& name, const std::string& text) {
  auto planned = planning_.PlanText(name, text);
  if (!planned.ok()) return context_.FailPlanning(planned.status());
  for (PlannedStatement& statement : *planned) {
    if (const int code = Run(statement); code != kExitOk) return code;
  }
  return kExitOk;
}

int QuerySession::Run(PlannedStatement& statement) {
  switch (statement.kind) {
    case PlannedStatement::Kind::kDefinition:
      if (!statement.text.empty()) context_.console.Notice(statement.text);
      return kExitOk;
    case PlannedStatement::Kind::kExplain:
    case PlannedStatement::Kind::kDescribe:
      PrintStatement(context_.console, statement, output_);
      return kExitOk;
    case PlannedStatement::Kind::kInsert:
    case PlannedStatement::Kind::kQuery:
      break;
  }
  bool interrupted = false;
  const Status ran = RunPlan(statement, &interrupted);
  context_.console.ClearProgress();
  if (interrupted) {
    context_.console.Notice("interrupted");
    return kExitInterrupted;
  }
  return ran.ok() ? kExitOk : context_.Fail(ran);
}

Status QuerySession::RunPlan(PlannedStatement& statement, bool* interrupted) {
  // What needs no topics and no features leaves the data directory alone, and runs beside a process that has it.
  if (!engine_ || (!engine_->has_data() && NeedsData(statement.plan))) {
    engine_.reset();
    if (NeedsData(statement.plan)) {
      TM_ASSIGN_OR_RETURN(engine_, Engine::Open(context_.options));
    } else {
      engine_ = Engine::OpenWithoutData(context_.options);
    }
  }
  const Clock& clock = engine_->clock();
  const int64_t begin_ns = clock.MonotonicNanos();
  const bool is_query = statement.kind == PlannedStatement::Kind::kQuery;
  JobOptions options;
  options.name = fmt::format("sql-{}", ++jobs_);
  options.restore = false;
  std::shared_ptr<ResultPrinter> printer;
  if (is_query) {
    const LogicalNode& root = *statement.plan.roots.front();
    ResultPrinter::Options shown;
    shown.schema = root.schema;
    shown.changelog = root.changelog != ChangelogMode::kAppend;
    shown.bounded = planning_.IsBounded(statement.plan);
    shown.format = output_;
    shown.time_zone = statement.plan.settings.GetString("table.local-time-zone", "UTC");
    shown.rows_max = rows_max_;
    printer = std::make_shared<ResultPrinter>(std::move(shown), context_.console, clock);
    options.result_sink = MakeResultSink(printer);
    options.restart_attempts = 0;
  }
  const std::unique_ptr<JobEnvironment> environment = engine_->MakeEnvironment(options.name);
  std::vector<std::string> origins;
  for (const LogicalPtr& root : statement.plan.roots) {
    ForEachNode(*root, [&](const LogicalNode& node) {
      if (const auto* scan = std::get_if<ScanSpec>(&node.spec)) origins.push_back(scan->table->name);
    });
  }
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<Job> job,
                      Job::Start(std::move(statement.plan), *environment, std::move(options)));
  bool enough = false;
  while (!job->WaitFor(kPollMs)) {
    if (printer) (void)printer->Tick();
    if (signals_.Next(0)) {
      // An INSERT keeps what it has done so far; a SELECT has nothing to keep.
      if (*interrupted || is_query) {
        job->Cancel();
      } else {
        job->Stop();
      }
      *interrupted = true;
    }
    if (printer && printer->is_full() && !enough) {
      enough = true;
      job->Cancel();
    }
  }
  const Status ended = job->Wait();
  if (printer) TM_RETURN_IF_ERROR(printer->Finish());
  const JobStatus status = job->status();
  if (const int64_t rejected = environment->rejects().total(); rejected > 0) {
    context_.console.Notice(fmt::format("{} row{} rejected", rejected, rejected == 1 ? " was" : "s were"));
    for (const std::string& origin : origins) {
      const std::vector<RejectedRow> rows = environment->rejects().Recent(origin);
      for (size_t i = 0; i < rows.size() && i < kRejectsShown; ++i) {
        context_.console.Notice(fmt::format("  {}:{}: {}: {}", rows[i].source, rows[i].offset,
                                            RejectReasonName(rows[i].reason), rows[i].detail));
      }
    }
  }
  if (!is_query && ended.ok())
    context_.console.Notice(fmt::format("{} rows written", WithThousands(status.records_out)));
  if (timer_)
    context_.console.Notice(fmt::format("{:.3f} s", static_cast<double>(clock.MonotonicNanos() - begin_ns) / 1e9));
  if (ended.Is(kCancelled) && (enough || *interrupted)) return Status::OK();
  return ended;
}

}  // namespace tidemill
