#pragma once

#include <cstdint>

namespace tidemill {

// Seeded randomness (xoshiro256**, Blackman and Vigna 2018): the same seed gives the same numbers on every machine.
// Not thread-safe: one per owner.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t Next();
  // Uniform in [0, bound); bound > 0.
  uint64_t Uniform(uint64_t bound);
  // Uniform in [0, 1).
  double Double();
  // Standard normal.
  double Normal();

 private:
  uint64_t state_[4];
};

}  // namespace tidemill
