#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidemill {

// RFC 4648, with padding.
std::string EncodeBase64(std::string_view bytes);
// nullopt for anything else than base64; padding may be missing.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace tidemill
