#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "log/record.h"

namespace tidemill {

// A transaction whose records are durable and invisible, with a promise that it can be committed after any crash.
// Small; goes into a manifest.
struct PreparedTransaction {
  struct Part {
    std::string topic;
    int32_t partition = 0;
    int64_t first_offset = 0;
    int64_t last_offset = 0;
  };
  std::string transactional_id;
  int64_t producer_id = 0;
  std::vector<Part> parts;  // empty: nothing was appended

  std::string Serialize() const;
  static Result<PreparedTransaction> Parse(std::string_view text);
};

// Records of several partitions that become visible together, or never. Made by Log::Begin, gone before the log. One
// thread at a time; several transactions may be open at once, also on one partition and with one transactional id. On
// disk this is Kafka's: transactional batches with a producer id, ended by a control batch per partition. A transaction
// that was not prepared when the process died is aborted when the log is opened again.
class Transaction {
 public:
  virtual ~Transaction() = default;  // aborts it unless prepared
  // As Partition::Append; the records stay invisible to read_committed readers.
  virtual Result<int64_t> Append(std::string_view topic, int32_t partition, std::span<const Record> records) = 0;
  // Makes the records durable. Then `done` runs once, on a thread of the log (or at once); nothing may be appended from
  // this call on. What is prepared outlives this object, and ends by Log::Commit or Log::Abort.
  virtual void Prepare(std::function<void(Result<PreparedTransaction>)> done) = 0;
  virtual int64_t producer_id() const = 0;
};

}  // namespace tidemill
