#pragma once

#include <memory>
#include <string>

#include "model/model_provider.h"

namespace tidemill {

// Provider 'onnx': ONNX models in ONNX Runtime inside this process. The library is opened with the first model.
std::unique_ptr<ModelProvider> MakeOnnxProvider(FileSystem& files, std::string onnx_library);

// Rows per run when 'batch-rows-max' does not say otherwise: tree ensembles are fastest while a piece's rows stay in
// the first caches (bench/onnx.cc).
inline constexpr int64_t kOnnxBatchRows = 512;

}  // namespace tidemill
