#include <arrow/api.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file_system.h"
#include "base/tests/temp_folder.h"
#include "data/errors.h"
#include "data/parquet_reader.h"
#include "data/parquet_writer.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Lines = std::vector<std::string>;

class ParquetTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return JoinPath(folder_.path(), name); }

  void Write(const std::string& name, const Schema& schema,
             const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int64_t group_rows = 1000) {
    auto file = files_.OpenWritable(Path(name), FileSystem::OpenMode::kTruncate);
    ASSERT_TRUE(file.ok());
    auto writer = ParquetWriter::Open(*std::move(file), schema, {.row_group_rows = group_rows});
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    for (const auto& rows : batches) ASSERT_TRUE((*writer)->Write(Batch{rows, nullptr, 0}).ok());
    const Status status = (*writer)->Finish();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  // Everything from `reader`, in steps of at most `step` rows.
  std::shared_ptr<arrow::Table> ReadAll(ParquetReader& reader, int step) {
    std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
    for (;;) {
      auto batch = reader.Read(step, rejects_);
      EXPECT_TRUE(batch.ok()) << batch.status().ToString();
      if (!batch.ok() || !batch->has_value()) break;
      EXPECT_LE((*batch)->num_rows(), step);
      parts.push_back((*batch)->rows);
    }
    return parts.empty() ? nullptr : arrow::Table::FromRecordBatches(parts).ValueOrDie();
  }

  LocalFileSystem files_;
  testing::TempFolder folder_;
  CollectRejects rejects_;
};

std::shared_ptr<arrow::RecordBatch> Numbers(int from, int count) {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  for (int i = from; i < from + count; ++i) {
    EXPECT_TRUE(ids.Append(i).ok());
    EXPECT_TRUE((i % 7 == 0 ? names.AppendNull() : names.Append("name " + std::to_string(i % 50))).ok());
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("id", arrow::int64(), false), arrow::field("name", arrow::utf8())}), count,
      {*ids.Finish(), *names.Finish()});
}

const Schema kNumbers({{"id", DataType(TypeKind::kBigInt, false)}, {"name", DataType(TypeKind::kString)}});

TEST_F(ParquetTest, RoundTripsInOrderOverRowGroups) {
  Write("a.parquet", kNumbers, {Numbers(0, 1), Numbers(1, 5000), Numbers(5001, 12), Numbers(5013, 20000)});
  auto reader = ParquetReader::Open(files_, Path("a.parquet"), kNumbers);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ((*reader)->num_rows(), 25013);
  auto table = ReadAll(**reader, 8192);
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(table->Equals(*arrow::Table::FromRecordBatches({Numbers(0, 25013)}).ValueOrDie()));
  auto schema = ReadParquetSchema(files_, Path("a.parquet"));
  ASSERT_TRUE(schema.ok());
  EXPECT_EQ(*schema, kNumbers);
}

TEST_F(ParquetTest, GoesOnWhereItStopped) {
  Write("a.parquet", kNumbers, {Numbers(0, 5000)}, 700);
  for (int stop : {0, 1, 699, 700, 701, 3500, 4999, 5000}) {
    auto first = ParquetReader::Open(files_, Path("a.parquet"), kNumbers);
    ASSERT_TRUE(first.ok());
    int64_t read = 0;
    while (read < stop) {
      auto batch = (*first)->Read(static_cast<int>(std::min<int64_t>(300, stop - read)), rejects_);
      ASSERT_TRUE(batch.ok() && batch->has_value());
      read += (*batch)->num_rows();
    }
    EXPECT_EQ((*first)->rows_before(), stop);
    auto second = ParquetReader::Open(files_, Path("a.parquet"), kNumbers);
    ASSERT_TRUE((*second)->Seek((*first)->position()).ok());
    auto rest = ReadAll(**second, 1000);
    if (stop == 5000) {
      EXPECT_EQ(rest, nullptr);
    } else {
      EXPECT_TRUE(rest->Equals(*arrow::Table::FromRecordBatches({Numbers(stop, 5000 - stop)}).ValueOrDie())) << stop;
    }
  }
  auto reader = ParquetReader::Open(files_, Path("a.parquet"), kNumbers);
  EXPECT_TRUE((*reader)->Seek({9, 0}).Is(kCorruption));
}

TEST_F(ParquetTest, ReadsOnlyTheWantedColumnsOrNone) {
  Write("a.parquet", kNumbers, {Numbers(0, 100)});
  auto names = ParquetReader::Open(files_, Path("a.parquet"), Schema({{"name", DataType(TypeKind::kString)}}));
  EXPECT_EQ(ReadAll(**names, 64)->num_columns(), 1);
  auto none = ParquetReader::Open(files_, Path("a.parquet"), Schema());
  auto batch = (*none)->Read(64, rejects_);
  EXPECT_EQ((*batch)->num_rows(), 64);
  EXPECT_EQ((*none)->Read(64, rejects_)->value().num_rows(), 36);
  EXPECT_FALSE((*none)->Read(64, rejects_)->has_value());
}

TEST_F(ParquetTest, ConvertsWhatFits) {
  const Schema file({{"flag", DataType(TypeKind::kBoolean)},
                     {"small", DataType(TypeKind::kTinyInt)},
                     {"f", DataType(TypeKind::kFloat)},
                     {"t", DataType::TimestampLtz(9)},
                     {"d", DataType::Decimal(10, 2)},
                     {"r", DataType::Row({{"x", DataType(TypeKind::kInt)}})}});
  const auto type = [&](int i) { return file.arrow()->field(i)->type(); };
  Write("a.parquet", file,
        {arrow::RecordBatch::Make(file.arrow(), 2,
                                  {ArrayOf(type(0), "[true, null]"), ArrayOf(type(1), "[-5, 7]"),
                                   ArrayOf(type(2), "[1.5, null]"), ArrayOf(type(3), "[1714566896789012345, -1]"),
                                   ArrayOf(type(4), R"(["1.25", null])"), ArrayOf(type(5), R"([{"x":1}, null])")})});
  const Schema wanted({{"r", DataType::Row({{"x", DataType(TypeKind::kBigInt)}})},
                       {"flag", DataType(TypeKind::kInt)},
                       {"small", DataType(TypeKind::kBigInt)},
                       {"f", DataType(TypeKind::kDouble)},
                       {"t", DataType::Timestamp(3)},
                       {"d", DataType::Decimal(20, 4)}});
  auto reader = ParquetReader::Open(files_, Path("a.parquet"), wanted);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  auto batch = (*reader)->Read(10, rejects_);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  const auto& rows = *(*batch)->rows;
  EXPECT_TRUE(rows.schema()->Equals(*wanted.arrow()));
  EXPECT_EQ(TextOf(*rows.column(1)), "[1, null]");
  EXPECT_EQ(TextOf(*rows.column(2)), "[-5, 7]");
  EXPECT_EQ(TextOf(*rows.column(3)), "[1.5, null]");
  EXPECT_EQ(TextOf(*rows.column(4)), "[2024-05-01 12:34:56.789, 1970-01-01 00:00:00.000]");
  EXPECT_EQ(TextOf(*rows.column(5)), "[1.2500, null]");
  EXPECT_TRUE(rows.column(0)->Equals(*ArrayOf(ToArrow(wanted.field(0).type), R"([{"x":1}, null])")));
}

TEST_F(ParquetTest, RejectsValuesThatDoNotFit) {
  const Schema file({{"a", DataType(TypeKind::kBigInt)}, {"b", DataType(TypeKind::kBigInt)}});
  Write("a.parquet", file,
        {arrow::RecordBatch::Make(
            file.arrow(), 4,
            {ArrayOf(arrow::int64(), "[1, 3000000000, 3, null]"), ArrayOf(arrow::int64(), "[1, null, null, 4]")})});
  auto reader = ParquetReader::Open(files_, Path("a.parquet"),
                                    Schema({{"a", DataType(TypeKind::kInt)}, {"b", DataType(TypeKind::kInt, false)}}));
  ASSERT_TRUE(reader.ok());
  auto batch = (*reader)->Read(10, rejects_);
  ASSERT_TRUE(batch.ok()) << batch.status().ToString();
  EXPECT_EQ(TextOf(*(*batch)->rows->column(0)), "[1, null]");
  EXPECT_EQ(TextOf(*(*batch)->rows->column(1)), "[1, 4]");
  EXPECT_EQ(rejects_.Lines(),
            (Lines{"out_of_range a: 3000000000 does not fit INT", "not_null b: NULL in a NOT NULL column"}));
  EXPECT_EQ(rejects_.rows[0].offset, 1);
  EXPECT_EQ(rejects_.rows[1].offset, 2);
}

TEST_F(ParquetTest, FlagsMayBeNumbers) {
  const Schema file({{"flag", DataType(TypeKind::kInt)}});
  Write("a.parquet", file, {arrow::RecordBatch::Make(file.arrow(), 4, {ArrayOf(arrow::int32(), "[1, 0, 2, null]")})});
  auto reader = ParquetReader::Open(files_, Path("a.parquet"), Schema({{"flag", DataType(TypeKind::kBoolean)}}));
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ(TextOf(*(*(*reader)->Read(10, rejects_))->rows->column(0)), "[true, false, null]");
  EXPECT_EQ(rejects_.Lines(), (Lines{"out_of_range flag: 2 does not fit BOOLEAN"}));
}

TEST_F(ParquetTest, RefusesWhatCannotBe) {
  Write("a.parquet", kNumbers, {Numbers(0, 10)});
  const auto open = [this](const std::string& name, const Schema& schema) {
    return ParquetReader::Open(files_, Path(name), schema).status();
  };
  auto lossy = open("a.parquet", Schema({{"name", DataType(TypeKind::kInt)}}));
  EXPECT_TRUE(lossy.Is(kUnsupportedType));
  EXPECT_NE(lossy.message().find("column 'name': the file has string, which does not fit INT"), std::string::npos)
      << lossy.message();
  auto missing = open("a.parquet", Schema({{"nmae", DataType(TypeKind::kString)}}));
  EXPECT_TRUE(missing.Is(kMissingColumn));
  EXPECT_EQ(missing.hint(), "did you mean 'name'?");
  EXPECT_TRUE(open("none.parquet", kNumbers).Is(kFileNotFound));
  auto file = files_.OpenWritable(Path("text.parquet"), FileSystem::OpenMode::kTruncate);
  ASSERT_TRUE((*file)->Append("this is no Parquet file at all").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_TRUE(open("text.parquet", kNumbers).Is(kCorruption));
  auto writer = ParquetWriter::Open(*files_.OpenWritable(Path("x"), FileSystem::OpenMode::kTruncate), kNumbers,
                                    {.compression = "zip"});
  EXPECT_TRUE(writer.status().Is(kInvalidFormatOption));
}

// Any flipped byte of a file gives an error or the same shape of data, never a crash.
TEST_F(ParquetTest, SurvivesDamage) {
  Write("a.parquet", kNumbers, {Numbers(0, 300)}, 100);
  auto bytes = ReadFile(files_, Path("a.parquet"), 1 << 20);
  ASSERT_TRUE(bytes.ok());
  for (size_t at = 0; at < bytes->size(); at += 29) {
    std::string damaged = *bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    ASSERT_TRUE(WriteFileAtomically(files_, Path("b.parquet"), damaged).ok());
    auto reader = ParquetReader::Open(files_, Path("b.parquet"), kNumbers);
    if (!reader.ok()) continue;
    for (int step = 0; step < 10; ++step) {
      auto batch = (*reader)->Read(100, rejects_);
      if (!batch.ok() || !batch->has_value()) break;
    }
  }
}

}  // namespace
}  // namespace tidemill
