#include "api/router.hpp"

#include <fstream>
#include <set>

namespace tributary::api {
namespace {

std::string key_of(std::string_view method, std::string_view path) {
  return fmt::format("{} {}", method, path);
}

// "METHOD /path" of every operation of contracts/openapi.yaml. The file keeps one path and one
// method per line.
std::set<std::string> contract_operations() {
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/contracts/openapi.yaml");
  std::set<std::string> operations;
  std::string line;
  std::string path;
  bool in_paths = false;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] != ' ') in_paths = line == "paths:";
    if (!in_paths) continue;
    if (line.starts_with("  /") && line.ends_with(":")) path = line.substr(2, line.size() - 3);
    for (std::string_view method : {"get", "put", "post", "patch", "delete"}) {
      if (line != fmt::format("    {}:", method)) continue;
      // Pipelines decide which of these there are.
      if (path == "/hooks/{path}") continue;
      std::string upper(method);
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      const bool outside = path == "/healthz" || path == "/readyz" || path == "/metrics";
      operations.insert(key_of(upper, outside ? path : "/api/v1" + path));
    }
  }
  return operations;
}

TEST(Routes, AreExactlyTheOperationsOfTheContract) {
  std::set<std::string> routes;
  for (const Route& route : all_routes()) routes.insert(key_of(route.method, route.path));
  EXPECT_EQ(routes, contract_operations());
}

TEST(Routes, OnlyTheListedOnesArePublic) {
  std::set<std::string> open;
  for (const Route& route : all_routes()) {
    if (route.policy == Policy::kPublic) open.insert(key_of(route.method, route.path));
  }
  EXPECT_EQ(open, (std::set<std::string>{"GET /healthz", "GET /readyz", "GET /api/v1/auth/state",
                                         "POST /api/v1/auth/login", "POST /api/v1/auth/setup"}));
}

TEST(Routes, WhatChangesSomethingHasANameForTheAudit) {
  for (const Route& route : all_routes()) {
    const bool by_auth = route.path.starts_with("/api/v1/auth/");
    // They have a body, but change nothing.
    const bool only_asks = route.path == "/api/v1/connections/{id}/browse/values" ||
                           route.path == "/api/v1/pipelines/schedule/preview" ||
                           route.path == "/api/v1/pipelines/validate";
    EXPECT_EQ(route.action.empty(), route.method == "GET" || by_auth || only_asks)
        << route.method << " " << route.path;
  }
}

TEST(Routes, AnswersWithCredentialsAreNeverKept) {
  for (const Route& route : all_routes()) {
    const bool credentials = route.path.find("/auth/") != std::string_view::npos ||
                             route.path.find("/tokens") != std::string_view::npos;
    EXPECT_FALSE(credentials && route.replay == Replay::kYes) << route.path;
  }
}

TEST(Router, FindsParametersAndDecodesThem) {
  const Router router(all_routes());
  auto match = router.find("GET", "/api/v1/connections/a%2Fb%20c");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->path, "/api/v1/connections/{id}");
  EXPECT_EQ(match.parameters, (Pairs{{"id", "a/b c"}}));
}

TEST(Router, LiteralSegmentsWinOverParameters) {
  const Router router(all_routes());
  EXPECT_EQ(router.find("POST", "/api/v1/connections/test").route->path,
            "/api/v1/connections/test");
}

TEST(Router, HeadFindsGet) {
  const Router router(all_routes());
  EXPECT_EQ(router.find("HEAD", "/healthz").route->path, "/healthz");
}

TEST(Router, SaysWhichMethodsAreAllowed) {
  const Router router(all_routes());
  auto match = router.find("DELETE", "/api/v1/connections");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, POST");
}

class OddPaths : public testing::TestWithParam<const char*> {};

TEST_P(OddPaths, NeverFindARoute) {
  const Router router(all_routes());
  EXPECT_TRUE(router.find("GET", GetParam()).allow.empty()) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Router, OddPaths,
                         testing::Values("//api/v1/connections", "/api/v1//connections",
                                         "/api/v1/connections/", "/API/v1/connections",
                                         "/api/v1/connections.", "/api/v1/../v1/connections",
                                         "/api%2Fv1/connections", "/api/v1/connections/%zz",
                                         "/api/v1/connections/%00", "/api/v1/connections/a/b",
                                         "/api/v2/connections", "", "/", "*"));

}  // namespace
}  // namespace tributary::api
