#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/file_system.h"
#include "base/metrics.h"
#include "exec/runtime/dataflow.h"
#include "job/journal_store.h"
#include "job/manifest.h"

namespace tidemill {

// Drives the epochs of one dataflow: asks for a barrier, gathers the answers, has the input up to there made durable,
// writes state files and the manifest, commits sinks, in that order; then tells sources and journals, and removes what
// is no longer named. One epoch at a time. All calls come from one thread (the job's, or the simulator's); lanes run on
// meanwhile.
class EpochCoordinator {
 public:
  struct Options {
    FileSystem* files = nullptr;
    std::string state_dir;  // "": nothing is saved, sinks are still committed
    std::string job = "job";
    int parallelism = 1;
    std::vector<Manifest::OperatorEntry> operators;
    int64_t first_epoch = 1;
    const Clock* clock = nullptr;
    MetricsRegistry* metrics = nullptr;
    std::function<Status()> sync_rejects;  // RuntimeEnvironment::SyncRejects; may be empty
    // Waits before a write is tried again on a full disk; false: give up (cancelled).
    std::function<bool()> wait_for_room;
    // A full snapshot when so many deltas lie above the last one, or when they outgrow it.
    int deltas_max = 64;
  };
  EpochCoordinator(Options options, Dataflow& dataflow, JournalStore* journals);

  bool pending() const { return pending_.has_value(); }
  // Asks every subtask for the next epoch's barrier. Only when none is pending.
  void Trigger();
  // Counts an answer; the last one completes the epoch: true.
  Result<bool> OnAnswer(EpochAnswer answer);

  int64_t committed_epoch() const { return committed_epoch_; }
  int64_t state_bytes() const { return state_bytes_; }
  int64_t state_keys() const { return state_keys_; }
  int64_t last_duration_ns() const { return last_duration_ns_; }

  // What a manifest restores. The snapshots are read when they are asked for, once each.
  static std::unique_ptr<RestoredEpoch> MakeRestored(FileSystem& files, const std::string& state_dir,
                                                     const Manifest& manifest);
  // Removes state files that `manifest` (null: none) does not name: leftovers of epochs that came to nothing. Best
  // effort.
  static void RemoveLeftovers(FileSystem& files, const std::string& state_dir, const Manifest* manifest);

 private:
  using ChainKey = std::tuple<std::string, std::string, int>;  // operator, table, subtask
  struct Pending {
    EpochMark mark;
    int64_t since_ns = 0;
    int answers = 0;
    Manifest manifest;
    std::vector<std::pair<int, TableSnapshot>> snapshots;
    int64_t state_bytes = 0;
    int64_t state_keys = 0;
  };

  Status Complete(Pending& pending);
  Status WriteState(Pending& pending);
  Status CommitSinks(const Manifest& manifest);
  Status MakeInputDurable(const Manifest& manifest);
  void TellSources(const Manifest& manifest);
  void RemoveOldFiles();
  bool FullIsDue() const;
  Status RetryWhenFull(const std::function<Status()>& write);

  Options options_;
  Dataflow& dataflow_;
  JournalStore* journals_;
  ManifestStore manifests_;
  std::optional<Pending> pending_;
  int64_t next_epoch_;
  int64_t committed_epoch_ = 0;
  std::map<ChainKey, std::vector<StateFile>> chains_;
  std::vector<std::string> replaced_;  // files that the newest manifest no longer names
  int deltas_ = -1;                    // since the last full snapshot; -1: none in this run
  int64_t full_bytes_ = 0;
  int64_t delta_bytes_ = 0;
  int64_t state_bytes_ = 0;
  int64_t state_keys_ = 0;
  int64_t last_duration_ns_ = 0;
  Histogram* duration_ = nullptr;
  Histogram* commit_duration_ = nullptr;
  Gauge* size_ = nullptr;
  Gauge* state_size_ = nullptr;
  Gauge* state_keys_gauge_ = nullptr;
  Counter* completed_ = nullptr;
  Gauge* last_success_ = nullptr;
};

// The operators of a stage graph, for manifests.
std::vector<Manifest::OperatorEntry> OperatorsOf(const StageGraph& graph);

}  // namespace tidemill
