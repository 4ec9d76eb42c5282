// An OPC UA server on open62541, on a thread of its own: for the simulated plant and for tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"

struct UA_Server;
struct UA_ServerConfig;

namespace tributary::connectors::opcua::simulator {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: a free one
  std::string application_uri = "urn:tributary:plant";
  std::string certificate;           // DER; empty: the server has no security at all
  Secret key;                        // DER
  std::vector<std::string> clients;  // DER: whom it trusts; empty: everybody
  bool insecure = true;              // also without security; else only to ask for endpoints
  bool anonymous = true;
  std::string username;  // empty: there is no user
  Secret password;
  // The last word about everything else, before the server is made.
  std::function<void(UA_ServerConfig&)> configure;
};

class Server {
 public:
  // Listens when it returns. Error: kConfiguration "cannot_listen".
  static Result<std::unique_ptr<Server>> start(ServerOptions options,
                                               const std::function<void(UA_Server*)>& fill);
  // Ends all sessions and joins.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::string url() const;
  // open62541's functions may be called from any thread.
  UA_Server* native() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::connectors::opcua::simulator
