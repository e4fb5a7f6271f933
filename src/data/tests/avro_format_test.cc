#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/avro/avro_binary.h"
#include "data/avro/avro_schema.h"
#include "data/avro/avro_table_schema.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"
#include "data/tests/listed_schemas.h"

namespace tidemill {
namespace {

const Schema& EveryType() {
  static const Schema kSchema({
      {"b", DataType(TypeKind::kBoolean)},
      {"i8", DataType(TypeKind::kTinyInt)},
      {"i16", DataType(TypeKind::kSmallInt)},
      {"i32", DataType(TypeKind::kInt, false)},
      {"i64", DataType(TypeKind::kBigInt)},
      {"f", DataType(TypeKind::kFloat)},
      {"d", DataType(TypeKind::kDouble, false)},
      {"n", DataType::Decimal(20, 3)},
      {"s", DataType(TypeKind::kString)},
      {"y", DataType(TypeKind::kBytes)},
      {"day", DataType(TypeKind::kDate)},
      {"clock", DataType(TypeKind::kTime)},
      {"t3", DataType::Timestamp(3)},
      {"t6", DataType::Timestamp(6)},
      {"t9", DataType::TimestampLtz(9)},
      {"list", DataType::Array(DataType(TypeKind::kInt))},
      {"map", DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kBigInt))},
      {"row", DataType::Row({{"x", DataType(TypeKind::kInt)},
                             {"l", DataType::Array(DataType::Row({{"z", DataType(TypeKind::kString)}}))}})},
  });
  return kSchema;
}

Batch EveryTypeRows() {
  return BatchOf(
      EveryType(),
      {"[true, false, null]", "[-128, 127, null]", "[-32768, 32767, null]", "[1, -2147483648, 3]",
       "[9223372036854775807, -9223372036854775808, null]", "[1.5, -2.25, null]", "[0.1, -1e300, 2]",
       R"(["-12345678901234567.890", "0.001", null])", R"(["ab", "é😀", null])", R"(["", "xyz", null])",
       "[0, -719162, null]", "[0, 86399999, null]", "[1700000000123, -1, null]", "[1700000000123456, -1, null]",
       "[1700000000123456789, -1, null]", "[[1, null, 3], [], null]", R"([[["a", 1], ["b", null]], [], null])",
       R"([{"x": 1, "l": [{"z": "p"}, null]}, {"x": null, "l": null}, null])"});
}

TEST(AvroFormat, EveryTypeComesBack) {
  for (const char* legacy : {"true", "false"}) {
    Config options;
    options.Set("timestamp_mapping.legacy", legacy);
    const auto schemas = std::make_shared<ListedSchemas>();
    for (const char* format : {"avro", "avro-confluent"}) {
      auto encoder = MakeRowEncoder(format, EveryType(), options, ContextOf(schemas));
      ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
      auto decoder = MakeRowDecoder(format, EveryType(), options, ContextOf(schemas));
      ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
      const Batch batch = EveryTypeRows();
      // A slice has offsets of its own.
      for (const Batch& part : {batch, batch.Slice(1, 2)}) {
        std::string bytes;
        std::vector<size_t> ends;
        ASSERT_TRUE((*encoder)->Encode(part, bytes, ends).ok());
        CollectRejects rejects;
        const auto output = (*decoder)->Decode(RowsOf(bytes, ends), rejects);
        ASSERT_TRUE(output.ok()) << output.status().ToString();
        EXPECT_EQ(rejects.Lines(), std::vector<std::string>());
        ASSERT_TRUE(output->rows->ValidateFull().ok()) << output->rows->ValidateFull().ToString();
        EXPECT_TRUE(output->rows->Equals(*part.rows)) << output->rows->ToString();
      }
    }
  }
}

TEST(AvroFormat, SchemaIsDerivedAsFlinkDoes) {
  const Schema table({{"id", DataType(TypeKind::kBigInt, false)},
                      {"name", DataType(TypeKind::kString)},
                      {"price", DataType::Decimal(10, 2, false)},
                      {"at", DataType::Timestamp(3)},
                      {"to", DataType::Row({{"street", DataType(TypeKind::kString)}})}});
  EXPECT_EQ(*AvroSchemaOfTable(table, true),
            R"({"type":"record","name":"org.apache.flink.avro.generated.record","fields":[)"
            R"({"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},)"
            R"({"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},)"
            R"({"name":"at","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},)"
            R"({"name":"to","type":["null",{"type":"record","name":"org.apache.flink.avro.generated.record_to",)"
            R"("fields":[{"name":"street","type":["null","string"],"default":null}]}],"default":null}]})");
  EXPECT_NE(AvroSchemaOfTable(table, false)->find("local-timestamp-millis"), std::string::npos);
  EXPECT_TRUE(AvroSchema::Parse({SchemaLanguage::kAvro, *AvroSchemaOfTable(table, true), {}}).ok());
  EXPECT_TRUE(AvroSchemaOfTable(Schema({{"a b", DataType(TypeKind::kInt)}}), true).status().Is(kUnsupportedType));
}

TEST(AvroFormat, FieldsGoByName) {
  const auto schemas = std::make_shared<ListedSchemas>();
  // Written without "b" and "n", with fields that the table has not, in another order, under an older name.
  const int32_t old_id = schemas->Add("orders-value", R"({"type":"record","name":"R","fields":[
      {"name":"junk","type":["null",{"type":"record","name":"J","fields":[{"name":"next","type":["null","J"]},
         {"name":"m","type":{"type":"map","values":"string"}}]}]},
      {"name":"old","type":"int"}, {"name":"a","type":"long"},
      {"name":"more","type":{"type":"array","items":{"type":"fixed","name":"F","size":3}}}]})");
  schemas->Add("orders-value", R"({"type":"record","name":"R","fields":[{"name":"a","type":"long"},
      {"name":"b","type":"string","default":"none"},{"name":"renamed","aliases":["old"],"type":"int"}]})");
  const Schema table({{"a", DataType(TypeKind::kBigInt)},
                      {"b", DataType(TypeKind::kString, false)},
                      {"n", DataType(TypeKind::kInt)},
                      {"renamed", DataType(TypeKind::kInt)}});
  auto decoder = MakeRowDecoder("avro-confluent", table, Config(), ContextOf(schemas));
  ASSERT_TRUE(decoder.ok());
  const std::string bytes =
      // junk: J{next: J{next: null, m: {}}, m: {"k": "v"} in a block with its size}
      WithId(old_id, std::string("\x02\x02\x00\x00\x01\x08\x02k\x02v\x00", 11) + "\x0e" + "\x54" +
                         std::string("\x04"
                                     "abcdef\x00",
                                     8));
  CollectRejects rejects;
  const std::vector<EncodedRow> rows = {{bytes, 0}, {bytes, 1}};
  const auto output = (*decoder)->Decode(rows, rejects);
  ASSERT_TRUE(output.ok());
  ASSERT_EQ(rejects.Lines(), std::vector<std::string>());
  EXPECT_EQ(TextOf(*output->rows->column(0)), "[42, 42]");
  EXPECT_EQ(TextOf(*output->rows->column(1)), "[\"none\", \"none\"]");
  EXPECT_EQ(TextOf(*output->rows->column(2)), "[null, null]");
  EXPECT_EQ(TextOf(*output->rows->column(3)), "[7, 7]");
  EXPECT_EQ(schemas->lookups, 1);
}

TEST(AvroFormat, ValuesMeetTheirColumns) {
  struct Case {
    std::string schema;
    std::string body;
    DataType column;
    std::string expected;  // a value, or a reject
  };
  const DataType text(TypeKind::kString);
  const std::vector<Case> cases = {
      {R"("int")", "\x03", DataType(TypeKind::kBigInt), "-2"},
      {R"("int")", "\x03", DataType(TypeKind::kDouble), "-2"},
      {R"("long")", "\x80\x02", DataType(TypeKind::kTinyInt), "out_of_range v: 128 is no TINYINT"},
      {R"("long")", "\x03", DataType(TypeKind::kBoolean), "wrong_type v: expected BOOLEAN, the schema has long"},
      {R"(["null","int"])", std::string(1, '\0'), DataType(TypeKind::kInt, false),
       "not_null v: null in a NOT NULL column"},
      {R"(["null","int"])", "\x04", DataType(TypeKind::kInt), "malformed v: branch 2 of a union of 2"},
      {R"(["int","string"])", "\x02\x02x", text, "\"x\""},
      {R"(["int","string"])", std::string("\x00\x02", 2), text, "wrong_type v: expected STRING, the schema has int"},
      {R"({"type":"enum","name":"E","symbols":["A","B"]})", "\x02", text, "\"B\""},
      {R"({"type":"enum","name":"E","symbols":["A","B"]})", "\x04", text, "malformed v: symbol 2 of 2"},
      {R"("string")", "\x02\xff", text, "invalid_utf8 v: the string is not valid UTF-8"},
      {R"("bytes")", "\x02\xff", DataType(TypeKind::kBytes), "\"\xff\""},
      {R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})", "0123456789abcdef", text,
       "\"30313233-3435-3637-3839-616263646566\""},
      {R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})", "\x04\xff\x38", DataType::Decimal(9, 4),
       "-2.0000"},
      {R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":4})", "\x02\x01", DataType::Decimal(9, 2),
       "out_of_range v: the number is no DECIMAL(9, 2)"},
      {R"({"type":"fixed","name":"D","size":20,"logicalType":"decimal","precision":40,"scale":0})",
       std::string(19, '\xff') + "\xfe", DataType::Decimal(38, 0), "-2"},
      {R"({"type":"fixed","name":"D","size":20,"logicalType":"decimal","precision":40,"scale":0})",
       "\x01" + std::string(19, '\0'), DataType::Decimal(38, 0), "out_of_range v: the number is no DECIMAL(38, 0)"},
      {R"({"type":"long","logicalType":"time-micros"})", "\xd0\x0f", DataType(TypeKind::kTime), "00:00:00.001"},
      {R"({"type":"long","logicalType":"timestamp-micros"})", "\x01", DataType::Timestamp(3),
       "1969-12-31 23:59:59.999"},
      {R"({"type":"long","logicalType":"local-timestamp-millis"})", "\xd0\x0f", DataType::Timestamp(0),
       "1970-01-01 00:00:01.000"},
      {R"({"type":"long","logicalType":"timestamp-millis"})", "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
       DataType::Timestamp(9), "out_of_range v: 9223372036854775807 is no TIMESTAMP(9)"},
      {R"("long")", "\x02", DataType::Timestamp(3), "wrong_type v: expected TIMESTAMP(3), the schema has long"},
  };
  for (const Case& one : cases) {
    const auto schemas = std::make_shared<ListedSchemas>();
    const int32_t id =
        schemas->Add("s", R"({"type":"record","name":"R","fields":[{"name":"v","type":)" + one.schema + "}]}");
    // A writer without a record gives the only column.
    const int32_t bare_id = schemas->Add("s", one.schema);
    for (int32_t used : {id, bare_id}) {
      auto decoder = MakeRowDecoder("avro-confluent", Schema({{"v", one.column}}), Config(), ContextOf(schemas));
      ASSERT_TRUE(decoder.ok());
      CollectRejects rejects;
      const std::string bytes = WithId(used, one.body);
      const auto output = (*decoder)->Decode(std::vector<EncodedRow>{{bytes, 0}}, rejects);
      ASSERT_TRUE(output.ok()) << output.status().ToString();
      const std::string found = rejects.rows.empty() ? TextOf(*output->rows->column(0)) : rejects.Lines()[0];
      EXPECT_EQ(found, rejects.rows.empty() ? "[" + one.expected + "]" : one.expected) << one.schema;
    }
  }
}

TEST(AvroFormat, RefusesWhatIsNoMessage) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const int32_t id = schemas->Add("s", R"({"type":"record","name":"R","fields":[{"name":"v","type":"int"}]})");
  schemas->schemas.push_back({SchemaLanguage::kJson, "{}", {}});
  auto decoder =
      MakeRowDecoder("avro-confluent", Schema({{"v", DataType(TypeKind::kInt)}}), Config(), ContextOf(schemas));
  ASSERT_TRUE(decoder.ok());
  const std::string good = WithId(id, "\x02");
  const std::vector<std::string> messages = {"",
                                             "{}",
                                             WithId(id, ""),
                                             WithId(id, "\x02\x02"),
                                             WithId(9, "\x02"),
                                             WithId(2, "\x02"),
                                             good,
                                             WithId(id, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")};
  std::vector<EncodedRow> rows;
  for (const std::string& message : messages) rows.push_back({message, static_cast<int64_t>(rows.size())});
  CollectRejects rejects;
  const auto output = (*decoder)->Decode(rows, rejects);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->input_index, std::vector<int32_t>{6});
  EXPECT_EQ(rejects.Lines(),
            (std::vector<std::string>{"malformed : the message does not begin with a zero byte and the id of a schema",
                                      "malformed : the message does not begin with a zero byte and the id of a schema",
                                      "malformed v: the message ends too soon, or a length or number in it is wrong",
                                      "malformed : 1 bytes are left after the last field",
                                      "malformed : the registry has no schema with id 9",
                                      "malformed : schema 2 is none of Avro",
                                      "malformed v: the message ends too soon, or a length or number in it is wrong"}));
  // A registry out of reach is no fault of the row.
  schemas->failure = Status(kSchemaNotFound, "");
  auto fresh =
      MakeRowDecoder("avro-confluent", Schema({{"v", DataType(TypeKind::kInt)}}), Config(), ContextOf(schemas));
  schemas->failure = Status(kNetworkError, "refused");
  EXPECT_TRUE((*fresh)->Decode(std::vector<EncodedRow>{{good, 0}}, rejects).status().Is(kNetworkError));
  EXPECT_TRUE(MakeRowDecoder("avro-confluent", Schema(), Config(), FormatContext()).status().Is(kInvalidFormatOption));
}

TEST(AvroFormat, CountsAreBounded) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const Schema table({{"v", DataType::Array(DataType::Row({{"x", DataType(TypeKind::kInt)}}))}});
  const int32_t empty = schemas->Add("s", R"({"type":"record","name":"R","fields":[
      {"name":"v","type":{"type":"array","items":{"type":"record","name":"E","fields":[]}}}]})");
  const int32_t self = schemas->Add("s", R"({"type":"record","name":"R","fields":[
      {"name":"u","type":{"type":"record","name":"S","fields":[{"name":"s","type":"S"}]}}]})");
  auto decoder = MakeRowDecoder("avro-confluent", table, Config(), ContextOf(schemas));
  std::string many;
  AppendAvroLong(INT64_MAX, many);
  std::string negative;
  AppendAvroLong(INT64_MIN, negative);
  std::string some;
  AppendAvroLong(500'000, some);
  const std::vector<std::string> messages = {WithId(empty, many), WithId(empty, negative), WithId(empty, some),
                                             WithId(self, "")};
  std::vector<EncodedRow> rows;
  for (const std::string& message : messages) rows.push_back({message, 0});
  CollectRejects rejects;
  const auto output = (*decoder)->Decode(rows, rejects);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(rejects.Lines(),
            (std::vector<std::string>{"too_large v: more than 1000000 entries in arrays and maps",
                                      "malformed v: the message ends too soon, or a length or number in it is wrong",
                                      "too_large v: more than 10000 entries without bytes",
                                      "too_large : more than 256 values in each other"}));
}

// Bytes cut off, changed or made up give rows or rejects, never more.
TEST(AvroFormat, AnyBytesAreRowsOrRejects) {
  const auto schemas = std::make_shared<ListedSchemas>();
  auto encoder = MakeRowEncoder("avro-confluent", EveryType(), Config(), ContextOf(schemas));
  auto decoder = MakeRowDecoder("avro-confluent", EveryType(), Config(), ContextOf(schemas));
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE((*encoder)->Encode(EveryTypeRows(), bytes, ends).ok());
  Random random(7);
  std::vector<std::string> messages;
  for (int i = 0; i < 20'000; ++i) {
    const EncodedRow row = RowsOf(bytes, ends)[random.Uniform(3)];
    std::string message(row.bytes);
    for (uint64_t n = random.Uniform(4); n > 0; --n)
      message[5 + random.Uniform(message.size() - 5)] = static_cast<char>(random.Next());
    if (random.Uniform(3) == 0) message.resize(random.Uniform(message.size() + 1));
    messages.push_back(std::move(message));
  }
  std::vector<EncodedRow> rows;
  for (const std::string& message : messages) rows.push_back({message, static_cast<int64_t>(rows.size())});
  CollectRejects rejects;
  const auto output = (*decoder)->Decode(rows, rejects);
  ASSERT_TRUE(output.ok());
  EXPECT_TRUE(output->rows->ValidateFull().ok());
  EXPECT_EQ(output->input_index.size() + rejects.rows.size(), messages.size());
  EXPECT_GT(output->input_index.size(), 1000u);
  EXPECT_GT(rejects.rows.size(), 1000u);
}

TEST(AvroFormat, WritesWithAGivenSchema) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const Schema table({{"id", DataType(TypeKind::kInt, false)}, {"color", DataType(TypeKind::kString)}});
  const auto make = [&](const std::string& schema) {
    Config options;
    options.Set("schema", schema);
    return MakeRowEncoder("avro-confluent", table, options, ContextOf(schemas));
  };
  auto encoder = make(R"({"type":"record","name":"x.Paint","fields":[
      {"name":"color","type":[{"type":"enum","name":"C","symbols":["RED","BLUE"]},"null"]},
      {"name":"coats","type":"int","default":2},{"name":"id","type":"long"}]})");
  ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE((*encoder)->Encode(BatchOf(table, {"[5, 6]", R"(["BLUE", null])"}), bytes, ends).ok());
  EXPECT_EQ(bytes, WithId(1, std::string("\x00\x02\x04\x0a", 4)) + WithId(1, "\x02\x04\x0c"));
  ends.clear();
  const Status unknown = (*encoder)->Encode(BatchOf(table, {"[5]", R"(["GREEN"])"}), bytes, ends);
  EXPECT_NE(unknown.message().find("'GREEN' is no symbol"), std::string::npos);

  const std::pair<std::string, std::string> refused[] = {
      {R"({"type":"record","name":"R","fields":[{"name":"id","type":"long"}]})", "column 'color': not a field"},
      {R"({"type":"record","name":"R","fields":[{"name":"id","type":"long"},{"name":"color","type":"string"}]})",
       "column 'color': it can be NULL"},
      {R"({"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"color","type":["null","string"]}]})",
       "column 'id': INT NOT NULL can't be written as string"},
      {R"({"type":"record","name":"R","fields":[{"name":"id","type":"int"},{"name":"color","type":["null","string"]},
          {"name":"x","type":"int"}]})",
       "column 'x': the schema's field has no column and no default"},
      {R"("string")", "the schema of a table's rows is a record"}};
  const size_t registered = schemas->schemas.size();
  for (const auto& [schema, message] : refused) {
    const Status status = make(schema).status();
    EXPECT_NE(status.message().find(message), std::string::npos) << status.ToString();
  }
  EXPECT_EQ(schemas->schemas.size(), registered);
}

TEST(AvroFormat, SubjectsAndVersions) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const Schema table({{"id", DataType(TypeKind::kInt, false)}});
  FormatContext context = ContextOf(schemas);
  ASSERT_TRUE(MakeRowEncoder("avro-confluent", table, Config(), context).ok());
  context.is_key = true;
  ASSERT_TRUE(MakeRowEncoder("avro-confluent", table, Config(), context).ok());
  Config named;
  named.Set("subject", "mine");
  ASSERT_TRUE(MakeRowEncoder("avro-confluent", table, named, context).ok());
  EXPECT_EQ(schemas->latest, (std::map<std::string, int32_t>{{"orders-value", 1}, {"orders-key", 2}, {"mine", 3}}));

  Config fixed;
  fixed.Set("properties.auto.register.schemas", "false");
  EXPECT_TRUE(MakeRowEncoder("avro-confluent", table, fixed, context).ok());
  schemas->Add("orders-key", R"({"type":"record","name":"R","fields":[{"name":"id","type":"long"}]})");
  EXPECT_TRUE(MakeRowEncoder("avro-confluent", table, fixed, context).status().Is(kSchemaNotFound));
  fixed.Set("properties.use.latest.version", "true");
  auto latest = MakeRowEncoder("avro-confluent", table, fixed, context);
  ASSERT_TRUE(latest.ok());
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE((*latest)->Encode(BatchOf(table, {"[1]"}), bytes, ends).ok());
  EXPECT_EQ(bytes, WithId(4, "\x02"));
  context.topic = "";
  EXPECT_TRUE(MakeRowEncoder("avro-confluent", table, Config(), context).status().Is(kInvalidFormatOption));
  Config unknown;
  unknown.Set("properties.x", "y");
  EXPECT_TRUE(ValidateFormatOptions("avro-confluent", unknown).Is(kInvalidFormatOption));
}

TEST(ConfluentJsonFormat, HeaderThenJson) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const Schema table({{"id", DataType(TypeKind::kInt, false)},
                      {"to", DataType::Row({{"tags", DataType::Array(DataType(TypeKind::kString, false))}})}});
  auto encoder = MakeRowEncoder("json-schema-confluent", table, Config(), ContextOf(schemas));
  ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
  EXPECT_EQ(schemas->schemas[0].language, SchemaLanguage::kJson);
  EXPECT_EQ(schemas->schemas[0].text,
            R"({"$schema":"http://json-schema.org/draft-07/schema#","title":"record","type":"object",)"
            R"("additionalProperties":false,"properties":{"id":{"type":"integer"},"to":{"oneOf":[{"type":"null"},)"
            R"({"type":"object","additionalProperties":false,"properties":{"tags":{"oneOf":[{"type":"null"},)"
            R"({"type":"array","items":{"type":"string"}}]}}}]}},"required":["id"]})");
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE((*encoder)->Encode(BatchOf(table, {"[7, 8]", R"([{"tags": ["a"]}, null])"}), bytes, ends).ok());
  EXPECT_EQ(bytes, WithId(1, R"({"id":7,"to":{"tags":["a"]}})") + WithId(1, R"({"id":8,"to":null})"));

  auto decoder = MakeRowDecoder("json-schema-confluent", table, Config(), ContextOf(schemas));
  ASSERT_TRUE(decoder.ok());
  std::vector<EncodedRow> rows = RowsOf(bytes, ends);
  const std::string bad = WithId(1, R"({"id":"x"})");
  rows.insert(rows.begin(), {R"({"id":1})", 40});
  rows.insert(rows.begin() + 2, {bad, 41});
  CollectRejects rejects;
  (*decoder)->SetOrigin("t", 3);
  const auto output = (*decoder)->Decode(rows, rejects);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->input_index, (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(TextOf(*output->rows->column(0)), "[7, 8]");
  ASSERT_EQ(rejects.rows.size(), 2u);
  EXPECT_EQ(rejects.rows[0].offset, 40);
  EXPECT_EQ(rejects.rows[1].offset, 41);
  EXPECT_EQ(rejects.rows[1].raw, bad);
  EXPECT_EQ(rejects.rows[1].source, "t");
}

TEST(AvroFormat, ChangesOfDebeziumComeBackAsRows) {
  const auto schemas = std::make_shared<ListedSchemas>();
  auto encoder = MakeRowEncoder("debezium-avro-confluent", EveryType(), Config(), ContextOf(schemas));
  ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
  auto decoder = MakeRowDecoder("debezium-avro-confluent", EveryType(), Config(), ContextOf(schemas));
  ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
  Batch batch = EveryTypeRows();
  batch.row_kinds = ArrayOf(arrow::int8(), "[0, 3, 2]");
  for (const Batch& part : {batch, batch.Slice(1, 2)}) {
    std::string bytes;
    std::vector<size_t> ends;
    ASSERT_TRUE((*encoder)->Encode(part, bytes, ends).ok());
    std::vector<EncodedRow> messages = RowsOf(bytes, ends);
    messages.insert(messages.begin(), EncodedRow{"", 100});  // a tombstone
    CollectRejects rejects;
    const auto output = (*decoder)->Decode(messages, rejects);
    ASSERT_TRUE(output.ok()) << output.status().ToString();
    EXPECT_EQ(rejects.Lines(), std::vector<std::string>());
    ASSERT_TRUE(output->rows->ValidateFull().ok()) << output->rows->ValidateFull().ToString();
    EXPECT_TRUE(output->rows->Equals(*part.rows)) << output->rows->ToString();
    std::vector<int8_t> kinds = {0, 3, 0};  // +U is written as 'c'
    kinds.erase(kinds.begin(), kinds.begin() + (3 - part.num_rows()));
    EXPECT_EQ(output->row_kinds, kinds);
    EXPECT_EQ(output->input_index[0], 1);
  }
}

// What Confluent's converter registers for a table of PostgreSQL: times are plain integers with a name beside them.
TEST(AvroFormat, UpdatesOfDebeziumAndItsTimes) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const std::string value =
      R"({"type":"record","name":"Value","fields":[{"name":"id","type":"int"},{"name":"ts","type":["null",)"
      R"({"type":"long","connect.version":1,"connect.name":"io.debezium.time.MicroTimestamp"}],"default":null},)"
      R"({"name":"t","type":{"type":"int","connect.name":"io.debezium.time.Time"}}]})";
  const int32_t id = schemas->Add(
      "orders-value",
      R"({"type":"record","name":"Envelope","namespace":"shop","fields":[{"name":"before","type":["null",)" + value +
          R"(],"default":null},{"name":"after","type":["null","Value"],"default":null},)" +
          R"({"name":"source","type":{"type":"record","name":"Source","fields":[{"name":"db",)" +
          R"("type":"string"}]}},{"name":"op","type":"string"},{"name":"ts_ms","type":["null","long"]}]})");
  const Schema columns(
      {{"ts", DataType::Timestamp(6)}, {"id", DataType(TypeKind::kInt, false)}, {"t", DataType(TypeKind::kTime)}});
  auto decoder = MakeRowDecoder("debezium-avro-confluent", columns, Config(), ContextOf(schemas));
  ASSERT_TRUE(decoder.ok()) << decoder.status().ToString();
  const std::string before = std::string("\x02\x02\x02\x80\x89\x7a\x14", 7);  // id 1, ts 1000000 us, t 10 ms
  const std::string after = std::string("\x02\x04\x00\x16", 4);               // id 2, no ts, t 11 ms
  const std::string rest = std::string("\x02s\x02", 3);
  const std::vector<std::string> messages = {
      WithId(id, before + after + rest + "u" + std::string(1, '\0')),
      WithId(id, std::string(1, '\0') + after + rest + "u" + std::string(1, '\0')),
      WithId(id, before + std::string(1, '\0') + rest + "d" + std::string(1, '\0')),
      WithId(id, before + std::string(1, '\0') + rest + "?" + std::string(1, '\0'))};
  std::vector<EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  CollectRejects rejects;
  const auto output = (*decoder)->Decode(input, rejects);
  ASSERT_TRUE(output.ok()) << output.status().ToString();
  EXPECT_EQ(TextOf(*output->rows->column(0)), "[1970-01-01 00:00:01.000000, null, 1970-01-01 00:00:01.000000]");
  EXPECT_EQ(TextOf(*output->rows->column(1)), "[1, 2, 1]");
  EXPECT_EQ(TextOf(*output->rows->column(2)), "[00:00:00.010, 00:00:00.011, 00:00:00.010]");
  EXPECT_EQ(output->row_kinds, (std::vector<int8_t>{1, 2, 3}));
  EXPECT_EQ(output->input_index, (std::vector<int32_t>{0, 0, 2}));
  ASSERT_EQ(rejects.rows.size(), 2u);
  EXPECT_NE(rejects.rows[0].detail.find("REPLICA IDENTITY FULL"), std::string::npos);
  EXPECT_EQ(rejects.rows[0].offset, 1);
  EXPECT_EQ(rejects.rows[1].reason, RejectReason::kMalformed);
}

}  // namespace
}  // namespace tidemill
