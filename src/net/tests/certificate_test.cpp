#include "net/certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/tests/plant_certificate.hpp"
#include "net/tls.hpp"

namespace tributary::net {
namespace {

using testing::ElementsAre;

constexpr std::string_view kSha256 =
    "301724bbbce4f155d818a7adf8393f2f8c18afbf4c0e97de5d3565c9013821d0";

TEST(Certificate, facts_are_read_from_pem) {
  const auto read = read_certificates(test::kPlantCertificate, "The CA certificate");
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), 1U);
  const Certificate& certificate = read->front();
  EXPECT_EQ(certificate.subject, "O=Plant,CN=broker.plant");
  EXPECT_TRUE(certificate.self_signed());
  EXPECT_THAT(certificate.names, ElementsAre("broker.plant", "192.0.2.7"));
  EXPECT_EQ(format_utc(certificate.not_before), "2026-11-25T22:48:53.000Z");
  EXPECT_EQ(format_utc(certificate.not_after), "2126-11-01T22:48:53.000Z");
  EXPECT_EQ(certificate.sha256, kSha256);
  EXPECT_EQ(certificate.pem, test::kPlantCertificate);
}

TEST(Certificate, a_description_names_subject_issuer_validity_and_fingerprint) {
  const auto certificate = read_certificates(test::kPlantCertificate, "It").value().front();
  EXPECT_EQ(
      describe(certificate),
      "O=Plant,CN=broker.plant, issued by itself, valid 2026-11-25 to 2126-11-01, SHA-256 "
      "30:17:24:BB:BC:E4:F1:55:D8:18:A7:AD:F8:39:3F:2F:8C:18:AF:BF:4C:0E:97:DE:5D:35:65:C9:01:"
      "38:21:D0");
}

TEST(Certificate, a_chain_is_read_in_order_and_other_blocks_are_left_out) {
  const std::string chain = std::string(test::kPlantCertificate) +
                            "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n" +
                            std::string(test::kPlantCertificate);
  EXPECT_EQ(read_certificates(chain, "It").value().size(), 2U);
}

TEST(Certificate, text_that_holds_none_is_named_but_not_repeated) {
  for (const std::string& text : {std::string(), std::string("hunter2"),
                                  std::string(test::kPlantCertificate.substr(0, 200))}) {
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
