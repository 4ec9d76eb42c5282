// Suspensions and maintenance windows of a whole manager: what restarts, crashes, edits and ends
// make of them.
#include "connect/maintenance/windows.hpp"
#include "manager_fixture.hpp"
#include "store/repositories.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsSupersetOf;

class SuspensionTest : public ManagerTest {
 protected:
  void suspend(const std::string& id, std::optional<UtcTime> until = std::nullopt,
               AfterSuspension then = AfterSuspension::kResumeAndStart) {
    auto done = hub_->run([=](Manager& m) {
      return m.suspend(id, "valve replacement", until, Actor{"operator1"}, then);
    });
    ASSERT_TRUE(done.has_value());
    ASSERT_TRUE(hub_->wait_for(id, Status::kSuspended));
  }
  UtcTime in(milliseconds delay) { return hub_->clock().utc_now() + delay; }
  // A window over every connection that is under way for an hour.
  std::string open_window() {
    Json body = Json::parse(R"({"name": "Night", "reason": "firmware", "timeZone": "UTC",
                                "targets": {"all": true}, "schedule": {"kind": "once"}})");
    body["schedule"]["from"] = format_utc(in(hours{-1}));
    body["schedule"]["to"] = format_utc(in(hours{1}));
    auto made = hub_->run(
        [body](Manager& m) { return m.maintenance().create(body, Actor{"anna"}, false); });
    EXPECT_TRUE(made.has_value());
    return made->row.id;
  }
  std::vector<std::string> path(const std::string& id) {
    std::vector<std::string> statuses;
    for (const auto& row : hub_->history(id)) statuses.push_back(row.to);
    return statuses;
  }
};

TEST_F(SuspensionTest, it_ends_by_itself_and_goes_on_as_chosen) {
  const auto goes_on = connected("goes on");
  const auto waits = connected("waits");
  suspend(goes_on, in(milliseconds{200}));
  suspend(waits, in(milliseconds{200}), AfterSuspension::kResume);
  EXPECT_TRUE(hub_->wait_for(goes_on, Status::kConnected));
  EXPECT_TRUE(hub_->wait_for(waits, Status::kIdle));
  EXPECT_EQ(hub_->view(waits).row.intent, "stopped");
  const auto rows = hub_->history(waits);
  EXPECT_EQ(rows.back().note, "resume");
  EXPECT_EQ(rows.back().actor, "end of suspension");
}

TEST_F(SuspensionTest, the_end_is_exact) {
  const auto id = connected();
  const UtcTime until = in(milliseconds{300});
  suspend(id, until);
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  const auto rows = hub_->history(id);
  const auto resumed = std::ranges::find(rows, "resume", &store::HistoryRow::note);
  ASSERT_NE(resumed, rows.end());
  EXPECT_GE(resumed->at, until);
  EXPECT_LT(resumed->at, until + std::chrono::seconds{3}) << "not with the next heartbeat";
}

TEST_F(SuspensionTest, an_end_that_passed_while_the_hub_was_down_is_made_up_for_at_boot) {
  const auto id = connected();
  suspend(id, in(hours{1}));
  restart(false, hours{2});
  EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_THAT(path(id), ElementsAre("Idle", "Connecting", "Connected", "Suspended", "Unknown",
                                    "Suspended", "Idle", "Connecting", "Connected"));
}

TEST_F(SuspensionTest, edge_13_everything_about_a_suspension_survives_restart_and_crash) {
  const auto id = connected();
  const UtcTime until = in(hours{1});
  suspend(id, until, AfterSuspension::kResume);
  const auto before = hub_->view(id).state.suspension;
  for (const bool politely : {true, false, false}) {
    restart(politely);
    const auto view = hub_->view(id);
    EXPECT_EQ(view.state.status, Status::kSuspended);
    EXPECT_EQ(view.state.suspension, before);
    EXPECT_EQ(view.row.intent, "suspended");
  }
  EXPECT_EQ(peer_.live, 0);
  expect_gapless(hub_->history(id));
}

TEST_F(SuspensionTest, edge_13_an_edit_never_clears_it) {
  const auto id = connected();
  suspend(id);
  for (const char* patch :
       {R"({"description": "filler"})", R"({"settings": {"host": "192.0.2.9"}})",
        R"({"secrets": {"password": "other"}})", R"({"autostart": true})"}) {
    auto updated = hub_->update(id, patch);
    ASSERT_TRUE(updated.has_value()) << patch;
    EXPECT_EQ(updated->state.status, Status::kSuspended) << patch;
    EXPECT_EQ(updated->row.suspend_reason, "valve replacement") << patch;
  }
  restart(false);
  EXPECT_EQ(hub_->view(id).state.status, Status::kSuspended);
  EXPECT_EQ(hub_->view(id).state.suspension->reason, "valve replacement");
}

TEST_F(SuspensionTest, edge_13_an_edit_that_races_a_suspension_does_not_undo_it) {
  const auto id = connected();
  // Both wait for the disk at the same time; the edit took its copy of the row before.
  for (int round = 0; round < 20; ++round) {
    hub_->run([id](Manager& m) { return m.resume(id, true, Actor{"anna"}); });
    ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
    auto edit = std::async(std::launch::async, [&] {
      return hub_->update(id, fmt::format(R"({{"description": "{}"}})", round)).has_value();
    });
    suspend(id);
    ASSERT_TRUE(edit.get());
    std::vector<store::ConnectionRow> rows;
    ASSERT_TRUE(hub_->store()
                    .read_now([&rows](soci::session& sql) -> Result<void> {
                      rows = *store::Connections::all(sql);
                      return {};
                    })
                    .has_value());
    EXPECT_EQ(rows.at(0).intent, "suspended") << "round " << round;
    EXPECT_EQ(rows.at(0).suspend_reason, "valve replacement") << "round " << round;
  }
}

TEST_F(SuspensionTest, a_suspension_that_is_given_anew_is_stored_anew) {
  const auto id = connected();
  suspend(id, in(hours{1}));
  suspend(id);
  restart(false, hours{2});
  EXPECT_EQ(hub_->view(id).state.status, Status::kSuspended) << "the end was taken back";
}

TEST_F(SuspensionTest, a_command_tried_out_says_what_would_be) {
  const auto id = connected();
  Order order;
  order.command = Command::kSuspend;
  order.reason = "valve";
  const auto would =
      hub_->run([id, order](Manager& m) { return m.carry_out(id, order, Actor{"anna"}, true); });
  ASSERT_TRUE(would.has_value());
  EXPECT_EQ(would->state.status, Status::kSuspended);
  EXPECT_EQ(hub_->view(id).state.status, Status::kConnected);
}

TEST_F(SuspensionTest, a_maintenance_window_holds_and_lets_go) {
  const auto id = connected();
  const auto window = open_window();
  ASSERT_TRUE(hub_->wait_for(id, Status::kSuspended));
  EXPECT_EQ(hub_->view(id).state.suspension->window_id, window);
  auto removed =
      hub_->run([window](Manager& m) { return m.maintenance().remove(window, Actor{"anna"}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
  const auto rows = hub_->history(id);
  const auto row = std::ranges::find(rows, "Suspended", &store::HistoryRow::to);
  ASSERT_NE(row, rows.end());
  EXPECT_EQ(row->actor, "maintenance window Night");
  EXPECT_EQ(row->note, R"(suspended: maintenance "Night": firmware)");
}

TEST_F(SuspensionTest, edge_13_a_window_holds_over_a_restart_and_ends_while_the_hub_is_down) {
  const auto id = connected();
  open_window();
  ASSERT_TRUE(hub_->wait_for(id, Status::kSuspended));
  restart(false);
  EXPECT_EQ(hub_->view(id).state.status, Status::kSuspended);
  restart(false, hours{2});
  EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
}

TEST_F(SuspensionTest, a_hub_that_was_down_at_the_start_sends_nothing_before_it_suspends) {
  const auto id = connected();
  Json body = Json::parse(R"({"name": "Later", "reason": "firmware", "timeZone": "UTC",
                              "targets": {"all": true}, "schedule": {"kind": "once"}})");
  body["schedule"]["from"] = format_utc(in(hours{1}));
  body["schedule"]["to"] = format_utc(in(hours{3}));
  auto made =
      hub_->run([body](Manager& m) { return m.maintenance().create(body, Actor{"anna"}, false); });
  ASSERT_TRUE(made.has_value());
  const int opens = peer_.opens;
  restart(false, hours{2});
  ASSERT_TRUE(hub_->wait_for(id, Status::kSuspended));
  EXPECT_EQ(peer_.opens, opens);
  EXPECT_EQ(hub_->view(id).state.suspension->by, "maintenance window Later");
}

}  // namespace
}  // namespace tributary::connect
