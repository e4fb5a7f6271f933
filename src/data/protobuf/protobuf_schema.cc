#include "data/protobuf/protobuf_schema.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/api.pb.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/source_context.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/type.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include "base/base64.h"
#include "data/errors.h"
#include "data/protobuf/protobuf_known_files.h"

namespace tidemill {
namespace {

namespace pb = google::protobuf;

// No import can have this name: it is no path.
constexpr char kMainFile[] = "//schema";

class FirstTokenError final : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  std::string text;
};

class FirstElementError final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message*, ErrorLocation,
                const std::string& message) override {
    if (text.empty()) text = fmt::format("{}{}: {}", file == kMainFile ? "" : "in '" + file + "', ", element, message);
  }
  std::string text;
};

Status ProtobufFault(const std::string& name, std::string_view what) {
  return Status(kInvalidSchema,
                name == kMainFile ? fmt::format("Protobuf: {}", what) : fmt::format("Protobuf '{}': {}", name, what));
}

// Brackets that are open at once, but for those in strings and comments.
int ProtobufNesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      for (++i; i < text.size() && text[i] != c && text[i] != '\n'; ++i) {
        if (text[i] == '\\') ++i;
      }
    } else if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*") {
      i = std::min(text.find("*/", i + 2), text.size());
    } else if (c == '{' || c == '<' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == '>' || c == ']') {
      depth = std::max(0, depth - 1);
    }
  }
  return deepest;
}

// Text inside of a binary descriptor would be parsed later, nested as deep as it likes.
bool HasUninterpretedOption(const pb::Message& message) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.UninterpretedOption") return true;
  std::vector<const pb::FieldDescriptor*> fields;
  const pb::Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      if (HasUninterpretedOption(reflection.GetMessage(message, field))) return true;
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (HasUninterpretedOption(reflection.GetRepeatedMessage(message, field, i))) return true;
    }
  }
  return false;
}

int MessageNesting(const pb::DescriptorProto& message, int depth) {
  if (depth > kProtobufNestingMax) return depth;
  int deepest = depth;
  for (const pb::DescriptorProto& nested : message.nested_type())
    deepest = std::max(deepest, MessageNesting(nested, depth + 1));
  return deepest;
}

Status ReadProtobufFile(const std::string& name, const std::string& text, pb::FileDescriptorProto& file) {
  const auto binary = text.empty() ? std::nullopt : DecodeBase64(text);
  if (binary) {
    if (!file.ParseFromString(*binary))
      return ProtobufFault(name, "neither .proto text nor a file descriptor in base64");
    if (HasUninterpretedOption(file)) return ProtobufFault(name, "the descriptor has uninterpreted options");
    for (const pb::DescriptorProto& message : file.message_type()) {
      if (MessageNesting(message, 1) > kProtobufNestingMax)
        return ProtobufFault(name, fmt::format("nested deeper than {}", kProtobufNestingMax));
    }
  } else {
    if (ProtobufNesting(text) > kProtobufNestingMax)
      return ProtobufFault(name, fmt::format("nested deeper than {}", kProtobufNestingMax));
    FirstTokenError errors;
    pb::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
    pb::io::Tokenizer tokenizer(&input, &errors);
    pb::compiler::Parser parser;
    parser.RecordErrorsTo(&errors);
    if (!parser.Parse(&tokenizer, &file) || !errors.text.empty())
      return ProtobufFault(name, errors.text.empty() ? "it can't be parsed" : errors.text);
  }
  file.set_name(name);
  file.clear_source_code_info();
  return Status::OK();
}

// By number, but those of a oneof stay together: their order means nothing.
void SortFields(pb::DescriptorProto& message) {
  std::map<int, int> first_of_oneof;
  for (const pb::FieldDescriptorProto& field : message.field()) {
    if (!field.has_oneof_index()) continue;
    const auto [entry, is_new] = first_of_oneof.try_emplace(field.oneof_index(), field.number());
    entry->second = std::min(entry->second, field.number());
  }
  const auto place = [&](const pb::FieldDescriptorProto& field) {
    return std::pair(field.has_oneof_index() ? first_of_oneof[field.oneof_index()] : field.number(), field.number());
  };
  std::stable_sort(message.mutable_field()->pointer_begin(), message.mutable_field()->pointer_end(),
                   [&](const auto* left, const auto* right) { return place(*left) < place(*right); });
  for (pb::DescriptorProto& nested : *message.mutable_nested_type()) SortFields(nested);
}

// The linker would leave out the files of google/protobuf/ that nothing names.
void NameWellKnownFiles() {
  for (const pb::Descriptor* message :
       {pb::Any::descriptor(), pb::Api::descriptor(), pb::Duration::descriptor(), pb::Empty::descriptor(),
        pb::FieldMask::descriptor(), pb::SourceContext::descriptor(), pb::Struct::descriptor(),
        pb::Timestamp::descriptor(), pb::Type::descriptor(), pb::DoubleValue::descriptor(),
        pb::FileDescriptorProto::descriptor()})
    TM_CHECK(message != nullptr);
}

}  // namespace

ProtobufSchema::ProtobufSchema() = default;
ProtobufSchema::~ProtobufSchema() = default;

Result<std::unique_ptr<ProtobufSchema>> ProtobufSchema::Parse(const ResolvedSchema& schema) {
  pb::LogSilencer silencer;  // a missing `syntax` is no news
  NameWellKnownFiles();
  std::unique_ptr<ProtobufSchema> parsed(new ProtobufSchema());
  parsed->pool_ = std::make_unique<pb::DescriptorPool>(pb::DescriptorPool::generated_pool());
  const auto build = [&](const auto& self, const std::string& name, const std::string& text) -> Status {
    if (name != kMainFile && parsed->pool_->FindFileByName(name) != nullptr) return Status::OK();
    pb::FileDescriptorProto file;
    TM_RETURN_IF_ERROR(ReadProtobufFile(name, text, file));
    for (const std::string& import : file.dependency()) {
      const std::string_view known = KnownProtobufFile(import);
      if (!known.empty()) TM_RETURN_IF_ERROR(self(self, import, std::string(known)));
    }
    for (pb::DescriptorProto& message : *file.mutable_message_type()) SortFields(message);
    FirstElementError errors;
    parsed->file_ = parsed->pool_->BuildFileCollectingErrors(file, &errors);
    return parsed->file_ == nullptr ? ProtobufFault(name, errors.text) : Status::OK();
  };
  for (const ResolvedSchema::Part& part : schema.parts) TM_RETURN_IF_ERROR(build(build, part.name, part.text));
  TM_RETURN_IF_ERROR(build(build, kMainFile, schema.text));
  return parsed;
}

std::string ProtobufSchema::CanonicalText() const { return file_->DebugString(); }

std::string ProtobufSchema::SerializedText() const {
  pb::FileDescriptorProto file;
  file_->CopyTo(&file);
  file.set_name("schema.proto");
  return EncodeBase64(file.SerializeAsString());
}

}  // namespace tidemill
