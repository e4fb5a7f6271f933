#include "data/internal/json_text.h"

#include <array>
#include <cstdint>

namespace tidemill {
namespace {

bool TakeHex4(std::string_view raw, size_t at, uint32_t& out) {
  if (at + 4 > raw.size()) return false;
  out = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const char c = raw[i];
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A' + 10);
    } else {
      return false;
    }
    out = out * 16 + digit;
  }
  return true;
}

size_t PutUtf8(uint32_t code, char* to) {
  if (code < 0x80) {
    to[0] = static_cast<char>(code);
    return 1;
  }
  if (code < 0x800) {
    to[0] = static_cast<char>(0xC0 | (code >> 6));
    to[1] = static_cast<char>(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = static_cast<char>(0xE0 | (code >> 12));
    to[1] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    to[2] = static_cast<char>(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = static_cast<char>(0xF0 | (code >> 18));
  to[1] = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
  to[2] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  to[3] = static_cast<char>(0x80 | (code & 0x3F));
  return 4;
}

// The code point of the escape "\uXXXX" whose digits start at `at`, a surrogate pair taken together; `at` moves behind
// it.
bool TakeCodePoint(std::string_view raw, size_t& at, uint32_t& code) {
  if (!TakeHex4(raw, at, code)) return false;
  at += 4;
  if (code >= 0xDC00 && code <= 0xDFFF) return false;
  if (code < 0xD800 || code > 0xDBFF) return true;
  uint32_t low = 0;
  if (at + 2 > raw.size() || raw[at] != '\\' || raw[at + 1] != 'u' || !TakeHex4(raw, at + 2, low)) return false;
  if (low < 0xDC00 || low > 0xDFFF) return false;
  at += 6;
  code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

constexpr std::array<bool, 256> MakeEscapeTable() {
  std::array<bool, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<size_t>(c)] = true;
  table['"'] = table['\\'] = true;
  return table;
}
constexpr std::array<bool, 256> kMustEscape = MakeEscapeTable();

}  // namespace

bool UnescapeJson(std::string_view raw, char* to, size_t& length) {
  char* const start = to;
  size_t at = 0;
  while (at < raw.size()) {
    if (raw[at] != '\\') {
      *to++ = raw[at++];
      continue;
    }
    if (at + 1 >= raw.size()) return false;
    const char escape = raw[at + 1];
    at += 2;
    switch (escape) {
      case '"':
      case '\\':
      case '/':
        *to++ = escape;
        break;
      case 'b':
        *to++ = '\b';
        break;
      case 'f':
        *to++ = '\f';
        break;
      case 'n':
        *to++ = '\n';
        break;
      case 'r':
        *to++ = '\r';
        break;
      case 't':
        *to++ = '\t';
        break;
      case 'u': {
        uint32_t code = 0;
        if (!TakeCodePoint(raw, at, code)) return false;
        to += PutUtf8(code, to);
        break;
      }
      default:
        return false;
    }
  }
  length = static_cast<size_t>(to - start);
  return true;
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (!kMustEscape[c]) [[likely]]
      continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default: {
        static constexpr char kHex[] = "0123456789abcdef";
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
      }
    }
  }
  out.append(text, begin, text.size() - begin);
  out += '"';
}

}  // namespace tidemill
