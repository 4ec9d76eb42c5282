// H1 and the pure half of H2: what the hub refuses to send to, in every spelling.
#include <gtest/gtest.h>

#include "http/egress.hpp"

namespace tributary::http {
namespace {

std::string code_of(const EgressGuard& guard, std::string_view url) {
  const auto target = guard.check_url(url);
  return target ? "" : target.error().code;
}

TEST(Egress, ReceiversOfThePlantAreAllowed) {
  const EgressGuard guard;
  for (const auto* url :
       {"http://192.168.1.10/hook", "https://10.0.0.7:8443/", "http://172.16.3.4:9000",
        "http://alarms.plant.example/notify?line=3", "https://[2001:db8::7]:8443/x",
        "http://[fd12:3456::1]/", "HTTP://Alarms.Example./"}) {
    EXPECT_EQ(code_of(guard, url), "") << url;
  }
}

TEST(Egress, AUrlIsTakenApartInOneWayOnly) {
  const auto target = EgressGuard().check_url("HTTPS://Alarms.Example.:8443/Notify?line=3#part");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host, "alarms.example");
  EXPECT_EQ(target->port, 8443);
  EXPECT_EQ(target->path, "/Notify?line=3");
  EXPECT_EQ(target->url(), "https://alarms.example:8443/Notify?line=3");
  EXPECT_EQ(EgressGuard().check_url("http://[2001:db8::7]")->url(), "http://[2001:db8::7]:80/");
}

TEST(Egress, H1ThisMachineAndLocalAddressesAreRefused) {
  const EgressGuard guard;
  for (const auto* url :
       {"http://127.0.0.1/", "http://127.8.9.1:9000/", "http://localhost/", "http://LOCALHOST./",
        "http://a.localhost/", "http://ip6-localhost/", "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/", "http://0.0.0.0/", "http://0.1.2.3/", "http://[::]/",
        "http://[fe80::1]/", "http://169.254.7.7/", "http://224.0.0.251/",
        "http://255.255.255.255/", "http://[ff02::1]/"}) {
    EXPECT_EQ(code_of(guard, url), "egress_refused") << url;
  }
}

TEST(Egress, H1MetadataAddressesAndNamesAreRefused) {
  const EgressGuard guard;
  for (const auto* url :
       {"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/",
        "http://[fd20:ce::254]/", "http://100.100.100.200/", "http://metadata.google.internal/",
        "http://metadata/", "http://Instance-Data/"}) {
    EXPECT_EQ(code_of(guard, url), "egress_refused") << url;
  }
}

TEST(Egress, H1AnIPv4AddressInsideAnIPv6OneIsSeen) {
  const EgressGuard guard;
  for (const auto* url :
       {"http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/",
        "http://[2002:7f00:1::]/"}) {
    EXPECT_EQ(code_of(guard, url), "egress_refused") << url;
  }
  EXPECT_EQ(code_of(guard, "http://[::ffff:192.0.2.10]/"), "");
}

TEST(Egress, H1UnusualSpellingsOfAddressesAreRefused) {
  const EgressGuard guard;
  for (const auto* url :
       {"http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/",
        "http://127.1/", "http://127.0.1/", "http://0x7F.1/", "http://017700000001/",
        "http://192.0.2.010/", "http://127.0.0.1.:80a/", "http://%31%32%37.0.0.1/",
        "http://[127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://\xe2\x91\xa0\xe2\x91\xa1.0.0.1/",
        "http://[::1/", "http://[::1]x/", "http://a..b/", "http:///hook", "http://.example/"}) {
    EXPECT_EQ(code_of(guard, url), "invalid_url") << url;
  }
}

TEST(Egress, H1OtherSchemesAndCredentialsAreRefused) {
  const EgressGuard guard;
  for (const auto* url :
       {"file:///etc/passwd", "gopher://192.0.2.1/", "ftp://192.0.2.1/", "unix:///run/x.sock",
        "//192.0.2.1/", "192.0.2.1/hook", "", "http://user:pw@192.0.2.1/", "http://u@192.0.2.1/",
        "http://192.0.2.1@127.0.0.1/", "http://192.0.2.1\\@127.0.0.1/", "http://192.0.2.1/a b",
        "http://192.0.2.1/\r\nHost: x", "http://192.0.2.1:0/", "http://192.0.2.1:65536/",
        "http://192.0.2.1:80x/"}) {
    EXPECT_EQ(code_of(guard, url), "invalid_url") << url;
  }
  EXPECT_EQ(code_of(guard, "http://x/" + std::string(kMaxUrl, 'a')), "invalid_url");
}

TEST(Egress, H1TheHubsOwnListenersAreRefusedAndOtherPortsOfTheMachineAreNot) {
  const EgressGuard guard(
      {}, [] { return std::vector<net::Address>{{"192.0.2.5", 8443}, {"2001:db8::5", 8443}}; });
  EXPECT_EQ(code_of(guard, "https://192.0.2.5:8443/api/v1/pipelines"), "egress_refused");
  EXPECT_EQ(code_of(guard, "https://[2001:DB8:0::5]:8443/"), "egress_refused");
  EXPECT_EQ(code_of(guard, "https://[::ffff:192.0.2.5]:8443/"), "egress_refused");
  EXPECT_EQ(code_of(guard, "https://192.0.2.5:9000/"), "");
}

TEST(Egress, H2EveryAddressOfANameIsChecked) {
  const EgressGuard guard;
  const auto target = guard.check_url("http://alarms.example/");
  ASSERT_TRUE(target);
  EXPECT_TRUE(guard.check_address(*target, "192.0.2.10"));
  const auto refused = guard.check_address(*target, "127.0.0.1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "egress_refused");
  EXPECT_EQ(refused.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(refused.error().pointer, "/url");
  EXPECT_TRUE(refused.error().message.contains("alarms.example (127.0.0.1)"))
      << refused.error().message;
}

TEST(Egress, WhatTheAdministratorListsIsAllowedWithItsPortOnly) {
  const EgressGuard guard({{"127.0.0.1", 9000}, {"LocalHost", 9001}, {"alarms.example", 80}});
  EXPECT_EQ(code_of(guard, "http://127.0.0.1:9000/"), "");
  EXPECT_EQ(code_of(guard, "http://127.0.0.1:9001/"), "egress_refused");
  EXPECT_EQ(code_of(guard, "http://localhost:9001/"), "");
  EXPECT_EQ(code_of(guard, "http://localhost:9000/"), "egress_refused");
  const auto named = guard.check_url("http://alarms.example/");
  EXPECT_TRUE(guard.check_address(*named, "127.0.0.1"));
}

}  // namespace
}  // namespace tributary::http
