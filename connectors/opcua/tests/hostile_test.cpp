// A server that lies (checklist E4): every lie ends in an error with a name, within a second, and
// costs no memory.
#include <fstream>

#include "connectors/opcua/tests/fixture.hpp"
#include "connectors/opcua/tests/lying_server.hpp"

namespace tributary::connectors::opcua {
namespace {

using namespace std::chrono_literals;
using Lie = LyingServer::Lie;

// Binary encodings of answers (OPC 10000-6, annex A).
constexpr std::uint32_t kReadResponse = 634;
constexpr std::uint32_t kEndpointsResponse = 431;

// Of a message in one chunk: header, channel, token, sequence; then the id of its type.
constexpr std::size_t kTypeId = 24;
constexpr std::size_t kResponseHeader = kTypeId + 4;
constexpr std::size_t kServiceResult = kResponseHeader + 12;
constexpr std::size_t kResults = kServiceResult + 4 + 1 + 4 + 3;

bool answers(std::string_view chunk, std::uint32_t type) {
  return chunk.starts_with("MSGF") && chunk.size() > kResponseHeader && chunk[kTypeId] == 1 &&
         number_at(chunk, kTypeId) >> 16U == type;
}
// In place of the first answer of this type.
Lie instead_of(std::uint32_t type, Lie lie) {
  return [=, done = false](std::string chunk) mutable {
    if (done || !answers(chunk, type)) return chunk;
    done = true;
    return lie(std::move(chunk));
  };
}
// The answer to a read, with other results.
Lie results(const std::string& bytes) {
  return instead_of(kReadResponse, [bytes](const std::string& chunk) {
    return resized(chunk.substr(0, kResults) + bytes);
  });
}
Lie with_type(std::string_view type, Lie lie) {
  return [=](std::string chunk) { return chunk.starts_with(type) ? lie(std::move(chunk)) : chunk; };
}
std::string repeated(std::string_view bytes, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += bytes;
  return all;
}

// The most memory that this process had while `what` ran, beyond what it had before.
std::size_t peak_growth_kib(const std::function<void()>& what) {
  const auto read = [](std::string_view name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name)) return std::stoul(line.substr(name.size() + 1));
    }
    throw std::runtime_error("no such line");
  };
  std::ofstream("/proc/self/clear_refs") << "5";
  const std::size_t before = read("VmRSS");
  what();
  return std::max<std::size_t>(read("VmHWM"), before) - before;
}

struct Case {
  std::string name;
  Lie lie;
  std::string code;
};
const std::string kMany = "\xff\xff\xff\x7f";

std::vector<Case> lies_in_the_greeting() {
  const auto ack = [](Lie lie) { return with_type("ACK", std::move(lie)); };
  const auto opn = [](Lie lie) { return with_type("OPN", std::move(lie)); };
  return {
      {"longer than it is", ack([](auto c) { return resized(c, 60'000); }), "message_incomplete"},
      {"a byte more", ack([](auto c) { return resized(c, c.size() + 1); }), "message_incomplete"},
      {"shorter than it is", ack([](auto c) { return resized(c, 16); }), "protocol_error"},
      {"without a size", ack([](auto c) { return resized(c, 1); }), "protocol_error"},
      {"beyond every buffer", ack([](auto c) { return resized(c, 0xFFFFFFFF); }), "protocol_error"},
      {"half a header", ack([](auto c) { return c.substr(0, 5); }), "message_incomplete"},
      {"buffers of no size", ack([](auto c) { return c.replace(12, 8, 8, '\0'); }),
       "protocol_error"},
      {"another protocol", ack([](auto) { return std::string("SSH-2.0-OpenSSH_9.2\r\n"); }),
       "protocol_error"},
      {"an error with a reason of 2 GB",
       ack([](auto) { return resized("ERRFxxxx" + little_endian(0x80050000, 4) + kMany); }),
       "connection_closed|protocol_error"},
      {"a policy of 2 GB", opn([](auto c) { return c.replace(12, 4, kMany); }), "protocol_error"},
      {"a channel with a type that there is not",
       opn([](auto c) { return c.replace(c.size() - 40, 20, 20, '\x3f'); }),
       "protocol_error|connection_closed"},
      {"a list of two billion endpoints",
       instead_of(kEndpointsResponse,
                  [](auto c) { return resized(c.substr(0, kResults) + kMany); }),
       "protocol_error"},
  };
}

std::vector<Case> lies_in_answers() {
  const auto read = [](Lie lie) { return instead_of(kReadResponse, std::move(lie)); };
  const std::string one = little_endian(1, 4);
  const std::string value = one + "\x01";  // one DataValue that has a value
  const auto head = [](const std::string& c) { return c.substr(0, kTypeId); };
  // Pieces in good order, without a last one.
  const auto chunks = [](std::size_t count, std::size_t bytes) {
    return [=](const std::string& c) {
      std::string all;
      for (std::size_t i = 0; i < count; ++i) {
        all += resized("MSGCxxxx" + c.substr(8, 8) + little_endian(number_at(c, 16) + i, 4) +
                       c.substr(20, 4) + std::string(bytes, '\0'));
      }
      return all;
    };
  };
  return {
      {"longer than it is", read([](auto c) { return resized(c, 60'000); }), "message_incomplete"},
      {"shorter than it is", read([](auto c) { return resized(c, 30); }), "protocol_error"},
      {"beyond the agreed buffer", read([](auto c) { return resized(c, 70'000); }),
       "message_too_large"},
      {"more chunks than agreed", read(chunks(10'000, 16)), "message_too_large"},
      {"more bytes than agreed", read(chunks(100, 60'000)), "message_too_large"},
      {"chunks without a last one", read(chunks(1, 16)), "message_incomplete"},
      {"given up", read([=](auto c) {
         return resized(c.replace(3, 1, "A").substr(0, kTypeId) + little_endian(0x80B90000, 4) +
                        little_endian(0, 4));
       }),
       "message_aborted"},
      {"two billion results", results(kMany), "protocol_error"},
      {"a text of 2 GB", results(value + "\x0c" + kMany), "protocol_error"},
      {"a list of two billion", results(value + "\x8b" + kMany), "protocol_error"},
      {"a matrix of 2^64",
       results(value + "\xcb" + one + std::string(8, '\0') + little_endian(4, 4) +
               repeated(little_endian(65536, 4), 4)),
       "protocol_error"},
      {"values nested two thousand deep",
       results(value + repeated("\x98" + one, 2000) + "\x98" + std::string(4, '\0')),
       "protocol_error"},
      {"a structure of 2 GB", results(value + "\x16" + std::string("\0\0\x01", 3) + kMany),
       "protocol_error"},
      {"diagnostics nested two thousand deep", read([](auto c) {
         return resized(c.substr(0, kServiceResult + 4) + repeated("\x40", 2000) + "\0");
       }),
       "protocol_error"},
      {"a type that cannot be read", read([=](auto c) { return resized(head(c) + "\x3f\x3f"); }),
       "protocol_error"},
      {"nothing", read([=](auto c) { return resized(head(c)); }), "protocol_error"},
      {"the answer to another question",
       read([](auto c) { return c.replace(kTypeId + 2, 2, little_endian(530, 2)); }),
       "protocol_error"},
      {"an answer that nobody waits for",
       read([](auto c) { return c.replace(20, 4, little_endian(999'999, 4)); }), "protocol_error"},
      {"a number out of order",
       read([](auto c) { return c.replace(16, 4, little_endian(77'777, 4)); }), "protocol_error"},
      {"a channel of somebody else",
       read([](auto c) { return c.replace(8, 4, little_endian(4711, 4)); }), "protocol_error"},
      {"no message", read([](auto) { return std::string(4000, '?'); }), "protocol_error"},
  };
}

class Hostile : public OpcuaTest {
 protected:
  static constexpr std::string_view kSmall =
      R"({"securityMode": "None", "allowInsecure": true, "maxMessageBytes": 1048576})";
  // Far more than any of these errors needs, and far less than what the lies announce.
  static constexpr std::size_t kMostKib = 16U << 10;

  void expect_refused(const Case& each, const std::function<Result<void>()>& what) {
    Result<void> outcome;
    Duration took{};
    const std::size_t growth = peak_growth_kib([&] {
      const auto begin = std::chrono::steady_clock::now();
      outcome = what();
      took = std::chrono::steady_clock::now() - begin;
    });
    ASSERT_FALSE(outcome.has_value()) << each.name;
    EXPECT_TRUE(("|" + each.code + "|").find("|" + outcome.error().code + "|") != std::string::npos)
        << each.name << ": " << outcome.error().code << ", " << outcome.error().message;
    EXPECT_EQ(outcome.error().error_class, ErrorClass::kTransient) << each.name;
    EXPECT_FALSE(outcome.error().message.empty() || outcome.error().hint.empty()) << each.name;
    EXPECT_LT(took, 1s) << each.name;
    EXPECT_LT(growth, kMostKib) << each.name;
  }
  static const TestServer& server() {
    static const TestServer made;
    return made;
  }
};

TEST_F(Hostile, E4_LiesInTheGreetingEndInANamedErrorWithinASecond) {
  LyingServer liar(server().port());
  const auto with = profile(liar.url(), kSmall);
  for (const Case& each : lies_in_the_greeting()) {
    liar.lie(each.lie);
    expect_refused(each, [&]() -> Result<void> {
      const auto opened = try_open(with);
      if (!opened) return fail(opened.error());
      return {};
    });
  }
  liar.lie({});
  EXPECT_TRUE(try_open(with).has_value()) << "the proxy works";
}

TEST_F(Hostile, E4_LiesInAnswersEndInANamedErrorWithinASecond) {
  LyingServer liar(server().port());
  for (const Case& each : lies_in_answers()) {
    liar.lie({});
    open(profile(liar.url(), kSmall));
    EXPECT_EQ(values(call("opcua.read", nodes({"int16"}))), json(R"({"int16":-32768})"));
    liar.lie(each.lie);
    expect_refused(each, [&]() -> Result<void> {
      const auto read = call("opcua.read", nodes({"int16"}));
      if (!read) return fail(read.error());
      return {};
    });
  }
}

// What a server says about the lifetime of the channel, in its answer to OPN: …, lifetime, no
// nonce.
Lie channel_lifetime(std::uint32_t milliseconds) {
  return with_type("OPN", [=](std::string chunk) {
    return chunk.replace(chunk.size() - 8, 4, little_endian(milliseconds, 4));
  });
}

TEST_F(Hostile, E4_AChannelOfNoLifetimeIsAnErrorAndNoLoop) {
  LyingServer liar(server().port());
  liar.lie(channel_lifetime(0));
  const auto with = profile(liar.url(), kSmall);
  expect_refused({"no lifetime", {}, "connection_closed"}, [&]() -> Result<void> {
    const auto opened = try_open(with);
    if (!opened) return fail(opened.error());
    return {};
  });
  EXPECT_LE(liar.heard("OPN"), 2U);
}

TEST_F(Hostile, E4_AChannelOfAShortLifetimeIsNotRenewedInALoop) {
  LyingServer liar(server().port());
  liar.lie(channel_lifetime(2000));
  open(profile(liar.url(), kSmall));
  const std::size_t before = liar.heard("OPN");
  context_.run_until([] { return false; }, 4s);
  EXPECT_LE(liar.heard("OPN") - before, 5U);
}

}  // namespace
}  // namespace tributary::connectors::opcua
