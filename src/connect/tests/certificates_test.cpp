// When certificates expire, whom people trust, and what is read anew for each attempt.
#include "connect/certificates/certificates.hpp"

#include <fstream>

#include "actor_fixture.hpp"
#include "connect/certificates/draft.hpp"
#include "connect/certificates/expiry.hpp"
#include "net/certificate.hpp"
#include "net/tests/plant_certificate.hpp"
#include "store/store.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

net::Certificate certificate_until(UtcTime not_after, std::string sha256 = "aa") {
  net::Certificate certificate;
  certificate.subject = "CN=plc";
  certificate.issuer = "CN=Plant CA";
  certificate.not_after = not_after;
  certificate.sha256 = std::move(sha256);
  return certificate;
}

net::ShownCertificate refused(int number) {
  net::ShownCertificate shown;
  shown.certificate = net::read_certificates(net::test::kPlantCertificate, "It").value().front();
  shown.certificate.sha256 = fmt::format("{:064}", number);
  shown.refusal = Error(ErrorClass::kTrust, "certificate_untrusted", "Nobody knows its issuer");
  return shown;
}

class CertificatesTest : public testing::Test {
 protected:
  CertificatesTest()
      : directory_(make_directory()),
        store_(*store::Store::open(directory_, clock_)),
        runtime_(std::make_unique<Runtime>(1, clock_, timers_)),
        alarms_(std::make_unique<Alarms>(*runtime_, *store_)) {
    make();
  }
  ~CertificatesTest() override {
    certificates_.reset();
    alarms_.reset();
    runtime_->stop();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  static std::string make_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "certificates_XXXXXX").string();
    return mkdtemp(name.data());
  }
  void make() {
    certificates_ = std::make_unique<Certificates>(
        context_.get_executor(), clock_, timers_, *store_, *alarms_, [this] { return profiles_; },
        [](const std::string& id) { return "Name of " + id; });
    ASSERT_TRUE(certificates_->load().has_value());
    certificates_->start();
    timers_.settle();
  }
  // Runs one of the coroutines; what it writes goes to the store's own thread.
  template <typename T>
  T run(Task<T> task) {
    std::optional<T> answer;
    asio::co_spawn(context_, std::move(task),
                   [&](std::exception_ptr, T value) { answer.emplace(std::move(value)); });
    while (!answer) {
      context_.restart();
      context_.run_one();
    }
    return *std::move(answer);
  }
  std::vector<std::string> alarm_texts() const {
    std::vector<std::string> texts;
    for (const auto& row : alarms_->active()) texts.push_back(row.severity + ": " + row.message);
    return texts;
  }
  void show(const std::string& connection, net::Certificate certificate) {
    certificates_->shown(connection, {std::move(certificate), true, {}});
    timers_.advance(seconds{2});
  }

  std::string directory_;
  asio::io_context context_;
  ManualClock clock_;
  ManualTimers timers_{clock_, context_};
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Alarms> alarms_;
  std::vector<ProfileCertificates> profiles_;
  std::unique_ptr<Certificates> certificates_;
};

TEST(ExpiryStep, is_the_nearest_that_was_reached) {
  const UtcTime end{days{1000}};
  const auto step_at = [end](UtcTime now) {
    const auto step = expiry_step(end, now);
    return step ? step->days : -1;
  };
  EXPECT_EQ(step_at(end - days{30} - seconds{1}), -1);
  EXPECT_EQ(step_at(end - days{30}), 30);
  EXPECT_EQ(step_at(end - days{14}), 14);
  EXPECT_EQ(step_at(end - days{7}), 7);
  EXPECT_EQ(step_at(end - days{1}), 1);
  EXPECT_EQ(step_at(end - seconds{1}), 1);
  EXPECT_EQ(step_at(end), 0);
  EXPECT_EQ(days_left(end, end - days{2} - seconds{1}), 2);
  EXPECT_EQ(days_left(end, end + seconds{1}), -1);
}

TEST_F(CertificatesTest, edge_17_an_alarm_is_raised_at_30_14_7_and_1_days_and_at_the_end) {
  const UtcTime end = clock_.utc_now() + days{31};
  show("c1", certificate_until(end));
  EXPECT_TRUE(alarm_texts().empty());
  const auto advance_to = [&](UtcTime moment) {
    timers_.advance(moment - clock_.utc_now() + hours{1});
  };
  struct Step {
    int days;
    std::string text;
  };
  for (const auto& [days_before, text] :
       {Step{30, "info: "}, Step{14, "warning: "}, Step{7, "warning: "}, Step{1, "error: "}}) {
    advance_to(end - days{days_before});
    ASSERT_EQ(alarm_texts().size(), 1U) << days_before;
    EXPECT_THAT(alarm_texts()[0], testing::StartsWith(text));
    EXPECT_THAT(alarm_texts()[0], HasSubstr(fmt::format("within {} day", days_before)));
    EXPECT_THAT(alarm_texts()[0], HasSubstr("\"Name of c1\""));
  }
  advance_to(end);
  EXPECT_THAT(alarm_texts()[0], HasSubstr("has expired"));
}

TEST_F(CertificatesTest, the_alarm_goes_when_the_certificate_was_replaced) {
  show("c1", certificate_until(clock_.utc_now() + days{3}, "old"));
  ASSERT_EQ(alarm_texts().size(), 1U);
  show("c1", certificate_until(clock_.utc_now() + days{300}, "new"));
  EXPECT_TRUE(alarm_texts().empty());
}

TEST_F(CertificatesTest, the_wall_clock_decides_even_when_it_is_set) {
  show("c1", certificate_until(clock_.utc_now() + days{300}));
  ASSERT_TRUE(alarm_texts().empty());
  clock_.step_utc(days{295});
  timers_.advance(hours{1});
  EXPECT_EQ(alarm_texts().size(), 1U);
}

TEST_F(CertificatesTest, nothing_is_looked_at_once_the_hub_goes_down) {
  EXPECT_TRUE(timers_.next());
  certificates_->close();
  certificates_->changed();
  EXPECT_FALSE(timers_.next());
}

TEST_F(CertificatesTest, certificates_of_profiles_are_listed_and_read_from_their_files) {
  const std::string path = directory_ + "/ca.pem";
  std::ofstream(path) << net::test::kPlantCertificate;
  profiles_ = {{{"c1", "Broker", CertificateRole::kIssuer}, "CA certificates", "file:" + path},
               {{"c2", "Other", CertificateRole::kClient},
                "Client certificate",
                std::string(net::test::kPlantCertificate)}};
  const auto list = certificates_->list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].state, CertificateState::kOwn);
  EXPECT_EQ(list[1].state, CertificateState::kTrusted);
  EXPECT_EQ(list[1].certificate.subject, "O=Plant,CN=broker.plant");
  EXPECT_THAT(list[1].certificate.names, ElementsAre("broker.plant", "192.0.2.7"));
  EXPECT_EQ(list[1].used_by.at(0).connection_name, "Broker");
}

TEST_F(CertificatesTest,
       E3_a_rejected_one_waits_for_a_decision_and_is_then_trusted_where_it_was_met) {
  certificates_->shown("c1", refused(1));
  certificates_->shown("c2", refused(2));
  const std::string id = refused(1).certificate.sha256;
  EXPECT_EQ(certificates_->refuses_trust("unknown")->code, "not_found");
  ASSERT_FALSE(certificates_->refuses_trust(id));
  const auto trusting = run(certificates_->trust(id, "anna"));
  ASSERT_TRUE(trusting.has_value());
  EXPECT_THAT(*trusting, ElementsAre("c1"));
  EXPECT_EQ(certificates_->trusted_for("c1").size(), 1U);
  EXPECT_TRUE(certificates_->trusted_for("c2").empty());
}

TEST_F(CertificatesTest, decisions_survive_a_restart) {
  certificates_->shown("c1", refused(1));
  ASSERT_TRUE(run(certificates_->trust(refused(1).certificate.sha256, "anna")).has_value());
  certificates_.reset();
  make();
  EXPECT_EQ(certificates_->trusted_for("c1").size(), 1U);
  ASSERT_TRUE(run(certificates_->remove(refused(1).certificate.sha256)).has_value());
  EXPECT_TRUE(certificates_->trusted_for("c1").empty());
}

TEST_F(CertificatesTest, E3_at_most_a_hundred_are_kept_and_the_oldest_goes_first) {
  for (int i = 0; i < 103; ++i) {
    certificates_->shown("c1", refused(i));
    timers_.advance(seconds{1});
  }
  EXPECT_EQ(certificates_->refuses_trust(refused(2).certificate.sha256)->code, "not_found");
  EXPECT_FALSE(certificates_->refuses_trust(refused(3).certificate.sha256));
}

TEST_F(CertificatesTest, what_stands_in_a_profile_is_not_removed_here) {
  profiles_ = {{{"c1", "Broker", CertificateRole::kIssuer},
                "CA certificates",
                std::string(net::test::kPlantCertificate)}};
  const std::string id =
      net::read_certificates(net::test::kPlantCertificate, "It").value().front().sha256;
  EXPECT_EQ(certificates_->refuses_removal(id)->code, "certificate_in_use");
  EXPECT_EQ(certificates_->refuses_trust(id)->code, "certificate_not_rejected");
}

TEST_F(CertificatesTest, an_accepted_certificate_settles_what_was_refused_before) {
  certificates_->shown("c1", refused(1));
  show("c1", certificate_until(clock_.utc_now() + days{300}));
  EXPECT_EQ(certificates_->refuses_trust(refused(1).certificate.sha256)->code, "not_found");
}

// ---- drafts ----

const std::string kDraftOfAnna = draft_id("user:anna", "mqtt", "broker.plant:8883");
const std::string kDraftOfBert = draft_id("user:bert", "mqtt", "broker.plant:8883");

TEST_F(CertificatesTest, what_a_draft_met_is_trusted_for_it_alone_and_goes_with_it_once) {
  certificates_->shown(kDraftOfAnna, refused(1));
  const auto uses = certificates_->list().at(0).used_by;
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].role, CertificateRole::kDraft);
  EXPECT_EQ(uses[0].connection_name, "broker.plant:8883");
  ASSERT_TRUE(run(certificates_->trust(refused(1).certificate.sha256, "anna")).has_value());
  EXPECT_EQ(certificates_->trusted_for(kDraftOfAnna).size(), 1U);
  EXPECT_TRUE(certificates_->trusted_for(kDraftOfBert).empty());
  EXPECT_FALSE(run(certificates_->adopt(kDraftOfBert, "c2")));
  EXPECT_TRUE(certificates_->trusted_for("c2").empty());

  EXPECT_TRUE(run(certificates_->adopt(kDraftOfAnna, "c1")));
  EXPECT_EQ(certificates_->trusted_for("c1").size(), 1U);
  EXPECT_TRUE(certificates_->trusted_for(kDraftOfAnna).empty());
  EXPECT_FALSE(run(certificates_->adopt(kDraftOfAnna, "c3")));
  certificates_.reset();
  make();
  EXPECT_EQ(certificates_->trusted_for("c1").size(), 1U);
  EXPECT_TRUE(certificates_->trusted_for(kDraftOfAnna).empty());
}

TEST_F(CertificatesTest, a_draft_saved_undecided_brings_the_question_but_takes_no_trust_away) {
  certificates_->shown("c1", refused(1));
  ASSERT_TRUE(run(certificates_->trust(refused(1).certificate.sha256, "anna")).has_value());
  certificates_->shown(kDraftOfAnna, refused(1));
  certificates_->shown(kDraftOfAnna, refused(2));
  EXPECT_FALSE(run(certificates_->adopt(kDraftOfAnna, "c1")));
  EXPECT_EQ(certificates_->trusted_for("c1").size(), 1U);
  EXPECT_TRUE(certificates_->refuses_trust(refused(1).certificate.sha256)) << "it is decided";
  const auto trusting = run(certificates_->trust(refused(2).certificate.sha256, "anna"));
  ASSERT_TRUE(trusting.has_value());
  EXPECT_THAT(*trusting, ElementsAre("c1"));
}

TEST_F(CertificatesTest, of_two_connections_saved_at_once_one_gets_the_decision) {
  certificates_->shown(kDraftOfAnna, refused(1));
  ASSERT_TRUE(run(certificates_->trust(refused(1).certificate.sha256, "anna")).has_value());
  std::vector<bool> brought;
  for (const char* id : {"c1", "c2"}) {
    asio::co_spawn(context_, certificates_->adopt(kDraftOfAnna, id),
                   [&](std::exception_ptr, bool value) { brought.push_back(value); });
  }
  while (brought.size() < 2) {
    context_.restart();
    context_.run_one();
  }
  EXPECT_THAT(brought, testing::UnorderedElementsAre(true, false));
  EXPECT_EQ(certificates_->trusted_for("c1").size() + certificates_->trusted_for("c2").size(), 1U);
}

TEST_F(CertificatesTest, a_draft_is_forgotten_after_an_hour_without_a_test) {
  const std::string id = refused(1).certificate.sha256;
  certificates_->shown(kDraftOfAnna, refused(1));
  ASSERT_TRUE(run(certificates_->trust(id, "anna")).has_value());
  timers_.advance(minutes{59});
  auto accepted = refused(1);
  accepted.accepted = true;
  certificates_->shown(kDraftOfAnna, accepted);
  timers_.advance(minutes{59});
  EXPECT_EQ(certificates_->trusted_for(kDraftOfAnna).size(), 1U);
  timers_.advance(minutes{1});
  EXPECT_TRUE(certificates_->trusted_for(kDraftOfAnna).empty());
  EXPECT_FALSE(run(certificates_->adopt(kDraftOfAnna, "c1")));
  EXPECT_TRUE(certificates_->list().empty());
}

TEST_F(CertificatesTest, nobody_is_alarmed_about_the_certificate_of_a_draft) {
  show(kDraftOfAnna, certificate_until(clock_.utc_now() + days{3}));
  EXPECT_TRUE(alarm_texts().empty());
}

// ---- what an attempt reads ----

class CredentialTest : public ActorTest {
 protected:
  void set_password(const std::string& text) { std::ofstream(directory_ + "/password") << text; }
  // The connection's password stands in a file.
  std::shared_ptr<const ConnectionConfig> with_file() {
    const Secret reference("file:" + directory_ + "/password");
    store::SecretRow secret{row_.id, "password", vault_->seal(row_.id, "password", 1, reference), 1,
                            clock_.utc_now()};
    return make_config(row_, *registry_.find("fake"), {secret});
  }
  void use_file() {
    const auto changed = with_file();
    spawn(context_.get_executor(),
          [](std::shared_ptr<ConnectionActor> actor,
             std::shared_ptr<const ConnectionConfig> to) -> Task<void> {
            co_await actor->configure(to, false, false, "anna");
          }(actor_, changed));
    timers_.settle();
  }
  void refuse(int times) {
    for (int i = 0; i < times; ++i) {
      peer_.open_errors.push_back(error_of(ErrorClass::kIdentity, "invalid_credentials"));
    }
  }
};

TEST_F(CredentialTest,
       edge_16_each_version_of_a_password_in_a_file_is_tried_at_most_twice_a_minute_apart) {
  set_password("old");
  use_file();
  refuse(4);
  start();
  advance(seconds{59});
  EXPECT_EQ(peer_.opens, 1);
  advance(minutes{2});
  EXPECT_EQ(peer_.opens, 2);
  EXPECT_EQ(status(), Status::kFailed);
  advance(hours{24});
  EXPECT_EQ(peer_.opens, 2) << "the account would be locked";

  set_password("newer");
  command(lifecycle::ConfigChanged{{}, true});
  EXPECT_EQ(peer_.opens, 3);
  EXPECT_EQ(peer_.password_seen, "newer");
  EXPECT_THAT(log_.rows.back().cause_message, HasSubstr("first try with the new password"));
  set_password("newest");  // before the second try with the one before
  advance(seconds{110});
  EXPECT_EQ(peer_.opens, 4);
  EXPECT_EQ(status(), Status::kDisconnected) << "another version has its own two tries";
  advance(seconds{110});
  EXPECT_EQ(status(), Status::kConnected);
}

TEST_F(CredentialTest, history_says_when_a_version_was_used_first) {
  set_password("old");
  use_file();
  start();
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_THAT(log_.rows.back().note, testing::Not(HasSubstr("first use")));
  set_password("new");
  command(lifecycle::Restart{"anna"});
  advance(seconds{1});
  ASSERT_EQ(status(), Status::kConnected);
  EXPECT_THAT(log_.rows.back().note, HasSubstr("first use of the new password"));
  command(lifecycle::Restart{"anna"});
  advance(seconds{1});
  EXPECT_THAT(log_.rows.back().note, testing::Not(HasSubstr("first use")));
}

TEST_F(CredentialTest, a_watch_sees_that_the_file_has_changed) {
  set_password("old");
  const auto config = with_file();
  ASSERT_TRUE(has_references(*config, *vault_));
  const auto before = credential_fingerprint(*config, *vault_);
  EXPECT_EQ(credential_fingerprint(*config, *vault_), before);
  set_password("new");
  EXPECT_NE(credential_fingerprint(*config, *vault_), before);
  std::filesystem::remove(directory_ + "/password");
  EXPECT_EQ(credential_fingerprint(*config, *vault_), "");
}

TEST_F(CredentialTest, edge_17_certificates_behind_a_reference_are_read_for_each_attempt) {
  sdk::Entry type;
  type.connection = schema::Schema::compile(Json::parse(R"({"type": "object", "properties": {
      "tls": {"type": "object", "properties": {
        "ca": {"type": "string", "title": "CA certificates", "x-certificates": "trusted"}}}}})"))
                        .value();
  ConnectionConfig config;
  config.type = &type;
  config.settings = json_object();
  config.settings["tls"] = json_object();
  config.settings["tls"]["ca"] = "file:" + directory_ + "/ca.pem";
  const auto missing = open_profile(config, *vault_);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, "setting_unavailable");
  EXPECT_EQ(missing.error().pointer, "/settings/tls/ca");
  for (const std::string text : {"first", "second"}) {
    std::ofstream(directory_ + "/ca.pem") << text;
    const auto profile = open_profile(config, *vault_);
    ASSERT_TRUE(profile.has_value());
    EXPECT_EQ(profile->settings["tls"]["ca"].as<std::string>(), text);
  }
}

}  // namespace
}  // namespace tributary::connect
