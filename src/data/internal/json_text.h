#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidemill {

// Copies the inside of a JSON string that has no escapes. False when it has one: `to` then holds rubbish. Writes up to
// 15 bytes past the end of `to`'s n bytes, and reads as far past `from` unless that would pass `readable_end`.
inline bool CopyUnescaped(const char* from, size_t n, const char* readable_end, char* to) {
#if defined(__SSE2__)
  const size_t whole = (n + 15) & ~size_t{15};
  if (whole <= static_cast<size_t>(readable_end - from)) [[likely]] {
    const __m128i backslash = _mm_set1_epi8('\\');
    for (size_t i = 0; i < whole; i += 16) {
      const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), block);
      unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, backslash)));
      if (i + 16 > n) mask &= (1u << (n - i)) - 1;  // not what follows the string
      if (mask != 0) return false;
    }
    return true;
  }
#else
  (void)readable_end;
#endif
  if (n > 0 && std::memchr(from, '\\', n) != nullptr) return false;
  if (n > 0) std::memcpy(to, from, n);
  return true;
}

// Resolves the escapes of the inside of a JSON string; never longer than `raw`. False for an unknown escape or half a
// surrogate pair.
bool UnescapeJson(std::string_view raw, char* to, size_t& length);

// Appends `text` as a JSON string with its quotes. Only quotes, backslashes and control characters are escaped.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace tidemill
