#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/command_line.h"
#include "server/error_catalog.h"
#include "server/errors.h"
#include "server/planning.h"
#include "server/script.h"
#include "sql/logical_plan.h"

namespace tidemill {
namespace {

struct ExplainOptions {
  std::string what;
  std::string sql;
  std::vector<std::string> init_files;
};

int ExplainCode(CommandContext& context, const std::string& name) {
  const CatalogEntry* entry = FindErrorCode(name);
  if (entry == nullptr) {
    std::vector<std::string> names;
    for (const CatalogEntry& known : ErrorCatalog()) names.push_back(fmt::format("TM{:04}", known.code->number));
    Status error(kNotFound, fmt::format("there is no error {}", name));
    const std::string nearest = NearestName(name, names);
    return context.Fail(nearest.empty() ? error : error.WithHint("did you mean '" + nearest + "'?"));
  }
  if (context.options.output == OutputFormat::kText) {
    context.console.Print(ExplainErrorCode(*entry));
  } else {
    context.console.Print(Listing{{"code", "title", "text", "remedy", "retriable"},
                                  {{fmt::format("TM{:04}", entry->code->number), entry->code->title, entry->text,
                                    entry->code->remedy, entry->code->retriable}}});
  }
  return kExitOk;
}

int ExplainScript(CommandContext& context, const ExplainOptions& options) {
  PlanningSession session(context);
  for (const std::string& file : options.init_files) {
    if (const auto planned = session.PlanFile(file); !planned.ok()) return context.FailPlanning(planned.status());
  }
  const auto planned = options.sql.empty() ? session.PlanFile(options.what) : session.PlanText("-c", options.sql);
  if (!planned.ok()) return context.FailPlanning(planned.status());
  int shown = 0;
  for (const PlannedStatement& statement : *planned) {
    std::string text;
    if (statement.kind == PlannedStatement::Kind::kExplain) text = statement.text;
    if (statement.kind == PlannedStatement::Kind::kInsert || statement.kind == PlannedStatement::Kind::kQuery)
      text = ExplainPlan(statement.plan);
    if (text.empty()) continue;
    if (text.back() != '\n') text += '\n';
    if (context.options.output == OutputFormat::kText) {
      context.console.Print(shown > 0 ? "\n" + text : text);
    } else {
      context.console.Print(Listing{{"plan"}, {{text}}});
    }
    ++shown;
  }
  if (shown == 0) context.console.Notice("nothing to explain: the script runs no INSERT and no SELECT");
  return kExitOk;
}

}  // namespace

void AddExplainCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand("explain", "Show the plan of a script, or what an error code means");
  auto options = std::make_shared<ExplainOptions>();
  app->add_option("WHAT", options->what, "a script (FILE.sql), or an error code (TM2104)");
  app->add_option("-c,--command", options->sql, "SQL text instead of a file");
  app->add_option("-i,--init", options->init_files, "Scripts to plan first, in the same session; repeatable")
      ->allow_extra_args(false);
  app->footer(
      "\nExamples:\n  tidemill explain pipeline.sql -D out=results\n  tidemill explain -c \"SELECT 1\"\n  tidemill "
      "explain TM2104");
  commands.push_back({app, [options](CommandContext& context) {
                        if (options->what.empty() == options->sql.empty()) {
                          return context.Fail(
                              Status(kUsage, "tidemill explain takes a script, an error code, or -c SQL"));
                        }
                        if (LooksLikeErrorCode(options->what)) return ExplainCode(context, options->what);
                        return ExplainScript(context, *options);
                      }});
}

}  // namespace tidemill
