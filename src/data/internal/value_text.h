#pragma once

#include <cstdint>
#include <string>

#include <arrow/array.h>

#include "data/data_type.h"
#include "data/time_text.h"

namespace tidemill {

// How flat values look as text in JSON and CSV.
struct ValueTextOptions {
  char time_separator = ' ';  // between date and clock
};

// Shortest text that reads back as the same number; NaN, Infinity and -Infinity as words.
void AppendDouble(double value, std::string& out);
void AppendFloat(float value, std::string& out);
void AppendIntegerText(int64_t value, std::string& out);
void AppendBase64(std::string_view bytes, std::string& out);

// What a column's text needs around it in JSON.
enum class TextKind : uint8_t { kBare, kQuoted, kEscaped, kNested };
TextKind TextKindOf(TypeKind kind);

// Appends value i of a flat, non-null column: numbers, booleans, times, BYTES in base64; text as it is, unescaped.
void AppendValueText(const arrow::Array& column, const DataType& type, int64_t i, const ValueTextOptions& options,
                     std::string& out);

}  // namespace tidemill
