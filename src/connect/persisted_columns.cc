#include "connect/persisted_columns.h"

namespace tidemill {
namespace {

bool IsPersisted(const ColumnDefinition& column) {
  return column.kind == ColumnDefinition::Kind::kPhysical ||
         (column.kind == ColumnDefinition::Kind::kMetadata && !column.is_virtual);
}

}  // namespace

Schema PersistedSchema(const TableDefinition& table) {
  std::vector<Field> fields;
  for (const ColumnDefinition& column : table.columns) {
    if (IsPersisted(column)) fields.push_back({column.name, column.type});
  }
  return Schema(std::move(fields));
}

int PersistedIndexOf(const TableDefinition& table, int table_column) {
  int index = 0;
  for (int i = 0; i < static_cast<int>(table.columns.size()); ++i) {
    if (!IsPersisted(table.columns[i])) continue;
    if (i == table_column) return index;
    ++index;
  }
  return -1;
}

}  // namespace tidemill
