#include "sdk/registry.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "schema/suggest.hpp"

namespace tributary::sdk {
namespace {

constexpr std::array kKinds = {
    std::pair<std::string_view, FunctionKind>{"read", FunctionKind::kRead},
    std::pair<std::string_view, FunctionKind>{"write", FunctionKind::kWrite},
    std::pair<std::string_view, FunctionKind>{"subscribe", FunctionKind::kSubscribe},
    std::pair<std::string_view, FunctionKind>{"browse", FunctionKind::kBrowse},
    std::pair<std::string_view, FunctionKind>{"command", FunctionKind::kCommand},
};
constexpr std::array kFamilies = {
    std::pair<std::string_view, Family>{"fieldDevice", Family::kFieldDevice},
    std::pair<std::string_view, Family>{"broker", Family::kBroker},
    std::pair<std::string_view, Family>{"cloud", Family::kCloud},
};
constexpr std::array<std::string_view, 6> kCapabilities = {"read",   "write",   "subscribe",
                                                           "browse", "command", "writeLane"};
const std::vector<std::string> kManifestKeys = {
    "type",          "title",   "category", "family",  "summary",
    "capabilities",  "aliases", "library",  "licence", "maxConcurrentCalls",
    "uniqueSettings"};
constexpr std::int64_t kMostConcurrentCalls = 1024;

std::unexpected<Error> invalid(std::string_view file, std::string_view text) {
  return fail(ErrorClass::kInternal, "invalid_connector", fmt::format("{}: {}", file, text),
              "The files of a connector are described in docs/settings-schemas.md.");
}

template <typename Table>
auto find_in(const Table& table, std::string_view name)
    -> std::optional<decltype(table[0].second)> {
  const auto found = std::ranges::find(table, name, [](const auto& each) { return each.first; });
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

template <typename Table>
std::string names_of(const Table& table) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : table) names.push_back(name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<Json> parse_file(std::string_view file, std::string_view text) {
  auto json = parse_json(text);
  if (!json) return invalid(file, json.error().message);
  if (!json->is_object()) return invalid(file, "must be a JSON object");
  return json;
}

Result<std::string> read_text(const Json& json, std::string_view name, std::string_view file) {
  auto text = get_string(json, name);
  if (text.empty()) return invalid(file, fmt::format("/{}: must be text that is not empty", name));
  return text;
}

Result<std::vector<std::string>> read_texts(const Json& json, std::string_view name,
                                            std::string_view file) {
  std::vector<std::string> texts;
  const Json& list = get_member(json, name);
  if (list.is_null()) return texts;
  const auto problem = [&] {
    return invalid(file, fmt::format("/{}: must be a list of texts", name));
  };
  if (!list.is_array()) return problem();
  for (const auto& item : list.array_range()) {
    if (!item.is_string()) return problem();
    texts.push_back(item.as_string());
  }
  return texts;
}

Result<void> check_keys(const Json& json, std::string_view file) {
  for (const auto& member : json.object_range()) {
    if (std::ranges::find(kManifestKeys, member.key()) != kManifestKeys.end()) continue;
    const auto near = schema::nearest_name(member.key(), kManifestKeys);
    return invalid(
        file, fmt::format("/{}: unknown{}", member.key(),
                          near ? fmt::format("; did you mean \"{}\"?", *near) : std::string()));
  }
  return {};
}

Result<Manifest> read_manifest(std::string_view text) {
  constexpr std::string_view kFile = "connector.json";
  auto json = parse_file(kFile, text);
  if (!json) return std::unexpected(std::move(json.error()));
  TRIBUTARY_TRY(check_keys(*json, kFile));
  Manifest manifest;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"type", &manifest.type},         {"title", &manifest.title},
      {"category", &manifest.category}, {"summary", &manifest.summary},
      {"library", &manifest.library},   {"licence", &manifest.licence}};
  for (const auto& [name, member] : texts) {
    auto value = read_text(*json, name, kFile);
    if (!value) return std::unexpected(std::move(value.error()));
    *member = std::move(*value);
  }
  const auto family = find_in(kFamilies, get_string(*json, "family"));
  if (!family) return invalid(kFile, "/family: must be one of " + names_of(kFamilies));
  manifest.family = *family;
  auto capabilities = read_texts(*json, "capabilities", kFile);
  if (!capabilities) return std::unexpected(std::move(capabilities.error()));
  for (const auto& capability : *capabilities) {
    if (std::ranges::find(kCapabilities, capability) == kCapabilities.end()) {
      return invalid(kFile, fmt::format("/capabilities: \"{}\" is not one of {}", capability,
                                        fmt::join(kCapabilities, ", ")));
    }
  }
  manifest.capabilities = std::move(*capabilities);
  auto aliases = read_texts(*json, "aliases", kFile);
  if (!aliases) return std::unexpected(std::move(aliases.error()));
  manifest.aliases = std::move(*aliases);
  auto unique = read_texts(*json, "uniqueSettings", kFile);
  if (!unique) return std::unexpected(std::move(unique.error()));
  manifest.unique_settings = std::move(*unique);
  const auto calls =
      json->contains("maxConcurrentCalls") ? get_int(*json, "maxConcurrentCalls", 0) : 1;
  if (calls < 1 || calls > kMostConcurrentCalls) {
    return invalid(kFile, fmt::format("/maxConcurrentCalls: must be a number from 1 to {}",
                                      kMostConcurrentCalls));
  }
  manifest.max_concurrent_calls = static_cast<std::size_t>(calls);
  return manifest;
}

// What the framework reads from the settings of a polled function has to be there, with these
// types.
Result<void> check_polled(const Json& document, std::string_view file) {
  const Json& properties = get_member(document, "properties");
  const auto type_of = [&](std::string_view name) {
    return get_string(get_member(properties, name), "type");
  };
  if (type_of("intervalMs") != "integer") {
    return invalid(file,
                   "/x-polled: a polled function has the property intervalMs of type integer");
  }
  if (get_member(get_member(properties, "intervalMs"), "minimum").is_null() ||
      get_int(get_member(properties, "intervalMs"), "minimum", 0) < 1) {
    return invalid(file, "/properties/intervalMs: needs a minimum of 1 or more");
  }
  const Json& values = get_member(get_member(properties, "reportOn"), "enum");
  if (values != Json::parse(R"(["change", "always"])")) {
    return invalid(file,
                   "/x-polled: a polled function has the property reportOn with the enum "
                   "[\"change\", \"always\"]");
  }
  if (type_of("deadband") != "number") {
    return invalid(file, "/x-polled: a polled function has the property deadband of type number");
  }
  for (const std::string_view name : {"intervalMs", "reportOn", "deadband"}) {
    if (get_member(get_member(properties, name), "default").is_null()) {
      return invalid(file, fmt::format("/properties/{}: needs a default", name));
    }
  }
  const Json& deadband_type = get_member(properties, "deadbandType");
  if (!deadband_type.is_null() &&
      get_member(deadband_type, "enum") != Json::parse(R"(["absolute", "percent"])")) {
    return invalid(file,
                   "/properties/deadbandType: of a polled function it has the enum "
                   "[\"absolute\", \"percent\"]");
  }
  return {};
}

Result<FunctionType> read_function(const Manifest& manifest, std::size_t number,
                                   std::string_view text) {
  auto file = fmt::format("function schema {}", number + 1);
  auto document = parse_file(file, text);
  if (!document) return std::unexpected(std::move(document.error()));
  FunctionType function;
  function.type = get_string(*document, "x-function");
  const auto prefix = manifest.type + ".";
  if (!function.type.starts_with(prefix) || function.type.size() == prefix.size()) {
    return invalid(
        file, fmt::format("/x-function: must be \"{}name\", not \"{}\"", prefix, function.type));
  }
  file = "functions/" + function.type.substr(prefix.size()) + ".schema.json";
  auto title = read_text(*document, "title", file);
  if (!title) return std::unexpected(std::move(title.error()));
  function.title = std::move(*title);
  function.summary = get_string(*document, "description");
  const auto kind = find_in(kKinds, get_string(*document, "x-kind"));
  if (!kind) return invalid(file, "/x-kind: must be one of " + names_of(kKinds));
  function.kind = *kind;
  function.polled = get_bool(*document, "x-polled", false);
  if (function.polled) {
    if (function.kind != FunctionKind::kSubscribe)
      return invalid(file, "/x-polled: only subscribe functions are polled");
    TRIBUTARY_TRY(check_polled(*document, file));
  }
  function.idempotent = get_bool(*document, "x-idempotent", false);
  function.batch = get_bool(*document, "x-batch", false);
  auto compiled = schema::Schema::compile(*document);
  if (!compiled) return invalid(file, compiled.error().message);
  if (!compiled->secrets().empty()) {
    return invalid(file, fmt::format("/properties/{}: secrets belong into connection.schema.json",
                                     compiled->secrets()[0]));
  }
  function.schema = std::move(*compiled);
  const Json& properties = get_member(*document, "properties");
  if (properties.is_object()) {
    for (const auto& member : properties.object_range()) {
      if (get_bool(member.value(), "x-bind", false)) function.bound.push_back(member.key());
    }
  }
  return function;
}

Result<void> check_unique_settings(const Entry& entry) {
  const Json& properties = get_member(entry.connection.document(), "properties");
  for (const auto& name : entry.manifest.unique_settings) {
    if (!get_member(properties, name).is_null()) continue;
    return invalid("connector.json",
                   fmt::format("/uniqueSettings: there is no setting \"{}\"", name));
  }
  return {};
}

// A capability says that there is a function for it and the reverse, so that the gallery does not
// lie.
Result<void> check_capabilities(const Entry& entry) {
  const auto& announced = entry.manifest.capabilities;
  for (const auto& function : entry.functions) {
    const auto kind = to_string(function.kind);
    if (std::ranges::find(announced, kind) == announced.end()) {
      return invalid("connector.json",
                     fmt::format("/capabilities: \"{}\" is missing, but {} has that kind", kind,
                                 function.type));
    }
  }
  for (const auto& capability : announced) {
    // By the Browser interface, and a property of the session: without a function.
    if (capability == "browse" || capability == "writeLane") continue;
    const bool there = std::ranges::any_of(
        entry.functions, [&](const auto& each) { return to_string(each.kind) == capability; });
    if (!there)
      return invalid("connector.json",
                     fmt::format("/capabilities: no function has the kind \"{}\"", capability));
  }
  return {};
}

}  // namespace

std::string_view to_string(FunctionKind kind) {
  const auto found = std::ranges::find(kKinds, kind, [](const auto& each) { return each.second; });
  return found->first;
}

const FunctionType* Entry::function(std::string_view type) const {
  const auto found = std::ranges::find(
      functions, type, [](const auto& each) { return std::string_view(each.type); });
  return found == functions.end() ? nullptr : &*found;
}

Result<void> Registry::add(const Resources& resources, std::unique_ptr<Connector> connector) {
  auto entry = std::make_unique<Entry>();
  auto manifest = read_manifest(resources.manifest);
  if (!manifest) return std::unexpected(std::move(manifest.error()));
  entry->manifest = std::move(*manifest);
  const auto& type = entry->manifest.type;
  const auto in_folder = [&type](Error error) {
    error.message = fmt::format("connectors/{}/{}", type, error.message);
    return std::unexpected(std::move(error));
  };
  if (find(type) != nullptr)
    return in_folder(invalid("connector.json", "there is another connector of this type").error());
  auto document = parse_file("connection.schema.json", resources.connection_schema);
  if (!document) return in_folder(std::move(document.error()));
  auto connection = schema::Schema::compile(*document);
  if (!connection)
    return in_folder(invalid("connection.schema.json", connection.error().message).error());
  entry->connection = std::move(*connection);
  for (std::size_t i = 0; i < resources.function_schemas.size(); ++i) {
    auto function = read_function(entry->manifest, i, resources.function_schemas[i]);
    if (!function) return in_folder(std::move(function.error()));
    if (entry->function(function->type) != nullptr) {
      return in_folder(
          invalid("functions", fmt::format("two files describe {}", function->type)).error());
    }
    entry->functions.push_back(std::move(*function));
  }
  if (entry->functions.empty())
    return in_folder(invalid("functions", "there is no function").error());
  for (const auto& checked : {check_capabilities(*entry), check_unique_settings(*entry)}) {
    if (!checked) return in_folder(checked.error());
  }
  if (resources.guide.empty()) return in_folder(invalid("guide.md", "is empty").error());
  if (connector == nullptr)
    return in_folder(invalid("src", "make_connector() returned nothing").error());
  entry->guide = resources.guide;
  entry->connector = std::move(connector);
  entries_.push_back(std::move(entry));
  return {};
}

const Entry* Registry::find(std::string_view type) const {
  const auto found = std::ranges::find(
      entries_, type, [](const auto& each) { return std::string_view(each->manifest.type); });
  return found == entries_.end() ? nullptr : found->get();
}

}  // namespace tributary::sdk
