#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "data/registered_schema.h"

namespace google::protobuf {
class DescriptorPool;
class FileDescriptor;
}  // namespace google::protobuf

namespace tidemill {

inline constexpr int kProtobufNestingMax = 64;

// A .proto file (proto2, proto3) with the files it imports; those of google/protobuf/ and of KnownProtobufFile are
// there by themselves. Custom
// options are looked up and checked. The text may also be a FileDescriptorProto in base64, as some clients send it.
// Immutable.
class ProtobufSchema {
 public:
  // kInvalidSchema with line and column, or with the name of the element.
  static Result<std::unique_ptr<ProtobufSchema>> Parse(const ResolvedSchema& schema);
  ~ProtobufSchema();

  // The messages are in the order of the file, which data that names them by their place relies on.
  const google::protobuf::FileDescriptor& file() const { return *file_; }
  // As .proto text without comments, fields by number.
  std::string CanonicalText() const;
  // A FileDescriptorProto in base64.
  std::string SerializedText() const;

 private:
  ProtobufSchema();
  std::unique_ptr<google::protobuf::DescriptorPool> pool_;
  const google::protobuf::FileDescriptor* file_ = nullptr;
};

}  // namespace tidemill
