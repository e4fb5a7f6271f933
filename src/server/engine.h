#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/network.h"
#include "base/status.h"
#include "exec/runtime_environment.h"
#include "log/log.h"
#include "server/console.h"

namespace tidemill {

class FeatureStore;
class JobEnvironment;
class ModelRegistry;
class SchemaRegistry;

// An opened data directory: its lock, log, feature store, models and metrics, made once in a process. Thread-safe.
//
//   <data-dir>/LOCK          held while open: a second process is refused (kAlreadyLocked, which says where the first
//   one listens) <data-dir>/log/          topics <data-dir>/features/     feature views <data-dir>/jobs/<name>/
//   job.json, state/ <data-dir>/http.port     port of the HTTP API, while there is one; kafka.port of the Kafka server,
//   schema-registry.port of the schema registry
class Engine {
 public:
  static Result<std::unique_ptr<Engine>> Open(const GlobalOptions& options);
  // Without a data directory: no topics, no feature store; refused rows are kept in memory only. For queries over
  // files.
  static std::unique_ptr<Engine> OpenWithoutData(const GlobalOptions& options);
  ~Engine();

  FileSystem& files();
  const Clock& clock();
  MetricsRegistry& metrics();
  Network& network();
  bool has_data() const;
  Log& log();  // these three only with a data directory
  FeatureStore& features();
  SchemaRegistry& schemas();
  ModelRegistry& models();
  const std::string& data_dir() const;

  // What one job asks of the rooms above exec. The engine outlives it.
  std::unique_ptr<JobEnvironment> MakeEnvironment(const std::string& job);

 private:
  Engine();
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Where the process that holds a data directory listens; 0 when it does not say.
uint16_t ReadHttpPort(FileSystem& files, const std::string& data_dir);
std::string HttpPortPath(const std::string& data_dir);
std::string KafkaPortPath(const std::string& data_dir);
std::string SchemaRegistryPortPath(const std::string& data_dir);
std::string LogPath(const std::string& data_dir);

}  // namespace tidemill
