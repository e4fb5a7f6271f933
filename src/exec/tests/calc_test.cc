#include "exec/calc.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "exec/tests/operator_harness.h"
#include "exec/union.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

Schema CalcInput() {
  return Schema(
      {{"a", DataType(TypeKind::kBigInt)}, {"text", DataType(TypeKind::kString)}, {"b", DataType(TypeKind::kBigInt)}});
}

ExpressionPtr Call(std::string_view name, std::vector<ExpressionPtr> args) {
  const ScalarFunction* function = FunctionRegistry::BuiltIn().FindScalar(name);
  TM_CHECK(function != nullptr);
  std::vector<ArgumentInfo> infos;
  for (const auto& arg : args) infos.push_back({arg->type});
  auto resolved = function->resolve(infos);
  TM_CHECK(resolved.ok());
  auto call = std::make_shared<Expression>();
  call->kind = Expression::Kind::kCall;
  call->function = function;
  call->resolved = *resolved;
  call->type = resolved->result;
  call->args = std::move(args);
  return call;
}
ExpressionPtr Column(int i) { return MakeColumn(i, CalcInput().field(i).type); }

OperatorHarness MakeHarness(CalcSpec spec, Schema output) {
  return OperatorHarness([=] { return Result<std::unique_ptr<Operator>>(*Calc::Make(spec, CalcInput(), output)); },
                         {CalcInput()}, {{}});
}

TEST(CalcTest, FiltersProjectsAndKeepsKinds) {
  OperatorHarness harness = MakeHarness(
      {.predicate = Call(">", {Column(0), Column(2)}), .expressions = {Column(1), Call("+", {Column(2), Column(0)})}},
      Schema({{"t", DataType(TypeKind::kString)}, {"s", DataType(TypeKind::kBigInt)}}));
  ASSERT_TRUE(
      harness
          .Feed(0, RowsOf(CalcInput(), "[[5,\"x\",1],[1,\"y\",5],[null,\"z\",1],[7,null,6]]", {"+I", "+I", "-D", "-D"}))
          .ok());
  EXPECT_EQ(harness.TakeRows(), (std::vector<std::string>{"+I x|6", "-D NULL|13"}));
  ASSERT_TRUE(harness.Feed(0, RowsOf(CalcInput(), "[[1,\"y\",5]]")).ok());
  EXPECT_TRUE(harness.TakeRows().empty());
}

TEST(CalcTest, FilterAloneHandsAWholeBatchOn) {
  OperatorHarness harness =
      MakeHarness({.predicate = Call(">", {Column(0), Column(2)}), .expressions = {}}, CalcInput());
  const Batch batch = RowsOf(CalcInput(), "[[5,\"x\",1],[6,\"y\",5]]");
  ASSERT_TRUE(harness.Feed(0, batch).ok());
  EXPECT_EQ(harness.TakeBatches()[0].rows.get(), batch.rows.get());
}

TEST(CalcTest, RowsThatRaiseAreRefusedAndTheOthersGoOn) {
  const Schema output({{"q", DataType(TypeKind::kBigInt)}});
  OperatorHarness project =
      MakeHarness({.predicate = nullptr, .expressions = {Call("/", {Column(0), Column(2)})}}, output);
  ASSERT_TRUE(project.Feed(0, RowsOf(CalcInput(), "[[6,\"x\",2],[1,\"y\",0],[8,\"z\",2]]")).ok());
  EXPECT_EQ(project.TakeRows(), (std::vector<std::string>{"3", "4"}));
  ASSERT_EQ(project.rejects().size(), 1u);
  EXPECT_EQ(project.rejects()[0].reason, RejectReason::kExpression);
  EXPECT_NE(project.rejects()[0].detail.find("division by zero"), std::string::npos);

  OperatorHarness filter = MakeHarness(
      {.predicate = Call(">", {Call("/", {Column(0), Column(2)}), Column(2)}), .expressions = {Column(0)}}, output);
  ASSERT_TRUE(filter.Feed(0, RowsOf(CalcInput(), "[[6,\"x\",2],[1,\"y\",0],[2,\"z\",2]]")).ok());
  EXPECT_EQ(filter.TakeRows(), (std::vector<std::string>{"6"}));
  ASSERT_EQ(filter.rejects().size(), 1u);
  EXPECT_NE(filter.rejects()[0].raw.find("\"text\":\"y\""), std::string::npos);
}

TEST(UnionTest, MergesUnderTheOutputsNames) {
  const Schema output(
      {{"x", DataType(TypeKind::kBigInt)}, {"y", DataType(TypeKind::kString)}, {"z", DataType(TypeKind::kBigInt)}});
  OperatorHarness harness([=] { return Result<std::unique_ptr<Operator>>(*Union::Make(output)); },
                          {CalcInput(), CalcInput()}, {{}, {}});
  ASSERT_TRUE(harness.Feed(0, RowsOf(CalcInput(), "[[1,\"a\",1]]")).ok());
  ASSERT_TRUE(harness.Feed(1, RowsOf(CalcInput(), "[[2,\"b\",2]]", {"-D"})).ok());
  const auto batches = harness.TakeBatches();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].rows->schema()->field(0)->name(), "x");
  EXPECT_EQ(TextOfRows(batches[1]), (std::vector<std::string>{"-D 2|b|2"}));
}

}  // namespace
}  // namespace tidemill
