#pragma once

#include <cstdint>
#include <string_view>

namespace tidemill {

// MurmurHash3 x86_32 (Appleby, public domain): Kafka's and the key groups' hash. Stable for ever.
uint32_t Murmur3(std::string_view bytes, uint32_t seed = 0);
// Kafka's default partitioner: murmur2 with its seed (KIP-480 keeps it for keyed records).
uint32_t Murmur2Kafka(std::string_view bytes);

// Finalizer of MurmurHash3 x64: a bijection, for hashing one 64-bit key.
inline uint64_t MixHash64(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  x ^= x >> 33;
  return x;
}

}  // namespace tidemill
