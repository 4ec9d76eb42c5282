// A session under test on a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <memory>
#include <string>

#include "connectors/modbus/src/connector.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/session_fixture.hpp"

namespace tributary::connectors::modbus {

class ModbusTest : public test::SessionFixture {
 protected:
  ModbusTest() : SessionFixture(make_connector()) {}

  // A connection's settings for a loopback port; `more` is merged over them.
  static sdk::Profile profile(std::uint16_t port, std::string_view more = "{}") {
    sdk::Profile made;
    made.connection_name = "device under test";
    Json settings =
        json(R"({"transport": "tcp", "host": "127.0.0.1", "unitId": 1, "requestTimeoutMs": 2000})");
    settings["port"] = port;
    made.settings = merge_patch(settings, json(more));
    return made;
  }

  // Makes and opens a session.
  std::unique_ptr<sdk::Session> open(std::uint16_t port, std::string_view more = "{}") {
    profile_ = profile(port, more);
    auto session = connector_->make_session(context_.session_context(), profile_).value();
    const auto opened =
        context_.run(session->open(context_.in(std::chrono::seconds(5)), context_.stages()));
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    return session;
  }

  // Consecutive uint16 holding registers r0, r1, … from `first` on.
  static std::string registers(int first, int count, int step = 1) {
    std::string points;
    for (int i = 0; i < count; ++i) {
      points += fmt::format(
          R"({}{{"name": "r{}", "area": "holdingRegisters", "address": {}, "dataType": "uint16"}})",
          i == 0 ? "" : ",", i, first + i * step);
    }
    return R"({"points": [)" + points + "]}";
  }
};

}  // namespace tributary::connectors::modbus
