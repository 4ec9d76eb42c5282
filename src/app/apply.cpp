#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/api_client.hpp"
#include "app/command.hpp"
#include "app/document.hpp"
#include "app/exit_codes.hpp"
#include "orchestrate/model/portable.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    kDataDirOption,
    kUrlOption,
    kTokenOption,
    kCaOption,
    kInsecureOption,
    {"--set", "NAME=VALUE", "Value of ${NAME} in the document; may be repeated."},
    {"--update-secrets", "",
     "Send secrets also where the hub has one already; it cannot tell whether they differ."},
};

constexpr std::array<std::string_view, 7> kConnectionMembers{
    "name", "type", "description", "labels", "settings", "autostart", "reconnect"};
constexpr std::array<std::string_view, 7> kFunctionMembers{
    "name", "type", "description", "settings", "enabled", "idempotent", "freshness"};
constexpr std::array<std::string_view, 11> kPipelineMembers{
    "name",     "description", "labels",  "enabled", "history", "priority",
    "keepRuns", "keepRunsFor", "overlap", "nodes",   "edges"};
constexpr std::array<std::string_view, 8> kWindowMembers{
    "name", "description", "reason", "timeZone", "schedule", "targets", "then", "enabled"};

Json without(const Json& object, std::initializer_list<std::string_view> members) {
  Json copy = object;
  for (std::string_view member : members) copy.erase(std::string(member));
  return copy;
}

// Names of the members in which two views differ.
std::vector<std::string> differences(const Json& a, const Json& b,
                                     std::span<const std::string_view> members) {
  std::vector<std::string> names;
  for (std::string_view member : members) {
    if (get_member(a, member) != get_member(b, member)) names.emplace_back(member);
  }
  return names;
}

const Json* find_named(const std::vector<Json>& items, const std::string& name) {
  auto found = std::ranges::find_if(
      items, [&name](const Json& item) { return get_string(item, "name") == name; });
  return found == items.end() ? nullptr : &*found;
}

// Compares a document with a hub and, unless it only plans, makes the hub like it. What the
// document does not name stays.
class Applier {
 public:
  Applier(ApiClient client, bool plan, bool update_secrets)
      : client_(std::move(client)), plan_(plan), update_secrets_(update_secrets) {}

  Result<void> run(const Document& document) {
    auto connections = client_.list("/connections");
    TRIBUTARY_TRY(connections);
    for (const Json& connection : *connections) {
      connections_.add(get_string(connection, "name"), get_string(connection, "id"));
      names_.connections.add(get_string(connection, "name"), get_string(connection, "id"));
    }
    for (const Json& wanted : document.connections) {
      TRIBUTARY_TRY(apply_connection(wanted, find_named(*connections, get_string(wanted, "name"))));
    }
    // Pipelines may refer to functions of connections that the document does not name.
    for (const Json& connection : *connections) {
      if (!find_named(document.connections, get_string(connection, "name")))
        TRIBUTARY_TRY(learn_functions(connection));
    }
    auto pipelines = client_.list("/pipelines");
    TRIBUTARY_TRY(pipelines);
    for (const Json& pipeline : *pipelines)
      names_.pipelines.add(get_string(pipeline, "name"), get_string(pipeline, "id"));
    for (const Json& wanted : document.pipelines) {
      TRIBUTARY_TRY(apply_pipeline(wanted, find_named(*pipelines, get_string(wanted, "name"))));
    }
    TRIBUTARY_TRY(apply_windows(document.maintenance_windows));
    print_summary();
    return {};
  }

 private:
  Result<void> apply_connection(const Json& wanted, const Json* current) {
    const std::string name = get_string(wanted, "name");
    Json body = without(wanted, {"functions"});
    std::string id;
    if (!current) {
      auto made = create("/connections", body);
      if (!made) return explain("connection", name, made.error());
      note("create", "connection", name, {});
      id = get_string(*made, "id");
      connections_.add(name, plan_ ? kPlanned + name : id);
      names_.connections.add(name, plan_ ? kPlanned + name : id);
    } else {
      id = get_string(*current, "id");
      if (!update_secrets_) drop_known_secrets(body, *current);
      const bool secrets =
          get_member(body, "secrets").is_object() && !get_member(body, "secrets").empty();
      auto changed = update("/connections/" + id, body, *current, kConnectionMembers, secrets);
      if (!changed) return explain("connection", name, changed.error());
      note(changed->empty() ? "" : "update", "connection", name, *changed);
    }
    return apply_functions(wanted, name, id, current != nullptr);
  }

  Result<void> apply_functions(const Json& connection, const std::string& name,
                               const std::string& id, bool exists) {
    std::vector<Json> current;
    // A connection that is only planned has no id to ask with.
    if (exists || !plan_) {
      auto listed = client_.list("/connections/" + id + "/functions");
      TRIBUTARY_TRY(listed);
      current = std::move(*listed);
    }
    for (const Json& function : current)
      add_function(name, get_string(function, "name"), get_string(function, "id"));
    const Json& wanted_list = get_member(connection, "functions");
    if (!wanted_list.is_array()) return {};
    for (const Json& wanted : wanted_list.array_range()) {
      const std::string own = get_string(wanted, "name");
      const std::string full = name + "/" + own;
      if (const Json* before = find_named(current, own)) {
        auto changed = update("/functions/" + get_string(*before, "id"), wanted, *before,
                              kFunctionMembers, false);
        if (!changed) return explain("function", full, changed.error());
        note(changed->empty() ? "" : "update", "function", full, *changed);
      } else if (!exists && plan_) {
        note("create", "function", full, {});
        add_function(name, own, kPlanned + full);
      } else {
        auto made = create("/connections/" + id + "/functions", wanted);
        if (!made) return explain("function", full, made.error());
        note("create", "function", full, {});
        add_function(name, own, plan_ ? kPlanned + full : get_string(*made, "id"));
      }
    }
    return {};
  }

  Result<void> apply_pipeline(const Json& wanted, const Json* current) {
    const std::string name = get_string(wanted, "name");
    std::vector<orchestrate::Reference> references;
    const Json body = orchestrate::with_ids(wanted, catalogue_, names_, &references);
    for (const auto& reference : references) {
      if (!reference.id.empty()) continue;
      return fail(
          ErrorClass::kFunction, "invalid_document",
          fmt::format("The pipeline \"{}\" refers to the {} \"{}\", which does not exist.", name,
                      to_string(reference.kind), reference.name),
          "Functions are named CONNECTION/FUNCTION; pipelines stand behind those they refer to.");
    }
    // The hub cannot check a reference to a function that is not there yet.
    const bool checkable = !plan_ || to_text(body).find(kPlanned) == std::string::npos;
    if (!current) {
      if (checkable) {
        auto made = create("/pipelines", body);
        if (!made) return explain("pipeline", name, made.error());
        names_.pipelines.add(name, plan_ ? kPlanned + name : get_string(*made, "id"));
      } else {
        names_.pipelines.add(name, kPlanned + name);
      }
      note("create", "pipeline", name, {});
      return {};
    }
    std::vector<std::string> changes{"nodes"};
    if (checkable) {
      auto changed = update("/pipelines/" + get_string(*current, "id"), body, *current,
                            kPipelineMembers, false);
      if (!changed) return explain("pipeline", name, changed.error());
      changes = *changed;
    }
    note(changes.empty() ? "" : "update", "pipeline", name, changes);
    return {};
  }

  Result<void> apply_windows(const std::vector<Json>& wanted) {
    if (wanted.empty()) return {};
    auto windows = client_.list("/maintenance-windows");
    TRIBUTARY_TRY(windows);
    for (const Json& window : wanted) {
      TRIBUTARY_TRY(apply_window(window, find_named(*windows, get_string(window, "name"))));
    }
    return {};
  }

  Result<void> apply_window(const Json& wanted, const Json* current) {
    const std::string name = get_string(wanted, "name");
    if (const auto unknown = connections_.unknown(wanted); !unknown.empty()) {
      return fail(ErrorClass::kFunction, "invalid_document",
                  fmt::format("The maintenance window \"{}\" refers to the connection \"{}\", "
                              "which does not exist.",
                              name, unknown.front()));
    }
    const Json body = connections_.with_ids(wanted);
    // The hub cannot check a reference to a connection that is not there yet.
    const bool checkable = !plan_ || to_text(body).find(kPlanned) == std::string::npos;
    std::vector<std::string> changes{"targets"};
    if (!current) {
      if (checkable) {
        auto made = create("/maintenance-windows", body);
        if (!made) return explain("maintenance window", name, made.error());
      }
    } else if (checkable) {
      auto changed = update("/maintenance-windows/" + get_string(*current, "id"), body, *current,
                            kWindowMembers, false);
      if (!changed) return explain("maintenance window", name, changed.error());
      changes = *changed;
    }
    if (!current) changes.clear();
    note(current ? (changes.empty() ? "" : "update") : "create", "maintenance window", name,
         changes);
    return {};
  }

  Result<Json> create(const std::string& path, const Json& body) {
    return client_.send("POST", path + (plan_ ? "?dryRun=true" : ""), body);
  }

  // The members that change. The hub says what it would make of the body, defaults included; only
  // when that differs from what it has is the body sent for good.
  Result<std::vector<std::string>> update(const std::string& path, const Json& body,
                                          const Json& current,
                                          std::span<const std::string_view> members, bool secrets) {
    const std::vector<std::string> any_version{"If-Match: *"};
    auto would_be = client_.send("PUT", path + "?dryRun=true", body, any_version);
    TRIBUTARY_TRY(would_be);
    std::vector<std::string> changed = differences(current, *would_be, members);
    if (secrets) changed.emplace_back("secrets");
    if (changed.empty() || plan_) return changed;
    const std::vector<std::string> this_version{
        fmt::format("If-Match: \"{}\"", get_int(current, "version", 0))};
    TRIBUTARY_TRY(client_.send("PUT", path, body, this_version));
    return changed;
  }

  // Secrets that the hub has already are not sent again: that would start the connection anew each
  // time.
  static void drop_known_secrets(Json& body, const Json& current) {
    if (!body.contains("secrets") || !body.at("secrets").is_object()) return;
    Json left = json_object();
    for (const auto& member : body.at("secrets").object_range()) {
      const Json& known = get_member(get_member(current, "secrets"), member.key());
      if (!get_bool(known, "set", false)) left[member.key()] = member.value();
    }
    if (left.empty()) {
      body.erase("secrets");
    } else {
      body["secrets"] = std::move(left);
    }
  }

  Result<void> learn_functions(const Json& connection) {
    auto functions = client_.list("/connections/" + get_string(connection, "id") + "/functions");
    TRIBUTARY_TRY(functions);
    for (const Json& function : *functions) {
      add_function(get_string(connection, "name"), get_string(function, "name"),
                   get_string(function, "id"));
    }
    return {};
  }

  void add_function(const std::string& connection, const std::string& function,
                    const std::string& id) {
    names_.functions.add(connection + "/" + function, id);
  }

  static Result<void> explain(std::string_view kind, const std::string& name, Error error) {
    if (error.code == "refused")
      error.message = fmt::format("The {} \"{}\": {}", kind, name, error.message);
    return fail(std::move(error));
  }

  // `verb` empty: nothing changes.
  void note(std::string_view verb, std::string_view kind, const std::string& name,
            const std::vector<std::string>& members) {
    if (verb.empty()) {
      ++unchanged_;
      fmt::print("unchanged {} {}\n", kind, name);
      return;
    }
    ++(verb == "create" ? created_ : updated_);
    fmt::print("{} {} {}{}{}\n", verb, kind, name, members.empty() ? "" : ": ",
               fmt::join(members, ", "));
  }

  void print_summary() const {
    if (created_ + updated_ == 0) {
      fmt::print("No changes: {} as described.\n", unchanged_);
    } else if (plan_) {
      fmt::print("Plan: {} to create, {} to update, {} unchanged.\n", created_, updated_,
                 unchanged_);
    } else {
      fmt::print("Done: {} created, {} updated, {} unchanged.\n", created_, updated_, unchanged_);
    }
  }

  static constexpr const char* kPlanned = "planned:";

  ApiClient client_;
  bool plan_;
  bool update_secrets_;
  orchestrate::NodeCatalogue catalogue_;
  orchestrate::HubNames names_;
  ConnectionNames connections_;
  int created_ = 0;
  int updated_ = 0;
  int unchanged_ = 0;
};

Result<Document> load_document(const Arguments& arguments) {
  if (arguments.words().empty())
    return fail(usage_error("Name the document: a file, or - for standard input."));
  auto variables = set_variables(arguments);
  TRIBUTARY_TRY(variables);
  auto text = read_text(arguments.words().front());
  TRIBUTARY_TRY(text);
  return parse_document(*text, *variables);
}

int run(const Arguments& arguments, bool plan) {
  auto document = load_document(arguments);
  if (!document) return report(document.error());
  auto client = ApiClient::from_arguments(arguments);
  if (!client) return report(client.error());
  Applier applier(std::move(*client), plan, arguments.has("--update-secrets"));
  auto done = applier.run(*document);
  std::fflush(stdout);
  return done ? static_cast<int>(kOk) : report(done.error());
}

int apply(const Arguments& arguments) {
  return run(arguments, false);
}
int plan(const Arguments& arguments) {
  return run(arguments, true);
}

}  // namespace

const Command kApplyCommand{
    "apply",
    "FILE (--data-dir DIR | --url URL) [--set NAME=VALUE]",
    "Make a hub's connections, functions, pipelines and maintenance windows as a "
    "document says.",
    "FILE is YAML or JSON with connections (each with its functions), pipelines "
    "and maintenanceWindows; - is standard input. Things are found by\n"
    "name: what is missing is made, what differs is changed, what the "
    "document does not name stays. Applying twice changes\n"
    "nothing the second time. Nodes of pipelines name functions as "
    "CONNECTION/FUNCTION. Secrets may be references:\n"
    "env:NAME or file:/path, resolved by the hub.",
    kOptions,
    1,
    apply};

const Command kPlanCommand{
    "plan",
    "FILE (--data-dir DIR | --url URL) [--set NAME=VALUE]",
    "Say what apply would do, without doing it.",
    "Prints one line for each connection, function and pipeline of the document: create, update "
    "(with what differs) or\n"
    "unchanged. The hub checks everything that can be checked before it exists.",
    kOptions,
    1,
    plan};

}  // namespace tributary::app
