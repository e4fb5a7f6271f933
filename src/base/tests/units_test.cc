#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/errors.h"

namespace tidemill {
namespace {

TEST(Units, ParsesDurations) {
  EXPECT_EQ(*ParseDurationMs("250 ms"), 250);
  EXPECT_EQ(*ParseDurationMs("5s"), 5'000);
  EXPECT_EQ(*ParseDurationMs(" 7 D "), 7 * 86'400'000LL);
  EXPECT_EQ(*ParseDurationMs("1 h 30 min"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("1h30min"), 5'400'000);
  EXPECT_EQ(*ParseDurationMs("42"), 42);
  EXPECT_EQ(*ParseDurationMs("1.5 s"), 1'500);
  EXPECT_EQ(*ParseDurationMs("2000 us"), 2);
  for (const char* bad :
       {"", "s", "5 parsecs", "-1 s", "1 2", "5 s 3", "1.", "1500 us", "999999999999 d", "1e3 s", "5 s,"}) {
    EXPECT_TRUE(ParseDurationMs(bad).status().Is(kInvalidConfig)) << bad;
  }
}

TEST(Units, ParsesBytes) {
  EXPECT_EQ(*ParseBytes("4096"), 4096);
  EXPECT_EQ(*ParseBytes("64 mb"), 64LL << 20);
  EXPECT_EQ(*ParseBytes("1gb"), 1LL << 30);
  EXPECT_EQ(*ParseBytes("1.5 kb"), 1536);
  for (const char* bad : {"", "mb", "1 xb", "-4", "99999999999 tb", "0.3 b"}) {
    EXPECT_TRUE(ParseBytes(bad).status().Is(kInvalidConfig)) << bad;
  }
}

TEST(Units, FormatsDurations) {
  EXPECT_EQ(FormatDurationMs(0), "0 ms");
  EXPECT_EQ(FormatDurationMs(999), "999 ms");
  EXPECT_EQ(FormatDurationMs(1'500), "1.5 s");
  EXPECT_EQ(FormatDurationMs(60'000), "1 min");
  EXPECT_EQ(FormatDurationMs(7 * 86'400'000LL), "7 d");
  EXPECT_EQ(FormatDurationMs(-5'000), "-5 s");
}

TEST(Clock, ManualClockMovesOnlyWhenTold) {
  ManualClock clock(1'000);
  EXPECT_EQ(clock.NowMicros(), 1'000);
  clock.AdvanceMicros(5);
  EXPECT_EQ(clock.NowMicros(), 1'005);
  EXPECT_EQ(clock.MonotonicNanos(), 1'005'000);
  SystemClock real;
  const int64_t before = real.MonotonicNanos();
  EXPECT_GE(real.MonotonicNanos(), before);
  EXPECT_GT(real.NowMicros(), 1'600'000'000'000'000);
}

}  // namespace
}  // namespace tidemill
