#include "connectors/modbus/src/line_frame.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "tests/support/scripted_peer.hpp"

namespace tributary::connectors::modbus {
namespace {

using test::hex;
using test::to_hex;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string frame_of(Framing framing, std::uint8_t unit, std::string_view pdu_hex) {
  const std::string pdu = hex(pdu_hex);
  std::array<std::byte, kMaxLineFrame> out;
  const std::size_t size = encode_line_frame(framing, unit, bytes_of(pdu), out);
  return {reinterpret_cast<const char*>(out.data()), size};
}
// "unit pdu / rest", or "none".
std::string found(Framing framing, std::string_view buffer, std::optional<std::uint8_t> unit = 1) {
  LineFrame frame;
  LineScratch scratch;
  if (!find_line_frame(framing, Side::kReply, unit, bytes_of(buffer), frame, scratch))
    return "none";
  return std::to_string(frame.unit) + ": " +
         to_hex({reinterpret_cast<const char*>(frame.pdu.data()), frame.pdu.size()}) + " / " +
         to_hex(buffer.substr(frame.end));
}

// MODBUS over Serial Line V1.02: the checksum of 02 07 is 41 12 (appendix B); a request that every
// tutorial has.
TEST(LineFrame, RtuHasTheChecksumOfTheStandard) {
  EXPECT_EQ(crc16(bytes_of(hex("02 07"))), 0x1241);
  EXPECT_EQ(to_hex(frame_of(Framing::kRtu, 1, "03 0000 000a")), "01 03 00 00 00 0a c5 cd");
}

TEST(LineFrame, AsciiHasTheChecksumOfTheStandard) {
  EXPECT_EQ(frame_of(Framing::kAscii, 1, "03 0000 000a"), ":01030000000AF2\r\n");
  EXPECT_EQ(lrc(bytes_of(hex("f7 03 13 89 00 0a"))), 0x60);
}

TEST(LineFrame, IsFoundWhenAllOfItIsThere) {
  for (const Framing framing : {Framing::kRtu, Framing::kAscii}) {
    const std::string whole = frame_of(framing, 1, "03 04 0001 0002");
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_EQ(found(framing, whole.substr(0, size)), "none") << size;
    EXPECT_EQ(found(framing, whole + hex("aa")), "1: 03 04 00 01 00 02 / aa");
  }
}

TEST(LineFrame, NoiseBeforeItIsPassedOver) {
  EXPECT_EQ(found(Framing::kRtu, hex("ff 00 7e") + frame_of(Framing::kRtu, 1, "03 02 0007")),
            "1: 03 02 00 07 / ");
  EXPECT_EQ(found(Framing::kAscii, ":0103zz" + frame_of(Framing::kAscii, 1, "03 02 0007")),
            "1: 03 02 00 07 / ");
}

TEST(LineFrame, AWrongChecksumIsNoFrame) {
  std::string rtu = frame_of(Framing::kRtu, 1, "03 02 0007");
  rtu.back() = static_cast<char>(rtu.back() ^ 1);
  EXPECT_EQ(found(Framing::kRtu, rtu), "none");
  std::string ascii = frame_of(Framing::kAscii, 1, "03 02 0007");
  ascii[3] = '4';
  EXPECT_EQ(found(Framing::kAscii, ascii), "none");
}

// Registers may hold what looks like a frame: it is not one while the frame around it may still
// come.
TEST(LineFrame, WhatStandsInsideAFrameIsNotOne) {
  const std::string inner = frame_of(Framing::kRtu, 1, "03 02 0007");
  std::string pdu = hex("03 0a") + inner + hex("0000 00");
  std::array<std::byte, kMaxLineFrame> out;
  const std::size_t size = encode_line_frame(Framing::kRtu, 1, bytes_of(pdu), out);
  const std::string outer(reinterpret_cast<const char*>(out.data()), size);
  EXPECT_EQ(found(Framing::kRtu, outer.substr(0, outer.size() - 1)), "none");
  EXPECT_EQ(found(Framing::kRtu, outer), "1: " + to_hex(pdu) + " / ");
}

TEST(LineFrame, RoundTripsInBothFramings) {
  SeededRandom random(8);
  for (int round = 0; round < 3'000; ++round) {
    const Framing framing = round % 2 == 0 ? Framing::kRtu : Framing::kAscii;
    std::string pdu = hex("03");
    const auto count = static_cast<char>(random.next() % 251);
    pdu.push_back(count);
    for (int i = 0; i < static_cast<unsigned char>(count); ++i)
      pdu.push_back(static_cast<char>(random.next()));
    const auto unit = static_cast<std::uint8_t>(random.next());
    std::array<std::byte, kMaxLineFrame> out;
    const std::size_t size = encode_line_frame(framing, unit, bytes_of(pdu), out);
    LineFrame frame;
    LineScratch scratch;
    ASSERT_TRUE(
        find_line_frame(framing, Side::kReply, unit, std::span(out).first(size), frame, scratch));
    ASSERT_EQ(frame.unit, unit);
    ASSERT_EQ(frame.end, size);
    ASSERT_TRUE(std::ranges::equal(frame.pdu, bytes_of(pdu)));
  }
}

}  // namespace
}  // namespace tributary::connectors::modbus
