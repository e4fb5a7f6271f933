#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace tidemill::testing {

// A client that knows nothing but bytes.
class FrameClient {
 public:
  explicit FrameClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~FrameClient() { ::close(fd_); }
  int fd() const { return fd_; }
  FrameClient(const FrameClient&) = delete;

  // False when the other side has closed.
  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  static std::string Framed(std::string_view bytes) {
    const uint32_t length = htonl(static_cast<uint32_t>(bytes.size()));
    return std::string(reinterpret_cast<const char*>(&length), 4) + std::string(bytes);
  }
  // nullopt when the connection ended.
  std::optional<std::string> Read() {
    return ReceiveFrame([this](char* out, size_t count) { return ::recv(fd_, out, count, 0); });
  }
  // The same over any way of receiving: `receive(out, count)` gives how many bytes came, at most 0 at the end.
  template <typename Receive>
  static std::optional<std::string> ReceiveFrame(Receive receive) {
    std::string head = Exactly(4, receive);
    if (head.size() < 4) return std::nullopt;
    uint32_t length = 0;
    std::memcpy(&length, head.data(), 4);
    return Exactly(ntohl(length), receive);
  }

 private:
  template <typename Receive>
  static std::string Exactly(size_t count, Receive receive) {
    std::string bytes(count, '\0');
    size_t got = 0;
    while (got < count) {
      const auto n = receive(bytes.data() + got, count - got);
      if (n <= 0) break;
      got += static_cast<size_t>(n);
    }
    bytes.resize(got);
    return bytes;
  }
  const int fd_;
};

}  // namespace tidemill::testing
