#include "function/internal/zone.h"

#include <gtest/gtest.h>

namespace tidemill {
namespace {

constexpr int64_t kHour = 3'600'000;

TEST(ZoneOffsetsTest, JumpsOfTheClockAreWhereTheyAre) {
  auto zone = ZoneOffsets::Make("Europe/Berlin");
  ASSERT_TRUE(zone.ok());
  const int64_t back = 1729990800000;     // 2024-10-27T01:00Z: 03:00 summer time becomes 02:00
  const int64_t forward = 1711846800000;  // 2024-03-31T01:00Z: 02:00 becomes 03:00
  // In any order of asking: what is remembered from one side must not be used on the other.
  for (const int64_t first : {back - kHour, back, back + kHour, forward - kHour, forward}) {
    zone->ToLocalMs(first);
    EXPECT_EQ(zone->ToLocalMs(back - 1), back - 1 + 2 * kHour);
    zone->ToLocalMs(first);
    EXPECT_EQ(zone->ToLocalMs(back), back + kHour);
    zone->ToLocalMs(first);
    EXPECT_EQ(zone->ToLocalMs(forward - 1), forward - 1 + kHour);
    zone->ToLocalMs(first);
    EXPECT_EQ(zone->ToLocalMs(forward), forward + 2 * kHour);
    EXPECT_EQ(zone->ToUtcMs(back + kHour), back - kHour) << "02:00 exists twice: the earlier one";
  }
}

}  // namespace
}  // namespace tidemill
