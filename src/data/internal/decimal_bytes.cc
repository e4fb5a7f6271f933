#include "data/internal/decimal_bytes.h"

#include <cstdlib>
#include <cstring>

namespace tidemill {

bool DecimalOfBytes(std::string_view bytes, arrow::Decimal128& out) {
  if (bytes.empty()) {
    out = arrow::Decimal128(0);
    return true;
  }
  const bool negative = static_cast<uint8_t>(bytes[0]) >= 0x80;
  const char filler = negative ? '\xff' : '\0';
  while (bytes.size() > 16) {
    if (bytes[0] != filler) return false;
    bytes.remove_prefix(1);
  }
  if ((static_cast<uint8_t>(bytes[0]) >= 0x80) != negative) return false;
  uint8_t padded[16];
  std::memset(padded, static_cast<uint8_t>(filler), sizeof padded);
  std::memcpy(padded + 16 - bytes.size(), bytes.data(), bytes.size());
  uint64_t high = 0;
  uint64_t low = 0;
  for (int i = 0; i < 8; ++i) high = (high << 8) | padded[i];
  for (int i = 8; i < 16; ++i) low = (low << 8) | padded[i];
  out = arrow::Decimal128(static_cast<int64_t>(high), low);
  return true;
}

std::string_view DecimalBytes(const uint8_t* value, char (&store)[16]) {
  for (int b = 0; b < 16; ++b) store[b] = static_cast<char>(value[15 - b]);
  size_t skip = 0;
  while (skip < 15 && ((store[skip] == '\0' && (store[skip + 1] & 0x80) == 0) ||
                       (store[skip] == '\xff' && (store[skip + 1] & 0x80) != 0))) {
    ++skip;
  }
  return {store + skip, 16 - skip};
}

bool RescaleDecimal(int scale, const DataType& type, arrow::Decimal128& value) {
  if (scale != type.scale()) {
    // Arrow knows powers of ten up to 38.
    if (std::abs(int64_t{type.scale()} - scale) > 38) return false;
    const auto rescaled = value.Rescale(scale, type.scale());
    if (!rescaled.ok()) return false;
    value = *rescaled;
  }
  return value.FitsInPrecision(type.precision());
}

}  // namespace tidemill
