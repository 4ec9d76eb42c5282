// What a serial driver is told, and what it may have left out.
#include <gtest/gtest.h>
#include <termios.h>

#include "net/serial_stream.hpp"

namespace tributary::net {
namespace {

constexpr tcflag_t kFormat = CSIZE | PARENB | PARODD | CMSPAR | CSTOPB;

struct Format {
  const char* name;
  std::uint8_t data_bits;
  Parity parity;
  std::uint8_t stop_bits;
  tcflag_t flags;  // of kFormat
};

class SerialLine : public ::testing::TestWithParam<Format> {
 protected:
  SerialSettings settings() const {
    return {"/dev/ttyS0", 9600, GetParam().data_bits, GetParam().parity, GetParam().stop_bits};
  }
};

TEST_P(SerialLine, the_driver_is_told_the_format) {
  for (const bool ones : {false, true}) {  // whatever was there before
    termios line{};
    line.c_cflag = ones ? kFormat | CRTSCTS : 0;
    ASSERT_TRUE(set_line(settings(), line).has_value());
    EXPECT_EQ(line.c_cflag & kFormat, GetParam().flags);
    EXPECT_EQ((line.c_iflag & INPCK) != 0, GetParam().parity != Parity::kNone)
        << "a byte with the wrong parity is noticed";
    EXPECT_EQ(line.c_cflag & CRTSCTS, 0U) << "a line of two wires has no hand to shake";
    EXPECT_EQ(::cfgetospeed(&line), speed_t{B9600});
    EXPECT_EQ(::cfgetispeed(&line), speed_t{B9600});
    EXPECT_EQ(missing_in(settings(), line), "");
  }
}

TEST_P(SerialLine, what_a_driver_left_out_is_named) {
  termios told{};
  ASSERT_TRUE(set_line(settings(), told).has_value());
  termios other = told;
  other.c_cflag ^= CS8 ^ CS7;
  EXPECT_TRUE(missing_in(settings(), other).ends_with(" data bits"));
  other = told;
  other.c_cflag ^= PARENB;
  EXPECT_EQ(missing_in(settings(), other), "such parity");
  other = told;
  other.c_cflag ^= PARODD;
  EXPECT_EQ(missing_in(settings(), other), "such parity");
  other = told;
  other.c_cflag ^= CSTOPB;
  EXPECT_TRUE(missing_in(settings(), other).ends_with(" stop bits"));
  other = told;
  ::cfsetospeed(&other, B19200);
  EXPECT_EQ(missing_in(settings(), other), "speed of 9600 baud");
}

INSTANTIATE_TEST_SUITE_P(Formats, SerialLine,
                         ::testing::Values(Format{"8E1", 8, Parity::kEven, 1, CS8 | PARENB},
                                           Format{"8O1", 8, Parity::kOdd, 1, CS8 | PARENB | PARODD},
                                           Format{"8N1", 8, Parity::kNone, 1, CS8},
                                           Format{"8N2", 8, Parity::kNone, 2, CS8 | CSTOPB},
                                           Format{"7E1", 7, Parity::kEven, 1, CS7 | PARENB},
                                           Format{"7O1", 7, Parity::kOdd, 1, CS7 | PARENB | PARODD},
                                           Format{"7O2", 7, Parity::kOdd, 2,
                                                  CS7 | PARENB | PARODD | CSTOPB},
                                           Format{"7N2", 7, Parity::kNone, 2, CS7 | CSTOPB}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(SerialSpeed, a_speed_that_no_driver_has_is_refused) {
  termios line{};
  const auto refused = set_line({"/dev/ttyS0", 12345, 8, Parity::kNone, 1}, line);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "not_supported");
  EXPECT_EQ(refused.error().pointer, "/settings/baudRate");
  EXPECT_NE(refused.error().message.find("12345 baud"), std::string::npos);
}

}  // namespace
}  // namespace tributary::net
