#include "connect/manager.hpp"

#include <fstream>

#include "connect/alarms.hpp"
#include "connect/certificates/certificates.hpp"
#include "connect/health_desk.hpp"
#include "manager_fixture.hpp"
#include "net/tests/plant_certificate.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::seconds;
using testing::ElementsAre;

TEST_F(ManagerTest, autostart_connects_at_once) {
  auto created = hub_->create(profile("Line 3 PLC", true));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->row.version, 1);
  EXPECT_EQ(created->row.intent, "running");
  EXPECT_EQ(created->state.epoch, 1);
  EXPECT_TRUE(hub_->wait_for(created->row.id, Status::kConnected));
}

TEST_F(ManagerTest, without_autostart_it_is_idle_until_started) {
  auto created = hub_->create(profile("Line 3 PLC"));
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(created->state.status, Status::kIdle);
  const auto id = created->row.id;
  auto started = hub_->run([id](Manager& m) { return m.start(id, Actor{"anna"}); });
  ASSERT_TRUE(started.has_value());
  EXPECT_TRUE(hub_->wait_for(id, Status::kConnected));
}

TEST_F(ManagerTest, a_dry_run_stores_nothing) {
  EXPECT_TRUE(hub_->create(profile("Line 3 PLC"), true).has_value());
  EXPECT_TRUE(hub_->on_control([&] { return hub_->manager().connections(); }).empty());
}

TEST_F(ManagerTest, refuses_what_is_not_valid) {
  Json body = profile("x");
  body["settings"]["port"] = 70000;
  body["nonsense"] = 1;
  EXPECT_THAT(pointers_of(hub_->create(body)),
              testing::UnorderedElementsAre("/nonsense", "/settings/port"));
  Json forbidden = profile("x");
  forbidden["settings"]["host"] = "forbidden";
  EXPECT_THAT(pointers_of(hub_->create(forbidden)), ElementsAre("/settings/host"));
}

TEST_F(ManagerTest, names_are_unique) {
  hub_->create(profile("Line 3 PLC"));
  EXPECT_EQ(code_of(hub_->create(profile("Line 3 PLC"))), "name_taken");
}

TEST_F(ManagerTest, edits_are_merge_patches_with_versions) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto updated = hub_->update(id, R"({"description": "filler", "labels": {"site": "izmir"}})", 1);
  ASSERT_TRUE(updated.has_value());
  EXPECT_EQ(updated->row.version, 2);
  EXPECT_EQ(updated->row.description, "filler");
  EXPECT_EQ(code_of(hub_->update(id, R"({"description": "x"})", 1)), "version_conflict");
  EXPECT_TRUE(hub_->update(id, R"({"description": "y"})", 0).has_value());
  EXPECT_THAT(pointers_of(hub_->update(id, R"({"type": "modbus"})")), ElementsAre("/type"));
  EXPECT_THAT(pointers_of(hub_->update(id, R"({"settings": {"host": null}})")),
              ElementsAre("/settings/host"));
  EXPECT_EQ(code_of(hub_->update("nothing", "{}")), "not_found");
}

TEST_F(ManagerTest, secrets_are_written_and_never_read) {
  Json body = profile("Line 3 PLC", true);
  body["secrets"]["password"] = "canary-77";
  auto created = hub_->create(body);
  ASSERT_TRUE(created.has_value());
  const auto id = created->row.id;
  ASSERT_EQ(created->secrets.size(), 1U);
  EXPECT_TRUE(created->secrets[0].second.set);
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_EQ(peer_.password_seen, "canary-77");
  auto removed = hub_->update(id, R"({"secrets": {"password": null}})");
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(removed->secrets[0].second.set);
}

TEST_F(ManagerTest, a_new_password_is_used_at_once_and_counts_as_maintenance) {
  const auto id = connected();
  ASSERT_TRUE(hub_->update(id, R"({"secrets": {"password": "second"}})").has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  const auto rows = hub_->history(id);
  const auto planned = std::ranges::find_if(
      rows, [](const auto& row) { return row.note.starts_with("maintenance"); });
  ASSERT_NE(planned, rows.end());
  EXPECT_EQ(planned->from, "Connected");
  EXPECT_EQ(planned->to, "Connecting");
}

TEST_F(ManagerTest, a_new_name_does_not_disturb_the_connection) {
  const auto id = connected();
  const auto before = hub_->view(id).state.epoch;
  ASSERT_TRUE(hub_->update(id, R"({"name": "Line 4 PLC"})").has_value());
  EXPECT_EQ(hub_->view(id).state.epoch, before);
  EXPECT_EQ(hub_->view(id).state.status, Status::kConnected);
}

TEST_F(ManagerTest, suspension_needs_a_reason) {
  const auto id = connected();
  const auto suspend = [&](std::string reason) {
    return hub_->run([id, reason](Manager& m) {
      return m.suspend(id, reason, std::nullopt, Actor{"operator1"});
    });
  };
  EXPECT_THAT(pointers_of(suspend(" ")), ElementsAre("/reason"));
  auto suspended = suspend("valve replacement");
  ASSERT_TRUE(suspended.has_value());
  EXPECT_EQ(suspended->state.status, Status::kSuspended);
  EXPECT_EQ(suspended->state.suspension->by, "operator1");
  EXPECT_EQ(suspended->row.intent, "suspended");
  auto started = hub_->run([id](Manager& m) { return m.start(id, Actor{"anna"}); });
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, "connection_suspended");
}

TEST_F(ManagerTest, resume_and_start_are_two_rows) {
  const auto id = connected();
  hub_->run([id](Manager& m) { return m.suspend(id, "reason", std::nullopt, Actor{"anna"}); });
  auto resumed = hub_->run([id](Manager& m) { return m.resume(id, true, Actor{"anna"}); });
  ASSERT_TRUE(resumed.has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  std::vector<std::string> path;
  for (const auto& row : hub_->history(id)) path.push_back(row.to);
  EXPECT_THAT(path, ElementsAre("Idle", "Connecting", "Connected", "Suspended", "Idle",
                                "Connecting", "Connected"));
}

TEST_F(ManagerTest, edge_13_suspended_and_running_survive_a_restart) {
  const auto running = connected("running");
  const auto paused = connected("paused");
  hub_->run([paused](Manager& m) {
    return m.suspend(paused, "valve replacement", std::nullopt, Actor{"op"});
  });
  for (const bool politely : {true, false}) {
    restart(politely);
    ASSERT_TRUE(hub_->wait_for(running, Status::kConnected));
    EXPECT_EQ(hub_->view(paused).state.status, Status::kSuspended);
    EXPECT_EQ(hub_->view(paused).state.suspension->reason, "valve replacement");
    expect_gapless(hub_->history(running));
    expect_gapless(hub_->history(paused));
  }
}

TEST_F(ManagerTest, T27_the_time_without_a_hub_is_unknown) {
  const auto id = connected();
  restart(false);
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  std::vector<std::string> path;
  for (const auto& row : hub_->history(id)) path.push_back(row.to);
  EXPECT_THAT(path, ElementsAre("Idle", "Connecting", "Connected", "Unknown", "Idle", "Connecting",
                                "Connected"));
}

TEST_F(ManagerTest, health_sums_up) {
  const auto id = connected();
  // A timeline shows what lasted: a state that began in this very millisecond has not.
  std::this_thread::sleep_for(std::chrono::milliseconds{2});
  const UtcTime now = SystemClock().utc_now();
  auto health = hub_->run([id, now](Manager& m) {
    return m.health_desk().health(id, now - std::chrono::hours{1}, now, 7);
  });
  ASSERT_TRUE(health.has_value());
  health::Micros sum{};
  for (const auto part : health->figures.spent) sum += part;
  EXPECT_EQ(sum, health->to - health->from);
  EXPECT_EQ(health->buckets.size(), 7U);
  EXPECT_EQ(health->timeline.back().status, Status::kConnected);
  EXPECT_TRUE(health->timeline_complete);
}

TEST_F(ManagerTest, a_deleted_connection_keeps_its_history) {
  const auto id = connected();
  hub_->run([id](Manager& m) { return m.remove(id, true, Actor{"anna"}); });
  // Its last change may be of this very moment.
  const UtcTime now = SystemClock().utc_now() + seconds{1};
  const auto health = hub_->run([id, now](Manager& m) {
    return m.health_desk().health(id, now - std::chrono::hours{1}, now, 0);
  });
  ASSERT_TRUE(health.has_value());
  EXPECT_GT(health->figures.in(Status::kConnected), health::Micros{0});
  EXPECT_EQ(health->timeline.back().status, Status::kIdle);
  const auto nobody = hub_->run(
      [now](Manager& m) { return m.health_desk().health("nobody", now - seconds{1}, now, 0); });
  EXPECT_EQ(nobody.error().code, "not_found");
}

TEST_F(ManagerTest, system_wide_health_ranks_filters_and_pages) {
  std::vector<std::string> ids;
  for (const auto* name : {"a", "b", "c"}) ids.push_back(connected(name));
  const auto ask = [&](std::size_t limit, std::string after) {
    SystemHealthQuery query;
    query.to = SystemClock().utc_now() + seconds{1};
    query.from = query.to - std::chrono::hours{1};
    query.wanted = [](const store::ConnectionRow& row) { return row.name != "b"; };
    query.limit = limit;
    query.after = std::move(after);
    return *hub_->run([query](Manager& m) { return m.health_desk().system(query); });
  };
  const SystemHealth first = ask(1, {});
  EXPECT_EQ(first.connections, 2U);
  EXPECT_EQ(first.totals[static_cast<std::size_t>(Status::kConnected)], 2);
  ASSERT_EQ(first.page.size(), 1U);
  ASSERT_TRUE(first.next.has_value());
  health::Micros sum{};
  for (const auto part : first.figures.spent) sum += part;
  EXPECT_EQ(sum, 2 * (first.to - first.from));
  const SystemHealth second = ask(1, *first.next);
  ASSERT_EQ(second.page.size(), 1U);
  EXPECT_NE(second.page[0].subject.id, first.page[0].subject.id);
  EXPECT_FALSE(second.next.has_value());
}

TEST_F(ManagerTest, functions_are_checked_stored_and_run) {
  const auto id = connected();
  EXPECT_THAT(
      pointers_of(hub_->create_function(
          id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["impossible"]}})")),
      ElementsAre("/settings/points/0"));
  auto created = hub_->create_function(
      id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})");
  ASSERT_TRUE(created.has_value());
  const auto function = created->row.id;
  EXPECT_EQ(code_of(hub_->create_function(
                id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})")),
            "name_taken");
  auto answer =
      hub_->run([function](Manager& m) { return m.execute(function, json_object(), {}); });
  ASSERT_TRUE(answer.result.has_value());
  EXPECT_EQ(answer.result->size(), 1U);
  auto removed =
      hub_->run([function](Manager& m) { return m.remove_function(function, Actor{"anna"}); });
  EXPECT_TRUE(removed.has_value());
  auto gone = hub_->run([function](Manager& m) { return m.execute(function, json_object(), {}); });
  EXPECT_EQ(gone.result.error().code, "not_found");
}

TEST_F(ManagerTest, placeholders_are_listed_as_parameters) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto created = hub_->create_function(
      id,
      R"j({"name": "f", "type": "fake.read", "settings": {"points": ["((p))"], "count": "((n))"}})j");
  ASSERT_TRUE(created.has_value());
  EXPECT_THAT(created->parameters, ElementsAre("p", "n"));
}

TEST_F(ManagerTest, live_values_reach_a_viewer_and_the_last_ones_are_kept) {
  const auto id = connected();
  auto created = hub_->create_function(
      id,
      R"({"name": "s", "type": "fake.subscribe", "settings": {"points": ["speed"], "intervalMs": 10, "reportOn": "always"}})");
  ASSERT_TRUE(created.has_value());
  const auto function = created->row.id;
  auto first = std::make_shared<std::promise<double>>();
  auto told = std::make_shared<std::atomic<bool>>(false);
  auto registration = hub_->on_control([&] {
    return hub_->manager().watch_values(
        function, [first, told](const std::shared_ptr<const Batch>& batch) {
          if (!told->exchange(true))
            first->set_value(std::get<double>(batch->scans().front().samples.front().value));
        });
  });
  ASSERT_TRUE(registration.has_value());
  auto value = first->get_future();
  ASSERT_EQ(value.wait_for(kLimit), std::future_status::ready);
  EXPECT_EQ(value.get(), 1.0);
  auto last = hub_->run([function](Manager& m) { return m.last_values(function); });
  ASSERT_TRUE(last.has_value());
  EXPECT_TRUE(last->scans().front().samples.front().quality.is_good());
  hub_->on_control([&] {
    registration->reset();
    return 0;
  });
}

TEST_F(ManagerTest, watching_what_does_not_send) {
  const auto id = hub_->create(profile("Line 3 PLC"))->row.id;
  auto created = hub_->create_function(
      id, R"({"name": "f", "type": "fake.read", "settings": {"points": ["speed"]}})");
  const auto code = [&](const std::string& function) {
    return hub_->on_control(
        [&] { return hub_->manager().watch_values(function, [](const auto&) {}).error().code; });
  };
  EXPECT_EQ(code(created->row.id), "not_a_subscription");
  EXPECT_EQ(code("nothing"), "not_found");
}

TEST_F(ManagerTest, delete_needs_rest_or_force_and_keeps_history) {
  const auto id = connected();
  auto refused = hub_->run([id](Manager& m) { return m.remove(id, false, Actor{"anna"}); });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "connection_running");
  auto removed = hub_->run([id](Manager& m) { return m.remove(id, true, Actor{"anna"}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_FALSE(hub_->on_control([&] { return hub_->manager().connection(id).has_value(); }));
  EXPECT_EQ(hub_->history(id).back().note, "deleted");
  EXPECT_EQ(peer_.live, 0);
}

TEST_F(ManagerTest, the_test_of_an_unsaved_profile_names_stages_and_cause) {
  auto good = hub_->run([](Manager& m) { return m.test_unsaved(profile("x"), Actor{"anna"}); });
  ASSERT_TRUE(good.has_value());
  EXPECT_TRUE(good->success);
  ASSERT_EQ(good->stages.size(), 3U);
  EXPECT_EQ(good->stages.back().stage, "firstRead");
  peer_.open_errors.push_back(
      Error(ErrorClass::kIdentity, "bad_password", "The password is wrong."));
  auto bad = hub_->run([](Manager& m) { return m.test_unsaved(profile("x"), Actor{"anna"}); });
  ASSERT_TRUE(bad.has_value());
  EXPECT_FALSE(bad->success);
  ASSERT_TRUE(bad->stages.back().error);
  EXPECT_EQ(bad->stages.back().error->code, "invalid_auth");
  EXPECT_EQ(peer_.live, 0);
}

TEST_F(ManagerTest,
       trusting_a_rejected_certificate_reconnects_at_once_and_taking_it_back_refuses_again) {
  const auto refusal =
      Error(ErrorClass::kTrust, "certificate_untrusted", "Nobody knows its issuer.");
  net::ShownCertificate shown{
      net::read_certificates(net::test::kPlantCertificate, "It").value().front(), false, refusal};
  const std::string sha256 = shown.certificate.sha256;
  peer_.certificate = shown;
  peer_.open_errors.push_back(refusal);
  const auto id = hub_->create(profile("Broker", true))->row.id;
  ASSERT_TRUE(hub_->wait_for(id, Status::kFailed));
  const auto list = hub_->on_control([&] { return hub_->manager().certificates().list(); });
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].state, CertificateState::kRejected);
  EXPECT_EQ(list[0].used_by.at(0).connection_name, "Broker");

  auto trusted =
      hub_->run([sha256](Manager& m) { return m.trust_certificate(sha256, Actor{"anna"}); });
  ASSERT_TRUE(trusted.has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_EQ(peer_.trusted_seen.size(), 1U);

  peer_.open_errors.push_back(refusal);
  auto removed =
      hub_->run([sha256](Manager& m) { return m.remove_certificate(sha256, Actor{"anna"}); });
  ASSERT_TRUE(removed.has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kFailed));
  EXPECT_TRUE(peer_.trusted_seen.empty());
}

TEST_F(ManagerTest,
       what_is_trusted_in_a_draft_holds_for_who_tested_it_and_for_what_is_saved_of_it) {
  const auto refusal =
      Error(ErrorClass::kTrust, "certificate_untrusted", "Nobody knows its issuer.");
  peer_.certificate = {net::read_certificates(net::test::kPlantCertificate, "It").value().front(),
                       false, refusal};
  const std::string sha256 = peer_.certificate->certificate.sha256;
  const auto test = [this](const char* who) {
    return hub_->run([who](Manager& m) { return m.test_unsaved(profile("Broker"), Actor{who}); });
  };
  peer_.open_errors.push_back(refusal);
  const auto red = test("anna");
  ASSERT_TRUE(red.has_value());
  ASSERT_TRUE(red->shown.has_value());
  EXPECT_EQ(red->shown->certificate.sha256, sha256);
  EXPECT_EQ(red->stages.back().error->code, "untrusted_certificate");

  ASSERT_TRUE(hub_->run([sha256](Manager& m) { return m.trust_certificate(sha256, Actor{"anna"}); })
                  .has_value());
  peer_.certificate->accepted = true;
  ASSERT_TRUE(test("bert").has_value());
  EXPECT_TRUE(peer_.trusted_seen.empty());
  ASSERT_TRUE(test("anna").has_value());
  EXPECT_EQ(peer_.trusted_seen.size(), 1U);

  const auto create = [this](const char* name) {
    return hub_->run([name](Manager& m) { return m.create(profile(name), Actor{"anna"}, false); });
  };
  const auto saved = create("Broker");
  ASSERT_TRUE(saved.has_value());
  EXPECT_EQ(hub_->on_control(
                [&] { return hub_->manager().certificates().trusted_for(saved->row.id).size(); }),
            1U);
  const auto second = create("Second");
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(hub_->on_control([&] {
    return hub_->manager().certificates().trusted_for(second->row.id).empty();
  })) << "a decision is for one connection";
}

TEST_F(ManagerTest, what_is_trusted_while_a_connection_is_edited_is_used_when_it_is_saved) {
  const auto refusal =
      Error(ErrorClass::kTrust, "certificate_untrusted", "Nobody knows its issuer.");
  peer_.certificate = {net::read_certificates(net::test::kPlantCertificate, "It").value().front(),
                       false, refusal};
  const std::string sha256 = peer_.certificate->certificate.sha256;
  peer_.open_errors = {refusal, refusal};
  const auto red =
      hub_->run([](Manager& m) { return m.test_unsaved(profile("Broker"), Actor{"anna"}); });
  ASSERT_TRUE(red.has_value());
  // Made by somebody else: it has nothing of the draft, and is refused.
  const auto made =
      hub_->run([](Manager& m) { return m.create(profile("Broker", true), Actor{"bert"}, false); });
  ASSERT_TRUE(made.has_value());
  const auto id = made->row.id;
  ASSERT_TRUE(hub_->wait_for(id, Status::kFailed));
  hub_->on_control([&] {
    hub_->manager().certificates().forget_connection(id);
    return 0;
  });
  ASSERT_TRUE(hub_->run([sha256](Manager& m) { return m.trust_certificate(sha256, Actor{"anna"}); })
                  .has_value());
  peer_.certificate->accepted = true;
  auto edited = hub_->run([id](Manager& m) {
    Json patch = json_object();
    patch["description"] = "The broker of line 3";
    return m.update(id, std::move(patch), 0, Actor{"anna"}, false);
  });
  ASSERT_TRUE(edited.has_value());
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_EQ(peer_.trusted_seen.size(), 1U);
}

TEST_F(ManagerTest, edge_16_a_secret_in_a_file_is_tried_within_five_seconds_of_its_edit) {
  const std::string path = directory_ + "/password";
  std::ofstream(path) << "old";
  peer_.open_errors.push_back(Error(ErrorClass::kTrust, "certificate_untrusted", "No."));
  Json body = profile("Broker", true);
  body["secrets"] = json_object();
  body["secrets"]["password"] = "file:" + path;
  const auto id = hub_->create(body)->row.id;
  ASSERT_TRUE(hub_->wait_for(id, Status::kFailed));
  const auto edited = std::chrono::steady_clock::now();
  std::ofstream(path) << "new";
  ASSERT_TRUE(hub_->wait_for(id, Status::kConnected));
  EXPECT_LT(std::chrono::steady_clock::now() - edited, seconds{5});
  EXPECT_EQ(peer_.password_seen, "new");
}

TEST_F(ManagerTest, edge_09_two_connections_with_the_same_unique_settings_get_an_alarm_each) {
  Json body = profile("One");
  body["settings"]["username"] = "hub";
  ASSERT_TRUE(hub_->create(body).has_value());
  const auto alarms = [this] {
    return hub_->on_control([&] { return hub_->manager().alarms().active(); });
  };
  EXPECT_TRUE(alarms().empty());
  body["name"] = "Two";
  const auto second = hub_->create(body)->row.id;
  ASSERT_EQ(alarms().size(), 2U);
  EXPECT_EQ(alarms()[0].kind, "duplicate_settings");
  EXPECT_THAT(alarms()[0].message, testing::HasSubstr("\"Two\""));
  ASSERT_TRUE(hub_->update(second, R"({"settings": {"username": "other"}})").has_value());
  EXPECT_TRUE(alarms().empty());
}

}  // namespace
}  // namespace tributary::connect
