#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "server/command_line.h"
#include "server/planning.h"
#include "server/script.h"

namespace tidemill {
namespace {

struct CheckOptions {
  std::vector<std::string> files;
  std::vector<std::string> init_files;
};

Listing ErrorListing(const std::vector<Status>& errors) {
  Listing listing{{"code", "message", "file", "line", "column", "hint"}, {}};
  for (const Status& error : errors) {
    const auto& position = error.position();
    listing.rows.push_back({fmt::format("TM{:04}", error.code().number), error.message(),
                            position ? Cell(position->file) : Cell::Null(),
                            position ? Cell(position->line) : Cell::Null(),
                            position ? Cell(position->column) : Cell::Null(), error.hint()});
  }
  return listing;
}

int Check(CommandContext& context, const CheckOptions& options) {
  size_t errors_found = 0;
  for (const std::string& file : options.files) {
    PlanningSession session(context);
    for (const std::string& init : options.init_files) {
      if (const auto planned = session.PlanFile(init); !planned.ok()) return context.FailPlanning(planned.status());
    }
    Result<std::vector<Status>> errors = session.CheckFile(file);
    if (!errors.ok()) return context.Fail(errors.status());
    if (context.options.output != OutputFormat::kText) {
      context.console.Print(ErrorListing(*errors));
    } else {
      for (const Status& error : *errors) context.console.PrintError(error);
    }
    errors_found += errors->size();
    if (errors->empty()) context.console.Notice(file + ": ok");
  }
  if (errors_found == 0) return kExitOk;
  context.console.Notice(fmt::format("{} error{}", errors_found, errors_found == 1 ? "" : "s"));
  return kExitInvalidPipeline;
}

}  // namespace

void AddCheckCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand("check", "Find the errors of scripts without running them");
  auto options = std::make_shared<CheckOptions>();
  app->add_option("FILE", options->files, "Scripts; - reads standard input")->required();
  app->add_option("-i,--init", options->init_files, "Scripts to plan first, in the same session; repeatable")
      ->allow_extra_args(false);
  app->footer(
      "\nExample:\n  tidemill check pipeline.sql -D transactions=tx.csv -D out=results\n\nExit code 3 when there are "
      "errors.");
  commands.push_back({app, [options](CommandContext& context) { return Check(context, *options); }});
}

}  // namespace tidemill
