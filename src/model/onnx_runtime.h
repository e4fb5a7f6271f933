#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

enum class TensorElement : uint8_t { kFloat, kDouble, kInt32, kInt64, kBool, kString, kOther };
const char* TensorElementName(TensorElement element);  // "float32"

// An input or output of a model, as the file declares it.
struct TensorInfo {
  std::string name;
  bool is_tensor = true;  // false: sequence, map, optional: see `kind`
  std::string kind;       // "tensor", "sequence", "map", "optional", "sparse tensor"
  TensorElement element = TensorElement::kOther;
  std::vector<int64_t> shape;    // -1 = not fixed
  std::string ToString() const;  // "probabilities float32[?, 2]"
};

// A tensor given to a run. `data` holds the elements row-major; for kString it points to std::string objects.
struct TensorView {
  TensorElement element;
  const void* data;
  std::span<const int64_t> shape;
};

// What one run gave; owned, freed by ONNX Runtime.
class TensorOutputs {
 public:
  virtual ~TensorOutputs() = default;
  virtual int size() const = 0;
  virtual TensorElement element(int i) const = 0;
  virtual const std::vector<int64_t>& shape(int i) const = 0;
  virtual const void* data(int i) const = 0;  // not for strings
  virtual Result<std::vector<std::string>> strings(int i) const = 0;
};

// A loaded model. Run is thread-safe and single-threaded inside: the caller's thread does the work.
class OnnxSession {
 public:
  virtual ~OnnxSession() = default;
  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  // `inputs`: one per model input, in order. `outputs`: numbers of the wanted outputs. kModelRunFailed with ONNX
  // Runtime's message.
  virtual Result<std::unique_ptr<TensorOutputs>> Run(std::span<const TensorView> inputs,
                                                     std::span<const int> outputs) const = 0;

 protected:
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
};

// The ONNX Runtime library, opened with dlopen (C API version 24: ONNX Runtime 1.24 and later). Thread-safe; sessions
// keep it alive.
class OnnxRuntime {
 public:
  virtual ~OnnxRuntime() = default;
  // Looks, in this order, at `library` (a file; an error when it is not usable), $TIDEMILL_ONNXRUNTIME,
  // libonnxruntime.so.1 beside the program and in ../lib/tidemill of it, and the path it was built with.
  // kOnnxRuntimeMissing lists what was tried.
  static Result<std::shared_ptr<OnnxRuntime>> Open(const std::string& library);
  virtual const std::string& version() const = 0;  // "1.24.4"
  virtual const std::string& path() const = 0;
  // `model`: checked by InspectOnnxFile before. One intra-op thread, sequential, no spinning. kInvalidModelFile when it
  // is refused.
  virtual Result<std::unique_ptr<OnnxSession>> Load(std::string_view model) = 0;
};

}  // namespace tidemill
