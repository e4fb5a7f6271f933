#include "base/status.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace tidemill {
namespace {

constexpr ErrorCode kColumn{2104, ErrorDomain::kUser, "column not found"};

TEST(Status, RendersTheDocumentedFormat) {
  std::string script;
  for (int i = 1; i < 12; ++i) script += "-- line\n";
  script += "  SUM(amout) OVER w AS spend_5m\nFROM t\n";
  const Status status = Status(kColumn, "column 'amout' not found in 'transactions'")
                            .At({"fraud.sql", 12, 7, 5})
                            .WithHint("did you mean 'amount'?")
                            .WithNote("columns: card_id, amount, merchant, ts (event time, watermark ts - 5 s)");
  EXPECT_EQ(RenderError(status, script),
            "error[TM2104]: column 'amout' not found in 'transactions'\n"
            "  --> fraud.sql:12:7\n"
            "12 |   SUM(amout) OVER w AS spend_5m\n"
            "   |       ^^^^^ did you mean 'amount'?\n"
            "   = columns: card_id, amount, merchant, ts (event time, watermark ts - 5 s)\n"
            "   = docs: tidemill explain TM2104\n");
}

TEST(Status, CaretStandsUnderCharactersAndTabs) {
  const Status status = Status(kColumn, "m").At({"a.sql", 1, 5, 99});
  EXPECT_EQ(RenderError(status, "\t'ä' x"),
            "error[TM2104]: m\n --> a.sql:1:5\n1 | \t'ä' x\n  | \t   ^^\n  = docs: tidemill explain TM2104\n");
  // Past the end of the line, as for "unexpected end of input".
  EXPECT_NE(RenderError(Status(kColumn, "m").At({"a.sql", 1, 4, 1}), "abc").find("  |    ^\n"), std::string::npos);
}

TEST(Status, ControlCharactersOfTheScriptDoNotReachTheTerminal) {
  const std::string_view script("SELECT \x1b[2J\0 x", 14);
  const std::string text = RenderError(Status(kIoError, "no").At({"a.sql", 1, 8, 1}), script);
  EXPECT_NE(text.find("1 | SELECT ?[2J? x\n"), std::string::npos) << text;
}

TEST(Status, RendersWithoutAPlace) {
  EXPECT_EQ(RenderError(Status(kDiskFull, "no room").WithHint("h"), ""),
            "error[TM1003]: no room\n   = hint: h\n   = help: free some space; writing resumes by itself\n"
            "   = docs: tidemill explain TM1003\n");
}

TEST(Status, FirstPlaceWinsAndContextIsAdded) {
  const Status status = Status(kIoError, "bad").At({"f", 1, 2}).At({"g", 3, 4}).WithContext("reading");
  EXPECT_EQ(status.ToString(), "TM1002: reading: bad (f:1:2)");
  EXPECT_TRUE(status.Is(kIoError));
  EXPECT_FALSE(status.Is(kDiskFull));
  EXPECT_TRUE(Status::OK().At({"f", 1, 2}).WithNote("n").ok());
}

Result<std::unique_ptr<int>> Make(bool good) {
  if (!good) return Status(kIoError, "no");
  return std::make_unique<int>(7);
}

Status Use(bool good, int* out) {
  TM_ASSIGN_OR_RETURN(auto value, Make(good));
  *out = *value;
  return Status::OK();
}

TEST(Result, CarriesMoveOnlyValuesAndErrors) {
  int value = 0;
  EXPECT_TRUE(Use(true, &value).ok());
  EXPECT_EQ(value, 7);
  EXPECT_TRUE(Use(false, &value).Is(kIoError));
}

TEST(ResultDeathTest, ReadingAnErrorAborts) { EXPECT_DEATH((void)*Make(false), "TM1002: no"); }

}  // namespace
}  // namespace tidemill
