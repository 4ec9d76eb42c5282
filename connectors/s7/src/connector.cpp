#include "connectors/s7/src/connector.hpp"

#include <atomic>

#include "connectors/s7/src/operation.hpp"
#include "connectors/s7/src/session.hpp"
#include "connectors/s7/src/symbols.hpp"
#include "sdk/symbols.hpp"

namespace tributary::connectors::s7 {
namespace {

class S7Connector final : public sdk::Connector, public sdk::SymbolReader {
 public:
  Result<std::shared_ptr<const sdk::Operation>> prepare(
      const sdk::Profile& profile, const sdk::FunctionSpec& function) const override {
    return prepare_operation(profile.settings, function,
                             next_operation_.fetch_add(1, std::memory_order_relaxed));
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    return s7::make_session(context, profile);
  }
  field::PointImport read_symbols(std::string_view text) const override {
    return import_symbols(text);
  }

 private:
  mutable std::atomic<std::uint64_t> next_operation_{1};
};

}  // namespace

std::unique_ptr<sdk::Connector> make_connector() {
  return std::make_unique<S7Connector>();
}

}  // namespace tributary::connectors::s7
