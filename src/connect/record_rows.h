#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connect/connector.h"
#include "data/format.h"
#include "data/reject.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Which part of a record each column of a scan comes from: its value, or what the system says about it. For connectors
// whose records have one value. Made once per scan.
struct RecordLayout {
  struct Column {
    int value = -1;     // column of the value's decoder
    int metadata = -1;  // or: number into the connector's metadata columns
    DataType type;
  };
  static RecordLayout Make(const ScanSpec& scan, std::span<const MetadataColumn> metadata);

  Schema read_schema;
  Schema value_schema;  // columns of the value that are read
  Schema value_all;     // all that it has
  std::vector<Column> columns;
};

// The columns of `values`, and of metadata what `metadata_of` (number -> one value a row of `values`) gives, cast to
// the column's type.
Result<std::shared_ptr<arrow::RecordBatch>> AssembleRecordRows(
    const RecordLayout& layout, const RowDecoder::Output& values,
    const std::function<Result<std::shared_ptr<arrow::Array>>(int metadata)>& metadata_of);

// Says of each refused record which one it was, where that is no number: decoders are given the record's place in its
// batch as offset.
class NamedRejects final : public RejectSink {
 public:
  // Name (empty = none) and offset of the record at a place.
  using NameOf = std::function<std::string(int64_t place, int64_t* offset)>;
  NamedRejects(RejectSink& rejects, NameOf name_of) : rejects_(rejects), name_of_(std::move(name_of)) {}
  void Reject(RejectedRow row) override;

 private:
  RejectSink& rejects_;
  const NameOf name_of_;
};

}  // namespace tidemill
