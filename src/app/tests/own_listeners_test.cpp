#include "app/own_listeners.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tributary::app {
namespace {

TEST(OwnListeners, OneAddressIsThatAddress) {
  const auto own = own_listeners("192.0.2.5", 8443);
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].ip, "192.0.2.5");
  EXPECT_EQ(own[0].port, 8443);
}

TEST(OwnListeners, EveryAddressMeansThoseOfTheMachine) {
  const auto own = own_listeners("0.0.0.0", 8443);
  EXPECT_TRUE(std::ranges::any_of(
      own, [](const auto& address) { return address.ip == "127.0.0.1" && address.port == 8443; }));
}

}  // namespace
}  // namespace tributary::app
