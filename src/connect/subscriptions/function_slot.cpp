#include "connect/subscriptions/function_slot.hpp"

#include <charconv>
#include <ranges>

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

constexpr std::string_view kBelowSettings = "/settings/";

// What stands at a pointer below the settings as they are stored. Where a parameter brings a whole
// object or list, its placeholder; null where the settings have nothing.
const Json* stored_at(const Json& settings, std::string_view pointer) {
  const Json* at = &settings;
  for (const auto part : std::views::split(pointer.substr(kBelowSettings.size()), '/')) {
    const std::string_view token(part);
    if (at->is_string()) return at;
    if (at->is_array()) {
      std::size_t index = 0;
      const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
      if (read.ec != std::errc{} || index >= at->size()) return nullptr;
      at = &at->at(index);
      continue;
    }
    if (!at->is_object()) return nullptr;
    const auto members = at->object_range();
    const auto found = std::ranges::find_if(
        members, [&](const auto& member) { return escape_pointer(member.key()) == token; });
    if (found == members.end()) return nullptr;
    at = &found->value();
  }
  return at;
}

}  // namespace

Error blame_parameter(const FunctionConfig& function, Error error) {
  if (!function.needs_filling || !error.pointer.starts_with(kBelowSettings)) return error;
  const Json* setting = stored_at(function.settings, error.pointer);
  if (!setting) return error;
  const auto names = schema::placeholder_names(*setting);
  if (!names.empty()) error.pointer = "/parameters/" + escape_pointer(names.front());
  return error;
}

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
