#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/network.h"
#include "connect/connector.h"
#include "exec/runtime_environment.h"
#include "job/reject_store.h"
#include "sql/catalog.h"

namespace tidemill {

class ModelRegistry;

// What one job asks of the rooms above exec, from connectors, models and the log. Thread-safe. What it is given
// outlives it.
class JobEnvironment final : public RuntimeEnvironment {
 public:
  struct Options {
    ConnectorContext connectors;      // files, network, clock, metrics, log, features, job name
    ModelRegistry* models = nullptr;  // null: a plan that predicts is refused
    std::string reject_directory;     // where refused rows go when there is no log; "": the last ones stay in memory
  };
  explicit JobEnvironment(Options options);
  ~JobEnvironment() override;

  Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan) override;
  Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& sink) override;
  Result<std::unique_ptr<Predictor>> MakePredictor(const PredictSpec& predict) override;
  // Without durability: for jobs without a state directory. Those with one have their own (Job).
  Result<std::unique_ptr<Journal>> MakeJournal(const std::string& operator_name, int subtask) override;
  std::unique_ptr<RejectSink> MakeRejectSink(const std::string& origin) override;
  Status SyncRejects() override;
  MetricsRegistry& metrics() override;
  const Clock& clock() override;

  RejectStore& rejects() { return *rejects_; }

 private:
  Options options_;
  std::unique_ptr<RejectStore> rejects_;
};

// What planning asks of them. Not thread-safe. Models are read, nothing else is touched.
class JobPlannerEnvironment final : public PlannerEnvironment {
 public:
  explicit JobPlannerEnvironment(JobEnvironment::Options options) : options_(std::move(options)) {}
  Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) override;
  Status ValidateModel(const ModelDefinition& model) override;
  bool IsBounded(const TableDefinition& table) override;
  bool SendsAtOnce(const TableDefinition& table) override;
  bool GivesUpserts(const TableDefinition& table) override;
  bool HoldsChanges(const TableDefinition& table) override;
  std::vector<std::string> connectors() const override;

 private:
  JobEnvironment::Options options_;
};

}  // namespace tidemill
