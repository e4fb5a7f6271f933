#include <arrow/api.h>
#include <gtest/gtest.h>

#include "data/format.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

class DebeziumTest : public ::testing::Test {
 protected:
  void Open(const std::vector<Field>& fields, std::map<std::string, std::string> options = {},
            std::vector<std::string> metadata = {}) {
    FormatContext context;
    context.metadata_keys = std::move(metadata);
    auto made = MakeRowDecoder("debezium-json", Schema(fields), Config(std::move(options)), context);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    decoder_ = std::move(*made);
  }
  void Decode(const std::vector<std::string>& messages) {
    std::vector<EncodedRow> input;
    for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
    auto output = decoder_->Decode(input, rejects_);
    ASSERT_TRUE(output.ok()) << output.status().ToString();
    ASSERT_TRUE(output->rows->ValidateFull().ok());
    output_ = std::move(*output);
    ASSERT_EQ(output_.row_kinds.size(), static_cast<size_t>(output_.rows->num_rows()));
    ASSERT_EQ(output_.input_index.size(), static_cast<size_t>(output_.rows->num_rows()));
  }
  std::string Column(int i) const { return TextOf(*output_.rows->column(i)); }
  std::string Kinds() const {
    std::string out;
    for (const int8_t kind : output_.row_kinds) out += "IBAD"[kind];
    return out;
  }

  std::unique_ptr<RowDecoder> decoder_;
  CollectRejects rejects_;
  RowDecoder::Output output_;
};

const Field kId{"id", DataType(TypeKind::kInt)};

TEST_F(DebeziumTest, ChangesBecomeRowsAndTombstonesNothing) {
  Open({kId});
  Decode({R"({"before":null,"after":{"id":1},"op":"c"})", "", R"({"op":"u","after":{"id":3},"before":{"id":2}})",
          R"({"before":null,"after":null,"op":"m"})", R"({"before":{"id":4},"after":null,"op":"d"})", ""});
  EXPECT_EQ(Column(0), "[1, 2, 3, 4]");
  EXPECT_EQ(Kinds(), "IBAD");
  EXPECT_EQ(output_.input_index, (std::vector<int32_t>{0, 2, 2, 4}));
  EXPECT_TRUE(rejects_.rows.empty());
  Decode({"", ""});
  EXPECT_EQ(output_.rows->num_rows(), 0);
  Decode({""});
  EXPECT_EQ(output_.rows->num_rows(), 0);
  EXPECT_TRUE(rejects_.rows.empty());
}

TEST_F(DebeziumTest, WhatIsRefusedSaysWhyAndLeavesNothingBehind) {
  Open({kId, {"v", DataType(TypeKind::kInt, false)}});
  Decode({R"({"before":{"id":1,"v":1},"after":{"id":1,"v":"x"},"op":"u"})",
          R"({"before":null,"after":{"id":1,"v":2},"op":"u"})", R"({"before":{"id":1,"v":null},"after":null,"op":"d"})",
          R"({"before":null,"after":{"id":7,"v":7},"op":"c"})", R"({"before":null,"after":{"id":7,"v":7},"op":"c"} 1)",
          R"([{"op":"c"}])", R"({"op":"c","after":{"id":1,"v":1})"});
  EXPECT_EQ(Column(0), "[7]");
  EXPECT_EQ(Kinds(), "I");
  const auto lines = rejects_.Lines();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0], "wrong_type after.v: expected INT, found string \"x\"");
  EXPECT_NE(lines[1].find("REPLICA IDENTITY FULL"), std::string::npos) << lines[1];
  EXPECT_EQ(lines[2], "not_null before.v: null in a NOT NULL column");
  for (size_t i = 3; i < 6; ++i) EXPECT_TRUE(lines[i].starts_with("malformed ")) << lines[i];
}

TEST_F(DebeziumTest, NumbersAreTimesOnlyWhenTheirUnitIsSaid) {
  const std::vector<Field> fields = {
      {"ts", DataType::Timestamp(6)}, {"t", DataType(TypeKind::kTime)}, {"d", DataType(TypeKind::kDate)}};
  const std::string message = R"({"after":{"ts":1767225600123456,"t":3600000001,"d":20454},"op":"r"})";
  Open(fields);
  Decode({message});
  ASSERT_EQ(rejects_.Lines().size(), 1u);
  EXPECT_EQ(rejects_.Lines()[0], "wrong_type after.ts: expected TIMESTAMP(6), found 1767225600123456");
  Open(fields, {{"integer-time-unit", "micros"}});
  Decode({message});
  EXPECT_EQ(rejects_.rows.size(), 1u);
  EXPECT_EQ(Column(0), "[2026-01-01 00:00:00.123456]");
  EXPECT_EQ(Column(1), "[01:00:00.000]");
  EXPECT_EQ(Column(2), "[2026-01-01]");
  Decode({R"({"after":{"ts":-1,"t":86400000000,"d":0},"op":"r"})"});
  EXPECT_EQ(rejects_.Lines().back(), "out_of_range after.t: 86400000000 is out of range for TIME");
}

TEST_F(DebeziumTest, DecimalsAreTextNumbersObjectsOrSayThatTheyAreBase64) {
  const std::vector<Field> fields = {{"x", DataType::Decimal(10, 2)}};
  Open(fields);
  Decode({R"({"after":{"x":"12.34"},"op":"r"})", R"({"after":{"x":12.34},"op":"r"})",
          R"({"after":{"x":{"scale":1,"value":"ew=="}},"op":"r"})", R"({"after":{"x":"BNI="},"op":"r"})",
          R"({"after":{"x":{"scale":3,"value":"AQ=="}},"op":"r"})", R"({"after":{"x":{"value":"AQ=="}},"op":"r"})"});
  EXPECT_EQ(Column(0), "[12.34, 12.34, 12.30]");
  ASSERT_EQ(rejects_.rows.size(), 3u);  // 0.001 would lose a digit
  EXPECT_EQ(rejects_.rows[1].reason, RejectReason::kOutOfRange);
  Open(fields, {{"decimal-encoding", "base64"}});
  Decode({R"({"after":{"x":"BNI="},"op":"r"})", R"({"after":{"x":"+y4="},"op":"r"})",
          R"({"after":{"x":"12.34"},"op":"r"})"});
  EXPECT_EQ(Column(0), "[12.34, -12.34]");
  EXPECT_EQ(rejects_.rows.size(), 4u);
}

TEST_F(DebeziumTest, TheSchemaSaysHowValuesAreWritten) {
  const auto message = [](const std::string& time_type, const std::string& row) {
    const std::string fields = R"({"type":"struct","field":"after","fields":[)"
                               R"({"type":"int64","name":")" +
                               time_type +
                               R"(","field":"ts"},{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal",)"
                               R"("parameters":{"scale":"3"},"field":"x"},{"type":"array","items":{"type":"int64",)"
                               R"("name":"io.debezium.time.MicroTime"},"field":"times"}]})";
    return R"({"schema":{"type":"struct","fields":[)" + fields + R"(]},"payload":{"before":null,"after":)" + row +
           R"(,"op":"c"}})";
  };
  Open({{"ts", DataType::Timestamp(3)},
        {"x", DataType::Decimal(10, 2)},
        {"times", DataType::Array(DataType(TypeKind::kTime))}},
       {{"schema-include", "true"}});
  Decode({message("io.debezium.time.MicroTimestamp", R"({"ts":1767225600123456,"x":"MDQ=","times":[1000000]})"),
          message("io.debezium.time.Timestamp", R"({"ts":1767225600124,"x":"MDQ=","times":null})"),
          message("io.debezium.time.NanoTimestamp", R"({"ts":1767225600125000000,"x":"MDQ=","times":[]})"),
          R"({"schema":null,"payload":null})"});
  EXPECT_EQ(rejects_.Lines(), std::vector<std::string>());
  EXPECT_EQ(Column(0), "[2026-01-01 00:00:00.123, 2026-01-01 00:00:00.124, 2026-01-01 00:00:00.125]");
  EXPECT_EQ(Column(1), "[12.34, 12.34, 12.34]");
  Decode({R"({"after":{"ts":1},"op":"c"})"});
  EXPECT_NE(rejects_.Lines().at(0).find("'debezium-json.schema-include' = 'false'"), std::string::npos);
}

TEST_F(DebeziumTest, OneSchemaThatBeginsLikeAnotherIsNotTakenForIt) {
  Open({{"ts", DataType::Timestamp(3)}}, {{"schema-include", "true"}});
  const auto message = [](const std::string& schema, const std::string& ts) {
    return R"({"schema":)" + schema + R"(,"payload":{"after":{"ts":)" + ts + R"(},"op":"c"}})";
  };
  const std::string millis =
      R"({"fields":[{"field":"after","fields":[{"type":"int64","name":"io.debezium.time.Timestamp","field":"ts"}]}]})";
  const std::string micros =
      R"({"fields":[{"field":"after","fields":[{"type":"int64","name":"io.debezium.time.MicroTimestamp","field":"ts"}]}]})";
  Decode({message(millis, "1000"), message(micros, "2000000"), message(micros, "3000000"), message(millis, "4000"),
          message("null", "\"1970-01-01T00:00:05\"")});
  EXPECT_EQ(rejects_.Lines(), std::vector<std::string>());
  EXPECT_EQ(Column(0),
            "[1970-01-01 00:00:01.000, 1970-01-01 00:00:02.000, 1970-01-01 00:00:03.000, 1970-01-01 "
            "00:00:04.000, 1970-01-01 00:00:05.000]");
}

TEST_F(DebeziumTest, MetadataOfBothRowsOfAnUpdate) {
  Open({{"t", DataType(TypeKind::kString)}, kId}, {}, {"source.table", ""});
  Decode({R"({"source":{"table":"a","x":[1,{"table":"b"}]},"before":{"id":1},"after":{"id":2},"op":"u"})"});
  EXPECT_EQ(Column(0), "[\"a\", \"a\"]");
  EXPECT_EQ(Column(1), "[1, 2]");
}

TEST_F(DebeziumTest, WhatIsWrittenIsReadBackAsFlinkWritesIt) {
  const Schema schema({kId, {"name", DataType(TypeKind::kString)}});
  auto encoder = MakeRowEncoder("debezium-json", schema, Config());
  ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
  Batch batch;
  batch.rows = arrow::RecordBatch::Make(
      schema.arrow(), 4, {ArrayOf(arrow::int32(), "[1, 2, 2, 3]"), ArrayOf(arrow::utf8(), R"(["a", "b", null, "d"])")});
  batch.row_kinds = ArrayOf(arrow::int8(), "[0, 1, 2, 3]");
  std::string out;
  std::vector<size_t> ends;
  ASSERT_TRUE((*encoder)->Encode(batch, out, ends).ok());
  ASSERT_EQ(ends.size(), 4u);
  EXPECT_EQ(out, R"({"before":null,"after":{"id":1,"name":"a"},"op":"c"})"
                 R"({"before":{"id":2,"name":"b"},"after":null,"op":"d"})"
                 R"({"before":null,"after":{"id":2,"name":null},"op":"c"})"
                 R"({"before":{"id":3,"name":"d"},"after":null,"op":"d"})");
  Open(schema.fields());
  std::vector<std::string> messages;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    messages.push_back(out.substr(begin, ends[i] - begin));
  }
  Decode(messages);
  EXPECT_EQ(Column(0), "[1, 2, 2, 3]");
  EXPECT_EQ(Column(1), R"(["a", "b", null, "d"])");
  EXPECT_EQ(Kinds(), "IDID");
}

TEST_F(DebeziumTest, OptionsAreChecked) {
  for (const auto& [key, value] : std::map<std::string, std::string>{{"schema-inclued", "true"},
                                                                     {"schema-include", "maybe"},
                                                                     {"integer-time-unit", "us"},
                                                                     {"decimal-encoding", "x"}})
    EXPECT_FALSE(ValidateFormatOptions("debezium-json", Config(std::map<std::string, std::string>{{key, value}})).ok())
        << key;
  EXPECT_TRUE(ValidateFormatOptions("debezium-json", Config(std::map<std::string, std::string>{
                                                         {"timestamp-format.standard", "ISO-8601"}}))
                  .ok());
  EXPECT_TRUE(IsChangelogFormat("debezium-json"));
  EXPECT_FALSE(IsChangelogFormat("json"));
}

}  // namespace
}  // namespace tidemill
