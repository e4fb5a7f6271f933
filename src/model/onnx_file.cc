#include "model/onnx_file.h"

#include <string>

#include "model/errors.h"

namespace tidemill {
namespace {

constexpr int kDepthMax = 64;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field of a message. `number_value` for varints, `bytes` for length-delimited fields.
struct WireField {
  uint32_t number = 0;
  uint32_t type = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

// The kinds of message that can hold a tensor, directly or below.
enum class Message { kModel, kGraph, kNode, kAttribute, kTensor, kSparseTensor, kFunction, kTraining, kOpset };

class Walker {
 public:
  explicit Walker(std::string_view file) : file_(file) {}

  Status Walk(Message message, std::string_view bytes, int depth) {
    if (depth > kDepthMax) return Bad(bytes, "messages nested deeper than " + std::to_string(kDepthMax));
    if (message == Message::kTensor) return WalkTensor(bytes);
    if (message == Message::kOpset) return WalkOpset(bytes);
    if (message == Message::kNode) ++info_.nodes;
    std::string_view rest = bytes;
    WireField field;
    while (!rest.empty()) {
      TM_RETURN_IF_ERROR(Next(&rest, &field));
      if (message == Message::kModel) TakeModelField(field);
      if (message == Message::kGraph && field.number == 2 && depth == 1) info_.graph_name = Short(field.bytes);
      Message child;
      if (field.type == kBytes && ChildOf(message, field.number, &child)) {
        TM_RETURN_IF_ERROR(Walk(child, field.bytes, depth + 1));
      }
    }
    return Status::OK();
  }

  OnnxFileInfo TakeInfo() { return std::move(info_); }

 private:
  static bool ChildOf(Message message, uint32_t number, Message* child) {
    struct Edge {
      Message from;
      uint32_t number;
      Message to;
    };
    static constexpr Edge kEdges[] = {
        {Message::kModel, 7, Message::kGraph},
        {Message::kModel, 8, Message::kOpset},
        {Message::kModel, 20, Message::kTraining},
        {Message::kModel, 25, Message::kFunction},
        {Message::kGraph, 1, Message::kNode},
        {Message::kGraph, 5, Message::kTensor},
        {Message::kGraph, 15, Message::kSparseTensor},
        {Message::kNode, 5, Message::kAttribute},
        {Message::kAttribute, 5, Message::kTensor},
        {Message::kAttribute, 6, Message::kGraph},
        {Message::kAttribute, 10, Message::kTensor},
        {Message::kAttribute, 11, Message::kGraph},
        {Message::kAttribute, 22, Message::kSparseTensor},
        {Message::kAttribute, 23, Message::kSparseTensor},
        {Message::kSparseTensor, 1, Message::kTensor},
        {Message::kSparseTensor, 2, Message::kTensor},
        {Message::kFunction, 7, Message::kNode},
        {Message::kFunction, 11, Message::kAttribute},
        {Message::kTraining, 1, Message::kGraph},
        {Message::kTraining, 2, Message::kGraph},
    };
    for (const Edge& edge : kEdges) {
      if (edge.from == message && edge.number == number) {
        *child = edge.to;
        return true;
      }
    }
    return false;
  }

  void TakeModelField(const WireField& field) {
    if (field.number == 1 && field.type == kVarint) info_.ir_version = static_cast<int64_t>(field.value);
    if (field.number == 2 && field.type == kBytes) info_.producer = Short(field.bytes) + info_.producer;
    if (field.number == 3 && field.type == kBytes && !field.bytes.empty()) info_.producer += " " + Short(field.bytes);
  }

  Status WalkOpset(std::string_view bytes) {
    std::string_view domain;
    int64_t version = 0;
    WireField field;
    while (!bytes.empty()) {
      TM_RETURN_IF_ERROR(Next(&bytes, &field));
      if (field.number == 1 && field.type == kBytes) domain = field.bytes;
      if (field.number == 2 && field.type == kVarint) version = static_cast<int64_t>(field.value);
    }
    if (domain.empty() || domain == "ai.onnx") info_.opset = version;
    return Status::OK();
  }

  Status WalkTensor(std::string_view bytes) {
    ++info_.tensors;
    bool external = false;
    std::string_view name;
    WireField field;
    while (!bytes.empty()) {
      TM_RETURN_IF_ERROR(Next(&bytes, &field));
      if (field.number == 8 && field.type == kBytes) name = field.bytes;
      if (field.number == 13) external = true;                      // external_data entries
      if (field.number == 14 && field.value != 0) external = true;  // data_location, 1 = EXTERNAL
    }
    if (!external) return Status::OK();
    return Status(kModelExternalData, "tensor '" + Short(name) + "' keeps its data outside the model file");
  }

  Status Next(std::string_view* rest, WireField* field) const {
    const std::string_view at = *rest;
    uint64_t tag;
    if (!ReadVarint(rest, &tag) || tag > UINT32_MAX) return Bad(at, "a field's tag is not readable");
    *field = WireField{static_cast<uint32_t>(tag >> 3), static_cast<uint32_t>(tag & 7)};
    if (field->number == 0) return Bad(at, "field number 0");
    uint64_t length = 0;
    switch (field->type) {
      case kVarint:
        return ReadVarint(rest, &field->value) ? Status::OK() : Bad(at, "a number is cut off");
      case kFixed64:
        length = 8;
        break;
      case kFixed32:
        length = 4;
        break;
      case kBytes:
        if (!ReadVarint(rest, &length)) return Bad(at, "a length is cut off");
        break;
      default:
        return Bad(at, "unknown wire type " + std::to_string(field->type));
    }
    if (length > rest->size()) return Bad(at, "a field of " + std::to_string(length) + " bytes is cut off");
    field->bytes = rest->substr(0, length);
    rest->remove_prefix(length);
    return Status::OK();
  }

  static bool ReadVarint(std::string_view* rest, uint64_t* value) {
    uint64_t result = 0;
    for (int i = 0; i < 10 && static_cast<size_t>(i) < rest->size(); ++i) {
      const uint8_t byte = static_cast<uint8_t>((*rest)[i]);
      result |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        *value = result;
        rest->remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

  // A printable, short form of text from the file.
  static std::string Short(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 128)) out += (c >= 32 && c < 127) ? c : '?';
    return out;
  }

  Status Bad(std::string_view at, const std::string& what) const {
    return Status(kInvalidModelFile,
                  "not an ONNX model: " + what + " at byte " + std::to_string(at.data() - file_.data()));
  }

  std::string_view file_;
  OnnxFileInfo info_;
};

}  // namespace

Result<OnnxFileInfo> InspectOnnxFile(std::string_view bytes) {
  if (bytes.empty()) return Status(kInvalidModelFile, "the model file is empty");
  // ONNX Runtime would also take its own flatbuffer format, which this walk can't check.
  if (bytes.size() >= 8 && bytes.substr(4, 4) == "ORTM") {
    return Status(kInvalidModelFile, "the file is in ONNX Runtime's own format (.ort); give the .onnx file");
  }
  Walker walker(bytes);
  TM_RETURN_IF_ERROR(walker.Walk(Message::kModel, bytes, 0));
  OnnxFileInfo info = walker.TakeInfo();
  if (info.ir_version == 0 || info.nodes == 0) {
    return Status(kInvalidModelFile, "not an ONNX model: it has no IR version or no nodes");
  }
  return info;
}

}  // namespace tidemill
