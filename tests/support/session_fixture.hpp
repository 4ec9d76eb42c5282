// A session under test on a loop of its own, for connectors whose functions have points.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "sdk/connector.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::test {

// The samples of a call as {"name": value}; a bad one as {"name": "code of its error"}.
inline Json values_of(const Result<Batch>& batch) {
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

class SessionFixture : public ::testing::Test {
 protected:
  explicit SessionFixture(std::unique_ptr<sdk::Connector> connector)
      : connector_(std::move(connector)) {}

  static Json json(std::string_view text) { return parse_json(text).value(); }
  static Json values(const Result<Batch>& batch) { return values_of(batch); }

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

  TestContext context_;
  std::unique_ptr<sdk::Connector> connector_;
  sdk::Profile profile_;
};

}  // namespace tributary::test
