#include "data/key_encoder.h"

#include <cmath>
#include <set>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/murmur.h"
#include "base/random.h"
#include "data/errors.h"
#include "data/internal/key_codec.h"
#include "data/tests/arrays.h"

namespace tidemill {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

std::vector<std::string_view> KeysOf(const EncodedKeys& keys) {
  std::vector<std::string_view> out;
  for (int64_t i = 0; i < keys.num_rows; ++i) out.push_back(keys.key(i));
  return out;
}

std::unique_ptr<KeyEncoder> Encoder(std::vector<DataType> types) {
  auto encoder = KeyEncoder::Make(std::move(types));
  EXPECT_TRUE(encoder.ok());
  return *std::move(encoder);
}

TEST(KeyEncoder, SingleIntegerIsEightBytes) {
  auto encoder = Encoder({DataType(TypeKind::kInt, false)});
  auto keys = encoder->Encode({ArrayOf(arrow::int32(), "[1, -1, 1]")}, 3);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->fixed_width, 8);
  EXPECT_EQ(keys->key(0), std::string_view("\x01\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(keys->key(1), std::string(8, '\xff'));
  EXPECT_EQ(keys->hashes[0], keys->hashes[2]);
  EXPECT_NE(keys->hashes[0], keys->hashes[1]);
  auto back = encoder->Decode(KeysOf(*keys));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(TextOf(*(*back)[0]), "[1, -1, 1]");
}

// The bytes decide the key group, so they may never change.
TEST(KeyEncoder, KeyGroupsAreMurmur3OfTheBytes) {
  Random random(7);
  auto encoder = Encoder({DataType(TypeKind::kBigInt, false)});
  for (int i = 0; i < 1000; ++i) {
    const uint64_t word = random.Next();
    const std::string_view bytes(reinterpret_cast<const char*>(&word), 8);
    ASSERT_EQ(KeyGroupOfWord(word), Murmur3(bytes) % kKeyGroups);
    for (char flag : {'\0', '\1'}) {
      ASSERT_EQ(KeyGroupOfFlaggedWord(static_cast<uint8_t>(flag), word),
                Murmur3(flag + std::string(bytes)) % kKeyGroups);
    }
  }
  auto keys = encoder->Encode({ArrayOf(arrow::int64(), "[42, 43]")}, 2);
  EXPECT_EQ(keys->key_groups[0], Murmur3(keys->key(0)) % kKeyGroups);
  auto text = Encoder({DataType(TypeKind::kString, false)});
  auto text_keys = text->Encode({ArrayOf(arrow::utf8(), R"(["card-1"])")}, 1);
  EXPECT_EQ(text_keys->key(0), "card-1");
  EXPECT_EQ(text_keys->key_groups[0], Murmur3("card-1") % kKeyGroups);
}

TEST(KeyEncoder, NullableIntegerTellsNullFromZero) {
  auto encoder = Encoder({DataType(TypeKind::kBigInt)});
  auto keys = encoder->Encode({ArrayOf(arrow::int64(), "[0, null, null]")}, 3);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->fixed_width, 9);
  EXPECT_NE(keys->key(0), keys->key(1));
  EXPECT_EQ(keys->key(1), keys->key(2));
  EXPECT_NE(keys->hashes[0], keys->hashes[1]);
  EXPECT_EQ(TextOf(*(*encoder->Decode(KeysOf(*keys)))[0]), "[0, null, null]");
}

TEST(KeyEncoder, FloatsAreEqualAsSqlSaysSo) {
  arrow::DoubleBuilder builder;
  const double other_nan = std::nan("77");
  ASSERT_TRUE(builder.AppendValues({0.0, -0.0, std::nan(""), -other_nan, 1.5}).ok());
  const auto column = *builder.Finish();
  for (bool alone : {true, false}) {
    auto encoder = alone ? Encoder({DataType(TypeKind::kDouble, false)})
                         : Encoder({DataType(TypeKind::kDouble, false), DataType(TypeKind::kDouble, true)});
    auto keys = encoder->Encode(alone ? Columns{column} : Columns{column, column}, 5);
    ASSERT_TRUE(keys.ok());
    EXPECT_EQ(keys->key(0), keys->key(1));
    EXPECT_EQ(keys->key(2), keys->key(3));
    EXPECT_NE(keys->key(0), keys->key(4));
    EXPECT_EQ(keys->hashes[2], keys->hashes[3]);
  }
}

TEST(KeyEncoder, TextIsNotCopiedWhenPlain) {
  auto encoder = Encoder({DataType(TypeKind::kString)});
  auto column = ArrayOf(arrow::utf8(), R"(["skipped", "a", "", "a"])")->Slice(1);
  auto keys = encoder->Encode({column}, 3);
  ASSERT_TRUE(keys.ok());
  EXPECT_EQ(keys->data, static_cast<const arrow::StringArray&>(*column).value_data()->data());
  EXPECT_EQ(keys->key(0), "a");
  EXPECT_EQ(keys->key(1), "");
  EXPECT_EQ(keys->hashes[0], keys->hashes[2]);
}

TEST(KeyEncoder, BinaryNullAndLeadingFfAreDistinct) {
  auto encoder = Encoder({DataType(TypeKind::kBytes)});
  arrow::BinaryBuilder builder;
  ASSERT_TRUE(builder.Append("\xff").ok());
  ASSERT_TRUE(builder.AppendNull().ok());
  ASSERT_TRUE(builder.Append("\xff\xff").ok());
  ASSERT_TRUE(builder.Append("").ok());
  ASSERT_TRUE(builder.Append("a\xff").ok());
  const auto column = *builder.Finish();
  auto keys = encoder->Encode({column}, 5);
  ASSERT_TRUE(keys.ok());
  std::set<std::string> distinct;
  for (auto key : KeysOf(*keys)) distinct.insert(std::string(key));
  EXPECT_EQ(distinct.size(), 5u);
  auto back = encoder->Decode(KeysOf(*keys));
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE((*back)[0]->Equals(*column));
}

// Random rows over every key type: keys are equal exactly when the rows are, and decoding gives the row back.
TEST(KeyEncoder, RoundTripsRandomRows) {
  const std::vector<DataType> pool = {DataType(TypeKind::kBoolean),       DataType(TypeKind::kTinyInt, false),
                                      DataType(TypeKind::kInt),           DataType(TypeKind::kBigInt, false),
                                      DataType::Decimal(20, 2),           DataType(TypeKind::kString),
                                      DataType(TypeKind::kString, false), DataType::Timestamp(3),
                                      DataType(TypeKind::kDate, false)};
  const uint64_t seed = 99;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<DataType> types;
    Columns columns;
    const int64_t n = static_cast<int64_t>(random.Uniform(40));
    for (uint64_t c = 0; c <= random.Uniform(4); ++c) {
      const DataType type = pool[random.Uniform(pool.size())];
      auto builder = arrow::MakeBuilder(ToArrow(type)).ValueOrDie();
      for (int64_t i = 0; i < n; ++i) {
        if (type.nullable() && random.Uniform(4) == 0) {
          ASSERT_TRUE(builder->AppendNull().ok());
          continue;
        }
        const uint64_t v = random.Uniform(3);
        std::shared_ptr<arrow::Scalar> scalar;
        switch (type.kind()) {
          case TypeKind::kString:
            scalar = std::make_shared<arrow::StringScalar>(std::string(v, 'x'));
            break;
          case TypeKind::kDecimal:
            scalar = std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(v), ToArrow(type));
            break;
          default:
            scalar = arrow::Int64Scalar(static_cast<int64_t>(v)).CastTo(ToArrow(type)).ValueOrDie();
            break;
        }
        ASSERT_TRUE(builder->AppendScalar(*scalar).ok());
      }
      types.push_back(type);
      columns.push_back(*builder->Finish());
    }
    auto encoder = Encoder(types);
    auto keys = encoder->Encode(columns, n);
    ASSERT_TRUE(keys.ok()) << keys.status().ToString();
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        bool same = true;
        for (const auto& column : columns) same &= column->RangeEquals(*column, i, i + 1, j);
        ASSERT_EQ(keys->key(i) == keys->key(j), same);
        if (same) {
          ASSERT_EQ(keys->hashes[i], keys->hashes[j]);
          ASSERT_EQ(keys->key_groups[i], keys->key_groups[j]);
        }
      }
    }
    auto back = encoder->Decode(KeysOf(*keys));
    ASSERT_TRUE(back.ok());
    for (size_t c = 0; c < columns.size(); ++c) {
      ASSERT_TRUE((*back)[c]->Equals(*columns[c])) << TextOf(*(*back)[c]) << " instead of " << TextOf(*columns[c]);
    }
  }
}

TEST(KeyEncoder, RefusesWhatCannotBeAKey) {
  EXPECT_TRUE(KeyEncoder::Make({DataType::Array(DataType(TypeKind::kInt))}).status().Is(kUnsupportedType));
  auto encoder = Encoder({DataType(TypeKind::kInt, false)});
  EXPECT_TRUE(encoder->Encode({ArrayOf(arrow::int32(), "[null]")}, 1).status().Is(kNullKey));
  EXPECT_TRUE(encoder->Encode({ArrayOf(arrow::int64(), "[1]")}, 1).status().Is(kArrowError));
  EXPECT_FALSE(encoder->Decode(std::vector<std::string_view>{"short"}).ok());
}

TEST(KeyGroups, RangesCoverAllGroupsOnce) {
  for (int lanes : {1, 2, 3, 4, 5, 7, 16, 100, 128}) {
    int next = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      const KeyGroupRange range = KeyGroupsOfLane(lane, lanes);
      EXPECT_EQ(range.first, next);
      for (int group = range.first; group <= range.last; ++group) EXPECT_EQ(LaneOfKeyGroup(group, lanes), lane);
      next = range.last + 1;
    }
    EXPECT_EQ(next, kKeyGroups);
  }
}

}  // namespace
}  // namespace tidemill
