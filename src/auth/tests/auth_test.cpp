#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>
#include <array>
#include <filesystem>
#include <fstream>

#include "auth/auth.hpp"
#include "auth/credentials.hpp"
#include "auth/password.hpp"
#include "base/id.hpp"
#include "store/repositories.hpp"

namespace tributary::auth {
namespace {

constexpr std::string_view kPassword = "horse filter seven lamp";

// As an earlier version might have made it: 2 passes over 19 MiB.
std::string make_weaker_hash() {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  EXPECT_EQ(crypto_pwhash_str(text.data(), kPassword.data(), kPassword.size(), 2, 19 << 20), 0);
  return text.data();
}

class AuthTest : public testing::Test {
 protected:
  void SetUp() override {
    // Memory where there is some to write to: nothing here is about flushing.
    const std::filesystem::path parent =
        ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = parent / "tributary-auth-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    reopen();
  }
  void TearDown() override {
    auth_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  // As after a restart of the server.
  void reopen() {
    auth_.reset();
    store_.reset();
    auto opened = store::Store::open(directory_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
    auth_ = std::make_unique<Auth>(*store_, clock_, context_.get_executor());
    auto loaded = auth_->load();
    ASSERT_TRUE(loaded) << loaded.error().message;
  }

  // Runs tasks side by side until all are done.
  template <typename T>
  std::vector<T> run_all(std::vector<Task<T>> tasks) {
    std::vector<std::optional<T>> answers(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      asio::co_spawn(context_.get_executor(), std::move(tasks[i]),
                     [&answers, i](std::exception_ptr error, T answer) {
                       if (error) std::rethrow_exception(error);
                       answers[i] = std::move(answer);
                     });
    }
    context_.restart();
    context_.run();
    std::vector<T> results;
    for (auto& answer : answers) results.push_back(std::move(answer.value()));
    return results;
  }
  template <typename T>
  T run(Task<T> task) {
    std::vector<Task<T>> tasks;
    tasks.push_back(std::move(task));
    return std::move(run_all(std::move(tasks)).front());
  }

  Result<NewSession> setup() {
    return run(auth_->setup(auth_->make_setup_code(), "ada", Secret(kPassword)));
  }
  Result<NewSession> login(std::string_view username, std::string_view password,
                           std::string address = "192.0.2.1") {
    return run(auth_->login(std::string(username), Secret(password), std::move(address)));
  }
  std::vector<std::string> audited() {
    std::vector<std::string> actions;
    // The writer thread answers in order: everything posted before is in the table.
    EXPECT_TRUE(store_->write_now([&](soci::session& sql) -> Result<void> {
      auto rows = store::Audit::list(sql, 0, 1000);
      if (!rows) return fail(rows.error());
      for (const auto& row : *rows) actions.insert(actions.begin(), row.action);
      return {};
    }));
    return actions;
  }

  std::string directory_;
  ManualClock clock_;
  asio::io_context context_{1};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Auth> auth_;
};

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "" : result.error().code;
}

// ---- first start ----

TEST_F(AuthTest, TheSetupCodeMakesTheAdministratorAndSignsHimIn) {
  EXPECT_TRUE(auth_->needs_setup());
  auto session = setup();
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->principal.name, "ada");
  EXPECT_EQ(session->principal.role, "admin");
  EXPECT_EQ(auth_->check_session(session->cookie)->name, "ada");
  EXPECT_FALSE(auth_->needs_setup());
  EXPECT_EQ(auth_->make_setup_code(), "") << "no second administrator by this way";
  reopen();
  EXPECT_FALSE(auth_->needs_setup());
}

TEST_F(AuthTest, TheCodeIsReadWhateverTheCaseAndTheDash) {
  std::string code = auth_->make_setup_code();
  std::erase(code, '-');
  std::transform(code.begin(), code.end(), code.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  EXPECT_TRUE(run(auth_->setup(" " + code + " ", "ada", Secret(kPassword))));
}

TEST_F(AuthTest, AUsedCodeIsNotAcceptedAgain) {
  const std::string code = auth_->make_setup_code();
  ASSERT_TRUE(run(auth_->setup(code, "ada", Secret(kPassword))));
  EXPECT_EQ(code_of(run(auth_->setup(code, "eve", Secret(kPassword)))), "setup_done");
}

TEST_F(AuthTest, TwoWhoTypeTheCodeAtOnceDoNotBothGetIn) {
  const std::string code = auth_->make_setup_code();
  std::vector<Task<Result<NewSession>>> both;
  both.push_back(auth_->setup(code, "ada", Secret(kPassword)));
  both.push_back(auth_->setup(code, "eve", Secret(kPassword)));
  const auto answers = run_all(std::move(both));
  EXPECT_NE(answers[0].has_value(), answers[1].has_value());
  EXPECT_THAT((std::vector<std::string>{code_of(answers[0]), code_of(answers[1])}),
              testing::UnorderedElementsAre("", "setup_done"));
}

TEST_F(AuthTest, TheCodeEndsAfterAQuarterOfAnHour) {
  const std::string code = auth_->make_setup_code();
  clock_.advance(std::chrono::minutes{15});
  EXPECT_EQ(code_of(run(auth_->setup(code, "ada", Secret(kPassword)))), "setup_code_expired");
}

TEST_F(AuthTest, ANewCodeReplacesTheOldOne) {
  const std::string old = auth_->make_setup_code();
  const std::string code = auth_->make_setup_code();
  EXPECT_EQ(code_of(run(auth_->setup(old, "ada", Secret(kPassword)))), "setup_code_wrong");
  EXPECT_TRUE(run(auth_->setup(code, "ada", Secret(kPassword))));
}

TEST_F(AuthTest, AfterTenWrongTriesTheCodeIsVoid) {
  const std::string code = auth_->make_setup_code();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(code_of(run(auth_->setup("AAAA-AAAA", "ada", Secret(kPassword)))),
              "setup_code_wrong");
  }
  EXPECT_EQ(code_of(run(auth_->setup(code, "ada", Secret(kPassword)))), "setup_code_expired");
  EXPECT_TRUE(setup()) << "a new code works";
}

TEST_F(AuthTest, AWeakPasswordOrAStrangeNameLeavesTheCodeValid) {
  const std::string code = auth_->make_setup_code();
  auto weak = run(auth_->setup(code, "ada", Secret("password1234")));
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().code, "weak_password");
  EXPECT_EQ(weak.error().pointer, "/password");
  for (const std::string name : {"", "two words", "-dash", "a\nb"}) {
    EXPECT_EQ(code_of(run(auth_->setup(code, name, Secret(kPassword)))), "invalid_username")
        << name;
  }
  EXPECT_EQ(auth_->password_computations(), 0);
  EXPECT_TRUE(run(auth_->setup(code, "ada", Secret(kPassword))));
}

TEST_F(AuthTest, ThePasswordIsKeptAsArgon2idWithTheParametersWePromise) {
  ASSERT_TRUE(setup());
  std::string hash;
  ASSERT_TRUE(store_->read_now([&](soci::session& sql) -> Result<void> {
    auto user = store::Users::find_by_name(sql, "ada");
    if (!user) return fail(user.error());
    hash = user->value().password_hash;
    return {};
  }));
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << hash;
}

// ---- sign-in ----

TEST_F(AuthTest, TheRightPasswordSignsInAndEachSessionIsNew) {
  auto first = setup();
  auto second = login("ada", kPassword);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->cookie, second->cookie);
  EXPECT_TRUE(auth_->check_session(second->cookie));
}

TEST_F(AuthTest, UnknownUsersGetTheSameWordsAndTheSameWork) {
  ASSERT_TRUE(setup());
  const auto before = auth_->password_computations();
  auto wrong = login("ada", "not the password");
  const auto for_known = auth_->password_computations() - before;
  auto unknown = login("eve", "not the password");
  const auto for_unknown = auth_->password_computations() - before - for_known;
  ASSERT_FALSE(wrong);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(wrong.error().code, "invalid_credentials");
  EXPECT_EQ(unknown.error().code, "invalid_credentials");
  EXPECT_EQ(wrong.error().message, unknown.error().message);
  EXPECT_EQ(for_known, 1);
  EXPECT_EQ(for_unknown, 1);
}

TEST_F(AuthTest, NobodysHashCostsAsMuchAsARealOneAndFitsNoPassword) {
  EXPECT_FALSE(needs_rehash(nobodys_hash())) << "same parameters as today's hashes";
  EXPECT_FALSE(verify_password(nobodys_hash(), Secret("")));
  EXPECT_FALSE(verify_password(nobodys_hash(), Secret(kPassword)));
}

TEST_F(AuthTest, GuessingIsSlowedPerAccountAndAddressAndLocksNobodyElseOut) {
  ASSERT_TRUE(setup());
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(code_of(login("ada", "wrong", "203.0.113.9")), "invalid_credentials");
  const auto before = auth_->password_computations();
  auto limited = login("ada", kPassword, "203.0.113.9");
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().code, "too_many_attempts");
  EXPECT_EQ(limited.error().retry_after_ms, 60'000);
  EXPECT_EQ(auth_->password_computations(), before) << "refused without work";
  EXPECT_TRUE(login("ada", kPassword, "192.0.2.1")) << "another address";
  EXPECT_EQ(code_of(login("eve", "wrong", "203.0.113.9")), "invalid_credentials")
      << "another account";
  clock_.advance(std::chrono::minutes{1});
  EXPECT_TRUE(login("ada", kPassword, "203.0.113.9"));
}

TEST_F(AuthTest, EverySignInAndRefusalIsInTheAuditTrail) {
  ASSERT_TRUE(setup());
  auto session = login("ada", kPassword);
  ASSERT_TRUE(session);
  for (int i = 0; i < 11; ++i) EXPECT_FALSE(login("eve", "wrong"));
  ASSERT_TRUE(run(auth_->logout(session->principal)));
  auth_->audit(session->principal, "connection.suspend", "c1", json_object());
  std::vector<std::string> expected{"auth.setup", "auth.login"};
  expected.insert(expected.end(), 10, "auth.login_refused");
  expected.insert(expected.end(), {"auth.login_limited", "auth.logout", "connection.suspend"});
  EXPECT_EQ(audited(), expected);
}

TEST_F(AuthTest, AnOldHashIsUpgradedAtTheNextSignIn) {
  ASSERT_TRUE(setup());
  ASSERT_TRUE(store_->write_now([&](soci::session& sql) -> Result<void> {
    auto user = store::Users::find_by_name(sql, "ada");
    if (!user) return fail(user.error());
    return store::Users::set_password_hash(sql, user->value().id, make_weaker_hash());
  }));
  reopen();
  ASSERT_TRUE(login("ada", kPassword));
  reopen();
  const auto before = auth_->password_computations();
  ASSERT_TRUE(login("ada", kPassword));
  EXPECT_EQ(auth_->password_computations() - before, 1) << "nothing left to upgrade";
}

// ---- sessions ----

TEST_F(AuthTest, ASessionEndsAfterHalfAnHourWithoutUse) {
  auto session = setup();
  ASSERT_TRUE(session);
  clock_.advance(std::chrono::minutes{29});
  EXPECT_TRUE(auth_->check_session(session->cookie));
  clock_.advance(std::chrono::minutes{29});
  EXPECT_TRUE(auth_->check_session(session->cookie)) << "each use counts";
  clock_.advance(std::chrono::minutes{30});
  EXPECT_EQ(code_of(auth_->check_session(session->cookie)), "not_authenticated");
}

TEST_F(AuthTest, ASessionEndsAfterTwelveHoursHoweverMuchItIsUsed) {
  auto session = setup();
  ASSERT_TRUE(session);
  for (int minutes = 20; minutes < 12 * 60; minutes += 20) {
    clock_.advance(std::chrono::minutes{20});
    ASSERT_TRUE(auth_->check_session(session->cookie)) << minutes;
  }
  clock_.advance(std::chrono::minutes{20});
  EXPECT_EQ(code_of(auth_->check_session(session->cookie)), "not_authenticated");
}

TEST_F(AuthTest, AStepOfTheWallClockEndsNoSession) {
  auto session = setup();
  ASSERT_TRUE(session);
  clock_.step_utc(std::chrono::hours{24});
  EXPECT_TRUE(auth_->check_session(session->cookie));
}

TEST_F(AuthTest, SessionsOutliveARestartWithTheAgeTheyHad) {
  auto session = setup();
  ASSERT_TRUE(session);
  clock_.advance(std::chrono::minutes{20});
  ASSERT_TRUE(auth_->check_session(session->cookie));
  clock_.advance(std::chrono::minutes{20});
  reopen();
  EXPECT_TRUE(auth_->check_session(session->cookie)) << "the use at minute 20 was written down";
  clock_.advance(std::chrono::minutes{31});
  reopen();
  EXPECT_EQ(code_of(auth_->check_session(session->cookie)), "not_authenticated");
}

TEST_F(AuthTest, AfterSigningOutTheCookieIsDeadForGood) {
  auto session = setup();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(auth_->logout(session->principal)));
  EXPECT_EQ(code_of(auth_->check_session(session->cookie)), "not_authenticated");
  EXPECT_EQ(code_of(run(auth_->logout(session->principal))), "not_authenticated");
  reopen();
  EXPECT_EQ(code_of(auth_->check_session(session->cookie)), "not_authenticated");
}

TEST_F(AuthTest, TheEleventhSessionOfAUserEndsTheOldest) {
  auto first = setup();
  ASSERT_TRUE(first);
  std::vector<NewSession> later;
  for (int i = 0; i < 10; ++i) {
    clock_.advance(std::chrono::seconds{1});
    later.push_back(login("ada", kPassword).value());
  }
  EXPECT_FALSE(auth_->check_session(first->cookie));
  for (const auto& session : later) EXPECT_TRUE(auth_->check_session(session.cookie));
}

TEST_F(AuthTest, NeitherCookiesNorTokensAreInTheDatabase) {
  auto session = setup();
  auto token = run(auth_->create_token("ci", "admin", std::nullopt));
  ASSERT_TRUE(session && token);
  auth_.reset();
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(content.find(session->cookie), std::string::npos) << entry.path();
    EXPECT_EQ(content.find(token->substr(4, 43)), std::string::npos) << entry.path();
    EXPECT_EQ(content.find(kPassword), std::string::npos) << entry.path();
  }
  reopen();
}

// ---- tokens ----

TEST_F(AuthTest, ATokenWorksUntilItIsRevoked) {
  auto text = run(auth_->create_token("ci", "admin", std::nullopt));
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(auth_->check_token(*text)->name, "token:ci");
  EXPECT_EQ(auth_->check_token(*text)->session, "");
  reopen();
  ASSERT_TRUE(auth_->check_token(*text));
  const std::string id = auth_->tokens().at(0).id;
  ASSERT_TRUE(run(auth_->revoke_token(id)));
  EXPECT_EQ(code_of(auth_->check_token(*text)), "not_authenticated");
  EXPECT_EQ(code_of(run(auth_->revoke_token(id))), "not_found");
  reopen();
  EXPECT_EQ(code_of(auth_->check_token(*text)), "not_authenticated");
}

TEST_F(AuthTest, ATokenExpires) {
  auto text = run(auth_->create_token("ci", "admin", clock_.utc_now() + std::chrono::hours{1}));
  ASSERT_TRUE(text);
  clock_.advance(std::chrono::minutes{59});
  EXPECT_TRUE(auth_->check_token(*text));
  clock_.advance(std::chrono::minutes{1});
  EXPECT_EQ(code_of(auth_->check_token(*text)), "not_authenticated");
}

TEST_F(AuthTest, AlteredTokensAreRefused) {
  const std::string text = run(auth_->create_token("ci", "admin", std::nullopt)).value();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(is_token(altered)) << i;
    EXPECT_FALSE(auth_->check_token(altered)) << i;
  }
  EXPECT_FALSE(auth_->check_token(""));
  EXPECT_FALSE(auth_->check_token(text + " "));
  EXPECT_FALSE(auth_->check_token(make_token())) << "well formed, but not ours";
}

TEST_F(AuthTest, RequestsForTokensAreChecked) {
  EXPECT_EQ(code_of(run(auth_->create_token("", "admin", std::nullopt))), "invalid_name");
  EXPECT_EQ(code_of(run(auth_->create_token("ci", "root", std::nullopt))), "invalid_role");
  EXPECT_EQ(code_of(run(auth_->create_token("ci", "admin", clock_.utc_now()))), "invalid_expiry");
  EXPECT_TRUE(auth_->tokens().empty());
}

TEST_F(AuthTest, LastUseIsWrittenOnceAMinute) {
  const std::string text = run(auth_->create_token("ci", "admin", std::nullopt)).value();
  const auto stored_use = [&] {
    std::optional<UtcTime> use;
    EXPECT_TRUE(store_->write_now([&](soci::session& sql) -> Result<void> {
      auto rows = store::Tokens::all(sql);
      if (!rows) return fail(rows.error());
      use = rows->at(0).last_used_at;
      return {};
    }));
    return use;
  };
  EXPECT_EQ(stored_use(), std::nullopt);
  const UtcTime first = clock_.utc_now();
  ASSERT_TRUE(auth_->check_token(text));
  EXPECT_EQ(stored_use(), first);
  clock_.advance(std::chrono::seconds{59});
  ASSERT_TRUE(auth_->check_token(text));
  EXPECT_EQ(stored_use(), first);
  EXPECT_EQ(auth_->tokens().at(0).last_used_at, clock_.utc_now()) << "what is shown is exact";
  clock_.advance(std::chrono::seconds{1});
  ASSERT_TRUE(auth_->check_token(text));
  EXPECT_EQ(stored_use(), clock_.utc_now());
}

TEST_F(AuthTest, ATokenMadeWhileNoServerRanWorksInTheNextOne) {
  auth_.reset();
  auto text = Auth::create_token_offline(*store_, clock_, "first", "admin");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(code_of(Auth::create_token_offline(*store_, clock_, "first", "owner")), "invalid_role");
  reopen();
  EXPECT_EQ(auth_->check_token(*text)->name, "token:first");
  EXPECT_TRUE(auth_->needs_setup()) << "a token is no user";
}

}  // namespace
}  // namespace tributary::auth
