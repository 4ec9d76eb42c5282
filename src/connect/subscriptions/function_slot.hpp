// One function of a connection as its actor holds it: configuration, prepared operation, last
// values, feed, counters.
#pragma once

#include <atomic>
#include <mutex>

#include "connect/profile.hpp"
#include "connect/subscriptions/feed.hpp"
#include "connect/subscriptions/last_values.hpp"

namespace tributary::connect {

// Immutable; an edit makes a new one.
struct FunctionConfig {
  std::string id;
  std::string name;
  const sdk::FunctionType* type = nullptr;
  Json settings;                        // defaults filled; may hold placeholders
  std::vector<std::string> parameters;  // names of all placeholders
  bool needs_filling = false;           // some placeholder is not bound by the connector
  bool enabled = true;

  bool is_subscription() const { return type->kind == sdk::FunctionKind::kSubscribe; }
  bool writes() const {
    return type->kind == sdk::FunctionKind::kWrite || type->kind == sdk::FunctionKind::kCommand;
  }
};

std::shared_ptr<const FunctionConfig> make_function_config(const store::FunctionRow& row,
                                                           const sdk::FunctionType& type);

enum class SubscriptionState : std::uint8_t { kWaiting, kActive, kFailed };
std::string_view to_string(SubscriptionState state);

// Written by the actor, read by the manager.
class FunctionStats {
 public:
  std::atomic<std::int64_t> samples = 0;
  std::atomic<std::int64_t> overruns = 0;
  std::atomic<SubscriptionState> state = SubscriptionState::kWaiting;

  void set_error(std::optional<Error> error);
  std::optional<Error> error() const;

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> has_error_ = false;
  std::optional<Error> error_;
};

// Settings with their placeholders filled, checked again and planned by the connector. Errors:
// kFunction "missing_parameter", "invalid_parameters", and those of Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_function(const ConnectionConfig& connection,
                                                               const FunctionConfig& function,
                                                               const Json& parameters);

// Lives on the connection's executor.
struct FunctionSlot {
  std::shared_ptr<const FunctionConfig> config;
  std::shared_ptr<FunctionStats> stats;
  std::shared_ptr<Feed> feed;  // subscriptions only
  LastValues values;
  std::shared_ptr<const Batch> last_records;
  std::shared_ptr<const sdk::Operation> operation;  // when it needs no filling: prepared once

  // The operation for these parameters; prepared once when it does not depend on them.
  Result<std::shared_ptr<const sdk::Operation>> operation_for(const ConnectionConfig& connection,
                                                              const Json& parameters);
};

}  // namespace tributary::connect
