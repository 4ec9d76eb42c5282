// docs/pipelines/nodes.md is true: every example is run, every setting of every node type is there.
#include <fstream>
#include <set>
#include <sstream>

#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

std::string page() {
  std::ifstream file(std::string(TRIBUTARY_SOURCE_DIR) + "/docs/pipelines/nodes.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Names what the reader is to fill in.
std::string filled_in(std::string text) {
  for (const std::string_view kind : {"read", "write", "subscribe"}) {
    const std::string blank = fmt::format("<id of a {} function>", kind);
    for (std::size_t at = text.find(blank); at != std::string::npos; at = text.find(blank)) {
      text.replace(at, blank.size(), kind == "subscribe" ? "sub" : kind);
    }
  }
  return text;
}

std::vector<Json> examples() {
  std::vector<Json> all;
  const std::string text = page();
  constexpr std::string_view kOpen = "```json\n";
  for (std::size_t at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at)) {
    at += kOpen.size();
    all.push_back(json(filled_in(text.substr(at, text.find("```", at) - at))));
  }
  return all;
}

void run_example(const Json& example) {
  NodeWorld world;
  world.port.answer = [&example](const Call& call) -> Result<Batch> {
    std::vector<Record> records;
    if (call.function == "read") {
      for (const Json& answer : example.at("answers").array_range()) records.push_back(answer);
    }
    return Batch::of(std::move(records));
  };
  std::vector<std::string> ports;
  for (const auto& member : example.at("out").object_range()) ports.push_back(member.key());
  world.start_node(get_string(example, "type"), to_text(example.at("settings")), ports);
  std::vector<Record> records;
  for (const Json& record : example.at("in").array_range()) {
    records.push_back(record);
    // Without one the trigger would give it a $meta, which a list would show.
    if (!record.contains("$meta")) records.back().insert_or_assign("$meta", Json::null());
  }
  world.deliver(std::move(records));
  world.advance(std::chrono::milliseconds(get_int(example, "afterMs", 0)));
  EXPECT_EQ(world.last_error(), "");
  for (const auto& member : example.at("out").object_range()) {
    Json made = json(world.take(member.key()));
    for (Json& record : made.array_range()) {
      if (!record.contains("items")) continue;
      for (Json& item : record.at("items").array_range()) item.erase("$meta");
    }
    EXPECT_EQ(made, member.value()) << "by the port " << member.key();
  }
  world.settle_sums();
}

TEST(NodeDocs, EveryExampleDoesWhatItSays) {
  std::set<std::string> shown;
  for (const Json& example : examples()) {
    SCOPED_TRACE(to_text(example));
    if (example.contains("nodes")) {
      RunnerWorld world;
      const Checked checked = check_pipeline(example, world.catalogue, world.port);
      for (const auto& problem : checked.problems) {
        ADD_FAILURE() << problem.pointer << " " << problem.message;
      }
      for (const Json& node : example.at("nodes").array_range())
        shown.insert(get_string(node, "type"));
    } else {
      run_example(example);
      shown.insert(get_string(example, "type"));
    }
  }
  const NodeCatalogue catalogue;
  for (const auto& entry : catalogue.entries()) {
    const std::string type(entry.type.type);
    // Those with pages of their own.
    if (entry.type.trigger || type == "script" || type == "respond") continue;
    EXPECT_TRUE(shown.contains(type)) << type << " has no example";
  }
}

// The text below a heading.
std::string section_of(const std::string& text, const std::string& type) {
  const std::size_t start = text.find("\n## " + type + "\n");
  if (start == std::string::npos) return "";
  return text.substr(start, text.find("\n## ", start + 1) - start);
}

void expect_properties(const Json& schema, const std::string& section, const std::string& type) {
  const Json& properties = get_member(schema, "properties");
  if (!properties.is_object()) return;
  for (const auto& member : properties.object_range()) {
    EXPECT_NE(section.find(member.key()), std::string::npos)
        << type << ": the setting " << member.key() << " is not documented";
    expect_properties(get_member(member.value(), "items"), section, type);
  }
}

TEST(NodeDocs, EverySettingIsDocumented) {
  const std::string text = page();
  const NodeCatalogue catalogue;
  for (const auto& entry : catalogue.entries()) {
    const std::string type(entry.type.type);
    if (entry.type.trigger || type == "script" || type == "respond") continue;
    const std::string section = section_of(text, type);
    EXPECT_FALSE(section.empty()) << type << " has no section";
    expect_properties(entry.schema.document(), section, type);
  }
}

}  // namespace
}  // namespace tributary::orchestrate
