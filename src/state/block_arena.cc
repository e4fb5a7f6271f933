#include "state/block_arena.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "base/status.h"

namespace tidemill {

BlockArena::~BlockArena() {
  for (void* chunk : chunks_) std::free(chunk);
  for (void* block : large_) std::free(block);
}

// Classes: 8, 16, 24, 32, then 40, 48, 56, 64, 80, 96, 112, 128, 160, ...
int BlockArena::ClassOf(size_t bytes, size_t* rounded) {
  if (bytes <= 32) {
    const size_t units = std::max<size_t>(1, (bytes + 7) / 8);
    *rounded = units * 8;
    return static_cast<int>(units - 1);
  }
  const int octave = std::bit_width(bytes - 1) - 1;  // 2^octave < bytes <= 2^(octave + 1), octave >= 5
  const size_t step = size_t{1} << (octave - 2);
  const size_t quarter = (bytes - (size_t{1} << octave) + step - 1) / step;  // 1 .. 4
  *rounded = (size_t{1} << octave) + quarter * step;
  return 4 + (octave - 5) * 4 + static_cast<int>(quarter - 1);
}

void* BlockArena::Allocate(size_t bytes) {
  if (bytes > kLargestClassBytes) {
    void* block = std::malloc(bytes);
    TM_CHECK(block != nullptr);
    large_.push_back(block);
    reserved_ += static_cast<int64_t>(bytes);
    return block;
  }
  size_t rounded = 0;
  const int size_class = ClassOf(bytes, &rounded);
  if (void* block = free_[static_cast<size_t>(size_class)]) {
    free_[static_cast<size_t>(size_class)] = *static_cast<void**>(block);
    return block;
  }
  if (static_cast<size_t>(end_ - cursor_) < rounded) {
    // What is left of the old chunk is at most one block: let it go.
    const size_t chunk = std::max(next_chunk_bytes_, rounded);
    next_chunk_bytes_ = std::min<size_t>(next_chunk_bytes_ * 2, 1 << 20);
    cursor_ = static_cast<char*>(std::malloc(chunk));
    TM_CHECK(cursor_ != nullptr);
    end_ = cursor_ + chunk;
    chunks_.push_back(cursor_);
    reserved_ += static_cast<int64_t>(chunk);
  }
  void* block = cursor_;
  cursor_ += rounded;
  return block;
}

void BlockArena::Free(void* block, size_t bytes) {
  if (bytes > kLargestClassBytes) {
    const auto found = std::find(large_.begin(), large_.end(), block);
    TM_CHECK(found != large_.end());
    *found = large_.back();
    large_.pop_back();
    std::free(block);
    reserved_ -= static_cast<int64_t>(bytes);
    return;
  }
  size_t rounded = 0;
  const int size_class = ClassOf(bytes, &rounded);
  *static_cast<void**>(block) = free_[static_cast<size_t>(size_class)];
  free_[static_cast<size_t>(size_class)] = block;
}

}  // namespace tidemill
