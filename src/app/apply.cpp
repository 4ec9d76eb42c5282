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

// One thing of the document: what is asked for it, and what becomes of it.
struct Item {
  std::string_view kind;
  std::string name;  // as people are told it
  Json body;
  std::string collection;         // where it is made: "/connections"
  const Json* current = nullptr;  // as the hub has it
  std::size_t connection = 0;     // a function's: its place among them
  std::span<const std::string_view> members;
  bool secrets = false;    // the body has some that the hub shall take
  bool checkable = true;   // false: it refers to something that is only planned
  std::string changed_by;  // what certainly differs when it cannot be checked

  bool done = false;
  std::string id;
  std::vector<std::string> changes;
};

using ByName = std::map<std::string, const Json*>;

ByName by_name(const std::vector<Json>& items) {
  ByName found;
  for (const Json& item : items) found.emplace(get_string(item, "name"), &item);
  return found;
}

const Json* find_named(const ByName& items, const std::string& name) {
  const auto found = items.find(name);
  return found == items.end() ? nullptr : found->second;
}

// Secrets that the hub has already are not sent again: that would start the connection anew each
// time.
void drop_known_secrets(Json& body, const Json& current) {
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

Error explained(const Item& item, Error error) {
  if (error.code == "refused")
    error.message = fmt::format("The {} \"{}\": {}", item.kind, item.name, error.message);
  return error;
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
    auto functions = client_.list("/functions");
    TRIBUTARY_TRY(functions);
    learn(*connections, *functions);
    const ByName known = by_name(*connections);
    for (std::size_t first = 0; first < document.connections.size(); first += kAtATime) {
      const std::size_t count = std::min(kAtATime, document.connections.size() - first);
      TRIBUTARY_TRY(
          apply_connections(std::span(document.connections).subspan(first, count), known));
    }
    auto pipelines = client_.list("/pipelines");
    TRIBUTARY_TRY(pipelines);
    for (const Json& pipeline : *pipelines)
      names_.pipelines.add(get_string(pipeline, "name"), get_string(pipeline, "id"));
    const ByName known_pipelines = by_name(*pipelines);
    for (const Json& wanted : document.pipelines) {
      TRIBUTARY_TRY(
          apply_pipeline(wanted, find_named(known_pipelines, get_string(wanted, "name"))));
    }
    TRIBUTARY_TRY(apply_windows(document.maintenance_windows));
    print_summary();
    return {};
  }

 private:
  // What the hub has; pipelines may refer to things that the document does not name.
  void learn(const std::vector<Json>& connections, const std::vector<Json>& functions) {
    std::map<std::string, std::string> names;
    for (const Json& connection : connections) {
      const std::string name = get_string(connection, "name");
      const std::string id = get_string(connection, "id");
      add_connection(name, id);
      names[id] = name;
    }
    for (const Json& function : functions) {
      const std::string connection_id = get_string(function, "connectionId");
      const std::string name = get_string(function, "name");
      names_.functions.add(names[connection_id] + "/" + name, get_string(function, "id"));
      functions_.emplace(connection_id + "/" + name, &function);
    }
  }

  Result<void> apply_connections(std::span<const Json> wanted, const ByName& known) {
    std::vector<Item> connections;
    for (const Json& each : wanted) {
      Item& item = connections.emplace_back();
      item.kind = "connection";
      item.name = get_string(each, "name");
      item.body = without(each, {"functions"});
      item.collection = "/connections";
      item.members = kConnectionMembers;
      item.current = find_named(known, item.name);
      if (item.current && !update_secrets_) drop_known_secrets(item.body, *item.current);
      const Json& secrets = get_member(item.body, "secrets");
      item.secrets = secrets.is_object() && !secrets.empty();
    }
    auto done = put(connections);
    for (const Item& item : connections) {
      if (item.done && !item.current) add_connection(item.name, item.id);
    }
    std::vector<Item> functions;
    if (done) {
      functions = functions_of(wanted, connections);
      done = put(functions);
      for (const Item& item : functions) {
        if (item.done && !item.current) names_.functions.add(item.name, item.id);
      }
    }
    print(connections, functions);
    return done;
  }

  std::vector<Item> functions_of(std::span<const Json> wanted,
                                 const std::vector<Item>& connections) const {
    std::vector<Item> functions;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Json& list = get_member(wanted[i], "functions");
      if (!list.is_array()) continue;
      for (const Json& each : list.array_range()) {
        Item& item = functions.emplace_back();
        const std::string own = get_string(each, "name");
        item.kind = "function";
        item.name = connections[i].name + "/" + own;
        item.connection = i;
        item.body = each;
        item.collection = "/connections/" + connections[i].id + "/functions";
        item.members = kFunctionMembers;
        item.current = find_named(functions_, connections[i].id + "/" + own);
        // A connection that is only planned has no id to ask with.
        item.checkable = !plan_ || connections[i].current;
      }
    }
    return functions;
  }

  // Connections, each with its functions behind it.
  void print(const std::vector<Item>& connections, const std::vector<Item>& functions) {
    auto next = functions.begin();
    for (std::size_t i = 0; i < connections.size(); ++i) {
      note(connections[i]);
      for (; next != functions.end() && next->connection == i; ++next) note(*next);
    }
  }

  Result<void> apply_pipeline(const Json& wanted, const Json* current) {
    Item item;
    item.kind = "pipeline";
    item.name = get_string(wanted, "name");
    item.collection = "/pipelines";
    item.members = kPipelineMembers;
    item.current = current;
    std::vector<orchestrate::Reference> references;
    item.body = orchestrate::with_ids(wanted, catalogue_, names_, &references);
    for (const auto& reference : references) {
      if (!reference.id.empty()) continue;
      return fail(
          ErrorClass::kFunction, "invalid_document",
          fmt::format("The pipeline \"{}\" refers to the {} \"{}\", which does not exist.",
                      item.name, to_string(reference.kind), reference.name),
          "Functions are named CONNECTION/FUNCTION; pipelines stand behind those they refer to.");
    }
    item.changed_by = "nodes";
    auto made = put_one(std::move(item));
    if (!made) return fail(std::move(made.error()));
    if (!current) names_.pipelines.add(made->name, made->id);
    return {};
  }

  Result<void> apply_windows(const std::vector<Json>& wanted) {
    if (wanted.empty()) return {};
    auto windows = client_.list("/maintenance-windows");
    TRIBUTARY_TRY(windows);
    const ByName known = by_name(*windows);
    for (const Json& window : wanted) TRIBUTARY_TRY(apply_window(window, known));
    return {};
  }

  Result<void> apply_window(const Json& wanted, const ByName& known) {
    Item item;
    item.kind = "maintenance window";
    item.name = get_string(wanted, "name");
    if (const auto unknown = connections_.unknown(wanted); !unknown.empty()) {
      return fail(ErrorClass::kFunction, "invalid_document",
                  fmt::format("The maintenance window \"{}\" refers to the connection \"{}\", "
                              "which does not exist.",
                              item.name, unknown.front()));
    }
    item.body = connections_.with_ids(wanted);
    item.collection = "/maintenance-windows";
    item.members = kWindowMembers;
    item.current = find_named(known, item.name);
    item.changed_by = "targets";
    auto made = put_one(std::move(item));
    if (!made) return fail(std::move(made.error()));
    return {};
  }

  Result<Item> put_one(Item item) {
    // The hub cannot check a reference to something that is not there yet.
    item.checkable = !plan_ || to_text(item.body).find(kPlanned) == std::string::npos;
    std::vector<Item> items;
    items.push_back(std::move(item));
    auto done = put(items);
    note(items.front());
    if (!done) return fail(std::move(done.error()));
    return std::move(items.front());
  }

  // Makes what is missing and changes what differs, many at a time. The error is that of the first
  // item that was refused; nothing was begun after it but what was at work already.
  Result<void> put(std::vector<Item>& items) {
    auto differing = compare(items);
    if (!differing) return fail(std::move(differing.error()));
    std::vector<ApiClient::Call> calls;
    for (const Item* item : *differing) {
      calls.push_back({"PUT",
                       path_of(*item),
                       to_text(item->body),
                       {fmt::format("If-Match: \"{}\"", get_int(*item->current, "version", 0))}});
    }
    return take(*differing, calls, [](Item& item, const Json& /*answer*/) { item.done = true; });
  }

  // Makes what is missing. Of what is there the hub says what it would make of the body, defaults
  // included: the items that differ from what it has are the answer, unless this only plans.
  Result<std::vector<Item*>> compare(std::vector<Item>& items) {
    const std::string dry = plan_ ? "?dryRun=true" : "";
    std::vector<Item*> asked;
    std::vector<ApiClient::Call> calls;
    for (Item& item : items) {
      if (!item.checkable) {
        item.id = kPlanned + item.name;
        if (item.current) item.changes.push_back(item.changed_by);
        item.done = true;
        continue;
      }
      asked.push_back(&item);
      if (item.current) {
        calls.push_back(
            {"PUT", path_of(item) + "?dryRun=true", to_text(item.body), {"If-Match: *"}});
      } else {
        calls.push_back({"POST", item.collection + dry, to_text(item.body), {}});
      }
    }
    std::vector<Item*> differing;
    TRIBUTARY_TRY(take(asked, calls, [&](Item& item, const Json& answer) {
      if (!item.current) {
        item.id = plan_ ? kPlanned + item.name : get_string(answer, "id");
        item.done = true;
        return;
      }
      item.id = get_string(*item.current, "id");
      item.changes = differences(*item.current, answer, item.members);
      if (item.secrets) item.changes.emplace_back("secrets");
      item.done = item.changes.empty() || plan_;
      if (!item.done) differing.push_back(&item);
    }));
    return differing;
  }

  // Sends the calls, one for each item, and gives what was answered to `use`.
  template <typename Use>
  Result<void> take(const std::vector<Item*>& items, const std::vector<ApiClient::Call>& calls,
                    Use use) {
    auto answers = client_.send_all(calls);
    std::optional<Error> failure;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (answers[i]) {
        use(*items[i], *answers[i]);
      } else if (!failure) {
        failure = explained(*items[i], std::move(answers[i].error()));
      }
    }
    if (failure) return fail(*std::move(failure));
    return {};
  }

  static std::string path_of(const Item& item) {
    const std::string_view collection =
        item.kind == "function" ? "/functions" : std::string_view(item.collection);
    return fmt::format("{}/{}", collection, get_string(*item.current, "id"));
  }

  void add_connection(const std::string& name, const std::string& id) {
    connections_.add(name, id);
    names_.connections.add(name, id);
  }

  // Nothing of what was not carried out.
  void note(const Item& item) {
    if (!item.done) return;
    if (item.current && item.changes.empty()) {
      ++unchanged_;
      fmt::print("unchanged {} {}\n", item.kind, item.name);
      return;
    }
    ++(item.current ? updated_ : created_);
    fmt::print("{} {} {}{}{}\n", item.current ? "update" : "create", item.kind, item.name,
               item.changes.empty() ? "" : ": ", fmt::join(item.changes, ", "));
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
  // Connections whose bodies are made at a time, and after which people are told how far it is.
  static constexpr std::size_t kAtATime = 500;

  ApiClient client_;
  bool plan_;
  bool update_secrets_;
  orchestrate::NodeCatalogue catalogue_;
  orchestrate::HubNames names_;
  ConnectionNames connections_;
  ByName functions_;  // of the hub, by the connection's id, "/" and their own name
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
    "nothing the second time. Connections and functions are made many at a time; when "
    "one is refused, nothing more is begun.\nNodes of pipelines name functions as "
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
