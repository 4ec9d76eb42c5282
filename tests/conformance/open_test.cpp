// Opening a session against peers that do not behave (design §4).
#include "tests/conformance/suite.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/tls_peer.hpp"

namespace tributary::test {

std::string name_of(const ::testing::TestParamInfo<SuiteEntry>& info) {
  return info.param.subject.type;
}

void PrintTo(const SuiteEntry& entry, std::ostream* out) {
  *out << entry.subject.type;
}

Task<Result<void>> Conformance::bring_up(sdk::Session& session, SteadyTime deadline,
                                         net::StageObserver& stages) {
  auto opened = co_await session.open(deadline, stages);
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  co_return co_await session.check_health(deadline);
}

void Conformance::expect_descriptors(std::size_t expected) {
  context_.run_until([&] { return open_descriptors() <= expected; }, 3s);
  EXPECT_LE(open_descriptors(), expected) << "descriptors were left open";
}

Error Conformance::expect_failure(Duration deadline) {
  const std::size_t descriptors = open_descriptors();
  auto session = make();
  const auto started = std::chrono::steady_clock::now();
  const auto result = bring_up(*session, deadline);
  EXPECT_LT(std::chrono::steady_clock::now() - started, deadline + kSlack)
      << "the deadline was not kept";
  EXPECT_FALSE(result.has_value()) << "connected to a peer that does not behave";
  if (result) return {};
  EXPECT_FALSE(result.error().code.empty());
  EXPECT_FALSE(result.error().message.empty());
  session->abort();
  session.reset();
  context_.drain();
  expect_descriptors(descriptors + 1);  // the peer's end, where the peer runs in this process
  return result.error();
}

namespace {

class Opening : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Connectors, Opening, ::testing::ValuesIn(suite_entries()), name_of);

TEST_P(Opening, TheFolderIsAConnector) {
  sdk::Registry registry;
  const auto added = registry.add(GetParam().resources, subject().make_connector());
  ASSERT_TRUE(added.has_value()) << added.error().message;
  const sdk::Entry* entry = registry.find(subject().type);
  ASSERT_NE(entry, nullptr);
  const auto wrong = entry->connection.validate(subject().settings("127.0.0.1", 4000));
  EXPECT_TRUE(wrong.empty()) << wrong.front().pointer << ": " << wrong.front().message;
  for (const auto& function : {std::optional(subject().call), subject().subscribe}) {
    if (!function) continue;
    const sdk::FunctionType* type = entry->function(function->type);
    ASSERT_NE(type, nullptr) << function->type;
    const auto errors = type->schema.validate(function->settings);
    EXPECT_TRUE(errors.empty()) << errors.front().pointer << ": " << errors.front().message;
  }
}

TEST_P(Opening, AGoodPeerIsConnectedAndCalled) {
  const auto peer = subject().start_peer();
  use(peer->port());
  auto session = make();
  const auto up = bring_up(*session);
  ASSERT_TRUE(up.has_value()) << up.error().message;
  const auto operation = prepare(subject().call);
  const auto batch =
      context_.run(session->call(*operation, subject().call_parameters, context_.in(10s)), 12s);
  EXPECT_TRUE(batch.has_value()) << (batch ? "" : batch.error().message);
  EXPECT_TRUE(context_.events().losses.empty());
  close(*session);
}

TEST_P(Opening, ARefusingPeerIsTransient) {
  TRIBUTARY_NEEDS_NETWORK();
  const RefusingPort port;
  use(port.port());
  const Error error = expect_failure();
  EXPECT_EQ(error.error_class, ErrorClass::kTransient);
  EXPECT_EQ(error.code, "connection_refused");
  EXPECT_NE(error.message.find(std::to_string(port.port())), std::string::npos) << error.message;
}

TEST_P(Opening, APeerThatDropsPacketsIsTransient) {
  TRIBUTARY_NEEDS_NETWORK();
  const SilentPort port;
  use(port.port());
  EXPECT_EQ(expect_failure().error_class, ErrorClass::kTransient);
}

TEST_P(Opening, AMutePeerIsTransient) {
  TRIBUTARY_NEEDS_NETWORK();
  const ScriptedPeer peer{Script().mute()};
  use(peer.port());
  const Error error = expect_failure();
  EXPECT_EQ(error.error_class, ErrorClass::kTransient);
  EXPECT_EQ(error.code, "timeout");
}

TEST_P(Opening, APeerThatClosesAtOnceIsTransient) {
  TRIBUTARY_NEEDS_NETWORK();
  const ScriptedPeer peer{Script().close()};
  use(peer.port());
  EXPECT_EQ(expect_failure().error_class, ErrorClass::kTransient);
}

TEST_P(Opening, APeerThatResetsAtOnceIsTransient) {
  TRIBUTARY_NEEDS_NETWORK();
  const ScriptedPeer peer{Script().reset()};
  use(peer.port());
  EXPECT_EQ(expect_failure().error_class, ErrorClass::kTransient);
}

TEST_P(Opening, APeerThatSpeaksSomethingElseIsNamed) {
  TRIBUTARY_NEEDS_NETWORK();
  const ScriptedPeer peer{Script().receive_any().send(subject().garbage).mute()};
  use(peer.port());
  const Error error = expect_failure();
  EXPECT_TRUE(error.error_class == ErrorClass::kTransient ||
              error.error_class == ErrorClass::kConfiguration);
  EXPECT_THAT(subject().garbage_codes, ::testing::Contains(error.code)) << error.message;
  EXPECT_FALSE(error.hint.empty());
}

TEST_P(Opening, WrongCredentialsAreAnIdentityError) {
  if (subject().wrong_secrets.empty()) GTEST_SKIP() << "has no credentials";
  const auto peer = subject().start_peer();
  use(peer->port(), subject().wrong_secrets);
  EXPECT_EQ(expect_failure(5s).error_class, ErrorClass::kIdentity);
}

// A refused certificate is looked at again every ten minutes: that must not give anything away.
TEST_P(Opening, APeerWithAWrongCertificateIsATrustErrorAndHearsNothing) {
  if (!subject().tls_settings) GTEST_SKIP() << "offers no TLS";
  const Authority known("Known CA");
  const Authority unknown("Unknown CA");
  struct Case {
    std::string code;
    KeyPair identity;
  };
  const CertificateRequest expired{.valid_from = -48h, .valid_for = 24h};
  const CertificateRequest early{.valid_from = 24h, .valid_for = 24h};
  const CertificateRequest other{.common_name = "other", .names = {"DNS:other"}};
  for (const auto& [code, identity] : {Case{"certificate_untrusted", unknown.issue()},
                                       Case{"certificate_untrusted", self_signed()},
                                       Case{"certificate_expired", known.issue(expired)},
                                       Case{"certificate_not_yet_valid", known.issue(early)},
                                       Case{"certificate_wrong_host", known.issue(other)}}) {
    TlsPeer peer({.identity = identity});
    use(peer.port());
    profile_.settings = subject().tls_settings("127.0.0.1", peer.port(), known.certificate());
    context_.events().certificates.clear();
    const Error error = expect_failure(5s);
    EXPECT_EQ(error.error_class, ErrorClass::kTrust) << error.message;
    EXPECT_EQ(error.code, code) << error.message;
    EXPECT_TRUE(error.pointer.starts_with("/settings/")) << error.pointer;
    EXPECT_FALSE(error.hint.empty());
    ASSERT_EQ(context_.events().certificates.size(), 1U) << "the certificate must be reported";
    EXPECT_FALSE(context_.events().certificates[0].accepted);
    ASSERT_TRUE(context_.run_until([&] { return peer.idle(); }));
    EXPECT_EQ(peer.application_bytes(), 0U) << "something left before the certificate was accepted";
  }
}

TEST_P(Opening, APeerInOneByteSegmentsIsAGoodPeer) {
  TRIBUTARY_NEEDS_NETWORK();
  const auto peer = subject().start_peer();
  FaultProxy proxy(peer->port());
  proxy.set_mode(FaultProxy::Mode::kSlice);
  use(proxy.port());
  auto session = make();
  const auto up = bring_up(*session);
  EXPECT_TRUE(up.has_value()) << (up ? "" : up.error().message);
  close(*session);
}

}  // namespace
}  // namespace tributary::test
