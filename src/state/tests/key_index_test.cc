#include "state/key_index.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "state/key_columns.h"
#include "state/tests/state_fixture.h"

namespace tidemill {
namespace {

// Random inserts, lookups and erasures against std::map, for the three layouts.
void RunAgainstMap(const std::vector<Field>& fields,
                   const std::function<std::shared_ptr<arrow::Array>(const std::vector<int64_t>&)>& column) {
  auto keys = KeyColumns::Make(fields);
  ASSERT_TRUE(keys.ok());
  KeyIndex index;
  std::map<int64_t, uint32_t> expected;
  Random random(42);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> values(1 + random.Uniform(300));
    for (int64_t& value : values) value = static_cast<int64_t>(random.Uniform(5000)) - 100;
    auto encoded = keys->Encode({column(values)}, static_cast<int64_t>(values.size()));
    ASSERT_TRUE(encoded.ok());
    std::vector<uint32_t> found(values.size());
    index.Find(*encoded, found.data());
    for (size_t i = 0; i < values.size(); ++i) {
      const auto at = expected.find(values[i]);
      ASSERT_EQ(found[i], at == expected.end() ? kNoSlot : at->second);
    }
    std::vector<uint32_t> slots(values.size());
    std::vector<uint32_t> new_rows;
    index.FindOrInsert(*encoded, slots.data(), &new_rows);
    std::set<uint32_t> expected_new;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto [at, inserted] = expected.emplace(values[i], slots[i]);
      if (inserted) expected_new.insert(static_cast<uint32_t>(i));
      ASSERT_EQ(at->second, slots[i]);
      ASSERT_EQ(index.key(slots[i]), encoded->key(static_cast<int64_t>(i)));
      ASSERT_EQ(index.key_group(slots[i]), encoded->key_groups[i]);
    }
    ASSERT_EQ(std::set<uint32_t>(new_rows.begin(), new_rows.end()), expected_new);
    for (int e = 0; e < 100 && !expected.empty(); ++e) {
      auto victim = expected.lower_bound(static_cast<int64_t>(random.Uniform(5000)) - 100);
      if (victim == expected.end()) continue;
      index.Erase(victim->second);
      ASSERT_FALSE(index.IsLive(victim->second));
      expected.erase(victim);
    }
    ASSERT_EQ(index.size(), static_cast<int64_t>(expected.size()));
  }
  EXPECT_LE(index.slot_limit(), 5100u) << "slots of erased keys are used again";
}

TEST(KeyIndexTest, EqualsMapForEightByteKeys) {
  RunAgainstMap({{"k", DataType(TypeKind::kBigInt, false)}}, [](const auto& values) { return Int64s(values); });
}

TEST(KeyIndexTest, EqualsMapForNullableKeys) {
  RunAgainstMap({{"k", DataType(TypeKind::kBigInt)}}, [](const auto& values) {
    arrow::Int64Builder builder;
    for (const int64_t value : values) TM_CHECK((value == 7 ? builder.AppendNull() : builder.Append(value)).ok());
    return *builder.Finish();
  });
}

TEST(KeyIndexTest, EqualsMapForStrings) {
  RunAgainstMap({{"k", DataType(TypeKind::kString)}}, [](const auto& values) {
    std::vector<std::string> texts;
    for (const int64_t value : values)
      texts.push_back(std::string(static_cast<size_t>(value % 90 + 100), 'x') + std::to_string(value));
    return Strings(texts);
  });
}

TEST(KeyIndexTest, NoKeyColumnsIsOneKey) {
  auto keys = KeyColumns::Make({});
  ASSERT_TRUE(keys.ok());
  auto encoded = keys->Encode({}, 3);
  ASSERT_TRUE(encoded.ok());
  KeyIndex index;
  uint32_t slots[3];
  index.FindOrInsert(*encoded, slots);
  EXPECT_EQ(slots[0], slots[2]);
  EXPECT_EQ(index.size(), 1);
}

TEST(BlockArenaTest, BlocksDoNotOverlapAndComeAgain) {
  BlockArena arena;
  Random random(3);
  struct Block {
    char* at;
    size_t size;
    char fill;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 20000; ++i) {
    if (!blocks.empty() && random.Uniform(3) == 0) {
      const size_t pick = random.Uniform(blocks.size());
      for (size_t b = 0; b < blocks[pick].size; ++b) ASSERT_EQ(blocks[pick].at[b], blocks[pick].fill);
      arena.Free(blocks[pick].at, blocks[pick].size);
      blocks[pick] = blocks.back();
      blocks.pop_back();
      continue;
    }
    const size_t size = 1 + random.Uniform(random.Uniform(100) == 0 ? 200000 : 700);
    Block block{static_cast<char*>(arena.Allocate(size)), size, static_cast<char>(i)};
    std::memset(block.at, block.fill, size);
    blocks.push_back(block);
  }
  for (const Block& block : blocks) {
    for (size_t b = 0; b < block.size; ++b) ASSERT_EQ(block.at[b], block.fill);
  }
}

}  // namespace
}  // namespace tidemill
