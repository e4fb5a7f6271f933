#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// Text positions in characters (code points). Texts are valid UTF-8.

inline bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

inline int64_t CountChars(std::string_view text) {
  int64_t count = 0;
  for (char c : text) count += !IsContinuation(c);
  return count;
}

// Bytes of the character that begins at `at`.
inline size_t CharBytes(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && IsContinuation(text[end])) ++end;
  return end - at;
}

// The byte at which character `index` (from 0) begins; the size when there are fewer.
inline size_t ByteOfChar(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += CharBytes(text, at);
  return at;
}

inline bool IsAscii(std::string_view text) {
  unsigned char all = 0;
  for (char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

inline void AppendCodePoint(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

// Takes the first code point off.
inline uint32_t TakeCodePoint(std::string_view& text) {
  const size_t bytes = CharBytes(text, 0);
  const auto first = static_cast<unsigned char>(text[0]);
  uint32_t c = bytes == 1 ? first : bytes == 2 ? first & 0x1f : bytes == 3 ? first & 0x0f : first & 0x07;
  for (size_t i = 1; i < bytes; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(bytes);
  return c;
}

}  // namespace tidemill
