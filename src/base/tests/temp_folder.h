#pragma once

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "base/file_system.h"

namespace tidemill::testing {

// A folder on the real disk, gone with this object.
class TempFolder {
 public:
  TempFolder() : path_(::testing::TempDir() + "/tidemill-XXXXXX") { EXPECT_NE(::mkdtemp(path_.data()), nullptr); }
  ~TempFolder() { EXPECT_TRUE(RemoveRecursively(files_, path_).ok()); }
  TempFolder(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  LocalFileSystem files_;
  std::string path_;
};

}  // namespace tidemill::testing
