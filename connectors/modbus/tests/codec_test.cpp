#include "connectors/modbus/src/codec.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "tests/support/scripted_peer.hpp"

namespace tributary::connectors::modbus {
namespace {

using test::hex;
using test::to_hex;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string encoded(std::uint16_t transaction, std::uint8_t unit, const Request& request) {
  std::array<std::byte, kMaxFrameSize> out;
  return to_hex(text_of(std::span(out).first(encode_request(transaction, unit, request, out))));
}

// The examples of MODBUS Application Protocol V1.1b3, section 6, with an MBAP header before them.
TEST(Codec, EncodesTheRequestsOfTheSpecification) {
  EXPECT_EQ(encoded(1, 17, {FunctionCode::kReadCoils, 19, 19, {}}),
            "00 01 00 00 00 06 11 01 00 13 00 13");
  EXPECT_EQ(encoded(2, 17, {FunctionCode::kReadDiscreteInputs, 196, 22, {}}),
            "00 02 00 00 00 06 11 02 00 c4 00 16");
  EXPECT_EQ(encoded(3, 17, {FunctionCode::kReadHoldingRegisters, 107, 3, {}}),
            "00 03 00 00 00 06 11 03 00 6b 00 03");
  EXPECT_EQ(encoded(65535, 255, {FunctionCode::kReadInputRegisters, 8, 1, {}}),
            "ff ff 00 00 00 06 ff 04 00 08 00 01");
  const std::string on = hex("ff00");
  EXPECT_EQ(encoded(4, 17, {FunctionCode::kWriteSingleCoil, 172, 1, bytes_of(on)}),
            "00 04 00 00 00 06 11 05 00 ac ff 00");
  const std::string three = hex("0003");
  EXPECT_EQ(encoded(5, 17, {FunctionCode::kWriteSingleRegister, 1, 1, bytes_of(three)}),
            "00 05 00 00 00 06 11 06 00 01 00 03");
  const std::string coils = hex("cd01");
  EXPECT_EQ(encoded(6, 17, {FunctionCode::kWriteMultipleCoils, 19, 10, bytes_of(coils)}),
            "00 06 00 00 00 09 11 0f 00 13 00 0a 02 cd 01");
  const std::string two = hex("000a0102");
  EXPECT_EQ(encoded(7, 17, {FunctionCode::kWriteMultipleRegisters, 1, 2, bytes_of(two)}),
            "00 07 00 00 00 0b 11 10 00 01 00 02 04 00 0a 01 02");
}

// V1.1b3, sections 6.7 to 6.9, 6.16 to 6.18 and 6.21.
TEST(Codec, EncodesTheRarerRequestsOfTheSpecification) {
  const auto pdu = [](const Request& request) {
    std::array<std::byte, kMaxPduSize> out;
    return to_hex(text_of(std::span(out).first(encode_request_pdu(request, out))));
  };
  const std::string masks = hex("00f2 0025");
  EXPECT_EQ(pdu({FunctionCode::kMaskWriteRegister, 4, 1, bytes_of(masks)}), "16 00 04 00 f2 00 25");
  const std::string values = hex("00ff 00ff 00ff");
  EXPECT_EQ(pdu({FunctionCode::kReadWriteRegisters, 3, 6, bytes_of(values), 14}),
            "17 00 03 00 06 00 0e 00 03 06 00 ff 00 ff 00 ff");
  EXPECT_EQ(pdu({FunctionCode::kReadFifoQueue, 1246, 1, {}}), "18 04 de");
  EXPECT_EQ(pdu({FunctionCode::kReadExceptionStatus, 0, 1, {}}), "07");
  EXPECT_EQ(pdu({FunctionCode::kGetCommEventCounter, 0, 1, {}}), "0b");
  const std::string echo = hex("a537");
  EXPECT_EQ(pdu({FunctionCode::kDiagnostics, 0, 1, bytes_of(echo)}), "08 00 00 a5 37");
  EXPECT_EQ(pdu({FunctionCode::kReadDeviceIdentification, 0x0100, 1, {}}), "2b 0e 01 00");
}

TEST(Codec, ReadsTheRarerRepliesOfTheSpecification) {
  const auto data = [](const Request& request, std::string_view pdu) {
    const std::string raw = hex(pdu);
    const Reply reply = decode_reply(bytes_of(raw), request);
    return reply.state == ReplyState::kOk ? to_hex(text_of(reply.data))
                                          : fmt::format("state {}", static_cast<int>(reply.state));
  };
  const std::string masks = hex("00f2 0025");
  const Request mask{FunctionCode::kMaskWriteRegister, 4, 1, bytes_of(masks)};
  EXPECT_EQ(data(mask, "16 0004 00f2 0025"), "");
  EXPECT_EQ(data(mask, "16 0004 00f2 0024"), "state 4");
  EXPECT_EQ(data({FunctionCode::kReadWriteRegisters, 3, 2, {}, 14}, "17 04 00fe 0acd"),
            "00 fe 0a cd");
  const Request fifo{FunctionCode::kReadFifoQueue, 1246, 1, {}};
  EXPECT_EQ(data(fifo, "18 0006 0002 01b8 1284"), "01 b8 12 84");
  EXPECT_EQ(data(fifo, "18 0002 0000"), "") << "an empty queue";
  EXPECT_EQ(data(fifo, "18 0006 0003 01b8 1284"), "state 3") << "the counts contradict each other";
  EXPECT_EQ(data({FunctionCode::kReadExceptionStatus, 0, 1, {}}, "07 6d"), "6d");
  EXPECT_EQ(data({FunctionCode::kGetCommEventCounter, 0, 1, {}}, "0b ffff 0108"), "ff ff 01 08");
  const std::string echo = hex("a537");
  const Request diagnostics{FunctionCode::kDiagnostics, 0, 1, bytes_of(echo)};
  EXPECT_EQ(data(diagnostics, "08 0000 a537"), "a5 37");
  EXPECT_EQ(data(diagnostics, "08 000b a537"), "state 4");
  const Request identification{FunctionCode::kReadDeviceIdentification, 0x0100, 1, {}};
  EXPECT_EQ(data(identification, "2b 0e 01 01 00 00 01 00 02 4142"),
            "0e 01 01 00 00 01 00 02 41 42");
  EXPECT_EQ(data(identification, "2b 0e 01 01 00 00 02 00 02 4142"), "state 3") << "one is missing";
}

// Where frames do not say how long they are (RTU), the PDU does.
TEST(Codec, APduSaysHowLongItIs) {
  const auto reply = [](std::string_view pdu) {
    const std::string raw = hex(pdu);
    return reply_pdu_size(bytes_of(raw));
  };
  EXPECT_EQ(reply(""), std::nullopt);
  EXPECT_EQ(reply("03"), std::nullopt);
  EXPECT_EQ(reply("03 04"), 6U);
  EXPECT_EQ(reply("03 ff"), 0U) << "longer than any PDU";
  EXPECT_EQ(reply("83"), 2U);
  EXPECT_EQ(reply("10"), 5U);
  EXPECT_EQ(reply("18 00"), std::nullopt);
  EXPECT_EQ(reply("18 0006"), 9U);
  EXPECT_EQ(reply("2b 0e 01 01 00 00 02 00 02 4142"), std::nullopt);
  EXPECT_EQ(reply("2b 0e 01 01 00 00 01 00 02"), 11U);
  EXPECT_EQ(reply("63"), 0U);
  const auto request = [](std::string_view pdu) {
    const std::string raw = hex(pdu);
    return request_pdu_size(bytes_of(raw));
  };
  EXPECT_EQ(request("03"), 5U);
  EXPECT_EQ(request("10 0000 0002 04"), 10U);
  EXPECT_EQ(request("17 0000 0001 0000 0001"), std::nullopt);
  EXPECT_EQ(request("17 0000 0001 0000 0001 02"), 12U);
  EXPECT_EQ(request("63"), 0U);
}

TEST(Codec, FindsAFrameOnlyWhenAllOfItIsThere) {
  const std::string whole = hex("0003 0000 0009 11 03 06 022b 0000 0064");
  Frame frame;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_frame(bytes_of(whole).first(size), frame), FrameState::kIncomplete) << size;
  }
  ASSERT_EQ(parse_frame(bytes_of(whole), frame), FrameState::kComplete);
  EXPECT_EQ(frame.transaction, 3);
  EXPECT_EQ(frame.unit, 17);
  EXPECT_EQ(frame.function(), 3);
  EXPECT_EQ(frame.size, whole.size());
}

TEST(Codec, TakesTheFirstOfTwoMergedFrames) {
  const std::string merged = hex("0001 0000 0003 01 83 02  0002 0000 0003 01 83 06");
  Frame frame;
  ASSERT_EQ(parse_frame(bytes_of(merged), frame), FrameState::kComplete);
  EXPECT_EQ(frame.transaction, 1);
  ASSERT_EQ(parse_frame(bytes_of(merged).subspan(frame.size), frame), FrameState::kComplete);
  EXPECT_EQ(frame.transaction, 2);
}

TEST(Codec, RecognisesWhatIsNotModbusAsEarlyAsPossible) {
  Frame frame;
  const std::string http = "HTTP";
  EXPECT_EQ(parse_frame(bytes_of(http), frame), FrameState::kNotModbus);
  const std::string too_long = hex("0001 0000 00ff");
  EXPECT_EQ(parse_frame(bytes_of(too_long), frame), FrameState::kNotModbus);
  const std::string too_short = hex("0001 0000 0001");
  EXPECT_EQ(parse_frame(bytes_of(too_short), frame), FrameState::kNotModbus);
}

TEST(Codec, AcceptsOnlyAReplyThatFitsTheRequest) {
  const Request read{FunctionCode::kReadHoldingRegisters, 107, 3, {}};
  const std::string good = hex("03 06 022b 0000 0064");
  EXPECT_EQ(decode_reply(bytes_of(good), read).state, ReplyState::kOk);
  EXPECT_EQ(to_hex(text_of(decode_reply(bytes_of(good), read).data)), "02 2b 00 00 00 64");

  const auto state = [&](const Request& request, std::string_view pdu) {
    const std::string raw = hex(pdu);
    return decode_reply(bytes_of(raw), request).state;
  };
  EXPECT_EQ(state(read, "04 06 022b 0000 0064"), ReplyState::kWrongFunction);
  EXPECT_EQ(state(read, "03 04 022b 0000"), ReplyState::kWrongLength) << "two registers for three";
  EXPECT_EQ(state(read, "03 06 022b 0000"), ReplyState::kWrongLength)
      << "byte count beyond the frame";
  EXPECT_EQ(state(read, "03 04 022b 0000 0064"), ReplyState::kWrongLength)
      << "byte count short of the frame";
  EXPECT_EQ(state(read, "03"), ReplyState::kWrongLength);
  EXPECT_EQ(state(read, "83"), ReplyState::kWrongLength);
  EXPECT_EQ(state(read, "84 02"), ReplyState::kWrongFunction);
  EXPECT_EQ(state(read, "83 02"), ReplyState::kException);
  EXPECT_EQ(state({FunctionCode::kReadCoils, 0, 9, {}}, "01 01 ff"), ReplyState::kWrongLength);
  EXPECT_EQ(state({FunctionCode::kReadCoils, 0, 9, {}}, "01 02 ff01"), ReplyState::kOk);

  const std::string value = hex("1234");
  const Request single{FunctionCode::kWriteSingleRegister, 5, 1, bytes_of(value)};
  EXPECT_EQ(state(single, "06 0005 1234"), ReplyState::kOk);
  EXPECT_EQ(state(single, "06 0005 1235"), ReplyState::kWrongEcho);
  EXPECT_EQ(state(single, "06 0006 1234"), ReplyState::kWrongEcho);
  EXPECT_EQ(state(single, "06 0005"), ReplyState::kWrongLength);
  const std::string values = hex("12345678");
  const Request many{FunctionCode::kWriteMultipleRegisters, 5, 2, bytes_of(values)};
  EXPECT_EQ(state(many, "10 0005 0002"), ReplyState::kOk);
  EXPECT_EQ(state(many, "10 0005 0001"), ReplyState::kWrongEcho);
}

// What a client encodes, a server reads back.
TEST(Codec, RequestsRoundTrip) {
  SeededRandom random(7);
  constexpr FunctionCode kAll[] = {FunctionCode::kReadCoils,
                                   FunctionCode::kReadDiscreteInputs,
                                   FunctionCode::kReadHoldingRegisters,
                                   FunctionCode::kReadInputRegisters,
                                   FunctionCode::kWriteMultipleCoils,
                                   FunctionCode::kWriteMultipleRegisters};
  for (int i = 0; i < 20'000; ++i) {
    Request sent;
    sent.function = kAll[random.next() % std::size(kAll)];
    const bool bits = is_bit_function(sent.function);
    sent.quantity =
        static_cast<std::uint16_t>(1 + random.next() % (bits ? kMaxWriteBits : kMaxWriteRegisters));
    sent.address = static_cast<std::uint16_t>(random.next() % (65537U - sent.quantity));
    std::array<std::byte, kMaxPduSize> data;
    for (auto& byte : data) byte = static_cast<std::byte>(random.next());
    if (sent.function >= FunctionCode::kWriteMultipleCoils) {
      sent.data = std::span(data).first(bits ? (sent.quantity + 7U) / 8U : sent.quantity * 2U);
    }
    const auto transaction = static_cast<std::uint16_t>(random.next());
    const auto unit = static_cast<std::uint8_t>(random.next());
    std::array<std::byte, kMaxFrameSize> out;
    const std::size_t size = encode_request(transaction, unit, sent, out);
    Frame frame;
    ASSERT_EQ(parse_frame(std::span(out).first(size), frame), FrameState::kComplete);
    ASSERT_EQ(frame.size, size);
    ASSERT_EQ(frame.transaction, transaction);
    ASSERT_EQ(frame.unit, unit);
    Request heard;
    ASSERT_EQ(decode_request(frame.pdu, heard), std::nullopt);
    ASSERT_EQ(heard.function, sent.function);
    ASSERT_EQ(heard.address, sent.address);
    ASSERT_EQ(heard.quantity, sent.quantity);
    ASSERT_TRUE(std::ranges::equal(heard.data, sent.data));
  }
}

TEST(Codec, TheLongestRepliesFit) {
  const std::vector<std::byte> registers(250, std::byte{7});  // 125 registers, 2000 bits
  const std::vector<std::byte> queue(62, std::byte{7});       // 31 registers
  std::array<std::byte, kMaxPduSize> pdu{};
  const auto size = [&](FunctionCode function, std::uint16_t quantity,
                        std::span<const std::byte> data) {
    return encode_reply_pdu({function, 0, quantity, {}}, data, pdu);
  };
  EXPECT_EQ(size(FunctionCode::kReadHoldingRegisters, 125, registers), 252U);
  EXPECT_EQ(size(FunctionCode::kReadCoils, 2000, registers), 252U);
  EXPECT_EQ(size(FunctionCode::kReadWriteRegisters, 125, registers), 252U);
  EXPECT_EQ(size(FunctionCode::kReadFifoQueue, 31, queue), 67U);
}

TEST(Codec, AServerRefusesRequestsOutsideTheLimits) {
  const auto refusal = [](std::string_view pdu) {
    const std::string raw = hex(pdu);
    Request request;
    return decode_request(bytes_of(raw), request);
  };
  EXPECT_EQ(refusal("14 07 06 0004 0001 0002"), ExceptionCode::kIllegalFunction);
  EXPECT_EQ(refusal("2b 0d 01 00"), ExceptionCode::kIllegalFunction) << "not MEI type 14";
  EXPECT_EQ(refusal("2b 0e 01"), ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(refusal("2b 0e 01 00"), std::nullopt);
  EXPECT_EQ(refusal("16 0004 00f2"), ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(refusal("17 0003 0006 000e 0000 00"), ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(refusal("17 ffff 0002 000e 0001 02 00ff"), ExceptionCode::kIllegalDataAddress);
  EXPECT_EQ(refusal("03 0000 007e"), ExceptionCode::kIllegalDataValue) << "126 registers";
  EXPECT_EQ(refusal("03 0000 0000"), ExceptionCode::kIllegalDataValue);
  EXPECT_EQ(refusal("01 0000 07d1"), ExceptionCode::kIllegalDataValue) << "2001 bits";
  EXPECT_EQ(refusal("03 ffff 0002"), ExceptionCode::kIllegalDataAddress);
  EXPECT_EQ(refusal("03 ffff 0001"), std::nullopt);
  EXPECT_EQ(refusal("05 0000 1234"), ExceptionCode::kIllegalDataValue) << "a coil is ff00 or 0000";
  EXPECT_EQ(refusal("10 0000 0002 04 0001"), ExceptionCode::kIllegalDataValue)
      << "byte count beyond the frame";
}

}  // namespace
}  // namespace tributary::connectors::modbus
