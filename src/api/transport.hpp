// A byte stream to one client: TCP, TLS or the control socket. Lives on the control executor.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "runtime/task.hpp"
#include "runtime/timers.hpp"

namespace tributary::api {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using LocalSocket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

class Transport {
 public:
  using Handler = asio::any_completion_handler<void(boost::system::error_code, std::size_t)>;

  virtual ~Transport() = default;
  // The TLS handshake; nothing for the others. False: the client gave up or speaks something else.
  virtual Task<bool> open() = 0;
  // One read and one write may be outstanding. The buffer lives until the handler was called.
  virtual void read_some(asio::mutable_buffer buffer, Handler handler) = 0;
  virtual void write_some(asio::const_buffer buffer, Handler handler) = 0;
  // Pending operations end with operation_aborted; writing is still possible.
  virtual void cancel() noexcept = 0;
  // Tells the client that nothing more comes (close_notify, FIN). Reading is still possible.
  virtual Task<void> finish() = 0;
  // Ends the connection; pending operations end with operation_aborted. Idempotent.
  virtual void close() noexcept = 0;

  // Bytes read (0: the connection is over), and whether all of `data` was written.
  Task<std::size_t> read(asio::mutable_buffer buffer);
  Task<bool> write(std::string_view data);

  Executor executor() const { return executor_; }
  bool secure() const { return secure_; }
  bool local() const { return local_; }
  const std::string& remote() const { return remote_; }

 protected:
  Transport(Executor executor, bool secure, bool local, std::string remote)
      : executor_(executor), secure_(secure), local_(local), remote_(std::move(remote)) {}

 private:
  Executor executor_;
  bool secure_;
  bool local_;
  std::string remote_;
};

std::shared_ptr<Transport> make_tcp_transport(TcpSocket socket);
std::shared_ptr<Transport> make_tls_transport(TcpSocket socket, asio::ssl::context& context);
std::shared_ptr<Transport> make_local_transport(LocalSocket socket);

// Cancels what is pending on a transport when time is up.
class Deadline {
 public:
  Deadline(Timers& timers, Transport& transport) : timers_(timers), transport_(transport) {}
  void arm(Duration after);
  void disarm() { timer_.reset(); }
  // Since the last arm().
  bool expired() const { return expired_; }

 private:
  Timers& timers_;
  Transport& transport_;
  std::unique_ptr<Timer> timer_;
  bool expired_ = false;
};

}  // namespace tributary::api
