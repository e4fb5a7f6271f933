#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// --output: aligned text for people, one JSON object a line, or CSV with a header line.
enum class OutputFormat : uint8_t { kText, kJson, kCsv };
// "text", "json", "csv"; kUsage otherwise.
Result<OutputFormat> ParseOutputFormat(std::string_view name);

// One value of a listing. `text` of a number or boolean is written into JSON as it is.
struct Cell {
  enum class Kind : uint8_t { kText, kNumber, kBoolean, kNull };
  std::string text;
  Kind kind = Kind::kText;

  Cell() = default;
  Cell(std::string value) : text(std::move(value)) {}                         // NOLINT: implicit by design
  Cell(const char* value) : text(value) {}                                    // NOLINT
  Cell(std::string_view value) : text(value) {}                               // NOLINT
  Cell(int64_t value) : text(std::to_string(value)), kind(Kind::kNumber) {}   // NOLINT
  Cell(int value) : text(std::to_string(value)), kind(Kind::kNumber) {}       // NOLINT
  Cell(bool value) : text(value ? "true" : "false"), kind(Kind::kBoolean) {}  // NOLINT
  static Cell Null() { return Cell(Kind::kNull, "NULL"); }
  static Cell Number(std::string text) { return Cell(Kind::kNumber, std::move(text)); }

 private:
  Cell(Kind k, std::string t) : text(std::move(t)), kind(k) {}
};

// Rows of a listing ("topic list", DESCRIBE): small, held whole.
struct Listing {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

// The text of a listing in the given format, with a newline at the end. Text: a head line, then aligned columns,
// numbers to the right.
std::string FormatListing(const Listing& listing, OutputFormat format);

// Characters a terminal shows for UTF-8 text, each taken as one column wide.
size_t DisplayWidth(std::string_view text);
// `text` padded with blanks to `width`.
void AppendPadded(std::string_view text, size_t width, bool right, std::string& out);
// As one CSV field: quoted when it must be.
void AppendCsvField(std::string_view text, std::string& out);
// As a JSON string, with quotes; bytes that are no UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string& out);
// Control characters made visible, so that data can't move the cursor or colour the terminal.
std::string PrintableText(std::string_view text);
// "12,345,678".
std::string WithThousands(int64_t number);

}  // namespace tidemill
