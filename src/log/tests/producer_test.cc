#include "base/logging.h"
#include "log/internal/producer_state.h"
#include "log/record_batch.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

using Strings = std::vector<std::string>;

class ProducerTest : public QuietLogTest {
 protected:
  void SetUp() override {
    QuietLogTest::SetUp();
    TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
  }

  static std::string Batch(int64_t id, int16_t epoch, int32_t sequence, const Strings& values,
                           bool transactional = false) {
    std::vector<Record> records;
    for (const std::string& value : values) records.push_back(Value(value));
    std::string bytes;
    EXPECT_TRUE(
        EncodeBatch(
            records,
            {.producer_id = id, .producer_epoch = epoch, .base_sequence = sequence, .transactional = transactional},
            &bytes)
            .ok());
    return bytes;
  }
  Result<BatchAppend> Send(int64_t id, int16_t epoch, int32_t sequence, const Strings& values) {
    return Get()->AppendBatchBytes(Batch(id, epoch, sequence, values), BatchAppendOptions{});
  }
  Result<BatchAppend> SendInTransaction(int64_t id, int16_t epoch, int32_t sequence, const Strings& values) {
    return Get()->AppendBatchBytes(Batch(id, epoch, sequence, values, true), {.transactional = true});
  }
  Result<int64_t> End(int64_t id, int16_t epoch, ControlType type, int32_t coordinator_epoch = 0) {
    return Get()->AppendTransactionMarker(id, epoch, type, coordinator_epoch);
  }
  ProducerDescription Describe(int64_t id) {
    for (const ProducerDescription& producer : Get()->ActiveProducers()) {
      if (producer.producer_id == id) return producer;
    }
    return {};
  }
  void RestartAs(int kind) {
    if (kind == 0) {
      Reopen();
    } else if (kind == 1) {
      KillOnly();
      OpenLog();
    } else {
      TM_ASSERT_OK(Get()->SyncUpTo(Get()->Offsets().end - 1));
      CrashAndOpen(static_cast<uint64_t>(kind));
    }
  }
};

TEST_F(ProducerTest, RepeatedBatchesAreNotAppendedAgainAlsoAfterRestarts) {
  for (int kind = 0; kind < 4; ++kind) {
    const int64_t id = *log_->AllocateProducerId();
    const int64_t base = Get()->Offsets().end;
    for (int i = 0; i < 8; ++i) {
      const auto append = Send(id, 0, i * 2, {"a" + std::to_string(i), "b"});
      TM_ASSERT_OK(append);
      EXPECT_EQ(append->base_offset, base + i * 2);
      EXPECT_EQ(append->last_offset, base + i * 2 + 1);
      EXPECT_FALSE(append->duplicate);
    }
    RestartAs(kind);
    EXPECT_EQ(Describe(id).last_sequence, 15) << kind;
    for (int i = 3; i < 8; ++i) {  // the last five
      const auto append = Send(id, 0, i * 2, {"a" + std::to_string(i), "b"});
      TM_ASSERT_OK(append);
      EXPECT_TRUE(append->duplicate);
      EXPECT_EQ(append->base_offset, base + i * 2);
      EXPECT_EQ(append->last_offset, base + i * 2 + 1);
    }
    EXPECT_TRUE(AsStatus(Send(id, 0, 4, {"a", "b"})).Is(kOutOfOrderSequence));  // too old to be known
    EXPECT_TRUE(AsStatus(Send(id, 0, 14, {"a"})).Is(kOutOfOrderSequence));      // another size: no repetition
    EXPECT_TRUE(AsStatus(Send(id, 0, 18, {"gap"})).Is(kOutOfOrderSequence));
    EXPECT_EQ(Get()->Offsets().end, base + 16);
    TM_EXPECT_OK(Send(id, 0, 16, {"next"}));
    EXPECT_EQ(Get()->Offsets().end, base + 17);
  }
}

TEST_F(ProducerTest, NewerEpochsFenceOlderOnes) {
  TM_ASSERT_OK(Send(7, 3, 40, {"unknown producers begin anywhere"}));
  EXPECT_TRUE(AsStatus(Send(7, 2, 41, {"old"})).Is(kProducerFenced));
  EXPECT_TRUE(AsStatus(Send(7, 4, 41, {"a new epoch begins at 0"})).Is(kOutOfOrderSequence));
  TM_ASSERT_OK(Send(7, 4, 0, {"new"}));
  EXPECT_TRUE(AsStatus(Send(7, 3, 41, {"old"})).Is(kProducerFenced));
  EXPECT_TRUE(AsStatus(Send(7, 3, 40, {"unknown producers begin anywhere"})).Is(kProducerFenced));
  EXPECT_EQ(Describe(7).producer_epoch, 4);
  Reopen();
  EXPECT_TRUE(AsStatus(Send(7, 3, 41, {"old"})).Is(kProducerFenced));
  EXPECT_TRUE(Send(7, 4, 0, {"new"})->duplicate);
  EXPECT_EQ(Values(), (Strings{"unknown producers begin anywhere", "new"}));
}

TEST_F(ProducerTest, SequencesWrapAround) {
  TM_ASSERT_OK(Send(1, 0, INT32_MAX - 1, {"a"}));
  const auto over = Send(1, 0, INT32_MAX, {"b", "c", "d"});  // INT32_MAX, 0, 1
  TM_ASSERT_OK(over);
  EXPECT_EQ(Describe(1).last_sequence, 1);
  EXPECT_TRUE(AsStatus(Send(1, 0, 0, {"e"})).Is(kOutOfOrderSequence));
  TM_ASSERT_OK(Send(1, 0, 2, {"e"}));
  EXPECT_TRUE(Send(1, 0, INT32_MAX, {"b", "c", "d"})->duplicate);
  TM_ASSERT_OK(Send(2, 0, INT32_MAX, {"a"}));
  TM_ASSERT_OK(Send(2, 0, 0, {"b"}));
}

TEST_F(ProducerTest, MalformedBatchesAreRefused) {
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(Batch(1, 0, 0, {"a"}) + Batch(1, 0, 1, {"b"}))).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(Batch(-1, -1, -1, {"a"}) + Batch(1, 0, 1, {"b"}))).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(Send(1, -1, 0, {"a"})).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(Send(1, 0, -1, {"a"})).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(SendInTransaction(1, 0, -1, {"a"})).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(Batch(1, 0, 0, {"a"}, true))).Is(kInvalidTransactionState));
  EXPECT_EQ(Get()->Offsets().end, 0);
  TM_ASSERT_OK(log_->CreateTopic("stamped", {.timestamp_type = TimestampType::kLogAppendTime}));
  const int64_t now = clock_.NowMicros() / 1000;
  auto append = Get("stamped")->AppendBatchBytes(Batch(1, 0, 0, {"a"}), BatchAppendOptions{});
  EXPECT_EQ(append->log_append_time_ms, now);
  clock_.AdvanceMicros(5'000'000);
  append = Get("stamped")->AppendBatchBytes(Batch(1, 0, 0, {"a"}), BatchAppendOptions{});
  EXPECT_TRUE(append->duplicate);
  EXPECT_EQ(append->log_append_time_ms, now);
}

TEST_F(ProducerTest, SilentProducersAreForgotten) {
  TM_ASSERT_OK(Send(1, 5, 10, {"a"}));
  TM_ASSERT_OK(SendInTransaction(2, 5, 10, {"b"}));
  clock_.AdvanceMicros(12LL * 3600 * 1'000'000);
  TM_ASSERT_OK(Send(3, 5, 10, {"c"}));
  clock_.AdvanceMicros(13LL * 3600 * 1'000'000);
  log_->RunPending();
  EXPECT_EQ(Describe(1).producer_id, -1);
  EXPECT_EQ(Describe(2).producer_id, 2);  // in a transaction
  EXPECT_EQ(Describe(3).producer_id, 3);
  TM_ASSERT_OK(Send(1, 5, 10, {"a"}));
  EXPECT_EQ(Get()->Offsets().end, 4);

  log_internal::ProducerState state;
  for (int64_t id = 0; id < 100; ++id) {
    BatchHeader header;
    header.producer_id = id;
    header.producer_epoch = 0;
    header.base_sequence = 0;
    state.OnBatch(header, id);
  }
  state.Forget(INT64_MIN, 10, {{3, {0, 0, false}}});
  EXPECT_EQ(state.size(), 10u);
  EXPECT_NE(state.Find(3), nullptr);
  EXPECT_EQ(state.Find(90), nullptr);
  EXPECT_NE(state.Find(91), nullptr);
  const auto copy = log_internal::ProducerState::Parse(state.Serialize());
  TM_ASSERT_OK(copy);
  EXPECT_EQ(copy->Serialize(), state.Serialize());
  EXPECT_FALSE(log_internal::ProducerState::Parse(state.Serialize().substr(1)).ok());
}

TEST_F(ProducerTest, TransactionsEndByMarkersAndAreSeenAllOrNotAtAll) {
  TM_ASSERT_OK(AppendValue("plain"));
  TM_ASSERT_OK(SendInTransaction(1, 0, 0, {"yes 1"}));
  TM_ASSERT_OK(SendInTransaction(2, 0, 0, {"no 1", "no 2"}));
  TM_ASSERT_OK(SendInTransaction(1, 0, 1, {"yes 2"}));
  TM_ASSERT_OK(AppendValue("behind"));
  EXPECT_TRUE(AsStatus(Send(1, 0, 2, {"outside"})).Is(kInvalidTransactionState));
  EXPECT_TRUE(SendInTransaction(2, 0, 0, {"no 1", "no 2"})->duplicate);
  EXPECT_EQ(Get()->Offsets().last_stable, 1);
  EXPECT_EQ(Describe(1).transaction_start_offset, 1);
  EXPECT_EQ(Describe(2).transaction_start_offset, 2);
  EXPECT_EQ(Values(), Strings{"plain"});
  EXPECT_EQ(*End(1, 0, ControlType::kCommit, 4), 6);
  EXPECT_EQ(Get()->Offsets().last_stable, 2);
  EXPECT_EQ(*End(1, 0, ControlType::kCommit, 4), 6);  // again: nothing to do
  EXPECT_TRUE(AsStatus(End(1, 0, ControlType::kCommit, 3)).Is(kCoordinatorFenced));
  EXPECT_EQ(*End(2, 0, ControlType::kAbort), 7);
  const Strings all{"plain", "yes 1", "yes 2", "behind"};
  for (int kind = 0; kind < 4; ++kind) {
    EXPECT_EQ(Values(), all) << kind;
    EXPECT_EQ(Values(IsolationLevel::kReadUncommitted).size(), 6u);
    EXPECT_EQ(Get()->Offsets().last_stable, 8);
    const auto aborted = Get()->AbortedTransactions(0, 100);
    ASSERT_EQ(aborted.size(), 1u);
    EXPECT_EQ(aborted[0].producer_id, 2);
    EXPECT_EQ(aborted[0].first_offset, 2);
    EXPECT_EQ(aborted[0].last_offset, 7);
    EXPECT_TRUE(Get()->AbortedTransactions(8, 100).empty());
    EXPECT_TRUE(Get()->AbortedTransactions(0, 2).empty());
    EXPECT_EQ(Get()->AbortedTransactions(7, 8).size(), 1u);
    EXPECT_EQ(Describe(1).coordinator_epoch, 4);
    EXPECT_EQ(Describe(1).transaction_start_offset, -1);
    RestartAs(kind);
  }
}

// KIP-890: each end raises the epoch, so that a late write of the ended transaction can't open another one.
TEST_F(ProducerTest, MarkersFenceWithAndWithoutATransaction) {
  TM_ASSERT_OK(SendInTransaction(1, 0, 0, {"a"}));
  EXPECT_TRUE(AsStatus(Get()->AppendTransactionMarker(1, -1, ControlType::kAbort, 0)).Is(kInvalidBatch));
  EXPECT_EQ(*End(1, 1, ControlType::kCommit), 1);
  EXPECT_TRUE(AsStatus(SendInTransaction(1, 0, 1, {"late"})).Is(kProducerFenced));
  EXPECT_TRUE(AsStatus(End(1, 0, ControlType::kAbort)).Is(kProducerFenced));
  EXPECT_TRUE(AsStatus(SendInTransaction(1, 1, 1, {"a"})).Is(kOutOfOrderSequence));
  TM_ASSERT_OK(SendInTransaction(1, 1, 0, {"b"}));
  TM_ASSERT_OK(End(1, 2, ControlType::kAbort));
  EXPECT_EQ(*End(1, 3, ControlType::kAbort), 4);   // nothing was written: the marker only fences
  EXPECT_EQ(*End(99, 6, ControlType::kAbort), 5);  // and so for one that never wrote here
  Reopen();
  EXPECT_TRUE(AsStatus(SendInTransaction(99, 5, 0, {"late"})).Is(kProducerFenced));
  EXPECT_TRUE(AsStatus(SendInTransaction(1, 2, 0, {"late"})).Is(kProducerFenced));
  EXPECT_EQ(Values(), Strings{"a"});
}

TEST_F(ProducerTest, OpenKafkaTransactionsSurviveAndEmbeddedOnesDoNot) {
  for (int kind = 0; kind < 4; ++kind) {
    const int64_t start = Get()->Offsets().end;
    const int64_t id = *log_->AllocateProducerId();
    TM_ASSERT_OK(SendInTransaction(id, 0, 0, {"open " + std::to_string(kind)}));
    auto embedded = *log_->Begin("job/sink/0");
    const Record lost = Value("lost");
    TM_ASSERT_OK(embedded->Append("t", 0, {&lost, 1}));
    EXPECT_NE(embedded->producer_id(), id);
    EXPECT_TRUE(AsStatus(End(embedded->producer_id(), 0, ControlType::kCommit)).Is(kInvalidTransactionState));
    EXPECT_TRUE(AsStatus(SendInTransaction(embedded->producer_id(), 0, 0, {"wrong"})).Is(kInvalidTransactionState));
    // Several segments between the beginning and the end.
    for (int i = 0; i < 60; ++i) TM_ASSERT_OK(AppendValue(std::string(200, 'x')));
    TM_ASSERT_OK(Get()->SyncUpTo(Get()->Offsets().end - 1));
    if (kind > 0) files_.StopAfter(0);  // else its end is written down
    embedded.reset();
    files_.StopAfter(-1);
    RestartAs(kind);
    EXPECT_EQ(Get()->Offsets().last_stable, start) << kind;
    EXPECT_EQ(Describe(id).transaction_start_offset, start);
    const auto before = Values().size();
    TM_ASSERT_OK(SendInTransaction(id, 0, 1, {"more"}));
    TM_ASSERT_OK(End(id, 1, ControlType::kCommit));
    EXPECT_EQ(Get()->Offsets().last_stable, Get()->Offsets().end);
    EXPECT_EQ(Values().size(), before + 62);  // "lost" is not among them
  }
}

TEST_F(ProducerTest, EverythingIsFoundAgainWithoutACheckpoint) {
  const int64_t id = *log_->AllocateProducerId();
  for (int i = 0; i < 40; ++i) {
    const std::string text(100, static_cast<char>('a' + i % 26));
    TM_ASSERT_OK(SendInTransaction(id, static_cast<int16_t>(i), 0, {text, text}));
    if (i == 39) break;
    TM_ASSERT_OK(End(id, static_cast<int16_t>(i + 1), i % 3 == 0 ? ControlType::kAbort : ControlType::kCommit, i));
  }
  const auto values = Values();
  const auto aborted = Get()->AbortedTransactions(0, INT64_MAX);
  const auto offsets = Get()->Offsets();
  EXPECT_EQ(aborted.size(), 13u);
  log_.reset();
  TM_ASSERT_OK(files_.Remove("data/log/topics/t/0/checkpoint"));
  OpenLog();
  EXPECT_EQ(Values(), values);
  EXPECT_EQ(Get()->AbortedTransactions(0, INT64_MAX).size(), aborted.size());
  EXPECT_EQ(Get()->Offsets().last_stable, offsets.last_stable);
  EXPECT_EQ(Describe(id).producer_epoch, 39);
  EXPECT_EQ(Describe(id).coordinator_epoch, 38);
  EXPECT_TRUE(SendInTransaction(id, 39, 0, {std::string(100, 'n'), std::string(100, 'n')})->duplicate);
}

// What was acknowledged is there once, wherever the process dies, when the producer sends again what it has no answer
// for.
TEST_F(ProducerTest, RetriesOverCrashesLoseAndDoubleNothing) {
  int crashes = 0;
  for (int64_t stop = 0; stop < 60; ++stop) {
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
    const int64_t id = *log_->AllocateProducerId();
    Strings expected;
    files_.StopAfter(stop);
    for (int i = 0; i < 30; ++i) {
      const std::string text = std::to_string(i) + std::string(300, 'p');
      expected.push_back(text);
      for (int attempt = 0;; ++attempt) {
        ASSERT_LT(attempt, 3);
        auto append = Send(id, 0, i, {text});
        Status status = AsStatus(append);
        if (status.ok()) status = Get()->SyncUpTo(append->last_offset);
        if (status.ok()) break;
        ASSERT_FALSE(status.Is(kOutOfOrderSequence)) << status.ToString();
        ++crashes;
        CrashAndOpen(static_cast<uint64_t>(stop));
      }
    }
    ASSERT_EQ(Values(), expected) << stop;
  }
  EXPECT_GT(crashes, 40);
}

}  // namespace
}  // namespace tidemill
