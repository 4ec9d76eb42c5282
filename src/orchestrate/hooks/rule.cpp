#include "orchestrate/hooks/rule.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

namespace tributary::orchestrate::hooks {
namespace {

std::string lower_case(std::string_view text) {
  std::string copy(text);
  for (char& c : copy) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return copy;
}

// One answer for whatever is wrong with a secret: strangers learn nothing from it.
std::unexpected<Refusal> unauthorized(std::string message, std::string hint = {}) {
  return std::unexpected(
      Refusal{401, "hook_unauthorized", std::move(message), std::move(hint), {}, {}});
}
std::unexpected<Refusal> unreadable(std::string message) {
  return std::unexpected(Refusal{400, "invalid_body", std::move(message), {}, {}, {}});
}

SignatureRule read_signature(const Json& settings) {
  SignatureRule rule;
  if (get_string(settings, "algorithm") == "sha512") rule.algorithm = Algorithm::kSha512;
  if (get_string(settings, "encoding") == "base64") rule.encoding = Encoding::kBase64;
  rule.prefix = get_string(settings, "prefix");
  rule.timestamp_header = lower_case(get_string(settings, "timestampHeader"));
  rule.list = get_string(settings, "format") == "list";
  rule.signed_text =
      get_string(settings, "signedText", rule.has_time() ? "{timestamp}.{body}" : "{body}");
  rule.tolerance = std::chrono::seconds(get_int(settings, "toleranceSeconds", 0));
  return rule;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i] == '+' ? ' ' : text[i];
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    out.push_back(c);
  }
  return out;
}

bool is_text(std::string_view text) {
  return jsoncons::unicode_traits::validate(text.data(), text.size()).ec ==
         jsoncons::unicode_traits::conv_errc();
}

// A name that is there twice becomes a list.
void add_value(Json& object, const std::string& name, std::string value) {
  if (!object.contains(name)) {
    object.insert_or_assign(name, std::move(value));
    return;
  }
  Json& present = object.at(name);
  if (!present.is_array()) {
    Json list = json_array();
    list.push_back(present);
    present = std::move(list);
  }
  present.push_back(std::move(value));
}

std::expected<Json, Refusal> read_form(std::string_view body) {
  constexpr std::size_t kMostFields = 1000;
  Json form = json_object();
  std::size_t count = 0;
  while (!body.empty()) {
    const auto end = body.find('&');
    const std::string_view part = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view() : body.substr(end + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    const auto name = decode_form(part.substr(0, equals));
    auto value = decode_form(equals == std::string_view::npos ? "" : part.substr(equals + 1));
    if (!name || !value || !is_text(*name) || !is_text(*value))
      return unreadable("The body is not a form: an escape is broken, or it is not UTF-8.");
    if (++count > kMostFields)
      return unreadable(fmt::format("The form has more than {} fields.", kMostFields));
    add_value(form, *name, std::move(*value));
  }
  return form;
}

std::string base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);  // its own NUL
  return text;
}

// "application/json; charset=utf-8" → "application/json"
std::string media_type(const Call& call) {
  const std::string type = lower_case(call.header("content-type"));
  std::string found = type.substr(0, type.find(';'));
  while (found.ends_with(' ')) found.pop_back();
  return found;
}

struct Body {
  Json value = Json::null();
  bool binary = false;
};

std::expected<Body, Refusal> read_body(const Call& call) {
  if (call.body.empty()) return Body{};
  const std::string type = media_type(call);
  if (type == "application/json" || type.ends_with("+json")) {
    auto json = parse_json(call.body);
    if (!json) {
      return std::unexpected(Refusal{
          400, "invalid_json", "The body is not JSON: " + json.error().message, {}, {}, {}});
    }
    return Body{std::move(*json)};
  }
  if (type == "application/x-www-form-urlencoded") {
    auto form = read_form(call.body);
    if (!form) return std::unexpected(std::move(form.error()));
    return Body{std::move(*form)};
  }
  const bool text =
      type.starts_with("text/") || type == "application/xml" || type.ends_with("+xml");
  if (text && is_text(call.body)) return Body{Json(call.body)};
  return Body{Json(base64(call.body)), true};
}

// Who has the record must not be able to call in somebody's name.
bool is_credential(const Rule& rule, std::string_view name) {
  return name == "authorization" || name == "cookie" || name == "proxy-authorization" ||
         (rule.authentication == Authentication::kHeader && name == rule.header);
}

}  // namespace

std::string_view Call::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

bool is_usable_path(std::string_view path) {
  constexpr std::size_t kMostPath = 200;
  const auto usable = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  return !path.empty() && path.size() <= kMostPath && std::ranges::all_of(path, usable) &&
         !path.starts_with('/') && !path.ends_with('/') && !path.contains("//") &&
         !path.contains("..") && !path.starts_with("./") && !path.contains("/./");
}

Rule read_rule(const Json& settings) {
  Rule rule;
  rule.path = get_string(settings, "path");
  const Json& methods = get_member(settings, "methods");
  for (std::size_t i = 0; methods.is_array() && i < methods.size(); ++i)
    rule.methods.push_back(methods[i].as<std::string>());
  const Json& authentication = get_member(settings, "authentication");
  const std::string type = get_string(authentication, "type", "none");
  if (type == "header") rule.authentication = Authentication::kHeader;
  if (type == "hmac") {
    rule.authentication = Authentication::kHmac;
    rule.signature = read_signature(authentication);
  }
  rule.header = lower_case(get_string(authentication, "header"));
  const Json& addresses = get_member(settings, "allow");
  for (std::size_t i = 0; addresses.is_array() && i < addresses.size(); ++i) {
    if (auto network = Network::parse(addresses[i].as<std::string>()))
      rule.addresses.networks.push_back(*network);
  }
  rule.max_bytes = static_cast<std::uint64_t>(get_int(settings, "maxBytes", 0));
  rule.calls_per_minute = get_int(settings, "callsPerMinute", 0);
  rule.answer_timeout = std::chrono::milliseconds(get_int(settings, "answerTimeoutMs", 0));
  return rule;
}

Checked check_head(const Rule& rule, const Call& call, const Secret& secret) {
  if (!rule.addresses.allows(call.remote)) {
    return std::unexpected(Refusal{
        403, "address_not_allowed", "Calls from this address are not allowed.", {}, {}, {}});
  }
  if (call.length.value_or(call.body.size()) > rule.max_bytes) {
    return std::unexpected(Refusal{413,
                                   "payload_too_large",
                                   fmt::format("The body is larger than {} bytes.", rule.max_bytes),
                                   {},
                                   {},
                                   {}});
  }
  if (rule.authentication != Authentication::kHeader) return {};
  if (secret == Secret(call.header(rule.header))) return {};
  return unauthorized(fmt::format("The header {} does not hold the secret.", rule.header));
}

std::expected<std::string, Refusal> check_body(const Rule& rule, const Call& call,
                                               const Secret& secret, UtcTime now) {
  if (call.body.size() > rule.max_bytes) {
    return std::unexpected(Refusal{413,
                                   "payload_too_large",
                                   fmt::format("The body is larger than {} bytes.", rule.max_bytes),
                                   {},
                                   {},
                                   {}});
  }
  if (rule.authentication != Authentication::kHmac) return std::string();
  const Signed given{call.header(rule.header), call.header(rule.signature.timestamp_header),
                     call.body};
  auto checked = check_signature(rule.signature, secret, given, now);
  if (checked) return rule.signature.has_time() ? std::move(*checked) : std::string();
  switch (checked.error()) {
    case SignatureFault::kMissing:
      return unauthorized(fmt::format("The header {} with the signature is missing.", rule.header));
    case SignatureFault::kNoTime:
      return unauthorized("The time of the signature is missing or no number of seconds.");
    case SignatureFault::kTooOld:
      return unauthorized("The signature is too old, or from the future.",
                          "Is the clock of the sender right?");
    case SignatureFault::kWrong:
      break;
  }
  return unauthorized("The signature does not fit the body.");
}

std::expected<Json, Refusal> make_record(const Rule& rule, const Call& call,
                                         const std::string& trigger, UtcTime now) {
  auto body = read_body(call);
  if (!body) return std::unexpected(std::move(body.error()));
  Json headers = json_object();
  for (const auto& [name, value] : call.headers) {
    if (is_credential(rule, name)) continue;
    const std::string before = get_string(headers, name);
    headers.insert_or_assign(name, is_text(value) ? (before.empty() ? value : before + ", " + value)
                                                  : std::string("(not text)"));
  }
  Json query = json_object();
  for (const auto& [name, value] : call.query) {
    if (!is_text(name) || !is_text(value)) return unreadable("The query is not UTF-8.");
    add_value(query, name, value);
  }
  Json meta = json_object();
  meta.insert_or_assign("trigger", trigger);
  meta.insert_or_assign("time", format_utc(now));
  meta.insert_or_assign("path", call.path);
  meta.insert_or_assign("remote", call.remote);
  meta.insert_or_assign("contentType", media_type(call));
  if (body->binary) meta.insert_or_assign("encoding", "base64");
  Json record = json_object();
  record.insert_or_assign("body", std::move(body->value));
  record.insert_or_assign("headers", std::move(headers));
  record.insert_or_assign("query", std::move(query));
  record.insert_or_assign("method", call.method);
  record.insert_or_assign("$meta", std::move(meta));
  return record;
}

}  // namespace tributary::orchestrate::hooks
