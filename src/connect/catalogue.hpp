// What the manager knows: connections and functions as stored, with their actors. Lives on the
// control executor.
#pragma once

#include <map>
#include <shared_mutex>
#include <unordered_map>

#include "connect/actor.hpp"

namespace tributary::connect {

struct ConnectionEntry {
  store::ConnectionRow row;
  std::vector<store::SecretRow> secrets;
  const sdk::Entry* type = nullptr;        // absent when this build does not have the connector
  std::shared_ptr<ConnectionActor> actor;  // absent with it
  StateView state;
};

struct FunctionEntry {
  store::FunctionRow row;
  const sdk::FunctionType* type = nullptr;
  std::shared_ptr<const FunctionConfig> config;
  std::shared_ptr<FunctionStats> stats;
};

// Which actor runs a function: asked from any thread.
class Routes {
 public:
  void set(const std::string& function_id, std::shared_ptr<ConnectionActor> actor) {
    const std::unique_lock lock(mutex_);
    routes_[function_id] = std::move(actor);
  }
  void erase(const std::string& function_id) {
    const std::unique_lock lock(mutex_);
    routes_.erase(function_id);
  }
  std::shared_ptr<ConnectionActor> find(const std::string& function_id) const {
    const std::shared_lock lock(mutex_);
    const auto found = routes_.find(function_id);
    return found == routes_.end() ? nullptr : found->second;
  }
  void clear() {
    const std::unique_lock lock(mutex_);
    routes_.clear();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<ConnectionActor>> routes_;
};

ConnectionView to_view(const ConnectionEntry& entry);
FunctionView to_view(const FunctionEntry& entry);

}  // namespace tributary::connect
