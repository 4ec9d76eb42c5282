// This connector's part in the conformance suite: no network, so only what every session must do.
#include "tests/support/conformance.hpp"

#include "connectors/file/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/process.hpp"

namespace tributary::connectors::file {
namespace {

class Folder final : public test::GoodPeer {
 public:
  std::uint16_t port() const override { return 1; }
};

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
  subject.start_peer = [] { return std::make_unique<Folder>(); };
  Json settings = json_object();
  settings.insert_or_assign("path", "conformance.jsonl");
  for (const auto text : resources().function_schemas) {
    const auto document = parse_json(text).value();
    if (document.at("x-function").as_string() == "file.write")
      settings = schema::Schema::compile(document).value().with_defaults(settings);
  }
  subject.call = {"file.write", settings};
  return subject;
}

}  // namespace tributary::connectors::file
