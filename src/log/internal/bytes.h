#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tidemill::log_internal {

// Kafka's numbers: big-endian fixed width, and zigzag variable width (protobuf's, as in KIP-98).

template <typename T>
T SwapBytes(T value) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  return value;
}

template <typename T>
T LoadBig(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return SwapBytes(value);
}

template <typename T>
void StoreBig(char* p, T value) {
  value = SwapBytes(value);
  std::memcpy(p, &value, sizeof(T));
}

template <typename T>
void AppendBig(std::string* out, T value) {
  char bytes[sizeof(T)];
  StoreBig(bytes, value);
  out->append(bytes, sizeof(T));
}

inline uint64_t ZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
inline int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }

inline int VarintSize(int64_t v) { return (std::bit_width(ZigZag(v) | 1) + 6) / 7; }

// Needs room for 10 bytes.
inline char* WriteVarint(char* p, int64_t v) {
  uint64_t u = ZigZag(v);
  while (u >= 0x80) {
    *p++ = static_cast<char>(u | 0x80);
    u >>= 7;
  }
  *p++ = static_cast<char>(u);
  return p;
}

// Null when the bytes end before the number does, or it has more than 64 bits.
inline const char* ReadVarint(const char* p, const char* end, int64_t* out) {
  if (p < end && static_cast<uint8_t>(*p) < 0x80) [[likely]] {
    *out = UnZigZag(static_cast<uint8_t>(*p));
    return p + 1;
  }
  uint64_t u = 0;
  for (int shift = 0; shift < 64 && p < end; shift += 7) {
    const auto byte = static_cast<uint8_t>(*p++);
    u |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *out = UnZigZag(u);
      return p;
    }
  }
  return nullptr;
}

// Reads numbers and byte strings from the front of a view; after a failure everything reads as zero and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  T Big() {
    if (bytes_.size() < sizeof(T)) return Fail(), T{0};
    const T value = LoadBig<T>(bytes_.data());
    bytes_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view Bytes(size_t n) {
    if (bytes_.size() < n) return Fail(), std::string_view{};
    const std::string_view value = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return value;
  }
  // A string behind its length in 4 bytes.
  std::string Text() { return std::string(Bytes(Big<uint32_t>())); }
  bool ok() const { return ok_; }
  bool AtEnd() const { return bytes_.empty(); }

 private:
  void Fail() {
    ok_ = false;
    bytes_ = {};
  }
  std::string_view bytes_;
  bool ok_ = true;
};

inline void AppendText(std::string* out, std::string_view text) {
  AppendBig<uint32_t>(out, static_cast<uint32_t>(text.size()));
  out->append(text);
}

}  // namespace tidemill::log_internal
