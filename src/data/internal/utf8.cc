#include "data/internal/utf8.h"

#include <simdjson.h>

namespace tidemill {

bool IsValidUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace tidemill
