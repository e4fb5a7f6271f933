#include "server/output.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace tidemill {
namespace {

const Listing kListing{{"name", "n", "ok", "note"}, {{"a,b", 1, true, Cell::Null()}, {"ü \"q\"", 1234, false, "x\ny"}}};

TEST(Output, AlignsTextAndKeepsItOnOneLine) {
  EXPECT_EQ(FormatListing(kListing, OutputFormat::kText),
            "name      n  ok     note\n"
            "a,b       1  true   NULL\n"
            "ü \"q\"  1234  false  x\\ny\n");
}

TEST(Output, WritesJsonLines) {
  EXPECT_EQ(FormatListing(kListing, OutputFormat::kJson),
            "{\"name\":\"a,b\",\"n\":1,\"ok\":true,\"note\":null}\n"
            "{\"name\":\"ü \\\"q\\\"\",\"n\":1234,\"ok\":false,\"note\":\"x\\ny\"}\n");
}

TEST(Output, QuotesCsv) {
  EXPECT_EQ(FormatListing(kListing, OutputFormat::kCsv),
            "name,n,ok,note\n\"a,b\",1,true,\n\"ü \"\"q\"\"\",1234,false,\"x\ny\"\n");
}

TEST(Output, TellsAnEmptyStringFromNullInCsv) {
  EXPECT_EQ(FormatListing({{"a", "b"}, {{"", Cell::Null()}}}, OutputFormat::kCsv), "a,b\n\"\",\n");
}

TEST(Output, HidesControlCharactersAndBrokenUtf8) {
  EXPECT_EQ(PrintableText("a\x1b[2Jb\t\x7f"), "a\\x1b[2Jb\\t\\x7f");
  std::string json;
  AppendJsonText("\xff", json);
  EXPECT_EQ(json, "\"\xEF\xBF\xBD\"");
}

TEST(Output, GroupsThousands) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
}

TEST(Base64, GoesBothWays) {
  for (const auto& [plain, coded] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {std::string("\0\xff\x10", 3), "AP8Q"}}) {
    EXPECT_EQ(EncodeBase64(plain), coded);
    EXPECT_EQ(DecodeBase64(coded), plain);
  }
  EXPECT_FALSE(DecodeBase64("a b").has_value());
}

}  // namespace
}  // namespace tidemill
