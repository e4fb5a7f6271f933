// Schemas and messages of any bytes through the Protobuf decoders and back through an encoder. The input is the
// writer's schema, the reader's schema and messages, parted by 0xFF bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <arrow/record_batch.h>

#include "data/errors.h"
#include "data/format.h"

namespace {

using tidemill::DataType;
using tidemill::TypeKind;

class IgnoreProtobuf final : public tidemill::RejectSink {
 public:
  void Reject(tidemill::RejectedRow) override {}
};

// Id 1 is the writer's schema; the newest one is the reader's.
class TwoProtobufSchemas final : public tidemill::SchemaSource {
 public:
  TwoProtobufSchemas(tidemill::ResolvedSchema writer, tidemill::ResolvedSchema reader)
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

// Has a column of each type and field; also what messages without a schema of their own are.
constexpr char kProto[] = R"(syntax = "proto3";
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/type/date.proto";
import "google/type/timeofday.proto"; import "confluent/type/decimal.proto";
message M { int64 a = 1; string b = 2; double c = 3; confluent.type.Decimal d = 4; google.protobuf.Timestamp t = 5;
  optional bool f = 6; bytes y = 7; R r = 8; repeated R l = 9; map<string, R> m = 10; repeated sint32 p = 11;
  oneof o { string u = 12; R v = 13; fixed32 w = 14; } google.protobuf.Int64Value x = 15; google.type.Date day = 16;
  google.type.TimeOfDay clock = 17; E e = 3000; message R { int32 x = 1; repeated string l = 2; }
  enum E { ZERO = 0; ONE = 1; FAR = 100000; } })";

const tidemill::Schema& ProtobufColumns() {
  static const DataType kRow =
      DataType::Row({{"x", DataType(TypeKind::kInt)}, {"l", DataType::Array(DataType(TypeKind::kString))}});
  static const tidemill::Schema kColumns({{"a", DataType(TypeKind::kBigInt)},
                                          {"b", DataType(TypeKind::kString)},
                                          {"c", DataType(TypeKind::kDouble)},
                                          {"d", DataType::Decimal(10, 2)},
                                          {"t", DataType::Timestamp(3)},
                                          {"f", DataType(TypeKind::kBoolean)},
                                          {"y", DataType(TypeKind::kBytes)},
                                          {"r", kRow},
                                          {"l", DataType::Array(kRow)},
                                          {"m", DataType::Map(DataType(TypeKind::kString, false), kRow)},
                                          {"p", DataType::Array(DataType(TypeKind::kInt))},
                                          {"u", DataType(TypeKind::kString)},
                                          {"v", kRow},
                                          {"w", DataType(TypeKind::kBigInt)},
                                          {"x", DataType(TypeKind::kBigInt)},
                                          {"day", DataType(TypeKind::kDate)},
                                          {"clock", DataType(TypeKind::kTime)},
                                          {"e", DataType(TypeKind::kString)}});
  return kColumns;
}

std::string_view NextPart(std::string_view& rest) {
  const size_t cut = rest.find('\xFF');
  const std::string_view part = rest.substr(0, cut);
  rest.remove_prefix(cut == std::string_view::npos ? rest.size() : cut + 1);
  return part;
}

std::shared_ptr<arrow::RecordBatch> Decoded(tidemill::RowDecoder& decoder, const std::vector<std::string>& messages) {
  std::vector<tidemill::EncodedRow> input;
  for (const std::string& message : messages) input.push_back({message, static_cast<int64_t>(input.size())});
  IgnoreProtobuf rejects;
  auto output = decoder.Decode(input, rejects);
  if (!output.ok() || !output->rows->ValidateFull().ok()) std::abort();
  if (output->input_index.size() != static_cast<size_t>(output->rows->num_rows())) std::abort();
  return output->rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const tidemill::ResolvedSchema writer{tidemill::SchemaLanguage::kProtobuf, std::string(NextPart(rest)), {}};
  const tidemill::ResolvedSchema reader{tidemill::SchemaLanguage::kProtobuf, std::string(NextPart(rest)), {}};
  const tidemill::FormatContext context{std::make_shared<TwoProtobufSchemas>(writer, reader), "t", false, nullptr};
  tidemill::Config with_schema;
  with_schema.Set("schema", kProto);
  auto decoder = tidemill::MakeRowDecoder("protobuf-confluent", ProtobufColumns(), tidemill::Config(), context);
  auto plain = tidemill::MakeRowDecoder("protobuf", ProtobufColumns(), with_schema, context);
  auto encoder = tidemill::MakeRowEncoder("protobuf", ProtobufColumns(), with_schema, context);
  if (!decoder.ok() || !plain.ok() || !encoder.ok()) std::abort();
  std::vector<std::string> with_header;
  std::vector<std::string> bodies;
  do {
    bodies.emplace_back(NextPart(rest));
    with_header.push_back(std::string("\0\0\0\0\1", 5) + bodies.back());
  } while (!rest.empty());
  Decoded(**decoder, with_header);
  const auto rows = Decoded(**plain, bodies);
  // What was read is written and read again as the same, but for what has no place: NULL in lists.
  std::string bytes;
  std::vector<size_t> ends;
  if (!(*encoder)->Encode({rows, nullptr, 0}, bytes, ends).ok()) return 0;
  std::vector<std::string> again;
  for (size_t i = 0; i < ends.size(); ++i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    again.push_back(bytes.substr(begin, ends[i] - begin));
  }
  if (Decoded(**plain, again)->num_rows() != rows->num_rows()) std::abort();
  return 0;
}
