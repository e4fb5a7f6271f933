#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/errors.h"
#include "base/file_system.h"
#include "base/tests/temp_folder.h"

namespace tidemill {
namespace {

class LocalFileSystemTest : public ::testing::Test {
 protected:
  std::string Path(std::string_view name) { return JoinPath(folder_.path(), name); }

  LocalFileSystem fs_;
  testing::TempFolder folder_;
};

TEST_F(LocalFileSystemTest, AppendsTruncatesAndReads) {
  auto file = fs_.OpenWritable(Path("a"), FileSystem::OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("hello world").ok());
  ASSERT_TRUE((*file)->Truncate(5).ok());
  ASSERT_TRUE((*file)->Append("!").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ((*file)->size(), 6);
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(*ReadFile(fs_, Path("a"), 100), "hello!");
  EXPECT_TRUE(ReadFile(fs_, Path("a"), 5).status().Is(kLimitExceeded));
  EXPECT_FALSE(fs_.OpenWritable(Path("a"), FileSystem::OpenMode::kCreateNew).ok());
  file = fs_.OpenWritable(Path("a"), FileSystem::OpenMode::kAppend);
  EXPECT_EQ((*file)->size(), 6);
  ASSERT_TRUE((*file)->Append("?").ok());
  auto reader = fs_.OpenReadable(Path("a"));
  char bytes[10];
  EXPECT_EQ(*(*reader)->ReadAt(4, 10, bytes), 3);
  EXPECT_EQ(std::string(bytes, 3), "o!?");
  EXPECT_EQ(*(*reader)->ReadAt(100, 10, bytes), 0);
}

TEST_F(LocalFileSystemTest, ListsStatsRenamesRemoves) {
  ASSERT_TRUE(fs_.CreateDirectories(Path("x/y/z")).ok());
  ASSERT_TRUE(fs_.CreateDirectories(Path("x/y")).ok());
  ASSERT_TRUE(WriteFileAtomically(fs_, Path("x/b"), "1").ok());
  ASSERT_TRUE(WriteFileAtomically(fs_, Path("x/y/c"), "22").ok());
  ASSERT_TRUE(WriteFileAtomically(fs_, Path("x/b"), "333").ok());
  const auto entries = fs_.List(Path("x"));
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].path, Path("x/b"));
  EXPECT_EQ((*entries)[0].size, 3);
  EXPECT_TRUE((*entries)[1].is_directory);
  const auto all = ListRecursively(fs_, folder_.path());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[1].path, Path("x/y/c"));
  ASSERT_TRUE(fs_.Rename(Path("x/b"), Path("x/d")).ok());
  EXPECT_FALSE(fs_.Exists(Path("x/b")));
  EXPECT_TRUE(fs_.Stat(Path("x/b")).status().Is(kFileNotFound));
  EXPECT_TRUE(fs_.Remove(Path("x/b")).ok());
  EXPECT_FALSE(fs_.Remove(Path("x")).ok());
  EXPECT_TRUE(fs_.OpenReadable(Path("nope")).status().Is(kFileNotFound));
  EXPECT_TRUE(fs_.List(Path("nope")).status().Is(kFileNotFound));
  EXPECT_FALSE(fs_.OpenReadable(Path("x")).ok());
}

TEST_F(LocalFileSystemTest, FullDiskIsRetriable) {
  auto file = fs_.OpenWritable("/dev/full", FileSystem::OpenMode::kAppend);
  if (!file.ok()) GTEST_SKIP() << "no /dev/full here";
  const Status status = (*file)->Append("x");
  EXPECT_TRUE(status.Is(kDiskFull)) << status.ToString();
  EXPECT_TRUE(status.code().retriable);
}

TEST_F(LocalFileSystemTest, SecondLockIsRefusedAlsoFromAnotherProcess) {
  auto lock = fs_.Lock(Path("LOCK"));
  ASSERT_TRUE(lock.ok());
  const auto second = fs_.Lock(Path("LOCK"));
  ASSERT_TRUE(second.status().Is(kAlreadyLocked));
  EXPECT_NE(second.status().message().find(Path("LOCK")), std::string::npos);
  EXPECT_NE(second.status().message().find(std::to_string(::getpid())), std::string::npos);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(fs_.Lock(Path("LOCK")).status().Is(kAlreadyLocked) ? 0 : 1);
  int exit_status = 0;
  ASSERT_EQ(::waitpid(child, &exit_status, 0), child);
  EXPECT_EQ(exit_status, 0);
  lock = Status(kIoError, "released");
  EXPECT_TRUE(fs_.Lock(Path("LOCK")).ok());
}

TEST(Paths, JoinAndNames) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "/b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(DirectoryOf("a/b"), "a");
  EXPECT_EQ(DirectoryOf("a"), ".");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_TRUE(IsSafeName("orders-v1.2_x"));
  for (const char* bad : {"", ".", "..", "a/b", "a b", "ü"}) EXPECT_FALSE(IsSafeName(bad)) << bad;
  EXPECT_FALSE(IsSafeName(std::string(129, 'a')));
}

}  // namespace
}  // namespace tidemill
