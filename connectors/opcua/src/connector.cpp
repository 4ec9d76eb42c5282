// The connector: prepares functions and makes sessions.
#include "sdk/connector.hpp"

#include "connectors/opcua/resources.hpp"
#include "connectors/opcua/src/operation.hpp"
#include "connectors/opcua/src/session.hpp"

namespace tributary::connectors::opcua {
namespace {

class OpcuaConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile&, const sdk::FunctionSpec& function) const override {
    return prepare_operation(function);
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return opcua::make_session(context, profile, keepsakes_);
  }

 private:
  std::shared_ptr<Keepsakes> keepsakes_ = std::make_shared<Keepsakes>();
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<OpcuaConnector>();
}

}  // namespace tributary::connectors::opcua
