// Scripts of any bytes: lexer, parser, binder and rules must neither crash nor hang, errors must have a place inside the text, and what
// parses must survive being printed.
//     clang++ -fsanitize=fuzzer,address ... tests/fuzz/sql_fuzz.cc
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sql/parser/parser.h"
#include "sql/planner.h"

namespace {

class AnyEnvironment final : public tidemill::PlannerEnvironment {
 public:
  tidemill::Status ValidateTable(const tidemill::TableDefinition&, bool, bool) override { return tidemill::Status::OK(); }
  tidemill::Status ValidateModel(const tidemill::ModelDefinition&) override { return tidemill::Status::OK(); }
  bool IsBounded(const tidemill::TableDefinition&) override { return true; }
  bool SendsAtOnce(const tidemill::TableDefinition& table) override { return table.connector() == "http"; }
  std::vector<std::string> connectors() const override { return {}; }
};

void Check(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > (64 << 10)) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::map<std::string, std::string> variables = {{"a", "x"}, {"q", "'`\""}};
  auto parsed = tidemill::ParseScript("fuzz.sql", text, variables);
  if (parsed.ok()) {
    for (const tidemill::ast::Statement& statement : *parsed) {
      const std::string printed = tidemill::ast::ToSql(statement);
      auto again = tidemill::ParseScript("printed.sql", printed, {});
      if (again.ok()) Check(again->size() == 1 && tidemill::ast::ToSql((*again)[0]) == printed);
    }
  }
  AnyEnvironment environment;
  tidemill::Planner planner(environment);
  (void)planner.Plan("tables.sql",
                     "CREATE TABLE t (a BIGINT, b DOUBLE, c STRING, ts TIMESTAMP(3), r ROW<x INT, y ARRAY<STRING>>, WATERMARK FOR ts AS ts) "
                     "WITH ('connector' = 'x');"
                     "CREATE TABLE s (a BIGINT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'http');"
                     "CREATE MODEL m INPUT (a DOUBLE) OUTPUT (p DOUBLE) WITH ('provider' = 'x');",
                     {});
  auto planned = planner.Plan("fuzz.sql", text, variables);
  if (!planned.ok()) {
    Check(planned.status().position().has_value());
    const std::string rendered = tidemill::RenderError(planned.status(), text);
    Check(!rendered.empty());
    return 0;
  }
  for (const tidemill::PlannedStatement& statement : *planned) (void)tidemill::ExplainPlan(statement.plan);
  return 0;
}
