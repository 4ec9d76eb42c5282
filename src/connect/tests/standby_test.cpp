// Edge case 15: after a failover nobody goes on talking to the member that is read-only now.
#include "actor_fixture.hpp"
#include "net/dial.hpp"

namespace tributary::connect {
namespace {

using namespace testing_support;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

// A name with two addresses, one of them the primary.
struct Cluster {
  std::vector<net::Address> addresses{{"192.0.2.1", 5432}, {"192.0.2.2", 5432}};
  std::string primary = "192.0.2.1";
  std::vector<std::string> dialled;
  std::map<std::string, int> live;
  int resolved = 0;
  bool checks_at_open = true;

  Error read_only() const {
    return {ErrorClass::kStandby, "read_only",
            "25006: cannot execute INSERT in a read-only "
            "transaction"};
  }
};

class ClusterNetwork final : public net::Network {
 public:
  explicit ClusterNetwork(Cluster& cluster) : cluster_(cluster) {}
  Task<Result<std::vector<net::Address>>> resolve(const net::Endpoint& endpoint,
                                                  SteadyTime) override {
    ++cluster_.resolved;
    co_return net::begin_with(cluster_.addresses, endpoint.first);
  }
  Task<Result<std::unique_ptr<net::Stream>>> dial(const net::Endpoint&, const net::Keepalive&,
                                                  SteadyTime, net::StageObserver&) override {
    co_return fail(ErrorClass::kInternal, "not_used", "Sessions here only resolve.");
  }

 private:
  Cluster& cluster_;
};

class ClusterSession final : public sdk::Session {
 public:
  ClusterSession(const sdk::SessionContext& context, Cluster& cluster)
      : context_(context), cluster_(cluster) {}
  ~ClusterSession() override { abort(); }

  Task<Result<sdk::PeerIdentity>> open(SteadyTime deadline, net::StageObserver&) override {
    const net::Endpoint endpoint{"db.plant.local", 5432};
    auto addresses = co_await context_.network.resolve(endpoint, deadline);
    if (!addresses) co_return fail(std::move(addresses.error()));
    address_ = addresses->front().ip;
    cluster_.dialled.push_back(address_);
    co_await sleep_until(context_.timers, context_.timers.now() + milliseconds{1});
    if (cluster_.checks_at_open && address_ != cluster_.primary)
      co_return fail(cluster_.read_only());
    ++cluster_.live[address_];
    open_ = true;
    co_return sdk::PeerIdentity{};
  }
  Task<Result<void>> check_health(SteadyTime) override { co_return Result<void>{}; }
  Task<Result<Batch>> call(const sdk::Operation&, const Json&, SteadyTime) override {
    if (address_ != cluster_.primary) co_return fail(cluster_.read_only());
    co_return Batch::of(std::vector<Record>{});
  }
  Task<void> close(SteadyTime) override {
    abort();
    co_return;
  }
  void abort() noexcept override {
    if (std::exchange(open_, false)) --cluster_.live[address_];
  }

 private:
  sdk::SessionContext context_;
  Cluster& cluster_;
  std::string address_;
  bool open_ = false;
};

class ClusterConnector final : public sdk::Connector {
 public:
  explicit ClusterConnector(Cluster& cluster) : cluster_(cluster) {}
  Result<std::shared_ptr<const sdk::Operation>> prepare(const sdk::Profile&,
                                                        const sdk::FunctionSpec&) const override {
    return std::make_shared<FakeOperation>();
  }
  Result<std::unique_ptr<sdk::Session>> make_session(const sdk::SessionContext& context,
                                                     const sdk::Profile&) override {
    return std::make_unique<ClusterSession>(context, cluster_);
  }

 private:
  Cluster& cluster_;
};

class Standby : public ActorTest {
 protected:
  void SetUp() override {
    constexpr std::string_view kClusterManifest = R"({
      "type": "cluster", "title": "Cluster", "category": "Test", "family": "broker",
      "summary": "A database of two.", "capabilities": ["write"], "library": "none",
      "licence": "Apache-2.0", "maxConcurrentCalls": 1})";
    constexpr std::string_view kInsertSchema = R"({
      "type": "object", "x-function": "cluster.insert", "x-kind": "write", "title": "Insert",
      "description": "Inserts."})";
    const sdk::Resources resources{kClusterManifest, kConnectionSchema, {kInsertSchema}, "# It"};
    auto added = registry_.add(resources, std::make_unique<ClusterConnector>(cluster_));
    ASSERT_TRUE(added.has_value()) << added.error().message;
    actor_->post(lifecycle::Delete{{}, true});
    timers_.settle();
    log_.rows.clear();
    row_.type = "cluster";
    build();
    add_function("insert", "cluster.insert", "{}");
  }
  // The sessions refer to the cluster, which goes before the fixture does.
  ~Standby() override {
    actor_->post(lifecycle::Delete{{}, true});
    timers_.advance(seconds{10});
    actor_.reset();
    timers_.settle();
  }
  net::Network& network() override { return cluster_network_; }

  Cluster cluster_;
  ClusterNetwork cluster_network_{cluster_};
};

TEST_F(Standby, edge_15_a_session_that_turned_read_only_is_dropped_and_the_other_member_is_next) {
  start();
  ASSERT_EQ(status(), Status::kConnected);
  cluster_.primary = "192.0.2.2";
  const auto refused = execute("insert");
  EXPECT_EQ((*refused)->result.error().error_class, ErrorClass::kStandby);
  advance(seconds{15});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_THAT(cluster_.dialled, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(cluster_.resolved, 2);
  EXPECT_EQ(cluster_.live["192.0.2.1"], 0) << "no read-only session is kept";
  EXPECT_TRUE((*execute("insert"))->result.has_value()) << "writes resume within 15 s";
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0);
}

TEST_F(Standby, edge_15_one_that_says_so_at_once_is_left_for_the_other) {
  cluster_.primary = "192.0.2.2";
  start();
  advance(seconds{15});
  EXPECT_EQ(status(), Status::kConnected);
  EXPECT_THAT(cluster_.dialled, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(actor_->view().breaker.consecutive_failures, 0);
}

TEST_F(Standby, edge_15_without_a_primary_the_members_take_turns_and_the_breaker_stays_closed) {
  cluster_.primary = "none";
  start();
  advance(std::chrono::minutes{10});
  EXPECT_EQ(status(), Status::kDisconnected);
  EXPECT_EQ(actor_->view().breaker.state, "closed");
  ASSERT_GE(cluster_.dialled.size(), 10U);
  for (std::size_t i = 1; i < cluster_.dialled.size(); ++i)
    EXPECT_NE(cluster_.dialled[i], cluster_.dialled[i - 1]);
  cluster_.primary = "192.0.2.1";
  advance(std::chrono::minutes{3});
  EXPECT_EQ(status(), Status::kConnected);
}

}  // namespace
}  // namespace tributary::connect
