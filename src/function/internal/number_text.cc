#include "function/internal/number_text.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace tidemill {
namespace {

bool EqualsIgnoreCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

template <typename T>
bool ParseFloatingText(std::string_view text, T& out) {
  text = TrimBlanks(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "NaN" || text == "Infinity") {
    out = text == "NaN" ? std::numeric_limits<T>::quiet_NaN() : std::numeric_limits<T>::infinity();
    if (negative) out = -out;
    return true;
  }
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return false;
  if (const char last = text.back(); last == 'd' || last == 'D' || last == 'f' || last == 'F') text.remove_suffix(1);
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ptr != text.data() + text.size()) return false;
  if (parsed.ec == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; its exponent says which way it went.
    const size_t e = text.find_first_of("eE");
    const bool tiny =
        e != std::string_view::npos ? text.find('-', e) != std::string_view::npos : text[0] == '0' || text[0] == '.';
    out = tiny ? T{0} : std::numeric_limits<T>::infinity();
  } else if (parsed.ec != std::errc()) {
    return false;
  }
  if (negative) out = -out;
  return true;
}

template <typename T>
void AppendFloatingText(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) {
    out += '-';
    value = -value;
  }
  if (std::isinf(value)) {
    out += "Infinity";
    return;
  }
  if (value == 0) {
    out += "0.0";
    return;
  }
  char text[48];
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  const std::string_view written(text, static_cast<size_t>(end.ptr - text));
  const size_t e = written.find('e');
  std::string digits(1, written[0]);
  if (e > 2) digits.append(written.substr(2, e - 2));
  int exponent = 0;
  const char* number = written.data() + e + 1 + (written[e + 1] == '+' ? 1 : 0);
  std::from_chars(number, written.data() + written.size(), exponent);
  const int count = static_cast<int>(digits.size());
  if (exponent >= 7 || exponent < -3) {
    out += digits[0];
    out += '.';
    out.append(count > 1 ? digits.substr(1) : "0");
    out += 'E';
    AppendInteger(exponent, out);
  } else if (exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-exponent - 1), '0');
    out += digits;
  } else if (count <= exponent + 1) {
    out += digits;
    out.append(static_cast<size_t>(exponent + 1 - count), '0');
    out += ".0";
  } else {
    out.append(digits, 0, static_cast<size_t>(exponent + 1));
    out += '.';
    out.append(digits, static_cast<size_t>(exponent + 1));
  }
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

bool ParseInteger(std::string_view text, int64_t min, int64_t max, int64_t& out) {
  text = TrimBlanks(text);
  const std::string_view whole = text;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  size_t at = digits;
  size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      ++at;
      ++fraction;
    }
  }
  if (at != text.size() || digits + fraction == 0) return false;
  out = 0;
  if (digits > 0) {
    const char* begin = text.data() - (whole.starts_with('-') ? 1 : 0);
    if (std::from_chars(begin, text.data() + digits, out).ec != std::errc()) return false;
  }
  return out >= min && out <= max;
}

bool ParseFloating(std::string_view text, double& out) { return ParseFloatingText(text, out); }
bool ParseFloating(std::string_view text, float& out) { return ParseFloatingText(text, out); }

bool ParseBoolean(std::string_view text, bool& out) {
  text = TrimBlanks(text);
  for (std::string_view word : {"t", "true", "y", "yes", "1"}) {
    if (EqualsIgnoreCase(text, word)) {
      out = true;
      return true;
    }
  }
  for (std::string_view word : {"f", "false", "n", "no", "0"}) {
    if (EqualsIgnoreCase(text, word)) {
      out = false;
      return true;
    }
  }
  return false;
}

void AppendInteger(int64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof(text), value);
  out.append(text, static_cast<size_t>(end.ptr - text));
}

void AppendFloating(double value, std::string& out) { AppendFloatingText(value, out); }
void AppendFloating(float value, std::string& out) { AppendFloatingText(value, out); }

}  // namespace tidemill
