#pragma once

#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/status.h"

namespace tidemill {

// Replaces `${env:NAME}` by an environment variable and `${file:PATH}` by a file's content (its last line break cut
// off, at most 64 KiB). Called when a connector opens, never while planning: values do not appear in plans, EXPLAIN or
// errors.
Result<std::string> ResolveSecrets(std::string_view text, FileSystem& files);

}  // namespace tidemill
