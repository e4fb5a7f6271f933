#pragma once

#include "data/schema.h"
#include "sql/catalog.h"

namespace tidemill {

// The columns that a sink is given: physical ones and metadata that is not VIRTUAL, in table order (SinkWriter::Write).
Schema PersistedSchema(const TableDefinition& table);
// Where column `table_column` (number into TableDefinition::columns) stands among them; -1 = it is not written.
int PersistedIndexOf(const TableDefinition& table, int table_column);

}  // namespace tidemill
