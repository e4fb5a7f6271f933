#include "model/onnx_runtime.h"

#include <climits>
#include <cstdlib>

#include <dlfcn.h>
#include <onnxruntime_c_api.h>
#include <unistd.h>

#include "base/file_system.h"
#include "model/errors.h"

#ifndef TIDEMILL_ONNXRUNTIME_PATH
#define TIDEMILL_ONNXRUNTIME_PATH ""
#endif

namespace tidemill {
namespace {

constexpr int kApiVersion = 24;
static_assert(ORT_API_VERSION >= kApiVersion);

TensorElement ElementOf(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return TensorElement::kFloat;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return TensorElement::kDouble;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return TensorElement::kInt32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return TensorElement::kInt64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return TensorElement::kBool;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return TensorElement::kString;
    default:
      return TensorElement::kOther;
  }
}

ONNXTensorElementDataType OrtElementOf(TensorElement element) {
  switch (element) {
    case TensorElement::kFloat:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case TensorElement::kDouble:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case TensorElement::kInt32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case TensorElement::kInt64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case TensorElement::kBool:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    case TensorElement::kString:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
    case TensorElement::kOther:
      break;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

size_t SizeOf(TensorElement element) {
  switch (element) {
    case TensorElement::kFloat:
    case TensorElement::kInt32:
      return 4;
    case TensorElement::kDouble:
    case TensorElement::kInt64:
      return 8;
    default:
      return 1;
  }
}

const char* KindName(ONNXType type) {
  switch (type) {
    case ONNX_TYPE_TENSOR:
      return "tensor";
    case ONNX_TYPE_SEQUENCE:
      return "sequence";
    case ONNX_TYPE_MAP:
      return "map";
    case ONNX_TYPE_SPARSETENSOR:
      return "sparse tensor";
    case ONNX_TYPE_OPTIONAL:
      return "optional";
    default:
      return "opaque value";
  }
}

Status Take(const OrtApi& api, OrtStatus* status, const ErrorCode& code, std::string_view doing) {
  if (status == nullptr) return Status::OK();
  Status result(code, std::string(doing) + ": " + api.GetErrorMessage(status));
  api.ReleaseStatus(status);
  return result;
}

// Owns one object of the C API.
template <typename T>
class Owned {
 public:
  using Release = void(ORT_API_CALL*)(T*);
  explicit Owned(Release release) : release_(release) {}
  ~Owned() {
    if (value_ != nullptr) release_(value_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  T* get() const { return value_; }
  T** out() { return &value_; }

 private:
  Release release_;
  T* value_ = nullptr;
};

// The library, its environment and the one description of CPU memory that all tensors share.
class Library final : public OnnxRuntime, public std::enable_shared_from_this<Library> {
 public:
  Library(const OrtApi& api, std::string version, std::string path)
      : api_(api),
        version_(std::move(version)),
        path_(std::move(path)),
        environment_(api.ReleaseEnv),
        memory_(api.ReleaseMemoryInfo) {}

  Status Start() {
    TM_RETURN_IF_ERROR(Take(api_, api_.CreateEnv(ORT_LOGGING_LEVEL_FATAL, "tidemill", environment_.out()),
                            kOnnxRuntimeMissing, "starting ONNX Runtime"));
    TM_RETURN_IF_ERROR(
        Take(api_, api_.DisableTelemetryEvents(environment_.get()), kOnnxRuntimeMissing, "starting ONNX Runtime"));
    return Take(api_, api_.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, memory_.out()),
                kOnnxRuntimeMissing, "starting ONNX Runtime");
  }

  const std::string& version() const override { return version_; }
  const std::string& path() const override { return path_; }
  const OrtApi& api() const { return api_; }
  const OrtEnv* environment() const { return environment_.get(); }
  const OrtMemoryInfo* memory() const { return memory_.get(); }
  Result<std::unique_ptr<OnnxSession>> Load(std::string_view model) override;

 private:
  const OrtApi& api_;
  std::string version_;
  std::string path_;
  Owned<OrtEnv> environment_;
  Owned<OrtMemoryInfo> memory_;
};

class Outputs final : public TensorOutputs {
 public:
  Outputs(const OrtApi& api, size_t n) : api_(api), values_(n, nullptr), elements_(n), shapes_(n), data_(n, nullptr) {}
  ~Outputs() override {
    for (OrtValue* value : values_) {
      if (value != nullptr) api_.ReleaseValue(value);
    }
  }

  OrtValue** values() { return values_.data(); }

  Status Describe() {
    for (size_t i = 0; i < values_.size(); ++i) {
      int is_tensor = 0;
      TM_RETURN_IF_ERROR(Check(api_.IsTensor(values_[i], &is_tensor)));
      elements_[i] = TensorElement::kOther;
      if (!is_tensor) continue;
      Owned<OrtTensorTypeAndShapeInfo> info(api_.ReleaseTensorTypeAndShapeInfo);
      TM_RETURN_IF_ERROR(Check(api_.GetTensorTypeAndShape(values_[i], info.out())));
      ONNXTensorElementDataType type;
      TM_RETURN_IF_ERROR(Check(api_.GetTensorElementType(info.get(), &type)));
      elements_[i] = ElementOf(type);
      size_t rank = 0;
      TM_RETURN_IF_ERROR(Check(api_.GetDimensionsCount(info.get(), &rank)));
      shapes_[i].resize(rank);
      TM_RETURN_IF_ERROR(Check(api_.GetDimensions(info.get(), shapes_[i].data(), rank)));
      if (elements_[i] == TensorElement::kString || elements_[i] == TensorElement::kOther) continue;
      TM_RETURN_IF_ERROR(Check(api_.GetTensorMutableData(values_[i], &data_[i])));
    }
    return Status::OK();
  }

  int size() const override { return static_cast<int>(values_.size()); }
  TensorElement element(int i) const override { return elements_[i]; }
  const std::vector<int64_t>& shape(int i) const override { return shapes_[i]; }
  const void* data(int i) const override { return data_[i]; }

  Result<std::vector<std::string>> strings(int i) const override {
    size_t count = 1;
    for (const int64_t dimension : shapes_[i]) count *= static_cast<size_t>(dimension);
    size_t bytes = 0;
    TM_RETURN_IF_ERROR(Check(api_.GetStringTensorDataLength(values_[i], &bytes)));
    std::string text(bytes, '\0');
    std::vector<size_t> offsets(count + 1, bytes);
    TM_RETURN_IF_ERROR(Check(api_.GetStringTensorContent(values_[i], text.data(), bytes, offsets.data(), count)));
    offsets[count] = bytes;
    std::vector<std::string> result(count);
    for (size_t k = 0; k < count; ++k) result[k] = text.substr(offsets[k], offsets[k + 1] - offsets[k]);
    return result;
  }

 private:
  Status Check(OrtStatus* status) const { return Take(api_, status, kModelRunFailed, "reading the model's outputs"); }

  const OrtApi& api_;
  std::vector<OrtValue*> values_;
  std::vector<TensorElement> elements_;
  std::vector<std::vector<int64_t>> shapes_;
  std::vector<void*> data_;
};

class Session final : public OnnxSession {
 public:
  explicit Session(std::shared_ptr<Library> library)
      : library_(std::move(library)), api_(library_->api()), session_(api_.ReleaseSession) {}

  Status Load(std::string_view model) {
    Owned<OrtSessionOptions> options(api_.ReleaseSessionOptions);
    TM_RETURN_IF_ERROR(Check(api_.CreateSessionOptions(options.out())));
    TM_RETURN_IF_ERROR(Check(api_.SetIntraOpNumThreads(options.get(), 1)));
    TM_RETURN_IF_ERROR(Check(api_.SetInterOpNumThreads(options.get(), 1)));
    TM_RETURN_IF_ERROR(Check(api_.SetSessionExecutionMode(options.get(), ORT_SEQUENTIAL)));
    TM_RETURN_IF_ERROR(Check(api_.SetSessionGraphOptimizationLevel(options.get(), ORT_ENABLE_ALL)));
    TM_RETURN_IF_ERROR(Check(api_.EnableCpuMemArena(options.get())));
    // Batch sizes vary: a memory pattern per size would cost more than it saves.
    TM_RETURN_IF_ERROR(Check(api_.DisableMemPattern(options.get())));
    TM_RETURN_IF_ERROR(Check(api_.AddSessionConfigEntry(options.get(), "session.intra_op.allow_spinning", "0")));
    TM_RETURN_IF_ERROR(Check(api_.AddSessionConfigEntry(options.get(), "session.load_model_format", "ONNX")));
    TM_RETURN_IF_ERROR(Check(api_.CreateSessionFromArray(library_->environment(), model.data(), model.size(),
                                                         options.get(), session_.out())));
    return DescribeTensors();
  }

  Result<std::unique_ptr<TensorOutputs>> Run(std::span<const TensorView> inputs,
                                             std::span<const int> outputs) const override {
    constexpr size_t kInline = 32;
    if (inputs.size() != input_names_.size()) return Status(kInternalError, "model run with a wrong number of inputs");
    // Few inputs are the rule; many take one allocation per run.
    OrtValue* inline_values[kInline] = {};
    std::vector<OrtValue*> more;
    OrtValue** values = inline_values;
    if (inputs.size() > kInline) {
      more.resize(inputs.size(), nullptr);
      values = more.data();
    }
    Status status = MakeInputs(inputs, values);
    auto result = std::make_unique<Outputs>(api_, outputs.size());
    if (status.ok()) {
      std::vector<const char*> names(outputs.size());
      for (size_t i = 0; i < outputs.size(); ++i) names[i] = outputs_[outputs[i]].name.c_str();
      status = Take(api_,
                    api_.Run(session_.get(), nullptr, input_names_.data(), values, inputs.size(), names.data(),
                             names.size(), result->values()),
                    kModelRunFailed, "running the model");
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (values[i] != nullptr) api_.ReleaseValue(values[i]);
    }
    TM_RETURN_IF_ERROR(status);
    TM_RETURN_IF_ERROR(result->Describe());
    return std::unique_ptr<TensorOutputs>(std::move(result));
  }

 private:
  Status Check(OrtStatus* status) const {
    return Take(api_, status, kInvalidModelFile, "ONNX Runtime refuses the model");
  }

  Status MakeInputs(std::span<const TensorView> inputs, OrtValue** values) const {
    for (size_t i = 0; i < inputs.size(); ++i) {
      const TensorView& view = inputs[i];
      size_t count = 1;
      for (const int64_t dimension : view.shape) count *= static_cast<size_t>(dimension);
      if (view.element == TensorElement::kString) {
        TM_RETURN_IF_ERROR(MakeStrings(view, count, &values[i]));
        continue;
      }
      // The C API takes a mutable pointer, but inputs are only read.
      TM_RETURN_IF_ERROR(Take(api_,
                              api_.CreateTensorWithDataAsOrtValue(
                                  library_->memory(), const_cast<void*>(view.data), count * SizeOf(view.element),
                                  view.shape.data(), view.shape.size(), OrtElementOf(view.element), &values[i]),
                              kModelRunFailed, "preparing the model's inputs"));
    }
    return Status::OK();
  }

  Status MakeStrings(const TensorView& view, size_t count, OrtValue** value) const {
    OrtAllocator* allocator = nullptr;
    TM_RETURN_IF_ERROR(
        Take(api_, api_.GetAllocatorWithDefaultOptions(&allocator), kModelRunFailed, "preparing the model's inputs"));
    TM_RETURN_IF_ERROR(Take(api_,
                            api_.CreateTensorAsOrtValue(allocator, view.shape.data(), view.shape.size(),
                                                        ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, value),
                            kModelRunFailed, "preparing the model's inputs"));
    const auto* strings = static_cast<const std::string*>(view.data);
    for (size_t k = 0; k < count; ++k) {
      char* buffer = nullptr;
      TM_RETURN_IF_ERROR(Take(api_, api_.GetResizedStringTensorElementBuffer(*value, k, strings[k].size(), &buffer),
                              kModelRunFailed, "preparing the model's inputs"));
      strings[k].copy(buffer, strings[k].size());
    }
    return Status::OK();
  }

  Status DescribeTensors() {
    size_t count = 0;
    TM_RETURN_IF_ERROR(Check(api_.SessionGetInputCount(session_.get(), &count)));
    for (size_t i = 0; i < count; ++i) TM_RETURN_IF_ERROR(Describe(i, true));
    TM_RETURN_IF_ERROR(Check(api_.SessionGetOutputCount(session_.get(), &count)));
    for (size_t i = 0; i < count; ++i) TM_RETURN_IF_ERROR(Describe(i, false));
    for (const TensorInfo& input : inputs_) input_names_.push_back(input.name.c_str());
    return Status::OK();
  }

  Status Describe(size_t i, bool input) {
    OrtAllocator* allocator = nullptr;
    TM_RETURN_IF_ERROR(Check(api_.GetAllocatorWithDefaultOptions(&allocator)));
    TensorInfo info;
    char* name = nullptr;
    TM_RETURN_IF_ERROR(Check(input ? api_.SessionGetInputName(session_.get(), i, allocator, &name)
                                   : api_.SessionGetOutputName(session_.get(), i, allocator, &name)));
    info.name = name;
    allocator->Free(allocator, name);
    Owned<OrtTypeInfo> type(api_.ReleaseTypeInfo);
    TM_RETURN_IF_ERROR(Check(input ? api_.SessionGetInputTypeInfo(session_.get(), i, type.out())
                                   : api_.SessionGetOutputTypeInfo(session_.get(), i, type.out())));
    ONNXType kind;
    TM_RETURN_IF_ERROR(Check(api_.GetOnnxTypeFromTypeInfo(type.get(), &kind)));
    info.kind = KindName(kind);
    info.is_tensor = kind == ONNX_TYPE_TENSOR;
    if (info.is_tensor) {
      const OrtTensorTypeAndShapeInfo* tensor = nullptr;  // owned by `type`
      TM_RETURN_IF_ERROR(Check(api_.CastTypeInfoToTensorInfo(type.get(), &tensor)));
      ONNXTensorElementDataType element;
      TM_RETURN_IF_ERROR(Check(api_.GetTensorElementType(tensor, &element)));
      info.element = ElementOf(element);
      size_t rank = 0;
      TM_RETURN_IF_ERROR(Check(api_.GetDimensionsCount(tensor, &rank)));
      info.shape.resize(rank);
      TM_RETURN_IF_ERROR(Check(api_.GetDimensions(tensor, info.shape.data(), rank)));
    }
    (input ? inputs_ : outputs_).push_back(std::move(info));
    return Status::OK();
  }

  std::shared_ptr<Library> library_;  // released last
  const OrtApi& api_;
  Owned<OrtSession> session_;
  std::vector<const char*> input_names_;
};

Result<std::unique_ptr<OnnxSession>> Library::Load(std::string_view model) {
  auto session = std::make_unique<Session>(shared_from_this());
  TM_RETURN_IF_ERROR(session->Load(model));
  return std::unique_ptr<OnnxSession>(std::move(session));
}

std::vector<std::string> Candidates() {
  std::vector<std::string> candidates;
  if (const char* named = std::getenv("TIDEMILL_ONNXRUNTIME"); named != nullptr && *named != '\0')
    candidates.push_back(named);
  char program[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof(program));
  if (length > 0) {
    const std::string folder = DirectoryOf(std::string(program, static_cast<size_t>(length)));
    candidates.push_back(JoinPath(folder, "libonnxruntime.so.1"));
    candidates.push_back(JoinPath(DirectoryOf(folder), "lib/tidemill/libonnxruntime.so.1"));
  }
  if (*TIDEMILL_ONNXRUNTIME_PATH != '\0') candidates.push_back(TIDEMILL_ONNXRUNTIME_PATH);
  return candidates;
}

Result<std::shared_ptr<OnnxRuntime>> OpenLibrary(const std::string& path) {
  if (path.find('/') == std::string::npos)
    return Status(kOnnxRuntimeMissing, "'" + path + "' is not a path with a folder");
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    return Status(kOnnxRuntimeMissing, why != nullptr ? why : path + " can't be opened");
  }
  // The handle stays open for the life of the process: ONNX Runtime keeps threads and thread-local data that outlive a
  // dlclose.
  using GetApiBase = const OrtApiBase*(ORT_API_CALL*)();
  const auto get_base = reinterpret_cast<GetApiBase>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) return Status(kOnnxRuntimeMissing, path + " is not ONNX Runtime: it has no OrtGetApiBase");
  const OrtApiBase* base = get_base();
  const OrtApi* api = base->GetApi(kApiVersion);
  const std::string version = base->GetVersionString();
  if (api == nullptr) {
    return Status(kOnnxRuntimeMissing,
                  path + " is ONNX Runtime " + version + ", older than 1." + std::to_string(kApiVersion));
  }
  auto library = std::make_shared<Library>(*api, version, path);
  TM_RETURN_IF_ERROR(library->Start());
  return std::shared_ptr<OnnxRuntime>(std::move(library));
}

}  // namespace

const char* TensorElementName(TensorElement element) {
  switch (element) {
    case TensorElement::kFloat:
      return "float32";
    case TensorElement::kDouble:
      return "float64";
    case TensorElement::kInt32:
      return "int32";
    case TensorElement::kInt64:
      return "int64";
    case TensorElement::kBool:
      return "bool";
    case TensorElement::kString:
      return "string";
    case TensorElement::kOther:
      break;
  }
  return "other";
}

std::string TensorInfo::ToString() const {
  if (!is_tensor) return name + " " + kind;
  std::string text = name + " " + TensorElementName(element) + "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return text + "]";
}

Result<std::shared_ptr<OnnxRuntime>> OnnxRuntime::Open(const std::string& library) {
  if (!library.empty()) return OpenLibrary(library);
  Status error(kOnnxRuntimeMissing, "libonnxruntime.so.1 was not found");
  for (const std::string& candidate : Candidates()) {
    Result<std::shared_ptr<OnnxRuntime>> opened = OpenLibrary(candidate);
    if (opened.ok()) return opened;
    error = error.WithNote("tried " + opened.status().message());
  }
  return error;
}

}  // namespace tidemill
