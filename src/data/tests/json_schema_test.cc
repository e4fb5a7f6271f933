#include <gtest/gtest.h>

#include "base/errors.h"
#include "data/errors.h"
#include "data/schema_compatibility.h"

namespace tidemill {
namespace {

ResolvedSchema JsonText(std::string text, std::vector<ResolvedSchema::Part> parts = {}) {
  return {SchemaLanguage::kJson, std::move(text), std::move(parts)};
}

// Kinds of conflicts, in order; "?" and the message for a schema that is none.
std::string JsonKinds(const ResolvedSchema& reader, const ResolvedSchema& writer) {
  const auto conflicts = FindSchemaConflicts(reader, writer);
  if (!conflicts.ok()) return "?" + conflicts.status().message();
  std::string kinds;
  for (const SchemaConflict& conflict : *conflicts) kinds += (kinds.empty() ? "" : " ") + conflict.kind;
  return kinds;
}

struct JsonCase {
  const char* reader;
  const char* writer;
  const char* kinds;
};

TEST(JsonSchemaTest, ConflictsByConfluentsRules) {
  const JsonCase cases[] = {
      {R"({"type":"string"})", R"({"type":"string"})", ""},
      {R"({"type":["string","null"]})", R"({"type":"string"})", ""},
      {R"({"type":"string"})", R"({"type":["string","null"]})", "TYPE_NARROWED"},
      {R"({"type":"number"})", R"({"type":"integer"})", ""},
      {R"({"type":"integer"})", R"({"type":"number"})", "TYPE_NARROWED"},
      {R"({"type":"string"})", R"({"type":"integer"})", "TYPE_CHANGED"},
      {R"({})", R"({"type":"integer"})", ""},
      {R"({"type":"integer"})", R"({})", "TYPE_NARROWED"},
      {"true", R"({"type":"integer"})", ""},
      {"false", R"({"type":"integer"})", "TYPE_CHANGED"},
      // Open, closed and partly open content models.
      {R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}})",
       R"({"type":"object","properties":{"a":{"type":"string"}}})", "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"},
      {R"({"type":"object","properties":{"a":{"type":"string"},"b":{}}})",
       R"({"type":"object","properties":{"a":{"type":"string"}}})", ""},
      {R"({"type":"object","properties":{"a":{"type":"string"}}})",
       R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}})", ""},
      {R"({"type":"object","properties":{"a":{},"b":{"type":"string"}},"additionalProperties":false})",
       R"({"type":"object","properties":{"a":{}},"additionalProperties":false})", ""},
      {R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
       R"({"type":"object","properties":{"a":{},"b":{"type":"string"}},"additionalProperties":false})",
       "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"},
      {R"({"type":"object","properties":{"b":{"type":"string"}},"required":["b"],"additionalProperties":false})",
       R"({"type":"object","properties":{},"additionalProperties":false})",
       "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL"},
      {R"({"type":"object","properties":{"b":{"type":"string","default":""}},"required":["b"],)"
       R"("additionalProperties":false})",
       R"({"type":"object","properties":{},"additionalProperties":false})", ""},
      {R"({"type":"object","properties":{"b":{"type":"integer"}},"additionalProperties":{"type":"string"}})",
       R"({"type":"object","additionalProperties":{"type":"string"}})",
       "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"},
      {R"({"type":"object","additionalProperties":{"type":"string"}})",
       R"({"type":"object","properties":{"b":{"type":"integer"}},"additionalProperties":{"type":"string"}})",
       "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL"},
      {R"({"type":"object","additionalProperties":false})", R"({"type":"object"})", "ADDITIONAL_PROPERTIES_REMOVED"},
      {R"({"type":"object","additionalProperties":{"type":"string"}})", R"({"type":"object"})",
       "ADDITIONAL_PROPERTIES_NARROWED"},
      {R"({"type":"object","properties":{"a":{}},"required":["a"]})", R"({"type":"object","properties":{"a":{}}})",
       "REQUIRED_ATTRIBUTE_ADDED"},
      {R"({"type":"object","properties":{"a":{}}})", R"({"type":"object","properties":{"a":{}},"required":["a"]})", ""},
      // Enumerations and bounds.
      {R"({"enum":["a","b"]})", R"({"enum":["a"]})", ""},
      {R"({"enum":["a"]})", R"({"enum":["a","b"]})", "ENUM_ARRAY_NARROWED"},
      {R"({"enum":["a","c"]})", R"({"enum":["a","b"]})", "ENUM_ARRAY_CHANGED"},
      {R"({"type":"string"})", R"({"enum":["a","b"]})", ""},
      {R"({"type":"string","maxLength":5})", R"({"type":"string"})", "MAX_LENGTH_ADDED"},
      {R"({"type":"string","maxLength":5})", R"({"type":"string","maxLength":6})", "MAX_LENGTH_DECREASED"},
      {R"({"type":"string","maxLength":6})", R"({"type":"string","maxLength":5})", ""},
      {R"({"type":"integer","minimum":2})", R"({"type":"integer","minimum":1})", "MINIMUM_INCREASED"},
      {R"({"type":"integer","multipleOf":2})", R"({"type":"integer","multipleOf":4})", ""},
      {R"({"type":"integer","multipleOf":4})", R"({"type":"integer","multipleOf":2})", "MULTIPLE_OF_CHANGED"},
      {R"({"type":"string","pattern":"a"})", R"({"type":"string"})", "PATTERN_ADDED"},
      // Arrays.
      {R"({"type":"array","items":{"type":"string"}})", R"({"type":"array","items":{"type":"integer"}})",
       "TYPE_CHANGED"},
      {R"({"type":"array","prefixItems":[{"type":"string"},{"type":"string"}]})",
       R"({"type":"array","prefixItems":[{"type":"string"}]})", "ITEM_ADDED_TO_OPEN_CONTENT_MODEL"},
      {R"({"type":"array","items":[{"type":"string"}],"additionalItems":false})",
       R"({"type":"array","items":[{"type":"string"},{"type":"string"}],"additionalItems":false})",
       "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"},
      {R"({"type":"array","uniqueItems":true})", R"({"type":"array"})", "UNIQUE_ITEMS_ADDED"},
      // Combinations.
      {R"({"oneOf":[{"type":"string"},{"type":"integer"}]})", R"({"oneOf":[{"type":"string"}]})", ""},
      {R"({"oneOf":[{"type":"string"}]})", R"({"oneOf":[{"type":"string"},{"type":"integer"}]})", "SUM_TYPE_NARROWED"},
      {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", R"({"type":"string"})", ""},
      {R"({"type":"string"})", R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "COMBINED_TYPE_CHANGED"},
      {R"({"allOf":[{"type":"string"},{"maxLength":5}]})", R"({"allOf":[{"type":"string"}]})", "PRODUCT_TYPE_EXTENDED"},
      {R"({"allOf":[{"type":"string"}]})", R"({"allOf":[{"type":"string"},{"maxLength":5}]})", ""},
      {R"({"not":{"type":["string","null"]}})", R"({"not":{"type":"string"}})", "NOT_TYPE_EXTENDED"},
      {R"({"not":{"type":"string"}})", R"({"not":{"type":["string","null"]}})", ""},
      // A schema that holds itself.
      {R"({"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"})",
       R"({"$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}}}},"$ref":"#/$defs/n"})", ""},
  };
  for (const JsonCase& one : cases)
    EXPECT_EQ(JsonKinds(JsonText(one.reader), JsonText(one.writer)), one.kinds) << one.reader << "\n" << one.writer;
}

TEST(JsonSchemaTest, ReferencesLeadToOtherDocuments) {
  const std::string main = R"({"type":"object","properties":{"c":{"$ref":"customer.json#/$defs/name"}}})";
  const std::string narrow = R"({"$defs":{"name":{"type":"string"}}})";
  const std::string wide = R"({"$id":"http://x/customer.json","$defs":{"name":{"type":["string","null"]}}})";
  EXPECT_EQ(JsonKinds(JsonText(main, {{"customer.json", wide}}), JsonText(main, {{"customer.json", narrow}})), "");
  EXPECT_EQ(JsonKinds(JsonText(main, {{"customer.json", narrow}}), JsonText(main, {{"customer.json", wide}})),
            "TYPE_NARROWED");
  EXPECT_TRUE(CanonicalSchema(JsonText(main)).status().Is(kInvalidSchema));
}

TEST(JsonSchemaTest, CanonicalTextHasNoOrder) {
  const auto one = CanonicalSchema(JsonText(R"({ "type" : "object", "properties": {"b": {}, "a": {}} })"));
  const auto other = CanonicalSchema(JsonText(R"({"properties":{"a":{},"b":{}},"type":"object"})"));
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(*one, *other);
  EXPECT_EQ(*one, R"({"properties":{"a":{},"b":{}},"type":"object"})");
}

TEST(JsonSchemaTest, MistakesAreNamedWithTheirPlace) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "JSON Schema"},
      {"7", "neither an object"},
      {R"({"type":"text"})", "#/type"},
      {R"({"properties":[]})", "#/properties"},
      {R"({"properties":{"a/b":{"type":1}}})", "#/properties/a~1b/type"},
      {R"({"required":"a"})", "#/required"},
      {R"({"allOf":[]})", "#/allOf"},
      {R"({"maxLength":-1})", "#/maxLength"},
      {R"({"$ref":"#/nowhere"})", "leads nowhere"},
      {R"({"items":{"$ref":7}})", "#/items"},
      {std::string(100'000, '['), "deeper"},
      {R"({"not":)" + std::string(3, ' '), "JSON Schema"},
  };
  for (const auto& [text, message] : cases) {
    const auto canonical = CanonicalSchema(JsonText(text));
    ASSERT_FALSE(canonical.ok()) << text;
    EXPECT_TRUE(canonical.status().Is(kInvalidSchema)) << text;
    EXPECT_NE(canonical.status().message().find(message), std::string::npos) << canonical.status().message();
  }
}

TEST(JsonSchemaTest, AComparisonWithoutEndIsGivenUp) {
  // Every alternative is compared with every other: two thousand times two thousand.
  std::string reader = R"({"oneOf":[)";
  std::string writer = reader;
  for (int i = 0; i < 2000; ++i) {
    reader += (i == 0 ? "" : ",") + std::string(R"({"type":"object","required":["r)") + std::to_string(i) + "\"]}";
    writer += (i == 0 ? "" : ",") + std::string(R"({"type":"object","required":["w)") + std::to_string(i) + "\"]}";
  }
  const auto conflicts = FindSchemaConflicts(JsonText(reader + "]}"), JsonText(writer + "]}"));
  ASSERT_FALSE(conflicts.ok());
  EXPECT_TRUE(conflicts.status().Is(kLimitExceeded));
  // References nested in a chain end at a depth, not at the end of the stack.
  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 20'000; ++i)
    chain +=
        "\"d" + std::to_string(i) + R"(":{"properties":{"x":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}}},";
  chain += R"("d20000":{"type":"string"}}})";
  const auto deep = FindSchemaConflicts(JsonText(chain), JsonText(chain));
  ASSERT_FALSE(deep.ok());
  EXPECT_TRUE(deep.status().Is(kLimitExceeded));
}

}  // namespace
}  // namespace tidemill
