// Live events: watches connections, values, runs and pipelines once, and feeds every client. On the
// control executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "api/event_channel.hpp"
#include "api/metrics.hpp"
#include "api/stream_client.hpp"
#include "auth/auth.hpp"
#include "connect/alarms.hpp"
#include "connect/manager.hpp"
#include "orchestrate/engine.hpp"
#include "runtime/runtime.hpp"

namespace tributary::api {

class StreamHub {
 public:
  StreamHub(Runtime& runtime, auth::Auth& auth, connect::Manager& manager,
            orchestrate::Engine& engine, Metrics& metrics);
  ~StreamHub();

  // Begins and ends watching; both on the control executor. stop() lets every client go.
  void start();
  void stop();

  // 503 when there are too many clients, 404 or 409 when the topic cannot be watched.
  std::expected<void, Problem> check(const std::optional<Topic>& topic) const;

  // Serves one client until it goes. `only`: the single subscription of server-sent events, with
  // id 1.
  Task<void> serve(EventChannel& channel, Via via, std::string credential,
                   std::optional<Topic> only);

 private:
  Task<void> write_loop(std::shared_ptr<StreamClient> client, EventChannel& channel,
                        std::shared_ptr<Event> done);
  Task<bool> write_next(StreamClient& client, EventChannel& channel);
  Task<Json> make_snapshot(Topic topic);
  void handle_message(StreamClient& client, const std::string& text);
  void subscribe(StreamClient& client, std::int64_t id, Topic topic);
  void update_feeds();
  void on_state(const connect::StateChange& change);
  void on_catalogue_changed();
  void check_catalogue();
  bool is_watched(Topic::Kind kind) const;
  std::map<std::string, std::string> shown_connections() const;  // id → name and type
  void check_connections();
  void on_run(const orchestrate::RunEvent& event);
  void on_alarm(const connect::AlarmRow& alarm);
  void check_credentials();
  void check_pipelines();
  void tick();

  Runtime& runtime_;
  auth::Auth& auth_;
  connect::Manager& manager_;
  orchestrate::Engine& engine_;
  Metrics& metrics_;
  std::set<std::shared_ptr<StreamClient>> clients_;
  std::map<StreamClient*, EventChannel*> channels_;
  std::map<std::string, std::shared_ptr<ValuesFeed>> feeds_;
  std::map<std::string, std::string> known_connections_;  // id → name and type; while watched
  std::map<std::string, std::string> known_pipelines_;    // id → what was sent
  connect::Registration states_, catalogue_, runs_, alarms_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Timer> catalogue_timer_;  // set while a look at the catalogue is due
};

}  // namespace tributary::api
