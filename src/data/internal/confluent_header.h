#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// What Confluent's serializers put before a value: a zero byte and the schema's id, big-endian.
inline constexpr size_t kConfluentHeaderBytes = 5;

inline bool ReadConfluentHeader(std::string_view message, int32_t& id) {
  if (message.size() < kConfluentHeaderBytes || message[0] != 0) return false;
  uint32_t bits = 0;
  for (size_t i = 1; i < kConfluentHeaderBytes; ++i) bits = (bits << 8) | static_cast<uint8_t>(message[i]);
  id = static_cast<int32_t>(bits);
  return id >= 0;
}

inline std::string ConfluentHeader(int32_t id) {
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(static_cast<uint32_t>(id) >> shift);
  return out;
}

}  // namespace tidemill
