#include "log/groups/transaction_entry.h"

#include "base/errors.h"
#include "log/internal/bytes.h"

namespace tidemill {

using log_internal::AppendBig;
using log_internal::AppendText;
using log_internal::ByteReader;

const char* TransactionStateName(TransactionState state) {
  switch (state) {
    case TransactionState::kEmpty:
      return "Empty";
    case TransactionState::kOngoing:
      return "Ongoing";
    case TransactionState::kPrepareCommit:
      return "PrepareCommit";
    case TransactionState::kPrepareAbort:
      return "PrepareAbort";
    case TransactionState::kCompleteCommit:
      return "CompleteCommit";
    case TransactionState::kCompleteAbort:
      return "CompleteAbort";
  }
  return "Unknown";
}

std::string TransactionEntry::Serialize() const {
  std::string bytes;
  AppendText(&bytes, id);
  AppendBig(&bytes, producer_id);
  AppendBig(&bytes, epoch);
  AppendBig(&bytes, last_producer_id);
  AppendBig(&bytes, last_epoch);
  AppendBig(&bytes, next_producer_id);
  AppendBig(&bytes, timeout_ms);
  AppendBig(&bytes, static_cast<uint8_t>(state));
  AppendBig(&bytes, started_ms);
  AppendBig(&bytes, updated_ms);
  AppendBig(&bytes, static_cast<uint32_t>(partitions.size()));
  for (const GroupPartition& partition : partitions) {
    AppendText(&bytes, partition.topic);
    AppendBig(&bytes, partition.partition);
  }
  AppendBig(&bytes, static_cast<uint32_t>(positions.size()));
  for (const auto& [group, of_group] : positions) {
    AppendText(&bytes, group);
    AppendBig(&bytes, static_cast<uint32_t>(of_group.size()));
    for (const auto& [partition, position] : of_group) {
      AppendText(&bytes, partition.topic);
      AppendBig(&bytes, partition.partition);
      AppendBig(&bytes, position.offset);
      AppendText(&bytes, position.metadata);
    }
  }
  return bytes;
}

Result<TransactionEntry> TransactionEntry::Parse(std::string_view bytes) {
  ByteReader reader(bytes);
  TransactionEntry entry;
  entry.id = reader.Text();
  entry.producer_id = reader.Big<int64_t>();
  entry.epoch = reader.Big<int16_t>();
  entry.last_producer_id = reader.Big<int64_t>();
  entry.last_epoch = reader.Big<int16_t>();
  entry.next_producer_id = reader.Big<int64_t>();
  entry.timeout_ms = reader.Big<int32_t>();
  const auto state = reader.Big<uint8_t>();
  entry.state = static_cast<TransactionState>(state);
  entry.started_ms = reader.Big<int64_t>();
  entry.updated_ms = reader.Big<int64_t>();
  const auto partitions = reader.Big<uint32_t>();
  for (uint32_t i = 0; i < partitions && reader.ok(); ++i) {
    GroupPartition partition{reader.Text(), 0};
    partition.partition = reader.Big<int32_t>();
    entry.partitions.insert(std::move(partition));
  }
  const auto groups = reader.Big<uint32_t>();
  for (uint32_t i = 0; i < groups && reader.ok(); ++i) {
    Positions& of_group = entry.positions[reader.Text()];
    const auto count = reader.Big<uint32_t>();
    for (uint32_t j = 0; j < count && reader.ok(); ++j) {
      ConsumerPosition position;
      position.topic = reader.Text();
      position.partition = reader.Big<int32_t>();
      position.offset = reader.Big<int64_t>();
      position.metadata = reader.Text();
      GroupPartition partition{position.topic, position.partition};
      of_group.insert_or_assign(std::move(partition), std::move(position));
    }
  }
  if (!reader.ok() || !reader.AtEnd() || state > static_cast<uint8_t>(TransactionState::kCompleteAbort)) {
    return Status(kCorruption, "a record of a transaction is damaged");
  }
  return entry;
}

}  // namespace tidemill
