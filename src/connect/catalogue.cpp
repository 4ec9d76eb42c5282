#include "connect/catalogue.hpp"

namespace tributary::connect {

ConnectionView to_view(const ConnectionEntry& entry) {
  ConnectionView view{entry.row, {}, entry.state};
  if (!entry.type) return view;
  for (const auto& name : entry.type->connection.secrets()) {
    SecretView secret;
    const auto stored = std::ranges::find(entry.secrets, name, &store::SecretRow::field);
    if (stored != entry.secrets.end()) secret = {true, stored->changed_at};
    view.secrets.emplace_back(name, secret);
  }
  return view;
}

FunctionView to_view(const FunctionEntry& entry) {
  FunctionView view;
  view.row = entry.row;
  if (!entry.config) return view;
  view.parameters = entry.config->parameters;
  view.idempotent = entry.config->idempotent;
  if (entry.config->is_subscription()) view.subscription = to_string(entry.stats->state.load());
  view.samples = entry.stats->samples.load();
  view.overruns = entry.stats->overruns.load();
  view.error = entry.stats->error();
  view.restored = entry.stats->restored.load();
  if (const auto at = entry.stats->last_value_us.load(); at > 0)
    view.last_value_at = from_micros(at);
  if (const auto expected = entry.stats->expected_ms.load(); expected > 0)
    view.expected_every = std::chrono::milliseconds{expected};
  view.breaker = entry.stats->breaker();
  return view;
}

}  // namespace tributary::connect
