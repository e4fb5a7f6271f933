#include <algorithm>

#include <fmt/format.h>

#include "base/config.h"
#include "sql/errors.h"
#include "sql/parser/lexer.h"

namespace tidemill {
namespace {

constexpr int kDefaultsNestedMax = 10;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

SourcePosition PositionOf(const std::string& file, const std::string& text, size_t offset, size_t length) {
  SourcePosition position{file, 1, 1, static_cast<int>(std::max<size_t>(1, length))};
  for (size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

class Expander {
 public:
  Expander(const std::string& file, const std::string& text, const std::map<std::string, std::string>& variables)
      : file_(file), text_(text), variables_(variables) {}

  Result<ExpandedScript> Run() {
    out_.text.reserve(text_.size());
    out_.origin.reserve(text_.size() + 1);
    while (at_ < text_.size()) {
      if (quote_ == 0 && SkipComment()) continue;
      char c = text_[at_];
      if (c == '$' && at_ + 1 < text_.size() && text_[at_ + 1] == '{') {
        TM_RETURN_IF_ERROR(Replace());
        continue;
      }
      if (quote_ != 0) {
        if (c == quote_) quote_ = 0;
      } else if (c == '\'' || c == '`') {
        quote_ = c;
      }
      Copy();
    }
    out_.origin.push_back(static_cast<uint32_t>(text_.size()));
    return std::move(out_);
  }

 private:
  void Copy() {
    out_.text += text_[at_];
    out_.origin.push_back(static_cast<uint32_t>(at_));
    ++at_;
  }

  bool SkipComment() {
    std::string_view rest = std::string_view(text_).substr(at_);
    size_t length = 0;
    if (rest.starts_with("--")) {
      length = std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*") && !rest.starts_with("/*+")) {
      size_t end = rest.find("*/", 2);
      length = end == std::string_view::npos ? rest.size() : end + 2;
    }
    for (size_t i = 0; i < length; ++i) Copy();
    return length > 0;
  }

  // The '}' that closes the '${' at `begin`; npos when the line ends first.
  size_t FindClose(const std::string& text, size_t begin) const {
    int open = 0;
    for (size_t i = begin; i < text.size() && text[i] != '\n'; ++i) {
      if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') ++open;
      if (text[i] == '}' && --open == 0) return i;
    }
    return std::string::npos;
  }

  Status Replace() {
    const size_t begin = at_;
    const size_t close = FindClose(text_, begin);
    if (close == std::string::npos)
      return Status(kSyntaxError, "'${' without its '}'").At(PositionOf(file_, text_, begin, 2));
    std::string inside = text_.substr(begin + 2, close - begin - 2);
    if (IsSecret(inside)) {
      while (at_ <= close) Copy();
      return Status::OK();
    }
    Result<std::string> value = ValueOf(inside, 0);
    if (!value.ok()) return value.status().At(PositionOf(file_, text_, begin, close + 1 - begin));
    for (char c : *value) {
      if (quote_ != 0 && c == quote_) Emit(c, begin);
      Emit(c, begin);
    }
    if (out_.text.size() > 2 * kScriptBytesMax) {
      return Status(kLimitExceeded, "script is over 8 MiB with its variables replaced")
          .At(PositionOf(file_, text_, begin, 2));
    }
    at_ = close + 1;
    return Status::OK();
  }

  static bool IsSecret(std::string_view inside) { return inside.starts_with("env:") || inside.starts_with("file:"); }

  // name or name:-default; a default may hold variables itself.
  Result<std::string> ValueOf(const std::string& inside, int depth) const {
    if (depth > kDefaultsNestedMax) return Status(kNestingTooDeep, "defaults of variables nest too deep");
    const size_t split = inside.find(":-");
    const std::string name = inside.substr(0, split);
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameByte)) {
      return Status(kSyntaxError, fmt::format("'{}' is not a variable name", name))
          .WithHint("names are [A-Za-z0-9._-]+");
    }
    if (auto it = variables_.find(name); it != variables_.end()) return it->second;
    if (split == std::string::npos) return Unknown(name);
    const std::string fallback = inside.substr(split + 2);
    std::string out;
    for (size_t i = 0; i < fallback.size(); ++i) {
      if (fallback[i] != '$' || i + 1 >= fallback.size() || fallback[i + 1] != '{') {
        out += fallback[i];
        continue;
      }
      const size_t close = FindClose(fallback, i);
      if (close == std::string::npos) return Status(kSyntaxError, "'${' without its '}'");
      const std::string nested = fallback.substr(i + 2, close - i - 2);
      if (IsSecret(nested)) {
        out.append(fallback, i, close + 1 - i);
      } else {
        TM_ASSIGN_OR_RETURN(std::string value, ValueOf(nested, depth + 1));
        out += value;
      }
      i = close;
    }
    return out;
  }

  void Emit(char c, size_t origin) {
    out_.text += c;
    out_.origin.push_back(static_cast<uint32_t>(origin));
  }

  Status Unknown(const std::string& name) const {
    std::vector<std::string> names;
    std::string list;
    for (const auto& [key, value] : variables_) {
      names.push_back(key);
      list += (list.empty() ? "" : ", ") + key;
    }
    Status status(kUnknownVariable, fmt::format("variable '{}' is not given", name));
    std::string nearest = NearestName(name, names);
    status =
        status.WithHint(nearest.empty() ? fmt::format("give it with -D {}=..., or write ${{{}:-default}}", name, name)
                                        : fmt::format("did you mean '{}'?", nearest));
    return list.empty() ? status : status.WithNote("given: " + list);
  }

  const std::string& file_;
  const std::string& text_;
  const std::map<std::string, std::string>& variables_;
  ExpandedScript out_;
  size_t at_ = 0;
  char quote_ = 0;  // inside '...' or `...`
};

}  // namespace

Result<ExpandedScript> ExpandVariables(const std::string& file, const std::string& text,
                                       const std::map<std::string, std::string>& variables) {
  if (text.size() > kScriptBytesMax) {
    return Status(kLimitExceeded,
                  fmt::format("script has {} bytes, at most {} are taken", text.size(), kScriptBytesMax))
        .At({file, 1, 1, 1});
  }
  return Expander(file, text, variables).Run();
}

}  // namespace tidemill
