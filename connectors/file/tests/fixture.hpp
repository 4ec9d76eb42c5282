// A folder and sessions with it, for the tests of the connector.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "connectors/file/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/process.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::file {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() { fs::create_directory(root()); }
  ~FileTest() override { finish(); }

  // What ended sessions still have under way: jobs of their lanes come back to the loop.
  void finish() {
    context_.loop().restart();
    context_.loop().run_for(10s);
  }

  fs::path root() const { return directory_.path() / "root"; }
  static std::string text_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string content(const std::string& name) const { return text_of(root() / name); }
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories((root() / name).parent_path());
    std::ofstream(root() / name, std::ios::binary) << text;
  }
  static Json json(const std::string& text) { return parse_json(text).value(); }

  sdk::Profile profile(const std::string& folder, bool read_only = false) const {
    Json settings = json_object();
    settings.insert_or_assign("root", folder);
    settings.insert_or_assign("readOnly", read_only);
    sdk::Profile made;
    const auto schema =
        schema::Schema::compile(json(std::string(resources().connection_schema))).value();
    EXPECT_TRUE(schema.validate(settings).empty());
    made.settings = schema.with_defaults(settings);
    return made;
  }
  std::unique_ptr<sdk::Session> session(const std::string& folder, bool read_only = false) {
    return connector_->make_session(context_.session_context(), profile(folder, read_only)).value();
  }
  Result<sdk::PeerIdentity> open(sdk::Session& session) {
    return context_.run(session.open(context_.in(10s), context_.stages()), 20s);
  }
  std::unique_ptr<sdk::Session> connect() {
    auto made = session(root().string());
    const auto opened = open(*made);
    EXPECT_TRUE(opened) << opened.error().message;
    return made;
  }
  Result<std::shared_ptr<const sdk::Operation>> try_prepare(const std::string& type, Json settings,
                                                            bool read_only = false) const {
    for (const auto text : resources().function_schemas) {
      const auto document = json(std::string(text));
      if (document.at("x-function").as_string() != type) continue;
      const auto schema = schema::Schema::compile(document).value();
      EXPECT_TRUE(schema.validate(settings).empty()) << to_text(settings);
      settings = schema.with_defaults(settings);
    }
    return connector_->prepare(profile(root().string(), read_only), {type, settings});
  }
  Result<Batch> call(sdk::Session& session, const std::string& type, const Json& settings,
                     const Json& parameters) {
    const auto operation = try_prepare(type, settings);
    if (!operation) return fail(operation.error());
    return context_.run(session.call(**operation, parameters, context_.in(10s)), 30s);
  }
  Result<Batch> write(sdk::Session& session, const std::string& settings,
                      const std::string& records) {
    Json parameters = json_object();
    parameters.insert_or_assign("records", json(records));
    return call(session, "file.write", json(settings), parameters);
  }
  Result<Batch> read(sdk::Session& session, const std::string& settings) {
    return call(session, "file.read", json(settings), json_object());
  }
  std::string read_text(sdk::Session& session, const std::string& settings) {
    const auto batch = read(session, settings);
    if (!batch) return batch.error().code;
    std::string text;
    for (const Record& record : batch->records()) text += to_text(record) + "\n";
    return text;
  }

  test::TestContext context_;
  test::TempDir directory_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
};

}  // namespace tributary::connectors::file
