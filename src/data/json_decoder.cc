#include <algorithm>

#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/format_options.h"
#include "data/internal/json_messages.h"
#include "data/internal/json_reader.h"

namespace tidemill {
namespace {

class JsonDecoder final : public RowDecoder {
 public:
  JsonDecoder(Schema schema, JsonOptions options) : schema_(std::move(schema)), options_(std::move(options)) {
    writers_.reserve(static_cast<size_t>(schema_.num_fields()));
    for (const Field& field : schema_.fields()) writers_.emplace_back(field.type);
    reader_ = std::make_unique<JsonReader>(schema_, writers_, options_);
  }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    rejects_ = &rejects;
    input_ = input;
    rows_ = 0;
    input_index_.clear();
    TM_RETURN_IF_ERROR(ReserveRows(static_cast<int64_t>(input.size())));
    TM_RETURN_IF_ERROR(messages_.ForEach(input, options_.message_bytes_max, *this));
    Output output;
    arrow::ArrayVector columns;
    for (ColumnWriter& writer : writers_) {
      TM_ASSIGN_OR_RETURN(auto column, writer.Finish(rows_));
      columns.push_back(std::move(column));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows_, std::move(columns));
    output.input_index = std::move(input_index_);
    reserved_ = 0;
    return output;
  }

  // Of JsonMessages.
  void SetText(std::string_view text, const uint32_t* positions) { reader_->SetText(text, positions); }
  Result<bool> ReadMessage(size_t& at, uint32_t end, size_t message) {
    const int64_t rows_before = rows_;
    TM_ASSIGN_OR_RETURN(const bool good, DecodeMessage(at, end, message));
    if (good) return true;
    Refuse(message, reader_->error());
    rows_ = rows_before;
    input_index_.resize(static_cast<size_t>(rows_before));
    return false;
  }
  void Refuse(size_t message, const JsonError& error) {
    const EncodedRow& row = input_[message];
    RejectedRow rejected{.reason = error.reason, .source = source_, .partition = partition_, .offset = row.offset};
    rejected.field = error.field;
    rejected.detail = error.detail;
    rejected.raw = std::string(row.bytes.substr(0, kRejectRawBytesMax));
    rejects_->Reject(std::move(rejected));
  }

 private:
  Status ReserveRows(int64_t rows) {
    if (rows <= reserved_) return Status::OK();
    reserved_ = std::max(rows, reserved_ * 2);
    for (ColumnWriter& writer : writers_) TM_RETURN_IF_ERROR(writer.Reserve(reserved_));
    return Status::OK();
  }

  // False with reader_->error() set when the message is to be refused.
  Result<bool> DecodeMessage(size_t& at, uint32_t end, size_t input_index) {
    reader_->SetEnd(end);
    const char first = reader_->CharAt(at);
    if (first == '{') {
      TM_RETURN_IF_ERROR(ReserveRows(rows_ + 1));
      if (!reader_->ReadRow(rows_, at)) return false;
      Commit(input_index);
    } else if (first == '[') {
      ++at;
      bool more = reader_->CharAt(at) != ']';
      if (!more) ++at;
      while (more) {
        TM_RETURN_IF_ERROR(ReserveRows(rows_ + 1));
        if (!reader_->ReadRow(rows_, at)) return false;
        Commit(input_index);
        const char separator = reader_->CharAt(at);
        if (separator != ',' && separator != ']') return reader_->FailMalformed(at, "',' or ']'");
        more = separator == ',';
        ++at;
      }
    } else {
      return reader_->FailMalformed(at, "an object");
    }
    return reader_->AtEnd(at) || reader_->FailMalformed(at, "the end");
  }

  void Commit(size_t input_index) {
    ++rows_;
    input_index_.push_back(static_cast<int32_t>(input_index));
  }

  Schema schema_;
  JsonOptions options_;
  std::vector<ColumnWriter> writers_;
  std::unique_ptr<JsonReader> reader_;
  JsonMessages messages_;
  RejectSink* rejects_ = nullptr;
  std::span<const EncodedRow> input_;
  int64_t rows_ = 0;
  int64_t reserved_ = 0;
  std::vector<int32_t> input_index_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeJsonDecoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(JsonOptions parsed, ParseJsonOptions(options));
  std::unique_ptr<RowDecoder> decoder = std::make_unique<JsonDecoder>(schema, std::move(parsed));
  return decoder;
}

}  // namespace tidemill
