// Messages of any bytes through the JSON, CSV and Debezium decoders. The first byte chooses format and options; a 0xFE
// byte parts messages.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arrow/record_batch.h>

#include "data/format.h"

namespace {

using tidemill::DataType;
using tidemill::TypeKind;

class Ignore final : public tidemill::RejectSink {
 public:
  void Reject(tidemill::RejectedRow) override {}
};

tidemill::Schema AnySchema(bool nested) {
  std::vector<tidemill::Field> fields = {
      {"a", DataType(TypeKind::kBigInt)}, {"b", DataType(TypeKind::kString)},
      {"c", DataType(TypeKind::kDouble)}, {"d", DataType::Decimal(10, 2)},
      {"t", DataType::Timestamp(3)},      {"f", DataType(TypeKind::kBoolean)},
      {"y", DataType(TypeKind::kBytes)},  {"l", DataType::Array(DataType(TypeKind::kInt))}};
  if (nested) {
    const DataType row =
        DataType::Row({{"x", DataType(TypeKind::kInt)}, {"l", DataType::Array(DataType(TypeKind::kString))}});
    fields.push_back({"r", row});
    fields.push_back({"m", DataType::Map(DataType(TypeKind::kString, false), DataType::Array(row))});
  }
  return tidemill::Schema(std::move(fields));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool json = (data[0] & 1) == 0;
  tidemill::Config options;
  if ((data[0] & 2) != 0) options.Set("ignore-parse-errors", "true");
  tidemill::FormatContext context;
  tidemill::Schema schema = AnySchema(json);
  const bool debezium = json && (data[0] & 4) != 0;
  if (debezium) {
    if ((data[0] & 8) != 0) options.Set("schema-include", "true");
    if ((data[0] & 16) != 0) options.Set("decimal-encoding", "base64");
    if ((data[0] & 32) != 0) options.Set("integer-time-unit", "micros");
    std::vector<tidemill::Field> fields = schema.fields();
    context.metadata_keys.resize(fields.size());
    for (const tidemill::FormatMetadata& metadata : tidemill::FormatMetadataColumns("debezium-json")) {
      fields.push_back({"of " + std::string(metadata.key), metadata.type});
      context.metadata_keys.emplace_back(metadata.key);
    }
    schema = tidemill::Schema(std::move(fields));
  }
  auto decoder = tidemill::MakeRowDecoder(debezium ? "debezium-json" : json ? "json" : "csv", schema, options, context);
  if (!decoder.ok()) std::abort();
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<tidemill::EncodedRow> input;
  for (;;) {
    const size_t cut = rest.find('\xFE');
    input.push_back({rest.substr(0, cut), static_cast<int64_t>(input.size())});
    if (cut == std::string_view::npos) break;
    rest.remove_prefix(cut + 1);
  }
  Ignore rejects;
  auto output = (*decoder)->Decode(input, rejects);
  if (!output.ok() || !output->rows->ValidateFull().ok()) std::abort();
  if (output->input_index.size() != static_cast<size_t>(output->rows->num_rows())) std::abort();
  if (debezium && output->row_kinds.size() != output->input_index.size()) std::abort();
  return 0;
}
