// tributary pipeline: for people and for continuous integration.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "app/api_client.hpp"
#include "app/command.hpp"
#include "app/connectors.hpp"
#include "app/document.hpp"
#include "app/exit_codes.hpp"
#include "app/expectation.hpp"
#include "app/offline_pipeline.hpp"
#include "orchestrate/model/portable.hpp"

namespace tributary::app {
namespace {

constexpr Option kOptions[] = {
    {"--pipeline", "NAME", "Which pipeline of the file; needed when it has several."},
    {"--input", "FILE", "Records that come from the trigger: one, or a list (test)."},
    {"--expect", "FILE", "What must come out: a list of records, or parts of the report (test)."},
    {"--exact", "", "Members that the expectation does not name are differences, too (test)."},
    {"--pins", "FILE", "{node id: records}: nodes that are not run, and what they give (test)."},
    {"--until", "NODE", "Run up to and including this node (test)."},
    {"--trigger", "NODE", "The trigger that the records come from; the first by default (test)."},
    {"--now", "TIME", "What the clock shows, 2026-11-22T10:00:00Z; the time of day by default."},
    {"--json", "", "Print the whole report as JSON (test)."},
    {"--set", "NAME=VALUE", "Value of ${NAME} in the file; may be repeated."},
    kDataDirOption,
    kUrlOption,
    kTokenOption,
    kCaOption,
    kInsecureOption,
};

bool uses_hub(const Arguments& arguments) {
  return arguments.has("--data-dir") || arguments.has("--url");
}

struct Subject {
  Document document;
  Json pipeline;
};

Result<Subject> load(const Arguments& arguments) {
  auto variables = set_variables(arguments);
  TRIBUTARY_TRY(variables);
  auto text = read_text(arguments.words()[1]);
  TRIBUTARY_TRY(text);
  auto document = parse_pipelines(*text, *variables);
  TRIBUTARY_TRY(document);
  const std::string wanted = arguments.get("--pipeline");
  std::string names;
  const Json* found = nullptr;
  for (const Json& pipeline : document->pipelines) {
    const std::string name = get_string(pipeline, "name");
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", name);
    if (wanted.empty() ? document->pipelines.size() == 1 : name == wanted) found = &pipeline;
  }
  if (found == nullptr) {
    return fail(ErrorClass::kFunction, "invalid_document",
                names.empty() ? std::string("There is no pipeline in the file.")
                              : fmt::format("Say which with --pipeline: there is {}.", names));
  }
  Json pipeline = *found;
  return Subject{std::move(*document), std::move(pipeline)};
}

Result<Json> read_data(const Arguments& arguments, std::string_view option) {
  const std::string path = arguments.get(option);
  if (path.empty()) return Json::null();
  auto text = read_text(path);
  TRIBUTARY_TRY(text);
  // JSON is taken as it is: in YAML a "${" would ask for a variable.
  if (auto json = parse_json(*text)) return json;
  return parse_yaml(*text, {});
}

Result<Json> test_options(const Arguments& arguments) {
  Json options = json_object();
  for (const auto& [option, member] :
       {std::pair{"--input", "input"}, std::pair{"--pins", "pins"}}) {
    auto data = read_data(arguments, option);
    TRIBUTARY_TRY(data);
    if (!data->is_null()) options[member] = std::move(*data);
  }
  for (const auto& [option, member] :
       {std::pair{"--until", "until"}, std::pair{"--trigger", "trigger"},
        std::pair{"--now", "now"}}) {
    if (arguments.has(option)) options[member] = arguments.get(option);
  }
  return options;
}

// The pipeline with the ids of a hub.
Result<Json> with_hub_ids(ApiClient& client, const Json& pipeline) {
  const orchestrate::NodeCatalogue catalogue;
  orchestrate::HubNames names;
  auto connections = client.list("/connections");
  TRIBUTARY_TRY(connections);
  std::map<std::string, std::string> by_id;
  for (const Json& connection : *connections) {
    by_id[get_string(connection, "id")] = get_string(connection, "name");
    names.connections.add(get_string(connection, "name"), get_string(connection, "id"));
  }
  auto functions = client.list("/functions");
  TRIBUTARY_TRY(functions);
  for (const Json& function : *functions) {
    names.functions.add(
        by_id[get_string(function, "connectionId")] + "/" + get_string(function, "name"),
        get_string(function, "id"));
  }
  auto pipelines = client.list("/pipelines");
  TRIBUTARY_TRY(pipelines);
  for (const Json& other : *pipelines)
    names.pipelines.add(get_string(other, "name"), get_string(other, "id"));
  return orchestrate::with_ids(pipeline, catalogue, names);
}

void print_errors(const std::vector<schema::FieldError>& errors, std::string_view prefix) {
  for (const auto& error : errors)
    fmt::print("{}{}: {} ({})\n", prefix, error.pointer.empty() ? "/" : error.pointer,
               error.message, error.code);
}

std::vector<schema::FieldError> read_errors(const Json& list) {
  std::vector<schema::FieldError> errors;
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
    errors.push_back({get_string(list[i], "pointer"), get_string(list[i], "code"),
                      get_string(list[i], "message")});
  }
  return errors;
}

void print_node(const Json& node) {
  std::size_t out = 0;
  for (const auto& port : node.at("out").object_range()) out += port.value().size();
  const Json& errors = node.at("errors");
  const Json& sent = node.at("wouldHaveSent");
  fmt::print("  {:<16} {:<24} {:>4} in {:>4} out", get_string(node, "nodeId"),
             get_string(node, "type"), node.at("in").size(), out);
  if (!errors.empty()) fmt::print("  {} failed", errors.size());
  if (get_bool(node, "pinned", false)) fmt::print("  pinned");
  fmt::print("\n");
  for (const Json& error : errors.array_range())
    fmt::print("      failed: {}\n", get_string(error, "message"));
  for (const Json& call : sent.array_range()) {
    fmt::print("      would have sent to {}/{}: {}\n", get_string(call, "connection"),
               get_string(call, "function"), to_text(get_member(call, "parameters")));
  }
}

void print_report(const Json& report) {
  for (const Json& node : report.at("nodes").array_range()) print_node(node);
  for (const Json& end : report.at("output").array_range())
    fmt::print("  out of {}: {}\n", get_string(end, "nodeId"), to_text(get_member(end, "record")));
  if (get_bool(report, "timedOut", false))
    fmt::print("The test took too long and was cut short.\n");
}

Result<Json> run_test(const Arguments& arguments, const Subject& subject,
                      std::vector<schema::FieldError>& problems) {
  auto options = test_options(arguments);
  TRIBUTARY_TRY(options);
  if (uses_hub(arguments)) {
    auto client = ApiClient::from_arguments(arguments);
    TRIBUTARY_TRY(client);
    auto body = with_hub_ids(*client, subject.pipeline);
    TRIBUTARY_TRY(body);
    (*options)["document"] = std::move(*body);
    return client->send("POST", "/pipelines/test", *options);
  }
  sdk::Registry registry;
  TRIBUTARY_TRY(add_connectors(registry));
  auto report = OfflinePipelines(subject.document, registry).test(subject.pipeline, *options);
  if (report) return std::move(*report);
  problems = std::move(report.error());
  return Json::null();
}

int test(const Arguments& arguments) {
  auto subject = load(arguments);
  if (!subject) return report(subject.error());
  std::vector<schema::FieldError> problems;
  auto answer = run_test(arguments, *subject, problems);
  if (!answer) return report(answer.error());
  if (!problems.empty()) {
    print_errors(problems, "");
    return kInvalidDocument;
  }
  auto expected = read_data(arguments, "--expect");
  if (!expected) return report(expected.error());
  std::vector<Difference> differences;
  if (!expected->is_null()) {
    auto compared = compare_report(*answer, *expected, arguments.has("--exact"));
    if (!compared) return report(compared.error());
    differences = std::move(*compared);
  }
  const bool json = arguments.has("--json");
  if (json) {
    fmt::print("{}\n", to_text(*answer));
  } else {
    print_report(*answer);
  }
  std::FILE* out = json ? stderr : stdout;
  for (const Difference& difference : differences) {
    fmt::print(out, "differs: {}\n  - {}\n  + {}\n", difference.place, difference.expected,
               difference.got);
  }
  // With an expectation, that alone decides: a failure may be what is expected.
  const bool passed =
      expected->is_null() ? get_bool(*answer, "success", false) : differences.empty();
  fmt::print(out, "{}\n", passed ? "ok" : "FAILED");
  std::fflush(stdout);
  return passed ? kOk : kFailed;
}

int validate(const Arguments& arguments) {
  auto subject = load(arguments);
  if (!subject) return report(subject.error());
  OfflineFindings findings;
  if (uses_hub(arguments)) {
    auto client = ApiClient::from_arguments(arguments);
    if (!client) return report(client.error());
    auto body = with_hub_ids(*client, subject->pipeline);
    if (!body) return report(body.error());
    auto answer = client->send("POST", "/pipelines/validate", *body);
    if (!answer) return report(answer.error());
    findings = {read_errors(get_member(*answer, "problems")),
                read_errors(get_member(*answer, "warnings"))};
  } else {
    sdk::Registry registry;
    if (auto added = add_connectors(registry); !added) return report(added.error());
    findings = OfflinePipelines(subject->document, registry).validate(subject->pipeline);
  }
  print_errors(findings.problems, "");
  print_errors(findings.warnings, "warning: ");
  if (findings.problems.empty()) fmt::print("valid\n");
  std::fflush(stdout);
  return findings.problems.empty() ? kOk : kInvalidDocument;
}

int pipeline(const Arguments& arguments) {
  if (arguments.words().size() < 2)
    return report(usage_error("Say what to do with which file: test FILE or validate FILE."));
  const std::string& action = arguments.words().front();
  if (action == "test") return test(arguments);
  if (action == "validate") return validate(arguments);
  return report(usage_error(fmt::format("\"{}\" is not possible; test and validate are.", action)));
}

}  // namespace

const Command kPipelineCommand{
    "pipeline",
    "test|validate FILE [--input FILE] [--expect FILE] [--until NODE]",
    "Check a pipeline, and try it out without sending anything.",
    "FILE is a document as apply reads it, one pipeline, or an exported one; YAML or JSON; - is "
    "standard input.\n"
    "test      runs the records of --input through it. Nothing is sent: destinations say what they "
    "would have sent.\n"
    "          Exit code 0 when nothing failed or, with --expect, when everything is as expected; "
    "else 1.\n"
    "validate  says what is wrong with it, with a JSON pointer each; exit code 65 when something "
    "is.\n"
    "Neither needs a hub: functions are known from the file's connections, or guessed from their "
    "use (a last node\n"
    "writes, others read). With --data-dir or --url the hub's functions are looked up and its "
    "reads are called.",
    kOptions,
    2,
    pipeline};

}  // namespace tributary::app
