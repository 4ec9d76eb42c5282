// The simulated plant's OPC UA face.
#include "connectors/opcua/simulator/plant.hpp"

#include <sstream>

#include "connectors/opcua/tests/fixture.hpp"
#include "connectors/opcua/tests/records.hpp"
#include "sdk/node_reader.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::opcua {
namespace {

class OpcuaPlant : public OpcuaTest {
 protected:
  OpcuaPlant() {
    EXPECT_FALSE(try_open(profile(plant_->url())).has_value());
    auto trusting = profile(plant_->url());
    trusting.trusted_certificates.push_back(context_.events().certificates[0].certificate.pem);
    open(trusting);
  }
  Result<Batch> run(std::string_view method, std::string_view parameters = "{}") {
    return call(
        "opcua.call",
        fmt::format(R"({{"objectId":"nsu={0};s=Filler","methodId":"nsu={0};s=Filler.{1}"}})",
                    simulator::kPlantNamespace, method),
        parameters);
  }
  const test::TempDir folder_;
  std::unique_ptr<simulator::PlantServer> plant_ =
      simulator::PlantServer::start("127.0.0.1", 0, (folder_.path() / "keys").string()).value();
};

TEST_F(OpcuaPlant, NodesAreReadByTheirIdsAsTheyAreBrowsed) {
  plant_->show({.speed = 742});
  const std::string speed = fmt::format("nsu={};s=Filler.Speed", simulator::kPlantNamespace);
  auto* reader = dynamic_cast<sdk::NodeReader*>(session_.get());
  ASSERT_NE(reader, nullptr);
  const auto read = [&](std::vector<std::string> nodes) {
    return context_.run(reader->read_nodes(std::move(nodes), context_.in(std::chrono::seconds(5))));
  };
  Json held;
  for (int i = 0; i < 200 && held != Json(742); ++i) {  // the plant shows it when its turn comes
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto batch = read({speed});
    ASSERT_TRUE(batch.has_value()) << batch.error().message;
    held = to_json(batch->scans().front().samples.front().value);
  }
  EXPECT_EQ(held, Json(742));
  const auto batch = read({speed, "i=1"});
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  const Scan& scan = batch->scans().front();
  EXPECT_EQ(*scan.points, (PointNames{speed, "i=1"}));
  EXPECT_TRUE(scan.samples[0].quality.is_good());
  EXPECT_TRUE(scan.samples[1].quality.is_bad()) << "a data type holds no value";
  const auto wrong = read({speed, "Filler.Speed"});
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().pointer, "/nodes/1");
}

TEST_F(OpcuaPlant, TheFillerIsCommandedByMethods) {
  using What = simulator::PlantCommand::What;
  EXPECT_TRUE(run("Stop").has_value());
  const auto loaded = run("LoadRecipe", R"({"recipe": 3})");
  EXPECT_TRUE(loaded.has_value()) << loaded.error().message;
  const auto refused = run("LoadRecipe", R"({"recipe": 5})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "bad_out_of_range");
  const auto commands = plant_->take_commands();
  ASSERT_EQ(commands.size(), 2U);
  EXPECT_EQ(commands[0].what, What::kStop);
  EXPECT_EQ(commands[1].what, What::kLoadRecipe);
  EXPECT_EQ(commands[1].recipe, 3);
  EXPECT_TRUE(plant_->take_commands().empty());
}

TEST_F(OpcuaPlant, AFaultIsAnAlarmThatSomebodyAcknowledges) {
  plant_->show({.alarms = 1U << 3U});
  auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
  const auto operation = prepare("opcua.events", R"({"publishingIntervalMs":50})");
  Records sink;
  const auto subscription =
      context_.run(subscriber->subscribe(*operation, sink, context_.in(std::chrono::seconds(5))));
  ASSERT_TRUE(subscription.has_value()) << subscription.error().message;
  const auto wait = [&](auto until) { return context_.run_until(until, std::chrono::seconds(20)); };
  const auto condition = [&] { return sink.last("condition"); };
  ASSERT_TRUE(wait([&] { return sink.count("refreshEnd") == 1 && sink.count("condition") >= 1; }));
  EXPECT_EQ(get_string(condition().at("condition"), "name"), "TankLow");
  plant_->show({.alarms = 1U << 3U | 1U});
  ASSERT_TRUE(wait([&] { return get_string(condition().at("condition"), "name") == "Jam"; }));
  const Json jam = condition();
  EXPECT_EQ(jam.at("message"), Json("A bottle is jammed in the infeed"));
  EXPECT_EQ(jam.at("sourceName"), Json("Filler"));
  EXPECT_EQ(jam.at("severity"), Json(600));
  EXPECT_EQ(jam.at("condition").at("active"), Json(true));
  EXPECT_EQ(jam.at("condition").at("retain"), Json(true));
  EXPECT_EQ(jam.at("condition").at("class"), Json("Process"));
  const auto named = [](const Json& event, std::string_view comment) {
    return fmt::format(R"({{"conditionId":"{}","eventId":"{}","comment":"{}"}})",
                       get_string(event.at("condition"), "conditionId"),
                       get_string(event, "eventId"), comment);
  };
  EXPECT_EQ(get_string(jam.at("condition"), "conditionId"),
            fmt::format("nsu={};s=Filler.Jam", simulator::kPlantNamespace));
  const auto early = call("opcua.confirm", named(jam, ""));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, "bad_condition_branch_already_confirmed") << "nothing to confirm";
  const auto done = call("opcua.acknowledge", named(jam, "on my way"));
  ASSERT_TRUE(done.has_value()) << done.error().message;
  ASSERT_TRUE(wait([&] { return get_bool(condition().at("condition"), "acknowledged", false); }));
  EXPECT_EQ(condition().at("condition").at("comment"), Json("on my way"));
  EXPECT_EQ(condition().at("condition").at("confirmed"), Json(false));
  const auto again = call("opcua.acknowledge", named(jam, ""));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "bad_condition_branch_already_acked");
  plant_->show({.alarms = 1U << 3U});
  EXPECT_TRUE(wait([&] {
    return get_string(condition().at("condition"), "name") == "Jam" &&
           !get_bool(condition().at("condition"), "active", true);
  }));
  EXPECT_EQ(condition().at("condition").at("retain"), Json(true)) << "it waits to be confirmed";
  const auto confirmed = call("opcua.confirm", named(jam, "cleared"));
  ASSERT_TRUE(confirmed.has_value()) << confirmed.error().message;
  ASSERT_TRUE(wait([&] { return get_bool(condition().at("condition"), "confirmed", false); }));
  EXPECT_EQ(condition().at("condition").at("retain"), Json(false));
  // The next jam is another one.
  plant_->show({.alarms = 1U << 3U | 1U});
  ASSERT_TRUE(wait([&] { return get_bool(condition().at("condition"), "active", false); }));
  const auto old = call("opcua.acknowledge", named(jam, ""));
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().code, "bad_event_id_unknown");
  context_.run((*subscription)->cancel(context_.in(std::chrono::seconds(5))));
}

// A refresh repeats what is: the time stays that of the change, and its events can be answered.
TEST_F(OpcuaPlant, WhatIsRefreshedIsWhatItWas) {
  using namespace std::chrono_literals;
  plant_->show({.alarms = 1});
  Records sink;
  const auto operation =
      prepare("opcua.events", R"({"publishingIntervalMs":50,"minSeverity":400})");
  const auto follow = [&] {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    return context_.run(subscriber->subscribe(*operation, sink, context_.in(5s))).value();
  };
  const auto first = follow();
  // It came before the first one looked, or just now: the plant decides.
  const auto seen = [&] { return sink.count("refreshEnd") == 1 && sink.count("condition") >= 1; };
  ASSERT_TRUE(context_.run_until(seen, 20s));
  const Json before = sink.last("condition");
  const auto second = follow();
  ASSERT_TRUE(context_.run_until([&] { return sink.count("refreshEnd") >= 2; }, 20s));
  const Json after = sink.last("condition");
  EXPECT_TRUE(get_bool(after, "replayed", false));
  EXPECT_EQ(after.at("time"), before.at("time"));
  EXPECT_NE(after.at("eventId"), before.at("eventId"));
  const auto done =
      call("opcua.acknowledge", fmt::format(R"({{"conditionId":"{}","eventId":"{}"}})",
                                            get_string(before.at("condition"), "conditionId"),
                                            get_string(before, "eventId")));
  EXPECT_TRUE(done.has_value()) << done.error().message;
  context_.run(first->cancel(context_.in(5s)));
  context_.run(second->cancel(context_.in(5s)));
}

TEST_F(OpcuaPlant, NodeOpcuaAcknowledgesAndConfirms) {
  using namespace std::chrono_literals;
  plant_->show({.alarms = 1});
  test::Process client({"node", TRIBUTARY_SOURCE_DIR "/tests/peers/opcua_client.mjs",
                        (folder_.path() / "client").string(), plant_->url(), "alarms", "Jam"});
  client.wait_for_line("answered", 60s);
  plant_->show({});
  ASSERT_EQ(client.wait(20s), 0) << client.output();
  EXPECT_EQ(client.wait_for_line("foreign "), "BadSubscriptionIdInvalid");
  EXPECT_EQ(client.wait_for_line("refreshed "), "Good");
  EXPECT_EQ(client.wait_for_line("acknowledged "), "Good");
  EXPECT_EQ(client.wait_for_line("again "), "BadConditionBranchAlreadyAcked");
  EXPECT_EQ(client.wait_for_line("confirmed "), "Good");
  std::vector<Json> states;
  std::istringstream lines(client.output());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("state ")) states.push_back(json(line.substr(6)));
  }
  const auto jam = [](bool active, bool acknowledged, bool confirmed, bool retain,
                      std::string_view comment) {
    return json(fmt::format(
        R"({{"kind":"Jam","active":{},"acknowledged":{},"confirmed":{},"retain":{},"comment":"{}",
             "conditionId":"ns=2;s=Filler.Jam"}})",
        active, acknowledged, confirmed, retain, comment));
  };
  ASSERT_EQ(states.size(), 6U) << client.output();
  EXPECT_EQ(get_string(states[0], "kind"), "refreshStart");
  EXPECT_EQ(states[1], jam(true, false, true, true, ""));
  EXPECT_EQ(get_string(states[2], "kind"), "refreshEnd");
  EXPECT_EQ(states[3], jam(true, true, false, true, "seen"));
  EXPECT_EQ(states[4], jam(true, true, true, true, "repaired"));
  EXPECT_EQ(states[5], jam(false, true, true, false, "repaired"));
}

TEST_F(OpcuaPlant, AnAlarmIsCommentedAndItsTypeHasAName) {
  auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
  const auto operation =
      prepare("opcua.events", R"({"publishingIntervalMs":50,"eventTypes":["AlarmConditionType"]})");
  Records sink;
  const auto subscription =
      context_.run(subscriber->subscribe(*operation, sink, context_.in(std::chrono::seconds(5))));
  ASSERT_TRUE(subscription.has_value()) << subscription.error().message;
  plant_->show({.alarms = 1U});
  const auto wait = [&](auto until) { return context_.run_until(until, std::chrono::seconds(20)); };
  ASSERT_TRUE(wait([&] { return sink.count("condition") >= 1; }));
  const Json jam = sink.last("condition");
  EXPECT_EQ(jam.at("eventTypeName"), Json("AlarmConditionType"));
  const auto operate = [&](std::string_view operation_name, std::string_view more) {
    const auto done =
        call("opcua.condition",
             fmt::format(R"({{"conditionId":"{}","operation":"{}"{}}})",
                         get_string(jam.at("condition"), "conditionId"), operation_name, more));
    return done ? std::string() : done.error().code;
  };
  const std::string comment =
      fmt::format(R"(,"eventId":"{}","comment":"a broken neck")", get_string(jam, "eventId"));
  EXPECT_EQ(operate("addComment", comment), "");
  ASSERT_TRUE(wait([&] {
    return get_string(sink.last("condition").at("condition"), "comment") == "a broken neck";
  }));
  EXPECT_EQ(sink.last("condition").at("condition").at("acknowledged"), Json(false))
      << "it is only a comment";
  EXPECT_NE(operate("oneShotShelve", ""), "") << "there is nothing to shelve";
  context_.run((*subscription)->cancel(context_.in(std::chrono::seconds(5))));
}

// Edge case 5, of events: what happened meanwhile comes, and what is active comes once more.
TEST_F(OpcuaPlant, edge_5_an_alarm_during_a_cut_is_not_lost) {
  using namespace std::chrono_literals;
  const std::string url = plant_->url();
  test::FaultProxy proxy(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
  const auto through = profile(fmt::format("opc.tcp://127.0.0.1:{}", proxy.port()), kInsecure);
  open(through);
  const auto operation = prepare("opcua.events", R"({"publishingIntervalMs":50})");
  Records sink;
  const auto follow = [&] {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    return context_.run(subscriber->subscribe(*operation, sink, context_.in(5s))).value();
  };
  auto subscription = follow();
  ASSERT_TRUE(context_.run_until([&] { return sink.count("refreshEnd") == 1; }, 20s));
  proxy.set_mode(test::FaultProxy::Mode::kRefuse);
  proxy.cut(true);
  ASSERT_TRUE(context_.run_until([&] { return !context_.events().losses.empty(); }, 20s));
  session_->abort();
  subscription.reset();
  plant_->show({.alarms = 1});
  context_.run_until([] { return false; }, 300ms);
  proxy.set_mode(test::FaultProxy::Mode::kPass);
  open(through);
  subscription = follow();
  ASSERT_TRUE(context_.run_until([&] { return sink.count("refreshEnd") == 2; }, 20s));
  const auto comes = [&](bool replayed) {
    return std::ranges::count_if(sink.all, [replayed](const Record& each) {
      return get_string(each, "kind") == "condition" &&
             get_bool(each, "replayed", false) == replayed;
    });
  };
  EXPECT_EQ(comes(false), 1) << "the server kept it";
  EXPECT_EQ(comes(true), 1);
  EXPECT_EQ(sink.count("gap"), 0U);
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(OpcuaTest, ThePlantShowsItsValuesAndTakesASetPoint) {
  const test::TempDir folder;
  const auto plant =
      simulator::PlantServer::start("127.0.0.1", 0, (folder.path() / "keys").string()).value();
  const auto refused = try_open(profile(plant->url()));
  ASSERT_FALSE(refused.has_value());
  ASSERT_EQ(context_.events().certificates.size(), 1U);
  EXPECT_NE(refused.error().message.find(plant->fingerprint()), std::string::npos);
  auto trusting = profile(plant->url());
  trusting.trusted_certificates.push_back(context_.events().certificates[0].certificate.pem);
  open(trusting);
  plant->show({.speed = 1480.5,
               .bottles = 12,
               .rejects = 1,
               .state = 2,
               .temperature = 21.5,
               .tank_level = 70});
  const auto settings = [](std::string_view name) {
    return fmt::format(R"({{"nodes":[{{"name":"{0}","nodeId":"nsu={1};s=Filler.{0}"}}]}})", name,
                       simulator::kPlantNamespace);
  };
  EXPECT_EQ(values(call("opcua.read", settings("Speed"))), json(R"({"Speed":1480.5})"));
  EXPECT_EQ(values(call("opcua.write", settings("Speed"), R"({"Speed":1})")),
            json(R"({"Speed":"bad_not_writable"})"));
  EXPECT_FALSE(plant->take_setpoint().has_value());
  EXPECT_EQ(values(call("opcua.write", settings("SpeedSetpoint"), R"({"SpeedSetpoint":900})")),
            json(R"({"SpeedSetpoint":900})"));
  EXPECT_EQ(plant->take_setpoint(), 900);
}

}  // namespace
}  // namespace tributary::connectors::opcua
