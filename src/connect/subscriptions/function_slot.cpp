#include "connect/subscriptions/function_slot.hpp"

#include "schema/placeholders.hpp"

namespace tributary::connect {

namespace {

constexpr std::int64_t kDefaultIntervalMs = 1000;

bool has_unbound_placeholders(const Json& settings, const std::vector<std::string>& bound) {
  Json rest = settings;
  for (const auto& name : bound) rest.erase(name);
  return !schema::placeholder_names(rest).empty();
}

Result<void> check_parameters(const FunctionConfig& function, const Json& parameters) {
  for (const auto& name : function.parameters) {
    if (parameters.is_object() && parameters.contains(name)) continue;
    return fail(ErrorClass::kFunction, "missing_parameter",
                fmt::format("The function {} needs the parameter {}.", function.name, name), {},
                "/parameters/" + escape_pointer(name));
  }
  return {};
}

}  // namespace

Duration interval_of(const FunctionConfig& function) {
  return std::chrono::milliseconds{
      std::max<std::int64_t>(1, get_int(function.settings, "intervalMs", kDefaultIntervalMs))};
}

std::string_view to_string(SubscriptionState state) {
  switch (state) {
    case SubscriptionState::kWaiting:
      return "waiting";
    case SubscriptionState::kActive:
      return "active";
    case SubscriptionState::kSilent:
      return "silent";
    case SubscriptionState::kFailed:
      return "failed";
  }
  return "waiting";
}

void FunctionStats::set_error(std::optional<Error> error) {
  if (!error && !has_error_.load()) return;  // the usual case, once per scan: no lock
  const std::lock_guard lock(mutex_);
  has_error_ = error.has_value();
  error_ = std::move(error);
}

std::optional<Error> FunctionStats::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void FunctionStats::set_breaker(BreakerView breaker) {
  const std::lock_guard lock(mutex_);
  breaker_ = std::move(breaker);
}

BreakerView FunctionStats::breaker() const {
  const std::lock_guard lock(mutex_);
  return breaker_;
}

FreshnessRule freshness_of(const FunctionConfig& function) {
  return {function.expect, function.type->polled ? interval_of(function) : Duration{}};
}

std::shared_ptr<const FunctionConfig> make_function_config(const store::FunctionRow& row,
                                                           const sdk::FunctionType& type) {
  auto config = std::make_shared<FunctionConfig>();
  config->id = row.id;
  config->name = row.name;
  config->type = &type;
  config->settings = type.schema.with_defaults(row.settings);
  config->parameters = schema::placeholder_names(config->settings);
  config->needs_filling = has_unbound_placeholders(config->settings, type.bound);
  config->enabled = row.enabled;
  config->idempotent = row.idempotent.value_or(type.idempotent);
  config->expect = std::chrono::milliseconds{row.expect_ms};
  return config;
}

Result<std::shared_ptr<const sdk::Operation>> prepare_function(const ConnectionConfig& connection,
                                                               const FunctionConfig& function,
                                                               const Json& parameters) {
  TRIBUTARY_TRY(check_parameters(function, parameters));
  sdk::FunctionSpec spec{function.type->type, function.settings};
  if (function.needs_filling) {
    auto filled = schema::fill_placeholders(function.settings, parameters, function.type->bound);
    if (!filled) return fail(std::move(filled.error()));
    spec.settings = *std::move(filled);
    schema::ValidateOptions options;
    options.base_pointer = "/settings";
    options.allow_placeholders = !function.type->bound.empty();
    const auto errors = function.type->schema.validate(spec.settings, options);
    if (!errors.empty()) {
      return fail(ErrorClass::kFunction, "invalid_parameters",
                  fmt::format("With these parameters the settings are not valid: {}: {}",
                              errors.front().pointer, errors.front().message),
                  {}, errors.front().pointer);
    }
  }
  return connection.type->connector->prepare(bare_profile(connection), spec);
}

Result<std::shared_ptr<const sdk::Operation>> FunctionSlot::operation_for(
    const ConnectionConfig& connection, const Json& parameters) {
  if (config->needs_filling) return prepare_function(connection, *config, parameters);
  TRIBUTARY_TRY(check_parameters(*config, parameters));
  if (!operation) {
    auto prepared = prepare_function(connection, *config, parameters);
    if (!prepared) return prepared;
    operation = *std::move(prepared);
    values.reset(operation->points());
  }
  return operation;
}

}  // namespace tributary::connect
