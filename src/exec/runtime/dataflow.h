#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/random.h"
#include "exec/lower/stage_graph.h"
#include "exec/runtime/lane.h"

namespace tidemill {

// What an epoch restores. Thread-safe.
struct RestoredEpoch {
  std::map<std::string, std::map<std::string, SplitPosition>> sources;  // scan name -> split id -> position
  // The saved tables of an operator, oldest snapshot first.
  std::function<Result<std::map<std::string, std::vector<TableSnapshot>>>(const std::string& operator_name)> state;
};

struct DataflowOptions {
  std::string job = "job";
  int parallelism = 1;
  int batch_rows_max = kBatchRowsMax;
  int64_t queue_bytes_max = 2 << 20;  // of each channel
  bool pin_lanes = false;
  bool take_state = true;  // snapshots at barriers
  Config settings;
  std::shared_ptr<Sink> result_sink;        // of roots that are no INSERT
  const RestoredEpoch* restored = nullptr;  // only read in Open
};

// One subtask's part of an epoch, with where its splits stand.
struct EpochAnswer {
  EpochPart part;
  std::string source;  // scan name; empty: not a source subtask
  std::map<std::string, SplitPosition> positions;
};

// Hears from a dataflow, on any of its lanes. Must be quick.
class DataflowListener {
 public:
  virtual ~DataflowListener() = default;
  virtual void OnEpochAnswer(EpochAnswer answer) = 0;
  virtual void OnEnded() = 0;                // every subtask has come to the end of its input
  virtual void OnFailed(Status status) = 0;  // once; lanes are stopping
};

// A stage graph, instantiated: subtasks, channels, lanes. Make, Open, then either Start (a thread a lane) or steps from
// one thread.
class Dataflow {
 public:
  static Result<std::unique_ptr<Dataflow>> Make(StageGraph graph, RuntimeEnvironment& environment,
                                                DataflowOptions options, DataflowListener& listener);
  ~Dataflow();

  // Sinks by name; Recover them before Open.
  const std::map<std::string, Sink*>& sinks() const { return sinks_; }
  // Sources by scan name.
  const std::map<std::string, Source*>& sources() const { return source_of_; }
  Status Open();
  void Start();
  // Asks for the barrier of an epoch; numbers grow. Every subtask answers. Any thread.
  void RequestEpoch(EpochMark mark);
  // Lanes stop where they are. Any thread; Join waits.
  void Cancel();
  void Join();

  // Simulator: runs one ready subtask, chosen at random. False: nothing is ready.
  Result<bool> Step(Random& random);

  int num_subtasks() const { return static_cast<int>(subtasks_.size()); }
  bool bounded() const { return bounded_; }
  // Any thread.
  int64_t rows_read() const;
  int64_t rows_written() const;
  int64_t queued_bytes() const;
  // Once a second or so, from one thread: gauges.
  void UpdateMetrics();
  struct SourceView {
    std::string name;
    const SourceProgress* progress;
  };
  const std::vector<SourceView>& source_views() const { return source_views_; }
  // Saved state that no operator asked for: "operator.table".
  const std::vector<std::string>& unclaimed() const { return unclaimed_; }

 private:
  class Events;
  struct SourceSplits {
    std::unique_ptr<Source> source;
    std::vector<SourceSplit> splits;
  };

  Dataflow(StageGraph graph, RuntimeEnvironment& environment, DataflowOptions options, DataflowListener& listener);
  Status MakeEnds();
  Status MakeSubtasks();
  // Null: the scan has none.
  const std::map<std::string, SplitPosition>* SavedSplitsOf(size_t stage) const;
  Status MakeSource(int stage, int index, Subtask& subtask);
  Status MakeOperators(int stage, int index, Subtask& subtask);
  Status Connect();
  Status Restore();
  void MakeMetrics();
  void Fail(Status status);
  Subtask& At(int stage, int index) { return *subtasks_[stage * options_.parallelism + index]; }
  Labels LabelsOf(const std::string& op, int subtask) const;

  StageGraph graph_;
  RuntimeEnvironment& environment_;
  DataflowOptions options_;
  DataflowListener& listener_;
  std::unique_ptr<Events> events_;
  bool bounded_ = true;
  std::vector<SourceSplits> sources_;  // by stage; empty where a stage is none
  std::vector<std::unique_ptr<Sink>> owned_sinks_;
  std::vector<Sink*> sink_at_;  // by number in graph_.sinks
  std::map<std::string, Sink*> sinks_;
  std::map<std::string, Source*> source_of_;
  std::unique_ptr<SourceAligner> aligner_;
  std::vector<std::shared_ptr<LaneSignal>> signals_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<std::unique_ptr<Subtask>> subtasks_;  // stage-major
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<SourceView> source_views_;
  std::vector<std::string> unclaimed_;
  struct SubtaskMetrics {
    Gauge* watermark = nullptr;
    Gauge* watermark_lag = nullptr;
    Gauge* busy = nullptr;
    Gauge* pressure = nullptr;
    int64_t samples = 0;
    int64_t blocked = 0;
    Gauge* idle = nullptr;  // sources
    int64_t busy_ns = 0;
  };
  std::vector<SubtaskMetrics> metrics_;  // by subtask
  Gauge* queued_ = nullptr;
  int64_t metrics_at_ns_ = 0;
  std::atomic<int64_t> request_{0};
  std::atomic<bool> failed_{false};
};

}  // namespace tidemill
