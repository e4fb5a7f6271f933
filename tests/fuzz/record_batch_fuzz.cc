// Record batches of any bytes: decoding must not read outside, take more memory than its limit, or give out records
// that contradict the head; what decodes must survive being encoded again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "log/record_batch.h"

namespace {

using namespace tidemill;

void Check(bool condition) {
  if (!condition) std::abort();
}

bool Inside(std::string_view view, std::string_view whole) {
  return view.data() == nullptr ||
         (view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size());
}

// False when something is malformed.
bool Decode(std::string_view bytes, std::string* decompressed, BatchHeader* header, std::vector<RecordView>* records) {
  const auto parsed = ParseBatchHeader(bytes);
  if (!parsed.ok() || parsed->total_bytes() > static_cast<int64_t>(bytes.size())) return false;
  *header = *parsed;
  const std::string_view batch = bytes.substr(0, static_cast<size_t>(header->total_bytes()));
  (void)ChecksumMatches(*header, batch);  // most inputs fail it; the decoder must stand without
  if (header->control()) (void)ParseControlBatch(*header, batch);
  auto iterator = RecordIterator::Open(*header, batch, decompressed);
  if (!iterator.ok()) return false;
  const bool packed = header->codec() != CompressionCodec::kNone;
  while (!iterator->AtEnd()) iterator->Next(3, 0, records);
  Check(static_cast<int64_t>(records->size()) <= header->record_count);
  for (const RecordView& record : *records) {
    Check(record.offset >= header->base_offset && record.offset <= header->last_offset());
    const std::string_view whole = packed ? std::string_view(*decompressed) : batch;
    Check(Inside(record.key, whole) && Inside(record.value, whole) && Inside(record.header_bytes, whole));
  }
  return iterator->status().ok() && !records->empty();
}

void RoundTrip(const BatchHeader& header, const std::vector<RecordView>& views) {
  std::vector<std::vector<RecordHeader>> headers;
  for (const RecordView& view : views) {
    auto decoded = DecodeHeaders(view);
    if (!decoded.ok()) return;
    headers.push_back(*std::move(decoded));
  }
  if (header.log_append_time()) return;
  std::vector<Record> records;
  for (size_t i = 0; i < views.size(); ++i) {
    if (views[i].timestamp_ms == kNoTimestamp) return;  // would become the log's time
    Record record{{}, {}, headers[i], views[i].timestamp_ms};
    if (views[i].has_key()) record.key = views[i].key;
    if (views[i].has_value()) record.value = views[i].value;
    records.push_back(record);
  }
  std::string bytes, decompressed;
  Check(EncodeBatch(
            records,
            {.codec = header.codec() == CompressionCodec::kNone ? CompressionCodec::kNone : CompressionCodec::kLz4},
            &bytes)
            .ok());
  BatchHeader again;
  std::vector<RecordView> read;
  Check(Decode(bytes, &decompressed, &again, &read));
  Check(ChecksumMatches(again, bytes) && read.size() == views.size());
  for (size_t i = 0; i < read.size(); ++i) {
    Check(read[i].key == views[i].key && read[i].has_key() == views[i].has_key());
    Check(read[i].value == views[i].value && read[i].has_value() == views[i].has_value());
    Check(read[i].timestamp_ms == views[i].timestamp_ms && read[i].header_count == views[i].header_count);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string decompressed;
  BatchHeader header;
  std::vector<RecordView> records;
  if (Decode(bytes, &decompressed, &header, &records)) RoundTrip(header, records);
  return 0;
}
