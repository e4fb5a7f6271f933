#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/debezium/envelope.h"
#include "data/format.h"
#include "data/internal/format_options.h"
#include "data/internal/json_reader.h"

namespace tidemill {
namespace {

// Envelopes in Avro, decoded by `inner`. Method: rows of 'before' and 'after' become rows of one batch by a gather of
// each column over the two, one behind the other.
class DebeziumAvroDecoder final : public RowDecoder {
 public:
  DebeziumAvroDecoder(Schema schema, std::unique_ptr<RowDecoder> inner)
      : schema_(std::move(schema)), inner_(std::move(inner)) {}

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    inner_->SetOrigin(source_, partition_);
    messages_.clear();
    inputs_.clear();
    for (size_t i = 0; i < input.size(); ++i) {
      if (input[i].bytes.empty()) continue;  // a tombstone, for compaction
      messages_.push_back(input[i]);
      inputs_.push_back(static_cast<int32_t>(i));
    }
    TM_ASSIGN_OR_RETURN(const Output decoded, inner_->Decode(messages_, rejects));
    const auto& before = static_cast<const arrow::StructArray&>(*decoded.rows->column(0));
    const auto& after = static_cast<const arrow::StructArray&>(*decoded.rows->column(1));
    const auto& ops = static_cast<const arrow::StringArray&>(*decoded.rows->column(2));
    const int64_t n = decoded.rows->num_rows();
    Output output;
    arrow::Int64Builder gathered;
    TM_ARROW_RETURN_IF_ERROR(gathered.Reserve(2 * n), "changes");
    for (int64_t i = 0; i < n; ++i) {
      const EncodedRow& message = messages_[static_cast<size_t>(decoded.input_index[i])];
      const DebeziumOp op = ops.IsNull(i) ? DebeziumOp::kUnknown : DebeziumOpOf(ops.GetView(i));
      if (const char* refusal = DebeziumRefusal(op, before.IsValid(i), after.IsValid(i))) {
        Refuse(message, op, refusal, rejects);
        continue;
      }
      const DebeziumRows rows = RowsOfDebeziumOp(op);
      const auto add = [&](int64_t place, RowKind kind) {
        gathered.UnsafeAppend(place);
        output.row_kinds.push_back(static_cast<int8_t>(kind));
        output.input_index.push_back(inputs_[static_cast<size_t>(decoded.input_index[i])]);
      };
      if (rows.before) add(i, rows.before_kind);
      if (rows.after) add(n + i, rows.after_kind);
    }
    TM_ARROW_ASSIGN_OR_RETURN(const auto places, gathered.Finish(), "changes");
    arrow::ArrayVector columns;
    for (int c = 0; c < schema_.num_fields(); ++c) {
      TM_ARROW_ASSIGN_OR_RETURN(const auto both, arrow::Concatenate({before.field(c), after.field(c)}), "changes");
      TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum taken, arrow::compute::Take(both, places), "changes");
      columns.push_back(taken.make_array());
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), places->length(), std::move(columns));
    return output;
  }

 private:
  void Refuse(const EncodedRow& message, DebeziumOp op, const char* why, RejectSink& rejects) const {
    RejectedRow rejected{.reason = op == DebeziumOp::kUnknown ? RejectReason::kMalformed : RejectReason::kMissingField,
                         .source = source_,
                         .partition = partition_,
                         .offset = message.offset};
    rejected.field = "op";
    rejected.detail = why;
    rejected.raw = std::string(message.bytes.substr(0, kRejectRawBytesMax));
    rejects.Reject(std::move(rejected));
  }

  const Schema schema_;
  std::unique_ptr<RowDecoder> inner_;
  std::vector<EncodedRow> messages_;
  std::vector<int32_t> inputs_;  // number of each
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeDebeziumAvroDecoder(const Schema& schema, const Config& options,
                                                            const FormatContext& context) {
  FormatContext of_envelope = context;
  of_envelope.all_columns.reset();
  TM_ASSIGN_OR_RETURN(auto inner, MakeConfluentAvroDecoder(DebeziumEnvelopeOf(schema), options, of_envelope));
  return std::unique_ptr<RowDecoder>(std::make_unique<DebeziumAvroDecoder>(schema, std::move(inner)));
}

}  // namespace tidemill
