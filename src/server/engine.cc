#include "server/engine.h"

#include <charconv>

#include <fmt/format.h>

#include "base/errors.h"
#include "feature/feature_store.h"
#include "job/job_environment.h"
#include "log/schema_registry/schema_registry.h"
#include "model/model_registry.h"
#include "server/http_api.h"

namespace tidemill {

// In the order of making; destroyed the other way round.
struct Engine::Parts {
  std::string data_dir;
  LocalFileSystem files;
  SystemClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<FileLock> lock;
  std::unique_ptr<Network> network;
  std::unique_ptr<ModelRegistry> models;
  std::unique_ptr<Log> log;
  std::unique_ptr<SchemaRegistry> schemas;
  std::unique_ptr<FeatureStore> features;
};

Engine::Engine() : parts_(std::make_unique<Parts>()) {}
Engine::~Engine() = default;

std::string HttpPortPath(const std::string& data_dir) { return JoinPath(data_dir, "http.port"); }
std::string LogPath(const std::string& data_dir) { return JoinPath(data_dir, "log"); }
std::string KafkaPortPath(const std::string& data_dir) { return JoinPath(data_dir, "kafka.port"); }

std::string SchemaRegistryPortPath(const std::string& data_dir) { return JoinPath(data_dir, "schema-registry.port"); }

uint16_t ReadHttpPort(FileSystem& files, const std::string& data_dir) {
  const auto text = ReadFile(files, HttpPortPath(data_dir), 64);
  uint16_t port = 0;
  if (text.ok()) (void)std::from_chars(text->data(), text->data() + text->size(), port);
  return port;
}

std::unique_ptr<Engine> Engine::OpenWithoutData(const GlobalOptions& options) {
  std::unique_ptr<Engine> engine(new Engine());
  Parts& parts = *engine->parts_;
  parts.data_dir = options.data_dir;
  parts.network = MakeNetwork();
  ModelRegistryOptions models;
  models.onnx_library = options.settings.GetString("onnx.library", "");
  parts.models = std::make_unique<ModelRegistry>(parts.files, parts.clock, parts.metrics, models);
  RegisterProcessMetrics(parts.metrics, parts.clock);
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::Open(const GlobalOptions& options) {
  std::unique_ptr<Engine> engine = OpenWithoutData(options);
  Parts& parts = *engine->parts_;
  TM_RETURN_IF_ERROR(parts.files.CreateDirectories(parts.data_dir));
  auto lock = parts.files.Lock(JoinPath(parts.data_dir, "LOCK"));
  if (!lock.ok()) {
    if (!lock.status().Is(kAlreadyLocked)) return lock.status();
    Status error(kAlreadyLocked, fmt::format("data directory '{}' is in use by another process", parts.data_dir));
    const uint16_t port = ReadHttpPort(parts.files, parts.data_dir);
    return port == 0 ? error
                     : error.WithNote(
                           fmt::format("it serves http://127.0.0.1:{}: commands that take --server can ask it", port));
  }
  parts.lock = *std::move(lock);
  // Of a process that was killed.
  TM_RETURN_IF_ERROR(parts.files.Remove(HttpPortPath(parts.data_dir)));
  TM_RETURN_IF_ERROR(parts.files.Remove(KafkaPortPath(parts.data_dir)));
  TM_RETURN_IF_ERROR(parts.files.Remove(SchemaRegistryPortPath(parts.data_dir)));
  LogOptions log;
  log.metrics = &parts.metrics;
  TM_ASSIGN_OR_RETURN(parts.log, Log::Open(parts.files, parts.clock, LogPath(parts.data_dir), log));
  TM_ASSIGN_OR_RETURN(parts.schemas, SchemaRegistry::Open(*parts.log));
  TM_ASSIGN_OR_RETURN(parts.features, FeatureStore::Open(parts.files, parts.clock, parts.metrics,
                                                         JoinPath(parts.data_dir, "features")));
  return engine;
}

FileSystem& Engine::files() { return parts_->files; }
const Clock& Engine::clock() { return parts_->clock; }
MetricsRegistry& Engine::metrics() { return parts_->metrics; }
Network& Engine::network() { return *parts_->network; }
bool Engine::has_data() const { return parts_->log != nullptr; }
Log& Engine::log() {
  TM_CHECK(parts_->log);
  return *parts_->log;
}
FeatureStore& Engine::features() {
  TM_CHECK(parts_->features);
  return *parts_->features;
}
SchemaRegistry& Engine::schemas() {
  TM_CHECK(parts_->schemas);
  return *parts_->schemas;
}
ModelRegistry& Engine::models() { return *parts_->models; }
const std::string& Engine::data_dir() const { return parts_->data_dir; }

std::unique_ptr<JobEnvironment> Engine::MakeEnvironment(const std::string& job) {
  JobEnvironment::Options options;
  options.connectors = {.files = &parts_->files,
                        .network = parts_->network.get(),
                        .clock = &parts_->clock,
                        .metrics = &parts_->metrics,
                        .log = parts_->log.get(),
                        .features = parts_->features.get(),
                        .schemas = parts_->schemas.get(),
                        .job = job};
  options.models = parts_->models.get();
  return std::make_unique<JobEnvironment>(std::move(options));
}

}  // namespace tidemill
