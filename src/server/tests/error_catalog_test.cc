#include "server/error_catalog.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace tidemill {
namespace {

// Numbers of every code that a room declares, read from the sources themselves.
std::map<int, std::string> DeclaredCodes() {
  std::map<int, std::string> codes;
  const std::regex declared(R"(ErrorCode\s+(k\w+)\{\s*(\d+))");
  for (const auto& entry : std::filesystem::recursive_directory_iterator("src")) {
    if (entry.path().filename() != "errors.h") continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    const std::string content = text.str();
    for (std::sregex_iterator it(content.begin(), content.end(), declared), end; it != end; ++it) {
      EXPECT_TRUE(codes.emplace(std::stoi((*it)[2]), (*it)[1]).second) << "TM" << (*it)[2] << " is used twice";
    }
  }
  return codes;
}

TEST(ErrorCatalog, HasEveryCodeThatIsDeclared) {
  const std::map<int, std::string> declared = DeclaredCodes();
  ASSERT_GT(declared.size(), 80u);
  for (const auto& [number, name] : declared) {
    EXPECT_NE(FindErrorCode(std::to_string(number)), nullptr)
        << name << " (TM" << number << ") is missing in error_catalog.cc";
  }
  EXPECT_EQ(ErrorCatalog().size(), declared.size());
}

TEST(ErrorCatalog, FindsAndExplains) {
  const CatalogEntry* entry = FindErrorCode("tm2104");
  ASSERT_NE(entry, nullptr);
  const std::string text = ExplainErrorCode(*entry);
  EXPECT_EQ(text.substr(0, text.find('\n')), "TM2104: column not found");
  EXPECT_EQ(FindErrorCode("TM2999"), nullptr);
  EXPECT_EQ(FindErrorCode("TM"), nullptr);
  EXPECT_TRUE(LooksLikeErrorCode("TM2104"));
  EXPECT_FALSE(LooksLikeErrorCode("TM2104.sql"));
}

}  // namespace
}  // namespace tidemill
