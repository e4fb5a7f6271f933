// Scripts of any bytes: lexer, parser, binder and rules must neither crash nor hang, errors must have a place inside the text, and what
// parses must survive being printed.
//     clang++ -fsanitize=fuzzer,address ... tests/fuzz/sql_fuzz.cc
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sql/parser/parser.h"
#include "sql/planner.h"

namespace {

constexpr const char* kTables = R"(
CREATE TABLE t (a BIGINT, b DOUBLE, c STRING, ts TIMESTAMP(3), r ROW<x INT, y ARRAY<STRING>>, WATERMARK FOR ts AS ts) WITH ('connector' = 'x');
CREATE TABLE tx (id BIGINT, customer BIGINT, terminal BIGINT, amount DOUBLE, country STRING, tags ARRAY<STRING>, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'x');
CREATE TABLE profiles (customer BIGINT, name STRING, age INT, from_ts TIMESTAMP(3), PRIMARY KEY (customer) NOT ENFORCED,
  WATERMARK FOR from_ts AS from_ts) WITH ('connector' = 'x');
CREATE TABLE a (customer BIGINT, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE b (id BIGINT, total DOUBLE) WITH ('connector' = 'http');
CREATE TABLE s (a BIGINT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'http');
CREATE MODEL m INPUT (a DOUBLE, b DOUBLE) OUTPUT (score DOUBLE, id STRING) WITH ('provider' = 'x');
CREATE VIEW features AS SELECT id, customer, COUNT(*) OVER (PARTITION BY customer ORDER BY ts) AS n, SUM(amount) OVER w AS total, ts
  FROM tx WHERE amount > 0 WINDOW w AS (PARTITION BY customer ORDER BY ts);
CREATE VIEW per_minute AS SELECT customer, window_time AS t, SUM(amount) AS total
  FROM TABLE(TUMBLE(TABLE tx, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY customer, window_start, window_end, window_time;
)";

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
  Check(planner.Plan("tables.sql", kTables, {}).ok());
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
