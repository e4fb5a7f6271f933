#include "connect/kinesis/aggregated_record.h"

#include <cstring>

#include <openssl/evp.h>

#include "base/errors.h"

namespace tidemill {
namespace {

constexpr std::string_view kAggregateMagic("\xF3\x89\x9A\xC2", 4);
constexpr size_t kDigestBytes = 16;
constexpr size_t kKeysMax = 1 << 20;

using HashKey = unsigned __int128;

HashKey Md5Of(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HashKey key = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr) != 1 || size != kDigestBytes) return 0;
  for (unsigned int i = 0; i < size; ++i) key = key << 8 | digest[i];
  return key;
}

// Fields of a Protocol Buffers message, one after another.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}
  // False at the end, and for what is no message: then ok() is false too.
  bool Next() {
    uint64_t tag = 0;
    if (rest_.empty() || !Varint(&tag)) return false;
    field_ = tag >> 3;
    value_ = 0;
    bytes_ = {};
    switch (tag & 7) {
      case 0:
        return Varint(&value_);
      case 1:
        return Cut(8, &bytes_);
      case 2:
        return Varint(&value_) && Cut(value_, &bytes_);
      case 5:
        return Cut(4, &bytes_);
      default:
        ok_ = false;
        return false;
    }
  }
  bool ok() const { return ok_; }
  uint64_t field() const { return field_; }
  uint64_t value() const { return value_; }
  std::string_view bytes() const { return bytes_; }

 private:
  bool Varint(uint64_t* out) {
    *out = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      *out |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    ok_ = false;
    return false;
  }
  bool Cut(uint64_t size, std::string_view* out) {
    ok_ = ok_ && size <= rest_.size();
    if (!ok_) return false;
    *out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  uint64_t field_ = 0;
  uint64_t value_ = 0;
  std::string_view bytes_;
  bool ok_ = true;
};

Status BadAggregate(const KinesisRecord& record) {
  return Status(kCorruption, "record " + record.sequence_number + " is not what its producer's library packs");
}

bool ParseDecimal(std::string_view text, HashKey* out) {
  *out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    *out = *out * 10 + static_cast<unsigned>(c - '0');
  }
  return !text.empty() && text.size() <= 39;
}

}  // namespace

bool IsAggregatedRecord(std::string_view data) {
  if (data.size() < kAggregateMagic.size() + kDigestBytes || !data.starts_with(kAggregateMagic)) return false;
  const std::string_view message =
      data.substr(kAggregateMagic.size(), data.size() - kAggregateMagic.size() - kDigestBytes);
  HashKey digest = 0;
  for (const char c : data.substr(data.size() - kDigestBytes)) digest = digest << 8 | static_cast<unsigned char>(c);
  return Md5Of(message) == digest;
}

Status AppendAggregatedRecords(const KinesisRecord& record, const KinesisShard& shard,
                               std::vector<KinesisRecord>* out) {
  const std::string_view data = record.data;
  FieldReader message(data.substr(kAggregateMagic.size(), data.size() - kAggregateMagic.size() - kDigestBytes));
  std::vector<std::string_view> keys, hashes, packed;
  while (message.Next()) {
    if (message.field() == 1) keys.push_back(message.bytes());
    if (message.field() == 2) hashes.push_back(message.bytes());
    if (message.field() == 3) packed.push_back(message.bytes());
    if (keys.size() + hashes.size() + packed.size() > kKeysMax) return BadAggregate(record);
  }
  if (!message.ok()) return BadAggregate(record);
  for (const std::string_view one : packed) {
    FieldReader fields(one);
    uint64_t key = UINT64_MAX;
    uint64_t hash = UINT64_MAX;
    std::string_view bytes;
    while (fields.Next()) {
      if (fields.field() == 1) key = fields.value();
      if (fields.field() == 2) hash = fields.value();
      if (fields.field() == 3) bytes = fields.bytes();
    }
    if (!fields.ok() || key >= keys.size() || (hash != UINT64_MAX && hash >= hashes.size()))
      return BadAggregate(record);
    HashKey at = 0;
    if (hash == UINT64_MAX) {
      at = Md5Of(keys[key]);
    } else if (!ParseDecimal(hashes[hash], &at)) {
      return BadAggregate(record);
    }
    if (at < shard.hash_first || at > shard.hash_last) continue;
    out->push_back({std::string(bytes), std::string(keys[key]), record.sequence_number, record.arrival_ms});
  }
  return Status::OK();
}

}  // namespace tidemill
