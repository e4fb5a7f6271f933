#include <cmath>
#include <limits>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"

namespace tidemill {
namespace {

using Lines = std::vector<std::string>;

Config TextOptions(std::map<std::string, std::string> values) { return Config(std::move(values)); }

RowDecoder::Output Decode(RowDecoder& decoder, const Lines& lines, CollectRejects& rejects) {
  std::vector<EncodedRow> input;
  for (const std::string& line : lines) input.push_back({line, static_cast<int64_t>(input.size()) + 1});
  auto output = decoder.Decode(input, rejects);
  EXPECT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_TRUE(output->rows->ValidateFull().ok());
  return *std::move(output);
}

Lines Encode(RowEncoder& encoder, const std::shared_ptr<arrow::RecordBatch>& rows) {
  std::string out = "prefix";
  std::vector<size_t> ends;
  const Status status = encoder.Encode(Batch{rows, nullptr, 0}, out, ends);
  EXPECT_TRUE(status.ok()) << status.ToString();
  Lines lines;
  size_t begin = 6;
  for (size_t end : ends) {
    lines.push_back(out.substr(begin, end - begin));
    begin = end;
  }
  return lines;
}

const Schema kAll({{"b", DataType(TypeKind::kBoolean)},
                   {"i", DataType(TypeKind::kInt)},
                   {"d", DataType(TypeKind::kDouble)},
                   {"dec", DataType::Decimal(10, 2)},
                   {"s", DataType(TypeKind::kString)},
                   {"y", DataType(TypeKind::kBytes)},
                   {"day", DataType(TypeKind::kDate)},
                   {"t", DataType(TypeKind::kTime)},
                   {"ts", DataType::Timestamp(3)},
                   {"ltz", DataType::TimestampLtz(6)},
                   {"l", DataType::Array(DataType(TypeKind::kInt))}});

std::shared_ptr<arrow::RecordBatch> AllRows() {
  const auto type = [](int i) { return kAll.arrow()->field(i)->type(); };
  return arrow::RecordBatch::Make(
      kAll.arrow(), 3,
      {ArrayOf(type(0), "[true, false, null]"), ArrayOf(type(1), "[1, -2, null]"),
       ArrayOf(type(2), "[0.1, 1e300, null]"), ArrayOf(type(3), R"(["12.30", "-0.05", null])"),
       ArrayOf(type(4), R"(["a,\"b\"\nc", "", null])"), ArrayOf(type(5), R"(["hi", "", null])"),
       ArrayOf(type(6), "[19844, -1, null]"), ArrayOf(type(7), "[45296500, 0, null]"),
       ArrayOf(type(8), "[1714566896789, 0, null]"), ArrayOf(type(9), "[1714566896789012, -1, null]"),
       ArrayOf(type(10), "[[1, null, 3], [], null]")});
}

TEST(JsonEncoder, WritesEveryType) {
  auto encoder = MakeJsonEncoder(kAll, Config());
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(
      Encode(**encoder, AllRows()),
      (Lines{
          R"({"b":true,"i":1,"d":0.1,"dec":12.30,"s":"a,\"b\"\nc","y":"aGk=","day":"2024-05-01","t":"12:34:56.5",)"
          R"("ts":"2024-05-01 12:34:56.789","ltz":"2024-05-01 12:34:56.789012Z","l":[1,null,3]})",
          R"({"b":false,"i":-2,"d":1e+300,"dec":-0.05,"s":"","y":"","day":"1969-12-31","t":"00:00:00",)"
          R"("ts":"1970-01-01 00:00:00","ltz":"1969-12-31 23:59:59.999999Z","l":[]})",
          R"({"b":null,"i":null,"d":null,"dec":null,"s":null,"y":null,"day":null,"t":null,"ts":null,"ltz":null,"l":null})"}));
}

TEST(JsonEncoder, DecodesToTheSame) {
  for (const char* standard : {"SQL", "ISO-8601"}) {
    const Config options =
        TextOptions({{"timestamp-format.standard", standard}, {"encode.ignore-null-fields", "true"}});
    auto encoder = MakeJsonEncoder(kAll, options);
    auto decoder = MakeJsonDecoder(kAll, options);
    CollectRejects rejects;
    const Lines lines = Encode(**encoder, AllRows());
    EXPECT_EQ(lines[2], "{}");
    auto output = Decode(**decoder, lines, rejects);
    EXPECT_EQ(rejects.Lines(), Lines{});
    EXPECT_TRUE(output.rows->Equals(*AllRows())) << output.rows->ToString();
  }
}

TEST(JsonEncoder, NumbersWithoutJsonFormAndNestedRows) {
  const Schema schema(
      {{"d", DataType(TypeKind::kDouble)},
       {"m", DataType::Map(DataType(TypeKind::kString, false), DataType::Row({{"x", DataType(TypeKind::kInt)}}))}});
  arrow::DoubleBuilder doubles;
  ASSERT_TRUE(
      doubles.AppendValues({std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}).ok());
  auto rows = arrow::RecordBatch::Make(
      schema.arrow(), 2, {*doubles.Finish(), ArrayOf(schema.arrow()->field(1)->type(), R"([[["k\"",{"x":1}]], []])")});
  auto encoder = MakeJsonEncoder(schema, Config());
  EXPECT_EQ(Encode(**encoder, rows), (Lines{R"({"d":"NaN","m":{"k\"":{"x":1}}})", R"({"d":"-Infinity","m":{}})"}));
  EXPECT_TRUE(
      MakeJsonEncoder(Schema({{"m", DataType::Map(DataType(TypeKind::kInt), DataType(TypeKind::kInt))}}), Config())
          .status()
          .Is(kUnsupportedType));
}

// Any double survives the way through text.
TEST(JsonEncoder, DoublesRoundTrip) {
  const Schema schema({{"d", DataType(TypeKind::kDouble)}, {"f", DataType(TypeKind::kFloat)}});
  Random random(17);
  arrow::DoubleBuilder doubles;
  arrow::FloatBuilder floats;
  for (int i = 0; i < 20000; ++i) {
    const uint64_t bits = random.Next();
    double d = 0;
    float f = 0;
    std::memcpy(&d, &bits, 8);
    std::memcpy(&f, &bits, 4);
    ASSERT_TRUE(doubles.Append(std::isfinite(d) ? d : random.Double()).ok());
    ASSERT_TRUE(floats.Append(std::isfinite(f) ? f : 1.5f).ok());
  }
  auto rows = arrow::RecordBatch::Make(schema.arrow(), 20000, {*doubles.Finish(), *floats.Finish()});
  auto encoder = MakeJsonEncoder(schema, Config());
  auto decoder = MakeJsonDecoder(schema, Config());
  CollectRejects rejects;
  auto output = Decode(**decoder, Encode(**encoder, rows), rejects);
  EXPECT_EQ(rejects.Lines(), Lines{});
  EXPECT_TRUE(output.rows->Equals(*rows));
}

TEST(Csv, RoundTripsEveryType) {
  const Config options = TextOptions({{"null-literal", "NULL"}});
  auto encoder = MakeCsvEncoder(kAll, options);
  auto decoder = MakeCsvDecoder(kAll, options);
  ASSERT_TRUE(encoder.ok());
  ASSERT_TRUE(decoder.ok());
  const Lines lines = Encode(**encoder, AllRows());
  EXPECT_EQ(lines[0],
            "true,1,0.1,12.30,\"a,\"\"b\"\"\nc\",aGk=,2024-05-01,12:34:56.5,2024-05-01 12:34:56.789,2024-05-01 "
            "12:34:56.789012Z,1;NULL;3");
  CollectRejects rejects;
  auto output = Decode(**decoder, {lines[0], lines[2]}, rejects);
  EXPECT_EQ(rejects.Lines(), Lines{});
  auto expected = arrow::ConcatenateRecordBatches({AllRows()->Slice(0, 1), AllRows()->Slice(2, 1)}).ValueOrDie();
  EXPECT_TRUE(output.rows->Equals(*expected)) << output.rows->ToString();
}

TEST(Csv, FindsColumnsByHeader) {
  const Schema schema({{"amount", DataType(TypeKind::kDouble)}, {"id", DataType(TypeKind::kBigInt)}});
  auto header = SplitCsvRecord("id,\"odd, name\",amount\r", Config());
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(*header, (Lines{"id", "odd, name", "amount"}));
  auto decoder = MakeCsvDecoder(schema, Config(), *header);
  ASSERT_TRUE(decoder.ok());
  CollectRejects rejects;
  auto output = Decode(**decoder,
                       {"1,\"x,\"\"y\"\"\",2.5\r", "2,,", "3,a", "4,a,1,c", "5,\"open,1", "6,\"a\"b,1", "7,a,x",
                        "\xff,a,1", " 8 ,a, 1 "},
                       rejects);
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[2.5, null, 1]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), "[1, 2, 8]");
  EXPECT_EQ(output.input_index, (std::vector<int32_t>{0, 1, 8}));
  EXPECT_EQ(rejects.Lines(),
            (Lines{"malformed : expected 3 fields, found 2", "malformed : expected 3 fields, found 4",
                   "malformed : field 2 has a quote that is not closed before its end",
                   "malformed : field 2 has a quote that is not closed before its end",
                   "wrong_type amount: expected DOUBLE, found \"x\"", "invalid_utf8 : the record is not valid UTF-8"}));
  EXPECT_EQ(rejects.rows[0].offset, 3);
  EXPECT_TRUE(MakeCsvDecoder(schema, Config(), Lines{"id"}).status().Is(kInvalidFormatOption));
}

TEST(Csv, HonoursItsOptions) {
  const Schema schema({{"a", DataType(TypeKind::kString)}, {"b", DataType(TypeKind::kInt)}});
  auto decoder = MakeCsvDecoder(schema, TextOptions({{"field-delimiter", "\\t"},
                                                     {"quote-character", "'"},
                                                     {"escape-character", "\\"},
                                                     {"allow-comments", "true"},
                                                     {"ignore-parse-errors", "true"},
                                                     {"null-literal", "n/a"}}));
  ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
  CollectRejects rejects;
  auto output = Decode(**decoder, {"# comment", "'x\ty'\t1", "a\\\tb\tbad", "n/a\t2", "\t3", "'it\\'s'\t4"}, rejects);
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[\"x\ty\", \"a\tb\", null, \"\", \"it's\"]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), "[1, null, 2, 3, 4]");
  EXPECT_TRUE(MakeCsvDecoder(schema, TextOptions({{"field-delimiter", "ab"}})).status().Is(kInvalidFormatOption));
  EXPECT_TRUE(MakeCsvDecoder(Schema({{"r", DataType::Row({{"x", DataType(TypeKind::kInt)}})}}), Config())
                  .status()
                  .Is(kUnsupportedType));
}

TEST(Raw, RoundTripsOneColumn) {
  for (const char* endianness : {"big-endian", "little-endian"}) {
    const Schema schema({{"v", DataType(TypeKind::kInt)}});
    const Config options = TextOptions({{"endianness", endianness}});
    auto encoder = MakeRawEncoder(schema, options);
    auto decoder = MakeRawDecoder(schema, options);
    auto rows = arrow::RecordBatch::Make(schema.arrow(), 2, {ArrayOf(arrow::int32(), "[258, -1]")});
    const Lines lines = Encode(**encoder, rows);
    EXPECT_EQ(lines[0], endianness[0] == 'b' ? std::string("\0\0\1\2", 4) : std::string("\2\1\0\0", 4));
    CollectRejects rejects;
    EXPECT_TRUE(Decode(**decoder, {lines[0], "12345", lines[1]}, rejects).rows->Equals(*rows));
    EXPECT_EQ(rejects.Lines(), (Lines{"wrong_type v: expected 4 bytes, found 5"}));
  }
  auto text = MakeRawDecoder(Schema({{"s", DataType(TypeKind::kString)}}), Config());
  CollectRejects rejects;
  EXPECT_EQ(TextOf(*Decode(**text, {"any bytes", "\xff"}, rejects).rows->column(0)), "[\"any bytes\"]");
  EXPECT_EQ(rejects.rows[0].reason, RejectReason::kInvalidUtf8);
  EXPECT_TRUE(MakeRawDecoder(kAll, Config()).status().Is(kUnsupportedType));
}

TEST(Formats, AreFoundByName) {
  EXPECT_TRUE(MakeRowDecoder("json", kAll, Config()).ok());
  auto status = MakeRowDecoder("jsn", kAll, Config()).status();
  EXPECT_TRUE(status.Is(kUnknownFormat));
  EXPECT_EQ(status.hint(), "did you mean 'json'?");
  EXPECT_TRUE(ValidateFormatOptions("csv", TextOptions({{"field-delimiter", ";"}})).ok());
  EXPECT_FALSE(ValidateFormatOptions("csv", TextOptions({{"header", "maybe"}})).ok());
}

}  // namespace
}  // namespace tidemill
