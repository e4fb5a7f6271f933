#include "connect/kafka/kafka_rows.h"

#include <algorithm>

#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>

#include "connect/record_decoder.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr int32_t kNoKey = -1;
constexpr int32_t kRefused = -2;
constexpr size_t kRawMax = 64 << 10;

Result<std::shared_ptr<arrow::Array>> TakeOrNull(const std::shared_ptr<arrow::Array>& column,
                                                 const std::vector<int32_t>& rows) {
  arrow::Int32Builder builder;
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(static_cast<int64_t>(rows.size())), "rows of records");
  for (int32_t row : rows) row < 0 ? builder.UnsafeAppendNull() : builder.UnsafeAppend(row);
  TM_ARROW_ASSIGN_OR_RETURN(const auto indices, builder.Finish(), "rows of records");
  TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum taken, arrow::compute::Take(column, indices), "rows of records");
  return taken.make_array();
}

// Of several headers of one name only the last.
arrow::Status AppendHeaderMap(const std::vector<KafkaHeader>& headers, arrow::MapBuilder& builder) {
  ARROW_RETURN_NOT_OK(builder.Append());
  auto& names = static_cast<arrow::StringBuilder&>(*builder.key_builder());
  auto& values = static_cast<arrow::BinaryBuilder&>(*builder.item_builder());
  for (size_t i = 0; i < headers.size(); ++i) {
    const bool last = std::none_of(headers.begin() + static_cast<ptrdiff_t>(i) + 1, headers.end(),
                                   [&](const KafkaHeader& later) { return later.name == headers[i].name; });
    if (!last) continue;
    ARROW_RETURN_NOT_OK(names.Append(headers[i].name));
    ARROW_RETURN_NOT_OK(headers[i].has_value ? values.Append(headers[i].value) : values.AppendNull());
  }
  return arrow::Status::OK();
}

arrow::Status AppendHeaderList(const std::vector<KafkaHeader>& headers, arrow::ListBuilder& builder) {
  ARROW_RETURN_NOT_OK(builder.Append());
  auto& rows = static_cast<arrow::StructBuilder&>(*builder.value_builder());
  auto& names = static_cast<arrow::StringBuilder&>(*rows.field_builder(0));
  auto& values = static_cast<arrow::BinaryBuilder&>(*rows.field_builder(1));
  for (const KafkaHeader& header : headers) {
    ARROW_RETURN_NOT_OK(rows.Append());
    ARROW_RETURN_NOT_OK(names.Append(header.name));
    ARROW_RETURN_NOT_OK(header.has_value ? values.Append(header.value) : values.AppendNull());
  }
  return arrow::Status::OK();
}

Result<std::shared_ptr<arrow::Array>> HeadersColumn(KafkaMetadata metadata, std::span<const KafkaRecord> records,
                                                    const std::vector<int32_t>& record_of_row) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  TM_ARROW_RETURN_IF_ERROR(
      arrow::MakeBuilder(arrow::default_memory_pool(), ToArrow(KafkaMetadataType(metadata)), &builder), "headers");
  std::vector<KafkaHeader> headers;
  for (int32_t record : record_of_row) {
    headers.clear();
    KafkaHeadersOf(records[record], &headers);
    if (metadata == KafkaMetadata::kHeaders) {
      TM_ARROW_RETURN_IF_ERROR(AppendHeaderMap(headers, static_cast<arrow::MapBuilder&>(*builder)), "headers");
    } else {
      TM_ARROW_RETURN_IF_ERROR(AppendHeaderList(headers, static_cast<arrow::ListBuilder&>(*builder)), "headers");
    }
  }
  std::shared_ptr<arrow::Array> array;
  TM_ARROW_RETURN_IF_ERROR(builder->Finish(&array), "headers");
  return array;
}

}  // namespace

KafkaReadLayout KafkaReadLayout::Make(const ScanSpec& scan, const KafkaTableOptions& options) {
  KafkaReadLayout layout;
  layout.upsert = options.upsert;
  layout.changelog = IsChangelogFormat(options.value_format);
  layout.read_schema = SourceReadSchema(scan);
  const TableDefinition& table = *scan.table;
  const std::vector<int> in_value = KafkaValueColumns(table, options);
  std::vector<Field> value, value_all, key, key_all;
  for (int column : in_value) value_all.push_back({table.columns[column].name, table.columns[column].type});
  for (int column : options.key_columns) key_all.push_back(KafkaKeyField(table, options, column));
  for (int number : SourceReadColumns(scan)) {
    const ColumnDefinition& column = table.columns[number];
    Column out;
    out.type = column.type;
    if (column.kind == ColumnDefinition::Kind::kMetadata) {
      if (auto metadata = FormatMetadataOf(options.value_format, column.metadata_key)) {
        out.of_format = true;
        out.value = static_cast<int>(value.size());
        value.push_back({column.name, metadata->type});
        layout.value_metadata.emplace_back(metadata->key);
        layout.columns.push_back(std::move(out));
        continue;
      }
      out.is_metadata = true;
      out.metadata = KafkaMetadataOf(column.metadata_key);
      layout.columns.push_back(std::move(out));
      continue;
    }
    if (std::find(in_value.begin(), in_value.end(), number) != in_value.end()) {
      out.value = static_cast<int>(value.size());
      value.push_back({column.name, column.type});
      layout.value_metadata.emplace_back();
    }
    const bool in_key =
        std::find(options.key_columns.begin(), options.key_columns.end(), number) != options.key_columns.end();
    if (in_key && (out.value < 0 || options.upsert)) {
      out.key = static_cast<int>(key.size());
      key.push_back(KafkaKeyField(table, options, number));
      layout.reads_keys |= out.value < 0;
      layout.key_not_null |= !column.type.nullable();
    }
    layout.columns.push_back(std::move(out));
  }
  layout.value_schema = Schema(std::move(value));
  layout.value_all = Schema(std::move(value_all));
  layout.key_schema = Schema(std::move(key));
  layout.key_all = Schema(std::move(key_all));
  return layout;
}

Result<std::unique_ptr<KafkaRowDecoder>> KafkaRowDecoder::Make(const KafkaReadLayout& layout,
                                                               const KafkaTableOptions& options,
                                                               KafkaPartition partition, const KafkaSchemas& schemas) {
  std::unique_ptr<KafkaRowDecoder> decoder(new KafkaRowDecoder(layout, std::move(partition)));
  TM_ASSIGN_OR_RETURN(
      decoder->values_,
      MakeRecordDecoder(options.value_format, layout.value_schema, layout.value_all, options.value_options,
                        {schemas.value, decoder->partition_.topic, false, nullptr, layout.value_metadata}));
  decoder->values_->SetOrigin(decoder->partition_.topic, decoder->partition_.partition);
  if (layout.reads_keys || layout.upsert) {
    TM_ASSIGN_OR_RETURN(decoder->keys_,
                        MakeRecordDecoder(options.key_format, layout.key_schema, layout.key_all, options.key_options,
                                          {schemas.key, decoder->partition_.topic, true, nullptr, {}}));
    decoder->keys_->SetOrigin(decoder->partition_.topic, decoder->partition_.partition);
  }
  return decoder;
}

void KafkaRowDecoder::Reject(const KafkaRecord& record, RejectReason reason, const char* detail,
                             RejectSink& rejects) const {
  rejects.Reject({.reason = reason,
                  .source = partition_.topic,
                  .partition = partition_.partition,
                  .offset = record.offset,
                  .detail = detail,
                  .raw = std::string(record.value.substr(0, kRawMax))});
}

Status KafkaRowDecoder::DecodeKeys(std::span<const KafkaRecord> records, RejectSink& rejects) {
  key_rows_.clear();
  key_records_.clear();
  key_of_record_.assign(records.size(), kNoKey);
  decoded_keys_.reset();
  if (keys_ == nullptr) return Status::OK();
  for (size_t i = 0; i < records.size(); ++i) {
    const KafkaRecord& record = records[i];
    const bool deletion = layout_.upsert && !record.has_value;
    if (!layout_.reads_keys && !deletion) continue;
    if (record.has_key) {
      key_rows_.push_back({record.key, record.offset});
      key_records_.push_back(static_cast<int32_t>(i));
      key_of_record_[i] = kRefused;  // unless the decoder gives a row
    } else if (layout_.key_not_null || layout_.upsert) {
      Reject(record, RejectReason::kMissingField, "the record has no key", rejects);
      key_of_record_[i] = kRefused;
    }
  }
  TM_ASSIGN_OR_RETURN(const RowDecoder::Output decoded, keys_->Decode(key_rows_, rejects));
  decoded_keys_ = decoded.rows;
  for (size_t row = decoded.input_index.size(); row-- > 0;) {
    key_of_record_[key_records_[decoded.input_index[row]]] = static_cast<int32_t>(row);
  }
  return Status::OK();
}

void KafkaRowDecoder::Merge(std::span<const KafkaRecord> records, const RowDecoder::Output& values,
                            Merged* merged) const {
  const auto add = [&](size_t record, int32_t value, RowKind kind) {
    merged->record.push_back(static_cast<int32_t>(record));
    merged->value.push_back(value);
    merged->key.push_back(std::max(kNoKey, key_of_record_[record]));
    merged->kind.push_back(static_cast<int8_t>(kind));
  };
  size_t row = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    const bool refused = key_of_record_[i] == kRefused;
    if (!records[i].has_value) {
      if (layout_.upsert && !refused) add(i, -1, RowKind::kDelete);
      continue;
    }
    for (; row < values.input_index.size() && value_records_[values.input_index[row]] == static_cast<int32_t>(i);
         ++row) {
      if (refused) continue;
      const RowKind kind = !values.row_kinds.empty() ? static_cast<RowKind>(values.row_kinds[row])
                           : layout_.upsert          ? RowKind::kUpdateAfter
                                                     : RowKind::kInsert;
      add(i, static_cast<int32_t>(row), kind);
    }
  }
}

Result<std::shared_ptr<arrow::Array>> KafkaRowDecoder::MergedColumn(const KafkaReadLayout::Column& column,
                                                                    const RowDecoder::Output& values,
                                                                    const Merged& merged) const {
  if (column.key < 0) return TakeOrNull(values.rows->column(column.value), merged.value);
  if (column.value < 0) return TakeOrNull(decoded_keys_->column(column.key), merged.key);
  // A deletion has it in its key only, every other record in its value.
  const auto& in_value = values.rows->column(column.value);
  TM_ARROW_ASSIGN_OR_RETURN(const auto both, arrow::Concatenate({in_value, decoded_keys_->column(column.key)}),
                            "columns of a key");
  std::vector<int32_t> rows(merged.value);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 && merged.key[i] >= 0) rows[i] = static_cast<int32_t>(in_value->length()) + merged.key[i];
  }
  return TakeOrNull(both, rows);
}

Result<std::shared_ptr<arrow::Array>> KafkaRowDecoder::MetadataColumnOf(
    const KafkaReadLayout::Column& column, std::span<const KafkaRecord> records,
    const std::vector<int32_t>& record_of_row) const {
  const auto num_rows = static_cast<int64_t>(record_of_row.size());
  std::shared_ptr<arrow::Array> array;
  switch (column.metadata) {
    case KafkaMetadata::kTopic: {
      TM_ARROW_ASSIGN_OR_RETURN(array, arrow::MakeArrayFromScalar(arrow::StringScalar(partition_.topic), num_rows),
                                "metadata column");
      break;
    }
    case KafkaMetadata::kPartition: {
      TM_ARROW_ASSIGN_OR_RETURN(array, arrow::MakeArrayFromScalar(arrow::Int32Scalar(partition_.partition), num_rows),
                                "metadata column");
      break;
    }
    case KafkaMetadata::kHeaders:
    case KafkaMetadata::kHeaderList: {
      TM_ASSIGN_OR_RETURN(array, HeadersColumn(column.metadata, records, record_of_row));
      break;
    }
    case KafkaMetadata::kTimestampType: {
      arrow::StringBuilder builder;
      for (int32_t record : record_of_row) {
        TM_ARROW_RETURN_IF_ERROR(builder.Append(KafkaTimestampType(records[record])), "metadata column");
      }
      TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
      break;
    }
    case KafkaMetadata::kOffset:
    case KafkaMetadata::kTimestamp:
    case KafkaMetadata::kLeaderEpoch: {
      const bool offsets = column.metadata == KafkaMetadata::kOffset;
      arrow::Int64Builder builder;
      TM_ARROW_RETURN_IF_ERROR(builder.Reserve(num_rows), "metadata column");
      for (int32_t record : record_of_row) {
        builder.UnsafeAppend(offsets ? records[record].offset : records[record].timestamp_ms);
      }
      TM_ARROW_RETURN_IF_ERROR(builder.Finish(&array), "metadata column");
      if (!offsets) {
        TM_ARROW_ASSIGN_OR_RETURN(array, array->View(arrow::timestamp(arrow::TimeUnit::MILLI, "UTC")),
                                  "metadata column");
      }
    }
  }
  return CastMetadata(std::move(array), column.type);
}

Status KafkaRowDecoder::Decode(std::span<const KafkaRecord> records, RejectSink& rejects, Batch* batch) {
  value_rows_.clear();
  value_records_.clear();
  bool deletions = false;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].has_value) {
      value_rows_.push_back({records[i].value, records[i].offset});
      value_records_.push_back(static_cast<int32_t>(i));
    } else if (layout_.upsert) {
      deletions = true;
    } else if (!layout_.changelog) {  // there it is a tombstone, for compaction
      Reject(records[i], RejectReason::kMalformed,
             "the record has no value; a topic of changes is read with 'upsert-kafka'", rejects);
    }
  }
  TM_ASSIGN_OR_RETURN(const RowDecoder::Output values, values_->Decode(value_rows_, rejects));
  Merged merged;
  const bool direct = !layout_.reads_keys && !deletions;
  if (direct) {
    merged.record.reserve(values.input_index.size());
    for (int32_t input : values.input_index) merged.record.push_back(value_records_[input]);
  } else {
    TM_RETURN_IF_ERROR(DecodeKeys(records, rejects));
    Merge(records, values, &merged);
  }
  if (merged.record.empty()) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const KafkaReadLayout::Column& column : layout_.columns) {
    if (column.is_metadata) {
      TM_ASSIGN_OR_RETURN(auto array, MetadataColumnOf(column, records, merged.record));
      arrays.push_back(std::move(array));
      continue;
    }
    std::shared_ptr<arrow::Array> array;
    if (direct) {
      array = values.rows->column(column.value);
    } else {
      TM_ASSIGN_OR_RETURN(array, MergedColumn(column, values, merged));
    }
    if (column.of_format) {
      TM_ASSIGN_OR_RETURN(array, CastMetadata(std::move(array), column.type));
    }
    arrays.push_back(std::move(array));
  }
  const auto num_rows = static_cast<int64_t>(merged.record.size());
  batch->rows = arrow::RecordBatch::Make(layout_.read_schema.arrow(), num_rows, std::move(arrays));
  if (layout_.upsert && direct) merged.kind.assign(merged.record.size(), static_cast<int8_t>(RowKind::kUpdateAfter));
  if (layout_.changelog && direct) merged.kind = values.row_kinds;
  if (layout_.upsert || layout_.changelog) batch->row_kinds = RowKindsOf(std::move(merged.kind));
  if (records[0].timestamp_ms > 0) batch->ingest_us = records[0].timestamp_ms * 1000;
  return Status::OK();
}

}  // namespace tidemill
