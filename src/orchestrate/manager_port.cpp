#include <fmt/format.h>

#include "orchestrate/ports.hpp"

namespace tributary::orchestrate {
namespace {

class ManagerPort final : public FunctionPort {
 public:
  explicit ManagerPort(connect::Manager& manager) : manager_(manager) {}

  std::optional<FunctionInfo> find(const std::string& id) const override {
    const auto function = manager_.function(id);
    if (!function) return std::nullopt;
    const auto connection = manager_.connection(function->row.connection_id);
    if (!connection) return std::nullopt;
    const sdk::Entry* entry = manager_.registry().find(connection->row.type);
    const sdk::FunctionType* type = entry ? entry->function(function->row.type) : nullptr;
    if (type == nullptr) return std::nullopt;
    return FunctionInfo{id,
                        function->row.version,
                        function->row.name,
                        function->row.type,
                        connection->row.id,
                        connection->row.name,
                        type->kind,
                        entry->manifest.family,
                        function->idempotent,
                        type->batch};
  }

  bool is_connected(const std::string& connection_id) const override {
    const auto connection = manager_.connection(connection_id);
    return connection && connection->state.status == connect::Status::kConnected;
  }

  std::string why_not_connected(const std::string& connection_id) const override {
    const auto connection = manager_.connection(connection_id);
    if (!connection) return {};
    const auto& state = connection->state;
    if (state.suspension) {
      return fmt::format("The connection \"{}\" is suspended: {}", connection->row.name,
                         state.suspension->reason);
    }
    return fmt::format("The connection \"{}\" is {}{}", connection->row.name,
                       connect::to_string(state.status),
                       state.cause ? ": " + state.cause->error.message : ".");
  }

  bool has_connection(const std::string& connection_id) const override {
    return manager_.connection(connection_id).has_value();
  }
  std::string connection_name(const std::string& connection_id) const override {
    const auto connection = manager_.connection(connection_id);
    return connection ? connection->row.name : std::string();
  }
  std::vector<FunctionInfo> all_functions() const override {
    std::vector<FunctionInfo> all;
    for (const auto& connection : manager_.connections()) {
      for (const auto& function : manager_.functions(connection.row.id)) {
        if (auto info = find(function.row.id)) all.push_back(std::move(*info));
      }
    }
    return all;
  }
  std::vector<std::pair<std::string, std::string>> all_connections() const override {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& connection : manager_.connections())
      all.emplace_back(connection.row.id, connection.row.name);
    return all;
  }
  bool has_type(const std::string& type) const override {
    return manager_.registry().find(type) != nullptr;
  }

  connect::Registration watch_states(
      std::function<void(const ConnectionNews& news)> listener) override {
    return manager_.watch_states(
        [this, listener = std::move(listener)](const connect::StateChange& change) {
          ConnectionNews news{change.connection_id, change.connection_name, {}, {}, change.from,
                              change.state,         change.removed};
          const auto connection = manager_.connection(change.connection_id);
          if (!connection && !change.removed) return;
          if (connection) {
            news.type = connection->row.type;
            news.labels = connection->row.labels;
          }
          listener(news);
        });
  }

  Task<Result<Batch>> execute(std::string id, Json parameters, Duration timeout) override {
    auto answer = co_await manager_.execute(std::move(id), std::move(parameters), timeout);
    co_return std::move(answer.result);
  }

  Task<std::vector<Result<Batch>>> execute_all(std::string id, std::vector<Json> parameters,
                                               Duration timeout, connect::Calls calls) override {
    return manager_.execute_all(std::move(id), std::move(parameters), timeout, calls);
  }

  Result<connect::Registration> consume(const std::string& id,
                                        connect::BatchConsumer consumer) override {
    return manager_.consume(id, std::move(consumer));
  }

  connect::Registration watch_catalogue(std::function<void()> changed) override {
    return manager_.watch_catalogue(std::move(changed));
  }

 private:
  connect::Manager& manager_;
};

}  // namespace

std::unique_ptr<FunctionPort> make_manager_port(connect::Manager& manager) {
  return std::make_unique<ManagerPort>(manager);
}

}  // namespace tributary::orchestrate
