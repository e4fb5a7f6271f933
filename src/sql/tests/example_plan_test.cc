// The scripts of examples/ must plan, and share what they can.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "sql/rules/plan_graph.h"
#include "sql/tests/test_environment.h"

namespace tidemill {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

template <typename Spec>
int Count(const std::vector<LogicalPtr>& nodes) {
  int count = 0;
  for (const LogicalPtr& node : nodes) count += std::holds_alternative<Spec>(node->spec) ? 1 : 0;
  return count;
}

TEST(ExamplePlan, FraudSharesItsFeaturesAndItsModel) {
  for (const bool live : {false, true}) {
    TestEnvironment environment;
    Planner planner(environment);
    const std::string script = ReadFile("examples/fraud/fraud.sql");
    ASSERT_FALSE(script.empty());
    if (live) planner.settings().Set("table.exec.over.emit", "on-arrival");
    const std::map<std::string, std::string> variables = {
        {"out", "/out"}, {"transactions", "/t.csv"}, {"script_dir", "/s"}, {"hold_url", "http://h/"}};
    Result<std::vector<PlannedStatement>> planned = planner.Plan("fraud.sql", script, variables);
    ASSERT_TRUE(planned.ok()) << RenderError(planned.status(), script);
    const LogicalPlan* plan = nullptr;
    for (const PlannedStatement& statement : *planned) {
      if (statement.kind == PlannedStatement::Kind::kInsert) plan = &statement.plan;
    }
    ASSERT_TRUE(plan);
    const std::vector<LogicalPtr> nodes = InputsFirst(plan->roots);
    const std::string text = ExplainPlan(*plan);
    if (std::getenv("TIDEMILL_PRINT_PLANS")) std::fputs(text.c_str(), stdout);
    EXPECT_GE(Count<SinkSpec>(nodes), 3) << text;
    EXPECT_EQ(Count<PredictSpec>(nodes), 1) << text;
    EXPECT_EQ(Count<OverSpec>(nodes), 2) << text;
    EXPECT_EQ(Count<ScanSpec>(nodes), 3) << text;                // transactions, labels, profiles
    EXPECT_EQ(Count<JournalSpec>(nodes), live ? 1 : 0) << text;  // of what the online store is sent at once
    std::set<std::string> names;
    for (const LogicalPtr& node : nodes) EXPECT_TRUE(names.insert(node->name).second) << node->name;
  }
}

}  // namespace
}  // namespace tidemill
