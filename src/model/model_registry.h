#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/status.h"
#include "exec/predictor.h"
#include "model/model_provider.h"
#include "sql/catalog.h"

namespace tidemill {

struct ModelRegistryOptions {
  std::string onnx_library;  // configuration 'onnx.library'; empty = search
  bool watch = true;         // look for changed files on a thread of the registry; tests call CheckForChanges instead
};

// The models of a process. A model (name, options, columns) is loaded once and shared by everyone who scores with it.
// Thread-safe; outlives its predictors.
class ModelRegistry {
 public:
  ModelRegistry(FileSystem& files, const Clock& clock, MetricsRegistry& metrics, ModelRegistryOptions options = {});
  ~ModelRegistry();
  ModelRegistry(const ModelRegistry&) = delete;
  ModelRegistry& operator=(const ModelRegistry&) = delete;

  // What a model file has; `options`: 'provider' (default onnx) and 'path'.
  Result<ModelDescription> Describe(const Config& options);
  // Loads the model and checks it against its INPUT and OUTPUT.
  Status Validate(const ModelDefinition& definition);
  // `labels`: of the operator, for metrics.
  Result<std::unique_ptr<Predictor>> MakePredictor(const ModelDefinition& definition, Labels labels);
  // The version that scores now.
  Result<ModelVersion> CurrentVersion(const ModelDefinition& definition);
  // Looks at every model's file whose 'reload-interval' is over and swaps in what is new and good. A bad new file is
  // logged, counted in tidemill_model_reloads_total{result="failed"}, and the old version stays.
  void CheckForChanges();

 private:
  class Served;
  class ServedPredictor;
  Result<std::shared_ptr<Served>> Serve(const ModelDefinition& definition);
  Result<ModelProvider*> FindProvider(const Config& options) const;
  void Watch();

  const Clock& clock_;
  MetricsRegistry& metrics_;
  std::vector<std::unique_ptr<ModelProvider>> providers_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Served>> served_;  // by everything that shapes it
  bool stopping_ = false;
  std::condition_variable stop_;
  std::thread watcher_;
};

}  // namespace tidemill
