#include "log/record_batch.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/compression.h"
#include "log/errors.h"

namespace tidemill {
namespace {

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

Result<std::vector<RecordView>> Decode(std::string_view batch, std::string* decompressed) {
  TM_ASSIGN_OR_RETURN(const BatchHeader header, ParseBatchHeader(batch));
  if (header.total_bytes() != static_cast<int64_t>(batch.size())) return Status(kInvalidBatch, "length");
  if (!ChecksumMatches(header, batch)) return Status(kInvalidBatch, "checksum");
  TM_ASSIGN_OR_RETURN(RecordIterator iterator, RecordIterator::Open(header, batch, decompressed));
  std::vector<RecordView> records;
  while (!iterator.AtEnd()) iterator.Next(2, 0, &records);
  TM_RETURN_IF_ERROR(iterator.status());
  return records;
}

// The bytes follow from the published format alone: one record, no key, value "hello", at 1700000000000 ms.
TEST(RecordBatch, BytesAreKafkas) {
  std::string batch;
  const Record record{{}, "hello", {}, 1'700'000'000'000};
  ASSERT_TRUE(EncodeBatch({&record, 1}, {}, &batch).ok());
  const std::string head =
      "0000000000000000"
      "0000003d"
      "00000000"
      "02";
  const std::string covered =
      "0000"
      "00000000"
      "0000018bcfe56800"
      "0000018bcfe56800"
      "ffffffffffffffff"
      "ffff"
      "ffffffff"
      "00000001"
      "16"
      "00"
      "00"
      "00"
      "01"
      "0a"
      "68656c6c6f"
      "00";
  EXPECT_EQ(batch.substr(0, 17), FromHex(head));
  EXPECT_EQ(batch.substr(21), FromHex(covered));
}

TEST(RecordBatch, RoundTripsKeysHeadersNullsAndTimes) {
  const RecordHeader headers[] = {{"trace", "abc"}, {"empty", ""}, {"null", std::nullopt}};
  const std::string big(100'000, 'x');
  const Record records[] = {
      {"key", "value", headers, 5'000}, {{}, {}, {}, 4'000},           {"", "", {}, 9'000},
      {"k", big, {}, kNoTimestamp},     {"min", "max", {}, INT64_MIN}, {{}, "far", {}, INT64_MAX}};
  for (const auto codec : {CompressionCodec::kNone, CompressionCodec::kGzip, CompressionCodec::kSnappy,
                           CompressionCodec::kLz4, CompressionCodec::kZstd}) {
    std::string batch, decompressed;
    ASSERT_TRUE(EncodeBatch(records, {.now_ms = 7'000, .codec = codec}, &batch).ok());
    SetBaseOffset(batch.data(), 100);
    const auto read = Decode(batch, &decompressed);
    ASSERT_TRUE(read.ok()) << CodecName(codec) << read.status().ToString();
    ASSERT_EQ(read->size(), 6u);
    EXPECT_EQ((*read)[0].offset, 100);
    EXPECT_EQ((*read)[0].key, "key");
    EXPECT_EQ((*read)[0].value, "value");
    EXPECT_EQ((*read)[0].timestamp_ms, 5'000);
    const auto decoded = DecodeHeaders((*read)[0]);
    ASSERT_EQ(decoded->size(), 3u);
    EXPECT_EQ((*decoded)[0].key, "trace");
    EXPECT_EQ((*decoded)[1].value, "");
    EXPECT_FALSE((*decoded)[2].value.has_value());
    EXPECT_FALSE((*read)[1].has_key());
    EXPECT_FALSE((*read)[1].has_value());
    EXPECT_TRUE((*read)[2].has_key());
    EXPECT_TRUE((*read)[2].has_value());
    EXPECT_EQ((*read)[3].value, big);
    EXPECT_EQ((*read)[3].timestamp_ms, 7'000);
    EXPECT_EQ((*read)[4].timestamp_ms, INT64_MIN);
    EXPECT_EQ((*read)[5].timestamp_ms, INT64_MAX);
    EXPECT_EQ((*read)[5].offset, 105);
  }
}

TEST(RecordBatch, AppendTimeReplacesAllTimes) {
  std::string batch, unused;
  const Record records[] = {{{}, "a", {}, 1}, {{}, "b", {}, 2}};
  ASSERT_TRUE(EncodeBatch(records, {.now_ms = 9'000, .timestamp_type = TimestampType::kLogAppendTime}, &batch).ok());
  auto read = Decode(batch, &unused);
  for (const RecordView& record : *read) EXPECT_EQ(record.timestamp_ms, 9'000);
  batch.clear();
  ASSERT_TRUE(EncodeBatch(records, {}, &batch).ok());
  SetLogAppendTime(batch, batch.data(), 8'000);
  read = Decode(batch, &unused);
  ASSERT_EQ(read->size(), 2u);
  for (const RecordView& record : *read) EXPECT_EQ(record.timestamp_ms, 8'000);
}

TEST(RecordBatch, ControlBatches) {
  for (const auto type : {ControlType::kAbort, ControlType::kCommit}) {
    std::string batch;
    EncodeControlBatch({type, 7}, 42, 0, 1'000, &batch);
    const auto header = ParseBatchHeader(batch);
    ASSERT_TRUE(header.ok());
    EXPECT_TRUE(ChecksumMatches(*header, batch));
    EXPECT_TRUE(header->control() && header->transactional());
    EXPECT_EQ(header->producer_id, 42);
    EXPECT_EQ(ParseControlBatch(*header, batch)->type, type);
    EXPECT_EQ(ParseControlBatch(*header, batch)->coordinator_epoch, 7);
  }
}

TEST(RecordBatch, EveryFlippedBitIsNoticedBehindTheUncheckedFields) {
  std::string batch, unused;
  const Record records[] = {{"k", "some value", {}, 1}, {"k2", "another", {}, 2}};
  ASSERT_TRUE(EncodeBatch(records, {}, &batch).ok());
  for (size_t bit = 8 * 8; bit < batch.size() * 8; ++bit) {  // the base offset is checked by its neighbours
    if (bit >= 12 * 8 && bit < 16 * 8) continue;             // the leader epoch, too, by readers
    batch[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_FALSE(Decode(batch, &unused).ok()) << bit;
    batch[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
  EXPECT_TRUE(Decode(batch, &unused).ok());
}

// Structure that the checksum does not save us from: a writer that lies.
TEST(RecordBatch, MalformedRecordsAreRefusedWithoutReadingOutside) {
  Random random(11);
  std::string good;
  const RecordHeader headers[] = {{"h", "v"}};
  const Record records[] = {{"k", "some value", headers, 1}, {{}, "another", {}, 2}, {"x", {}, {}, 3}};
  ASSERT_TRUE(EncodeBatch(records, {}, &good).ok());
  for (int i = 0; i < 20'000; ++i) {
    std::string batch = good;
    for (uint64_t n = 1 + random.Uniform(3); n > 0; --n)
      batch[random.Uniform(batch.size())] = static_cast<char>(random.Next());
    if (random.Uniform(4) == 0) batch.resize(random.Uniform(batch.size()));
    auto header = ParseBatchHeader(batch);
    if (!header.ok() || header->total_bytes() > static_cast<int64_t>(batch.size())) continue;
    std::string decompressed;
    auto iterator = RecordIterator::Open(
        *header, std::string_view(batch).substr(0, static_cast<size_t>(header->total_bytes())), &decompressed);
    if (!iterator.ok()) continue;
    std::vector<RecordView> read;
    while (!iterator->AtEnd()) iterator->Next(7, 0, &read);
    for (const RecordView& record : read) (void)DecodeHeaders(record);
  }
}

TEST(Compression, LimitsAndDamage) {
  const std::string plain(1 << 20, 'a');
  for (const auto codec :
       {CompressionCodec::kGzip, CompressionCodec::kSnappy, CompressionCodec::kLz4, CompressionCodec::kZstd}) {
    std::string packed, out;
    ASSERT_TRUE(Compress(codec, plain, &packed).ok());
    EXPECT_LT(packed.size(), plain.size() / 10);
    ASSERT_TRUE(Decompress(codec, packed, 1 << 20, &out).ok()) << CodecName(codec);
    EXPECT_EQ(out, plain);
    EXPECT_TRUE(Decompress(codec, packed, (1 << 20) - 1, &out).Is(kLimitExceeded)) << CodecName(codec);
    EXPECT_FALSE(Decompress(codec, std::string_view(packed).substr(0, packed.size() / 2), 1 << 20, &out).ok())
        << CodecName(codec);
    EXPECT_FALSE(Decompress(codec, "rubbish that is no codec's", 1 << 20, &out).ok()) << CodecName(codec);
  }
  std::string out;
  EXPECT_TRUE(Decompress(static_cast<CompressionCodec>(6), plain, 1 << 20, &out).Is(kUnsupportedCodec));
}

}  // namespace
}  // namespace tidemill
