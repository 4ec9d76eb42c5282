// Why a connection is down: what the sentence says, what counts as a change, what the store finds.
#include "connect/explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>

#include "store/repositories.hpp"

namespace tributary::connect {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

const UtcTime kNow{seconds{1'800'000'000}};

Cause refused_at(UtcTime at) {
  return {Error(ErrorClass::kTransient, "connection_refused",
                "192.0.2.10:502 refused the connection.", "Is it on?"),
          at};
}

StateView disconnected() {
  StateView state;
  state.status = Status::kDisconnected;
  state.since = kNow - seconds{10};
  state.cause = refused_at(kNow - seconds{10});
  state.next_attempt_at = kNow + seconds{12};
  return state;
}

TEST(Summary, says_how_long_why_how_often_and_what_is_next) {
  Explanation explanation;
  explanation.down = true;
  explanation.since = kNow - minutes{4};
  explanation.occurrences = 7;
  EXPECT_EQ(summarise(disconnected(), explanation, kNow),
            "Down for 4 min: 192.0.2.10:502 refused the connection, 7 times so far. Next attempt "
            "in 12 s.");
}

TEST(Summary, of_a_connection_that_waits_for_a_person_says_so) {
  StateView state = disconnected();
  state.status = Status::kFailed;
  state.next_attempt_at.reset();
  EXPECT_THAT(summarise(state, {}, kNow), testing::HasSubstr("waits for a person"));
}

TEST(Summary, of_a_suspended_one_names_who_and_why) {
  StateView state;
  state.status = Status::kSuspended;
  state.suspension = Suspension{"valve replacement", "operator1", kNow, std::nullopt};
  EXPECT_EQ(summarise(state, {}, kNow), "Suspended by operator1: valve replacement");
}

TEST(Summary, of_a_degraded_one_does_not_say_that_all_is_well) {
  StateView state;
  state.status = Status::kConnected;
  state.degraded = "1 of 3 subscriptions refused";
  EXPECT_EQ(summarise(state, {}, kNow), "Connected, but 1 of 3 subscriptions refused.");
}

store::AuditRow audit(std::string action, std::string_view detail = "{}") {
  return {0, kNow, "anna", std::move(action), "c1", *parse_json(detail)};
}

TEST(ChangeBefore, tells_secrets_from_settings) {
  const auto kind_of = [](std::string_view patch) {
    return to_change(audit("connection.update", fmt::format(R"({{"patch":{}}})", patch)))->kind;
  };
  EXPECT_EQ(kind_of(R"({"secrets":{"password":"hidden"}})"), "credential");
  EXPECT_EQ(kind_of(R"({"settings":{"port":503}})"), "configuration");
  EXPECT_EQ(kind_of(R"({"settings":{"tls":{}}})"), "certificate");
}

TEST(ChangeBefore, leaves_out_what_changes_nothing) {
  EXPECT_FALSE(to_change(audit("connection.test")));
  EXPECT_FALSE(to_change(audit("function.execute")));
  EXPECT_TRUE(to_change(audit("function.update")));
}

// A store with one connection's history, read on a loop of its own.
class OutageExplained : public testing::Test {
 protected:
  OutageExplained() {
    std::string pattern = (std::filesystem::temp_directory_path() / "explain-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    store_ = std::move(*store::Store::open(folder_, clock_));
  }
  ~OutageExplained() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void row(std::string from, std::string to, UtcTime at, std::string code = {},
           std::string note = {}) {
    store::HistoryRow row;
    row.connection_id = "c1";
    row.seq = ++seq_;
    row.from = std::move(from);
    row.to = std::move(to);
    row.at = at;
    row.cause_code = std::move(code);
    row.cause_class = row.cause_code.empty() ? "" : "Transient";
    row.note = std::move(note);
    ASSERT_TRUE(
        store_->write_now([&](soci::session& sql) { return store::History::append(sql, row); }));
  }
  void change(std::string action, std::string target, UtcTime at) {
    const store::AuditRow row{0, at, "anna", std::move(action), std::move(target), json_object()};
    ASSERT_TRUE(
        store_->write_now([&](soci::session& sql) { return store::Audit::append(sql, row); }));
  }
  Explanation explain(StateView state) {
    std::vector<std::string> targets{"c1", "f1"};
    auto future = asio::co_spawn(
        context_, explain_connection(*store_, std::move(state), std::move(targets), kNow),
        asio::use_future);
    // The answer is posted from the store's thread.
    const auto work = asio::make_work_guard(context_);
    while (future.wait_for(seconds{0}) != std::future_status::ready) context_.run_one();
    auto explanation = future.get();
    if (!explanation) throw std::runtime_error(explanation.error().message);
    return *explanation;
  }

  ManualClock clock_{kNow};
  std::string folder_;
  std::unique_ptr<store::Store> store_;
  asio::io_context context_;
  std::int64_t seq_ = 0;
};

TEST_F(OutageExplained, counts_the_cause_from_the_loss_on_and_not_from_before) {
  row("", "Idle", kNow - minutes{60});
  row("Idle", "Connecting", kNow - minutes{59});
  row("Connecting", "Disconnected", kNow - minutes{58}, "connection_refused");
  row("Disconnected", "Reconnecting", kNow - minutes{57});
  row("Reconnecting", "Connected", kNow - minutes{57});
  row("Connected", "Disconnected", kNow - minutes{5}, "connection_reset");
  row("Disconnected", "Reconnecting", kNow - minutes{4});
  row("Reconnecting", "Disconnected", kNow - minutes{3}, "connection_refused");
  row("Disconnected", "Reconnecting", kNow - minutes{2});
  row("Reconnecting", "Disconnected", kNow - minutes{1}, "connection_refused");
  const Explanation explanation = explain(disconnected());
  EXPECT_TRUE(explanation.down);
  EXPECT_EQ(explanation.since, kNow - minutes{5});
  EXPECT_EQ(explanation.failures, 3);
  EXPECT_EQ(explanation.occurrences, 2);
  EXPECT_EQ(explanation.first_at, kNow - minutes{3});
  EXPECT_EQ(explanation.last_at, kNow - minutes{1});
  ASSERT_EQ(explanation.causes.size(), 2U);
  EXPECT_EQ(explanation.causes[0].code, "connection_refused");
}

TEST_F(OutageExplained, a_restart_of_the_hub_does_not_end_the_outage) {
  row("", "Idle", kNow - minutes{60});
  row("Idle", "Connecting", kNow - minutes{30});
  row("Connecting", "Disconnected", kNow - minutes{29}, "connection_refused");
  row("Disconnected", "Unknown", kNow - minutes{20}, {}, "hub down");
  row("Unknown", "Idle", kNow - minutes{10}, {}, "boot");
  row("Idle", "Connecting", kNow - minutes{10});
  row("Connecting", "Disconnected", kNow - minutes{9}, "connection_refused");
  const Explanation explanation = explain(disconnected());
  EXPECT_EQ(explanation.since, kNow - minutes{30});
  EXPECT_EQ(explanation.occurrences, 2);
}

TEST_F(OutageExplained, lists_what_was_changed_within_a_quarter_of_an_hour_before) {
  row("", "Idle", kNow - minutes{100});
  row("Idle", "Connecting", kNow - minutes{99});
  row("Connecting", "Connected", kNow - minutes{98});
  row("Connected", "Disconnected", kNow - minutes{10}, "connection_reset");
  change("connection.update", "c1", kNow - minutes{12});
  change("function.update", "f1", kNow - minutes{11});
  change("connection.update", "another", kNow - minutes{11});
  change("connection.update", "c1", kNow - minutes{40});
  change("connection.test", "c1", kNow - minutes{11});
  std::vector<std::string> kinds;
  for (const auto& found : explain(disconnected()).changes) kinds.push_back(found.kind);
  EXPECT_THAT(kinds, ElementsAre("function", "configuration"));
}

TEST_F(OutageExplained, a_connection_that_is_up_is_not_down) {
  row("", "Idle", kNow - minutes{60});
  row("Idle", "Connecting", kNow - minutes{59});
  row("Connecting", "Connected", kNow - minutes{58});
  StateView state;
  state.status = Status::kConnected;
  const Explanation explanation = explain(state);
  EXPECT_FALSE(explanation.down);
  EXPECT_FALSE(explanation.since);
  EXPECT_EQ(explanation.summary, "Connected; nothing is wrong.");
}

}  // namespace
}  // namespace tributary::connect
