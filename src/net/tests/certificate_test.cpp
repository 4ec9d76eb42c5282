#include "net/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tls.hpp"

namespace tributary::net {
namespace {

using testing::ElementsAre;

// Self-made: CN=broker.plant,O=Plant; broker.plant and 192.0.2.7; 2026-11-25 to 2126-11-01.
constexpr std::string_view kPem = R"(-----BEGIN CERTIFICATE-----
MIIBwzCCAWqgAwIBAgIUYgw+/EdJiotwJEJdFUQh++luR1swCgYIKoZIzj0EAwIw
JzEVMBMGA1UEAwwMYnJva2VyLnBsYW50MQ4wDAYDVQQKDAVQbGFudDAgFw0yNjEx
MjUyMjQ4NTNaGA8yMTI2MTEwMTIyNDg1M1owJzEVMBMGA1UEAwwMYnJva2VyLnBs
YW50MQ4wDAYDVQQKDAVQbGFudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAnt
bUbkj8xgsOpW08Z77ts7m0QAO8AhyLHH3jCXX9uTvK67sL5Nit29wH38lCEYLI1Q
oApBIY0EC2vowvuAqhejcjBwMB0GA1UdDgQWBBRdRRnPUqbOQs5njWEmgvzYCVXs
ATAfBgNVHSMEGDAWgBRdRRnPUqbOQs5njWEmgvzYCVXsATAPBgNVHRMBAf8EBTAD
AQH/MB0GA1UdEQQWMBSCDGJyb2tlci5wbGFudIcEwAACBzAKBggqhkjOPQQDAgNH
ADBEAh8cQC7IGNrgKssMnlYkJA+A4dLWUIllH2+FYT+yRRMPAiEAkTqoNqKa8Foi
Bm9KzVKCnG6TAz3D9DnUwV1iBSZ7A8U=
-----END CERTIFICATE-----
)";
constexpr std::string_view kSha256 =
    "301724bbbce4f155d818a7adf8393f2f8c18afbf4c0e97de5d3565c9013821d0";

TEST(Certificate, facts_are_read_from_pem) {
  const auto read = read_certificates(kPem, "The CA certificate");
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), 1U);
  const Certificate& certificate = read->front();
  EXPECT_EQ(certificate.subject, "O=Plant,CN=broker.plant");
  EXPECT_TRUE(certificate.self_signed());
  EXPECT_THAT(certificate.names, ElementsAre("broker.plant", "192.0.2.7"));
  EXPECT_EQ(format_utc(certificate.not_before), "2026-11-25T22:48:53.000Z");
  EXPECT_EQ(format_utc(certificate.not_after), "2126-11-01T22:48:53.000Z");
  EXPECT_EQ(certificate.sha256, kSha256);
  EXPECT_EQ(certificate.pem, kPem);
}

TEST(Certificate, a_description_names_subject_issuer_validity_and_fingerprint) {
  const auto certificate = read_certificates(kPem, "It").value().front();
  EXPECT_EQ(
      describe(certificate),
      "O=Plant,CN=broker.plant, issued by itself, valid 2026-11-25 to 2126-11-01, SHA-256 "
      "30:17:24:BB:BC:E4:F1:55:D8:18:A7:AD:F8:39:3F:2F:8C:18:AF:BF:4C:0E:97:DE:5D:35:65:C9:01:"
      "38:21:D0");
}

TEST(Certificate, a_chain_is_read_in_order_and_other_blocks_are_left_out) {
  const std::string chain =
      std::string(kPem) + "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n" + std::string(kPem);
  EXPECT_EQ(read_certificates(chain, "It").value().size(), 2U);
}

TEST(Certificate, text_that_holds_none_is_named_but_not_repeated) {
  for (const std::string& text :
       {std::string(), std::string("hunter2"), std::string(kPem.substr(0, 200))}) {
    const auto read = read_certificates(text, "The CA certificate");
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().error_class, ErrorClass::kConfiguration);
    EXPECT_EQ(read.error().code, "certificate_invalid");
    EXPECT_THAT(read.error().message, testing::StartsWith("The CA certificate"));
    EXPECT_THAT(read.error().message, testing::Not(testing::HasSubstr("hunter2")));
  }
}

TEST(TlsClient, addresses_are_told_from_names) {
  EXPECT_TRUE(is_address("192.0.2.7"));
  EXPECT_TRUE(is_address("2001:db8::1"));
  EXPECT_FALSE(is_address("broker.plant"));
  EXPECT_FALSE(is_address("192.0.2.plant"));
}

TEST(TlsClient, options_without_material_are_enough) {
  TlsOptions options;
  options.server_name = "broker.plant";
  EXPECT_TRUE(TlsClient::check(options).has_value());
  EXPECT_TRUE(TlsClient::make(options, UtcTime{}).has_value());
}

}  // namespace
}  // namespace tributary::net
