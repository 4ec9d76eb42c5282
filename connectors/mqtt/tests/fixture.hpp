// A loop, sessions and sinks for the tests of the connector; and mosquitto as the broker.
#pragma once

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "connectors/mqtt/resources.hpp"
#include "schema/schema.hpp"
#include "tests/support/process.hpp"
#include "tests/support/recording_sink.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::mqtt {

using namespace std::chrono_literals;

// mosquitto on a free loopback port, without persistence: what it knows goes with it.
class Broker {
 public:
  explicit Broker(std::string options = "allow_anonymous true\n") : options_(std::move(options)) {
    start();
  }

  void start() {
    const auto config = directory_.path() / "mosquitto.conf";
    std::ofstream(config) << "listener " << port_ << " 127.0.0.1\nuser " << user()
                          << "\npersistence false\n"
                          << "log_type all\nlog_dest stderr\nmax_queued_messages 0\n"
                          << "set_tcp_nodelay true\n"
                          << options_;
    process_ = std::make_unique<test::Process>(
        std::vector<std::string>{"/usr/sbin/mosquitto", "-c", config.string()});
    if (!test::wait_for_port(port_)) ADD_FAILURE() << "mosquitto did not start: " << log();
  }
  void stop() { process_.reset(); }
  // A file beside the configuration; its path.
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(directory_.path() / name) << text;
    return (directory_.path() / name).string();
  }
  std::uint16_t port() const { return port_; }
  std::string log() const { return process_ ? process_->output() : ""; }
  std::size_t logged(std::string_view text) const {
    const std::string all = log();
    std::size_t count = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++count;
    return count;
  }

 private:
  static std::string user() {
    const passwd* entry = ::getpwuid(::geteuid());
    return entry ? entry->pw_name : "root";
  }
  test::TempDir directory_;
  std::uint16_t port_ = test::free_port();
  std::string options_;
  std::unique_ptr<test::Process> process_;
};

using test::RecordingSink;

class MqttTest : public testing::Test {
 protected:
  // What aborted sessions still have to resume does so while the loop is there.
  ~MqttTest() override { context_.drain(); }
  sdk::Profile profile(std::uint16_t port, const std::string& more = "{}") const {
    Json settings = parse_json(fmt::format(R"({{"host":"127.0.0.1","port":{}}})", port)).value();
    settings = merge_patch(settings, parse_json(more).value());
    const auto document = parse_json(resources().connection_schema).value();
    const auto schema = schema::Schema::compile(document).value();
    EXPECT_TRUE(schema.validate(settings).empty()) << to_text(settings);
    sdk::Profile made;
    made.connection_id = fmt::format("01JTEST00000000000000000{:02}", ++profiles_);
    made.settings = schema.with_defaults(settings);
    return made;
  }
  std::unique_ptr<sdk::Session> session(const sdk::Profile& profile) {
    auto made = connector_->make_session(context_.session_context(), profile);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  Result<sdk::PeerIdentity> open(sdk::Session& session, Duration time = 10s) {
    return context_.run(session.open(context_.in(time), context_.stages()), 20s);
  }
  // A session that is open.
  std::unique_ptr<sdk::Session> connect(std::uint16_t port, const std::string& more = "{}") {
    auto made = session(profile(port, more));
    const auto opened = open(*made);
    EXPECT_TRUE(opened) << opened.error().message;
    return made;
  }
  std::shared_ptr<const sdk::Operation> prepare(const std::string& type,
                                                const std::string& settings,
                                                const std::string& version = "5.0") const {
    Json values = parse_json(settings).value();
    for (const auto text : resources().function_schemas) {
      const auto document = parse_json(text).value();
      if (document.at("x-function").as_string() != type) continue;
      values = schema::Schema::compile(document).value().with_defaults(values);
    }
    auto prepared = connector_->prepare(profile(1, fmt::format(R"({{"version":"{}"}})", version)),
                                        {type, values});
    EXPECT_TRUE(prepared) << prepared.error().message;
    return *prepared;
  }
  Result<Batch> publish(sdk::Session& session, const std::string& topic, const std::string& payload,
                        int qos = 1, bool retain = false) {
    const auto operation =
        prepare("mqtt.publish",
                fmt::format(R"({{"topic":"{}","qos":{},"retain":{}}})", topic, qos, retain));
    Json parameters = json_object();
    parameters.insert_or_assign("payload", payload);
    return context_.run(session.call(*operation, parameters, context_.in(10s)), 20s);
  }
  Result<std::unique_ptr<sdk::Subscription>> subscribe(sdk::Session& session,
                                                       const std::string& settings,
                                                       sdk::Sink& sink) {
    const auto operation = prepare("mqtt.subscribe", settings);
    auto& subscriber = dynamic_cast<sdk::Subscriber&>(session);
    return context_.run(subscriber.subscribe(*operation, sink, context_.in(10s)), 20s);
  }
  bool received(const RecordingSink& sink, std::size_t count, Duration time = 20s) {
    return context_.run_until([&] { return sink.records.size() >= count; }, time);
  }
  // Subscribes, and publishes once with each quality of service.
  void expect_messages_of_each_qos(sdk::Session& session) {
    const auto subscription =
        subscribe(session, R"({"topics":[{"topic":"plant/+/speed","qos":2}]})", sink_);
    ASSERT_TRUE(subscription) << subscription.error().message;
    for (int qos = 0; qos <= 2; ++qos) {
      const auto published = publish(session, "plant/3/speed", fmt::format("{}", 1480 + qos), qos);
      ASSERT_TRUE(published) << published.error().message;
      ASSERT_TRUE(received(sink_, static_cast<std::size_t>(qos) + 1));
      const Record& record = sink_.records.back();
      EXPECT_EQ(record.at("payload").as<int>(), 1480 + qos);
      EXPECT_EQ(record.at("topic").as_string(), "plant/3/speed");
      EXPECT_EQ(record.at("qos").as<int>(), qos);
      EXPECT_FALSE(record.at("retained").as<bool>());
    }
  }
  bool lost(Duration time = 20s) {
    return context_.run_until([&] { return !context_.events().losses.empty(); }, time);
  }

  mutable int profiles_ = 0;
  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
  RecordingSink sink_{context_.executor()};
};

}  // namespace tributary::connectors::mqtt
