#include <arrow/api.h>
#include <gtest/gtest.h>

#include "sql/binder/expression_binder.h"
#include "sql/errors.h"
#include "sql/parser/parser.h"
#include "sql/rules/rules.h"

namespace tidemill {
namespace {

std::shared_ptr<arrow::Array> Ints(const std::vector<std::optional<int64_t>>& values) {
  arrow::Int64Builder builder;
  for (const auto& v : values) (void)(v ? builder.Append(*v) : builder.AppendNull());
  return *builder.Finish();
}

// Binds an expression over (a BIGINT, b BIGINT, s STRING) and runs it over some rows.
class ExpressionTest : public ::testing::Test {
 protected:
  ExpressionTest() {
    schema_ = Schema(
        {{"a", DataType(TypeKind::kBigInt)}, {"b", DataType(TypeKind::kBigInt)}, {"s", DataType(TypeKind::kString)}});
    relation_.columns = {
        {"t", "a", schema_.field(0).type}, {"t", "b", schema_.field(1).type}, {"t", "s", schema_.field(2).type}};
    auto node = std::make_shared<LogicalNode>();
    node->spec = UnionSpec{};
    node->schema = schema_;
    relation_.node = std::move(node);
    arrow::StringBuilder texts;
    (void)texts.AppendValues({"1", "x", "3", "y"});
    batch_.rows = arrow::RecordBatch::Make(schema_.arrow(), 4,
                                           {Ints({1, 2, std::nullopt, 4}), Ints({0, 2, 3, 0}), *texts.Finish()});
  }

  ExpressionPtr Bind(const std::string& text) {
    Result<std::vector<ast::Statement>> parsed = ParseScript("t.sql", "SELECT " + text, {});
    if (!parsed.ok()) {
      ADD_FAILURE() << parsed.status().ToString();
      return nullptr;
    }
    BindContext context;
    context.relation = &relation_;
    Result<ExpressionPtr> bound = ExpressionBinder(context).Bind(*(*parsed)[0].query->body->select.items[0].expr);
    if (!bound.ok()) {
      ADD_FAILURE() << bound.status().ToString();
      return nullptr;
    }
    return *bound;
  }

  // Values as text, "!" where the row is in error.
  std::vector<std::string> Run(const std::string& text) {
    ExpressionPtr e = Bind(text);
    if (!e) return {};
    ExpressionEvaluator evaluator({e}, clock_, "UTC");
    std::vector<std::string> out;
    // Twice: nothing of one batch may be left in the next.
    for (int round = 0; round < 2; ++round) {
      out.clear();
      std::vector<EvalContext::RowError> errors;
      Result<std::vector<std::shared_ptr<arrow::Array>>> values = evaluator.Evaluate(batch_, errors);
      if (!values.ok()) return {values.status().ToString()};
      if ((*values)[0]->length() != 4) return {"wrong length"};
      for (int64_t i = 0; i < 4; ++i) {
        const auto in_error =
            std::find_if(errors.begin(), errors.end(), [&](const auto& error) { return error.row == i; });
        out.push_back(in_error != errors.end() ? "!" : (*(*values)[0]->GetScalar(i))->ToString());
      }
    }
    return out;
  }

  using Rows = std::vector<std::string>;
  Schema schema_;
  Relation relation_;
  Batch batch_;
  ManualClock clock_;
};

TEST_F(ExpressionTest, ArithmeticAndNulls) {
  EXPECT_EQ(Run("a + b"), (Rows{"1", "4", "null", "4"}));
  EXPECT_EQ(Run("5"), (Rows{"5", "5", "5", "5"}));
  EXPECT_EQ(Run("CAST(NULL AS BIGINT)"), (Rows{"null", "null", "null", "null"}));
  EXPECT_EQ(Run("a / b"), (Rows{"!", "1", "null", "!"}));
}

TEST_F(ExpressionTest, CaseIsLazy) {
  EXPECT_EQ(Run("CASE WHEN b = 0 THEN -1 ELSE a / b END"), (Rows{"-1", "1", "null", "-1"}));
  EXPECT_EQ(Run("CASE WHEN b <> 0 THEN a / b END"), (Rows{"null", "1", "null", "null"}));
  EXPECT_EQ(Run("CASE b WHEN 0 THEN 10 WHEN 2 THEN a / (b - 2) ELSE 30 END"), (Rows{"10", "!", "30", "10"}));
  // The first condition that holds wins; NULL is not TRUE.
  EXPECT_EQ(Run("CASE WHEN a > 0 THEN 1 WHEN a > 1 THEN 2 ELSE 3 END"), (Rows{"1", "1", "3", "1"}));
  // An error in a condition that is reached stays an error.
  EXPECT_EQ(Run("CASE WHEN a / b > 0 THEN 1 ELSE 2 END"), (Rows{"!", "1", "2", "!"}));
  EXPECT_EQ(Run("CASE WHEN b = 0 THEN CASE WHEN a = 1 THEN 7 ELSE a / b END ELSE a / b END"),
            (Rows{"7", "1", "null", "!"}));
  EXPECT_EQ(Run("IF(b = 0, 0, a / b)"), (Rows{"0", "1", "null", "0"}));
}

TEST_F(ExpressionTest, AndOrAreLazyAndThreeValued) {
  EXPECT_EQ(Run("b <> 0 AND a / b = 1"), (Rows{"false", "true", "null", "false"}));
  EXPECT_EQ(Run("b = 0 OR a / b = 1"), (Rows{"true", "true", "null", "true"}));
  EXPECT_EQ(Run("a > 1 AND b > 2"), (Rows{"false", "false", "null", "false"}));
  EXPECT_EQ(Run("a > 1 AND FALSE"), (Rows{"false", "false", "false", "false"}));
  EXPECT_EQ(Run("a > 1 OR TRUE"), (Rows{"true", "true", "true", "true"}));
  EXPECT_EQ(Run("a / b = 1 AND b <> 0"), (Rows{"!", "true", "null", "!"}));
  EXPECT_EQ(Run("a = 1 OR a = 2 OR a / b = 1"), (Rows{"true", "true", "null", "!"}));
}

TEST_F(ExpressionTest, CoalesceIsLazy) {
  EXPECT_EQ(Run("COALESCE(a, b, 9)"), (Rows{"1", "2", "3", "4"}));
  EXPECT_EQ(Run("COALESCE(CASE WHEN b = 0 THEN 5 END, a / b)"), (Rows{"5", "1", "null", "5"}));
  EXPECT_EQ(Run("COALESCE(NULL, 7, a / b)"), (Rows{"7", "7", "7", "7"}));
}

TEST_F(ExpressionTest, CastAndTryCast) {
  EXPECT_EQ(Run("CAST(s AS INT)"), (Rows{"1", "!", "3", "!"}));
  EXPECT_EQ(Run("TRY_CAST(s AS INT)"), (Rows{"1", "null", "3", "null"}));
  EXPECT_EQ(Run("CASE WHEN s IN ('1', '3') THEN CAST(s AS BIGINT) ELSE a END"), (Rows{"1", "2", "3", "4"}));
}

TEST_F(ExpressionTest, AnErrorUnderAMaskDoesNotHideTheSameErrorOutside) {
  // The masked branch is computed first; the plain use must raise for all rows.
  EXPECT_EQ(Run("CASE WHEN b <> 0 THEN a / b ELSE 0 END + a / b"), (Rows{"!", "2", "null", "!"}));
}

TEST_F(ExpressionTest, BetweenInDistinctFrom) {
  EXPECT_EQ(Run("a BETWEEN 2 AND 3"), (Rows{"false", "true", "null", "false"}));
  EXPECT_EQ(Run("a NOT BETWEEN SYMMETRIC 3 AND 2"), (Rows{"true", "false", "null", "true"}));
  EXPECT_EQ(Run("a IN (1, 4)"), (Rows{"true", "false", "null", "true"}));
  EXPECT_EQ(Run("a IS DISTINCT FROM 1"), (Rows{"false", "true", "true", "true"}));
  EXPECT_EQ(Run("NULLIF(a, 2)"), (Rows{"1", "null", "null", "4"}));
}

TEST_F(ExpressionTest, EmptyBatch) {
  ExpressionPtr e = Bind("CASE WHEN b = 0 THEN 1 ELSE a / b END");
  ASSERT_TRUE(e);
  ExpressionEvaluator evaluator({e}, clock_, "UTC");
  std::vector<EvalContext::RowError> errors;
  Result<std::vector<std::shared_ptr<arrow::Array>>> values = evaluator.Evaluate(EmptyBatch(schema_), errors);
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  EXPECT_EQ((*values)[0]->length(), 0);
}

TEST_F(ExpressionTest, SlicedBatch) {
  batch_ = batch_.Slice(1, 3);
  ExpressionPtr e = Bind("CASE WHEN a > 3 AND b = 0 THEN 1 ELSE COALESCE(a, 0) END");
  ASSERT_TRUE(e);
  ExpressionEvaluator evaluator({e}, clock_, "UTC");
  std::vector<EvalContext::RowError> errors;
  Result<std::vector<std::shared_ptr<arrow::Array>>> values = evaluator.Evaluate(batch_, errors);
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  EXPECT_TRUE((*values)[0]->Equals(Ints({2, 0, 1}))) << (*values)[0]->ToString();
}

TEST_F(ExpressionTest, TextIsSql) {
  const std::vector<std::string> names = {"a", "b", "s"};
  auto folded = [&](const std::string& text) { return FoldExpression(Bind(text), clock_, "UTC")->ToString(names); };
  EXPECT_EQ(folded("-a + b * 2 > 3 AND NOT s IS NULL"), "(((-a) + (b * 2)) > 3) AND (NOT (s IS NULL))");
  EXPECT_EQ(folded("CASE WHEN a = 1 THEN 'it''s' END"), "CASE WHEN a = 1 THEN 'it''s' ELSE NULL END");
  EXPECT_EQ(Bind("INTERVAL '90' SECOND")->ToString(names), "INTERVAL '90' SECOND");
  EXPECT_EQ(Bind("TRY_CAST(s AS DECIMAL(10, 2))")->ToString(names), "TRY_CAST(s AS DECIMAL(10, 2))");
}

TEST_F(ExpressionTest, LiteralTypes) {
  auto type = [&](const std::string& text) { return Bind(text)->type.ToString(); };
  EXPECT_EQ(type("1"), "INT NOT NULL");
  EXPECT_EQ(type("-2147483648"), "INT NOT NULL");
  EXPECT_EQ(type("2147483648"), "BIGINT NOT NULL");
  EXPECT_EQ(type("9223372036854775808"), "DECIMAL(19, 0) NOT NULL");
  EXPECT_EQ(type("1.50"), "DECIMAL(3, 2) NOT NULL");
  EXPECT_EQ(type(".05"), "DECIMAL(2, 2) NOT NULL");
  EXPECT_EQ(type("1e3"), "DOUBLE NOT NULL");
  EXPECT_EQ(type("TIMESTAMP '2026-01-01 00:00:00'"), "TIMESTAMP(3) NOT NULL");
  EXPECT_EQ(type("TIMESTAMP '2026-01-01 00:00:00.123456'"), "TIMESTAMP(6) NOT NULL");
}

TEST_F(ExpressionTest, IntervalLiterals) {
  auto ms = [&](const std::string& text) { return IntervalMillis(*Bind("INTERVAL " + text)).value_or(-1); };
  EXPECT_EQ(ms("'1' DAY"), 86'400'000);
  EXPECT_EQ(ms("'2' WEEKS"), 2 * 604'800'000LL);
  EXPECT_EQ(ms("'0.001' SECOND"), 1);
  EXPECT_EQ(ms("'1 02:03:04.005' DAY TO SECOND"), 86'400'000 + 7'384'005);
  EXPECT_EQ(ms("'02:03' HOUR TO MINUTE"), 7'380'000);
  EXPECT_EQ(ms("-'5' MINUTE"), -300'000);
  EXPECT_EQ(ms("'-5' MINUTE"), -300'000);
  EXPECT_EQ(Bind("INTERVAL '1-2' YEAR TO MONTH")->ToString({}), "INTERVAL '14' MONTH");
}

}  // namespace
}  // namespace tidemill
