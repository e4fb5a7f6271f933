#include "connect/http/outbox.h"

#include <vector>

#include "base/errors.h"
#include "base/logging.h"
#include "connect/tidemill_log/log_options.h"

namespace tidemill {
namespace {

constexpr int kDrainRows = 256;
constexpr int kDrainInFlightMax = 8;

}  // namespace

HttpRequest RequestTemplate::Make(const OutgoingRow& row) const {
  HttpRequest request = base;
  request.headers.emplace_back("Idempotency-Key", row.key);
  request.body = row.body;
  return request;
}

Outbox::Outbox(Log& log, const HttpTableOptions& options, RequestTemplate request, std::string topic,
               std::string action)
    : log_(log),
      options_(options),
      request_(std::move(request)),
      topic_(std::move(topic)),
      group_("outbox/" + action) {}

Result<std::unique_ptr<Outbox>> Outbox::Open(Log& log, Network& network, const Clock& clock, MetricsRegistry& metrics,
                                             const HttpTableOptions& options, RequestTemplate request,
                                             std::string topic, std::string action) {
  auto outbox = std::unique_ptr<Outbox>(new Outbox(log, options, std::move(request), std::move(topic), action));
  TM_RETURN_IF_ERROR(EnsureTopic(log, outbox->topic_, 1));
  TM_RETURN_IF_ERROR(EnsureTopic(log, options.dead_letter_topic, 1));
  TM_ASSIGN_OR_RETURN(outbox->parked_, log.partition(outbox->topic_, 0));
  TM_ASSIGN_OR_RETURN(outbox->dead_, log.partition(options.dead_letter_topic, 0));
  outbox->dead_count_ = metrics.GetCounter("tidemill_dlq_records_total", "Rows that were refused or given up",
                                           {{"reason", "undeliverable"}});
  const auto position = log.positions().Get(outbox->group_, outbox->topic_, 0);
  outbox->position_ = std::max(position ? position->offset : 0, outbox->parked_->Offsets().log_start);
  DispatcherOptions dispatcher;
  dispatcher.in_flight_max = std::min(kDrainInFlightMax, options.in_flight_max);
  dispatcher.queued_max = kDrainRows;
  dispatcher.retry = options.outbox_retry;
  dispatcher.action = action + "/outbox";
  outbox->dispatcher_ =
      std::make_unique<HttpDispatcher>(network, clock, metrics, dispatcher, static_cast<uint64_t>(clock.NowMicros()));
  outbox->thread_ = std::thread([self = outbox.get()] { self->Drain(); });
  return outbox;
}

Outbox::~Outbox() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;  // from here on Submit leaves the dispatcher alone
  }
  changed_.notify_all();
  dispatcher_.reset();  // what is pausing ends as given up and stays parked
  if (thread_.joinable()) thread_.join();
}

void Outbox::Park(const OutgoingRow& row, std::function<void(Status)> done) {
  const Record record{row.key, row.body};
  const Result<int64_t> offset = parked_->Append({&record, 1});
  if (!offset.ok()) return done(offset.status());
  parked_->WhenDurable(*offset, std::move(done));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    appended_ = true;
  }
  changed_.notify_all();
}

void Outbox::DeadLetter(const OutgoingRow& row, const DispatchOutcome& outcome, std::function<void(Status)> done) {
  const std::string attempts = std::to_string(outcome.attempts);
  const RecordHeader headers[] = {
      {"reason", "undeliverable"}, {"detail", outcome.detail}, {"attempts", attempts}, {"action", group_}};
  Record record{row.key, row.body};
  record.headers = headers;
  const Result<int64_t> offset = dead_->Append({&record, 1});
  if (!offset.ok()) return done(offset.status());
  dead_count_->Add();
  dead_->WhenDurable(*offset, std::move(done));
}

void Outbox::Drain() {
  PartitionReader reader(parked_, position_);
  while (true) {
    bool idle = false;
    const Status status = DrainSome(reader, &idle);
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopping_) return;
    if (!status.ok()) {
      LogWarning("outbox " + topic_ + ": " + status.ToString());
      changed_.wait_for(lock, std::chrono::seconds(1));
    } else if (idle) {
      changed_.wait(lock, [&] { return stopping_ || appended_; });
      appended_ = false;
    }
    if (stopping_) return;
  }
}

bool Outbox::Submit(const OutgoingRow& row, std::function<void(Status)> settled) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return false;
  return dispatcher_->Submit(request_.Make(row), [this, row, settled = std::move(settled)](DispatchOutcome outcome) {
    if (outcome.kind == DispatchOutcome::Kind::kDelivered) return settled(Status::OK());
    bool stopping;
    {
      std::lock_guard<std::mutex> inner(mutex_);
      stopping = stopping_;
    }
    stopping ? settled(Status(kTimeout, "stopped")) : DeadLetter(row, outcome, settled);
  });
}

// Sends the next rows and waits until each is settled; then the position moves past them.
Status Outbox::DrainSome(PartitionReader& reader, bool* idle) {
  std::vector<RecordView> records;
  TM_RETURN_IF_ERROR(reader.Seek(position_));
  TM_RETURN_IF_ERROR(reader.Poll(kDrainRows, &records));
  if (records.empty()) {
    *idle = true;
    return Status::OK();
  }
  struct Round {
    std::mutex mutex;
    std::condition_variable changed;
    size_t open = 0;
    Status failed;
  };
  auto round = std::make_shared<Round>();
  round->open = records.size();
  const auto settle = [round](Status status) {
    std::lock_guard<std::mutex> lock(round->mutex);
    if (!status.ok()) round->failed = std::move(status);
    --round->open;
    round->changed.notify_all();
  };
  for (const RecordView& record : records) {
    if (!Submit({std::string(record.key), std::string(record.value), 0}, settle)) settle(Status(kTimeout, "stopped"));
  }
  std::unique_lock<std::mutex> lock(round->mutex);
  round->changed.wait(lock, [&] { return round->open == 0; });
  TM_RETURN_IF_ERROR(round->failed);
  position_ = reader.position();
  return log_.positions().Commit(group_, {{topic_, 0, position_, "", 0}});
}

}  // namespace tidemill
