// What the handlers work with. Owned by the program (src/app), outlives the server.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "auth/auth.hpp"
#include "base/time.hpp"
#include "connect/manager.hpp"
#include "orchestrate/engine.hpp"
#include "runtime/runtime.hpp"
#include "store/store.hpp"

namespace tributary::notices {
class Notices;
}
namespace tributary::secrets {
class Vault;
}

namespace tributary::api {

class Metrics;
class StreamHub;

struct Services {
  Runtime& runtime;
  store::Store& store;
  const secrets::Vault& vault;
  auth::Auth& auth;
  connect::Manager& manager;
  orchestrate::Engine& engine;
  notices::Notices& notices;
  Metrics& metrics;
  StreamHub& streams;
  std::string version;  // of the program
  UtcTime started_at;
  SteadyTime started;
  std::string_view openapi;        // contracts/openapi.yaml
  std::function<bool()> stopping;  // true once the hub was asked to stop
};

}  // namespace tributary::api
