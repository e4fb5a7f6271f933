#include "connect/kafka/kafka_upsert_buffer.h"

namespace tidemill {

void KafkaUpsertBuffer::Add(const KafkaOutgoing& record, int64_t now_ns) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (changes_.empty()) since_ns_ = now_ns;
  Change& change = changes_[std::string(record.key)];
  change.value = record.has_value ? std::optional<std::string>(record.value) : std::nullopt;
  change.headers.assign(record.headers.begin(), record.headers.end());
  change.record = record;
  if (++rows_ >= rows_max_) FlushLocked();
}

void KafkaUpsertBuffer::FlushIfDue(int64_t now_ns) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!changes_.empty() && now_ns - since_ns_ >= interval_ns_) FlushLocked();
}

void KafkaUpsertBuffer::Flush() {
  std::lock_guard<std::mutex> lock(mutex_);
  FlushLocked();
}

void KafkaUpsertBuffer::FlushLocked() {
  rows_ = 0;
  if (changes_.empty()) return;
  std::vector<KafkaOutgoing> records;
  records.reserve(changes_.size());
  for (auto& [key, change] : changes_) {
    KafkaOutgoing record = change.record;
    record.key = key;
    record.value = change.value ? std::string_view(*change.value) : std::string_view();
    record.headers = change.headers;
    records.push_back(record);
  }
  std::vector<size_t> too_large;
  const Status status = producer_.Send(records, in_flight_, &too_large);
  if (failed_.ok()) failed_ = status;
  for (size_t i : too_large) too_large_.emplace_back(records[i].value);
  changes_.clear();
}

Status KafkaUpsertBuffer::TakeOutcome(std::vector<std::string>* too_large) {
  std::lock_guard<std::mutex> lock(mutex_);
  *too_large = std::move(too_large_);
  too_large_.clear();
  return failed_;
}

}  // namespace tidemill
