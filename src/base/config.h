#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// Options as text, e.g. the WITH clause of a table or the SETs of a script. Keys are case-sensitive.
class Config {
 public:
  Config() = default;
  explicit Config(std::map<std::string, std::string> values) : values_(std::move(values)) {}

  void Set(std::string key, std::string value) { values_[std::move(key)] = std::move(value); }
  bool Has(std::string_view key) const;
  std::optional<std::string> Get(std::string_view key) const;
  std::string GetString(std::string_view key, std::string_view fallback) const;
  // kInvalidConfig names the key, the value and what was expected.
  Result<int64_t> GetInt(std::string_view key, int64_t fallback) const;
  Result<double> GetDouble(std::string_view key, double fallback) const;
  Result<bool> GetBool(std::string_view key, bool fallback) const;
  Result<int64_t> GetDurationMs(std::string_view key, int64_t fallback_ms) const;
  Result<int64_t> GetBytes(std::string_view key, int64_t fallback) const;
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  std::map<std::string, std::string> values_;
};

// The name in `candidates` nearest to `name` (Damerau-Levenshtein, at most a third of the length), or empty: for "did
// you mean".
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace tidemill
