#include "job/manifest.h"

#include <gtest/gtest.h>

#include "base/simulated_file_system.h"
#include "job/errors.h"

namespace tidemill {
namespace {

Manifest Example(int64_t epoch) {
  Manifest manifest{.epoch = epoch, .job = "fraud", .parallelism = 2, .created_us = 5};
  manifest.operators = {{"Scan[t]", "Scan"}, {"Over[features]", "Over"}};
  manifest.sources["Scan[t]"]["0"] = {.position = std::string("17\x00\xff\n", 5), .skip_rows = 3, .watermark = 99};
  manifest.sources["Scan[t]"]["1"] = {.ended = true};
  manifest.state = {{1, {"Over[features]", "rows", false, "state/epoch-1/0-rows-1.arrow", 12, 0xffffffffffffffffULL}}};
  manifest.sinks["scored"] = {"plain", std::string("\x01\x02", 2)};
  return manifest;
}

TEST(ManifestTest, ReadsBackWhatItWrote) {
  SimulatedFileSystem files;
  ManifestStore store(files, "d");
  ASSERT_TRUE(store.Write(Example(1)).ok());
  ASSERT_TRUE(store.Write(Example(2)).ok());
  files.Crash(1);
  const auto loaded = store.LoadNewest();
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  const Manifest& manifest = **loaded;
  const Manifest example = Example(2);
  EXPECT_EQ(manifest.epoch, 2);
  EXPECT_EQ(manifest.operators, example.operators);
  EXPECT_EQ(manifest.sources, example.sources);
  EXPECT_EQ(manifest.sinks, example.sinks);
  ASSERT_EQ(manifest.state.size(), 1u);
  EXPECT_EQ(manifest.state[0].subtask, 1);
  EXPECT_EQ(manifest.state[0].file.checksum, 0xffffffffffffffffULL);
  EXPECT_EQ(manifest.ToText(), example.ToText());
}

TEST(ManifestTest, OneFlippedBitIsHealedByTheCopyTwoAreRefused) {
  for (int byte = 0; byte < 400; byte += 7) {
    SimulatedFileSystem files;
    ManifestStore store(files, "d");
    ASSERT_TRUE(store.Write(Example(1)).ok());
    ASSERT_TRUE(store.Write(Example(2)).ok());
    ASSERT_TRUE(files.FlipBit("d/manifests/epoch-000000000002.json", byte, byte % 8).ok());
    const auto healed = store.LoadNewest();
    ASSERT_TRUE(healed.ok()) << healed.status().ToString();
    EXPECT_EQ((*healed)->epoch, 2);
    ASSERT_TRUE(files.FlipBit("d/manifests/epoch-000000000002.copy", byte, byte % 8).ok());
    const auto refused = store.LoadNewest();
    ASSERT_FALSE(refused.ok());
    EXPECT_TRUE(refused.status().Is(kBadManifest));
    EXPECT_NE(refused.status().message().find("epoch-000000000002"), std::string::npos);
  }
}

TEST(ManifestTest, NoneIsNoError) {
  SimulatedFileSystem files;
  ManifestStore store(files, "d");
  const auto loaded = store.LoadNewest();
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->has_value());
}

}  // namespace
}  // namespace tidemill
