// Which pipeline a call is for, and what is remembered between calls. On the control executor.
#pragma once

#include <map>
#include <memory>

#include "orchestrate/hooks/guards.hpp"
#include "orchestrate/hooks/rule.hpp"
#include "orchestrate/run/runner.hpp"
#include "secrets/vault.hpp"
#include "store/rows.hpp"

namespace tributary::orchestrate::hooks {

// The part of an address that says "webhook".
constexpr std::string_view kPrefix = "/hooks/";

struct Route {
  std::string pipeline_id;
  std::string node_id;
  std::size_t trigger = 0;
  std::shared_ptr<Runner> runner;
  std::optional<store::SecretRow> secret;

  const Rule& rule() const { return *runner->plan().nodes[trigger].settings->hook; }
};

struct Taken {
  std::string run_id;
  std::optional<Answer> answer;  // of a respond node
};

class Desk {
 public:
  Desk(const secrets::Vault* vault, Clock& clock, Timers& timers)
      : vault_(vault), clock_(clock), timers_(timers) {}

  // Replaces what the pipeline had.
  void open(const std::string& pipeline_id, std::vector<Route> routes);
  // Nobody can call it any more.
  void close(const std::string& pipeline_id);
  // It is gone for good: what was remembered of its calls, too.
  void forget(const std::string& pipeline_id);

  // How long the body may be. Decides on the head alone.
  std::expected<std::uint64_t, Refusal> admit(const Call& head) const;
  // A whole call. Not a member: the desk outlives no hub.
  static Task<std::expected<Taken, Refusal>> take(std::shared_ptr<Desk> desk, Call call);

 private:
  struct Memory {
    RateLimit rate;
    ReplayGuard replays;
  };

  std::expected<const Route*, Refusal> find(const Call& call) const;
  std::expected<Secret, Refusal> open_secret(const Route& route) const;
  // Everything that may be wrong with a call; its record, and the signature that was remembered.
  std::expected<Json, Refusal> check(const Route& route, const Call& call, Memory& memory,
                                     std::string& signature);

  const secrets::Vault* vault_;
  Clock& clock_;
  Timers& timers_;
  std::multimap<std::string, Route> routes_;  // by path
  std::map<std::string, Memory> memories_;    // by pipeline and node
};

}  // namespace tributary::orchestrate::hooks
