#include "job/journal_store.h"

#include <atomic>

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/simulated_file_system.h"
#include "exec/tests/memory_world.h"
#include "job/errors.h"

namespace tidemill {
namespace {

using namespace testing;

std::vector<Row> RowsOfAll(const std::vector<Batch>& batches) {
  std::vector<Row> rows;
  for (const Batch& batch : batches) {
    for (const Row& row : RowsOf(batch)) rows.push_back(row);
  }
  return rows;
}

TEST(JournalStoreTest, WhatWasAcknowledgedIsRecoveredWhateverTheCrash) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    SimulatedFileSystem files;
    std::vector<Row> acknowledged;
    size_t appended = 0;
    {
      auto store = *JournalStore::Open(files, "d", 0, false);
      auto journal = *store->MakeJournal("Journal[scored]", 1);
      files.StopAfter(static_cast<int64_t>(random.Uniform(60)));
      for (int64_t i = 0; i < 40; ++i) {
        const Row row{i, i, i, i};
        journal->Append(BatchOf({row}), [&, row](Status status) {
          if (status.ok()) acknowledged.push_back(row);
        });
        ++appended;
        if (random.Uniform(3) == 0) store->Flush();
      }
    }
    files.StopAfter(-1);
    files.Crash(seed);
    auto store = *JournalStore::Open(files, "d", 0, false);
    auto recovered = (*store->MakeJournal("Journal[scored]", 0))->TakeRecovered();
    ASSERT_TRUE(recovered.ok()) << recovered.status().ToString() << " seed " << seed;
    const std::vector<Row> rows = RowsOfAll(*recovered);
    ASSERT_GE(rows.size(), acknowledged.size()) << "seed " << seed;
    ASSERT_LE(rows.size(), appended);
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i].key, static_cast<int64_t>(i));
  }
}

TEST(JournalStoreTest, RecordsGoWithTheirEpoch) {
  SimulatedFileSystem files;
  std::atomic<int> done{0};
  const auto count = [&](Status status) {
    EXPECT_TRUE(status.ok());
    ++done;
  };
  auto store = *JournalStore::Open(files, "d", 0, false);
  auto journal = *store->MakeJournal("j", 0);
  journal->Append(BatchOf({{1}}), count);  // epoch 1
  journal->StartEpoch(2);
  journal->Append(BatchOf({{2}}), count);
  journal->StartEpoch(3);
  journal->Append(BatchOf({{3}}), count);
  store->Flush();
  EXPECT_EQ(done, 3);
  store->OnEpochDurable(1);

  auto second = *JournalStore::Open(files, "d", 1, false);
  EXPECT_EQ(second->greatest_epoch(), 3);
  auto again = *second->MakeJournal("j", 5);
  EXPECT_EQ(RowsOfAll(*again->TakeRecovered()), (std::vector<Row>{{2}, {3}}));
  again->Append(BatchOf({{4}}), count);  // its own records are not recovered by itself
  second->Flush();
  EXPECT_EQ(RowsOfAll(*again->TakeRecovered()).size(), 2u);
  // The first epoch after a restart is above every one that was begun: its manifest takes all older records along.
  second->OnEpochDurable(4);
  auto third = *JournalStore::Open(files, "d", 4, false);
  EXPECT_EQ((*third->MakeJournal("j", 0))->TakeRecovered()->size(), 0u);
}

TEST(JournalStoreTest, DamageBeforeTheTailIsRefused) {
  SimulatedFileSystem files;
  auto store = *JournalStore::Open(files, "d", 0, false);
  auto journal = *store->MakeJournal("j", 0);
  for (int64_t i = 0; i < 3; ++i) {
    journal->Append(BatchOf({{i}}), [](Status) {});
    store->Flush();
  }
  ASSERT_TRUE(files.FlipBit("d/journal/j/0.1.1", 40, 3).ok());
  auto second = *JournalStore::Open(files, "d", 0, false);
  const auto recovered = (*second->MakeJournal("j", 0))->TakeRecovered();
  ASSERT_FALSE(recovered.ok());
  EXPECT_TRUE(recovered.status().Is(kCorruption));
}

TEST(JournalStoreTest, ItsThreadAcknowledgesWithoutBeingAsked) {
  SimulatedFileSystem files;
  auto store = *JournalStore::Open(files, "d", 0);
  auto journal = *store->MakeJournal("j", 0);
  std::mutex mutex;
  std::condition_variable changed;
  int done = 0;
  for (int64_t i = 0; i < 100; ++i) {
    journal->Append(BatchOf({{i}}), [&](Status) {
      std::lock_guard<std::mutex> lock(mutex);
      ++done;
      changed.notify_all();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return done == 100; }));
}

}  // namespace
}  // namespace tidemill
