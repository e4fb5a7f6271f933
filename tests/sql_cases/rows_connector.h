#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "exec/runtime_environment.h"
#include "job/job_environment.h"

namespace tidemill {

// What the sinks of one run have made durable; outlives a killed job.
struct CaseOutput {
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> prepared;  // handle -> rows
  std::set<std::string> committed_handles;
  std::vector<std::string> rows;  // committed, kind first where it is not +I
  int serial = 0;
};

// The tables of one run of a case: connector 'rows' from memory, everything else as in a real job.
class CaseEnvironment final : public RuntimeEnvironment {
 public:
  using Inputs = std::map<std::string, std::vector<std::vector<std::string>>>;
  CaseEnvironment(const Inputs& inputs, JobEnvironment& others, const Clock& clock);

  Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan) override;
  Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& sink) override;
  Result<std::unique_ptr<Predictor>> MakePredictor(const PredictSpec& predict) override {
    return others_.MakePredictor(predict);
  }
  Result<std::unique_ptr<Journal>> MakeJournal(const std::string& operator_name, int subtask) override;
  std::unique_ptr<RejectSink> MakeRejectSink(const std::string& origin) override;
  MetricsRegistry& metrics() override { return metrics_; }
  const Clock& clock() override { return clock_; }

  // A sink that keeps rows under a name, "" for the SELECT's.
  std::unique_ptr<Sink> MakeRowsSink(const std::string& name, const Schema& schema);
  CaseOutput& output(const std::string& name) { return outputs_[name]; }
  std::map<std::string, int> rejected();
  // First reject of each reason, for messages.
  std::string reject_examples();
  void SetJournals(class JournalStore* journals) { journals_ = journals; }

 private:
  class Rejects;
  const Inputs& inputs_;
  JobEnvironment& others_;
  const Clock& clock_;
  MetricsRegistry metrics_;
  JournalStore* journals_ = nullptr;
  std::map<std::string, CaseOutput> outputs_;
  std::mutex mutex_;
  std::map<std::string, int> rejected_;
  std::map<std::string, std::string> examples_;
};

// Planning against the same tables.
class CasePlannerEnvironment final : public PlannerEnvironment {
 public:
  explicit CasePlannerEnvironment(JobPlannerEnvironment& others) : others_(others) {}
  Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) override;
  Status ValidateModel(const ModelDefinition& model) override { return others_.ValidateModel(model); }
  bool IsBounded(const TableDefinition& table) override {
    return table.connector() == "rows" || others_.IsBounded(table);
  }
  bool SendsAtOnce(const TableDefinition& table) override {
    return table.connector() != "rows" && others_.SendsAtOnce(table);
  }
  bool HoldsChanges(const TableDefinition& table) override;
  std::vector<std::string> connectors() const override;

 private:
  JobPlannerEnvironment& others_;
};

}  // namespace tidemill
