#include "schema/formats.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tributary::schema {
namespace {

TEST(Hostname, TakesNamesAndAddresses) {
  for (const auto* text :
       {"plc", "plc-1.line3.example.com", "my_device", "example.com.", "192.0.2.10", "2001:db8::1",
        "::1", "fe80::1%eth0", "3com.example", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(is_host(text)) << text;
  }
  EXPECT_TRUE(is_host(std::string(63, 'a')));
}

TEST(Hostname, RefusesEverythingElse) {
  for (const auto* text :
       {"", ".", "a b", "a..b", "-a", "a-", "http://plc", "plc:502", "plc/1", "192.0.2.256",
        "192.0.2", "1:2", "fe80::1%", "[::1]", "ä.example", " plc"}) {
    EXPECT_FALSE(is_host(text)) << text;
  }
  EXPECT_FALSE(is_host(std::string(64, 'a')));
  std::string many;
  while (many.size() < 256) many += "a.";
  EXPECT_FALSE(is_host(many));
  EXPECT_FALSE(is_host(std::string_view("plc\0evil", 8)));
}

TEST(Uri, NeedsASchemeAndCleanText) {
  for (const auto* text : {"https://example.com", "opc.tcp://plc:4840/path", "urn:example:a",
                           "file:///data", "mqtt://[::1]:1883"}) {
    EXPECT_TRUE(is_uri(text)) << text;
  }
  for (const auto* text :
       {"", "example.com", "//example.com", "https://", "https:///path", "https://a b", "1http://a",
        ":a", "https://a<b", "https:", "ht tp://a"}) {
    EXPECT_FALSE(is_uri(text)) << text;
  }
}

}  // namespace
}  // namespace tributary::schema
