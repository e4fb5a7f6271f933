#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace tidemill {

// Protobuf's wire format: little-endian base-128 numbers, and values that begin with field number and wire type.

inline constexpr uint32_t kProtobufFieldNumberMax = (1U << 29) - 1;

enum ProtobufWireType : uint8_t {
  kProtobufVarint = 0,
  kProtobufFixed64 = 1,
  kProtobufLength = 2,
  kProtobufGroup = 3,
  kProtobufEndGroup = 4,
  kProtobufFixed32 = 5,
};

inline void AppendProtobufVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

inline uint64_t ProtobufZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t ProtobufUnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

template <typename T>
void AppendProtobufFixed(T value, std::string& out) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

inline void AppendProtobufTag(int number, ProtobufWireType wire, std::string& out) {
  AppendProtobufVarint(static_cast<uint64_t>(number) << 3 | wire, out);
}

// Begins a value whose length is not known yet; EndProtobufLength puts it there.
inline size_t BeginProtobufLength(std::string& out) {
  out += '\0';
  return out.size();
}
inline void EndProtobufLength(size_t begin, std::string& out) {
  const size_t length = out.size() - begin;
  if (length < 0x80) {
    out[begin - 1] = static_cast<char>(length);
    return;
  }
  std::string encoded;
  AppendProtobufVarint(length, encoded);
  out.replace(begin - 1, 1, encoded);
}

// Reads `at` up to `end`; false when there are too few bytes or more than ten.
inline bool ReadProtobufVarint(const uint8_t*& at, const uint8_t* end, uint64_t& value) {
  if (at < end && *at < 0x80) [[likely]] {
    value = *at++;
    return true;
  }
  uint64_t bits = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    const uint8_t byte = *at++;
    bits |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) {
      value = bits;
      return true;
    }
  }
  return false;
}

}  // namespace tidemill
