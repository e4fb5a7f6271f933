#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tidemill {

// Where the structure of JSON text is: the positions of { } [ ] : , of opening quotes and of the first byte of every
// other scalar, outside strings. Wraps the first stage of simdjson (Langdale and Lemire, "Parsing Gigabytes of JSON per
// Second", VLDB Journal 2019), which also checks UTF-8, control characters in strings and closed strings. Not
// thread-safe.
class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();

  enum class Outcome : uint8_t { kOk, kEmpty, kInvalidUtf8, kControlCharacter, kUnclosedString, kTooLarge };
  // Any number of documents at once, separated by white space; reads no byte outside `text`.
  Outcome Build(std::string_view text);

  // Valid until the next Build. At least eight positions past the end are UINT32_MAX.
  const uint32_t* positions() const { return positions_; }
  size_t size() const { return size_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  const uint32_t* positions_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tidemill
