#include "feature/feature_store.h"

#include <algorithm>
#include <atomic>
#include <set>

#include <arrow/api.h>

#include "base/config.h"
#include "base/logging.h"
#include "data/batch.h"
#include "feature/errors.h"
#include "feature/internal/online_view.h"
#include "feature/internal/worker.h"
#include "feature/offline_writer.h"

namespace tidemill {
namespace {

constexpr int64_t kWriterBytesMax = 32 << 20;
// Syncs wait for the disk, not for a core.
constexpr int kSyncThreads = 8;
constexpr char kViewFile[] = "view.arrow";

// A registered view. Immutable but for what is inside `online`.
struct ViewEntry {
  FeatureView view;
  std::unique_ptr<OnlineView> online;  // null when the view is offline only
  Counter* written_online = nullptr;
  Counter* written_offline = nullptr;
  Counter* stale = nullptr;
  Counter* requests[4] = {};
  Histogram* write_seconds = nullptr;
  Histogram* read_seconds = nullptr;
};

bool SameIdentity(const FeatureView& a, const FeatureView& b) {
  if (a.entities != b.entities || a.event_time != b.event_time) return false;
  for (const std::string& entity : a.entities) {
    if (!a.schema.field(*a.schema.IndexOf(entity)).type.SameAs(b.schema.field(*b.schema.IndexOf(entity)).type))
      return false;
  }
  return true;
}

}  // namespace

struct FeatureStore::State {
  State(FileSystem& files, const Clock& clock, MetricsRegistry& metrics, std::string directory,
        FeatureStoreOptions options)
      : files(files),
        clock(clock),
        metrics(metrics),
        directory(std::move(directory)),
        options(options),
        merger(options.background, true) {
    for (int i = 0; i < std::max(1, options.threads); ++i)
      workers.push_back(std::make_unique<Worker>(options.background));
  }

  int sync_threads() const { return options.background ? kSyncThreads : 1; }
  std::string ViewFolder(const std::string& name) const { return JoinPath(JoinPath(directory, "views"), name); }

  Result<std::shared_ptr<ViewEntry>> Find(const std::string& name) const {
    const std::lock_guard lock(mutex);
    const auto found = views.find(name);
    if (found != views.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [other, entry] : views) names.push_back(other);
    const std::string nearest = NearestName(name, names);
    const Status status(kViewNotFound, "there is no feature view '" + name + "'");
    return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
  }

  Result<std::shared_ptr<ViewEntry>> OpenEntry(FeatureView view) {
    auto entry = std::make_shared<ViewEntry>();
    if (view.online) {
      TM_ASSIGN_OR_RETURN(entry->online, OnlineView::Open(files, ViewFolder(view.name), view, options.read_only));
    }
    const auto labels = [&view](std::string key = "", std::string value = "") {
      Labels all = {{"feature_view", view.name}};
      if (!key.empty()) all.emplace_back(std::move(key), std::move(value));
      return all;
    };
    constexpr const char* kWrittenHelp = "Rows written to a feature view.";
    entry->written_online =
        metrics.GetCounter("tidemill_feature_rows_written_total", kWrittenHelp, labels("store", "online"));
    entry->written_offline =
        metrics.GetCounter("tidemill_feature_rows_written_total", kWrittenHelp, labels("store", "offline"));
    entry->stale = metrics.GetCounter("tidemill_feature_stale_rows_total",
                                      "Rows left out online: the entity had a newer one.", labels());
    entry->write_seconds =
        metrics.GetHistogram("tidemill_feature_write_latency_seconds", "Time to write a batch online.", labels());
    entry->read_seconds = metrics.GetHistogram("tidemill_feature_read_seconds", "Time of an online read.", labels());
    for (int status = 0; status < 4; ++status) {
      entry->requests[status] =
          metrics.GetCounter("tidemill_feature_requests_total", "Feature values asked for, by what came of it.",
                             labels("status", FeatureStatusName(static_cast<FeatureStatus>(status))));
    }
    entry->view = std::move(view);
    return entry;
  }

  // Unique among the writers and merges of this folder, over restarts.
  std::string NextId() {
    std::string id;
    for (int64_t now = clock.NowMicros(); now > 0; now /= 36) id += "0123456789abcdefghijklmnopqrstuvwxyz"[now % 36];
    std::reverse(id.begin(), id.end());
    return id + "x" + std::to_string(next_id.fetch_add(1));
  }

  void MergeDays(const FeatureView& view, const std::set<std::string>& days) {
    if (!options.merge_offline) return;
    for (const std::string& day : days) {
      const Result<bool> merged =
          MergeDay(files, view.offline_path, day, options.merge, NextId(), {view.compression, view.event_time});
      if (!merged.ok())
        LogWarning("feature store: files of '" + view.name + "', " + day +
                   ", are not merged: " + merged.status().ToString());
    }
  }

  void ReportFreshness() {
    const std::lock_guard lock(mutex);
    for (const auto& [name, entry] : views) {
      if (entry->online == nullptr || entry->online->table().newest_event_time() == kMinEventTime) continue;
      metrics
          .GetGauge("tidemill_feature_freshness_seconds", "Now less the newest event time of a feature view.",
                    {{"feature_view", name}})
          ->Set(static_cast<double>(clock.NowMicros() / 1000 - entry->online->table().newest_event_time()) / 1000.0);
    }
  }

  FileSystem& files;
  const Clock& clock;
  MetricsRegistry& metrics;
  const std::string directory;
  const FeatureStoreOptions options;
  std::unique_ptr<FileLock> lock;
  mutable std::mutex mutex;  // of `views`
  std::mutex register_mutex;
  std::map<std::string, std::shared_ptr<ViewEntry>> views;
  std::atomic<int64_t> next_id{0};
  // Last: they stop first.
  Worker merger;
  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<size_t> next_worker{0};
};

namespace {

// What a writer and its thread of the store share.
struct Channel {
  Channel(FeatureStore::State& state, const FeatureView& view, const std::string& subtask, std::function<void()> wake)
      : worker(*state.workers[state.next_worker.fetch_add(1) % state.workers.size()]),
        offline(state.files, view, subtask, state.NextId(), state.sync_threads()),
        wake(std::move(wake)) {}
  Worker& worker;         // all of the writer's files are written there, in order
  OfflineWriter offline;  // on `worker` only
  std::function<void()> wake;
  std::atomic<int64_t> waiting_bytes{0};
  std::mutex mutex;
  Status error;
  int64_t prepared_epoch = -1;
  std::string handle;

  void Fail(const Status& status) {
    const std::lock_guard lock(mutex);
    if (error.ok()) error = status;
  }
  Status Error() {
    const std::lock_guard lock(mutex);
    return error;
  }
};

class StoreWriter final : public FeatureWriter {
 public:
  StoreWriter(FeatureStore::State& state, std::shared_ptr<ViewEntry> entry, std::shared_ptr<Channel> channel,
              std::unique_ptr<KeyEncoder> keys)
      : state_(state), entry_(std::move(entry)), channel_(std::move(channel)), keys_(std::move(keys)) {}

  Status Write(const std::shared_ptr<arrow::RecordBatch>& rows) override {
    TM_RETURN_IF_ERROR(channel_->Error());
    if (entry_->online != nullptr) {
      const int64_t start = state_.clock.MonotonicNanos();
      TM_ASSIGN_OR_RETURN(const UpsertCounts counts, entry_->online->table().Upsert(*rows, *keys_, true));
      entry_->write_seconds->ObserveMicros((state_.clock.MonotonicNanos() - start) / 1000);
      entry_->written_online->Add(counts.written);
      entry_->stale->Add(counts.stale);
    }
    if (!entry_->view.offline) return Status::OK();
    const int64_t bytes = Batch{rows}.num_bytes();
    channel_->waiting_bytes.fetch_add(bytes);
    channel_->worker.Post([channel = channel_, entry = entry_, rows, bytes, now_ms = state_.clock.NowMicros() / 1000] {
      const Status added = channel->Error().ok() ? channel->offline.Add(rows, now_ms) : Status::OK();
      if (!added.ok()) channel->Fail(added);
      entry->written_offline->Add(rows->num_rows());
      const int64_t before = channel->waiting_bytes.fetch_sub(bytes);
      if ((before > kWriterBytesMax && before - bytes <= kWriterBytesMax) || !added.ok()) channel->wake();
    });
    return Status::OK();
  }

  bool HasRoom() const override { return channel_->waiting_bytes.load() <= kWriterBytesMax; }

  Result<std::optional<std::string>> Prepare(int64_t epoch) override {
    if (asked_epoch_ != epoch) {
      asked_epoch_ = epoch;
      channel_->worker.Post([channel = channel_, entry = entry_, epoch] {
        const Result<std::string> handle = PrepareNow(*channel, *entry, epoch);
        if (!handle.ok()) channel->Fail(handle.status());
        {
          const std::lock_guard lock(channel->mutex);
          channel->prepared_epoch = epoch;
          if (handle.ok()) channel->handle = *handle;
        }
        channel->wake();
      });
    }
    const std::lock_guard lock(channel_->mutex);
    if (!channel_->error.ok()) return channel_->error;
    if (channel_->prepared_epoch != epoch) return std::optional<std::string>();
    return std::optional<std::string>(channel_->handle);
  }

 private:
  static Result<std::string> PrepareNow(Channel& channel, ViewEntry& entry, int64_t epoch) {
    TM_RETURN_IF_ERROR(channel.Error());
    if (entry.online != nullptr) TM_RETURN_IF_ERROR(entry.online->Flush());
    TM_ASSIGN_OR_RETURN(const OfflineHandle handle, channel.offline.Prepare(epoch));
    return EncodeOfflineHandle(handle);
  }

  FeatureStore::State& state_;
  std::shared_ptr<ViewEntry> entry_;
  std::shared_ptr<Channel> channel_;
  std::unique_ptr<KeyEncoder> keys_;
  int64_t asked_epoch_ = -1;
};

Result<std::vector<OfflineHandle>> Decode(std::span<const std::string> handles) {
  std::vector<OfflineHandle> decoded;
  for (const std::string& text : handles) {
    if (text.empty()) continue;
    TM_ASSIGN_OR_RETURN(decoded.emplace_back(), DecodeOfflineHandle(text));
  }
  return decoded;
}

}  // namespace

const char* FeatureStatusName(FeatureStatus status) {
  switch (status) {
    case FeatureStatus::kPresent:
      return "PRESENT";
    case FeatureStatus::kNotFound:
      return "NOT_FOUND";
    case FeatureStatus::kNullValue:
      return "NULL_VALUE";
    case FeatureStatus::kOutsideMaxAge:
      return "OUTSIDE_MAX_AGE";
  }
  return "INVALID";
}

FeatureStore::FeatureStore(std::shared_ptr<State> state) : state_(std::move(state)) {}
FeatureStore::~FeatureStore() { Drain(); }

Result<std::unique_ptr<FeatureStore>> FeatureStore::Open(FileSystem& files, const Clock& clock,
                                                         MetricsRegistry& metrics, std::string directory,
                                                         FeatureStoreOptions options) {
  auto state = std::make_shared<State>(files, clock, metrics, std::move(directory), options);
  const std::string views = JoinPath(state->directory, "views");
  if (!options.read_only) {
    TM_RETURN_IF_ERROR(files.CreateDirectories(views));
    TM_ASSIGN_OR_RETURN(state->lock, files.Lock(JoinPath(state->directory, "LOCK")));
  }
  Result<std::vector<FileInfo>> listed = files.List(views);
  if (!listed.ok() && !(options.read_only && listed.status().Is(kFileNotFound))) return listed.status();
  for (const FileInfo& folder : listed.ok() ? *listed : std::vector<FileInfo>{}) {
    const std::string file = JoinPath(folder.path, kViewFile);
    if (!folder.is_directory || !files.Exists(file)) continue;
    TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, file, 16 << 20));
    Result<FeatureView> view = DecodeView(bytes);
    if (!view.ok()) return view.status().WithContext(file);
    const std::string name = view->name;
    TM_ASSIGN_OR_RETURN(state->views[name], state->OpenEntry(*std::move(view)));
  }
  metrics.AddCollector([weak = std::weak_ptr<State>(state)] {
    if (const auto alive = weak.lock()) alive->ReportFreshness();
  });
  return std::unique_ptr<FeatureStore>(new FeatureStore(std::move(state)));
}

Status FeatureStore::RegisterView(FeatureView view) {
  if (state_->options.read_only)
    return Status(kInternalError, "a feature view can't be registered in a store that is open for reading");
  TM_RETURN_IF_ERROR(view.Check());
  const std::lock_guard lock(state_->register_mutex);
  if (view.offline_path.empty()) view.offline_path = JoinPath(JoinPath(state_->directory, "offline"), view.name);
  std::shared_ptr<ViewEntry> old;
  if (const auto found = state_->Find(view.name); found.ok()) old = *found;
  TM_ASSIGN_OR_RETURN(const std::string bytes, EncodeView(view));
  if (old != nullptr) {
    TM_ASSIGN_OR_RETURN(const std::string old_bytes, EncodeView(old->view));
    if (old_bytes == bytes) return Status::OK();
    if (!SameIdentity(old->view, view)) {
      return Status(kViewMismatch,
                    "feature view '" + view.name + "' has other entities or another event time than before")
          .WithNote("before: " + old->view.schema.ToString())
          .WithNote("now: " + view.schema.ToString());
    }
    if (old->online != nullptr) TM_RETURN_IF_ERROR(old->online->Flush());
  }
  TM_RETURN_IF_ERROR(state_->files.CreateDirectories(state_->ViewFolder(view.name)));
  TM_RETURN_IF_ERROR(WriteFileAtomically(state_->files, JoinPath(state_->ViewFolder(view.name), kViewFile), bytes));
  const std::string name = view.name;
  TM_ASSIGN_OR_RETURN(std::shared_ptr<ViewEntry> entry, state_->OpenEntry(std::move(view)));
  const std::lock_guard views_lock(state_->mutex);
  state_->views[name] = std::move(entry);
  return Status::OK();
}

Result<FeatureView> FeatureStore::FindView(const std::string& name) const {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(name));
  return entry->view;
}

std::vector<FeatureView> FeatureStore::views() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<FeatureView> views;
  for (const auto& [name, entry] : state_->views) views.push_back(entry->view);
  return views;
}

Result<FeatureViewStatistics> FeatureStore::Statistics(const std::string& name) const {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(name));
  FeatureViewStatistics statistics;
  if (entry->online != nullptr) {
    const OnlineTable& table = entry->online->table();
    statistics = {table.size(), table.bytes(), table.newest_event_time()};
  }
  return statistics;
}

Result<std::unique_ptr<FeatureWriter>> FeatureStore::OpenWriter(const std::string& view, int subtask,
                                                                std::function<void()> wake) {
  TM_ASSIGN_OR_RETURN(std::shared_ptr<ViewEntry> entry, state_->Find(view));
  std::unique_ptr<KeyEncoder> keys;
  if (entry->online != nullptr) {
    TM_ASSIGN_OR_RETURN(keys, entry->online->table().MakeKeyEncoder());
  }
  if (wake == nullptr) wake = [] {};
  auto channel = std::make_shared<Channel>(*state_, entry->view, std::to_string(subtask), std::move(wake));
  return std::unique_ptr<FeatureWriter>(
      std::make_unique<StoreWriter>(*state_, std::move(entry), std::move(channel), std::move(keys)));
}

Status FeatureStore::Commit(const std::string& view, std::span<const std::string> handles) {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(view));
  TM_ASSIGN_OR_RETURN(const std::vector<OfflineHandle> decoded, Decode(handles));
  std::set<std::string> days;
  for (const OfflineHandle& handle : decoded) {
    TM_RETURN_IF_ERROR(CommitOffline(state_->files, entry->view.offline_path, handle, state_->sync_threads()));
    for (const std::string& part : handle.parts) days.insert(DirectoryOf(part));
  }
  if (!days.empty())
    state_->merger.Post([state = state_.get(), entry, days = std::move(days)] { state->MergeDays(entry->view, days); });
  return Status::OK();
}

Status FeatureStore::Recover(const std::string& view, std::span<const std::string> handles) {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(view));
  TM_ASSIGN_OR_RETURN(const std::vector<OfflineHandle> decoded, Decode(handles));
  return RecoverOffline(state_->files, entry->view.offline_path, decoded, state_->sync_threads());
}

Result<OnlineAnswer> FeatureStore::GetOnline(const std::string& name, const std::vector<std::string>& features,
                                             const std::vector<std::shared_ptr<arrow::Array>>& entities) {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(name));
  const FeatureView& view = entry->view;
  if (entry->online == nullptr)
    return Status(kInvalidFeatureRequest, "feature view '" + name + "' is not online")
        .WithHint("its table says 'online.enabled' = 'false'");
  if (entities.size() != view.entities.size() || entities.empty()) {
    return Status(kInvalidFeatureRequest,
                  "feature view '" + name + "' has " + std::to_string(view.entities.size()) + " entity columns");
  }
  const int64_t start = state_->clock.MonotonicNanos();
  const std::vector<int> all = view.feature_columns();
  std::vector<int> columns;
  OnlineAnswer answer;
  for (const std::string& feature : features) {
    if (feature == "*") {
      columns.insert(columns.end(), all.begin(), all.end());
      continue;
    }
    const std::optional<int> column = view.schema.IndexOf(feature);
    if (!column || std::find(all.begin(), all.end(), *column) == all.end()) {
      const Status status(kFeatureNotFound, "feature view '" + name + "' has no feature '" + feature + "'");
      const std::string nearest = NearestName(feature, view.schema.names());
      return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
    }
    columns.push_back(*column);
  }
  const OnlineTable& table = entry->online->table();
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<KeyEncoder> keys, table.MakeKeyEncoder());
  const int64_t n = entities[0]->length();
  TM_ASSIGN_OR_RETURN(OnlineRows rows, table.Get(entities, n, columns, *keys));
  const int64_t oldest = view.ttl_ms > 0 ? state_->clock.NowMicros() / 1000 - view.ttl_ms : kMinEventTime;
  int64_t counts[4] = {};
  for (size_t f = 0; f < columns.size(); ++f) {
    answer.features.push_back(view.schema.field(columns[f]).name);
    std::vector<FeatureStatus> statuses(n, FeatureStatus::kPresent);
    for (int64_t i = 0; i < n; ++i) {
      if (!rows.found[i])
        statuses[i] = FeatureStatus::kNotFound;
      else if (rows.event_times[i] < oldest)
        statuses[i] = FeatureStatus::kOutsideMaxAge;
      else if (rows.values[f]->IsNull(i))
        statuses[i] = FeatureStatus::kNullValue;
      ++counts[static_cast<int>(statuses[i])];
    }
    answer.statuses.push_back(std::move(statuses));
  }
  for (int status = 0; status < 4; ++status) entry->requests[status]->Add(counts[status]);
  answer.values = std::move(rows.values);
  answer.event_times = std::move(rows.event_times);
  entry->read_seconds->ObserveMicros((state_->clock.MonotonicNanos() - start) / 1000);
  return answer;
}

Status FeatureStore::Push(const std::string& name, const std::shared_ptr<arrow::RecordBatch>& rows, PushTarget target) {
  TM_ASSIGN_OR_RETURN(const std::shared_ptr<ViewEntry> entry, state_->Find(name));
  if (state_->options.read_only) return Status(kInternalError, "the feature store is open for reading");
  if (target.online && entry->online == nullptr)
    return Status(kInvalidFeatureRequest, "feature view '" + name + "' is not online");
  if (target.offline && !entry->view.offline)
    return Status(kInvalidFeatureRequest, "feature view '" + name + "' is not offline");
  if (target.offline) {
    // Epoch 0: of no job. The file is visible when this returns.
    OfflineWriter writer(state_->files, entry->view, "push", state_->NextId());
    TM_RETURN_IF_ERROR(writer.Add(rows, state_->clock.NowMicros() / 1000));
    TM_ASSIGN_OR_RETURN(const OfflineHandle handle, writer.Prepare(0));
    TM_RETURN_IF_ERROR(Commit(name, std::vector<std::string>{EncodeOfflineHandle(handle)}));
    entry->written_offline->Add(rows->num_rows());
  }
  if (target.online) {
    OnlineTable& table = entry->online->table();
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<KeyEncoder> keys, table.MakeKeyEncoder());
    TM_ASSIGN_OR_RETURN(const UpsertCounts counts, table.Upsert(*rows, *keys, true));
    entry->written_online->Add(counts.written);
    entry->stale->Add(counts.stale);
    TM_RETURN_IF_ERROR(entry->online->Flush());
  }
  return Status::OK();
}

void FeatureStore::Drain() {
  for (const auto& worker : state_->workers) worker->Drain();
  state_->merger.Drain();
}
FileSystem& FeatureStore::files() const { return state_->files; }
const Clock& FeatureStore::clock() const { return state_->clock; }

}  // namespace tidemill
