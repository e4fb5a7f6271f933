#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/network.h"
#include "base/status.h"
#include "connect/redis_streams/resp.h"

namespace tidemill {

// Where a server is and who we are there; secrets resolved. Not for logs but for `name`.
struct RedisEndpoint {
  StreamTarget target;
  std::string username;  // empty: the default user
  std::string password;  // empty: no login
  int database = 0;
  int64_t timeout_ms = 10'000;  // of one answer, of connecting

  std::string name() const { return target.host + ":" + std::to_string(target.port); }
};

// An error of the server as ours: login, not allowed, refused; retriable where trying again later may help.
Status RedisStatus(std::string_view server, std::string_view error);
// True for errors that pass: loading, out of memory, read-only while a replica is promoted, and a server that is away.
bool IsPassingRedisError(const Status& status);

// One connection: logged in, the database selected. For one thread, which blocks up to the timeout. After any error but
// one that the server answered with the connection is of no use.
class RedisClient {
 public:
  static Result<std::unique_ptr<RedisClient>> Connect(Network& network, const RedisEndpoint& endpoint,
                                                      std::shared_ptr<const CancelSignal> cancel);
  // Commands in RESP; as many answers are to be taken as there are commands.
  Status Send(std::string_view commands);
  // The server may take `more_ms` longer than usual: it was asked to wait.
  Result<RespReply> Receive(int64_t more_ms = 0);
  // The first value of an answer; an error is a value too.
  Result<RespNode> ReceiveFirst(std::string_view* text);
  // An answer that is an error is one.
  Result<RespReply> Call(std::initializer_list<std::string_view> words);

 private:
  RedisClient(std::string server, int64_t timeout_ms, std::unique_ptr<NetworkStream> stream)
      : server_(std::move(server)), timeout_ms_(timeout_ms), stream_(std::move(stream)) {}
  Status Login(const RedisEndpoint& endpoint);
  Status Await(int64_t more_ms);

  const std::string server_;
  const int64_t timeout_ms_;
  std::unique_ptr<NetworkStream> stream_;
  RespReader reader_;
  std::string piece_ = std::string(64 << 10, '\0');
};

}  // namespace tidemill
