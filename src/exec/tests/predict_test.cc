#include "exec/predict.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "exec/errors.h"
#include "exec/tests/operator_harness.h"

namespace tidemill {
namespace {

Schema Input() { return Schema({{"id", DataType(TypeKind::kBigInt)}, {"x", DataType(TypeKind::kDouble)}}); }
Schema Output() {
  return Schema({{"id", DataType(TypeKind::kBigInt)},
                 {"x", DataType(TypeKind::kDouble)},
                 {"score", DataType(TypeKind::kDouble)}});
}

// Doubles x; refuses a whole batch that has a negative one, as a model does.
class Doubler final : public Predictor {
 public:
  explicit Doubler(int* calls) : calls_(calls) {}
  Result<std::vector<std::shared_ptr<arrow::Array>>> Predict(const std::vector<std::shared_ptr<arrow::Array>>& inputs,
                                                             int64_t num_rows) override {
    ++*calls_;
    const auto& x = static_cast<const arrow::DoubleArray&>(*inputs[0]);
    arrow::DoubleBuilder builder;
    for (int64_t i = 0; i < num_rows; ++i) {
      if (x.Value(i) < 0) return Status(kPredictionFailed, "x is negative");
      TM_CHECK(builder.Append(2 * x.Value(i)).ok());
    }
    return std::vector<std::shared_ptr<arrow::Array>>{*builder.Finish()};
  }

 private:
  int* calls_;
};

OperatorHarness MakeHarness(int* calls) {
  auto model = std::make_shared<ModelDefinition>();
  model->name = "doubler";
  model->input = Schema({{"x", DataType(TypeKind::kDouble)}});
  model->output = Schema({{"score", DataType(TypeKind::kDouble)}});
  PredictSpec spec{.model = model, .argument_columns = {1}};
  return OperatorHarness(
      [=] {
        return Result<std::unique_ptr<Operator>>(*Predict::Make(spec, Output(), std::make_unique<Doubler>(calls)));
      },
      {Input()}, {{}});
}

TEST(PredictTest, ScoresABatchAtOnce) {
  int calls = 0;
  OperatorHarness harness = MakeHarness(&calls);
  ASSERT_TRUE(harness.Feed(0, RowsOf(Input(), "[[1,1.5],[2,4]]", {"+I", "-D"})).ok());
  EXPECT_EQ(harness.TakeRows(), (std::vector<std::string>{"+I 1|1.5|3", "-D 2|4|8"}));
  EXPECT_EQ(calls, 1);
}

TEST(PredictTest, RefusedBatchesAreTriedRowByRow) {
  int calls = 0;
  OperatorHarness harness = MakeHarness(&calls);
  ASSERT_TRUE(harness.Feed(0, RowsOf(Input(), "[[1,1],[2,-1],[3,3]]")).ok());
  EXPECT_EQ(harness.TakeRows(), (std::vector<std::string>{"1|1|2", "3|3|6"}));
  EXPECT_EQ(calls, 4);
  ASSERT_EQ(harness.rejects().size(), 1u);
  EXPECT_EQ(harness.rejects()[0].reason, RejectReason::kExpression);
  EXPECT_NE(harness.rejects()[0].detail.find("'doubler': x is negative"), std::string::npos);
  EXPECT_EQ(harness.metrics().SumCounter("tidemill_inference_failed_batches_total"), 1);
}

}  // namespace
}  // namespace tidemill
