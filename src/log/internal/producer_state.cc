#include "log/internal/producer_state.h"

#include <algorithm>

#include "log/errors.h"

namespace tidemill::log_internal {
namespace {

constexpr size_t kBatchesKept = 5;  // as many as a producer may have on the way (KIP-98)

int32_t SequenceAfter(int32_t sequence, int32_t count) {
  // Wraps from INT32_MAX to 0.
  return static_cast<int32_t>((static_cast<uint32_t>(sequence) + static_cast<uint32_t>(count)) & 0x7fffffffU);
}

int32_t LastSequence(const BatchHeader& header) {
  return SequenceAfter(header.base_sequence, header.last_offset_delta);
}

std::string ProducerName(const BatchHeader& header) {
  return "producer " + std::to_string(header.producer_id) + ", epoch " + std::to_string(header.producer_epoch);
}

Status Fenced(const BatchHeader& header, int16_t epoch) {
  return Status(kProducerFenced,
                ProducerName(header) + ": a newer one has epoch " + std::to_string(epoch) + " in this partition");
}

}  // namespace

const ProducerState::Producer* ProducerState::Find(int64_t producer_id) const {
  const auto it = by_id_.find(producer_id);
  return it == by_id_.end() ? nullptr : &*it->second;
}

Result<std::optional<ProducerState::Batch>> ProducerState::Check(const BatchHeader& header) const {
  const Producer* producer = Find(header.producer_id);
  if (producer == nullptr) return std::optional<Batch>();
  if (header.producer_epoch < producer->epoch) return Fenced(header, producer->epoch);
  const auto refuse = [&](int32_t expected) {
    return Status(kOutOfOrderSequence, ProducerName(header) + ": its batch begins with sequence number " +
                                           std::to_string(header.base_sequence) + ", expected " +
                                           std::to_string(expected));
  };
  if (header.producer_epoch > producer->epoch) {
    if (header.base_sequence != 0) return refuse(0);
    return std::optional<Batch>();
  }
  for (const Batch& batch : producer->batches) {
    if (batch.first_sequence == header.base_sequence && batch.last_sequence == LastSequence(header))
      return std::optional<Batch>(batch);
  }
  const int32_t expected = producer->batches.empty() ? 0 : SequenceAfter(producer->last_sequence(), 1);
  if (header.base_sequence != expected) return refuse(expected);
  return std::optional<Batch>();
}

Status ProducerState::CheckMarker(const BatchHeader& header, int32_t coordinator_epoch) const {
  const Producer* producer = Find(header.producer_id);
  if (producer == nullptr) return Status::OK();
  if (header.producer_epoch < producer->epoch) return Fenced(header, producer->epoch);
  if (coordinator_epoch < producer->coordinator_epoch) {
    return Status(kCoordinatorFenced, "coordinator epoch " + std::to_string(coordinator_epoch) +
                                          " is older than the last one, " +
                                          std::to_string(producer->coordinator_epoch));
  }
  return Status::OK();
}

ProducerState::Producer& ProducerState::Touch(int64_t producer_id, int64_t seen_ms) {
  const auto it = by_id_.find(producer_id);
  if (it == by_id_.end()) {
    producers_.emplace_back().id = producer_id;
    by_id_[producer_id] = std::prev(producers_.end());
  } else {
    producers_.splice(producers_.end(), producers_, it->second);
  }
  producers_.back().seen_ms = seen_ms;
  return producers_.back();
}

void ProducerState::OnBatch(const BatchHeader& header, int64_t seen_ms) {
  Producer& producer = Touch(header.producer_id, seen_ms);
  if (header.producer_epoch != producer.epoch) {
    producer.batches.clear();
    producer.epoch = header.producer_epoch;
  }
  if (producer.batches.size() == kBatchesKept) producer.batches.erase(producer.batches.begin());
  producer.batches.push_back(
      {header.base_sequence, LastSequence(header), header.base_offset, header.last_offset(), header.max_timestamp});
  producer.last_timestamp_ms = header.max_timestamp;
  producer.last_offset = header.last_offset();
}

void ProducerState::OnMarker(const BatchHeader& header, int32_t coordinator_epoch, int64_t seen_ms) {
  Producer& producer = Touch(header.producer_id, seen_ms);
  if (header.producer_epoch != producer.epoch) {
    producer.batches.clear();
    producer.epoch = header.producer_epoch;
  }
  producer.coordinator_epoch = coordinator_epoch;
  producer.last_timestamp_ms = header.max_timestamp;
  producer.last_offset = header.last_offset();
}

void ProducerState::Forget(int64_t seen_ms, size_t count_max, const OpenTransactions& open) {
  for (auto it = producers_.begin(); it != producers_.end();) {
    if (it->seen_ms >= seen_ms && producers_.size() <= count_max) return;
    if (open.contains(it->id)) {
      ++it;
      continue;
    }
    by_id_.erase(it->id);
    it = producers_.erase(it);
  }
}

std::string ProducerState::Serialize() const {
  std::string text;
  if (producers_.empty()) return text;
  for (const Producer& producer : producers_) {
    AppendBig(&text, producer.id);
    AppendBig(&text, producer.epoch);
    AppendBig(&text, producer.coordinator_epoch);
    AppendBig(&text, producer.last_timestamp_ms);
    AppendBig(&text, producer.last_offset);
    AppendBig(&text, producer.seen_ms);
    AppendBig(&text, static_cast<uint8_t>(producer.batches.size()));
    for (const Batch& batch : producer.batches) {
      AppendBig(&text, batch.first_sequence);
      AppendBig(&text, batch.last_sequence);
      AppendBig(&text, batch.base_offset);
      AppendBig(&text, batch.last_offset);
      AppendBig(&text, batch.timestamp_ms);
    }
  }
  return text;
}

Result<ProducerState> ProducerState::Parse(std::string_view text) {
  ProducerState state;
  ByteReader reader(text);
  while (!reader.AtEnd()) {
    const auto id = reader.Big<int64_t>();
    Producer& producer = state.Touch(id, 0);
    producer.epoch = reader.Big<int16_t>();
    producer.coordinator_epoch = reader.Big<int32_t>();
    producer.last_timestamp_ms = reader.Big<int64_t>();
    producer.last_offset = reader.Big<int64_t>();
    producer.seen_ms = reader.Big<int64_t>();
    for (auto n = reader.Big<uint8_t>(); n > 0 && reader.ok(); --n) {
      Batch batch{};
      batch.first_sequence = reader.Big<int32_t>();
      batch.last_sequence = reader.Big<int32_t>();
      batch.base_offset = reader.Big<int64_t>();
      batch.last_offset = reader.Big<int64_t>();
      batch.timestamp_ms = reader.Big<int64_t>();
      producer.batches.push_back(batch);
    }
    if (!reader.ok()) return Status(kCorruption, "the state of the producers is cut short");
  }
  return state;
}

}  // namespace tidemill::log_internal
