#include "connect/feature_store/feature_store_sink.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "connect/errors.h"
#include "connect/tests/table_of.h"
#include "feature/errors.h"
#include "feature/feature_store.h"

namespace tidemill {
namespace {

std::shared_ptr<TableDefinition> CardTable(std::map<std::string, std::string> options = {}) {
  options["connector"] = "feature-store";
  auto table = TableOf(
      "card_stats",
      {{"card_id", DataType(TypeKind::kBigInt)}, {"ts", DataType::Timestamp(3)}, {"n", DataType(TypeKind::kInt)}},
      std::move(options));
  table->primary_key = {0};
  table->rowtime_column = 1;
  table->position = {"f.sql", 3, 1};
  for (const auto& [key, value] : table->options.values()) table->option_positions[key] = {"f.sql", 9, 5};
  return table;
}

class Rejects final : public RejectSink {
 public:
  void Reject(RejectedRow row) override { rows.push_back(std::move(row)); }
  std::vector<RejectedRow> rows;
};

class FeatureStoreSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_ = *FeatureStore::Open(files_, clock_, metrics_, "/features", {.background = false});
    context_.files = &files_;
    context_.clock = &clock_;
    context_.metrics = &metrics_;
    context_.features = store_.get();
  }
  Status Validate(const std::shared_ptr<TableDefinition>& table) {
    return ValidateTable(*table, false, true, context_);
  }
  static Batch Rows(const std::string& cards, const std::string& times, const std::string& counts) {
    const auto column = [](const auto& type, const std::string& json) {
      return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
    };
    const auto table = CardTable();
    const auto card = column(arrow::int64(), cards);
    return Batch{arrow::RecordBatch::Make(
        table->schema().arrow(), card->length(),
        {card, column(arrow::timestamp(arrow::TimeUnit::MILLI), times), column(arrow::int32(), counts)})};
  }

  SimulatedFileSystem files_;
  ManualClock clock_{1'000'000};
  MetricsRegistry metrics_;
  std::unique_ptr<FeatureStore> store_;
  ConnectorContext context_;
};

TEST_F(FeatureStoreSinkTest, ChecksItsTable) {
  EXPECT_TRUE(Validate(CardTable()).ok());
  const std::vector<std::tuple<std::map<std::string, std::string>, const char*, int>> wrong = {
      {{{"viev", "x"}}, "did you mean 'view'", 9},
      {{{"view", "a/b"}}, "'a/b' is no name", 9},
      {{{"ttl", "soon"}}, "soon", 9},
      {{{"online.enabled", "perhaps"}}, "perhaps", 9},
      {{{"online.enabled", "false"}, {"offline.enabled", "false"}}, "neither online nor offline", 9},
      {{{"offline.compression", "rar"}}, "found 'rar'", 9},
      {{{"event-time.column", "t"}}, "no written column 't'", 9},
      {{{"event-time.column", "n"}}, "event time 'n' is INT", 3},
      {{{"online.entities-max", "0"}}, "at least 1", 9},
      {{{"offline.path", "/x"}, {"offline.enabled", "false"}}, "of no use", 9},
  };
  for (const auto& [options, message, line] : wrong) {
    const Status status = Validate(CardTable(options));
    ASSERT_FALSE(status.ok()) << message;
    EXPECT_NE(RenderError(status, "").find(message), std::string::npos) << RenderError(status, "");
    ASSERT_TRUE(status.position().has_value()) << status.ToString();
    EXPECT_EQ(status.position()->line, line) << status.ToString();
  }
  auto table = CardTable();
  table->primary_key.clear();
  EXPECT_NE(Validate(table).message().find("PRIMARY KEY"), std::string::npos);
  table = CardTable();
  table->rowtime_column = -1;
  EXPECT_NE(Validate(table).message().find("WATERMARK"), std::string::npos);
  table->options.Set("event-time.column", "ts");
  EXPECT_TRUE(Validate(table).ok());
  EXPECT_FALSE(ValidateTable(*CardTable(), true, false, context_).ok());  // no source
}

TEST_F(FeatureStoreSinkTest, WritesBothWaysAndRefusesBadRows) {
  const auto table = CardTable({{"view", "cards"}, {"offline.path", "/out/cards/"}});
  const Connector* connector = FindConnector("feature-store");
  ASSERT_NE(connector, nullptr);
  auto made = connector->make_sink(SinkSpec{table, {0, 1, 2}, "INSERT INTO card_stats"}, context_);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  ASSERT_TRUE((*made)->Recover({}).ok());
  Rejects rejects;
  auto writer = (*made)->OpenWriter(
      {.job = "j", .sink_name = "card_stats", .rejects = &rejects, .metrics = &metrics_, .clock = &clock_, .wake = [] {
       }});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write(Rows("[1, 2]", "[10, 20]", "[1, 2]")).ok());
  Batch mixed = Rows("[1, null, 3, 4, 5, 2]", "[11, 1, null, 40, 50, 30]", "[3, 4, 5, 6, 7, 8]");
  mixed.row_kinds = arrow::json::ArrayFromJSONString(arrow::int8(), "[2, 0, 0, 1, 3, 2]").ValueOrDie();
  ASSERT_TRUE((*writer)->Write(mixed).ok());
  ASSERT_EQ(rejects.rows.size(), 3u);
  EXPECT_EQ(rejects.rows[0].reason, RejectReason::kNotNull);
  EXPECT_EQ(rejects.rows[0].field, "card_id");
  EXPECT_EQ(rejects.rows[1].reason, RejectReason::kNullRowtime);
  EXPECT_NE(rejects.rows[1].raw.find("\"card_id\":3"), std::string::npos) << rejects.rows[1].raw;
  EXPECT_EQ(rejects.rows[2].reason, RejectReason::kUndeliverable);

  const auto asked = arrow::json::ArrayFromJSONString(arrow::int64(), "[1, 2, 3, 4, 5]").ValueOrDie();
  const auto answer = store_->GetOnline("cards", {"n"}, {asked});
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(answer->values[0]->Equals(
      *arrow::json::ArrayFromJSONString(arrow::int32(), "[3, 8, null, null, null]").ValueOrDie()))
      << answer->values[0]->ToString();
  const auto handle = (*writer)->Prepare(1);
  ASSERT_TRUE(handle.ok() && handle->has_value());
  ASSERT_TRUE((*made)->Commit(std::vector<std::string>{**handle}).ok());
  (*writer)->Close();
  const auto parts = ListOffline(files_, "/out/cards");
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ((*parts)[0].day, "1970-01-01");
  EXPECT_EQ((*ParquetFileReader::Open(files_, (*parts)[0].path))->num_rows(), 4);
}

TEST_F(FeatureStoreSinkTest, NeedsTheStore) {
  context_.features = nullptr;
  const auto made = FindConnector("feature-store")->make_sink(SinkSpec{CardTable(), {0, 1, 2}, "x"}, context_);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.status().message().find("needs the feature store"), std::string::npos);
}

}  // namespace
}  // namespace tidemill
