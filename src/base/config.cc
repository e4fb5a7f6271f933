#include "base/config.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "base/errors.h"

namespace tidemill {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Status Invalid(std::string_view key, std::string_view value, std::string_view expected) {
  return Status(kInvalidConfig,
                "option '" + std::string(key) + "' = '" + std::string(value) + "': expected " + std::string(expected));
}

template <typename T>
bool ParseNumber(std::string_view text, T* out) {
  text = Trim(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// Optimal string alignment: edits are insert, delete, replace, and swap of two neighbours.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

bool Config::Has(std::string_view key) const { return values_.contains(std::string(key)); }

std::optional<std::string> Config::Get(std::string_view key) const {
  const auto it = values_.find(std::string(key));
  if (it == values_.end()) return std::nullopt;
  return it->second;
}

std::string Config::GetString(std::string_view key, std::string_view fallback) const {
  return Get(key).value_or(std::string(fallback));
}

Result<int64_t> Config::GetInt(std::string_view key, int64_t fallback) const {
  const auto value = Get(key);
  if (!value) return fallback;
  int64_t number = 0;
  if (!ParseNumber(*value, &number)) return Invalid(key, *value, "an integer");
  return number;
}

Result<double> Config::GetDouble(std::string_view key, double fallback) const {
  const auto value = Get(key);
  if (!value) return fallback;
  double number = 0;
  if (!ParseNumber(*value, &number)) return Invalid(key, *value, "a number");
  return number;
}

Result<bool> Config::GetBool(std::string_view key, bool fallback) const {
  const auto value = Get(key);
  if (!value) return fallback;
  const std::string text = Lower(Trim(*value));
  if (text == "true") return true;
  if (text == "false") return false;
  return Invalid(key, *value, "'true' or 'false'");
}

Result<int64_t> Config::GetDurationMs(std::string_view key, int64_t fallback_ms) const {
  const auto value = Get(key);
  if (!value) return fallback_ms;
  auto ms = ParseDurationMs(*value);
  if (!ms.ok()) return Invalid(key, *value, "a duration, for example '250 ms', '5 s' or '1 h 30 min'");
  return ms;
}

Result<int64_t> Config::GetBytes(std::string_view key, int64_t fallback) const {
  const auto value = Get(key);
  if (!value) return fallback;
  auto bytes = ParseBytes(*value);
  if (!bytes.ok()) return Invalid(key, *value, "a size, for example '4096', '64 mb' or '1 gb'");
  return bytes;
}

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string wanted = Lower(name);
  size_t best = std::max<size_t>(1, wanted.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::string other = Lower(candidate);
    const size_t gap = other.size() > wanted.size() ? other.size() - wanted.size() : wanted.size() - other.size();
    if (gap >= best) continue;
    const size_t distance = EditDistance(wanted, other);
    // A one-letter name replaced by another one is not a likely slip.
    if (distance < best && distance < std::max(wanted.size(), other.size())) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace tidemill
