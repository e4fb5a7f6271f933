#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// A pattern of Java's DateTimeFormatter ("yyyy-MM-dd'T'HH:mm:ss.SSS") for wall clocks: y u M d D E e Q H k h K m s S a,
// and for reading also X x Z (an offset). English names. Immutable once made.
class TimeFormat {
 public:
  // kInvalidArgument names the letter that is not known.
  static Result<TimeFormat> Make(std::string_view pattern);

  bool has_offset() const { return has_offset_; }
  // `seconds` since 1970 of the wall clock, `nanos` within the second.
  void Format(int64_t seconds, int32_t nanos, std::string& out) const;

  struct Parsed {
    int64_t seconds = 0;  // wall clock
    int32_t nanos = 0;
    bool has_offset = false;
    int32_t offset_s = 0;
  };
  // The whole text must match. Fields that the pattern lacks are 1970-01-01 00:00:00.
  bool Parse(std::string_view text, Parsed& out) const;

 private:
  struct Item {
    char letter;  // 0 = literal
    int count;
    std::string literal;
  };
  std::vector<Item> items_;
  bool has_offset_ = false;
};

}  // namespace tidemill
