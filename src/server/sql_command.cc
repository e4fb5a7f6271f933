#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "server/command_line.h"
#include "server/errors.h"
#include "server/query_session.h"
#include "server/script.h"
#include "server/shell.h"

namespace tidemill {
namespace {

struct SqlOptions {
  std::string sql;
  std::string file;
  std::vector<std::string> init_files;
  int64_t rows_max = -1;
};

int Sql(CommandContext& context, const SqlOptions& options) {
  if (!options.sql.empty() && !options.file.empty())
    return context.Fail(Status(kUsage, "-c and -f exclude each other"));
  SignalWatch signals;
  QuerySession session(context, signals);
  session.set_rows_max(options.rows_max);
  for (const std::string& file : options.init_files) {
    if (const int code = session.ExecuteFile(file); code != kExitOk) return code;
  }
  if (!options.sql.empty()) return session.Execute("-c", options.sql);
  if (!options.file.empty()) return session.ExecuteFile(options.file);
  if (isatty(STDIN_FILENO) == 1) return RunShell(context, session, signals);
  return session.ExecuteFile("-");
}

}  // namespace

void AddSqlCommand(CLI::App& parent, CommandList& commands) {
  CLI::App* app = parent.add_subcommand(
      "sql", "Run SQL: interactively, from the command line (-c), a file (-f), or standard input");
  auto options = std::make_shared<SqlOptions>();
  app->add_option("-c,--command", options->sql, "Run these statements and leave");
  app->add_option("-f,--file", options->file, "Run this script and leave");
  app->add_option("-i,--init", options->init_files, "Scripts to run first, in the same session; repeatable")
      ->allow_extra_args(false);
  app->add_option("-n,--rows", options->rows_max, "End a SELECT after so many rows");
  app->footer(
      "\nExamples:\n  tidemill sql\n  tidemill sql -c \"SELECT 1 + 1 AS two\"\n  echo 'SHOW FUNCTIONS;' | tidemill sql "
      "--output csv\n"
      "\nA SELECT over files ends by itself, one over a stream with Ctrl-C. History: ~/.tidemill_history "
      "(TIDEMILL_HISTORY).");
  commands.push_back({app, [options](CommandContext& context) { return Sql(context, *options); }});
}

}  // namespace tidemill
