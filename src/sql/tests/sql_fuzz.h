#pragma once

// What a script of any bytes must not break: lexer, parser, binder and rules neither crash nor hang, errors have a
// place inside the text, and what parses survives being printed. Run by libFuzzer (tests/fuzz/sql_fuzz.cc) and over
// mutations by sql_fuzz_test.cc.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sql/parser/parser.h"
#include "sql/planner.h"

namespace tidemill {

inline constexpr const char* kFuzzTables = R"(
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

class FuzzEnvironment final : public PlannerEnvironment {
 public:
  Status ValidateTable(const TableDefinition&, bool, bool) override { return Status::OK(); }
  Status ValidateModel(const ModelDefinition&) override { return Status::OK(); }
  bool IsBounded(const TableDefinition&) override { return true; }
  bool SendsAtOnce(const TableDefinition& table) override { return table.connector() == "http"; }
  std::vector<std::string> connectors() const override { return {}; }
};

inline void FuzzSql(const uint8_t* data, size_t size) {
  if (size > (64 << 10)) return;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::map<std::string, std::string> variables = {{"a", "x"}, {"q", "'`\""}};
  auto parsed = ParseScript("fuzz.sql", text, variables);
  if (parsed.ok()) {
    for (const ast::Statement& statement : *parsed) {
      const std::string printed = ast::ToSql(statement);
      auto again = ParseScript("printed.sql", printed, {});
      if (again.ok()) TM_CHECK(again->size() == 1 && ast::ToSql((*again)[0]) == printed);
    }
  }
  FuzzEnvironment environment;
  Planner planner(environment);
  TM_CHECK(planner.Plan("tables.sql", kFuzzTables, {}).ok());
  auto planned = planner.Plan("fuzz.sql", text, variables);
  if (!planned.ok()) {
    TM_CHECK(planned.status().position().has_value());
    const std::string rendered = RenderError(planned.status(), text);
    TM_CHECK(!rendered.empty());
    return;
  }
  for (const PlannedStatement& statement : *planned) (void)ExplainPlan(statement.plan);
}

}  // namespace tidemill
