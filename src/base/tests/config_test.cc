#include "base/config.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace tidemill {
namespace {

TEST(Config, TypedAccessNamesKeyAndValue) {
  const Config config({{"n", "12"}, {"x", "1.5"}, {"b", "TRUE"}, {"d", "5 s"}, {"s", "64 kb"}, {"bad", "twelve"}});
  EXPECT_EQ(*config.GetInt("n", 0), 12);
  EXPECT_EQ(*config.GetDouble("x", 0), 1.5);
  EXPECT_TRUE(*config.GetBool("b", false));
  EXPECT_EQ(*config.GetDurationMs("d", 0), 5'000);
  EXPECT_EQ(*config.GetBytes("s", 0), 65'536);
  EXPECT_EQ(*config.GetInt("absent", 9), 9);
  EXPECT_EQ(config.GetString("absent", "f"), "f");
  EXPECT_FALSE(config.Get("absent").has_value());
  for (const Status& status :
       {config.GetInt("bad", 0).status(), config.GetDouble("bad", 0).status(), config.GetBool("bad", false).status(),
        config.GetDurationMs("bad", 0).status(), config.GetBytes("bad", 0).status()}) {
    EXPECT_TRUE(status.Is(kInvalidConfig));
    EXPECT_NE(status.message().find("option 'bad' = 'twelve': expected"), std::string::npos) << status.message();
  }
}

TEST(Config, NearestName) {
  const std::vector<std::string> names = {"amount", "card_id", "merchant", "ts"};
  EXPECT_EQ(NearestName("amout", names), "amount");
  EXPECT_EQ(NearestName("AMUONT", names), "amount");
  EXPECT_EQ(NearestName("cardid", names), "card_id");
  EXPECT_EQ(NearestName("zzz", names), "");
  EXPECT_EQ(NearestName("st", names), "ts");
  EXPECT_EQ(NearestName("a", {"b"}), "");
}

}  // namespace
}  // namespace tidemill
