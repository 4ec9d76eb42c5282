// What a connection was before, what is different since, and the way back.
#include "store/connection_versions.hpp"
#include "api/tests/hub_fixture.hpp"

namespace tributary::api {
namespace {

using test::Reply;

class ConnectionVersionsTest : public test::HubTest {
 protected:
  ConnectionVersionsTest() {
    start();
    const Reply made = ask("POST", "/api/v1/connections",
                           R"({"name":"Line 3","type":"counter","settings":{"host":"a"},
                               "labels":{"site":"izmir"},"secrets":{"password":"canary-1"}})");
    EXPECT_EQ(made.status, 201) << made.body;
    path_ = made.header("Location");
  }
  void edit(const char* patch) {
    const Reply edited = ask("PATCH", path_, patch, bearer() + "If-Match: *\r\n");
    ASSERT_EQ(edited.status, 200) << edited.body;
  }
  Json versions() { return ask("GET", path_ + "/versions").json().at("items"); }
  std::string path_;
};

TEST_F(ConnectionVersionsTest, EveryEditLeavesAVersionNewestFirst) {
  edit(R"({"settings":{"host":"b"}})");
  const Json found = versions();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].at("version"), 2);
  EXPECT_EQ(found[0].at("actor"), "token:test");
  EXPECT_EQ(found[0].at("document").at("settings").at("host"), "b");
  EXPECT_EQ(found[1].at("document").at("settings").at("host"), "a");
  EXPECT_EQ(ask("GET", path_ + "/versions/1").json(), found[1]);
}

TEST_F(ConnectionVersionsTest, WhatIsDifferentIsNamedWithItsPointer) {
  edit(R"({"settings":{"host":"b"},"labels":{"site":null,"line":"3"}})");
  const Reply diff = ask("GET", path_ + "/versions/1/diff/2");
  ASSERT_EQ(diff.status, 200) << diff.body;
  EXPECT_EQ(diff.body,
            R"({"from":"1","to":"2","same":false,"members":[{"pointer":"/labels/line","to":"3"},)"
            R"({"pointer":"/labels/site","from":"izmir"},)"
            R"({"pointer":"/settings/host","from":"a","to":"b"}]})");
  EXPECT_EQ(ask("GET", path_ + "/versions/2/diff/2").json().at("same"), true);
}

TEST_F(ConnectionVersionsTest, SecretsAreNamedWhenTheyChangeAndNeverShown) {
  edit(R"({"secrets":{"password":"canary-2"}})");
  edit(R"({"description":"x"})");
  edit(R"({"secrets":{"password":null}})");
  const Json found = versions();
  ASSERT_EQ(found.size(), 4U);
  const auto changed = [&](std::size_t i) { return to_text(found[i].at("changedSecrets")); };
  EXPECT_EQ(changed(0), R"(["password"])") << "taken away";
  EXPECT_EQ(changed(1), "[]");
  EXPECT_EQ(changed(2), R"(["password"])");
  EXPECT_EQ(changed(3), R"(["password"])");
  EXPECT_EQ(to_text(found).find("canary"), std::string::npos) << to_text(found);
}

TEST_F(ConnectionVersionsTest, RestoringMakesANewVersionAndLeavesSecretsAlone) {
  edit(R"({"settings":{"host":"b"},"labels":{"line":"3"},"description":"new"})");
  const std::string restore = path_ + "/versions/1/restore";
  const Reply dry = ask("POST", restore + "?dryRun=true");
  ASSERT_EQ(dry.status, 200) << dry.body;
  EXPECT_EQ(versions().size(), 2U);
  EXPECT_EQ(ask("POST", restore, {}, bearer() + "If-Match: \"1\"\r\n").status, 412);
  const Reply restored = ask("POST", restore, {}, bearer() + "If-Match: \"2\"\r\n");
  ASSERT_EQ(restored.status, 200) << restored.body;
  EXPECT_EQ(restored.header("ETag"), "\"3\"");
  EXPECT_EQ(to_text(restored.json().at("settings")), R"({"host":"a"})");
  EXPECT_EQ(to_text(restored.json().at("labels")), R"({"site":"izmir"})");
  EXPECT_EQ(restored.json().at("secrets").at("password").at("set"), true);
  EXPECT_EQ(ask("GET", path_ + "/versions/1/diff/3").json().at("same"), true);
  EXPECT_EQ(versions()[0].at("changedSecrets").size(), 0U);
}

TEST_F(ConnectionVersionsTest, WhatIsNotThereIsNotFound) {
  for (const char* wrong : {"2", "0", "-1", "x", "1x", "draft", "99999999999999999999"}) {
    EXPECT_EQ(ask("GET", path_ + "/versions/" + wrong).status, 404) << wrong;
    EXPECT_EQ(ask("GET", path_ + "/versions/1/diff/" + wrong).status, 404) << wrong;
    EXPECT_EQ(ask("POST", path_ + "/versions/" + wrong + "/restore").status, 404) << wrong;
  }
  ASSERT_EQ(ask("DELETE", path_).status, 204);
  EXPECT_EQ(ask("GET", path_ + "/versions").status, 404);
}

TEST_F(ConnectionVersionsTest, OnlyTheLastOnesAreKeptAndTheyComeInPages) {
  constexpr int kEdits = static_cast<int>(store::kMostConnectionVersions) + 2;
  for (int i = 0; i < kEdits; ++i) edit(fmt::format(R"({{"description":"{}"}})", i).c_str());
  EXPECT_EQ(versions().size(), 100U) << "the page's default and the bound are the same";
  EXPECT_EQ(versions()[99].at("version"), 4);
  EXPECT_EQ(ask("GET", path_ + "/versions/3").status, 404);
  const Json first = ask("GET", path_ + "/versions?limit=60").json();
  EXPECT_EQ(first.at("items").size(), 60U);
  const Json rest =
      ask("GET", path_ + "/versions?limit=60&cursor=" + get_string(first, "next")).json();
  EXPECT_EQ(rest.at("items").size(), 40U);
  EXPECT_TRUE(rest.at("next").is_null());
}

}  // namespace
}  // namespace tributary::api
