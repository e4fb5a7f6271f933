#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/reject.h"
#include "sql/logical_plan.h"

namespace tidemill {

// A part of a source that is read in order: a topic's partition, a file. `id` is stable over restarts.
struct SourceSplit {
  std::string id;
  // Of a topic's partition, for metrics; empty = the split is something else.
  std::string topic;
  int32_t partition = -1;
};

struct ReadOutcome {
  // Columns: the physical and metadata columns that the scan needs (SourceReadSchema), in that order; may be empty.
  Batch batch;
  // Where reading goes on after `batch`: opaque to all but the connector, small.
  std::string position;
  bool ended = false;  // bounded: nothing follows
  bool idle = false;   // live: nothing there now; `wake` will be called when there is
};

struct SplitContext {
  RejectSink* rejects = nullptr;
  MetricsRegistry* metrics = nullptr;
  Labels labels;
  const Clock* clock = nullptr;
  std::function<void()> wake;  // any thread
  // The scan has saved positions but this split has none: it appeared after they were saved, so all of it is new.
  bool restored_without = false;
};

// Reads one split. Called from one lane only. Never blocks beyond reading a local file: when nothing is there it says
// idle.
class SplitReader {
 public:
  virtual ~SplitReader() = default;
  virtual Result<ReadOutcome> Read(int rows_max) = 0;
  // Where reading begins, when the reader has chosen it: saved with an epoch even before the first Read, so that a
  // restart does not choose anew.
  virtual std::optional<std::string> StartPosition() const { return std::nullopt; }
  // Records between the position and the end, for lag metrics; -1 = unknown.
  virtual int64_t LagRecords() const { return -1; }
};

// What a manifest says of a split.
struct SavedSplit {
  std::optional<std::string> position;
  bool ended = false;
};

// One per Scan; used by all its subtasks. Thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  // Before Splits(), when the scan has saved splits: id -> what is known of it. For sources whose splits come out of
  // one another.
  virtual void OnRestore(const std::map<std::string, SavedSplit>& splits) { (void)splits; }
  virtual Result<std::vector<SourceSplit>> Splits() = 0;
  // `position`: from a manifest; absent = the startup mode of the table's options.
  virtual Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split,
                                                         const std::optional<std::string>& position,
                                                         SplitContext context) = 0;
  virtual bool bounded() const = 0;
  // Splits that were found after Splits(), oldest first, without the first `from`: the list only grows. Any lane; never
  // blocks.
  virtual std::vector<SourceSplit> LaterSplits(size_t from) {
    (void)from;
    return {};
  }
  // `found` is called, on any thread, after something was added to that list. Before any lane runs.
  virtual void OnLaterSplits(std::function<void()> found) { (void)found; }
  // Before a manifest names these positions (split id -> position): what lies before them must survive a crash, or a
  // position could lie beyond what a restart finds. Blocks; on the job's thread.
  virtual Status MakeDurable(const std::map<std::string, std::string>& positions) {
    (void)positions;
    return Status::OK();
  }
  // After the manifest of an epoch is durable: split id -> position. Consumer groups commit here. Best effort.
  virtual void OnEpochCommitted(const std::map<std::string, std::string>& positions) { (void)positions; }
};

// The physical and metadata columns a source must deliver so that the scan's columns, its computed columns and its
// watermark can be had; numbers into TableDefinition::columns, sorted.
std::vector<int> SourceReadColumns(const ScanSpec& scan);
Schema SourceReadSchema(const ScanSpec& scan);

}  // namespace tidemill
