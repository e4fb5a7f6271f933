#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connect/record_rows.h"
#include "connect/redis_streams/redis_options.h"
#include "connect/redis_streams/resp.h"
#include "connect/redis_streams/stream_id.h"
#include "data/batch.h"

namespace tidemill {

// An entry within a reply: its fields are values `first` to `last` of it, names and texts in turn.
struct StreamEntry {
  StreamId id;
  uint32_t first = 0;
  uint32_t last = 0;
};

// The entries of XREAD's answer for one stream (or null, for none). kRedisRefused if it is not what XREAD answers.
Result<std::vector<StreamEntry>> StreamEntriesOf(const RespReply& reply, uint32_t node);

std::vector<MetadataColumn> RedisMetadataColumns();

// Entries of one stream -> rows, one each. For one reader. Without a format each column is the field of its name, as
// text; a field that is missing is NULL.
class RedisRowDecoder {
 public:
  static Result<std::unique_ptr<RedisRowDecoder>> Make(const RecordLayout& layout, const RedisTableOptions& options,
                                                       std::string stream, std::shared_ptr<SchemaSource> schemas = {});
  // `batch` stays empty when no entry was good.
  Status Decode(const RespReply& reply, std::span<const StreamEntry> entries, RejectSink& rejects, Batch* batch);

 private:
  RedisRowDecoder(const RecordLayout& layout, std::string stream) : layout_(layout), stream_(std::move(stream)) {}
  Result<RowDecoder::Output> DecodeValues(const RespReply& reply, std::span<const StreamEntry> entries,
                                          RejectSink& rejects);
  Result<RowDecoder::Output> DecodeFields(const RespReply& reply, std::span<const StreamEntry> entries,
                                          RejectSink& rejects);
  bool FindFields(const RespReply& reply, const StreamEntry& entry, int64_t place, RejectSink& rejects);
  Result<std::shared_ptr<arrow::Array>> TextColumn(int column, const std::vector<int32_t>& rows) const;
  void Reject(RejectReason reason, std::string field, std::string detail, int64_t place, std::string_view raw,
              RejectSink& rejects) const;

  const RecordLayout& layout_;
  const std::string stream_;
  std::string value_field_;  // with a format
  std::unique_ptr<RowDecoder> values_;

  // Without one: columns that are text are taken as they are, the others are decoded from a line of their texts.
  std::vector<bool> is_text_;
  std::unique_ptr<RowDecoder> others_;
  std::vector<std::string_view> found_;  // of an entry; then of all good entries, a row each
  std::vector<bool> has_;
  std::vector<std::string_view> texts_;
  std::vector<bool> has_texts_;
  std::string lines_;
  std::vector<size_t> line_ends_;
  std::vector<EncodedRow> rows_;
  std::vector<int32_t> entry_of_row_;
};

// Rows -> the fields of an XADD, in RESP: number of words and their bytes.
class RedisRowEncoder {
 public:
  static Result<std::unique_ptr<RedisRowEncoder>> Make(const Schema& schema, const RedisTableOptions& options,
                                                       std::shared_ptr<SchemaSource> schemas = {});
  // Calls `row(number of words, bytes)` for each; without a field there are no words.
  template <typename Row>
  Status Encode(const Batch& batch, Row row) {
    TM_RETURN_IF_ERROR(EncodeColumns(batch));
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      fields_.clear();
      const size_t words = AppendFields(*batch.rows, i);
      row(words, std::string_view(fields_));
    }
    return Status::OK();
  }

 private:
  struct ColumnText {
    std::string name;                     // of the field
    std::unique_ptr<RowEncoder> encoder;  // null: text, as it is
    int column = -1;                      // -1: the whole row, by the format
    std::string bytes;
    std::vector<size_t> ends;
  };
  Status EncodeColumns(const Batch& batch);
  size_t AppendFields(const arrow::RecordBatch& rows, int64_t row);

  Schema schema_;
  std::vector<ColumnText> columns_;
  std::string fields_;
};

}  // namespace tidemill
