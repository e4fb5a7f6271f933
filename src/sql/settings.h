#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/status.h"

namespace tidemill {

// What SET takes. A key of Flink that means nothing here is taken with a warning; any other unknown key is an error.
struct Setting {
  enum class Type : uint8_t { kText, kBoolean, kInteger, kDuration, kChoice, kTimeZone };
  std::string_view key;
  Type type;
  std::string_view choices;  // kChoice: "a|b"
  std::string_view fallback;
  std::string_view summary;
};

const std::vector<Setting>& KnownSettings();

// Checks key and value; `warning` is set for keys without effect. Positions are those of key and value.
Status CheckSetting(const std::string& key, const std::string& value, const SourcePosition& key_position,
                    const SourcePosition& value_position, std::string& warning);

// A checked value as it is read later: choices, which are taken in any case, as KnownSettings() spells them.
std::string CanonicalValue(const std::string& key, const std::string& value);

}  // namespace tidemill
