// Sessions for the tests of the connector, a mail server that says what a test wants, and one that
// nobody of this project wrote.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>

#include "connectors/smtp/resources.hpp"
#include "connectors/smtp/settings.hpp"
#include "schema/schema.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scripted_peer.hpp"
#include "tests/support/test_context.hpp"

namespace tributary::connectors::smtp {

using namespace std::chrono_literals;

// aiosmtpd (tests/support/smtp_sink.py).
class Sink {
 public:
  explicit Sink(std::vector<std::string> options = {}) {
    std::vector<std::string> command{"/usr/bin/python3",
                                     TRIBUTARY_SOURCE_DIR "/tests/support/smtp_sink.py",
                                     std::to_string(port_), folder_.path().string()};
    command.insert(command.end(), options.begin(), options.end());
    process_ = std::make_unique<test::Process>(std::move(command));
    process_->wait_for_line("ready", 60s);
    if (!test::wait_for_port(port_, 60s)) throw std::runtime_error(process_->output());
  }
  std::uint16_t port() const { return port_; }
  // Of the n-th mail (from 1): what the envelope said, and the mail.
  std::pair<Json, std::string> mail(int number) const {
    std::ifstream file(folder_.path() / fmt::format("{}.eml", number), std::ios::binary);
    std::string envelope;
    std::getline(file, envelope);
    return {parse_json(envelope).value_or(json_object()),
            std::string(std::istreambuf_iterator<char>(file), {})};
  }
  std::size_t count() const {
    std::size_t mails = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      mails += entry.path().extension() == ".eml" ? 1 : 0;
    return mails;
  }

 private:
  test::TempDir folder_;
  std::uint16_t port_ = test::free_port();
  std::unique_ptr<test::Process> process_;
};

// A server that answers each line with what `reply` says; an empty text ends the connection. What
// follows DATA is one line that ends with ".".
class LinePeer {
 public:
  using Reply = std::function<std::string(const std::string& line)>;

  explicit LinePeer(Reply reply, std::string greeting = "220 peer.example ESMTP\r\n")
      : reply_(std::move(reply)), greeting_(std::move(greeting)) {
    listener_ = test::listen_loopback(port_);
    accepting_ = std::thread([this] {
      while (test::wait_ready(listener_.get(), stop_, 60s) == test::Ready::kReadable) {
        test::Descriptor peer(::accept(listener_.get(), nullptr, nullptr));
        ++accepted_;
        serving_.emplace_back([this, moved = std::move(peer)]() mutable { serve(moved); });
      }
    });
  }
  ~LinePeer() {
    test::wake(stop_);
    accepting_.join();
    for (auto& thread : serving_) thread.join();
  }
  LinePeer(const LinePeer&) = delete;
  LinePeer& operator=(const LinePeer&) = delete;

  std::uint16_t port() const { return port_; }
  std::size_t accepted() const { return accepted_; }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  bool heard(std::string_view begin) const {
    const auto all = lines();
    return std::ranges::any_of(all, [&](const auto& line) { return line.starts_with(begin); });
  }

  // What a good server says.
  static std::string good(const std::string& line) {
    if (line.starts_with("EHLO")) return "250-peer.example\r\n250 SIZE 10000000\r\n";
    if (line == "DATA") return "354 go on\r\n";
    if (line == "QUIT") return "221 bye\r\n";
    return "250 OK\r\n";
  }

 private:
  void serve(test::Descriptor& peer) {
    if (!test::send_all(peer.get(), greeting_)) return;
    std::string buffer;
    bool data = false;
    while (true) {
      const std::string_view end = data ? "\r\n.\r\n" : "\r\n";
      const auto at = buffer.find(end);
      if (at == std::string::npos) {
        char bytes[4096];
        if (test::wait_ready(peer.get(), stop_, 60s) != test::Ready::kReadable) return;
        const ssize_t got = ::recv(peer.get(), bytes, sizeof bytes, 0);
        if (got <= 0) return;
        buffer.append(bytes, static_cast<std::size_t>(got));
        continue;
      }
      const std::string line = data ? "." : buffer.substr(0, at);
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(buffer.substr(0, at));
      }
      buffer.erase(0, at + end.size());
      data = line == "DATA";
      const std::string text = reply_(line);
      if (text.empty() || !test::send_all(peer.get(), text)) return;
      data = data && text.starts_with("354");
    }
  }

  Reply reply_;
  std::string greeting_;
  std::uint16_t port_ = 0;
  test::Descriptor listener_;
  test::Descriptor stop_ = test::make_wake();
  std::thread accepting_;
  std::vector<std::thread> serving_;
  std::atomic<std::size_t> accepted_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class SmtpTest : public testing::Test {
 protected:
  SmtpTest() { std::signal(SIGPIPE, SIG_IGN); }  // as the server does
  ~SmtpTest() override { context_.drain(); }
  static Json json(std::string_view text) { return parse_json(text).value(); }

  sdk::Profile profile(std::uint16_t port, const std::string& more = "{}") {
    context_.allow_egress(port);
    Json settings = json(R"({"host":"127.0.0.1","security":"none","from":"hub@plant.example"})");
    settings.insert_or_assign("port", port);
    settings = merge_patch(settings, json(more));
    const auto schema = schema::Schema::compile(json(resources().connection_schema)).value();
    EXPECT_TRUE(schema.validate(settings).empty()) << to_text(settings);
    sdk::Profile made;
    made.connection_id = "01JTEST0000000000000000000";
    made.settings = schema.with_defaults(settings);
    return made;
  }
  std::unique_ptr<sdk::Session> session(const sdk::Profile& profile) {
    auto made = connector_->make_session(context_.session_context(), profile);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  Result<sdk::PeerIdentity> open(sdk::Session& session, Duration time = 20s) {
    return context_.run(session.open(context_.in(time), context_.stages()), time + 10s);
  }
  std::unique_ptr<sdk::Session> connect(std::uint16_t port, const std::string& more = "{}") {
    auto made = session(profile(port, more));
    const auto opened = open(*made);
    EXPECT_TRUE(opened) << opened.error().message;
    return made;
  }
  Result<std::shared_ptr<const sdk::Operation>> prepare(const std::string& settings) const {
    Json values = json(settings);
    const auto schema = schema::Schema::compile(json(resources().function_schemas[0])).value();
    schema::ValidateOptions options;
    options.allow_placeholders = true;
    const auto wrong = schema.validate(values, options);
    EXPECT_TRUE(wrong.empty()) << wrong.front().pointer << ": " << wrong.front().message;
    return connector_->prepare({}, {"smtp.send", schema.with_defaults(values)});
  }
  Result<Batch> send(sdk::Session& session, const std::string& settings,
                     const std::string& parameters = "{}", Duration time = 20s) {
    const auto operation = prepare(settings);
    if (!operation) return fail(operation.error());
    const Json arguments = json(parameters);
    return context_.run(session.call(**operation, arguments, context_.in(time)), time + 10s);
  }

  test::TestContext context_;
  std::unique_ptr<sdk::Connector> connector_ = make_connector();
};

}  // namespace tributary::connectors::smtp
