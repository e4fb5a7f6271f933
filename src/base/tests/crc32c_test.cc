#include "base/crc32c.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tidemill {
namespace {

// RFC 3720, appendix B.4.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32cPortable("123456789"), 0xe3069283u);
}

TEST(Crc32c, BothWaysAgreeAtEveryLengthAndCut) {
  Random random(5);
  std::string bytes(8'000, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  for (size_t n = 0; n < bytes.size(); n += n < 100 ? 1 : 61) {
    const std::string_view all = std::string_view(bytes).substr(bytes.size() - n);
    const uint32_t whole = Crc32c(all);
    ASSERT_EQ(whole, Crc32cPortable(all)) << n;
    const size_t cut = n == 0 ? 0 : random.Uniform(n);
    ASSERT_EQ(whole, Crc32c(all.substr(cut), Crc32c(all.substr(0, cut)))) << n;
  }
}

}  // namespace
}  // namespace tidemill
