#include "connect/redis_streams/resp.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/random.h"
#include "connect/errors.h"
#include "connect/redis_streams/redis_rows.h"
#include "connect/redis_streams/stream_follower.h"

namespace tidemill {
namespace {

// The whole reply as text, as far as `bytes` are one.
std::string Shown(const RespReply& reply, uint32_t node = 0) {
  const RespNode& value = reply.nodes[node];
  switch (value.type) {
    case RespType::kNull:
      return "null";
    case RespType::kInteger:
      return std::to_string(value.number);
    case RespType::kSimple:
      return "+" + std::string(reply.text(node));
    case RespType::kError:
      return "-" + std::string(reply.text(node));
    case RespType::kBulk:
      return "'" + std::string(reply.text(node)) + "'";
    case RespType::kArray:
      break;
  }
  std::string text = "[";
  for (uint32_t at = node + 1; at < value.end; at = reply.nodes[at].end) {
    if (text.size() > 1) text += " ";
    text += Shown(reply, at);
  }
  return text + "]";
}

Result<std::string> ParseAll(std::string_view bytes, size_t piece, RespLimits limits = {}) {
  RespReader reader(limits);
  std::string text;
  while (!bytes.empty()) {
    const size_t size = std::min(piece, bytes.size());
    reader.Append(bytes.substr(0, size));
    bytes.remove_prefix(size);
    while (true) {
      TM_ASSIGN_OR_RETURN(const bool whole, reader.Parse());
      if (!whole) break;
      text += Shown(reader.Take()) + ";";
    }
  }
  return text;
}

// With a zero byte in it.
using namespace std::string_view_literals;
constexpr std::string_view kReplies =
    "+OK\r\n-ERR no such key\r\n:-42\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n$5\r\na\r\nb\0\r\n"
    "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n$2\r\nyz\r\n"sv;

TEST(RespTest, RepliesAreTheSameHoweverTheyCome) {
  const std::string expected =
      "+OK;-ERR no such key;-42;null;null;[];'';'a\r\nb" + std::string(1, '\0') + "';[1 ['x' []] 'yz'];";
  for (size_t piece = 1; piece <= kReplies.size(); ++piece) {
    const Result<std::string> text = ParseAll(kReplies, piece);
    ASSERT_TRUE(text.ok()) << text.status().ToString();
    EXPECT_EQ(*text, expected) << piece;
  }
}

TEST(RespTest, FirstValuesComeWithoutACopy) {
  RespReader reader;
  std::string_view text;
  for (int round = 0; round < 50'000; ++round) {
    reader.Append("$4\r\n" + std::to_string(1000 + round % 9000) + "\r\n:7\r\n$2");
    ASSERT_TRUE(*reader.Parse());
    EXPECT_EQ(reader.TakeFirst(&text).type, RespType::kBulk);
    EXPECT_EQ(text, std::to_string(1000 + round % 9000));
    ASSERT_TRUE(*reader.Parse());
    EXPECT_EQ(reader.TakeFirst(&text).number, 7);
    ASSERT_FALSE(*reader.Parse());
    reader.Append("\r\nok\r\n");
    ASSERT_TRUE(*reader.Parse());
    EXPECT_EQ(Shown(reader.Take()), "'ok'");
  }
}

TEST(RespTest, NonsenseIsRefused) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\n", "\r\n", "+OK\n", ":\r\n", ":12x\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n",
                            "*1x\r\n", "$1\r\nab\r\n", "%1\r\n+a\r\n+b\r\n", "_\r\n"}) {
    EXPECT_TRUE(ParseAll(bytes, 1).status().Is(kRedisRefused)) << bytes;
    EXPECT_TRUE(ParseAll(bytes, 1000).status().Is(kRedisRefused)) << bytes;
  }
  EXPECT_TRUE(ParseAll(std::string(100'000, '+'), 1000).status().Is(kRedisRefused));
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "*1\r\n";
  EXPECT_TRUE(ParseAll(deep, 4).status().Is(kRedisRefused));
}

TEST(RespTest, WhatIsAnnouncedIsCheckedBeforeMemoryIsTaken) {
  const RespLimits limits{.reply_bytes_max = 1000, .values_max = 50};
  for (const char* bytes :
       {"$1001\r\n", "$9223372036854775807\r\n", "*51\r\n", "*9223372036854775807\r\n", "*2\r\n$900\r\n"}) {
    const Result<std::string> text = ParseAll(bytes, 3, limits);
    if (std::string_view(bytes).starts_with("*2")) {
      EXPECT_TRUE(text.ok());  // it may come
    } else {
      EXPECT_TRUE(text.status().Is(kLimitExceeded)) << bytes;
    }
  }
  std::string two = "*2\r\n$600\r\n" + std::string(600, 'x') + "\r\n$600\r\n";
  EXPECT_TRUE(ParseAll(two, 7, limits).status().Is(kLimitExceeded));
  std::string many = "*2\r\n*49\r\n";
  for (int i = 0; i < 49; ++i) many += ":1\r\n";
  EXPECT_TRUE(ParseAll(many + ":1\r\n", 7, limits).status().Is(kLimitExceeded));
}

TEST(RespTest, AnyBytesAreAnAnswerOrAnError) {
  Random random(7);
  constexpr std::string_view kAlphabet = "+-:$*\r\n0123456789ab";
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (uint64_t n = random.Uniform(60); n > 0; --n) bytes += kAlphabet[random.Uniform(kAlphabet.size())];
    const Result<std::string> whole = ParseAll(bytes, bytes.size() + 1);
    const Result<std::string> split = ParseAll(bytes, 1 + random.Uniform(5));
    ASSERT_EQ(whole.ok(), split.ok()) << bytes;
    if (whole.ok()) {
      EXPECT_EQ(*whole, *split) << bytes;
    }
  }
}

TEST(RespTest, CommandsAreArraysOfTexts) {
  std::string out;
  const std::string_view words[] = {"XADD", "a b", ""};
  AppendRespCommand(words, &out);
  EXPECT_EQ(out, "*3\r\n$4\r\nXADD\r\n$3\r\na b\r\n$0\r\n\r\n");
}

TEST(StreamPositionTest, TextIsReadBack) {
  for (const char* text :
       {"0-0", "1526919030474-55", "5-1@17", "5-1?", "5-1@17?/9-0", "18446744073709551615-0@0/1-1"}) {
    const auto position = StreamPosition::Parse(text);
    ASSERT_TRUE(position.ok()) << text;
    EXPECT_EQ(position->ToText(), text);
  }
  for (const char* text : {"", "x", "1-", "1-2-3", "1@", "1-2@x", "1-2@-3", "1-2/", "1-2/x"})
    EXPECT_FALSE(StreamPosition::Parse(text).ok()) << text;
  EXPECT_EQ((StreamId{5, 0}).Previous(), (StreamId{4, UINT64_MAX}));
  EXPECT_EQ((StreamId{4, UINT64_MAX}).Next(), (StreamId{5, 0}));
  EXPECT_EQ(StreamId{}.Previous(), StreamId{});
}

// 100 entries were added, ids 1-0 to 100-0; those from `first` on are there.
StreamInfo InfoFrom(uint64_t first) {
  StreamInfo info;
  info.exists = true;
  info.added = 100;
  info.last = {100, 0};
  info.length = static_cast<int64_t>(101 - first);
  if (first <= 100) info.first = {first, 0};
  return info;
}

TEST(StreamPositionTest, TrimmedEntriesAreCounted) {
  StreamPosition position{.last = {40, 0}, .ordinal = 40};
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(1), std::nullopt, &position).ok());
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(40), 60, &position).ok());
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(41), 60, &position).ok());  // all that was read is gone: fine
  const Status lost = CheckStreamPosition("s", InfoFrom(44), 57, &position);
  EXPECT_TRUE(lost.Is(kRedisRecordsGone));
  EXPECT_NE(lost.message().find("3 entries"), std::string::npos) << lost.message();
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(101), 0, &position).Is(kRedisRecordsGone));
  // Entries that came and went between two looks.
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(1), 59, &position).Is(kRedisRecordsGone));
  position = {.last = {100, 0}, .ordinal = 100};
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(101), 0, &position).ok());
}

TEST(StreamPositionTest, AStreamMadeAnewIsNoticed) {
  StreamPosition position{.last = {140, 0}, .ordinal = 40};
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(1), 0, &position).Is(kRedisRecordsGone));
  position = {.last = {40, 0}, .ordinal = 540};
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(41), 60, &position).Is(kRedisRecordsGone));
  EXPECT_TRUE(CheckStreamPosition("s", StreamInfo(), 0, &position).ok());  // not there: it may come
}

TEST(StreamPositionTest, WhatNobodyCanCountIsNotCounted) {
  StreamPosition position{.last = {40, 0}, .ordinal = 40};
  StreamInfo info = InfoFrom(1);
  info.last_deleted = {60, 0};
  info.length -= 5;
  EXPECT_TRUE(CheckStreamPosition("s", info, 55, &position).ok());
  EXPECT_EQ(position.ordinal, -1);
  // Behind the deleted ones it is known again.
  position.last = {70, 0};
  EXPECT_TRUE(CheckStreamPosition("s", info, 30, &position).ok());
  EXPECT_EQ(position.ordinal, 70);
  // A start by time has read nothing: what is there counts.
  position = {.last = {20, 0}, .ordinal = -1, .chosen = true};
  EXPECT_TRUE(CheckStreamPosition("s", InfoFrom(50), 51, &position).ok());
  EXPECT_EQ(position.ordinal, 49);
  // A server before 7.0.
  info = InfoFrom(50);
  info.added = -1;
  position = {.last = {60, 0}};
  EXPECT_TRUE(CheckStreamPosition("s", info, 40, &position).ok());
  position = {.last = {40, 0}};
  EXPECT_TRUE(CheckStreamPosition("s", info, 51, &position).Is(kRedisRecordsGone));
}

TEST(StreamPositionTest, AnswersOfAnotherShapeAreRefused) {
  for (const char* bytes : {":1\r\n", "*0\r\n", "*2\r\n:1\r\n:2\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n$1\r\ns\r\n",
                            "*1\r\n*2\r\n$1\r\ns\r\n:1\r\n", "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n:1\r\n",
                            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$1\r\nx\r\n*0\r\n",
                            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n$1\r\na\r\n",
                            "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n*1\r\n$1\r\na\r\n",
                            "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*0\r\n*2\r\n$3\r\n1-1\r\n*0\r\n"}) {
    RespReader reader;
    reader.Append(bytes);
    ASSERT_TRUE(*reader.Parse()) << bytes;
    EXPECT_TRUE(StreamEntriesOf(reader.Take(), 0).status().Is(kRedisRefused)) << bytes;
  }
  RespReader reader;
  reader.Append(
      "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$3\r\n1-2\r\n*0\r\n");
  ASSERT_TRUE(*reader.Parse());
  const auto entries = StreamEntriesOf(reader.Take(), 0);
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].last - (*entries)[0].first, 2u);
}

}  // namespace
}  // namespace tidemill
