#include "connectors/modbus/src/connector.hpp"

#include <atomic>

#include "connectors/modbus/src/operation.hpp"
#include "connectors/modbus/src/session.hpp"

namespace tributary::connectors::modbus {
namespace {

class ModbusConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile& profile, const sdk::FunctionSpec& function) const override {
    auto operation = prepare_operation(profile.settings, function,
                                       next_operation_.fetch_add(1, std::memory_order_relaxed));
    if (operation) shared_->units.note(profile.connection_id, (*operation)->units());
    return operation;
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return modbus::make_session(context, profile, shared_);
  }

 private:
  mutable std::atomic<std::uint64_t> next_operation_{1};
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<ModbusConnector>();
}

}  // namespace tributary::connectors::modbus
