#include "model/onnx_file.h"

#include <gtest/gtest.h>

#include "base/file_system.h"
#include "base/random.h"
#include "model/errors.h"
#include "model/tests/models.h"

namespace tidemill {
namespace {

std::string Bytes(const std::string& name) {
  LocalFileSystem files;
  Result<std::string> bytes = ReadFile(files, ModelFile(name), 1 << 20);
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  return bytes.ok() ? *bytes : "";
}

TEST(OnnxFile, SaysWhatTheFileSays) {
  const Result<OnnxFileInfo> info = InspectOnnxFile(Bytes("trees.onnx"));
  ASSERT_TRUE(info.ok()) << info.status().ToString();
  EXPECT_GT(info->ir_version, 0);
  EXPECT_EQ(info->opset, 17);
  EXPECT_EQ(info->producer.substr(0, 8), "skl2onnx");
  EXPECT_GT(info->nodes, 0);
}

TEST(OnnxFile, RefusesDataOutsideTheFileWhereverItIsNamed) {
  for (const auto& [file, tensor] :
       std::vector<std::pair<std::string, std::string>>{{"external.onnx", "w"},
                                                        {"external_sparse.onnx", "w"},
                                                        {"external_subgraph.onnx", "inner"},
                                                        {"external_function.onnx", "in_function"}}) {
    const Result<OnnxFileInfo> info = InspectOnnxFile(Bytes(file));
    ASSERT_FALSE(info.ok()) << file;
    EXPECT_TRUE(info.status().Is(kModelExternalData)) << info.status().ToString();
    EXPECT_NE(info.status().message().find("'" + tensor + "'"), std::string::npos) << info.status().message();
  }
}

TEST(OnnxFile, RefusesWhatIsNoModel) {
  for (const std::string& bytes : {std::string(), std::string("hello, world"), std::string("\x08\x08", 2),
                                   std::string(100, '\xff'), std::string("\0\0\0\0ORTM....", 12)}) {
    const Result<OnnxFileInfo> info = InspectOnnxFile(bytes);
    ASSERT_FALSE(info.ok());
    EXPECT_TRUE(info.status().Is(kInvalidModelFile)) << info.status().ToString();
  }
}

TEST(OnnxFile, RefusesEveryCutOfAModel) {
  const std::string whole = Bytes("trees.onnx");
  int refused = 0;
  for (size_t length = 0; length < whole.size(); ++length) refused += !InspectOnnxFile(whole.substr(0, length)).ok();
  // A cut between two top-level fields is a well-formed, shorter model.
  EXPECT_GE(refused, static_cast<int>(whole.size()) - 6);
}

TEST(OnnxFile, SurvivesDamagedBytes) {
  Random random(42);
  const std::string whole = Bytes("external_subgraph.onnx");
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = whole;
    for (uint64_t k = random.Uniform(4) + 1; k > 0; --k)
      damaged[random.Uniform(damaged.size())] = static_cast<char>(random.Next());
    (void)InspectOnnxFile(damaged).ok();
  }
}

TEST(OnnxFile, BoundsNesting) {
  // graph { node { attribute { graph { ... } } } }: fields 7, then 1, 5, 6 again and again.
  std::string bytes;
  const char* tags = "\x0a\x2a\x32";
  const auto wrap = [&bytes](char tag) {
    std::string length;
    size_t n = bytes.size();
    for (; n >= 128; n >>= 7) length += static_cast<char>(n | 128);
    length += static_cast<char>(n);
    bytes = tag + length + bytes;
  };
  for (int depth = 0; depth < 100; ++depth) {
    for (int k = 2; k >= 0; --k) wrap(tags[k]);
  }
  wrap('\x3a');
  const Result<OnnxFileInfo> info = InspectOnnxFile("\x08\x08" + bytes);
  ASSERT_FALSE(info.ok());
  EXPECT_NE(info.status().message().find("nested deeper"), std::string::npos) << info.status().message();
}

}  // namespace
}  // namespace tidemill
