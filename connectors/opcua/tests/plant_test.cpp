// The simulated plant's OPC UA face.
#include "connectors/opcua/simulator/plant.hpp"

#include "connectors/opcua/tests/fixture.hpp"
#include "connectors/opcua/tests/records.hpp"
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
  const std::string named =
      fmt::format(R"({{"conditionId":"{}.Jam","eventId":"{}","comment":"on my way"}})",
                  get_string(jam, "sourceNode"), get_string(jam, "eventId"));
  const auto done = call("opcua.acknowledge", named);
  ASSERT_TRUE(done.has_value()) << done.error().message;
  ASSERT_TRUE(wait([&] { return get_bool(condition().at("condition"), "acknowledged", false); }));
  EXPECT_EQ(condition().at("condition").at("comment"), Json("on my way"));
  const auto old = call("opcua.acknowledge", named);
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().code, "bad_event_id_unknown");
  plant_->show({});
  EXPECT_TRUE(wait([&] { return !get_bool(condition().at("condition"), "active", true); }));
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
