#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/status.h"
#include "data/batch.h"
#include "data/reject.h"

namespace tidemill {

struct SinkContext {
  std::string job;
  std::string sink_name;  // stable: "scored"
  int subtask = 0;
  int parallelism = 1;
  RejectSink* rejects = nullptr;
  MetricsRegistry* metrics = nullptr;
  Labels labels;
  const Clock* clock = nullptr;
  std::function<void()> wake;  // any thread: something this writer waited for is there
};

// Writes the rows of one subtask. Called from its lane; never blocks.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  // Columns: those of the table's persisted columns (physical and non-virtual metadata), in table order.
  virtual Status Write(Batch batch) = 0;
  virtual bool HasRoom() const { return true; }
  // Barrier of `epoch`: make what was written since the last one durable but, for exactly-once sinks, not yet visible.
  // Returns the handle by which it can be committed, even after a crash ("" = nothing to commit); nullopt = not yet,
  // ask again after `wake`.
  virtual Result<std::optional<std::string>> Prepare(int64_t epoch) = 0;
  virtual void Close() noexcept {}
};

// One per INSERT. Commit and Recover run on the job's thread.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) = 0;
  // The manifest that names these handles is durable. Idempotent: a recovery commits the newest manifest's handles
  // again.
  virtual Status Commit(std::span<const std::string> handles) = 0;
  // Before any writer opens after a restart: commits `handles` of the newest manifest and removes every other leftover
  // of this sink.
  virtual Status Recover(std::span<const std::string> handles) = 0;
};

}  // namespace tidemill
