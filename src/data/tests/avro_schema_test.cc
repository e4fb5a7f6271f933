#include "data/avro/avro_schema.h"

#include <gtest/gtest.h>

#include "data/errors.h"
#include "data/schema_compatibility.h"

namespace tidemill {
namespace {

ResolvedSchema AvroText(std::string text, std::vector<ResolvedSchema::Part> parts = {}) {
  return {SchemaLanguage::kAvro, std::move(text), std::move(parts)};
}

std::string CanonicalOf(std::string text) {
  const auto result = CanonicalSchema(AvroText(std::move(text)));
  return result.ok() ? *result : result.status().ToString();
}

// "KIND path" of each conflict.
std::vector<std::string> ConflictsOf(std::string reader, std::string writer) {
  const auto found = FindSchemaConflicts(AvroText(std::move(reader)), AvroText(std::move(writer)));
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  std::vector<std::string> out;
  if (!found.ok()) return out;
  for (const SchemaConflict& conflict : *found) {
    EXPECT_FALSE(conflict.message.empty());
    out.push_back(conflict.kind + " " + conflict.path);
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(AvroSchema, CanonicalTextIgnoresSpaceAndOrder) {
  const std::string a = CanonicalOf(R"({"type": "record", "name": "a.b.R", "doc": "d", "fields": [
      {"name": "x", "type": {"type": "int"}, "default": 3}, {"name": "y", "type": ["null", {"type": "long",
       "logicalType": "timestamp-millis"}], "default": null}, {"name": "again", "type": ["null", "R"]}]})");
  const std::string b = CanonicalOf(R"({"fields": [{"type": "int", "default": 3, "name": "x"},
      {"default": null, "name": "y", "type": ["null", {"logicalType": "timestamp-millis", "type": "long"}]},
      {"name": "again", "order": "ascending", "type": ["null", "a.b.R"]}],
      "namespace": "a.b", "doc": "d", "name": "R", "type": "record"})");
  EXPECT_EQ(a, b);
  EXPECT_EQ(
      a, R"({"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[{"name":"x","type":"int","default":3},)"
         R"({"name":"y","type":["null",{"type":"long","logicalType":"timestamp-millis"}],"default":null},)"
         R"({"name":"again","type":["null","a.b.R"]}]})");
  EXPECT_EQ(CanonicalOf(a), a);
  EXPECT_NE(CanonicalOf(R"({"type":"record","name":"R","namespace":"a.b","fields":[]})"), a);
  EXPECT_EQ(CanonicalOf(R"( {"items" : {"type":"string","b":1,"a":2},"type":"array"} )"),
            R"({"type":"array","items":{"type":"string","a":2,"b":1}})");
}

TEST(AvroSchema, ReferencesAreNamedNotRepeated) {
  const ResolvedSchema::Part part{"p.Address", R"({"type":"record","name":"p.Address","fields":[
      {"name":"street","type":"string"}]})"};
  const ResolvedSchema schema = AvroText(
      R"({"type":"record","name":"q.Order","fields":[{"name":"to","type":"p.Address"},{"name":"back","type":["null","p.Address"]}]})",
      {part});
  EXPECT_EQ(*CanonicalSchema(schema),
            R"({"type":"record","name":"Order","namespace":"q","fields":[{"name":"to","type":"p.Address"},)"
            R"({"name":"back","type":["null","p.Address"]}]})");
  const auto parsed = AvroSchema::Parse(schema);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ((*parsed)->root().fields[0].type->fields[0].name, "street");
  EXPECT_TRUE(CanonicalSchema(AvroText(schema.text)).status().Is(kInvalidSchema));
}

TEST(AvroSchema, DefaultsAreEncoded) {
  const auto parsed = AvroSchema::Parse(AvroText(R"({"type":"record","name":"R","fields":[
      {"name":"i","type":"int","default":-1}, {"name":"s","type":"string","default":"hé"},
      {"name":"b","type":"bytes","default":"\u00ff\u0001"}, {"name":"u","type":["null","string"],"default":"x"},
      {"name":"l","type":{"type":"array","items":"long"},"default":[1,2]},
      {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]},"default":"B"},
      {"name":"r","type":{"type":"record","name":"S","fields":[{"name":"x","type":"int","default":7},
         {"name":"y","type":"boolean"}]},"default":{"y":true}}]})"));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const auto& fields = (*parsed)->root().fields;
  const std::string expected[] = {
      std::string("\x01"),      std::string("\x06h\xc3\xa9"),       std::string("\x04\xff\x01"),
      std::string("\x02\x02x"), std::string("\x04\x02\x04\x00", 4), std::string("\x02"),
      std::string("\x0e\x01")};
  ASSERT_EQ(fields.size(), std::size(expected));
  for (size_t i = 0; i < fields.size(); ++i) EXPECT_EQ(fields[i].default_bytes, expected[i]) << fields[i].name;
}

TEST(AvroSchema, RefusesWithThePlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"{", "not JSON"},
      {"\"nothing\"", "no type is named 'nothing'"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]})", "/fields/1"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]})", "/fields/0/default"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"int","default":3000000000}]})", "is no int"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":["null","int"],"default":"x"}]})", "is no union"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array"}}]})", "/fields/0/type: "},
      {R"({"type":"record","name":"1R","fields":[]})", "/name: '1R' is no name"},
      {R"({"type":"record","name":"int","fields":[]})", "primitive"},
      {R"({"type":"record","name":"R"})", "'fields' is missing"},
      {R"({"type":"enum","name":"E","symbols":["A","A"]})", "/symbols/1"},
      {R"({"type":"enum","name":"E","symbols":["A"],"default":"B"})", "/default"},
      {R"({"type":"fixed","name":"F","size":-1})", "'size'"},
      {R"(["int","int"])", "/1: 'int' is in the union twice"},
      {R"(["int",["long"]])", "/1: a union directly in a union"},
      {"[]", "without a branch"},
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"R","size":1}}]})", "twice"},
      // Defaults that have no end, and that double at each level.
      {R"({"type":"record","name":"R","fields":[{"name":"a","type":"R","default":{}}]})", "default"},
  };
  for (const auto& [text, part] : cases) {
    const auto result = CanonicalSchema(AvroText(text));
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_TRUE(result.status().Is(kInvalidSchema)) << text;
    EXPECT_NE(result.status().message().find(part), std::string::npos) << result.status().message();
  }
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += R"({"type":"array","items":)";
  EXPECT_TRUE(CanonicalSchema(AvroText(deep)).status().Is(kInvalidSchema));
  std::string doubling = R"({"type":"record","name":"R0","fields":[{"name":"x","type":"int","default":0}]})";
  for (int i = 1; i < 30; ++i) {
    doubling = R"({"type":"record","name":"R)" + std::to_string(i) + R"(","fields":[{"name":"a","type":)" + doubling +
               R"(,"default":{}},{"name":"b","type":"R)" + std::to_string(i - 1) + R"(","default":{}}]})";
  }
  EXPECT_TRUE(CanonicalSchema(AvroText(doubling)).status().Is(kInvalidSchema));
  EXPECT_TRUE(CanonicalSchema(AvroText(std::string(2 << 20, ' '))).status().Is(kInvalidSchema));
}

TEST(AvroSchema, LogicalTypesThatDoNotFitAreNone) {
  const auto logical = [](std::string text) {
    const auto parsed = AvroSchema::Parse(AvroText(std::move(text)));
    EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
    return (*parsed)->root().logical;
  };
  EXPECT_EQ(logical(R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})"), AvroLogical::kDecimal);
  EXPECT_EQ(logical(R"({"type":"bytes","logicalType":"decimal","precision":2,"scale":9})"), AvroLogical::kNone);
  EXPECT_EQ(logical(R"({"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":9})"),
            AvroLogical::kDecimal);
  EXPECT_EQ(logical(R"({"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":10})"),
            AvroLogical::kNone);
  EXPECT_EQ(logical(R"({"type":"string","logicalType":"timestamp-millis"})"), AvroLogical::kNone);
  EXPECT_EQ(logical(R"({"type":"long","logicalType":"local-timestamp-micros"})"), AvroLogical::kLocalTimestampMicros);
}

TEST(AvroCompatibility, RecordsGainAndLoseFields) {
  const std::string one = R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"}]})";
  const std::string with_default =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]})";
  const std::string without_default =
      R"({"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]})";
  const std::string alias = R"({"type":"record","name":"R","fields":[{"name":"c","aliases":["a"],"type":"int"}]})";
  EXPECT_EQ(ConflictsOf(with_default, one), Names{});
  EXPECT_EQ(ConflictsOf(without_default, one), Names{"READER_FIELD_MISSING_DEFAULT_VALUE /fields/1"});
  EXPECT_EQ(ConflictsOf(one, without_default), Names{});
  EXPECT_EQ(ConflictsOf(alias, one), Names{});
  EXPECT_EQ(ConflictsOf(one, alias), Names{"READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"});
}

TEST(AvroCompatibility, PromotionsGoOneWay) {
  const Names types = {"int", "long", "float", "double", "string", "bytes", "boolean", "null"};
  const auto takes = [](const std::string& reader, const std::string& writer) {
    if (reader == writer) return true;
    const std::string numbers = "int long float double";
    const size_t r = numbers.find(reader), w = numbers.find(writer);
    if (r != std::string::npos && w != std::string::npos) return r > w;
    return (reader == "string" && writer == "bytes") || (reader == "bytes" && writer == "string");
  };
  for (const std::string& reader : types) {
    for (const std::string& writer : types) {
      const Names expected = takes(reader, writer) ? Names{} : Names{"TYPE_MISMATCH "};
      EXPECT_EQ(ConflictsOf('"' + reader + '"', '"' + writer + '"'), expected) << reader << " " << writer;
    }
  }
}

TEST(AvroCompatibility, NamesEnumsFixedAndUnions) {
  const auto enumeration = [](std::string name, std::string symbols, std::string more = "") {
    return R"({"type":"enum","name":")" + name + R"(","symbols":)" + symbols + more + "}";
  };
  EXPECT_EQ(ConflictsOf(enumeration("E", R"(["A"])"), enumeration("E", R"(["A","B"])")),
            Names{"MISSING_ENUM_SYMBOLS /symbols"});
  EXPECT_EQ(ConflictsOf(enumeration("E", R"(["A"])", R"(,"default":"A")"), enumeration("E", R"(["A","B"])")), Names{});
  EXPECT_EQ(ConflictsOf(enumeration("E", R"(["A"])"), enumeration("x.E", R"(["A"])")), Names{});
  EXPECT_EQ(ConflictsOf(enumeration("E", R"(["A"])"), enumeration("D", R"(["A"])")), Names{"NAME_MISMATCH /name"});
  EXPECT_EQ(ConflictsOf(enumeration("E", R"(["A"])", R"(,"aliases":["D"])"), enumeration("D", R"(["A"])")), Names{});
  EXPECT_EQ(ConflictsOf(R"({"type":"fixed","name":"F","size":4})", R"({"type":"fixed","name":"F","size":5})"),
            Names{"FIXED_SIZE_MISMATCH /size"});
  EXPECT_EQ(ConflictsOf(R"(["null","long"])", R"(["null","int"])"), Names{});
  EXPECT_EQ(ConflictsOf(R"(["null","int"])", R"(["null","int","string"])"), Names{"MISSING_UNION_BRANCH /2"});
  EXPECT_EQ(ConflictsOf(R"("int")", R"(["int","string"])"), Names{"TYPE_MISMATCH /1"});
  EXPECT_EQ(ConflictsOf(R"(["null","string"])", R"("string")"), Names{});
  EXPECT_EQ(ConflictsOf(R"({"type":"array","items":"int"})", R"({"type":"array","items":"long"})"),
            Names{"TYPE_MISMATCH /items"});
  EXPECT_EQ(ConflictsOf(R"({"type":"map","values":"int"})", R"({"type":"map","values":"long"})"),
            Names{"TYPE_MISMATCH /values"});
}

TEST(AvroCompatibility, TheDefaultOfAnEnumIsNoneOfAField) {
  EXPECT_EQ(
      ConflictsOf(
          R"({"type":"record","name":"R","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}}]})",
          R"({"type":"record","name":"R","fields":[]})"),
      Names{"READER_FIELD_MISSING_DEFAULT_VALUE /fields/0"});
}

TEST(AvroCompatibility, RecursiveRecords) {
  const auto tree = [](std::string value) {
    return R"({"type":"record","name":"T","fields":[{"name":"v","type":")" + value +
           R"("},{"name":"l","type":["null","T"]},{"name":"r","type":["null","T"]}]})";
  };
  EXPECT_EQ(ConflictsOf(tree("long"), tree("int")), Names{});
  EXPECT_EQ(ConflictsOf(tree("int"), tree("long")), Names{"TYPE_MISMATCH /fields/0/type"});
}

}  // namespace
}  // namespace tidemill
