#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "function/aggregate_function.h"
#include "function/function_reference.h"
#include "function/scalar_function.h"
#include "function/tests/sql_text.h"

namespace tidemill {
namespace {

TEST(Registry, EveryScalarExampleGivesItsResult) {
  for (const ScalarFunction* function : FunctionRegistry::BuiltIn().scalars()) {
    TextOptions options;
    options.now_us = 1'704'164'645'123'000;  // 2024-01-02 03:04:05.123
    if (function->deterministic || function->example_result != "") {
      EXPECT_EQ(EvaluateOne(function->example, options), function->example_result)
          << function->name << ": " << function->example;
      // The same over columns of three rows that start inside of larger arrays.
      options.rows = 3;
      options.literals_as_columns = true;
      EXPECT_EQ(EvaluateOne(function->example, options), function->example_result)
          << function->name << " over columns: " << function->example;
    }
    EXPECT_FALSE(function->signature.empty()) << function->name;
    EXPECT_TRUE(function->summary.ends_with('.')) << function->name;
  }
}

TEST(Registry, EveryAggregateExampleGivesItsResult) {
  for (const AggregateFunction* function : FunctionRegistry::BuiltIn().aggregates()) {
    if (function->over_only) continue;
    EXPECT_EQ(EvaluateAggregate(function->example), function->example_result) << function->name;
    EXPECT_TRUE(function->summary.ends_with('.')) << function->name;
  }
}

TEST(Registry, FindsByExactUpperCaseName) {
  const FunctionRegistry& registry = FunctionRegistry::BuiltIn();
  ASSERT_NE(registry.FindScalar("MOD"), nullptr);
  EXPECT_EQ(registry.FindScalar("MOD")->name, "MOD");
  EXPECT_EQ(registry.FindScalar("mod"), nullptr);
  EXPECT_EQ(registry.FindScalar(""), nullptr);
  ASSERT_NE(registry.FindAggregate("COUNT"), nullptr);
  EXPECT_EQ(registry.FindAggregate("MOD"), nullptr);
  const std::vector<std::string> names = registry.names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

// Run with TIDEMILL_UPDATE_DOCS=1 to write the page.
TEST(Registry, ReferencePageIsUpToDate) {
  const char* path = "docs/functions.md";
  const std::string rendered = RenderFunctionReference();
  if (std::getenv("TIDEMILL_UPDATE_DOCS") != nullptr) std::ofstream(path) << rendered;
  std::ostringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_TRUE(page.str() == rendered)
      << path << " differs from the function table; run TIDEMILL_UPDATE_DOCS=1 build/release/function_tests";
  for (const ScalarFunction* function : FunctionRegistry::BuiltIn().scalars()) {
    if (function->summary.find_first_of("*|<") != std::string_view::npos) continue;  // escaped there
    EXPECT_NE(rendered.find(function->summary), std::string::npos) << function->name << " is in no group of the page";
  }
}

}  // namespace
}  // namespace tidemill
