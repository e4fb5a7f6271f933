#include "base/random.h"

#include <cmath>

#include <gtest/gtest.h>

namespace tidemill {
namespace {

TEST(Random, SameSeedSameNumbers) {
  Random a(7), b(7), c(8);
  const uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
}

TEST(Random, UniformStaysInBoundsAndIsEven) {
  Random random(1);
  int counts[10] = {};
  for (int i = 0; i < 100'000; ++i) ++counts[random.Uniform(10)];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(random.Uniform(1), 0u);
}

TEST(Random, NormalHasMeanAndVariance) {
  Random random(3);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = random.Normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 100'000, 0, 0.02);
  EXPECT_NEAR(squares / 100'000, 1, 0.02);
}

}  // namespace
}  // namespace tidemill
