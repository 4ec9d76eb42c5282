#include "net/udp_stream.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>

#include "net/plain_stream.hpp"

namespace tributary::net {
namespace {

using UdpSocket = asio::basic_datagram_socket<asio::ip::udp, Executor>;

struct Datagrams {
  UdpSocket socket;

  Executor get_executor() { return socket.get_executor(); }
  void close(boost::system::error_code& error) { socket.close(error); }
  template <typename Token>
  auto read(asio::mutable_buffer buffer, Token token) {
    return socket.async_receive(buffer, token);
  }
  template <typename Token>
  auto write(asio::const_buffer buffer, Token token) {
    return socket.async_send(buffer, token);
  }
};

}  // namespace

Result<std::unique_ptr<Stream>> connect_udp(const Address& address, Executor executor,
                                            Timers& timers) {
  boost::system::error_code error;
  const auto ip = asio::ip::make_address(address.ip, error);
  const asio::ip::udp::endpoint endpoint(ip, address.port);
  const std::string peer = ip.is_v6() ? fmt::format("[{}]:{}", address.ip, address.port)
                                      : fmt::format("{}:{}", address.ip, address.port);
  UdpSocket socket(executor);
  if (!error) socket.open(endpoint.protocol(), error);
  if (!error) socket.connect(endpoint, error);
  if (error) return fail(error_from_errno(error.value(), "connect to", peer));
  return std::make_unique<PlainStream<Datagrams>>(Datagrams{std::move(socket)}, peer, timers);
}

}  // namespace tributary::net
