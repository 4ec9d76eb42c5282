// Who may do what: every route, with every kind of credential.
#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::Reply;

class AccessTest : public test::HubTest {
 protected:
  std::string path_of(const Route& route) {
    std::string path(route.path);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "x");
    return path;
  }
  // The cookie of the administrator, made with the setup code.
  std::string sign_in() {
    std::string code;
    on_control([&] { code = auth_->make_setup_code(); });
    const Reply reply =
        ask("POST", "/api/v1/auth/setup",
            fmt::format(R"({{"code":"{}","username":"anna","password":"correct horse battery"}})",
                        code),
            "");
    EXPECT_EQ(reply.status, 201) << reply.body;
    const std::string cookie = reply.header("Set-Cookie");
    return "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  }
};

TEST_F(AccessTest, NothingButThePublicRoutesAnswersStrangers) {
  start();
  for (const Route& route : all_routes()) {
    for (const char* headers :
         {"", "Authorization: Bearer trb_wrong\r\n", "Authorization: Basic YTpi\r\n",
          "Cookie: tributary=wrong\r\n", "Cookie: __Host-tributary=wrong\r\n"}) {
      const Reply reply = ask(route.method, path_of(route), {}, headers);
      if (route.policy == Policy::kPublic) {
        EXPECT_NE(reply.status, 401) << route.method << " " << route.path;
      } else {
        EXPECT_EQ(reply.status, 401) << route.method << " " << route.path << " " << headers;
        EXPECT_EQ(reply.json().at("code"), "not_authenticated");
      }
    }
  }
}

TEST_F(AccessTest, ATokenOpensEveryRouteButThoseForPersons) {
  start();
  for (const Route& route : all_routes()) {
    const Reply reply = ask(route.method, path_of(route));
    EXPECT_NE(reply.status, 401) << route.method << " " << route.path;
    EXPECT_EQ(reply.status == 403, route.policy == Policy::kPerson)
        << route.method << " " << route.path;
    EXPECT_LT(reply.status, 500) << route.method << " " << route.path << reply.body;
  }
}

TEST_F(AccessTest, UnknownPathsAndMethodsTellStrangersNothing) {
  start();
  EXPECT_EQ(ask("GET", "/api/v1/nothing", {}, "").status, 401);
  EXPECT_EQ(ask("PATCH", "/api/v1/connections", {}, "").status, 401);
  EXPECT_EQ(ask("GET", "/api/v1/nothing").status, 404);
  const Reply reply = ask("PATCH", "/api/v1/connections");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.header("Allow"), "GET, HEAD, POST");
}

TEST_F(AccessTest, ACookieAloneChangesNothing) {
  start();
  const std::string cookie = sign_in();
  const char* body = R"({"name":"a","type":"counter","settings":{"host":"h"}})";
  EXPECT_EQ(ask("GET", "/api/v1/auth/me", {}, cookie).json().at("name"), "anna");
  EXPECT_EQ(ask("POST", "/api/v1/connections", body, cookie).status, 403);
  EXPECT_EQ(
      ask("POST", "/api/v1/connections", body, cookie + "Origin: https://evil.example\r\n").status,
      403);
  EXPECT_EQ(ask("POST", "/api/v1/connections", body,
                cookie + "X-Requested-With: tributary\r\nOrigin: https://evil.example\r\n")
                .status,
            403);
  EXPECT_EQ(ask("POST", "/api/v1/connections", body,
                cookie + "X-Requested-With: tributary\r\nSec-Fetch-Site: cross-site\r\n")
                .status,
            403);
  EXPECT_EQ(
      ask("POST", "/api/v1/connections", body, cookie + "X-Requested-With: tributary\r\n").status,
      201);
}

TEST_F(AccessTest, ASessionEndsWithItsLogout) {
  start();
  const std::string cookie = sign_in();
  const Reply out =
      ask("POST", "/api/v1/auth/logout", {}, cookie + "X-Requested-With: tributary\r\n");
  EXPECT_EQ(out.status, 204);
  EXPECT_NE(out.header("Set-Cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/auth/me", {}, cookie).status, 401);
}

TEST_F(AccessTest, APersonMakesATokenThatIsShownOnce) {
  start();
  const std::string cookie = sign_in() + "X-Requested-With: tributary\r\n";
  const Reply made = ask("POST", "/api/v1/tokens", R"({"name":"ci"})", cookie);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string token = made.json().at("token").as<std::string>();
  EXPECT_EQ(ask("GET", "/api/v1/auth/me", {}, "Authorization: Bearer " + token + "\r\n").status,
            200);
  const Reply list = ask("GET", "/api/v1/tokens");
  EXPECT_EQ(list.body.find(token), std::string::npos);
}

}  // namespace
}  // namespace tributary::api
