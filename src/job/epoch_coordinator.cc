#include "job/epoch_coordinator.h"

#include <algorithm>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "job/errors.h"

namespace tidemill {
namespace {

std::string StateRoot(const std::string& state_dir) { return JoinPath(state_dir, "state"); }

// Reads the snapshots of a manifest, each file once, however many subtasks ask.
class SnapshotReader {
 public:
  SnapshotReader(FileSystem& files, std::string state_dir, std::vector<Manifest::StateEntry> entries)
      : files_(files), state_dir_(std::move(state_dir)), entries_(std::move(entries)) {}

  Result<std::map<std::string, std::vector<TableSnapshot>>> Read(const std::string& operator_name) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (const auto found = cache_.find(operator_name); found != cache_.end()) return found->second;
    std::map<std::string, std::vector<TableSnapshot>> tables;
    for (const auto& [subtask, file] : entries_) {
      if (file.operator_name != operator_name) continue;
      TM_ASSIGN_OR_RETURN(TableSnapshot snapshot, ReadSnapshotFile(files_, state_dir_, file));
      tables[file.table].push_back(std::move(snapshot));
    }
    cache_[operator_name] = tables;
    return tables;
  }

 private:
  FileSystem& files_;
  const std::string state_dir_;
  const std::vector<Manifest::StateEntry> entries_;
  std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::vector<TableSnapshot>>> cache_;
};

// Of the splits that something was read from.
std::map<std::string, std::string> PositionsOf(const std::map<std::string, SplitPosition>& splits) {
  std::map<std::string, std::string> positions;
  for (const auto& [split, position] : splits) {
    if (position.position.has_value()) positions[split] = *position.position;
  }
  return positions;
}

}  // namespace

EpochCoordinator::EpochCoordinator(Options options, Dataflow& dataflow, JournalStore* journals)
    : options_(std::move(options)),
      dataflow_(dataflow),
      journals_(journals),
      manifests_(*options_.files, options_.state_dir),
      next_epoch_(options_.first_epoch) {
  const Labels labels = {{"pipeline", options_.job}};
  duration_ = options_.metrics->GetHistogram("tidemill_checkpoint_duration_seconds",
                                             "From an epoch's barrier to its commit.", labels);
  commit_duration_ =
      options_.metrics->GetHistogram("tidemill_sink_commit_seconds", "Committing all sinks of an epoch.", labels);
  size_ = options_.metrics->GetGauge("tidemill_checkpoint_size_bytes", "State written by the last epoch.", labels);
  state_size_ = options_.metrics->GetGauge("tidemill_state_size_bytes",
                                           "Memory of all operators' state, as of the last epoch.", labels);
  state_keys_gauge_ =
      options_.metrics->GetGauge("tidemill_state_keys", "Keys in all operators' state, as of the last epoch.", labels);
  Labels done = labels;
  done.emplace_back("result", "completed");
  completed_ = options_.metrics->GetCounter("tidemill_checkpoints_total", "Epochs.", done);
  last_success_ = options_.metrics->GetGauge("tidemill_checkpoint_last_success_timestamp_seconds",
                                             "When the last epoch was committed.", labels);
}

void EpochCoordinator::Trigger() {
  TM_CHECK(!pending_.has_value());
  pending_.emplace();
  pending_->mark = {next_epoch_++, FullIsDue()};
  pending_->since_ns = options_.clock->MonotonicNanos();
  pending_->manifest.epoch = pending_->mark.epoch;
  pending_->manifest.job = options_.job;
  pending_->manifest.parallelism = options_.parallelism;
  pending_->manifest.operators = options_.operators;
  dataflow_.RequestEpoch(pending_->mark);
}

bool EpochCoordinator::FullIsDue() const {
  return deltas_ < 0 || deltas_ >= options_.deltas_max || delta_bytes_ > 2 * full_bytes_ + (4 << 20);
}

Result<bool> EpochCoordinator::OnAnswer(EpochAnswer answer) {
  TM_CHECK(pending_.has_value() && answer.part.mark.epoch == pending_->mark.epoch);
  Pending& pending = *pending_;
  for (TableSnapshot& snapshot : answer.part.snapshots)
    pending.snapshots.emplace_back(answer.part.subtask, std::move(snapshot));
  for (auto& [sink, handle] : answer.part.handles) pending.manifest.sinks[sink].push_back(std::move(handle));
  for (auto& [split, position] : answer.positions) pending.manifest.sources[answer.source][split] = std::move(position);
  pending.state_bytes += answer.part.state_bytes;
  pending.state_keys += answer.part.state_keys;
  if (++pending.answers < dataflow_.num_subtasks()) return false;
  TM_RETURN_IF_ERROR(Complete(pending));
  pending_.reset();
  return true;
}

Status EpochCoordinator::Complete(Pending& pending) {
  Manifest& manifest = pending.manifest;
  // Also without saved state: what sinks make visible must not come from rows that a crash takes back.
  TM_RETURN_IF_ERROR(RetryWhenFull([&] { return MakeInputDurable(manifest); }));
  if (!options_.state_dir.empty()) {
    TM_RETURN_IF_ERROR(WriteState(pending));
    for (const auto& [key, chain] : chains_) {
      for (const StateFile& file : chain) manifest.state.push_back({std::get<2>(key), file});
    }
    if (options_.sync_rejects) TM_RETURN_IF_ERROR(RetryWhenFull(options_.sync_rejects));
    manifest.created_us = options_.clock->NowMicros();
    TM_RETURN_IF_ERROR(RetryWhenFull([&] { return manifests_.Write(manifest); }));
  }
  const int64_t commit_from = options_.clock->MonotonicNanos();
  TM_RETURN_IF_ERROR(CommitSinks(manifest));
  const int64_t now = options_.clock->MonotonicNanos();
  commit_duration_->ObserveMicros((now - commit_from) / 1000);
  TellSources(manifest);
  if (journals_ != nullptr) journals_->OnEpochDurable(manifest.epoch);
  if (!options_.state_dir.empty()) {
    manifests_.RemoveBefore(manifest.epoch);
    RemoveOldFiles();
  }
  committed_epoch_ = manifest.epoch;
  state_bytes_ = pending.state_bytes;
  state_keys_ = pending.state_keys;
  state_size_->Set(static_cast<double>(state_bytes_));
  state_keys_gauge_->Set(static_cast<double>(state_keys_));
  last_duration_ns_ = now - pending.since_ns;
  duration_->ObserveMicros(last_duration_ns_ / 1000);
  last_success_->Set(static_cast<double>(options_.clock->NowMicros()) / 1e6);
  completed_->Add();
  return Status::OK();
}

Status EpochCoordinator::WriteState(Pending& pending) {
  int64_t written = 0;
  std::map<std::string, int> number_of;  // operators by number: their names don't make file names
  for (size_t i = 0; i < pending.snapshots.size(); ++i) {
    auto& [subtask, snapshot] = pending.snapshots[i];
    std::vector<StateFile>& chain = chains_[{snapshot.operator_name, snapshot.table, subtask}];
    if (snapshot.batches.empty() && !snapshot.full) continue;  // nothing changed
    if (snapshot.full) {
      for (const StateFile& old : chain) replaced_.push_back(old.path);
      chain.clear();
      if (snapshot.batches.empty()) continue;
    }
    const int number = number_of.try_emplace(snapshot.operator_name, static_cast<int>(number_of.size())).first->second;
    const std::string path =
        fmt::format("state/epoch-{:012d}/{}-{}-{}.arrow", pending.mark.epoch, number, snapshot.table, subtask);
    StateFile file;
    TM_RETURN_IF_ERROR(RetryWhenFull([&]() -> Status {
      TM_ASSIGN_OR_RETURN(file, WriteSnapshotFile(*options_.files, options_.state_dir, path, snapshot));
      return Status::OK();
    }));
    written += file.bytes;
    chain.push_back(std::move(file));
    snapshot.batches.clear();  // memory goes as soon as it can
  }
  size_->Set(static_cast<double>(written));
  if (pending.mark.full) {
    deltas_ = 0;
    full_bytes_ = written;
    delta_bytes_ = 0;
  } else {
    ++deltas_;
    delta_bytes_ += written;
  }
  return Status::OK();
}

Status EpochCoordinator::RetryWhenFull(const std::function<Status()>& write) {
  while (true) {
    Status status = write();
    if (status.ok() || !status.Is(kDiskFull) || !options_.wait_for_room || !options_.wait_for_room()) return status;
  }
}

Status EpochCoordinator::CommitSinks(const Manifest& manifest) {
  for (const auto& [name, handles] : manifest.sinks) {
    const auto sink = dataflow_.sinks().find(name);
    TM_CHECK(sink != dataflow_.sinks().end());
    TM_RETURN_IF_ERROR(sink->second->Commit(handles).WithContext("commit of sink '" + name + "'"));
  }
  return Status::OK();
}

Status EpochCoordinator::MakeInputDurable(const Manifest& manifest) {
  for (const auto& [scan, splits] : manifest.sources) {
    TM_RETURN_IF_ERROR(
        dataflow_.sources().at(scan)->MakeDurable(PositionsOf(splits)).WithContext("input of '" + scan + "'"));
  }
  return Status::OK();
}

void EpochCoordinator::TellSources(const Manifest& manifest) {
  for (const auto& [scan, splits] : manifest.sources)
    dataflow_.sources().at(scan)->OnEpochCommitted(PositionsOf(splits));
}

void EpochCoordinator::RemoveOldFiles() {
  std::set<std::string> folders;
  for (const std::string& path : replaced_) {
    const std::string whole = JoinPath(options_.state_dir, path);
    (void)options_.files->Remove(whole).ok();
    folders.insert(DirectoryOf(whole));
  }
  for (const std::string& folder : folders) {
    const auto left = options_.files->List(folder);
    if (left.ok() && left->empty()) (void)options_.files->Remove(folder).ok();
  }
  replaced_.clear();
}

std::unique_ptr<RestoredEpoch> EpochCoordinator::MakeRestored(FileSystem& files, const std::string& state_dir,
                                                              const Manifest& manifest) {
  auto restored = std::make_unique<RestoredEpoch>();
  restored->sources = manifest.sources;
  auto reader = std::make_shared<SnapshotReader>(files, state_dir, manifest.state);
  restored->state = [reader](const std::string& operator_name) { return reader->Read(operator_name); };
  return restored;
}

void EpochCoordinator::RemoveLeftovers(FileSystem& files, const std::string& state_dir, const Manifest* manifest) {
  std::set<std::string> named;
  if (manifest != nullptr) {
    for (const auto& [subtask, file] : manifest->state) named.insert(JoinPath(state_dir, file.path));
  }
  if (!files.Exists(StateRoot(state_dir))) return;
  const auto folders = files.List(StateRoot(state_dir));
  if (!folders.ok()) return;
  for (const FileInfo& folder : *folders) {
    const auto found = files.List(folder.path);
    if (!found.ok()) continue;
    size_t kept = 0;
    for (const FileInfo& file : *found) {
      if (named.contains(file.path)) {
        ++kept;
      } else {
        (void)files.Remove(file.path).ok();
      }
    }
    if (kept == 0) (void)files.Remove(folder.path).ok();
  }
}

std::vector<Manifest::OperatorEntry> OperatorsOf(const StageGraph& graph) {
  std::vector<Manifest::OperatorEntry> operators;
  for (const StageSpec& stage : graph.stages) {
    if (stage.scan != nullptr) operators.push_back({stage.scan->name, "Scan"});
    for (const OperatorStageSpec& op : stage.operators) operators.push_back({op.name, op.type});
  }
  return operators;
}

}  // namespace tidemill
