// Maintenance windows in virtual time, with the real reducer behind each connection and a real
// store.
#include "connect/maintenance/windows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "connect/lifecycle/reduce.hpp"
#include "runtime/manual_timers.hpp"

namespace tributary::connect {
namespace {

using lifecycle::Intent;
using lifecycle::LifecycleState;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;

const UtcTime kMonday = *parse_utc("2026-11-23T00:00:00Z");

constexpr const char* kNight = R"({
  "name": "Night shift", "reason": "firmware", "timeZone": "UTC",
  "schedule": {"kind": "daily", "at": "02:00", "durationMinutes": 120},
  "targets": {"labels": {"site": "izmir"}}})";

class Windows : public testing::Test {
 protected:
  struct Connection {
    store::ConnectionRow row;
    LifecycleState state;
    std::vector<std::string> notes;
  };

  Windows() {
    std::string name = (std::filesystem::temp_directory_path() / "windows_XXXXXX").string();
    directory_ = mkdtemp(name.data());
    store_ = *store::Store::open(directory_, clock_);
    build();
  }
  ~Windows() override {
    windows_.reset();
    timers_.settle();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // The hub begins; what was stored is loaded.
  void build() {
    // A hub that ends commits what is queued.
    ASSERT_TRUE(store_->write_now([](soci::session&) { return Result<void>{}; }).has_value());
    WindowHost host;
    host.targets = [this] {
      std::vector<WindowTarget> targets;
      for (auto& [id, connection] : connections_) {
        const auto& state = connection.state;
        const bool running = state.status != Status::kIdle && state.status != Status::kSuspended;
        targets.push_back(
            {&connection.row, running, state.suspension ? &*state.suspension : nullptr});
      }
      return targets;
    };
    host.suspend = [this](std::string id, Suspension suspension) {
      return apply(std::move(id), lifecycle::Suspend{std::move(suspension)});
    };
    host.end = [this](std::string id, Suspension over) { return end(std::move(id), over); };
    windows_ = std::make_unique<MaintenanceWindows>(context_.get_executor(), clock_, timers_,
                                                    *store_, std::move(host));
    ASSERT_TRUE(windows_->load().has_value());
    windows_->check();
    run_until([] { return true; });
  }

  Task<Result<void>> apply(std::string id, lifecycle::Event event) {
    Connection& connection = connections_.at(id);
    const auto step =
        lifecycle::reduce(connection.state, event, {}, {clock_.steady_now(), clock_.utc_now(), 0});
    if (step.refusal) co_return fail(*step.refusal);
    connection.state = step.next;
    for (const auto& effect : step.effects) {
      if (const auto* row = std::get_if<lifecycle::RecordHistory>(&effect))
        connection.notes.push_back(row->note);
    }
    co_return Result<void>{};
  }
  Task<Result<void>> end(std::string id, Suspension over) {
    lifecycle::Resume resume{over.by, {}, over.at};
    const auto before = connections_.at(id).state.status;
    lifecycle::Event event = std::move(resume);
    Result<void> resumed = co_await apply(id, std::move(event));
    const bool ended = before != connections_.at(id).state.status;
    if (ended && over.then == AfterSuspension::kResumeAndStart) {
      lifecycle::Event start = lifecycle::Start{over.by};
      co_await apply(id, std::move(start));
    }
    co_return resumed;
  }
  // As the manager does: the regular end of a suspension is nothing that windows need to do.
  void end_what_is_due() {
    for (auto& [id, connection] : connections_) {
      const auto& suspension = connection.state.suspension;
      if (suspension && suspension->until && *suspension->until <= clock_.utc_now())
        spawn(context_.get_executor(), drop(end(id, *suspension)));
    }
  }
  static Task<void> drop(Task<Result<void>> task) { static_cast<void>(co_await std::move(task)); }

  // Lets the store's thread answer.
  template <typename Done>
  void run_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    timers_.settle();
    while (!done() && std::chrono::steady_clock::now() < limit) {
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds{20});
    }
    timers_.settle();
  }
  void advance_to(std::string_view time) {
    while (clock_.utc_now() < *parse_utc(time)) {
      timers_.advance(std::min<Duration>(*parse_utc(time) - clock_.utc_now(), minutes{1}));
      end_what_is_due();
      timers_.settle();
    }
  }

  template <typename T>
  T wait(Task<T> task) {
    std::optional<T> answer;
    spawn(context_.get_executor(), [](Task<T> work, std::optional<T>& into) -> Task<void> {
      into.emplace(co_await std::move(work));
    }(std::move(task), answer));
    run_until([&] { return answer.has_value(); });
    return *std::move(answer);
  }
  Outcome<WindowView> make(std::string_view body, bool dry_run = false) {
    return wait(windows_->create(Json::parse(body), Actor{"anna"}, dry_run));
  }
  Outcome<WindowView> edit(const std::string& id, std::string_view patch) {
    return wait(windows_->update(id, Json::parse(patch), 0, Actor{"anna"}, false));
  }

  void add(const std::string& id, bool running = true,
           std::string_view labels = R"({"site": "izmir"})") {
    Connection& connection = connections_[id];
    connection.row.id = connection.row.name = id;
    connection.row.labels = Json::parse(labels);
    if (running) command(id, lifecycle::Start{});
  }
  void command(const std::string& id, lifecycle::Event event) {
    ASSERT_TRUE(wait(apply(id, std::move(event))).has_value());
  }
  void suspend_by_hand(const std::string& id) {
    command(id, lifecycle::Suspend{{"valve", "anna", clock_.utc_now(), std::nullopt}});
  }
  Status status(const std::string& id) const { return connections_.at(id).state.status; }
  const std::optional<Suspension>& suspension(const std::string& id) const {
    return connections_.at(id).state.suspension;
  }
  static std::vector<std::string> pointers_of(const Outcome<WindowView>& outcome) {
    std::vector<std::string> found;
    if (outcome) return found;
    for (const auto& error : std::get<Invalid>(outcome.error()).errors)
      found.push_back(error.pointer);
    return found;
  }

  std::string directory_;
  asio::io_context context_;
  ManualClock clock_{kMonday};
  ManualTimers timers_{clock_, context_};
  std::unique_ptr<store::Store> store_;
  std::map<std::string, Connection> connections_;
  std::unique_ptr<MaintenanceWindows> windows_;
};

TEST_F(Windows, suspends_what_runs_and_matches_from_the_start_to_the_end) {
  add("filler");
  add("other", true, R"({"site": "ankara"})");
  add("idle", false);
  ASSERT_TRUE(make(kNight).has_value());
  advance_to("2026-11-23T01:59:00Z");
  EXPECT_EQ(status("filler"), Status::kConnecting);
  advance_to("2026-11-23T02:00:00Z");
  ASSERT_EQ(status("filler"), Status::kSuspended);
  EXPECT_EQ(suspension("filler")->reason, R"(maintenance "Night shift": firmware)");
  EXPECT_EQ(suspension("filler")->by, "maintenance window Night shift");
  EXPECT_EQ(suspension("filler")->until, parse_utc("2026-11-23T04:00:00Z").value());
  EXPECT_EQ(status("other"), Status::kConnecting);
  EXPECT_EQ(status("idle"), Status::kIdle);
  advance_to("2026-11-23T04:00:00Z");
  EXPECT_EQ(status("filler"), Status::kConnecting);
  advance_to("2026-11-24T02:00:00Z");
  EXPECT_EQ(status("filler"), Status::kSuspended) << "and the next night";
}

TEST_F(Windows, leaves_it_idle_at_the_end_when_that_was_chosen) {
  add("filler");
  Json body = Json::parse(kNight);
  body["then"] = "resume";
  ASSERT_TRUE(make(to_text(body)).has_value());
  advance_to("2026-11-23T04:00:00Z");
  EXPECT_EQ(status("filler"), Status::kIdle);
}

TEST_F(Windows, a_persons_own_suspension_stays_over_the_end) {
  add("filler");
  ASSERT_TRUE(make(kNight).has_value());
  advance_to("2026-11-23T01:00:00Z");
  suspend_by_hand("filler");
  advance_to("2026-11-23T05:00:00Z");
  EXPECT_EQ(status("filler"), Status::kSuspended);
  EXPECT_EQ(suspension("filler")->by, "anna");
}

TEST_F(Windows, what_a_person_resumed_within_the_window_stays_resumed) {
  add("filler");
  ASSERT_TRUE(make(kNight).has_value());
  advance_to("2026-11-23T02:30:00Z");
  command("filler", lifecycle::Resume{"anna"});
  command("filler", lifecycle::Start{"anna"});
  advance_to("2026-11-23T03:59:00Z");
  EXPECT_EQ(status("filler"), Status::kConnecting);
  build();  // and over a restart of the hub
  EXPECT_EQ(status("filler"), Status::kConnecting);
}

TEST_F(Windows, of_overlapping_windows_the_later_end_wins) {
  add("filler");
  ASSERT_TRUE(make(kNight).has_value());
  Json later = Json::parse(kNight);
  later["name"] = "Until five";
  later["schedule"]["at"] = "03:00";
  ASSERT_TRUE(make(to_text(later)).has_value());
  Json within = Json::parse(kNight);
  within["name"] = "Within";
  within["schedule"]["at"] = "03:30";
  within["schedule"]["durationMinutes"] = 10;
  ASSERT_TRUE(make(to_text(within)).has_value());
  advance_to("2026-11-23T03:35:00Z");
  EXPECT_EQ(suspension("filler")->by, "maintenance window Until five");
  advance_to("2026-11-23T04:59:00Z");
  EXPECT_EQ(status("filler"), Status::kSuspended);
  advance_to("2026-11-23T05:00:00Z");
  EXPECT_EQ(status("filler"), Status::kConnecting);
}

TEST_F(Windows, a_disabled_or_deleted_window_lets_go_at_once) {
  add("filler");
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  advance_to("2026-11-23T02:30:00Z");
  ASSERT_TRUE(edit(made->row.id, R"({"enabled": false})").has_value());
  EXPECT_EQ(status("filler"), Status::kConnecting);
  ASSERT_TRUE(edit(made->row.id, R"({"enabled": true})").has_value());
  EXPECT_EQ(status("filler"), Status::kSuspended) << "it is under way again";
  ASSERT_TRUE(wait(windows_->remove(made->row.id, Actor{"anna"})).has_value());
  EXPECT_EQ(status("filler"), Status::kConnecting);
}

TEST_F(Windows, an_edit_takes_effect_at_once) {
  add("filler");
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  advance_to("2026-11-23T02:30:00Z");
  ASSERT_TRUE(edit(made->row.id, R"({"schedule": {"durationMinutes": 180}})").has_value());
  EXPECT_EQ(suspension("filler")->until, parse_utc("2026-11-23T05:00:00Z").value())
      << "longer: it stays suspended, until the new end";
  ASSERT_TRUE(edit(made->row.id, R"({"schedule": {"at": "12:00"}})").has_value());
  EXPECT_EQ(status("filler"), Status::kConnecting) << "at another time: it goes on";
}

TEST_F(Windows, what_one_window_lets_go_is_kept_by_another_that_is_under_way) {
  add("filler");
  Json longer = Json::parse(kNight);
  longer["name"] = "Longer";
  longer["schedule"]["durationMinutes"] = 240;
  const auto made = make(to_text(longer));
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(make(kNight).has_value());
  advance_to("2026-11-23T02:30:00Z");
  ASSERT_EQ(suspension("filler")->by, "maintenance window Longer");
  ASSERT_TRUE(wait(windows_->remove(made->row.id, Actor{"anna"})).has_value());
  ASSERT_EQ(status("filler"), Status::kSuspended);
  EXPECT_EQ(suspension("filler")->by, "maintenance window Night shift");
}

TEST_F(Windows, a_hub_that_was_down_at_the_start_suspends_at_boot) {
  add("filler");
  ASSERT_TRUE(make(kNight).has_value());
  windows_.reset();
  clock_.advance(hours{3});
  build();
  EXPECT_EQ(status("filler"), Status::kSuspended);
}

TEST_F(Windows, a_window_that_was_deleted_while_it_held_lets_go_at_boot) {
  add("filler");
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  advance_to("2026-11-23T02:30:00Z");
  windows_.reset();
  ASSERT_TRUE(store_
                  ->write_now([&](soci::session& sql) {
                    return store::MaintenanceWindows::remove(sql, made->row.id);
                  })
                  .has_value());
  build();
  EXPECT_EQ(status("filler"), Status::kConnecting);
}

TEST_F(Windows, a_wall_clock_that_was_set_is_noticed_with_the_next_look) {
  add("filler");
  ASSERT_TRUE(make(kNight).has_value());
  clock_.step_utc(hours{2});
  windows_->check();
  timers_.settle();
  EXPECT_EQ(status("filler"), Status::kSuspended);
}

TEST_F(Windows, a_window_made_while_it_is_under_way_begins_at_once) {
  add("filler");
  advance_to("2026-11-23T03:00:00Z");
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(status("filler"), Status::kSuspended);
  EXPECT_EQ(windows_->window(made->row.id)->holds, 1U);
}

TEST_F(Windows, a_dry_run_says_when_and_does_nothing) {
  add("filler");
  advance_to("2026-11-23T03:00:00Z");
  const auto planned = make(kNight, true);
  ASSERT_TRUE(planned.has_value());
  EXPECT_EQ(planned->active->to, parse_utc("2026-11-23T04:00:00Z").value());
  EXPECT_TRUE(windows_->windows().empty());
  EXPECT_EQ(status("filler"), Status::kConnecting);
}

TEST_F(Windows, a_connection_knows_the_window_that_holds_it_and_the_next_one) {
  add("filler");
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  const auto& row = connections_.at("filler").row;
  EXPECT_FALSE(windows_->holding(suspension("filler")));
  EXPECT_EQ(windows_->coming(row)->occurrence.from, parse_utc("2026-11-23T02:00:00Z").value());
  advance_to("2026-11-23T02:30:00Z");
  EXPECT_EQ(windows_->holding(suspension("filler"))->id, made->row.id);
  EXPECT_EQ(windows_->coming(row)->occurrence.from, parse_utc("2026-11-24T02:00:00Z").value());
}

TEST_F(Windows, names_are_unique_and_versions_are_kept) {
  const auto made = make(kNight);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(std::get<Error>(make(kNight).error()).code, "name_taken");
  EXPECT_EQ(edit(made->row.id, R"({"reason": "new firmware"})")->row.version, 2);
  const auto stale =
      wait(windows_->update(made->row.id, Json::parse("{}"), 1, Actor{"anna"}, false));
  EXPECT_EQ(std::get<Error>(stale.error()).code, "version_conflict");
}

TEST_F(Windows, what_is_wrong_is_pointed_at) {
  const auto with = [this](std::string_view patch) {
    return pointers_of(make(to_text(merge_patch(Json::parse(kNight), Json::parse(patch)))));
  };
  EXPECT_THAT(with(R"({"reason": " ", "colour": 1})"), ElementsAre("/colour", "/reason"));
  EXPECT_THAT(with(R"({"timeZone": "Mars/Olympus"})"), ElementsAre("/timeZone"));
  EXPECT_THAT(with(R"({"schedule": {"at": "25:00", "durationMinutes": 0}})"),
              ElementsAre("/schedule/at", "/schedule/durationMinutes"));
  EXPECT_THAT(with(R"({"schedule": {"kind": "weekly", "days": ["mon", "funday"]}})"),
              ElementsAre("/schedule/days/1"));
  EXPECT_THAT(with(R"({"schedule": {"kind": "hourly"}})"), ElementsAre("/schedule/kind"));
  EXPECT_THAT(with(R"({"schedule": {"kind": "monthly"}})"), ElementsAre("/schedule"));
  EXPECT_THAT(with(R"({"targets": null})"), ElementsAre("/targets"));
  EXPECT_THAT(with(R"({"targets": {"labels": null}})"), ElementsAre("/targets"));
  EXPECT_THAT(with(R"({"targets": {"connectionIds": ["nobody"]}})"),
              ElementsAre("/targets/connectionIds/0"));
  EXPECT_THAT(with(R"({"then": "explode"})"), ElementsAre("/then"));
}

TEST_F(Windows, times_of_a_single_window_are_of_its_zone_unless_they_say_otherwise) {
  Json body = Json::parse(kNight);
  body["timeZone"] = "Europe/Istanbul";
  body["schedule"] = Json::parse(
      R"({"kind": "once", "from": "2026-12-01T22:00", "to": "2026-12-02T01:00:00+03:00"})");
  const auto made = make(to_text(body));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->next->from, parse_utc("2026-12-01T19:00:00Z").value());
  EXPECT_EQ(made->next->to, parse_utc("2026-12-01T22:00:00Z").value());
  body["name"] = "Backwards";
  body["schedule"]["to"] = "2026-12-01T21:00";
  EXPECT_THAT(pointers_of(make(to_text(body))), ElementsAre("/schedule/to"));
}

}  // namespace
}  // namespace tributary::connect
