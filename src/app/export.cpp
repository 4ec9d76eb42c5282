#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "app/api_client.hpp"
#include "app/command.hpp"
#include "app/document.hpp"
#include "app/exit_codes.hpp"
#include "orchestrate/model/portable.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    kDataDirOption, kUrlOption, kTokenOption, kCaOption, kInsecureOption,
};

// What a hub adds by itself.
void drop_state(Json& object) {
  for (const char* member : {"id", "version", "createdAt", "updatedAt", "state", "intent",
                             "connectionId", "kind", "parameters", "subscription", "breaker",
                             "secrets", "maintenance", "nextMaintenance", "draft"}) {
    object.erase(member);
  }
  for (const char* member : {"description", "labels"}) {
    const Json& value = get_member(object, member);
    if ((value.is_string() && value.as<std::string>().empty()) ||
        (value.is_object() && value.empty())) {
      object.erase(member);
    }
  }
}

struct Export {
  Document document;
  std::vector<std::string> comments;
};

Result<Export> collect(ApiClient& client) {
  Export result;
  result.comments.emplace_back(
      "Made by `tributary export`; `tributary apply` reads it. Secrets are never exported.");
  const orchestrate::NodeCatalogue catalogue;
  orchestrate::HubNames names;
  ConnectionNames connection_names;
  auto connections = client.list("/connections");
  TRIBUTARY_TRY(connections);
  auto functions = client.list("/functions");
  TRIBUTARY_TRY(functions);
  std::map<std::string, std::vector<Json>> by_connection;
  for (Json& function : *functions)
    by_connection[get_string(function, "connectionId")].push_back(std::move(function));
  for (Json& connection : *connections) {
    const std::string name = get_string(connection, "name");
    const Json secrets = get_member(connection, "secrets");
    if (secrets.is_object()) {
      for (const auto& secret : secrets.object_range()) {
        if (!get_bool(secret.value(), "set", false)) continue;
        result.comments.push_back(
            fmt::format("Set again by hand: the secret \"{}\" of \"{}\".", secret.key(), name));
      }
    }
    Json list = json_array();
    for (Json& function : by_connection[get_string(connection, "id")]) {
      names.functions.add(name + "/" + get_string(function, "name"), get_string(function, "id"));
      drop_state(function);
      list.push_back(std::move(function));
    }
    connection_names.add(name, get_string(connection, "id"));
    names.connections.add(name, get_string(connection, "id"));
    drop_state(connection);
    connection["functions"] = std::move(list);
    result.document.connections.push_back(std::move(connection));
  }
  auto pipelines = client.list("/pipelines");
  TRIBUTARY_TRY(pipelines);
  for (const Json& pipeline : *pipelines)
    names.pipelines.add(get_string(pipeline, "name"), get_string(pipeline, "id"));
  for (Json& pipeline : *pipelines) {
    drop_state(pipeline);
    result.document.pipelines.push_back(orchestrate::with_names(pipeline, catalogue, names));
  }
  auto windows = client.list("/maintenance-windows");
  TRIBUTARY_TRY(windows);
  for (Json& window : *windows) {
    drop_state(window);
    result.document.maintenance_windows.push_back(connection_names.with_names(window));
  }
  return result;
}

int export_all(const Arguments& arguments) {
  auto client = ApiClient::from_arguments(arguments);
  if (!client) return report(client.error());
  auto exported = collect(*client);
  if (!exported) return report(exported.error());
  const std::string text = format_document(exported->document, exported->comments);
  if (arguments.words().empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return kOk;
  }
  std::ofstream file(arguments.words().front(), std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    return report(Error(ErrorClass::kFunction, "export_failed",
                        fmt::format("{} cannot be written.", arguments.words().front())));
  }
  return kOk;
}

}  // namespace

const Command kExportCommand{
    "export",
    "[FILE] (--data-dir DIR | --url URL)",
    "Write a hub's connections, functions, pipelines and maintenance windows "
    "as a document.",
    "Writes YAML that apply reads, to FILE or to standard output. Secrets "
    "are never part of it: comments at the top say which\n"
    "ones must be set again.",
    kOptions,
    1,
    export_all};

}  // namespace tributary::app
