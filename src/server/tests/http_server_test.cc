#include "server/http_server.h"

#include <future>
#include <thread>

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

TEST(HttpServerAsync, AnswersLaterAndStopsOnlyWhenNothingIsOwed) {
  HttpServer server;
  std::promise<HttpServer::Reply> taken;
  server.RouteAsync("GET", "/later",
                    [&](const ServerRequest&, HttpServer::Reply reply) { taken.set_value(std::move(reply)); });
  server.Route("GET", "/now", [](const ServerRequest&) { return ServerResponse{200, "text/plain", "now", {}}; });
  HttpServerOptions options;
  options.port = 0;
  options.handler_threads = 1;
  ASSERT_TRUE(server.Start(options).ok());
  const auto network = MakeNetwork();
  const auto fetch = [&](const std::string& path) {
    HttpRequest request;
    request.method = "GET";
    request.url = "http://127.0.0.1:" + std::to_string(server.port()) + path;
    request.allow_addresses = {"127.0.0.1"};
    auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
    auto future = promise->get_future();
    network->Fetch(std::move(request),
                   [promise](Result<HttpResponse> response) { promise->set_value(std::move(response)); });
    return future;
  };
  auto later = fetch("/later");
  const HttpServer::Reply reply = taken.get_future().get();
  // The only handler thread is free meanwhile.
  EXPECT_EQ(fetch("/now").get()->body, "now");
  std::thread answer([&] { reply(ServerResponse{200, "text/plain", "later", {}}); });
  EXPECT_EQ(later.get()->body, "later");
  answer.join();
  server.Stop();
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
