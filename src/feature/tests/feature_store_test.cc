#include "feature/feature_store.h"

#include <set>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/logging.h"
#include "base/random.h"
#include "base/simulated_file_system.h"
#include "feature/errors.h"
#include "feature/tests/rows.h"

namespace tidemill {
namespace {

constexpr int64_t kDay = 86'400'000;
constexpr FeatureStoreOptions kInline{.background = false, .merge = {.files_min = 3}};

std::unique_ptr<FeatureStore> OpenStore(FileSystem& files, const Clock& clock, MetricsRegistry& metrics,
                                        FeatureStoreOptions options = kInline) {
  auto store = FeatureStore::Open(files, clock, metrics, "/store", options);
  EXPECT_TRUE(store.ok()) << store.status().ToString();
  return store.ok() ? *std::move(store) : nullptr;
}

std::map<int64_t, CardRow> OnlineRowsOf(FeatureStore& store, int cards) {
  arrow::Int64Builder asked;
  for (int64_t card = 0; card < cards; ++card) EXPECT_TRUE(asked.Append(card).ok());
  const auto answer = store.GetOnline("card_stats", {"n"}, {*asked.Finish()});
  EXPECT_TRUE(answer.ok()) << answer.status().ToString();
  std::map<int64_t, CardRow> rows;
  for (int64_t card = 0; card < cards; ++card) {
    if (answer->statuses[0][card] == FeatureStatus::kNotFound) continue;
    rows[card] = {card, answer->event_times[card],
                  static_cast<const arrow::Int32Array&>(*answer->values[0]).Value(card)};
  }
  return rows;
}

// A job with one feature-store sink of two subtasks, as exec and job run it: epochs of rows, prepare on both, then the
// manifest, then commit. Cards belong to subtasks by their parity.
class SmallJob {
 public:
  explicit SmallJob(uint64_t seed) {
    Random random(seed);
    int32_t n = 1;
    for (int epoch = 0; epoch < 6; ++epoch) {
      for (int subtask = 0; subtask < 2; ++subtask) {
        std::vector<CardRow> rows;
        for (int i = 0; i < 12; ++i) {
          const int64_t card = static_cast<int64_t>(random.Uniform(6)) * 2 + subtask;
          // Mostly forward in time, some late, some equal.
          const int64_t ts = kDay * 100 + epoch * kDay / 3 + static_cast<int64_t>(random.Uniform(4)) * kDay / 4;
          rows.push_back({card, ts, n++});
        }
        epochs_[epoch][subtask] = rows;
      }
    }
  }

  // Runs from the newest manifest to the end. The manifest is what survives a crash apart from the files.
  Status Run(FileSystem& files, const Clock& clock) {
    MetricsRegistry metrics;
    TM_ASSIGN_OR_RETURN(const auto store, FeatureStore::Open(files, clock, metrics, "/store", kInline));
    TM_RETURN_IF_ERROR(store->RegisterView(CardView()));
    TM_RETURN_IF_ERROR(store->Recover("card_stats", handles_));
    after_recovery_ = OfflineRows(files, "/store/offline/card_stats");
    std::vector<std::unique_ptr<FeatureWriter>> writers;
    for (int subtask = 0; subtask < 2; ++subtask) {
      TM_ASSIGN_OR_RETURN(writers.emplace_back(), store->OpenWriter("card_stats", subtask, nullptr));
    }
    for (int epoch = committed_; epoch < 6; ++epoch) {
      std::vector<std::string> handles;
      for (int subtask = 0; subtask < 2; ++subtask) {
        const std::vector<CardRow>& rows = epochs_[epoch][subtask];
        TM_RETURN_IF_ERROR(writers[subtask]->Write(CardRows({rows.begin(), rows.begin() + 5})));
        TM_RETURN_IF_ERROR(writers[subtask]->Write(CardRows({rows.begin() + 5, rows.end()})));
      }
      for (const auto& writer : writers) {
        TM_ASSIGN_OR_RETURN(std::optional<std::string> handle, writer->Prepare(epoch + 1));
        TM_CHECK(handle.has_value());
        handles.push_back(*handle);
      }
      handles_ = handles;
      committed_ = epoch + 1;
      TM_RETURN_IF_ERROR(store->Commit("card_stats", handles_));
    }
    online_ = OnlineRowsOf(*store, 12);
    return Status::OK();
  }

  std::vector<CardRow> RowsUpTo(int epochs) const {
    std::vector<CardRow> rows;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      for (const auto& part : epochs_[epoch]) rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }
  int committed() const { return committed_; }
  const std::vector<CardRow>& after_recovery() const { return after_recovery_; }
  const std::map<int64_t, CardRow>& online() const { return online_; }

 private:
  std::vector<CardRow> epochs_[6][2];
  int committed_ = 0;
  std::vector<std::string> handles_;
  std::vector<CardRow> after_recovery_;
  std::map<int64_t, CardRow> online_;
};

std::multiset<CardRow> Bag(const std::vector<CardRow>& rows) { return {rows.begin(), rows.end()}; }

TEST(FeatureStoreCrash, OnlineAndOfflineAgreeWhereverItStops) {
  SetLogLevel(LogLevel::kError);  // a merge that is cut off is said each time
  for (const uint64_t seed : {1, 2}) {
    // Every step with the first seed, some with the other.
    for (int64_t stop = 0;; stop += seed == 1 ? 1 : 9) {
      ASSERT_LT(stop, 3000);
      SimulatedFileSystem files;
      ManualClock clock(1'600'000'000'000'000);
      SmallJob job(seed);
      files.StopAfter(stop);
      // A stop in the last merge fails nothing but the disk.
      const bool undisturbed = job.Run(files, clock).ok() && files.List("/store").ok();
      const int committed = job.committed();
      if (!undisturbed) {
        files.Crash(seed * 1000 + static_cast<uint64_t>(stop));
        clock.AdvanceMicros(5'000'000);
        const Status again = job.Run(files, clock);
        ASSERT_TRUE(again.ok()) << "seed " << seed << " stop " << stop << ": " << again.ToString();
        // Before the replay: exactly what the manifest says.
        ASSERT_EQ(Bag(job.after_recovery()), Bag(job.RowsUpTo(committed))) << "seed " << seed << " stop " << stop;
      }
      const std::vector<CardRow> offline = OfflineRows(files, "/store/offline/card_stats");
      ASSERT_EQ(Bag(offline), Bag(job.RowsUpTo(6))) << "seed " << seed << " stop " << stop;
      ASSERT_EQ(job.online(), NewestByCard(job.RowsUpTo(6))) << "seed " << seed << " stop " << stop;
      // And after one more, ordinary restart.
      MetricsRegistry metrics;
      const auto store = OpenStore(files, clock, metrics);
      ASSERT_NE(store, nullptr);
      ASSERT_EQ(OnlineRowsOf(*store, 12), job.online()) << "seed " << seed << " stop " << stop;
      const std::vector<FileInfo> left = *ListRecursively(files, "/store/offline/card_stats");
      for (const FileInfo& file : left) ASSERT_EQ(file.path.find(".tmp"), std::string::npos) << file.path;
      if (undisturbed) break;
    }
  }
  SetLogLevel(LogLevel::kInfo);
}

class FeatureStoreTest : public ::testing::Test {
 protected:
  SimulatedFileSystem files_;
  ManualClock clock_{1'000'000'000'000};
  MetricsRegistry metrics_;
};

TEST_F(FeatureStoreTest, NothingIsVisibleOfflineBeforeItsEpoch) {
  auto store = OpenStore(files_, clock_, metrics_);
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  auto writer = *store->OpenWriter("card_stats", 0, nullptr);
  ASSERT_TRUE(writer->Write(CardRows({{1, 5, 1}, {1, kDay + 5, 2}})).ok());
  EXPECT_EQ(OnlineRowsOf(*store, 3).size(), 1u);  // online at once
  const auto handle = *writer->Prepare(1);
  ASSERT_TRUE(handle.has_value());
  EXPECT_TRUE(OfflineRows(files_, "/store/offline/card_stats").empty());
  ASSERT_TRUE(store->Commit("card_stats", std::vector<std::string>{*handle}).ok());
  ASSERT_TRUE(store->Commit("card_stats", std::vector<std::string>{*handle}).ok());
  EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats").size(), 2u);
  EXPECT_TRUE(files_.Exists("/store/offline/card_stats/day=1970-01-01"));
  EXPECT_TRUE(files_.Exists("/store/offline/card_stats/day=1970-01-02"));
}

TEST_F(FeatureStoreTest, MergesSmallFilesWithoutLosingRows) {
  auto store = OpenStore(files_, clock_, metrics_);
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  auto writer = *store->OpenWriter("card_stats", 0, nullptr);
  std::vector<CardRow> all;
  for (int epoch = 1; epoch <= 20; ++epoch) {
    all.push_back({epoch, epoch, epoch});
    ASSERT_TRUE(writer->Write(CardRows({all.back()})).ok());
    const auto handle = *writer->Prepare(epoch);
    ASSERT_TRUE(store->Commit("card_stats", std::vector<std::string>{*handle}).ok());
    EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats"), all) << epoch;
    ASSERT_TRUE(store->Commit("card_stats", std::vector<std::string>{*handle}).ok());  // merged away by now, perhaps
    EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats"), all) << epoch;
  }
  EXPECT_LT(ListOffline(files_, "/store/offline/card_stats")->size(), 3u);
}

TEST_F(FeatureStoreTest, BackgroundThreadPreparesAndWakes) {
  auto store = OpenStore(files_, clock_, metrics_, {.background = true});
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  std::atomic<int> woken{0};
  auto writer = *store->OpenWriter("card_stats", 0, [&woken] { ++woken; });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(writer->Write(CardRows({{i, i, i}})).ok());
  std::optional<std::string> handle;
  while (!handle) {
    const auto prepared = writer->Prepare(7);
    ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
    handle = *prepared;
    std::this_thread::yield();
  }
  store->Drain();
  EXPECT_EQ(woken.load(), 1);
  ASSERT_TRUE(store->Commit("card_stats", std::vector<std::string>{*handle}).ok());
  EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats").size(), 50u);
  writer.reset();
}

TEST_F(FeatureStoreTest, FullDiskFailsTheEpochAndNothingElse) {
  auto store = OpenStore(files_, clock_, metrics_);
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  auto writer = *store->OpenWriter("card_stats", 0, nullptr);
  ASSERT_TRUE(writer->Write(CardRows({{1, 1, 1}})).ok());
  files_.SetCapacity(100);
  const auto prepared = writer->Prepare(1);
  ASSERT_FALSE(prepared.ok());
  EXPECT_TRUE(prepared.status().Is(kDiskFull)) << prepared.status().ToString();
  EXPECT_EQ(OnlineRowsOf(*store, 3).size(), 1u);  // reading goes on
}

TEST_F(FeatureStoreTest, StatusesAreFeasts) {
  auto store = OpenStore(files_, clock_, metrics_);
  FeatureView view = CardView();
  view.ttl_ms = 1000;
  ASSERT_TRUE(store->RegisterView(view).ok());
  const int64_t now = clock_.NowMicros() / 1000;
  ASSERT_TRUE(store
                  ->Push("card_stats", CardRows({{1, now, 1}, {2, now - 1001, 2}, {3, now - 1000, 5}}),
                         {.online = true, .offline = true})
                  .ok());
  const auto answer = store->GetOnline("card_stats", {"mean", "*"}, {ArrayFrom(arrow::int64(), "[1, 2, 3, 4]")});
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->features, (std::vector<std::string>{"mean", "n", "mean", "country"}));
  EXPECT_EQ(answer->statuses[0], (std::vector<FeatureStatus>{FeatureStatus::kPresent, FeatureStatus::kOutsideMaxAge,
                                                             FeatureStatus::kNullValue, FeatureStatus::kNotFound}));
  EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats").size(), 3u);
  store.reset();
  files_.Crash(5);
  store = OpenStore(files_, clock_, metrics_);  // a push is durable
  EXPECT_EQ(OnlineRowsOf(*store, 5).size(), 3u);
  EXPECT_EQ(OfflineRows(files_, "/store/offline/card_stats").size(), 3u);
}

TEST_F(FeatureStoreTest, RefusesWhatDoesNotExist) {
  auto store = OpenStore(files_, clock_, metrics_);
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  const auto one = ArrayFrom(arrow::int64(), "[1]");
  EXPECT_TRUE(store->GetOnline("card_stat", {"n"}, {one}).status().Is(kViewNotFound));
  EXPECT_TRUE(store->GetOnline("card_stats", {"nn"}, {one}).status().Is(kFeatureNotFound));
  EXPECT_TRUE(store->GetOnline("card_stats", {"ts"}, {one}).status().Is(kFeatureNotFound));
  EXPECT_TRUE(store->GetOnline("card_stats", {"n"}, {one, one}).status().Is(kInvalidFeatureRequest));
  FeatureView other = CardView();
  other.entities = {"n"};
  EXPECT_TRUE(store->RegisterView(other).Is(kViewMismatch));
  FeatureView nested = CardView();
  nested.name = "nested";
  nested.schema = Schema({{"card_id", DataType(TypeKind::kBigInt)},
                          {"ts", DataType::Timestamp(3)},
                          {"pages", DataType::Array(DataType(TypeKind::kString))}});
  EXPECT_TRUE(store->RegisterView(nested).Is(kViewMismatch));
  nested.online = false;
  EXPECT_TRUE(store->RegisterView(nested).ok());
}

TEST_F(FeatureStoreTest, OneProcessAtATimeButManyReaders) {
  auto store = OpenStore(files_, clock_, metrics_);
  ASSERT_TRUE(store->RegisterView(CardView()).ok());
  ASSERT_TRUE(store->Push("card_stats", CardRows({{1, 1, 1}}), {}).ok());
  EXPECT_TRUE(FeatureStore::Open(files_, clock_, metrics_, "/store", kInline).status().Is(kAlreadyLocked));
  FeatureStoreOptions reading = kInline;
  reading.read_only = true;
  const auto reader = OpenStore(files_, clock_, metrics_, reading);
  EXPECT_EQ(OnlineRowsOf(*reader, 3).size(), 1u);
}

}  // namespace
}  // namespace tidemill
