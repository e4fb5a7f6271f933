#include "connect/redis_streams/redis_rows.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <simdjson.h>

#include "connect/errors.h"
#include "connect/record_decoder.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

enum RedisMetadata : int { kEntryId, kEntryTimestamp, kEntryStream };
constexpr size_t kRedisRawMax = 64 << 10;
constexpr char kDelimiter = '\x01';
constexpr int64_t kTimestampMax = INT64_MAX / 1000;

Config FieldTextOptions() { return Config({{"field-delimiter", "\\u0001"}, {"disable-quote-character", "true"}}); }

bool IsTextKind(const DataType& type) { return type.kind() == TypeKind::kString || type.kind() == TypeKind::kBytes; }

Status NotXread() { return Status(kRedisRefused, "the answer is not that of XREAD"); }

}  // namespace

Result<std::vector<StreamEntry>> StreamEntriesOf(const RespReply& reply, uint32_t node) {
  std::vector<StreamEntry> entries;
  const auto& nodes = reply.nodes;
  if (nodes[node].type == RespType::kNull) return entries;
  // [[stream, [[id, [field, text, ...]], ...]]]
  if (nodes[node].type != RespType::kArray || nodes[node].number != 1) return NotXread();
  const uint32_t stream = node + 1;
  if (nodes[stream].type != RespType::kArray || nodes[stream].number != 2) return NotXread();
  const uint32_t list = nodes[stream + 1].end;
  if (nodes[list].type != RespType::kArray) return NotXread();
  entries.reserve(static_cast<size_t>(nodes[list].number));
  for (uint32_t at = list + 1; at < nodes[list].end; at = nodes[at].end) {
    if (nodes[at].type != RespType::kArray || nodes[at].number != 2) return NotXread();
    const auto id = StreamId::Parse(reply.text(at + 1));
    if (nodes[at + 1].type != RespType::kBulk || !id) return NotXread();
    if (!entries.empty() && *id <= entries.back().id) return NotXread();
    const RespNode& fields = nodes[at + 2];
    if (fields.type == RespType::kNull) continue;  // deleted meanwhile
    if (fields.type != RespType::kArray || fields.number % 2 != 0 ||
        fields.end - (at + 3) != static_cast<uint32_t>(fields.number)) {
      return NotXread();
    }
    entries.push_back({*id, at + 3, fields.end});
  }
  return entries;
}

std::vector<MetadataColumn> RedisMetadataColumns() {
  return {{"id", DataType(TypeKind::kString, false)},
          {"timestamp", DataType::TimestampLtz(3, false)},
          {"stream", DataType(TypeKind::kString, false)}};
}

Result<std::unique_ptr<RedisRowDecoder>> RedisRowDecoder::Make(const RecordLayout& layout,
                                                               const RedisTableOptions& options, std::string stream,
                                                               std::shared_ptr<SchemaSource> schemas) {
  std::unique_ptr<RedisRowDecoder> decoder(new RedisRowDecoder(layout, std::move(stream)));
  if (!options.format.empty()) {
    decoder->value_field_ = options.value_field;
    TM_ASSIGN_OR_RETURN(decoder->values_,
                        MakeRecordDecoder(options.format, layout.value_schema, layout.value_all, options.format_options,
                                          {std::move(schemas), decoder->stream_, false, nullptr}));
    decoder->values_->SetOrigin(decoder->stream_, 0);
    return decoder;
  }
  std::vector<Field> others;
  for (int i = 0; i < layout.value_schema.num_fields(); ++i) {
    const Field& field = layout.value_schema.field(i);
    decoder->is_text_.push_back(IsTextKind(field.type));
    if (!decoder->is_text_.back()) others.push_back(field);
  }
  if (!others.empty()) {
    TM_ASSIGN_OR_RETURN(decoder->others_, MakeCsvDecoder(Schema(std::move(others)), FieldTextOptions()));
    decoder->others_->SetOrigin(decoder->stream_, 0);
  }
  return decoder;
}

void RedisRowDecoder::Reject(RejectReason reason, std::string field, std::string detail, int64_t place,
                             std::string_view raw, RejectSink& rejects) const {
  rejects.Reject({.reason = reason,
                  .source = stream_,
                  .offset = place,
                  .field = std::move(field),
                  .detail = std::move(detail),
                  .raw = std::string(raw.substr(0, kRedisRawMax))});
}

Result<RowDecoder::Output> RedisRowDecoder::DecodeValues(const RespReply& reply, std::span<const StreamEntry> entries,
                                                         RejectSink& rejects) {
  rows_.clear();
  entry_of_row_.clear();
  for (size_t i = 0; i < entries.size(); ++i) {
    uint32_t at = entries[i].first;
    while (at < entries[i].last && reply.text(at) != value_field_) at += 2;
    if (at >= entries[i].last) {
      Reject(RejectReason::kMissingField, value_field_, "the entry has no field '" + value_field_ + "'",
             static_cast<int64_t>(i), {}, rejects);
      continue;
    }
    rows_.push_back({reply.text(at + 1), static_cast<int64_t>(i)});
    entry_of_row_.push_back(static_cast<int32_t>(i));
  }
  TM_ASSIGN_OR_RETURN(RowDecoder::Output output, values_->Decode(rows_, rejects));
  for (int32_t& input : output.input_index) input = entry_of_row_[static_cast<size_t>(input)];
  return output;
}

// Into found_ and has_. False if the entry can't be a row.
bool RedisRowDecoder::FindFields(const RespReply& reply, const StreamEntry& entry, int64_t place, RejectSink& rejects) {
  const size_t count = is_text_.size();
  found_.assign(count, {});
  has_.assign(count, false);
  for (uint32_t at = entry.first; at < entry.last; at += 2) {
    const std::string_view name = reply.text(at);
    for (size_t column = 0; column < count; ++column) {
      if (has_[column] || layout_.value_schema.field(static_cast<int>(column)).name != name) continue;
      found_[column] = reply.text(at + 1);
      has_[column] = true;
      break;
    }
  }
  for (size_t column = 0; column < count; ++column) {
    const Field& field = layout_.value_schema.field(static_cast<int>(column));
    if (!has_[column]) {
      if (field.type.nullable()) continue;
      Reject(RejectReason::kMissingField, field.name, "the entry has no such field", place, {}, rejects);
      return false;
    }
    const std::string_view text = found_[column];
    if (field.type.kind() == TypeKind::kBytes) continue;
    if (!simdjson::validate_utf8(text.data(), text.size())) {
      Reject(RejectReason::kInvalidUtf8, field.name, "the field is not valid UTF-8", place, text, rejects);
      return false;
    }
    if (!is_text_[column] && text.find_first_of(std::string_view("\x01\r\n", 3)) != std::string_view::npos) {
      Reject(RejectReason::kWrongType, field.name, "control characters in a " + field.type.ToString(), place, text,
             rejects);
      return false;
    }
  }
  return true;
}

Result<std::shared_ptr<arrow::Array>> RedisRowDecoder::TextColumn(int column, const std::vector<int32_t>& rows) const {
  std::unique_ptr<arrow::ArrayBuilder> made;
  TM_ARROW_RETURN_IF_ERROR(
      arrow::MakeBuilder(arrow::default_memory_pool(), ToArrow(layout_.value_schema.field(column).type), &made),
      "fields of entries");
  auto& builder = static_cast<arrow::BinaryBuilder&>(*made);
  const size_t width = is_text_.size();
  for (const int32_t row : rows) {
    const size_t at = static_cast<size_t>(row) * width + static_cast<size_t>(column);
    TM_ARROW_RETURN_IF_ERROR(has_texts_[at] ? builder.Append(texts_[at]) : builder.AppendNull(), "fields of entries");
  }
  std::shared_ptr<arrow::Array> array;
  TM_ARROW_RETURN_IF_ERROR(made->Finish(&array), "fields of entries");
  return array;
}

Result<RowDecoder::Output> RedisRowDecoder::DecodeFields(const RespReply& reply, std::span<const StreamEntry> entries,
                                                         RejectSink& rejects) {
  texts_.clear();
  has_texts_.clear();
  lines_.clear();
  line_ends_.clear();
  entry_of_row_.clear();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (!FindFields(reply, entries[i], static_cast<int64_t>(i), rejects)) continue;
    entry_of_row_.push_back(static_cast<int32_t>(i));
    texts_.insert(texts_.end(), found_.begin(), found_.end());
    has_texts_.insert(has_texts_.end(), has_.begin(), has_.end());
    bool first = true;
    for (size_t column = 0; column < is_text_.size(); ++column) {
      if (is_text_[column]) continue;
      if (!first) lines_ += kDelimiter;
      lines_ += found_[column];
      first = false;
    }
    line_ends_.push_back(lines_.size());
  }
  // Numbers into the good entries of those that stay.
  std::vector<int32_t> stay;
  RowDecoder::Output others;
  if (others_ != nullptr) {
    rows_.clear();
    for (size_t row = 0; row < line_ends_.size(); ++row) {
      const size_t from = row == 0 ? 0 : line_ends_[row - 1];
      rows_.push_back({std::string_view(lines_).substr(from, line_ends_[row] - from), entry_of_row_[row]});
    }
    TM_ASSIGN_OR_RETURN(others, others_->Decode(rows_, rejects));
    stay = others.input_index;
  } else {
    for (size_t row = 0; row < entry_of_row_.size(); ++row) stay.push_back(static_cast<int32_t>(row));
  }
  RowDecoder::Output output;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  int other = 0;
  for (int column = 0; column < layout_.value_schema.num_fields(); ++column) {
    if (!is_text_[static_cast<size_t>(column)]) {
      arrays.push_back(others.rows->column(other++));
      continue;
    }
    TM_ASSIGN_OR_RETURN(auto array, TextColumn(column, stay));
    arrays.push_back(std::move(array));
  }
  output.rows =
      arrow::RecordBatch::Make(layout_.value_schema.arrow(), static_cast<int64_t>(stay.size()), std::move(arrays));
  for (const int32_t row : stay) output.input_index.push_back(entry_of_row_[static_cast<size_t>(row)]);
  return output;
}

Status RedisRowDecoder::Decode(const RespReply& reply, std::span<const StreamEntry> entries, RejectSink& rejects,
                               Batch* batch) {
  NamedRejects named(rejects, [&](int64_t place, int64_t* offset) {
    if (place < 0 || place >= static_cast<int64_t>(entries.size())) return std::string();
    const StreamId& id = entries[static_cast<size_t>(place)].id;
    *offset = static_cast<int64_t>(std::min<uint64_t>(id.ms, INT64_MAX));
    return "entry " + id.ToText();
  });
  RowDecoder::Output values;
  if (values_ != nullptr) {
    TM_ASSIGN_OR_RETURN(values, DecodeValues(reply, entries, named));
  } else {
    TM_ASSIGN_OR_RETURN(values, DecodeFields(reply, entries, named));
  }
  if (values.input_index.empty()) return Status::OK();
  TM_ASSIGN_OR_RETURN(
      batch->rows, AssembleRecordRows(layout_, values, [&](int metadata) -> Result<std::shared_ptr<arrow::Array>> {
        std::shared_ptr<arrow::Array> array;
        if (metadata == kEntryStream) {
          TM_ARROW_ASSIGN_OR_RETURN(
              array,
              arrow::MakeArrayFromScalar(arrow::StringScalar(stream_), static_cast<int64_t>(values.input_index.size())),
              "metadata column");
        } else if (metadata == kEntryId) {
          arrow::StringBuilder builder;
          for (const int32_t input : values.input_index) {
            TM_ARROW_RETURN_IF_ERROR(builder.Append(entries[static_cast<size_t>(input)].id.ToText()),
                                     "metadata column");
          }
          TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
        } else {
          arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC"),
                                          arrow::default_memory_pool());
          for (const int32_t input : values.input_index) {
            // An id that a writer chose may be no time.
            const uint64_t ms = std::min<uint64_t>(entries[static_cast<size_t>(input)].id.ms, kTimestampMax);
            TM_ARROW_RETURN_IF_ERROR(builder.Append(static_cast<int64_t>(ms)), "metadata column");
          }
          TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
        }
        return array;
      }));
  const uint64_t first_ms = entries[static_cast<size_t>(values.input_index[0])].id.ms;
  if (first_ms > 0 && first_ms < kTimestampMax) batch->ingest_us = static_cast<int64_t>(first_ms) * 1000;
  return Status::OK();
}

Result<std::unique_ptr<RedisRowEncoder>> RedisRowEncoder::Make(const Schema& schema, const RedisTableOptions& options,
                                                               std::shared_ptr<SchemaSource> schemas) {
  auto encoder = std::make_unique<RedisRowEncoder>();
  encoder->schema_ = schema;
  if (!options.format.empty()) {
    ColumnText whole;
    whole.name = options.value_field;
    // Rows for several streams have no subject by their stream's name.
    const std::string stream = options.streams.size() == 1 ? options.streams[0] : "";
    TM_ASSIGN_OR_RETURN(whole.encoder, MakeRowEncoder(options.format, schema, options.format_options,
                                                      {std::move(schemas), stream, false, nullptr}));
    encoder->columns_.push_back(std::move(whole));
    return encoder;
  }
  for (int i = 0; i < schema.num_fields(); ++i) {
    ColumnText text;
    text.name = schema.field(i).name;
    text.column = i;
    if (!IsTextKind(schema.field(i).type)) {
      TM_ASSIGN_OR_RETURN(text.encoder, MakeCsvEncoder(Schema({schema.field(i)}), FieldTextOptions()));
    }
    encoder->columns_.push_back(std::move(text));
  }
  return encoder;
}

Status RedisRowEncoder::EncodeColumns(const Batch& batch) {
  for (ColumnText& text : columns_) {
    if (text.encoder == nullptr) continue;
    text.bytes.clear();
    if (text.column < 0) {
      TM_RETURN_IF_ERROR(text.encoder->Encode(batch, text.bytes, text.ends));
      continue;
    }
    const Schema one({schema_.field(text.column)});
    const auto column = arrow::RecordBatch::Make(one.arrow(), batch.num_rows(), {batch.rows->column(text.column)});
    TM_RETURN_IF_ERROR(text.encoder->Encode(batch.WithRows(column), text.bytes, text.ends));
  }
  return Status::OK();
}

size_t RedisRowEncoder::AppendFields(const arrow::RecordBatch& rows, int64_t row) {
  size_t words = 0;
  for (const ColumnText& text : columns_) {
    if (text.column >= 0 && rows.column(text.column)->IsNull(row)) continue;
    AppendRespBulk(text.name, &fields_);
    if (text.encoder == nullptr) {
      AppendRespBulk(static_cast<const arrow::BinaryArray&>(*rows.column(text.column)).GetView(row), &fields_);
    } else {
      const size_t from = row == 0 ? 0 : text.ends[static_cast<size_t>(row) - 1];
      AppendRespBulk(std::string_view(text.bytes).substr(from, text.ends[static_cast<size_t>(row)] - from), &fields_);
    }
    words += 2;
  }
  return words;
}

}  // namespace tidemill
