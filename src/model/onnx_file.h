#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace tidemill {

// What a .onnx file says about itself, as far as we read it.
struct OnnxFileInfo {
  int64_t ir_version = 0;
  int64_t opset = 0;     // of the default domain, 0 when absent
  std::string producer;  // "skl2onnx 1.20.0"
  std::string graph_name;
  int64_t nodes = 0;    // in all graphs and functions
  int64_t tensors = 0;  // initializers and constants
};

// Walks the protobuf of a ModelProto without building it: graph, subgraphs in attributes, functions, training graphs,
// dense and sparse tensors. Refuses what is not well-formed (kInvalidModelFile with the byte offset), nesting deeper
// than 64 messages, and any tensor whose data lie outside the file (kModelExternalData with the tensor's name). Takes
// no memory that grows with the file. Field numbers: onnx.proto3 of ONNX 1.23 (IR version 13).
Result<OnnxFileInfo> InspectOnnxFile(std::string_view bytes);

}  // namespace tidemill
