#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "model/onnx_runtime.h"
#include "sql/catalog.h"

namespace arrow {
class Array;
}

namespace tidemill {

// Names one content of a model file.
struct ModelVersion {
  std::string name;    // "fraud-0123456789ab": stem and the first 12 hex digits of the SHA-256
  std::string sha256;  // 64 hex digits
  int64_t bytes = 0;
};

// What a model file has, for `tidemill model describe` and error messages.
struct ModelDescription {
  std::string provider;
  std::string path;
  ModelVersion version;
  std::string producer;  // "skl2onnx 1.20.0"
  std::string format;    // "ONNX IR 8, opset 17"
  int64_t nodes = 0;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};

// One version of a model, bound to the columns of its CREATE MODEL. Immutable; Predict is thread-safe.
class LoadedModel {
 public:
  virtual ~LoadedModel() = default;
  virtual const ModelDescription& description() const = 0;
  // As Predictor::Predict.
  virtual Result<std::vector<std::shared_ptr<arrow::Array>>> Predict(
      const std::vector<std::shared_ptr<arrow::Array>>& inputs, int64_t num_rows) const = 0;
};

struct ModelOption {
  std::string_view key;  // "path"; ends in ".*" for a family
  bool required = false;
  std::string_view fallback;
  std::string_view text;
};

// Loads the models of one 'provider'. Thread-safe.
class ModelProvider {
 public:
  virtual ~ModelProvider() = default;
  virtual std::string_view name() const = 0;
  virtual const std::vector<ModelOption>& options() const = 0;
  // What the model has, without a declaration: only 'path' and the limits of the options are used.
  virtual Result<ModelDescription> Describe(const Config& options) = 0;
  // Reads, checks, binds and warms the model. Errors carry the position of the option or declaration they concern.
  virtual Result<std::shared_ptr<const LoadedModel>> Load(const ModelDefinition& definition) = 0;
  // Changes whenever the file may have: a cheap look (time and size).
  virtual Result<std::string> Stamp(const ModelDefinition& definition) = 0;
  // Changes exactly when the content does.
  virtual Result<std::string> ContentHash(const ModelDefinition& definition) = 0;
};

// All providers, an explicit list. `onnx_library`: see OnnxRuntime::Open.
std::vector<std::unique_ptr<ModelProvider>> MakeModelProviders(FileSystem& files, std::string onnx_library);

// kInvalidOption at the option's place in the script.
Status ModelOptionError(const ModelDefinition& definition, std::string_view key, std::string message);
// Names of options against the provider's list, and required ones.
Status CheckModelOptions(const ModelDefinition& definition, const ModelProvider& provider);

}  // namespace tidemill
