// Making and changing things: versions, dry runs, repetitions.
#include <fstream>
#include <set>
#include <sstream>

#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::Reply;

constexpr const char* kConnection =
    R"({"name":"Line 3","type":"counter","settings":{"host":"h"},"labels":{"site":"izmir"}})";

class EditingTest : public test::HubTest {
 protected:
  EditingTest() { start(); }
  Reply post(const std::string& headers = "", const char* body = kConnection) {
    return ask("POST", "/api/v1/connections", body, bearer() + headers);
  }
  std::size_t count() { return ask("GET", "/api/v1/connections").json().at("items").size(); }
};

TEST_F(EditingTest, AMadeConnectionHasAnAddressAndAVersion) {
  const Reply made = post();
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("ETag"), "\"1\"");
  EXPECT_EQ(made.header("Location"), "/api/v1/connections/" + get_string(made.json(), "id"));
  const Reply read = ask("GET", made.header("Location"));
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.json().at("labels"), made.json().at("labels"));
}

TEST_F(EditingTest, EditsNeedTheCurrentVersion) {
  const std::string path = post().header("Location");
  EXPECT_EQ(ask("PATCH", path, R"({"description":"a"})").status, 428);
  EXPECT_EQ(ask("PATCH", path, R"({"description":"a"})", bearer() + "If-Match: \"7\"\r\n").status,
            412);
  const Reply edited =
      ask("PATCH", path, R"({"description":"a"})", bearer() + "If-Match: \"1\"\r\n");
  EXPECT_EQ(edited.status, 200) << edited.body;
  EXPECT_EQ(edited.header("ETag"), "\"2\"");
  EXPECT_EQ(ask("PATCH", path, R"({"description":"b"})", bearer() + "If-Match: *\r\n").status, 200);
}

TEST_F(EditingTest, ReplacingRemovesWhatIsNotNamed) {
  const std::string path = post().header("Location");
  const Reply replaced =
      ask("PUT", path, R"({"name":"Line 3","type":"counter","settings":{"host":"i"}})",
          bearer() + "If-Match: *\r\n");
  ASSERT_EQ(replaced.status, 200) << replaced.body;
  EXPECT_EQ(to_text(replaced.json().at("labels")), "{}");
  EXPECT_EQ(to_text(replaced.json().at("settings")), R"({"host":"i"})");
}

TEST_F(EditingTest, ADryRunChangesNothing) {
  const Reply dry = ask("POST", "/api/v1/connections?dryRun=true", kConnection);
  EXPECT_EQ(dry.status, 200) << dry.body;
  EXPECT_EQ(count(), 0U);
  const std::string path = post().header("Location");
  EXPECT_EQ(ask("DELETE", path + "?dryRun=true").status, 204);
  EXPECT_EQ(ask("POST", path + "/start?dryRun=true").json().at("state").at("status"), "Idle");
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(ask("DELETE", path).status, 204);
  EXPECT_EQ(count(), 0U);
}

TEST_F(EditingTest, ARepeatedKeyGetsTheFirstAnswer) {
  const Reply first = post("Idempotency-Key: k1\r\n");
  ASSERT_EQ(first.status, 201) << first.body;
  const Reply second = post("Idempotency-Key: k1\r\n");
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.header("ETag"), first.header("ETag"));
  EXPECT_EQ(count(), 1U);
  EXPECT_EQ(post("Idempotency-Key: k1\r\n",
                 R"({"name":"other","type":"counter","settings":{"host":"h"}})")
                .status,
            422);
  EXPECT_EQ(post("Idempotency-Key: " + std::string(129, 'x') + "\r\n").status, 400);
}

TEST_F(EditingTest, InvalidSettingsAreNamedAndNothingIsStored) {
  const Reply reply = post("", R"({"name":"a","type":"counter","settings":{"hots":"h"}})");
  EXPECT_EQ(reply.status, 422);
  EXPECT_EQ(reply.json().at("code"), "invalid_settings");
  EXPECT_NE(reply.body.find("/settings/hots"), std::string::npos) << reply.body;
  EXPECT_EQ(count(), 0U);
}

TEST_F(EditingTest, TakenNamesAndBrokenBodiesAreTold) {
  post();
  EXPECT_EQ(post().status, 409);
  EXPECT_EQ(post("", R"({"name": )").status, 400);
  EXPECT_EQ(ask("POST", "/api/v1/connections", {},
                bearer() + "Content-Type: text/plain\r\nContent-Length: 0\r\n")
                .status,
            400);
}

TEST_F(EditingTest, SecretsAreWriteOnly) {
  const Reply made = post(
      "",
      R"({"name":"a","type":"counter","settings":{"host":"h"},"secrets":{"password":"canary-7"}})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json().at("secrets").at("password").at("set"), true);
  for (const std::string& path : {std::string("/api/v1/connections"), made.header("Location"),
                                  std::string("/api/v1/audit")}) {
    EXPECT_EQ(ask("GET", path).body.find("canary-7"), std::string::npos) << path;
  }
}

TEST_F(EditingTest, SuspendingNeedsAReason) {
  const std::string path = post().header("Location");
  const Reply refused = ask("POST", path + "/suspend", R"({"reason":" "})");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(get_string(refused.json().at("errors")[0], "pointer"), "/reason");
  ASSERT_EQ(ask("POST", path + "/start").status, 200);
  const Reply suspended = ask("POST", path + "/suspend", R"({"reason":"valve replacement"})");
  ASSERT_EQ(suspended.status, 200) << suspended.body;
  EXPECT_EQ(suspended.json().at("state").at("suspension").at("reason"), "valve replacement");
}

TEST_F(EditingTest, FiltersChooseByNameTypeStatusAndLabel) {
  post();
  const auto found = [this](const std::string& query) {
    return ask("GET", "/api/v1/connections?" + query).json().at("items").size();
  };
  EXPECT_EQ(found("name=LINE&type=counter&status=Idle&label=site:izmir&label=site"), 1U);
  for (const char* other :
       {"name=other", "type=modbus", "status=Failed", "label=site:ankara", "label=line"}) {
    EXPECT_EQ(found(other), 0U) << other;
  }
  EXPECT_EQ(ask("GET", "/api/v1/connections?status=Wrong").status, 400);
}

TEST_F(EditingTest, EveryChangeAndRefusalIsInTheAudit) {
  post();
  post();
  // Rows are written behind the answers, soon.
  std::vector<std::string> results;
  const SteadyTime end = clock_.steady_now() + std::chrono::seconds{5};
  while (results.size() < 2 && clock_.steady_now() < end) {
    results.clear();
    const Json rows = ask("GET", "/api/v1/audit").json().at("items");
    for (const auto& row : rows.array_range()) {
      if (get_string(row, "action") != "connection.create") continue;
      results.push_back(get_string(row.at("detail"), "result"));
    }
  }
  EXPECT_EQ(results, (std::vector<std::string>{"refused", "done"}));
}

TEST_F(EditingTest, ACallThatCannotBeMadeIsAnAnswer) {
  const std::string path = post().header("Location");
  const Reply made =
      ask("POST", path + "/functions", R"({"name":"f","type":"counter.read","settings":{}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const Reply executed = ask("POST", made.header("Location") + "/execute", "{}");
  EXPECT_EQ(executed.status, 200);
  EXPECT_EQ(executed.json().at("success"), false);
  EXPECT_FALSE(get_string(executed.json().at("error"), "message").empty());
  EXPECT_EQ(ask("POST", "/api/v1/functions/nobody/execute", "{}").status, 404);
}

TEST_F(EditingTest, AFunctionSaysHowItMayBeRepeatedAndHowItsBreakerIs) {
  const std::string path = post().header("Location");
  const Reply made = ask("POST", path + "/functions",
                         R"({"name":"f","type":"counter.read","settings":{},"idempotent":true})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json().at("idempotent"), true);
  EXPECT_EQ(made.json().at("freshness").at("expectMs"), 0);
  EXPECT_EQ(made.json().at("breaker").at("state"), "closed");
  const Reply wrong =
      ask("POST", path + "/functions",
          R"({"name":"g","type":"counter.read","settings":{},"freshness":{"expectMs":-1}})");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.json().at("errors").at(0).at("pointer"), "/freshness/expectMs");
}

TEST_F(EditingTest, ADeadlineOutOfRangeIsRefused) {
  const std::string path = post().header("Location");
  const Reply made =
      ask("POST", path + "/functions", R"({"name":"f","type":"counter.read","settings":{}})");
  for (const std::string_view timeout : {"0", "300001", "1.5", "\"5\""}) {
    const Reply refused = ask("POST", made.header("Location") + "/execute",
                              fmt::format(R"({{"timeoutMs":{}}})", timeout));
    EXPECT_EQ(refused.status, 422) << timeout;
    EXPECT_EQ(refused.json().at("errors").at(0).at("pointer"), "/timeoutMs");
  }
}

TEST_F(EditingTest, MetricsCountWhatHappened) {
  post();
  const Reply reply = ask("GET", "/metrics");
  EXPECT_NE(reply.body.find("tributary_connections{status=\"Idle\"} 1"), std::string::npos)
      << reply.body;
  EXPECT_NE(reply.body.find("tributary_api_requests_total{method=\"POST\",route=\"/api/v1/"
                            "connections\",status=\"201\"} 1"),
            std::string::npos)
      << reply.body;
}

TEST_F(EditingTest, MetricsAreExactlyThoseOfTheContract) {
  post();
  ask("GET", "/api/v1/connections");
  std::set<std::string> answered;
  std::istringstream text(ask("GET", "/metrics").body);
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("# HELP ")) answered.insert(line.substr(7, line.find(' ', 7) - 7));
  }
  std::set<std::string> written;
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/contracts/metrics.md");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `")) written.insert(line.substr(3, line.find('`', 3) - 3));
  }
  EXPECT_EQ(answered, written);
}

}  // namespace
}  // namespace tributary::api
