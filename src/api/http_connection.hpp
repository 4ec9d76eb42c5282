// One client's connection: requests in, answers out, within limits. Speaks HTTP/1.1 (RFC 9112).
#pragma once

#include <memory>
#include <set>

#include "api/dispatcher.hpp"
#include "api/transport.hpp"
#include "runtime/runtime.hpp"

namespace tributary::api {

// Bounds of what one client may cost.
struct Limits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t body_bytes = 4 * 1024 * 1024;
  std::size_t connections = 4096;
  std::size_t message_bytes = 64 * 1024;  // of a WebSocket message
  Duration handshake{std::chrono::seconds{10}};
  Duration idle{std::chrono::seconds{75}};    // between two requests
  Duration header{std::chrono::seconds{10}};  // from a request's first byte to the end of its head
  Duration body{std::chrono::seconds{30}};
  Duration write{std::chrono::seconds{30}};
};

// The connections that are open: so that a stop can end the idle ones at once and let the others
// finish.
class ActiveConnections {
 public:
  struct Entry {
    Transport* transport = nullptr;
    bool idle = true;
    EventChannel* channel = nullptr;  // of a stream
  };
  void add(Entry* entry) { entries_.insert(entry); }
  void remove(Entry* entry) { entries_.erase(entry); }
  std::size_t size() const { return entries_.size(); }
  bool stopping() const { return stopping_; }
  // No more requests: idle connections end now, streams are told that the server goes away.
  void stop();
  // Ends what is left.
  void close_all();

 private:
  std::set<Entry*> entries_;
  bool stopping_ = false;
};

struct HttpContext {
  Dispatcher& dispatcher;
  Runtime& runtime;
  const Limits& limits;
  ActiveConnections& active;
};

// Serves one client until it goes.
Task<void> serve_http(HttpContext& context, std::shared_ptr<Transport> transport);

}  // namespace tributary::api
