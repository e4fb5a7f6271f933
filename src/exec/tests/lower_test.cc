#include "exec/lower/lower.h"

#include <gtest/gtest.h>

#include "exec/tests/memory_world.h"

namespace tidemill {
namespace {

using namespace testing;

std::shared_ptr<LogicalNode> NodeOf(LogicalSpec spec, std::vector<LogicalPtr> inputs, std::string name) {
  auto node = std::make_shared<LogicalNode>();
  node->spec = std::move(spec);
  node->schema = inputs[0]->schema;
  node->inputs = std::move(inputs);
  node->name = std::move(name);
  return node;
}

LogicalPtr Over(LogicalPtr input, std::vector<int> keys, std::string name) {
  OverSpec spec;
  spec.partition_columns = std::move(keys);
  spec.time_column = 2;
  return NodeOf(spec, {std::move(input)}, std::move(name));
}

LogicalPtr Columns(LogicalPtr input, std::vector<int> columns, std::string name) {
  ProjectSpec spec;
  std::vector<Field> fields;
  for (int column : columns) {
    spec.expressions.push_back(MakeColumn(column, input->schema.field(column).type));
    fields.push_back(input->schema.field(column));
  }
  auto node = NodeOf(spec, {std::move(input)}, std::move(name));
  node->schema = Schema(fields);
  return node;
}

std::string Lower(std::vector<LogicalPtr> roots, int parallelism) {
  LogicalPlan plan;
  plan.roots = std::move(roots);
  const auto graph = LowerPlan(plan, parallelism);
  return graph.ok() ? DescribeStages(*graph) : graph.status().ToString();
}

TEST(LowerTest, OneLaneNeedsNoExchange) {
  const LogicalPtr over = Over(ScanOf(MakeTable("t")), {0}, "Over[a]");
  EXPECT_EQ(Lower({SinkOf(MakeTable("out", false), over)}, 1), "stage 0: Scan[t] | Over[a] | Sink[out]\n");
}

TEST(LowerTest, AnExchangeStandsWhereKeysChange) {
  const LogicalPtr first = Over(ScanOf(MakeTable("t")), {0}, "Over[a]");
  const LogicalPtr same = Over(first, {0}, "Over[b]");
  const LogicalPtr other = Over(same, {1, 0}, "Over[c]");
  EXPECT_EQ(Lower({SinkOf(MakeTable("out", false), other)}, 2),
            "stage 0: Scan[t]\n"
            "stage 1: <-0 hash(0) | Over[a] | Over[b]\n"
            "stage 2: <-1 hash(1,0) | Over[c] | Sink[out]\n");
}

TEST(LowerTest, AProjectionThatKeepsTheKeyKeepsTheSpread) {
  const LogicalPtr first = Over(ScanOf(MakeTable("t")), {0}, "Over[a]");
  const LogicalPtr moved = Columns(first, {2, 1, 3, 0}, "Project[a]");
  const LogicalPtr again = Over(moved, {3}, "Over[b]");
  const LogicalPtr lost = Columns(again, {0, 1, 2, 0}, "Project[b]");
  const LogicalPtr third = Over(lost, {3}, "Over[c]");
  EXPECT_EQ(Lower({SinkOf(MakeTable("out", false), third)}, 4),
            "stage 0: Scan[t]\n"
            "stage 1: <-0 hash(0) | Over[a] | Project[a] | Over[b] | Project[b]\n"
            "stage 2: <-1 hash(3) | Over[c] | Sink[out]\n");
}

TEST(LowerTest, ASharedNodeIsOneStageThatFeedsAll) {
  const LogicalPtr scan = ScanOf(MakeTable("t"));
  const LogicalPtr over = Over(scan, {0}, "Over[a]");
  EXPECT_EQ(Lower({SinkOf(MakeTable("x", false), over), SinkOf(MakeTable("y", false), over),
                   SinkOf(MakeTable("y", false), scan)},
                  2),
            "stage 0: Scan[t]\n"
            "stage 1: <-0 hash(0) | Over[a]\n"
            "stage 2: <-1 | Sink[x]\n"
            "stage 3: <-1 | Sink[y]\n"
            "stage 4: <-0 | Sink[y]\n");
}

TEST(LowerTest, AFilterUnderAProjectionIsOneOperator) {
  const LogicalPtr scan = ScanOf(MakeTable("t"));
  auto boolean = std::make_shared<Expression>();
  boolean->kind = Expression::Kind::kLiteral;
  boolean->type = DataType(TypeKind::kBoolean);
  boolean->literal = std::make_shared<arrow::BooleanScalar>(true);
  const LogicalPtr filter = NodeOf(FilterSpec{boolean}, {scan}, "Filter[a]");
  const LogicalPtr project = Columns(filter, {0, 1, 2, 3}, "Project[a]");
  EXPECT_EQ(Lower({SinkOf(MakeTable("x", false), project)}, 2), "stage 0: Scan[t] | Project[a] | Sink[x]\n");
  EXPECT_EQ(Lower({SinkOf(MakeTable("x", false), project), SinkOf(MakeTable("y", false), filter)}, 1),
            "stage 0: Scan[t] | Filter[a]\n"
            "stage 1: <-0 | Project[a] | Sink[x]\n"
            "stage 2: <-0 | Sink[y]\n");
}

TEST(LowerTest, AJoinSpreadsBothSidesByOneEncoding) {
  TemporalJoinSpec join;
  join.left_keys = {1};
  join.right_keys = {0};
  join.left_time_column = join.right_time_column = 2;
  auto table = std::const_pointer_cast<TableDefinition>(MakeTable("r"));
  table->columns[0].type = table->columns[0].type.WithNullable(false);
  table->primary_key = {0};
  auto node = NodeOf(join, {ScanOf(MakeTable("l")), ScanOf(table)}, "TemporalJoin[a]");
  const auto left = KeysNeeded(*node, 0);
  const auto right = KeysNeeded(*node, 1);
  ASSERT_TRUE(left && right);
  EXPECT_EQ(left->keys, std::vector<int>{1});
  EXPECT_EQ(right->keys, std::vector<int>{0});
  EXPECT_EQ(left->types, right->types);
  EXPECT_TRUE(left->types[0].nullable());
}

}  // namespace
}  // namespace tidemill
