#include "exec/runtime/source_aligner.h"

#include <gtest/gtest.h>

#include "exec/event_time.h"

namespace tidemill {
namespace {

TEST(SourceAligner, RunsAheadByRowsOfTheOthers) {
  SourceAligner aligner(2, 100);
  aligner.Publish(0, 1000);
  aligner.Publish(1, 1000);
  aligner.PublishDensity(0, 0.5);
  aligner.PublishDensity(1, 0.1);
  EXPECT_EQ(aligner.LimitFor(0), 1000 + 1000);  // the other has 100 rows in 1,000 ms
  EXPECT_EQ(aligner.LimitFor(1), 1000 + 200);
  aligner.PublishDensity(1, 0);  // all read
  EXPECT_GT(aligner.LimitFor(0), 1'000'000'000);
}

TEST(SourceAligner, NobodyRunsAheadOfARestoredSourceThatHasReadNothing) {
  SourceAligner aligner(3, 100);
  aligner.Publish(0, kMinEventTime);
  aligner.Publish(1, 5000);  // restored
  aligner.Publish(2, 9000);  // restored, and far ahead
  EXPECT_TRUE(aligner.MayEmit(0));
  EXPECT_FALSE(aligner.MayEmit(1));
  aligner.Publish(0, 6000);
  aligner.PublishDensity(0, 0.1);
  EXPECT_FALSE(aligner.MayEmit(0)) << "it would read all that it has";
  EXPECT_TRUE(aligner.MayEmit(1));
  aligner.Publish(1, 5500);
  aligner.PublishDensity(1, 0.1);
  EXPECT_TRUE(aligner.MayEmit(0));
  EXPECT_EQ(aligner.LimitFor(0), 5500 + 1000) << "the one ahead holds nobody up";
}

}  // namespace
}  // namespace tidemill
