#include "connect/guard/secrets.h"

#include <cstdlib>

#include "base/errors.h"

namespace tidemill {

Result<std::string> ResolveSecrets(std::string_view text, FileSystem& files) {
  std::string out;
  while (!text.empty()) {
    const size_t start = text.find("${");
    if (start == std::string_view::npos) return out.append(text);
    out.append(text.substr(0, start));
    const size_t end = text.find('}', start);
    if (end == std::string_view::npos) return Status(kInvalidConfig, "'${' without '}'");
    const std::string name(text.substr(start + 2, end - start - 2));
    if (name.starts_with("env:")) {
      const char* value = std::getenv(name.c_str() + 4);
      if (value == nullptr) return Status(kInvalidConfig, "environment variable '" + name.substr(4) + "' is not set");
      out += value;
    } else if (name.starts_with("file:")) {
      TM_ASSIGN_OR_RETURN(std::string value, ReadFile(files, name.substr(5), 64 << 10));
      while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
      out += value;
    } else {
      return Status(kInvalidConfig, "'${" + name + "}' is neither ${env:NAME} nor ${file:PATH}");
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace tidemill
