// Connections that fail the moment they are used: the library must not be told while it is using
// them.
#include "connectors/opcua/tests/fixture.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;

class BrokenStream final : public net::Stream {
 public:
  Task<Result<std::size_t>> read_some(std::span<std::byte>, SteadyTime) override {
    co_return fail(ErrorClass::kTransient, "connection_reset", "The peer reset the connection");
  }
  Task<Result<void>> write_all(std::span<const std::byte>, SteadyTime) override {
    co_return fail(ErrorClass::kTransient, "connection_reset", "The peer reset the connection");
  }
  void abort() noexcept override {}
  void close() noexcept override {}
  const std::string& peer() const override { return peer_; }

 private:
  std::string peer_ = "192.0.2.1:4840";
};

class BrokenNetwork final : public net::Network {
 public:
  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint&, SteadyTime) override {
    co_return std::vector<net::Address>{};
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint&, const net::Keepalive&,
                                                  SteadyTime, net::StageObserver&) override {
    co_return std::make_unique<BrokenStream>();
  }
};

TEST_F(OpcuaTest, AStreamThatFailsAtOnceIsAnErrorAndNothingElse) {
  BrokenNetwork network;
  profile_ = profile("opc.tcp://192.0.2.1:4840", kInsecure);
  const sdk::SessionContext broken{context_.executor(), context_.clock(),
                                   context_.timers(),   network,
                                   context_.events(),   nullptr};
  session_ = connector_->make_session(broken, profile_).value();
  const auto opened = context_.run(session_->open(context_.in(5s), context_.stages()));
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, "connection_reset");
  EXPECT_TRUE(context_.events().losses.empty());
}

}  // namespace
}  // namespace tributary::connectors::opcua
