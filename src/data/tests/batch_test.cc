#include "data/batch.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/internal/take.h"
#include "data/tests/arrays.h"

namespace tidemill {
namespace {

Batch ThreeRows() {
  auto schema = arrow::schema({arrow::field("a", arrow::int32()), arrow::field("s", arrow::utf8())});
  return Batch{
      arrow::RecordBatch::Make(
          schema, 3, {ArrayOf(arrow::int32(), "[1, null, 3]"), ArrayOf(arrow::utf8(), R"(["x", "yy", null])")}),
      nullptr, 7};
}

TEST(Batch, TakesRowsInAnyOrder) {
  Batch batch = ThreeRows();
  batch.row_kinds = ArrayOf(arrow::int8(), "[0, 1, 2]");
  auto taken = TakeRows(batch, {2, 0, 0, 1});
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(TextOf(*taken->rows->column(0)), "[3, 1, 1, null]");
  EXPECT_EQ(TextOf(*taken->rows->column(1)), "[null, \"x\", \"x\", \"yy\"]");
  EXPECT_EQ(TextOf(*taken->row_kinds), "[2, 0, 0, 1]");
  EXPECT_EQ(taken->ingest_us, 7);
  EXPECT_EQ(TakeRows(batch, {})->num_rows(), 0);
}

TEST(Batch, ConcatenatesAndFillsInKinds) {
  Batch plain = ThreeRows();
  Batch changes = ThreeRows().Slice(1, 2);
  changes.row_kinds = ArrayOf(arrow::int8(), "[1, 3]");
  changes.ingest_us = 3;
  auto both = ConcatBatches({plain, changes});
  ASSERT_TRUE(both.ok());
  EXPECT_EQ(TextOf(*both->rows->column(0)), "[1, null, 3, null, 3]");
  EXPECT_EQ(TextOf(*both->row_kinds), "[0, 0, 0, 1, 3]");
  EXPECT_EQ(both->ingest_us, 3);
  EXPECT_EQ(ConcatBatches({plain, plain})->row_kinds, nullptr);
}

TEST(Batch, CountsTheShareOfASlice) {
  const std::string big(10000, 'x');
  auto text = ArrayOf(arrow::utf8(), "[\"" + big + "\", \"ab\", \"c\"]");
  auto schema = arrow::schema({arrow::field("s", arrow::utf8())});
  const Batch batch{arrow::RecordBatch::Make(schema, 3, {text}), nullptr, 0};
  EXPECT_GE(batch.num_bytes(), 10003 + 12);
  EXPECT_LT(batch.Slice(1, 2).num_bytes(), 32);
  EXPECT_EQ(EmptyBatch(Schema({{"a", DataType(TypeKind::kInt)}})).num_bytes(), 0);
}

// Own gathers against Arrow's Take, over random slices of every layout.
TEST(Batch, GathersLikeArrow) {
  ASSERT_TRUE(arrow::compute::Initialize().ok());
  const std::vector<std::shared_ptr<arrow::Array>> arrays = {
      ArrayOf(arrow::boolean(), "[true, false, null, true, true, false, true, null, false, true]"),
      ArrayOf(arrow::int8(), "[1, 2, null, 4, 5, 6, 7, 8, 9, 10]"),
      ArrayOf(arrow::int16(), "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"),
      ArrayOf(arrow::float32(), "[1.5, 2, null, 4, 5, 6, 7, 8, 9, 10]"),
      ArrayOf(arrow::int64(), "[1, null, null, 4, 5, 6, 7, 8, 9, 10]"),
      ArrayOf(arrow::decimal128(10, 2),
              R"(["1.00", null, "3.25", "4.00", "5.00", "6.00", "7.00", "8.00", "9.00", "10.00"])"),
      ArrayOf(arrow::utf8(), R"(["a", "", null, "dddd", "e", "f", "gg", "h", "i", "j"])"),
      ArrayOf(arrow::list(arrow::int32()), "[[1], [], null, [4, 5], [6], [7], [8], [9], [10], [11]]"),
      ArrayOf(arrow::null(), "[null, null, null, null, null, null, null, null, null, null]"),
  };
  Random random(20240611);
  for (const auto& array : arrays) {
    for (int round = 0; round < 50; ++round) {
      const int64_t offset = static_cast<int64_t>(random.Uniform(9));
      const auto slice = array->Slice(offset);
      std::vector<int32_t> indices(random.Uniform(20));
      for (int32_t& index : indices)
        index = static_cast<int32_t>(random.Uniform(static_cast<uint64_t>(slice->length())));
      auto ours = TakeArray(slice, indices);
      ASSERT_TRUE(ours.ok());
      ASSERT_TRUE((*ours)->ValidateFull().ok());
      arrow::Int32Builder builder;
      ASSERT_TRUE(builder.AppendValues(indices).ok());
      auto theirs = arrow::compute::Take(*slice, **builder.Finish());
      ASSERT_TRUE(theirs.ok());
      ASSERT_TRUE((*ours)->Equals(**theirs)) << TextOf(**ours) << " instead of " << TextOf(**theirs);
    }
  }
}

}  // namespace
}  // namespace tidemill
