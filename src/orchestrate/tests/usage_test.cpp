#include "orchestrate/usage.hpp"

#include "orchestrate_support.hpp"

namespace tributary::orchestrate {
namespace {

using sdk::FunctionKind;

PipelineView pipeline(std::string name, bool enabled, std::string_view nodes) {
  PipelineView view;
  view.row.id = view.row.name = std::move(name);
  view.row.enabled = enabled;
  view.row.document = json_object();
  view.row.document["nodes"] = json(nodes);
  return view;
}

constexpr const char* kTriggered = R"([
  {"id": "t", "type": "trigger.function", "settings": {"functionId": "watch"}},
  {"id": "r", "type": "function", "settings": {"functionId": "read"}},
  {"id": "s", "type": "function", "settings": {"functionId": "read"}},
  {"id": "d", "type": "function", "settings": {"functionId": "elsewhere"}}])";
constexpr const char* kDelivering = R"([
  {"id": "t", "type": "trigger.manual", "settings": {}},
  {"id": "r", "type": "function", "settings": {"functionId": "read"}},
  {"id": "d", "type": "function", "settings": {"functionId": "write"}}])";
constexpr const char* kUnrelated = R"([
  {"id": "t", "type": "trigger.manual", "settings": {}},
  {"id": "d", "type": "function", "settings": {"functionId": "elsewhere"}}])";

const std::map<std::string, FunctionKind> kFunctions = {{"watch", FunctionKind::kSubscribe},
                                                        {"read", FunctionKind::kRead},
                                                        {"write", FunctionKind::kWrite}};

TEST(Usage, NamesTheFunctionsOnceAndWhatThePipelineLosesFirst) {
  const auto uses = pipelines_using(
      {pipeline("a", true, kTriggered), pipeline("b", true, kDelivering)}, kFunctions);
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].uses, "trigger");
  EXPECT_EQ(uses[0].function_ids, (std::vector<std::string>{"watch", "read"}));
  EXPECT_EQ(uses[1].uses, "destination");
  EXPECT_EQ(uses[1].function_ids, (std::vector<std::string>{"read", "write"}));
}

TEST(Usage, WhatIsDisabledOrUnrelatedIsNotHit) {
  const auto uses = pipelines_using(
      {pipeline("a", false, kTriggered), pipeline("b", true, kUnrelated)}, kFunctions);
  EXPECT_TRUE(uses.empty());
}

}  // namespace
}  // namespace tributary::orchestrate
