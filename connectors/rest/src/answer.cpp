#include "connectors/rest/src/answer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/encoding.hpp"

namespace tributary::connectors::rest {
namespace {

// Levels that a record and what carries it put around a body.
constexpr int kRoomAround = 8;

bool is_too_deep(const Json& json, int levels_left) {
  if (!json.is_object() && !json.is_array()) return false;
  if (levels_left == 0) return true;
  if (json.is_array()) {
    for (const Json& child : json.array_range()) {
      if (is_too_deep(child, levels_left - 1)) return true;
    }
    return false;
  }
  for (const auto& member : json.object_range()) {
    if (is_too_deep(member.value(), levels_left - 1)) return true;
  }
  return false;
}

std::string lowered(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

// "application/problem+json; charset=utf-8" → "application/problem+json".
std::string media_type(const http::Answer& answer) {
  const std::string type = lowered(answer.header("content-type"));
  std::string bare = type.substr(0, type.find(';'));
  while (!bare.empty() && bare.back() == ' ') bare.pop_back();
  return bare;
}

bool is_json(std::string_view type) {
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

// The body as UTF-8; nothing when it is not text.
std::optional<std::string> as_text(const http::Answer& answer) {
  if (http::is_utf8(answer.body)) return answer.body;
  const std::string type = lowered(answer.header("content-type"));
  const bool latin1 = type.contains("charset=iso-8859-1") ||
                      type.contains("charset=\"iso-8859-1") || type.contains("charset=latin1");
  return latin1 ? std::optional(http::from_latin1(answer.body)) : std::nullopt;
}

std::string_view code_of(int status) {
  switch (status) {
    case 404:
      return "not_found";
    case 409:
      return "conflict";
    case 413:
      return "body_too_large";
    default:
      return "request_refused";
  }
}

Error refusal(const http::Answer& answer, std::string said) {
  const int status = answer.status;
  if (status >= 300 && status < 400) {
    return Error(ErrorClass::kFunction, "redirect_not_followed",
                 fmt::format("{} Location: {}", said, http::excerpt(answer.header("location"))),
                 "Redirects are not followed: enter the final path, or the final base URL.",
                 "/settings/path");
  }
  if (status == 401 || status == 403 || status == 407) {
    return Error(ErrorClass::kIdentity, "not_authorized", std::move(said),
                 "Check the authentication and its secret, and what this user may do.", "/secrets");
  }
  if (status == 429)
    return Error(ErrorClass::kBusy, "rate_limited", std::move(said), "Ask less often.");
  if (status == 503 || (status >= 500 && answer.retry_after_ms))
    return Error(ErrorClass::kBusy, "server_busy", std::move(said), "It is tried again later.");
  if (status == 408 || status == 425)
    return Error(ErrorClass::kTransient, "try_again", std::move(said), "It is tried again.");
  if (status >= 500 && status != 501 && status != 505) {
    return Error(ErrorClass::kTransient, "server_failed", std::move(said),
                 "Its own log should say why; it is tried again.");
  }
  return Error(ErrorClass::kFunction, std::string(code_of(status)), std::move(said),
               "Check the path, the query and the body of the function.", "/settings/path");
}

}  // namespace

Result<void> check_answer(const http::Answer& answer, std::span<const std::int64_t> accepted) {
  const int status = answer.status;
  if (status >= 200 && status < 300) return {};
  if (std::ranges::find(accepted, status) != accepted.end()) return {};
  std::string said = fmt::format("{} answered with status {}", answer.peer, status);
  const auto text = as_text(answer);
  const bool shows = text && !text->empty() && media_type(answer) != "text/html";
  said += shows ? fmt::format(": {}", http::excerpt(*text)) : std::string(".");
  Error error = refusal(answer, std::move(said));
  error.retry_after_ms = answer.retry_after_ms;
  return fail(std::move(error));
}

Result<Json> parse_body(const http::Answer& answer) {
  const auto not_json = [&](std::string_view why) {
    return fail(ErrorClass::kFunction, "answer_not_json",
                fmt::format("{} answered with a body that is not JSON: {}", answer.peer, why),
                "Choose the answer format text, or a path that answers with JSON.",
                "/settings/answerFormat");
  };
  auto parsed = parse_json(answer.body);
  if (!parsed) return not_json(http::excerpt(parsed.error().message));
  if (is_too_deep(*parsed, kMaxJsonDepth - kRoomAround))
    return not_json("it is nested too deeply.");
  return parsed;
}

Result<Record> to_record(const http::Answer& answer, RequestSettings::AnswerFormat format) {
  using Format = RequestSettings::AnswerFormat;
  Json headers = json_object();
  for (const auto& [name, value] : answer.headers) {
    if (name == "set-cookie") continue;
    const auto text = http::is_utf8(value) ? value : http::from_latin1(value);
    const std::string before = get_string(headers, name);
    headers.insert_or_assign(name, before.empty() ? text : before + ", " + text);
  }
  Json body;
  std::string_view kind = "base64";
  const bool wants_json =
      format == Format::kJson || (format == Format::kAuto && is_json(media_type(answer)));
  if (wants_json && !answer.body.empty()) {
    auto parsed = parse_body(answer);
    if (parsed) {
      body = *std::move(parsed);
      kind = "json";
    } else if (format == Format::kJson) {
      return fail(std::move(parsed.error()));
    }
  }
  if (answer.body.empty()) {
    body = Json::null();
    kind = "none";
  } else if (kind != "json") {
    const auto text = format == Format::kBinary ? std::nullopt : as_text(answer);
    body = text ? Json(*text) : Json(http::to_base64(answer.body));
    if (text) kind = "text";
  }
  Record record = json_object();
  record.insert_or_assign("status", answer.status);
  record.insert_or_assign("headers", std::move(headers));
  record.insert_or_assign("body", std::move(body));
  record.insert_or_assign("format", kind);
  return record;
}

bool is_pointer(std::string_view text) {
  return text.empty() || text.starts_with('/');
}

const Json* at_pointer(const Json& document, std::string_view pointer) {
  const Json* here = &document;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const auto end = std::min(pointer.find('/'), pointer.size());
    std::string token;
    for (std::size_t i = 0; i < end; ++i) {
      if (pointer[i] == '~' && i + 1 < end) {
        token += pointer[++i] == '1' ? '/' : '~';
      } else {
        token += pointer[i];
      }
    }
    pointer.remove_prefix(end);
    if (here->is_object()) {
      const auto found = here->find(token);
      if (found == here->object_range().end()) return nullptr;
      here = &found->value();
    } else if (here->is_array()) {
      constexpr std::size_t kMostDigits = 9;
      const bool digits = !token.empty() && token.size() <= kMostDigits &&
                          std::ranges::all_of(token, [](char c) { return c >= '0' && c <= '9'; });
      if (!digits || std::stoul(token) >= here->size()) return nullptr;
      here = &(*here)[std::stoul(token)];
    } else {
      return nullptr;
    }
  }
  return here;
}

Scan to_scan(const Json& document, std::span<const Point> points,
             std::shared_ptr<const PointNames> names, UtcTime now) {
  Scan scan;
  scan.points = std::move(names);
  scan.receive_time = now;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::string pointer = points[i].pointer.value_or("/" + escape_pointer(points[i].name));
    Sample sample;
    sample.point = static_cast<std::uint32_t>(i);
    const Json* value = at_pointer(document, pointer);
    if (value != nullptr) {
      sample.value = from_json(*value);
    } else {
      sample.quality = kBadNoData;
      sample.error = std::make_shared<const Error>(
          ErrorClass::kFunction, "no_such_member",
          fmt::format("The answer has nothing at \"{}\".", pointer),
          "Check the pointer: /name for a member, /0 for the first item of a list.",
          fmt::format("/settings/points/{}/pointer", i));
    }
    scan.samples.push_back(std::move(sample));
  }
  return scan;
}

}  // namespace tributary::connectors::rest
