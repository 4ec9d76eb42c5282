// A Stream over an established TCP socket.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "net/stream.hpp"
#include "runtime/timers.hpp"

namespace tributary::net {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

// Takes over a connected socket. The stream lives on the socket's executor; operations that are
// still pending when it is destroyed end with kCancelled, so it may go at any time. Destroying it
// without close() is abort().
std::unique_ptr<Stream> make_tcp_stream(TcpSocket socket, std::string peer, Timers& timers);

// Closes so that the peer gets a reset, not a goodbye (SO_LINGER with 0 s). Idempotent.
void reset_socket(TcpSocket& socket) noexcept;

}  // namespace tributary::net
