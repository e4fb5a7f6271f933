#include "log/groups/consumer_subscription.h"

#include <cstddef>
#include <cstdint>

namespace tidemill {
namespace {

constexpr size_t kStringBytesMin = 3;  // its length, and one byte

std::optional<int64_t> TakeBig(std::string_view* bytes, size_t width) {
  if (bytes->size() < width) return std::nullopt;
  uint64_t value = static_cast<int8_t>(bytes->front()) < 0 ? ~uint64_t{0} : 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>((*bytes)[i]);
  bytes->remove_prefix(width);
  return static_cast<int64_t>(value);
}

}  // namespace

std::optional<std::vector<std::string>> ReadSubscribedTopics(std::string_view metadata) {
  const auto version = TakeBig(&metadata, 2);
  const auto count = TakeBig(&metadata, 4);
  if (!version || *version < 0 || !count || *count < 0) return std::nullopt;
  if (static_cast<uint64_t>(*count) * kStringBytesMin > metadata.size()) return std::nullopt;
  std::vector<std::string> topics;
  topics.reserve(static_cast<size_t>(*count));
  for (int64_t i = 0; i < *count; ++i) {
    const auto size = TakeBig(&metadata, 2);
    if (!size || *size < 0 || static_cast<uint64_t>(*size) > metadata.size()) return std::nullopt;
    topics.emplace_back(metadata.substr(0, static_cast<size_t>(*size)));
    metadata.remove_prefix(static_cast<size_t>(*size));
  }
  return topics;
}

}  // namespace tidemill
