#include <fmt/format.h>

#include <algorithm>

#include "base/config.h"
#include "sql/errors.h"
#include "sql/parser/lexer.h"

namespace tidemill {
namespace {

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

  Status Replace() {
    const size_t begin = at_;
    const size_t close = text_.find('}', begin);
    if (close == std::string::npos || text_.find('\n', begin) < close) {
      return Status(kSyntaxError, "'${' without its '}'").At(PositionOf(file_, text_, begin, 2));
    }
    std::string inside = text_.substr(begin + 2, close - begin - 2);
    if (inside.starts_with("env:") || inside.starts_with("file:")) {
      while (at_ <= close) Copy();
      return Status::OK();
    }
    std::string name = inside;
    std::string value;
    bool found = false;
    if (size_t split = inside.find(":-"); split != std::string::npos) {
      name = inside.substr(0, split);
      value = inside.substr(split + 2);
      found = true;
    }
    SourcePosition position = PositionOf(file_, text_, begin, close + 1 - begin);
    if (name.empty() || !std::all_of(name.begin(), name.end(), IsNameByte)) {
      return Status(kSyntaxError, fmt::format("'{}' is not a variable name", name)).At(position).WithHint("names are [A-Za-z0-9._-]+");
    }
    if (auto it = variables_.find(name); it != variables_.end()) {
      value = it->second;
      found = true;
    }
    if (!found) return Unknown(name).At(position);
    for (char c : value) {
      if (quote_ != 0 && c == quote_) Emit(c, begin);
      Emit(c, begin);
    }
    if (out_.text.size() > 2 * kScriptBytesMax) return Status(kLimitExceeded, "script is over 8 MiB with its variables replaced").At(position);
    at_ = close + 1;
    return Status::OK();
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
    status = status.WithHint(nearest.empty() ? fmt::format("give it with -D {}=..., or write ${{{}:-default}}", name, name)
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
    return Status(kLimitExceeded, fmt::format("script has {} bytes, at most {} are taken", text.size(), kScriptBytesMax))
        .At({file, 1, 1, 1});
  }
  return Expander(file, text, variables).Run();
}

}  // namespace tidemill
