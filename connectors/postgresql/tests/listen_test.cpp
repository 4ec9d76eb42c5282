// postgresql.listen with a real server.
#include <csignal>

#include "connectors/postgresql/src/listen.hpp"
#include "connectors/postgresql/tests/fixture.hpp"
#include "tests/support/recording_sink.hpp"

namespace tributary::connectors::postgresql {
namespace {

using testing::ElementsAre;

constexpr const char* kListening =
    "from pg_stat_activity where usename = 'tributary' and query ilike 'listen%'";

class Listen : public PostgresTest {
 protected:
  Result<std::unique_ptr<sdk::Subscription>> listen(sdk::Session& session, const Json& channels,
                                                    const std::string& format = "json") {
    Json settings = json_object();
    settings.insert_or_assign("channels", channels);
    settings.insert_or_assign("format", format);
    const auto operation = prepare("postgresql.listen", settings);
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(session);
    return context_.run(subscriber.subscribe(*operation, sink_, context_.in(10s)), 20s);
  }
  bool received(std::size_t count, Duration time = 20s) {
    return context_.run_until([&] { return sink_.records.size() >= count; }, time);
  }
  bool lost(Duration time = 20s) {
    return context_.run_until([&] { return !context_.events().losses.empty(); }, time);
  }
  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const Record& record : sink_.records) all.push_back(to_text(record.at("payload")));
    return all;
  }
  test::RecordingSink sink_{context_.executor()};
};

TEST_F(Listen, notifications_of_several_channels_arrive_in_order) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["orders", "alarms"])"));
  ASSERT_TRUE(listening) << listening.error().message;
  server.sql(
      R"(notify orders, '{"id": 7}'; notify other, '1'; notify alarms, '[true]'; notify orders)");
  ASSERT_TRUE(received(3));
  EXPECT_THAT(payloads(), ElementsAre(R"({"id":7})", "[true]", "null"));
  EXPECT_EQ(sink_.records[0].at("channel").as_string(), "orders");
  EXPECT_EQ(sink_.records[1].at("channel").as_string(), "alarms");
  EXPECT_GT(sink_.records[0].at("processId").as<int>(), 0);
  EXPECT_FALSE(sink_.records[0].contains("error"));
}

TEST_F(Listen, what_the_connection_itself_announces_is_heard_as_well) {
  const auto session = connect(clean_server().port());
  const auto listening = listen(*session, json(R"(["orders"])"), "text");
  ASSERT_TRUE(listening);
  ASSERT_TRUE(
      execute(*session, "select pg_notify('orders', ((text)))", json(R"({"text": "ä;'"})")));
  ASSERT_TRUE(received(1));
  EXPECT_EQ(sink_.records[0].at("payload").as_string(), "ä;'");
}

TEST_F(Listen, payloads_that_are_not_what_they_should_be_still_arrive) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  const std::string longest(7999, '7');
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  server.sql("notify a, '{broken'; notify a, '" + deep + "'; notify a, '\"" + longest.substr(2) +
             "\"'");
  ASSERT_TRUE(received(3));
  EXPECT_EQ(sink_.records[0].at("payload").as_string(), "{broken");
  EXPECT_EQ(sink_.records[0].at("error").at("code").as_string(), "invalid_json");
  EXPECT_EQ(sink_.records[1].at("payload").as_string(), deep);
  EXPECT_EQ(sink_.records[1].at("error").at("code").as_string(), "invalid_json");
  EXPECT_EQ(sink_.records[2].at("payload").as_string(), longest.substr(2));
  EXPECT_FALSE(sink_.records[2].contains("error"));
}

TEST_F(Listen, names_of_channels_are_taken_as_they_are) {
  auto& server = clean_server();
  const std::string hostile = R"(x"; drop schema public; --)";
  const auto session = connect(server.port());
  Json channels = json(R"(["Orders"])");
  channels.push_back(hostile);
  const auto listening = listen(*session, channels);
  ASSERT_TRUE(listening) << listening.error().message;
  server.sql("notify orders, '1'; notify \"Orders\", '2'; select pg_notify('" + hostile +
             "', '3')");
  ASSERT_TRUE(received(2));
  EXPECT_THAT(payloads(), ElementsAre("2", "3"));
  EXPECT_EQ(server.sql("select count(*) from pg_namespace where nspname = 'public'"), "1");
}

TEST_F(Listen, a_name_that_the_server_would_cut_off_is_refused) {
  Json settings = json_object();
  Json channels = json(R"(["short"])");
  std::string umlauts;
  for (int i = 0; i < 32; ++i) umlauts += "ä";  // 64 bytes
  channels.push_back(umlauts);
  settings.insert_or_assign("channels", channels);
  const auto prepared = try_prepare("postgresql.listen", settings);
  ASSERT_FALSE(prepared);
  EXPECT_EQ(prepared.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(prepared.error().code, "invalid_channel");
  EXPECT_EQ(prepared.error().pointer, "/settings/channels/1");
}

TEST_F(Listen, a_long_query_does_not_hold_notifications_up) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  const auto operation = prepare("postgresql.query", json(R"j({"query": "select pg_sleep(7)"})j"));
  const Json none = json_object();
  auto running = context_.start(session->call(*operation, none, context_.in(10s)));
  context_.run_until([] { return false; }, 100ms);
  server.sql("notify a, '1'");
  ASSERT_TRUE(received(1, 6s));
  EXPECT_FALSE(running.done());
  EXPECT_TRUE(context_.finish(running, 10s));
}

TEST_F(Listen, after_cancel_the_server_has_one_session_less_and_nothing_is_delivered) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  EXPECT_EQ(server.sql("select count(*) from pg_stat_activity where usename = 'tributary'"), "2");
  context_.run((*listening)->cancel(context_.in(5s)));
  context_.run((*listening)->cancel(context_.in(5s)));
  server.sql("notify a, '1'");
  EXPECT_TRUE(context_.run_until([&] {
    return server.sql("select count(*) from pg_stat_activity where usename = 'tributary'") == "1";
  }));
  EXPECT_TRUE(sink_.records.empty());
  EXPECT_TRUE(context_.events().losses.empty());
  EXPECT_EQ(to_text(value(*session, "select 1")), "1");
}

TEST_F(Listen, after_a_restart_a_new_session_listens_again) {
  test::PostgresServer server;
  auto first = connect(server.port());
  auto listening = listen(*first, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  server.stop();
  ASSERT_TRUE(lost());
  context_.drain();
  EXPECT_EQ(context_.events().losses.size(), 1U) << "two connections, one loss";
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  first->abort();
  (*listening).reset();
  first.reset();
  server.start();
  const auto second = connect(server.port());
  listening = listen(*second, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  server.sql("notify a, '2'");
  ASSERT_TRUE(received(1));
  EXPECT_THAT(payloads(), ElementsAre("2"));
}

TEST_F(Listen, a_listening_session_that_is_ended_alone_is_a_loss) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  EXPECT_EQ(server.sql(fmt::format("select count(pg_terminate_backend(pid)) {}", kListening)), "1");
  ASSERT_TRUE(lost());
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
  EXPECT_FALSE(query(*session, "select 1")) << "the session is over as a whole";
}

TEST_F(Listen, a_listening_session_that_hangs_is_found_by_the_health_check) {
  auto& server = clean_server();
  const auto session = connect(server.port(), R"({"requestTimeoutMs": 2000})");
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  const int pid = std::stoi(server.sql(fmt::format("select pid {}", kListening)));
  EXPECT_TRUE(context_.run(session->check_health(context_.in(5s))));
  context_.run_until([] { return false; }, 2500ms);
  EXPECT_TRUE(context_.events().losses.empty()) << "it has answered";
  ::kill(pid, SIGSTOP);
  EXPECT_TRUE(context_.run(session->check_health(context_.in(5s))));
  const bool noticed = lost(10s);
  ::kill(pid, SIGCONT);
  ASSERT_TRUE(noticed);
  EXPECT_EQ(context_.events().losses[0].error_class, ErrorClass::kTransient);
}

TEST_F(Listen, a_server_without_room_for_a_second_session_refuses_the_function_alone) {
  auto& server = clean_server();
  server.sql("alter role tributary connection limit 1");
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  server.sql("alter role tributary connection limit -1");
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(listening.error().code, "too_many_connections");
  EXPECT_EQ(to_text(value(*session, "select 1")), "1");
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Listen, a_read_only_connection_may_listen) {
  auto& server = clean_server();
  const auto session = connect(server.port(), R"({"readOnly": true})");
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening) << listening.error().message;
  server.sql("notify a, '1'");
  EXPECT_TRUE(received(1));
}

TEST_F(Listen, edge_32_a_sink_that_stalls_keeps_memory_bounded_and_loses_nothing) {
  constexpr std::size_t kRounds = 40;
  constexpr std::size_t kEach = 1000;
  auto& server = clean_server();
  const auto session = connect(server.port(), R"({"requestTimeoutMs": 1000})");
  const auto listening = listen(*session, json(R"(["flood"])"), "text");
  ASSERT_TRUE(listening);
  sink_.stall();
  const std::size_t before = test::resident_bytes();
  for (std::size_t round = 0; round < kRounds; ++round) {
    server.sql(
        fmt::format("select count(pg_notify('flood', lpad(i::text, 7000, '0'))) "
                    "from generate_series({}, {}) i",
                    round * kEach, (round + 1) * kEach - 1));
    context_.drain();
  }
  // 280 MB were announced. Health checks while nothing is taken find nothing wrong.
  for (int check = 0; check < 3; ++check) {
    EXPECT_TRUE(context_.run(session->check_health(context_.in(5s))));
    context_.run_until([] { return false; }, 700ms);
  }
  EXPECT_EQ(sink_.deliveries, 1U);
  EXPECT_LT(test::resident_bytes(), before + (48U << 20));
  EXPECT_TRUE(context_.events().losses.empty());
  EXPECT_EQ(to_text(value(*session, "select 1")), "1") << "calls go on";
  sink_.release();
  ASSERT_TRUE(received(kRounds * kEach, 60s)) << sink_.records.size();
  for (std::size_t i = 0; i < sink_.records.size(); ++i)
    ASSERT_EQ(std::stoul(sink_.records[i].at("payload").as_string()), i);
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Listen, a_sink_that_wants_no_more_ends_the_listening_session_only) {
  auto& server = clean_server();
  const auto session = connect(server.port());
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening);
  sink_.refusal = Error{ErrorClass::kCancelled, "cancelled", "Nobody wants more"};
  server.sql("notify a, '1'");
  ASSERT_TRUE(context_.run_until([&] {
    return server.sql("select count(*) from pg_stat_activity where usename = 'tributary'") == "1";
  }));
  EXPECT_EQ(to_text(value(*session, "select 1")), "1");
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Listen, an_end_at_any_moment_of_subscribing_leaves_nothing_open) {
  auto& server = clean_server();
  Json settings = json(R"({"channels": ["a"]})");
  const auto operation = prepare("postgresql.listen", settings);
  std::size_t descriptors = 0;
  bool subscribed = false;
  for (int steps = 0; !subscribed && steps < 1000; ++steps) {
    const auto session = connect(server.port());
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(*session);
    auto running = context_.start(subscriber.subscribe(*operation, sink_, context_.in(10s)));
    for (int step = 0; step < steps && !running.done(); ++step) context_.step();
    subscribed = running.done();
    session->abort();
    const auto result = context_.finish(running);
    EXPECT_EQ(result.has_value(), subscribed);
    if (!result) {
      EXPECT_EQ(result.error().error_class, ErrorClass::kCancelled);
    }
    context_.drain();
    if (steps == 0) descriptors = test::open_descriptors();
    EXPECT_LE(test::open_descriptors(), descriptors) << "after " << steps << " steps";
  }
  EXPECT_TRUE(subscribed);
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Listen, the_listening_session_is_encrypted_as_well_and_the_certificate_is_shown_once) {
  const test::Authority authority("Plant CA");
  const test::PostgresServer server(
      {.access = "hostnossl all all all reject", .identity = authority.issue()});
  Json tls = json(R"({"tls": {"enabled": true}})");
  tls["tls"]["ca"] = authority.certificate();
  const auto session = connect(server.port(), to_text(tls));
  const auto listening = listen(*session, json(R"(["a"])"));
  ASSERT_TRUE(listening) << listening.error().message;
  EXPECT_EQ(server.sql("select count(*) from pg_stat_ssl join pg_stat_activity using (pid) "
                       "where ssl and usename = 'tributary'"),
            "2");
  EXPECT_EQ(context_.events().certificates.size(), 1U);
  server.sql("notify a, '1'");
  EXPECT_TRUE(received(1));
}

}  // namespace
}  // namespace tributary::connectors::postgresql
