#include "server/output.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/errors.h"

namespace tidemill {
namespace {

void AppendJsonCell(const Cell& cell, std::string& out) {
  switch (cell.kind) {
    case Cell::Kind::kText:
      return AppendJsonText(cell.text, out);
    case Cell::Kind::kNull:
      out += "null";
      return;
    default:
      out += cell.text;
      return;
  }
}

std::string JsonLines(const Listing& listing) {
  std::string out;
  for (const auto& row : listing.rows) {
    out += '{';
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonText(listing.columns[i], out);
      out += ':';
      AppendJsonCell(row[i], out);
    }
    out += "}\n";
  }
  return out;
}

std::string CsvLines(const Listing& listing) {
  std::string out;
  for (size_t i = 0; i < listing.columns.size(); ++i) {
    if (i > 0) out += ',';
    AppendCsvField(listing.columns[i], out);
  }
  out += '\n';
  for (const auto& row : listing.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      if (row[i].kind != Cell::Kind::kNull) AppendCsvField(row[i].text, out);
    }
    out += '\n';
  }
  return out;
}

void TrimTrailingBlanks(std::string& line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
}

std::string TextLines(const Listing& listing) {
  const size_t columns = listing.columns.size();
  std::vector<size_t> widths(columns);
  std::vector<bool> right(columns, false);
  for (size_t i = 0; i < columns; ++i) widths[i] = DisplayWidth(listing.columns[i]);
  std::vector<std::vector<std::string>> texts;
  for (const auto& row : listing.rows) {
    auto& line = texts.emplace_back();
    for (size_t i = 0; i < columns; ++i) {
      line.push_back(PrintableText(row[i].text));
      widths[i] = std::max(widths[i], DisplayWidth(line.back()));
      if (row[i].kind == Cell::Kind::kNumber) right[i] = true;
    }
  }
  std::string out;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < columns; ++i) {
      if (i > 0) line += "  ";
      AppendPadded(cells[i], widths[i], right[i], line);
    }
    TrimTrailingBlanks(line);
    out += line + "\n";
  };
  append(listing.columns);
  for (const auto& line : texts) append(line);
  return out;
}

}  // namespace

Result<OutputFormat> ParseOutputFormat(std::string_view name) {
  if (name == "text") return OutputFormat::kText;
  if (name == "json") return OutputFormat::kJson;
  if (name == "csv") return OutputFormat::kCsv;
  return Status(kUsage, fmt::format("--output is text, json or csv, not '{}'", name));
}

std::string FormatListing(const Listing& listing, OutputFormat format) {
  switch (format) {
    case OutputFormat::kJson:
      return JsonLines(listing);
    case OutputFormat::kCsv:
      return CsvLines(listing);
    case OutputFormat::kText:
      break;
  }
  return TextLines(listing);
}

size_t DisplayWidth(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void AppendPadded(std::string_view text, size_t width, bool right, std::string& out) {
  const size_t shown = DisplayWidth(text);
  const size_t blanks = width > shown ? width - shown : 0;
  if (right) out.append(blanks, ' ');
  out += text;
  if (!right) out.append(blanks, ' ');
}

void AppendCsvField(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void AppendJsonText(std::string_view text, std::string& out) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string PrintableText(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string WithThousands(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t first = digits.front() == '-' ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace tidemill
