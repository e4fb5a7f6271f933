#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/parser/ast.h"

namespace tidemill {

inline constexpr int kNestingMax = 200;
// Of one expression tree, which long chains (a + b + c ...) deepen without nesting.
inline constexpr int kExpressionDepthMax = 500;

// Text to statements. The first error ends it: position, what was found, what was expected.
Result<std::vector<ast::Statement>> ParseScript(const std::string& file, const std::string& text,
                                                const std::map<std::string, std::string>& variables);

// Words that mean something to the parser; for completion.
const std::vector<std::string>& SqlKeywords();

}  // namespace tidemill
