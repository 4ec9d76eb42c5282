#include <future>

#include "manager_fixture.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;

constexpr int kMany = 50;

class ManyEdits : public ManagerTest {
 protected:
  // Begun at the same time; each answer in its place.
  std::vector<Outcome<ConnectionView>> create_at_once(const std::vector<std::string>& names) {
    std::vector<std::future<Outcome<ConnectionView>>> asked;
    for (const auto& name : names) {
      asked.push_back(std::async(std::launch::async,
                                 [this, body = profile(name)] { return hub_->create(body); }));
    }
    std::vector<Outcome<ConnectionView>> answers;
    for (auto& each : asked) answers.push_back(each.get());
    return answers;
  }
  static std::vector<std::string> many_names() {
    std::vector<std::string> names;
    for (int i = 0; i < kMany; ++i) names.push_back(fmt::format("Pump {}", i));
    return names;
  }
  std::size_t count() {
    return hub_->on_control([this] { return hub_->manager().connections().size(); });
  }
};

TEST_F(ManyEdits, all_that_were_acknowledged_are_there_after_the_end_of_the_process) {
  for (const auto& answer : create_at_once(many_names())) ASSERT_TRUE(answer.has_value());
  restart(false);
  EXPECT_EQ(count(), static_cast<std::size_t>(kMany));
}

TEST_F(ManyEdits, of_creations_of_one_name_at_once_one_succeeds) {
  const auto answers = create_at_once(std::vector<std::string>(8, "Pump"));
  EXPECT_EQ(std::ranges::count_if(answers, [](const auto& answer) { return answer.has_value(); }),
            1);
  EXPECT_EQ(std::ranges::count_if(
                answers, [](const auto& answer) { return code_of(answer) == "name_taken"; }),
            7);
  EXPECT_EQ(count(), 1U);
}

TEST_F(ManyEdits, of_creations_of_one_function_at_once_one_succeeds) {
  const auto id = hub_->create(profile("Pump"))->row.id;
  std::vector<std::future<Outcome<FunctionView>>> asked;
  for (int i = 0; i < 8; ++i) {
    asked.push_back(std::async(std::launch::async, [this, id] {
      return hub_->create_function(
          id, R"({"name": "Values", "type": "fake.read", "settings": {"points": ["speed"]}})");
    }));
  }
  std::map<std::string, int> codes;
  for (auto& each : asked) ++codes[code_of(each.get())];
  EXPECT_EQ(codes, (std::map<std::string, int>{{"", 1}, {"name_taken", 7}}));
}

// What was acknowledged is there; what was not is not there, and was told so.
TEST_F(ManyEdits, an_end_of_the_hub_waits_for_what_is_being_stored_and_refuses_the_rest) {
  std::vector<std::future<Outcome<ConnectionView>>> asked;
  for (const auto& name : many_names()) {
    asked.push_back(std::async(std::launch::async,
                               [this, body = profile(name, true)] { return hub_->create(body); }));
  }
  hub_->run([](Manager& manager) { return manager.shutdown(std::chrono::seconds{5}); });
  std::set<std::string> made;
  for (auto& each : asked) {
    const auto answer = each.get();
    if (answer) {
      made.insert(answer->row.name);
    } else {
      EXPECT_EQ(code_of(answer), "hub_stopping");
    }
  }
  EXPECT_EQ(code_of(hub_->create(profile("too late"))), "hub_stopping");
  const auto last_rows = hub_->on_control([this] {
    std::vector<std::string> ids;
    for (const auto& view : hub_->manager().connections()) ids.push_back(view.row.id);
    return ids;
  });
  for (const auto& id : last_rows) EXPECT_EQ(hub_->history(id).back().note, "shutdown") << id;
  restart(false);
  std::set<std::string> kept;
  hub_->on_control([&] {
    for (const auto& view : hub_->manager().connections()) kept.insert(view.row.name);
    return 0;
  });
  EXPECT_EQ(kept, made);
}

TEST_F(ManyEdits, of_edits_of_one_version_at_once_one_succeeds) {
  const auto id = hub_->create(profile("Pump"))->row.id;
  std::vector<std::future<Outcome<ConnectionView>>> asked;
  for (int i = 0; i < 8; ++i) {
    asked.push_back(std::async(std::launch::async, [this, id, i] {
      return hub_->update(id, fmt::format(R"({{"description": "{}"}})", i), 1);
    }));
  }
  int succeeded = 0;
  for (auto& each : asked) {
    const auto answer = each.get();
    if (answer.has_value()) {
      ++succeeded;
    } else {
      EXPECT_EQ(code_of(answer), "version_conflict");
    }
  }
  EXPECT_EQ(succeeded, 1);
  EXPECT_EQ(hub_->view(id).row.version, 2);
}

TEST_F(ManyEdits, a_name_that_was_given_up_can_be_taken) {
  const auto id = hub_->create(profile("Pump"))->row.id;
  ASSERT_TRUE(hub_->update(id, R"({"name": "Old pump"})").has_value());
  const auto other = hub_->create(profile("Pump"));
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(code_of(hub_->update(id, R"({"name": "Pump"})")), "name_taken");
  const auto removed = hub_->run(
      [gone = other->row.id](Manager& m) { return m.remove(gone, false, Actor{"anna"}); });
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(hub_->update(id, R"({"name": "Pump"})").has_value());
}

}  // namespace
}  // namespace tributary::connect
