// Webhooks without a server: who may call, what is signed, what becomes the record.
#include <gtest/gtest.h>

#include "orchestrate/hooks/guards.hpp"
#include "orchestrate/hooks/headers.hpp"
#include "orchestrate/hooks/rule.hpp"
#include "orchestrate/hooks/secrets.hpp"

namespace tributary::orchestrate::hooks {
namespace {

using namespace std::chrono_literals;

Json json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? *parsed : Json::null();
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

const UtcTime kNow{std::chrono::seconds{1'763'805'600}};

// ---- addresses ----

bool allows(std::vector<std::string> networks, const std::string& address) {
  AddressList list;
  for (const std::string& text : networks) {
    const auto network = Network::parse(text);
    EXPECT_TRUE(network.has_value()) << text;
    if (network) list.networks.push_back(*network);
  }
  return list.allows(address);
}

TEST(AddressList, AnEmptyListLetsEverybodyIn) {
  EXPECT_TRUE(allows({}, "203.0.113.9"));
  EXPECT_TRUE(allows({}, ""));
}

TEST(AddressList, TakesAddressesAndNetworksOfBothFamilies) {
  EXPECT_TRUE(allows({"192.0.2.7"}, "192.0.2.7"));
  EXPECT_FALSE(allows({"192.0.2.7"}, "192.0.2.8"));
  EXPECT_TRUE(allows({"192.0.2.0/24"}, "192.0.2.255"));
  EXPECT_FALSE(allows({"192.0.2.0/24"}, "192.0.3.0"));
  EXPECT_TRUE(allows({"192.0.2.128/25"}, "192.0.2.200"));
  EXPECT_FALSE(allows({"192.0.2.128/25"}, "192.0.2.127"));
  EXPECT_TRUE(allows({"0.0.0.0/0"}, "8.8.8.8"));
  EXPECT_FALSE(allows({"0.0.0.0/0"}, "2001:db8::1"));
  EXPECT_TRUE(allows({"2001:db8::/32"}, "2001:db8:ffff::1"));
  EXPECT_FALSE(allows({"2001:db8::/32"}, "2001:db9::1"));
  EXPECT_TRUE(allows({"::1", "10.0.0.0/8"}, "10.1.2.3"));
}

TEST(AddressList, AnIpv4CallerOnAnIpv6SocketIsTheSameCaller) {
  EXPECT_TRUE(allows({"192.0.2.0/24"}, "::ffff:192.0.2.7"));
  EXPECT_FALSE(allows({"192.0.2.0/24"}, "::ffff:198.51.100.1"));
}

TEST(AddressList, WhatIsNoAddressIsLetInByNoList) {
  EXPECT_FALSE(allows({"0.0.0.0/0", "::/0"}, ""));
  EXPECT_FALSE(allows({"0.0.0.0/0"}, "localhost"));
}

TEST(AddressList, RefusesSlips) {
  for (const char* text :
       {"", "localhost", "192.0.2.7/24", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/",
        "2001:db8::1/32", "2001:db8::/129", "192.0.2.0/2 4", "0300.0.2.1", "192.0.2"}) {
    EXPECT_FALSE(Network::parse(text).has_value()) << text;
  }
}

// ---- signatures ----

TEST(Hmac, GivesTheValuesOfRfc4231) {
  const Secret key("Jefe");
  const std::string_view text = "what do ya want for nothing?";
  EXPECT_EQ(hex(hmac(Algorithm::kSha256, key, text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac(Algorithm::kSha512, key, text)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

class Signatures : public testing::Test {
 protected:
  std::string sign(std::string_view text) { return hex(hmac(rule_.algorithm, secret_, text)); }
  // "right", or the fault.
  std::string check(const std::string& header, std::string_view body,
                    const std::string& timestamp = "") {
    const auto checked = check_signature(rule_, secret_, {header, timestamp, body}, kNow);
    if (checked) return "right";
    constexpr std::array<std::string_view, 4> kNames = {"missing", "wrong", "no time", "too old"};
    return std::string(kNames[static_cast<std::size_t>(checked.error())]);
  }

  SignatureRule rule_;
  Secret secret_{"key"};
};

TEST_F(Signatures, TheBodyIsSigned) {
  rule_.prefix = "sha256=";
  const std::string right = "sha256=" + sign("{\"a\": 1}");
  EXPECT_EQ(check(right, "{\"a\": 1}"), "right");
  EXPECT_EQ(check(right, "{\"a\": 2}"), "wrong");
  EXPECT_EQ(check("", "{\"a\": 1}"), "missing");
  EXPECT_EQ(check(sign("{\"a\": 1}"), "{\"a\": 1}"), "wrong");  // without the prefix
  EXPECT_EQ(check(right.substr(0, right.size() - 2), "{\"a\": 1}"), "wrong");
  EXPECT_EQ(check(right + "00", "{\"a\": 1}"), "wrong");
  EXPECT_EQ(check("sha256=", "{\"a\": 1}"), "wrong");
  EXPECT_EQ(check("sha256=zz", "{\"a\": 1}"), "wrong");
}

TEST_F(Signatures, AreWrittenInHexOrBase64) {
  EXPECT_EQ(check(sign("x"), "x"), "right");
  std::string upper = sign("x");
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(check(upper, "x"), "right");
  rule_.encoding = Encoding::kBase64;
  EXPECT_EQ(check(sign("x"), "x"), "wrong");
  EXPECT_EQ(check("T8O36vNNfllKb1HZUXulQ6v0EGeydYf/2CujWE5NPN0=", "x"), "right");
}

TEST_F(Signatures, AnotherKeyOrAlgorithmIsWrong) {
  const std::string header = sign("x");
  secret_ = Secret("other");
  EXPECT_EQ(check(header, "x"), "wrong");
  secret_ = Secret("key");
  rule_.algorithm = Algorithm::kSha512;
  EXPECT_EQ(check(header, "x"), "wrong");
  EXPECT_EQ(check(sign("x"), "x"), "right");
}

TEST_F(Signatures, ATimeIsPartOfWhatIsSignedAndMayBeNeitherOldNorAhead) {
  rule_.timestamp_header = "x-time";
  rule_.signed_text = "v0:{timestamp}:{body}";
  rule_.tolerance = 300s;
  const auto at = [&](std::int64_t offset) {
    const std::string time = std::to_string(1'763'805'600 + offset);
    return check(sign("v0:" + time + ":x"), "x", time);
  };
  EXPECT_EQ(at(0), "right");
  EXPECT_EQ(at(-300), "right");
  EXPECT_EQ(at(-301), "too old");
  EXPECT_EQ(at(300), "right");
  EXPECT_EQ(at(301), "too old");
  EXPECT_EQ(check(sign("v0:1763805600:x"), "x", "1763805601"), "wrong");
  EXPECT_EQ(check(sign("v0::x"), "x", ""), "no time");
  EXPECT_EQ(check(sign("v0:1763805600000:x"), "x", "1763805600000"), "no time");
  EXPECT_EQ(check(sign("v0:-1:x"), "x", "-1"), "no time");
}

TEST_F(Signatures, AListHoldsTheTimeAndPerhapsTwoSignaturesWhileKeysChange) {
  rule_.list = true;
  rule_.prefix = "v1=";
  rule_.signed_text = "{timestamp}.{body}";
  rule_.tolerance = 300s;
  const std::string right = "v1=" + sign("1763805600.x");
  EXPECT_EQ(check("t=1763805600," + right, "x"), "right");
  EXPECT_EQ(check("t=1763805600, v1=00, v0=zz, " + right, "x"), "right");
  EXPECT_EQ(check("t=1763805601," + right, "x"), "wrong");
  EXPECT_EQ(check(right, "x"), "no time");
  std::string many = "t=1763805600";
  for (int i = 0; i < 8; ++i) many += ",v1=00";
  EXPECT_EQ(check(many + "," + right, "x"), "wrong");  // only so many are tried
}

TEST_F(Signatures, ASignatureInOtherLettersIsTheSameForWhoeverRemembersIt) {
  std::string upper = sign("x");
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  const auto first = check_signature(rule_, secret_, {sign("x"), "", "x"}, kNow);
  const auto second = check_signature(rule_, secret_, {upper, "", "x"}, kNow);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

// ---- what is let in ----

Call call(std::string_view body = "", std::string_view type = "application/json") {
  Call made;
  made.method = "POST";
  made.path = "orders";
  made.remote = "192.0.2.7";
  made.body = std::string(body);
  if (!type.empty()) made.headers.emplace_back("content-type", std::string(type));
  return made;
}

TEST(Rule, TheHeadIsEnoughToRefuse) {
  Rule rule = read_rule(json(R"({"path": "orders", "methods": ["POST"], "maxBytes": 10,
    "authentication": {"type": "header", "header": "X-Key"}, "allow": ["192.0.2.0/24"]})"));
  const Secret secret("open sesame");
  const auto code = [&](const Call& made) {
    const auto checked = check_head(rule, made, secret);
    return checked ? 0 : checked.error().status;
  };
  Call made = call();
  EXPECT_EQ(code(made), 401);
  made.headers.emplace_back("x-key", "open sesam");
  EXPECT_EQ(code(made), 401);
  made.headers.back().second = "open sesame";
  EXPECT_EQ(code(made), 0);
  made.length = 11;
  EXPECT_EQ(code(made), 413);
  made.length = 10;
  EXPECT_EQ(code(made), 0);
  made.remote = "198.51.100.1";
  EXPECT_EQ(code(made), 403);
}

TEST(Rule, PathsAreNarrow) {
  for (const char* path : {"a", "orders/new", "A-b_c.d", "v1.2/x"})
    EXPECT_TRUE(is_usable_path(path));
  for (const char* path : {"", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "./a", "a b", "a%20",
                           "ä", "a?b", "a#b", "{id}", "a\r\nb"}) {
    EXPECT_FALSE(is_usable_path(path)) << path;
  }
  EXPECT_FALSE(is_usable_path(std::string(201, 'a')));
}

// ---- records ----

Json record_of(const Call& made, const Rule& rule = {}) {
  auto record = make_record(rule, made, "t", kNow);
  EXPECT_TRUE(record.has_value()) << (record ? "" : record.error().message);
  return record.value_or(Json::null());
}
std::string body_of(std::string_view body, std::string_view type) {
  return to_text(get_member(record_of(call(body, type)), "body"));
}

TEST(HookRecord, HasBodyHeadersQueryMethodAndMeta) {
  Call made = call(R"({"a": 1})");
  made.query = {{"line", "3"}, {"tag", "x"}, {"tag", "y"}};
  EXPECT_EQ(
      to_text(record_of(made)),
      R"({"body":{"a":1},"headers":{"content-type":"application/json"},"query":{"line":"3","tag":["x","y"]},)"
      R"("method":"POST","$meta":{"trigger":"t","time":"2025-11-22T10:00:00.000Z","path":"orders",)"
      R"("remote":"192.0.2.7","contentType":"application/json"}})");
}

TEST(HookRecord, TheBodyIsWhatItsTypeSays) {
  EXPECT_EQ(body_of("[1,2]", "application/json; charset=utf-8"), "[1,2]");
  EXPECT_EQ(body_of("7", "application/vnd.api+json"), "7");
  EXPECT_EQ(body_of("a=1&b=%C3%A4+x&a=2&c", "application/x-www-form-urlencoded"),
            R"({"a":["1","2"],"b":"ä x","c":""})");
  EXPECT_EQ(body_of("hello", "text/plain"), R"("hello")");
  EXPECT_EQ(body_of("<a/>", "application/xml"), R"("<a/>")");
  EXPECT_EQ(body_of("", "application/json"), "null");
  EXPECT_EQ(body_of("\xff\x01", "application/octet-stream"), R"("/wE=")");
  EXPECT_EQ(body_of("abc", ""), R"("YWJj")");
}

TEST(HookRecord, BytesAreMarked) {
  const auto encoding = [](std::string_view body, std::string_view type) {
    return get_string(get_member(record_of(call(body, type)), "$meta"), "encoding");
  };
  EXPECT_EQ(encoding("abc", "image/png"), "base64");
  EXPECT_EQ(encoding("\xff", "text/plain"), "base64");  // no UTF-8, whatever it says
  EXPECT_EQ(encoding("abc", "text/plain"), "");
}

TEST(HookRecord, WhatCannotBeReadIsRefused) {
  const auto status = [](std::string_view body, std::string_view type) {
    const auto record = make_record({}, call(body, type), "t", kNow);
    return record ? 0 : record.error().status;
  };
  EXPECT_EQ(status("{", "application/json"), 400);
  EXPECT_EQ(status(std::string(70, '[') + std::string(70, ']'), "application/json"), 400);
  EXPECT_EQ(status("a=%4", "application/x-www-form-urlencoded"), 400);
  EXPECT_EQ(status("a=%ff", "application/x-www-form-urlencoded"), 400);
}

TEST(HookRecord, CredentialsAreNotPartOfIt) {
  Call made = call("1");
  made.headers.insert(made.headers.end(), {{"authorization", "Bearer x"},
                                           {"cookie", "session=1"},
                                           {"x-key", "open sesame"},
                                           {"x-other", "stays"}});
  Rule rule;
  rule.authentication = Authentication::kHeader;
  rule.header = "x-key";
  EXPECT_EQ(to_text(get_member(record_of(made, rule), "headers")),
            R"({"content-type":"application/json","x-other":"stays"})");
}

// ---- guards ----

TEST(RateLimit, LetsABurstThroughAndThenTheRate) {
  RateLimit limit;
  SteadyTime now{1h};
  int taken = 0;
  while (!limit.take(600, now) && taken < 1000) ++taken;
  EXPECT_EQ(taken, 100);
  const auto wait = limit.take(600, now);
  ASSERT_TRUE(wait);
  EXPECT_NEAR(to_seconds(*wait), 0.1, 0.001);
  EXPECT_FALSE(limit.take(600, now + 101ms));
  EXPECT_TRUE(limit.take(600, now + 102ms));
}

TEST(ReplayGuard, KnowsACallUntilItsTimeIsOver) {
  ReplayGuard guard;
  const SteadyTime now{1h};
  EXPECT_TRUE(guard.remember("a", now, 10s));
  EXPECT_FALSE(guard.remember("a", now + 9s, 10s));
  EXPECT_TRUE(guard.remember("b", now + 9s, 10s));
  EXPECT_TRUE(guard.remember("a", now + 10s, 10s));
  guard.forget("b");
  EXPECT_TRUE(guard.remember("b", now + 11s, 10s));
}

TEST(ReplayGuard, IsBounded) {
  ReplayGuard guard;
  const SteadyTime now{1h};
  for (std::size_t i = 0; i <= ReplayGuard::kMostRemembered; ++i)
    EXPECT_TRUE(guard.remember(std::to_string(i), now, 1h));
  EXPECT_TRUE(guard.remember("0", now, 1h));  // the oldest is forgotten
  EXPECT_FALSE(guard.remember("100", now, 1h));
}

TEST(Headers, CannotHoldAnotherHeaderOrAnotherAnswer) {
  EXPECT_TRUE(is_header_value("text/html; charset=utf-8"));
  EXPECT_TRUE(is_header_value(""));
  for (const char* value : {"a\r\nSet-Cookie: x", "a\nb", "a\rb", "ä", "\x7f", "\x01"})
    EXPECT_FALSE(is_header_value(value));
  EXPECT_FALSE(is_header_value(std::string("a\0b", 3)));
  EXPECT_FALSE(is_header_value(std::string(4097, 'a')));
  EXPECT_TRUE(is_header_name("X-Order"));
  for (const char* name : {"", "X Order", "X:Order", "X\r\nY", "Ä"})
    EXPECT_FALSE(is_header_name(name));
  for (const char* name : {"Set-Cookie", "content-length", "Transfer-Encoding", "CONNECTION",
                           "Access-Control-Allow-Origin", "Content-Security-Policy"}) {
    EXPECT_TRUE(is_reserved_header(name)) << name;
  }
  EXPECT_FALSE(is_reserved_header("Content-Type"));
}

// ---- secrets ----

TEST(HookSecrets, NeverStayInADocumentThatPeopleRead) {
  const Json body = json(R"({"name": "x", "nodes": [
    {"id": "t", "type": "trigger.webhook", "settings": {"path": "a", "secret": "open sesame"}},
    {"id": "s", "type": "set", "settings": {"fields": {"secret": "stays"}}}]})");
  const std::string text = to_text(without_secrets(body));
  EXPECT_EQ(text.find("open sesame"), std::string::npos);
  EXPECT_NE(text.find("(secret)"), std::string::npos);
  EXPECT_NE(text.find("stays"), std::string::npos);
}

}  // namespace
}  // namespace tributary::orchestrate::hooks
