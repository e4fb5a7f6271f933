#include "server/http_server.h"

#include <future>

#include <gtest/gtest.h>

#include "base/network.h"
#include "server/errors.h"

namespace tidemill {
namespace {

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_.Route("GET", "/hello/{name}", [](const ServerRequest& request) {
      return ServerResponse{
          200, "text/plain", "hello " + request.path_parameters.at("name") + request.query.at("mark"), {}};
    });
    server_.Route("POST", "/echo", [](const ServerRequest& request) {
      return ServerResponse{200, request.headers.at("content-type"), request.body, {}};
    });
    HttpServerOptions options;
    options.port = 0;
    options.body_bytes_max = 1000;
    ASSERT_TRUE(server_.Start(options).ok());
    network_ = MakeNetwork();
  }

  Result<HttpResponse> Fetch(std::string method, std::string target, std::string body = "") {
    HttpRequest request;
    request.method = std::move(method);
    request.url = "http://127.0.0.1:" + std::to_string(server_.port()) + target;
    request.body = std::move(body);
    request.headers = {{"Content-Type", "text/plain"}};
    request.allow_addresses = {"127.0.0.1"};
    std::promise<Result<HttpResponse>> promise;
    auto future = promise.get_future();
    network_->Fetch(std::move(request), [&](Result<HttpResponse> response) { promise.set_value(std::move(response)); });
    return future.get();
  }

  HttpServer server_;
  std::unique_ptr<Network> network_;
};

TEST_F(HttpServerTest, RoutesByPathWithParametersAndQuery) {
  auto response = Fetch("GET", "/hello/a%20b?mark=%21");
  ASSERT_TRUE(response.ok()) << response.status().ToString();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello a b!");
}

TEST_F(HttpServerTest, EchoesABody) {
  auto response = Fetch("POST", "/echo", "payload");
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->body, "payload");
}

TEST_F(HttpServerTest, RefusesUnknownPathsMethodsAndLargeBodies) {
  EXPECT_EQ(Fetch("GET", "/nothing")->status, 404);
  EXPECT_EQ(Fetch("POST", "/hello/x")->status, 405);
  EXPECT_EQ(Fetch("POST", "/echo", std::string(1001, 'x'))->status, 413);
  EXPECT_EQ(Fetch("POST", "/echo", std::string(1000, 'x'))->status, 200);
}

TEST_F(HttpServerTest, SaysThatAPortIsTaken) {
  HttpServer second;
  HttpServerOptions options;
  options.port = server_.port();
  const Status status = second.Start(options);
  ASSERT_TRUE(status.Is(kAddressInUse)) << status.ToString();
  EXPECT_NE(status.message().find(std::to_string(server_.port())), std::string::npos);
}

TEST_F(HttpServerTest, RefusesToListenBeyondLoopback) {
  HttpServer open;
  HttpServerOptions options;
  options.address = "0.0.0.0";
  options.port = 0;
  EXPECT_TRUE(open.Start(options).Is(kUnsafeListen));
}

TEST_F(HttpServerTest, StopsWhileConnectionsAreOpen) {
  EXPECT_EQ(Fetch("GET", "/hello/x?mark=")->status, 200);
  server_.Stop();
  EXPECT_FALSE(Fetch("GET", "/hello/x?mark=").ok());
}

}  // namespace
}  // namespace tidemill
