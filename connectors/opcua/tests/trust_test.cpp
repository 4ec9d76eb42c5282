// One bad certificate for each step of the validation (checklist E2), and
// endpoints that were exchanged (E5).
#include "connectors/opcua/src/trust.hpp"

#include <openssl/pem.h>

#include "connectors/opcua/src/endpoint.hpp"
#include "connectors/opcua/tests/fixture.hpp"
#include "net/certificate_x509.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

constexpr const char* kUri = "urn:plant:server";

std::string to_der(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::string der_of(const std::string& pem) {
  return to_der(net::read_x509(pem).front().get());
}

// A certificate as if another one's key had issued it, whether that may do so or not.
std::string signed_by(const test::KeyPair& issuer, const std::string& der) {
  const auto signer = net::read_x509(issuer.certificate);
  const auto text = net::open_text(issuer.key);
  const net::KeyPointer key(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const net::X509Pointer made(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer.front().get()));
  X509_sign(made.get(), key.get(), EVP_sha256());
  return to_der(made.get());
}

class Trust : public ::testing::Test {
 protected:
  net::ShownCertificate shown(const std::string& der) {
    return judge(der, options_, SystemClock().utc_now());
  }
  void expect(const std::string& der, std::string_view code) {
    const auto result = shown(der);
    if (code.empty()) {
      EXPECT_TRUE(result.accepted) << result.refusal.code << ": " << result.refusal.message;
      return;
    }
    EXPECT_FALSE(result.accepted) << code;
    EXPECT_EQ(result.refusal.error_class, ErrorClass::kTrust);
    EXPECT_EQ(result.refusal.code, code) << result.refusal.message;
    EXPECT_FALSE(result.refusal.hint.empty()) << code;
    EXPECT_TRUE(result.refusal.pointer.starts_with("/settings/")) << result.refusal.pointer;
    EXPECT_EQ(result.refusal.pointer.find("tls"), std::string::npos) << result.refusal.pointer;
  }
  static const test::Authority& authority() {
    static const test::Authority made("Plant CA");
    return made;
  }
  static const test::Authority& stranger() {
    static const test::Authority made("Stranger CA");
    return made;
  }
  // Its signature is not right any more.
  static std::string forged(std::string der) {
    der.back() = static_cast<char>(der.back() ^ 1);
    return der;
  }
  static test::CertificateRequest good() { return rsa_request("plc1", kUri); }
  TrustOptions options_{
      .ca = authority().certificate(), .trusted = {}, .host = "127.0.0.1", .application_uri = kUri};
};

TEST_F(Trust, AGoodOneIsAccepted) {
  expect(der_of(authority().issue(good()).certificate), "");
}

TEST_F(Trust, E2_1_Structure) {
  expect("no certificate", "certificate_invalid");
  expect("", "certificate_invalid");
}

TEST_F(Trust, E2_2_Chain) {
  expect(der_of(stranger().issue(good()).certificate), "certificate_chain_incomplete");
  options_.ca.clear();
  expect(der_of(authority().issue(good()).certificate), "certificate_chain_incomplete");
}

TEST_F(Trust, E2_3_Signature) {
  expect(forged(der_of(authority().issue(good()).certificate)), "certificate_signature_invalid");
  // Somebody calls himself like the plant's authority.
  const test::Authority impostor("Plant CA");
  expect(der_of(impostor.issue(good()).certificate), "certificate_signature_invalid");
}

TEST_F(Trust, E2_4_Policy) {
  auto request = good();
  request.rsa_bits = 1024;
  expect(der_of(authority().issue(request).certificate), "certificate_weak");
  request.rsa_bits = 0;
  expect(der_of(authority().issue(request).certificate), "certificate_weak");
  const auto pair = authority().issue(request);
  options_.trusted.push_back(pair.certificate);
  expect(der_of(pair.certificate), "certificate_weak");
}

TEST_F(Trust, E2_5_Trust) {
  expect(der_of(stranger().issue(good()).certificate) + der_of(stranger().certificate()),
         "certificate_untrusted");
  expect(der_of(test::self_signed(good()).certificate), "certificate_untrusted");
}

TEST_F(Trust, E2_6_Time) {
  auto request = good();
  request.valid_from = -48h;
  request.valid_for = 24h;
  expect(der_of(authority().issue(request).certificate), "certificate_expired");
  request.valid_from = 24h;
  expect(der_of(authority().issue(request).certificate), "certificate_not_yet_valid");
}

TEST_F(Trust, E2_7_Host) {
  auto request = good();
  request.names = {std::string("URI:") + kUri, "DNS:plc2", "IP:192.0.2.7"};
  const std::string other = der_of(authority().issue(request).certificate);
  expect(other, "certificate_wrong_host");
  options_.host = "plc1.plant";
  expect(other, "certificate_wrong_host");
  options_.host = "plc2";
  expect(other, "");
  options_.host.clear();
  expect(other, "");
}

TEST_F(Trust, E2_8_Application) {
  options_.application_uri = "urn:plant:another";
  expect(der_of(authority().issue(good()).certificate), "certificate_wrong_application");
}

TEST_F(Trust, E2_9_Usage) {
  auto request = good();
  request.usage = "critical,digitalSignature";
  expect(der_of(authority().issue(request).certificate), "certificate_wrong_usage");
  // A server's certificate that is no authority's cannot issue another's.
  request = rsa_request("plc2", "urn:plant:plc2");
  request.usage = "critical,digitalSignature,keyEncipherment,keyCertSign";
  const auto issuer = authority().issue(request);
  const std::string issued = signed_by(issuer, der_of(authority().issue(good()).certificate));
  expect(issued + der_of(issuer.certificate), "certificate_wrong_usage");
}

TEST_F(Trust, E2_10_Revocation) {
  const auto pair = authority().issue(good());
  options_.ca += authority().revoke(pair.certificate);
  expect(der_of(pair.certificate), "certificate_revoked");
  expect(der_of(authority().issue(good()).certificate), "");
  options_.trusted.push_back(pair.certificate);
  expect(der_of(pair.certificate), "certificate_revoked");
  options_.trusted.clear();
  // There are lists, but none of this issuer; and one that nobody keeps up to date.
  options_.ca = authority().certificate() + stranger().revoke(pair.certificate);
  expect(der_of(pair.certificate), "certificate_revocation_unknown");
  options_.ca = authority().certificate() + authority().revoke(pair.certificate);
  EXPECT_EQ(
      judge(der_of(authority().issue(good()).certificate), options_, SystemClock().utc_now() + 48h)
          .refusal.code,
      "certificate_revocation_unknown");
}

// Each certificate has the fault of its step and those of all later steps: the first one is told.
TEST_F(Trust, E2_TheFirstFaultInTheOrderOfTheStepsIsTold) {
  auto worst = good();
  worst.names = {"URI:urn:plant:another", "DNS:plc2"};
  worst.usage = "critical,digitalSignature";
  worst.valid_from = -48h;
  worst.valid_for = 24h;
  auto weak = worst;
  weak.rsa_bits = 1024;
  const std::string root = der_of(stranger().certificate());
  const auto revoking = [&](const test::Authority& issuer,
                            const test::CertificateRequest& request) {
    const auto pair = issuer.issue(request);
    options_.ca = authority().certificate() + issuer.revoke(pair.certificate);
    return der_of(pair.certificate);
  };
  expect(revoking(stranger(), weak).substr(1), "certificate_invalid");
  expect(forged(revoking(stranger(), weak)), "certificate_chain_incomplete");
  expect(forged(revoking(stranger(), weak)) + root, "certificate_signature_invalid");
  expect(revoking(stranger(), weak) + root, "certificate_weak");
  expect(revoking(stranger(), worst) + root, "certificate_untrusted");
  expect(revoking(authority(), worst), "certificate_expired");
  worst.valid_for = 24h * 365;
  expect(revoking(authority(), worst), "certificate_wrong_host");
  worst.names.emplace_back("IP:127.0.0.1");
  expect(revoking(authority(), worst), "certificate_wrong_application");
  worst.names = good().names;
  expect(revoking(authority(), worst), "certificate_wrong_usage");
  worst.usage = good().usage;
  expect(revoking(authority(), worst), "certificate_revoked");
}

TEST_F(Trust, WhatAPersonAcceptedIsAcceptedForAnyHostUntilItExpires) {
  options_.ca.clear();
  options_.host = "somewhere.else";
  const auto pair = test::self_signed(good());
  options_.trusted.push_back(pair.certificate);
  expect(der_of(pair.certificate), "");
  auto old = good();
  old.valid_from = -48h;
  old.valid_for = 24h;
  const auto expired = test::self_signed(old);
  options_.trusted.push_back(expired.certificate);
  expect(der_of(expired.certificate), "certificate_expired");
}

TEST_F(Trust, TheServersOwnCertificateCanBeTheAnchor) {
  const auto pair = test::self_signed(good());
  options_.ca = pair.certificate;
  expect(der_of(pair.certificate), "");
}

// Dials one port first and another from then on.
class Detour final : public net::Network {
 public:
  Detour(net::Network& network, std::uint16_t then) : network_(network), then_(then) {}
  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint& endpoint,
                                                  SteadyTime deadline) override {
    return network_.resolve(endpoint, deadline);
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint& endpoint,
                                                  const net::Keepalive& keepalive,
                                                  SteadyTime deadline,
                                                  net::StageObserver& stages) override {
    target_ = endpoint;
    if (dialled_++ > 0) target_.port = then_;
    return network_.dial(target_, keepalive, deadline, stages);
  }

 private:
  net::Network& network_;
  std::uint16_t then_;
  net::Endpoint target_;
  int dialled_ = 0;
};

class MixUp : public OpcuaTest {};

TEST_F(MixUp, E5_EndpointsThatDifferFromThoseOfTheSecureChannelAreRefused) {
  auto options = secure_options();
  options.anonymous = false;
  const TestServer first(options);
  options.configure = [](UA_ServerConfig& config) {
    const std::size_t last = --config.endpointsSize;
    UA_EndpointDescription_clear(&config.endpoints[0]);
    std::swap(config.endpoints[0], config.endpoints[last]);
  };
  const TestServer second(std::move(options));
  Detour network(context_.network(), second.port());
  profile_ =
      profile(first.server->url(), R"({"authentication": "username", "username": "operator"})");
  auto context = context_.session_context();
  const sdk::SessionContext detoured{context.executor, context.clock,  context.timers,
                                     network,          context.events, nullptr};
  session_ = connector_->make_session(detoured, profile_).value();
  const auto refused = context_.run(session_->open(context_.in(8s), context_.stages()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().error_class, ErrorClass::kTrust) << refused.error().message;
  EXPECT_EQ(refused.error().code, "endpoints_differ");
}

}  // namespace
}  // namespace tributary::connectors::opcua
