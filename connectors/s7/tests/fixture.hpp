// A session under test on a loop of its own, and the simulated CPU.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "connectors/s7/simulator/server.hpp"
#include "connectors/s7/src/connector.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/session_fixture.hpp"

namespace tributary::connectors::s7 {

class S7Test : public test::SessionFixture {
 protected:
  S7Test() : SessionFixture(make_connector()) {}

  // A connection's settings for a loopback port; `more` is merged over them.
  static sdk::Profile profile(std::uint16_t port, std::string_view more = "{}") {
    sdk::Profile made;
    made.connection_name = "CPU under test";
    Json settings = json(R"({"host": "127.0.0.1", "requestTimeoutMs": 2000})");
    settings["port"] = port;
    made.settings = merge_patch(settings, json(more));
    return made;
  }

  // Opens a session; the profile may be changed before by hand.
  Result<sdk::PeerIdentity> try_open(std::unique_ptr<sdk::Session>& session) {
    session = connector_->make_session(context_.session_context(), profile_).value();
    return context_.run(session->open(context_.in(std::chrono::seconds(5)), context_.stages()));
  }
  std::unique_ptr<sdk::Session> open(std::uint16_t port, std::string_view more = "{}") {
    profile_ = profile(port, more);
    std::unique_ptr<sdk::Session> session;
    const auto opened = try_open(session);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    return session;
  }
  Error refused_open(std::uint16_t port, std::string_view more = "{}") {
    profile_ = profile(port, more);
    std::unique_ptr<sdk::Session> session;
    auto opened = try_open(session);
    EXPECT_FALSE(opened.has_value());
    return opened ? Error{} : opened.error();
  }

  Error refused_prepare(const std::string& type, std::string_view settings) {
    const auto operation = connector_->prepare(profile_, {type, json(settings)});
    EXPECT_FALSE(operation.has_value()) << settings;
    return operation ? Error{} : operation.error();
  }

  static Json record(const Result<Batch>& batch) {
    if (batch && !batch->is_scans() && batch->size() == 1) return batch->records().front();
    ADD_FAILURE() << (batch ? "no record" : batch.error().message);
    return json_object();
  }
  static std::string point(std::string_view name, std::string_view address,
                           std::string_view more = "") {
    return fmt::format(R"({{"name": "{}", "address": "{}"{}{}}})", name, address,
                       more.empty() ? "" : ", ", more);
  }
  // {"points": [{"name": address, "address": address}, …]}
  static std::string points(std::initializer_list<std::string_view> addresses) {
    std::string list;
    for (const auto address : addresses)
      list += (list.empty() ? "" : ",") + point(address, address);
    return R"({"points": [)" + list + "]}";
  }
};

// With the simulated CPU on the same loop.
class CpuTest : public S7Test {
 protected:
  explicit CpuTest(simulator::ServerOptions options = {})
      : server_(context_.executor(), device_, std::move(options)),
        port_(server_.start("127.0.0.1", 0).value()) {}

  simulator::PlainDevice device_{{{Area::kDataBlocks, 1, 1024},
                                  {Area::kMerkers, 0, 64},
                                  {Area::kInputs, 0, 64},
                                  {Area::kOutputs, 0, 64},
                                  {Area::kPeripheral, 0, 512},
                                  {Area::kTimers, 0, 64},
                                  {Area::kCounters, 0, 64}}};
  simulator::S7Server server_;
  std::uint16_t port_;

  std::span<std::byte> db1() { return device_.memory(0).bytes(); }
};

}  // namespace tributary::connectors::s7
