#include "job/job_environment.h"

#include "data/format.h"
#include "job/errors.h"
#include "model/errors.h"
#include "model/model_registry.h"

namespace tidemill {
namespace {

// Decisions of a job without durability are forgotten with it: there is no replay that they could differ in.
class VolatileJournal final : public Journal {
 public:
  void Append(const Batch&, std::function<void(Status)> done) override { done(Status::OK()); }
  Result<std::vector<Batch>> TakeRecovered() override { return std::vector<Batch>(); }
  void StartEpoch(int64_t) override {}
};

Result<const Connector*> ConnectorOf(const TableDefinition& table) {
  const Connector* connector = FindConnector(table.connector());
  if (connector != nullptr) return connector;
  return Status(kNoConnector, "table '" + table.name + "': there is no connector '" + table.connector() + "'")
      .At(table.position);
}

}  // namespace

JobEnvironment::JobEnvironment(Options options) : options_(std::move(options)) {
  const ConnectorContext& context = options_.connectors;
  rejects_ = std::make_unique<RejectStore>(RejectStore::Options{.log = context.log,
                                                                .files = context.files,
                                                                .directory = options_.reject_directory,
                                                                .clock = context.clock,
                                                                .metrics = context.metrics,
                                                                .job = context.job});
}

JobEnvironment::~JobEnvironment() = default;

Result<std::unique_ptr<Source>> JobEnvironment::MakeSource(const ScanSpec& scan) {
  TM_ASSIGN_OR_RETURN(const Connector* connector, ConnectorOf(*scan.table));
  if (connector->make_source == nullptr) {
    return Status(kNoConnector, "connector '" + std::string(connector->name) + "' can't be read from")
        .At(scan.table->position);
  }
  return connector->make_source(scan, options_.connectors);
}

Result<std::unique_ptr<Sink>> JobEnvironment::MakeSink(const SinkSpec& sink) {
  TM_ASSIGN_OR_RETURN(const Connector* connector, ConnectorOf(*sink.table));
  if (connector->make_sink == nullptr) {
    return Status(kNoConnector, "connector '" + std::string(connector->name) + "' can't be written to")
        .At(sink.table->position);
  }
  return connector->make_sink(sink, options_.connectors);
}

Result<std::unique_ptr<Predictor>> JobEnvironment::MakePredictor(const PredictSpec& predict) {
  if (options_.models == nullptr)
    return Status(kNoConnector, "models are not available here").At(predict.model->position);
  return options_.models->MakePredictor(*predict.model, {{"pipeline", options_.connectors.job}});
}

Result<std::unique_ptr<Journal>> JobEnvironment::MakeJournal(const std::string&, int) {
  return std::unique_ptr<Journal>(std::make_unique<VolatileJournal>());
}

std::unique_ptr<RejectSink> JobEnvironment::MakeRejectSink(const std::string& origin) {
  return rejects_->MakeSink(origin);
}
Status JobEnvironment::SyncRejects() { return rejects_->Sync(); }
MetricsRegistry& JobEnvironment::metrics() { return *options_.connectors.metrics; }
const Clock& JobEnvironment::clock() { return *options_.connectors.clock; }

Status JobPlannerEnvironment::ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) {
  return tidemill::ValidateTable(table, as_source, as_sink, options_.connectors);
}

Status JobPlannerEnvironment::ValidateModel(const ModelDefinition& model) {
  if (options_.models == nullptr) return Status(kNoConnector, "models are not available here").At(model.position);
  return options_.models->Validate(model);
}

bool JobPlannerEnvironment::IsBounded(const TableDefinition& table) {
  const Connector* connector = FindConnector(table.connector());
  return connector != nullptr && connector->is_bounded != nullptr && connector->is_bounded(table);
}

bool JobPlannerEnvironment::SendsAtOnce(const TableDefinition& table) {
  const Connector* connector = FindConnector(table.connector());
  return connector != nullptr && connector->sends_at_once;
}

bool JobPlannerEnvironment::GivesUpserts(const TableDefinition& table) {
  const Connector* connector = FindConnector(table.connector());
  return connector != nullptr && connector->gives_upserts;
}

bool JobPlannerEnvironment::HoldsChanges(const TableDefinition& table) {
  const Connector* connector = FindConnector(table.connector());
  if (connector == nullptr || !connector->takes_format) return false;
  return IsChangelogFormat(table.options.GetString("format", table.options.GetString("value.format", "")));
}

std::vector<std::string> JobPlannerEnvironment::connectors() const {
  std::vector<std::string> names;
  for (const Connector& connector : Connectors()) names.emplace_back(connector.name);
  return names;
}

}  // namespace tidemill
