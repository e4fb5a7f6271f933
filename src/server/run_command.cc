#include <csignal>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "exec/errors.h"
#include "server/api_server.h"
#include "server/command_line.h"
#include "server/errors.h"
#include "server/graceful_stop.h"
#include "server/http_api.h"
#include "server/kafka_listener.h"
#include "server/run_summary.h"
#include "server/schema_registry_listener.h"
#include "server/script_runner.h"
#include "server/signal_watch.h"

namespace tidemill {
namespace {

constexpr int kRunTickMs = 50;

struct RunCommandOptions {
  RunOptions run;
  std::string http;
  std::string kafka;
  std::string kafka_security;
  std::string schema_registry;
  bool insecure = false;
  bool overwrite = false;
  bool append = false;
  int stop_timeout = kStopTimeoutSeconds;
};

// The script asks for what can't be run, found when the job was opened.
bool IsPipelineError(const Status& error) {
  return error.position() && !error.Is(kOutputExists) && error.code().number >= 1400 && error.code().number < 4100;
}

// Runs the statements of the script one after the other; unbounded jobs go on beside those that follow.
class RunLoop {
 public:
  RunLoop(CommandContext& context, SignalWatch& signals, Engine& engine, JobList& jobs, ScriptRunner& runner,
          int stop_timeout)
      : context_(context),
        signals_(signals),
        jobs_(jobs),
        runner_(runner),
        progress_(context.console, engine.clock()),
        stop_(context.console, engine.clock(), stop_timeout) {}

  int Go(PlanningSession& session, std::vector<PlannedStatement>& statements) {
    while (signal_ == 0) {
      Result<bool> started = runner_.StartNext(session, statements);
      if (!started.ok()) return Fail(started.status());
      if (!*started) break;
      if (!runner_.current_is_bounded()) continue;
      if (const Status ended = Await(); !ended.ok() && signal_ == 0) return Fail(ended);
    }
    jobs_.SetStarting(false);
    const Status ended = Await();
    if (!ended.ok() && !(signal_ != 0 && ended.Is(kCancelled))) return Fail(ended);
    if (!stop_.result().ok()) return Fail(stop_.result());
    return signal_ == SIGINT && !runner_.finished() ? kExitInterrupted : kExitOk;
  }

 private:
  // Until every job that was started has ended.
  Status Await() {
    Status first;
    while (true) {
      runner_.Tick();
      if (const Status settled = runner_.Settle(); !settled.ok() && first.ok()) {
        first = settled;
        runner_.Stop();  // one failed: the others end in good order
        stop_.Begin(false);
      }
      if (runner_.AllEnded()) {
        const Status settled = runner_.Settle();
        return first.ok() ? settled : first;
      }
      // Ready once what was started runs, even while later statements wait for it.
      jobs_.SetStarting(false);
      progress_.Show(runner_.statuses());
      if (runner_.WantsStop() || stop_.RunsOut()) runner_.Cancel();
      const std::optional<int> signal = signals_.Next(kRunTickMs);
      if (!signal) continue;
      if (signal_ == 0) {
        stop_.Begin(true);
        runner_.Stop();
      } else {
        runner_.Cancel();
      }
      signal_ = *signal;
    }
  }

  int Fail(const Status& error) {
    runner_.Cancel();
    return IsPipelineError(error) ? context_.FailPlanning(error) : context_.Fail(error);
  }

  CommandContext& context_;
  SignalWatch& signals_;
  JobList& jobs_;
  ScriptRunner& runner_;
  RunProgress progress_;
  GracefulStop stop_;
  int signal_ = 0;
};

int Run(CommandContext& context, const RunCommandOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  SignalWatch signals;
  if (options.overwrite && options.append)
    return context.Fail(Status(kUsage, "--overwrite and --append exclude each other"));
  RunOptions run = options.run;
  run.existing = options.overwrite ? ExistingOutput::kReplace
                 : options.append  ? ExistingOutput::kKeep
                                   : ExistingOutput::kRefuse;
  if (const auto name = ScriptRunner::JobName(run); !name.ok()) return context.Fail(name.status());
  for (const std::string& listen : {options.http, options.kafka, options.schema_registry}) {
    if (const auto address = ParseListenAddress(listen); !address.ok() && !listen.empty())
      return context.Fail(address.status());
  }
  if (options.kafka.empty() && !options.kafka_security.empty())
    return context.Fail(Status(kUsage, "--kafka-security has nobody to let in: give --kafka-listen too"));
  // Errors of the script come before anything is opened or made.
  PlanningSession session(context);
  Result<std::vector<PlannedStatement>> statements = ScriptRunner::Plan(session, run);
  if (!statements.ok()) return context.FailPlanning(statements.status());

  Result<std::unique_ptr<Engine>> engine = Engine::Open(context.options);
  if (!engine.ok()) return context.Fail(engine.status());
  JobList jobs;
  jobs.SetStarting(true);
  std::unique_ptr<SchemaRegistryListener> schema_registry;
  if (!options.schema_registry.empty()) {
    auto started = SchemaRegistryListener::Start(**engine, options.schema_registry, options.insecure, context.console);
    if (!started.ok()) return context.Fail(started.status());
    schema_registry = *std::move(started);
  }
  std::unique_ptr<KafkaListener> kafka;
  if (!options.kafka.empty()) {
    auto started =
        KafkaListener::Start(**engine, {options.kafka, "", options.insecure, options.kafka_security}, context.console);
    if (!started.ok()) return context.Fail(started.status());
    kafka = *std::move(started);
  }
  std::unique_ptr<ApiServer> api;
  if (!options.http.empty()) {
    auto started = ApiServer::Start(**engine, jobs, options.http, options.insecure, context.console);
    if (!started.ok()) return context.Fail(started.status());
    api = *std::move(started);
  }
  ScriptRunner runner(context, **engine, jobs, run);
  RunSummary summary((*engine)->clock());
  const int code = RunLoop(context, signals, **engine, jobs, runner, options.stop_timeout).Go(session, *statements);
  context.console.ClearProgress();
  for (const std::string& line : summary.Lines(*ScriptRunner::JobName(run), runner.statuses(), (*engine)->metrics()))
    context.console.Notice(line);
  return code;
}

}  // namespace

void AddRunCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand("run", "Run a script until its input ends, or until Ctrl-C");
  auto options = std::make_shared<RunCommandOptions>();
  app->add_option("FILE", options->run.file, "The script; - reads standard input")->required();
  app->add_option("-i,--init", options->run.init_files,
                  "Scripts to run first, in the same session: their CREATE TABLE stands where FILE says IF NOT EXISTS; "
                  "repeatable")
      ->allow_extra_args(false);
  app->add_option("--name", options->run.name, "Of the job; default: the file's name without .sql");
  app->add_option("--parallelism", options->run.parallelism,
                  "Lanes; default: setting parallelism.default, else the number of cores")
      ->check(CLI::Range(1, 128));
  app->add_option("--http", options->http,
                  "Serve the HTTP API meanwhile, e.g. 127.0.0.1:8080; port 0 takes any free one");
  app->add_option("--kafka-listen", options->kafka,
                  "Serve Kafka clients meanwhile, e.g. 127.0.0.1:9092; port 0 takes any free one");
  app->add_option("--kafka-security", options->kafka_security,
                  "YAML file with TLS, users, ACLs and quotas of Kafka clients (docs/kafka-security.md)");
  app->add_option("--schema-registry", options->schema_registry,
                  "Serve clients of the schema registry meanwhile, e.g. 127.0.0.1:8081; port 0 takes any free one");
  app->add_flag("--insecure", options->insecure, "Allow listening on an address that others reach");
  AddStopTimeoutOption(*app, options->stop_timeout);
  app->add_flag("--fresh", options->run.fresh, "Forget the saved state of an earlier run");
  app->add_flag("--overwrite", options->overwrite, "Replace the files of another run in the output folders");
  app->add_flag("--append", options->append, "Write beside the files of an earlier run");
  app->footer(
      "\nExamples:\n  tidemill run examples/fraud/fraud.sql -D transactions=tx.parquet -D out=results\n"
      "  tidemill run -i live.sql pipeline.sql --http 127.0.0.1:8080\n"
      "\nA run that was stopped or killed goes on from its last epoch when the same script is run again. A bounded run "
      "that came to its\n"
      "end starts from the beginning, and replaces its own output files. ${script_dir} is the folder of the script.");
  commands.push_back({app, [options](CommandContext& context) { return Run(context, *options); }});
}

}  // namespace tidemill
