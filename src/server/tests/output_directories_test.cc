#include "server/output_directories.h"

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "server/errors.h"

namespace tidemill {
namespace {

class OutputDirectoriesTest : public ::testing::Test {
 protected:
  void Put(const std::string& path) {
    ASSERT_TRUE(files_.CreateDirectories(DirectoryOf(path)).ok());
    ASSERT_TRUE(WriteFileAtomically(files_, path, "x").ok());
  }
  Result<std::vector<std::string>> Prepare(ExistingOutput mode, bool own) {
    return PrepareOutputDirectories(files_, {{"out", "t", {"s.sql", 3, 5, 2}}}, mode, {"out"}, own);
  }
  SimulatedFileSystem files_;
};

TEST_F(OutputDirectoriesTest, TakesAFolderThatIsEmptyOrNotThere) {
  EXPECT_TRUE(Prepare(ExistingOutput::kRefuse, false).ok());
  Put("out/.tidemill/job.t/part-1");
  Put("out/.part-1.tmp");
  EXPECT_TRUE(Prepare(ExistingOutput::kRefuse, false).ok());
}

TEST_F(OutputDirectoriesTest, RefusesOutputOfAnotherRunAtItsPlace) {
  Put("out/day=1/part-1.parquet");
  const auto refused = Prepare(ExistingOutput::kRefuse, false);
  ASSERT_TRUE(refused.status().Is(kOutputExists));
  EXPECT_EQ(refused.status().position()->line, 3);
  EXPECT_TRUE(files_.Exists("out/day=1/part-1.parquet"));
  EXPECT_TRUE(Prepare(ExistingOutput::kKeep, false).ok());
  EXPECT_TRUE(files_.Exists("out/day=1/part-1.parquet"));
}

TEST_F(OutputDirectoriesTest, ReplacesItsOwn) {
  Put("out/day=1/part-1.parquet");
  Put("out/.tidemill/job.t/part-2");
  const auto replaced = Prepare(ExistingOutput::kRefuse, true);
  ASSERT_TRUE(replaced.ok()) << replaced.status().ToString();
  EXPECT_EQ(*replaced, std::vector<std::string>{"out"});
  EXPECT_FALSE(files_.Exists("out/day=1/part-1.parquet"));
  EXPECT_FALSE(files_.Exists("out/.tidemill/job.t/part-2"));
}

TEST_F(OutputDirectoriesTest, NeverRemovesWhatNoSinkWrote) {
  Put("out/part-1.parquet");
  Put("out/thesis.doc");
  for (const ExistingOutput mode : {ExistingOutput::kRefuse, ExistingOutput::kReplace}) {
    EXPECT_TRUE(Prepare(mode, true).status().Is(kOutputExists));
    EXPECT_TRUE(files_.Exists("out/part-1.parquet"));
    EXPECT_TRUE(files_.Exists("out/thesis.doc"));
  }
}

}  // namespace
}  // namespace tidemill
