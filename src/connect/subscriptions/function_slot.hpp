// One function of a connection as its actor holds it: configuration, prepared operation, last
// values, feed, counters.
#pragma once

#include <atomic>
#include <mutex>

#include "connect/function_breaker.hpp"
#include "connect/profile.hpp"
#include "connect/subscriptions/feed.hpp"
#include "connect/subscriptions/freshness.hpp"
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
  bool idempotent = false;
  Duration expect{};  // a value at least this often; zero: not declared

  bool is_subscription() const { return type->kind == sdk::FunctionKind::kSubscribe; }
  bool writes() const {
    return type->kind == sdk::FunctionKind::kWrite || type->kind == sdk::FunctionKind::kCommand;
  }
};

std::shared_ptr<const FunctionConfig> make_function_config(const store::FunctionRow& row,
                                                           const sdk::FunctionType& type);

// kActive: confirmed by the peer, or polled; whether it brought anything yet is FunctionStats::
// restored. kSilent: it should have brought something by now.
enum class SubscriptionState : std::uint8_t { kWaiting, kActive, kSilent, kFailed };
std::string_view to_string(SubscriptionState state);

// Written by the actor, read by the manager.
class FunctionStats {
 public:
  std::atomic<std::int64_t> samples = 0;
  std::atomic<std::int64_t> overruns = 0;
  std::atomic<SubscriptionState> state = SubscriptionState::kWaiting;
  std::atomic<bool> restored = false;           // a value arrived in the present session
  std::atomic<std::int64_t> last_value_us = 0;  // UTC; 0: none yet
  std::atomic<std::int64_t> expected_ms = 0;    // 0: nothing is known about its pace

  void set_error(std::optional<Error> error);
  std::optional<Error> error() const;
  void set_breaker(BreakerView breaker);
  BreakerView breaker() const;

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> has_error_ = false;
  std::optional<Error> error_;
  BreakerView breaker_;
};

// Of a polled function.
Duration interval_of(const FunctionConfig& function);
// When values of this function are expected.
FreshnessRule freshness_of(const FunctionConfig& function);

// Settings with their placeholders filled, checked again and planned by the connector. Errors:
// kFunction "missing_parameter", "invalid_parameters", and those of Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_function(const ConnectionConfig& connection,
                                                               const FunctionConfig& function,
                                                               const Json& parameters);

// An error of a call that points at a setting which a parameter filled points at the parameter
// then: the function is not to blame, and the next call may do better.
Error blame_parameter(const FunctionConfig& function, Error error);

// Lives on the connection's executor.
struct FunctionSlot {
  std::shared_ptr<const FunctionConfig> config;
  std::shared_ptr<FunctionStats> stats;
  std::shared_ptr<Feed> feed;  // subscriptions only
  LastValues values;
  std::shared_ptr<const Batch> last_records;
  SteadyTime last_records_at;
  UtcTime last_records_utc;
  FunctionBreaker breaker;
  Freshness freshness;
  std::shared_ptr<const sdk::Operation> operation;  // when it needs no filling: prepared once

  // The operation for these parameters; prepared once when it does not depend on them.
  Result<std::shared_ptr<const sdk::Operation>> operation_for(const ConnectionConfig& connection,
                                                              const Json& parameters);
};

}  // namespace tributary::connect
