#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "log/internal/bytes.h"

namespace tidemill {

// Reads the primitive types of the Kafka protocol (kafka.apache.org/protocol, KIP-482) from a buffer that it does not
// own.
//
// Errors stick: after the first one every read gives zero, nothing or an empty view, and no read goes past the buffer,
// so a decoder may read a whole struct and ask once. Whoever loops over counts from the buffer must ask ok() in each
// turn. `field` names what is being read, for the error; it must be a string that lives for ever. Views that are given
// out point into the buffer and live as long as it does. Text is not checked to be UTF-8. Lengths and counts are
// checked against what is left before the caller can take memory for them. One thread at a time.
class WireReader {
 public:
  explicit WireReader(std::string_view buffer)
      : begin_(buffer.data()), cursor_(buffer.data()), end_(buffer.data() + buffer.size()) {}

  bool ok() const { return error_ == nullptr; }
  // OK, or kMalformedMessage with the field and the offset at which it began.
  Status status() const;
  size_t offset() const { return static_cast<size_t>(cursor_ - begin_); }
  size_t remaining() const { return static_cast<size_t>(end_ - cursor_); }

  bool Bool(const char* field) { return Number<int8_t>(field) != 0; }
  int8_t Int8(const char* field) { return Number<int8_t>(field); }
  int16_t Int16(const char* field) { return Number<int16_t>(field); }
  int32_t Int32(const char* field) { return Number<int32_t>(field); }
  int64_t Int64(const char* field) { return Number<int64_t>(field); }
  uint16_t Uint16(const char* field) { return Number<uint16_t>(field); }
  uint32_t Uint32(const char* field) { return Number<uint32_t>(field); }
  double Float64(const char* field) { return std::bit_cast<double>(Number<uint64_t>(field)); }
  std::array<uint8_t, 16> Uuid(const char* field);
  // At most 5 and 10 bytes; a number of more than 32 and 64 bits is an error.
  uint32_t UnsignedVarint(const char* field);
  int32_t Varint(const char* field);
  int64_t Varlong(const char* field);

  // `flexible` chooses the compact form of a length (a varint of length + 1) instead of two or four bytes.
  std::string_view String(bool flexible, const char* field);
  std::optional<std::string_view> NullableString(bool flexible, const char* field);
  std::string_view Bytes(bool flexible, const char* field);
  std::optional<std::string_view> NullableBytes(bool flexible, const char* field);

  // The number of elements that follow. An error when that many of at least `element_bytes_min` bytes each are not
  // left.
  size_t ArrayCount(bool flexible, size_t element_bytes_min, const char* field);
  std::optional<size_t> NullableArrayCount(bool flexible, size_t element_bytes_min, const char* field);
  // The byte before a struct that may be null (KIP-893).
  bool StructPresent(const char* field) { return Int8(field) >= 0; }

  // Tagged fields: TagCount(), then for each OpenTag(), the value or SkipTag(), CloseTag(). Between OpenTag and
  // CloseTag the reader ends where the tag's value does; a value that is shorter than its size is an error.
  struct Tag {
    uint32_t number = 0;
    const char* outer_end = nullptr;
  };
  uint32_t TagCount();
  Tag OpenTag();
  void SkipTag() { cursor_ = end_; }
  void CloseTag(const Tag& tag);
  // A whole section of tagged fields of which none is known.
  void SkipTags();

 private:
  template <typename T>
  T Number(const char* field) {
    if (remaining() < sizeof(T)) [[unlikely]] {
      Fail("ends inside", field, cursor_);
      return T{};
    }
    const T value = log_internal::LoadBig<T>(cursor_);
    cursor_ += sizeof(T);
    return value;
  }
  uint64_t Base128(int bits, const char* field);
  // -1 for null.
  int64_t Length(bool flexible, bool wide, const char* field);
  std::optional<std::string_view> Take(int64_t length, const char* field);
  void Fail(const char* problem, const char* field, const char* at);

  const char* begin_;
  const char* cursor_;
  const char* end_;
  const char* error_ = nullptr;  // what is wrong; null when nothing is
  const char* error_field_ = nullptr;
  size_t error_offset_ = 0;
};

}  // namespace tidemill
