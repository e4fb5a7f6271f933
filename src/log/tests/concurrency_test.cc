#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tests/temp_folder.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

// On the real disk, with the log's own thread.
class ConcurrencyTest : public ::testing::Test {
 protected:
  void SetUp() override { OpenLog(); }
  void OpenLog() {
    log_.reset();
    auto opened = Log::Open(files_, clock_, folder_.path(), {.housekeeping_interval_ms = 20, .metrics = &metrics_});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    log_ = *std::move(opened);
  }

  LocalFileSystem files_;
  SystemClock clock_;
  MetricsRegistry metrics_;
  testing::TempFolder folder_;
  std::unique_ptr<Log> log_;
};

TEST_F(ConcurrencyTest, AppendersShareFsyncsAndAReaderFollowsLive) {
  constexpr int kThreads = 8, kEach = 300;
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 32 << 10}));
  auto partition = *log_->partition("t", 0);

  std::mutex mutex;
  std::condition_variable changed;
  bool woken = false;
  std::vector<std::string> seen;
  std::thread reader([&] {
    auto subscription = partition->Subscribe([&] {
      std::lock_guard lock(mutex);
      woken = true;
      changed.notify_one();
    });
    PartitionReader reader(partition, 0);
    std::vector<RecordView> records;
    while (seen.size() < kThreads * kEach) {
      subscription->Arm();
      TM_ASSERT_OK(reader.Poll(64, &records));
      for (const RecordView& record : records) {
        EXPECT_EQ(record.offset, static_cast<int64_t>(seen.size()));
        seen.emplace_back(record.value);
      }
      if (!records.empty()) continue;
      std::unique_lock lock(mutex);
      ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return woken; }));
      woken = false;
    }
  });

  std::atomic<int> called_back{0};
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        const Record record = Value(text);
        const auto offset = partition->Append({&record, 1});
        ASSERT_TRUE(offset.ok());
        if (t % 2 == 0) {
          ASSERT_TRUE(partition->SyncUpTo(*offset).ok());
          ASSERT_GT(partition->Offsets().durable_end, *offset);
        } else {
          partition->WhenDurable(*offset, [&](const Status& status) { called_back += status.ok(); });
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  reader.join();
  // In each writer's own order, nothing lost, nothing twice.
  std::vector<int> next(kThreads, 0);
  for (const std::string& text : seen) {
    const size_t colon = text.find(':');
    const int t = std::stoi(text.substr(0, colon));
    EXPECT_EQ(std::stoi(text.substr(colon + 1)), next[static_cast<size_t>(t)]++);
  }
  const int64_t syncs = metrics_.GetHistogram("tidemill_log_sync_seconds", "")->count();
  EXPECT_LT(syncs, kThreads * kEach * 3 / 4) << "fsyncs are not shared";
  EXPECT_EQ(metrics_.SumCounter("tidemill_log_appended_records_total"), kThreads * kEach);
  TM_ASSERT_OK(log_->Close());
  EXPECT_EQ(called_back, kThreads / 2 * kEach);
  partition.reset();
  OpenLog();
  EXPECT_EQ((*log_->partition("t", 0))->Offsets().end, kThreads * kEach);
}

// A real process, killed at a real moment: what it had been told is durable is there, in order and whole.
TEST_F(ConcurrencyTest, AcknowledgedRecordsSurviveKill) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 16 << 10}));
  log_.reset();  // and with it its thread: only a process of one thread is forked
  Random random(static_cast<uint64_t>(::getpid()));
  int64_t acknowledged = -1;
  for (int round = 0; round < 8; ++round) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto log = Log::Open(files_, clock_, folder_.path());
      if (!log.ok()) ::_exit(1);
      auto partition = *(*log)->partition("t", 0);
      while (true) {
        const std::string text = std::to_string(partition->Offsets().end);
        const Record record = Value(text);
        const auto offset = partition->Append({&record, 1});
        if (!offset.ok() || (*offset % 3 == 0 && !partition->SyncUpTo(*offset).ok())) ::_exit(1);
        if (*offset % 3 == 0 && ::write(fds[1], &*offset, sizeof(int64_t)) != sizeof(int64_t)) ::_exit(1);
      }
    }
    ::close(fds[1]);
    int64_t offset = 0;
    for (uint64_t n = 1 + random.Uniform(40); n > 0; --n) {
      ASSERT_EQ(::read(fds[0], &offset, sizeof(offset)), static_cast<ssize_t>(sizeof(offset)));
      ASSERT_GT(offset, acknowledged);
      acknowledged = offset;
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(fds[0], &offset, sizeof(offset)) == static_cast<ssize_t>(sizeof(offset))) acknowledged = offset;
    ::close(fds[0]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    OpenLog();
    auto partition = *log_->partition("t", 0);
    ASSERT_GT(partition->Offsets().end, acknowledged);
    PartitionReader reader(partition, 0);
    std::vector<RecordView> records;
    int64_t expected = 0;
    do {
      TM_ASSERT_OK(reader.Poll(100, &records));
      for (const RecordView& record : records) ASSERT_EQ(record.value, std::to_string(expected++));
    } while (!records.empty());
    EXPECT_EQ(expected, partition->Offsets().end);
    partition.reset();
    log_.reset();
  }
}

TEST_F(ConcurrencyTest, TransactionsOfSeveralThreads) {
  constexpr int kThreads = 4, kEach = 40;
  TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        auto transaction = *log_->Begin("sink/" + std::to_string(t));
        const std::string text = std::to_string(t) + ":" + std::to_string(i);
        const Record record = Value(text);
        for (int32_t p = 0; p < 2; ++p) ASSERT_TRUE(transaction->Append("t", p, {&record, 1}).ok());
        if (i % 4 == 0) continue;
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<Result<PreparedTransaction>> prepared;
        transaction->Prepare([&](Result<PreparedTransaction> result) {
          std::lock_guard lock(mutex);
          prepared = std::move(result);
          changed.notify_one();
        });
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return prepared.has_value(); }));
        ASSERT_TRUE(prepared->ok());
        ASSERT_TRUE(log_->Commit(**prepared).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int round = 0; round < 2; ++round) {
    for (int32_t p = 0; p < 2; ++p) {
      PartitionReader reader(*log_->partition("t", p), 0);
      std::vector<RecordView> records;
      std::vector<int> next(kThreads, 1);
      int count = 0;
      do {
        TM_ASSERT_OK(reader.Poll(16, &records));
        for (const RecordView& record : records) {
          const std::string text(record.value);
          const size_t colon = text.find(':');
          int& expected = next[static_cast<size_t>(std::stoi(text.substr(0, colon)))];
          EXPECT_EQ(std::stoi(text.substr(colon + 1)), expected);
          expected += expected % 4 == 3 ? 2 : 1;
          ++count;
        }
      } while (!records.empty());
      EXPECT_EQ(count, kThreads * kEach * 3 / 4);
    }
    OpenLog();
  }
}

}  // namespace
}  // namespace tidemill
