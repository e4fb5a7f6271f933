#pragma once

#include <cstdint>
#include <string_view>

#include <arrow/util/decimal.h>

namespace tidemill {

// How a value met its column.
enum class Conversion : uint8_t { kOk, kWrongType, kOutOfRange, kMalformed, kInvalidUtf8 };

// Numbers as text. "Json" follows JSON's grammar (no plus sign, no leading zeros, no blanks: kMalformed otherwise);
// "Java" is what Long.parseLong and Double.parseDouble take after a trim, minus hexadecimal floats.

// A whole number, 1.0 and 1e3 included; 1.5 is kWrongType.
Conversion ParseJsonInteger(std::string_view token, int64_t& out);
Conversion ParseJsonDouble(std::string_view token, double& out);
Conversion ParseJavaInteger(std::string_view text, int64_t& out);
Conversion ParseJavaDouble(std::string_view text, double& out);  // "NaN", "Infinity" and "-Infinity" too
// Either grammar, after a trim. Rounds half up to `scale`; kOutOfRange when more than `precision` digits are left.
Conversion ParseDecimal(std::string_view text, int precision, int scale, arrow::Decimal128& out);
// Whether `token` is a number of JSON's grammar.
bool IsJsonNumber(std::string_view token);

std::string_view TrimAsJava(std::string_view text);

}  // namespace tidemill
