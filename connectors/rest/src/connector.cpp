// The connector: prepares functions and makes sessions.
#include "sdk/connector.hpp"

#include "connectors/rest/resources.hpp"
#include "connectors/rest/src/operation.hpp"
#include "connectors/rest/src/session.hpp"

namespace tributary::connectors::rest {
namespace {

class RestConnector final : public sdk::Connector {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile&, const sdk::FunctionSpec& function) const override {
    return prepare_operation(function);
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return rest::make_session(context, profile);
  }
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<RestConnector>();
}

}  // namespace tributary::connectors::rest
