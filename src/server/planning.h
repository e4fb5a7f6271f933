#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "server/console.h"
#include "sql/planner.h"

namespace tidemill {

// A planner with what it asks of the rooms above. Without an environment of its own choice it needs no data directory:
// it looks at local files (models, inputs) and nothing else. Texts of scripts are remembered by the console, so that
// errors show their line.
class PlanningSession {
 public:
  explicit PlanningSession(const CommandContext& context);
  ~PlanningSession();

  // The -X settings are in force from the first call on.
  Result<std::vector<PlannedStatement>> PlanFile(const std::string& path);
  Result<std::vector<PlannedStatement>> PlanText(const std::string& name, const std::string& text);
  // Every error of a script; the session is of no use afterwards unless there are none.
  Result<std::vector<Status>> CheckFile(const std::string& path);

  Planner& planner();
  PlannerEnvironment& environment();
  // Text of every script planned so far, with variables, in order: what a job's identity is made of.
  const std::string& script_text() const { return script_text_; }
  bool IsBounded(const LogicalPlan& plan);

 private:
  Status Begin();

  const CommandContext context_;
  struct Parts;
  std::unique_ptr<Parts> parts_;
  bool begun_ = false;
  std::string script_text_;
};

}  // namespace tidemill
