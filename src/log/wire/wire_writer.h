#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "log/internal/bytes.h"

namespace tidemill {

// Records that a message holds but its encoded bytes do not: they belong at `position` of the output.
struct ExternalRecords {
  size_t position;
  std::string_view bytes;
};

// Appends the primitive types of the Kafka protocol to a string that the caller owns (and may use again).
//
// With `external`, fields of type records are left out: their length is written, the bytes themselves are only noted,
// in order of position, so that a server can send them from a file without a copy. Their views are never read then.
// What can't be said in the message's version (a null, a field, text of more than 32,767 bytes) is our own bug; the
// writer goes on, and status() tells of the first one. Such a message must not be sent. One thread at a time.
class WireWriter {
 public:
  explicit WireWriter(std::string* out, std::vector<ExternalRecords>* external = nullptr)
      : out_(out), external_(external) {}

  // OK, or kUnencodableMessage.
  Status status() const;

  void Bool(bool value) { out_->push_back(value ? 1 : 0); }
  void Int8(int8_t value) { out_->push_back(static_cast<char>(value)); }
  void Int16(int16_t value) { log_internal::AppendBig(out_, value); }
  void Int32(int32_t value) { log_internal::AppendBig(out_, value); }
  void Int64(int64_t value) { log_internal::AppendBig(out_, value); }
  void Uint16(uint16_t value) { log_internal::AppendBig(out_, value); }
  void Uint32(uint32_t value) { log_internal::AppendBig(out_, value); }
  void Float64(double value) { log_internal::AppendBig(out_, std::bit_cast<uint64_t>(value)); }
  void Uuid(const std::array<uint8_t, 16>& value) { out_->append(reinterpret_cast<const char*>(value.data()), 16); }
  void UnsignedVarint(uint32_t value) { Base128(value); }
  void Varint(int32_t value) { Base128(static_cast<uint32_t>(log_internal::ZigZag(value))); }
  void Varlong(int64_t value) { Base128(log_internal::ZigZag(value)); }

  void String(bool flexible, std::string_view value, const char* field);
  void Bytes(bool flexible, std::string_view value, const char* field);
  void Records(bool flexible, std::string_view value, const char* field);
  void ArrayCount(bool flexible, size_t count, const char* field);
  // The null of a string (`wide` = false), or of bytes, records and arrays.
  void Null(bool flexible, bool wide);
  void StructPresent(bool present) { Int8(present ? 1 : -1); }

  // A tagged field: OpenTag(), the value, CloseTag() with what OpenTag() gave.
  size_t OpenTag(uint32_t number);
  void CloseTag(size_t start);

  // `field` is null, or has a value, which the message's version has no place for.
  void Refuse(const char* problem, const char* field);

 private:
  void Base128(uint64_t value);

  std::string* out_;
  std::vector<ExternalRecords>* external_;
  const char* error_ = nullptr;
  const char* error_field_ = nullptr;
};

}  // namespace tidemill
