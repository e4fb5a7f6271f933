#include "job/internal/job_runner.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/logging.h"
#include "exec/lower/lower.h"
#include "job/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kMetricsIntervalNs = 1'000'000'000;
constexpr int64_t kDiskFullRetryMs = 500;

}  // namespace

class JobRunner::Environment final : public RuntimeEnvironment {
 public:
  Environment(RuntimeEnvironment& base, JournalStore* journals) : base_(base), journals_(journals) {}
  Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan) override { return base_.MakeSource(scan); }
  Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& sink) override { return base_.MakeSink(sink); }
  Result<std::unique_ptr<Predictor>> MakePredictor(const PredictSpec& predict) override {
    return base_.MakePredictor(predict);
  }
  Result<std::unique_ptr<Journal>> MakeJournal(const std::string& operator_name, int subtask) override {
    if (journals_ == nullptr) return base_.MakeJournal(operator_name, subtask);
    return journals_->MakeJournal(operator_name, subtask);
  }
  std::unique_ptr<RejectSink> MakeRejectSink(const std::string& origin) override {
    return base_.MakeRejectSink(origin);
  }
  Status SyncRejects() override { return base_.SyncRejects(); }
  MetricsRegistry& metrics() override { return base_.metrics(); }
  const Clock& clock() override { return base_.clock(); }

 private:
  RuntimeEnvironment& base_;
  JournalStore* journals_;
};

JobRunner::JobRunner(LogicalPlan plan, RuntimeEnvironment& environment, JobOptions options)
    : plan_(std::move(plan)), environment_(environment), options_(std::move(options)), clock_(environment.clock()) {
  if (options_.files == nullptr) {
    no_files_ = std::make_unique<LocalFileSystem>();  // never used: there is no state directory
    options_.files = no_files_.get();
  }
}

JobRunner::~JobRunner() {
  Cancel();
  if (thread_.joinable()) thread_.join();
}

Status JobRunner::Begin() {
  if (!options_.state_dir.empty() && !options_.restore) {
    ManifestStore manifests(*options_.files, options_.state_dir);
    TM_RETURN_IF_ERROR(manifests.RemoveAll());
    TM_RETURN_IF_ERROR(JournalStore::RemoveAll(*options_.files, options_.state_dir));
    EpochCoordinator::RemoveLeftovers(*options_.files, options_.state_dir, nullptr);
  }
  TM_RETURN_IF_ERROR(Prepare());
  thread_ = std::thread([this] { Loop(); });
  return Status::OK();
}

Status JobRunner::Prepare() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    news_ = {};
  }
  attempt_ = std::make_unique<Attempt>();
  const bool durable = !options_.state_dir.empty();
  std::optional<Manifest> manifest;
  if (durable) {
    ManifestStore manifests(*options_.files, options_.state_dir);
    TM_ASSIGN_OR_RETURN(manifest, manifests.LoadNewest());
    EpochCoordinator::RemoveLeftovers(*options_.files, options_.state_dir, manifest ? &*manifest : nullptr);
    TM_ASSIGN_OR_RETURN(attempt_->journals,
                        JournalStore::Open(*options_.files, options_.state_dir, manifest ? manifest->epoch : 0));
  }
  attempt_->environment = std::make_unique<Environment>(environment_, attempt_->journals.get());
  if (manifest.has_value()) {
    attempt_->restored = EpochCoordinator::MakeRestored(*options_.files, options_.state_dir, *manifest);
  }

  TM_ASSIGN_OR_RETURN(StageGraph graph, LowerPlan(plan_, options_.parallelism));
  const std::vector<Manifest::OperatorEntry> operators = OperatorsOf(graph);
  DataflowOptions dataflow{.job = options_.name,
                           .parallelism = options_.parallelism,
                           .batch_rows_max = options_.batch_rows_max,
                           .pin_lanes = options_.pin_lanes,
                           .take_state = durable,
                           .settings = plan_.settings,
                           .result_sink = options_.result_sink,
                           .restored = attempt_->restored.get()};
  TM_ASSIGN_OR_RETURN(attempt_->dataflow,
                      Dataflow::Make(std::move(graph), *attempt_->environment, std::move(dataflow), *this));
  TM_RETURN_IF_ERROR(Recover(manifest));
  TM_RETURN_IF_ERROR(attempt_->dataflow->Open());

  EpochCoordinator::Options coordinator{.files = options_.files,
                                        .state_dir = options_.state_dir,
                                        .job = options_.name,
                                        .parallelism = options_.parallelism,
                                        .operators = operators,
                                        .clock = &clock_,
                                        .metrics = &environment_.metrics(),
                                        .sync_rejects = [this] { return environment_.SyncRejects(); },
                                        .wait_for_room =
                                            [this] {
                                              LogWarning("disk full: the epoch waits for room");
                                              return WaitUnlessCancelled(kDiskFullRetryMs);
                                            }};
  const int64_t greatest = attempt_->journals ? attempt_->journals->greatest_epoch() : 0;
  coordinator.first_epoch = std::max(greatest, manifest ? manifest->epoch : 0) + 1;
  attempt_->coordinator =
      std::make_unique<EpochCoordinator>(std::move(coordinator), *attempt_->dataflow, attempt_->journals.get());

  std::lock_guard<std::mutex> lock(mutex_);
  status_.restored_epoch = manifest ? manifest->epoch : 0;
  status_.epoch = status_.restored_epoch;
  status_.notes.clear();
  for (const std::string& state : attempt_->dataflow->unclaimed()) {
    status_.notes.push_back("saved state '" + state + "' fits nothing in the query and was left out");
  }
  if (manifest.has_value()) {
    const auto& now = attempt_->dataflow->sources();
    for (const auto& [scan, splits] : manifest->sources) {
      if (!now.contains(scan))
        status_.notes.push_back("saved positions of '" + scan + "' fit nothing in the query and were left out");
    }
    for (const auto& entry : manifest->operators) {
      const bool saved = std::any_of(manifest->state.begin(), manifest->state.end(),
                                     [&](const auto& state) { return state.file.operator_name == entry.name; });
      if (saved && std::find(operators.begin(), operators.end(), entry) == operators.end()) {
        status_.notes.push_back("saved state of '" + entry.name + "' fits nothing in the query and was left out");
      }
    }
  }
  for (const std::string& note : status_.notes) LogWarning(note);
  shown_ = attempt_->dataflow.get();
  return Status::OK();
}

Status JobRunner::Recover(const std::optional<Manifest>& manifest) {
  for (const auto& [name, sink] : attempt_->dataflow->sinks()) {
    std::vector<std::string> handles;
    if (manifest.has_value()) {
      const auto found = manifest->sinks.find(name);
      if (found != manifest->sinks.end()) handles = found->second;
    }
    TM_RETURN_IF_ERROR(sink->Recover(handles).WithContext("recovery of sink '" + name + "'"));
  }
  if (!manifest.has_value()) return Status::OK();
  for (const auto& [name, handles] : manifest->sinks) {
    if (!handles.empty() && !attempt_->dataflow->sinks().contains(name)) {
      return Status(kIncompatiblePlan,
                    "the saved job wrote to '" + name +
                        "', which the query no longer does; what it prepared in its last "
                        "epoch can't be committed. Run the old query once to its next epoch, then change it");
    }
  }
  return Status::OK();
}

void JobRunner::Loop() {
  int failures = 0;
  int64_t backoff_ms = options_.restart_backoff_ms;
  while (true) {
    SetState(JobStatus::State::kRunning);
    const int64_t committed_before = attempt_->coordinator->committed_epoch();
    Status status = RunAttempt();
    const bool progressed = attempt_->coordinator->committed_epoch() > committed_before;
    attempt_->dataflow->Cancel();
    attempt_->dataflow->Join();
    Publish();
    if (status.ok()) return Finish(JobStatus::State::kFinished, std::move(status));
    if (status.Is(kCancelled)) return Finish(JobStatus::State::kCancelled, std::move(status));
    if (progressed) {
      failures = 0;
      backoff_ms = options_.restart_backoff_ms;
    }
    // Without saved epochs a new attempt would begin at the beginning and write everything twice.
    while (true) {
      const bool disk_full = status.Is(kDiskFull);  // room comes back by itself: that is waited for, however long
      if (options_.state_dir.empty() || !Restartable(status) || (failures >= options_.restart_attempts && !disk_full)) {
        return Finish(JobStatus::State::kFailed, std::move(status));
      }
      ++failures;
      LogWarning("job '" + options_.name + "' restarts after: " + status.ToString());
      SetState(JobStatus::State::kRestarting);
      {
        std::lock_guard<std::mutex> lock(mutex_);
        ++status_.restarts;
        status_.error = status;
        rows_read_before_ += attempt_ && attempt_->dataflow ? attempt_->dataflow->rows_read() : 0;
        rows_written_before_ += attempt_ && attempt_->dataflow ? attempt_->dataflow->rows_written() : 0;
        shown_ = nullptr;
      }
      environment_.metrics()
          .GetCounter("tidemill_restarts_total", "Restarts of a job in this process.",
                      {{"pipeline", options_.name}, {"reason", "failure"}})
          ->Add();
      attempt_.reset();
      if (!WaitUnlessCancelled(backoff_ms))
        return Finish(JobStatus::State::kCancelled, Status(kCancelled, "the job was cancelled"));
      backoff_ms = std::min<int64_t>(backoff_ms * 2, disk_full ? 1'000 : 60'000);
      status = Prepare();
      if (status.ok()) break;
    }
  }
}

Status JobRunner::RunAttempt() {
  Dataflow& dataflow = *attempt_->dataflow;
  EpochCoordinator& coordinator = *attempt_->coordinator;
  dataflow.Start();
  const int64_t interval_ns = options_.checkpoint_interval_ms * 1'000'000;
  int64_t next_epoch_ns = clock_.MonotonicNanos() + interval_ns;
  int64_t next_metrics_ns = clock_.MonotonicNanos();
  bool ended = false;
  bool last_asked = false;  // the epoch after which the job is over
  while (true) {
    News news = WaitForNews(std::min(next_metrics_ns, coordinator.pending() ? INT64_MAX : next_epoch_ns));
    if (news.cancelled) return Status(kCancelled, "the job was cancelled");
    if (news.failure.has_value()) return *news.failure;
    ended |= news.ended;
    for (EpochAnswer& answer : news.answers) {
      TM_ASSIGN_OR_RETURN(const bool completed, coordinator.OnAnswer(std::move(answer)));
      if (!completed) continue;
      Publish();
      if (last_asked) return Status::OK();
    }
    const int64_t now = clock_.MonotonicNanos();
    if (!coordinator.pending() && (ended || news.stop || now >= next_epoch_ns)) {
      last_asked = ended || news.stop;
      next_epoch_ns = std::max(next_epoch_ns + interval_ns, now);
      coordinator.Trigger();
    }
    if (now >= next_metrics_ns) {
      dataflow.UpdateMetrics();
      next_metrics_ns = now + kMetricsIntervalNs;
    }
  }
}

JobRunner::News JobRunner::WaitForNews(int64_t until_ns) {
  std::unique_lock<std::mutex> lock(mutex_);
  const int64_t now = clock_.MonotonicNanos();
  const auto there = [&] {
    return cancel_ || news_.failure.has_value() || news_.ended || !news_.answers.empty() || (stop_ && !news_.stop);
  };
  if (!there() && until_ns > now) {
    changed_.wait_for(lock, std::chrono::nanoseconds(std::min<int64_t>(until_ns - now, kMetricsIntervalNs)), there);
  }
  News news = std::move(news_);
  news_ = {};
  news_.stop = stop_;  // known from now on
  news.cancelled = cancel_;
  news.stop = stop_;
  return news;
}

bool JobRunner::WaitUnlessCancelled(int64_t ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return cancel_; });
  return !cancel_;
}

bool JobRunner::Restartable(const Status& status) {
  if (status.Is(kSyncFailed)) return false;  // the disk's promise is gone: a new process recovers from what is there
  const ErrorDomain domain = status.code().domain;
  return domain == ErrorDomain::kExternal || domain == ErrorDomain::kInternal;
}

void JobRunner::OnEpochAnswer(EpochAnswer answer) {
  std::lock_guard<std::mutex> lock(mutex_);
  news_.answers.push_back(std::move(answer));
  changed_.notify_all();
}

void JobRunner::OnEnded() {
  std::lock_guard<std::mutex> lock(mutex_);
  news_.ended = true;
  changed_.notify_all();
}

void JobRunner::OnFailed(Status status) {
  std::lock_guard<std::mutex> lock(mutex_);
  news_.failure = std::move(status);
  changed_.notify_all();
}

Status JobRunner::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return finished_; });
  return status_.state == JobStatus::State::kFinished ? Status::OK() : status_.error;
}

bool JobRunner::WaitFor(int64_t timeout_ms) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [&] { return finished_; });
}

void JobRunner::Cancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  cancel_ = true;
  changed_.notify_all();
}

void JobRunner::Stop() {
  std::lock_guard<std::mutex> lock(mutex_);
  stop_ = true;
  changed_.notify_all();
}

void JobRunner::SetState(JobStatus::State state) {
  std::lock_guard<std::mutex> lock(mutex_);
  status_.state = state;
}

void JobRunner::Publish() {
  std::lock_guard<std::mutex> lock(mutex_);
  status_.epoch = std::max(status_.restored_epoch, attempt_->coordinator->committed_epoch());
  status_.state_bytes = attempt_->coordinator->state_bytes();
  status_.state_keys = attempt_->coordinator->state_keys();
}

void JobRunner::Finish(JobStatus::State state, Status error) {
  std::lock_guard<std::mutex> lock(mutex_);
  status_.state = state;
  status_.error = std::move(error);
  finished_ = true;
  changed_.notify_all();
}

JobStatus JobRunner::status() const {
  std::lock_guard<std::mutex> lock(mutex_);
  JobStatus status = status_;
  status.records_in = rows_read_before_;
  status.records_out = rows_written_before_;
  if (shown_ == nullptr) return status;
  status.records_in += shown_->rows_read();
  status.records_out += shown_->rows_written();
  for (const Dataflow::SourceView& view : shown_->source_views()) {
    if (status.sources.empty() || status.sources.back().name != view.name) {
      status.sources.push_back({.name = view.name, .watermark = kMaxEventTime, .idle = true, .ended = true});
    }
    SourceStatus& source = status.sources.back();
    const int64_t lag = view.progress->lag.load();
    const bool ended = view.progress->ended.load();
    const bool idle = view.progress->idle.load();
    source.records_in += view.progress->rows.load();
    if (lag >= 0) source.lag_records = std::max<int64_t>(0, source.lag_records) + lag;
    if (!ended && !idle) source.watermark = std::min(source.watermark, view.progress->watermark.load());
    source.idle &= idle || ended;
    source.ended &= ended;
  }
  for (SourceStatus& source : status.sources) source.idle &= !source.ended;
  return status;
}

}  // namespace tidemill
