#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace google::protobuf {
class Descriptor;
class FileDescriptor;
}  // namespace google::protobuf

namespace tidemill {

// The message of that name, full or, where only one message of the file has it, short. Without a name: the file's first
// one, when `only` only if it has no other. kInvalidFormatOption lists what there is.
Result<const google::protobuf::Descriptor*> FindProtobufMessage(const google::protobuf::FileDescriptor& file,
                                                                std::string_view name, bool only);

// Which message of a file it is, as Confluent writes it after a schema's id: the place among its siblings at each level
// of nesting, zig-zag numbers after their count; the first message is one zero byte.
std::string ProtobufMessageIndexes(const google::protobuf::Descriptor& message);

inline constexpr int kProtobufIndexesMax = 64;
// Reads them off the front of `bytes`; null when they are none, with `bytes` anywhere in between. `found` is null when
// the file has no such message.
bool ReadProtobufMessageIndexes(std::string_view& bytes, std::vector<int>& indexes);
const google::protobuf::Descriptor* ProtobufMessageAt(const google::protobuf::FileDescriptor& file,
                                                      const std::vector<int>& indexes);

}  // namespace tidemill
