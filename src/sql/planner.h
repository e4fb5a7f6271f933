#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sql/catalog.h"
#include "sql/logical_plan.h"

namespace tidemill {

// One unit of work that a script asks for, in order.
struct PlannedStatement {
  enum class Kind : uint8_t {
    kInsert,      // INSERT INTO / STATEMENT SET: run `plan`
    kQuery,       // SELECT: run `plan` and show rows
    kExplain,     // show `text`
    kDescribe,    // show `text` (DESCRIBE, SHOW ...): rows in `columns`/`cells`
    kDefinition,  // CREATE, DROP, SET: done while planning; `text` is what to tell an interactive user
  };
  Kind kind;
  LogicalPlan plan;
  std::string text;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> cells;
  SourcePosition position;
};

// Parses and plans scripts against one catalog: a session. Not thread-safe.
class Planner {
 public:
  explicit Planner(PlannerEnvironment& environment);
  ~Planner();

  // `variables` replaces ${name} and ${name:-default} before lexing is final (positions stay those of the file). An
  // unknown variable is an error at its place. All statements of the text; definitions take effect in order. On error
  // nothing of this text stays in the catalog. INSERTs outside a statement set that stand side by side become one plan
  // (one job), as one script is one job.
  Result<std::vector<PlannedStatement>> Plan(const std::string& file, const std::string& text,
                                             const std::map<std::string, std::string>& variables);
  Catalog& catalog();
  Config& settings();
  // Completion for the interactive shell: words that may follow `prefix`.
  std::vector<std::string> Complete(const std::string& prefix) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill
