// What the cases of the conformance suite share: one test, one connector, one session at a time.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "sdk/registry.hpp"
#include "tests/support/conformance.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::test {

using namespace std::chrono_literals;

struct SuiteEntry {
  ConformanceSubject subject;
  sdk::Resources resources;
};
// How gtest names an entry in its messages.
void PrintTo(const SuiteEntry& entry, std::ostream* out);

// One for each connector folder that takes part.
std::vector<SuiteEntry> suite_entries();

// Deadlines of the suite, and what is added to them before "too late" is said on a loaded machine.
inline constexpr Duration kDeadline = 1s;
inline constexpr Duration kSlack = 2s;

#define TRIBUTARY_NEEDS_NETWORK() \
  if (local()) GTEST_SKIP() << "talks to nobody over a network"

class Conformance : public ::testing::TestWithParam<SuiteEntry> {
 protected:
  const ConformanceSubject& subject() const { return GetParam().subject; }
  // For a test about what happens on the network: TRIBUTARY_NEEDS_NETWORK().
  bool local() const { return subject().local; }

  void use(std::uint16_t port) { use(port, subject().secrets); }
  void use(std::uint16_t port, const Secrets& secrets) {
    profile_.connection_id = "01J00000000000000000000000";
    profile_.connection_name = "conformance";
    profile_.settings = subject().settings("127.0.0.1", port);
    profile_.secrets = secrets;
    context_.allow_egress(port);
  }
  std::unique_ptr<sdk::Session> make() {
    auto made = connector_->make_session(context_.session_context(), profile_);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
    return std::move(made.value());
  }
  std::shared_ptr<const sdk::Operation> prepare(const sdk::FunctionSpec& function) {
    auto prepared = connector_->prepare(profile_, function);
    EXPECT_TRUE(prepared.has_value()) << (prepared ? "" : prepared.error().message);
    return std::move(prepared.value());
  }
  // What the framework does to be Connected: open, then a health check, within one deadline.
  static Task<Result<void>> bring_up(sdk::Session& session, SteadyTime deadline,
                                     net::StageObserver& stages);
  Result<void> bring_up(sdk::Session& session, Duration limit = 10s) {
    return context_.run(bring_up(session, context_.in(limit), context_.stages()), limit + kSlack);
  }
  void close(sdk::Session& session) { context_.run(session.close(context_.in(5s)), 10s); }

  // A connect against a bad peer: fails, in time, with a class that makes the actor try again, and
  // holds nothing open.
  Error expect_failure(Duration deadline = kDeadline);
  // Waits until what was closed is really gone: libraries may close on threads of their own.
  void expect_descriptors(std::size_t expected);

  TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = subject().make_connector();
  sdk::Profile profile_;
};

std::string name_of(const ::testing::TestParamInfo<SuiteEntry>& info);

}  // namespace tributary::test
