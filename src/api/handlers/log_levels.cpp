// What is logged, while the hub runs.
#include <set>

#include "api/handlers/common.hpp"
#include "api/handlers/settings.hpp"
#include "runtime/log_control.hpp"

namespace tributary::api::handlers {
namespace {

struct NamedLevel {
  std::string_view name;
  log::Level level;
};
constexpr NamedLevel kLevels[] = {{"debug", log::Level::kDebug},
                                  {"info", log::Level::kInfo},
                                  {"warning", log::Level::kWarning},
                                  {"error", log::Level::kError}};

std::string name_of(log::Level level) {
  return std::string(std::ranges::find(kLevels, level, &NamedLevel::level)->name);
}

std::expected<log::Level, Problem> read_level(const Json& value, std::string pointer) {
  const std::string text = value.is_string() ? value.as<std::string>() : "";
  const auto found = std::ranges::find(kLevels, text, &NamedLevel::name);
  if (found != std::end(kLevels)) return found->level;
  return refuse(invalid_field(std::move(pointer), "not_allowed",
                              "It must be debug, info, warning or error."));
}

// Parts of the hub that write lines, and the connectors.
std::set<std::string> known_components(const Services& services) {
  std::set<std::string> names{"api",         "auth",    "connect", "hub",  "notices",
                              "orchestrate", "runtime", "spool",   "store"};
  for (const auto& entry : services.manager.registry().entries())
    names.insert(entry->manifest.type);
  return names;
}

Json levels_view(const log::Levels& levels, const std::set<std::string>& known) {
  Json components = json_object();
  for (const auto& [component, level] : levels.components) components[component] = name_of(level);
  Json names = json_array();
  for (const std::string& name : known) names.push_back(name);
  Json json = json_object();
  json["version"] = levels.version;
  json["level"] = name_of(levels.level);
  json["components"] = std::move(components);
  json["known"] = std::move(names);
  return json;
}

std::expected<log::Levels, Problem> read_levels(const Json& body,
                                                const std::set<std::string>& known) {
  TRIBUTARY_TRY(refuse_unknown(body, {"level", "components"}));
  log::Levels levels;
  auto level = read_level(get_member(body, "level"), "/level");
  TRIBUTARY_TRY(level);
  levels.level = *level;
  const Json& components = get_member(body, "components");
  if (components.is_null()) return levels;
  if (!components.is_object())
    return refuse(invalid_field("/components", "wrong_type", "It must be an object."));
  for (const auto& member : components.object_range()) {
    const std::string pointer = "/components/" + escape_pointer(member.key());
    if (!known.contains(std::string(member.key())))
      return refuse(invalid_field(pointer, "not_allowed", "There is no part with this name."));
    auto own = read_level(member.value(), pointer);
    TRIBUTARY_TRY(own);
    levels.components.emplace(member.key(), *own);
  }
  return levels;
}

}  // namespace

Task<Answer> get_log_levels(Services& services, Request&) {
  const log::Levels levels = log::levels();
  co_return edited(levels_view(levels, known_components(services)), levels.version);
}

Task<Answer> replace_log_levels(Services& services, Request& request) {
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  const auto known = known_components(services);
  auto levels = read_levels(*body, known);
  TRIBUTARY_CO_TRY(levels);
  request.audit_detail["body"] = *body;
  TRIBUTARY_CO_TRY(expected_version(request, log::levels().version));
  if (!request.dry_run) log::set_levels(*levels);
  levels->version = log::levels().version;
  co_return edited(levels_view(*levels, known), levels->version);
}

}  // namespace tributary::api::handlers
