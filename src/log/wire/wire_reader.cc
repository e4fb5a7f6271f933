#include "log/wire/wire_reader.h"

#include <cstring>

#include <fmt/format.h>

#include "log/errors.h"

namespace tidemill {

namespace {

// What Kafka allows for a string, in either form.
constexpr int64_t kWireStringBytesMax = 0x7fff;

}  // namespace

void WireReader::Fail(const char* problem, const char* field, const char* at) {
  if (error_ == nullptr) {
    error_ = problem;
    error_field_ = field;
    error_offset_ = static_cast<size_t>(at - begin_);
  }
  // Nothing is left to read: whatever is asked for next fails as well.
  end_ = cursor_;
}

Status WireReader::status() const {
  if (ok()) return Status::OK();
  return {kMalformedMessage, fmt::format("{} {} at byte {}", error_, error_field_, error_offset_)};
}

std::array<uint8_t, 16> WireReader::Uuid(const char* field) {
  std::array<uint8_t, 16> uuid{};
  if (const auto bytes = Take(uuid.size(), field)) std::memcpy(uuid.data(), bytes->data(), uuid.size());
  return uuid;
}

uint64_t WireReader::Base128(int bits, const char* field) {
  const char* start = cursor_;
  uint64_t value = 0;
  for (int shift = 0; shift < bits; shift += 7) {
    if (cursor_ == end_) {
      Fail("ends inside", field, start);
      return 0;
    }
    const auto byte = static_cast<uint8_t>(*cursor_++);
    const uint64_t part = byte & 0x7f;
    if (shift + 7 > bits && (part >> (bits - shift)) != 0) break;
    value |= part << shift;
    if (byte < 0x80) return value;
  }
  Fail("number too long in", field, start);
  return 0;
}

uint32_t WireReader::UnsignedVarint(const char* field) {
  if (cursor_ != end_ && static_cast<uint8_t>(*cursor_) < 0x80) [[likely]] {
    return static_cast<uint8_t>(*cursor_++);
  }
  return static_cast<uint32_t>(Base128(32, field));
}

int32_t WireReader::Varint(const char* field) {
  const uint32_t value = UnsignedVarint(field);
  return static_cast<int32_t>(value >> 1) ^ -static_cast<int32_t>(value & 1);
}

int64_t WireReader::Varlong(const char* field) { return log_internal::UnZigZag(Base128(64, field)); }

int64_t WireReader::Length(bool flexible, bool wide, const char* field) {
  const char* start = cursor_;
  const int64_t length = flexible ? static_cast<int64_t>(UnsignedVarint(field)) - 1
                         : wide   ? int64_t{Int32(field)}
                                  : int64_t{Int16(field)};
  if (!ok()) return -1;
  if (length < -1) Fail("negative length of", field, start);
  return length;
}

std::optional<std::string_view> WireReader::Take(int64_t length, const char* field) {
  if (length < 0) return std::nullopt;
  if (static_cast<uint64_t>(length) > remaining()) {
    Fail("ends inside", field, cursor_);
    return std::nullopt;
  }
  const std::string_view bytes(cursor_, static_cast<size_t>(length));
  cursor_ += length;
  return bytes;
}

std::optional<std::string_view> WireReader::NullableString(bool flexible, const char* field) {
  const char* start = cursor_;
  const int64_t length = Length(flexible, false, field);
  if (length > kWireStringBytesMax) {
    Fail("text too long in", field, start);
    return std::nullopt;
  }
  return Take(length, field);
}

std::string_view WireReader::String(bool flexible, const char* field) {
  const char* start = cursor_;
  const auto text = NullableString(flexible, field);
  if (!text && ok()) Fail("null in", field, start);
  return text.value_or(std::string_view());
}

std::optional<std::string_view> WireReader::NullableBytes(bool flexible, const char* field) {
  return Take(Length(flexible, true, field), field);
}

std::string_view WireReader::Bytes(bool flexible, const char* field) {
  const char* start = cursor_;
  const auto bytes = NullableBytes(flexible, field);
  if (!bytes && ok()) Fail("null in", field, start);
  return bytes.value_or(std::string_view());
}

std::optional<size_t> WireReader::NullableArrayCount(bool flexible, size_t element_bytes_min, const char* field) {
  const char* start = cursor_;
  const int64_t count = Length(flexible, true, field);
  if (count < 0) return std::nullopt;
  if (static_cast<uint64_t>(count) > remaining() / element_bytes_min) {
    Fail("more elements than bytes in", field, start);
    return std::nullopt;
  }
  return static_cast<size_t>(count);
}

size_t WireReader::ArrayCount(bool flexible, size_t element_bytes_min, const char* field) {
  const char* start = cursor_;
  const auto count = NullableArrayCount(flexible, element_bytes_min, field);
  if (!count && ok()) Fail("null in", field, start);
  return count.value_or(0);
}

uint32_t WireReader::TagCount() {
  const char* start = cursor_;
  const uint32_t count = UnsignedVarint("tagged fields");
  if (count > remaining() / 2) {  // a number and a size each
    Fail("more elements than bytes in", "tagged fields", start);
    return 0;
  }
  return count;
}

WireReader::Tag WireReader::OpenTag() {
  const char* start = cursor_;
  Tag tag{UnsignedVarint("tag"), end_};
  const uint32_t size = UnsignedVarint("size of a tagged field");
  if (!ok()) return tag;
  if (size > remaining()) {
    Fail("ends inside", "tagged field", start);
  } else {
    end_ = cursor_ + size;
  }
  return tag;
}

void WireReader::CloseTag(const Tag& tag) {
  if (!ok()) return;
  if (cursor_ != end_) {
    Fail("bytes left over in", "tagged field", cursor_);
    return;
  }
  end_ = tag.outer_end;
}

void WireReader::SkipTags() {
  for (uint32_t left = TagCount(); left > 0 && ok(); --left) {
    const Tag tag = OpenTag();
    SkipTag();
    CloseTag(tag);
  }
}

}  // namespace tidemill
