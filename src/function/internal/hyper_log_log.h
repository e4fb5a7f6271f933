#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A HyperLogLog sketch (Flajolet, Fusy, Gandouet, Meunier 2007) of 64-bit hashes with 2^13 registers: standard
// error 1.15 %. Estimated by the method of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches"
// (2017), which needs no bias tables and holds for small numbers too. Few values are kept as a sorted list of
// registers; over 512 of them it becomes the full 8 KiB.
class HyperLogLog {
 public:
  static constexpr int kPrecision = 13;
  static constexpr int kRegisters = 1 << kPrecision;

  void Add(uint64_t hash);
  void Merge(const HyperLogLog& other);
  int64_t Estimate() const;
  // The registers as bytes (all, or the list), and back; false when malformed.
  std::string Save() const;
  bool Load(std::string_view bytes);
  int64_t MemoryBytes() const { return static_cast<int64_t>(list_.capacity() * 4 + registers_.capacity()); }

 private:
  static constexpr size_t kListMax = 512;
  void Raise(uint32_t index, uint8_t rank);
  void Expand();

  std::vector<uint32_t> list_;      // index * 256 + rank, by index
  std::vector<uint8_t> registers_;  // empty while the list is used
};

}  // namespace tidemill
