// A session under test on a loop of its own.
#pragma once

#include <gmock/gmock.h>

#include "connectors/opcua/resources.hpp"
#include "connectors/opcua/tests/world.hpp"
#include "schema/schema.hpp"
#include "tests/support/session_fixture.hpp"

namespace tributary::connectors::opcua {

class OpcuaTest : public ::testing::Test {
 protected:
  // For a machine that is busy with other things.
  static constexpr Duration kLimit = std::chrono::seconds(25);
  static Json json(std::string_view text) { return parse_json(text).value(); }

  // Settings with their defaults; `more` is merged over them.
  static sdk::Profile profile(const std::string& url, std::string_view more = "{}") {
    sdk::Profile made;
    made.connection_id = "01J00000000000000000000000";
    made.connection_name = "server under test";
    Json settings = json_object();
    settings["endpointUrl"] = url;
    settings["applicationCertificate"] = client_pair().certificate;
    settings["ca"] = server_pair().certificate;
    made.settings = with_defaults(resources().connection_schema, merge_patch(settings, json(more)));
    made.secrets.emplace_back("applicationKey", Secret(client_pair().key));
    made.secrets.emplace_back("password", Secret("swordfish"));
    return made;
  }
  static Json with_defaults(std::string_view schema, const Json& settings) {
    const auto compiled = schema::Schema::compile(parse_json(schema).value()).value();
    const auto wrong = compiled.validate(settings);
    EXPECT_TRUE(wrong.empty()) << wrong.front().pointer << ": " << wrong.front().message;
    return compiled.with_defaults(settings);
  }
  static constexpr std::string_view kInsecure =
      R"({"securityMode": "None", "allowInsecure": true})";

  Result<sdk::PeerIdentity> try_open(const sdk::Profile& with) {
    profile_ = with;
    context_.events().certificates.clear();
    context_.stages().stages.clear();
    auto made = connector_->make_session(context_.session_context(), profile_);
    if (!made) return fail(made.error());
    session_ = *std::move(made);
    return context_.run(session_->open(context_.in(std::chrono::seconds(8)), context_.stages()));
  }
  sdk::Session& open(const sdk::Profile& with) {
    const auto opened = try_open(with);
    if (!opened) throw std::runtime_error(opened.error().code + ": " + opened.error().message);
    return *session_;
  }

  std::shared_ptr<const sdk::Operation> prepare(const std::string& type,
                                                std::string_view settings) {
    for (const auto& function : resources().function_schemas) {
      const Json document = parse_json(function).value();
      if (get_string(document, "x-function") != type) continue;
      const sdk::FunctionSpec spec{type, with_defaults(function, json(settings))};
      auto operation = connector_->prepare(profile_, spec);
      EXPECT_TRUE(operation.has_value()) << (operation ? "" : operation.error().message);
      return operation ? *operation : nullptr;
    }
    throw std::runtime_error("no function " + type);
  }
  Result<Batch> call(const std::string& type, std::string_view settings,
                     std::string_view parameters = "{}") {
    const auto operation = prepare(type, settings);
    const Json document = json(parameters);
    return context_.run(session_->call(*operation, document, context_.in(std::chrono::seconds(20))),
                        kLimit);
  }

  static Json values(const Result<Batch>& batch) { return test::values_of(batch); }
  // {"nodes": [{"name": …, "nodeId": "nsu=…;s=…"}]}
  static std::string nodes(std::initializer_list<std::string_view> names,
                           std::string_view more = "", std::string_view uri = kNamespace) {
    std::string list;
    for (const auto name : names) {
      list += fmt::format(R"({}{{"name": "{}", "nodeId": "nsu={};s={}"}})", list.empty() ? "" : ",",
                          name, uri, name);
    }
    return fmt::format(R"({{"nodes": [{}]{}}})", list, more);
  }

  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
  sdk::Profile profile_;
  std::unique_ptr<sdk::Session> session_;
};

}  // namespace tributary::connectors::opcua
