#include "base/simulated_file_system.h"

#include <set>

#include <gtest/gtest.h>

#include "base/errors.h"

namespace tidemill {
namespace {

using Mode = FileSystem::OpenMode;

TEST(SimulatedFileSystem, SyncedBytesSurviveEveryCrash) {
  std::set<size_t> lengths;
  bool zeros = false;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectories("d").ok());
    auto file = *fs.OpenWritable("d/a", Mode::kCreateNew);
    ASSERT_TRUE(fs.SyncDirectory("d").ok());
    ASSERT_TRUE(file->Append(std::string(1000, 's')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->Append(std::string(2000, 'u')).ok());
    fs.Crash(seed);
    EXPECT_TRUE(file->Append("x").Is(kIoError));
    const std::string bytes = *ReadFile(fs, "d/a", 10'000);
    ASSERT_GE(bytes.size(), 1000u);
    EXPECT_EQ(bytes.substr(0, 1000), std::string(1000, 's'));
    lengths.insert(bytes.size());
    zeros |= bytes.find('\0') != std::string::npos;
  }
  EXPECT_TRUE(lengths.contains(1000));
  EXPECT_TRUE(lengths.contains(3000));
  EXPECT_GT(lengths.size(), 20u);
  EXPECT_TRUE(zeros);
}

TEST(SimulatedFileSystem, NamesNeedADirectorySyncAndRenamesAreWhole) {
  int lost = 0, old_file = 0, new_file = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(fs.CreateDirectories("d").ok());
    ASSERT_TRUE(WriteFileAtomically(fs, "d/safe", "old").ok());
    { auto file = *fs.OpenWritable("d/loose", Mode::kCreateNew); }
    auto file = *fs.OpenWritable("d/safe.tmp", Mode::kTruncate);
    ASSERT_TRUE(file->Append("new").ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(fs.Rename("d/safe.tmp", "d/safe").ok());
    fs.Crash(seed);
    const std::string bytes = *ReadFile(fs, "d/safe", 100);
    ASSERT_TRUE(bytes == "old" || bytes == "new") << bytes;
    (bytes == "old" ? old_file : new_file) += 1;
    lost += !fs.Exists("d/loose");
  }
  EXPECT_GT(lost, 5);
  EXPECT_GT(old_file, 5);
  EXPECT_GT(new_file, 5);
}

TEST(SimulatedFileSystem, TruncatedBytesMayComeBack) {
  int back = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedFileSystem fs;
    ASSERT_TRUE(WriteFileAtomically(fs, "a", "0123456789").ok());
    auto file = *fs.OpenWritable("a", Mode::kAppend);
    ASSERT_TRUE(file->Truncate(4).ok());
    fs.Crash(seed);
    const std::string bytes = *ReadFile(fs, "a", 100);
    ASSERT_TRUE(bytes == "0123" || bytes == "0123456789") << bytes;
    back += bytes.size() == 10;
  }
  EXPECT_GT(back, 5);
  EXPECT_LT(back, 45);
}

TEST(SimulatedFileSystem, InjectedFaults) {
  SimulatedFileSystem fs;
  auto file = *fs.OpenWritable("a", Mode::kCreateNew);
  fs.SetCapacity(10);
  EXPECT_TRUE(file->Append("12345678").ok());
  EXPECT_TRUE(file->Append("12345678").Is(kDiskFull));
  EXPECT_EQ(file->size(), 8);
  fs.SetCapacity(-1);
  EXPECT_TRUE(file->Append("12345678").ok());
  fs.FailSyncAfter(2);
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().Is(kSyncFailed));
  EXPECT_TRUE(file->Sync().Is(kSyncFailed));
  ASSERT_TRUE(fs.FlipBit("a", 0, 1).ok());
  EXPECT_EQ(ReadFile(fs, "a", 100)->at(0), '3');
  fs.StopAfter(1);
  EXPECT_TRUE(fs.Remove("b").ok());
  EXPECT_TRUE(fs.Remove("b").Is(kIoError));
  EXPECT_TRUE(fs.OpenReadable("a").status().Is(kIoError));
}

// As Linux has it: what an fsync could not write is shown as if it were there, and no later fsync tries it again.
TEST(SimulatedFileSystem, WhatAFailedSyncDroppedIsShownUntilTheNextCrash) {
  for (const bool again : {false, true}) {
    SimulatedFileSystem fs;
    {
      auto file = *fs.OpenWritable("a", Mode::kCreateNew);
      ASSERT_TRUE(file->Append("1234").ok() && file->Sync().ok() && file->Append("56").ok());
      fs.FailSyncAfter(1);
      ASSERT_TRUE(file->Sync().Is(kSyncFailed));
    }
    fs.Kill();
    auto file = *fs.OpenWritable("a", Mode::kAppend);
    if (again) {
      ASSERT_TRUE(file->Truncate(4).ok() && file->Append("56").ok());
    }
    ASSERT_TRUE(file->Append("78").ok() && file->Sync().ok() && fs.SyncDirectory(".").ok());
    EXPECT_EQ(*ReadFile(fs, "a", 100), "12345678");
    fs.Crash(1);
    EXPECT_EQ(*ReadFile(fs, "a", 100), again ? "12345678" : std::string("1234\0\00078", 8));
  }
}

TEST(SimulatedFileSystem, BehavesAsTheLocalOne) {
  SimulatedFileSystem fs;
  ASSERT_TRUE(fs.CreateDirectories("x/y/z").ok());
  ASSERT_TRUE(WriteFileAtomically(fs, "x/b", "1").ok());
  ASSERT_TRUE(WriteFileAtomically(fs, "x/y/c", "22").ok());
  const auto entries = fs.List("x");
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].path, "x/b");
  EXPECT_TRUE((*entries)[1].is_directory);
  EXPECT_EQ(ListRecursively(fs, "x")->size(), 2u);
  EXPECT_FALSE(fs.Remove("x").ok());
  ASSERT_TRUE(fs.Rename("x/y", "x/w").ok());
  EXPECT_EQ(*ReadFile(fs, "x/w/c", 10), "22");
  auto lock = fs.Lock("LOCK");
  EXPECT_TRUE(fs.Lock("LOCK").status().Is(kAlreadyLocked));
  lock = Status(kIoError, "released");
  EXPECT_TRUE(fs.Lock("LOCK").ok());
  ASSERT_TRUE(RemoveRecursively(fs, "x").ok());
  EXPECT_FALSE(fs.Exists("x"));
  EXPECT_TRUE(fs.OpenWritable("nodir/a", Mode::kTruncate).status().Is(kFileNotFound));
}

}  // namespace
}  // namespace tidemill
