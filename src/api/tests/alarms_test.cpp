// Alarms and explanations over HTTP.
#include "connect/alarms.hpp"
#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::HubTest;

class AlarmsTest : public HubTest {
 protected:
  void raise(std::string connection, std::string subject, std::string message) {
    on_control([&] {
      manager_->alarms().raise({connection, "silent", subject}, connect::Severity::kWarning,
                               message);
    });
    wait_for_the_disk();
  }
  void clear(std::string connection, std::string subject) {
    on_control([&] { manager_->alarms().clear({connection, "silent", subject}); });
    wait_for_the_disk();
  }
  // What was queued before is committed when this is.
  void wait_for_the_disk() {
    ASSERT_TRUE(store_->write_now([](soci::session&) { return Result<void>{}; }));
  }
  Json items(const std::string& path) { return ask("GET", path).json()["items"]; }
};

TEST_F(AlarmsTest, an_alarm_is_active_until_it_is_cleared_and_stays_as_a_record) {
  start();
  raise("c1", "f1", "Nothing came for 20 s.");
  ASSERT_EQ(items("/api/v1/alarms?active=true").size(), 1U);
  EXPECT_EQ(items("/api/v1/alarms?active=true")[0]["message"].as<std::string>(),
            "Nothing came for 20 s.");
  clear("c1", "f1");
  EXPECT_EQ(items("/api/v1/alarms?active=true").size(), 0U);
  const Json all = items("/api/v1/alarms");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_FALSE(all[0]["clearedAt"].is_null());
}

TEST_F(AlarmsTest, raising_it_again_renews_the_words_and_makes_no_second_one) {
  start();
  raise("c1", "f1", "Nothing came for 20 s.");
  raise("c1", "f1", "Nothing came for 40 s.");
  const Json all = items("/api/v1/alarms");
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["message"].as<std::string>(), "Nothing came for 40 s.");
}

TEST_F(AlarmsTest, a_page_can_be_continued_and_filtered) {
  start();
  for (const auto* subject : {"f1", "f2", "f3"}) raise("c1", subject, "Silent.");
  raise("c2", "f9", "Silent.");
  EXPECT_EQ(items("/api/v1/alarms?connectionId=c1").size(), 3U);
  const Json first = ask("GET", "/api/v1/alarms?connectionId=c1&limit=2").json();
  ASSERT_EQ(first["items"].size(), 2U);
  const Json rest =
      ask("GET", "/api/v1/alarms?connectionId=c1&limit=2&cursor=" + first["next"].as<std::string>())
          .json();
  ASSERT_EQ(rest["items"].size(), 1U);
  EXPECT_TRUE(rest["next"].is_null());
}

TEST_F(AlarmsTest, an_explanation_answers_for_a_connection_and_carries_its_alarms) {
  start();
  const Json made =
      ask("POST", "/api/v1/connections",
          R"({"name":"A","type":"counter","settings":{"host":"h"},"autostart":false})")
          .json();
  const std::string id = made["id"].as<std::string>();
  raise(id, "f1", "Silent.");
  const Json answer = ask("GET", "/api/v1/connections/" + id + "/explanation").json();
  EXPECT_FALSE(answer["down"].as<bool>());
  EXPECT_EQ(answer["state"]["status"].as<std::string>(), "Idle");
  EXPECT_EQ(answer["alarms"].size(), 1U);
  EXPECT_TRUE(answer["hit"]["functions"].is_array());
  EXPECT_EQ(ask("GET", "/api/v1/connections/none/explanation").status, 404);
}

}  // namespace
}  // namespace tributary::api
