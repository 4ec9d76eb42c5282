// What a pipeline needs of connections and their functions. The engine sees only this;
// connect::Manager stands behind it in the hub, a scripted one in tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "connect/manager.hpp"
#include "model/batch.hpp"
#include "runtime/task.hpp"
#include "sdk/registry.hpp"

namespace tributary::orchestrate {

struct FunctionInfo {
  std::string id;
  std::int64_t version = 1;
  std::string name;
  std::string type;  // "modbus.read"
  std::string connection_id;
  std::string connection_name;
  sdk::FunctionKind kind = sdk::FunctionKind::kRead;
  sdk::Family family = sdk::Family::kFieldDevice;
  bool idempotent = false;  // a call whose outcome is unknown may be repeated
  bool batch = false;       // takes many records in one call, as the parameter "records"

  friend bool operator==(const FunctionInfo&, const FunctionInfo&) = default;
};

// A connection's state changed; or, with `removed`, the connection is gone.
struct ConnectionNews {
  std::string connection_id;
  std::string connection_name;
  std::string type;
  Json labels;
  connect::Status from = connect::Status::kIdle;
  connect::StateView state;
  bool removed = false;
};

class FunctionPort {
 public:
  virtual ~FunctionPort() = default;

  // nullopt: there is no such function. On the control executor.
  virtual std::optional<FunctionInfo> find(const std::string& id) const = 0;
  // On the control executor.
  virtual bool is_connected(const std::string& connection_id) const = 0;
  // A sentence that says why it is not, for people; empty when there is nothing to say. On the
  // control executor.
  virtual std::string why_not_connected(const std::string& /*connection_id*/) const { return {}; }
  // On the control executor.
  virtual bool has_connection(const std::string& connection_id) const = 0;
  // Empty when there is no such connection. On the control executor.
  virtual std::string connection_name(const std::string& /*connection_id*/) const { return {}; }
  // Every function, and every connection as id and name. On the control executor.
  virtual std::vector<FunctionInfo> all_functions() const { return {}; }
  virtual std::vector<std::pair<std::string, std::string>> all_connections() const { return {}; }
  // Whether this build has the connector. On the control executor.
  virtual bool has_type(const std::string& type) const = 0;
  // Every change of every connection. On the control executor.
  virtual connect::Registration watch_states(
      std::function<void(const ConnectionNews& news)> listener) = 0;
  // Runs a function now. On any executor. Errors: as connect::Manager::execute.
  virtual Task<Result<Batch>> execute(std::string id, Json parameters, Duration timeout) = 0;
  // Many calls of one function, begun in this order; one after the other where nobody knows better.
  // On any executor.
  virtual Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                                       Duration timeout, connect::Calls calls);
  // Batches of a subscribe function until the registration is dropped. On the control executor; the
  // consumer is called on another one. Errors: "not_found", "not_a_subscription".
  virtual Result<connect::Registration> consume(const std::string& id,
                                                connect::BatchConsumer consumer) = 0;
  // Functions or connections came, changed or went. On the control executor.
  virtual connect::Registration watch_catalogue(std::function<void()> changed) = 0;
};

// Passes everything on: for ports that change one thing about another.
class PortDecorator : public FunctionPort {
 public:
  explicit PortDecorator(FunctionPort& inner) : inner_(inner) {}

  std::optional<FunctionInfo> find(const std::string& id) const override { return inner_.find(id); }
  bool is_connected(const std::string& connection_id) const override {
    return inner_.is_connected(connection_id);
  }
  std::string why_not_connected(const std::string& connection_id) const override {
    return inner_.why_not_connected(connection_id);
  }
  bool has_connection(const std::string& connection_id) const override {
    return inner_.has_connection(connection_id);
  }
  std::string connection_name(const std::string& connection_id) const override {
    return inner_.connection_name(connection_id);
  }
  std::vector<FunctionInfo> all_functions() const override { return inner_.all_functions(); }
  std::vector<std::pair<std::string, std::string>> all_connections() const override {
    return inner_.all_connections();
  }
  bool has_type(const std::string& type) const override { return inner_.has_type(type); }
  connect::Registration watch_states(
      std::function<void(const ConnectionNews& news)> listener) override {
    return inner_.watch_states(std::move(listener));
  }
  Task<Result<Batch>> execute(std::string id, Json parameters, Duration timeout) override {
    return inner_.execute(std::move(id), std::move(parameters), timeout);
  }
  Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                               Duration timeout, connect::Calls calls) override {
    return inner_.execute_all(std::move(id), std::move(parameters), timeout, calls);
  }
  Result<connect::Registration> consume(const std::string& id,
                                        connect::BatchConsumer consumer) override {
    return inner_.consume(id, std::move(consumer));
  }
  connect::Registration watch_catalogue(std::function<void()> changed) override {
    return inner_.watch_catalogue(std::move(changed));
  }

 private:
  FunctionPort& inner_;
};

std::unique_ptr<FunctionPort> make_manager_port(connect::Manager& manager);

}  // namespace tributary::orchestrate
