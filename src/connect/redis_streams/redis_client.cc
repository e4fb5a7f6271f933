#include "connect/redis_streams/redis_client.h"

#include <algorithm>

#include "base/errors.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr size_t kErrorTextMax = 200;

// The first word of an error is its kind.
constexpr std::string_view kLoginErrors[] = {"NOAUTH", "WRONGPASS"};
constexpr std::string_view kPassingErrors[] = {"LOADING",    "OOM",      "BUSY",    "TRYAGAIN",  "CLUSTERDOWN",
                                               "MASTERDOWN", "READONLY", "MISCONF", "NOREPLICAS"};

std::string_view KindOf(std::string_view error) { return error.substr(0, error.find(' ')); }

template <size_t N>
bool IsOneOf(std::string_view kind, const std::string_view (&kinds)[N]) {
  return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds);
}

std::string Printable(std::string_view text) {
  std::string out(text.substr(0, kErrorTextMax));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return out;
}

}  // namespace

Status RedisStatus(std::string_view server, std::string_view error) {
  const std::string text = "Redis at " + std::string(server) + ": " + Printable(error);
  const std::string_view kind = KindOf(error);
  if (IsOneOf(kind, kLoginErrors)) return Status(kRedisLoginFailed, text);
  if (kind == "NOPERM") return Status(kRedisNotAllowed, text);
  if (IsOneOf(kind, kPassingErrors)) return Status(kRedisUnreachable, text);
  if (kind == "MOVED" || kind == "ASK") {
    return Status(kRedisRefused, text).WithNote("a Redis Cluster: 'url' must name the node that holds the stream");
  }
  return Status(kRedisRefused, text);
}

bool IsPassingRedisError(const Status& status) {
  return status.Is(kRedisUnreachable) || status.Is(kNetworkError) || status.Is(kTimeout);
}

Result<std::unique_ptr<RedisClient>> RedisClient::Connect(Network& network, const RedisEndpoint& endpoint,
                                                          std::shared_ptr<const CancelSignal> cancel) {
  StreamTarget target = endpoint.target;
  target.timeout_ms = endpoint.timeout_ms;
  auto stream = network.Connect(target, std::move(cancel));
  if (!stream.ok()) {
    if (!IsPassingRedisError(stream.status())) return stream.status();
    return Status(kRedisUnreachable, "Redis at " + stream.status().message());
  }
  std::unique_ptr<RedisClient> client(new RedisClient(endpoint.name(), endpoint.timeout_ms, *std::move(stream)));
  TM_RETURN_IF_ERROR(client->Login(endpoint));
  return client;
}

Status RedisClient::Login(const RedisEndpoint& endpoint) {
  if (!endpoint.password.empty()) {
    std::string command;
    if (endpoint.username.empty()) {
      AppendRespCommand(std::initializer_list<std::string_view>{"AUTH", endpoint.password}, &command);
    } else {
      AppendRespCommand(std::initializer_list<std::string_view>{"AUTH", endpoint.username, endpoint.password},
                        &command);
    }
    TM_RETURN_IF_ERROR(Send(command));
    TM_ASSIGN_OR_RETURN(const RespReply reply, Receive());
    if (reply.nodes[0].type == RespType::kError) {
      // A server that does not know the command repeats its words: only what is sure to be without them is shown.
      const std::string_view kind = KindOf(reply.text(0u));
      const bool passing = IsOneOf(kind, kPassingErrors);
      return Status(passing ? kRedisUnreachable : kRedisLoginFailed,
                    "Redis at " + server_ + " refused the login: " +
                        (IsOneOf(kind, kLoginErrors) || passing ? Printable(reply.text(0u)) : Printable(kind)));
    }
  }
  if (endpoint.database != 0) {
    TM_RETURN_IF_ERROR(Call({"SELECT", std::to_string(endpoint.database)}).status());
  }
  return Call({"PING"}).status();
}

Status RedisClient::Send(std::string_view commands) {
  const Status status = stream_->Write(commands, timeout_ms_);
  return status.ok() ? status : Status(kRedisUnreachable, "Redis at " + status.message());
}

Status RedisClient::Await(int64_t more_ms) {
  while (true) {
    auto whole = reader_.Parse();
    if (!whole.ok()) return whole.status().WithContext("Redis at " + server_);
    if (*whole) return Status::OK();
    const Result<size_t> got = stream_->Read(piece_.data(), piece_.size(), timeout_ms_ + more_ms);
    if (!got.ok()) return Status(kRedisUnreachable, "Redis at " + got.status().message());
    if (*got == 0) return Status(kRedisUnreachable, "Redis at " + server_ + " has closed the connection");
    reader_.Append(std::string_view(piece_).substr(0, *got));
  }
}

Result<RespReply> RedisClient::Receive(int64_t more_ms) {
  TM_RETURN_IF_ERROR(Await(more_ms));
  return reader_.Take();
}

Result<RespNode> RedisClient::ReceiveFirst(std::string_view* text) {
  TM_RETURN_IF_ERROR(Await(0));
  return reader_.TakeFirst(text);
}

Result<RespReply> RedisClient::Call(std::initializer_list<std::string_view> words) {
  std::string command;
  AppendRespCommand(std::span<const std::string_view>(words.begin(), words.size()), &command);
  TM_RETURN_IF_ERROR(Send(command));
  TM_ASSIGN_OR_RETURN(RespReply reply, Receive());
  if (reply.nodes[0].type == RespType::kError) return RedisStatus(server_, reply.text(0u));
  return reply;
}

}  // namespace tidemill
