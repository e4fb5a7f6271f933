#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemill {

// Avro's binary encoding of single values: zig-zag variable-length integers, little-endian floating point numbers.

inline void AppendAvroLong(int64_t value, std::string& out) {
  uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out += static_cast<char>(bits | 0x80);
    bits >>= 7;
  }
  out += static_cast<char>(bits);
}

inline void AppendAvroBytes(std::string_view bytes, std::string& out) {
  AppendAvroLong(static_cast<int64_t>(bytes.size()), out);
  out += bytes;
}

inline void AppendAvroFloat(float value, std::string& out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

inline void AppendAvroDouble(double value, std::string& out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

// Reads `at` up to `end`; false when there are too few bytes or more than ten. `at` is then anywhere in between.
inline bool ReadAvroLong(const uint8_t*& at, const uint8_t* end, int64_t& value) {
  uint64_t bits = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    const uint8_t byte = *at++;
    if (shift == 63 && byte > 1) return false;
    bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      value = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
      return true;
    }
  }
  return false;
}

}  // namespace tidemill
