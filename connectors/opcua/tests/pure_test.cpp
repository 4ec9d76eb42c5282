// Node ids, URLs and the choice of an endpoint: no server.
#include <gmock/gmock.h>

#include "connectors/opcua/src/endpoint.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/node_id.hpp"

namespace tributary::connectors::opcua {
namespace {

const Namespaces kNamespaces = {"http://opcfoundation.org/UA/", "urn:server",
                                "http://plant/100%;x"};

TEST(NodeIds, ComeBackAsTheyWereWritten) {
  for (const std::string text :
       {"i=2258", "i=4294967295", "nsu=urn:server;s=Filler.Speed", "nsu=urn:server;s=a;b=c",
        "nsu=http://plant/100%25%3Bx;i=1", "nsu=urn:server;g=6b29fc40-ca47-1067-b31d-00dd010662da",
        "nsu=urn:server;b=AQID"}) {
    const auto name = parse_node_id(text, "");
    ASSERT_TRUE(name.has_value()) << text;
    const auto id = resolve(**name, kNamespaces);
    ASSERT_TRUE(id.has_value()) << text;
    EXPECT_EQ(to_text(**id, kNamespaces), text);
  }
}

TEST(NodeIds, AnIndexIsTakenAsItIsAndShownByItsUri) {
  const auto name = parse_node_id("ns=1;s=x", "").value();
  EXPECT_EQ(to_text(*resolve(*name, kNamespaces).value(), kNamespaces), "nsu=urn:server;s=x");
  const auto beyond = parse_node_id("ns=9;s=x", "").value();
  EXPECT_EQ(to_text(*resolve(*beyond, kNamespaces).value(), kNamespaces), "ns=9;s=x");
}

TEST(NodeIds, TheUriCountsAndNotTheIndex) {
  const auto name = parse_node_id("nsu=urn:server;s=x", "").value();
  const Namespaces shifted = {"http://opcfoundation.org/UA/", "urn:new", "urn:server"};
  EXPECT_EQ(resolve(*name, shifted).value()->namespaceIndex, 2);
  const auto gone = resolve(*name, {"http://opcfoundation.org/UA/"});
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, "namespace_unknown");
}

TEST(NodeIds, WhatIsNoneIsRefusedWithItsPlace) {
  for (const auto* text :
       {"", "s=", "x=1", "i=", "i=-1", "i=4294967296", "ns=;s=a", "ns=65536;s=a", "ns=1",
        "nsu=;s=a", "nsu=a", "nsu=a%2;s=b", "g=1", "b=%", "Filler", "ns=2,s=x"}) {
    const auto name = parse_node_id(text, "/settings/nodes/3/nodeId");
    ASSERT_FALSE(name.has_value()) << text;
    EXPECT_EQ(name.error().code, "invalid_node_id");
    EXPECT_EQ(name.error().pointer, "/settings/nodes/3/nodeId");
  }
}

TEST(Urls, GiveHostAndPort) {
  const auto check = [](const std::string& url, const std::string& host, std::uint16_t port) {
    const auto endpoint = parse_url(url);
    ASSERT_TRUE(endpoint.has_value()) << url;
    EXPECT_EQ(endpoint->host, host) << url;
    EXPECT_EQ(endpoint->port, port) << url;
  };
  check("opc.tcp://plc1", "plc1", 4840);
  check("opc.tcp://plc1:1234/UA/Server", "plc1", 1234);
  check("opc.tcp://[2001:db8::1]:4841", "2001:db8::1", 4841);
  for (const auto* bad : {"http://plc1", "opc.tcp://", "opc.tcp://:4840", "opc.tcp://plc1:0",
                          "opc.tcp://plc1:70000", "opc.tcp://plc1:x", "opc.tcp://[::1"})
    EXPECT_FALSE(parse_url(bad).has_value()) << bad;
}

TEST(StatusCodes, HaveStableNames) {
  EXPECT_EQ(status_code(0x80340000), "bad_node_id_unknown");
  EXPECT_EQ(status_name(0x80340480), "BadNodeIdUnknown");
  EXPECT_EQ(status_name(0x8FFF0000), "0x8FFF0000");
  EXPECT_EQ(service_error(0x80340000, "reading", "plc1").error_class, ErrorClass::kFunction);
}

// A server's list of endpoints.
class Endpoints {
 public:
  Endpoints& add(UA_MessageSecurityMode mode, std::string_view policy,
                 std::vector<std::pair<UA_UserTokenType, std::string>> tokens = {
                     {UA_USERTOKENTYPE_ANONYMOUS, ""}}) {
    Owned<UA_EndpointDescription> endpoint;
    endpoint->securityMode = mode;
    endpoint->securityPolicyUri =
        copy_of("http://opcfoundation.org/UA/SecurityPolicy#" + std::string(policy));
    endpoint->userIdentityTokens =
        new_array<UA_UserTokenPolicy>(tokens.size(), UA_TYPES[UA_TYPES_USERTOKENPOLICY]);
    endpoint->userIdentityTokensSize = tokens.size();
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      endpoint->userIdentityTokens[i].tokenType = tokens[i].first;
      if (!tokens[i].second.empty())
        endpoint->userIdentityTokens[i].securityPolicyUri =
            copy_of("http://opcfoundation.org/UA/SecurityPolicy#" + tokens[i].second);
    }
    owned_.push_back(std::move(endpoint));
    return *this;
  }
  std::vector<UA_EndpointDescription> list() const {
    std::vector<UA_EndpointDescription> plain;
    for (const auto& each : owned_) plain.push_back(*each);
    return plain;
  }

 private:
  std::vector<Owned<UA_EndpointDescription>> owned_;
};

std::string chosen(const Endpoints& offered, const ConnectionSettings& settings) {
  const auto list = offered.list();
  const auto choice = choose_endpoint(list, settings);
  if (!choice) return choice.error().code;
  const auto policy = view(choice->endpoint->securityPolicyUri);
  return fmt::format("{}:{}", static_cast<int>(choice->endpoint->securityMode),
                     policy.substr(policy.find('#') + 1));
}

// Checklist E1.
TEST(Choosing, TheBestGoodPolicyIsTakenAndWeakOnesNever) {
  Endpoints offered;
  offered.add(UA_MESSAGESECURITYMODE_NONE, "None")
      .add(UA_MESSAGESECURITYMODE_SIGNANDENCRYPT, "Basic128Rsa15");
  EXPECT_EQ(chosen(offered, {}), "no_common_security");
  offered.add(UA_MESSAGESECURITYMODE_SIGNANDENCRYPT, "Basic256Sha256");
  EXPECT_EQ(chosen(offered, {}), "3:Basic256Sha256");
  offered.add(UA_MESSAGESECURITYMODE_SIGN, "Aes256_Sha256_RsaPss");
  EXPECT_EQ(chosen(offered, {}), "3:Basic256Sha256");
  offered.add(UA_MESSAGESECURITYMODE_SIGNANDENCRYPT, "Aes256_Sha256_RsaPss");
  EXPECT_EQ(chosen(offered, {}), "3:Aes256_Sha256_RsaPss");
  ConnectionSettings one;
  one.security_policy = ConnectionSettings::SecurityPolicy::kAes128Sha256RsaOaep;
  EXPECT_EQ(chosen(offered, one), "no_common_security");
  const auto list = offered.list();
  const auto refused = choose_endpoint(list, one);
  EXPECT_THAT(refused.error().message,
              ::testing::HasSubstr("SignAndEncrypt with Basic128Rsa15 (weak)"));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("None (insecure)"));
}

TEST(Choosing, APasswordNeedsProtection) {
  ConnectionSettings user;
  user.authentication = ConnectionSettings::Authentication::kUsername;
  user.security_mode = ConnectionSettings::SecurityMode::kSign;
  const auto with = [](const char* token) {
    Endpoints made;
    made.add(UA_MESSAGESECURITYMODE_SIGN, "Basic256Sha256", {{UA_USERTOKENTYPE_USERNAME, token}});
    return made;
  };
  EXPECT_EQ(chosen(with("None"), user), "password_unprotected");
  EXPECT_EQ(chosen(with("Basic256"), user), "password_unprotected");
  EXPECT_EQ(chosen(with("Basic256Sha256"), user), "2:Basic256Sha256");
  EXPECT_EQ(chosen(with(""), user), "2:Basic256Sha256") << "the policy of the endpoint protects it";
  EXPECT_EQ(chosen(Endpoints().add(UA_MESSAGESECURITYMODE_SIGN, "Basic256Sha256"), user),
            "login_not_offered");
  user.security_mode = ConnectionSettings::SecurityMode::kSignAndEncrypt;
  EXPECT_EQ(chosen(Endpoints().add(UA_MESSAGESECURITYMODE_SIGNANDENCRYPT, "Basic256Sha256",
                                   {{UA_USERTOKENTYPE_USERNAME, "None"}}),
                   user),
            "3:Basic256Sha256")
      << "the channel encrypts it";
}

TEST(Choosing, ListsAreComparedWhateverTheirOrder) {
  Endpoints a;
  a.add(UA_MESSAGESECURITYMODE_SIGN, "Basic256Sha256").add(UA_MESSAGESECURITYMODE_NONE, "None");
  Endpoints b;
  b.add(UA_MESSAGESECURITYMODE_NONE, "None").add(UA_MESSAGESECURITYMODE_SIGN, "Basic256Sha256");
  const auto list_a = a.list();
  EXPECT_TRUE(same_endpoints(list_a, b.list()));
  b.add(UA_MESSAGESECURITYMODE_SIGN, "Basic256");
  EXPECT_FALSE(same_endpoints(list_a, b.list()));
}

}  // namespace
}  // namespace tributary::connectors::opcua
