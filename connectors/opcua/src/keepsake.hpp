// What a session that broke leaves to the next one of its connection: OPC UA servers keep sessions
// and subscriptions for a while, and what these have collected meanwhile.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "connectors/opcua/settings.hpp"
#include "connectors/opcua/src/client.hpp"

namespace tributary::connectors::opcua {

struct Feed;

// One subscription at the server.
struct Leg {
  std::uint32_t id = 0;
  Duration silence{};               // longer than this without a sign of life, and it is dead
  std::uint32_t next_sequence = 1;  // of the first message that the sink has not accepted
  SteadyTime heard{};
  bool paused = false;  // the server was told to stop sending
  int taken_over = 0;   // by how many sessions since it was last heard
};

// What a function watched. The legs are as they were when the session broke.
struct KeptFeed {
  std::shared_ptr<const Feed> feed;
  std::vector<Leg> legs;
};

struct Keepsake {
  ConnectionSettings settings;
  std::optional<Ticket> ticket;
  int tries = 0;  // logins with the ticket
  std::vector<KeptFeed> feeds;
  SteadyTime left{};
};

// Those of all connections. One object for each process, any thread.
class Keepsakes {
 public:
  // Longer than any server keeps a session.
  static constexpr Duration kLongest = std::chrono::hours{24};

  void leave(const std::string& connection_id, Keepsake keepsake);
  // None, when there is none of a session with these settings. It is handed out once.
  std::optional<Keepsake> take(const std::string& connection_id, const ConnectionSettings& settings,
                               SteadyTime now);

 private:
  std::mutex mutex_;
  std::map<std::string, Keepsake> by_connection_;
};

}  // namespace tributary::connectors::opcua
