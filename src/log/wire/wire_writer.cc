#include "log/wire/wire_writer.h"

#include <limits>

#include <fmt/format.h>

#include "base/status.h"
#include "log/errors.h"

namespace tidemill {

void WireWriter::Refuse(const char* problem, const char* field) {
  if (error_ != nullptr) return;
  error_ = problem;
  error_field_ = field;
}

Status WireWriter::status() const {
  if (error_ == nullptr) return Status::OK();
  return {kUnencodableMessage, fmt::format("{}: {}", error_field_, error_)};
}

void WireWriter::Base128(uint64_t value) {
  while (value >= 0x80) {
    out_->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out_->push_back(static_cast<char>(value));
}

void WireWriter::String(bool flexible, std::string_view value, const char* field) {
  if (value.size() > static_cast<size_t>(std::numeric_limits<int16_t>::max())) {
    Refuse("text too long", field);
    value = {};
  }
  if (flexible) {
    UnsignedVarint(static_cast<uint32_t>(value.size()) + 1);
  } else {
    Int16(static_cast<int16_t>(value.size()));
  }
  out_->append(value);
}

void WireWriter::ArrayCount(bool flexible, size_t count, const char* field) {
  if (count > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    Refuse("too long", field);
    count = 0;
  }
  if (flexible) {
    UnsignedVarint(static_cast<uint32_t>(count) + 1);
  } else {
    Int32(static_cast<int32_t>(count));
  }
}

void WireWriter::Bytes(bool flexible, std::string_view value, const char* field) {
  ArrayCount(flexible, value.size(), field);
  out_->append(value);
}

void WireWriter::Records(bool flexible, std::string_view value, const char* field) {
  if (external_ == nullptr) {
    Bytes(flexible, value, field);
    return;
  }
  ArrayCount(flexible, value.size(), field);
  if (!value.empty()) external_->push_back({out_->size(), value});
}

void WireWriter::Null(bool flexible, bool wide) {
  if (flexible) {
    UnsignedVarint(0);
  } else if (wide) {
    Int32(-1);
  } else {
    Int16(-1);
  }
}

size_t WireWriter::OpenTag(uint32_t number) {
  UnsignedVarint(number);
  return out_->size();
}

void WireWriter::CloseTag(size_t start) {
  // The size goes before a value whose size is known only now; such values are short.
  uint32_t size = static_cast<uint32_t>(out_->size() - start);
  char bytes[5];
  size_t count = 0;
  for (; size >= 0x80; size >>= 7) bytes[count++] = static_cast<char>(size | 0x80);
  bytes[count++] = static_cast<char>(size);
  out_->insert(start, bytes, count);
}

}  // namespace tidemill
