// This connector's part in the conformance suite: no network, so only what every session must do.
#include "tests/support/conformance.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "connectors/file/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::file {
namespace {

class Folder final : public test::GoodPeer {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
  std::uint16_t port() const override { return 1; }
  void produce(std::size_t count) override {
    {
      std::ofstream file(path_ / ".arriving");
      for (std::size_t i = 0; i < count; ++i) file << "{\"number\":" << i << "}\n";
    }
    std::filesystem::rename(path_ / ".arriving", path_ / fmt::format("new-{}.jsonl", ++produced_));
  }

 private:
  std::filesystem::path path_;
  std::size_t produced_ = 0;
};

// Settings of a function with their defaults.
sdk::FunctionSpec function(const std::string& type, const std::string& settings) {
  const Json given = parse_json(settings).value();
  for (const auto text : resources().function_schemas) {
    const auto document = parse_json(text).value();
    if (document.at("x-function").as_string() == type)
      return {type, schema::Schema::compile(document).value().with_defaults(given)};
  }
  return {};
}

}  // namespace

test::ConformanceSubject conformance_subject() {
  test::ConformanceSubject subject;
  subject.type = "file";
  subject.local = true;
  subject.make_connector = &make_connector;
  const auto directory = std::make_shared<test::TempDir>();
  subject.settings = [directory](const std::string&, std::uint16_t) {
    Json settings = json_object();
    settings.insert_or_assign("root", directory->path().string());
    const auto document = parse_json(resources().connection_schema).value();
    return schema::Schema::compile(document).value().with_defaults(settings);
  };
  subject.start_peer = [directory] { return std::make_unique<Folder>(directory->path()); };
  subject.call = function("file.write", R"({"path":"conformance.jsonl"})");
  subject.subscribe =
      function("file.watch", R"({"pattern":"new-*.jsonl","stableForMs":0,"after":"delete"})");
  return subject;
}

}  // namespace tributary::connectors::file
