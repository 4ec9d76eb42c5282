// Modbus in the connector conformance suite: its good peer is the simulated plant.
#include "tests/support/conformance.hpp"

#include <thread>

#include "connectors/modbus/simulator/plant.hpp"
#include "connectors/modbus/src/connector.hpp"
#include "runtime/timers.hpp"

namespace tributary::connectors::modbus {
namespace {

class PlantPeer final : public test::GoodPeer {
 public:
  PlantPeer() : port_(server_.start("127.0.0.1", 0).value()), thread_([this] { loop_.run(); }) {}
  ~PlantPeer() override {
    loop_.stop();
    thread_.join();
  }
  std::uint16_t port() const override { return port_; }

 private:
  asio::io_context loop_{1};
  std::unique_ptr<Timers> timers_ = make_system_timers();
  simulator::PlantServer server_{loop_.get_executor(), *timers_, 1};
  std::uint16_t port_;
  std::thread thread_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  test::ConformanceSubject subject;
  subject.type = "modbus";
  subject.make_connector = [] { return make_connector(); };
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings =
        parse_json(R"({"transport": "tcp", "unitId": 1, "requestTimeoutMs": 2000})").value();
    settings["host"] = host;
    settings["port"] = port;
    return settings;
  };
  subject.start_peer = [] { return std::make_unique<PlantPeer>(); };
  subject.call = {"modbus.read", parse_json(R"({"points": [
      {"name": "speed", "area": "holdingRegisters", "address": 0, "dataType": "uint16"},
      {"name": "running", "area": "coils", "address": 3, "dataType": "bool"}]})")
                                     .value()};
  return subject;
}

}  // namespace tributary::connectors::modbus
