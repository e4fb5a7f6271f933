#include "log/groups/kafka_transactions.h"

#include <cstdio>

#include "base/logging.h"
#include "base/random.h"
#include "log/record_batch.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

using Names = std::vector<std::string>;

class KafkaTransactionTest : public SimulatedLogTest {
 protected:
  void SetUp() override {
    SetLogLevel(LogLevel::kOff);
    Begin();
  }
  void TearDown() override {
    transactions_.reset();
    SetLogLevel(LogLevel::kInfo);
  }
  void Begin() {
    OpenLog();
    TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
    ASSERT_TRUE(StartTransactions());
  }
  bool StartTransactions() {
    KafkaTransactionOptions options;
    options.background_thread = false;
    options.ids_max = 5;
    options.allocate_producer_id = [this] { return log_->AllocateProducerId(); };
    options.write_marker = [this](const TransactionMarker& marker, std::function<void(Status)> done) {
      ++markers_;
      if (markers_fail_) return done(Status(kSyncFailed, "no marker for now"));
      MarkerWriter (*log_)(marker, std::move(done));
    };
    auto opened = KafkaTransactionCoordinator::Open(files_, clock_, "data/log", log_->positions(), std::move(options));
    if (!opened.ok()) return false;
    transactions_ = *std::move(opened);
    Settle();
    return true;
  }
  void Settle() {
    for (int i = 0; i < 6; ++i) {
      transactions_->RunPending();
      log_->RunPending();
    }
  }
  void CrashAndStart(uint64_t seed) {
    files_.StopAfter(0);
    transactions_.reset();
    log_.reset();
    files_.Crash(seed);
    OpenLog();
    ASSERT_TRUE(StartTransactions());
  }
  void Advance(int64_t ms) {
    clock_.AdvanceMicros(ms * 1000);
    transactions_->Tick(transactions_->NowMs());
    Settle();
  }

  ProducerIdResult Init(const std::string& id = "tx", int64_t producer_id = -1, int16_t epoch = -1) {
    ProducerIdResult result{KafkaError::kRequestTimedOut};
    transactions_->InitProducerId({id, 60'000, producer_id, epoch}, [&](ProducerIdResult r) { result = r; });
    Settle();
    return result;
  }
  KafkaError Add(const TransactionalProducer& producer, const std::vector<GroupPartition>& partitions) {
    KafkaError error = KafkaError::kRequestTimedOut;
    transactions_->AddPartitions(producer, partitions, [&](KafkaError e) { error = e; });
    Settle();
    return error;
  }
  KafkaError AddGroup(const TransactionalProducer& producer) {
    KafkaError error = KafkaError::kRequestTimedOut;
    transactions_->AddOffsets(producer, "g", [&](KafkaError e) { error = e; });
    Settle();
    return error;
  }
  KafkaError CommitAt(const TransactionalProducer& producer, int64_t offset, bool adds_group = false) {
    KafkaError error = KafkaError::kRequestTimedOut;
    transactions_->CommitOffsets(producer, "g", {{"in", 0, offset, "", 0}}, adds_group,
                                 [&](KafkaError e) { error = e; });
    Settle();
    return error;
  }
  ProducerIdResult End(const TransactionalProducer& producer, bool commit, bool bumps_epoch = false) {
    ProducerIdResult result{KafkaError::kRequestTimedOut};
    transactions_->EndTransaction(producer, commit, bumps_epoch, [&](ProducerIdResult r) { result = r; });
    Settle();
    return result;
  }
  bool Write(const TransactionalProducer& producer, int32_t partition, const std::string& value, int32_t sequence = 0) {
    const Record record = Value(value);
    std::string bytes;
    EXPECT_TRUE(EncodeBatch({&record, 1},
                            {.producer_id = producer.producer_id,
                             .producer_epoch = producer.producer_epoch,
                             .base_sequence = sequence,
                             .transactional = true},
                            &bytes)
                    .ok());
    const auto appended = Get("t", partition)->AppendBatchBytes(std::move(bytes), {.transactional = true});
    return appended.ok() && Get("t", partition)->SyncUpTo(appended->last_offset).ok();
  }
  Names Committed(int32_t partition) { return Values(IsolationLevel::kReadCommitted, "t", partition); }
  int64_t Position() {
    const auto position = log_->positions().Get("g", "in", 0);
    return position ? position->offset : -1;
  }
  std::string StateNow() { return transactions_->Describe("tx").state; }
  static TransactionalProducer Producer(const ProducerIdResult& result) {
    return {"tx", result.producer_id, result.producer_epoch};
  }

  std::shared_ptr<KafkaTransactionCoordinator> transactions_;
  bool markers_fail_ = false;
  int markers_ = 0;
};

TEST_F(KafkaTransactionTest, RecordsAndPositionsAppearTogether) {
  const ProducerIdResult first = Init();
  ASSERT_EQ(first.error, KafkaError::kNone);
  EXPECT_EQ(first.producer_epoch, 0);
  const TransactionalProducer producer = Producer(first);
  EXPECT_EQ(StateNow(), "Empty");
  EXPECT_EQ(transactions_->VerifyPartition(producer, {"t", 0}), KafkaError::kTransactionAbortable);
  EXPECT_EQ(Add(producer, {{"t", 0}, {"t", 1}}), KafkaError::kNone);
  EXPECT_EQ(transactions_->VerifyPartition(producer, {"t", 0}), KafkaError::kNone);
  EXPECT_TRUE(Write(producer, 0, "a"));
  EXPECT_TRUE(Write(producer, 1, "b"));
  EXPECT_EQ(CommitAt(producer, 7), KafkaError::kInvalidTxnState);  // the group was not added
  EXPECT_EQ(AddGroup(producer), KafkaError::kNone);
  EXPECT_EQ(CommitAt(producer, 6), KafkaError::kNone);
  EXPECT_EQ(CommitAt(producer, 7), KafkaError::kNone);
  EXPECT_EQ(Position(), -1);
  EXPECT_TRUE(transactions_->IsPositionPending("g", "in", 0));
  EXPECT_FALSE(transactions_->IsPositionPending("g", "in", 1));
  EXPECT_EQ(Committed(0), Names{});
  const TransactionDescription described = transactions_->Describe("tx");
  EXPECT_EQ(described.state, "Ongoing");
  EXPECT_EQ(described.partitions.size(), 2u);
  EXPECT_EQ(described.start_time_ms, clock_.NowMicros() / 1000);

  const ProducerIdResult ended = End(producer, true);
  EXPECT_EQ(ended.error, KafkaError::kNone);
  EXPECT_EQ(ended.producer_epoch, 0);
  EXPECT_EQ(Committed(0), Names{"a"});
  EXPECT_EQ(Committed(1), Names{"b"});
  EXPECT_EQ(Position(), 7);
  EXPECT_FALSE(transactions_->IsPositionPending("g", "in", 0));
  EXPECT_EQ(End(producer, true).error, KafkaError::kNone);  // the answer was lost
  EXPECT_EQ(End(producer, false).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(markers_, 2);
}

TEST_F(KafkaTransactionTest, AbortDropsBoth) {
  const TransactionalProducer producer = Producer(Init());
  Add(producer, {{"t", 0}});
  EXPECT_TRUE(Write(producer, 0, "a"));
  EXPECT_EQ(CommitAt(producer, 7, true), KafkaError::kNone);
  EXPECT_EQ(End(producer, false).error, KafkaError::kNone);
  EXPECT_EQ(Committed(0), Names{});
  EXPECT_EQ(Position(), -1);
  EXPECT_FALSE(transactions_->IsPositionPending("g", "in", 0));
  EXPECT_EQ(Get()->Offsets().last_stable, Get()->Offsets().end);
}

TEST_F(KafkaTransactionTest, EachEndGivesANewEpoch) {
  TransactionalProducer producer = Producer(Init());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(Add(producer, {{"t", 0}}), KafkaError::kNone);
    EXPECT_TRUE(Write(producer, 0, std::to_string(i)));
    const ProducerIdResult ended = End(producer, i != 1, true);
    ASSERT_EQ(ended.error, KafkaError::kNone);
    EXPECT_EQ(ended.producer_epoch, i + 1);
    // Asked again, the answer is the same; another end is not to be had any more.
    EXPECT_EQ(End(producer, i != 1, true).producer_epoch, i + 1);
    EXPECT_EQ(End(producer, i == 1, true).error, KafkaError::kInvalidTxnState);
    // What was still on its way is refused, by the partition too.
    EXPECT_EQ(Add(producer, {{"t", 0}}), KafkaError::kProducerFenced);
    EXPECT_FALSE(Write(producer, 0, "late", 1));
    producer.producer_epoch = ended.producer_epoch;
  }
  EXPECT_EQ(Committed(0), (Names{"0", "2"}));
  EXPECT_EQ(End(producer, true, true).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(End(producer, false, true).producer_epoch, 4);  // to be on the safe side
}

TEST_F(KafkaTransactionTest, NewProducerFencesTheOldOne) {
  const TransactionalProducer old = Producer(Init());
  Add(old, {{"t", 0}});
  EXPECT_TRUE(Write(old, 0, "a"));
  EXPECT_EQ(Init().error, KafkaError::kConcurrentTransactions);
  const ProducerIdResult fresh = Init();
  ASSERT_EQ(fresh.error, KafkaError::kNone);
  EXPECT_EQ(fresh.producer_id, old.producer_id);
  EXPECT_EQ(fresh.producer_epoch, 2);
  EXPECT_EQ(End(old, true).error, KafkaError::kProducerFenced);
  EXPECT_EQ(Add(old, {{"t", 0}}), KafkaError::kProducerFenced);
  EXPECT_FALSE(Write(old, 0, "b", 1));
  EXPECT_EQ(Committed(0), Names{});
  EXPECT_EQ(Init("tx", old.producer_id, old.producer_epoch).error, KafkaError::kProducerFenced);
  // The current one may ask for a new epoch, and ask again.
  EXPECT_EQ(Init("tx", fresh.producer_id, 2).producer_epoch, 3);
  EXPECT_EQ(Init("tx", fresh.producer_id, 2).producer_epoch, 3);
}

TEST_F(KafkaTransactionTest, OpenTransactionTimesOut) {
  const TransactionalProducer producer = Producer(Init());
  Add(producer, {{"t", 0}});
  EXPECT_TRUE(Write(producer, 0, "a"));
  Advance(30'000);
  CrashAndStart(3);
  EXPECT_EQ(StateNow(), "Ongoing");
  EXPECT_EQ(transactions_->next_deadline_ms(), transactions_->NowMs() + 30'000);
  Advance(29'999);
  EXPECT_EQ(StateNow(), "Ongoing");
  Advance(1);
  EXPECT_EQ(StateNow(), "CompleteAbort");
  EXPECT_EQ(End(producer, true).error, KafkaError::kProducerFenced);
  EXPECT_EQ(Get()->Offsets().last_stable, Get()->Offsets().end);
  EXPECT_EQ(Committed(0), Names{});
}

TEST_F(KafkaTransactionTest, MarkersAreTriedUntilTheyAreThere) {
  const TransactionalProducer producer = Producer(Init());
  Add(producer, {{"t", 0}, {"gone", 5}});
  EXPECT_TRUE(Write(producer, 0, "a"));
  markers_fail_ = true;
  EXPECT_EQ(End(producer, true).error, KafkaError::kConcurrentTransactions);
  EXPECT_EQ(StateNow(), "PrepareCommit");
  EXPECT_EQ(Add(producer, {{"t", 1}}), KafkaError::kConcurrentTransactions);
  EXPECT_EQ(Init().error, KafkaError::kConcurrentTransactions);
  EXPECT_EQ(End(producer, false).error, KafkaError::kInvalidTxnState);
  Advance(1'000);
  EXPECT_EQ(StateNow(), "PrepareCommit");
  markers_fail_ = false;
  Advance(1'000);
  EXPECT_EQ(StateNow(), "CompleteCommit");
  EXPECT_EQ(End(producer, true).error, KafkaError::kNone);
  EXPECT_EQ(Committed(0), Names{"a"});
}

TEST_F(KafkaTransactionTest, DecisionIsCarriedOutAfterACrash) {
  const TransactionalProducer producer = Producer(Init());
  Add(producer, {{"t", 0}, {"t", 1}});
  EXPECT_TRUE(Write(producer, 0, "a"));
  EXPECT_TRUE(Write(producer, 1, "b"));
  CommitAt(producer, 9, true);
  markers_fail_ = true;
  End(producer, true);
  markers_fail_ = false;
  CrashAndStart(5);
  EXPECT_EQ(StateNow(), "CompleteCommit");
  EXPECT_EQ(Committed(0), Names{"a"});
  EXPECT_EQ(Committed(1), Names{"b"});
  EXPECT_EQ(Position(), 9);
}

TEST_F(KafkaTransactionTest, EpochsOutliveARestartAndAreUsedUpInTheEnd) {
  ProducerIdResult last = Init();
  const int64_t first_id = last.producer_id;
  for (int i = 1; i <= 32'766; ++i) {
    transactions_->InitProducerId({"tx", 60'000, -1, -1}, [&](ProducerIdResult r) { last = r; });
    transactions_->RunPending();
  }
  EXPECT_EQ(last.producer_id, first_id);
  EXPECT_EQ(last.producer_epoch, 32'766);
  auto size = files_.OpenReadable("data/log/kafka_transactions");
  ASSERT_TRUE(size.ok());
  EXPECT_LT(*(*size)->Size(), 2 << 20);  // rewritten on the way
  CrashAndStart(7);
  EXPECT_EQ(transactions_->Describe("tx").producer_epoch, 32'766);
  TransactionalProducer producer = Producer(last);
  ASSERT_EQ(Add(producer, {{"t", 0}}), KafkaError::kNone);
  EXPECT_TRUE(Write(producer, 0, "a"));
  const ProducerIdResult ended = End(producer, true, true);
  EXPECT_EQ(ended.error, KafkaError::kNone);
  EXPECT_GT(ended.producer_id, first_id);
  EXPECT_EQ(ended.producer_epoch, 0);
  EXPECT_EQ(End(producer, true, true).producer_id, ended.producer_id);
  EXPECT_EQ(Add(producer, {{"t", 0}}), KafkaError::kProducerFenced);
  EXPECT_EQ(Add(Producer(ended), {{"t", 0}}), KafkaError::kNone);
  EXPECT_EQ(Committed(0), Names{"a"});
}

TEST_F(KafkaTransactionTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Init("").error, KafkaError::kInvalidRequest);
  EXPECT_EQ(Init(std::string(250, 'x')).error, KafkaError::kInvalidRequest);
  ProducerIdResult result;
  transactions_->InitProducerId({"tx", 900'001, -1, -1}, [&](ProducerIdResult r) { result = r; });
  EXPECT_EQ(result.error, KafkaError::kInvalidTransactionTimeout);
  transactions_->InitProducerId({std::nullopt, 0, -1, -1}, [&](ProducerIdResult r) { result = r; });
  EXPECT_EQ(result.error, KafkaError::kNone);
  EXPECT_GE(result.producer_id, 0);
  EXPECT_EQ(End({"tx", 1, 0}, true).error, KafkaError::kInvalidProducerIdMapping);
  const TransactionalProducer producer = Producer(Init());
  EXPECT_EQ(Add({"tx", producer.producer_id + 100, 0}, {{"t", 0}}), KafkaError::kInvalidProducerIdMapping);
  EXPECT_EQ(Add({"tx", producer.producer_id, 1}, {{"t", 0}}), KafkaError::kProducerFenced);
  EXPECT_EQ(End(producer, true).error, KafkaError::kInvalidTxnState);
  EXPECT_EQ(transactions_->Describe("nobody").error, KafkaError::kTransactionalIdNotFound);
  for (const char* id : {"a", "b", "c", "d"}) EXPECT_EQ(Init(id).error, KafkaError::kNone);
  EXPECT_EQ(Init("e").error, KafkaError::kPolicyViolation);

  Add(producer, {{"t", 0}});
  EXPECT_EQ(transactions_->List({}, {}, -1).size(), 5u);
  ASSERT_EQ(transactions_->List({"Ongoing"}, {}, -1).size(), 1u);
  EXPECT_EQ(transactions_->List({}, {producer.producer_id}, -1).at(0).transactional_id, "tx");
  EXPECT_EQ(transactions_->List({}, {}, 1'000).size(), 0u);
  clock_.AdvanceMicros(1'001'000);
  EXPECT_EQ(transactions_->List({}, {}, 1'000).size(), 1u);
  End(producer, false);
  Advance(8LL * 24 * 3600 * 1000);
  EXPECT_EQ(transactions_->List({}, {}, -1).size(), 0u);
  CrashAndStart(1);
  Advance(3'600'000);  // forgetting is not worth an fsync, and is done again
  EXPECT_EQ(Init("e").error, KafkaError::kNone);
}

// The disk stops at every step of a transaction in turn: afterwards it is there wholly or not at all, and if it was
// acknowledged it is there.
TEST_F(KafkaTransactionTest, WhereverACrashComesATransactionIsWholeOrNothing) {
  bool finished = false;
  int whole = 0, nothing = 0;
  for (int steps = 0; !finished; ++steps) {
    ASSERT_LT(steps, 500);
    SCOPED_TRACE("seed " + std::to_string(steps));
    transactions_.reset();
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
    ASSERT_TRUE(StartTransactions());
    const TransactionalProducer producer = Producer(Init());
    files_.StopAfter(steps);
    const bool wrote = Add(producer, {{"t", 0}, {"t", 1}}) == KafkaError::kNone && Write(producer, 0, "a") &&
                       Write(producer, 1, "b") && CommitAt(producer, 7, true) == KafkaError::kNone;
    const bool acknowledged = wrote && End(producer, true, true).error == KafkaError::kNone;
    CrashAndStart(static_cast<uint64_t>(steps));
    if (HasFatalFailure()) return;
    Advance(60'001);  // what is open is given up
    EXPECT_FALSE(transactions_->IsPositionPending("g", "in", 0));
    const bool there = Position() == 7;
    EXPECT_EQ(Committed(0), there ? Names{"a"} : Names{});
    EXPECT_EQ(Committed(1), there ? Names{"b"} : Names{});
    for (const int32_t p : {0, 1}) EXPECT_EQ(Get("t", p)->Offsets().last_stable, Get("t", p)->Offsets().end);
    EXPECT_TRUE(there || !acknowledged);
    EXPECT_EQ(Init().error, KafkaError::kNone);
    if (HasFailure()) return;
    ++(there ? whole : nothing);
    finished = acknowledged;
  }
  EXPECT_GT(whole, 1);  // some were decided and not yet acknowledged
  EXPECT_GT(nothing, 5);
}

// Each fsync of a transaction fails in turn. The process is started again, and goes by what the kernel shows it; then
// the power goes, and with it what the failed fsync dropped. What was acknowledged before and between is there.
TEST_F(KafkaTransactionTest, WhicheverSyncFailsNothingAcknowledgedIsLost) {
  bool finished = false;
  int failed = 0;
  for (int sync = 1; !finished; ++sync) {
    ASSERT_LT(sync, 100);
    SCOPED_TRACE("sync " + std::to_string(sync));
    transactions_.reset();
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
    ASSERT_TRUE(StartTransactions());
    TransactionalProducer producer = Producer(Init());
    files_.FailSyncAfter(sync);
    const bool wrote = Add(producer, {{"t", 0}, {"t", 1}}) == KafkaError::kNone && Write(producer, 0, "a") &&
                       Write(producer, 1, "b") && CommitAt(producer, 7, true) == KafkaError::kNone;
    const bool acknowledged = wrote && End(producer, true, true).error == KafkaError::kNone;
    finished = acknowledged;
    failed += !finished;
    files_.StopAfter(0);
    transactions_.reset();
    log_.reset();
    files_.Kill();
    OpenLog();
    ASSERT_TRUE(StartTransactions());
    Advance(60'001);  // what is open is given up
    const bool there = Position() == 7;
    EXPECT_EQ(Committed(0), there ? Names{"a"} : Names{});
    EXPECT_TRUE(there || !acknowledged);
    producer = Producer(Init());
    ASSERT_EQ(Add(producer, {{"t", 0}}), KafkaError::kNone);
    ASSERT_TRUE(Write(producer, 0, "c"));
    ASSERT_EQ(CommitAt(producer, 8, true), KafkaError::kNone);
    ASSERT_EQ(End(producer, true, true).error, KafkaError::kNone);
    CrashAndStart(static_cast<uint64_t>(sync));
    if (HasFatalFailure()) return;
    EXPECT_EQ(Position(), 8);
    EXPECT_EQ(Committed(0), there ? (Names{"a", "c"}) : Names{"c"});
    EXPECT_EQ(Committed(1), there ? Names{"b"} : Names{});
    if (HasFailure()) return;
  }
  EXPECT_GT(failed, 4);
}

TEST_F(KafkaTransactionTest, EntryKeepsAllAndRefusesDamage) {
  TransactionEntry entry;
  entry.id = "tx";
  entry.producer_id = 7;
  entry.epoch = 3;
  entry.next_producer_id = 9;
  entry.state = TransactionState::kPrepareCommit;
  entry.partitions = {{"t", 0}, {"u", 5}};
  entry.positions["g"][{"in", 1}] = {"in", 1, 42, "note", 0};
  const std::string bytes = entry.Serialize();
  const auto parsed = TransactionEntry::Parse(bytes);
  TM_ASSERT_OK(parsed);
  EXPECT_EQ(parsed->Serialize(), bytes);
  EXPECT_EQ((*parsed).positions.at("g").at({"in", 1}).offset, 42);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(TransactionEntry::Parse(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace tidemill
