#include <atomic>
#include <map>
#include <thread>

#include "base/logging.h"
#include "base/tests/temp_folder.h"
#include "log/internal/key_offsets.h"
#include "log/record_batch.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

constexpr const char* kCompactedPath = "data/log/topics/t/0";

struct Written {
  std::string key;
  std::optional<std::string> value;
  bool visible = true;  // not of an aborted transaction
};
using Latest = std::map<std::string, std::string>;

class CompactionTest : public QuietLogTest {
 protected:
  static TopicConfig Compacted() {
    TopicConfig config;
    config.segment_bytes = 4096;
    config.segment_ms = 60'000;
    config.cleanup_policy = CleanupPolicy::kCompact;
    config.min_cleanable_dirty_ratio = 0;
    config.delete_retention_ms = 3'600'000;
    return config;
  }
  void Wait(int64_t ms) {
    clock_.AdvanceMicros(ms * 1000);
    log_->RunPending();
  }
  // Rolls, and compacts all that is written.
  void CompactEverything() {
    Wait(61'000);
    Wait(1'000);
    Wait(1'000);
  }
  Result<int64_t> PutRecord(const std::string& key, std::optional<std::string> value) {
    const Record record{key, value ? std::optional<std::string_view>(*value) : std::nullopt, {}, 1'000};
    auto offset = Get()->Append({&record, 1});
    if (offset.ok()) written_[*offset] = {key, std::move(value)};
    return offset;
  }

  // Reads everything and compares each record with what was written at its offset.
  std::vector<std::pair<int64_t, std::string>> CheckedRead(IsolationLevel isolation = IsolationLevel::kReadCommitted) {
    std::vector<std::pair<int64_t, std::string>> keys;
    PartitionReader reader(Get(), Get()->Offsets().log_start, {.isolation = isolation, .chunk_bytes = 700});
    std::vector<RecordView> records;
    int64_t last = -1;
    do {
      const Status polled = reader.Poll(7, &records);
      EXPECT_TRUE(polled.ok()) << polled.ToString();
      for (const RecordView& record : records) {
        EXPECT_GT(record.offset, last);
        last = record.offset;
        const auto it = written_.find(record.offset);
        if (it == written_.end()) {
          ADD_FAILURE() << "nothing was written at offset " << record.offset;
          continue;
        }
        EXPECT_EQ(record.key, it->second.key);
        EXPECT_EQ(record.has_value(), it->second.value.has_value());
        EXPECT_EQ(record.value, it->second.value.value_or(""));
        EXPECT_EQ(record.timestamp_ms, 1'000);
        EXPECT_TRUE(it->second.visible || isolation == IsolationLevel::kReadUncommitted) << record.offset;
        keys.emplace_back(record.offset, std::string(record.key));
      }
    } while (!records.empty());
    const auto offsets = Get()->Offsets();
    EXPECT_EQ(reader.position(), isolation == IsolationLevel::kReadCommitted ? offsets.last_stable : offsets.end);
    return keys;
  }
  Latest LatestRead() {
    Latest latest;
    for (const auto& [offset, key] : CheckedRead()) Apply(written_[offset], &latest);
    return latest;
  }
  Latest LatestWritten(int64_t below = INT64_MAX) const {
    Latest latest;
    for (const auto& [offset, record] : written_) {
      if (record.visible && offset < below) Apply(record, &latest);
    }
    return latest;
  }
  static void Apply(const Written& record, Latest* latest) {
    if (record.value) {
      (*latest)[record.key] = *record.value;
    } else {
      latest->erase(record.key);
    }
  }

  std::map<int64_t, Written> written_;
};

TEST_F(CompactionTest, TheNewestRecordOfEachKeyIsKeptWithItsOffset) {
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  for (int i = 0; i < 200; ++i) TM_ASSERT_OK(PutRecord("key " + std::to_string(i % 7), std::string(100, 'v')));
  const int64_t before = Get()->size_bytes();
  CompactEverything();
  const auto keys = CheckedRead();
  ASSERT_EQ(keys.size(), 7u);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(keys[static_cast<size_t>(i)].first, 193 + i);
  EXPECT_LT(Get()->size_bytes(), before / 10);
  EXPECT_EQ(Get()->Offsets().end, 200);
  EXPECT_EQ(Get()->Offsets().log_start, 0);
  const auto segments = files_.List(kCompactedPath);
  int logs = 0;
  for (const FileInfo& file : *segments) logs += file.path.ends_with(".log");
  EXPECT_EQ(logs, 2);  // one of many, and the active one
  // It goes on, also from a rebuilt index and without a checkpoint.
  Reopen();
  EXPECT_EQ(CheckedRead(), keys);
  log_.reset();
  TM_ASSERT_OK(files_.Remove(std::string(kCompactedPath) + "/checkpoint"));
  TM_ASSERT_OK(files_.Remove(std::string(kCompactedPath) + "/00000000000000000000.index"));
  OpenLog();
  EXPECT_EQ(CheckedRead(), keys);
  EXPECT_EQ(*Get()->OffsetForTime(1), 193);
  TM_ASSERT_OK(PutRecord("key 3", "new"));
  CompactEverything();
  EXPECT_EQ(LatestRead(), LatestWritten());
  EXPECT_EQ(CheckedRead().size(), 7u);
}

TEST_F(CompactionTest, TombstonesStayForTheirTime) {
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  TM_ASSERT_OK(PutRecord("gone", "value"));
  TM_ASSERT_OK(PutRecord("gone", std::nullopt));
  TM_ASSERT_OK(PutRecord("stays", ""));
  CompactEverything();
  EXPECT_EQ(CheckedRead().size(), 2u);
  Reopen();
  Wait(3'000'000);
  EXPECT_EQ(CheckedRead().size(), 2u);
  Wait(700'000);
  EXPECT_EQ(CheckedRead(), (std::vector<std::pair<int64_t, std::string>>{{2, "stays"}}));
  EXPECT_EQ(Get()->Offsets().end, 3);
}

TEST_F(CompactionTest, WhatIsYoungOrMostlyCleanIsLeftAlone) {
  TopicConfig config = Compacted();
  config.min_cleanable_dirty_ratio = 0.5;
  TM_ASSERT_OK(log_->CreateTopic("t", config));
  for (int i = 0; i < 100; ++i) TM_ASSERT_OK(PutRecord(std::to_string(i), std::string(100, 'v')));
  CompactEverything();
  EXPECT_EQ(CheckedRead().size(), 100u);
  for (int i = 0; i < 40; ++i) TM_ASSERT_OK(PutRecord(std::to_string(i), std::string(100, 'v')));
  CompactEverything();
  EXPECT_EQ(CheckedRead().size(), 140u);
  for (int i = 0; i < 80; ++i) TM_ASSERT_OK(PutRecord(std::to_string(i), std::string(100, 'v')));
  CompactEverything();
  EXPECT_EQ(CheckedRead().size(), 100u);

  config.min_cleanable_dirty_ratio = 0;
  config.min_compaction_lag_ms = clock_.NowMicros() / 1000 - 1'000 + 200'000;
  TM_ASSERT_OK(log_->AlterTopic("t", config));
  for (int i = 0; i < 80; ++i) TM_ASSERT_OK(PutRecord(std::to_string(i), std::string(100, 'v')));
  CompactEverything();
  EXPECT_EQ(CheckedRead().size(), 180u);
  Wait(200'000);
  EXPECT_EQ(CheckedRead().size(), 100u);
}

TEST_F(CompactionTest, RecordsNeedKeysAndPoliciesHaveNames) {
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  EXPECT_TRUE(AsStatus(AppendValue("no key")).Is(kInvalidBatch));
  std::string batch;
  const Record records[] = {{"k", "v", {}, 1'000}, {{}, "v", {}, 1'000}};
  TM_ASSERT_OK(EncodeBatch(records, {}, &batch));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(batch)).Is(kInvalidBatch));
  EXPECT_EQ(Get()->Offsets().end, 0);
  for (const auto& [text, policy] :
       std::map<std::string, CleanupPolicy>{{"compact", CleanupPolicy::kCompact},
                                            {"delete", CleanupPolicy::kDelete},
                                            {"compact,delete", CleanupPolicy::kCompactAndDelete},
                                            {" delete , compact", CleanupPolicy::kCompactAndDelete}}) {
    Config config;
    config.Set("cleanup.policy", text);
    config.Set("min.cleanable.dirty.ratio", "0.25");
    config.Set("delete.retention.ms", "5");
    config.Set("min.compaction.lag.ms", "7");
    const auto parsed = TopicConfig::FromConfig(config, {});
    TM_ASSERT_OK(parsed);
    EXPECT_EQ(parsed->cleanup_policy, policy);
    const auto again = TopicConfig::FromConfig(parsed->ToConfig(), {});
    TM_ASSERT_OK(again);
    EXPECT_EQ(again->cleanup_policy, policy);
    EXPECT_EQ(again->min_cleanable_dirty_ratio, 0.25);
    EXPECT_EQ(again->delete_retention_ms, 5);
    EXPECT_EQ(again->min_compaction_lag_ms, 7);
  }
  for (const char* text : {"", "compact,", "compress"}) {
    Config config;
    config.Set("cleanup.policy", text);
    EXPECT_TRUE(AsStatus(TopicConfig::FromConfig(config, {})).Is(kInvalidTopicConfig)) << text;
  }
  Config config;
  config.Set("min.cleanable.dirty.ratio", "1.5");
  EXPECT_TRUE(AsStatus(TopicConfig::FromConfig(config, {})).Is(kInvalidTopicConfig));
}

TEST_F(CompactionTest, RetentionTakesCompactedTopicsOnlyWhenAsked) {
  TopicConfig config = Compacted();
  config.retention_ms = 100'000;
  TM_ASSERT_OK(log_->CreateTopic("t", config));
  TM_ASSERT_OK(PutRecord("a", "1"));
  CompactEverything();
  Wait(200'000);
  EXPECT_EQ(CheckedRead().size(), 1u);
  config.cleanup_policy = CleanupPolicy::kCompactAndDelete;
  TM_ASSERT_OK(log_->AlterTopic("t", config));
  Wait(200'000);
  EXPECT_TRUE(CheckedRead().empty());
  EXPECT_EQ(Get()->Offsets().log_start, 1);
}

TEST_F(CompactionTest, TransactionsAreKeptOrForgottenAsAWhole) {
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  const auto send = [&](int64_t id, int32_t sequence, const std::string& key, bool visible) {
    const Record records[] = {{key, "v", {}, 1'000}, {key, "w", {}, 1'000}};
    std::string batch;
    TM_ASSERT_OK(EncodeBatch(records, {.producer_id = id, .producer_epoch = 0, .base_sequence = sequence}, &batch));
    const auto append = Get()->AppendBatchBytes(batch, {.transactional = true});
    TM_ASSERT_OK(append);
    written_[append->base_offset] = {key, "v", visible};
    written_[append->last_offset] = {key, "w", visible};
  };
  send(1, 0, "committed", true);
  send(2, 0, "committed", false);
  send(2, 2, "aborted", false);
  send(3, 0, "open", false);
  TM_ASSERT_OK(Get()->AppendTransactionMarker(1, 0, ControlType::kCommit, 0));
  TM_ASSERT_OK(Get()->AppendTransactionMarker(2, 0, ControlType::kAbort, 0));
  for (int i = 0; i < 40; ++i) TM_ASSERT_OK(PutRecord("a", std::string(200, 'x')));
  CompactEverything();
  EXPECT_EQ(CheckedRead(IsolationLevel::kReadUncommitted).size(), 48u);  // nothing behind an open one is touched
  TM_ASSERT_OK(Get()->AppendTransactionMarker(3, 0, ControlType::kAbort, 0));
  CompactEverything();
  // Of "committed" the second record, and the newest "a"; the aborted ones are gone for every reader.
  const std::vector<std::pair<int64_t, std::string>> kept{{1, "committed"}, {49, "a"}};
  EXPECT_EQ(CheckedRead(), kept);
  EXPECT_EQ(CheckedRead(IsolationLevel::kReadUncommitted), kept);
  EXPECT_EQ(Get()->AbortedTransactions(0, 1'000).size(), 2u);
  // Sequence numbers are still known, also without the checkpoint.
  const auto again = [&](int64_t id, int32_t sequence) {
    const Record records[] = {{"k", "v", {}, 1'000}, {"k", "w", {}, 1'000}};
    std::string batch;
    EXPECT_TRUE(EncodeBatch(records, {.producer_id = id, .producer_epoch = 0, .base_sequence = sequence}, &batch).ok());
    return Get()->AppendBatchBytes(batch, {.transactional = true});
  };
  for (const bool lost : {false, true}) {
    log_.reset();
    if (lost) {
      TM_ASSERT_OK(files_.Remove(std::string(kCompactedPath) + "/checkpoint"));
    }
    OpenLog();
    EXPECT_EQ(CheckedRead(), kept);
    EXPECT_EQ(Get()->Offsets().last_stable, Get()->Offsets().end);
    EXPECT_TRUE(AsStatus(again(2, 6)).Is(kOutOfOrderSequence)) << lost;
    EXPECT_TRUE(again(2, 2)->duplicate) << lost;
    EXPECT_TRUE(again(3, 0)->duplicate) << lost;
  }
  // Once the producers are forgotten, so are their last batches and markers.
  Wait(48LL * 3600 * 1'000);
  Wait(4'000'000);
  TM_ASSERT_OK(PutRecord("a", "last"));
  TM_ASSERT_OK(PutRecord("committed", "last"));
  CompactEverything();
  Wait(4'000'000);
  EXPECT_EQ(CheckedRead().size(), 2u);
  EXPECT_EQ(LatestRead(), LatestWritten());
  EXPECT_TRUE(Get()->AbortedTransactions(0, 1'000).empty());
  Reopen();
  EXPECT_EQ(CheckedRead().size(), 2u);
}

TEST_F(CompactionTest, ReadersInsideStayRight) {
  for (const auto codec : {CompressionCodec::kNone, CompressionCodec::kLz4, CompressionCodec::kZstd}) {
    StartAnew();
    written_.clear();
    TopicConfig config = Compacted();
    config.compression = codec;
    config.segment_bytes = codec == CompressionCodec::kNone ? 16'384 : 4'096;
    TM_ASSERT_OK(log_->CreateTopic("t", config));
    Random random(3);
    std::vector<PartitionReader> readers;
    std::vector<Latest> seen(30);
    for (size_t i = 0; i < seen.size(); ++i)
      readers.emplace_back(Get(), 0, ReaderOptions{.chunk_bytes = static_cast<int64_t>(100 + 900 * i)});
    std::vector<int64_t> at(readers.size(), 0);
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < 30; ++i)
        TM_ASSERT_OK(PutRecord(std::to_string(random.Uniform(12)), std::string(random.Uniform(200), 'v')));
      if (round % 3 == 0) CompactEverything();
      for (size_t i = 0; i < readers.size(); ++i) {
        for (uint64_t polls = random.Uniform(6); polls > 0; --polls) {
          std::vector<RecordView> records;
          TM_ASSERT_OK(readers[i].Poll(static_cast<int>(1 + random.Uniform(20)), &records));
          for (const RecordView& record : records) {
            ASSERT_GE(record.offset, at[i]);
            at[i] = record.offset + 1;
            ASSERT_EQ(record.key, written_[record.offset].key);
            ASSERT_EQ(record.value, *written_[record.offset].value);
            Apply(written_[record.offset], &seen[i]);
          }
        }
      }
    }
    for (size_t i = 0; i < readers.size(); ++i) {
      std::vector<RecordView> records;
      do {
        TM_ASSERT_OK(readers[i].Poll(100, &records));
        for (const RecordView& record : records) Apply(written_[record.offset], &seen[i]);
      } while (!records.empty());
      EXPECT_EQ(seen[i], LatestWritten()) << i;
    }
  }
}

// As a fetch of the Kafka protocol reads: whole batches that leave no offset out, whatever is compacted meanwhile.
TEST_F(CompactionTest, StoredBatchesCoverEveryOffset) {
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  Random random(5);
  PartitionReader reader(Get(), 0, {.isolation = IsolationLevel::kReadUncommitted});
  Latest seen;
  std::string unused;
  const auto poll = [&](int64_t bytes_max) {
    int64_t next = reader.position();
    std::string_view bytes;
    TM_ASSERT_OK(reader.PollBatches(bytes_max, &bytes));
    while (!bytes.empty()) {
      const auto header = ParseBatchHeader(bytes);
      TM_ASSERT_OK(header);
      const std::string_view batch = bytes.substr(0, static_cast<size_t>(header->total_bytes()));
      ASSERT_TRUE(ChecksumMatches(*header, batch));
      ASSERT_LE(header->base_offset, next);
      ASSERT_GE(header->last_offset(), next);
      std::vector<RecordView> records;
      auto iterator = RecordIterator::Open(*header, batch, &unused);
      iterator->Next(header->record_count, next, &records);
      for (const RecordView& record : records) Apply(written_[record.offset], &seen);
      next = header->last_offset() + 1;
      bytes.remove_prefix(batch.size());
    }
    ASSERT_EQ(reader.position(), next);
  };
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 20; ++i)
      TM_ASSERT_OK(PutRecord(std::to_string(random.Uniform(30)), std::string(random.Uniform(300), 'v')));
    if (round % 4 == 0) CompactEverything();
    poll(static_cast<int64_t>(random.Uniform(4'000)));
  }
  while (reader.position() < Get()->Offsets().end) poll(3'000);
  EXPECT_EQ(seen, LatestWritten());
}

// Random keys, values, tombstones and transactions of both kinds, with compactions, restarts and crashes in between,
// against a map.
TEST_F(CompactionTest, RandomHistoriesGiveTheLatestValues) {
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    StartAnew();
    written_.clear();
    TopicConfig config = Compacted();
    config.compression = seed % 3 == 0 ? CompressionCodec::kZstd : CompressionCodec::kNone;
    config.delete_retention_ms = seed % 2 == 0 ? 0 : 500'000;
    TM_ASSERT_OK(log_->CreateTopic("t", config));
    const uint64_t keys = 1 + random.Uniform(40);
    for (int step = 0; step < 120; ++step) {
      const uint64_t what = random.Uniform(20);
      std::vector<std::pair<std::string, std::optional<std::string>>> content;
      for (uint64_t n = 1 + random.Uniform(6); n > 0; --n) {
        content.emplace_back("key " + std::to_string(random.Uniform(keys)), std::nullopt);
        if (random.Uniform(5) > 0) content.back().second = std::to_string(step) + std::string(random.Uniform(300), 'v');
      }
      std::vector<Record> records;
      for (const auto& [key, value] : content)
        records.push_back({key, value ? std::optional<std::string_view>(*value) : std::nullopt, {}, 1'000});
      const bool commit = random.Uniform(2) == 0;
      int64_t base = -1;
      bool visible = true;
      if (what < 10) {
        base = *Get()->Append(records);
      } else if (what < 13) {
        auto transaction = *log_->Begin("x");
        base = *transaction->Append("t", 0, records);
        visible = commit;
        Result<PreparedTransaction> prepared = Status(kTimeout, "no answer");
        if (commit) {
          transaction->Prepare([&](Result<PreparedTransaction> result) { prepared = std::move(result); });
          log_->RunPending();
          TM_ASSERT_OK(log_->Commit(*prepared));
        }
      } else if (what < 16) {
        const int64_t id = *log_->AllocateProducerId();
        std::string batch;
        TM_ASSERT_OK(EncodeBatch(
            records, {.codec = config.compression, .producer_id = id, .producer_epoch = 0, .base_sequence = 0},
            &batch));
        base = Get()->AppendBatchBytes(batch, {.transactional = true})->base_offset;
        visible = commit;
        TM_ASSERT_OK(Get()->AppendTransactionMarker(id, 1, commit ? ControlType::kCommit : ControlType::kAbort, 0));
      } else if (what < 18) {
        CompactEverything();
      } else if (what < 19) {
        TM_ASSERT_OK(Get()->SyncUpTo(Get()->Offsets().end - 1));
        CrashAndOpen(random.Next());
      } else {
        Reopen();
      }
      for (size_t i = 0; base >= 0 && i < content.size(); ++i)
        written_[base + static_cast<int64_t>(i)] = {content[i].first, content[i].second, visible};
      if (random.Uniform(10) == 0) {
        ASSERT_EQ(LatestRead(), LatestWritten());
      }
    }
    CompactEverything();
    Wait(600'000);
    Wait(600'000);
    ASSERT_EQ(LatestRead(), LatestWritten());
    // Now every key is there once, and no tombstone.
    std::map<std::string, int> counts;
    for (const auto& [offset, key] : CheckedRead(IsolationLevel::kReadUncommitted)) {
      EXPECT_EQ(++counts[key], 1) << key;
      EXPECT_TRUE(written_[offset].value.has_value()) << offset;
    }
    log_.reset();
    TM_ASSERT_OK(files_.Remove(std::string(kCompactedPath) + "/checkpoint"));
    OpenLog();
    ASSERT_EQ(LatestRead(), LatestWritten());
    EXPECT_EQ(Get()->Offsets().last_stable, Get()->Offsets().end);
  }
}

TEST_F(CompactionTest, ItMayDieAnywhere) {
  int died = 0, completed = 0;
  for (int64_t stop = 0; stop < 120; ++stop) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      SCOPED_TRACE("stop " + std::to_string(stop) + " seed " + std::to_string(seed));
      StartAnew();
      written_.clear();
      TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
      Random random(seed);
      for (int i = 0; i < 90; ++i) {
        std::optional<std::string> value;
        if (random.Uniform(6) > 0) value = std::string(300, static_cast<char>('a' + i % 26));
        TM_ASSERT_OK(PutRecord(std::to_string(random.Uniform(30)), value));
      }
      TM_ASSERT_OK(Get()->SyncUpTo(89));
      clock_.AdvanceMicros(61'000'000);
      files_.StopAfter(stop);
      log_->RunPending();
      clock_.AdvanceMicros(1'000'000);
      log_->RunPending();
      (files_.Exists("data") ? completed : died) += 1;
      if (seed % 2 == 0) {
        CrashOnly(seed * 1'000 + static_cast<uint64_t>(stop));
      } else {
        KillOnly();
      }
      OpenLog();
      ASSERT_EQ(Get()->Offsets().end, 90);
      ASSERT_EQ(LatestRead(), LatestWritten());
      const auto left = files_.List(kCompactedPath);
      for (const FileInfo& file : *left) {
        EXPECT_FALSE(file.path.ends_with(".swap") || file.path.ends_with(".cleaned") || file.path.ends_with(".deleted"))
            << file.path;
      }
      TM_ASSERT_OK(PutRecord("0", "after"));
      CompactEverything();
      ASSERT_EQ(LatestRead(), LatestWritten());
      std::map<std::string, int> counts;
      for (const auto& [offset, key] : CheckedRead()) EXPECT_EQ(++counts[key], 1) << key;
    }
  }
  EXPECT_GT(died, 40);
  EXPECT_GT(completed, 40);
}

TEST_F(CompactionTest, MoreKeysThanFitTakeSeveralPasses) {
  log_.reset();
  log_ = *Log::Open(files_, clock_, "data/log", {.background_thread = false, .compaction_keys_max = 16});
  TM_ASSERT_OK(log_->CreateTopic("t", Compacted()));
  for (int i = 0; i < 600; ++i) TM_ASSERT_OK(PutRecord(std::to_string(i % 100), std::string(50, 'v')));
  for (int i = 0; i < 60; ++i) {
    CompactEverything();
    ASSERT_EQ(LatestRead(), LatestWritten());
  }
  EXPECT_EQ(CheckedRead().size(), 100u);
}

TEST(KeyOffsetsTest, KeepsTheNewestOffsetOfEachKey) {
  log_internal::KeyOffsets offsets(5'000, 42);
  for (int64_t i = 0; i < 20'000; ++i) ASSERT_TRUE(offsets.Put("key " + std::to_string(i % 5'000), i));
  EXPECT_EQ(offsets.size(), 5'000u);
  EXPECT_FALSE(offsets.Put("one more", 20'000));
  EXPECT_TRUE(offsets.Put("key 7", 20'001));
  EXPECT_EQ(offsets.Find("key 7"), 20'001);
  for (int64_t i = 8; i < 5'000; ++i) ASSERT_EQ(offsets.Find("key " + std::to_string(i)), 15'000 + i);
  EXPECT_EQ(offsets.Find("key 5000"), -1);
  EXPECT_EQ(offsets.Find(""), -1);
  log_internal::KeyOffsets lengths(100, 1);
  for (size_t n = 0; n < 64; ++n) ASSERT_TRUE(lengths.Put(std::string(n, '\0'), static_cast<int64_t>(n)));
  EXPECT_EQ(lengths.size(), 64u);
}

// With the background thread, a real clock and real files: appenders, readers and compaction at the same time.
TEST(ConcurrentCompactionTest, ReadersAndWritersGoOnMeanwhile) {
  SetLogLevel(LogLevel::kWarning);
  const testing::TempFolder folder;
  LocalFileSystem files;
  SystemClock clock;
  {
    auto log = *Log::Open(files, clock, folder.path(), {.housekeeping_interval_ms = 5});
    TM_ASSERT_OK(log->CreateTopic(
        "t", {.segment_bytes = 32 << 10, .cleanup_policy = CleanupPolicy::kCompact, .min_cleanable_dirty_ratio = 0}));
    auto partition = *log->partition("t", 0);
    std::atomic<bool> stop{false};
    std::atomic<int> passes{0};
    constexpr int kKeys = 50, kWrites = 30'000;
    std::thread writer([&] {
      for (int i = 0; i < kWrites; ++i) {
        const std::string key = std::to_string(i % kKeys), value = std::to_string(i) + std::string(60, 'v');
        const Record record{key, value};
        EXPECT_TRUE(partition->Append({&record, 1}).ok());
      }
      stop = true;
    });
    std::vector<std::thread> readers;
    for (int r = 0; r < 3; ++r) {
      readers.emplace_back([&, r] {
        while (!stop) {
          PartitionReader reader(partition, 0, {.chunk_bytes = 2'000 + r * 20'000});
          std::vector<RecordView> records;
          int64_t last = -1;
          do {
            const Status polled = reader.Poll(50, &records);
            ASSERT_TRUE(polled.ok()) << polled.ToString();
            for (const RecordView& record : records) {
              ASSERT_GT(record.offset, last);
              last = record.offset;
              ASSERT_EQ(record.key, std::to_string(record.offset % kKeys));
              ASSERT_EQ(record.value.substr(0, record.value.find('v')), std::to_string(record.offset));
            }
          } while (!records.empty());
          EXPECT_TRUE(partition->OffsetForTime(1).ok());
          ++passes;
        }
      });
    }
    writer.join();
    for (auto& reader : readers) reader.join();
    EXPECT_GT(passes.load(), 0);
    const int64_t deadline = clock.MonotonicNanos() + 20'000'000'000;
    while (partition->size_bytes() > 200'000 && clock.MonotonicNanos() < deadline) std::this_thread::yield();
    EXPECT_LT(partition->size_bytes(), 200'000);  // of 4 MB
    Latest latest;
    PartitionReader reader(partition, 0);
    std::vector<RecordView> records;
    do {
      TM_ASSERT_OK(reader.Poll(1'000, &records));
      for (const RecordView& record : records) latest[std::string(record.key)] = std::string(record.value);
    } while (!records.empty());
    EXPECT_EQ(latest.size(), static_cast<size_t>(kKeys));
    for (const auto& [key, value] : latest)
      EXPECT_EQ(value, std::to_string(kWrites - kKeys + std::stoi(key)) + std::string(60, 'v'));
  }
  SetLogLevel(LogLevel::kInfo);
}

}  // namespace
}  // namespace tidemill
