#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tidemill {

// Memory for many small blocks that grow and go: size classes of which four fill a doubling, carved from chunks; a
// freed block serves its class again. Blocks above 64 KiB come from the allocator, one by one. 8-byte aligned, not
// cleared. Not thread-safe.
class BlockArena {
 public:
  BlockArena() = default;
  BlockArena(const BlockArena&) = delete;
  BlockArena& operator=(const BlockArena&) = delete;
  ~BlockArena();

  void* Allocate(size_t bytes);
  // `bytes`: as given to Allocate.
  void Free(void* block, size_t bytes);
  // Taken from the allocator and not given back.
  int64_t reserved_bytes() const { return reserved_; }

 private:
  static constexpr size_t kLargestClassBytes = 64 << 10;
  static constexpr int kClasses = 64;
  static int ClassOf(size_t bytes, size_t* rounded);

  std::array<void*, kClasses> free_{};
  std::vector<void*> chunks_;
  std::vector<void*> large_;  // unordered
  char* cursor_ = nullptr;
  char* end_ = nullptr;
  size_t next_chunk_bytes_ = 16 << 10;
  int64_t reserved_ = 0;
};

}  // namespace tidemill
