#include "api/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tributary::api {
namespace {

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Problem bad_parameter(std::string_view name, std::string_view what) {
  return Problem(400, "invalid_parameter", fmt::format("The query parameter {} {}.", name, what));
}

}  // namespace

std::string_view to_string(Via via) {
  switch (via) {
    case Via::kSession:
      return "session";
    case Via::kToken:
      return "token";
    case Via::kLocal:
      return "local";
    case Via::kNobody:
      break;
  }
  return "nobody";
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    // "?cursor=" is what a form or a template sends when there is none.
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

const std::string& Request::parameter(std::string_view name) const {
  static const std::string kNone;
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return kNone;
}

Response Response::of(Json json, int status) {
  Response response;
  response.status = status;
  response.json = std::move(json);
  return response;
}

Response Response::no_content() {
  Response response;
  response.status = 204;
  return response;
}

std::optional<std::string> percent_decode(std::string_view text, bool query) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (query && c == '+') {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out.push_back(c);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
        c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<Pairs> parse_query(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    auto end = text.find('&');
    std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (part.empty()) continue;
    auto equals = part.find('=');
    auto name = percent_decode(part.substr(0, equals), true);
    auto value =
        percent_decode(equals == std::string_view::npos ? "" : part.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower, lower).empty() || part.empty();
}

std::expected<bool, Problem> query_flag(const Request& request, std::string_view name,
                                        bool fallback) {
  auto value = request.query_value(name);
  if (!value) return fallback;
  if (*value == "true") return true;
  if (*value == "false") return false;
  return refuse(bad_parameter(name, "must be true or false"));
}

std::expected<std::int64_t, Problem> query_integer(const Request& request, std::string_view name,
                                                   std::int64_t fallback, std::int64_t minimum,
                                                   std::int64_t maximum) {
  auto value = request.query_value(name);
  if (!value) return fallback;
  std::int64_t number = 0;
  auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size() || number < minimum ||
      number > maximum) {
    return refuse(
        bad_parameter(name, fmt::format("must be a whole number from {} to {}", minimum, maximum)));
  }
  return number;
}

std::expected<std::optional<UtcTime>, Problem> query_time(const Request& request,
                                                          std::string_view name) {
  auto value = request.query_value(name);
  if (!value) return std::nullopt;
  auto time = parse_utc(*value);
  if (!time) {
    return refuse(bad_parameter(
        name, "must be a time such as 2026-11-22T10:00:00Z (a + of an offset is %2B)"));
  }
  return *time;
}

std::expected<BigInt, Problem> query_bigint(const Request& request) {
  auto value = request.query_value("bigint");
  if (!value || *value == "number") return BigInt::kNumber;
  if (*value == "string") return BigInt::kString;
  return refuse(bad_parameter("bigint", "must be number or string"));
}

std::expected<Json, Problem> body_object(const Request& request, bool optional) {
  if (request.body.empty() && optional) return json_object();
  auto json = parse_json(request.body);
  if (!json) return refuse(Problem(400, "invalid_json", json.error().message));
  if (!json->is_object())
    return refuse(invalid_field("", "wrong_type", "The body must be a JSON object."));
  return std::move(*json);
}

std::expected<void, Problem> refuse_unknown(const Json& body,
                                            std::initializer_list<std::string_view> known) {
  Problem problem(422, "invalid_body", "");
  for (const auto& member : body.object_range()) {
    if (std::ranges::find(known, std::string_view(member.key())) != known.end()) continue;
    problem.errors.push_back({"/" + escape_pointer(member.key()), "unknown_property",
                              fmt::format("There is no member \"{}\".", member.key())});
  }
  if (problem.errors.empty()) return {};
  problem.detail = problem.errors.front().pointer + ": " + problem.errors.front().message;
  return refuse(std::move(problem));
}

void stringify_big_integers(Json& json) {
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (json.is_object()) {
    for (auto& member : json.object_range()) stringify_big_integers(member.value());
  } else if (json.is_array()) {
    for (auto& item : json.array_range()) stringify_big_integers(item);
  } else if (json.is_int64()) {
    auto number = json.as<std::int64_t>();
    if (number > kExact || number < -kExact) json = Json(std::to_string(number));
  } else if (json.is_uint64()) {
    auto number = json.as<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(kExact)) json = Json(std::to_string(number));
  }
}

}  // namespace tributary::api
