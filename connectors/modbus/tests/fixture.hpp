// A session under test on a loop of its own.
#pragma once

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <memory>
#include <string>

#include "connectors/modbus/src/connector.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::modbus {

class ModbusTest : public ::testing::Test {
 protected:
  static Json json(std::string_view text) { return parse_json(text).value(); }

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

  std::shared_ptr<const sdk::Operation> prepare(const std::string& type,
                                                std::string_view settings) {
    const sdk::FunctionSpec spec{type, json(settings)};
    auto operation = connector_->prepare(profile_, spec);
    EXPECT_TRUE(operation.has_value()) << (operation ? "" : operation.error().message);
    return operation ? *operation : nullptr;
  }

  Result<Batch> call(sdk::Session& session, const sdk::Operation& operation,
                     std::string_view parameters = "{}", Duration limit = std::chrono::seconds(5)) {
    const Json document = json(parameters);
    return context_.run(session.call(operation, document, context_.in(limit)));
  }

  Result<Batch> call(sdk::Session& session, const std::string& type, std::string_view settings,
                     std::string_view parameters = "{}") {
    const auto operation = prepare(type, settings);
    return call(session, *operation, parameters);
  }

  // The samples of a read as {"name": value}; a bad one as {"name": "code of its error"}.
  static Json values(const Result<Batch>& batch) {
    Json out = json_object();
    if (!batch) {
      ADD_FAILURE() << batch.error().code << ": " << batch.error().message;
      return out;
    }
    for (const Scan& scan : batch->scans()) {
      for (const Sample& sample : scan.samples) {
        const bool bad = sample.quality.is_bad();
        out[scan.name_of(sample)] =
            bad ? Json(sample.error ? sample.error->code : "bad") : to_json(sample.value);
      }
    }
    return out;
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

  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
  sdk::Profile profile_;
};

}  // namespace tributary::connectors::modbus
