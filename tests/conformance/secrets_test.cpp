// Secrets turn up in no log, no error and no answer.
#include <fstream>
#include <sstream>

#include "runtime/log.hpp"
#include "tests/conformance/suite.hpp"
#include "tests/support/process.hpp"

namespace tributary::test {
namespace {

class SecretKeeping : public Conformance {
 protected:
  static void expect_clean(std::string_view where, const std::string& text) {
    EXPECT_EQ(text.find(kSecretCanary), std::string::npos) << where << " shows a secret: " << text;
  }
  static void expect_clean(const Error& error) {
    for (const std::string* text : {&error.code, &error.message, &error.hint, &error.pointer})
      expect_clean("an error", *text);
  }
};
INSTANTIATE_TEST_SUITE_P(Connectors, SecretKeeping, ::testing::ValuesIn(suite_entries()), name_of);

TEST_P(SecretKeeping, NoLogErrorOrAnswerShowsOne) {
  if (subject().secrets.empty()) GTEST_SKIP() << "has no secrets";
  for (const auto& [name, secret] : subject().secrets) {
    ASSERT_NE(secret.reveal().find(kSecretCanary), std::string_view::npos)
        << name << " must hold the canary";
  }
  const TempDir directory;
  const std::string file = directory.path() / "log.json";
  log::start(log::Level::kDebug, file);

  const auto peer = subject().start_peer();
  use(peer->port());
  auto session = make();
  const auto opened = context_.run(session->open(context_.in(10s), context_.stages()), 12s);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  for (const std::string* text :
       {&opened->vendor, &opened->product, &opened->version, &opened->address}) {
    expect_clean("the identity", *text);
  }
  const auto operation = prepare(subject().call);
  const auto batch =
      context_.run(session->call(*operation, subject().call_parameters, context_.in(10s)), 12s);
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  for (const Record& record :
       to_records(*batch, {"connection", "function"}, context_.clock().utc_now())) {
    expect_clean("an answer", to_text(record));
  }
  close(*session);

  const RefusingPort refusing;
  const ScriptedPeer garbage{Script().receive_any().send(subject().garbage).mute()};
  for (const std::uint16_t port : {refusing.port(), garbage.port()}) {
    use(port);
    expect_clean(expect_failure());
  }
  if (!subject().wrong_secrets.empty()) {
    use(peer->port(), subject().wrong_secrets);
    expect_clean(expect_failure(5s));
  }

  log::info("conformance", "The last line.");
  std::ifstream lines(file);
  std::ostringstream all;
  all << lines.rdbuf();
  ASSERT_NE(all.str().find("The last line."), std::string::npos)
      << "the log must have been captured";
  expect_clean("the log", all.str());
}

}  // namespace
}  // namespace tributary::test
