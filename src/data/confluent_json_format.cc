#include <arrow/record_batch.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/confluent_header.h"
#include "data/internal/format_options.h"
#include "data/internal/json_table_schema.h"
#include "data/internal/schema_subject.h"

namespace tidemill {
namespace {

constexpr std::string_view kName = "json-schema-confluent";

// Gives rejects of the inner decoder, which sees numbers of messages as offsets and no headers, their own again.
class WholeMessageRejects final : public RejectSink {
 public:
  WholeMessageRejects(std::span<const EncodedRow> input, RejectSink& rejects) : input_(input), rejects_(rejects) {}
  void Reject(RejectedRow row) override {
    const EncodedRow& message = input_[static_cast<size_t>(row.offset)];
    row.offset = message.offset;
    row.raw = std::string(message.bytes.substr(0, kRawBytesMax));
    rejects_.Reject(std::move(row));
  }

 private:
  static constexpr size_t kRawBytesMax = 64 << 10;
  std::span<const EncodedRow> input_;
  RejectSink& rejects_;
};

// The schema tells nothing that the JSON does not, so ids are not looked up: a registry out of reach stops no reader.
class ConfluentJsonDecoder final : public RowDecoder {
 public:
  explicit ConfluentJsonDecoder(std::unique_ptr<RowDecoder> inner) : inner_(std::move(inner)) {}

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    inner_->SetOrigin(source_, partition_);
    bodies_.clear();
    WholeMessageRejects whole(input, rejects);
    for (size_t i = 0; i < input.size(); ++i) {
      int32_t id = 0;
      if (ReadConfluentHeader(input[i].bytes, id)) {
        bodies_.push_back({input[i].bytes.substr(kConfluentHeaderBytes), static_cast<int64_t>(i)});
        continue;
      }
      RejectedRow rejected{.reason = RejectReason::kMalformed, .source = source_, .partition = partition_};
      rejected.offset = static_cast<int64_t>(i);
      rejected.detail = "the message does not begin with a zero byte and the id of a schema";
      whole.Reject(std::move(rejected));
    }
    TM_ASSIGN_OR_RETURN(Output output, inner_->Decode(bodies_, whole));
    for (int32_t& index : output.input_index) index = static_cast<int32_t>(bodies_[static_cast<size_t>(index)].offset);
    return output;
  }

 private:
  std::unique_ptr<RowDecoder> inner_;
  std::vector<EncodedRow> bodies_;
};

class ConfluentJsonEncoder final : public RowEncoder {
 public:
  ConfluentJsonEncoder(std::unique_ptr<RowEncoder> inner, std::string header)
      : inner_(std::move(inner)), header_(std::move(header)) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    bodies_.clear();
    TM_RETURN_IF_ERROR(inner_->Encode(batch, bodies_, ends));
    size_t begin = 0;
    for (size_t& end : ends) {
      out += header_;
      out.append(bodies_, begin, end - begin);
      begin = end;
      end = out.size();
    }
    return Status::OK();
  }

 private:
  std::unique_ptr<RowEncoder> inner_;
  const std::string header_;
  std::string bodies_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeConfluentJsonDecoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const ConfluentJsonOptions parsed, ParseConfluentJsonOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry(kName, context));
  TM_ASSIGN_OR_RETURN(auto inner, MakeJsonDecoder(schema, parsed.json));
  std::unique_ptr<RowDecoder> decoder = std::make_unique<ConfluentJsonDecoder>(std::move(inner));
  return decoder;
}

Result<std::unique_ptr<RowEncoder>> MakeConfluentJsonEncoder(const Schema& schema, const Config& options,
                                                             const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(const ConfluentJsonOptions parsed, ParseConfluentJsonOptions(options));
  TM_RETURN_IF_ERROR(CheckHasRegistry(kName, context));
  TM_ASSIGN_OR_RETURN(const std::string subject, SubjectToWrite(kName, parsed.registry.subject, context));
  TM_ASSIGN_OR_RETURN(auto inner, MakeJsonEncoder(schema, parsed.json));
  int32_t id = 0;
  if (parsed.registry.use_latest_version || !parsed.registry.auto_register) {
    TM_ASSIGN_OR_RETURN(const auto latest, LatestSchema(subject, SchemaLanguage::kJson, context));
    id = latest.id;
  } else {
    std::string text = parsed.registry.schema;
    if (text.empty()) {
      TM_ASSIGN_OR_RETURN(text, JsonSchemaOfTable(schema));
    }
    TM_ASSIGN_OR_RETURN(id, context.schemas->Register(subject, {SchemaLanguage::kJson, text, {}}));
  }
  std::unique_ptr<RowEncoder> encoder = std::make_unique<ConfluentJsonEncoder>(std::move(inner), ConfluentHeader(id));
  return encoder;
}

}  // namespace tidemill
