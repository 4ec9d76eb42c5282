// Whom to trust is decided before a connection is saved: the test of a draft brings the
// certificate, one call trusts it, the next test accepts it, and the saved connection keeps the
// decision.
#include "api/tests/hub_fixture.hpp"
#include "net/tests/plant_certificate.hpp"

namespace tributary::api {
namespace {

using test::Reply;

// What the server's end of a session would have seen.
struct Peer {
  std::atomic<int> logins{0};
};

// Shows the plant's certificate, which is accepted only when a person trusts it.
class TlsSession final : public sdk::Session {
 public:
  TlsSession(sdk::SessionEvents& events, bool trusted, Peer& peer)
      : events_(events), trusted_(trusted), peer_(peer) {}

  Task<Result<sdk::PeerIdentity>> open(SteadyTime, net::StageObserver& stages) override {
    stages.begin("tls");
    net::ShownCertificate shown;
    shown.certificate = net::read_certificates(net::test::kPlantCertificate, "It")->front();
    shown.accepted = trusted_;
    if (!trusted_) {
      shown.refusal =
          Error(ErrorClass::kTrust, "certificate_untrusted", "Nobody knows its issuer.");
    }
    events_.certificate_shown(shown);
    if (!trusted_) co_return fail(shown.refusal);
    ++peer_.logins;
    co_return sdk::PeerIdentity{};
  }
  Task<Result<void>> check_health(SteadyTime) override { co_return Result<void>{}; }
  Task<Result<Batch>> call(const sdk::Operation&, const Json&, SteadyTime) override {
    co_return Batch{};
  }
  Task<void> close(SteadyTime) override { co_return; }
  void abort() noexcept override {}

 private:
  sdk::SessionEvents& events_;
  bool trusted_;
  Peer& peer_;
};

class TlsConnector final : public sdk::Connector {
 public:
  explicit TlsConnector(Peer& peer) : peer_(peer) {}
  Result<std::shared_ptr<const sdk::Operation>> prepare(const sdk::Profile&,
                                                        const sdk::FunctionSpec&) const override {
    return std::make_shared<const test::CounterOperation>();
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile& profile) override {
    const bool trusted = std::ranges::any_of(profile.trusted_certificates, [](const auto& pem) {
      return net::read_certificates(pem, "It")->front().sha256 ==
             net::read_certificates(net::test::kPlantCertificate, "It")->front().sha256;
    });
    return std::make_unique<TlsSession>(context.events, trusted, peer_);
  }

 private:
  Peer& peer_;
};

constexpr std::string_view kManifest =
    R"({"type":"vault","title":"Vault","category":"Test","family":"fieldDevice","summary":"Shows a certificate.",
        "capabilities":["read"],"aliases":[],"library":"own","licence":"Apache-2.0","maxConcurrentCalls":1})";
constexpr std::string_view kRead =
    R"({"x-function":"vault.read","x-kind":"read","title":"Read","description":"Reads.","type":"object","properties":{}})";
constexpr const char* kDraft =
    R"({"name":"Broker","type":"vault","settings":{"host":"broker.plant"},"autostart":false})";

class DraftTrustTest : public test::HubTest {
 protected:
  DraftTrustTest() {
    sdk::Resources resources = test::counter_resources();
    resources.manifest = kManifest;
    resources.function_schemas = {kRead};
    EXPECT_TRUE(registry_.add(std::move(resources), std::make_unique<TlsConnector>(peer_)));
    start();
  }
  Json tested(const char* body = kDraft) {
    const Reply reply = ask("POST", "/api/v1/connections/test", body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.json();
  }
  Reply trust(const Json& certificate, const std::string& query = "") {
    return ask("POST", "/api/v1/certificates/" + get_string(certificate, "id") + "/trust" + query);
  }
  Json certificates(const std::string& state) {
    return ask("GET", "/api/v1/certificates?state=" + state).json().at("items");
  }

  Peer peer_;
};

TEST_F(DraftTrustTest, TheTestOfADraftBringsTheCertificateThatItRefused) {
  const Json told = tested();
  EXPECT_FALSE(told.at("success").as<bool>());
  const Json& certificate = told.at("certificate");
  EXPECT_EQ(get_string(certificate, "state"), "rejected");
  EXPECT_EQ(get_string(certificate, "subject"), "O=Plant,CN=broker.plant");
  EXPECT_EQ(get_string(certificate.at("reason"), "code"), "certificate_untrusted");
  EXPECT_EQ(to_text(certificate.at("usedBy")),
            R"([{"connectionId":null,"connectionName":"broker.plant:0","role":"draft"}])");
  EXPECT_EQ(certificates("rejected").size(), 1U);
  EXPECT_EQ(peer_.logins, 0) << "the server heard of the hub before it was trusted";
}

TEST_F(DraftTrustTest, OneCallTrustsItAndTheNextTestAndTheSavedConnectionAcceptIt) {
  const Json certificate = tested().at("certificate");
  const Reply trusted = trust(certificate);
  ASSERT_EQ(trusted.status, 200) << trusted.body;
  EXPECT_EQ(get_string(trusted.json().at("decision"), "by"), "token:test");

  const Json green = tested();
  EXPECT_TRUE(green.at("success").as<bool>()) << to_text(green);
  EXPECT_TRUE(green.at("certificate").is_null());
  EXPECT_EQ(peer_.logins, 1);

  const Reply saved = ask("POST", "/api/v1/connections", kDraft);
  ASSERT_EQ(saved.status, 201) << saved.body;
  const std::string id = get_string(saved.json(), "id");
  const Reply again = ask("POST", "/api/v1/connections/" + id + "/test");
  EXPECT_TRUE(again.json().at("success").as<bool>()) << again.body;
  const Json list = certificates("trusted");
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(get_string(list[0].at("decision"), "by"), "token:test");
  EXPECT_EQ(get_string(list[0].at("usedBy").at(0), "connectionId"), id);
}

TEST_F(DraftTrustTest, TheDecisionIsInTheAuditAndADryRunDecidesNothing) {
  const Json certificate = tested().at("certificate");
  EXPECT_EQ(trust(certificate, "?dryRun=true").status, 200);
  EXPECT_FALSE(tested().at("success").as<bool>());
  ASSERT_EQ(trust(certificate).status, 200);
  const Json rows = ask("GET", "/api/v1/audit?action=certificate.trust").json().at("items");
  ASSERT_GE(rows.size(), 1U);
  EXPECT_EQ(get_string(rows[0], "actor"), "token:test");
  EXPECT_EQ(get_string(rows[0].at("detail"), "sha256"), get_string(certificate, "sha256"));
  EXPECT_EQ(get_string(rows[0].at("detail").at("usedBy").at(0), "connectionName"),
            "broker.plant:0");
}

TEST_F(DraftTrustTest, TrustInOneServerIsNoTrustInAnotherAndNeedsTheRight) {
  const Json certificate = tested().at("certificate");
  const std::string path = "/api/v1/certificates/" + get_string(certificate, "id") + "/trust";
  EXPECT_EQ(ask("POST", path, {}, "").status, 401);
  ASSERT_EQ(trust(certificate).status, 200);
  const Json elsewhere =
      tested(R"({"name":"Other","type":"vault","settings":{"host":"other.plant"}})");
  EXPECT_FALSE(elsewhere.at("success").as<bool>());
  EXPECT_EQ(get_string(elsewhere.at("certificate"), "state"), "rejected");
}

TEST_F(DraftTrustTest, TheTestOfASavedConnectionBringsTheCertificateToo) {
  const Reply saved = ask("POST", "/api/v1/connections", kDraft);
  const std::string id = get_string(saved.json(), "id");
  const std::string path = "/api/v1/connections/" + id + "/test";
  const Json told = ask("POST", path).json();
  ASSERT_FALSE(told.at("certificate").is_null()) << to_text(told);
  EXPECT_EQ(get_string(told.at("certificate").at("usedBy").at(0), "connectionId"), id);
  ASSERT_EQ(trust(told.at("certificate")).status, 200);
  EXPECT_TRUE(ask("POST", path).json().at("success").as<bool>());
}

}  // namespace
}  // namespace tributary::api
