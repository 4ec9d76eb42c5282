#include "connectors/rest/src/url.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "http/encoding.hpp"
#include "schema/placeholders.hpp"

namespace tributary::connectors::rest {
namespace {

std::unexpected<Error> leaves(std::string message, std::string_view pointer) {
  return fail(ErrorClass::kFunction, "leaves_base", std::move(message),
              "A path stays below the connection's base URL; query values belong into query.",
              std::string(pointer));
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// Whether a server that decodes once more would see "." or ".." as a segment.
bool climbs(std::string_view decoded) {
  std::size_t begin = 0;
  while (begin <= decoded.size()) {
    const std::size_t end = std::min(decoded.find_first_of("/\\", begin), decoded.size());
    const std::string_view part = decoded.substr(begin, end - begin);
    if (part == "." || part == "..") return true;
    begin = end + 1;
  }
  return false;
}

// Decoded until nothing changes: "%252e%252e" hides from a server that decodes twice.
std::optional<std::string> decode_fully(std::string_view text) {
  constexpr int kMostRounds = 4;
  std::string current(text);
  for (int i = 0; i < kMostRounds; ++i) {
    auto decoded = http::percent_decode(current);
    if (!decoded) return i == 0 ? std::nullopt : std::optional(std::move(current));
    if (*decoded == current) break;
    current = std::move(*decoded);
  }
  return current;
}

bool is_unsafe(char c) {
  constexpr std::string_view kUnsafe = " \"<>^`{|}";
  return static_cast<unsigned char>(c) >= 0x80 || kUnsafe.contains(c);
}

// Relative references in links: "." and ".." taken out (RFC 3986, section 5.2.4).
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  std::size_t begin = 1;
  bool open = false;  // ends with a slash
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = path.substr(begin, end - begin);
    open = segment.empty() || segment == "." || segment == "..";
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
    begin = end + 1;
  }
  std::string clean;
  for (const std::string_view segment : segments) clean.append("/").append(segment);
  if (open || clean.empty()) clean += '/';
  return clean;
}

bool is_below(const Base& base, std::string_view path) {
  const std::string_view bare = path.substr(0, path.find_first_of("?#"));
  if (!bare.starts_with(base.path)) return false;
  return bare.size() == base.path.size() || bare[base.path.size()] == '/';
}

}  // namespace

std::optional<std::string> scalar_text(const Json& value) {
  if (value.is_string()) return value.as_string();
  if (value.is_number() || value.is_bool()) return to_text(value);
  return std::nullopt;
}

Result<Base> parse_base(std::string_view url) {
  auto target = http::parse_url(url);
  if (!target) {
    target.error().pointer = "/settings/baseUrl";
    return fail(std::move(target.error()));
  }
  if (url.find_first_of("?#") != std::string_view::npos) {
    return fail(ErrorClass::kConfiguration, "invalid_url",
                "The base URL has a query or a fragment.", "Put queries into the functions.",
                "/settings/baseUrl");
  }
  Base base{std::move(*target), {}};
  base.path = std::exchange(base.target.path, "");
  while (base.path.ends_with('/')) base.path.pop_back();
  if (!base.path.empty()) {
    auto clean = clean_path(base.path, "/settings/baseUrl");
    if (!clean) {
      clean.error().error_class = ErrorClass::kConfiguration;
      clean.error().code = "invalid_url";
      return fail(std::move(clean.error()));
    }
  }
  return base;
}

Result<std::string> clean_path(std::string_view path, std::string_view pointer) {
  if (path.empty()) return std::string();
  if (has_control(path)) return leaves("The path has a control character in it.", pointer);
  if (path.contains("://")) return leaves("The path is a whole URL.", pointer);
  for (const char c : {'\\', '@', '?', '#'}) {
    if (path.contains(c)) return leaves(fmt::format("The path has a '{}' in it.", c), pointer);
  }
  std::string clean = path.starts_with('/') ? std::string() : std::string("/");
  for (const char c : path) {
    if (is_unsafe(c)) {
      clean += http::percent_encode(std::string_view(&c, 1));
    } else {
      clean += c;
    }
  }
  if (clean.contains("//")) return leaves("The path has two slashes in a row.", pointer);
  const auto decoded = decode_fully(clean);
  if (!decoded) {
    return leaves("The path has a % that does not begin %XX.", pointer);
  }
  if (has_control(*decoded)) return leaves("The path has a control character in it.", pointer);
  if (climbs(*decoded)) return leaves("The path climbs with '.' or '..'.", pointer);
  return clean;
}

Result<void> check_path_template(const std::string& path) {
  const Json text(path);
  Json any = json_object();
  for (const std::string& name : schema::placeholder_names(text)) any.insert_or_assign(name, "x");
  const auto filled = schema::fill_placeholders(text, any);
  TRIBUTARY_TRY(filled);
  TRIBUTARY_TRY(clean_path(filled->as_string(), "/settings/path"));
  return {};
}

Result<std::string> fill_path(const std::string& path, const Json& parameters) {
  const Json text(path);
  Json encoded = json_object();
  for (const std::string& name : schema::placeholder_names(text)) {
    const Json& value = get_member(parameters, name);
    const std::string pointer = "/parameters/" + escape_pointer(name);
    if (value.is_null()) {
      return fail(ErrorClass::kFunction, "missing_parameter",
                  fmt::format("The parameter \"{}\" is missing or null.", name),
                  fmt::format("The function's path holds (({})): give it a value.", name), pointer);
    }
    const auto plain = scalar_text(value);
    if (!plain || plain->empty()) {
      return fail(ErrorClass::kFunction, "invalid_parameter",
                  fmt::format("The parameter \"{}\" is empty, a list or an object: it cannot be a "
                              "part of a path.",
                              name),
                  "Give it a text or a number.", pointer);
    }
    if (has_control(*plain))
      return leaves(fmt::format("The parameter \"{}\" has a control character in it.", name),
                    pointer);
    if (climbs(decode_fully(*plain).value_or(*plain)))
      return leaves(fmt::format("The parameter \"{}\" climbs with '.' or '..'.", name), pointer);
    encoded.insert_or_assign(name, http::percent_encode(*plain));
  }
  const auto filled = schema::fill_placeholders(text, encoded);
  TRIBUTARY_TRY(filled);
  return clean_path(filled->as_string(), "/settings/path");
}

Result<std::string> encode_query(const Json& query) {
  std::string text;
  if (!query.is_object()) return text;
  const auto add = [&](std::string_view name, const Json& value) {
    const auto plain = scalar_text(value);
    if (!plain) return false;
    if (!text.empty()) text += '&';
    text += http::percent_encode(name) + "=" + http::percent_encode(*plain);
    return true;
  };
  for (const auto& member : query.object_range()) {
    if (member.value().is_null()) continue;
    bool good = true;
    if (member.value().is_array()) {
      for (const Json& item : member.value().array_range()) good = good && add(member.key(), item);
    } else {
      good = add(member.key(), member.value());
    }
    if (!good) {
      return fail(
          ErrorClass::kFunction, "invalid_query",
          fmt::format("The query's \"{}\" is neither a text, a number, true or false, nor a "
                      "list of these.",
                      member.key()),
          {}, "/settings/query/" + escape_pointer(member.key()));
    }
  }
  return text;
}

Result<std::string> make_url(const Base& base, std::string_view path, std::string_view query) {
  http::Target target = base.target;
  target.path = base.path;
  target.path += path;
  if (target.path.empty()) target.path = "/";
  if (!query.empty()) target.path.append("?").append(query);
  std::string url = target.url();
  if (url.size() > http::kMaxUrl) {
    return fail(
        ErrorClass::kFunction, "url_too_long",
        fmt::format("The URL would have {} characters; {} are allowed.", url.size(), http::kMaxUrl),
        "Send long values in the body.", "/settings/query");
  }
  return url;
}

std::optional<std::string> next_link(std::string_view header) {
  while (true) {
    const auto open = header.find('<');
    if (open == std::string_view::npos) return std::nullopt;
    const auto close = header.find('>', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view link = header.substr(open + 1, close - open - 1);
    const auto end = std::min(header.find(",", close), header.size());
    std::string parameters(header.substr(close + 1, end - close - 1));
    std::erase_if(parameters, [](char c) { return c == ' ' || c == '\t' || c == '"'; });
    std::ranges::transform(parameters, parameters.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    parameters += ';';
    if (parameters.contains(";rel=next;")) return std::string(link);
    header.remove_prefix(end);
  }
}

Result<std::string> follow(const Base& base, std::string_view current, std::string_view link) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorClass::kFunction, "leaves_base",
                fmt::format("The next page {}: {}", why, http::excerpt(link)),
                "Pages are followed only below the connection's base URL.", "/settings/paging");
  };
  http::Target next = base.target;
  const auto fragment = link.find('#');
  link = link.substr(0, fragment);
  if (link.contains("://") && link.find("://") < link.find_first_of("/?")) {
    auto parsed = http::parse_url(link);
    if (!parsed) return refuse("is no URL");
    next = std::move(*parsed);
  } else {
    auto from = http::parse_url(current);
    if (!from) return fail(std::move(from.error()));
    if (link.starts_with("//")) return refuse("names another host");
    const std::string bare = from->path.substr(0, from->path.find('?'));
    if (link.starts_with('/')) {
      next.path = link;
    } else if (link.starts_with('?')) {
      next.path = bare + std::string(link);
    } else {
      next.path = bare.substr(0, bare.rfind('/') + 1) + std::string(link);
    }
  }
  const bool same = next.secure == base.target.secure && next.host == base.target.host &&
                    next.port == base.target.port;
  if (!same) return refuse("is on another server");
  const auto question = std::min(next.path.find('?'), next.path.size());
  const std::string bare = without_dots(next.path.substr(0, question));
  const auto decoded = decode_fully(bare);
  if (!decoded || climbs(*decoded) || bare.find_first_of("\\@") != std::string::npos)
    return refuse("climbs out of the base URL");
  next.path = bare + next.path.substr(question);
  if (!is_below(base, next.path)) return refuse("is not below the base URL");
  std::string url = next.url();
  auto checked = http::parse_url(url);
  if (!checked) return refuse("is no URL");
  return url;
}

}  // namespace tributary::connectors::rest
