#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tidemill {

// The parts of an http or https address. `host` is without the brackets of an IPv6 literal; `target` begins with '/'
// and has no fragment.
struct Url {
  bool tls = false;
  std::string host;
  uint16_t port = 0;
  std::string target;
};

// kInvalidConfig for another scheme, a missing host, a bad port, user:password@ (secrets belong in headers), blanks or
// control characters.
Result<Url> ParseUrl(std::string_view text);

// For a part of a URL's path or query: all but letters, digits and -_.~ as %XX (RFC 3986).
std::string PercentEncode(std::string_view text);

}  // namespace tidemill
