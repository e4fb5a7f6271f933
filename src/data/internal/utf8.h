#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tidemill {

bool IsValidUtf8(std::string_view text);

// The same, quicker for short text that is ASCII.
inline bool IsUtf8(std::string_view text) {
  size_t i = 0;
  uint64_t bits = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    bits |= word;
  }
  for (; i < text.size(); ++i) bits |= static_cast<uint8_t>(text[i]);
  return (bits & 0x8080808080808080ULL) == 0 || IsValidUtf8(text);
}

}  // namespace tidemill
