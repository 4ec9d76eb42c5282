// The simulated plant's OPC UA face.
#include "connectors/opcua/simulator/plant.hpp"

#include "connectors/opcua/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::opcua {
namespace {

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
