#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sql/catalog.h"
#include "sql/logical_plan.h"

namespace tidemill {

// A table as CREATE TABLE would bind it: physical columns `fields`, options.
inline std::shared_ptr<TableDefinition> TableOf(std::string name, const std::vector<Field>& fields,
                                                std::map<std::string, std::string> options) {
  auto table = std::make_shared<TableDefinition>();
  table->name = std::move(name);
  for (const Field& field : fields) table->columns.push_back({.name = field.name, .type = field.type});
  table->options = Config(std::move(options));
  return table;
}

// A scan of all physical and metadata columns.
inline ScanSpec ScanOf(std::shared_ptr<TableDefinition> table) {
  ScanSpec scan;
  for (size_t i = 0; i < table->columns.size(); ++i) scan.columns.push_back(static_cast<int>(i));
  scan.options = table->options;
  scan.table = std::move(table);
  return scan;
}

}  // namespace tidemill
