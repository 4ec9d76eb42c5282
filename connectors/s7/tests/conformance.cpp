// S7 in the connector conformance suite: its good peer is the simulated CPU.
#include "tests/support/conformance.hpp"

#include <thread>

#include "connectors/s7/simulator/server.hpp"
#include "connectors/s7/src/connector.hpp"

namespace tributary::connectors::s7 {
namespace {

class CpuPeer final : public test::GoodPeer {
 public:
  CpuPeer() : port_(server_.start("127.0.0.1", 0).value()), thread_([this] { loop_.run(); }) {}
  ~CpuPeer() override {
    loop_.stop();
    thread_.join();
  }
  std::uint16_t port() const override { return port_; }

 private:
  asio::io_context loop_{1};
  simulator::PlainDevice device_{{{Area::kDataBlocks, 1, 64}, {Area::kMerkers, 0, 16}}};
  simulator::S7Server server_{loop_.get_executor(), device_};
  std::uint16_t port_;
  std::thread thread_;
};

}  // namespace

test::ConformanceSubject conformance_subject() {
  test::ConformanceSubject subject;
  subject.type = "s7";
  subject.make_connector = [] { return make_connector(); };
  subject.settings = [](const std::string& host, std::uint16_t port) {
    Json settings = parse_json(R"({"addressing": "rackSlot", "rack": 0, "slot": 1,
        "connectionType": "pg", "localTsap": "01.00", "remoteTsap": "03.01", "pduSize": 960,
        "maxItems": 20, "maxGapBytes": 16, "allowControl": false, "connectTimeoutMs": 5000,
        "requestTimeoutMs": 2000})")
                        .value();
    settings["host"] = host;
    settings["port"] = port;
    return settings;
  };
  subject.start_peer = [] { return std::make_unique<CpuPeer>(); };
  subject.call = {"s7.read", parse_json(R"({"points": [
      {"name": "speed", "address": "DB1.DBW0", "dataType": "INT", "count": 1, "scale": 1.0, "offset": 0.0},
      {"name": "running", "address": "M0.3", "count": 1, "scale": 1.0, "offset": 0.0}]})")
                                 .value()};
  return subject;
}

}  // namespace tributary::connectors::s7
