#include "server/job_record.h"

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "server/errors.h"

namespace tidemill {
namespace {

TEST(JobRecord, ComesBackAsItWasSaved) {
  SimulatedFileSystem files;
  EXPECT_FALSE((*LoadJobRecord(files, "data", "j")).has_value());
  JobRecord record{"j", "a.sql", "f00", true, true, {"out/a", "out/b"}};
  ASSERT_TRUE(SaveJobRecord(files, "data", record).ok());
  const auto loaded = LoadJobRecord(files, "data", "j");
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->script, "a.sql");
  EXPECT_EQ((*loaded)->fingerprint, "f00");
  EXPECT_TRUE((*loaded)->bounded);
  EXPECT_TRUE((*loaded)->finished);
  EXPECT_EQ((*loaded)->outputs, (std::vector<std::string>{"out/a", "out/b"}));
}

TEST(JobRecord, SaysThatItIsDamaged) {
  SimulatedFileSystem files;
  ASSERT_TRUE(files.CreateDirectories("data/jobs/j").ok());
  ASSERT_TRUE(WriteFileAtomically(files, "data/jobs/j/job.json", "{").ok());
  EXPECT_TRUE(LoadJobRecord(files, "data", "j").status().Is(kBadJobRecord));
}

TEST(Fingerprint, TellsPartsApart) {
  EXPECT_EQ(Fingerprint({"a", "b"}), Fingerprint({"a", "b"}));
  EXPECT_NE(Fingerprint({"a", "b"}), Fingerprint({"ab"}));
  EXPECT_NE(Fingerprint({"a", ""}), Fingerprint({"", "a"}));
  EXPECT_EQ(Fingerprint({}).size(), 32u);
}

}  // namespace
}  // namespace tidemill
