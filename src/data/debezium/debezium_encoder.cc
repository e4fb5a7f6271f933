#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/debezium/envelope.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/internal/format_options.h"

namespace tidemill {
namespace {

// Rows in envelopes, which `inner` encodes. Nothing is copied: 'before' and 'after' are the same columns, each with the
// other's rows left out.
class DebeziumEncoder final : public RowEncoder {
 public:
  DebeziumEncoder(const Schema& columns, std::unique_ptr<RowEncoder> inner)
      : envelope_(DebeziumEnvelopeOf(columns)), inner_(std::move(inner)) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    const int64_t n = batch.num_rows();
    const int8_t* kinds =
        batch.row_kinds ? static_cast<const arrow::Int8Array&>(*batch.row_kinds).raw_values() : nullptr;
    arrow::TypedBufferBuilder<bool> before, after;
    arrow::StringBuilder ops;
    TM_ARROW_RETURN_IF_ERROR(before.Reserve(n), "envelopes");
    TM_ARROW_RETURN_IF_ERROR(after.Reserve(n), "envelopes");
    TM_ARROW_RETURN_IF_ERROR(ops.Reserve(n), "envelopes");
    TM_ARROW_RETURN_IF_ERROR(ops.ReserveData(n), "envelopes");
    for (int64_t i = 0; i < n; ++i) {
      const auto kind = kinds == nullptr ? RowKind::kInsert : static_cast<RowKind>(kinds[i]);
      const bool removed = kind == RowKind::kUpdateBefore || kind == RowKind::kDelete;
      before.UnsafeAppend(removed);
      after.UnsafeAppend(!removed);
      ops.UnsafeAppend(removed ? "d" : "c", 1);
    }
    arrow::ArrayVector columns;
    for (arrow::TypedBufferBuilder<bool>* valid : {&before, &after}) {
      std::shared_ptr<arrow::Buffer> bits;
      TM_ARROW_RETURN_IF_ERROR(valid->Finish(&bits), "envelopes");
      columns.push_back(std::make_shared<arrow::StructArray>(
          envelope_.arrow()->field(static_cast<int>(columns.size()))->type(), n, batch.rows->columns(), bits));
    }
    TM_ARROW_ASSIGN_OR_RETURN(auto names, ops.Finish(), "envelopes");
    columns.push_back(std::move(names));
    return inner_->Encode(Batch{arrow::RecordBatch::Make(envelope_.arrow(), n, std::move(columns)), nullptr, 0}, out,
                          ends);
  }

 private:
  const Schema envelope_;
  std::unique_ptr<RowEncoder> inner_;
};

}  // namespace

Result<std::unique_ptr<RowEncoder>> MakeDebeziumJsonEncoder(const Schema& schema, const Config& options,
                                                            const FormatContext&) {
  TM_ASSIGN_OR_RETURN(const DebeziumJsonOptions parsed, ParseDebeziumJsonOptions(options));
  if (parsed.schema_include) {
    return Status(kInvalidFormatOption,
                  "'schema-include' = 'true' is for reading: the schema of what is written is not sent along");
  }
  TM_ASSIGN_OR_RETURN(auto inner, MakeJsonEncoder(DebeziumEnvelopeOf(schema), parsed.encode));
  return std::unique_ptr<RowEncoder>(std::make_unique<DebeziumEncoder>(schema, std::move(inner)));
}

Result<std::unique_ptr<RowEncoder>> MakeDebeziumAvroEncoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(auto inner, MakeConfluentAvroEncoder(DebeziumEnvelopeOf(schema), options, context));
  return std::unique_ptr<RowEncoder>(std::make_unique<DebeziumEncoder>(schema, std::move(inner)));
}

}  // namespace tidemill
