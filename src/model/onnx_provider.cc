#include "model/onnx_provider.h"

#include <algorithm>
#include <mutex>

#include <arrow/api.h>
#include <openssl/sha.h>

#include "model/errors.h"
#include "model/model_binding.h"
#include "model/onnx_file.h"
#include "model/tensor_columns.h"

namespace tidemill {
namespace {

std::string Sha256Hex(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

std::string StemOf(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot != std::string::npos && dot > 0) name.resize(dot);
  return name;
}

class OnnxModel final : public LoadedModel {
 public:
  OnnxModel(ModelDescription description, std::unique_ptr<OnnxSession> session, ModelBinding binding, Schema output,
            int64_t batch_rows)
      : description_(std::move(description)),
        session_(std::move(session)),
        binding_(std::move(binding)),
        output_(std::move(output)),
        batch_rows_(binding_.batch_rows_fixed > 0 ? binding_.batch_rows_fixed : batch_rows) {}

  const ModelDescription& description() const override { return description_; }

  Result<std::vector<std::shared_ptr<arrow::Array>>> Predict(const std::vector<std::shared_ptr<arrow::Array>>& inputs,
                                                             int64_t num_rows) const override {
    std::vector<TensorFiller> fillers;
    fillers.reserve(binding_.inputs.size());
    const int64_t piece_max = std::min(num_rows, batch_rows_);
    for (const InputBinding& input : binding_.inputs) fillers.emplace_back(input, piece_max);
    std::vector<ColumnCollector> columns;
    columns.reserve(binding_.outputs.size());
    for (size_t i = 0; i < binding_.outputs.size(); ++i)
      columns.emplace_back(binding_.outputs[i], output_.field(static_cast<int>(i)).type, num_rows);

    const bool may_skip = std::any_of(binding_.inputs.begin(), binding_.inputs.end(),
                                      [](const auto& input) { return !input.null_value; });
    std::vector<uint8_t> unscored(may_skip ? num_rows : 0, 0);
    std::vector<uint8_t> unscored_piece;
    std::vector<TensorView> views(fillers.size());
    for (int64_t first = 0; first < num_rows; first += batch_rows_) {
      const int64_t rows = std::min(batch_rows_, num_rows - first);
      if (may_skip) unscored_piece.assign(rows, 0);
      for (size_t i = 0; i < fillers.size(); ++i) {
        TM_RETURN_IF_ERROR(fillers[i].Fill(inputs, first, rows, &unscored_piece));
        views[i] = fillers[i].View();
      }
      TM_ASSIGN_OR_RETURN(const std::unique_ptr<TensorOutputs> outputs, session_->Run(views, binding_.wanted));
      for (size_t i = 0; i < columns.size(); ++i) {
        const OutputBinding& bound = binding_.outputs[i];
        if (bound.kind == OutputBinding::Kind::kVersion) continue;
        TM_RETURN_IF_ERROR(
            columns[i].Take(*outputs, session_->outputs()[binding_.wanted[bound.output]].name, first, rows));
      }
      if (may_skip) std::copy(unscored_piece.begin(), unscored_piece.end(), unscored.begin() + first);
    }
    std::vector<std::shared_ptr<arrow::Array>> result;
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool version = binding_.outputs[i].kind == OutputBinding::Kind::kVersion;
      TM_ASSIGN_OR_RETURN(result.emplace_back(), version ? VersionColumn(description_.version.name, num_rows, unscored)
                                                         : columns[i].Finish(unscored));
    }
    return result;
  }

 private:
  ModelDescription description_;
  std::unique_ptr<OnnxSession> session_;
  ModelBinding binding_;
  Schema output_;
  int64_t batch_rows_;
};

class OnnxProvider final : public ModelProvider {
 public:
  OnnxProvider(FileSystem& files, std::string library) : files_(files), library_(std::move(library)) {}

  std::string_view name() const override { return "onnx"; }

  const std::vector<ModelOption>& options() const override {
    static const std::vector<ModelOption> kOptions = {
        {"path", true, "", "The .onnx file."},
        {"batch-rows-max", false, "512", "Rows per call of ONNX Runtime; a larger batch is cut."},
        {"reload-interval", false, "1 s", "How often the file is looked at for a new version; 0 s = never."},
        {"null-value", false, "", "What a NULL input becomes: a number, NaN, or null = the row is not scored."},
        {"output.column", false, "", "Where the only OUTPUT column comes from, for example probabilities[1]."},
        {"output.column.*", false, "", "Where the OUTPUT column of that name comes from."},
        {"model-bytes-max", false, "256 mb", "Larger model files are refused."},
        {"device", false, "cpu", "Where the model runs; only cpu."},
    };
    return kOptions;
  }

  Result<ModelDescription> Describe(const Config& options) override {
    ModelDefinition definition;
    definition.name = options.GetString("path", "");
    definition.options = options;
    std::string bytes;
    TM_ASSIGN_OR_RETURN(ModelDescription description, ReadDescription(definition, &bytes));
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<OnnxSession> session, OpenSession(definition, bytes));
    description.inputs = session->inputs();
    description.outputs = session->outputs();
    return description;
  }

  Result<std::shared_ptr<const LoadedModel>> Load(const ModelDefinition& definition) override {
    TM_RETURN_IF_ERROR(CheckModelOptions(definition, *this));
    if (definition.options.GetString("device", "cpu") != "cpu")
      return ModelOptionError(definition, "device", "only 'cpu' is there");
    TM_ASSIGN_OR_RETURN(const int64_t batch_rows, Checked(definition, "batch-rows-max",
                                                          definition.options.GetInt("batch-rows-max", kOnnxBatchRows)));
    if (batch_rows < 1 || batch_rows > 1'000'000)
      return ModelOptionError(definition, "batch-rows-max", "must be 1 to 1000000");
    TM_RETURN_IF_ERROR(
        Checked(definition, "reload-interval", definition.options.GetDurationMs("reload-interval", 0)).status());
    TM_ASSIGN_OR_RETURN(const ModelBindingOptions binding_options, ModelBindingOptions::Parse(definition));
    std::string bytes;
    TM_ASSIGN_OR_RETURN(ModelDescription description, ReadDescription(definition, &bytes));
    TM_ASSIGN_OR_RETURN(std::unique_ptr<OnnxSession> session, OpenSession(definition, bytes));
    description.inputs = session->inputs();
    description.outputs = session->outputs();
    ModelBinding binding;
    TM_RETURN_IF_ERROR(BindInputs(definition, binding_options, description.inputs, description.outputs, &binding));
    TM_RETURN_IF_ERROR(BindOutputs(definition, description.inputs, TryShapes(*session, binding), &binding));
    return std::shared_ptr<const LoadedModel>(std::make_shared<OnnxModel>(
        std::move(description), std::move(session), std::move(binding), definition.output, batch_rows));
  }

  Result<std::string> Stamp(const ModelDefinition& definition) override {
    TM_ASSIGN_OR_RETURN(const FileInfo info, files_.Stat(definition.options.GetString("path", "")));
    return std::to_string(info.modified_us) + ":" + std::to_string(info.size);
  }

  Result<std::string> ContentHash(const ModelDefinition& definition) override {
    std::string bytes;
    TM_RETURN_IF_ERROR(ReadBytes(definition, &bytes));
    return Sha256Hex(bytes);
  }

 private:
  template <typename T>
  static Result<T> Checked(const ModelDefinition& definition, std::string_view key, Result<T> value) {
    if (value.ok()) return value;
    return ModelOptionError(definition, key, value.status().message());
  }

  static Status AtPath(const ModelDefinition& definition, const Status& status) {
    const auto position = definition.option_positions.find("path");
    return status.WithContext("model '" + definition.name + "'")
        .At(position != definition.option_positions.end() ? position->second : definition.position);
  }

  Status ReadBytes(const ModelDefinition& definition, std::string* bytes) {
    const std::string path = definition.options.GetString("path", "");
    if (path.empty()) return ModelOptionError(definition, "path", "is empty");
    TM_ASSIGN_OR_RETURN(const int64_t bytes_max, Checked(definition, "model-bytes-max",
                                                         definition.options.GetBytes("model-bytes-max", 256 << 20)));
    Result<std::string> read = ReadFile(files_, path, bytes_max);
    if (!read.ok()) return AtPath(definition, read.status());
    *bytes = *std::move(read);
    return Status::OK();
  }

  Result<ModelDescription> ReadDescription(const ModelDefinition& definition, std::string* bytes) {
    TM_RETURN_IF_ERROR(ReadBytes(definition, bytes));
    const Result<OnnxFileInfo> info = InspectOnnxFile(*bytes);
    if (!info.ok()) return AtPath(definition, info.status());
    ModelDescription description;
    description.provider = "onnx";
    description.path = definition.options.GetString("path", "");
    description.version.sha256 = Sha256Hex(*bytes);
    description.version.name = StemOf(description.path) + "-" + description.version.sha256.substr(0, 12);
    description.version.bytes = static_cast<int64_t>(bytes->size());
    description.producer = info->producer;
    description.format = "ONNX IR " + std::to_string(info->ir_version) + ", opset " + std::to_string(info->opset);
    description.nodes = info->nodes;
    return description;
  }

  Result<std::unique_ptr<OnnxSession>> OpenSession(const ModelDefinition& definition, const std::string& bytes) {
    std::shared_ptr<OnnxRuntime> runtime;
    {
      const std::lock_guard lock(mutex_);
      if (runtime_ == nullptr) {
        Result<std::shared_ptr<OnnxRuntime>> opened = OnnxRuntime::Open(library_);
        if (!opened.ok()) return opened.status().At(definition.position);
        runtime_ = *std::move(opened);
      }
      runtime = runtime_;
    }
    Result<std::unique_ptr<OnnxSession>> session = runtime->Load(bytes);
    if (!session.ok()) return AtPath(definition, session.status());
    return session;
  }

  // The outputs with the shapes that a run over zeros shows: exporters often leave them open. Also warms the session.
  // Where the model refuses zeros (a category that it does not know), the declared shapes stay.
  static std::vector<TensorInfo> TryShapes(const OnnxSession& session, const ModelBinding& binding) {
    std::vector<TensorInfo> outputs = session.outputs();
    const int64_t rows = binding.batch_rows_fixed > 0 ? binding.batch_rows_fixed : 2;
    size_t elements_max = 1;
    for (const InputBinding& input : binding.inputs)
      elements_max = std::max(elements_max, input.columns.size() * static_cast<size_t>(rows));
    const std::vector<double> zeros(elements_max, 0.0);
    const std::vector<std::string> texts(elements_max);
    std::vector<std::array<int64_t, 2>> shapes(binding.inputs.size());
    std::vector<TensorView> views;
    for (size_t i = 0; i < binding.inputs.size(); ++i) {
      const InputBinding& input = binding.inputs[i];
      shapes[i] = {rows, static_cast<int64_t>(input.columns.size())};
      const void* data =
          input.element == TensorElement::kString ? static_cast<const void*>(texts.data()) : zeros.data();
      views.push_back(TensorView{input.element, data, {shapes[i].data(), static_cast<size_t>(input.rank)}});
    }
    std::vector<int> wanted;
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (outputs[k].is_tensor) wanted.push_back(static_cast<int>(k));
    }
    if (wanted.empty()) return outputs;
    const Result<std::unique_ptr<TensorOutputs>> trial = session.Run(views, wanted);
    if (!trial.ok()) return outputs;
    for (size_t k = 0; k < wanted.size(); ++k) {
      std::vector<int64_t> shape = (*trial)->shape(static_cast<int>(k));
      if (!shape.empty() && shape[0] == rows) shape[0] = -1;
      outputs[wanted[k]].shape = std::move(shape);
    }
    return outputs;
  }

  FileSystem& files_;
  std::string library_;
  std::mutex mutex_;
  std::shared_ptr<OnnxRuntime> runtime_;
};

}  // namespace

std::unique_ptr<ModelProvider> MakeOnnxProvider(FileSystem& files, std::string onnx_library) {
  return std::make_unique<OnnxProvider>(files, std::move(onnx_library));
}

}  // namespace tidemill
