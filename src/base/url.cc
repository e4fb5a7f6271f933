#include "base/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/errors.h"

namespace tidemill {
namespace {

Status Invalid(std::string_view why) { return Status(kInvalidConfig, "not a usable URL: " + std::string(why)); }

}  // namespace

// The messages do not repeat the URL: its query may hold a token.
Result<Url> ParseUrl(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; })) {
    return Invalid("it has a blank or control character");
  }
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Invalid("expected http://... or https://...");
  std::string scheme(text.substr(0, colon));
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  Url url;
  if (scheme == "https") {
    url.tls = true;
  } else if (scheme != "http") {
    return Invalid("scheme '" + scheme + "' is not http or https");
  }
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t end = std::min(rest.find('/'), rest.find('?'));
  std::string_view authority = rest.substr(0, end);
  if (end != std::string_view::npos) url.target = rest.substr(end);
  if (url.target.empty() || url.target[0] != '/') url.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos)
    return Invalid("user and password go into a header, not before the host");

  std::string_view port;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return Invalid("missing ']'");
    url.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port[0] != ':') return Invalid("expected ':' after ']'");
    if (!port.empty()) port.remove_prefix(1);
  } else {
    const size_t at = authority.find(':');
    url.host = authority.substr(0, at);
    if (at != std::string_view::npos) port = authority.substr(at + 1);
  }
  if (url.host.empty()) return Invalid("it names no host");
  url.port = url.tls ? 443 : 80;
  if (!port.empty()) {
    const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || stop != port.data() + port.size() || url.port == 0)
      return Invalid("bad port '" + std::string(port) + "'");
  }
  return url;
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
        c == '.' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace tidemill
