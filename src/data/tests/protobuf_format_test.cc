#include <arrow/api.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/protobuf/protobuf_message.h"
#include "data/protobuf/protobuf_schema.h"
#include "data/protobuf/protobuf_table_schema.h"
#include "data/protobuf/protobuf_wire.h"
#include "data/tests/arrays.h"
#include "data/tests/collect_rejects.h"
#include "data/tests/listed_schemas.h"

namespace tidemill {
namespace {

namespace pb = google::protobuf;

// Messages made and read by Google's library.
class ProtobufPeer {
 public:
  explicit ProtobufPeer(const std::string& text, const std::string& message = "") {
    auto parsed = ProtobufSchema::Parse({SchemaLanguage::kProtobuf, text, {}});
    if (!parsed.ok()) CheckFailed(__FILE__, __LINE__, parsed.status().ToString().c_str());
    schema_ = *std::move(parsed);
    descriptor_ = *FindProtobufMessage(schema_->file(), message, false);
  }
  std::string Bytes(const std::string& text) {
    std::unique_ptr<pb::Message> message(factory_.GetPrototype(descriptor_)->New());
    TM_CHECK(pb::TextFormat::ParseFromString(text, message.get()));
    return message->SerializeAsString();
  }
  std::string Text(std::string_view bytes) {
    std::unique_ptr<pb::Message> message(factory_.GetPrototype(descriptor_)->New());
    if (!message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "no such message";
    return message->ShortDebugString();
  }

 private:
  std::unique_ptr<ProtobufSchema> schema_;
  const pb::Descriptor* descriptor_ = nullptr;
  pb::DynamicMessageFactory factory_;
};

Config WithSchema(const std::string& text, std::vector<std::pair<std::string, std::string>> more = {}) {
  Config options;
  options.Set("schema", text);
  for (const auto& [key, value] : more) options.Set(key, value);
  return options;
}

std::string DecodedProtobuf(const Schema& schema, const Config& options, const std::vector<std::string>& messages,
                            std::vector<std::string>* rejected = nullptr) {
  auto decoder = MakeProtobufDecoder(schema, options, {});
  if (!decoder.ok()) return decoder.status().ToString();
  std::vector<EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  CollectRejects rejects;
  auto output = (*decoder)->Decode(input, rejects);
  if (!output.ok()) return output.status().ToString();
  const arrow::Status valid = output->rows->ValidateFull();
  if (!valid.ok()) return valid.ToString();
  if (rejected != nullptr) {
    *rejected = rejects.Lines();
  } else if (!rejects.rows.empty()) {
    return rejects.Lines()[0];
  }
  std::string out;
  for (const auto& column : output->rows->columns()) out += (out.empty() ? "" : "; ") + TextOf(*column);
  return out;
}

constexpr char kScalars[] = R"(syntax = "proto3"; package p;
enum Color { RED = 0; GREEN = 1; FAR = 5000; NEGATIVE = -1; }
message M {
  bool b = 1; int32 i32 = 2; int64 i64 = 3; uint32 u32 = 4; uint64 u64 = 5; sint32 s32 = 6; sint64 s64 = 7;
  fixed32 f32 = 8; fixed64 f64 = 9; sfixed32 sf32 = 10; sfixed64 sf64 = 11; float f = 12; double d = 13;
  string s = 14; bytes y = 15; Color e = 2000; optional int32 o = 17; optional string os = 18;
})";

const Schema& Scalars() {
  static const Schema kSchema({{"b", DataType(TypeKind::kBoolean)},
                               {"i32", DataType(TypeKind::kInt, false)},
                               {"i64", DataType(TypeKind::kBigInt)},
                               {"u32", DataType(TypeKind::kBigInt)},
                               {"u64", DataType::Decimal(20, 0)},
                               {"s32", DataType(TypeKind::kInt)},
                               {"s64", DataType(TypeKind::kBigInt)},
                               {"f32", DataType(TypeKind::kBigInt)},
                               {"f64", DataType(TypeKind::kBigInt)},
                               {"sf32", DataType(TypeKind::kInt)},
                               {"sf64", DataType(TypeKind::kBigInt)},
                               {"f", DataType(TypeKind::kFloat)},
                               {"d", DataType(TypeKind::kDouble)},
                               {"s", DataType(TypeKind::kString)},
                               {"y", DataType(TypeKind::kBytes)},
                               {"e", DataType(TypeKind::kString)},
                               {"o", DataType(TypeKind::kInt)},
                               {"os", DataType(TypeKind::kString)}});
  return kSchema;
}

TEST(ProtobufFormat, ScalarsOfGooglesLibrary) {
  ProtobufPeer peer(kScalars);
  const std::string text =
      "b: true i32: -5 i64: -9223372036854775808 u32: 4294967295 u64: 18446744073709551615 s32: -2147483648 "
      "s64: -9223372036854775808 f32: 4000000000 f64: 9223372036854775807 sf32: -7 sf64: -8 f: 1.5 d: -2.25 s: 'é' "
      "y: 'xyz' e: FAR o: 0 os: ''";
  EXPECT_EQ(DecodedProtobuf(Scalars(), WithSchema(kScalars), {peer.Bytes(text), "", peer.Bytes("e: NEGATIVE o: 7")}),
            "[true, false, false]; [-5, 0, 0]; [-9223372036854775808, 0, 0]; [4294967295, 0, 0]; "
            "[18446744073709551615, 0, 0]; [-2147483648, 0, 0]; [-9223372036854775808, 0, 0]; [4000000000, 0, 0]; "
            "[9223372036854775807, 0, 0]; [-7, 0, 0]; [-8, 0, 0]; [1.5, 0, 0]; [-2.25, 0, 0]; [\"é\", \"\", \"\"]; "
            "[\"xyz\", \"\", \"\"]; [\"FAR\", \"RED\", \"NEGATIVE\"]; [0, null, 7]; [\"\", null, null]");
}

TEST(ProtobufFormat, DefaultsOfProto2) {
  const std::string text = R"(message M { optional int32 a = 1 [default = -4]; optional string s = 2 [default = "x"];
      optional E e = 3 [default = TWO]; optional In in = 4; repeated int32 l = 5; enum E { ONE = 1; TWO = 2; }
      message In { optional double d = 1 [default = 0.5]; } })";
  const Schema schema({{"a", DataType(TypeKind::kInt)},
                       {"s", DataType(TypeKind::kString)},
                       {"e", DataType(TypeKind::kString)},
                       {"in", DataType::Row({{"d", DataType(TypeKind::kDouble)}})},
                       {"l", DataType::Array(DataType(TypeKind::kInt))}});
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(text, {{"message-name", "M"}}), {""}),
            "[null]; [null]; [null]; [null]; [null]");
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(text, {{"read-default-values", "true"}}), {""}),
            "[-4]; [\"x\"]; [\"TWO\"]; [{d:double = 0.5}]; [list<element: int32>[]]");
  // A number that a closed enum does not have is as if it had not come.
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(text), {std::string("\x18\x09", 2)}),
            "[null]; [null]; [null]; [null]; [null]");
}

constexpr char kNested[] = R"(syntax = "proto3"; import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto"; import "google/type/date.proto";
import "google/type/timeofday.proto"; import "confluent/type/decimal.proto";
message M {
  message In { int64 x = 1; repeated string l = 2; In next = 3; }
  In in = 1; repeated In ins = 2; repeated sint32 packed = 3; repeated int32 loose = 4 [packed = false];
  map<string, In> m = 5; map<int32, double> n = 6;
  oneof choice { string text = 7; int32 number = 8; In part = 9; bool other = 10; }
  google.protobuf.Timestamp t = 11; google.protobuf.Int64Value w = 12; google.type.Date day = 13;
  google.type.TimeOfDay clock = 14; confluent.type.Decimal dec = 15; google.protobuf.StringValue ws = 16;
})";

DataType InRow() {
  return DataType::Row({{"x", DataType(TypeKind::kBigInt)}, {"l", DataType::Array(DataType(TypeKind::kString))}});
}

const Schema& Nested() {
  static const Schema kSchema({{"in", InRow()},
                               {"ins", DataType::Array(InRow())},
                               {"packed", DataType::Array(DataType(TypeKind::kInt))},
                               {"loose", DataType::Array(DataType(TypeKind::kInt))},
                               {"m", DataType::Map(DataType(TypeKind::kString, false), InRow())},
                               {"n", DataType::Map(DataType(TypeKind::kInt, false), DataType(TypeKind::kDouble))},
                               {"text", DataType(TypeKind::kString)},
                               {"number", DataType(TypeKind::kInt)},
                               {"part", InRow()},
                               {"t", DataType::TimestampLtz(6)},
                               {"w", DataType(TypeKind::kBigInt)},
                               {"day", DataType(TypeKind::kDate)},
                               {"clock", DataType(TypeKind::kTime)},
                               {"dec", DataType::Decimal(10, 2)},
                               {"ws", DataType(TypeKind::kString)}});
  return kSchema;
}

// What Google's library wrote, read, written again: it reads the same.
TEST(ProtobufFormat, NestedValuesComeBackThroughGooglesLibrary) {
  ProtobufPeer peer(kNested, "M");
  const std::vector<std::string> texts = {
      "in { x: 1 l: 'a' l: 'b' } ins { x: 2 } ins { l: 'c' } packed: 1 packed: -2 loose: 3 loose: 4 "
      "m { key: 'k' value { x: 5 l: 'z' } } n { key: -1 value: 0.5 } part { x: 7 } t { seconds: -1 nanos: 5000 } w { "
      "value: 9 } "
      "day { year: 2026 month: 2 day: 28 } clock { hours: 23 minutes: 59 seconds: 58 nanos: 7000000 } "
      "dec { value: '\\xff\\x38' precision: 10 scale: 2 } ws { value: 'é' }",
      "",
      "text: 'x' in { } ins { } w { } m { } n { }",
      "number: 0 t { } ws { }",
  };
  std::vector<std::string> messages;
  for (const std::string& text : texts) messages.push_back(peer.Bytes(text));
  auto decoder = *MakeProtobufDecoder(Nested(), WithSchema(kNested), {});
  std::vector<EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  CollectRejects rejects;
  auto output = decoder->Decode(input, rejects);
  ASSERT_TRUE(output.ok());
  ASSERT_TRUE(output->rows->ValidateFull().ok());
  EXPECT_EQ(rejects.Lines(), std::vector<std::string>());
  EXPECT_EQ(TextOf(*output->rows->column(13)), "[-2.00, null, null, null]");
  EXPECT_EQ(TextOf(*output->rows->column(10)), "[9, null, 0, null]");
  EXPECT_EQ(TextOf(*output->rows->column(6)), "[null, null, \"x\", null]");
  EXPECT_EQ(TextOf(*output->rows->column(7)), "[null, null, null, 0]");
  auto encoder = *MakeProtobufEncoder(Nested(), WithSchema(kNested), {});
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE(encoder->Encode({output->rows, nullptr, 0}, bytes, ends).ok());
  const auto rows = RowsOf(bytes, ends);
  ASSERT_EQ(rows.size(), messages.size());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(peer.Text(rows[i].bytes), peer.Text(messages[i]));
  // A slice has offsets of its own.
  bytes.clear();
  ASSERT_TRUE(encoder->Encode({output->rows->Slice(2), nullptr, 0}, bytes, ends).ok());
  EXPECT_EQ(peer.Text(RowsOf(bytes, ends)[0].bytes), peer.Text(messages[2]));
}

TEST(ProtobufFormat, PartsOfOneMessageAddUp) {
  ProtobufPeer peer(kNested, "M");
  // A later member of a oneof undoes an earlier one, also one that no column reads.
  const std::string both = peer.Bytes("text: 'a'") + peer.Bytes("number: 1");
  const std::string undone = peer.Bytes("text: 'a'") + peer.Bytes("other: true");
  const std::string parts = peer.Bytes("in { x: 1 l: 'a' }") + peer.Bytes("in { l: 'b' }") + peer.Bytes("in { x: 2 }");
  const std::string part = peer.Bytes("part { x: 1 l: 'a' }") + peer.Bytes("number: 1") + peer.Bytes("part { l: 'b' }");
  const Schema schema({{"in", InRow()},
                       {"text", DataType(TypeKind::kString)},
                       {"number", DataType(TypeKind::kInt)},
                       {"part", InRow()}});
  auto decoder = *MakeProtobufDecoder(schema, WithSchema(kNested), {});
  const std::vector<EncodedRow> input = {{both, 0}, {undone, 1}, {parts, 2}, {part, 3}};
  CollectRejects rejects;
  auto output = decoder->Decode(input, rejects);
  ASSERT_TRUE(output.ok() && output->rows->ValidateFull().ok());
  const auto row = ToArrow(InRow());
  EXPECT_TRUE(output->rows->column(0)->Equals(ArrayOf(row, R"([null, null, {"x": 2, "l": ["a", "b"]}, null])")));
  EXPECT_EQ(TextOf(*output->rows->column(1)), "[null, null, null, null]");
  EXPECT_EQ(TextOf(*output->rows->column(2)), "[1, null, null, null]");
  EXPECT_TRUE(output->rows->column(3)->Equals(ArrayOf(row, R"([null, null, null, {"x": 0, "l": ["b"]}])")));
}

TEST(ProtobufFormat, PackedOrNotAndSkipped) {
  ProtobufPeer peer(kNested, "M");
  const Schema schema({{"packed", DataType::Array(DataType(TypeKind::kBigInt), false)},
                       {"loose", DataType::Array(DataType(TypeKind::kInt))}});
  // Each in the other's way, and mixed; then with unknown fields of every wire type, groups in groups too.
  const std::string mixed = std::string("\x18\x01\x1A\x02\x03\x04\x18\x06\x22\x02\x05\x06", 12);
  const std::string unknown = std::string(
      "\xA0\x06\x07\xA1\x06"
      "12345678"
      "\xA2\x06\x01x\xA5\x06"
      "1234"
      "\xA3\x06\xAB\x06\x08\x01\xAC\x06\xA4\x06",
      33);
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(kNested), {mixed, unknown, unknown + mixed}),
            "[list<element: int64>[-1, -2, 2, 3], list<element: int64>[], "
            "list<element: int64>[-1, -2, 2, 3]]; [list<element: int32>[5, 6], null, list<element: int32>[5, 6]]");
}

TEST(ProtobufFormat, RejectsSayWhy) {
  ProtobufPeer peer(kScalars);
  const Schema schema({{"i32", DataType(TypeKind::kTinyInt)},
                       {"s", DataType(TypeKind::kString)},
                       {"u64", DataType(TypeKind::kBigInt)},
                       {"o", DataType(TypeKind::kInt, false)}});
  const std::vector<std::string> bad = {peer.Bytes("i32: 128 o: 1"),
                                        "r\x01\xff" + peer.Bytes("o: 1"),
                                        peer.Bytes("u64: 18446744073709551615 o: 1"),
                                        peer.Bytes("i32: 1"),
                                        "\x10",
                                        std::string("\x02\x00", 2),
                                        "\x0C",
                                        "\x0B",
                                        "r\x7fxx",
                                        std::string(11, '\xff'),
                                        "\x0E"};
  std::vector<std::string> rejected;
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(kScalars), bad, &rejected), "[]; []; []; []");
  const std::string broken = "malformed : the message ends too soon, or a length, number or type in it is wrong";
  EXPECT_EQ(rejected,
            (std::vector<std::string>{
                "out_of_range i32: 128 is no TINYINT", "invalid_utf8 s: the string is not valid UTF-8",
                "out_of_range u64: 18446744073709551615 is no BIGINT", "missing_field o: the field is missing", broken,
                broken, broken, broken, broken, broken, broken}));
  // Nested groups are skipped so deep and no deeper.
  for (const int depth : {100, 101}) {
    std::string groups;
    for (int i = 0; i < depth; ++i) groups += "\xA3\x06";
    for (int i = 0; i < depth; ++i) groups += "\xA4\x06";
    rejected.clear();
    DecodedProtobuf(schema, WithSchema(kScalars), {groups + peer.Bytes("o: 1")}, &rejected);
    EXPECT_EQ(rejected.size(), depth == 100 ? 0U : 1U);
  }
  std::vector<std::string> ignored;
  EXPECT_EQ(DecodedProtobuf(schema, WithSchema(kScalars, {{"ignore-parse-errors", "true"}}),
                            {bad[0], bad[1], bad[2], bad[3], bad[4]}, &ignored),
            "[null, 0, 0]; [\"\", null, \"\"]; [0, 0, null]; [1, 1, 1]");
  EXPECT_EQ(ignored.size(), 2U);
}

TEST(ProtobufFormat, RefusedSchemasAndColumns) {
  const auto why = [](const Schema& schema, const Config& options, bool write = false) {
    const Status status =
        write ? MakeProtobufEncoder(schema, options, {}).status() : MakeProtobufDecoder(schema, options, {}).status();
    return status.ok() ? std::string() : status.message();
  };
  const Schema a({{"a", DataType(TypeKind::kInt)}});
  EXPECT_EQ(
      why(a, Config()),
      "format 'protobuf' needs 'protobuf.schema' (the text of a .proto file) or 'protobuf.schema-file', one of them");
  EXPECT_EQ(why(a, WithSchema("message M {}")), "format 'protobuf': column 'a' is no field of 'M'");
  EXPECT_EQ(why(a, WithSchema("message M { optional string a = 1; }")),
            "format 'protobuf': column 'a' is INT, the field is string");
  EXPECT_EQ(why(a, WithSchema("message M { repeated int32 a = 1; }")),
            "format 'protobuf': column 'a' is INT, the field is repeated int32");
  EXPECT_EQ(why(a, WithSchema("message M { optional group A = 1 { } }")),
            "format 'protobuf': column 'a' is INT, the field is M.A");
  EXPECT_EQ(why(a, WithSchema("message M {} message N {}")), "'message-name' is missing");
  EXPECT_EQ(why(a, WithSchema("message M {} message N {}", {{"message-name", "O"}})),
            "'message-name' = 'O': the schema has no such message");
  EXPECT_EQ(
      why(a, WithSchema("message M {} message N { optional int32 a = 1; }", {{"message-class-name", "org.x.Out$N"}})),
      "");
  EXPECT_EQ(why(a, WithSchema("message M { required int32 a = 1; required int32 b = 2; }"), true),
            "column 'b': the schema's required field has no column");
  EXPECT_EQ(why(a, WithSchema("message M { optional int64 b = 2; }"), true), "column 'a': not a field of 'M'");
  const Schema big({{"a", DataType(TypeKind::kBigInt)}});
  EXPECT_EQ(why(big, WithSchema("message M { optional int32 a = 1; }"), true),
            "column 'a': BIGINT can't be written as int32");
  EXPECT_EQ(ProtobufSchemaOfTable(Schema({{"a", DataType::Array(DataType::Array(DataType(TypeKind::kInt)))}}), "t")
                .status()
                .message(),
            "column 'a[]' is ARRAY<INT>: Protobuf has lists and maps only as fields: put a ROW around it");
  EXPECT_EQ(ProtobufSchemaOfTable(Schema({{"a b", DataType(TypeKind::kInt)}}), "t").status().message(),
            "column 'a b': Protobuf's names are letters, digits and '_', no digit first");
}

TEST(ProtobufFormat, MessagesOfAFileSet) {
  const auto parsed = ProtobufSchema::Parse(
      {SchemaLanguage::kProtobuf, "message M { message A {} message B { message C {} } } message N {}", {}});
  ASSERT_TRUE(parsed.ok());
  const auto& file = (*parsed)->file();
  for (const auto& [name, bytes] :
       std::vector<std::pair<std::string, std::string>>{{"M", std::string("\0", 1)},
                                                        {"N", "\x02\x02"},
                                                        {"M.A", std::string("\x04\0\0", 3)},
                                                        {"M.B.C", std::string("\x06\0\x02\0", 4)}}) {
    const auto* message = *FindProtobufMessage(file, name, false);
    EXPECT_EQ(ProtobufMessageIndexes(*message), bytes);
    std::string_view rest = bytes;
    std::vector<int> indexes;
    ASSERT_TRUE(ReadProtobufMessageIndexes(rest, indexes));
    EXPECT_EQ(ProtobufMessageAt(file, indexes), message);
    EXPECT_TRUE(rest.empty());
  }
  for (const std::string& bad : {std::string(), std::string("\x02"), std::string("\x01"), std::string("\xff\x01")}) {
    std::string_view rest = bad;
    std::vector<int> indexes;
    EXPECT_FALSE(ReadProtobufMessageIndexes(rest, indexes)) << bad.size();
  }
}

TEST(ConfluentProtobufFormat, EveryTypeOfATableComesBack) {
  const Schema schema(
      {{"b", DataType(TypeKind::kBoolean)},
       {"i8", DataType(TypeKind::kTinyInt)},
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
       {"t9", DataType::TimestampLtz(9)},
       {"list", DataType::Array(DataType(TypeKind::kInt))},
       {"map", DataType::Map(DataType(TypeKind::kString, false), DataType(TypeKind::kBigInt))},
       {"row", DataType::Row({{"x", DataType(TypeKind::kInt)},
                              {"l", DataType::Array(DataType::Row({{"z", DataType(TypeKind::kString)}}))}})}});
  const Batch batch = BatchOf(
      schema, {"[true, false, null]", "[-128, 127, null]", "[1, -2147483648, 0]",
               "[9223372036854775807, -9223372036854775808, null]", "[1.5, -2.25, null]", "[0.1, -1e300, 0]",
               R"(["-12345678901234567.890", "0.001", null])", R"(["ab", "é😀", null])", R"(["", "xyz", null])",
               "[0, -719162, null]", "[0, 86399999, null]", "[1700000000123, -1, null]",
               "[1700000000123456789, -1, null]", "[[1, 3], [7], null]", R"([[["a", 1], ["b", 2]], [["", 0]], null])",
               R"([{"x": 1, "l": [{"z": "p"}, {"z": null}]}, {"x": null, "l": null}, null])"});
  const auto schemas = std::make_shared<ListedSchemas>();
  const FormatContext context = ContextOf(schemas);
  auto encoder = MakeConfluentProtobufEncoder(schema, Config(), context);
  ASSERT_TRUE(encoder.ok()) << encoder.status().ToString();
  EXPECT_EQ(schemas->latest["orders-value"], 1);
  EXPECT_NE(schemas->schemas[0].text.find("message orders_value {"), std::string::npos) << schemas->schemas[0].text;
  EXPECT_NE(schemas->schemas[0].text.find("optional bool b = 1;"), std::string::npos) << schemas->schemas[0].text;
  std::string bytes;
  std::vector<size_t> ends;
  ASSERT_TRUE((*encoder)->Encode(batch, bytes, ends).ok());
  EXPECT_EQ(bytes.substr(0, 6), std::string("\0\0\0\0\1\0", 6));
  auto decoder = *MakeConfluentProtobufDecoder(schema, Config(), context);
  CollectRejects rejects;
  auto output = decoder->Decode(RowsOf(bytes, ends), rejects);
  ASSERT_TRUE(output.ok() && output->rows->ValidateFull().ok());
  EXPECT_EQ(rejects.Lines(), std::vector<std::string>());
  EXPECT_TRUE(output->rows->Equals(*batch.rows)) << output->rows->ToString();
}

TEST(ConfluentProtobufFormat, SchemasChangeOnTheWay) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const FormatContext context = ContextOf(schemas);
  const std::vector<std::string> texts = {
      R"(syntax = "proto3"; message Other {} message R { int64 id = 1; int32 old = 2; string gone = 3; })",
      R"(syntax = "proto3"; message Other {} message R { int64 id = 1; int32 old = 2; optional string note = 4; })",
      R"(syntax = "proto3"; message Other {} message R { int64 id = 1; int64 renamed = 2; optional string note = 4; int32 more = 5; })"};
  const std::vector<std::string> values = {"id: 1 old: 10 gone: 'x'", "id: 2 old: 20 note: 'b'",
                                           "id: 3 renamed: 30 more: 7"};
  std::vector<std::string> messages;
  for (size_t i = 0; i < texts.size(); ++i) {
    const int32_t id = schemas->Add("orders-value", texts[i], SchemaLanguage::kProtobuf);
    messages.push_back(WithId(id, "\x02\x02" + ProtobufPeer(texts[i], "R").Bytes(values[i])));
  }
  messages.push_back(WithId(9, std::string("\0", 1)));
  messages.push_back(WithId(1, "\x02\x06"));
  messages.push_back("x");
  const Schema schema({{"id", DataType(TypeKind::kDouble, false)},
                       {"renamed", DataType(TypeKind::kBigInt)},
                       {"note", DataType(TypeKind::kString)},
                       {"more", DataType(TypeKind::kBigInt)},
                       {"never", DataType(TypeKind::kInt)}});
  auto decoder = *MakeConfluentProtobufDecoder(schema, Config(), context);
  std::vector<EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  CollectRejects rejects;
  auto output = decoder->Decode(input, rejects);
  ASSERT_TRUE(output.ok());
  std::string text;
  for (const auto& column : output->rows->columns()) text += TextOf(*column) + "; ";
  EXPECT_EQ(text, "[1, 2, 3]; [10, 20, 30]; [null, \"b\", null]; [0, 0, 7]; [null, null, null]; ");
  EXPECT_EQ(rejects.Lines(),
            (std::vector<std::string>{
                "malformed : the registry has no schema with id 9", "malformed : schema 1 has no message at place 3",
                "malformed : the message does not begin with a zero byte and the id of a schema"}));
}

TEST(ConfluentProtobufFormat, WritesAGivenSchema) {
  const auto schemas = std::make_shared<ListedSchemas>();
  const FormatContext context = ContextOf(schemas);
  const std::string text =
      R"(syntax = "proto3"; message A {} message B { enum E { NONE = 0; ONE = 1; } E e = 3; uint32 u = 1;
      oneof o { string s = 2; int32 i = 4; } repeated string l = 5; repeated E es = 6; })";
  const Schema schema({{"i", DataType(TypeKind::kInt)},
                       {"e", DataType(TypeKind::kString)},
                       {"s", DataType(TypeKind::kString)},
                       {"u", DataType(TypeKind::kBigInt)},
                       {"l", DataType::Array(DataType(TypeKind::kString))},
                       {"es", DataType::Array(DataType(TypeKind::kString))}});
  Config options;
  options.Set("schema", text);
  options.Set("message-name", "B");
  options.Set("write-null-string-literal", "-");
  auto encoder = *MakeConfluentProtobufEncoder(schema, options, context);
  std::string bytes;
  std::vector<size_t> ends;
  const auto encoded =
      encoder->Encode(BatchOf(schema, {"[0, 5]", R"(["ONE", "NONE"])", R"([null, "x"])", "[4294967295, 0]",
                                       R"([["a", null], null])", R"([["ONE", null], []])"}),
                      bytes, ends);
  ASSERT_TRUE(encoded.ok()) << encoded.ToString();
  const auto rows = RowsOf(bytes, ends);
  ProtobufPeer peer(text, "B");
  EXPECT_EQ(rows[0].bytes.substr(0, 7), std::string("\0\0\0\0\1\x02\x02", 7));
  EXPECT_EQ(peer.Text(rows[0].bytes.substr(7)), R"(u: 4294967295 e: ONE i: 0 l: "a" l: "-" es: ONE es: NONE)");
  EXPECT_EQ(peer.Text(rows[1].bytes.substr(7)), R"(s: "x")");
  EXPECT_EQ(encoder->Encode(BatchOf(schema, {"[0]", R"(["TWO"])", "[null]", "[0]", "[null]", "[null]"}), bytes, ends)
                .message(),
            "column 'e': 'TWO' is no value of the schema's enum");
  EXPECT_EQ(encoder->Encode(BatchOf(schema, {"[0]", R"(["ONE"])", "[null]", "[-1]", "[null]", "[null]"}), bytes, ends)
                .message(),
            "column 'u': -1 has no place in the schema's unsigned number");
}

// Any cut and any changed byte of a message is a row or a reject, never more.
TEST(ProtobufFormat, AnyBytesAreARowOrAReject) {
  ProtobufPeer peer(kNested, "M");
  const std::string good = peer.Bytes(
      "in { x: 1 l: 'a' l: 'b' } ins { x: 2 } ins { l: 'c' } packed: 1 packed: -2 loose: 3 m { key: 'k' value { x: 5 } "
      "} "
      "n { key: -1 value: 0.5 } part { x: 7 } t { seconds: 1 nanos: 5000 } w { value: 9 } ws { value: 'x' }");
  Random random(20'260'122);
  std::vector<std::string> messages;
  for (size_t i = 0; i <= good.size(); ++i) messages.push_back(good.substr(0, i));
  for (int i = 0; i < 3000; ++i) {
    std::string changed = good;
    for (uint64_t n = random.Uniform(3); n != UINT64_MAX; --n)
      changed[random.Uniform(changed.size())] = static_cast<char>(random.Uniform(256));
    messages.push_back(std::move(changed));
  }
  auto decoder = *MakeProtobufDecoder(Nested(), WithSchema(kNested), {});
  std::vector<EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  CollectRejects rejects;
  auto output = decoder->Decode(input, rejects);
  ASSERT_TRUE(output.ok() && output->rows->ValidateFull().ok());
  EXPECT_EQ(output->input_index.size() + rejects.rows.size(), input.size());
  EXPECT_GT(output->input_index.size(), 0U);
  EXPECT_GT(rejects.rows.size(), 0U);
}

}  // namespace
}  // namespace tidemill
