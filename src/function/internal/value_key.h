#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <absl/hash/hash.h>
#include <absl/strings/string_view.h>

namespace tidemill {

// A value as a key of a hash table: floating numbers by their bits with one zero and one NaN, 128-bit ones as two
// halves.
template <typename T>
using ValueKey = std::conditional_t<
    std::is_same_v<T, double>, uint64_t,
    std::conditional_t<std::is_same_v<T, float>, uint32_t,
                       std::conditional_t<std::is_same_v<T, __int128>, std::pair<int64_t, uint64_t>,
                                          std::conditional_t<std::is_same_v<T, bool>, uint8_t,
                                                             std::conditional_t<std::is_same_v<T, std::string_view>,
                                                                                std::string, T>>>>>;

template <typename T>
auto KeyOf(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<uint64_t>(std::isnan(value) ? static_cast<double>(NAN) : value == 0 ? 0.0 : value);
  } else if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<uint32_t>(std::isnan(value) ? NAN : value == 0 ? 0.0f : value);
  } else if constexpr (std::is_same_v<T, __int128>) {
    return std::pair<int64_t, uint64_t>(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return static_cast<uint8_t>(value);
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return absl::string_view(value.data(), value.size());  // what Abseil's tables look up without a copy
  } else {
    return value;
  }
}

template <typename T>
auto ValueOf(const ValueKey<T>& key) {
  if constexpr (std::is_same_v<T, double>)
    return std::bit_cast<double>(key);
  else if constexpr (std::is_same_v<T, float>)
    return std::bit_cast<float>(key);
  else if constexpr (std::is_same_v<T, __int128>)
    return static_cast<__int128>((static_cast<unsigned __int128>(static_cast<uint64_t>(key.first)) << 64) | key.second);
  else if constexpr (std::is_same_v<T, bool>)
    return key != 0;
  else
    return key;
}

}  // namespace tidemill
