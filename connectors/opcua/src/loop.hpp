// open62541's event loop and TCP, on the executor and the network of a session: the library gets no
// thread, no socket and no clock of its own (docs/adr, "OPC UA runs on the session's executor").
#pragma once

#include <open62541/plugin/eventloop.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connectors/opcua/src/framing.hpp"
#include "net/stream.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::opcua {

// Lives on one executor, for one UA_Client, which it outlives. Shared by its coroutines.
class Loop final : public std::enable_shared_from_this<Loop> {
 public:
  Loop(const sdk::SessionContext& context, const Framing& framing);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // For UA_ClientConfig::eventLoop, as an external one.
  UA_EventLoop* native();

  // Whatever host and port the library asks for, it gets the connection to the endpoint that was
  // dialled before. It gets one: there is no reconnecting behind the hub's back.
  void offer(std::unique_ptr<net::Stream> stream);
  // Why the connection ended; null while it has not, or when it was the library's wish.
  const std::optional<Error>& failure() const { return failure_; }
  const Framing& framing() const { return framing_; }
  // Makes the library look at what there is to do, as the end of a message does.
  void nudge();
  // Resets the connection and tells the library at once, so that it forgets what it waits for. Not
  // from inside one of its callbacks. Idempotent.
  void abort() noexcept;
  bool connected() const { return stream_ != nullptr; }
  std::uint64_t bytes_received() const { return received_; }

 private:
  struct Native;
  struct Cyclic {
    UA_Callback callback = nullptr;
    void* application = nullptr;
    void* data = nullptr;
    Duration interval{};  // zero: once
    std::unique_ptr<Timer> timer;
  };
  using Self = std::shared_ptr<Loop>;

  UA_StatusCode open(void* application, UA_ConnectionManager_connectionCallback callback);
  UA_StatusCode send(UA_ByteString& bytes);
  void close();
  void run();
  void arm(std::uint64_t id, SteadyTime when);
  void tell(UA_ConnectionState state, UA_ByteString bytes);
  void end(std::optional<Error> why);
  void later(void (Loop::*what)());
  void established();
  void closed();
  // Sends FIN after what was written, and tells the library that the connection is closed.
  void finish();
  // What of the server cannot be gone on with.
  void break_off(Error why);
  static Task<void> read(Self self);
  static Task<void> write(Self self);

  sdk::SessionContext context_;
  Framing framing_;
  std::unique_ptr<Native> native_;
  std::unique_ptr<net::Stream> offered_;
  std::shared_ptr<net::Stream> stream_;
  UA_ConnectionManager_connectionCallback callback_ = nullptr;
  void* application_ = nullptr;
  void* connection_context_ = nullptr;
  std::string outgoing_;
  bool writing_ = false;
  bool receiving_ = false;  // the library looks at what came
  bool closing_ = false;    // when all is written
  bool told_ = false;       // the library knows that the connection is closed
  std::uint64_t received_ = 0;
  std::optional<Error> failure_;
  std::map<std::uint64_t, Cyclic> timers_;
  std::uint64_t next_timer_ = 1;
};

}  // namespace tributary::connectors::opcua
