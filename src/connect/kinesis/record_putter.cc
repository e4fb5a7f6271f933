#include "connect/kinesis/record_putter.h"

#include <chrono>

#include "base/logging.h"
#include "base/random.h"
#include "connect/guard/retry_policy.h"

namespace tidemill {
namespace {

constexpr size_t kCallBytesMax = 4 << 20;  // Kinesis: 5 MiB
constexpr auto kPutLogEvery = std::chrono::seconds(10);
constexpr RetryPolicy kPutRetry{INT32_MAX, 100, 10'000};

size_t SizeOf(const KinesisOutgoing& record) { return record.data.size() + record.partition_key.size(); }

int64_t SizeOfAll(const std::vector<KinesisOutgoing>& records) {
  size_t size = 0;
  for (const KinesisOutgoing& record : records) size += SizeOf(record);
  return static_cast<int64_t>(size);
}

}  // namespace

RecordPutter::RecordPutter(std::shared_ptr<KinesisClient> client, int64_t bytes_max, std::function<void()> wake)
    : client_(std::move(client)), bytes_max_(bytes_max), wake_(std::move(wake)) {
  thread_ = std::thread([this] { Run(); });
}

RecordPutter::~RecordPutter() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  stop_->Stop();
  thread_.join();
}

void RecordPutter::Add(std::vector<KinesisOutgoing> records) {
  if (records.empty()) return;
  left_.fetch_add(static_cast<int64_t>(records.size()), std::memory_order_acq_rel);
  bytes_.fetch_add(SizeOfAll(records), std::memory_order_acq_rel);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (KinesisOutgoing& record : records) waiting_.push_back(std::move(record));
  }
  changed_.notify_all();
}

Status RecordPutter::failed() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_;
}

void RecordPutter::Settle(int64_t records, int64_t bytes) {
  const int64_t before = bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
  const bool last = left_.fetch_sub(records, std::memory_order_acq_rel) == records;
  if ((last || (before >= bytes_max_ && before - bytes < bytes_max_)) && wake_) wake_();
}

// Waits for records; empty when it is over.
std::vector<KinesisOutgoing> RecordPutter::NextCall() {
  std::vector<KinesisOutgoing> call;
  size_t bytes = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  if (stopping_) return call;
  while (!waiting_.empty() && call.size() < static_cast<size_t>(client_->options().batch_records_max)) {
    const size_t size = SizeOf(waiting_.front());
    if (!call.empty() && bytes + size > kCallBytesMax) break;
    bytes += size;
    call.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return call;
}

bool RecordPutter::PutAll(std::vector<KinesisOutgoing> records) {
  Random random(reinterpret_cast<uintptr_t>(this));
  int failures = 0;
  auto log_at = std::chrono::steady_clock::time_point();
  while (!records.empty()) {
    std::vector<size_t> left;
    std::string why;
    const Status status = client_->PutRecords(records, stop_, &left, &why);
    if (stop_->stopped()) return false;
    if (!status.ok() && !IsPassingKinesisError(status)) {
      {
        std::lock_guard<std::mutex> lock(mutex_);
        failed_ = status;
      }
      if (wake_) wake_();
      return false;
    }
    if (status.ok()) {
      const int64_t bytes = SizeOfAll(records);
      const auto count = static_cast<int64_t>(records.size());
      std::vector<KinesisOutgoing> again;
      for (const size_t number : left) again.push_back(std::move(records[number]));
      if (again.size() < records.size()) failures = 0;
      records = std::move(again);
      Settle(count - static_cast<int64_t>(records.size()), bytes - SizeOfAll(records));
      if (records.empty()) return true;
    } else {
      why = status.message();
    }
    ++failures;
    if (const auto now = std::chrono::steady_clock::now(); now >= log_at) {
      LogWarning("writing to stream '" + client_->options().stream + "' waits: " + why);
      log_at = now + kPutLogEvery;
    }
    if (!stop_->SleepMs(kPutRetry.PauseMs(failures, random))) return false;
  }
  return true;
}

void RecordPutter::Run() {
  while (true) {
    std::vector<KinesisOutgoing> call = NextCall();
    if (call.empty() || !PutAll(std::move(call))) return;
  }
}

}  // namespace tidemill
