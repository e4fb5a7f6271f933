// Prebuilt Arrow carries its own RE2, simdjson and OpenSSL. This holds as long as each side uses its own copy in one
// process; when they mix, calls return wrong answers without any message (see docs/decisions/0001).
#include <string>
#include <string_view>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <parquet/arrow/writer.h>
#include <re2/re2.h>
#include <simdjson.h>

namespace tidemill {
namespace {

std::shared_ptr<arrow::Array> Words() {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues({"abc", "xyz", "a1"}).ok());
  return builder.Finish().ValueOrDie();
}

TEST(LinkedLibraries, BothRe2Answer) {
  EXPECT_TRUE(RE2::FullMatch("a1", "a\\d"));
  std::string rest;
  EXPECT_TRUE(RE2::PartialMatch("key=value", "key=(\\w+)", &rest));
  EXPECT_EQ(rest, "value");

  ASSERT_TRUE(arrow::compute::Initialize().ok());
  arrow::compute::MatchSubstringOptions options("^a[a-z0-9]+$");
  const auto matched = arrow::compute::CallFunction("match_substring_regex", {Words()}, &options).ValueOrDie();
  EXPECT_EQ(matched.make_array()->ToString(), "[\n  true,\n  false,\n  true\n]");
}

TEST(LinkedLibraries, SimdjsonAndParquetMeet) {
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(std::string_view(R"({"a":5})"))["a"].get_int64().value(), 5);
  EXPECT_NE(std::string_view(simdjson::error_message(simdjson::TAPE_ERROR)), "");

  const auto table = arrow::Table::Make(arrow::schema({arrow::field("word", arrow::utf8())}), {Words()});
  const auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 1024).ok());
}

TEST(LinkedLibraries, OpensslIsTheOneWeCompiledFor) {
  EXPECT_EQ(OpenSSL_version_num() >> 20, static_cast<unsigned long>(OPENSSL_VERSION_NUMBER) >> 20);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ASSERT_EQ(EVP_Digest("a", 1, digest, &size, EVP_sha256(), nullptr), 1);
  EXPECT_EQ(digest[0], 0xca);
}

}  // namespace
}  // namespace tidemill
