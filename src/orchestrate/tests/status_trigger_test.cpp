// trigger.connectionStatus: what its settings may say, and the records it gives.
#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using namespace std::chrono_literals;
using connect::Status;

std::string pipeline(std::string_view settings) {
  return R"({"name": "x", "nodes": [{"id": "t", "type": "trigger.connectionStatus", "settings": )" +
         std::string(settings) +
         R"(}, {"id": "d", "type": "function", "settings": {"functionId": "write"}}], "edges": [{"from": "t", "to": "d"}]})";
}

class StatusTrigger : public testing::Test {
 protected:
  // The connection "C1" goes to another status.
  void enter(Status status, const std::string& id = "C1") {
    ConnectionNews news;
    news.connection_id = id;
    news.connection_name = "Line 3 PLC";
    news.type = "fake";
    news.labels = json(R"({"line": "3"})");
    news.from = std::exchange(status_[id], status);
    news.state.status = status;
    news.state.since = world_.clock.utc_now();
    news.state.epoch = ++epoch_;
    if (status == Status::kDisconnected) {
      const Error reset(ErrorClass::kTransient, "connection_reset", "The device reset it.", "hint");
      news.state.cause = connect::Cause{reset, news.state.since};
    }
    world_.runner->status_changed(0, std::move(news));
    world_.timers.settle();
  }
  // "Disconnected+1": the statuses that were written, with what was held back.
  std::vector<std::string> told() const {
    std::vector<std::string> texts;
    for (const Call& call : world_.port.calls) {
      const Json& record = get_member(call.parameters, "payload");
      texts.push_back(get_string(record, "to") + "+" +
                      std::to_string(get_int(record, "suppressed", -1)));
    }
    return texts;
  }

  RunnerWorld world_;
  std::map<std::string, Status> status_{{"C1", Status::kConnected}, {"C2", Status::kConnected}};
  std::int64_t epoch_ = 6;
};

using Texts = std::vector<std::string>;

TEST_F(StatusTrigger, AChangeBecomesOneRecord) {
  world_.start(pipeline("{}"));
  enter(Status::kDisconnected);
  ASSERT_EQ(world_.port.calls.size(), 1u);
  EXPECT_EQ(
      to_text(get_member(world_.port.calls[0].parameters, "payload")),
      R"({"connection":"Line 3 PLC","connectionId":"C1","type":"fake","labels":{"line":"3"},)"
      R"("from":"Connected","to":"Disconnected","cause":{"class":"Transient",)"
      R"("code":"connection_reset","message":"The device reset it."},)"
      R"("at":"2023-11-14T22:13:20.000Z","epoch":7,"suppressed":0,)"
      R"("$meta":{"trigger":"t","connection":"Line 3 PLC","time":"2023-11-14T22:13:20.000Z"}})");
}

TEST_F(StatusTrigger, AFlappingLinkTellsItsLastStateAfterTheDebounceTime) {
  world_.start(pipeline("{}"));
  for (int i = 0; i < 4; ++i) {
    enter(Status::kDisconnected);
    world_.advance(1s);
    enter(Status::kConnected);
    world_.advance(1s);
  }
  EXPECT_EQ(told(), Texts{"Disconnected+0"});
  world_.advance(60s);
  EXPECT_EQ(told(), (Texts{"Disconnected+0", "Connected+6"}));
}

TEST_F(StatusTrigger, OneConnectionDoesNotHoldBackAnother) {
  world_.start(pipeline("{}"));
  enter(Status::kDisconnected, "C1");
  enter(Status::kSuspended, "C2");
  EXPECT_EQ(told(), (Texts{"Disconnected+0", "Suspended+0"}));
}

TEST_F(StatusTrigger, AStateThatDoesNotHoldIsNotTold) {
  world_.start(pipeline(R"({"to": ["Disconnected"], "forMs": 60000})"));
  enter(Status::kDisconnected);
  world_.advance(30s);
  enter(Status::kConnected);
  world_.advance(600s);
  EXPECT_EQ(told(), Texts{});
  enter(Status::kDisconnected);
  world_.advance(60s);
  EXPECT_EQ(told(), Texts{"Disconnected+1"});
}

TEST_F(StatusTrigger, OnlyWhatTheFilterNamesIsTold) {
  world_.start(pipeline(
      R"({"connectionIds": ["C1"], "labels": {"line": "3"}, "type": "fake", "from": ["Connected"], "to": ["Failed"], "debounceMs": 0})"));
  enter(Status::kFailed, "C2");
  enter(Status::kDisconnected);
  enter(Status::kFailed);
  enter(Status::kConnected);
  enter(Status::kFailed);
  EXPECT_EQ(told(), Texts{"Failed+0"});
}

TEST_F(StatusTrigger, WhatFindsThePipelineBusyIsMergedAndTheLastStateIsStillTold) {
  world_.port.hold = std::make_shared<Event>(world_.io.get_executor());
  world_.start(pipeline(R"({"debounceMs": 0})"));
  for (int i = 0; i < 50; ++i) {
    enter(Status::kDisconnected);
    enter(Status::kConnected);
  }
  std::exchange(world_.port.hold, nullptr)->set();
  world_.advance(1s);
  const Texts all = told();
  EXPECT_LE(all.size(), kMaxWaitingBatches + 2);
  EXPECT_EQ(all.back().substr(0, 10), "Connected+");
  std::int64_t counted = 0;
  for (const std::string& text : all) counted += 1 + std::stoll(text.substr(text.find('+') + 1));
  EXPECT_EQ(counted, 100);
}

TEST_F(StatusTrigger, NothingIsToldOfAConnectionThatIsGone) {
  world_.start(pipeline(R"({"forMs": 60000})"));
  enter(Status::kDisconnected);
  ConnectionNews gone;
  gone.connection_id = "C1";
  gone.removed = true;
  world_.runner->status_changed(0, std::move(gone));
  world_.advance(600s);
  EXPECT_EQ(told(), Texts{});
}

TEST_F(StatusTrigger, AStopEndsItsTimer) {
  world_.start(pipeline(R"({"forMs": 60000})"));
  enter(Status::kDisconnected);
  world_.stop();
  EXPECT_EQ(world_.timers.armed(), 0u);
}

TEST(StatusTriggerCheck, NamesWhatIsWrong) {
  FakePort port;
  port.add("write", sdk::FunctionKind::kWrite);
  const NodeCatalogue catalogue;
  const auto first_problem = [&](std::string_view settings) {
    const Checked checked = check_pipeline(json(pipeline(settings)), catalogue, port);
    return checked.problems.empty() ? std::string()
                                    : checked.problems[0].pointer + " " + checked.problems[0].code;
  };
  EXPECT_EQ(first_problem("{}"), "");
  EXPECT_EQ(first_problem(R"({"connectionIds": ["C1", "C9"]})"),
            "/nodes/0/settings/connectionIds/1 unknown_connection");
  EXPECT_EQ(first_problem(R"({"type": "nothing"})"), "/nodes/0/settings/type unknown_type");
  EXPECT_EQ(first_problem(R"({"to": ["Unknown"]})"), "/nodes/0/settings/to/0 not_allowed");
  EXPECT_EQ(first_problem(R"({"forMs": -1})"), "/nodes/0/settings/forMs out_of_range");
  EXPECT_EQ(first_problem(R"({"debounce": 1})"), "/nodes/0/settings/debounce unknown_property");
}

}  // namespace
}  // namespace tributary::orchestrate
