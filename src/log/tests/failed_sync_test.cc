// A failed fsync, and what may be believed after it: the kernel goes on showing what it could not write, and a file
// that is opened anew syncs without an error. Only a power cut shows what was on disk.
#include "log/tests/log_test_fixture.h"

namespace tidemill {
namespace {

class FailedSyncTest : public QuietLogTest {
 protected:
  int64_t CommittedOffset() {
    const auto position = log_->positions().Get("g", "t", 0);
    return position ? position->offset : -1;
  }
  bool CommitOffset(int64_t offset) { return log_->positions().Commit("g", {{"t", 0, offset, "", 0}}).ok(); }
  void KillAndOpen() {
    KillOnly();
    OpenLog();
  }
};

TEST_F(FailedSyncTest, CommittedPositionsThatFollowARestartSurvive) {
  for (int sync = 1; sync <= 4; ++sync) {
    SCOPED_TRACE("sync " + std::to_string(sync));
    StartAnew();
    files_.FailSyncAfter(sync);
    int64_t acknowledged = -1;
    for (int64_t offset = 0; offset < 8 && CommitOffset(offset); ++offset) acknowledged = offset;
    EXPECT_EQ(acknowledged, sync - 2);
    EXPECT_FALSE(CommitOffset(9));
    KillAndOpen();
    EXPECT_GE(CommittedOffset(), acknowledged);
    for (int64_t offset = 10; offset < 13; ++offset) EXPECT_TRUE(CommitOffset(offset));
    CrashAndOpen(static_cast<uint64_t>(sync));
    EXPECT_EQ(CommittedOffset(), 12);
  }
}

// What is acknowledged later stands on what was there after the restart.
TEST_F(FailedSyncTest, RecordsThatFollowARestartSurvive) {
  int failed = 0;
  for (int sync = 1; sync <= 8; ++sync) {
    SCOPED_TRACE("sync " + std::to_string(sync));
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t", {.segment_bytes = 4096}));
    std::vector<std::string> appended;
    size_t acknowledged = 0;
    files_.FailSyncAfter(sync);
    for (int i = 0; i < 40; ++i) {
      const std::string text = std::to_string(i) + std::string(900, 'x');
      if (!AppendValue(text).ok()) break;
      appended.push_back(text);
      if (i % 4 != 3) continue;
      if (!Get()->SyncUpTo(i).ok()) break;
      acknowledged = appended.size();
    }
    failed += log_->health().Is(kSyncFailed);  // not where a checkpoint was to be written: that can be made again
    KillAndOpen();
    appended.resize(acknowledged);
    EXPECT_EQ(Values(), appended);
    for (int i = 0; i < 3; ++i) {
      appended.push_back("after " + std::to_string(i));
      TM_ASSERT_OK(AppendValue(appended.back()));
      TM_ASSERT_OK(Get()->SyncUpTo(static_cast<int64_t>(appended.size()) - 1));
    }
    CrashAndOpen(static_cast<uint64_t>(sync));
    EXPECT_EQ(Values(), appended);
    if (HasFailure()) return;
  }
  EXPECT_GT(failed, 4);
}

// Positions of a group over crashes at any step: never behind what was acknowledged, never ahead of what was asked.
TEST_F(FailedSyncTest, CommittedPositionsSurviveRandomCrashes) {
  int crashes = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StartAnew();
    Random random(seed);
    int64_t acknowledged = -1, asked = -1;
    for (int life = 0; life < 5; ++life, ++crashes) {
      files_.StopAfter(static_cast<int64_t>(random.Uniform(40)));
      while (CommitOffset(++asked)) acknowledged = asked;
      CrashAndOpen(seed * 10 + static_cast<uint64_t>(life));
      ASSERT_GE(CommittedOffset(), acknowledged);
      ASSERT_LE(CommittedOffset(), asked);
      acknowledged = asked = CommittedOffset();
    }
  }
  EXPECT_EQ(crashes, 200);
}

// A reader commits what it has read before that is on disk, and a power cut takes it.
TEST_F(FailedSyncTest, APositionBehindLostRecordsIsTakenBack) {
  int taken_back = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StartAnew();
    TM_ASSERT_OK(log_->CreateTopic("t"));
    for (int i = 0; i < 10; ++i) TM_ASSERT_OK(AppendValue("v"));
    TM_ASSERT_OK(Get()->SyncUpTo(4));
    for (int i = 0; i < 10; ++i) TM_ASSERT_OK(AppendValue("lost?"));
    ASSERT_TRUE(CommitOffset(20));
    CrashAndOpen(seed);
    const int64_t end = Get()->Offsets().end;
    ASSERT_GE(end, 10);
    EXPECT_EQ(CommittedOffset(), end);
    taken_back += end < 20;
    for (int i = 0; i < 15; ++i) TM_ASSERT_OK(AppendValue("new"));
    TM_ASSERT_OK(Get()->SyncUpTo(end + 14));
    CrashAndOpen(seed);
    EXPECT_EQ(CommittedOffset(), end);  // also when the records that came since reach beyond the old position
  }
  EXPECT_GT(taken_back, 5);
}

}  // namespace
}  // namespace tidemill
