// What holds for suspensions: reducer, actor, selections and orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actor_fixture.hpp"
#include "connect/order.hpp"
#include "connect/selection.hpp"
#include "connect/suspension.hpp"
#include "lifecycle_support.hpp"

namespace tributary::connect {
namespace {

using lifecycle::Answer;
using lifecycle::Intent;
using lifecycle::kUtc;
using lifecycle::Resume;
using lifecycle::Start;
using lifecycle::Story;
using lifecycle::Suspend;
using std::chrono::hours;
using testing::ElementsAre;

Suspension by_anna(std::string reason) {
  return {std::move(reason), "anna", kUtc, std::nullopt};
}
Suspension by_window(std::string id, UtcTime until) {
  return {"maintenance", "maintenance window " + id,       kUtc,
          until,         AfterSuspension::kResumeAndStart, id};
}

Story suspended(Suspension suspension) {
  Story story;
  story.connected().then(Suspend{std::move(suspension)});
  return story;
}

TEST(Suspension, T25_suspending_the_same_way_again_changes_nothing) {
  Story story = suspended(by_anna("valve"));
  story.then(Suspend{by_anna("valve")});
  EXPECT_EQ(story.step().answer, Answer::kAlreadySo);
  EXPECT_TRUE(story.step().effects.empty());
}

TEST(Suspension, a_person_gives_another_reason_and_end_without_a_transition) {
  Story story = suspended(by_anna("valve"));
  Suspension longer = by_anna("valve and pump");
  longer.until = kUtc + hours{2};
  story.then(Suspend{longer});
  EXPECT_EQ(story.step().answer, Answer::kDone);
  EXPECT_TRUE(rows_of(story.step()).empty());
  EXPECT_EQ(story.state().suspension, std::optional(longer));
  EXPECT_EQ(story.state().intent, Intent::kSuspended);
}

TEST(Suspension, a_window_leaves_a_persons_suspension_alone) {
  Story story = suspended(by_anna("valve"));
  story.then(Suspend{by_window("w1", kUtc + hours{1})});
  EXPECT_EQ(story.step().answer, Answer::kAlreadySo);
  EXPECT_EQ(story.state().suspension->by, "anna");
}

TEST(Suspension, a_person_takes_over_what_a_window_suspended) {
  Story story = suspended(by_window("w1", kUtc + hours{1}));
  story.then(Suspend{by_anna("pump is open")});
  EXPECT_EQ(story.state().suspension, std::optional(by_anna("pump is open")));
}

TEST(Suspension, the_end_of_a_suspension_does_not_end_the_one_after_it) {
  Story story = suspended(by_window("w1", kUtc + hours{1}));
  Suspension later = by_anna("pump is open");
  later.at = kUtc + std::chrono::minutes{1};
  story.then(Suspend{later});
  story.then(Resume{"end of suspension", Start{}, kUtc});
  EXPECT_EQ(story.step().answer, Answer::kAlreadySo);
  EXPECT_EQ(story.state().status, Status::kSuspended);
}

TEST(Suspension, resume_and_start_keeps_the_intent_from_the_first_row_on) {
  Story story = suspended(by_anna("valve"));
  story.then(Resume{"anna", Start{"anna"}});
  EXPECT_THAT(rows_of(story.step()), ElementsAre("Suspended>Idle"));
  EXPECT_EQ(story.state().intent, Intent::kRunning) << "a hub that ends now starts it at boot";
}

TEST(Suspension, it_comes_back_from_the_store_as_it_was) {
  Suspension suspension = by_window("w1", kUtc + hours{1});
  suspension.then = AfterSuspension::kResume;
  store::ConnectionRow row;
  put_suspension(row, suspension);
  EXPECT_EQ(suspension_of(row), suspension);
  put_suspension(row, std::nullopt);
  EXPECT_TRUE(row.suspend_reason.empty() && row.suspend_then.empty() && row.suspend_window.empty());
  EXPECT_FALSE(row.suspended_at || row.suspended_until);
}

class SuspensionActor : public testing_support::ActorTest {};

TEST_F(SuspensionActor, resume_and_start_are_two_rows_with_nothing_between) {
  start();
  command(Suspend{by_anna("valve")});
  // Both wait in the inbox at the same time; the stop comes after the start.
  actor_->post(Resume{"anna", Start{"anna"}});
  actor_->post(lifecycle::Stop{"berta"});
  advance(std::chrono::seconds{1});
  EXPECT_THAT(log_.path(), ElementsAre("Idle", "Connecting", "Connected", "Suspended", "Idle",
                                       "Connecting", "Idle"));
}

TEST_F(SuspensionActor, a_suspension_that_cannot_be_stored_anew_stays_as_it_was) {
  start();
  command(Suspend{by_anna("valve")});
  log_.broken = true;
  const auto answer = command(Suspend{by_anna("pump")});
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->error().code, "disk_full");
  EXPECT_EQ(actor_->view().suspension->reason, "valve");
  log_.broken = false;
}

TEST_F(SuspensionActor, a_preview_changes_nothing) {
  start();
  const auto would = actor_->preview(Suspend{by_anna("valve")});
  ASSERT_TRUE(would.has_value());
  EXPECT_EQ(would->status, Status::kSuspended);
  EXPECT_EQ(status(), Status::kConnected);
  command(lifecycle::Stop{});
  EXPECT_EQ(actor_->preview(Suspend{by_anna("valve")}).error().code, "connection_not_running");
}

TEST(Order, a_suspension_needs_a_reason_and_an_end_to_come) {
  const auto pointers = [](Command command, std::string reason = {},
                           std::optional<UtcTime> until = std::nullopt) {
    Order order;
    order.command = command;
    order.reason = std::move(reason);
    order.until = until;
    std::vector<std::string> found;
    for (const auto& error : check_order(order, kUtc)) found.push_back(error.pointer);
    return found;
  };
  EXPECT_THAT(pointers(Command::kSuspend, " "), ElementsAre("/reason"));
  EXPECT_THAT(pointers(Command::kSuspend, std::string(501, 'x')), ElementsAre("/reason"));
  EXPECT_THAT(pointers(Command::kSuspend, "valve", kUtc), ElementsAre("/until"));
  EXPECT_THAT(pointers(Command::kSuspend, "valve", kUtc + hours{1}), ElementsAre());
  EXPECT_THAT(pointers(Command::kStop), ElementsAre());
}

store::ConnectionRow row_with(std::string id, std::string type, std::string_view labels) {
  store::ConnectionRow row;
  row.id = std::move(id);
  row.type = std::move(type);
  row.labels = Json::parse(labels);
  return row;
}

Selection selection_of(std::string_view body) {
  std::vector<schema::FieldError> errors;
  auto selection = parse_selection(Json::parse(body), "", errors);
  EXPECT_TRUE(errors.empty());
  return selection;
}

TEST(Selecting, everything_that_is_given_must_hold) {
  const auto plc = row_with("1", "modbus", R"({"site": "izmir", "line": "3"})");
  const auto broker = row_with("2", "mqtt", R"({"site": "izmir"})");
  const auto site = selection_of(R"({"labels": {"site": "izmir"}})");
  EXPECT_TRUE(site.matches(plc) && site.matches(broker));
  const auto narrower = selection_of(R"({"labels": {"site": "izmir"}, "type": "modbus"})");
  EXPECT_TRUE(narrower.matches(plc));
  EXPECT_FALSE(narrower.matches(broker));
  EXPECT_FALSE(selection_of(R"({"labels": {"line": "4"}})").matches(plc));
  EXPECT_TRUE(selection_of(R"({"connectionIds": ["2"]})").matches(broker));
  EXPECT_FALSE(selection_of(R"({"connectionIds": ["2"]})").matches(plc));
  EXPECT_TRUE(selection_of(R"({"all": true})").matches(plc));
}

TEST(Selecting, nothing_is_selected_without_a_word) {
  for (const char* body : {"{}", R"({"all": false})"}) {
    std::vector<schema::FieldError> errors;
    const auto selection = parse_selection(Json::parse(body), "", errors);
    EXPECT_EQ(errors.size(), 1U) << body;
    EXPECT_FALSE(selection.matches(row_with("1", "modbus", "{}"))) << body;
  }
}

TEST(Selecting, what_is_wrong_is_pointed_at) {
  std::vector<schema::FieldError> errors;
  parse_selection(
      Json::parse(R"({"connectionIds": ["a", 1], "labels": {"a/b": 2}, "type": 3, "all": "yes"})"),
      "/targets", errors);
  std::vector<std::string> pointers;
  for (const auto& error : errors) pointers.push_back(error.pointer);
  EXPECT_THAT(pointers, ElementsAre("/targets/connectionIds/1", "/targets/labels/a~1b",
                                    "/targets/type", "/targets/all"));
}

}  // namespace
}  // namespace tributary::connect
