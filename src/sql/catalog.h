#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/status.h"
#include "data/schema.h"
#include "sql/expression.h"

namespace tidemill {

namespace ast {
struct Query;
}

// A column of CREATE TABLE.
struct ColumnDefinition {
  enum class Kind : uint8_t { kPhysical, kComputed, kMetadata };
  Kind kind = Kind::kPhysical;
  std::string name;
  DataType type;
  std::string metadata_key;  // kMetadata: FROM 'key' or the name
  bool is_virtual = false;   // kMetadata VIRTUAL: not written by sinks
  ExpressionPtr computed;    // kComputed: over the physical and metadata columns, numbered in `columns` order
  std::string comment;
};

// An immutable table: what CREATE TABLE says, bound.
struct TableDefinition {
  std::string name;
  std::vector<ColumnDefinition> columns;
  // WATERMARK FOR column AS expression (over all columns, numbered in `columns` order); -1 = none.
  int rowtime_column = -1;
  ExpressionPtr watermark;
  std::vector<int> primary_key;
  bool gives_upserts = false;  // read, it gives the changes of each primary key: +U with the new row, -D
  bool gives_changes = false;  // read, it gives changes with the rows from before: +I, -U, +U, -D
  std::vector<std::string> partitioned_by;
  Config options;  // WITH, variables replaced
  // Where each option's value stands in the script, for errors. Key -> position.
  std::map<std::string, SourcePosition> option_positions;
  SourcePosition position;
  std::string comment;

  Schema schema() const;  // all columns, in order
  Schema physical_schema() const;
  std::string connector() const { return options.GetString("connector", ""); }
};
using TablePtr = std::shared_ptr<const TableDefinition>;

struct ModelDefinition {
  std::string name;
  Schema input;
  Schema output;
  Config options;  // 'provider', 'path', ...
  std::map<std::string, SourcePosition> option_positions;
  SourcePosition position;
  std::string comment;
};
using ModelPtr = std::shared_ptr<const ModelDefinition>;

// What planning asks of the rooms above: filled in by job, or by tests.
class PlannerEnvironment {
 public:
  virtual ~PlannerEnvironment() = default;
  // Checks connector, format and option names and values, and that metadata keys exist with these types. Touches
  // nothing outside the machine. Errors carry the option's position. With neither as_source nor as_sink (CREATE TABLE),
  // only what holds for both.
  virtual Status ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) = 0;
  // Reads the model and checks names, types and shapes against INPUT and OUTPUT.
  virtual Status ValidateModel(const ModelDefinition& model) = 0;
  // True when the table is read to an end (files, bounded topics).
  virtual bool IsBounded(const TableDefinition& table) = 0;
  // True when a sink's effects leave before the epoch commits (webhook, online store): what reaches it must be
  // journalled.
  virtual bool SendsAtOnce(const TableDefinition& table) {
    (void)table;
    return false;
  }
  // True when reading the table gives changes by PRIMARY KEY (+U, -D) instead of new rows.
  virtual bool GivesUpserts(const TableDefinition& table) {
    (void)table;
    return false;
  }
  // True when the table's records are changes with the rows from before (a format like 'debezium-json').
  virtual bool HoldsChanges(const TableDefinition& table) {
    (void)table;
    return false;
  }
  // True when a sink without PRIMARY KEY takes -U, +U and -D rows all the same.
  virtual bool TakesChangelog(const TableDefinition& table) {
    return table.connector() == "print" || table.connector() == "blackhole" || HoldsChanges(table);
  }
  virtual std::vector<std::string> connectors() const = 0;
};

// Tables, views and models by name (case-sensitive, as Flink). Not thread-safe.
class Catalog {
 public:
  Status AddTable(TablePtr table, bool if_not_exists);
  Status AddModel(ModelPtr model, bool if_not_exists);
  struct View {
    std::shared_ptr<const ast::Query>
        query;                         // bound anew at each reference, so that errors keep the view's own positions
    std::vector<std::string> columns;  // CREATE VIEW v (a, b); empty = the query's
    SourcePosition position;           // of the name
    std::string comment;
  };
  Status AddView(std::string name, View view, bool if_not_exists);
  TablePtr FindTable(std::string_view name) const;
  ModelPtr FindModel(std::string_view name) const;
  const View* FindView(std::string_view name) const;
  Status Drop(std::string_view kind, std::string_view name, bool if_exists);
  std::vector<std::string> table_names() const;
  std::vector<std::string> view_names() const;
  std::vector<std::string> model_names() const;

 private:
  std::map<std::string, TablePtr, std::less<>> tables_;
  std::map<std::string, ModelPtr, std::less<>> models_;
  std::map<std::string, View, std::less<>> views_;
};

}  // namespace tidemill
