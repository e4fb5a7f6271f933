#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "base/status.h"
#include "feature/feature_view.h"
#include "feature/offline_files.h"

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace tidemill {

enum class FeatureStatus : uint8_t { kPresent, kNotFound, kNullValue, kOutsideMaxAge };
const char* FeatureStatusName(FeatureStatus status);  // "PRESENT", as Feast's

// Answers of one read: column f belongs to features[f], its row i to entity i.
struct OnlineAnswer {
  std::vector<std::string> features;
  std::vector<std::shared_ptr<arrow::Array>> values;  // with the value also where it is outside its age
  std::vector<std::vector<FeatureStatus>> statuses;
  std::vector<EventTime> event_times;  // per entity; kMinEventTime where not found
};

struct FeatureStoreOptions {
  bool read_only = false;  // `tidemill feature get` beside a running process: no lock, no writes
  bool background = true;  // files are written on threads of the store; false = everything inline (simulations, tests)
  int threads = 4;         // they mostly wait for the disk
  MergePolicy merge;
  bool merge_offline = true;
};

struct FeatureViewStatistics {
  int64_t entities = 0;
  int64_t online_bytes = 0;
  EventTime newest_event_time = kMinEventTime;
};

// Where a subtask of a sink writes the rows of a view. Called from one lane; never blocks on a disk: files are written
// on a thread of the store.
class FeatureWriter {
 public:
  virtual ~FeatureWriter() = default;
  // The view's columns; entities and event time without NULL. Online at once, offline with the epoch.
  virtual Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) = 0;
  // False while more than 32 MiB wait to be written; `wake` follows.
  virtual bool HasRoom() const = 0;
  // As SinkWriter::Prepare: everything up to here is durable online, and prepared offline, when this gives the handle.
  virtual Result<std::optional<std::string>> Prepare(int64_t epoch) = 0;
};

// The embedded feature store: views with an online table (newest row of each entity, in memory and durable) and offline
// files (every row, Parquet by day).
//
// Durability. Online rows are seen at once. A barrier passes a FeatureWriter only when the online rows written before
// it are on disk (one frame per view and epoch) and the offline rows are in prepared files. After a crash the job
// replays from its last epoch; the same rows are upserted again, and since the newest event time wins, and of equal
// ones the later write, the online rows end as if there had been no crash. So once the replay has caught up, the online
// row of each entity is the one of the offline files with the newest event time, written last.
//
// On disk, under the store's folder: LOCK, views/<view>/{view.arrow, online-*}, offline/<view>/ unless the view says
// where. Thread-safe. Writers must be gone before the store is.
class FeatureStore {
 public:
  static Result<std::unique_ptr<FeatureStore>> Open(FileSystem& files, const Clock& clock, MetricsRegistry& metrics,
                                                    std::string directory, FeatureStoreOptions options = {});
  ~FeatureStore();

  // Adds a view, or changes it: features may come and go (rows keep what still has its name and type); entities and
  // event time may not (kViewMismatch). An empty offline_path is filled in.
  Status RegisterView(FeatureView view);
  Result<FeatureView> FindView(const std::string& name) const;  // kViewNotFound
  std::vector<FeatureView> views() const;                       // by name
  Result<FeatureViewStatistics> Statistics(const std::string& name) const;

  // The parts of a sink (exec/sink.h). `wake` may be called on any thread.
  Result<std::unique_ptr<FeatureWriter>> OpenWriter(const std::string& view, int subtask, std::function<void()> wake);
  Status Commit(const std::string& view, std::span<const std::string> handles);
  Status Recover(const std::string& view, std::span<const std::string> handles);

  // `features`: names within the view, "*" = all. `entities`: one array per entity column, in the view's order and of
  // its types, no NULL.
  Result<OnlineAnswer> GetOnline(const std::string& view, const std::vector<std::string>& features,
                                 const std::vector<std::shared_ptr<arrow::Array>>& entities);

  // Writes rows from outside a job, durable when it returns.
  struct PushTarget {
    bool online = true;
    bool offline = false;
  };
  Status Push(const std::string& view, const std::shared_ptr<arrow::RecordBatch>& rows, PushTarget target);

  // Waits for the store's threads: for tests and a tidy end.
  void Drain();
  FileSystem& files() const;
  const Clock& clock() const;

  struct State;  // shared with writers and with metrics

 private:
  explicit FeatureStore(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tidemill
