#pragma once

#include <memory>
#include <span>
#include <vector>

#include "connect/kafka/kafka_columns.h"
#include "connect/kafka/kafka_consumer.h"
#include "connect/kafka/kafka_options.h"
#include "data/batch.h"
#include "data/format.h"
#include "sql/logical_plan.h"

namespace tidemill {

// Which part of a record each column of a scan comes from. Made once per scan.
struct KafkaReadLayout {
  struct Column {
    int value = -1;  // column of the value's decoder
    int key = -1;    // column of the key's decoder; with `value`: only deletions take it
    bool is_metadata = false;
    bool of_format = false;  // the format's metadata, in `value`
    KafkaMetadata metadata = KafkaMetadata::kTopic;
    DataType type;
  };
  static KafkaReadLayout Make(const ScanSpec& scan, const KafkaTableOptions& options);

  bool upsert = false;
  bool changelog = false;     // the value's format has changes of its own
  bool reads_keys = false;    // the key of every record
  bool key_not_null = false;  // a record without a key can't be a row
  Schema read_schema;
  Schema value_schema, value_all;
  std::vector<std::string> value_metadata;  // FormatContext::metadata_keys
  Schema key_schema, key_all;
  std::vector<Column> columns;
};

// Records of one partition -> rows. For one reader. A record that can't be decoded goes to the rejects; in an upsert
// table one without value is a deletion, with nothing but the key's columns.
class KafkaRowDecoder {
 public:
  static Result<std::unique_ptr<KafkaRowDecoder>> Make(const KafkaReadLayout& layout, const KafkaTableOptions& options,
                                                       KafkaPartition partition, const KafkaSchemas& schemas = {});
  // `batch` stays empty when no record was good.
  Status Decode(std::span<const KafkaRecord> records, RejectSink& rejects, Batch* batch);

 private:
  // One row that comes out: rows of the two decoders, -1 = NULLs.
  struct Merged {
    std::vector<int32_t> record;
    std::vector<int32_t> value;
    std::vector<int32_t> key;
    std::vector<int8_t> kind;
  };
  KafkaRowDecoder(const KafkaReadLayout& layout, KafkaPartition partition)
      : layout_(layout), partition_(std::move(partition)) {}
  Status DecodeKeys(std::span<const KafkaRecord> records, RejectSink& rejects);
  void Merge(std::span<const KafkaRecord> records, const RowDecoder::Output& values, Merged* merged) const;
  Result<std::shared_ptr<arrow::Array>> MergedColumn(const KafkaReadLayout::Column& column,
                                                     const RowDecoder::Output& values, const Merged& merged) const;
  Result<std::shared_ptr<arrow::Array>> MetadataColumnOf(const KafkaReadLayout::Column& column,
                                                         std::span<const KafkaRecord> records,
                                                         const std::vector<int32_t>& record_of_row) const;
  void Reject(const KafkaRecord& record, RejectReason reason, const char* detail, RejectSink& rejects) const;

  const KafkaReadLayout& layout_;
  const KafkaPartition partition_;
  std::unique_ptr<RowDecoder> values_;
  std::unique_ptr<RowDecoder> keys_;
  std::vector<EncodedRow> value_rows_;
  std::vector<int32_t> value_records_;  // record of each of them
  std::vector<EncodedRow> key_rows_;
  std::vector<int32_t> key_records_;
  std::vector<int32_t> key_of_record_;  // row of decoded_keys_; -1 = no key, -2 = refused
  std::shared_ptr<arrow::RecordBatch> decoded_keys_;
};

}  // namespace tidemill
