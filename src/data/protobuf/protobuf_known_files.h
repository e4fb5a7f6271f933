#pragma once

#include <string_view>

namespace tidemill {

// Files that any .proto may import without saying where they are, as with Confluent's clients, besides those of
// google/protobuf/: the .proto text at an import path, empty when it is none of them.
std::string_view KnownProtobufFile(std::string_view path);

}  // namespace tidemill
