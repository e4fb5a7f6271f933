#pragma once

#include <string>

namespace tidemill {

// docs/functions.md: every row of the function table, group by group, in Markdown.
std::string RenderFunctionReference();

}  // namespace tidemill
