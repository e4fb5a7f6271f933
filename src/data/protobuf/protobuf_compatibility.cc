#include "data/protobuf/protobuf_compatibility.h"

#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

namespace tidemill {
namespace {

namespace pb = google::protobuf;
using PbField = pb::FieldDescriptor;

constexpr size_t kProtobufConflictsMax = 100;

// Types of one kind are written alike, so one may become another.
enum class WireKind { kVarint, kZigzag, kBytes, kFixed32, kFixed64, kFloat, kDouble, kMessage, kGroup };

WireKind WireKindOf(const PbField& field) {
  switch (field.type()) {
    case PbField::TYPE_INT32:
    case PbField::TYPE_INT64:
    case PbField::TYPE_UINT32:
    case PbField::TYPE_UINT64:
    case PbField::TYPE_BOOL:
    case PbField::TYPE_ENUM:
      return WireKind::kVarint;
    case PbField::TYPE_SINT32:
    case PbField::TYPE_SINT64:
      return WireKind::kZigzag;
    case PbField::TYPE_STRING:
    case PbField::TYPE_BYTES:
      return WireKind::kBytes;
    case PbField::TYPE_FIXED32:
    case PbField::TYPE_SFIXED32:
      return WireKind::kFixed32;
    case PbField::TYPE_FIXED64:
    case PbField::TYPE_SFIXED64:
      return WireKind::kFixed64;
    case PbField::TYPE_FLOAT:
      return WireKind::kFloat;
    case PbField::TYPE_DOUBLE:
      return WireKind::kDouble;
    case PbField::TYPE_GROUP:
      return WireKind::kGroup;
    case PbField::TYPE_MESSAGE:
      break;
  }
  return WireKind::kMessage;
}

class ProtobufComparison {
 public:
  std::vector<SchemaConflict> Run(const pb::FileDescriptor& reader, const pb::FileDescriptor& writer) {
    if (reader.package() != writer.package())
      Report("PACKAGE_CHANGED", "#/",
             fmt::format("the reader's package is '{}', the writer's '{}'", reader.package(), writer.package()));
    for (int i = 0; i < writer.message_type_count(); ++i) {
      const pb::Descriptor& message = *writer.message_type(i);
      CompareNamed(reader.FindMessageTypeByName(message.name()), message, "#/" + message.name());
    }
    while (!queue_.empty() && conflicts_.size() < kProtobufConflictsMax) {
      const Pair pair = std::move(queue_.front());
      queue_.pop_front();
      CompareMessages(*pair.reader, *pair.writer, pair.path);
    }
    return std::move(conflicts_);
  }

 private:
  struct Pair {
    const pb::Descriptor* reader;
    const pb::Descriptor* writer;
    std::string path;
  };

  void Report(std::string kind, const std::string& path, std::string message) {
    if (conflicts_.size() < kProtobufConflictsMax) conflicts_.push_back({std::move(kind), path, std::move(message)});
  }

  void Enqueue(const pb::Descriptor& reader, const pb::Descriptor& writer, const std::string& path) {
    if (seen_.insert({&reader, &writer}).second) queue_.push_back({&reader, &writer, path});
  }

  void CompareNamed(const pb::Descriptor* reader, const pb::Descriptor& writer, const std::string& path) {
    if (reader != nullptr) return Enqueue(*reader, writer, path);
    Report("MESSAGE_REMOVED", path, fmt::format("the reader has no message '{}'", writer.full_name()));
  }

  void CompareMessages(const pb::Descriptor& reader, const pb::Descriptor& writer, const std::string& path) {
    for (int i = 0; i < writer.nested_type_count(); ++i) {
      const pb::Descriptor& nested = *writer.nested_type(i);
      if (nested.options().map_entry()) continue;  // of a map: compared with its field
      CompareNamed(reader.FindNestedTypeByName(nested.name()), nested, path + "/" + nested.name());
    }
    for (int i = 0; i < writer.field_count(); ++i) {
      const PbField& before = *writer.field(i);
      const std::string place = fmt::format("{}/{}", path, before.number());
      const PbField* now = reader.FindFieldByNumber(before.number());
      if (now != nullptr) {
        CompareFields(*now, before, place);
      } else if (before.is_required()) {
        Report("REQUIRED_FIELD_REMOVED", place, fmt::format("the reader has no required field '{}'", before.name()));
      } else if (before.real_containing_oneof() != nullptr) {
        Report("ONEOF_FIELD_REMOVED", place,
               fmt::format("the reader has no field '{}' of the oneof '{}'", before.name(),
                           before.real_containing_oneof()->name()));
      }
    }
    for (int i = 0; i < reader.field_count(); ++i) {
      const PbField& field = *reader.field(i);
      if (field.is_required() && writer.FindFieldByNumber(field.number()) == nullptr)
        Report("REQUIRED_FIELD_ADDED", fmt::format("{}/{}", path, field.number()),
               fmt::format("the writer has no field '{}', which the reader requires", field.name()));
    }
    for (int i = 0; i < reader.real_oneof_decl_count(); ++i) CompareOneof(*reader.oneof_decl(i), writer, path);
  }

  // Fields that could be set side by side before exclude each other in a oneof.
  void CompareOneof(const pb::OneofDescriptor& oneof, const pb::Descriptor& writer, const std::string& path) {
    int moved = 0;
    bool exists = false;
    for (int i = 0; i < oneof.field_count(); ++i) {
      const PbField* before = writer.FindFieldByNumber(oneof.field(i)->number());
      if (before == nullptr) continue;
      before->real_containing_oneof() == nullptr ? ++moved : exists = true;
    }
    const std::string place = path + "/" + oneof.name();
    if (moved > 1) {
      Report("MULTIPLE_FIELDS_MOVED_TO_ONEOF", place,
             fmt::format("{} fields of the writer are in the reader's oneof '{}'", moved, oneof.name()));
    } else if (moved == 1 && exists) {
      Report("FIELD_MOVED_TO_EXISTING_ONEOF", place,
             fmt::format("a field of the writer is in the reader's oneof '{}', which was there before", oneof.name()));
    }
  }

  void CompareFields(const PbField& reader, const PbField& writer, const std::string& path) {
    if (reader.is_required() && !writer.is_required())
      Report("REQUIRED_FIELD_ADDED", path, fmt::format("the reader requires '{}', the writer does not", reader.name()));
    if (reader.is_map() != writer.is_map())
      return Report("FIELD_KIND_CHANGED", path, fmt::format("'{}' is a map on one side only", reader.name()));
    const WireKind now = WireKindOf(reader);
    const WireKind before = WireKindOf(writer);
    if (now != before) {
      const bool scalars = reader.message_type() == nullptr && writer.message_type() == nullptr;
      return Report(scalars ? "FIELD_SCALAR_KIND_CHANGED" : "FIELD_KIND_CHANGED", path,
                    fmt::format("the reader's '{}' is {}, the writer's {}", reader.name(), reader.type_name(),
                                writer.type_name()));
    }
    if (reader.is_map()) {
      for (const int number : {1, 2}) {
        CompareFields(*reader.message_type()->FindFieldByNumber(number),
                      *writer.message_type()->FindFieldByNumber(number), fmt::format("{}/{}", path, number));
      }
      return;
    }
    if (reader.is_repeated() != writer.is_repeated() && now != WireKind::kBytes && now != WireKind::kMessage)
      Report("FIELD_NUMERIC_LABEL_CHANGED", path, fmt::format("'{}' is repeated on one side only", reader.name()));
    if (reader.message_type() == nullptr) return;
    if (reader.message_type()->full_name() != writer.message_type()->full_name())
      return Report("FIELD_NAMED_TYPE_CHANGED", path,
                    fmt::format("the reader's '{}' is a {}, the writer's a {}", reader.name(),
                                reader.message_type()->full_name(), writer.message_type()->full_name()));
    Enqueue(*reader.message_type(), *writer.message_type(), path);
  }

  std::vector<SchemaConflict> conflicts_;
  std::set<std::pair<const pb::Descriptor*, const pb::Descriptor*>> seen_;
  std::deque<Pair> queue_;
};

}  // namespace

std::vector<SchemaConflict> FindProtobufConflicts(const ProtobufSchema& reader, const ProtobufSchema& writer) {
  return ProtobufComparison().Run(reader.file(), writer.file());
}

}  // namespace tidemill
