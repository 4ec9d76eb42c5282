// Lists of points as CSV: out of a function's settings and back into them.
#include <map>

#include "api/handlers/common.hpp"
#include "field/point_list.hpp"
#include "sdk/symbols.hpp"

namespace tributary::api::handlers {
namespace {

// A file with more problems says so with the first ones.
constexpr std::size_t kMostProblems = 100;

const sdk::Entry* entry_of(const Services& services, const connect::FunctionView& function) {
  const std::string& type = function.row.type;
  return services.manager.registry().find(type.substr(0, type.find('.')));
}

std::expected<field::PointSchema, Problem> schema_of(const Services& services,
                                                     const connect::FunctionView& function) {
  const sdk::Entry* entry = entry_of(services, function);
  const sdk::FunctionType* known = entry ? entry->function(function.row.type) : nullptr;
  auto schema = field::find_points(known ? known->schema.document() : json_object());
  if (!schema) {
    return refuse(Problem(409, schema.error().code, schema.error().message, schema.error().hint));
  }
  return *std::move(schema);
}

bool wants_csv(const Request& request) {
  return request.query_value("format").value_or("") == "csv" ||
         request.header("accept").starts_with("text/csv");
}

// `source` is the member of the body that holds the file.
schema::FieldError to_field_error(std::string_view source, const field::CsvProblem& problem) {
  std::string place;
  if (problem.line > 0) place = fmt::format("Line {}", problem.line);
  if (problem.column > 0) place += fmt::format(", column {}", problem.column);
  if (!problem.heading.empty()) place += fmt::format(" ({})", problem.heading);
  return {fmt::format("/{}", source), "invalid_points",
          place.empty() ? problem.message : fmt::format("{}: {}", place, problem.message)};
}

// Like every refusal with fields, it says the first one itself.
Problem invalid_list(std::vector<schema::FieldError> errors) {
  Problem problem(422, "invalid_points", errors.front().message,
                  "Nothing was changed. Correct the file and send all of it again.");
  problem.errors = std::move(errors);
  return problem;
}

// What the settings have against the points, in the file's terms; other problems as they are.
Problem located(const std::variant<Error, connect::Invalid>& error, std::string_view source,
                const field::PointSchema& schema, const field::PointImport& import) {
  std::vector<schema::FieldError> errors;
  const auto add = [&](const std::string& pointer, const std::string& message) {
    const auto found = import.locate(schema.member, pointer, message);
    if (found.line > 0 && errors.size() < kMostProblems)
      errors.push_back(to_field_error(source, found));
  };
  if (const auto* invalid = std::get_if<connect::Invalid>(&error)) {
    for (const schema::FieldError& field : invalid->errors) add(field.pointer, field.message);
  } else {
    add(std::get<Error>(error).pointer, std::get<Error>(error).message);
  }
  return errors.empty() ? Problem(error) : invalid_list(std::move(errors));
}

Json patch_of(const field::PointSchema& schema, const Json& points) {
  Json settings = json_object();
  settings[schema.member] = points;
  Json patch = json_object();
  patch["settings"] = std::move(settings);
  return patch;
}

// Only the points with these names, in the order of the file. Error: 422 at a name that is none of
// its symbols.
std::expected<field::PointImport, Problem> choose(const field::PointImport& import,
                                                  const Json& names) {
  if (!names.is_array() || names.empty())
    return refuse(invalid_field("/names", "wrong_type", "It must be a list of names."));
  std::map<std::string, std::size_t> wanted;  // with its place in the body
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].is_string())
      return refuse(invalid_field(fmt::format("/names/{}", i), "wrong_type", "It must be a name."));
    wanted.emplace(names[i].as<std::string>(), i);
  }
  field::PointImport chosen;
  chosen.problems = import.problems;
  for (std::size_t i = 0; i < import.points.size(); ++i) {
    if (wanted.erase(get_string(import.points[i], "name")) == 0) continue;
    chosen.points.push_back(import.points[i]);
    chosen.lines.push_back(import.lines[i]);
  }
  if (wanted.empty()) return chosen;
  const auto& [name, place] = *wanted.begin();
  return refuse(invalid_field(fmt::format("/names/{}", place), "unknown_symbol",
                              fmt::format("The file has no symbol \"{}\".", name)));
}

Json skipped_lines(const field::PointImport& import) {
  Json lines = json_array();
  for (const auto& problem : import.problems) {
    Json line = json_object();
    line["line"] = problem.line;
    line["message"] = problem.message;
    lines.push_back(std::move(line));
  }
  return lines;
}

// A list that a request replaces.
struct Replacement {
  Json body;
  std::string_view source;  // the member of the body that holds the file
  connect::FunctionView function;
  std::int64_t version = 0;  // the one that the client has seen
  field::PointSchema schema;
};

// `members`: what the body may hold; the first one is the file.
std::expected<Replacement, Problem> replacement_of(const Services& services, const Request& request,
                                                   std::initializer_list<std::string_view> members,
                                                   const char* file) {
  const std::string_view source = *members.begin();
  auto body = body_object(request);
  TRIBUTARY_TRY(body);
  TRIBUTARY_TRY(refuse_unknown(*body, members));
  if (!get_member(*body, source).is_string()) {
    return refuse(invalid_field(fmt::format("/{}", source), "wrong_type",
                                fmt::format("It must be the text of a {}.", file)));
  }
  auto function = services.manager.function(request.parameter("id"));
  if (!function) return refuse(no_such("function"));
  auto version = expected_version(request, function->row.version);
  TRIBUTARY_TRY(version);
  auto schema = schema_of(services, *function);
  TRIBUTARY_TRY(schema);
  return Replacement{*std::move(body), source, *std::move(function), *version, *std::move(schema)};
}

// Stores what the file holds, or only checks it.
Task<std::expected<connect::FunctionView, Problem>> replace(Services& services, Request& request,
                                                            const Replacement& list,
                                                            const field::PointImport& import) {
  request.audit_detail["points"] = import.points.size();
  const connect::Actor actor = request.actor();
  std::string id = list.function.row.id;
  Json patch = patch_of(list.schema, import.points);
  auto updated = co_await services.manager.update_function(std::move(id), std::move(patch),
                                                           list.version, actor, request.dry_run);
  if (!updated) co_return refuse(located(updated.error(), list.source, list.schema, import));
  co_return *std::move(updated);
}

}  // namespace

Task<Answer> get_function_points(Services& services, Request& request) {
  auto function = services.manager.function(request.parameter("id"));
  if (!function) co_return refuse(no_such("function"));
  auto schema = schema_of(services, *function);
  TRIBUTARY_CO_TRY(schema);
  const Json& points = get_member(function->row.settings, schema->member);
  std::string csv = field::to_csv(points, *schema);
  if (wants_csv(request)) {
    Response file;
    file.set("Content-Type", "text/csv; charset=utf-8; header=present");
    file.set("Content-Disposition", fmt::format("attachment; filename=\"points-{}.csv\"",
                                                percent_encode(function->row.id)));
    file.body = std::move(csv);
    co_return file;
  }
  Json answer = json_object();
  answer["csv"] = std::move(csv);
  answer["count"] = points.is_array() ? points.size() : 0;
  co_return edited(std::move(answer), function->row.version);
}

Task<Answer> replace_function_points(Services& services, Request& request) {
  auto list = replacement_of(services, request, {"csv"}, "CSV file");
  TRIBUTARY_CO_TRY(list);
  const field::PointImport import = field::from_csv(get_string(list->body, "csv"), list->schema);
  if (!import.problems.empty()) {
    std::vector<schema::FieldError> errors;
    for (const auto& problem : import.problems) errors.push_back(to_field_error("csv", problem));
    co_return refuse(invalid_list(std::move(errors)));
  }
  auto updated = co_await replace(services, request, *list, import);
  TRIBUTARY_CO_TRY(updated);
  co_return edited(function_view(*updated, services.manager.registry()), updated->row.version);
}

Task<Answer> replace_points_by_symbols(Services& services, Request& request) {
  auto list = replacement_of(services, request, {"symbols", "names"}, "file");
  TRIBUTARY_CO_TRY(list);
  const auto* reader =
      dynamic_cast<const sdk::SymbolReader*>(entry_of(services, list->function)->connector.get());
  if (reader == nullptr) {
    co_return refuse(Problem(409, "no_symbols", "No tool exports symbols for this kind of system.",
                             "Replace the list of points by a CSV file."));
  }
  field::PointImport import = reader->read_symbols(get_string(list->body, "symbols"));
  if (import.points.empty()) {
    co_return refuse(invalid_field("/symbols", "no_symbols",
                                   "Nothing in this file is a symbol with an address."));
  }
  if (list->body.contains("names")) {
    auto chosen = choose(import, get_member(list->body, "names"));
    TRIBUTARY_CO_TRY(chosen);
    import = *std::move(chosen);
  }
  auto updated = co_await replace(services, request, *list, import);
  TRIBUTARY_CO_TRY(updated);
  Json answer = json_object();
  answer["points"] = std::move(import.points);
  answer["skipped"] = skipped_lines(import);
  answer["function"] = function_view(*updated, services.manager.registry());
  co_return edited(std::move(answer), updated->row.version);
}

}  // namespace tributary::api::handlers
