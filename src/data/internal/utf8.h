#pragma once

#include <string_view>

namespace tidemill {

bool IsValidUtf8(std::string_view text);

}  // namespace tidemill
