#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/errors.h"
#include "base/status.h"

namespace tidemill {

// The position of a split that is a topic's partition: "next offset", or "next offset/end" when the read is bounded.
struct OffsetPosition {
  int64_t next = 0;
  int64_t end = -1;

  std::string ToText() const {
    return end < 0 ? std::to_string(next) : std::to_string(next) + "/" + std::to_string(end);
  }
  static Result<OffsetPosition> Parse(std::string_view text) {
    OffsetPosition position;
    const char* last = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), last, position.next);
    if (error == std::errc() && rest != last && *rest == '/') {
      const auto end = std::from_chars(rest + 1, last, position.end);
      rest = end.ptr;
      error = end.ec;
    }
    if (error != std::errc() || rest != last || position.next < 0)
      return Status(kInternalError, "bad position '" + std::string(text) + "' of a topic's partition");
    return position;
  }
};

}  // namespace tidemill
