#include "sql/planner.h"

#include <functional>

#include <gtest/gtest.h>

#include "sql/tests/test_environment.h"

namespace tidemill {
namespace {

constexpr const char* kTable =
    "CREATE TABLE t (a BIGINT, b DOUBLE, ts TIMESTAMP(3), hour_of AS b * 2, WATERMARK FOR ts AS ts, PRIMARY KEY (a) "
    "NOT ENFORCED) "
    "WITH ('connector' = 'filesystem', 'path' = '/x');";

struct Session {
  TestEnvironment environment;
  Planner planner{environment};
  Result<std::vector<PlannedStatement>> Run(const std::string& sql) { return planner.Plan("t.sql", sql, {}); }
};

TEST(Planner, NothingOfAFailedScriptStays) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  EXPECT_FALSE(session
                   .Run("CREATE TABLE u (a INT) WITH ('connector' = 'print'); SET 'pipeline.name' = 'x'; DROP TABLE t; "
                        "SELECT nope FROM u")
                   .ok());
  EXPECT_EQ(session.planner.catalog().table_names(), std::vector<std::string>{"t"});
  EXPECT_FALSE(session.planner.settings().Has("pipeline.name"));
}

TEST(Planner, IfNotExistsAndDrop) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  EXPECT_TRUE(session.Run("CREATE TABLE IF NOT EXISTS t (z INT) WITH ('connector' = 'print')").ok());
  EXPECT_EQ(session.planner.catalog().FindTable("t")->columns.size(), 4u);
  EXPECT_TRUE(session.Run("CREATE VIEW v AS SELECT a FROM t; DROP VIEW v; DROP VIEW IF EXISTS v").ok());
  EXPECT_FALSE(session.Run("DROP VIEW v").ok());
  EXPECT_FALSE(session.Run("CREATE VIEW t AS SELECT 1").ok());  // tables and views share names
}

TEST(Planner, DescribeShowSet) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  Result<std::vector<PlannedStatement>> planned = session.Run(
      "CREATE VIEW v AS SELECT a, b + 1 AS c FROM t; CREATE MODEL m INPUT (x DOUBLE) OUTPUT (y DOUBLE) WITH "
      "('provider' = 'onnx');"
      "DESCRIBE t; DESCRIBE v; DESCRIBE MODEL m; SHOW TABLES; SHOW VIEWS; SHOW MODELS; SHOW FUNCTIONS;"
      "SET 'table.exec.state.ttl' = '1 d'; SET; RESET; SET; SET 'table.optimizer.join-reorder-enabled' = 'true'");
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  using Row = std::vector<std::string>;
  const auto& table = (*planned)[2].cells;
  ASSERT_EQ(table.size(), 4u);
  EXPECT_EQ(table[0], (Row{"a", "BIGINT", "FALSE", "PRI", "", "", ""}));
  EXPECT_EQ(table[2], (Row{"ts", "TIMESTAMP(3)", "TRUE", "", "", "ts", ""}));
  EXPECT_EQ(table[3], (Row{"hour_of", "DOUBLE", "TRUE", "", "AS b * 2", "", ""}));
  EXPECT_EQ((*planned)[3].cells[1][0], "c");
  EXPECT_EQ((*planned)[4].cells[1], (Row{"y", "DOUBLE", "TRUE", "", "OUTPUT", "", ""}));
  EXPECT_EQ((*planned)[5].cells, (std::vector<Row>{{"t"}, {"v"}}));
  EXPECT_EQ((*planned)[6].cells, (std::vector<Row>{{"v"}}));
  EXPECT_EQ((*planned)[7].cells, (std::vector<Row>{{"m"}}));
  EXPECT_GT((*planned)[8].cells.size(), 20u);
  EXPECT_EQ((*planned)[10].cells, (std::vector<Row>{{"table.exec.state.ttl", "1 d"}}));
  EXPECT_TRUE((*planned)[12].cells.empty());
  EXPECT_EQ((*planned)[13].text, "warning: 'table.optimizer.join-reorder-enabled' has no effect here");
}

TEST(Planner, NeighbouringInsertsAreOnePlan) {
  Session session;
  ASSERT_TRUE(session.Run(std::string(kTable) + "CREATE TABLE s (a BIGINT) WITH ('connector' = 'print')").ok());
  Result<std::vector<PlannedStatement>> planned = session.Run(
      "INSERT INTO s SELECT a FROM t; INSERT INTO s SELECT a + 1 FROM t; SHOW TABLES; INSERT INTO s VALUES (1);"
      "EXECUTE STATEMENT SET BEGIN INSERT INTO s SELECT a FROM t; INSERT INTO s SELECT 2; END; SELECT * FROM t;");
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  ASSERT_EQ(planned->size(), 5u);
  EXPECT_EQ((*planned)[0].plan.roots.size(), 2u);
  EXPECT_EQ((*planned)[2].plan.roots.size(), 1u);
  EXPECT_EQ((*planned)[3].plan.roots.size(), 2u);
  EXPECT_EQ((*planned)[4].kind, PlannedStatement::Kind::kQuery);
  EXPECT_TRUE(session.environment.sources.contains("t"));
  EXPECT_TRUE(session.environment.sinks.contains("s"));
}

TEST(Planner, InsertFillsColumnsThatAreLeftOut) {
  Session session;
  ASSERT_TRUE(
      session.Run(std::string(kTable) + "CREATE TABLE s (a BIGINT, n STRING, b DOUBLE) WITH ('connector' = 'print')")
          .ok());
  Result<std::vector<PlannedStatement>> planned = session.Run("INSERT INTO s (b, a) SELECT 1, a FROM t");
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  const LogicalNode& sink = *(*planned)[0].plan.roots[0];
  EXPECT_EQ(std::get<SinkSpec>(sink.spec).columns, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(sink.schema.names(), (std::vector<std::string>{"a", "n", "b"}));
  const auto& project = std::get<ProjectSpec>(sink.inputs[0]->spec);
  EXPECT_EQ(project.expressions[1]->ToString({}), "NULL");
  EXPECT_EQ(project.expressions[2]->type.kind(), TypeKind::kDouble);
}

TEST(Planner, HintsChangeOptionsOfOneReference) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  Result<std::vector<PlannedStatement>> planned =
      session.Run("SELECT a FROM t /*+ OPTIONS('path' = '/y') */ UNION ALL SELECT a FROM t");
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  const LogicalNode& root = *(*planned)[0].plan.roots[0];
  std::vector<std::string> paths;
  for (const LogicalPtr& input : root.inputs)
    paths.push_back(std::get<ScanSpec>(input->spec).options.GetString("path", ""));
  EXPECT_EQ(paths, (std::vector<std::string>{"/y", "/x"}));
  EXPECT_EQ(session.planner.catalog().FindTable("t")->options.GetString("path", ""), "/x");
}

TEST(Planner, NodeNamesAreUniqueAndKeepUnderUnrelatedEdits) {
  Session session;
  ASSERT_TRUE(session
                  .Run(std::string(kTable) +
                       "CREATE TABLE s (a BIGINT, n BIGINT) WITH ('connector' = 'print'); CREATE TABLE x (a BIGINT) "
                       "WITH ('connector' = 'print');"
                       "CREATE VIEW f AS SELECT a, COUNT(*) OVER (PARTITION BY a ORDER BY ts) AS n FROM t;")
                  .ok());
  auto names = [&](const std::string& sql) {
    Result<std::vector<PlannedStatement>> planned = session.Run(sql);
    std::vector<std::string> out;
    std::set<const LogicalNode*> seen;
    std::function<void(const LogicalPtr&)> walk = [&](const LogicalPtr& node) {
      if (!seen.insert(node.get()).second) return;
      out.push_back(node->name);
      for (const LogicalPtr& input : node->inputs) walk(input);
    };
    if (!planned.ok()) return out;
    for (const LogicalPtr& root : (*planned)[0].plan.roots) walk(root);
    std::sort(out.begin(), out.end());
    return out;
  };
  const std::vector<std::string> before = names("INSERT INTO s SELECT a, n FROM f WHERE n > 3");
  const std::vector<std::string> after =
      names("INSERT INTO x SELECT a FROM t; INSERT INTO s SELECT a, n + 1 FROM f WHERE n > 4");
  ASSERT_FALSE(before.empty());
  EXPECT_EQ(std::adjacent_find(after.begin(), after.end()), after.end());
  for (const char* name : {"Sink[s]", "Over[f]", "Scan[t]"}) {
    EXPECT_NE(std::find(before.begin(), before.end(), name), before.end()) << name;
    EXPECT_NE(std::find(after.begin(), after.end(), name), after.end()) << name;
  }
}

TEST(Planner, ViewsOfViewsAreBoundOnce) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  std::string sql = "CREATE VIEW v0 AS SELECT a + 0 AS a FROM t;";
  for (int i = 1; i <= 60; ++i) {
    sql += "CREATE VIEW v" + std::to_string(i) + " AS SELECT a FROM v" + std::to_string(i - 1) +
           " UNION ALL SELECT a + a FROM v" + std::to_string(i - 1) + ";";
  }
  Result<std::vector<PlannedStatement>> planned = session.Run(sql + "SELECT * FROM v60");
  ASSERT_TRUE(planned.ok()) << planned.status().ToString();
  EXPECT_LT(planned->back().plan.roots.size(), 2u);
}

TEST(Planner, CreateTableLike) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  ASSERT_TRUE(session
                  .Run("CREATE TABLE u (extra STRING) WITH ('path' = '/u') LIKE t; CREATE TABLE w LIKE t (EXCLUDING "
                       "ALL INCLUDING OPTIONS)")
                  .ok());
  const TablePtr u = session.planner.catalog().FindTable("u");
  EXPECT_EQ(u->schema().names(), (std::vector<std::string>{"a", "b", "ts", "hour_of", "extra"}));
  EXPECT_EQ(u->options.GetString("path", ""), "/u");
  EXPECT_EQ(u->rowtime_column, 2);
  EXPECT_EQ(u->primary_key, std::vector<int>{0});
  const TablePtr w = session.planner.catalog().FindTable("w");
  EXPECT_EQ(w->schema().names(), (std::vector<std::string>{"a", "b", "ts"}));
  EXPECT_EQ(w->rowtime_column, -1);
}

TEST(Planner, Complete) {
  Session session;
  ASSERT_TRUE(session.Run(kTable).ok());
  const std::vector<std::string> words = session.planner.Complete("hou");
  EXPECT_NE(std::find(words.begin(), words.end(), "hour_of"), words.end());
  EXPECT_FALSE(session.planner.Complete("sele").empty());
  EXPECT_FALSE(session.planner.Complete("table.exec.ov").empty());
}

}  // namespace
}  // namespace tidemill
