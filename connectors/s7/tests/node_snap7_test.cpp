// node-snap7 in both roles (tests/peers). It is native: where it is not built, this says so.
#include <gtest/gtest.h>

#include <thread>

#include "connectors/s7/tests/fixture.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::s7 {
namespace {

constexpr const char* kPeer = TRIBUTARY_SOURCE_DIR "/tests/peers/snap7.mjs";

class NodeSnap7Test : public S7Test {
 protected:
  // Why it is not there; empty when it is.
  static std::string missing(const test::Process& peer) {
    const std::string output = peer.output();
    const auto at = output.find("not built");
    return at == std::string::npos ? "" : "node-snap7: " + output.substr(at);
  }
};

TEST_F(NodeSnap7Test, ItsServerIsReadAndWritten) {
  test::Process server({"node", kPeer, "server"});
  const std::string port = server.wait_for_line("port ");
  if (const std::string why = missing(server); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NE(port, "") << server.output();
  auto session = open(static_cast<std::uint16_t>(std::stoi(port)));
  const auto batch =
      call(*session, "s7.read", R"({"points": [{"name": "w{0..511}", "address": "DB1.DBW0"}]})");
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  for (const Sample& sample : batch->scans().at(0).samples)
    ASSERT_EQ(std::get<std::int64_t>(sample.value), sample.point);
  const auto written = call(*session, "s7.write",
                            R"({"points": [{"name": "a", "address": "DB1,REAL8"}],
                                "values": {"a": 21.5}, "verify": true})");
  EXPECT_EQ(values(written), json(R"({"a": 21.5})"));
}

TEST_F(NodeSnap7Test, ItsClientReadsAndWritesTheSimulatedCpu) {
  asio::io_context loop(1);
  simulator::PlainDevice device({{Area::kDataBlocks, 1, 64}});
  device.memory(0).bytes()[1] = std::byte{42};
  simulator::S7Server server(loop.get_executor(), device);
  const std::uint16_t port = server.start("127.0.0.1", 0).value();
  std::thread thread([&] { loop.run(); });
  test::Process client({"node", kPeer, "client", std::to_string(port)});
  const std::string seen = client.wait_for_line("seen ");
  loop.stop();
  thread.join();
  if (const std::string why = missing(client); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NE(seen, "") << client.output();
  EXPECT_EQ(json(seen), json(R"({"first": 42, "wrote": true, "back": 777, "missing": false})"));
}

}  // namespace
}  // namespace tributary::connectors::s7
