#include "base/murmur.h"

#include <gtest/gtest.h>

namespace tidemill {
namespace {

// Vectors of Kafka's own UtilsTest.
TEST(Murmur, Murmur2IsKafkas) {
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("21")), -973932308);
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("foobar")), -790332482);
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")), -58897971);
  EXPECT_EQ(static_cast<int32_t>(Murmur2Kafka("abc")), 479470107);
}

TEST(Murmur, Murmur3IsTheReference) {
  EXPECT_EQ(Murmur3(""), 0u);
  EXPECT_EQ(Murmur3("", 1), 0x514E28B7u);
  EXPECT_EQ(Murmur3("hello"), 0x248bfa47u);
  EXPECT_EQ(Murmur3("hello, world"), 0x149bbb7fu);
  EXPECT_EQ(Murmur3("The quick brown fox jumps over the lazy dog"), 0x2e4ff723u);
}

}  // namespace
}  // namespace tidemill
