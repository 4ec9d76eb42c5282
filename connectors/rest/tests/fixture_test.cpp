#include <sys/socket.h>

#include <csignal>

#include "connectors/rest/tests/fixture.hpp"

namespace tributary::connectors::rest {

void HttpPeer::accept_all() {
  while (test::wait_ready(listener_.get(), stop_, 60s) == test::Ready::kReadable) {
    test::Descriptor peer(::accept(listener_.get(), nullptr, nullptr));
    if (!peer.valid()) return;
    ++accepted_;
    serving_.emplace_back([this, moved = std::move(peer)]() mutable { serve(std::move(moved)); });
  }
}

std::string HttpPeer::next_request(const test::Descriptor& peer, std::string& buffer) {
  while (true) {
    const auto head = buffer.find("\r\n\r\n");
    if (head != std::string::npos) {
      std::size_t size = head + 4;
      const auto length = buffer.find("Content-Length: ");
      if (length < head) size += std::stoul(buffer.substr(length + 16));
      if (buffer.size() >= size) {
        std::string request = buffer.substr(0, size);
        buffer.erase(0, size);
        return request;
      }
    }
    char bytes[4096];
    if (test::wait_ready(peer.get(), stop_, 60s) != test::Ready::kReadable) return {};
    const ssize_t got = ::recv(peer.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return {};
    buffer.append(bytes, static_cast<std::size_t>(got));
  }
}

void HttpPeer::serve(test::Descriptor peer) {
  std::string buffer;
  while (true) {
    const std::string request = next_request(peer, buffer);
    if (request.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string text = request.starts_with("HEAD / ")
                                 ? std::string("HTTP/1.1 204 No Content\r\n\r\n")
                                 : respond_(request);
    if (text.empty() || !test::send_all(peer.get(), text)) return;
  }
}

RestTest::RestTest() {
  std::signal(SIGPIPE, SIG_IGN);  // as the server does
}

sdk::Profile RestTest::profile(std::uint16_t port, const std::string& more) {
  context_.allow_egress(port);
  Json settings = json_object();
  settings.insert_or_assign("baseUrl", fmt::format("http://127.0.0.1:{}", port));
  settings = merge_patch(settings, json(more));
  const auto schema = schema::Schema::compile(json(resources().connection_schema)).value();
  EXPECT_TRUE(schema.validate(settings).empty()) << to_text(settings);
  sdk::Profile made;
  made.connection_id = "01JTEST0000000000000000000";
  made.settings = schema.with_defaults(settings);
  return made;
}

std::unique_ptr<sdk::Session> RestTest::session(const sdk::Profile& profile) {
  auto made = connector_->make_session(context_.session_context(), profile);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

Result<sdk::PeerIdentity> RestTest::open(sdk::Session& session, Duration time) {
  return context_.run(session.open(context_.in(time), context_.stages()), time + 10s);
}

std::unique_ptr<sdk::Session> RestTest::connect(std::uint16_t port, const std::string& more) {
  auto made = session(profile(port, more));
  const auto opened = open(*made);
  EXPECT_TRUE(opened) << opened.error().message;
  return made;
}

Result<std::shared_ptr<const sdk::Operation>> RestTest::prepare(const std::string& type,
                                                                const std::string& settings) const {
  Json values = json(settings);
  for (const auto text : resources().function_schemas) {
    const Json document = json(text);
    if (document.at("x-function").as_string() != type) continue;
    const auto schema = schema::Schema::compile(document).value();
    schema::ValidateOptions options;
    options.allow_placeholders = true;
    const auto wrong = schema.validate(values, options);
    EXPECT_TRUE(wrong.empty()) << wrong.front().pointer << ": " << wrong.front().message;
    values = schema.with_defaults(values);
  }
  return connector_->prepare({}, {type, values});
}

Result<Batch> RestTest::call(sdk::Session& session, const std::string& type,
                             const std::string& settings, const std::string& parameters,
                             Duration time) {
  const auto operation = prepare(type, settings);
  if (!operation) return fail(operation.error());
  const Json arguments = json(parameters);
  return context_.run(session.call(**operation, arguments, context_.in(time)), time + 10s);
}

Json RestTest::record(const Result<Batch>& batch) {
  if (!batch) {
    ADD_FAILURE() << batch.error().code << ": " << batch.error().message;
    return json_object();
  }
  EXPECT_EQ(batch->size(), 1U);
  return batch->records().at(0);
}

TEST(HttpPeerTest, a_request_with_a_body_is_read_whole) {
  HttpPeer peer([](const std::string& request) { return answer("200 OK", request.substr(0, 4)); });
  const auto client = test::connect_loopback(peer.port());
  ASSERT_TRUE(test::send_all(client.get(), "POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz"));
  char bytes[256];
  const ssize_t got = ::recv(client.get(), bytes, sizeof bytes, 0);
  EXPECT_TRUE(std::string_view(bytes, static_cast<std::size_t>(got)).ends_with("\r\n\r\nPOST"));
  EXPECT_TRUE(peer.requests().at(0).ends_with("\r\n\r\nxyz"));
}

}  // namespace tributary::connectors::rest
