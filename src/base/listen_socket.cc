#include "base/listen_socket.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/errors.h"

namespace tidemill {

Result<ListenSocket> OpenListenSocket(const ListenOptions& options, std::string_view what) {
  namespace asio = boost::asio;
  using tcp = asio::ip::tcp;
  boost::system::error_code error;
  const asio::ip::address address =
      asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (error) return Status(kInvalidConfig, "'" + options.address + "' is not an IP address to listen on");
  if (!address.is_loopback() && !options.insecure) {
    return Status(kUnsafeListen, std::string(what) + " address " + options.address + " is reachable by others");
  }
  const tcp::endpoint endpoint(address, options.port);
  const std::string place = options.address + ":" + std::to_string(options.port);
  asio::io_context io;
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint.protocol(), error);
  if (error) return Status(kNetworkError, "can't open a socket for " + place + ": " + error.message());
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  acceptor.bind(endpoint, error);
  if (error == asio::error::address_in_use) {
    return Status(kAddressInUse, std::string(what) + " address " + place + " is already in use");
  }
  if (error) return Status(kNetworkError, "can't listen on " + place + ": " + error.message());
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Status(kNetworkError, "can't listen on " + place + ": " + error.message());
  const uint16_t port = acceptor.local_endpoint(error).port();
  return ListenSocket{acceptor.release(), address.is_v6(), port};
}

}  // namespace tidemill
