// tributary points: lists of points to and from spreadsheets.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "app/api_client.hpp"
#include "app/command.hpp"
#include "app/document.hpp"
#include "app/exit_codes.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    {"--dry-run", "", "Only say what is wrong with the file, or how many points it has (import)."},
    kDataDirOption,
    kUrlOption,
    kTokenOption,
    kCaOption,
    kInsecureOption,
};

// "CONNECTION/FUNCTION", by name; the function's name may hold slashes.
Result<std::string> find_function(ApiClient& client, const std::string& full) {
  auto connections = client.list("/connections");
  TRIBUTARY_TRY(connections);
  for (const Json& connection : *connections) {
    const std::string prefix = get_string(connection, "name") + "/";
    if (!full.starts_with(prefix)) continue;
    auto functions = client.list("/connections/" + get_string(connection, "id") + "/functions");
    TRIBUTARY_TRY(functions);
    for (const Json& function : *functions) {
      if (prefix + get_string(function, "name") == full) return get_string(function, "id");
    }
  }
  return fail(ErrorClass::kFunction, "not_found", fmt::format("There is no function \"{}\".", full),
              "Give the name of the connection, a slash, and the name of the function.");
}

int export_points(ApiClient& client, const std::string& id, const Arguments& arguments) {
  auto list = client.get("/functions/" + id + "/points");
  if (!list) return report(list.error());
  const std::string text = get_string(*list, "csv");
  if (arguments.words().size() < 3 || arguments.words()[2] == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    return kOk;
  }
  std::ofstream file(arguments.words()[2], std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return kOk;
  return report(Error(ErrorClass::kFunction, "export_failed",
                      fmt::format("{} cannot be written.", arguments.words()[2])));
}

int import_points(ApiClient& client, const std::string& id, const Arguments& arguments) {
  if (arguments.words().size() < 3) return report(usage_error("Say which file to import."));
  auto text = read_text(arguments.words()[2]);
  if (!text) return report(text.error());
  const bool dry_run = arguments.has("--dry-run");
  Json body = json_object();
  body["csv"] = *std::move(text);
  const std::string path = "/functions/" + id + "/points" + (dry_run ? "?dryRun=true" : "");
  auto answer = client.send("PUT", path, body, {"If-Match: *"});
  if (!answer) return report(answer.error());
  fmt::print("{} rows {}\n", get_member(get_member(*answer, "settings"), "points").size(),
             dry_run ? "would be imported" : "imported");
  std::fflush(stdout);
  return kOk;
}

int points(const Arguments& arguments) {
  if (arguments.words().size() < 2)
    return report(
        usage_error("Say what to do with which function: export CONNECTION/FUNCTION or "
                    "import CONNECTION/FUNCTION FILE."));
  auto client = ApiClient::from_arguments(arguments);
  if (!client) return report(client.error());
  const std::string& action = arguments.words().front();
  if (action != "export" && action != "import") {
    return report(
        usage_error(fmt::format("\"{}\" is not possible; export and import are.", action)));
  }
  auto id = find_function(*client, arguments.words()[1]);
  if (!id) return report(id.error());
  return action == "export" ? export_points(*client, *id, arguments)
                            : import_points(*client, *id, arguments);
}

}  // namespace

const Command kPointsCommand{
    "points",
    "export|import CONNECTION/FUNCTION [FILE] (--data-dir DIR | --url URL)",
    "Lists of points to and from spreadsheets (CSV).",
    "export    writes the function's points, one row each, to FILE or to standard output.\n"
    "import    replaces them by the rows of FILE (- is standard input). Everything is checked "
    "first: what is wrong\n"
    "          is named with its line and column, and nothing is changed. --dry-run only checks.",
    kOptions,
    3,
    points};

}  // namespace tributary::app
