#include "connect/kafka/kafka_rows.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "connect/connector.h"
#include "connect/tests/table_of.h"

namespace tidemill {
namespace {

class KeptRejects final : public RejectSink {
 public:
  void Reject(RejectedRow row) override { rows.push_back(std::move(row)); }
  std::vector<RejectedRow> rows;
};

KafkaRecord KafkaRecordOf(int64_t offset, std::optional<std::string_view> key, std::optional<std::string_view> value) {
  KafkaRecord record;
  record.offset = offset;
  record.timestamp_ms = 1000 + offset;
  record.has_key = key.has_value();
  record.has_value = value.has_value();
  record.key = key.value_or("");
  record.value = value.value_or("");
  return record;
}

class KafkaRowsTest : public ::testing::Test {
 protected:
  // Columns id, name, n and the metadata columns offset and timestamp.
  void Open(bool upsert, std::map<std::string, std::string> more, std::vector<int> scanned = {0, 1, 2, 3}) {
    std::map<std::string, std::string> options = {{"topic", "t"}, {"properties.bootstrap.servers", "b"}};
    for (auto& [key, value] : more) options[key] = value;
    auto table = TableOf("k",
                         {{"id", DataType(TypeKind::kBigInt, !upsert)},
                          {"name", DataType(TypeKind::kString)},
                          {"n", DataType(TypeKind::kInt)}},
                         options);
    ColumnDefinition offset;
    offset.kind = ColumnDefinition::Kind::kMetadata;
    offset.name = "pos";
    offset.metadata_key = "offset";
    offset.type = DataType(TypeKind::kBigInt, false);
    table->columns.push_back(offset);
    if (upsert) table->primary_key = {0};
    auto parsed = ParseKafkaTableOptions(*table, upsert);
    ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
    options_ = *parsed;
    ScanSpec scan = ScanOf(table);
    scan.columns = std::move(scanned);
    layout_ = KafkaReadLayout::Make(scan, options_);
    auto decoder = KafkaRowDecoder::Make(layout_, options_, {"t", 3});
    ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
    decoder_ = *std::move(decoder);
  }

  std::string Decode(const std::vector<KafkaRecord>& records) {
    batch_ = {};
    const Status status = decoder_->Decode(records, rejects_, &batch_);
    EXPECT_TRUE(status.ok()) << status.ToString();
    if (batch_.rows == nullptr) return "";
    EXPECT_TRUE(batch_.rows->ValidateFull().ok());
    std::string text;
    for (int64_t row = 0; row < batch_.num_rows(); ++row) {
      if (batch_.row_kinds) text += Kind(row);
      for (const auto& column : batch_.rows->columns()) text += (*column->GetScalar(row))->ToString() + " ";
      text += "| ";
    }
    return text;
  }

  std::string Kind(int64_t row) const {
    static constexpr const char* kKinds[] = {"+I ", "-U ", "+U ", "-D "};
    return kKinds[static_cast<const arrow::Int8Array&>(*batch_.row_kinds).Value(row)];
  }

  KafkaTableOptions options_;
  KafkaReadLayout layout_;
  std::unique_ptr<KafkaRowDecoder> decoder_;
  KeptRejects rejects_;
  Batch batch_;
};

TEST_F(KafkaRowsTest, ValuesAndMetadataStandSideBySide) {
  Open(false, {{"format", "json"}});
  EXPECT_EQ(Decode({KafkaRecordOf(5, {}, R"({"id":1,"name":"a","n":2})"), KafkaRecordOf(7, {}, "bad"),
                    KafkaRecordOf(8, "k", {}), KafkaRecordOf(9, {}, R"([{"id":3},{"id":4}])")}),
            "1 a 2 5 | 3 null null 9 | 4 null null 9 | ");
  ASSERT_EQ(rejects_.rows.size(), 2u);
  std::vector<int64_t> offsets = {rejects_.rows[0].offset, rejects_.rows[1].offset};
  std::sort(offsets.begin(), offsets.end());
  EXPECT_EQ(offsets, (std::vector<int64_t>{7, 8}));
  EXPECT_EQ(rejects_.rows[0].partition, 3);
  EXPECT_EQ(batch_.ingest_us, 1005 * 1000);
}

TEST_F(KafkaRowsTest, CsvGoesByThePositionOfAllColumns) {
  Open(false, {{"format", "csv"}}, {2});
  EXPECT_EQ(Decode({KafkaRecordOf(0, {}, "1,a,7"), KafkaRecordOf(1, {}, "2,b,8")}), "7 | 8 | ");
}

TEST_F(KafkaRowsTest, KeysGiveTheirColumns) {
  Open(false,
       {{"format", "json"}, {"key.format", "json"}, {"key.fields", "id"}, {"value.fields-include", "EXCEPT_KEY"}});
  EXPECT_EQ(Decode({KafkaRecordOf(0, R"({"id":1})", R"({"name":"a","n":2,"id":99})"),
                    KafkaRecordOf(1, {}, R"({"name":"b"})"), KafkaRecordOf(2, "bad", R"({"name":"c"})"),
                    KafkaRecordOf(3, R"({"id":4})", "bad"), KafkaRecordOf(4, R"({"id":5})", R"([{"n":1},{"n":2}])")}),
            "1 a 2 0 | null b null 1 | 5 null 1 4 | 5 null 2 4 | ");
  EXPECT_EQ(rejects_.rows.size(), 2u);
}

TEST_F(KafkaRowsTest, ARecordWithoutValueDeletesItsKey) {
  for (const char* include : {"ALL", "EXCEPT_KEY"}) {
    rejects_.rows.clear();
    Open(true, {{"key.format", "raw"}, {"value.format", "json"}, {"value.fields-include", include}});
    const std::string one("\0\0\0\0\0\0\0\1", 8);
    const std::string two("\0\0\0\0\0\0\0\2", 8);
    EXPECT_EQ(Decode({KafkaRecordOf(0, one, R"({"id":1,"name":"a"})"), KafkaRecordOf(1, one, {}),
                      KafkaRecordOf(2, {}, {}), KafkaRecordOf(3, two, R"({"id":2,"name":"b","n":4})")}),
              "+U 1 a null 0 | -D 1 null null 1 | +U 2 b 4 3 | ")
        << include;
    ASSERT_EQ(rejects_.rows.size(), 1u) << include;
    EXPECT_EQ(rejects_.rows[0].reason, RejectReason::kMissingField);
    EXPECT_EQ(Decode({KafkaRecordOf(4, one, {}), KafkaRecordOf(5, two, {})}), "-D 1 null null 4 | -D 2 null null 5 | ");
    EXPECT_EQ(Decode({KafkaRecordOf(6, two, R"({"id":2})")}), "+U 2 null null 6 | ");
  }
}

TEST_F(KafkaRowsTest, OnlyWhatIsScannedIsDecoded) {
  Open(true, {{"key.format", "csv"}, {"value.format", "json"}}, {1});
  EXPECT_EQ(Decode({KafkaRecordOf(0, "1", R"({"id":"no number","name":"a"})"), KafkaRecordOf(1, "1", {})}),
            "+U a | -D null | ");
  EXPECT_TRUE(rejects_.rows.empty());
}

TEST_F(KafkaRowsTest, ChangesOfAFormatKeepTheirKindsAndOffsets) {
  Open(false, {{"format", "debezium-json"}});
  EXPECT_EQ(
      Decode({KafkaRecordOf(4, "k", R"({"before":null,"after":{"id":1,"n":2},"op":"c"})"), KafkaRecordOf(5, "k", {}),
              KafkaRecordOf(6, "k", R"({"before":{"id":1,"n":2},"after":{"id":1,"n":3},"op":"u"})"),
              KafkaRecordOf(7, "k", R"({"before":null,"after":null,"op":"d"})"),
              KafkaRecordOf(8, "k", R"({"before":{"id":1,"n":3},"after":null,"op":"d"})")}),
      "+I 1 null 2 4 | -U 1 null 2 6 | +U 1 null 3 6 | -D 1 null 3 8 | ");
  ASSERT_EQ(rejects_.rows.size(), 1u);
  EXPECT_EQ(rejects_.rows[0].offset, 7);
  Open(false, {{"format", "debezium-json"},
               {"key.format", "json"},
               {"key.fields", "id"},
               {"value.fields-include", "EXCEPT_KEY"}});
  EXPECT_EQ(Decode({KafkaRecordOf(6, R"({"id":9})", R"({"before":{"n":2},"after":{"n":3},"op":"u"})"),
                    KafkaRecordOf(7, R"({"id":9})", {})}),
            "-U 9 null 2 6 | +U 9 null 3 6 | ");
}

TEST_F(KafkaRowsTest, AFormatOfChangesIsNoneOfUpserts) {
  auto table = TableOf("k", {{"id", DataType(TypeKind::kInt, false)}},
                       {{"topic", "t"},
                        {"properties.bootstrap.servers", "b"},
                        {"key.format", "json"},
                        {"value.format", "debezium-json"}});
  table->primary_key = {0};
  const auto parsed = ParseKafkaTableOptions(*table, true);
  ASSERT_FALSE(parsed.ok());
  EXPECT_NE(parsed.status().message().find("connector 'kafka'"), std::string::npos);
}

}  // namespace
}  // namespace tidemill
