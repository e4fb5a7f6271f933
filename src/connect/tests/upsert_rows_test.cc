#include "connect/upsert_rows.h"

#include <string>

#include <gtest/gtest.h>

namespace tidemill {
namespace {

// What becomes of rows with these kinds (digits) and keys (letters): w, d or -.
std::string ActionsOf(const std::string& kinds, const std::string& keys) {
  std::vector<int8_t> numbers;
  std::vector<size_t> ends;
  for (const char kind : kinds) numbers.push_back(static_cast<int8_t>(kind - '0'));
  for (size_t i = 0; i < keys.size(); ++i) ends.push_back(i + 1);
  std::string actions;
  for (size_t i = 0; i < keys.size(); ++i) {
    const UpsertAction action = UpsertActionOf(kinds.empty() ? nullptr : numbers.data(), i, keys, ends);
    actions += action == UpsertAction::kWrite ? 'w' : action == UpsertAction::kDelete ? 'd' : '-';
  }
  return actions;
}

TEST(UpsertRows, ARowFromBeforeCountsOnlyWhenNoneTakesItsPlace) {
  EXPECT_EQ(ActionsOf("", "ab"), "ww");
  EXPECT_EQ(ActionsOf("0123", "aaaa"), "w-wd");
  EXPECT_EQ(ActionsOf("12", "ab"), "dw");  // another key
  EXPECT_EQ(ActionsOf("1", "a"), "d");     // alone
  EXPECT_EQ(ActionsOf("10", "aa"), "dw");  // a new row, no update
  EXPECT_EQ(ActionsOf("1112", "abbb"), "dd-w");
}

}  // namespace
}  // namespace tidemill
