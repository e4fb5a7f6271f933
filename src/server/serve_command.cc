#include <csignal>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/errors.h"
#include "server/api_server.h"
#include "server/command_line.h"
#include "server/errors.h"
#include "server/graceful_stop.h"
#include "server/http_api.h"
#include "server/kafka_listener.h"
#include "server/schema_registry_listener.h"
#include "server/script_runner.h"
#include "server/signal_watch.h"

namespace tidemill {
namespace {

constexpr int kServeTickMs = 200;

struct ServeOptions {
  std::string what;
  std::vector<std::string> init_files;
  std::string http = "127.0.0.1:8080";
  std::string kafka = "127.0.0.1:9092";
  std::string kafka_advertised;
  std::string kafka_security;
  std::string schema_registry = "127.0.0.1:8081";
  int parallelism = 0;
  int stop_timeout = kStopTimeoutSeconds;
  bool insecure = false;
};

// A script that is served: its own session and its own jobs.
struct ServedScript {
  ServedScript(const CommandContext& context, Engine& engine, JobList& jobs, RunOptions options)
      : session(context), runner(context, engine, jobs, std::move(options)) {}
  PlanningSession session;
  ScriptRunner runner;
  std::vector<PlannedStatement> statements;
  bool started_all = false;
};

// FILE, or every .sql file of DIR by name.
Result<std::vector<std::string>> ScriptsOf(const std::string& what) {
  std::vector<std::string> scripts;
  if (what.empty()) return scripts;
  LocalFileSystem files;
  TM_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(what));
  if (!info.is_directory) return std::vector<std::string>{what};
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files.List(what));
  for (const FileInfo& entry : entries) {
    if (!entry.is_directory && entry.path.ends_with(".sql")) scripts.push_back(entry.path);
  }
  if (scripts.empty()) return Status(kFileNotFound, fmt::format("no .sql file in '{}'", what));
  return scripts;
}

// Starts what can be started of each script; a bounded plan is waited for before the next one of the same script.
void Advance(CommandContext& context, ServedScript& script) {
  if (script.started_all || (script.runner.current_is_bounded() && !script.runner.AllEnded())) return;
  while (true) {
    const Result<bool> started = script.runner.StartNext(script.session, script.statements);
    if (!started.ok()) context.console.PrintError(started.status());
    if (!started.ok() || !*started) {
      script.started_all = true;
      return;
    }
    if (script.runner.current_is_bounded()) return;
  }
}

int Serve(CommandContext& context, const ServeOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  SignalWatch signals;
  for (const std::string& listen : {options.http, options.kafka, options.schema_registry}) {
    if (const auto address = ParseListenAddress(listen); !address.ok() && listen != "off")
      return context.Fail(address.status());
  }
  if (options.kafka == "off" && !options.kafka_security.empty())
    return context.Fail(Status(kUsage, "--kafka-security has nobody to let in: --kafka is off"));
  const Result<std::vector<std::string>> files = ScriptsOf(options.what);
  if (!files.ok()) return context.Fail(files.status());
  Result<std::unique_ptr<Engine>> engine = Engine::Open(context.options);
  if (!engine.ok()) return context.Fail(engine.status());
  JobList jobs;
  std::vector<std::unique_ptr<ServedScript>> scripts;
  for (const std::string& file : *files) {
    RunOptions run;
    run.file = file;
    run.init_files = options.init_files;
    run.parallelism = options.parallelism;
    run.skip_finished = true;
    scripts.push_back(std::make_unique<ServedScript>(context, **engine, jobs, run));
    auto statements = ScriptRunner::Plan(scripts.back()->session, run);
    if (!statements.ok()) return context.FailPlanning(statements.status());
    scripts.back()->statements = *std::move(statements);
  }
  jobs.SetStarting(!scripts.empty());
  std::unique_ptr<SchemaRegistryListener> schema_registry;
  if (options.schema_registry != "off") {
    auto started = SchemaRegistryListener::Start(**engine, options.schema_registry, options.insecure, context.console);
    if (!started.ok()) return context.Fail(started.status());
    schema_registry = *std::move(started);
  }
  std::unique_ptr<KafkaListener> kafka;
  if (options.kafka != "off") {
    auto started = KafkaListener::Start(
        **engine, {options.kafka, options.kafka_advertised, options.insecure, options.kafka_security}, context.console);
    if (!started.ok()) return context.Fail(started.status());
    kafka = *std::move(started);
  }
  // Last: whoever waits for its port finds everything there.
  auto api = ApiServer::Start(**engine, jobs, options.http, options.insecure, context.console);
  if (!api.ok()) return context.Fail(api.status());
  GracefulStop stop(context.console, (*engine)->clock(), options.stop_timeout);
  while (true) {
    bool all_ended = true;
    for (const auto& script : scripts) {
      if (!stop.begun()) Advance(context, *script);
      script->runner.Tick();
      if (const Status settled = script->runner.Settle(); !settled.ok() && !stop.begun())
        context.console.PrintError(settled);
      all_ended = all_ended && script->runner.AllEnded();
    }
    jobs.SetStarting(false);
    if (stop.begun() && all_ended) break;
    const std::optional<int> signal = signals.Next(stop.begun() ? 20 : kServeTickMs);
    if (!signal && !stop.RunsOut()) continue;
    for (const auto& script : scripts) stop.begun() ? script->runner.Cancel() : script->runner.Stop();
    stop.Begin(true);
  }
  for (const auto& script : scripts) {
    if (const Status settled = script->runner.Settle(); !settled.ok()) context.console.PrintError(settled);
  }
  if (const Status stopped = stop.result(); !stopped.ok()) return context.Fail(stopped);
  return kExitOk;
}

}  // namespace

void AddServeCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app =
      parent.add_subcommand("serve", "Serve Kafka clients and the HTTP API, and run scripts, until stopped");
  auto options = std::make_shared<ServeOptions>();
  app->add_option("SCRIPTS", options->what, "A script, or a folder of them; each is a job named after its file");
  app->add_option("-i,--init", options->init_files, "Scripts to run first in each session; repeatable")
      ->allow_extra_args(false);
  app->add_option("--http", options->http, "Where to listen; port 0 takes any free one")->capture_default_str();
  app->add_option("--kafka", options->kafka, "Where Kafka clients connect; off: nowhere")->capture_default_str();
  app->add_option("--kafka-advertise", options->kafka_advertised,
                  "HOST:PORT that Kafka clients are told, where it is not the address of --kafka");
  app->add_option("--kafka-security", options->kafka_security,
                  "YAML file with TLS, users, ACLs and quotas of Kafka clients (docs/kafka-security.md)");
  app->add_option("--schema-registry", options->schema_registry,
                  "Where clients of the schema registry connect (docs/schema-registry.md); off: nowhere")
      ->capture_default_str();
  app->add_option("--parallelism", options->parallelism, "Lanes of each job")->check(CLI::Range(1, 128));
  AddStopTimeoutOption(*app, options->stop_timeout);
  app->add_flag("--insecure", options->insecure, "Allow an address that others reach");
  app->footer(
      "\nExamples:\n  tidemill serve --http 127.0.0.1:8080 --kafka 127.0.0.1:9092\n"
      "  tidemill serve pipelines/ -D out=results\n"
      "  kcat -b 127.0.0.1:9092 -t clicks -P clicks.jsonl\n"
      "  curl -H 'Content-Type: application/x-ndjson' --data-binary @clicks.jsonl "
      "'http://127.0.0.1:8080/api/v1/topics/clicks/records?create=true'");
  commands.push_back({app, [options](CommandContext& context) { return Serve(context, *options); }});
}

}  // namespace tidemill
