#pragma once

#include "exec/errors.h"

namespace tidemill {

// TM40xx: models. What does not fit its declaration is kModelMismatch (sql/errors.h).
inline constexpr ErrorCode kOnnxRuntimeMissing{4001, ErrorDomain::kUser, "ONNX Runtime is not available",
                                               "install it (scripts/setup.sh, or pip install onnxruntime) and name its "
                                               "library with TIDEMILL_ONNXRUNTIME or 'onnx.library'"};
inline constexpr ErrorCode kInvalidModelFile{4002, ErrorDomain::kUser, "unreadable model file",
                                             "give a .onnx file as the exporter wrote it"};
inline constexpr ErrorCode kModelExternalData{4003, ErrorDomain::kUser, "model file names other files",
                                              "export the model with all tensors inside the .onnx file"};
inline constexpr ErrorCode kUnknownProvider{4004, ErrorDomain::kUser, "unknown model provider"};
inline constexpr ErrorCode kModelRunFailed{4005, ErrorDomain::kExternal, "the model failed"};

}  // namespace tidemill
