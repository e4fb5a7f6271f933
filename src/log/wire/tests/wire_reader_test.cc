#include "log/wire/wire_reader.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "log/errors.h"
#include "log/wire/wire_writer.h"

namespace tidemill {
namespace {

TEST(WireReader, NumbersComeBack) {
  std::string bytes;
  WireWriter writer(&bytes);
  writer.Bool(true);
  writer.Int8(-2);
  writer.Int16(-300);
  writer.Int32(std::numeric_limits<int32_t>::min());
  writer.Int64(std::numeric_limits<int64_t>::min());
  writer.Uint16(65535);
  writer.Uint32(4'000'000'000);
  writer.Float64(-0.1);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\x01\xfe\xfe\xd4", 4));  // big-endian
  WireReader reader(bytes);
  EXPECT_TRUE(reader.Bool("a"));
  EXPECT_EQ(reader.Int8("b"), -2);
  EXPECT_EQ(reader.Int16("c"), -300);
  EXPECT_EQ(reader.Int32("d"), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(reader.Int64("e"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(reader.Uint16("f"), 65535);
  EXPECT_EQ(reader.Uint32("g"), 4'000'000'000);
  EXPECT_EQ(reader.Float64("h"), -0.1);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(WireReader, VarintsOfEveryLength) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t step : {-1, 0, 1}) {
      const auto value = static_cast<int64_t>((uint64_t{1} << bit) + static_cast<uint64_t>(step));
      std::string bytes;
      WireWriter writer(&bytes);
      writer.Varlong(value);
      writer.Varint(static_cast<int32_t>(value));
      writer.UnsignedVarint(static_cast<uint32_t>(value));
      WireReader reader(bytes);
      EXPECT_EQ(reader.Varlong("a"), value);
      EXPECT_EQ(reader.Varint("b"), static_cast<int32_t>(value));
      EXPECT_EQ(reader.UnsignedVarint("c"), static_cast<uint32_t>(value));
      EXPECT_TRUE(reader.ok() && reader.remaining() == 0) << value;
    }
  }
}

TEST(WireReader, VarintsThatAreTooLong) {
  WireReader six(std::string_view("\x80\x80\x80\x80\x80\x01", 6));
  six.UnsignedVarint("count");
  EXPECT_EQ(six.status().message(), "number too long in count at byte 0");
  WireReader overflow(std::string_view("\xff\xff\xff\xff\x1f", 5));  // 33 bits
  overflow.UnsignedVarint("count");
  EXPECT_TRUE(overflow.status().Is(kMalformedMessage));
  WireReader largest(std::string_view("\xff\xff\xff\xff\x0f", 5));
  EXPECT_EQ(largest.UnsignedVarint("count"), 0xffffffffu);
  WireReader eleven(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11));
  eleven.Varlong("offset");
  EXPECT_FALSE(eleven.ok());
}

TEST(WireReader, TheFirstErrorStaysAndNothingMoreIsRead) {
  WireReader reader(std::string_view("\0\0\0\1\0\5ab", 8));
  EXPECT_EQ(reader.Int32("id"), 1);
  EXPECT_EQ(reader.String(false, "name"), "");
  EXPECT_EQ(reader.Int8("flag"), 0);
  EXPECT_EQ(reader.ArrayCount(false, 1, "rows"), 0u);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.status().message(), "ends inside name at byte 6");
}

TEST(WireReader, NullAndNegativeLengths) {
  const std::string_view null("\xff\xff", 2);
  EXPECT_EQ(WireReader(null).NullableString(false, "a"), std::nullopt);
  WireReader refused(null);
  refused.String(false, "a");
  EXPECT_EQ(refused.status().message(), "null in a at byte 0");
  WireReader negative(std::string_view("\xff\xfe", 2));
  EXPECT_EQ(negative.NullableString(false, "a"), std::nullopt);
  EXPECT_EQ(negative.status().message(), "negative length of a at byte 0");
  WireReader compact(std::string_view("\0\1\3ab", 5));
  EXPECT_EQ(compact.NullableBytes(true, "a"), std::nullopt);
  EXPECT_EQ(compact.NullableBytes(true, "b"), "");
  EXPECT_EQ(compact.NullableBytes(true, "c"), "ab");
  EXPECT_TRUE(compact.ok());
}

TEST(WireReader, CountsAreCheckedAgainstWhatIsLeft) {
  const std::string bytes = std::string("\0\0\0\3", 4) + std::string(12, 'x');
  EXPECT_EQ(WireReader(bytes).ArrayCount(false, 4, "rows"), 3u);
  WireReader reader(bytes);
  EXPECT_EQ(reader.ArrayCount(false, 5, "rows"), 0u);
  EXPECT_EQ(reader.status().message(), "more elements than bytes in rows at byte 0");
}

TEST(WireReader, TextOfMoreThan32KiBIsRefusedBothWays) {
  const std::string text(0x8000, 'x');
  std::string bytes;
  WireWriter writer(&bytes);
  writer.String(true, text, "name");
  EXPECT_EQ(writer.status().message(), "name: text too long");
  bytes.clear();
  WireWriter(&bytes).Bytes(true, text, "name");
  WireReader reader(bytes);
  reader.String(true, "name");
  EXPECT_EQ(reader.status().message(), "text too long in name at byte 0");
}

}  // namespace
}  // namespace tidemill
