#include "api/http.hpp"

#include "api/dispatcher.hpp"
#include "api/handlers/common.hpp"
#include "api/paging.hpp"
#include "api/preconditions.hpp"

namespace tributary::api {
namespace {

Request with_query(Pairs query) {
  Request request;
  request.query = std::move(query);
  return request;
}

TEST(Query, IsDecoded) {
  EXPECT_EQ(parse_query("a=1&b=x+y%26z&&c"), (Pairs{{"a", "1"}, {"b", "x y&z"}, {"c", ""}}));
  EXPECT_EQ(parse_query("a=%4"), std::nullopt);
  EXPECT_EQ(parse_query("a=%00"), std::nullopt);
}

TEST(Query, LimitIsBounded) {
  EXPECT_EQ(page_request(with_query({}))->limit, 100U);
  EXPECT_EQ(page_request(with_query({{"limit", ""}}))->limit, 100U);
  EXPECT_EQ(page_request(with_query({{"limit", "1000"}}))->limit, 1000U);
  for (const char* bad : {"0", "1001", "-1", "x", "1e3", "99999999999999999999"}) {
    EXPECT_EQ(page_request(with_query({{"limit", bad}})).error().status, 400) << bad;
  }
}

TEST(Paging, EveryItemComesOnceWhateverTheLimit) {
  for (std::size_t limit = 1; limit <= 6; ++limit) {
    std::vector<std::string> seen;
    PageRequest page{limit, ""};
    while (true) {
      std::vector<std::string> items{"delta", "alpha", "charlie", "bravo", "echo"};
      const Json answer = make_page(
          items, page, [](const std::string& item) { return item; },
          [](const std::string& item) { return Json(item); });
      for (const auto& item : answer.at("items").array_range())
        seen.push_back(item.as<std::string>());
      if (answer.at("next").is_null()) break;
      page = *page_request(with_query(
          {{"limit", std::to_string(limit)}, {"cursor", answer.at("next").as<std::string>()}}));
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"alpha", "bravo", "charlie", "delta", "echo"}))
        << limit;
  }
}

TEST(Paging, AMadeUpCursorIsRefused) {
  EXPECT_EQ(page_request(with_query({{"cursor", "xyz"}})).error().code, "invalid_cursor");
}

TEST(IfMatch, NamesTheVersionOrAny) {
  Request request;
  request.headers = {{"if-match", "\"3\""}};
  EXPECT_EQ(expected_version(request, 3), 3);
  EXPECT_EQ(expected_version(request, 4).error().status, 412);
  request.headers = {{"if-match", "\"1\", \"4\""}};
  EXPECT_EQ(expected_version(request, 4), 4);
  request.headers = {{"if-match", "*"}};
  EXPECT_EQ(expected_version(request, 4), 0);
  request.headers.clear();
  EXPECT_EQ(require_if_match(request).error().status, 428);
}

TEST(Cookies, AreFoundByTheirWholeName) {
  EXPECT_EQ(find_cookie("a=1; __Host-tributary=xyz; b=2", "__Host-tributary"), "xyz");
  EXPECT_EQ(find_cookie("x__Host-tributary=bad", "__Host-tributary"), "");
  EXPECT_EQ(find_cookie("", "tributary"), "");
}

TEST(Cookies, CarryEveryFlag) {
  EXPECT_EQ(session_cookie("v", true),
            "__Host-tributary=v; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(session_cookie("", false), "tributary=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST(Origin, MustBeThisServer) {
  Request request;
  request.secure = true;
  request.headers = {{"host", "hub:8443"}, {"origin", "https://hub:8443"}};
  EXPECT_TRUE(is_same_origin(request));
  request.headers[1].second = "https://hub:8443.evil.example";
  EXPECT_FALSE(is_same_origin(request));
  request.headers[1].second = "null";
  EXPECT_FALSE(is_same_origin(request));
}

TEST(BigIntegers, BecomeStringsBeyondWhatADoubleHolds) {
  auto json = parse_json(
      "{\"a\":[9007199254740992,9007199254740993,-9007199254740993],\"b\":18446744073709551615}");
  ASSERT_TRUE(json);
  stringify_big_integers(*json);
  EXPECT_EQ(to_text(*json),
            "{\"a\":[9007199254740992,\"9007199254740993\",\"-9007199254740993\"],"
            "\"b\":\"18446744073709551615\"}");
}

TEST(Replacing, BecomesAPatchThatRemovesWhatIsNotNamed) {
  auto current =
      parse_json(R"({"name":"a","settings":{"host":"h","port":502},"labels":{"x":"1"}})");
  auto wanted = parse_json(R"({"name":"a","settings":{"host":"i"},"secrets":{"password":"p"}})");
  EXPECT_EQ(to_text(handlers::patch_between(*current, *wanted)),
            R"({"labels":null,"settings":{"port":null,"host":"i"},"secrets":{"password":"p"}})");
}

TEST(Audit, NeverHoldsASecret) {
  auto body = parse_json(R"({"name":"a","secrets":{"password":"canary","token":null}})");
  ASSERT_TRUE(body);
  EXPECT_EQ(to_text(handlers::without_secrets(*body)),
            "{\"name\":\"a\",\"secrets\":{\"password\":\"(secret)\",\"token\":null}}");
}

}  // namespace
}  // namespace tributary::api
