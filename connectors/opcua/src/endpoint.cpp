#include "connectors/opcua/src/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kPrefix = "http://opcfoundation.org/UA/SecurityPolicy#";
constexpr std::string_view kBinary =
    "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary";
constexpr std::uint16_t kDefaultPort = 4840;

struct Named {
  Policy policy;
  std::string_view uri;
};
constexpr auto kPolicies = std::to_array<Named>({
    {Policy::kNone, "http://opcfoundation.org/UA/SecurityPolicy#None"},
    {Policy::kAes128Sha256RsaOaep,
     "http://opcfoundation.org/UA/SecurityPolicy#Aes128_Sha256_RsaOaep"},
    {Policy::kBasic256Sha256, "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"},
    {Policy::kAes256Sha256RsaPss,
     "http://opcfoundation.org/UA/SecurityPolicy#Aes256_Sha256_RsaPss"},
    {Policy::kDeprecated, "http://opcfoundation.org/UA/SecurityPolicy#Basic256"},
    {Policy::kDeprecated, "http://opcfoundation.org/UA/SecurityPolicy#Basic128Rsa15"},
});

UA_MessageSecurityMode mode_of(ConnectionSettings::SecurityMode mode) {
  switch (mode) {
    case ConnectionSettings::SecurityMode::kNone:
      return UA_MESSAGESECURITYMODE_NONE;
    case ConnectionSettings::SecurityMode::kSign:
      return UA_MESSAGESECURITYMODE_SIGN;
    default:
      return UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
  }
}

Policy wanted_policy(ConnectionSettings::SecurityPolicy policy) {
  switch (policy) {
    case ConnectionSettings::SecurityPolicy::kBasic256Sha256:
      return Policy::kBasic256Sha256;
    case ConnectionSettings::SecurityPolicy::kAes128Sha256RsaOaep:
      return Policy::kAes128Sha256RsaOaep;
    case ConnectionSettings::SecurityPolicy::kAes256Sha256RsaPss:
      return Policy::kAes256Sha256RsaPss;
    default:
      return Policy::kUnknown;  // any good one
  }
}

UA_UserTokenType token_type(ConnectionSettings::Authentication authentication) {
  switch (authentication) {
    case ConnectionSettings::Authentication::kUsername:
      return UA_USERTOKENTYPE_USERNAME;
    case ConnectionSettings::Authentication::kCertificate:
      return UA_USERTOKENTYPE_CERTIFICATE;
    default:
      return UA_USERTOKENTYPE_ANONYMOUS;
  }
}

bool fits(const UA_EndpointDescription& endpoint, const ConnectionSettings& settings) {
  const auto profile = view(endpoint.transportProfileUri);
  if (!profile.empty() && profile != kBinary) return false;
  if (endpoint.securityMode != mode_of(settings.security_mode)) return false;
  const Policy policy = policy_of(view(endpoint.securityPolicyUri));
  if (settings.security_mode == ConnectionSettings::SecurityMode::kNone)
    return policy == Policy::kNone;
  const Policy wanted = wanted_policy(settings.security_policy);
  return is_good(policy) && (wanted == Policy::kUnknown || wanted == policy);
}

std::string_view mode_name(const UA_EndpointDescription& endpoint) {
  constexpr std::array<std::string_view, 4> kModes = {"Invalid", "None", "Sign", "SignAndEncrypt"};
  const auto mode = static_cast<std::size_t>(endpoint.securityMode);
  return kModes[mode < kModes.size() ? mode : 0];
}

std::string_view policy_name(std::string_view uri) {
  constexpr std::size_t kLongest = 64;
  if (uri.starts_with(kPrefix)) uri.remove_prefix(kPrefix.size());
  return uri.substr(0, kLongest);
}

bool is_insecure(const UA_EndpointDescription& endpoint) {
  return endpoint.securityMode == UA_MESSAGESECURITYMODE_NONE ||
         policy_of(view(endpoint.securityPolicyUri)) == Policy::kNone;
}

std::string describe(const UA_EndpointDescription& endpoint) {
  if (is_insecure(endpoint)) return "None (insecure)";
  const std::string_view policy = view(endpoint.securityPolicyUri);
  return fmt::format("{} with {}{}", mode_name(endpoint), policy_name(policy),
                     is_good(policy_of(policy)) ? "" : " (weak)");
}

std::string describe_all(std::span<const UA_EndpointDescription> offered) {
  constexpr std::size_t kMostShown = 12;
  std::vector<std::string> texts;
  for (const auto& endpoint : offered) {
    std::string text = describe(endpoint);
    if (texts.size() < kMostShown && std::ranges::find(texts, text) == texts.end())
      texts.push_back(std::move(text));
  }
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all.empty() ? "nothing" : all;
}

std::span<const UA_UserTokenPolicy> tokens_of(const UA_EndpointDescription& endpoint) {
  return {endpoint.userIdentityTokens, endpoint.userIdentityTokensSize};
}

// The token that protects the login best; null when there is none. `unprotected` says that there
// would be one, in the clear.
const UA_UserTokenPolicy* choose_token(const UA_EndpointDescription& endpoint,
                                       UA_UserTokenType type, bool& unprotected) {
  const UA_UserTokenPolicy* best = nullptr;
  int best_rank = -1;
  for (const auto& token : tokens_of(endpoint)) {
    if (token.tokenType != type) continue;
    const Policy policy = policy_of(effective_policy(token, endpoint));
    const bool encrypted_anyway = endpoint.securityMode == UA_MESSAGESECURITYMODE_SIGNANDENCRYPT;
    const bool usable =
        is_good(policy) ||
        (policy == Policy::kNone && (type == UA_USERTOKENTYPE_ANONYMOUS ||
                                     (encrypted_anyway && type == UA_USERTOKENTYPE_USERNAME)));
    if (!usable) {
      unprotected = true;
      continue;
    }
    const int rank = is_good(policy) ? static_cast<int>(policy) : 0;
    if (rank <= best_rank) continue;
    best = &token;
    best_rank = rank;
  }
  return best;
}

std::unexpected<Error> refuse(std::string code, std::string message, std::string hint,
                              std::string pointer) {
  return fail(ErrorClass::kConfiguration, std::move(code), std::move(message), std::move(hint),
              std::move(pointer));
}

bool same_tokens(const UA_EndpointDescription& a, const UA_EndpointDescription& b) {
  return std::ranges::is_permutation(
      tokens_of(a), tokens_of(b), [](const UA_UserTokenPolicy& x, const UA_UserTokenPolicy& y) {
        return UA_order(&x, &y, type_of<UA_UserTokenPolicy>()) == UA_ORDER_EQ;
      });
}

bool same_endpoint(const UA_EndpointDescription& a, const UA_EndpointDescription& b) {
  return view(a.endpointUrl) == view(b.endpointUrl) && a.securityMode == b.securityMode &&
         view(a.securityPolicyUri) == view(b.securityPolicyUri) &&
         view(a.transportProfileUri) == view(b.transportProfileUri) &&
         a.securityLevel == b.securityLevel &&
         view(a.server.applicationUri) == view(b.server.applicationUri) &&
         view(a.serverCertificate) == view(b.serverCertificate) && same_tokens(a, b);
}

}  // namespace

Policy policy_of(std::string_view uri) {
  if (uri.empty()) return Policy::kNone;
  const auto* found = std::ranges::find(kPolicies, uri, &Named::uri);
  return found == kPolicies.end() ? Policy::kUnknown : found->policy;
}

std::string_view uri_of(Policy policy) {
  const auto* found = std::ranges::find(kPolicies, policy, &Named::policy);
  return found == kPolicies.end() ? std::string_view() : found->uri;
}

bool is_good(Policy policy) {
  return policy >= Policy::kAes128Sha256RsaOaep && policy <= Policy::kAes256Sha256RsaPss;
}

Result<net::Endpoint> parse_url(const std::string& url) {
  constexpr std::string_view kScheme = "opc.tcp://";
  const auto invalid = [&url] {
    return refuse("invalid_url", fmt::format("\"{}\" is no endpoint URL", url),
                  "It looks like opc.tcp://host:4840/path.", "/settings/endpointUrl");
  };
  if (!url.starts_with(kScheme)) return invalid();
  std::string_view authority = std::string_view(url).substr(kScheme.size());
  authority = authority.substr(0, authority.find('/'));
  net::Endpoint endpoint{.host = {}, .port = kDefaultPort};
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return invalid();
    endpoint.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const auto colon = authority.rfind(':');
    endpoint.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon);
  }
  if (endpoint.host.empty()) return invalid();
  if (port.empty()) return endpoint;
  if (!port.starts_with(':')) return invalid();
  port.remove_prefix(1);
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc{} || rest != port.data() + port.size() || endpoint.port == 0)
    return invalid();
  return endpoint;
}

std::string_view effective_policy(const UA_UserTokenPolicy& token,
                                  const UA_EndpointDescription& endpoint) {
  return view(token.securityPolicyUri.length > 0 ? token.securityPolicyUri
                                                 : endpoint.securityPolicyUri);
}

Result<Choice> choose_endpoint(std::span<const UA_EndpointDescription> offered,
                               const ConnectionSettings& settings) {
  const bool insecure = settings.security_mode == ConnectionSettings::SecurityMode::kNone;
  if (insecure && !settings.allow_insecure) {
    return refuse("insecure_not_allowed",
                  "The security mode is None, and nobody has allowed an insecure connection",
                  "Choose another security mode, or allow it.", "/settings/allowInsecure");
  }
  Choice best;
  Policy best_policy = Policy::kNone;
  bool any = false;
  bool unprotected = false;
  const auto type = token_type(settings.authentication);
  for (const auto& endpoint : offered) {
    if (!fits(endpoint, settings)) continue;
    any = true;
    const auto* token = choose_token(endpoint, type, unprotected);
    const Policy policy = policy_of(view(endpoint.securityPolicyUri));
    if (token == nullptr || (best.endpoint != nullptr && policy <= best_policy)) continue;
    best = {&endpoint, token, policy != Policy::kNone || type != UA_USERTOKENTYPE_ANONYMOUS};
    best_policy = policy;
  }
  if (best.endpoint != nullptr) return best;
  if (!any) {
    return refuse("no_common_security",
                  fmt::format("The server has no endpoint as it is wanted. It offers: {}",
                              describe_all(offered)),
                  "Choose one of these, or switch a better one on at the server.",
                  "/settings/securityMode");
  }
  if (unprotected) {
    return refuse(
        "password_unprotected",
        "The server wants this login in the clear, or with an algorithm that is no longer "
        "safe; the hub does not send it",
        "Use the security mode SignAndEncrypt, or correct the server's login policies.",
        "/settings/securityMode");
  }
  return refuse("login_not_offered",
                fmt::format("The server takes no login of the kind \"{}\" there",
                            to_string(settings.authentication)),
                "Choose another login, or switch this one on at the server.",
                "/settings/authentication");
}

std::vector<Json> describe_endpoints(std::span<const UA_EndpointDescription> offered,
                                     const Choice& choice) {
  constexpr std::array<std::string_view, 4> kLogins = {"anonymous", "username", "certificate",
                                                       "issuedToken"};
  std::vector<Json> all;
  for (const UA_EndpointDescription& each : offered) {
    Json endpoint = json_object();
    const std::string_view policy = view(each.securityPolicyUri);
    endpoint["endpointUrl"] = to_std(each.endpointUrl);
    endpoint["securityMode"] = mode_name(each);
    endpoint["securityPolicy"] = policy_name(policy);
    endpoint["security"] = is_insecure(each)            ? "none"
                           : is_good(policy_of(policy)) ? "good"
                                                        : "weak";
    endpoint["inUse"] = choice.endpoint == &each;
    endpoint["securityLevel"] = static_cast<std::int64_t>(each.securityLevel);
    Json logins = json_array();
    for (const UA_UserTokenPolicy& token : tokens_of(each)) {
      const auto kind = static_cast<std::size_t>(token.tokenType);
      if (kind < kLogins.size()) logins.push_back(kLogins[kind]);
    }
    endpoint["logins"] = std::move(logins);
    all.push_back(std::move(endpoint));
  }
  return all;
}

bool same_endpoints(std::span<const UA_EndpointDescription> a,
                    std::span<const UA_EndpointDescription> b) {
  return std::ranges::is_permutation(a, b, &same_endpoint);
}

}  // namespace tributary::connectors::opcua
