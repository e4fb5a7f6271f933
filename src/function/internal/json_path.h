#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A path of SQL/JSON into one value: "$", "$.a.b", "$.a[0]", "$['a b']", with an optional "lax" or "strict" before it.
// No wildcards, no filters. Immutable once made.
struct JsonPath {
  struct Step {
    std::string key;     // a member, when index < 0
    int64_t index = -1;  // an element of an array
  };
  std::vector<Step> steps;

  static bool Make(std::string_view text, JsonPath& out);
};

}  // namespace tidemill
