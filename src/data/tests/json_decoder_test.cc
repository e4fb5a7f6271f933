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

Config Options(std::map<std::string, std::string> values) { return Config(std::move(values)); }

class JsonDecoderTest : public ::testing::Test {
 protected:
  // Decodes the lines as if they stood apart in memory, then as one block of text; both must give the same.
  RowDecoder::Output Decode(const Schema& schema, const std::vector<std::string>& lines, Config options = {}) {
    auto decoder = MakeJsonDecoder(schema, options);
    EXPECT_TRUE(decoder.ok()) << decoder.status().ToString();
    (*decoder)->SetOrigin("topic", 3);
    std::vector<EncodedRow> apart;
    std::string block;
    for (const std::string& line : lines) {
      apart.push_back({line, static_cast<int64_t>(apart.size()) + 100});
      block += line + "\n";
    }
    std::vector<EncodedRow> together;
    size_t begin = 0;
    for (const std::string& line : lines) {
      together.push_back(
          {std::string_view(block).substr(begin, line.size()), static_cast<int64_t>(together.size()) + 100});
      begin += line.size() + 1;
    }
    rejects = {};
    auto output = (*decoder)->Decode(apart, rejects);
    EXPECT_TRUE(output.ok()) << output.status().ToString();
    CollectRejects again;
    auto second = (*decoder)->Decode(together, again);
    EXPECT_TRUE(second.ok()) << second.status().ToString();
    EXPECT_TRUE(second->rows->Equals(*output->rows)) << second->rows->ToString() << output->rows->ToString();
    EXPECT_EQ(second->input_index, output->input_index);
    EXPECT_EQ(again.Lines(), rejects.Lines());
    EXPECT_TRUE(output->rows->ValidateFull().ok());
    return *std::move(output);
  }

  // The one column `type` of the values, or the reject of the only bad one.
  std::string One(const DataType& type, const std::string& value, Config options = {}) {
    auto output = Decode(Schema({{"v", type}}), {"{\"v\":" + value + "}"}, std::move(options));
    if (!rejects.rows.empty()) return rejects.Lines()[0];
    return TextOf(*output.rows->column(0));
  }

  CollectRejects rejects;
};

TEST_F(JsonDecoderTest, ReadsOnlyTheWantedColumns) {
  const Schema schema({{"amount", DataType(TypeKind::kDouble)},
                       {"id", DataType(TypeKind::kBigInt)},
                       {"name", DataType(TypeKind::kString)}});
  auto output = Decode(schema, {R"({"id": 1, "x": {"deep": [1, {"id": 9}]}, "name": "Ann", "amount": 12.5})",
                                R"({"name":"B\u00e9\n\ud83d\ude00","amount":-1e-3,"id":2,"extra":null})",
                                R"(  { "id" : 3 , "amount" : 0 }  )", R"({})"});
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[12.5, -0.001, 0, null]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), "[1, 2, 3, null]");
  EXPECT_EQ(TextOf(*output.rows->column(2)), "[\"Ann\", \"Bé\n😀\", null, null]");
  EXPECT_TRUE(rejects.rows.empty());
}

TEST_F(JsonDecoderTest, BadRowsLeaveTheOthersAlone) {
  const Schema schema({{"a", DataType(TypeKind::kInt)}, {"s", DataType(TypeKind::kString)}});
  auto output = Decode(
      schema, {R"({"a":1,"s":"one"})", R"({"a":2,"s":"two)", R"({"a":3,"s":"three"})", "", R"({"a":"x","s":"four"})",
               "{\"a\":5,\"s\":\"\xff\"}", R"({"a":6,"s":"six"})", R"({"a":7)", R"({"a":8}{"a":9})", R"({"a":10}])",
               R"({"a":)", R"([{"a":11},{"a":12}])", R"([{"a":13},{"a":true}])", "42", "{\"a\":1}\x01", R"({"a":14})"});
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[1, 3, 6, 11, 12, 14]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), R"(["one", "three", "six", null, null, null])");
  EXPECT_EQ(output.input_index, (std::vector<int32_t>{0, 2, 6, 11, 11, 15}));
  EXPECT_EQ(rejects.Lines(),
            (Lines{"malformed : a string is not closed", "malformed : the message is empty",
                   "wrong_type a: expected INT, found string \"x\"", "invalid_utf8 : the message is not valid UTF-8",
                   "malformed : expected a field, found the end", "malformed : expected the end, found {",
                   "malformed : expected the end, found ]", "malformed : expected a field, found the end",
                   "wrong_type a: expected INT, found true", "malformed : expected an object, found 42",
                   "malformed : expected the end, found \x01"}));
  EXPECT_EQ(rejects.rows[0].source, "topic");
  EXPECT_EQ(rejects.rows[0].partition, 3);
  EXPECT_EQ(rejects.rows[0].offset, 101);
  EXPECT_EQ(rejects.rows[0].raw, R"({"a":2,"s":"two)");
}

TEST_F(JsonDecoderTest, RefusesBrokenStructure) {
  const Schema schema({{"a", DataType(TypeKind::kInt)}});
  for (const char* bad : {R"({"a" 1})",
                          R"({"a":1,})",
                          R"({,"a":1})",
                          R"({"a":1 "b":2})",
                          R"({"a":1,"b":})",
                          R"({"a":1,"b":[1}})",
                          R"({"a":1,"b":{"c":[}]})",
                          R"({a:1})",
                          R"({"a":01})",
                          R"({"a":1.})",
                          R"({"a":+1})",
                          R"({"a":.5})",
                          R"({"a":NaN})",
                          R"({"a":Infinity})",
                          R"({"a":-Infinity})",
                          R"({"a":nul})",
                          R"({"a":truex})",
                          R"({"a":1,"b":NaN})",
                          R"({"a":1x})",
                          R"({"a":1}})",
                          R"([{"a":1})",
                          R"([{"a":1},])",
                          R"([1])",
                          R"({"a":"1\q"})",
                          R"({"a":1,"b":'x'})",
                          R"({"a":--1})",
                          R"({"a":1e})",
                          R"({"a":"1"y})",
                          R"({"a"})",
                          R"({"a":1:2})",
                          R"({"b":{"a":1})",
                          "{",
                          "[",
                          "\"",
                          "}",
                          ":"}) {
    auto output = Decode(schema, {bad, R"({"a":7})"});
    EXPECT_EQ(TextOf(*output.rows->column(0)), "[7]") << bad;
    ASSERT_EQ(rejects.rows.size(), 1u) << bad;
    EXPECT_EQ(rejects.rows[0].reason, RejectReason::kMalformed) << bad << " " << rejects.Lines()[0];
  }
}

TEST_F(JsonDecoderTest, ConvertsAsFlinkDoes) {
  EXPECT_EQ(One(DataType(TypeKind::kInt), "\" 42 \""), "[42]");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "1e3"), "[1000]");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "1.5"), "wrong_type v: expected INT, found 1.5");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "2147483648"), "out_of_range v: 2147483648 is out of range for INT");
  EXPECT_EQ(One(DataType(TypeKind::kTinyInt), "-128"), "[-128]");
  EXPECT_EQ(One(DataType(TypeKind::kTinyInt), "128"), "out_of_range v: 128 is out of range for TINYINT");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "true"), "wrong_type v: expected INT, found true");
  EXPECT_EQ(One(DataType(TypeKind::kBigInt), "-9223372036854775808"), "[-9223372036854775808]");
  EXPECT_EQ(One(DataType(TypeKind::kBigInt), "9223372036854775808"),
            "out_of_range v: 9223372036854775808 is out of range for BIGINT");
  EXPECT_EQ(One(DataType(TypeKind::kBoolean), "\"True\""), "[true]");
  EXPECT_EQ(One(DataType(TypeKind::kBoolean), "1"), "[true]");
  EXPECT_EQ(One(DataType(TypeKind::kBoolean), "2"), "wrong_type v: expected BOOLEAN, found 2");
  EXPECT_EQ(One(DataType(TypeKind::kDouble), "\"Infinity\""), "[inf]");
  EXPECT_EQ(One(DataType(TypeKind::kDouble), "1e400"), "out_of_range v: 1e400 is out of range for DOUBLE");
  EXPECT_EQ(One(DataType(TypeKind::kDouble), "1e-400"), "[0]");
  EXPECT_EQ(One(DataType(TypeKind::kFloat), "1e39"), "out_of_range v: 1e39 is out of range for FLOAT");
  EXPECT_EQ(One(DataType(TypeKind::kString), "1.50"), "[\"1.50\"]");
  EXPECT_EQ(One(DataType(TypeKind::kString), "true"), "[\"true\"]");
  EXPECT_EQ(One(DataType(TypeKind::kString), R"({"a": [1, "x"]})"), R"(["{"a": [1, "x"]}"])");
  EXPECT_EQ(One(DataType(TypeKind::kString), R"("\ud800")"),
            "malformed v: a string has an unknown escape or half a surrogate pair");
  EXPECT_EQ(One(DataType::Decimal(6, 2), "1234.565"), "[1234.57]");
  EXPECT_EQ(One(DataType::Decimal(6, 2), "\"-1234.564\""), "[-1234.56]");
  EXPECT_EQ(One(DataType::Decimal(6, 2), "9999.995"), "out_of_range v: 9999.995 is out of range for DECIMAL(6, 2)");
  EXPECT_EQ(One(DataType::Decimal(38, 0), "99999999999999999999999999999999999999"),
            "[99999999999999999999999999999999999999]");
  EXPECT_EQ(One(DataType::Decimal(10, 3), "12e-1"), "[1.200]");
  EXPECT_EQ(One(DataType(TypeKind::kBytes), "\"aGk=\""), "[\"hi\"]");
  EXPECT_EQ(One(DataType(TypeKind::kDate), "\"2024-02-29\""), "[2024-02-29]");
  EXPECT_EQ(One(DataType(TypeKind::kTime), "\"12:34:56.5\""), "[12:34:56.500]");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "[1]"), "wrong_type v: expected INT, found an array");
  EXPECT_EQ(One(DataType(TypeKind::kInt), "\"a\\u0031\""), "wrong_type v: expected INT, found string \"a1\"");
}

TEST_F(JsonDecoderTest, ReadsTimestamps) {
  const DataType ts = DataType::Timestamp(3);
  EXPECT_EQ(One(ts, "\"2024-05-01 12:34:56.789\""), "[2024-05-01 12:34:56.789]");
  EXPECT_EQ(One(ts, "\"2024-05-01T12:34:56Z\""), "[2024-05-01 12:34:56.000]");
  EXPECT_EQ(One(ts, "\"2024-05-01T12:34:56+02:00\""),
            "wrong_type v: expected TIMESTAMP(3), found string \"2024-05-01T12:34:56+02:00\"");
  EXPECT_EQ(One(DataType::TimestampLtz(3), "\"2024-05-01T12:34:56+02:00\""), "[2024-05-01 10:34:56.000Z]");
  EXPECT_EQ(One(ts, "1714566896789"), "wrong_type v: expected TIMESTAMP(3), found 1714566896789");
  EXPECT_EQ(One(ts, "1714566896789", Options({{"timestamp-format.standard", "EPOCH-MILLIS"}})),
            "[2024-05-01 12:34:56.789]");
  EXPECT_EQ(One(ts, "\"1714566896789\"", Options({{"timestamp-format.standard", "EPOCH-MILLIS"}})),
            "[2024-05-01 12:34:56.789]");
  EXPECT_EQ(One(ts, "-1", Options({{"timestamp-format.standard", "EPOCH-MILLIS"}})), "[1969-12-31 23:59:59.999]");
  EXPECT_EQ(One(ts, "1714566896", Options({{"timestamp-format.standard", "EPOCH-SECONDS"}})),
            "[2024-05-01 12:34:56.000]");
  EXPECT_EQ(One(DataType::Timestamp(9), "99999999999999", Options({{"timestamp-format.standard", "EPOCH-MILLIS"}})),
            "out_of_range v: 99999999999999 is out of range for TIMESTAMP(9)");
  EXPECT_TRUE(
      One(ts, "\"2024-05-01T12:34:56\"", Options({{"timestamp-format.standard", "SQL"}})).starts_with("wrong_type"));
  EXPECT_TRUE(One(ts, "\"2024-05-01 12:34:56\"", Options({{"timestamp-format.standard", "ISO-8601"}}))
                  .starts_with("wrong_type"));
  EXPECT_EQ(One(ts, "\"9999-12-31 23:59:59.999\""), "[9999-12-31 23:59:59.999]");
}

TEST_F(JsonDecoderTest, LastOfARepeatedKeyWins) {
  const Schema schema({{"a", DataType(TypeKind::kInt)},
                       {"s", DataType(TypeKind::kString)},
                       {"l", DataType::Array(DataType(TypeKind::kString))}});
  auto output = Decode(
      schema, {R"({"a":1,"s":"long text","l":["x","y"],"a":2,"s":"b","l":["z"]})", R"({"a":1,"s":"c","a":null})"});
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[2, null]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), R"(["b", "c"])");
  EXPECT_TRUE(output.rows->column(2)->Equals(*ArrayOf(output.rows->column(2)->type(), R"([["z"], null])")));
}

TEST_F(JsonDecoderTest, ReadsNestedTypes) {
  const DataType address =
      DataType::Row({{"city", DataType(TypeKind::kString)}, {"tags", DataType::Array(DataType(TypeKind::kInt))}});
  const Schema schema({{"r", address},
                       {"m", DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kDouble))},
                       {"n", DataType::Array(address)}});
  auto output = Decode(
      schema, {R"({"r":{"tags":[1,2],"city":"Ulm","x":0},"m":{"a":1,"b":null},"n":[{"city":"A"},null,{"tags":[]}]})",
               R"({"r":{"city":1,"tags":["x"]},"m":{}})", R"({"r":null,"m":{"a":1,"a":2}})",
               R"({"n":[{"tags":[1,{}]}]})", R"({"r":{},"m":{},"n":[]})"});
  EXPECT_TRUE(output.rows->column(0)->Equals(
      *ArrayOf(ToArrow(address), R"([{"city":"Ulm","tags":[1,2]}, {"city":null,"tags":null}])")))
      << output.rows->column(0)->ToString();
  EXPECT_TRUE(
      output.rows->column(1)->Equals(*ArrayOf(output.rows->column(1)->type(), R"([[["a",1],["b",null]], []])")));
  EXPECT_TRUE(output.rows->column(2)->Equals(
      *ArrayOf(output.rows->column(2)->type(), R"([[{"city":"A","tags":null},null,{"city":null,"tags":[]}], []])")));
  EXPECT_EQ(rejects.Lines(), (Lines{"wrong_type r.tags[0]: expected INT, found string \"x\"",
                                    "wrong_type m: the key \"a\" comes twice in a MAP",
                                    "wrong_type n[0].tags[1]: expected INT, found an object"}));
}

TEST_F(JsonDecoderTest, MissingAndNullFields) {
  const Schema schema({{"a", DataType(TypeKind::kInt, false)}, {"b", DataType(TypeKind::kInt)}});
  auto output = Decode(schema, {R"({"a":1})", R"({"b":1})", R"({"a":null})"});
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[1]");
  EXPECT_EQ(rejects.Lines(), (Lines{"missing_field a: the field is missing", "not_null a: null in a NOT NULL column"}));
  Decode(schema, {R"({"a":1})"}, Options({{"fail-on-missing-field", "true"}}));
  EXPECT_EQ(rejects.Lines(), (Lines{"missing_field b: the field is missing"}));
}

TEST_F(JsonDecoderTest, IgnoreParseErrorsMakesFieldsNull) {
  const Schema schema({{"a", DataType(TypeKind::kInt)}, {"s", DataType(TypeKind::kString)}});
  auto output = Decode(schema, {R"({"a":{"x":[1]},"s":"one"})", R"({"a":"x","s":"two"})", R"({"a":nul,"s":"three"})"},
                       Options({{"ignore-parse-errors", "true"}}));
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[null, null]");
  EXPECT_EQ(TextOf(*output.rows->column(1)), R"(["one", "two"])");
  EXPECT_EQ(rejects.rows.size(), 1u);
}

TEST_F(JsonDecoderTest, BoundsSizeAndDepth) {
  const Schema schema({{"a", DataType(TypeKind::kInt)}});
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  auto output = Decode(schema,
                       {"{\"a\":1,\"b\":" + deep + "}", "{\"a\":2,\"b\":" + deep.substr(100, 1000) + "}",
                        "{\"a\":3,\"b\":\"" + std::string(2000, 'x') + "\"}", R"({"a":4})"},
                       Options({{"message-bytes-max", "2000"}}));
  EXPECT_EQ(TextOf(*output.rows->column(0)), "[2, 4]");
  EXPECT_EQ(rejects.Lines(),
            (Lines{"too_large : nested deeper than 512",
                   "too_large : the message has 2014 bytes, more than 2000 ('json.message-bytes-max')"}));
}

TEST_F(JsonDecoderTest, RefusesUnknownOptions) {
  const Schema schema({{"a", DataType(TypeKind::kInt)}});
  auto status = MakeJsonDecoder(schema, Options({{"ignore-parse-error", "true"}})).status();
  EXPECT_TRUE(status.Is(kInvalidFormatOption));
  EXPECT_EQ(status.hint(), "did you mean 'ignore-parse-errors'?");
  EXPECT_TRUE(
      MakeJsonDecoder(schema, Options({{"timestamp-format.standard", "UNIX"}})).status().Is(kInvalidFormatOption));
}

// Large and long inputs cross segments; every order of keys is found.
TEST_F(JsonDecoderTest, ManyRowsAcrossSegments) {
  const Schema schema(
      {{"id", DataType(TypeKind::kBigInt)}, {"text_with_a_long_column_name", DataType(TypeKind::kString)}});
  Random random(3);
  std::vector<std::string> lines;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    std::string text(i % 500 == 7 ? 100'000 : random.Uniform(200), static_cast<char>('a' + i % 26));
    if (i % 97 == 0) text += "é";
    const std::string id = "\"id\":" + std::to_string(i);
    const std::string field = "\"text_with_a_long_column_name\":\"" + text + "\"";
    const std::string other = "\"text_with_a_long_column_namE\":\"no\"";
    switch (random.Uniform(3)) {
      case 0:
        lines.push_back("{" + id + "," + field + "," + other + "}");
        break;
      case 1:
        lines.push_back("{" + other + "," + field + "," + id + "}");
        break;
      default:
        lines.push_back("{ " + field + " , " + id + " }");
        break;
    }
    texts.push_back(text);
  }
  auto output = Decode(schema, lines);
  ASSERT_EQ(output.rows->num_rows(), 3000);
  const auto& ids = static_cast<const arrow::Int64Array&>(*output.rows->column(0));
  const auto& values = static_cast<const arrow::StringArray&>(*output.rows->column(1));
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(ids.Value(i), i);
    ASSERT_EQ(values.GetView(i), texts[static_cast<size_t>(i)]);
  }
}

}  // namespace
}  // namespace tidemill
