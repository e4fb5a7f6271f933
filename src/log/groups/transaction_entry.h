#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/status.h"
#include "log/consumer_positions.h"
#include "log/groups/group_requests.h"

namespace tidemill {

enum class TransactionState : uint8_t {
  kEmpty,  // a producer has come, and begun nothing yet
  kOngoing,
  kPrepareCommit,  // decided; markers and positions are being written
  kPrepareAbort,
  kCompleteCommit,
  kCompleteAbort,
};
// As Kafka's tools print them.
const char* TransactionStateName(TransactionState state);

// What is known of one transactional id. One record of the journal holds all of it.
struct TransactionEntry {
  using Positions = std::map<GroupPartition, ConsumerPosition>;

  std::string id;
  int64_t producer_id = -1;
  int16_t epoch = -1;
  int64_t last_producer_id = -1;  // before the producer id was changed, since its epochs were used up
  int16_t last_epoch = -1;        // before its owner asked for a new one; -1 when somebody else did
  int64_t next_producer_id = -1;  // from the end of this transaction on, when epochs are used up
  int32_t timeout_ms = 0;
  TransactionState state = TransactionState::kEmpty;
  int64_t started_ms = -1;  // wall clock
  int64_t updated_ms = 0;
  std::set<GroupPartition> partitions;
  std::map<std::string, Positions> positions;  // by group; to be committed with it

  bool is_decided() const {
    return state == TransactionState::kPrepareCommit || state == TransactionState::kPrepareAbort;
  }
  std::string Serialize() const;
  static Result<TransactionEntry> Parse(std::string_view bytes);
};

}  // namespace tidemill
