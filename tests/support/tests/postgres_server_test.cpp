#include "tests/support/postgres_server.hpp"

#include <gtest/gtest.h>

#include "tests/support/sockets.hpp"

namespace tributary::test {
namespace {

TEST(PostgresServer, starts_keeps_its_data_over_a_restart_and_a_kill_and_is_gone_afterwards) {
  std::uint16_t port = 0;
  {
    PostgresServer server;
    port = server.port();
    EXPECT_EQ(
        server.sql("create table t(a int); insert into t values (1), (2); select count(*) from t"),
        "2");
    server.stop();
    EXPECT_FALSE(connect_loopback(port).valid());
    server.start();
    EXPECT_EQ(server.sql("select a from t order by a"), "1\n2");
    server.kill();
    server.start();
    EXPECT_EQ(server.sql("select count(*) from t"), "2");
    EXPECT_THROW(server.sql("select * from nothing_of_that_name"), std::runtime_error);
  }
  EXPECT_FALSE(connect_loopback(port).valid());
}

}  // namespace
}  // namespace tributary::test
