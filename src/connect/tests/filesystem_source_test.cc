#include <arrow/api.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file_system.h"
#include "base/tests/temp_folder.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/filesystem/file_options.h"
#include "connect/filesystem/line_reader.h"
#include "connect/tests/table_of.h"
#include "data/parquet_writer.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Lines = std::vector<std::string>;

const std::vector<Field> kSourceFields = {{"id", DataType(TypeKind::kBigInt)}, {"name", DataType(TypeKind::kString)}};

class FilesystemSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    context_.files = &files_;
    context_.clock = &clock_;
  }

  std::string Path(const std::string& name) { return JoinPath(folder_.path(), name); }
  void Put(const std::string& name, std::string_view bytes) {
    const std::string path = Path(name);
    ASSERT_TRUE(files_.CreateDirectories(path.substr(0, path.rfind('/'))).ok());
    ASSERT_TRUE(WriteFileAtomically(files_, path, bytes).ok());
  }

  std::unique_ptr<Source> Open(std::shared_ptr<TableDefinition> table) {
    const Status valid = ValidateTable(*table, true, false, context_);
    EXPECT_TRUE(valid.ok()) << valid.ToString();
    auto source = FindConnector("filesystem")->make_source(ScanOf(table), context_);
    EXPECT_TRUE(source.ok()) << source.status().ToString();
    return source.ok() ? *std::move(source) : nullptr;
  }
  Status Check(std::shared_ptr<TableDefinition> table) { return ValidateTable(*table, true, false, context_); }

  // All rows of all splits, column by column; `step` rows at a time; every reader is thrown away after each batch and
  // opened again where it was.
  Lines ReadAll(Source& source, int step, bool reopen = false) {
    auto splits = source.Splits();
    EXPECT_TRUE(splits.ok()) << splits.status().ToString();
    std::vector<std::shared_ptr<arrow::RecordBatch>> parts;
    for (const SourceSplit& split : *splits) {
      std::optional<std::string> position;
      std::unique_ptr<SplitReader> reader;
      for (int turn = 0; turn < 100000; ++turn) {
        if (!reader || reopen) {
          auto opened = source.OpenSplit(split, position, SplitContext{.rejects = &rejects_, .clock = &clock_});
          EXPECT_TRUE(opened.ok()) << opened.status().ToString();
          if (!opened.ok()) return {};
          reader = *std::move(opened);
        }
        auto outcome = reader->Read(step);
        EXPECT_TRUE(outcome.ok()) << outcome.status().ToString();
        if (!outcome.ok()) return {};
        EXPECT_LE(outcome->batch.num_rows(), step);
        if (outcome->batch.num_rows() > 0) parts.push_back(outcome->batch.rows);
        position = outcome->position;
        if (outcome->ended) break;
      }
    }
    Lines columns;
    if (parts.empty()) return columns;
    auto all = arrow::ConcatenateRecordBatches(parts).ValueOrDie();
    for (const auto& column : all->columns()) columns.push_back(TextOf(*column));
    return columns;
  }

  LocalFileSystem files_;
  SystemClock clock_;
  ConnectorContext context_;
  CollectRejects rejects_;
  testing::TempFolder folder_;
};

TEST_F(FilesystemSourceTest, ReadsJsonLinesAndGoesOnAnywhere) {
  Put("a.jsonl",
      "\xEF\xBB\xBF{\"id\":1,\"name\":\"a\"}\r\n\n[{\"id\":2},{\"id\":3},{\"id\":4}]\n{\"id\":\"x\"}\n   \n{\"id\":5}");
  auto table = TableOf("t", kSourceFields, {{"connector", "filesystem"}, {"path", Path("a.jsonl")}});
  auto source = Open(table);
  EXPECT_TRUE(source->bounded());
  for (int step : {1, 2, 3, 100}) {
    for (bool reopen : {false, true}) {
      rejects_ = {};
      EXPECT_EQ(ReadAll(*source, step, reopen), (Lines{"[1, 2, 3, 4, 5]", "[\"a\", null, null, null, null]"}))
          << step << reopen;
      ASSERT_GE(rejects_.rows.size(), 1u);  // a line that is read again is refused again
      if (!reopen) {
        EXPECT_EQ(rejects_.rows.size(), 1u);
      }
      EXPECT_EQ(rejects_.rows[0].offset, 4);
      EXPECT_EQ(rejects_.rows[0].source, Path("a.jsonl"));
      EXPECT_EQ(rejects_.rows[0].field, "id");
    }
  }
}

TEST_F(FilesystemSourceTest, FindsTheCsvHeader) {
  const auto read = [this](const std::string& text, std::map<std::string, std::string> more = {}) {
    Put("a.csv", text);
    more["connector"] = "filesystem";
    more["path"] = Path("a.csv");
    return ReadAll(*Open(TableOf("t", kSourceFields, more)), 2, true);
  };
  const Lines expected{"[1, 2, 3]", "[\"a\", \"b,\nc\", \"d\"]"};
  EXPECT_EQ(read("id,name\n1,a\n2,\"b,\nc\"\n3,d\n"), expected);
  EXPECT_EQ(read("name,extra,id\na,x,1\n\"b,\nc\",,2\nd,z,3"), expected);
  EXPECT_EQ(read("1,a\n2,\"b,\nc\"\n3,d\n"), expected);
  EXPECT_EQ(read("\"name\";\"id\"\na;1\n\"b,\nc\";2\nd;3\n", {{"csv.field-delimiter", ";"}}), expected);
  EXPECT_EQ(read("id,name\n", {{"csv.header", "false"}}), Lines{});
  ASSERT_EQ(rejects_.rows.size(), 1u);
  EXPECT_EQ(rejects_.rows[0].detail, "expected BIGINT, found \"id\"");
  Put("a.csv", "id,nmae\n1,a\n");
  const Status missing = Check(
      TableOf("t", kSourceFields, {{"connector", "filesystem"}, {"path", Path("a.csv")}, {"csv.header", "true"}}));
  EXPECT_TRUE(missing.Is(kMissingColumn));
  EXPECT_EQ(missing.hint(), "did you mean 'nmae'?");
}

TEST_F(FilesystemSourceTest, ReadsFoldersGlobsAndMetadata) {
  Put("in/b.json", "{\"id\":3}\n");
  Put("in/a.json", "{\"id\":1}\n{\"id\":2}\n");
  Put("in/deep/c.json", "{\"id\":4}\n");
  Put("in/.hidden.json", "{\"id\":9}\n");
  Put("in/_tmp/d.json", "{\"id\":9}\n");
  auto table = TableOf("t", {kSourceFields[0]}, {{"connector", "filesystem"}, {"path", Path("in")}});
  table->columns.push_back({.kind = ColumnDefinition::Kind::kMetadata,
                            .name = "file",
                            .type = DataType(TypeKind::kString),
                            .metadata_key = "file.name"});
  table->columns.push_back({.kind = ColumnDefinition::Kind::kMetadata,
                            .name = "size",
                            .type = DataType(TypeKind::kInt),
                            .metadata_key = "file.size"});
  EXPECT_EQ(ReadAll(*Open(table), 10),
            (Lines{"[1, 2, 3, 4]", R"(["a.json", "a.json", "b.json", "c.json"])", "[18, 18, 9, 9]"}));
  for (const auto& [glob, ids] : std::map<std::string, std::string>{{"in/*.json", "[1, 2, 3]"},
                                                                    {"in/**/*.json", "[1, 2, 3, 4]"},
                                                                    {"i?/[b-z].json", "[3]"},
                                                                    {"in/d*", "[4]"},
                                                                    {"*/deep/c.json", "[4]"}}) {
    EXPECT_EQ(ReadAll(*Open(TableOf("t", {kSourceFields[0]},
                                    {{"connector", "filesystem"}, {"path", Path(glob)}, {"format", "json"}})),
                      10),
              Lines{ids})
        << glob;
  }
}

TEST_F(FilesystemSourceTest, ReadsParquetAndPartitionFolders) {
  const Schema schema({{"id", DataType(TypeKind::kInt)}});
  for (const auto& [folder, ids] : std::map<std::string, std::string>{
           {"day=2024-05-01/c=A%2FB", "[1, 2, 3]"}, {"day=2024-05-02/c=__DEFAULT_PARTITION__", "[4]"}}) {
    ASSERT_TRUE(files_.CreateDirectories(Path(folder)).ok());
    auto writer = ParquetWriter::Open(
        *files_.OpenWritable(Path(folder + "/x.parquet"), FileSystem::OpenMode::kTruncate), schema, {});
    auto column = ArrayOf(arrow::int32(), ids);
    ASSERT_TRUE(
        (*writer)->Write(Batch{arrow::RecordBatch::Make(schema.arrow(), column->length(), {column}), nullptr, 0}).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  auto table = TableOf(
      "t",
      {{"c", DataType(TypeKind::kString)}, {"id", DataType(TypeKind::kBigInt)}, {"day", DataType(TypeKind::kDate)}},
      {{"connector", "filesystem"}, {"path", folder_.path()}});
  table->partitioned_by = {"day", "c"};
  for (int step : {1, 2, 100}) {
    EXPECT_EQ(ReadAll(*Open(table), step, true), (Lines{R"(["A/B", "A/B", "A/B", null])", "[1, 2, 3, 4]",
                                                        "[2024-05-01, 2024-05-01, 2024-05-01, 2024-05-02]"}));
  }
}

TEST_F(FilesystemSourceTest, ReadsGzip) {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "{\"id\":" + std::to_string(i) + "}\n";
  const std::string path = Path("a.json.gz");
  for (const std::string& part : {text.substr(0, 300001), text.substr(300001)}) {  // two members
    gzFile file = gzopen(path.c_str(), "ab");
    ASSERT_EQ(gzwrite(file, part.data(), static_cast<unsigned>(part.size())), static_cast<int>(part.size()));
    ASSERT_EQ(gzclose(file), Z_OK);
  }
  auto source = Open(TableOf("t", {kSourceFields[0]}, {{"connector", "filesystem"}, {"path", path}}));
  const Lines plain = ReadAll(*source, 8192, false);
  ASSERT_EQ(plain.size(), 1u);
  EXPECT_TRUE(plain[0].ends_with("49998, 49999]"));
  EXPECT_EQ(ReadAll(*source, 8192, true), plain);
  auto bytes = ReadFile(files_, path, 10 << 20);
  Put("cut.json.gz", bytes->substr(0, bytes->size() - 100));
  auto cut = Open(TableOf("t", {kSourceFields[0]}, {{"connector", "filesystem"}, {"path", Path("cut.json.gz")}}));
  auto reader =
      cut->OpenSplit({Path("cut.json.gz")}, std::nullopt, SplitContext{.rejects = &rejects_, .clock = &clock_});
  Status status;
  for (int i = 0; i < 20 && status.ok(); ++i) status = (*reader)->Read(8192).status();
  EXPECT_TRUE(status.Is(kCorruption)) << status.ToString();
}

TEST_F(FilesystemSourceTest, ALineOfTenMegabytesIsARejectNotACrash) {
  std::string text = "{\"id\":1}\n{\"id\":2,\"name\":\"" + std::string(10 << 20, 'x') + "\"}\n{\"id\":3,\"name\":\"" +
                     std::string(7 << 20, 'y') + "\"}\n{\"id\":4}\n";
  Put("a.json", text);
  auto source = Open(TableOf("t", {kSourceFields[0]}, {{"connector", "filesystem"}, {"path", Path("a.json")}}));
  for (bool reopen : {false, true}) {
    rejects_ = {};
    EXPECT_EQ(ReadAll(*source, 1, reopen), Lines{"[1, 3, 4]"});
    ASSERT_EQ(rejects_.rows.size(), 1u);
    EXPECT_EQ(rejects_.rows[0].reason, RejectReason::kTooLarge);
    EXPECT_EQ(rejects_.rows[0].offset, 2);
    EXPECT_EQ(rejects_.rows[0].raw.size(), 64u << 10);
  }
}

TEST_F(FilesystemSourceTest, SaysWhatIsWrongWhenPlanned) {
  Put("transactions.json", "{}");
  const auto check = [this](std::map<std::string, std::string> options) {
    options["connector"] = "filesystem";
    return Check(TableOf("t", kSourceFields, std::move(options)));
  };
  const Status missing = check({{"path", Path("transaction.json")}});
  EXPECT_TRUE(missing.Is(kNoFilesFound)) << missing.ToString();
  EXPECT_EQ(missing.hint(), "did you mean 'transactions.json'?");
  EXPECT_TRUE(check({{"path", Path("nowhere/*.json")}}).Is(kNoFilesFound));
  EXPECT_TRUE(check({{"path", "s3://bucket/x"}}).Is(kInvalidOption));
  EXPECT_TRUE(check({{"path", Path("transactions.json")}, {"format", "jsn"}}).Is(kUnknownFormat));
  EXPECT_FALSE(check({{"path", Path("transactions.json")}, {"json.ignore-parse-error", "true"}}).ok());
  EXPECT_TRUE(check({}).Is(kMissingOption));
  Put("x.dat", "{}");
  EXPECT_TRUE(check({{"path", Path("x.dat")}}).Is(kMissingOption));
  Put("x.parquet", "no");
  EXPECT_TRUE(check({{"path", Path("x.parquet")}}).Is(kCorruption));
}

TEST_F(FilesystemSourceTest, RefusesAFileThatShrank) {
  Put("a.json", "{\"id\":1}\n{\"id\":2}\n");
  auto source = Open(TableOf("t", {kSourceFields[0]}, {{"connector", "filesystem"}, {"path", Path("a.json")}}));
  Put("a.json", "{}\n");
  EXPECT_TRUE(
      source->OpenSplit({Path("a.json")}, "18:3:0", SplitContext{.rejects = &rejects_}).status().Is(kCorruption));
  EXPECT_FALSE(source->OpenSplit({Path("a.json")}, "18:3", SplitContext{.rejects = &rejects_}).ok());
}

}  // namespace
}  // namespace tidemill
