#include "server/result_printer.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace tidemill {
namespace {

const Schema kSchema({{"k", DataType(TypeKind::kString)}, {"n", DataType(TypeKind::kBigInt)}});

Batch MakeBatch(const std::vector<std::tuple<RowKind, std::string, int64_t>>& rows) {
  arrow::StringBuilder keys;
  arrow::Int64Builder numbers;
  arrow::Int8Builder kinds;
  for (const auto& [kind, key, number] : rows) {
    EXPECT_TRUE(keys.Append(key).ok());
    EXPECT_TRUE(number < 0 ? numbers.AppendNull().ok() : numbers.Append(number).ok());
    EXPECT_TRUE(kinds.Append(static_cast<int8_t>(kind)).ok());
  }
  return Batch{
      arrow::RecordBatch::Make(kSchema.arrow(), static_cast<int64_t>(rows.size()), {*keys.Finish(), *numbers.Finish()}),
      *kinds.Finish(), 0};
}

// What a printer writes to stdout for these batches.
std::string Printed(ResultPrinter::Options options, const std::vector<Batch>& batches) {
  const GlobalOptions globals;
  Console console(globals);
  const SystemClock clock;
  options.schema = kSchema;
  ::testing::internal::CaptureStdout();
  ResultPrinter printer(options, console, clock);
  for (const Batch& batch : batches) EXPECT_TRUE(printer.Add(batch).ok());
  EXPECT_TRUE(printer.Finish().ok());
  return ::testing::internal::GetCapturedStdout();
}

const std::vector<Batch> kChanges = {
    MakeBatch({{RowKind::kInsert, "a", 1}, {RowKind::kInsert, "b", -1}, {RowKind::kUpdateBefore, "a", 1}}),
    MakeBatch({{RowKind::kUpdateAfter, "a", 12}, {RowKind::kInsert, "c", 3}, {RowKind::kDelete, "c", 3}})};

TEST(ResultPrinter, AlignsRowsAndCountsThem) {
  EXPECT_EQ(Printed({}, {MakeBatch({{RowKind::kInsert, "a", 1}, {RowKind::kInsert, "long", -1}})}),
            " k    |    n\n------+------\n a    |    1\n long | NULL\n(2 rows)\n");
  EXPECT_EQ(Printed({}, {}), " k | n\n---+---\n(0 rows)\n");
}

TEST(ResultPrinter, ShowsTheChangesOfAStream) {
  ResultPrinter::Options options;
  options.changelog = true;
  options.format = OutputFormat::kCsv;
  EXPECT_EQ(Printed(options, kChanges), "op,k,n\n+I,a,1\n+I,b,\n-U,a,1\n+U,a,12\n+I,c,3\n-D,c,3\n");
  options.format = OutputFormat::kJson;
  EXPECT_EQ(Printed(options, {kChanges[0]}),
            "{\"op\":\"+I\",\"k\":\"a\",\"n\":1}\n{\"op\":\"+I\",\"k\":\"b\",\"n\":null}\n{\"op\":\"-U\",\"k\":\"a\","
            "\"n\":1}\n");
}

TEST(ResultPrinter, ShowsWhatRemainsOfABoundedResult) {
  ResultPrinter::Options options;
  options.changelog = true;
  options.bounded = true;
  EXPECT_EQ(Printed(options, kChanges), " k |    n\n---+------\n b | NULL\n a |   12\n(2 rows)\n");
  options.format = OutputFormat::kJson;
  EXPECT_EQ(Printed(options, kChanges), "{\"k\":\"b\",\"n\":null}\n{\"k\":\"a\",\"n\":12}\n");
}

TEST(ResultPrinter, StopsAtTheRowsAskedFor) {
  ResultPrinter::Options options;
  options.rows_max = 3;
  options.format = OutputFormat::kCsv;
  const Batch batch = MakeBatch({{RowKind::kInsert, "a", 1}, {RowKind::kInsert, "b", 2}});
  EXPECT_EQ(Printed(options, {batch, batch, batch}), "k,n\na,1\nb,2\na,1\n");
}

}  // namespace
}  // namespace tidemill
