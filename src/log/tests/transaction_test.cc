#include "log/transaction.h"

#include <set>

#include "base/logging.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

constexpr auto kAll = IsolationLevel::kReadUncommitted;
using Strings = std::vector<std::string>;

class TransactionTest : public QuietLogTest {
 protected:
  static Status AppendTo(Transaction& transaction, std::string_view value, int32_t partition = 0) {
    const Record record = Value(value);
    return AsStatus(transaction.Append("t", partition, {&record, 1}));
  }
  Result<PreparedTransaction> PrepareNow(Transaction& transaction) {
    Result<PreparedTransaction> result = Status(kTimeout, "no answer");
    transaction.Prepare([&](Result<PreparedTransaction> prepared) { result = std::move(prepared); });
    log_->RunPending();
    return result;
  }
};

TEST_F(TransactionTest, RecordsAreSeenAllOrNotAtAll) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
  TM_ASSERT_OK(AppendValue("plain 1"));
  auto first = *log_->Begin("job/sink/0");
  auto second = *log_->Begin("job/sink/0");
  TM_ASSERT_OK(AppendTo(*first, "first a"));
  TM_ASSERT_OK(AppendTo(*second, "second a"));
  TM_ASSERT_OK(AppendTo(*first, "first b"));
  TM_ASSERT_OK(AppendTo(*first, "first c", 1));
  TM_ASSERT_OK(AppendValue("plain 2"));
  EXPECT_EQ(Values(), Strings{"plain 1"});
  EXPECT_EQ(Values(kAll), (Strings{"plain 1", "first a", "second a", "first b", "plain 2"}));
  EXPECT_EQ(Get()->Offsets().last_stable, 1);
  EXPECT_EQ(Get()->Offsets().end, 5);

  PartitionReader live(Get(), 0);
  std::vector<RecordView> records;
  TM_ASSERT_OK(live.Poll(10, &records));
  EXPECT_EQ(records.size(), 1u);
  int woken = 0;
  auto subscription = Get()->Subscribe([&] { ++woken; });
  subscription->Arm();

  auto prepared = PrepareNow(*first);
  TM_ASSERT_OK(prepared);
  EXPECT_EQ(Values(), Strings{"plain 1"});
  TM_ASSERT_OK(log_->Commit(*prepared));
  TM_ASSERT_OK(log_->Commit(*prepared));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(Values(), (Strings{"plain 1", "first a"}));  // "second a" is still open: nothing behind it
  EXPECT_EQ(Values(IsolationLevel::kReadCommitted, "t", 1), Strings{"first c"});
  second.reset();  // aborts
  const Strings all{"plain 1", "first a", "first b", "plain 2"};
  EXPECT_EQ(Values(), all);
  TM_ASSERT_OK(live.Poll(10, &records));
  EXPECT_EQ(records.size(), 3u);
  TM_ASSERT_OK(live.Poll(10, &records));  // only markers are left
  EXPECT_TRUE(records.empty());
  EXPECT_EQ(live.position(), Get()->Offsets().end);
  Reopen();
  EXPECT_EQ(Values(), all);
  EXPECT_TRUE(log_->Abort(*prepared).Is(kTransactionCommitted));
  TM_EXPECT_OK(log_->Commit(*prepared));
}

TEST_F(TransactionTest, HandlesSurviveAsBytesAndProcessesDie) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
  std::string commit_handle, abort_handle;
  for (std::string* handle : {&commit_handle, &abort_handle}) {
    auto transaction = *log_->Begin("job/sink/0");
    TM_ASSERT_OK(AppendTo(*transaction, handle == &commit_handle ? "yes" : "no"));
    TM_ASSERT_OK(AppendTo(*transaction, "both", 1));
    *handle = PrepareNow(*transaction)->Serialize();
  }
  auto unprepared = *log_->Begin("job/sink/0");
  TM_ASSERT_OK(AppendTo(*unprepared, "lost"));
  TM_ASSERT_OK(Get()->SyncUpTo(2));
  files_.StopAfter(0);
  unprepared.reset();
  CrashAndOpen(4);
  ASSERT_EQ(log_->PreparedTransactions("job/sink/").size(), 2u);
  EXPECT_TRUE(log_->PreparedTransactions("other").empty());
  TM_ASSERT_OK(log_->Commit(*PreparedTransaction::Parse(commit_handle)));
  TM_ASSERT_OK(log_->Abort(*PreparedTransaction::Parse(abort_handle)));
  TM_ASSERT_OK(log_->Abort(*PreparedTransaction::Parse(abort_handle)));
  EXPECT_TRUE(log_->Commit(*PreparedTransaction::Parse(abort_handle)).Is(kTransactionAborted));
  EXPECT_EQ(Values(), Strings{"yes"});
  // Decided, the markers lost, and again; then forgotten by housekeeping.
  CrashAndOpen(5);
  EXPECT_EQ(Values(), Strings{"yes"});
  for (int i = 0; i < 3; ++i) {
    clock_.AdvanceMicros(2'000'000);
    log_->RunPending();
  }
  Reopen();
  TM_EXPECT_OK(log_->Commit(*PreparedTransaction::Parse(commit_handle)));
  EXPECT_TRUE(log_->Commit(*PreparedTransaction::Parse(abort_handle)).Is(kTransactionAborted));
  TM_EXPECT_OK(log_->Abort(*PreparedTransaction::Parse(abort_handle)));
  EXPECT_TRUE(log_->PreparedTransactions("").empty());
  EXPECT_EQ(Values(), Strings{"yes"});
  PreparedTransaction unknown = *PreparedTransaction::Parse(commit_handle);
  unknown.producer_id = 1'000'000;
  unknown.parts[0].first_offset = 1'000;
  unknown.parts[0].last_offset = 1'001;
  EXPECT_TRUE(log_->Commit(unknown).Is(kUnknownTransaction));
  EXPECT_FALSE(PreparedTransaction::Parse(commit_handle.substr(1)).ok());
  EXPECT_FALSE(PreparedTransaction::Parse(commit_handle + "x").ok());
}

TEST_F(TransactionTest, ProducerIdsNeverComeBack) {
  std::set<int64_t> seen;
  for (uint64_t life = 0; life < 6; ++life) {
    files_.StopAfter(static_cast<int64_t>(life) * 3);
    for (int i = 0; i < 2'300; ++i) {
      auto transaction = log_->Begin("x");
      if (!transaction.ok()) break;
      EXPECT_TRUE(seen.insert((*transaction)->producer_id()).second);
      if (i % 100 == 0) log_->RunPending();
    }
    CrashAndOpen(life);
  }
  EXPECT_GT(seen.size(), 5'000u);
}

TEST_F(TransactionTest, EmptyAndMisused) {
  TM_ASSERT_OK(log_->CreateTopic("t"));
  auto empty = *log_->Begin("x");
  auto prepared = PrepareNow(*empty);
  TM_ASSERT_OK(prepared);
  TM_ASSERT_OK(log_->Commit(*prepared));
  EXPECT_FALSE(AppendTo(*empty, "late").ok());
  EXPECT_TRUE(AsStatus(log_->Begin("")).Is(kInvalidName));
  auto lost = *log_->Begin("x");
  const Record record = Value("v");
  EXPECT_TRUE(AsStatus(lost->Append("nowhere", 0, {&record, 1})).Is(kUnknownTopic));
  // A topic that is deleted before the commit takes nothing else with it.
  TM_ASSERT_OK(log_->CreateTopic("u"));
  TM_ASSERT_OK(lost->Append("u", 0, {&record, 1}));
  TM_ASSERT_OK(AppendTo(*lost, "stays"));
  prepared = PrepareNow(*lost);
  TM_ASSERT_OK(log_->DeleteTopic("u"));
  TM_ASSERT_OK(log_->Commit(*prepared));
  EXPECT_EQ(Values(), Strings{"stays"});
}

// A sink of a job: every epoch is a transaction, written while the last one is still being committed; its handle goes
// into the manifest; after a crash the newest manifest's handle is committed again and everything else is aborted.
class Job {
 public:
  explicit Job(int64_t* manifest_epoch, std::string* manifest_handle)
      : epoch_(manifest_epoch), handle_(manifest_handle) {}

  static Status Recover(Log& log, const std::string& handle) {
    int64_t keep = -1;
    if (!handle.empty()) {
      TM_ASSIGN_OR_RETURN(const auto prepared, PreparedTransaction::Parse(handle));
      TM_RETURN_IF_ERROR(log.Commit(prepared));
      keep = prepared.producer_id;
    }
    for (const auto& leftover : log.PreparedTransactions("job/")) {
      if (leftover.producer_id != keep) TM_RETURN_IF_ERROR(log.Abort(leftover));
    }
    return Status::OK();
  }

  Status Run(Log& log, int epochs) {
    TM_ASSIGN_OR_RETURN(auto current, log.Begin("job/sink/0"));
    const int64_t last = *epoch_ + epochs;
    for (int64_t epoch = *epoch_ + 1; epoch <= last; ++epoch) {
      for (int32_t partition = 0; partition < 2; ++partition) {
        const std::string text = std::to_string(epoch) + "/" + std::to_string(partition);
        const Record records[] = {Value(text), Value(text)};
        TM_RETURN_IF_ERROR(AsStatus(current->Append("t", partition, records)));
      }
      Result<PreparedTransaction> prepared = Status(kTimeout, "no answer");
      current->Prepare([&](Result<PreparedTransaction> result) { prepared = std::move(result); });
      log.RunPending();
      TM_RETURN_IF_ERROR(AsStatus(prepared));
      TM_ASSIGN_OR_RETURN(current, log.Begin("job/sink/0"));
      const std::string early = std::to_string(epoch + 1) + "/early";
      const Record record = Value(early);
      if (epoch < last) TM_RETURN_IF_ERROR(AsStatus(current->Append("t", 0, {&record, 1})));
      *epoch_ = epoch;
      *handle_ = prepared->Serialize();
      TM_RETURN_IF_ERROR(log.Commit(*prepared));
    }
    return Status::OK();
  }

 private:
  int64_t* epoch_;
  std::string* handle_;
};

TEST_F(TransactionTest, ExactlyTheEpochsOfTheManifestAreSeenWhereverTheProcessDies) {
  const Strings::size_type kEpochs = 4;
  int crashed = 0;
  for (int64_t stop = 0; stop < 80; ++stop) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      StartAnew();
      TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2, .segment_bytes = 4096}));
      int64_t epoch = 0;
      std::string handle;
      files_.StopAfter(stop);
      const bool finished = Job(&epoch, &handle).Run(*log_, kEpochs).ok();
      crashed += !finished;
      CrashOnly(seed * 1'000 + static_cast<uint64_t>(stop));
      // It may die again while it recovers.
      if (seed > 0) {
        OpenLog();
        files_.StopAfter(static_cast<int64_t>(seed) * 2);
        (void)Job::Recover(*log_, handle);
        CrashOnly(seed);
      }
      OpenLog();
      TM_ASSERT_OK(Job::Recover(*log_, handle));
      for (int32_t partition = 0; partition < 2; ++partition) {
        Strings expected;
        for (int64_t e = 1; e <= epoch; ++e) {
          if (partition == 0 && e > 1) expected.push_back(std::to_string(e) + "/early");
          expected.insert(expected.end(), 2, std::to_string(e) + "/" + std::to_string(partition));
        }
        ASSERT_EQ(Values(IsolationLevel::kReadCommitted, "t", partition), expected)
            << "stop " << stop << " seed " << seed;
        EXPECT_EQ(Get("t", partition)->Offsets().last_stable, Get("t", partition)->Offsets().end);
      }
      // And the job goes on.
      const int64_t before = epoch;
      TM_ASSERT_OK(Job(&epoch, &handle).Run(*log_, 1));
      EXPECT_EQ(epoch, before + 1);
      EXPECT_EQ(Values(IsolationLevel::kReadCommitted, "t", 1).size(), static_cast<size_t>(2 * epoch));
    }
  }
  EXPECT_GT(crashed, 60);
}

TEST_F(TransactionTest, AbortedRangesAreKnownAfterManySegmentsAndTrims) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
  Strings expected;
  for (int i = 0; i < 120; ++i) {
    auto transaction = *log_->Begin("x");
    const std::string text = std::to_string(i) + std::string(100, 'x');
    TM_ASSERT_OK(AppendTo(*transaction, text));
    TM_ASSERT_OK(AppendTo(*transaction, text));
    if (i % 3 == 0) continue;  // aborted
    auto prepared = PrepareNow(*transaction);
    TM_ASSERT_OK(log_->Commit(*prepared));
    expected.insert(expected.end(), 2, text);
  }
  EXPECT_EQ(Values(), expected);
  Reopen();
  EXPECT_EQ(Values(), expected);
  CrashAndOpen(6);
  EXPECT_EQ(Values(), expected);
  const int64_t middle = Get()->Offsets().end / 2;
  TM_ASSERT_OK(Get()->TrimBefore(middle));
  const auto rest = Values();
  EXPECT_EQ(rest, Strings(expected.end() - static_cast<std::ptrdiff_t>(rest.size()), expected.end()));
  CrashAndOpen(7);
  EXPECT_EQ(Values(), rest);
}

TEST_F(TransactionTest, OpenTransactionsHoldBackRetention) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.retention_ms = 1'000, .segment_bytes = 4096}));
  auto transaction = *log_->Begin("x");
  TM_ASSERT_OK(AppendTo(*transaction, "held"));
  for (int i = 0; i < 100; ++i) TM_ASSERT_OK(AppendValue(std::string(200, 'x')));
  clock_.AdvanceMicros(100'000'000);
  log_->RunPending();
  EXPECT_EQ(Get()->Offsets().log_start, 0);
  auto prepared = PrepareNow(*transaction);
  TM_ASSERT_OK(log_->Commit(*prepared));
  EXPECT_EQ(Values().size(), 101u);
}

}  // namespace
}  // namespace tidemill
