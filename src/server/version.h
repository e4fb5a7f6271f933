#pragma once

#include <string_view>

namespace tidemill {

// "0.1.0".
std::string_view VersionText();
// What it was built with: "GNU 12.2.0, Release".
std::string_view BuildText();

}  // namespace tidemill
