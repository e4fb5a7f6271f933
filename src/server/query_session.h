#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "server/engine.h"
#include "server/planning.h"
#include "server/signal_watch.h"

namespace tidemill {

// Statements one after the other, as the interactive shell and `tidemill sql -c` run them: SELECT shows rows, INSERT
// runs until its input ends or Ctrl-C. The data directory is opened with the first statement that runs. Main thread.
class QuerySession {
 public:
  QuerySession(const CommandContext& context, SignalWatch& signals);
  ~QuerySession();

  // Runs every statement of the text; errors are printed. Returns an exit code: the first failure ends it.
  int Execute(const std::string& name, const std::string& text);
  int ExecuteFile(const std::string& path);

  // SELECT ends after so many rows; -1 = never.
  void set_rows_max(int64_t rows) { rows_max_ = rows; }
  void set_timer(bool on) { timer_ = on; }
  void set_output(OutputFormat format) { output_ = format; }
  PlanningSession& planning() { return planning_; }

 private:
  int Run(PlannedStatement& statement);
  Status RunPlan(PlannedStatement& statement, bool* interrupted);

  const CommandContext context_;
  SignalWatch& signals_;
  std::unique_ptr<Engine> engine_;
  PlanningSession planning_;
  OutputFormat output_;
  int64_t rows_max_ = -1;
  bool timer_ = false;
  int jobs_ = 0;
};

// DESCRIBE, SHOW, EXPLAIN: what the planner answered.
void PrintStatement(Console& console, const PlannedStatement& statement, OutputFormat format);

}  // namespace tidemill
