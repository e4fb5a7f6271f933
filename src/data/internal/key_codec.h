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

// kArrowError when a column has another layout than its type says or another length; kNullKey for NULL in a NOT NULL column.
Status CheckKeyColumns(std::span<const DataType> types, const std::vector<std::shared_ptr<arrow::Array>>& columns, int64_t num_rows);

// Every value of a column of at most 8 bytes as 64 bits: integers sign-extended, floats as their normalised bits.
void WidenKeyColumn(const arrow::Array& column, uint64_t* out);
// The reverse; `nulls` is empty or has a byte per row.
Result<std::shared_ptr<arrow::Array>> NarrowKeyColumn(const DataType& type, std::span<const uint64_t> words,
                                                      std::span<const uint8_t> nulls);

// Writes value i at bytes + starts[i] + offset (after a flag byte when `nullable`); a NULL's value bytes are zero.
void WriteFixedKeyColumn(const arrow::Array& column, bool nullable, int width, const uint32_t* starts, int offset, uint8_t* bytes);
Result<std::shared_ptr<arrow::Array>> ReadFixedKeyColumn(const DataType& type, int width, int offset,
                                                         std::span<const std::string_view> keys);

Result<std::shared_ptr<arrow::Array>> BinaryKeyColumn(const DataType& type, std::span<const std::string_view> values,
                                                      std::span<const uint8_t> nulls);

uint64_t HashKeyBytes(std::string_view key);
Status BadKeyBytes();

inline uint8_t KeyGroupOfBytes(std::string_view key) { return static_cast<uint8_t>(Murmur3(key) % kKeyGroups); }

// Murmur3 of the 8 little-endian bytes of `word`, inlined: the same as KeyGroupOfBytes.
inline uint8_t KeyGroupOfWord(uint64_t word) {
  const auto rotate = [](uint32_t x, int r) { return (x << r) | (x >> (32 - r)); };
  const auto block = [&](uint32_t hash, uint32_t k) {
    k = rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
    return rotate(hash ^ k, 13) * 5 + 0xe6546b64u;
  };
  uint32_t hash = block(block(0, static_cast<uint32_t>(word)), static_cast<uint32_t>(word >> 32));
  hash ^= 8;
  hash ^= hash >> 16;
  hash *= 0x85ebca6bu;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35u;
  hash ^= hash >> 16;
  return static_cast<uint8_t>(hash % kKeyGroups);
}

}  // namespace tidemill
