#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/logging.h"
#include "base/random.h"
#include "base/simulated_file_system.h"
#include "log/errors.h"
#include "log/log.h"

namespace tidemill {

#define TM_ASSERT_OK(expression)                                        \
  do {                                                                  \
    const ::tidemill::Status tm_ok_ = ::tidemill::AsStatus(expression); \
    ASSERT_TRUE(tm_ok_.ok()) << tm_ok_.ToString();                      \
  } while (false)
#define TM_EXPECT_OK(expression)                                        \
  do {                                                                  \
    const ::tidemill::Status tm_ok_ = ::tidemill::AsStatus(expression); \
    EXPECT_TRUE(tm_ok_.ok()) << tm_ok_.ToString();                      \
  } while (false)

inline Status AsStatus(const Status& status) { return status; }
template <typename T>
Status AsStatus(const Result<T>& result) {
  return result.ok() ? Status::OK() : result.status();
}

inline Record Value(std::string_view value, int64_t timestamp_ms = 1'000) { return {{}, value, {}, timestamp_ms}; }

// A log on a simulated disk, in one thread: repeatable.
class SimulatedLogTest : public ::testing::Test {
 protected:
  void OpenLog() {
    auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    log_ = *std::move(opened);
  }
  Result<std::unique_ptr<Log>> TryOpen() { return Log::Open(files_, clock_, "data/log", {.background_thread = false}); }
  void CrashAndOpen(uint64_t seed) {
    CrashOnly(seed);
    OpenLog();
  }
  // The process dies: what it still wants to write while its objects go away must not reach the disk.
  void CrashOnly(uint64_t seed) {
    files_.StopAfter(0);
    log_.reset();
    files_.Crash(seed);
  }
  void Reopen() {
    log_.reset();
    OpenLog();
  }
  void KillOnly() {
    files_.StopAfter(0);
    log_.reset();
    files_.Kill();
  }
  void StartAnew() {
    CrashOnly(0);
    TM_ASSERT_OK(RemoveRecursively(files_, "data"));
    OpenLog();
  }

  std::shared_ptr<Partition> Get(const std::string& topic = "t", int32_t index = 0) {
    auto partition = log_->partition(topic, index);
    EXPECT_TRUE(partition.ok()) << AsStatus(partition).ToString();
    return partition.ok() ? *partition : nullptr;
  }
  Result<int64_t> AppendValue(std::string_view value, int64_t timestamp_ms = 1'000, const std::string& topic = "t") {
    const Record record = Value(value, timestamp_ms);
    return Get(topic)->Append({&record, 1});
  }

  static Result<std::vector<std::string>> ReadValues(std::shared_ptr<Partition> partition, int64_t offset,
                                                     IsolationLevel isolation = IsolationLevel::kReadCommitted,
                                                     int poll = 100) {
    PartitionReader reader(std::move(partition), offset, {.isolation = isolation, .chunk_bytes = 8192});
    std::vector<RecordView> records;
    std::vector<std::string> values;
    do {
      TM_RETURN_IF_ERROR(reader.Poll(poll, &records));
      for (const RecordView& record : records) values.emplace_back(record.value);
    } while (!records.empty());
    return values;
  }
  std::vector<std::string> Values(IsolationLevel isolation = IsolationLevel::kReadCommitted,
                                  const std::string& topic = "t", int32_t index = 0) {
    auto partition = Get(topic, index);
    auto values = ReadValues(partition, partition->Offsets().log_start, isolation);
    EXPECT_TRUE(values.ok()) << AsStatus(values).ToString();
    return values.ok() ? *values : std::vector<std::string>{};
  }

  ManualClock clock_{1'700'000'000'000'000};
  SimulatedFileSystem files_{&clock_};
  std::unique_ptr<Log> log_;
};

// Open from the start, and without the lines that crashes and cut tails leave in the log output.
class QuietLogTest : public SimulatedLogTest {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    OpenLog();
  }
  void TearDown() override {
    log_.reset();
    SetLogLevel(LogLevel::kInfo);
  }
};

}  // namespace tidemill
