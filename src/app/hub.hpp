// A whole hub: every module made, wired, started and stopped in the right order.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/server.hpp"
#include "base/error.hpp"
#include "http/egress.hpp"
#include "model/json.hpp"

namespace tributary::app {

struct HubOptions {
  std::string data_dir;
  std::size_t workers = 1;
  int history_days = 400;
  api::ServerOptions server;
  // Receivers that the hub may send to although its egress rules refuse them (src/http/egress.hpp).
  std::vector<http::AllowedTarget> allow_egress;
  // $env of expressions and scripts: name → text.
  Json env = json_object();
};

class Hub {
 public:
  // Blocking. Errors: those of Store::open, Vault::open and Server::make, and whatever the modules
  // say when they load.
  static Result<std::unique_ptr<Hub>> start(HubOptions options);
  ~Hub();

  // Polite first, then hard. False when the modules did not come to rest in time: end the process
  // then.
  bool stop(std::chrono::milliseconds limit);

  const api::Server& server() const;
  // Empty when there is a user.
  const std::string& setup_code() const;

 private:
  struct Impl;
  explicit Hub(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::app
