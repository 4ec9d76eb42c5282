// Suspending one and many, what is hit, and planned maintenance, over HTTP.
#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::Reply;

class MaintenanceTest : public test::HubTest {
 protected:
  MaintenanceTest() { start(); }

  Reply post(std::string_view path, std::string_view body) {
    return ask("POST", "/api/v1" + std::string(path), body);
  }
  // Made and started; answers its id.
  std::string running(std::string_view name, std::string_view site) {
    const Reply made = post(
        "/connections",
        fmt::format(R"({{"name":"{}","type":"counter","settings":{{"host":"h"}},"autostart":true,)"
                    R"("labels":{{"site":"{}"}}}})",
                    name, site));
    EXPECT_EQ(made.status, 201) << made.body;
    return get_string(made.json(), "id");
  }
  std::string status_of(const std::string& id) {
    return get_string(ask("GET", "/api/v1/connections/" + id).json().at("state"), "status");
  }
  static std::string pointer_of(const Reply& reply) {
    return reply.status == 422 ? get_string(reply.json().at("errors")[0], "pointer") : reply.body;
  }
  // The audit rows of an action, newest first, once there are `count`: they are written behind the
  // answer.
  std::vector<Json> audited(std::string_view action, std::size_t count = 1) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    std::vector<Json> found;
    while (found.size() < count && std::chrono::steady_clock::now() < limit) {
      found.clear();
      const Json rows = ask("GET", "/api/v1/audit?limit=1000").json().at("items");
      for (const auto& row : rows.array_range()) {
        if (get_string(row, "action") == action) found.push_back(row);
      }
    }
    EXPECT_EQ(found.size(), count) << action;
    found.resize(count, Json::parse(R"({"detail": {}})"));
    return found;
  }
  static std::string in_an_hour() {
    return format_utc(SystemClock().utc_now() + std::chrono::hours{1});
  }
};

constexpr const char* kWindow = R"({"name":"Night","reason":"firmware","timeZone":"Europe/Berlin",
  "schedule":{"kind":"weekly","days":["sun"],"at":"02:00","durationMinutes":120},
  "targets":{"labels":{"site":"izmir"}}})";

TEST_F(MaintenanceTest, ASuspensionShowsItsEndAndWhatFollows) {
  const std::string id = running("a", "izmir");
  const std::string until = in_an_hour();
  const Reply suspended =
      post("/connections/" + id + "/suspend",
           fmt::format(R"({{"reason":"valve","until":"{}","then":"resume"}})", until));
  ASSERT_EQ(suspended.status, 200) << suspended.body;
  const Json shown = suspended.json().at("state").at("suspension");
  EXPECT_EQ(get_string(shown, "until"), until);
  EXPECT_EQ(get_string(shown, "then"), "resume");
  const Json detail = audited("connection.suspend")[0].at("detail");
  EXPECT_EQ(get_string(detail, "reason"), "valve");
  EXPECT_EQ(get_string(detail, "until"), until);
  EXPECT_EQ(get_string(detail, "then"), "resume");
  ASSERT_EQ(post("/connections/" + id + "/resume", R"({"start":true})").status, 200);
  EXPECT_EQ(get_bool(audited("connection.resume")[0].at("detail"), "start", false), true);
}

TEST_F(MaintenanceTest, WhatFollowsNeedsAnEnd) {
  const std::string path = "/connections/" + running("a", "izmir") + "/suspend";
  EXPECT_EQ(pointer_of(post(path, R"({"reason":"valve","then":"resume"})")), "/then");
  EXPECT_EQ(pointer_of(post(path, fmt::format(R"({{"reason":"v","until":"{}","then":"later"}})",
                                              in_an_hour()))),
            "/then");
  EXPECT_EQ(pointer_of(post(path, R"({"reason":"v","until":"2020-01-01T00:00:00Z"})")), "/until");
  EXPECT_EQ(pointer_of(post(path, R"({"reason":"v","colour":"red"})")), "/colour");
}

TEST_F(MaintenanceTest, ManyAreSuspendedByLabelAndEachIsAudited) {
  const std::string first = running("a", "izmir");
  const std::string second = running("b", "izmir");
  const std::string other = running("c", "ankara");
  const Reply done = post("/connections/bulk",
                          R"({"action":"suspend","labels":{"site":"izmir"},"reason":"power cut"})");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json().at("succeeded"), 2);
  EXPECT_EQ(status_of(first), "Suspended");
  EXPECT_EQ(status_of(second), "Suspended");
  EXPECT_NE(status_of(other), "Suspended");
  std::set<std::string> targets;
  for (const auto& row : audited("connection.suspend", 2))
    targets.insert(get_string(row, "target"));
  EXPECT_EQ(targets, (std::set<std::string>{first, second}));
}

TEST_F(MaintenanceTest, ManyNeedAnExplicitSelection) {
  running("a", "izmir");
  EXPECT_EQ(post("/connections/bulk", R"({"action":"stop"})").status, 422);
  EXPECT_EQ(pointer_of(post("/connections/bulk", R"({"action":"explode","all":true})")), "/action");
  EXPECT_EQ(pointer_of(post("/connections/bulk", R"({"action":"suspend","all":true})")), "/reason");
  EXPECT_EQ(pointer_of(post("/connections/bulk", R"({"action":"stop","all":true,"start":true})")),
            "/start");
  EXPECT_EQ(post("/connections/bulk", R"({"action":"stop","all":true})").json().at("succeeded"), 1);
}

TEST_F(MaintenanceTest, OneThatFailsDoesNotKeepTheOthersFromIt) {
  const std::string id = running("a", "izmir");
  const Reply done = post(
      "/connections/bulk",
      fmt::format(R"({{"action":"suspend","connectionIds":["{}","nobody"],"reason":"x"}})", id));
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json().at("succeeded"), 1);
  EXPECT_EQ(done.json().at("failed"), 1);
  EXPECT_EQ(done.json().at("items")[1].at("error").at("code"), "not_found");
  EXPECT_EQ(status_of(id), "Suspended");
}

TEST_F(MaintenanceTest, SuspendingManyLeavesWhatAPersonSuspendedBefore) {
  const std::string id = running("a", "izmir");
  ASSERT_EQ(post("/connections/" + id + "/suspend", R"({"reason":"valve"})").status, 200);
  const Reply done =
      post("/connections/bulk",
           fmt::format(R"({{"action":"suspend","all":true,"reason":"site","until":"{}"}})",
                       in_an_hour()));
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json().at("items")[0].at("state").at("suspension").at("reason"), "valve");
}

TEST_F(MaintenanceTest, ADryRunOfManySaysWhatWouldHappenAndWhatIsHit) {
  const std::string id = running("a", "izmir");
  const Reply function = post("/connections/" + id + "/functions",
                              R"({"name":"f","type":"counter.read","settings":{}})");
  ASSERT_EQ(function.status, 201) << function.body;
  const Reply pipeline =
      post("/pipelines",
           fmt::format(R"({{"name":"p","enabled":true,"nodes":[{{"id":"t","type":"trigger.manual",)"
                       R"("settings":{{}}}},{{"id":"r","type":"function","settings":)"
                       R"({{"functionId":"{}"}}}}],"edges":[{{"from":"t","to":"r"}}]}})",
                       get_string(function.json(), "id")));
  ASSERT_EQ(pipeline.status, 201) << pipeline.body;
  const Reply dry =
      post("/connections/bulk?dryRun=true", R"({"action":"suspend","all":true,"reason":"x"})");
  ASSERT_EQ(dry.status, 200) << dry.body;
  EXPECT_EQ(dry.json().at("items")[0].at("state").at("status"), "Suspended");
  EXPECT_EQ(dry.json().at("impact").at("pipelines")[0].at("name"), "p");
  EXPECT_NE(status_of(id), "Suspended");
  const Json impact = ask("GET", "/api/v1/connections/" + id + "/impact").json();
  EXPECT_EQ(impact.at("functions")[0].at("name"), "f");
  EXPECT_EQ(impact.at("pipelines")[0].at("uses"), "read");
  EXPECT_EQ(ask("GET", "/api/v1/connections/nobody/impact").status, 404);
}

TEST_F(MaintenanceTest, AWindowIsMadeReadChangedAndDeleted) {
  const Reply made = post("/maintenance-windows", kWindow);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = made.header("Location");
  EXPECT_EQ(made.header("ETag"), "\"1\"");
  EXPECT_EQ(get_string(made.json(), "then"), "resumeAndStart");
  EXPECT_EQ(ask("GET", path).json().at("schedule"), made.json().at("schedule"));
  EXPECT_EQ(ask("PATCH", path, R"({"reason":"x"})").status, 428);
  EXPECT_EQ(ask("PATCH", path, R"({"reason":"x"})", bearer() + "If-Match: \"9\"\r\n").status, 412);
  const Reply edited =
      ask("PATCH", path, R"({"reason":"pumps"})", bearer() + "If-Match: \"1\"\r\n");
  ASSERT_EQ(edited.status, 200) << edited.body;
  EXPECT_EQ(get_string(edited.json(), "reason"), "pumps");
  EXPECT_EQ(edited.header("ETag"), "\"2\"");
  const Reply replaced = ask("PUT", path, kWindow, bearer() + "If-Match: *\r\n");
  ASSERT_EQ(replaced.status, 200) << replaced.body;
  EXPECT_EQ(get_string(replaced.json(), "reason"), "firmware");
  EXPECT_EQ(ask("DELETE", path + "?dryRun=true").status, 204);
  EXPECT_EQ(ask("GET", "/api/v1/maintenance-windows").json().at("items").size(), 1U);
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(ask("GET", path).status, 404);
  EXPECT_EQ(get_string(audited("maintenance.delete")[0].at("detail"), "name"), "Night");
}

TEST_F(MaintenanceTest, OccurrencesAreInUtcAndInTheZoneOfTheWindow) {
  const std::string path = post("/maintenance-windows", kWindow).header("Location");
  const Reply listed = ask("GET", path + "/occurrences?limit=3");
  ASSERT_EQ(listed.status, 200) << listed.body;
  ASSERT_EQ(listed.json().at("items").size(), 3U);
  const std::string local = get_string(listed.json().at("items")[0], "localFrom");
  EXPECT_NE(local.find("T02:00:00+"), std::string::npos) << local;
  EXPECT_EQ(ask("GET", path + "/occurrences?limit=0").status, 400);
  EXPECT_EQ(ask("GET", "/api/v1/maintenance-windows/nobody/occurrences").status, 404);
}

TEST_F(MaintenanceTest, AConnectionShowsTheWindowThatHoldsItAndTheNext) {
  const std::string id = running("a", "izmir");
  EXPECT_TRUE(ask("GET", "/api/v1/connections/" + id).json().at("nextMaintenance").is_null());
  const UtcTime now = SystemClock().utc_now();
  const Reply made =
      post("/maintenance-windows",
           fmt::format(
               R"({{"name":"Now","reason":"firmware","timeZone":"UTC","targets":{{"all":true}},)"
               R"("schedule":{{"kind":"once","from":"{}","to":"{}"}}}})",
               format_utc(now - std::chrono::hours{1}), format_utc(now + std::chrono::hours{1})));
  ASSERT_EQ(made.status, 201) << made.body;
  ASSERT_EQ(post("/maintenance-windows", kWindow).status, 201);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (status_of(id) != "Suspended" && std::chrono::steady_clock::now() < limit) {
  }
  const Json shown = ask("GET", "/api/v1/connections/" + id).json();
  EXPECT_EQ(get_string(shown.at("maintenance"), "windowId"), get_string(made.json(), "id"));
  EXPECT_EQ(get_string(shown.at("nextMaintenance"), "name"), "Night");
  EXPECT_EQ(get_string(shown.at("state").at("suspension"), "reason"),
            R"(maintenance "Now": firmware)");
}

}  // namespace
}  // namespace tributary::api
