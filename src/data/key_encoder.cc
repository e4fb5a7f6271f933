#include "data/key_encoder.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include "base/murmur.h"
#include "data/arrow_status.h"
#include "data/internal/key_codec.h"

namespace tidemill {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

// One key column that fits 8 bytes: the value widened to 64 bits, little endian, after a flag byte (1 = NULL) when
// nullable.
class SingleFixedEncoder final : public KeyEncoder {
 public:
  explicit SingleFixedEncoder(DataType type) : type_(std::move(type)), width_(type_.nullable() ? 9 : 8) {}

  Result<EncodedKeys> Encode(const Columns& columns, int64_t num_rows) override {
    TM_RETURN_IF_ERROR(CheckKeyColumns({&type_, 1}, columns, num_rows));
    const arrow::Array& column = *columns[0];
    const size_t n = static_cast<size_t>(num_rows);
    words_.resize(n);
    hashes_.resize(n);
    groups_.resize(n);
    WidenKeyColumn(column, words_.data());
    EncodedKeys keys{
        .num_rows = num_rows, .fixed_width = width_, .hashes = hashes_.data(), .key_groups = groups_.data()};
    if (width_ == 8) {
      for (size_t i = 0; i < n; ++i) {
        hashes_[i] = MixHash64(words_[i]);
        groups_[i] = KeyGroupOfWord(words_[i]);
      }
      keys.data = reinterpret_cast<const uint8_t*>(words_.data());
      return keys;
    }
    bytes_.resize(n * 9);
    const bool has_nulls = column.null_count() > 0;
    for (size_t i = 0; i < n; ++i) {
      const bool is_null = has_nulls && column.IsNull(static_cast<int64_t>(i));
      if (is_null) words_[i] = 0;
      uint8_t* to = bytes_.data() + i * 9;
      to[0] = is_null ? 1 : 0;
      std::memcpy(to + 1, &words_[i], 8);
      hashes_[i] = MixHash64(words_[i] ^ (is_null ? 0x9e3779b97f4a7c15ULL : 0));
      groups_[i] = KeyGroupOfFlaggedWord(to[0], words_[i]);
    }
    keys.data = bytes_.data();
    return keys;
  }

  Result<Columns> Decode(std::span<const std::string_view> keys) const override {
    std::vector<uint64_t> words(keys.size());
    std::vector<uint8_t> nulls;
    if (width_ == 9) nulls.resize(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].size() != static_cast<size_t>(width_)) return BadKeyBytes();
      std::memcpy(&words[i], keys[i].data() + (width_ - 8), 8);
      if (width_ == 9) nulls[i] = static_cast<uint8_t>(keys[i][0]);
    }
    TM_ASSIGN_OR_RETURN(auto column, NarrowKeyColumn(type_, words, nulls));
    return Columns{std::move(column)};
  }

 private:
  DataType type_;
  int32_t width_;
  std::vector<uint64_t> words_;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> groups_;
  std::vector<uint8_t> bytes_;
};

// One text or binary key column: the bytes themselves, so a batch without oddities is not copied. NULL is the one byte
// 0xFF; a value that starts with 0xFF (never valid UTF-8) gets another 0xFF in front.
class SingleBinaryEncoder final : public KeyEncoder {
 public:
  explicit SingleBinaryEncoder(DataType type) : type_(std::move(type)) {}

  Result<EncodedKeys> Encode(const Columns& columns, int64_t num_rows) override {
    TM_RETURN_IF_ERROR(CheckKeyColumns({&type_, 1}, columns, num_rows));
    const auto& column = static_cast<const arrow::BinaryArray&>(*columns[0]);
    const size_t n = static_cast<size_t>(num_rows);
    hashes_.resize(n);
    groups_.resize(n);
    EncodedKeys keys{.num_rows = num_rows, .hashes = hashes_.data(), .key_groups = groups_.data()};
    static constexpr int32_t kNoOffsets[1] = {0};
    const int32_t* offsets = n > 0 ? column.raw_value_offsets() : kNoOffsets;
    const uint8_t* data = column.value_data() ? column.value_data()->data() : nullptr;
    bool plain = column.null_count() == 0;
    for (size_t i = 0; plain && i < n; ++i) {
      const int32_t begin = offsets[i];
      if (offsets[i + 1] > begin && data[begin] == kNullByte) plain = false;
    }
    if (plain) {
      input_ = columns[0];  // keeps the bytes alive until the next call
      keys.data = data;
      keys.offsets = reinterpret_cast<const uint32_t*>(offsets);
    } else {
      Escape(column, num_rows);
      keys.data = bytes_.data();
      keys.offsets = offsets_.data();
    }
    for (size_t i = 0; i < n; ++i) {
      const std::string_view key = keys.key(static_cast<int64_t>(i));
      hashes_[i] = HashKeyBytes(key);
      groups_[i] = KeyGroupOfBytes(key);
    }
    return keys;
  }

  Result<Columns> Decode(std::span<const std::string_view> keys) const override {
    std::vector<std::string_view> values(keys.size());
    std::vector<uint8_t> nulls(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      std::string_view key = keys[i];
      if (!key.empty() && static_cast<uint8_t>(key[0]) == kNullByte) {
        key.remove_prefix(1);
        nulls[i] = key.empty();
      }
      values[i] = key;
    }
    TM_ASSIGN_OR_RETURN(auto column, BinaryKeyColumn(type_, values, nulls));
    return Columns{std::move(column)};
  }

 private:
  static constexpr uint8_t kNullByte = 0xFF;

  void Escape(const arrow::BinaryArray& column, int64_t num_rows) {
    bytes_.clear();
    offsets_.resize(static_cast<size_t>(num_rows) + 1);
    for (int64_t i = 0; i < num_rows; ++i) {
      offsets_[i] = static_cast<uint32_t>(bytes_.size());
      if (column.IsNull(i)) {
        bytes_.push_back(kNullByte);
        continue;
      }
      const auto value = column.GetView(i);
      if (!value.empty() && static_cast<uint8_t>(value[0]) == kNullByte) bytes_.push_back(kNullByte);
      bytes_.insert(bytes_.end(), value.begin(), value.end());
    }
    offsets_[num_rows] = static_cast<uint32_t>(bytes_.size());
  }

  DataType type_;
  std::shared_ptr<arrow::Array> input_;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> groups_;
  std::vector<uint8_t> bytes_;
  std::vector<uint32_t> offsets_;
};

// Several columns: first the fixed parts in column order (a flag byte where nullable, then the value, natural width),
// then for each binary column, in order, a 32-bit length and its bytes. A NULL binary is length 0xFFFFFFFF and no
// bytes.
class RowKeyEncoder final : public KeyEncoder {
 public:
  explicit RowKeyEncoder(std::vector<DataType> types) : types_(std::move(types)) {
    for (size_t c = 0; c < types_.size(); ++c) {
      const int width = KeyValueWidth(types_[c]);
      if (width == 0) {
        binary_.push_back(static_cast<int>(c));
        continue;
      }
      fixed_.push_back({static_cast<int>(c), fixed_width_, width});
      fixed_width_ += width + (types_[c].nullable() ? 1 : 0);
    }
  }

  Result<EncodedKeys> Encode(const Columns& columns, int64_t num_rows) override {
    TM_RETURN_IF_ERROR(CheckKeyColumns(types_, columns, num_rows));
    const size_t n = static_cast<size_t>(num_rows);
    hashes_.resize(n);
    groups_.resize(n);
    EncodedKeys keys{.num_rows = num_rows, .hashes = hashes_.data(), .key_groups = groups_.data()};
    if (binary_.empty()) {
      bytes_.resize(n * static_cast<size_t>(fixed_width_));
      starts_.resize(n);
      for (size_t i = 0; i < n; ++i) starts_[i] = static_cast<uint32_t>(i * static_cast<size_t>(fixed_width_));
      keys.fixed_width = fixed_width_;
    } else {
      TM_RETURN_IF_ERROR(LayOut(columns, num_rows));
      keys.offsets = offsets_.data();
    }
    for (const FixedPart& part : fixed_) {
      WriteFixedKeyColumn(*columns[part.column], types_[part.column].nullable(), part.width, starts_.data(),
                          part.offset, bytes_.data());
    }
    cursors_ = starts_;
    for (uint32_t& cursor : cursors_) cursor += static_cast<uint32_t>(fixed_width_);
    for (int c : binary_) WriteBinary(static_cast<const arrow::BinaryArray&>(*columns[c]), num_rows);
    keys.data = bytes_.data();
    for (size_t i = 0; i < n; ++i) {
      const std::string_view key = keys.key(static_cast<int64_t>(i));
      hashes_[i] = HashKeyBytes(key);
      groups_[i] = KeyGroupOfBytes(key);
    }
    return keys;
  }

  Result<Columns> Decode(std::span<const std::string_view> keys) const override {
    Columns out(types_.size());
    for (const std::string_view key : keys) {
      if (key.size() < static_cast<size_t>(fixed_width_)) return BadKeyBytes();
    }
    for (const FixedPart& part : fixed_) {
      TM_ASSIGN_OR_RETURN(out[part.column], ReadFixedKeyColumn(types_[part.column], part.width, part.offset, keys));
    }
    std::vector<std::string_view> rest(keys.begin(), keys.end());
    for (std::string_view& key : rest) key.remove_prefix(static_cast<size_t>(fixed_width_));
    std::vector<std::string_view> values(keys.size());
    std::vector<uint8_t> nulls(keys.size());
    for (int c : binary_) {
      for (size_t i = 0; i < rest.size(); ++i) {
        uint32_t length = 0;
        if (rest[i].size() < 4) return BadKeyBytes();
        std::memcpy(&length, rest[i].data(), 4);
        rest[i].remove_prefix(4);
        nulls[i] = length == kNullLength;
        if (nulls[i]) length = 0;
        if (rest[i].size() < length) return BadKeyBytes();
        values[i] = rest[i].substr(0, length);
        rest[i].remove_prefix(length);
      }
      TM_ASSIGN_OR_RETURN(out[c], BinaryKeyColumn(types_[c], values, nulls));
    }
    return out;
  }

 private:
  static constexpr uint32_t kNullLength = 0xFFFFFFFF;
  struct FixedPart {
    int column;
    int offset;  // of the flag byte, or of the value when there is none
    int width;
  };

  Status LayOut(const Columns& columns, int64_t num_rows) {
    const size_t n = static_cast<size_t>(num_rows);
    offsets_.assign(n + 1, static_cast<uint32_t>(fixed_width_ + 4 * static_cast<int>(binary_.size())));
    for (int c : binary_) {
      const auto& column = static_cast<const arrow::BinaryArray&>(*columns[c]);
      if (column.null_count() == 0) {
        const int32_t* ends = column.raw_value_offsets();
        for (size_t i = 0; i < n; ++i) offsets_[i] += static_cast<uint32_t>(ends[i + 1] - ends[i]);
      } else {
        for (size_t i = 0; i < n; ++i) {
          if (column.IsValid(static_cast<int64_t>(i)))
            offsets_[i] += static_cast<uint32_t>(column.value_length(static_cast<int64_t>(i)));
        }
      }
    }
    uint64_t total = 0;
    for (size_t i = 0; i < n; ++i) {
      const uint32_t length = offsets_[i];
      offsets_[i] = static_cast<uint32_t>(total);
      total += length;
    }
    if (total > std::numeric_limits<uint32_t>::max()) {
      return Status(kArrowError, "the keys of one batch are larger than 4 GiB");
    }
    offsets_[n] = static_cast<uint32_t>(total);
    starts_.assign(offsets_.begin(), offsets_.end() - 1);
    bytes_.resize(total);
    return Status::OK();
  }

  void WriteBinary(const arrow::BinaryArray& column, int64_t num_rows) {
    const bool has_nulls = column.null_count() > 0;
    for (int64_t i = 0; i < num_rows; ++i) {
      uint8_t* to = bytes_.data() + cursors_[i];
      if (has_nulls && column.IsNull(i)) {
        std::memcpy(to, &kNullLength, 4);
        cursors_[i] += 4;
        continue;
      }
      const auto value = column.GetView(i);
      const uint32_t length = static_cast<uint32_t>(value.size());
      std::memcpy(to, &length, 4);
      std::memcpy(to + 4, value.data(), length);
      cursors_[i] += 4 + length;
    }
  }

  std::vector<DataType> types_;
  std::vector<FixedPart> fixed_;
  std::vector<int> binary_;
  int32_t fixed_width_ = 0;
  std::vector<uint64_t> hashes_;
  std::vector<uint8_t> groups_;
  std::vector<uint8_t> bytes_;
  std::vector<uint32_t> offsets_;
  std::vector<uint32_t> starts_;   // of each row in bytes_
  std::vector<uint32_t> cursors_;  // where the row's next binary goes
};

}  // namespace

Result<std::unique_ptr<KeyEncoder>> KeyEncoder::Make(std::vector<DataType> key_types) {
  for (const DataType& type : key_types) {
    if (KeyValueWidth(type) < 0) return Status(kUnsupportedType, type.ToString() + " can't be a key");
  }
  std::unique_ptr<KeyEncoder> encoder;
  if (key_types.size() == 1) {
    const int width = KeyValueWidth(key_types[0]);
    if (width == 0) {
      encoder = std::make_unique<SingleBinaryEncoder>(std::move(key_types[0]));
      return encoder;
    }
    if (width <= 8) {
      encoder = std::make_unique<SingleFixedEncoder>(std::move(key_types[0]));
      return encoder;
    }
  }
  encoder = std::make_unique<RowKeyEncoder>(std::move(key_types));
  return encoder;
}

KeyGroupRange KeyGroupsOfLane(int lane, int parallelism) {
  // The inverse of LaneOfKeyGroup: the first group g with g * parallelism / kKeyGroups == lane.
  const auto first_of = [parallelism](int l) { return (l * kKeyGroups + parallelism - 1) / parallelism; };
  return {first_of(lane), first_of(lane + 1) - 1};
}

}  // namespace tidemill
