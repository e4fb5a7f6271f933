#include "log/log.h"

#include "log/record_batch.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

class LogTest : public SimulatedLogTest {
 protected:
  void SetUp() override { OpenLog(); }
};

TEST_F(LogTest, AppendsReadsAndKeepsOverRestart) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
  const Record records[] = {{"k1", "a", {}, 1'000}, {"k2", "b", {}, 2'000}};
  EXPECT_EQ(*Get()->Append(records), 0);
  EXPECT_EQ(*Get()->Append(records), 2);
  EXPECT_EQ(*Get("t", 1)->Append(records), 0);
  EXPECT_EQ(Values(), (std::vector<std::string>{"a", "b", "a", "b"}));
  Reopen();
  EXPECT_EQ(Values(), (std::vector<std::string>{"a", "b", "a", "b"}));
  EXPECT_EQ(*Get()->Append(records), 4);
  PartitionReader reader(Get(), 3);
  std::vector<RecordView> read;
  TM_ASSERT_OK(reader.Poll(1, &read));
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].offset, 3);
  EXPECT_EQ(read[0].key, "k2");
  EXPECT_EQ(read[0].timestamp_ms, 2'000);
  TM_ASSERT_OK(reader.Poll(100, &read));
  EXPECT_EQ(read.size(), 2u);
  EXPECT_EQ(reader.position(), 6);
  TM_ASSERT_OK(reader.Poll(100, &read));
  EXPECT_TRUE(read.empty());
  EXPECT_EQ(log_->ListTopics(), std::vector<std::string>{"t"});
  EXPECT_EQ(log_->Describe("t")->partitions[0].end, 6);
}

Result<TopicConfig> FromText(std::pair<std::string, std::string> setting) {
  Config config;
  config.Set(setting.first, setting.second);
  return TopicConfig::FromConfig(config, {});
}

TEST_F(LogTest, TopicErrorsNameWhatIsThere) {
  TM_ASSERT_OK(log_->CreateTopic("transactions"));
  EXPECT_TRUE(log_->CreateTopic("transactions").Is(kTopicExists));
  EXPECT_TRUE(log_->CreateTopic("../x").Is(kInvalidName));
  EXPECT_TRUE(log_->CreateTopic("x", {.partitions = 0}).Is(kInvalidTopicConfig));
  EXPECT_TRUE(log_->CreateTopic("x", {.compression = CompressionCodec::kGzip}).Is(kInvalidTopicConfig));
  const Status unknown = AsStatus(log_->partition("transaction", 0));
  EXPECT_TRUE(unknown.Is(kUnknownTopic));
  EXPECT_EQ(unknown.hint(), "did you mean 'transactions'?");
  EXPECT_TRUE(AsStatus(log_->partition("transactions", 1)).Is(kUnknownPartition));
  EXPECT_TRUE(FromText({"retention.m", "1"}).status().Is(kInvalidTopicConfig));
  EXPECT_TRUE(FromText({"cleanup.policy", "compress"}).status().Is(kInvalidTopicConfig));
  EXPECT_EQ(FromText({"retention.ms", "5"})->retention_ms, 5);
}

TEST_F(LogTest, DeletedTopicIsGoneForThoseWhoHoldIt) {
  TM_ASSERT_OK(log_->CreateTopic("t"));
  auto held = Get();
  TM_ASSERT_OK(AppendValue("a"));
  TM_ASSERT_OK(log_->positions().Commit("g", {{"t", 0, 1, "", 0}}));
  TM_ASSERT_OK(log_->DeleteTopic("t"));
  const Record record = Value("b");
  EXPECT_TRUE(held->Append({&record, 1}).status().Is(kUnknownTopic));
  EXPECT_TRUE(AsStatus(ReadValues(held, 0)).Is(kUnknownTopic));
  EXPECT_FALSE(log_->positions().Get("g", "t", 0).has_value());
  TM_ASSERT_OK(log_->CreateTopic("t"));
  EXPECT_EQ(*AppendValue("c"), 0);
  Reopen();
  EXPECT_EQ(Values(), std::vector<std::string>{"c"});
}

TEST_F(LogTest, AlterKeepsAndGrows) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.partitions = 2}));
  TM_ASSERT_OK(log_->AlterTopic("t", {.partitions = 3, .retention_ms = 77}));
  EXPECT_TRUE(log_->AlterTopic("t", {.partitions = 1}).Is(kInvalidTopicConfig));
  Reopen();
  EXPECT_EQ(log_->Describe("t")->config.partitions, 3);
  EXPECT_EQ(log_->Describe("t")->config.retention_ms, 77);
}

TEST_F(LogTest, TopicsHaveIdsThatAreNeverUsedAgain) {
  TM_ASSERT_OK(log_->CreateTopic("a"));
  TM_ASSERT_OK(log_->CreateTopic("b"));
  const TopicId a = log_->Describe("a")->id, b = log_->Describe("b")->id;
  EXPECT_NE(a, TopicId{});
  EXPECT_NE(a, b);
  TM_ASSERT_OK(log_->AlterTopic("a", {.partitions = 3}));
  clock_.AdvanceMicros(1);
  Reopen();
  EXPECT_EQ(log_->Describe("a")->id, a);
  EXPECT_EQ(log_->TopicName(b), "b");
  TM_ASSERT_OK(log_->DeleteTopic("a"));
  EXPECT_EQ(log_->TopicName(a), std::nullopt);
  TM_ASSERT_OK(log_->CreateTopic("a"));
  EXPECT_NE(log_->Describe("a")->id, a);
}

TEST_F(LogTest, SecondOpenerIsRefused) {
  const Status second = AsStatus(TryOpen());
  EXPECT_TRUE(second.Is(kAlreadyLocked));
  EXPECT_NE(second.message().find("data/log/LOCK"), std::string::npos);
  log_.reset();
  TM_EXPECT_OK(TryOpen());
}

TEST_F(LogTest, ClosedLogRefuses) {
  TM_ASSERT_OK(log_->CreateTopic("t"));
  auto held = Get();
  TM_ASSERT_OK(AppendValue("a"));
  TM_ASSERT_OK(log_->Close());
  const Record record = Value("b");
  EXPECT_TRUE(held->Append({&record, 1}).status().Is(kLogClosed));
  EXPECT_TRUE(AsStatus(ReadValues(held, 0)).Is(kLogClosed));
  EXPECT_TRUE(log_->CreateTopic("u").Is(kLogClosed));
}

TEST_F(LogTest, OffsetsOutOfRange) {
  TM_ASSERT_OK(log_->CreateTopic("t"));
  TM_ASSERT_OK(AppendValue("a"));
  EXPECT_TRUE(AsStatus(ReadValues(Get(), 2)).Is(kOffsetOutOfRange));
  EXPECT_TRUE(AsStatus(ReadValues(Get(), -1)).Is(kOffsetOutOfRange));
  TM_EXPECT_OK(ReadValues(Get(), 1));
  EXPECT_TRUE(Get()->SyncUpTo(1).Is(kOffsetOutOfRange));
  TM_EXPECT_OK(Get()->SyncUpTo(0));
}

TEST_F(LogTest, LargeRecordsAndLongAppends) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 1 << 20, .max_message_bytes = 3 << 20}));
  const std::string big(2'900'000, 'b'), too_big(3 << 20, 'c');
  TM_ASSERT_OK(AppendValue(big));
  EXPECT_TRUE(AsStatus(AppendValue(too_big)).Is(kRecordTooLarge));
  std::vector<Record> many(5'000, Value("0123456789"));
  const std::string medium(1'000, 'm');
  for (Record& record : many) record.value = medium;
  EXPECT_EQ(*Get()->Append(many), 1);  // five megabytes: several batches, offsets without a gap
  const auto values = Values();
  ASSERT_EQ(values.size(), 5'001u);
  EXPECT_EQ(values[0], big);
  EXPECT_EQ(values[5'000], medium);
  EXPECT_TRUE(AsStatus(Get()->Append({})).Is(kInvalidBatch));
}

TEST_F(LogTest, CompressedTopicsReadBack) {
  for (const auto codec : {CompressionCodec::kLz4, CompressionCodec::kZstd}) {
    const std::string topic = codec == CompressionCodec::kLz4 ? "lz4" : "zstd";
    TM_ASSERT_OK(log_->CreateTopic(topic, {.compression = codec}));
    std::vector<std::string> expected;
    for (int i = 0; i < 50; ++i) {
      expected.push_back("value " + std::to_string(i) + std::string(200, 'z'));
      TM_ASSERT_OK(AppendValue(expected.back(), 1, topic));
    }
    EXPECT_EQ(Values(IsolationLevel::kReadCommitted, topic), expected);
  }
}

TEST_F(LogTest, EncodedBatchesAreCheckedAndGetOffsets) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.max_message_bytes = 10'000}));
  std::string batches;
  const Record records[] = {Value("a"), Value("b")};
  TM_ASSERT_OK(EncodeBatch(records, {.codec = CompressionCodec::kSnappy}, &batches));
  TM_ASSERT_OK(EncodeBatch(records, {.codec = CompressionCodec::kGzip}, &batches));
  EXPECT_EQ(*Get()->AppendBatchBytes(batches), 0);
  EXPECT_EQ(*Get()->AppendBatchBytes(batches), 4);
  EXPECT_EQ(Values().size(), 8u);
  std::string bad = batches;
  bad.back() ^= 1;
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(bad)).Is(kCorruptBatch));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(batches.substr(0, batches.size() - 1))).Is(kInvalidBatch));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes("")).Is(kInvalidBatch));
  std::string control, transactional, large;
  EncodeControlBatch({ControlType::kCommit}, 1, 0, 1, &control);
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(control)).Is(kInvalidBatch));
  TM_ASSERT_OK(EncodeBatch(records, {.producer_id = 5, .producer_epoch = 0}, &transactional));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(transactional)).Is(kInvalidBatch));
  const std::string value(20'000, 'x');
  const Record big = Value(value);
  TM_ASSERT_OK(EncodeBatch({&big, 1}, {}, &large));
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(large)).Is(kRecordTooLarge));
  EXPECT_EQ(Get()->Offsets().end, 8);
}

// What a producer compressed is not looked into, so it may be anything: it must not keep readers from what follows.
TEST_F(LogTest, UnreadableRecordsAreLeftOutAndReported) {
  TM_ASSERT_OK(log_->CreateTopic("t", {}));
  TM_ASSERT_OK(log_->CreateTopic("keyed", {.cleanup_policy = CleanupPolicy::kCompact}));
  Record record = Value("good");
  record.key = "key";
  const std::vector<Record> records(10, record);
  const auto spoil = [&](CompressionCodec codec) {  // not what the codec reads
    std::string batch;
    EXPECT_TRUE(EncodeBatch(records, {.codec = codec}, &batch).ok());
    batch[static_cast<size_t>(kBatchHeadBytes)] ^= 0x55;
    SetLogAppendTime(batch, batch.data(), 1);  // the checksum is right again
    return batch;
  };
  const auto shuffle = [&] {  // offsets 0 1 2 7 4 ...
    std::string batch, shuffled, unused;
    EXPECT_TRUE(EncodeBatch(records, {.codec = CompressionCodec::kLz4}, &batch).ok());
    const BatchHeader header = *ParseBatchHeader(batch);
    std::vector<RecordView> views;
    EXPECT_TRUE(*ReadRecords(header, batch, &unused, &views));
    views[3].offset = 7;
    EXPECT_TRUE(RewriteBatch(header, views, std::nullopt, &shuffled).ok());
    return shuffled;
  };
  TM_ASSERT_OK(AppendValue("first"));
  for (const std::string& batch : {spoil(CompressionCodec::kLz4), spoil(CompressionCodec::kZstd), shuffle()}) {
    TM_ASSERT_OK(Get()->AppendBatchBytes(batch));
    EXPECT_TRUE(AsStatus(Get("keyed")->AppendBatchBytes(batch)).Is(kInvalidBatch));
  }
  EXPECT_TRUE(AsStatus(Get()->AppendBatchBytes(spoil(CompressionCodec::kNone))).Is(kInvalidBatch));
  TM_ASSERT_OK(AppendValue("last"));

  std::vector<UnreadableRecords> left_out;
  PartitionReader reader(Get(), 0, {.unreadable = [&](const UnreadableRecords& what) { left_out.push_back(what); }});
  std::vector<RecordView> read;
  std::vector<int64_t> offsets;
  do {
    TM_ASSERT_OK(reader.Poll(3, &read));
    for (const RecordView& view : read) offsets.push_back(view.offset);
  } while (!read.empty());
  EXPECT_EQ(offsets, (std::vector<int64_t>{0, 21, 22, 23, 28, 31}));
  EXPECT_EQ(reader.position(), 32);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (const UnreadableRecords& what : left_out) {
    ranges.emplace_back(what.first_offset, what.last_offset);
    EXPECT_NE(what.why, "");
  }
  EXPECT_EQ(ranges, (std::vector<std::pair<int64_t, int64_t>>{{1, 10}, {11, 20}, {29, 30}}));
}

TEST_F(LogTest, PollBatchesGivesTheStoredBytes) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
  for (int i = 0; i < 200; ++i) TM_ASSERT_OK(AppendValue("value " + std::to_string(i)));
  PartitionReader reader(Get(), 17, {.isolation = IsolationLevel::kReadUncommitted});
  int64_t expected = 17;
  std::string_view bytes;
  TM_ASSERT_OK(reader.PollBatches(1'000, &bytes));
  while (!bytes.empty()) {
    EXPECT_LE(bytes.size(), 1'000u);
    while (!bytes.empty()) {
      const auto header = ParseBatchHeader(bytes);
      ASSERT_TRUE(header.ok());
      ASSERT_EQ(header->base_offset, expected);
      expected = header->last_offset() + 1;
      bytes.remove_prefix(static_cast<size_t>(header->total_bytes()));
    }
    TM_ASSERT_OK(reader.PollBatches(1'000, &bytes));
  }
  EXPECT_EQ(expected, 200);
  TM_ASSERT_OK(reader.Seek(5));
  TM_ASSERT_OK(reader.PollBatches(1, &bytes));  // less than one batch: one all the same
  EXPECT_EQ(ParseBatchHeader(bytes)->base_offset, 5);
}

// What it finds is what a reader of the same range gives, and goes on without gap.
TEST_F(LogTest, FindBatchesFindsWholeBatchesOfOneFile) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 128 << 10}));
  Random random(11);
  int64_t offsets = 0;
  while (offsets < 4'000) {
    const std::string value(random.Uniform(400), 'v');
    const std::vector<Record> records(1 + random.Uniform(20), Value(value));
    TM_ASSERT_OK(Get()->Append(records));
    offsets += std::ssize(records);
  }
  for (int round = 0; round < 2; ++round) {
    int found = 0;
    for (int i = 0; i < 500; ++i) {
      const auto offset = static_cast<int64_t>(random.Uniform(static_cast<uint64_t>(offsets)));
      const auto bytes_max = static_cast<int64_t>(1 + random.Uniform(1 << random.Uniform(18)));
      const auto stored = Get()->FindBatches(offset, IsolationLevel::kReadCommitted, bytes_max);
      TM_ASSERT_OK(stored);
      if (!*stored) continue;
      ++found;
      std::string bytes(static_cast<size_t>((*stored)->bytes), '\0');
      ASSERT_EQ(*(*stored)->file->ReadAt((*stored)->position, (*stored)->bytes, bytes.data()), (*stored)->bytes);
      PartitionReader reader(Get(), offset);
      std::string_view read;
      TM_ASSERT_OK(reader.PollBatches((*stored)->bytes, &read));
      ASSERT_EQ(bytes, read);
      const auto first = ParseBatchHeader(bytes);
      ASSERT_TRUE(first->base_offset <= offset && offset <= first->last_offset());
      ASSERT_TRUE((*stored)->bytes <= bytes_max || (*stored)->bytes == first->total_bytes());
    }
    EXPECT_GT(found, 250);
    Reopen();
  }
  const auto at_end = Get()->FindBatches(offsets, IsolationLevel::kReadCommitted, 1 << 20);
  TM_ASSERT_OK(at_end);
  EXPECT_EQ((*at_end)->bytes, 0);
  EXPECT_TRUE(AsStatus(Get()->FindBatches(offsets + 1, IsolationLevel::kReadCommitted, 1)).Is(kOffsetOutOfRange));
  // An open transaction leaves it to a reader who reads only what is committed.
  auto transaction = log_->Begin("id");
  TM_ASSERT_OK(transaction);
  const Record record = Value("open");
  TM_ASSERT_OK((*transaction)->Append("t", 0, {&record, 1}));
  EXPECT_FALSE(Get()->FindBatches(0, IsolationLevel::kReadCommitted, 1 << 20)->has_value());
  EXPECT_TRUE(Get()->FindBatches(0, IsolationLevel::kReadUncommitted, 1 << 20)->has_value());
}

TEST_F(LogTest, SeekByOffsetAndTimeAcrossSegments) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 64 << 10}));
  const std::string filler(300, 'f');
  Random random(3);
  std::vector<int64_t> times;
  for (int i = 0; i < 2'000; ++i) {
    times.push_back(1'000'000 + i * 10 + static_cast<int64_t>(random.Uniform(200)));  // not in order
    TM_ASSERT_OK(AppendValue(std::to_string(i) + filler, times.back()));
  }
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 300; ++i) {
      const auto offset = static_cast<int64_t>(random.Uniform(2'000));
      PartitionReader reader(Get(), offset);
      std::vector<RecordView> records;
      TM_ASSERT_OK(reader.Poll(1, &records));
      ASSERT_EQ(records[0].offset, offset);
      const int64_t time = 999'000 + static_cast<int64_t>(random.Uniform(23'000));
      const auto first = std::find_if(times.begin(), times.end(), [&](int64_t t) { return t >= time; });
      ASSERT_EQ(*Get()->OffsetForTime(time), first - times.begin()) << time;
    }
    Reopen();
    if (round == 0) {
      // A damaged and a missing index are made again.
      const auto entries = *files_.List("data/log/topics/t/0");
      int damaged = 0;
      for (const FileInfo& entry : entries) {
        if (!entry.path.ends_with(".index")) continue;
        if (++damaged % 2 == 0) {
          TM_ASSERT_OK(files_.Remove(entry.path));
        } else {
          TM_ASSERT_OK(files_.FlipBit(entry.path, entry.size / 2, 3));
        }
      }
      EXPECT_GT(damaged, 8);
    }
  }
}

TEST_F(LogTest, RetentionByTimeAndSize) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.retention_ms = 60'000, .segment_bytes = 4096}));
  TM_ASSERT_OK(log_->CreateTopic("s", {.retention_ms = -1, .retention_bytes = 10'000, .segment_bytes = 4096}));
  const std::string filler(500, 'f');
  const int64_t now = clock_.NowMicros() / 1000;
  for (int i = 0; i < 100; ++i) {
    TM_ASSERT_OK(AppendValue(filler, now + i * 1'000, "t"));
    TM_ASSERT_OK(AppendValue(filler, now + i * 1'000, "s"));
  }
  clock_.AdvanceMicros(110 * 1'000'000LL);
  log_->RunPending();
  EXPECT_GT(Get("t")->Offsets().log_start, 35);
  EXPECT_LE(Get("t")->Offsets().log_start, 50);
  EXPECT_LE(Get("s")->size_bytes(), 10'000 + 4'096);
  EXPECT_GT(Get("s")->size_bytes(), 9'000);
  EXPECT_TRUE(AsStatus(ReadValues(Get("t"), 0)).Is(kOffsetOutOfRange));
  const int64_t start = Get("t")->Offsets().log_start;
  EXPECT_EQ(Values().size(), static_cast<size_t>(100 - start));
  Reopen();
  EXPECT_EQ(Get("t")->Offsets().log_start, start);
  clock_.AdvanceMicros(1'000 * 1'000'000LL);
  log_->RunPending();
  EXPECT_EQ(Get("t")->Offsets().log_start, 100);  // the last segment, too, once it is old
  EXPECT_EQ(*AppendValue("new"), 100);
}

TEST_F(LogTest, LoadedHistoryIsKeptAsLongAsNewRecords) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.retention_ms = 60'000}));
  TM_ASSERT_OK(AppendValue("of 1970", 1'000));
  clock_.AdvanceMicros(50 * 1'000'000LL);
  log_->RunPending();
  EXPECT_EQ(Values().size(), 1u);
  Reopen();
  clock_.AdvanceMicros(9 * 1'000'000LL);
  log_->RunPending();
  EXPECT_EQ(Values().size(), 1u);
  clock_.AdvanceMicros(2 * 1'000'000LL);
  log_->RunPending();
  EXPECT_TRUE(Values().empty());
}

TEST_F(LogTest, TrimForgets) {
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
  for (int i = 0; i < 100; ++i) TM_ASSERT_OK(AppendValue(std::to_string(i) + std::string(200, 'f')));
  const int64_t before = Get()->size_bytes();
  TM_ASSERT_OK(Get()->TrimBefore(55));
  EXPECT_LT(Get()->size_bytes(), before / 2 + 4'096);
  EXPECT_EQ(Values().size(), 45u);
  CrashAndOpen(1);
  EXPECT_EQ(Get()->Offsets().log_start, 55);
  TM_ASSERT_OK(Get()->TrimBefore(1'000'000));
  EXPECT_EQ(Get()->Offsets().log_start, Get()->Offsets().end);
}

TEST_F(LogTest, SubscriptionsWakeOncePerArming) {
  TM_ASSERT_OK(log_->CreateTopic("t"));
  int woken = 0;
  auto subscription = Get()->Subscribe([&] { ++woken; });
  TM_ASSERT_OK(AppendValue("a"));
  EXPECT_EQ(woken, 0);
  subscription->Arm();
  subscription->Arm();
  TM_ASSERT_OK(AppendValue("b"));
  TM_ASSERT_OK(AppendValue("c"));
  EXPECT_EQ(woken, 1);
  subscription->Arm();
  subscription.reset();
  TM_ASSERT_OK(AppendValue("d"));
  EXPECT_EQ(woken, 1);
}

TEST_F(LogTest, ConsumerPositionsAreDurable) {
  auto& positions = log_->positions();
  TM_ASSERT_OK(positions.Commit("g1", {{"t", 0, 10, "m", 0}, {"t", 1, 20, "", 0}}));
  TM_ASSERT_OK(positions.Commit("g1", {{"t", 0, 11, "m2", 0}}));
  TM_ASSERT_OK(positions.Commit("g2", {{"u", 0, 5, "", 0}}));
  int acknowledged = 0;
  positions.CommitAsync("g3", {{"u", 0, 6, "", 0}}, [&](Status status) { acknowledged += status.ok(); });
  log_->RunPending();
  EXPECT_EQ(acknowledged, 1);
  EXPECT_TRUE(positions.Commit("", {}).Is(kInvalidName));
  EXPECT_TRUE(positions.Commit("g", {{"t", 0, -1, "", 0}}).Is(kOffsetOutOfRange));
  EXPECT_TRUE(positions.Commit("g", {{"t", 0, 1, std::string(5'000, 'x'), 0}}).Is(kLimitExceeded));
  CrashAndOpen(9);
  EXPECT_EQ(log_->positions().Groups(), (std::vector<std::string>{"g1", "g2", "g3"}));
  EXPECT_EQ(log_->positions().Get("g1", "t", 0)->offset, 11);
  EXPECT_EQ(log_->positions().Get("g1", "t", 0)->metadata, "m2");
  EXPECT_EQ(log_->positions().List("g1").size(), 2u);
  TM_ASSERT_OK(log_->positions().DeleteGroup("g1"));
  EXPECT_TRUE(log_->positions().DeleteGroup("g1").Is(kUnknownGroup));
  CrashAndOpen(10);
  EXPECT_EQ(log_->positions().Groups(), (std::vector<std::string>{"g2", "g3"}));
}

TEST_F(LogTest, ConsumerPositionsAreRewrittenWhenOutdated) {
  for (int i = 0; i < 30'000; ++i) {
    log_->positions().CommitAsync("group", {{"topic", i % 3, i, "", 0}},
                                  [](const Status& status) { EXPECT_TRUE(status.ok()); });
  }
  log_->RunPending();
  const int64_t before = files_.Stat("data/log/consumer_positions")->size;
  EXPECT_GT(before, 1 << 20);
  clock_.AdvanceMicros(2'000'000);
  log_->RunPending();
  EXPECT_LT(files_.Stat("data/log/consumer_positions")->size, 1'000);
  TM_ASSERT_OK(log_->positions().Commit("group", {{"topic", 0, 77, "", 0}}));
  CrashAndOpen(3);
  EXPECT_EQ(log_->positions().Get("group", "topic", 0)->offset, 77);
  EXPECT_EQ(log_->positions().Get("group", "topic", 2)->offset, 29'999);
  // Every flipped bit of what was rewritten, and so is known to be on disk, is refused or harmless; never a wrong
  // position.
  log_.reset();
  const std::string path = "data/log/consumer_positions";
  const int64_t size = files_.Stat(path)->size;
  for (int64_t byte = 0; byte < size; ++byte) {
    TM_ASSERT_OK(files_.FlipBit(path, byte, static_cast<int>(byte % 8)));
    auto opened = TryOpen();
    if (opened.ok()) {
      const auto position = (*opened)->positions().Get("group", "topic", 2);
      EXPECT_TRUE(position && position->offset == 29'999) << byte;
      opened = Status(kLogClosed, "");
      break;  // it was cut: the last record, that nothing proves to have been on disk
    }
    EXPECT_TRUE(opened.status().Is(kCorruption)) << opened.status().ToString();
    TM_ASSERT_OK(files_.FlipBit(path, byte, static_cast<int>(byte % 8)));
  }
}

}  // namespace
}  // namespace tidemill
