#pragma once

#include <memory>

namespace tidemill {

template <typename T, void (*Free)(T*)>
struct FreeWith {
  void operator()(T* pointer) const { Free(pointer); }
};

// What a C library made and takes back with `Free`: Owned<BIO, BIO_free_all>.
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, FreeWith<T, Free>>;

}  // namespace tidemill
