#pragma once

#include <set>
#include <string>
#include <vector>

#include "sql/errors.h"
#include "sql/planner.h"

namespace tidemill {

// Knows some connectors by name, checks no more than that they exist, and records what it was asked.
class TestEnvironment final : public PlannerEnvironment {
 public:
  Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) override {
    if (as_source) sources.insert(table.name);
    if (as_sink) sinks.insert(table.name);
    for (const std::string& name : connectors()) {
      if (name == table.connector()) return Status::OK();
    }
    auto position = table.option_positions.find("connector");
    return Status(kUnknownConnector, "unknown connector '" + table.connector() + "'").At(position->second);
  }
  Status ValidateModel(const ModelDefinition& model) override {
    models.insert(model.name);
    return Status::OK();
  }
  bool IsBounded(const TableDefinition& table) override { return table.connector() == "filesystem"; }
  bool SendsAtOnce(const TableDefinition& table) override {
    return table.connector() == "http" || table.connector() == "feature-store";
  }
  std::vector<std::string> connectors() const override {
    return {"filesystem", "tidemill-log", "print", "blackhole", "http", "feature-store", "datagen"};
  }

  std::set<std::string> sources;
  std::set<std::string> sinks;
  std::set<std::string> models;
};

}  // namespace tidemill
