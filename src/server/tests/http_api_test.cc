#include "server/http_api.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/errors.h"

namespace tidemill {
namespace {

TEST(HttpApi, IsDescribedAsItIsServed) {
  HttpServer server;
  MountHttpApi(server, {});
  std::set<std::string> served;
  for (const auto& [method, pattern] : server.routes()) served.insert(method + " " + pattern);
  const auto document = nlohmann::json::parse(OpenApiText(), nullptr, false);
  ASSERT_TRUE(document.is_object());
  std::set<std::string> described;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, what] : methods.items()) {
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      described.insert(upper + " " + path);
      EXPECT_TRUE(what.contains("summary") && what.contains("responses")) << path;
    }
  }
  EXPECT_EQ(described, served);
}

// Every "$ref" of the description names something in it.
void CheckReferences(const nlohmann::json& document, const nlohmann::json& node) {
  for (const auto& [key, value] : node.items()) {
    if (key == "$ref") {
      const std::string target = value.get<std::string>();
      EXPECT_TRUE(document.contains(nlohmann::json::json_pointer(target.substr(1)))) << target;
    } else if (value.is_structured()) {
      CheckReferences(document, value);
    }
  }
}

TEST(HttpApi, HasNoDanglingReferences) {
  const auto document = nlohmann::json::parse(OpenApiText());
  CheckReferences(document, document);
}

TEST(ParseListenAddress, TakesAddressAndPort) {
  EXPECT_EQ(ParseListenAddress("127.0.0.1:80")->port, 80);
  EXPECT_EQ(ParseListenAddress(":0")->address, "127.0.0.1");
  EXPECT_EQ(ParseListenAddress("[::1]:8080")->address, "::1");
  EXPECT_EQ(ParseListenAddress("localhost:1")->address, "localhost");
  for (const char* wrong : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000"}) {
    EXPECT_TRUE(ParseListenAddress(wrong).status().Is(kUsage)) << wrong;
  }
}

}  // namespace
}  // namespace tidemill
