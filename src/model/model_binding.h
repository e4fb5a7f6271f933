#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/onnx_runtime.h"
#include "sql/catalog.h"

namespace tidemill {

// The options of CREATE MODEL that shape the binding.
struct ModelBindingOptions {
  // What a NULL becomes in a numeric tensor; nullopt = the row is not scored.
  bool null_given = false;
  std::optional<double> null_value;
  static Result<ModelBindingOptions> Parse(const ModelDefinition& definition);
};

// One input tensor and the INPUT columns that fill it.
struct InputBinding {
  TensorElement element;
  int rank = 2;  // 1: [N], 2: [N, columns.size()]
  std::vector<int> columns;
  std::optional<double> null_value;  // nullopt: rows with NULL are not scored
};

// One OUTPUT column: an element of each row of an output tensor, the whole row as a list, or the version's name.
struct OutputBinding {
  enum class Kind : uint8_t { kElement, kList, kVersion };
  Kind kind = Kind::kElement;
  int output = 0;  // number among the wanted outputs
  int64_t element = 0;
};

struct ModelBinding {
  std::vector<InputBinding> inputs;    // one per model input
  std::vector<OutputBinding> outputs;  // one per OUTPUT column
  std::vector<int> wanted;             // numbers of the model's outputs that are read
  int64_t batch_rows_fixed = -1;       // 1 when the model takes one row at a time
};

// Matches INPUT columns with the model's input tensors. kModelMismatch lists what the model has and what was declared.
Status BindInputs(const ModelDefinition& definition, const ModelBindingOptions& options,
                  const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs, ModelBinding* binding);
// Matches OUTPUT columns; `outputs` has the shapes that a trial run showed, where it worked.
Status BindOutputs(const ModelDefinition& definition, const std::vector<TensorInfo>& inputs,
                   const std::vector<TensorInfo>& outputs, ModelBinding* binding);

}  // namespace tidemill
