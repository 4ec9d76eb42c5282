#include "connectors/rest/src/operation.hpp"

#include <fmt/format.h>

#include "connectors/rest/src/answer.hpp"
#include "connectors/rest/src/outgoing.hpp"
#include "connectors/rest/src/url.hpp"

namespace tributary::connectors::rest {
namespace {

using Prepared = Result<std::shared_ptr<const sdk::Operation>>;

std::shared_ptr<const PointNames> names_of(const std::vector<Point>& points) {
  PointNames names;
  for (const Point& point : points) names.push_back(point.name);
  return std::make_shared<const PointNames>(std::move(names));
}

std::unexpected<Error> invalid(std::string code, std::string message, std::string hint,
                               std::string pointer) {
  return fail(ErrorClass::kFunction, std::move(code), std::move(message), std::move(hint),
              std::move(pointer));
}

Result<void> check_common(const std::string& path, const Json& query, const Json& headers) {
  TRIBUTARY_TRY(check_path_template(path));
  TRIBUTARY_TRY(encode_query(query));
  TRIBUTARY_TRY(read_headers(headers, ErrorClass::kFunction, "/settings/headers"));
  return {};
}

Result<void> check_content_type(const std::optional<std::string>& type) {
  if (!type) return {};
  Json header = json_object();
  header.insert_or_assign("Content-Type", *type);
  auto read = read_headers(header, ErrorClass::kFunction, "/settings");
  if (!read) {
    read.error().pointer = "/settings/contentType";
    return fail(std::move(read.error()));
  }
  return {};
}

Result<void> check_body(const RequestSettings& settings) {
  using Format = RequestSettings::BodyFormat;
  using Method = RequestSettings::Method;
  const bool carries = settings.method == Method::kPOST || settings.method == Method::kPUT ||
                       settings.method == Method::kPATCH;
  if (!carries && settings.body && !settings.body->is_null()) {
    return invalid("body_not_taken",
                   fmt::format("A {} request has no body.", to_string(settings.method)),
                   "Remove the body, or choose POST, PUT or PATCH.", "/settings/body");
  }
  const std::string type = settings.content_type.value_or("");
  const bool structured =
      type.contains("json") || type.contains("xml") || type.contains("x-www-form-urlencoded");
  // A value pasted into such a text could become more than a value.
  if (settings.body_format == Format::kText && structured) {
    return invalid("text_in_structure",
                   fmt::format("A text body is not sent as {}: values pasted into it could change "
                               "its structure.",
                               type),
                   "Write the body as a document with the body format json or form, or use a "
                   "template node of a pipeline.",
                   "/settings/bodyFormat");
  }
  return check_content_type(settings.content_type);
}

Prepared prepare_request(const Json& json) {
  RequestSettings settings = RequestSettings::from_json(json);
  TRIBUTARY_TRY(check_common(settings.path, settings.query, settings.headers));
  TRIBUTARY_TRY(check_body(settings));
  using Mode = RequestSettings::Paging::Mode;
  const auto& paging = settings.paging;
  if (paging.mode != Mode::kNone && settings.method != RequestSettings::Method::kGET) {
    return invalid("paging_needs_get", "Only GET requests are paged.",
                   "Set the paging's mode to none.", "/settings/paging/mode");
  }
  if (!is_pointer(paging.items) || !is_pointer(paging.next)) {
    return invalid("invalid_pointer", "A JSON pointer is empty or begins with '/'.",
                   "Write /data/items.",
                   is_pointer(paging.items) ? "/settings/paging/next" : "/settings/paging/items");
  }
  return std::make_shared<const RequestOperation>(std::move(settings));
}

Prepared prepare_send(const Json& json) {
  SendSettings settings = SendSettings::from_json(json);
  TRIBUTARY_TRY(check_common(settings.path, settings.query, settings.headers));
  TRIBUTARY_TRY(check_content_type(settings.content_type));
  return std::make_shared<const SendOperation>(std::move(settings));
}

template <typename Settings>
Prepared prepare_read(const Json& json) {
  Settings settings = Settings::from_json(json);
  TRIBUTARY_TRY(check_common(settings.path, settings.query, settings.headers));
  for (std::size_t i = 0; i < settings.points.size(); ++i) {
    const auto& pointer = settings.points[i].pointer;
    if (!pointer || is_pointer(*pointer)) continue;
    return invalid("invalid_pointer", "A JSON pointer is empty or begins with '/'.",
                   "Write /sensors/0/celsius.", fmt::format("/settings/points/{}/pointer", i));
  }
  return std::make_shared<const ReadOperation>(std::move(settings.path), std::move(settings.query),
                                               std::move(settings.headers),
                                               std::move(settings.points));
}

}  // namespace

ReadOperation::ReadOperation(std::string path_, Json query_, Json headers_,
                             std::vector<Point> points_)
    : path(std::move(path_)),
      query(std::move(query_)),
      headers(std::move(headers_)),
      values(std::move(points_)),
      names(names_of(values)) {}

Prepared prepare_operation(const sdk::FunctionSpec& function) {
  if (function.type == "rest.request") return prepare_request(function.settings);
  if (function.type == "rest.send") return prepare_send(function.settings);
  if (function.type == "rest.read") return prepare_read<ReadSettings>(function.settings);
  if (function.type == "rest.poll") return prepare_read<PollSettings>(function.settings);
  return fail(ErrorClass::kFunction, "unknown_function",
              fmt::format("REST connections have no function {}", function.type));
}

}  // namespace tributary::connectors::rest
