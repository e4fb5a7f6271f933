#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/simulated_file_system.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "connect/tests/table_of.h"
#include "data/parquet_reader.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Lines = std::vector<std::string>;

const std::vector<Field> kFields = {{"id", DataType(TypeKind::kBigInt)}, {"name", DataType(TypeKind::kString)}};

// Lets a test wait for what a background thread does.
class Wakes {
 public:
  std::function<void()> callback() {
    return [this] {
      std::lock_guard<std::mutex> lock(mutex_);
      ++count_;
      changed_.notify_all();
    };
  }
  int count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return count_;
  }
  bool WaitBeyond(int seen) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return count_ > seen; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class FilesystemSinkTest : public ::testing::Test {
 protected:
  FilesystemSinkTest() : clock_(1'000'000), files_(&clock_) {
    context_.files = &files_;
    context_.clock = &clock_;
    context_.job = "test";
    EXPECT_TRUE(files_.CreateDirectories("/out").ok());
  }

  static std::shared_ptr<TableDefinition> Table(std::map<std::string, std::string> options) {
    options["connector"] = "filesystem";
    options["path"] = "/out";
    return TableOf("t", kFields, std::move(options));
  }

  Result<std::unique_ptr<Sink>> MakeSink(std::shared_ptr<TableDefinition> table) {
    TM_RETURN_IF_ERROR(ValidateTable(*table, false, true, context_));
    return FindConnector("filesystem")->make_sink(SinkSpec{.table = table}, context_);
  }

  Result<std::unique_ptr<SinkWriter>> OpenWriter(Sink& sink, int subtask = 0) {
    clock_.AdvanceMicros(1000);
    return sink.OpenWriter(SinkContext{.job = "test",
                                       .sink_name = "t",
                                       .subtask = subtask,
                                       .rejects = &rejects_,
                                       .clock = &clock_,
                                       .wake = wakes_.callback()});
  }

  Result<std::string> Prepare(SinkWriter& writer, int64_t epoch) {
    for (;;) {
      const int seen = wakes_.count();
      TM_ASSIGN_OR_RETURN(auto handle, writer.Prepare(epoch));
      if (handle) return *handle;
      if (!wakes_.WaitBeyond(seen)) return Status(kTimeout, "the writer was never ready");
    }
  }

  static Batch Rows(const std::string& ids, const std::string& names) {
    auto column = ArrayOf(arrow::int64(), ids);
    const auto schema = arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
    return Batch{arrow::RecordBatch::Make(schema, column->length(), {column, ArrayOf(arrow::utf8(), names)}), nullptr,
                 0};
  }
  static Batch Ids(int64_t from, int64_t to) {
    std::string ids;
    std::string names;
    for (int64_t i = from; i < to; ++i) {
      ids += (ids.empty() ? "" : ",") + std::to_string(i);
      names += (names.empty() ? "\"n" : ",\"n") + std::to_string(i % 3) + "\"";
    }
    return Rows("[" + ids + "]", "[" + names + "]");
  }

  // Names of the visible files below /out, and of hidden ones.
  Lines Visible() { return Names(false); }
  Lines Hidden() { return Names(true); }
  Lines Names(bool hidden) {
    Lines out;
    auto all = ListRecursively(files_, "/out");
    EXPECT_TRUE(all.ok());
    for (const FileInfo& file : *all) {
      if (file.is_directory) continue;
      const bool is_hidden = file.path.find("/.tidemill") != std::string::npos;
      if (is_hidden == hidden && !file.path.ends_with("/lock")) out.push_back(file.path);
    }
    return out;
  }

  // The ids in all visible Parquet or JSON files, sorted.
  std::vector<int64_t> VisibleIds() {
    std::vector<int64_t> ids;
    for (const std::string& path : Visible()) {
      if (path.ends_with(".parquet")) {
        auto reader = ParquetReader::Open(files_, path, Schema({kFields[0]}));
        EXPECT_TRUE(reader.ok()) << reader.status().ToString();
        if (!reader.ok()) continue;
        for (;;) {
          auto batch = (*reader)->Read(8192, rejects_);
          EXPECT_TRUE(batch.ok()) << batch.status().ToString();
          if (!batch.ok() || !batch->has_value()) break;
          const auto& column = static_cast<const arrow::Int64Array&>(*(*batch)->rows->column(0));
          for (int64_t i = 0; i < column.length(); ++i) ids.push_back(column.Value(i));
        }
      } else {
        auto text = ReadFile(files_, path, 1 << 20);
        EXPECT_TRUE(text.ok());
        for (size_t at = text->find("\"id\":"); at != std::string::npos; at = text->find("\"id\":", at + 1))
          ids.push_back(std::stoll(text->substr(at + 5)));
      }
    }
    std::sort(ids.begin(), ids.end());
    return ids;
  }

  ManualClock clock_;
  SimulatedFileSystem files_;
  ConnectorContext context_;
  CollectRejects rejects_;
  Wakes wakes_;
};

TEST_F(FilesystemSinkTest, ShowsNothingBeforeTheCommit) {
  for (const char* format : {"json", "csv", "parquet"}) {
    auto sink = MakeSink(Table({{"format", format}}));
    ASSERT_TRUE(sink.ok()) << sink.status().ToString();
    auto writer = OpenWriter(**sink);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    ASSERT_TRUE((*writer)->Write(Rows("[1, 2]", R"(["a", null])")).ok());
    EXPECT_EQ(Visible(), Lines{}) << format;
    auto handle = Prepare(**writer, 1);
    ASSERT_TRUE(handle.ok()) << handle.status().ToString();
    EXPECT_EQ(Visible(), Lines{}) << format;
    const std::vector<std::string> handles{*handle};
    ASSERT_TRUE((*sink)->Commit(handles).ok());
    ASSERT_EQ(Visible().size(), 1u) << format;
    EXPECT_TRUE(Visible()[0].ends_with(std::string("-0-0.") + format)) << Visible()[0];
    ASSERT_TRUE((*sink)->Commit(handles).ok());
    EXPECT_EQ(Visible().size(), 1u);
    EXPECT_EQ(*Prepare(**writer, 2), "");
    (*writer)->Close();
    writer->reset();
    sink->reset();
    EXPECT_EQ(Hidden(), Lines{});
    EXPECT_FALSE(files_.Exists("/out/.tidemill"));
    for (const std::string& path : Visible()) ASSERT_TRUE(files_.Remove(path).ok());
  }
}

TEST_F(FilesystemSinkTest, WritesText) {
  auto sink = MakeSink(Table({{"format", "csv"}, {"csv.header", "true"}}));
  auto writer = OpenWriter(**sink);
  ASSERT_TRUE((*writer)->Write(Rows("[1, 2]", R"(["a,b", null])")).ok());
  const std::vector<std::string> handles{*Prepare(**writer, 1)};
  ASSERT_TRUE((*sink)->Commit(handles).ok());
  EXPECT_EQ(*ReadFile(files_, Visible()[0], 1000), "id,name\n1,\"a,b\"\n2,\n");
}

TEST_F(FilesystemSinkTest, LeftoversOfAbortedEpochsAreRemoved) {
  {
    auto sink = MakeSink(Table({{"format", "json"}}));
    auto writer = OpenWriter(**sink);
    ASSERT_TRUE((*writer)->Write(Ids(0, 5)).ok());
    ASSERT_TRUE(Prepare(**writer, 1).ok());         // prepared, but its manifest is never written
    ASSERT_TRUE((*writer)->Write(Ids(5, 9)).ok());  // open
    (*writer)->Close();
  }
  EXPECT_EQ(Hidden().size(), 2u);
  auto sink = MakeSink(Table({{"format", "json"}}));
  ASSERT_TRUE((*sink)->Recover({}).ok());
  auto writer = OpenWriter(**sink);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(Hidden(), Lines{});
  EXPECT_EQ(Visible(), Lines{});
}

TEST_F(FilesystemSinkTest, TwoRunsAtOnceAreRefused) {
  auto first = MakeSink(Table({{"format", "json"}}));
  auto writer = OpenWriter(**first);
  ASSERT_TRUE(writer.ok());
  auto second = MakeSink(Table({{"format", "json"}}));
  EXPECT_TRUE(OpenWriter(**second).status().Is(kAlreadyLocked));
}

TEST_F(FilesystemSinkTest, PartitionsAreFolders) {
  auto table = Table({{"format", "json"}});
  table->partitioned_by = {"name"};
  auto sink = MakeSink(table);
  ASSERT_TRUE(sink.ok()) << sink.status().ToString();
  auto writer = OpenWriter(**sink);
  ASSERT_TRUE((*writer)->Write(Rows("[1, 2, 3, 4, 5]", R"(["a/b", null, "a/b", "", "x"])")).ok());
  ASSERT_TRUE((*writer)->Write(Rows("[6]", R"(["x"])")).ok());
  const std::vector<std::string> handles{*Prepare(**writer, 1)};
  ASSERT_TRUE((*sink)->Commit(handles).ok());
  std::map<std::string, std::string> found;
  for (const std::string& path : Visible()) found[path.substr(5, path.rfind('/') - 5)] += *ReadFile(files_, path, 1000);
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"name=a%2Fb", "{\"id\":1}\n{\"id\":3}\n"},
                                                       {"name=__DEFAULT_PARTITION__", "{\"id\":4}\n{\"id\":2}\n"},
                                                       {"name=x", "{\"id\":5}\n{\"id\":6}\n"}}));
}

TEST_F(FilesystemSinkTest, LargeFilesRollWithinAnEpoch) {
  auto sink = MakeSink(Table({{"format", "json"}, {"sink.rolling-policy.file-size", "1kb"}}));
  auto writer = OpenWriter(**sink);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE((*writer)->Write(Ids(i * 100, i * 100 + 100)).ok());
  const std::vector<std::string> handles{*Prepare(**writer, 1)};
  ASSERT_TRUE((*sink)->Commit(handles).ok());
  EXPECT_EQ(Visible().size(), 10u);
  EXPECT_EQ(VisibleIds().size(), 1000u);
}

TEST_F(FilesystemSinkTest, RefusesWhatFilesCannotKeep) {
  EXPECT_TRUE(MakeSink(Table({})).status().Is(kMissingOption));
  EXPECT_FALSE(MakeSink(Table({{"format", "parquet"}, {"parquet.compression", "zip"}})).ok());
  auto nested = Table({{"format", "csv"}});
  nested->columns.push_back({.name = "r", .type = DataType::Row({{"x", DataType(TypeKind::kInt)}})});
  EXPECT_TRUE(MakeSink(nested).status().Is(kUnsupportedType));
  auto sink = MakeSink(Table({{"format", "json"}}));
  auto writer = OpenWriter(**sink);
  Batch changes = Ids(0, 2);
  changes.row_kinds = ArrayOf(arrow::int8(), "[0, 3]");
  EXPECT_TRUE((*writer)->Write(changes).Is(kInvalidInsert));
}

TEST_F(FilesystemSinkTest, AFullDiskIsSaid) {
  auto sink = MakeSink(Table({{"format", "parquet"}}));
  auto writer = OpenWriter(**sink);
  files_.SetCapacity(10);
  Status status = (*writer)->Write(Ids(0, 100));
  if (status.ok()) status = Prepare(**writer, 1).status();
  EXPECT_TRUE(status.Is(kDiskFull)) << status.ToString();
}

// A job in miniature over a disk that crashes after any number of operations: a source position and the prepared
// handles go into a manifest, atomically; then the handles are committed. Whatever the moment, every row ends in
// exactly one visible file.
TEST_F(FilesystemSinkTest, ExactlyOnceOverCrashes) {
  constexpr int64_t kRows = 60;
  const uint64_t seed = 7;
  Random random(seed);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " round " + std::to_string(round));
    SimulatedFileSystem disk(&clock_);
    context_.files = &disk;
    ASSERT_TRUE(disk.CreateDirectories("/out").ok());
    ASSERT_TRUE(disk.CreateDirectories("/state").ok());
    auto table = Table({{"format", round % 2 == 0 ? "json" : "parquet"}});
    if (round % 3 == 0) table->partitioned_by = {"name"};
    const auto run = [&]() -> Result<bool> {  // true = finished
      int64_t position = 0;
      std::vector<std::string> handles;
      if (disk.Exists("/state/manifest")) {
        TM_ASSIGN_OR_RETURN(const std::string text, ReadFile(disk, "/state/manifest", 1 << 20));
        const size_t line = text.find('\n');
        position = std::stoll(text.substr(0, line));
        handles.push_back(text.substr(line + 1));
      }
      TM_ASSIGN_OR_RETURN(auto sink, MakeSink(table));
      TM_RETURN_IF_ERROR(sink->Recover(handles));
      TM_ASSIGN_OR_RETURN(auto writer, OpenWriter(*sink));
      for (int64_t epoch = 1; position < kRows; ++epoch) {
        const int64_t next = std::min(kRows, position + 1 + static_cast<int64_t>(random.Uniform(20)));
        TM_RETURN_IF_ERROR(writer->Write(Ids(position, next)));
        TM_ASSIGN_OR_RETURN(const std::string handle, Prepare(*writer, epoch));
        position = next;
        TM_RETURN_IF_ERROR(WriteFileAtomically(disk, "/state/manifest", std::to_string(position) + "\n" + handle));
        const std::vector<std::string> prepared{handle};
        TM_RETURN_IF_ERROR(sink->Commit(prepared));
      }
      return true;
    };
    bool finished = false;
    for (int attempt = 0; attempt < 40 && !finished; ++attempt) {
      disk.StopAfter(attempt < 12 ? static_cast<int64_t>(random.Uniform(60)) : -1);
      const auto outcome = run();
      finished = outcome.ok();
      if (!finished) {
        ASSERT_LT(attempt, 12) << outcome.status().ToString();
        disk.Crash(random.Next());
      }
    }
    ASSERT_TRUE(finished);
    disk.StopAfter(-1);
    disk.Crash(random.Next());  // what was committed stays
    std::multiset<int64_t> ids;
    auto all = ListRecursively(disk, "/out");
    ASSERT_TRUE(all.ok()) << all.status().ToString();
    for (const FileInfo& file : *all) {
      if (file.is_directory || file.path.find("/.tidemill") != std::string::npos) continue;
      if (file.path.ends_with(".json")) {
        const auto text = ReadFile(disk, file.path, 1 << 20);
        for (size_t at = text->find("\"id\":"); at != std::string::npos; at = text->find("\"id\":", at + 1))
          ids.insert(std::stoll(text->substr(at + 5)));
        continue;
      }
      auto reader = ParquetReader::Open(disk, file.path, Schema({kFields[0]}));
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      auto batch = (*reader)->Read(8192, rejects_);
      ASSERT_TRUE(batch.ok() && batch->has_value());
      const auto& column = static_cast<const arrow::Int64Array&>(*(*batch)->rows->column(0));
      for (int64_t i = 0; i < column.length(); ++i) ids.insert(column.Value(i));
    }
    ASSERT_EQ(ids.size(), static_cast<size_t>(kRows));
    int64_t expected = 0;
    for (const int64_t id : ids) ASSERT_EQ(id, expected++);
  }
}

}  // namespace
}  // namespace tidemill
