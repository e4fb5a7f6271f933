#include <algorithm>

#include <arrow/record_batch.h>

#include "data/arrow_status.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/format_options.h"
#include "data/internal/json_index.h"
#include "data/internal/json_reader.h"

namespace tidemill {
namespace {

// Whether `next` follows `row` in the same memory with nothing but a line end between.
bool Adjacent(std::string_view row, std::string_view next) {
  const char* const end = row.data() + row.size();
  return (next.data() == end + 1 && *end == '\n') || (next.data() == end + 2 && end[0] == '\r' && end[1] == '\n');
}

// Method: messages are taken together in segments of some 64 KiB, so that the structural index is built once for many;
// a segment in which that fails is taken again message by message, so one bad message never costs another.
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
    size_t at = 0;
    while (at < input.size()) {
      if (static_cast<int64_t>(input[at].bytes.size()) > options_.message_bytes_max) {
        RejectTooLarge(at++);
        continue;
      }
      TM_ASSIGN_OR_RETURN(at, DecodeSegment(at));
    }
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

 private:
  static constexpr size_t kSegmentBytes = 64 << 10;
  static constexpr size_t kCopyBytesMax = 16 << 10;  // a larger message is a segment of its own, not copied

  struct Message {
    uint32_t begin;
    uint32_t end;
  };

  Status ReserveRows(int64_t rows) {
    if (rows <= reserved_) return Status::OK();
    reserved_ = std::max(rows, reserved_ * 2);
    for (ColumnWriter& writer : writers_) TM_RETURN_IF_ERROR(writer.Reserve(reserved_));
    return Status::OK();
  }

  // Decodes some messages from `first` on; returns the first that is left.
  Result<size_t> DecodeSegment(size_t first) {
    messages_.clear();
    const std::string_view start = input_[first].bytes;
    size_t next = first + 1;
    const auto fits = [this](size_t i, size_t taken) {
      return i < input_.size() && taken + input_[i].bytes.size() < kSegmentBytes &&
             static_cast<int64_t>(input_[i].bytes.size()) <= options_.message_bytes_max;
    };
    if (next < input_.size() && Adjacent(start, input_[next].bytes)) {
      messages_.push_back({0, static_cast<uint32_t>(start.size())});
      while (fits(next, messages_.back().end) && Adjacent(input_[next - 1].bytes, input_[next].bytes)) {
        const uint32_t begin = static_cast<uint32_t>(input_[next].bytes.data() - start.data());
        messages_.push_back({begin, begin + static_cast<uint32_t>(input_[next].bytes.size())});
        ++next;
      }
      TM_RETURN_IF_ERROR(DecodeText({start.data(), messages_.back().end}, messages_, first));
      return next;
    }
    if (start.size() > kCopyBytesMax) {
      messages_.push_back({0, static_cast<uint32_t>(start.size())});
      TM_RETURN_IF_ERROR(DecodeText(start, messages_, first));
      return next;
    }
    copy_.clear();
    next = first;
    do {
      const uint32_t begin = static_cast<uint32_t>(copy_.size());
      copy_ += input_[next].bytes;
      messages_.push_back({begin, static_cast<uint32_t>(copy_.size())});
      copy_ += '\n';
      ++next;
    } while (fits(next, copy_.size()) && input_[next].bytes.size() <= kCopyBytesMax);
    TM_RETURN_IF_ERROR(DecodeText(copy_, messages_, first));
    return next;
  }

  Status DecodeText(std::string_view text, std::span<const Message> messages, size_t first) {
    const JsonIndex::Outcome outcome = index_.Build(text);
    if (outcome != JsonIndex::Outcome::kOk) {
      if (messages.size() == 1) {
        RejectUnreadable(first, outcome);
        return Status::OK();
      }
      for (size_t m = 0; m < messages.size(); ++m) {
        const Message whole{0, messages[m].end - messages[m].begin};
        TM_RETURN_IF_ERROR(DecodeText(text.substr(messages[m].begin, whole.end), {&whole, 1}, first + m));
      }
      return Status::OK();
    }
    reader_->SetText(text, index_.positions());
    const uint32_t* positions = index_.positions();
    size_t at = 0;
    for (size_t m = 0; m < messages.size(); ++m) {
      while (positions[at] < messages[m].begin) ++at;
      const int64_t rows_before = rows_;
      const size_t message_at = at;
      TM_ASSIGN_OR_RETURN(const bool good, DecodeMessage(at, messages[m], first + m));
      if (good) continue;
      Reject(first + m, reader_->error());
      rows_ = rows_before;
      input_index_.resize(static_cast<size_t>(rows_before));
      at = message_at;  // the next turn skips what is left of this message
    }
    return Status::OK();
  }

  // False with reader_->error() set when the message is to be refused.
  Result<bool> DecodeMessage(size_t& at, Message message, size_t input_index) {
    reader_->SetEnd(message.end);
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

  void Reject(size_t input_index, const JsonError& error) {
    const EncodedRow& row = input_[input_index];
    RejectedRow rejected{.reason = error.reason, .source = source_, .partition = partition_, .offset = row.offset};
    rejected.field = error.field;
    rejected.detail = error.detail;
    rejected.raw = std::string(row.bytes.substr(0, kRejectRawBytesMax));
    rejects_->Reject(std::move(rejected));
  }

  void RejectTooLarge(size_t input_index) {
    Reject(input_index, {RejectReason::kTooLarge, "",
                         "the message has " + std::to_string(input_[input_index].bytes.size()) + " bytes, more than " +
                             std::to_string(options_.message_bytes_max) + " ('json.message-bytes-max')"});
  }

  void RejectUnreadable(size_t input_index, JsonIndex::Outcome outcome) {
    switch (outcome) {
      case JsonIndex::Outcome::kEmpty:
        return Reject(input_index, {RejectReason::kMalformed, "", "the message is empty"});
      case JsonIndex::Outcome::kInvalidUtf8:
        return Reject(input_index, {RejectReason::kInvalidUtf8, "", "the message is not valid UTF-8"});
      case JsonIndex::Outcome::kControlCharacter:
        return Reject(input_index, {RejectReason::kMalformed, "", "a string has an unescaped control character"});
      case JsonIndex::Outcome::kUnclosedString:
        return Reject(input_index, {RejectReason::kMalformed, "", "a string is not closed"});
      default:
        return Reject(input_index, {RejectReason::kTooLarge, "", "the message is too large to index"});
    }
  }

  Schema schema_;
  JsonOptions options_;
  std::vector<ColumnWriter> writers_;
  std::unique_ptr<JsonReader> reader_;
  JsonIndex index_;
  RejectSink* rejects_ = nullptr;
  std::span<const EncodedRow> input_;
  int64_t rows_ = 0;
  int64_t reserved_ = 0;
  std::vector<int32_t> input_index_;
  std::vector<Message> messages_;
  std::string copy_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeJsonDecoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(JsonOptions parsed, ParseJsonOptions(options));
  std::unique_ptr<RowDecoder> decoder = std::make_unique<JsonDecoder>(schema, std::move(parsed));
  return decoder;
}

}  // namespace tidemill
