#include <map>

#include "base/logging.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

constexpr const char* kPartition = "data/log/topics/t/0";
// Every single cut in a release build; under sanitizers, which take ten times as long, every seventh.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kCutStep = 7;
#else
constexpr int64_t kCutStep = 1;
#endif

class RecoveryTest : public SimulatedLogTest {
 protected:
  void SetUp() override { SetLogLevel(LogLevel::kOff); }  // thousands of cut tails
  void TearDown() override {
    log_.reset();
    SetLogLevel(LogLevel::kInfo);
  }

  using Image = std::map<std::string, std::string>;
  Image TakeImage() {
    Image image;
    const auto all = ListRecursively(files_, "data");
    for (const FileInfo& file : *all) image[file.path] = *ReadFile(files_, file.path, 1 << 30);
    return image;
  }
  // A log made from an image, on a disk of its own.
  struct Copy {
    explicit Copy(const Image& image, const Clock& c) : clock(c) {
      for (const auto& [path, bytes] : image) {
        EXPECT_TRUE(files.CreateDirectories(DirectoryOf(path)).ok());
        EXPECT_TRUE((*files.OpenWritable(path, FileSystem::OpenMode::kTruncate))->Append(bytes).ok());
      }
    }
    Status Open() {
      log.reset();
      auto opened = Log::Open(files, clock, "data/log", {.background_thread = false});
      if (!opened.ok()) return opened.status();
      log = *std::move(opened);
      return Status::OK();
    }
    std::shared_ptr<Partition> partition() { return *log->partition("t", 0); }
    const Clock& clock;
    SimulatedFileSystem files;
    std::unique_ptr<Log> log;
  };

  // Appends batches of one to three records of varying size and remembers where each batch ends.
  void Fill(int64_t bytes, uint64_t seed) {
    Random random(seed);
    while (Get()->size_bytes() < bytes) {
      std::vector<Record> records;
      std::vector<std::string> texts;
      for (uint64_t n = 1 + random.Uniform(3); n > 0; --n) {
        texts.push_back(std::to_string(expected_.size()) + ":" + std::string(random.Uniform(400), 'v'));
        expected_.push_back(texts.back());
      }
      for (const std::string& text : texts) records.push_back(Value(text));
      ASSERT_TRUE(Get()->Append(records).ok());
      ends_.emplace_back(Get()->size_bytes(), static_cast<int64_t>(expected_.size()));
    }
  }
  int64_t RecordsWithin(int64_t bytes) const {
    int64_t records = 0;
    for (const auto& [end, count] : ends_) {
      if (end <= bytes) records = count;
    }
    return records;
  }

  std::vector<std::string> expected_;
  std::vector<std::pair<int64_t, int64_t>> ends_;  // size of the segment, records in it
};

TEST_F(RecoveryTest, EveryTruncationOfTheLast64KiBIsCutToWholeBatches) {
  OpenLog();
  TM_ASSERT_OK(log_->CreateTopic("t"));
  Fill(70 << 10, 1);
  TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
  CrashOnly(1);
  const Image image = TakeImage();
  const std::string segment = std::string(kPartition) + "/00000000000000000000.log";
  const auto size = static_cast<int64_t>(image.at(segment).size());
  int64_t whole = RecordsWithin(size);
  ASSERT_EQ(whole, static_cast<int64_t>(expected_.size()));
  for (int64_t cut = size; cut >= size - (64 << 10); cut -= kCutStep) {
    Image torn = image;
    torn[segment].resize(static_cast<size_t>(cut));
    Copy copy(torn, clock_);
    TM_ASSERT_OK(copy.Open());
    const int64_t records = RecordsWithin(cut);
    ASSERT_EQ(copy.partition()->Offsets().end, records) << cut;
    ASSERT_EQ(copy.partition()->Offsets().durable_end, records) << cut;
    if (cut % 199 != 0) continue;
    auto values = ReadValues(copy.partition(), 0);
    ASSERT_TRUE(values.ok());
    ASSERT_TRUE(*values == std::vector<std::string>(expected_.begin(), expected_.begin() + records)) << cut;
    const Record next = Value("next");
    ASSERT_EQ(*copy.partition()->Append({&next, 1}), records);
    TM_ASSERT_OK(copy.Open());
    ASSERT_EQ(copy.partition()->Offsets().end, records + 1);
  }
}

// One byte wrong anywhere in the last 64 KiB. Where nothing of them was known to be on disk it is a torn tail, cut
// after the last good batch before it, however good what follows is; where all was, it is damage, refused with its
// place.
TEST_F(RecoveryTest, EveryGarbledByteOfTheLast64KiBIsCutOrRefused) {
  for (const bool synced : {false, true}) {
    expected_.clear();
    ends_.clear();
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t"));
    Fill(4 << 10, 9);
    TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
    const int64_t start = Get()->size_bytes();
    Fill(start + (64 << 10), 10);
    if (synced) TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
    KillOnly();
    Image image = TakeImage();
    std::string& bytes = image[std::string(kPartition) + "/00000000000000000000.log"];
    const auto size = static_cast<int64_t>(bytes.size());
    ASSERT_EQ(size, ends_.back().first);
    Random random(11);
    for (int64_t at = size - (64 << 10); at < size; at += kCutStep) {
      const auto batch = std::lower_bound(ends_.begin(), ends_.end(), at + 1,
                                          [](const auto& end, int64_t wanted) { return end.first < wanted; });
      ASSERT_NE(batch, ends_.begin());
      const auto [begin, records] = *std::prev(batch);
      const char right = bytes[static_cast<size_t>(at)];
      bytes[static_cast<size_t>(at)] ^= static_cast<char>(1 + random.Uniform(255));
      Copy copy(image, clock_);
      const Status opened = copy.Open();
      bytes[static_cast<size_t>(at)] = right;
      if (synced) {
        ASSERT_TRUE(opened.Is(kCorruptBatch)) << at << opened.ToString();
        const std::string place = "at byte " + std::to_string(begin) + " (offset " + std::to_string(records) + ")";
        ASSERT_NE(opened.message().find(place), std::string::npos) << at << opened.ToString();
        continue;
      }
      TM_ASSERT_OK(opened);
      ASSERT_EQ(copy.partition()->Offsets().end, records) << at;
      if (at % 199 != 0) continue;
      const auto values = ReadValues(copy.partition(), 0);
      ASSERT_TRUE(values.ok());
      ASSERT_TRUE(*values == std::vector<std::string>(expected_.begin(), expected_.begin() + records)) << at;
    }
  }
}

// What was acknowledged is read right, or an error names the place. Never a wrong record, never a silent gap.
TEST_F(RecoveryTest, SingleFlippedBitsAreRefusedOrHarmless) {
  int refused = 0, harmless = 0;
  for (const bool clean : {true, false}) {
    expected_.clear();
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 16 << 10}));
    Fill(60 << 10, 2);
    TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
    if (clean) {
      log_.reset();
    } else {
      KillOnly();
    }
    const Image image = TakeImage();
    std::vector<std::string> paths;
    for (const auto& [path, bytes] : image) {
      if (path.find("/topics/") != std::string::npos && !bytes.empty()) paths.push_back(path);
    }
    Random random(7);
    for (int i = 0; i < 5'000; ++i) {
      Image flipped = image;
      std::string& bytes = flipped[paths[random.Uniform(paths.size())]];
      bytes[random.Uniform(bytes.size())] ^= static_cast<char>(1 << random.Uniform(8));
      Copy copy(flipped, clock_);
      Status status = copy.Open();
      std::vector<std::string> values;
      if (status.ok()) {
        auto read = ReadValues(copy.partition(), 0);
        status = AsStatus(read);
        if (status.ok()) values = *read;
      }
      if (!status.ok()) {
        ASSERT_TRUE(status.Is(kCorruptBatch) || status.Is(kCorruption)) << status.ToString();
        ASSERT_NE(status.message().find("data/log/topics/t"), std::string::npos) << status.ToString();
        ++refused;
        continue;
      }
      ++harmless;
      ASSERT_TRUE(values == expected_) << i << ": " << values.size() << " of " << expected_.size();
    }
  }
  EXPECT_EQ(refused + harmless, 10'000);
  EXPECT_GT(refused, 1'000);
  EXPECT_GT(harmless, 1'000);
}

TEST_F(RecoveryTest, DamagedMiddleIsRefusedWithFileAndPosition) {
  OpenLog();
  TM_ASSERT_OK(log_->CreateTopic("t"));
  Fill(20'000, 3);
  TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
  KillOnly();
  const std::string segment = std::string(kPartition) + "/00000000000000000000.log";
  const auto [position, offset] = ends_[ends_.size() / 2];
  TM_ASSERT_OK(files_.FlipBit(segment, position + 70, 2));
  const Status status = AsStatus(TryOpen());
  ASSERT_TRUE(status.Is(kCorruptBatch)) << status.ToString();
  EXPECT_EQ(status.message(), "topic 't', partition 0: '" + segment + "' is damaged at byte " +
                                  std::to_string(position) + " (offset " + std::to_string(offset) +
                                  "): wrong checksum");
  // The same when the marks of what was durable are lost: there is good data behind.
  TM_ASSERT_OK(files_.Remove(std::string(kPartition) + "/durable"));
  EXPECT_TRUE(AsStatus(TryOpen()).Is(kCorruptBatch));
  // Behind the last good batch there is nothing: then it is a torn tail.
  TM_ASSERT_OK(files_.Chop(segment, position + 80));
  OpenLog();
  EXPECT_EQ(Get()->Offsets().end, offset);
}

// A power cut loses the newest marks; those of a second ago are there, and with them the damage is told from a tear.
TEST_F(RecoveryTest, DamageIsToldFromATearAfterAPowerCutToo) {
  OpenLog();
  TM_ASSERT_OK(log_->CreateTopic("t"));
  Fill(20'000, 3);
  TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(expected_.size()) - 1));
  clock_.AdvanceMicros(1'000'000);
  log_->RunPending();
  CrashOnly(3);
  const std::string segment = std::string(kPartition) + "/00000000000000000000.log";
  TM_ASSERT_OK(files_.FlipBit(segment, ends_.back().first - 20, 2));  // in the very last batch
  EXPECT_TRUE(AsStatus(TryOpen()).Is(kCorruptBatch));
}

TEST_F(RecoveryTest, MissingSegmentsAreRefused) {
  OpenLog();
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
  Fill(20'000, 4);
  TM_ASSERT_OK(log_->Close());
  log_.reset();
  const Image image = TakeImage();
  std::vector<std::string> segments;
  for (const auto& [path, bytes] : image) {
    if (path.ends_with(".log")) segments.push_back(path);
  }
  ASSERT_GT(segments.size(), 3u);
  for (size_t i = 1; i < segments.size(); ++i) {
    Image missing = image;
    missing.erase(segments[i]);
    Copy copy(missing, clock_);
    Status status = copy.Open();
    if (status.ok()) status = AsStatus(ReadValues(copy.partition(), 0));
    EXPECT_TRUE(status.Is(kCorruptBatch)) << i << status.ToString();
  }
}

// A random load, killed after a random number of disk operations; the disk then keeps what it must and some of what it
// may.
TEST_F(RecoveryTest, AcknowledgedRecordsSurviveRandomCrashes) {
  int crashes = 0, lost = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    StartAnew();
    Random random(seed);
    std::vector<std::string> appended;
    size_t acknowledged = 0;

    TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096 << random.Uniform(4)}));
    for (int life = 0; life < 6; ++life) {
      files_.StopAfter(static_cast<int64_t>(random.Uniform(400)));
      auto partition = log_->partition("t", 0);
      ASSERT_TRUE(partition.ok());
      for (int i = 0; i < 500; ++i) {
        const std::string text = std::to_string(appended.size()) + std::string(random.Uniform(900), 'x');
        const Record record = Value(text);
        const auto offset = (*partition)->Append({&record, 1});
        if (!offset.ok()) break;
        ASSERT_EQ(*offset, static_cast<int64_t>(appended.size()));
        appended.push_back(text);
        if (random.Uniform(10) == 0) {
          if (!(*partition)->SyncUpTo(*offset).ok()) break;
          acknowledged = appended.size();
        }
      }
      partition = Status(kLogClosed, "");
      CrashOnly(seed * 100 + static_cast<uint64_t>(life));
      ++crashes;
      OpenLog();
      const auto end = static_cast<size_t>(Get()->Offsets().end);
      ASSERT_GE(end, acknowledged) << "seed " << seed << " life " << life;
      ASSERT_LE(end, appended.size());
      lost += end < appended.size();
      appended.resize(end);
      acknowledged = end;
      ASSERT_TRUE(Values() == appended) << "seed " << seed << " life " << life;
    }
  }
  EXPECT_GT(lost, crashes / 4);
}

TEST_F(RecoveryTest, NothingIsAcknowledgedAfterAFailedSync) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t"));
    TM_ASSERT_OK(log_->CreateTopic("other"));
    TM_ASSERT_OK(AppendValue("a"));
    TM_ASSERT_OK(Get()->SyncUpTo(0));
    TM_ASSERT_OK(AppendValue("b"));
    files_.FailSyncAfter(1);
    EXPECT_TRUE(Get()->SyncUpTo(1).Is(kSyncFailed));
    EXPECT_TRUE(Get()->SyncUpTo(1).Is(kSyncFailed));
    TM_EXPECT_OK(Get()->SyncUpTo(0));  // that much is true for ever
    EXPECT_TRUE(AsStatus(AppendValue("c")).Is(kSyncFailed));
    EXPECT_TRUE(AsStatus(AppendValue("c", 1, "other")).Is(kSyncFailed));
    EXPECT_TRUE(log_->positions().Commit("g", {{"t", 0, 1, "", 0}}).Is(kSyncFailed));
    EXPECT_TRUE(log_->health().Is(kSyncFailed));
    bool told = false;
    Get()->WhenDurable(1, [&](const Status& status) { told = status.Is(kSyncFailed); });
    log_->RunPending();
    EXPECT_TRUE(told);
    EXPECT_EQ(Values(), (std::vector<std::string>{"a", "b"}));  // readers go on
    EXPECT_EQ(Get()->Offsets().durable_end, 1);
    if (seed % 2 == 0) {
      CrashOnly(seed);
    } else {
      log_.reset();  // the process ends by itself; the kernel still shows what it could not write
    }
    OpenLog();
    // "b" was never acknowledged. Where the failure is noted on disk it is dropped; only a crash can have lost the
    // note.
    const auto values = Values();
    if (seed % 2 == 1) {
      EXPECT_EQ(values, std::vector<std::string>{"a"});
    }
    ASSERT_GE(values.size(), 1u);
    EXPECT_EQ(values[0], "a");
    TM_EXPECT_OK(AppendValue("d"));
    TM_EXPECT_OK(log_->health());
  }
}

TEST_F(RecoveryTest, FullDiskIsRetriableAndReadersGoOn) {
  OpenLog();
  TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 8192}));
  files_.SetCapacity(40'000);
  const std::string text(500, 'x');
  int64_t written = 0;
  Status status;
  while (true) {
    status = AsStatus(AppendValue(text));
    if (!status.ok()) break;
    ++written;
  }
  EXPECT_TRUE(status.Is(kDiskFull)) << status.ToString();
  EXPECT_TRUE(status.code().retriable);
  EXPECT_GT(written, 50);
  EXPECT_EQ(Values().size(), static_cast<size_t>(written));
  TM_EXPECT_OK(Get()->SyncUpTo(written - 1));  // marks and checkpoints may fail to be written; the data is safe
  EXPECT_TRUE(AsStatus(AppendValue(text)).Is(kDiskFull));
  files_.SetCapacity(-1);
  EXPECT_EQ(*AppendValue("after"), written);
  TM_EXPECT_OK(Get()->SyncUpTo(written));
  CrashAndOpen(5);
  EXPECT_EQ(Values().size(), static_cast<size_t>(written) + 1);
}

TEST_F(RecoveryTest, TopicsAreMadeAndDeletedWholeOverCrashes) {
  for (int64_t stop = 0; stop < 60; ++stop) {
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("keep"));
    TM_ASSERT_OK(AppendValue("k", 1, "keep"));
    TM_ASSERT_OK(Get("keep")->SyncUpTo(0));
    files_.StopAfter(stop);
    const bool made = log_->CreateTopic("t", {.partitions = 3}).ok();
    const bool deleted = made && log_->DeleteTopic("keep").ok();
    CrashOnly(static_cast<uint64_t>(stop));
    OpenLog();
    const auto topics = log_->ListTopics();
    if (made) {
      EXPECT_TRUE(std::find(topics.begin(), topics.end(), "t") != topics.end()) << stop;
    }
    if (deleted) {
      EXPECT_TRUE(std::find(topics.begin(), topics.end(), "keep") == topics.end()) << stop;
    }
    for (const std::string& topic : topics) {
      EXPECT_EQ(log_->Describe(topic)->partitions.size(), topic == "t" ? 3u : 1u);
      if (topic == "keep") {
        EXPECT_EQ(Values(IsolationLevel::kReadCommitted, "keep"), std::vector<std::string>{"k"});
      }
    }
  }
}

}  // namespace
}  // namespace tidemill
