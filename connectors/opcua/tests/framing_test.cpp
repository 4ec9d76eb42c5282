// What the headers of chunks say about a server's messages (checklist E4). Pure.
#include "connectors/opcua/src/framing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tributary::connectors::opcua {
namespace {

constexpr std::uint32_t kMost = 65536;  // eight chunks

std::string header(std::string_view type, std::uint32_t size) {
  std::string bytes(type);
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>(size >> shift));
  return bytes;
}
std::string chunk(std::string_view type, std::size_t size) {
  return header(type, static_cast<std::uint32_t>(size)) + std::string(size - 8, 'x');
}
// Of taking all of it at once.
std::string code_of(const std::string& bytes) {
  Framing framing(kMost);
  const auto taken = framing.take(bytes);
  return taken ? "" : taken.error().code;
}

TEST(Framing, E4_MessagesAreTakenInWhateverPiecesTheyCome) {
  const std::string bytes = chunk("ACKF", 28) + chunk("OPNF", 132) + chunk("MSGC", 8192) +
                            chunk("MSGF", 100) + chunk("ERRF", 40);
  for (const std::size_t piece : {1U, 7U, 8U, 9U, 1000U, 100'000U}) {
    Framing framing(kMost);
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(framing.take(std::string_view(bytes).substr(at, piece))) << piece << " " << at;
      if (at + piece < bytes.size() && at + piece < 28) {
        EXPECT_TRUE(framing.within_message()) << piece << " " << at;
      }
    }
    EXPECT_FALSE(framing.within_message()) << piece;
  }
}

TEST(Framing, E4_AMessageIsUnderWayUntilItsLastChunkIsComplete) {
  Framing framing(kMost);
  EXPECT_FALSE(framing.within_message());
  ASSERT_TRUE(framing.take("MS"));
  EXPECT_TRUE(framing.within_message());
  ASSERT_TRUE(framing.take(chunk("MSGC", 8192).substr(2)));
  EXPECT_TRUE(framing.within_message()) << "more was announced";
  ASSERT_TRUE(framing.take(chunk("MSGF", 40)));
  EXPECT_FALSE(framing.within_message());
  EXPECT_EQ(code_of(chunk("MSGC", 8192) + chunk("MSGA", 40)), "message_aborted");
}

TEST(Framing, E4_WhatIsNoMessageIsKnownByItsFirstBytes) {
  EXPECT_EQ(code_of("HTTP/1.1 400 Bad Request"), "protocol_error");
  EXPECT_EQ(code_of("HTT"), "protocol_error");
  EXPECT_EQ(code_of(header("MSGX", 40)), "protocol_error");
  EXPECT_EQ(code_of(header("ACKC", 28)), "protocol_error");
  EXPECT_EQ(code_of(header("MSGF", 8)), "protocol_error");
  EXPECT_EQ(code_of(header("MSGF", 24)), "protocol_error") << "nothing after its headers";
  EXPECT_EQ(code_of(header("MSGF", 0)), "protocol_error");
}

TEST(Framing, E4_SizesAndPiecesHaveLimits) {
  EXPECT_EQ(code_of(header("MSGF", kLargestChunk)), "");
  EXPECT_EQ(code_of(header("MSGF", kLargestChunk + 1)), "message_too_large");
  EXPECT_EQ(code_of(header("MSGF", 0xFFFFFFFF)), "message_too_large");
  std::string large;
  for (int i = 0; i < 2; ++i) large += chunk("MSGC", 32'000);
  EXPECT_EQ(code_of(large + chunk("MSGF", 1000)), "");
  EXPECT_EQ(code_of(large + chunk("MSGF", 2000)), "message_too_large");
  std::string many;
  for (int i = 0; i < 8; ++i) many += chunk("MSGC", 40);
  EXPECT_EQ(code_of(many + chunk("MSGF", 40)), "");
  EXPECT_EQ(code_of(many + chunk("MSGC", 40)), "message_too_large");
  EXPECT_EQ(code_of(many + chunk("MSGF", 40) + many), "") << "each message is counted anew";
}

}  // namespace
}  // namespace tributary::connectors::opcua
