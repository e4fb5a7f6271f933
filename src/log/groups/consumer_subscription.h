#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// The topics in a ConsumerProtocolSubscription, which consumers send as their protocols' metadata: version (int16),
// array of strings, and more that is not looked at. Nothing when the bytes are not one.
std::optional<std::vector<std::string>> ReadSubscribedTopics(std::string_view metadata);

}  // namespace tidemill
