// Schemas and messages of any bytes through the Avro parser, the comparison of schemas and the decoder. The input is
// the writer's schema, the reader's schema and messages, parted by 0xFF bytes, which no JSON has.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arrow/record_batch.h>

#include "data/avro/avro_compatibility.h"
#include "data/avro/avro_schema.h"
#include "data/errors.h"
#include "data/format.h"
#include "data/schema_compatibility.h"

namespace {

using tidemill::DataType;
using tidemill::TypeKind;

class Ignore final : public tidemill::RejectSink {
 public:
  void Reject(tidemill::RejectedRow) override {}
};

// Id 1 is the writer's schema; the newest one is the reader's.
class TwoSchemas final : public tidemill::SchemaSource {
 public:
  TwoSchemas(tidemill::ResolvedSchema writer, tidemill::ResolvedSchema reader)
      : writer_(std::move(writer)), reader_(std::move(reader)) {}
  tidemill::Result<tidemill::ResolvedSchema> SchemaById(int32_t id) override {
    if (id != 1) return tidemill::Status(tidemill::kSchemaNotFound, "no such id");
    return writer_;
  }
  tidemill::Result<int32_t> Register(const std::string&, const tidemill::SchemaDefinition&) override { return 1; }
  tidemill::Result<std::optional<Latest>> LatestOf(const std::string&) override {
    return std::optional<Latest>({2, 1, reader_});
  }

 private:
  const tidemill::ResolvedSchema writer_;
  const tidemill::ResolvedSchema reader_;
};

const tidemill::Schema& Columns() {
  static const DataType kRow =
      DataType::Row({{"x", DataType(TypeKind::kInt)}, {"l", DataType::Array(DataType(TypeKind::kString))}});
  static const tidemill::Schema kColumns({{"a", DataType(TypeKind::kBigInt)},
                                          {"b", DataType(TypeKind::kString)},
                                          {"c", DataType(TypeKind::kDouble)},
                                          {"d", DataType::Decimal(10, 2)},
                                          {"t", DataType::Timestamp(3)},
                                          {"f", DataType(TypeKind::kBoolean, false)},
                                          {"y", DataType(TypeKind::kBytes)},
                                          {"r", kRow},
                                          {"l", DataType::Array(kRow)},
                                          {"m", DataType::Map(DataType(TypeKind::kString, false), kRow)}});
  return kColumns;
}

std::string_view Part(std::string_view& rest) {
  const size_t cut = rest.find('\xFF');
  const std::string_view part = rest.substr(0, cut);
  rest.remove_prefix(cut == std::string_view::npos ? rest.size() : cut + 1);
  return part;
}

void CheckCanonical(const tidemill::ResolvedSchema& schema) {
  const auto canonical = tidemill::CanonicalSchema(schema);
  if (!canonical.ok()) return;
  const auto again = tidemill::FindSchemaConflicts(schema, schema);
  if (again.ok() && !again->empty()) std::abort();  // whoever wrote it can read it
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const tidemill::ResolvedSchema writer{tidemill::SchemaLanguage::kAvro, std::string(Part(rest)), {}};
  const tidemill::ResolvedSchema reader{tidemill::SchemaLanguage::kAvro, std::string(Part(rest)), {}};
  CheckCanonical(writer);
  CheckCanonical(reader);
  (void)tidemill::FindSchemaConflicts(reader, writer);

  const tidemill::FormatContext context{std::make_shared<TwoSchemas>(writer, reader), "t", false, nullptr};
  auto decoder = tidemill::MakeRowDecoder("avro-confluent", Columns(), tidemill::Config(), context);
  auto plain = tidemill::MakeRowDecoder("avro", Columns(), tidemill::Config(), context);
  if (!decoder.ok() || !plain.ok()) std::abort();
  std::vector<std::string> messages;
  do {
    const std::string_view body = Part(rest);
    messages.push_back(std::string("\0\0\0\0\1", 5).append(body));
    messages.emplace_back(body);
  } while (!rest.empty());
  std::vector<tidemill::EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  Ignore rejects;
  for (auto* made : {decoder->get(), plain->get()}) {
    auto output = made->Decode(input, rejects);
    if (!output.ok() || !output->rows->ValidateFull().ok()) std::abort();
    if (output->input_index.size() != static_cast<size_t>(output->rows->num_rows())) std::abort();
  }
  return 0;
}
