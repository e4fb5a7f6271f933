#include "server/command_line.h"

#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "base/logging.h"
#include "server/errors.h"
#include "server/version.h"

namespace tidemill {
namespace {

constexpr const char* kDescription =
    "Tidemill turns a stream of events into decisions: SQL features on event time, models in the same process, actions "
    "out.";
constexpr const char* kExamples =
    "\nA first result:\n"
    "  tidemill sql -c \"SELECT 1 + 1 AS two\"\n"
    "  tidemill topic create clicks && echo '{\"user\":\"a\"}' | tidemill topic produce clicks\n"
    "  tidemill check pipeline.sql && tidemill run pipeline.sql -D out=results\n"
    "\nResults go to stdout, progress and errors to stderr.\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 invalid pipeline, 4 cannot connect, 5 timed out, 6 incompatible state, 130 "
    "interrupted.\n"
    "Each command has its own help: tidemill COMMAND --help. Errors have codes: tidemill explain TM2104.";

struct RawGlobals {
  std::string data_dir = ".tidemill";
  std::string server;
  std::string brokers;
  std::string output = "text";
  std::vector<std::string> variables;
  std::vector<std::string> settings;
  int verbosity = 0;
  bool quiet = false;
  bool no_color = false;
};

void AddGlobalOptions(CLI::App& app, RawGlobals& raw) {
  app.add_option("--data-dir", raw.data_dir, "Where topics, features and jobs are kept")
      ->envname("TIDEMILL_DATA_DIR")
      ->capture_default_str();
  app.add_option("--server", raw.server, "Ask this running server instead, e.g. http://127.0.0.1:8080")
      ->envname("TIDEMILL_SERVER");
  app.add_option("--brokers", raw.brokers,
                 "topic and group: ask this Kafka cluster instead, e.g. 127.0.0.1:9092; how it is reached: -X "
                 "properties.security.protocol=SASL_SSL, ...")
      ->envname("TIDEMILL_BROKERS");
  app.add_option("-D", raw.variables, "name=value: replaces ${name} in scripts; repeatable")->allow_extra_args(false);
  app.add_option("-X", raw.settings, "key=value: a setting, as SET 'key' = 'value'; repeatable")
      ->allow_extra_args(false);
  app.add_option("--output", raw.output, "text, json (one object a line) or csv")->capture_default_str();
  app.add_flag("-v,--verbose", raw.verbosity, "Say more on stderr");
  app.add_flag("-q,--quiet", raw.quiet, "Errors only on stderr");
  app.add_flag("--no-color", raw.no_color, "No colours (also: environment variable NO_COLOR)");
}

Status SplitPair(const std::string& pair, const char* option, std::string* name, std::string* value) {
  const size_t equals = pair.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Status(kUsage, fmt::format("{} takes name=value, not '{}'", option, pair));
  }
  *name = pair.substr(0, equals);
  *value = pair.substr(equals + 1);
  return Status::OK();
}

Result<GlobalOptions> ToGlobals(const RawGlobals& raw) {
  GlobalOptions globals;
  globals.data_dir = raw.data_dir;
  if (globals.data_dir.empty()) return Status(kUsage, "--data-dir is empty");
  globals.server = raw.server;
  globals.brokers = raw.brokers;
  while (!globals.server.empty() && globals.server.back() == '/') globals.server.pop_back();
  TM_ASSIGN_OR_RETURN(globals.output, ParseOutputFormat(raw.output));
  globals.verbosity = raw.verbosity;
  globals.quiet = raw.quiet;
  const char* no_color = std::getenv("NO_COLOR");
  globals.color = !raw.no_color && (no_color == nullptr || *no_color == '\0') && isatty(STDERR_FILENO) == 1;
  std::string name;
  std::string value;
  for (const std::string& pair : raw.variables) {
    TM_RETURN_IF_ERROR(SplitPair(pair, "-D", &name, &value));
    globals.variables[name] = value;
  }
  for (const std::string& pair : raw.settings) {
    TM_RETURN_IF_ERROR(SplitPair(pair, "-X", &name, &value));
    globals.settings.Set(name, value);
  }
  return globals;
}

CLI::App& DeepestCommand(CLI::App& app) {
  CLI::App* current = &app;
  while (!current->get_subcommands().empty()) current = current->get_subcommands().front();
  return *current;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

void AppendOptionNames(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
}

std::string FullName(const CLI::App& app) {
  return app.get_parent() == nullptr ? "tidemill" : FullName(*app.get_parent()) + " " + app.get_name();
}

Status Suggest(Status status, std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestName(word, candidates);
  return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
}

// Words that no command or option took.
Status CheckLeftovers(CLI::App& root, CLI::App& command) {
  std::vector<std::string> rest;
  for (CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    const auto words = app->remaining();
    rest.insert(rest.end(), words.begin(), words.end());
  }
  const bool is_group = !CommandNames(command).empty();
  if (rest.empty()) {
    if (!is_group) return Status::OK();
    return Status(kUsage, fmt::format("{} needs a command", FullName(command)))
        .WithNote(fmt::format("commands: {}", fmt::join(CommandNames(command), ", ")));
  }
  const std::string& word = rest.front();
  if (word.size() > 1 && word.front() == '-') {
    std::vector<std::string> names;
    AppendOptionNames(command, names);
    if (&command != &root) AppendOptionNames(root, names);
    const std::string option = word.substr(0, word.find('='));
    return Suggest(Status(kUsage, fmt::format("unknown option '{}' of {}", option, FullName(command))), option, names);
  }
  if (is_group) {
    return Suggest(Status(kUsage, fmt::format("unknown command '{}'", word)), word, CommandNames(command))
        .WithNote(fmt::format("commands: {}", fmt::join(CommandNames(command), ", ")));
  }
  return Status(kUsage, fmt::format("{} takes no argument '{}'", FullName(command), word));
}

int UsageFailure(const Status& error) {
  const GlobalOptions plain;
  Console console(plain);
  console.PrintError(error);
  return kExitUsage;
}

void AddCommands(CLI::App& app, CommandList& commands) {
  AddRunCommand(app, commands);
  AddCheckCommand(app, commands);
  AddExplainCommand(app, commands);
  AddSqlCommand(app, commands);
  AddServeCommand(app, commands);
  AddTopicCommands(app, commands);
  AddGroupCommands(app, commands);
  AddSchemaCommands(app, commands);
  AddDlqCommands(app, commands);
  AddFeatureCommands(app, commands);
  AddVersionCommand(app, commands);
  AddCompletionCommand(app, commands);
}

// Every command takes the global options before or after its name, and leftovers are judged by CheckLeftovers, which
// knows near names.
void ShapeCommands(CLI::App& app) {
  app.allow_extras();
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    sub->fallthrough();
    ShapeCommands(*sub);
  }
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv) {
  RawGlobals raw;
  CommandList commands;
  CLI::App app(kDescription, "tidemill");
  app.get_formatter()->column_width(34);
  app.footer(kExamples);
  AddGlobalOptions(app, raw);
  app.set_version_flag("--version", "tidemill " + std::string(VersionText()));
  AddCommands(app, commands);
  ShapeCommands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(DeepestCommand(app).help().c_str(), stdout);
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    // A misspelt option looks like a missing argument to the parser: say the former.
    CLI::App& command = DeepestCommand(app);
    const Status leftovers = CheckLeftovers(app, command);
    if (!leftovers.ok() && CommandNames(command).empty()) return UsageFailure(leftovers);
    return UsageFailure(Status(kUsage, fmt::format("{}: {}", FullName(command), error.what()))
                            .WithHint(fmt::format("see {} --help", FullName(command))));
  }
  CLI::App& chosen = DeepestCommand(app);
  if (argc <= 1) {
    std::fputs(app.help().c_str(), stderr);
    return kExitUsage;
  }
  if (const Status leftovers = CheckLeftovers(app, chosen); !leftovers.ok()) return UsageFailure(leftovers);
  Result<GlobalOptions> globals = ToGlobals(raw);
  if (!globals.ok()) return UsageFailure(globals.status());
  SetLogLevel(globals->quiet           ? LogLevel::kError
              : globals->verbosity > 1 ? LogLevel::kDebug
              : globals->verbosity > 0 ? LogLevel::kInfo
                                       : LogLevel::kWarning);
  Console console(*globals);
  CommandContext context{*globals, console};
  for (const Command& command : commands) {
    if (command.app == &chosen) return command.run(context);
  }
  return UsageFailure(Status(kUsage, FullName(chosen) + " needs a command"));
}

}  // namespace tidemill
