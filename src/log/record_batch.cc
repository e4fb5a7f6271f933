#include "log/record_batch.h"

#include <algorithm>

#include "base/crc32c.h"
#include "log/compression.h"
#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill {
namespace {

using log_internal::LoadBig;
using log_internal::ReadVarint;
using log_internal::StoreBig;
using log_internal::VarintSize;
using log_internal::WriteVarint;

// Where the fields of the head begin.
enum : size_t {
  kBaseOffset = 0,
  kLength = 8,
  kLeaderEpoch = 12,
  kMagic = 16,
  kCrc = 17,
  kAttributes = 21,
  kLastOffsetDelta = 23,
  kBaseTimestamp = 27,
  kMaxTimestamp = 35,
  kProducerId = 43,
  kProducerEpoch = 51,
  kBaseSequence = 53,
  kRecordCount = 57,
};

constexpr int64_t kRecordBytesMin = 7;  // length, attributes, two deltas, two lengths, header count: one byte each

Status Invalid(std::string why) { return Status(kInvalidBatch, std::move(why)); }

int64_t BodySize(const Record& record, int64_t timestamp_delta, int64_t offset_delta) {
  int64_t size = 1 + VarintSize(timestamp_delta) + VarintSize(offset_delta);
  size +=
      record.key ? VarintSize(static_cast<int64_t>(record.key->size())) + static_cast<int64_t>(record.key->size()) : 1;
  size += record.value
              ? VarintSize(static_cast<int64_t>(record.value->size())) + static_cast<int64_t>(record.value->size())
              : 1;
  size += VarintSize(static_cast<int64_t>(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    size += VarintSize(static_cast<int64_t>(header.key.size())) + static_cast<int64_t>(header.key.size());
    size += header.value
                ? VarintSize(static_cast<int64_t>(header.value->size())) + static_cast<int64_t>(header.value->size())
                : 1;
  }
  return size;
}

char* WriteBytes(char* p, const std::optional<std::string_view>& bytes) {
  if (!bytes) return WriteVarint(p, -1);
  p = WriteVarint(p, static_cast<int64_t>(bytes->size()));
  if (!bytes->empty()) std::memcpy(p, bytes->data(), bytes->size());
  return p + bytes->size();
}

char* WriteRecord(char* p, const Record& record, int64_t timestamp_delta, int64_t offset_delta) {
  p = WriteVarint(p, BodySize(record, timestamp_delta, offset_delta));
  *p++ = 0;
  p = WriteVarint(p, timestamp_delta);
  p = WriteVarint(p, offset_delta);
  p = WriteBytes(p, record.key);
  p = WriteBytes(p, record.value);
  p = WriteVarint(p, static_cast<int64_t>(record.headers.size()));
  for (const RecordHeader& header : record.headers) {
    p = WriteBytes(p, header.key);
    p = WriteBytes(p, header.value);
  }
  return p;
}

int64_t OptionalSize(std::string_view bytes) {
  return bytes.data() == nullptr ? 1 : VarintSize(static_cast<int64_t>(bytes.size())) + std::ssize(bytes);
}

char* WriteOptional(char* p, std::string_view bytes) {
  return WriteBytes(p, bytes.data() == nullptr ? std::nullopt : std::optional(bytes));
}

char* WriteView(char* p, const RecordView& record, int64_t timestamp_delta, int64_t offset_delta) {
  p = WriteVarint(p, 1 + VarintSize(timestamp_delta) + VarintSize(offset_delta) + OptionalSize(record.key) +
                         OptionalSize(record.value) + VarintSize(record.header_count) +
                         std::ssize(record.header_bytes));
  *p++ = 0;
  p = WriteVarint(p, timestamp_delta);
  p = WriteVarint(p, offset_delta);
  p = WriteOptional(p, record.key);
  p = WriteOptional(p, record.value);
  p = WriteVarint(p, record.header_count);
  if (!record.header_bytes.empty()) std::memcpy(p, record.header_bytes.data(), record.header_bytes.size());
  return p + record.header_bytes.size();
}

void WriteHead(char* p, const BatchHeader& header) {
  StoreBig(p + kBaseOffset, header.base_offset);
  StoreBig(p + kLength, header.length);
  StoreBig(p + kLeaderEpoch, header.leader_epoch);
  p[kMagic] = static_cast<char>(header.magic);
  StoreBig(p + kAttributes, header.attributes);
  StoreBig(p + kLastOffsetDelta, header.last_offset_delta);
  StoreBig(p + kBaseTimestamp, header.base_timestamp);
  StoreBig(p + kMaxTimestamp, header.max_timestamp);
  StoreBig(p + kProducerId, header.producer_id);
  StoreBig(p + kProducerEpoch, header.producer_epoch);
  StoreBig(p + kBaseSequence, header.base_sequence);
  StoreBig(p + kRecordCount, header.record_count);
}

void SealBatch(char* batch, size_t size) {
  StoreBig(batch + kLength, static_cast<int32_t>(size - 12));
  StoreBig(batch + kCrc, Crc32c({batch + kAttributes, size - kAttributes}));
}

// Null when the field reaches beyond `end`. A length of -1 is an absent field: a view without data.
const char* ReadBytes(const char* p, const char* end, std::string_view* out) {
  int64_t length;
  p = ReadVarint(p, end, &length);
  if (p == nullptr || length > end - p || length < -1) return nullptr;
  if (length < 0) {
    *out = {};
    return p;
  }
  *out = {p, static_cast<size_t>(length)};
  return p + length;
}

}  // namespace

Result<BatchHeader> ParseBatchHeader(std::string_view bytes) {
  if (bytes.size() < static_cast<size_t>(kBatchHeadBytes)) return Invalid("the batch ends within its head");
  const char* p = bytes.data();
  BatchHeader header;
  header.base_offset = LoadBig<int64_t>(p + kBaseOffset);
  header.length = LoadBig<int32_t>(p + kLength);
  header.leader_epoch = LoadBig<int32_t>(p + kLeaderEpoch);
  header.magic = static_cast<int8_t>(p[kMagic]);
  header.crc = LoadBig<uint32_t>(p + kCrc);
  header.attributes = LoadBig<int16_t>(p + kAttributes);
  header.last_offset_delta = LoadBig<int32_t>(p + kLastOffsetDelta);
  header.base_timestamp = LoadBig<int64_t>(p + kBaseTimestamp);
  header.max_timestamp = LoadBig<int64_t>(p + kMaxTimestamp);
  header.producer_id = LoadBig<int64_t>(p + kProducerId);
  header.producer_epoch = LoadBig<int16_t>(p + kProducerEpoch);
  header.base_sequence = LoadBig<int32_t>(p + kBaseSequence);
  header.record_count = LoadBig<int32_t>(p + kRecordCount);
  if (header.magic != 2) return Invalid("magic byte " + std::to_string(header.magic) + ", only version 2 is known");
  if (header.base_offset < 0) return Invalid("negative base offset");
  if (header.total_bytes() < kBatchHeadBytes || header.total_bytes() > kBatchBytesMax) {
    return Invalid("impossible length " + std::to_string(header.length));
  }
  if (header.last_offset_delta < 0 || header.record_count < 0 || header.record_count > header.last_offset_delta + 1LL) {
    return Invalid("impossible count of records");
  }
  return header;
}

bool ChecksumMatches(const BatchHeader& header, std::string_view batch) {
  return Crc32c(batch.substr(kAttributes)) == header.crc;
}

int64_t EncodedSizeMax(const Record& record) {
  int64_t size = 45;  // seven numbers of at most 5 bytes, one of at most 10
  size += record.key ? static_cast<int64_t>(record.key->size()) : 0;
  size += record.value ? static_cast<int64_t>(record.value->size()) : 0;
  for (const RecordHeader& header : record.headers) {
    size +=
        10 + static_cast<int64_t>(header.key.size()) + (header.value ? static_cast<int64_t>(header.value->size()) : 0);
  }
  return size;
}

Status EncodeBatch(std::span<const Record> records, const BatchOptions& options, std::string* out) {
  TM_CHECK(!records.empty());
  const bool append_time = options.timestamp_type == TimestampType::kLogAppendTime;
  const auto timestamp_of = [&](const Record& record) {
    return append_time || record.timestamp_ms == kNoTimestamp ? options.now_ms : record.timestamp_ms;
  };
  int64_t size_max = kBatchHeadBytes;
  for (const Record& record : records) size_max += EncodedSizeMax(record);
  if (size_max > kBatchBytesMax)
    return Status(kRecordTooLarge, "a batch of " + std::to_string(size_max) + " bytes is larger than any reader takes");

  BatchHeader header;
  header.base_timestamp = timestamp_of(records[0]);
  header.max_timestamp = header.base_timestamp;
  header.last_offset_delta = static_cast<int32_t>(records.size() - 1);
  header.record_count = static_cast<int32_t>(records.size());
  header.attributes = static_cast<int16_t>(static_cast<int>(options.codec) | (append_time ? 8 : 0) |
                                           (options.producer_id >= 0 && options.transactional ? 16 : 0));
  header.producer_id = options.producer_id;
  header.producer_epoch = options.producer_epoch;
  header.base_sequence = options.base_sequence;

  const size_t start = out->size();
  out->resize(start + static_cast<size_t>(size_max));
  char* const batch = out->data() + start;
  char* p = batch + kBatchHeadBytes;
  for (size_t i = 0; i < records.size(); ++i) {
    const int64_t timestamp = timestamp_of(records[i]);
    header.max_timestamp = std::max(header.max_timestamp, timestamp);
    // Wraps around as Java's does; the reader adds it back the same way.
    const auto delta =
        static_cast<int64_t>(static_cast<uint64_t>(timestamp) - static_cast<uint64_t>(header.base_timestamp));
    p = WriteRecord(p, records[i], delta, static_cast<int64_t>(i));
  }
  WriteHead(batch, header);
  if (options.codec != CompressionCodec::kNone) {
    const std::string plain(batch + kBatchHeadBytes, p);
    out->resize(start + static_cast<size_t>(kBatchHeadBytes));
    TM_RETURN_IF_ERROR(Compress(options.codec, plain, out));
  } else {
    out->resize(static_cast<size_t>(p - out->data()));
  }
  SealBatch(out->data() + start, out->size() - start);
  return Status::OK();
}

void EncodeControlBatch(const ControlMarker& marker, int64_t producer_id, int16_t producer_epoch, int64_t now_ms,
                        std::string* out) {
  char key[4], value[6];
  StoreBig<int16_t>(key, 0);  // version
  StoreBig(key + 2, static_cast<int16_t>(marker.type));
  StoreBig<int16_t>(value, 0);  // version
  StoreBig(value + 2, marker.coordinator_epoch);
  const Record record{std::string_view(key, sizeof(key)), std::string_view(value, sizeof(value)), {}, now_ms};
  BatchHeader header;
  header.attributes = 16 | 32;
  header.base_timestamp = header.max_timestamp = now_ms;
  header.producer_id = producer_id;
  header.producer_epoch = producer_epoch;
  header.record_count = 1;
  const size_t start = out->size();
  out->resize(start + static_cast<size_t>(kBatchHeadBytes + EncodedSizeMax(record)));
  char* const batch = out->data() + start;
  WriteHead(batch, header);
  const char* end = WriteRecord(batch + kBatchHeadBytes, record, 0, 0);
  out->resize(static_cast<size_t>(end - out->data()));
  SealBatch(out->data() + start, out->size() - start);
}

Result<ControlMarker> ParseControlBatch(const BatchHeader& header, std::string_view batch) {
  std::string unused;
  TM_ASSIGN_OR_RETURN(RecordIterator iterator, RecordIterator::Open(header, batch, &unused));
  std::vector<RecordView> records;
  iterator.Next(2, 0, &records);
  TM_RETURN_IF_ERROR(iterator.status());
  if (!header.control() || records.size() != 1 || records[0].key.size() < 4) return Invalid("not a control batch");
  const auto type = LoadBig<int16_t>(records[0].key.data() + 2);
  if (type != 0 && type != 1) return Invalid("control record of unknown type " + std::to_string(type));
  const std::string_view value = records[0].value;
  return ControlMarker{static_cast<ControlType>(type), value.size() < 6 ? -1 : LoadBig<int32_t>(value.data() + 2)};
}

void SetLastOffsetDelta(std::string* batch, int32_t delta) {
  StoreBig(batch->data() + kLastOffsetDelta, delta);
  SealBatch(batch->data(), batch->size());
}

Status RewriteBatch(const BatchHeader& original, std::span<const RecordView> records,
                    std::optional<int64_t> delete_horizon_ms, std::string* out) {
  BatchHeader header = original;
  header.leader_epoch = 0;
  header.record_count = static_cast<int32_t>(records.size());
  if (delete_horizon_ms) {
    header.attributes = static_cast<int16_t>(header.attributes | 64);
    header.base_timestamp = *delete_horizon_ms;
  }
  if (records.empty()) header.attributes = static_cast<int16_t>(header.attributes & ~7);
  size_t size_max = 0;
  for (const RecordView& record : records)
    size_max += 45 + record.key.size() + record.value.size() + record.header_bytes.size();
  std::string plain(size_max, '\0');
  char* p = plain.data();
  for (const RecordView& record : records) {
    const auto delta =
        static_cast<int64_t>(static_cast<uint64_t>(record.timestamp_ms) - static_cast<uint64_t>(header.base_timestamp));
    p = WriteView(p, record, delta, record.offset - original.base_offset);
  }
  plain.resize(static_cast<size_t>(p - plain.data()));
  out->assign(static_cast<size_t>(kBatchHeadBytes), '\0');
  WriteHead(out->data(), header);
  if (!records.empty()) TM_RETURN_IF_ERROR(Compress(header.codec(), plain, out));
  SealBatch(out->data(), out->size());
  return Status::OK();
}

Status RewriteBatch(const BatchHeader& original, std::string_view batch, int64_t delete_horizon_ms, std::string* out) {
  std::string decompressed;
  TM_ASSIGN_OR_RETURN(RecordIterator iterator, RecordIterator::Open(original, batch, &decompressed));
  std::vector<RecordView> records;
  iterator.Next(original.record_count, 0, &records);
  TM_RETURN_IF_ERROR(iterator.status());
  return RewriteBatch(original, records, delete_horizon_ms, out);
}

void SetBaseOffset(char* batch, int64_t base_offset) { StoreBig(batch + kBaseOffset, base_offset); }

void SetLeaderEpoch(char* batch, int32_t epoch) { StoreBig(batch + kLeaderEpoch, epoch); }

void SetLogAppendTime(std::string_view batch_bytes, char* batch, int64_t now_ms) {
  StoreBig(batch + kAttributes, static_cast<int16_t>(LoadBig<int16_t>(batch + kAttributes) | 8));
  StoreBig(batch + kMaxTimestamp, now_ms);
  SealBatch(batch, batch_bytes.size());
}

Result<RecordIterator> RecordIterator::Open(const BatchHeader& header, std::string_view batch,
                                            std::string* decompressed) {
  std::string_view records = batch.substr(kBatchHeadBytes);
  if (header.codec() != CompressionCodec::kNone) {
    TM_RETURN_IF_ERROR(Decompress(header.codec(), records, kRecordsBytesMax, decompressed));
    records = *decompressed;
  }
  if (header.record_count > static_cast<int64_t>(records.size()) / kRecordBytesMin)
    return Invalid("more records than its bytes can hold");
  RecordIterator iterator;
  iterator.header_ = header;
  iterator.at_ = records.data();
  iterator.end_ = records.data() + records.size();
  return iterator;
}

void RecordIterator::Next(int count, int64_t from_offset, std::vector<RecordView>* out) {
  const char* p = at_;
  while (count > 0 && seen_ < header_.record_count) {
    int64_t length, timestamp_delta, offset_delta, header_count;
    RecordView view;
    p = ReadVarint(p, end_, &length);
    if (p == nullptr || length < kRecordBytesMin - 1 || length > end_ - p) break;
    const char* const record_end = p + length;
    p = ReadVarint(p + 1, record_end, &timestamp_delta);
    if (p == nullptr || (p = ReadVarint(p, record_end, &offset_delta)) == nullptr) break;
    if ((p = ReadBytes(p, record_end, &view.key)) == nullptr) break;
    if ((p = ReadBytes(p, record_end, &view.value)) == nullptr) break;
    if ((p = ReadVarint(p, record_end, &header_count)) == nullptr) break;
    if (offset_delta <= last_delta_ || offset_delta > header_.last_offset_delta || header_count < 0 ||
        header_count > record_end - p) {
      p = nullptr;
      break;
    }
    view.header_bytes = {p, static_cast<size_t>(record_end - p)};
    view.header_count = static_cast<int32_t>(header_count);
    if (header_count == 0 && p != record_end) {
      p = nullptr;
      break;
    }
    p = record_end;
    last_delta_ = offset_delta;
    ++seen_;
    view.offset = header_.base_offset + offset_delta;
    if (view.offset < from_offset) continue;
    view.timestamp_ms = header_.log_append_time() ? header_.max_timestamp
                                                  : static_cast<int64_t>(static_cast<uint64_t>(header_.base_timestamp) +
                                                                         static_cast<uint64_t>(timestamp_delta));
    out->push_back(view);
    --count;
  }
  if (p == nullptr || (count > 0 && seen_ < header_.record_count)) {
    status_ = Invalid("record " + std::to_string(seen_) + " of the batch at offset " +
                      std::to_string(header_.base_offset) + " is malformed");
    return;
  }
  at_ = p;
  if (seen_ == header_.record_count && at_ != end_) status_ = Invalid("bytes are left over behind the last record");
}

Result<bool> ReadRecords(const BatchHeader& header, std::string_view batch, std::string* decompressed,
                         std::vector<RecordView>* out) {
  out->clear();
  auto iterator = RecordIterator::Open(header, batch, decompressed);
  if (iterator.ok()) iterator->Next(header.record_count, 0, out);
  const Status& read = iterator.ok() ? iterator->status() : iterator.status();
  if (!read.ok() && header.codec() == CompressionCodec::kNone) return read;
  return read.ok();
}

Result<std::vector<RecordHeader>> DecodeHeaders(const RecordView& record) {
  std::vector<RecordHeader> headers;
  const char* p = record.header_bytes.data();
  const char* const end = p + record.header_bytes.size();
  for (int32_t i = 0; i < record.header_count; ++i) {
    std::string_view key, value;
    if ((p = ReadBytes(p, end, &key)) == nullptr || key.data() == nullptr ||
        (p = ReadBytes(p, end, &value)) == nullptr) {
      return Invalid("a header of the record at offset " + std::to_string(record.offset) + " is malformed");
    }
    headers.push_back({key, value.data() == nullptr ? std::nullopt : std::optional(value)});
  }
  if (p != end)
    return Invalid("bytes are left over behind the headers of the record at offset " + std::to_string(record.offset));
  return headers;
}

}  // namespace tidemill
