#include "sql/parser/lexer.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/errors.h"

namespace tidemill {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c) || c == '$'; }
bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Bytes of the UTF-8 character at `at`; 0 when it is not one (overlong forms and surrogates included).
size_t Utf8Length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[at + i])) return 0;
  }
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
      (first == 0xF4 && byte(1) > 0x8F)) {
    return 0;
  }
  return length;
}

size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuation(c); }));
}

class Lexer {
 public:
  Lexer(const std::string& file, const std::string& original, const ExpandedScript& script)
      : file_(file), original_(original), text_(script.text), origin_(script.origin) {}

  Result<std::vector<Token>> Run() {
    for (;;) {
      TM_RETURN_IF_ERROR(SkipSpace());
      if (at_ >= text_.size()) break;
      TM_RETURN_IF_ERROR(Next());
    }
    Add(TokenKind::kEnd, text_.size(), "");
    return std::move(tokens_);
  }

 private:
  SourcePosition Here(size_t begin, size_t end) {
    Locate(begin);
    return {file_, line_, column_, LengthOf(begin, end)};
  }

  Status Fail(size_t begin, size_t end, std::string message) {
    return Status(kSyntaxError, std::move(message)).At(Here(begin, end));
  }

  // Moves (line_, column_) to a byte of the expanded text. Only ever forward, so the whole script is walked once.
  void Locate(size_t at) {
    size_t target = origin_[std::min(at, text_.size())];
    for (; walked_ < target; ++walked_) {
      if (original_[walked_] == '\n') {
        ++line_;
        column_ = 1;
      } else if (!IsContinuation(original_[walked_])) {
        ++column_;
      }
    }
  }

  int LengthOf(size_t begin, size_t end) const {
    size_t from = origin_[std::min(begin, text_.size())];
    size_t to = origin_[std::min(end, text_.size())];
    if (to <= from) return 1;
    std::string_view piece = std::string_view(original_).substr(from, to - from);
    piece = piece.substr(0, piece.find('\n'));
    return static_cast<int>(std::max<size_t>(1, CountCharacters(piece)));
  }

  void Add(TokenKind kind, size_t end, std::string value) {
    Locate(at_);
    Token token;
    token.kind = kind;
    token.text = std::move(value);
    token.line = line_;
    token.column = column_;
    token.length = LengthOf(at_, end);
    token.begin = at_;
    token.end = end;
    if (kind == TokenKind::kWord) {
      token.upper = token.text;
      for (char& c : token.upper) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
      }
    }
    tokens_.push_back(std::move(token));
    at_ = end;
  }

  Status SkipSpace() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      std::string_view rest = std::string_view(text_).substr(at_);
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
        ++at_;
      } else if (rest.starts_with("\xEF\xBB\xBF") && at_ == 0) {
        at_ += 3;
      } else if (rest.starts_with("--")) {
        size_t end = rest.find('\n');
        at_ += end == std::string_view::npos ? rest.size() : end;
      } else if (rest.starts_with("/*") && !rest.starts_with("/*+")) {
        size_t end = rest.find("*/", 2);
        if (end == std::string_view::npos) return Fail(at_, at_ + 2, "comment without its end '*/'");
        at_ += end + 2;
      } else {
        break;
      }
    }
    return Status::OK();
  }

  Status Next() {
    char c = text_[at_];
    if ((c == 'X' || c == 'x') && at_ + 1 < text_.size() && text_[at_ + 1] == '\'')
      return Quoted(at_ + 1, '\'', TokenKind::kBinary);
    if (IsWordStart(c)) return Word();
    if (IsDigit(c) || (c == '.' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1]) && !AfterName())) return Number();
    if (c == '\'') return Quoted(at_, '\'', TokenKind::kString);
    if (c == '`') return Quoted(at_, '`', TokenKind::kQuoted);
    if (c == '"') {
      return Fail(at_, at_ + 1, "found '\"', which starts nothing here")
          .WithHint("'text' is a string, `name` is a name");
    }
    return Symbol();
  }

  // In `a.1` the point selects a field.
  bool AfterName() const {
    if (tokens_.empty() || tokens_.back().end != at_) return false;
    TokenKind kind = tokens_.back().kind;
    return kind == TokenKind::kWord || kind == TokenKind::kQuoted;
  }

  Status Word() {
    size_t end = at_;
    while (end < text_.size() && IsWordPart(text_[end])) {
      size_t length = Utf8Length(text_, end);
      if (length == 0) return Fail(end, end + 1, "invalid UTF-8");
      end += length;
    }
    return AddName(TokenKind::kWord, end, text_.substr(at_, end - at_));
  }

  Status AddName(TokenKind kind, size_t end, std::string value) {
    if (value.empty()) return Fail(at_, end, "empty name");
    if (CountCharacters(value) > kIdentifierLengthMax) {
      return Fail(at_, end, fmt::format("name is longer than {} characters", kIdentifierLengthMax));
    }
    Add(kind, end, std::move(value));
    return Status::OK();
  }

  Status Number() {
    size_t end = at_;
    auto digits = [&] {
      while (end < text_.size() && IsDigit(text_[end])) ++end;
    };
    digits();
    if (end < text_.size() && text_[end] == '.') {
      ++end;
      digits();
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      size_t exponent = end + 1;
      if (exponent < text_.size() && (text_[exponent] == '+' || text_[exponent] == '-')) ++exponent;
      if (exponent < text_.size() && IsDigit(text_[exponent])) {
        end = exponent;
        digits();
      }
    }
    if (end < text_.size() && IsWordPart(text_[end])) {
      size_t stop = end;
      while (stop < text_.size() && IsWordPart(text_[stop])) ++stop;
      return Fail(at_, stop, fmt::format("'{}' is neither a number nor a name", text_.substr(at_, stop - at_)))
          .WithHint("a name that starts with a digit is written in backticks");
    }
    Add(TokenKind::kNumber, end, text_.substr(at_, end - at_));
    return Status::OK();
  }

  Status Quoted(size_t open, char quote, TokenKind kind) {
    std::string value;
    size_t end = open + 1;
    for (;;) {
      if (end >= text_.size()) {
        return Fail(at_, at_ + 1,
                    quote == '\'' ? "string without its closing quote" : "name without its closing backtick");
      }
      if (text_[end] == quote) {
        if (end + 1 >= text_.size() || text_[end + 1] != quote) break;
        value += quote;
        end += 2;
        continue;
      }
      size_t length = Utf8Length(text_, end);
      if (length == 0) return Fail(end, end + 1, "invalid UTF-8");
      value.append(text_, end, length);
      end += length;
    }
    ++end;
    if (kind == TokenKind::kQuoted) return AddName(kind, end, std::move(value));
    Add(kind, end, std::move(value));
    return Status::OK();
  }

  Status Symbol() {
    static constexpr std::string_view kSymbols[] = {"/*+", "*/", "<>", "<=", ">=", "!=", "||", "=>", "->", "(", ")",
                                                    "[",   "]",  "{",  "}",  ",",  ".",  ";",  "+",  "-",  "*", "/",
                                                    "%",   "=",  "<",  ">",  "?",  ":",  "|",  "^",  "$",  "&"};
    std::string_view rest = std::string_view(text_).substr(at_);
    for (std::string_view symbol : kSymbols) {
      if (!rest.starts_with(symbol)) continue;
      if (symbol == "*/" && !in_hint_) continue;
      if (symbol == "/*+") in_hint_ = true;
      if (symbol == "*/") in_hint_ = false;
      Add(TokenKind::kSymbol, at_ + symbol.size(), std::string(symbol));
      return Status::OK();
    }
    unsigned char c = static_cast<unsigned char>(text_[at_]);
    if (c >= 0x20 && c < 0x7F) return Fail(at_, at_ + 1, fmt::format("unexpected character '{}'", text_[at_]));
    return Fail(at_, at_ + 1, fmt::format("unexpected byte 0x{:02X}", c));
  }

  const std::string& file_;
  const std::string& original_;
  const std::string& text_;
  const std::vector<uint32_t>& origin_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t walked_ = 0;
  int line_ = 1;
  int column_ = 1;
  bool in_hint_ = false;
};

}  // namespace

Result<std::vector<Token>> Tokenize(const std::string& file, const std::string& original,
                                    const ExpandedScript& script) {
  return Lexer(file, original, script).Run();
}

}  // namespace tidemill
