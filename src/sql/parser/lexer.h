#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

inline constexpr size_t kScriptBytesMax = 4 << 20;
inline constexpr size_t kIdentifierLengthMax = 256;

enum class TokenKind : uint8_t {
  kEnd,
  kWord,    // unquoted: a keyword or a name
  kQuoted,  // `name`
  kString,  // 'text', escapes undone
  kBinary,  // X'00FF', the hex digits
  kNumber,
  kSymbol,  // ( ) , <> ... and the hint brackets /*+ and */
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;   // as written, without quotes
  std::string upper;  // kWord: upper case, for keywords
  int line = 1;
  int column = 1;
  int length = 1;
  size_t begin = 0;  // bytes of the expanded text
  size_t end = 0;
};

// A script with its variables replaced. Positions are those of the text before.
struct ExpandedScript {
  std::string text;
  std::vector<uint32_t> origin;  // for each byte of `text`, and one past the end: its offset in the file
};

// Replaces ${name} and ${name:-default} outside comments. Inside quotes the value is escaped, so that it stays inside.
// ${env:X} and
// ${file:X} are left for the connectors, which keep secrets out of plans.
Result<ExpandedScript> ExpandVariables(const std::string& file, const std::string& text,
                                       const std::map<std::string, std::string>& variables);

// Tokens of a script, ended by kEnd. Comments are left out; a hint comment gives tokens.
Result<std::vector<Token>> Tokenize(const std::string& file, const std::string& original, const ExpandedScript& script);

}  // namespace tidemill
