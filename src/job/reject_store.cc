#include "job/reject_store.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "log/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kEntryBytes = 256;  // beside its texts
constexpr int64_t kRetryMs = 200;
constexpr size_t kRowsPerAppend = 1000;

int64_t BytesOf(const RejectedRow& row) {
  return kEntryBytes + static_cast<int64_t>(row.raw.size() + row.detail.size() + row.field.size() + row.source.size());
}

// Origins are table names, but a quoted name may hold anything: what a topic can't be called becomes '_'.
std::string SafeName(const std::string& origin) {
  std::string name = origin.substr(0, 100);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  }
  return name;
}

std::string ToJson(const RejectedRow& row, int64_t now_ms) {
  nlohmann::ordered_json out = {{"reason", RejectReasonName(row.reason)},
                                {"source", row.source},
                                {"partition", row.partition},
                                {"offset", row.offset},
                                {"field", row.field},
                                {"detail", row.detail},
                                {"raw", row.raw}};
  if (row.event_time != INT64_MIN) out["event_time"] = row.event_time;
  out["refused_at"] = now_ms;
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

class RejectStore::OriginSink final : public RejectSink {
 public:
  OriginSink(RejectStore& store, std::string origin) : store_(store), origin_(std::move(origin)) {}
  void Reject(RejectedRow row) override { store_.Push(origin_, std::move(row)); }
  bool HasRoom() const override { return store_.HasRoom(); }
  void SetWake(std::function<void()> wake) override { store_.AddWake(std::move(wake)); }

 private:
  RejectStore& store_;
  const std::string origin_;
};

RejectStore::RejectStore(Options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { Loop(); });
}

RejectStore::~RejectStore() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::unique_ptr<RejectSink> RejectStore::MakeSink(const std::string& origin) {
  return std::make_unique<OriginSink>(*this, SafeName(origin));
}

void RejectStore::AddWake(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wakes_.push_back(std::move(wake));
}

void RejectStore::Push(const std::string& origin, RejectedRow row) {
  total_.fetch_add(1, std::memory_order_relaxed);
  queued_bytes_.fetch_add(BytesOf(row), std::memory_order_relaxed);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Counter*& counter = counters_[row.reason];
    if (counter == nullptr) {
      counter = options_.metrics->GetCounter("tidemill_dlq_records_total", "Rows that were refused or given up",
                                             {{"pipeline", options_.job}, {"reason", RejectReasonName(row.reason)}});
    }
    counter->Add();
    ++pushed_;
    queue_.push_back({origin, std::move(row)});
  }
  changed_.notify_all();
}

void RejectStore::Loop() {
  while (true) {
    std::deque<Entry> entries;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      entries.swap(queue_);
    }
    done_.clear();
    while (true) {
      Status status = WriteAll(entries);
      std::unique_lock<std::mutex> lock(mutex_);
      failure_ = status;
      ++tries_;
      changed_.notify_all();
      if (status.ok()) break;
      // Rows stay where they are until there is room for them; at the end of the job what can't be written is given up.
      if (stop_ || changed_.wait_for(lock, std::chrono::milliseconds(kRetryMs), [&] { return stop_; })) return;
    }
    int64_t bytes = 0;
    std::vector<std::function<void()>> wakes;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (Entry& entry : entries) {
        bytes += BytesOf(entry.row);
        std::deque<RejectedRow>& recent = recent_[entry.origin];
        recent.push_back(std::move(entry.row));
        if (recent.size() > options_.kept_in_memory) recent.pop_front();
      }
      written_ += entries.size();
      wakes = wakes_;
    }
    const int64_t before = queued_bytes_.fetch_sub(bytes);
    changed_.notify_all();
    if (before >= options_.queue_bytes_max) {
      for (const auto& wake : wakes) wake();
    }
  }
}

Status RejectStore::WriteAll(const std::deque<Entry>& entries) {
  std::map<std::string, std::vector<const RejectedRow*>> by_origin;
  for (const Entry& entry : entries) by_origin[entry.origin].push_back(&entry.row);
  for (const auto& [origin, all] : by_origin) {
    size_t& done = done_[origin];  // a second try goes on where the first stopped
    while (done < all.size()) {
      const size_t to = std::min(all.size(), done + kRowsPerAppend);
      const std::vector<const RejectedRow*> rows(all.begin() + static_cast<long>(done),
                                                 all.begin() + static_cast<long>(to));
      if (options_.log != nullptr) {
        TM_RETURN_IF_ERROR(WriteToLog(origin, rows));
      } else if (!options_.directory.empty()) {
        TM_RETURN_IF_ERROR(WriteToFile(origin, rows));
      }
      done = to;
    }
  }
  return Status::OK();
}

Status RejectStore::WriteToLog(const std::string& origin, const std::vector<const RejectedRow*>& rows) {
  const std::string topic = "dlq." + origin;
  auto partition = options_.log->partition(topic, 0);
  if (!partition.ok()) {
    const Status created = options_.log->CreateTopic(topic);
    if (!created.ok() && !created.Is(kTopicExists)) return created;
    partition = options_.log->partition(topic, 0);
    if (!partition.ok()) return partition.status();
  }
  std::deque<std::string> texts;  // what the views below point to
  std::vector<std::vector<RecordHeader>> headers(rows.size());
  std::vector<Record> records;
  for (size_t i = 0; i < rows.size(); ++i) {
    const RejectedRow& row = *rows[i];
    headers[i].push_back({"reason", RejectReasonName(row.reason)});
    headers[i].push_back({"detail", row.detail});
    headers[i].push_back({"topic", row.source});
    headers[i].push_back({"partition", texts.emplace_back(std::to_string(row.partition))});
    if (row.offset >= 0) headers[i].push_back({"offset", texts.emplace_back(std::to_string(row.offset))});
    if (!row.field.empty()) headers[i].push_back({"field", row.field});
    if (row.event_time != INT64_MIN)
      headers[i].push_back({"event_time", texts.emplace_back(std::to_string(row.event_time))});
    headers[i].push_back({"job", options_.job});
    records.push_back(
        Record{.value = row.raw, .headers = headers[i], .timestamp_ms = options_.clock->NowMicros() / 1000});
  }
  TM_ASSIGN_OR_RETURN(const int64_t first, (*partition)->Append(records));
  std::lock_guard<std::mutex> lock(mutex_);
  unsynced_[topic] = {*partition, first + static_cast<int64_t>(records.size()) - 1};
  return Status::OK();
}

Status RejectStore::WriteToFile(const std::string& origin, const std::vector<const RejectedRow*>& rows) {
  std::string text;
  for (const RejectedRow* row : rows) text += ToJson(*row, options_.clock->NowMicros() / 1000) + "\n";
  std::unique_ptr<WritableFile>& out = outs_[origin];
  if (out == nullptr) {
    TM_RETURN_IF_ERROR(options_.files->CreateDirectories(options_.directory));
    TM_ASSIGN_OR_RETURN(out, options_.files->OpenWritable(JoinPath(options_.directory, origin + ".jsonl"),
                                                          FileSystem::OpenMode::kAppend));
    TM_RETURN_IF_ERROR(options_.files->SyncDirectory(options_.directory));
  }
  TM_RETURN_IF_ERROR(out->Append(text));
  return out->Sync();  // rejects are few: simple is enough
}

Status RejectStore::Sync() {
  std::map<std::string, std::pair<std::shared_ptr<Partition>, int64_t>> unsynced;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    const uint64_t target = pushed_;
    const uint64_t tries = tries_;
    changed_.wait(lock, [&] { return written_ >= target || (tries_ > tries && !failure_.ok()) || stop_; });
    if (written_ < target) return failure_.ok() ? Status(kIoError, "rejected rows could not be written") : failure_;
    unsynced.swap(unsynced_);
  }
  for (const auto& [topic, last] : unsynced) TM_RETURN_IF_ERROR(last.first->SyncUpTo(last.second));
  return Status::OK();
}

std::vector<RejectedRow> RejectStore::Recent(const std::string& origin) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = recent_.find(SafeName(origin));
  if (found == recent_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

}  // namespace tidemill
