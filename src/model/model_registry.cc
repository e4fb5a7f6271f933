#include "model/model_registry.h"

#include <atomic>

#include <arrow/api.h>

#include "base/logging.h"
#include "model/errors.h"

namespace tidemill {
namespace {

// Everything that decides how a model is loaded and bound.
std::string KeyOf(const ModelDefinition& definition) {
  std::string key = definition.name + "\n" + definition.input.ToString() + "\n" + definition.output.ToString();
  for (const auto& [name, value] : definition.options.values()) key += "\n" + name + "=" + value;
  return key;
}

}  // namespace

// A model in use: its current version, and what the watcher knows of its file.
class ModelRegistry::Served {
 public:
  Served(ModelDefinition definition, ModelProvider& provider, const Clock& clock, MetricsRegistry& metrics)
      : definition_(std::move(definition)),
        provider_(provider),
        clock_(clock),
        metrics_(metrics),
        interval_ns_(1'000'000 * *definition_.options.GetDurationMs("reload-interval", 1000)) {}

  // First load; the definition's options were checked by the provider.
  static Result<std::shared_ptr<Served>> Open(const ModelDefinition& definition, ModelProvider& provider,
                                              const Clock& clock, MetricsRegistry& metrics) {
    if (const auto interval = definition.options.GetDurationMs("reload-interval", 1000); !interval.ok()) {
      return ModelOptionError(definition, "reload-interval", interval.status().message());
    }
    auto served = std::make_shared<Served>(definition, provider, clock, metrics);
    // The stamp is taken before the content: a change in between is seen by the next look.
    Result<std::string> stamp = provider.Stamp(definition);
    served->stamp_ = stamp.ok() ? *stamp : "";
    TM_ASSIGN_OR_RETURN(std::shared_ptr<const LoadedModel> model, served->Load());
    served->next_look_ns_ = clock.MonotonicNanos() + served->interval_ns_;
    served->Swap(std::move(model));
    return served;
  }

  // Changes with every swap; lets a predictor see without a lock that nothing changed.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::shared_ptr<const LoadedModel> current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  const ModelDefinition& definition() const { return definition_; }

  void Look() {
    const int64_t now = clock_.MonotonicNanos();
    if (interval_ns_ <= 0 || now < next_look_ns_) return;
    next_look_ns_ = now + interval_ns_;
    const Result<std::string> stamp = provider_.Stamp(definition_);
    if (stamp.ok() && *stamp == stamp_) return;
    if (!stamp.ok()) {
      if (!stamp_.empty()) Refuse(stamp.status());
      stamp_.clear();
      return;
    }
    stamp_ = *stamp;
    const Result<std::string> hash = provider_.ContentHash(definition_);
    if (!hash.ok()) return Refuse(hash.status());
    if (*hash == current()->description().version.sha256) return;
    Result<std::shared_ptr<const LoadedModel>> model = Load();
    if (!model.ok()) return Refuse(model.status());
    LogInfo("model '" + definition_.name + "': " + (*model)->description().version.name + " takes the place of " +
            current()->description().version.name);
    metrics_
        .GetCounter("tidemill_model_reloads_total", "Changed model files by outcome.",
                    {{"model", definition_.name}, {"result", "loaded"}})
        ->Add();
    Swap(*std::move(model));
  }

 private:
  Result<std::shared_ptr<const LoadedModel>> Load() {
    const int64_t start = clock_.MonotonicNanos();
    Result<std::shared_ptr<const LoadedModel>> model = provider_.Load(definition_);
    metrics_.GetHistogram("tidemill_model_load_seconds", "Time to load a model.", {{"model", definition_.name}})
        ->ObserveMicros((clock_.MonotonicNanos() - start) / 1000);
    return model;
  }

  void Swap(std::shared_ptr<const LoadedModel> model) {
    if (current_ != nullptr) InfoGauge(*current_)->Set(0);
    InfoGauge(*model)->Set(1);
    const std::lock_guard lock(mutex_);
    current_ = std::move(model);
    generation_.fetch_add(1, std::memory_order_release);
  }

  Gauge* InfoGauge(const LoadedModel& model) {
    const ModelDescription& description = model.description();
    return metrics_.GetGauge("tidemill_model_info", "1 for the version of a model that scores now.",
                             {{"model", definition_.name},
                              {"version", description.version.name},
                              {"sha256", description.version.sha256},
                              {"provider", description.provider}});
  }

  void Refuse(const Status& status) {
    LogWarning("model '" + definition_.name + "' keeps " + current()->description().version.name +
               ": the new file is refused: " + status.ToString());
    metrics_
        .GetCounter("tidemill_model_reloads_total", "Changed model files by outcome.",
                    {{"model", definition_.name}, {"result", "failed"}})
        ->Add();
  }

  const ModelDefinition definition_;
  ModelProvider& provider_;
  const Clock& clock_;
  MetricsRegistry& metrics_;
  const int64_t interval_ns_;
  // Of the watcher alone, once open.
  std::string stamp_;
  int64_t next_look_ns_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<const LoadedModel> current_;
  std::atomic<uint64_t> generation_{0};
};

class ModelRegistry::ServedPredictor final : public Predictor {
 public:
  ServedPredictor(std::shared_ptr<Served> served, const Clock& clock, MetricsRegistry& metrics, Labels labels)
      : served_(std::move(served)), clock_(clock), metrics_(metrics), labels_(std::move(labels)) {
    labels_.emplace_back("model", served_->definition().name);
    errors_ =
        metrics_.GetCounter("tidemill_inference_errors_total", "Batches that a model failed on.", Labels(labels_));
    // The histogram counts in seconds; one row is its second.
    batch_size_ = metrics_.GetHistogram("tidemill_inference_batch_size", "Rows per call of a model.", Labels(labels_));
  }

  Result<std::vector<std::shared_ptr<arrow::Array>>> Predict(const std::vector<std::shared_ptr<arrow::Array>>& inputs,
                                                             int64_t num_rows) override {
    if (served_->generation() != generation_) TakeVersion();
    if (static_cast<int>(inputs.size()) != served_->definition().input.num_fields()) {
      return Status(kInternalError, "model '" + served_->definition().name + "' called with " +
                                        std::to_string(inputs.size()) + " columns");
    }
    const int64_t start = clock_.MonotonicNanos();
    Result<std::vector<std::shared_ptr<arrow::Array>>> outputs = model_->Predict(inputs, num_rows);
    if (!outputs.ok()) {
      errors_->Add();
      return Status(kPredictionFailed, "model '" + served_->definition().name + "' (" +
                                           model_->description().version.name + "): " + outputs.status().message());
    }
    duration_->ObserveMicros((clock_.MonotonicNanos() - start) / 1000);
    batch_size_->ObserveSeconds(static_cast<double>(num_rows));
    predictions_->Add(num_rows);
    return outputs;
  }

 private:
  void TakeVersion() {
    generation_ = served_->generation();
    model_ = served_->current();
    Labels labels = labels_;
    labels.emplace_back("version", model_->description().version.name);
    predictions_ = metrics_.GetCounter("tidemill_predictions_total", "Rows scored.", Labels(labels));
    labels.emplace_back("mode", "embedded");
    duration_ =
        metrics_.GetHistogram("tidemill_inference_duration_seconds", "Time of a call of a model.", std::move(labels));
  }

  std::shared_ptr<Served> served_;
  const Clock& clock_;
  MetricsRegistry& metrics_;
  Labels labels_;
  uint64_t generation_ = 0;
  std::shared_ptr<const LoadedModel> model_;
  Counter* errors_;
  Counter* predictions_ = nullptr;
  Histogram* duration_ = nullptr;
  Histogram* batch_size_;
};

ModelRegistry::ModelRegistry(FileSystem& files, const Clock& clock, MetricsRegistry& metrics,
                             ModelRegistryOptions options)
    : clock_(clock), metrics_(metrics), providers_(MakeModelProviders(files, std::move(options.onnx_library))) {
  if (options.watch) watcher_ = std::thread([this] { Watch(); });
}

ModelRegistry::~ModelRegistry() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void ModelRegistry::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, std::chrono::milliseconds(200), [this] { return stopping_; })) {
    lock.unlock();
    CheckForChanges();
    lock.lock();
  }
}

void ModelRegistry::CheckForChanges() {
  std::vector<std::shared_ptr<Served>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, served] : served_) all.push_back(served);
  }
  for (const std::shared_ptr<Served>& served : all) served->Look();
}

Result<ModelProvider*> ModelRegistry::FindProvider(const Config& options) const {
  const std::string name = options.GetString("provider", "");
  std::vector<std::string> names;
  for (const std::unique_ptr<ModelProvider>& provider : providers_) {
    if (provider->name() == name) return provider.get();
    names.emplace_back(provider->name());
  }
  std::string all;
  for (const std::string& one : names) all += (all.empty() ? "" : ", ") + one;
  if (name.empty())
    return Status(kMissingOption, "the model needs the option 'provider'").WithNote("providers: " + all);
  const std::string nearest = NearestName(name, names);
  const Status status =
      Status(kUnknownProvider, "there is no model provider '" + name + "'").WithNote("providers: " + all);
  return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
}

Result<ModelDescription> ModelRegistry::Describe(const Config& options) {
  Config with_provider = options;
  if (!options.Has("provider")) with_provider.Set("provider", "onnx");
  TM_ASSIGN_OR_RETURN(ModelProvider * provider, FindProvider(with_provider));
  return provider->Describe(with_provider);
}

Status ModelRegistry::Validate(const ModelDefinition& definition) { return Serve(definition).status(); }

Result<ModelVersion> ModelRegistry::CurrentVersion(const ModelDefinition& definition) {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<Served> served, Serve(definition));
  return served->current()->description().version;
}

Result<std::unique_ptr<Predictor>> ModelRegistry::MakePredictor(const ModelDefinition& definition, Labels labels) {
  TM_ASSIGN_OR_RETURN(std::shared_ptr<Served> served, Serve(definition));
  return std::unique_ptr<Predictor>(
      std::make_unique<ServedPredictor>(std::move(served), clock_, metrics_, std::move(labels)));
}

Result<std::shared_ptr<ModelRegistry::Served>> ModelRegistry::Serve(const ModelDefinition& definition) {
  const std::string key = KeyOf(definition);
  {
    const std::lock_guard lock(mutex_);
    const auto found = served_.find(key);
    if (found != served_.end()) return found->second;
  }
  Result<ModelProvider*> provider = FindProvider(definition.options);
  if (!provider.ok()) {
    const auto position = definition.option_positions.find("provider");
    return provider.status()
        .WithContext("model '" + definition.name + "'")
        .At(position != definition.option_positions.end() ? position->second : definition.position);
  }
  // Loaded outside the lock: another model's reload must not wait. Two callers at once may load the same; the first one
  // in stays.
  TM_ASSIGN_OR_RETURN(std::shared_ptr<Served> served, Served::Open(definition, **provider, clock_, metrics_));
  const std::lock_guard lock(mutex_);
  return served_.try_emplace(key, std::move(served)).first->second;
}

}  // namespace tidemill
