#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/murmur.h"
#include "base/status.h"
#include "data/data_type.h"
#include "data/key_encoder.h"

namespace tidemill {

// Column-wise pieces of KeyEncoder. Little endian throughout.

// Bytes of one value inside a key: 1..16, 0 for text and binary, -1 for types that can't be a key.
int KeyValueWidth(const DataType& type);

// kArrowError when a column has another layout than its type says or another length; kNullKey for NULL in a NOT NULL
// column.
Status CheckKeyColumns(std::span<const DataType> types, const std::vector<std::shared_ptr<arrow::Array>>& columns,
                       int64_t num_rows);

// Every value of a column of at most 8 bytes as 64 bits: integers sign-extended, floats as their normalised bits.
void WidenKeyColumn(const arrow::Array& column, uint64_t* out);
// The reverse; `nulls` is empty or has a byte per row.
Result<std::shared_ptr<arrow::Array>> NarrowKeyColumn(const DataType& type, std::span<const uint64_t> words,
                                                      std::span<const uint8_t> nulls);

// Writes value i at bytes + starts[i] + offset (after a flag byte when `nullable`); a NULL's value bytes are zero.
void WriteFixedKeyColumn(const arrow::Array& column, bool nullable, int width, const uint32_t* starts, int offset,
                         uint8_t* bytes);
Result<std::shared_ptr<arrow::Array>> ReadFixedKeyColumn(const DataType& type, int width, int offset,
                                                         std::span<const std::string_view> keys);

Result<std::shared_ptr<arrow::Array>> BinaryKeyColumn(const DataType& type, std::span<const std::string_view> values,
                                                      std::span<const uint8_t> nulls);

uint64_t HashKeyBytes(std::string_view key);
Status BadKeyBytes();

inline uint8_t KeyGroupOfBytes(std::string_view key) { return static_cast<uint8_t>(Murmur3(key) % kKeyGroups); }

// Murmur3 of keys of known width, inlined: the same as KeyGroupOfBytes.
inline uint32_t MurmurBlock(uint32_t hash, uint32_t k) {
  k *= 0xcc9e2d51u;
  k = ((k << 15) | (k >> 17)) * 0x1b873593u;
  hash ^= k;
  return ((hash << 13) | (hash >> 19)) * 5 + 0xe6546b64u;
}
inline uint8_t MurmurGroup(uint32_t hash, uint32_t bytes) {
  hash ^= bytes;
  hash ^= hash >> 16;
  hash *= 0x85ebca6bu;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35u;
  hash ^= hash >> 16;
  return static_cast<uint8_t>(hash % kKeyGroups);
}
// The 8 little-endian bytes of `word`.
inline uint8_t KeyGroupOfWord(uint64_t word) {
  return MurmurGroup(MurmurBlock(MurmurBlock(0, static_cast<uint32_t>(word)), static_cast<uint32_t>(word >> 32)), 8);
}
// A flag byte, then the 8 bytes of `word`.
inline uint8_t KeyGroupOfFlaggedWord(uint8_t flag, uint64_t word) {
  uint32_t hash = MurmurBlock(0, flag | static_cast<uint32_t>(word << 8));
  hash = MurmurBlock(hash, static_cast<uint32_t>(word >> 24));
  uint32_t tail = static_cast<uint32_t>(word >> 56) * 0xcc9e2d51u;
  hash ^= ((tail << 15) | (tail >> 17)) * 0x1b873593u;
  return MurmurGroup(hash, 9);
}

}  // namespace tidemill
