#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "log/internal/frame_file.h"
#include "log/internal/partition_impl.h"
#include "log/transaction.h"

namespace tidemill::log_internal {

// Decides transactions, durably. The file `transactions` holds: ranges of producer ids that may be in use, what is
// prepared, and each decision. A decision is on disk before its first marker is written; the markers themselves are
// written again on opening where a crash lost them, so they need no fsync of their own. Thread-safe.
class TransactionCoordinator {
 public:
  // Null when the topic or partition does not exist.
  using FindPartition = std::function<std::shared_ptr<PartitionImpl>(std::string_view topic, int32_t partition)>;

  static Result<std::unique_ptr<TransactionCoordinator>> Open(LogContext& context, const std::string& path,
                                                              FindPartition find);
  // Once all partitions are open: finishes what was decided, aborts what was never prepared. Transactions of Kafka
  // producers are left to their own coordinator.
  Status Recover(const std::vector<std::shared_ptr<PartitionImpl>>& partitions);

  Result<std::unique_ptr<Transaction>> Begin(const std::string& transactional_id);
  // Never gives an id twice, also over restarts.
  Result<int64_t> NextProducerId();
  Status Commit(const PreparedTransaction& transaction);
  Status Abort(const PreparedTransaction& transaction);
  std::vector<PreparedTransaction> Prepared(std::string_view id_prefix) const;

  // Forgets what is decided and whose markers are on disk; rewrites the file when most of it is outdated.
  Status Housekeeping();
  Status Close(const Status& why);

  // For transactions.
  void Prepare(PreparedTransaction transaction, std::function<void(Result<PreparedTransaction>)> done);
  const FindPartition& find() const { return find_; }

 private:
  enum class Decision : uint8_t { kNone, kCommit, kAbort };
  struct Entry {
    PreparedTransaction transaction;
    Decision decision = Decision::kNone;
    std::vector<std::pair<std::shared_ptr<PartitionImpl>, int64_t>> markers;  // with offset: on disk or not yet
    bool ended = false;                                                       // every marker was written
  };

  TransactionCoordinator(LogContext& context, FindPartition find) : context_(context), find_(std::move(find)) {}
  Status Replay(std::string_view payload);
  Result<int64_t> AppendLocked(std::string_view payload);
  Status Decide(const PreparedTransaction& transaction, Decision decision);
  Status WriteMarkers(int64_t producer_id);
  Status CheckWhole(const PreparedTransaction& transaction) const;
  Status CheckForgotten(const PreparedTransaction& transaction, Decision decision) const;
  std::vector<std::string> LivePayloadsLocked() const;

  LogContext& context_;
  const FindPartition find_;
  mutable std::mutex mutex_;
  std::map<int64_t, Entry> entries_;  // by producer id
  int64_t next_producer_id_ = 1;
  int64_t reserved_until_ = 1;
  int64_t durable_until_ = 1;  // of reserved_until_, what is on disk
  std::unique_ptr<FrameFile> file_;
};

}  // namespace tidemill::log_internal
