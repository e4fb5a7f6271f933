// Runs tests/plan/*.sql: the EXPLAIN of every plan of a script must equal the .plan file beside it.
// TIDEMILL_UPDATE_GOLDEN=1 writes the files instead.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "sql/tests/test_environment.h"

namespace tidemill {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::filesystem::path> Scripts() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator("tests/plan")) {
    if (entry.path().extension() == ".sql") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(PlanGolden, AllScripts) {
  const bool update = std::getenv("TIDEMILL_UPDATE_GOLDEN") != nullptr;
  const std::vector<std::filesystem::path> scripts = Scripts();
  ASSERT_GE(scripts.size(), 10u);
  for (const std::filesystem::path& script : scripts) {
    SCOPED_TRACE(script.string());
    TestEnvironment environment;
    Planner planner(environment);
    const std::string text = ReadFile(script);
    const std::map<std::string, std::string> variables = {
        {"out", "/out"}, {"transactions", "/in.csv"}, {"script_dir", "/scripts"}, {"hold_url", "http://h/"}};
    Result<std::vector<PlannedStatement>> planned = planner.Plan(script.filename().string(), text, variables);
    std::string actual;
    if (planned.ok()) {
      for (const PlannedStatement& statement : *planned) {
        if (statement.plan.roots.empty()) continue;
        if (!actual.empty()) actual += "\n";
        actual += ExplainPlan(statement.plan);
      }
    } else {
      actual = RenderError(planned.status(), text);
    }
    std::filesystem::path golden = script;
    golden.replace_extension(".plan");
    if (update) {
      std::ofstream(golden, std::ios::binary) << actual;
    } else {
      EXPECT_EQ(actual, ReadFile(golden));
    }
  }
}

}  // namespace
}  // namespace tidemill
