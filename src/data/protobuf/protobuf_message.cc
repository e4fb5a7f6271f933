#include "data/protobuf/protobuf_message.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include "base/base64.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/protobuf/protobuf_wire.h"

namespace tidemill {
namespace {

namespace pb = google::protobuf;

void CollectMessages(const pb::Descriptor& message, std::vector<const pb::Descriptor*>& out) {
  if (message.options().map_entry()) return;
  out.push_back(&message);
  for (int i = 0; i < message.nested_type_count(); ++i) CollectMessages(*message.nested_type(i), out);
}

bool DefinesMessage(const pb::DescriptorProto& message, const std::string& prefix, std::string_view name) {
  const std::string full = prefix + message.name();
  if (full == name || message.name() == name) return true;
  for (const pb::DescriptorProto& nested : message.nested_type()) {
    if (DefinesMessage(nested, full + ".", name)) return true;
  }
  return false;
}

bool DefinesMessage(const pb::FileDescriptorProto& file, std::string_view name) {
  const std::string prefix = file.package().empty() ? "" : file.package() + ".";
  for (const pb::DescriptorProto& message : file.message_type()) {
    if (DefinesMessage(message, prefix, name)) return true;
  }
  return false;
}

}  // namespace

Result<const pb::Descriptor*> FindProtobufMessage(const pb::FileDescriptor& file, std::string_view name, bool only) {
  std::vector<const pb::Descriptor*> messages;
  for (int i = 0; i < file.message_type_count(); ++i) CollectMessages(*file.message_type(i), messages);
  if (messages.empty()) return Status(kInvalidFormatOption, "the schema has no message");
  std::string known;
  std::vector<std::string> names;
  const pb::Descriptor* found = nullptr;
  int with_name = 0;
  for (const pb::Descriptor* message : messages) {
    if (message->full_name() == name) return message;
    if (message->name() == name) {
      found = message;
      ++with_name;
    }
    names.push_back(message->full_name());
    if (names.size() <= 20) known += (known.empty() ? "" : ", ") + names.back();
  }
  if (with_name == 1) return found;
  if (name.empty() && (!only || file.message_type_count() == 1)) return messages[0];
  Status status(kInvalidFormatOption, name.empty() ? std::string("'message-name' is missing")
                                      : with_name > 1
                                          ? fmt::format("'message-name' = '{}': there are several", name)
                                          : fmt::format("'message-name' = '{}': the schema has no such message", name));
  const std::string nearest = NearestName(name, names);
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  return status.WithNote("messages: " + known);
}

std::string ProtobufMessageIndexes(const pb::Descriptor& message) {
  std::vector<int> indexes;
  for (const pb::Descriptor* at = &message; at != nullptr; at = at->containing_type())
    indexes.insert(indexes.begin(), at->index());
  std::string out;
  if (indexes.size() == 1 && indexes[0] == 0) return std::string(1, '\0');
  AppendProtobufVarint(ProtobufZigZag(static_cast<int64_t>(indexes.size())), out);
  for (int index : indexes) AppendProtobufVarint(ProtobufZigZag(index), out);
  return out;
}

bool ReadProtobufMessageIndexes(std::string_view& bytes, std::vector<int>& indexes) {
  indexes.clear();
  const uint8_t* at = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = at + bytes.size();
  const auto read = [&](int64_t& value) {
    uint64_t bits = 0;
    if (!ReadProtobufVarint(at, end, bits)) return false;
    value = ProtobufUnZigZag(bits);
    return value >= 0 && value <= INT32_MAX;
  };
  int64_t count = 0;
  if (!read(count) || count > kProtobufIndexesMax) return false;
  if (count == 0) indexes.push_back(0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t index = 0;
    if (!read(index)) return false;
    indexes.push_back(static_cast<int>(index));
  }
  bytes.remove_prefix(static_cast<size_t>(at - reinterpret_cast<const uint8_t*>(bytes.data())));
  return true;
}

const pb::Descriptor* ProtobufMessageAt(const pb::FileDescriptor& file, const std::vector<int>& indexes) {
  const pb::Descriptor* message = nullptr;
  for (int index : indexes) {
    const int count = message == nullptr ? file.message_type_count() : message->nested_type_count();
    if (index >= count) return nullptr;
    message = message == nullptr ? file.message_type(index) : message->nested_type(index);
  }
  return message == nullptr || message->options().map_entry() ? nullptr : message;
}

Result<ResolvedSchema> ProtobufFileSchema(std::string_view path, std::string_view bytes, std::string_view message) {
  if (path.ends_with(".proto")) return ResolvedSchema{SchemaLanguage::kProtobuf, std::string(bytes), {}};
  pb::FileDescriptorSet set;
  if (!set.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || set.file_size() == 0) {
    return Status(kInvalidSchema, fmt::format("'{}' is no set of file descriptors", path))
        .WithHint("write it with: protoc --include_imports --descriptor_set_out=FILE; .proto text is in a .proto file");
  }
  int main = set.file_size() - 1;
  for (int i = 0; i < set.file_size() && !message.empty(); ++i) {
    if (DefinesMessage(set.file(i), message)) main = i;
  }
  // Files come after those that they import.
  ResolvedSchema schema{SchemaLanguage::kProtobuf, EncodeBase64(set.file(main).SerializeAsString()), {}};
  for (int i = 0; i < main; ++i)
    schema.parts.push_back({set.file(i).name(), EncodeBase64(set.file(i).SerializeAsString())});
  return schema;
}

}  // namespace tidemill
