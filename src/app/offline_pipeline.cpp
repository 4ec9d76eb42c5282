#include "app/offline_pipeline.hpp"

#include <fmt/format.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "orchestrate/model/portable.hpp"
#include "orchestrate/model/warnings.hpp"
#include "runtime/runtime.hpp"
#include "script/script.hpp"

namespace tributary::app {
namespace {

using orchestrate::FunctionInfo;
using orchestrate::ThingKind;

std::unexpected<Error> offline() {
  return fail(ErrorClass::kFunction, "offline", "Without a hub no function can be called.");
}

bool has_edge_behind(const Json& pipeline, const std::string& node_id) {
  const Json& edges = get_member(pipeline, "edges");
  for (std::size_t i = 0; edges.is_array() && i < edges.size(); ++i) {
    if (get_string(edges[i], "from") == node_id) return true;
  }
  return false;
}

bool has_delivery(const Json& pipeline, const std::string& node_id) {
  const Json& nodes = get_member(pipeline, "nodes");
  for (std::size_t i = 0; nodes.is_array() && i < nodes.size(); ++i) {
    if (get_string(nodes[i], "id") == node_id) return nodes[i].contains("delivery");
  }
  return false;
}

// Of a function that the file does not describe: by the place where it is used.
sdk::FunctionKind guess_kind(const Json& pipeline, const orchestrate::Reference& reference) {
  if (reference.node_type == "trigger.function") return sdk::FunctionKind::kSubscribe;
  const bool writes =
      reference.node_type == "function" &&
      (has_delivery(pipeline, reference.node_id) || !has_edge_behind(pipeline, reference.node_id));
  return writes ? sdk::FunctionKind::kWrite : sdk::FunctionKind::kRead;
}

}  // namespace

// Functions by name: an id is "connection/function", or what the file says.
class OfflinePipelines::Port final : public orchestrate::FunctionPort {
 public:
  explicit Port(const sdk::Registry& registry) : registry_(registry) {}

  void add(FunctionInfo function) { functions_.emplace(function.id, function); }
  bool knows(const std::string& id) const { return functions_.contains(id); }

  std::optional<FunctionInfo> find(const std::string& id) const override {
    const auto found = functions_.find(id);
    return found == functions_.end() ? std::nullopt : std::optional(found->second);
  }
  bool is_connected(const std::string&) const override { return true; }
  bool has_connection(const std::string&) const override { return true; }
  bool has_type(const std::string& type) const override { return registry_.find(type) != nullptr; }
  connect::Registration watch_states(
      std::function<void(const orchestrate::ConnectionNews&)>) override {
    return nullptr;
  }
  Task<Result<Batch>> execute(std::string, Json, Duration) override { co_return offline(); }
  Result<connect::Registration> consume(const std::string&, connect::BatchConsumer) override {
    return offline();
  }
  connect::Registration watch_catalogue(std::function<void()>) override { return nullptr; }

 private:
  const sdk::Registry& registry_;
  std::map<std::string, FunctionInfo> functions_;
};

struct OfflinePipelines::Impl {
  explicit Impl(const sdk::Registry& registry) : port(registry) {}

  void add_connection(const Json& connection, const sdk::Registry& registry);
  // The body with ids; functions that nobody described are known after it.
  Json resolve(const Json& pipeline);

  SystemClock clock;
  std::unique_ptr<Timers> timers = make_system_timers();
  orchestrate::NodeCatalogue catalogue;
  orchestrate::HubNames names;
  Port port;
};

void OfflinePipelines::Impl::add_connection(const Json& connection, const sdk::Registry& registry) {
  const std::string name = get_string(connection, "name");
  names.connections.add(name, name);
  const sdk::Entry* entry = registry.find(get_string(connection, "type"));
  const Json& functions = get_member(connection, "functions");
  for (std::size_t i = 0; entry != nullptr && functions.is_array() && i < functions.size(); ++i) {
    const sdk::FunctionType* type = entry->function(get_string(functions[i], "type"));
    if (type == nullptr) continue;
    FunctionInfo function;
    function.name = get_string(functions[i], "name");
    function.id = name + "/" + function.name;
    function.type = type->type;
    function.connection_id = name;
    function.connection_name = name;
    function.kind = type->kind;
    function.family = entry->manifest.family;
    function.idempotent = get_bool(functions[i], "idempotent", type->idempotent);
    function.batch = type->batch;
    names.functions.add(function.id, function.id);
    port.add(std::move(function));
  }
}

Json OfflinePipelines::Impl::resolve(const Json& pipeline) {
  const auto guess = [&](const orchestrate::Reference& reference, const std::string& id) {
    if (reference.kind != ThingKind::kFunction || port.knows(id)) return;
    const auto slash = id.find('/');
    FunctionInfo function;
    function.id = id;
    function.connection_name = slash == std::string::npos ? "?" : id.substr(0, slash);
    function.name = slash == std::string::npos ? id : id.substr(slash + 1);
    function.type = "unknown";
    function.connection_id = function.connection_name;
    function.kind = guess_kind(pipeline, reference);
    function.family = sdk::Family::kBroker;
    port.add(std::move(function));
  };
  // Names that nobody knows become their own ids.
  std::vector<orchestrate::Reference> references;
  (void)orchestrate::with_ids(pipeline, catalogue, names, &references);
  for (const auto& reference : references) {
    if (!reference.id.empty()) continue;
    names.of(reference.kind).add(reference.name, reference.name);
    guess(reference, reference.name);
  }
  Json body = orchestrate::with_ids(pipeline, catalogue, names);
  for (const auto& reference : orchestrate::references_of(body, catalogue))
    guess(reference, reference.id);
  return body;
}

OfflinePipelines::OfflinePipelines(const Document& document, const sdk::Registry& registry)
    : impl_(std::make_unique<Impl>(registry)) {
  for (const Json& connection : document.connections) impl_->add_connection(connection, registry);
  for (const Json& pipeline : document.pipelines) {
    const std::string name = get_string(pipeline, "name");
    impl_->names.pipelines.add(name, name);
  }
}

OfflinePipelines::~OfflinePipelines() = default;

OfflineFindings OfflinePipelines::validate(const Json& pipeline) const {
  const Json body = impl_->resolve(pipeline);
  return {orchestrate::check_pipeline(body, impl_->catalogue, impl_->port).problems,
          orchestrate::warnings_of(body, impl_->catalogue, impl_->port)};
}

std::expected<Json, std::vector<schema::FieldError>> OfflinePipelines::test(
    const Json& pipeline, const Json& options) const {
  std::vector<schema::FieldError> errors;
  orchestrate::TrialOptions wanted = orchestrate::read_trial_options(options, errors);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  wanted.call_destinations = false;
  wanted.call_reads = false;
  Json identity = json_object();
  identity["id"] = Json::null();
  identity["name"] = get_string(pipeline, "name");
  identity["version"] = 0;
  const Json body = impl_->resolve(pipeline);
  Runtime runtime(1, impl_->clock, *impl_->timers);
  script::Scripts scripts(runtime, "/proc/self/exe", 1);
  orchestrate::TrialContext context{impl_->catalogue, impl_->port, impl_->clock, *impl_->timers,
                                    &scripts,         nullptr};
  auto trial = orchestrate::prepare_trial(body, identity, std::move(wanted), std::move(context));
  if (!trial) return std::unexpected(std::move(trial.error().errors));
  auto report = asio::co_spawn(runtime.control(),
                               orchestrate::run_trial(std::move(*trial), runtime.worker(0)),
                               asio::use_future);
  Json answer = report.get();
  runtime.stop();
  return answer;
}

}  // namespace tributary::app
