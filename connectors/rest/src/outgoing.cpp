#include "connectors/rest/src/outgoing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "connectors/rest/src/url.hpp"
#include "http/encoding.hpp"

namespace tributary::connectors::rest {
namespace {

std::string lowered(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return copy;
}

// They belong to the transport, or say where the request goes and who sends it.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 12> kReserved = {"host",
                                                          "content-length",
                                                          "transfer-encoding",
                                                          "connection",
                                                          "keep-alive",
                                                          "upgrade",
                                                          "te",
                                                          "trailer",
                                                          "expect",
                                                          "authorization",
                                                          "cookie",
                                                          "accept-encoding"};
  return std::ranges::find(kReserved, name) != kReserved.end() || name.starts_with("proxy-");
}

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.contains(c);
  });
}

bool is_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

std::unexpected<Error> bad_body(std::string code, std::string message, std::string hint = {}) {
  return fail(ErrorClass::kFunction, std::move(code), std::move(message), std::move(hint),
              "/settings/body");
}

Result<std::string> form_body(const Json& body) {
  std::string text;
  if (!body.is_object())
    return bad_body("invalid_body", "A form is an object of names and values.");
  for (const auto& member : body.object_range()) {
    if (member.value().is_null()) continue;
    const auto plain = scalar_text(member.value());
    if (!plain) {
      return bad_body("invalid_body",
                      fmt::format("The form's \"{}\" is neither a text, a number, true nor false.",
                                  member.key()));
    }
    if (!text.empty()) text += '&';
    text += http::form_encode(member.key()) + "=" + http::form_encode(*plain);
  }
  return text;
}

Result<std::string> write_body(const Json& body, RequestSettings::BodyFormat format) {
  using Format = RequestSettings::BodyFormat;
  if (format == Format::kJson) return to_text(body);
  if (format == Format::kForm) return form_body(body);
  const auto plain = scalar_text(body);
  if (!plain) return bad_body("invalid_body", "The body must be a text for this body format.");
  if (format == Format::kText) return *plain;
  auto bytes = http::from_base64(*plain);
  if (!bytes) {
    return bad_body("invalid_base64",
                    "The body is not base64 (letters, digits, +, / and = at the end).");
  }
  return *std::move(bytes);
}

std::string_view content_type_of(RequestSettings::BodyFormat format) {
  using Format = RequestSettings::BodyFormat;
  switch (format) {
    case Format::kJson:
      return "application/json";
    case Format::kForm:
      return "application/x-www-form-urlencoded";
    case Format::kText:
      return "text/plain; charset=utf-8";
    case Format::kBase64:
      break;
  }
  return "application/octet-stream";
}

Result<void> check_size(const std::string& body) {
  if (body.size() <= kMaxBody) return {};
  return bad_body("body_too_large", fmt::format("The body would have {} bytes; {} are allowed.",
                                                body.size(), kMaxBody));
}

// The same for every repeat of one record: parameters hold it with its $meta.
void add_key(Outgoing& outgoing, const Json& parameters) {
  const std::string what = fmt::format("{}\n{}\n{}\n{}\n{}", outgoing.method, outgoing.path,
                                       to_text(outgoing.query), to_text(parameters), outgoing.body);
  constexpr std::size_t kDigits = 32;
  merge_headers(outgoing.headers, {{"Idempotency-Key", http::sha256_hex(what).substr(0, kDigits)}});
  outgoing.repeatable = true;
}

Result<void> add_target(Outgoing& outgoing, const std::string& path, const Json& query,
                        const Json& headers, const Json& parameters) {
  auto filled = fill_path(path, parameters);
  TRIBUTARY_TRY(filled);
  outgoing.path = *std::move(filled);
  TRIBUTARY_TRY(encode_query(query));
  outgoing.query = query.is_object() ? query : json_object();
  auto own = read_headers(headers, ErrorClass::kFunction, "/settings/headers");
  TRIBUTARY_TRY(own);
  merge_headers(outgoing.headers, *own);
  return {};
}

// The records of a write: "records", or the single "payload", or the parameters themselves.
Result<Json> records_of(const Json& parameters) {
  const Json& many = get_member(parameters, "records");
  Json records = json_array();
  if (many.is_array()) {
    records = many;
  } else if (parameters.is_object() && parameters.contains("payload")) {
    records.push_back(parameters.at("payload"));
  } else if (parameters.is_object() && !parameters.empty()) {
    records.push_back(parameters);
  }
  if (records.empty()) {
    return fail(ErrorClass::kFunction, "missing_body", "There is nothing to send.",
                "Give the caller the parameter payload, or records (a list).", "/parameters");
  }
  if (records.size() > kMaxRecords) {
    return fail(ErrorClass::kFunction, "several_records",
                fmt::format("{} records in one call; {} are allowed.", records.size(), kMaxRecords),
                {}, "/parameters/records");
  }
  return records;
}

}  // namespace

Result<http::Headers> read_headers(const Json& headers, ErrorClass error_class,
                                   std::string_view pointer) {
  http::Headers read;
  if (!headers.is_object()) return read;
  for (const auto& member : headers.object_range()) {
    const std::string at = fmt::format("{}/{}", pointer, escape_pointer(member.key()));
    const std::string name = lowered(member.key());
    if (is_reserved(name)) {
      return fail(error_class, "invalid_header",
                  fmt::format("The header {} is set by the hub.", http::excerpt(member.key())),
                  name == "authorization" || name == "cookie"
                      ? "Credentials belong into the connection's secrets: authentication apiKey "
                        "takes any header."
                      : "Remove it.",
                  at);
    }
    if (member.value().is_null()) continue;
    const auto value = scalar_text(member.value());
    if (!is_token(member.key()) || !value || !is_one_line(*value)) {
      return fail(error_class, "invalid_header",
                  fmt::format("The header {} has a name or a value that no header can have.",
                              http::excerpt(member.key())),
                  "Names are letters, digits and hyphens; values are one line.", at);
    }
    read.emplace_back(member.key(), *value);
  }
  return read;
}

void merge_headers(http::Headers& headers, const http::Headers& over) {
  for (const auto& header : over) {
    std::erase_if(headers, [name = lowered(header.first)](const auto& old) {
      return lowered(old.first) == name;
    });
    headers.push_back(header);
  }
}

Result<Outgoing> make_outgoing(const RequestSettings& settings, const Json& parameters) {
  Outgoing outgoing;
  outgoing.method = to_string(settings.method);
  using Method = RequestSettings::Method;
  const bool carries = settings.method == Method::kPOST || settings.method == Method::kPUT ||
                       settings.method == Method::kPATCH;
  const bool given = settings.body && !settings.body->is_null();
  const bool payload = parameters.is_object() && parameters.contains("payload");
  if (carries && (given || payload)) {
    auto body = write_body(given ? *settings.body : parameters.at("payload"), settings.body_format);
    TRIBUTARY_TRY(body);
    outgoing.body = *std::move(body);
    TRIBUTARY_TRY(check_size(outgoing.body));
    outgoing.headers.emplace_back(
        "Content-Type",
        settings.content_type.value_or(std::string(content_type_of(settings.body_format))));
  }
  TRIBUTARY_TRY(add_target(outgoing, settings.path, settings.query, settings.headers, parameters));
  if (settings.idempotency_key) add_key(outgoing, parameters);
  return outgoing;
}

Result<Outgoing> make_outgoing(const SendSettings& settings, const Json& parameters) {
  using Format = SendSettings::Format;
  auto records = records_of(parameters);
  TRIBUTARY_TRY(records);
  Outgoing outgoing;
  outgoing.method = to_string(settings.method);
  if (settings.format == Format::kSingle && records->size() != 1) {
    return fail(ErrorClass::kFunction, "several_records",
                fmt::format("{} records came in one call; the format takes one.", records->size()),
                "Choose the format array or lines.", "/settings/format");
  }
  if (settings.format == Format::kLines) {
    for (const Json& record : records->array_range()) outgoing.body += to_text(record) + "\n";
  } else {
    outgoing.body = to_text(settings.format == Format::kSingle ? (*records)[0] : *records);
  }
  TRIBUTARY_TRY(check_size(outgoing.body));
  const std::string_view usual =
      settings.format == Format::kLines ? "application/x-ndjson" : "application/json";
  outgoing.headers.emplace_back("Content-Type", settings.content_type.value_or(std::string(usual)));
  TRIBUTARY_TRY(add_target(outgoing, settings.path, settings.query, settings.headers, parameters));
  if (settings.idempotency_key) add_key(outgoing, parameters);
  return outgoing;
}

Result<Outgoing> make_outgoing(const std::string& path, const Json& query, const Json& headers,
                               const Json& parameters) {
  Outgoing outgoing;
  outgoing.method = "GET";
  TRIBUTARY_TRY(add_target(outgoing, path, query, headers, parameters));
  return outgoing;
}

}  // namespace tributary::connectors::rest
