#include "exec/source.h"

#include <algorithm>
#include <set>

namespace tidemill {

std::vector<int> SourceReadColumns(const ScanSpec& scan) {
  const TableDefinition& table = *scan.table;
  std::set<int> needed(scan.columns.begin(), scan.columns.end());
  if (table.rowtime_column >= 0 && table.watermark != nullptr) {
    needed.insert(table.rowtime_column);
    for (int column : ColumnsOf(*table.watermark)) needed.insert(column);
  }
  std::set<int> read;
  for (int column : needed) {
    if (table.columns[column].kind != ColumnDefinition::Kind::kComputed) {
      read.insert(column);
      continue;
    }
    for (int input : ColumnsOf(*table.columns[column].computed)) read.insert(input);
  }
  return {read.begin(), read.end()};
}

Schema SourceReadSchema(const ScanSpec& scan) {
  std::vector<Field> fields;
  for (int column : SourceReadColumns(scan)) {
    fields.push_back({scan.table->columns[column].name, scan.table->columns[column].type});
  }
  return Schema(std::move(fields));
}

}  // namespace tidemill
