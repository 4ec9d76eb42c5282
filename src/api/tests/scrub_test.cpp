#include "api/diagnostics/scrub.hpp"

#include <gtest/gtest.h>

namespace tributary::api {
namespace {

// As it stands inside a JSON text.
std::string quoted(const std::string& text) {
  return to_text(Json(text));
}

TEST(Scrub, TheHubsSecretsGoWhereverAndHoweverTheyStand) {
  const std::string secret = "pa\"ss\\w\u00f6rd";
  const Scrubber scrubber({secret, "abc", "longer " + secret + "!"});
  EXPECT_EQ(scrubber.text("it is " + secret + " here"), "it is (removed) here");
  const std::string once = quoted("it is " + secret);
  EXPECT_EQ(scrubber.text(once), quoted("it is (removed)")) << "in JSON";
  EXPECT_EQ(scrubber.text(quoted(once)), quoted(quoted("it is (removed)"))) << "in JSON in JSON";
  EXPECT_EQ(scrubber.text("q=pa%22ss%5Cw%C3%B6rd"), "q=(removed)") << "in an address";
  EXPECT_EQ(scrubber.text("longer " + secret + "!"), "(removed)") << "the longest one first";
  EXPECT_EQ(scrubber.text("abcdef"), "abcdef") << "too short to be looked for";
}

TEST(Scrub, WhatLooksLikeACredentialGoes) {
  const Scrubber scrubber({});
  const auto expect = [&](const std::string& text, const std::string& scrubbed) {
    EXPECT_EQ(scrubber.text(text), scrubbed);
  };
  expect("trb_0123456789abcdef-_x", "trb_(removed)");
  expect("Authorization: Bearer abcdef.ghijkl-mn\r\n", "Authorization: Bearer (removed)\r\n");
  expect("Basic dXNlcjpwYXNz", "Basic (removed)");
  expect("https://me:it@host:1/a?b=c", "https://(removed)@host:1/a?b=c");
  expect("mqtt://host/a@b", "mqtt://host/a@b");
  expect("https://h/x?api_key=abc&y=1", "https://h/x?api_key=(removed)&y=1");
  expect("host=h password=it user=me", "host=h password=(removed) user=me");
  expect("-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nrest",
         "-----BEGIN EC PRIVATE KEY-----(removed)-----END EC PRIVATE KEY-----\nrest");
  expect("-----BEGIN PRIVATE KEY-----\nMHc cut off", "-----BEGIN PRIVATE KEY-----(removed)");
  expect("a basic thing = 4", "a basic thing = 4");
}

TEST(Scrub, MembersWithTheNameOfASecretLoseTheirValuesAtAllDepths) {
  const Scrubber scrubber({});
  const auto expect = [&](std::string_view text, std::string_view scrubbed) {
    EXPECT_EQ(scrubber.document(parse_json(text).value()), scrubbed);
  };
  expect(R"j({"host":"h","passWord":"x","pin":1})j",
         R"j({"host":"h","passWord":"(removed)","pin":1})j");
  expect(R"j([{"headers":{"X-Api-Key":"x","Accept":"y"}}])j",
         R"j([{"headers":{"X-Api-Key":"(removed)","Accept":"y"}}])j");
  expect(R"j({"headers":[{"name":"Authorization","value":"x"}]})j",
         R"j({"headers":[{"name":"Authorization","value":"(removed)"}]})j");
  expect(R"j({"credentials":{"user":"x","list":["y",7,null,true]}})j",
         R"j({"credentials":{"user":"(removed)","list":["(removed)","(removed)",null,true]}})j");
}

TEST(Scrub, WhetherASecretIsSetIsNone) {
  const std::string view =
      R"({"secrets":{"password":{"set":true,"changedAt":"2026-11-22T10:00:00Z"}}})";
  EXPECT_EQ(Scrubber({}).document(parse_json(view).value()), view);
}

}  // namespace
}  // namespace tributary::api
