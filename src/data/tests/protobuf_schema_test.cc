#include <gtest/gtest.h>

#include "base/base64.h"
#include "data/errors.h"
#include "data/schema_compatibility.h"

namespace tidemill {
namespace {

ResolvedSchema ProtoText(std::string text, std::vector<ResolvedSchema::Part> parts = {}) {
  return {SchemaLanguage::kProtobuf, std::move(text), std::move(parts)};
}

std::string Proto3(const std::string& body) { return "syntax = \"proto3\"; package p; " + body; }

std::string ProtoKinds(const std::string& reader, const std::string& writer) {
  const auto conflicts = FindSchemaConflicts(ProtoText(reader), ProtoText(writer));
  if (!conflicts.ok()) return "?" + conflicts.status().message();
  std::string kinds;
  for (const SchemaConflict& conflict : *conflicts) kinds += (kinds.empty() ? "" : " ") + conflict.kind;
  return kinds;
}

TEST(ProtobufSchemaTest, ConflictsByConfluentsRules) {
  struct Case {
    std::string reader, writer, kinds;
  };
  const Case cases[] = {
      {Proto3("message M { int32 a = 1; }"), Proto3("message M { int32 a = 1; }"), ""},
      {Proto3("message M { int32 b = 1; }"), Proto3("message M { int32 a = 1; }"), ""},
      {Proto3("message M { int32 a = 1; string b = 2; }"), Proto3("message M { int32 a = 1; }"), ""},
      {Proto3("message M { int32 a = 1; }"), Proto3("message M { int32 a = 1; string b = 2; }"), ""},
      {Proto3("message M { int64 a = 1; }"), Proto3("message M { int32 a = 1; }"), ""},
      {Proto3("message M { sint32 a = 1; }"), Proto3("message M { int32 a = 1; }"), "FIELD_SCALAR_KIND_CHANGED"},
      {Proto3("message M { string a = 1; }"), Proto3("message M { int32 a = 1; }"), "FIELD_SCALAR_KIND_CHANGED"},
      {Proto3("message M { bytes a = 1; }"), Proto3("message M { string a = 1; }"), ""},
      {Proto3("message N {} message M { N a = 1; }"), Proto3("message N {} message M { int32 a = 1; }"),
       "FIELD_KIND_CHANGED"},
      {Proto3("message N {} message O {} message M { O a = 1; }"),
       Proto3("message N {} message O {} message M { N a = 1; }"), "FIELD_NAMED_TYPE_CHANGED"},
      {Proto3("message M { map<string, int32> a = 1; }"), Proto3("message M { int32 a = 1; }"), "FIELD_KIND_CHANGED"},
      {Proto3("message M { map<string, string> a = 1; }"), Proto3("message M { map<string, int32> a = 1; }"),
       "FIELD_SCALAR_KIND_CHANGED"},
      {Proto3("message M { repeated int32 a = 1; }"), Proto3("message M { int32 a = 1; }"),
       "FIELD_NUMERIC_LABEL_CHANGED"},
      {Proto3("message M { repeated string a = 1; }"), Proto3("message M { string a = 1; }"), ""},
      {Proto3("message N {}"), Proto3("message M {} message N {}"), "MESSAGE_REMOVED"},
      {Proto3("message M {}"), Proto3("message M { message I {} }"), "MESSAGE_REMOVED"},
      {"syntax = \"proto3\"; package q; message M {}", Proto3("message M {}"), "PACKAGE_CHANGED"},
      {Proto3("message M { oneof o { int32 a = 1; } }"), Proto3("message M { oneof o { int32 a = 1; int32 b = 2; } }"),
       "ONEOF_FIELD_REMOVED"},
      {Proto3("message M { oneof o { int32 a = 1; int32 b = 2; } }"), Proto3("message M { int32 a = 1; int32 b = 2; }"),
       "MULTIPLE_FIELDS_MOVED_TO_ONEOF"},
      {Proto3("message M { oneof o { int32 a = 1; } int32 b = 2; }"), Proto3("message M { int32 a = 1; int32 b = 2; }"),
       ""},
      {Proto3("message M { oneof o { int32 a = 1; int32 b = 2; } }"),
       Proto3("message M { oneof o { int32 a = 1; } int32 b = 2; }"), "FIELD_MOVED_TO_EXISTING_ONEOF"},
      {"message M { required int32 a = 1; }", "message M {}", "REQUIRED_FIELD_ADDED"},
      {"message M {}", "message M { required int32 a = 1; }", "REQUIRED_FIELD_REMOVED"},
  };
  for (const Case& one : cases) EXPECT_EQ(ProtoKinds(one.reader, one.writer), one.kinds) << one.reader << one.writer;
}

TEST(ProtobufSchemaTest, ImportsComeFromTheReferencesAndFromGoogle) {
  const std::string text = Proto3(
      "import \"google/protobuf/timestamp.proto\"; import \"c.proto\"; "
      "message M { google.protobuf.Timestamp at = 1; C c = 2; }");
  const ResolvedSchema::Part one = {"c.proto", Proto3("message C { int32 a = 1; }")};
  const ResolvedSchema::Part other = {"c.proto", Proto3("message C { string a = 1; }")};
  ASSERT_TRUE(CanonicalSchema(ProtoText(text, {one})).ok());
  const auto conflicts = FindSchemaConflicts(ProtoText(text, {one}), ProtoText(text, {other}));
  ASSERT_TRUE(conflicts.ok());
  ASSERT_EQ(conflicts->size(), 1U);
  EXPECT_EQ(conflicts->front().kind, "FIELD_SCALAR_KIND_CHANGED");
  EXPECT_NE(CanonicalSchema(ProtoText(text)).status().message().find("c.proto"), std::string::npos);
}

TEST(ProtobufSchemaTest, EqualSchemasHaveOneCanonicalText) {
  const auto one = CanonicalSchema(ProtoText(Proto3("message M { int32 a = 1;\n\n string b = 2; // text\n }")));
  const auto other = CanonicalSchema(ProtoText(Proto3("message M { string b = 2; int32 a = 1; }")));
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(*one, *other);
  const auto again = CanonicalSchema(ProtoText(*one));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *one);
  const auto binary = SerializedSchema(ProtoText(*one));
  ASSERT_TRUE(binary.ok());
  const auto from_binary = CanonicalSchema(ProtoText(*binary));
  ASSERT_TRUE(from_binary.ok()) << from_binary.status().ToString();
  EXPECT_EQ(*from_binary, *one);
  // The place of a message in the file is part of what data says.
  const auto turned = CanonicalSchema(ProtoText(Proto3("message B {} message A {}")));
  const auto straight = CanonicalSchema(ProtoText(Proto3("message A {} message B {}")));
  EXPECT_NE(*turned, *straight);
}

TEST(ProtobufSchemaTest, MistakesAreNamedWithTheirPlace) {
  const std::pair<std::string, std::string> cases[] = {
      {Proto3("message M {\n int32 a = ; }"), "line 2, column 12"},
      {Proto3("message M { Nothing a = 1; }"), "Nothing"},
      {Proto3("message M { int32 a = 1; int32 b = 1; }"), "M"},
      {Proto3("import \"none.proto\"; message M {}"), "none.proto"},
      {Proto3([] {
         std::string nested;
         for (int i = 0; i < 10'000; ++i) nested += "message M" + std::to_string(i) + " {";
         return nested;
       }()),
       "deeper"},
      {EncodeBase64("garbage that is no descriptor at all"), "descriptor"},
  };
  for (const auto& [text, message] : cases) {
    const auto canonical = CanonicalSchema(ProtoText(text));
    ASSERT_FALSE(canonical.ok()) << text.substr(0, 100);
    EXPECT_TRUE(canonical.status().Is(kInvalidSchema));
    EXPECT_NE(canonical.status().message().find(message), std::string::npos) << canonical.status().message();
  }
}

}  // namespace
}  // namespace tidemill
