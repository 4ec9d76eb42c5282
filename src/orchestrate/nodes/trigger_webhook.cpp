// trigger.webhook: what its settings may say. What it does: hooks/ and engine_hooks.cpp.
#include <fmt/format.h>

#include "orchestrate/hooks/headers.hpp"
#include "orchestrate/hooks/rule.hpp"
#include "orchestrate/nodes/node.hpp"

namespace tributary::orchestrate {
namespace {

constexpr std::string_view kSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "When somebody calls",
  "description": "Starts with every HTTP request to an address of its own.",
  "type": "object",
  "required": ["path"],
  "properties": {
    "path": {"type": "string", "title": "Path", "description": "The address behind /hooks/: letters, digits, '-', '_', '.' and '/'.", "minLength": 1, "maxLength": 200, "examples": ["orders/new"]},
    "methods": {"type": "array", "title": "Methods", "description": "What the caller may use.", "minItems": 1, "maxItems": 5, "uniqueItems": true, "default": ["POST"], "items": {"type": "string", "enum": ["GET", "POST", "PUT", "PATCH", "DELETE"]}},
    "authentication": {
      "type": "object", "title": "Authentication", "description": "How the caller proves who it is.", "default": {},
      "properties": {
        "type": {"type": "string", "title": "Kind", "description": "none; header: a header holds the secret; hmac: a header holds a signature of the body.", "enum": ["none", "header", "hmac"], "default": "none"},
        "header": {"type": "string", "title": "Header", "description": "Holds the secret or the signature.", "minLength": 1, "maxLength": 64, "examples": ["X-Hub-Signature-256"]},
        "algorithm": {"type": "string", "title": "Algorithm", "description": "Of the signature.", "enum": ["sha256", "sha512"], "default": "sha256"},
        "encoding": {"type": "string", "title": "Encoding", "description": "How the signature is written.", "enum": ["hex", "base64"], "default": "hex"},
        "prefix": {"type": "string", "title": "Prefix", "description": "What stands in front of the signature.", "maxLength": 32, "examples": ["sha256="], "default": ""},
        "format": {"type": "string", "title": "Format", "description": "plain: the header is the signature. list: parts with commas between them, the time as t=SECONDS.", "enum": ["plain", "list"], "default": "plain"},
        "timestampHeader": {"type": "string", "title": "Header of the time", "description": "Holds when the call was signed, in seconds since 1970.", "maxLength": 64, "default": ""},
        "signedText": {"type": "string", "title": "Signed text", "description": "What the signature is of, with {body} and {timestamp}. Without it the body, and where there is a time {timestamp}.{body}.", "maxLength": 200},
        "toleranceSeconds": {"type": "integer", "title": "Tolerance", "description": "How old, or how far ahead, a signed time may be. A call with the same signature is taken once.", "minimum": 1, "maximum": 86400, "default": 300, "x-unit": "s"}
      }
    },
    "secret": {"title": "Secret", "description": "Of the authentication; also env:NAME or file:/path. It is stored sealed and never shown again."},
    "allow": {"type": "array", "title": "Callers", "description": "Addresses and networks that may call; none means all.", "maxItems": 100, "items": {"type": "string", "minLength": 2, "maxLength": 50}, "default": [], "examples": [["192.0.2.0/24", "2001:db8::/32"]]},
    "maxBytes": {"type": "integer", "title": "Largest body", "description": "Longer ones are refused.", "minimum": 1, "maximum": 4194304, "default": 1048576, "x-unit": "B"},
    "callsPerMinute": {"type": "integer", "title": "Calls per minute", "description": "More are refused. Bursts of a sixth of it are possible.", "minimum": 1, "maximum": 600000, "default": 6000},
    "answerTimeoutMs": {"type": "integer", "title": "Time-out", "description": "How long the caller waits for a respond node, or for the commit of a durable pipeline.", "minimum": 10, "maximum": 600000, "default": 30000, "x-unit": "ms"}
  }
})";

void check_authentication(NodeBuild& build) {
  const Json& given = get_member(build.settings, "authentication");
  const std::string type = get_string(given, "type", "none");
  const Json& secret = get_member(build.settings, "secret");
  const bool has_secret =
      (secret.is_string() && !secret.as<std::string>().empty()) || get_bool(secret, "set", false);
  if (type == "none") {
    if (!secret.is_null()) {
      build.error("/settings/secret", "invalid",
                  "A secret without authentication protects nothing: say which kind.");
    }
    return;
  }
  const std::string header = get_string(given, "header");
  if (header.empty()) {
    build.error("/settings/authentication/header", "required",
                "Which header holds it? For example X-Signature.");
  } else if (!hooks::is_header_name(header)) {
    build.error("/settings/authentication/header", "invalid",
                fmt::format("'{}' is not the name of a header.", header));
  }
  if (!has_secret) {
    build.error("/settings/secret", "required",
                "The secret is missing. It is never part of an export or of an earlier version: "
                "give it again.");
  }
  if (type != "hmac") return;
  const std::string timestamp = get_string(given, "timestampHeader");
  const bool list = get_string(given, "format") == "list";
  if (!timestamp.empty() && (list || !hooks::is_header_name(timestamp))) {
    build.error("/settings/authentication/timestampHeader", "invalid",
                list ? "In a list the time is a part of the same header."
                     : fmt::format("'{}' is not the name of a header.", timestamp));
  }
  if (!given.contains("signedText")) return;
  const std::string text = get_string(given, "signedText");
  const bool has_time = list || !timestamp.empty();
  if (!text.contains("{body}") || text.contains("{timestamp}") != has_time) {
    build.error("/settings/authentication/signedText", "invalid",
                has_time ? "The signed text needs {timestamp} and {body}, or neither the time nor "
                           "the body is protected."
                         : "The signed text needs {body}; {timestamp} only where there is a time.");
  }
}

std::unique_ptr<NodeLogic> check_webhook(NodeBuild& build) {
  const std::string path = get_string(build.settings, "path");
  if (!hooks::is_usable_path(path)) {
    build.error("/settings/path", "invalid",
                fmt::format("'{}' is not a path: it has letters, digits, '-', '_', '.' and single "
                            "'/' between its parts.",
                            path));
  }
  const Json& addresses = get_member(build.settings, "allow");
  for (std::size_t i = 0; addresses.is_array() && i < addresses.size(); ++i) {
    const auto text = addresses[i].as<std::string>();
    if (hooks::Network::parse(text)) continue;
    build.error(fmt::format("/settings/allow/{}", i), "invalid",
                fmt::format("'{}' is not an address, and no network such as 192.0.2.0/24 or "
                            "2001:db8::/32.",
                            text));
  }
  check_authentication(build);
  return nullptr;
}

}  // namespace

NodeType trigger_webhook_type() {
  return {"trigger.webhook", true, kSchema, {"out"}, &check_webhook};
}

}  // namespace tributary::orchestrate
