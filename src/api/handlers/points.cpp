// Lists of points as CSV: out of a function's settings and back into them.
#include "api/handlers/common.hpp"
#include "field/point_list.hpp"

namespace tributary::api::handlers {
namespace {

// A file with more problems says so with the first ones.
constexpr std::size_t kMostProblems = 100;

std::expected<field::PointSchema, Problem> schema_of(const Services& services,
                                                     const connect::FunctionView& function) {
  const std::string& type = function.row.type;
  const sdk::Entry* entry = services.manager.registry().find(type.substr(0, type.find('.')));
  const sdk::FunctionType* known = entry ? entry->function(type) : nullptr;
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

schema::FieldError to_field_error(const field::CsvProblem& problem) {
  std::string place;
  if (problem.line > 0) place = fmt::format("Line {}", problem.line);
  if (problem.column > 0) place += fmt::format(", column {}", problem.column);
  if (!problem.heading.empty()) place += fmt::format(" ({})", problem.heading);
  return {"/csv", "invalid_points",
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
Problem located(const std::variant<Error, connect::Invalid>& error,
                const field::PointSchema& schema, const field::PointImport& import) {
  std::vector<schema::FieldError> errors;
  const auto add = [&](const std::string& pointer, const std::string& message) {
    const auto found = import.locate(schema.member, pointer, message);
    if (found.line > 0 && errors.size() < kMostProblems) errors.push_back(to_field_error(found));
  };
  if (const auto* invalid = std::get_if<connect::Invalid>(&error)) {
    for (const schema::FieldError& field : invalid->errors) add(field.pointer, field.message);
  } else {
    add(std::get<Error>(error).pointer, std::get<Error>(error).message);
  }
  return errors.empty() ? Problem(error) : invalid_list(std::move(errors));
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
  auto body = body_object(request);
  TRIBUTARY_CO_TRY(body);
  TRIBUTARY_CO_TRY(refuse_unknown(*body, {"csv"}));
  if (!get_member(*body, "csv").is_string())
    co_return refuse(invalid_field("/csv", "wrong_type", "It must be the text of a CSV file."));
  const std::string id = request.parameter("id");
  auto function = services.manager.function(id);
  if (!function) co_return refuse(no_such("function"));
  auto version = expected_version(request, function->row.version);
  TRIBUTARY_CO_TRY(version);
  auto schema = schema_of(services, *function);
  TRIBUTARY_CO_TRY(schema);
  field::PointImport import = field::from_csv(get_string(*body, "csv"), *schema);
  if (!import.problems.empty()) {
    std::vector<schema::FieldError> errors;
    for (const auto& problem : import.problems) errors.push_back(to_field_error(problem));
    co_return refuse(invalid_list(std::move(errors)));
  }
  Json settings = json_object();
  settings[schema->member] = import.points;
  Json patch = json_object();
  patch["settings"] = std::move(settings);
  request.audit_detail["points"] = import.points.size();
  const connect::Actor actor = request.actor();
  auto updated = co_await services.manager.update_function(id, std::move(patch), *version, actor,
                                                           request.dry_run);
  if (!updated) co_return refuse(located(updated.error(), *schema, import));
  co_return edited(function_view(*updated, services.manager.registry()), updated->row.version);
}

}  // namespace tributary::api::handlers
