#include "model/model_binding.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "model/errors.h"
#include "model/model_provider.h"

namespace tidemill {
namespace {

constexpr std::string_view kVersionColumn = "model_version";

std::string List(const std::vector<TensorInfo>& tensors) {
  std::string text;
  for (const TensorInfo& tensor : tensors) text += (text.empty() ? "" : ", ") + tensor.ToString();
  return text;
}

class Binder {
 public:
  Binder(const ModelDefinition& definition, const std::vector<TensorInfo>& inputs,
         const std::vector<TensorInfo>& outputs)
      : definition_(definition), inputs_(inputs), outputs_(outputs) {}

  Status Mismatch(std::string message) const {
    return Status(kModelMismatch, "model '" + definition_.name + "': " + message)
        .At(definition_.position)
        .WithNote("the model takes: " + List(inputs_))
        .WithNote("the model gives: " + List(outputs_))
        .WithNote("declared: INPUT " + definition_.input.ToString() + " OUTPUT " + definition_.output.ToString());
  }

  Status BindInputs(const ModelBindingOptions& options, ModelBinding* binding) const {
    for (const TensorInfo& input : inputs_) {
      if (!input.is_tensor)
        return Mismatch("its input '" + input.name + "' is a " + input.kind + "; only tensors can be given");
      if (input.element == TensorElement::kOther) {
        return Mismatch("its input '" + input.name + "' has an element type that columns can't give");
      }
      if (input.shape.empty() || input.shape.size() > 2) {
        return Mismatch("its input '" + input.name + "' has " + std::to_string(input.shape.size()) +
                        " dimensions; rows need [N, k] or [N]");
      }
      const int64_t batch = input.shape[0];
      if (batch != -1 && batch != 1) {
        return Mismatch("its input '" + input.name + "' takes exactly " + std::to_string(batch) +
                        " rows at a time; export it with a free batch dimension");
      }
      if (batch == 1) binding->batch_rows_fixed = 1;
    }
    if (inputs_.size() == 1 && inputs_[0].shape.size() == 2) return BindMatrix(options, binding);
    return BindByName(options, binding);
  }

  Status BindOutputs(ModelBinding* binding) const {
    std::vector<int> values;  // OUTPUT columns that come from the model
    for (int i = 0; i < definition_.output.num_fields(); ++i) {
      const Field& column = definition_.output.field(i);
      if (column.name == kVersionColumn && column.type.kind() == TypeKind::kString && FindOutput(kVersionColumn) < 0)
        continue;
      values.push_back(i);
    }
    bool any_name = false;
    for (const int i : values) any_name = any_name || FindOutput(definition_.output.field(i).name) >= 0;
    for (int i = 0; i < definition_.output.num_fields(); ++i) {
      OutputBinding bound;
      const auto place = std::find(values.begin(), values.end(), i);
      if (place == values.end()) {
        bound.kind = OutputBinding::Kind::kVersion;
      } else {
        TM_RETURN_IF_ERROR(BindOutput(i, static_cast<int>(place - values.begin()), static_cast<int>(values.size()),
                                      any_name, binding, &bound));
      }
      binding->outputs.push_back(bound);
    }
    // A run without outputs would not be a run: the check of a model whose only column is its version.
    if (binding->wanted.empty()) return Mismatch("no OUTPUT column takes anything from the model");
    return Status::OK();
  }

 private:
  Status BindMatrix(const ModelBindingOptions& options, ModelBinding* binding) const {
    const TensorInfo& input = inputs_[0];
    const int columns = definition_.input.num_fields();
    if (input.shape[1] != -1 && input.shape[1] != columns) {
      return Mismatch("its input '" + input.name + "' takes " + std::to_string(input.shape[1]) +
                      " values a row, INPUT declares " + std::to_string(columns) + " columns");
    }
    InputBinding bound{input.element, 2, {}, NullValueFor(input.element, options)};
    for (int i = 0; i < columns; ++i) {
      TM_RETURN_IF_ERROR(CheckInputType(i, input));
      bound.columns.push_back(i);
    }
    binding->inputs.push_back(std::move(bound));
    return Status::OK();
  }

  Status BindByName(const ModelBindingOptions& options, ModelBinding* binding) const {
    for (const TensorInfo& input : inputs_) {
      if (input.shape.size() == 2 && input.shape[1] != 1 && input.shape[1] != -1) {
        return Mismatch("it has several inputs, and '" + input.name + "' takes " + std::to_string(input.shape[1]) +
                        " values a row; a column gives one");
      }
      std::optional<int> column = definition_.input.IndexOf(input.name);
      if (!column && inputs_.size() == 1 && definition_.input.num_fields() == 1) column = 0;
      if (!column) {
        const std::string nearest = NearestName(input.name, definition_.input.names());
        const Status status = Mismatch("no INPUT column is named as its input '" + input.name + "'");
        return nearest.empty() ? status
                               : status.WithHint("rename the column '" + nearest + "' to '" + input.name + "'?");
      }
      TM_RETURN_IF_ERROR(CheckInputType(*column, input));
      binding->inputs.push_back(InputBinding{
          input.element, static_cast<int>(input.shape.size()), {*column}, NullValueFor(input.element, options)});
    }
    for (int i = 0; i < definition_.input.num_fields(); ++i) {
      bool used = false;
      for (const InputBinding& bound : binding->inputs) used = used || bound.columns[0] == i;
      if (!used) return Mismatch("INPUT column '" + definition_.input.field(i).name + "' is no input of the model");
    }
    return Status::OK();
  }

  static std::optional<double> NullValueFor(TensorElement element, const ModelBindingOptions& options) {
    const bool is_float = element == TensorElement::kFloat || element == TensorElement::kDouble;
    if (!options.null_given)
      return is_float ? std::optional<double>(std::numeric_limits<double>::quiet_NaN()) : std::nullopt;
    // A number can't stand for a missing text, nor NaN for a missing integer.
    if (element == TensorElement::kString) return std::nullopt;
    if (!is_float && options.null_value && std::isnan(*options.null_value)) return std::nullopt;
    return options.null_value;
  }

  Status CheckInputType(int column, const TensorInfo& input) const {
    const Field& field = definition_.input.field(column);
    const TypeKind kind = field.type.kind();
    bool fits = false;
    switch (input.element) {
      case TensorElement::kFloat:
      case TensorElement::kDouble:
        fits = field.type.IsNumeric() || kind == TypeKind::kBoolean;
        break;
      case TensorElement::kInt64:
        fits = field.type.IsInteger() || kind == TypeKind::kBoolean;
        break;
      case TensorElement::kInt32:
        fits = (field.type.IsInteger() && kind != TypeKind::kBigInt) || kind == TypeKind::kBoolean;
        break;
      case TensorElement::kBool:
        fits = kind == TypeKind::kBoolean;
        break;
      case TensorElement::kString:
        fits = kind == TypeKind::kString;
        break;
      case TensorElement::kOther:
        break;
    }
    if (fits) return Status::OK();
    return Mismatch("INPUT column '" + field.name + "' is " + field.type.ToString() + ", but the model's input '" +
                    input.name + "' is " + TensorElementName(input.element));
  }

  int FindOutput(std::string_view name) const {
    for (size_t k = 0; k < outputs_.size(); ++k) {
      if (outputs_[k].name == name) return static_cast<int>(k);
    }
    return -1;
  }

  static bool IsScalar(const TensorInfo& output) {
    return output.shape.size() <= 1 || (output.shape.size() == 2 && (output.shape[1] == 1 || output.shape[1] == -1));
  }

  // Reads "name" or "name[3]".
  Status ParseSource(const std::string& key, const std::string& text, int* output, int64_t* element) const {
    std::string name = text;
    *element = -1;
    const size_t bracket = text.rfind('[');
    if (bracket != std::string::npos && text.back() == ']' && FindOutput(text) < 0) {
      name = text.substr(0, bracket);
      const char* end = text.data() + text.size() - 1;
      const auto parsed = std::from_chars(text.data() + bracket + 1, end, *element);
      if (parsed.ec != std::errc() || parsed.ptr != end || *element < 0) {
        return ModelOptionError(definition_, key, "expected output[number], found '" + text + "'");
      }
    }
    *output = FindOutput(name);
    if (*output >= 0) return Status::OK();
    return ModelOptionError(definition_, key, "the model has no output '" + name + "'")
        .WithNote("the model gives: " + List(outputs_));
  }

  Status BindOutput(int column, int place, int columns, bool any_name, ModelBinding* binding,
                    OutputBinding* bound) const {
    const Field& field = definition_.output.field(column);
    const bool list = field.type.kind() == TypeKind::kArray;
    int output = -1;
    int64_t element = -1;
    std::string key = "output.column." + field.name;
    if (!definition_.options.Has(key) && columns == 1) key = "output.column";
    if (const std::optional<std::string> source = definition_.options.Get(key)) {
      TM_RETURN_IF_ERROR(ParseSource(key, *source, &output, &element));
    } else if (any_name) {
      output = FindOutput(field.name);
      if (output < 0)
        return Mismatch("it has no output '" + field.name + "'")
            .WithHint("name the OUTPUT columns as the model's outputs, or give 'output.column." + field.name + "'");
    } else if (columns == 1 && !list && field.type.IsApproximate()) {
      TM_RETURN_IF_ERROR(ChooseScore(&output, &element));
    } else if (columns == static_cast<int>(outputs_.size())) {
      output = place;
    } else {
      return Mismatch("OUTPUT column '" + field.name + "' could come from several of its outputs")
          .WithHint("name the OUTPUT columns as the model's outputs, or give 'output.column." + field.name + "'");
    }
    return FinishOutput(field, output, element, binding, bound);
  }

  // A single floating column of no known name: the probability of class 1, or the only floating value there is.
  Status ChooseScore(int* output, int64_t* element) const {
    std::vector<int> pairs, scalars;
    for (size_t k = 0; k < outputs_.size(); ++k) {
      const TensorInfo& tensor = outputs_[k];
      if (tensor.kind == "sequence") return ZipMapError(tensor);
      if (!tensor.is_tensor || (tensor.element != TensorElement::kFloat && tensor.element != TensorElement::kDouble))
        continue;
      if (tensor.shape.size() == 2 && tensor.shape[1] == 2)
        pairs.push_back(static_cast<int>(k));
      else if (IsScalar(tensor))
        scalars.push_back(static_cast<int>(k));
    }
    if (pairs.size() == 1) {
      *output = pairs[0];
      *element = 1;
    } else if (pairs.empty() && scalars.size() == 1) {
      *output = scalars[0];
    } else {
      return Mismatch("which of its outputs is the score is not clear")
          .WithHint("say it with 'output.column' = 'NAME' or 'NAME[1]'");
    }
    return Status::OK();
  }

  Status ZipMapError(const TensorInfo& output) const {
    return Mismatch("its output '" + output.name + "' is a " + output.kind + " of maps (ZipMap), not a tensor")
        .WithHint("export it with options={id(model): {'zipmap': False}} (skl2onnx)");
  }

  Status FinishOutput(const Field& field, int output, int64_t element, ModelBinding* binding,
                      OutputBinding* bound) const {
    const TensorInfo& tensor = outputs_[output];
    if (tensor.kind == "sequence" || tensor.kind == "map") return ZipMapError(tensor);
    if (!tensor.is_tensor || tensor.element == TensorElement::kOther) {
      return Mismatch("its output '" + tensor.name + "' can't become a column");
    }
    const bool list = field.type.kind() == TypeKind::kArray;
    const int64_t width = tensor.shape.size() == 2 ? tensor.shape[1] : 1;
    if (tensor.shape.size() > 2) return Mismatch("its output '" + tensor.name + "' has more than two dimensions");
    if (element >= 0 && width >= 0 && element >= width) {
      return Mismatch("its output '" + tensor.name + "' has " + std::to_string(width) + " values a row, no number " +
                      std::to_string(element));
    }
    if (element < 0 && !list && width > 1) {
      return Mismatch("its output '" + tensor.name + "' has " + std::to_string(width) +
                      " values a row, OUTPUT column '" + field.name + "' takes one")
          .WithHint("say which with 'output.column." + field.name + "' = '" + tensor.name + "[" +
                    std::to_string(width - 1) + "]', or declare ARRAY<" +
                    (tensor.element == TensorElement::kDouble ? "DOUBLE" : "FLOAT") + ">");
    }
    const DataType& type = list && element < 0 ? field.type.children()[0].type : field.type;
    if (!Widens(tensor.element, type.kind())) {
      return Mismatch("OUTPUT column '" + field.name + "' is " + field.type.ToString() + ", but the model's output '" +
                      tensor.name + "' is " + TensorElementName(tensor.element));
    }
    bound->kind = list && element < 0 ? OutputBinding::Kind::kList : OutputBinding::Kind::kElement;
    bound->element = element < 0 ? 0 : element;
    auto place = std::find(binding->wanted.begin(), binding->wanted.end(), output);
    if (place == binding->wanted.end()) place = binding->wanted.insert(binding->wanted.end(), output);
    bound->output = static_cast<int>(place - binding->wanted.begin());
    return Status::OK();
  }

  // Columns that hold every value of the element type.
  static bool Widens(TensorElement from, TypeKind to) {
    switch (from) {
      case TensorElement::kFloat:
        return to == TypeKind::kFloat || to == TypeKind::kDouble;
      case TensorElement::kDouble:
        return to == TypeKind::kDouble;
      case TensorElement::kInt32:
        return to == TypeKind::kInt || to == TypeKind::kBigInt || to == TypeKind::kDouble;
      case TensorElement::kInt64:
        return to == TypeKind::kBigInt;
      case TensorElement::kBool:
        return to == TypeKind::kBoolean;
      case TensorElement::kString:
        return to == TypeKind::kString;
      case TensorElement::kOther:
        break;
    }
    return false;
  }

  const ModelDefinition& definition_;
  const std::vector<TensorInfo>& inputs_;
  const std::vector<TensorInfo>& outputs_;
};

}  // namespace

Result<ModelBindingOptions> ModelBindingOptions::Parse(const ModelDefinition& definition) {
  ModelBindingOptions options;
  const std::optional<std::string> text = definition.options.Get("null-value");
  if (!text) return options;
  options.null_given = true;
  if (*text == "null") return options;
  if (*text == "NaN" || *text == "nan") {
    options.null_value = std::numeric_limits<double>::quiet_NaN();
    return options;
  }
  double value = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) {
    return ModelOptionError(definition, "null-value", "expected a number, 'NaN' or 'null', found '" + *text + "'");
  }
  options.null_value = value;
  return options;
}

Status BindInputs(const ModelDefinition& definition, const ModelBindingOptions& options,
                  const std::vector<TensorInfo>& inputs, const std::vector<TensorInfo>& outputs,
                  ModelBinding* binding) {
  return Binder(definition, inputs, outputs).BindInputs(options, binding);
}

Status BindOutputs(const ModelDefinition& definition, const std::vector<TensorInfo>& inputs,
                   const std::vector<TensorInfo>& outputs, ModelBinding* binding) {
  return Binder(definition, inputs, outputs).BindOutputs(binding);
}

}  // namespace tidemill
