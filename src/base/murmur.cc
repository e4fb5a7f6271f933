#include "base/murmur.h"

#include <cstring>

namespace tidemill {
namespace {

uint32_t LoadLittle32(const char* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}

uint32_t RotateLeft(uint32_t x, int k) { return (x << k) | (x >> (32 - k)); }

uint32_t Byte(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

}  // namespace

uint32_t Murmur3(std::string_view bytes, uint32_t seed) {
  constexpr uint32_t kC1 = 0xcc9e2d51, kC2 = 0x1b873593;
  uint32_t h = seed;
  const size_t blocks = bytes.size() / 4;
  for (size_t i = 0; i < blocks; ++i) {
    uint32_t k = LoadLittle32(bytes.data() + i * 4) * kC1;
    k = RotateLeft(k, 15) * kC2;
    h = RotateLeft(h ^ k, 13) * 5 + 0xe6546b64;
  }
  const size_t tail = blocks * 4;
  uint32_t k = 0;
  switch (bytes.size() & 3) {
    case 3:
      k ^= Byte(bytes, tail + 2) << 16;
      [[fallthrough]];
    case 2:
      k ^= Byte(bytes, tail + 1) << 8;
      [[fallthrough]];
    case 1:
      k ^= Byte(bytes, tail);
      h ^= RotateLeft(k * kC1, 15) * kC2;
      break;
    default:
      break;
  }
  h ^= static_cast<uint32_t>(bytes.size());
  h = (h ^ (h >> 16)) * 0x85ebca6b;
  h = (h ^ (h >> 13)) * 0xc2b2ae35;
  return h ^ (h >> 16);
}

uint32_t Murmur2Kafka(std::string_view bytes) {
  constexpr uint32_t kM = 0x5bd1e995;
  uint32_t h = 0x9747b28cU ^ static_cast<uint32_t>(bytes.size());
  const size_t blocks = bytes.size() / 4;
  for (size_t i = 0; i < blocks; ++i) {
    uint32_t k = LoadLittle32(bytes.data() + i * 4) * kM;
    k = (k ^ (k >> 24)) * kM;
    h = h * kM ^ k;
  }
  const size_t tail = blocks * 4;
  switch (bytes.size() & 3) {
    case 3:
      h ^= Byte(bytes, tail + 2) << 16;
      [[fallthrough]];
    case 2:
      h ^= Byte(bytes, tail + 1) << 8;
      [[fallthrough]];
    case 1:
      h = (h ^ Byte(bytes, tail)) * kM;
      break;
    default:
      break;
  }
  h = (h ^ (h >> 13)) * kM;
  return h ^ (h >> 15);
}

}  // namespace tidemill
