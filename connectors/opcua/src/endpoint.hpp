// Which of a server's endpoints is used, and with which kind of login. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/opcua/settings.hpp"
#include "connectors/opcua/src/ua.hpp"
#include "net/stream.hpp"

namespace tributary::connectors::opcua {

enum class Policy : std::uint8_t {
  kNone,
  kAes128Sha256RsaOaep,  // from here on: good ones, the best last
  kBasic256Sha256,
  kAes256Sha256RsaPss,
  kDeprecated,  // Basic128Rsa15, Basic256: never used
  kUnknown
};
Policy policy_of(std::string_view uri);
std::string_view uri_of(Policy policy);
bool is_good(Policy policy);

// "opc.tcp://host:port/path" → host and port (4840 when there is none). Error: kConfiguration
// "invalid_url" with pointer "/settings/endpointUrl".
Result<net::Endpoint> parse_url(const std::string& url);

// The policy that protects a login: the token's own, or that of the endpoint.
std::string_view effective_policy(const UA_UserTokenPolicy& token,
                                  const UA_EndpointDescription& endpoint);

struct Choice {
  const UA_EndpointDescription* endpoint = nullptr;
  const UA_UserTokenPolicy* token = nullptr;
  // Something is encrypted for the server, or signed by it: its certificate must be acceptable.
  bool needs_certificate = true;
};
// Points into `offered`. Errors, kConfiguration: "insecure_not_allowed", "no_common_security" (the
// message lists what the server offers and marks what is weak), "login_not_offered",
// "password_unprotected".
Result<Choice> choose_endpoint(std::span<const UA_EndpointDescription> offered,
                               const ConnectionSettings& settings);

// What a server offers, in the order of its list: {"endpointUrl", "securityMode", "securityPolicy",
// "security": "good", "weak" or "none", "inUse", "securityLevel", "logins"}.
std::vector<Json> describe_endpoints(std::span<const UA_EndpointDescription> offered,
                                     const Choice& choice);

// Two lists say the same, in whatever order: somebody who changed the first on its way has changed
// what was chosen from it.
bool same_endpoints(std::span<const UA_EndpointDescription> a,
                    std::span<const UA_EndpointDescription> b);

}  // namespace tributary::connectors::opcua
