// A stream with a peer that closes, resets, stays mute or does not read.
#include <netinet/tcp.h>

#include "net/options.hpp"
#include "net/tests/net_fixture.hpp"

namespace tributary::net {
namespace {

class StreamTest : public NetTest {
 protected:
  // Starts an operation, lets it wait, then does `cut`; returns how the operation ended.
  template <typename T>
  Result<T> cut_during(Task<Result<T>> operation, std::function<void()> cut) {
    std::optional<Result<T>> result;
    asio::co_spawn(context_, std::move(operation),
                   [&](std::exception_ptr, Result<T> value) { result = std::move(value); });
    context_.restart();
    context_.poll();
    EXPECT_FALSE(result.has_value()) << "the operation did not wait";
    cut();
    while (!result) context_.run_one();
    return std::move(*result);
  }
  // More than the kernel's buffers take while the peer does not read.
  const std::vector<std::byte> flood_{64U << 20, std::byte{7}};
};

TEST_F(StreamTest, what_is_written_arrives_and_what_comes_back_is_read) {
  auto [ours, theirs] = connect();
  ASSERT_TRUE(run(ours->write_all(bytes("ping"), in(5s))));
  std::string got(4, ' ');
  asio::read(theirs, asio::buffer(got));
  EXPECT_EQ(got, "ping");
  asio::write(theirs, asio::buffer("pong", 4));
  std::array<std::byte, 4> answer{};
  ASSERT_TRUE(run(read_exactly(*ours, answer, in(5s))));
  EXPECT_EQ(std::memcmp(answer.data(), "pong", 4), 0);
}

TEST_F(StreamTest, a_megabyte_in_small_reads_arrives_in_order) {
  auto [ours, theirs] = connect();
  std::vector<std::byte> sent(1U << 20);
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<std::byte>(i * 31 >> 3);
  std::thread writer([&] { asio::write(theirs, asio::buffer(sent)); });
  std::vector<std::byte> got(sent.size());
  for (std::size_t at = 0; at < got.size();) {
    const auto count =
        read(*ours, std::span(got).subspan(at, std::min<std::size_t>(97, got.size() - at)), 5s);
    ASSERT_TRUE(count);
    at += *count;
  }
  writer.join();
  EXPECT_EQ(got, sent);
}

TEST_F(StreamTest, a_peer_that_closes_ends_the_read_as_closed) {
  auto [ours, theirs] = connect();
  theirs.close();
  const auto result = read(*ours, buffer_, 5s);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "connection_closed");
  EXPECT_EQ(result.error().error_class, ErrorClass::kTransient);
  EXPECT_THAT(result.error().message, testing::HasSubstr(ours->peer()));
}

TEST_F(StreamTest, a_peer_that_resets_in_the_middle_of_a_read_ends_it_as_reset) {
  auto [ours, theirs] = connect();
  const auto result = cut_during(ours->read_some(buffer_, in(5s)), [&] { reset_socket(theirs); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "connection_reset");
  EXPECT_EQ(result.error().error_class, ErrorClass::kTransient);
}

TEST_F(StreamTest, a_peer_that_closes_after_half_of_an_exact_read_ends_it_as_closed) {
  auto [ours, theirs] = connect();
  asio::write(theirs, asio::buffer("ha", 2));
  theirs.close();
  std::array<std::byte, 4> whole{};
  const auto result = run(read_exactly(*ours, whole, in(5s)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "connection_closed");
}

TEST_F(StreamTest, a_mute_peer_ends_the_read_at_its_deadline_and_the_stream_with_it) {
  auto [ours, theirs] = connect();
  const SteadyTime started = timers_->now();
  const auto result = read(*ours, buffer_, 120ms);
  const Duration waited = timers_->now() - started;
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "timeout");
  EXPECT_GE(waited, 120ms);
  EXPECT_LT(waited, 1s);
  // What comes later would be out of step: nothing more can be read.
  const auto later = read(*ours, buffer_, 1s);
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, "cancelled");
  boost::system::error_code error;
  theirs.read_some(asio::buffer(buffer_), error);
  EXPECT_EQ(error, asio::error::connection_reset) << "the peer was not told";
}

TEST_F(StreamTest, a_peer_that_does_not_read_ends_the_write_at_its_deadline) {
  auto [ours, theirs] = connect();
  const SteadyTime started = timers_->now();
  const auto result = run(ours->write_all(flood_, in(120ms)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "timeout");
  EXPECT_GE(timers_->now() - started, 120ms);
  EXPECT_LT(timers_->now() - started, 1s);
}

TEST_F(StreamTest, a_deadline_in_the_past_is_a_timeout) {
  auto [ours, theirs] = connect();
  const auto result = run(ours->read_some(buffer_, in(-1s)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "timeout");
}

TEST_F(StreamTest, abort_ends_a_waiting_read_as_cancelled_and_resets_the_peer) {
  auto [ours, theirs] = connect();
  const auto result = cut_during(ours->read_some(buffer_, in(5s)), [&] { ours->abort(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().error_class, ErrorClass::kCancelled);
  boost::system::error_code error;
  theirs.read_some(asio::buffer(buffer_), error);
  EXPECT_EQ(error, asio::error::connection_reset);
  ours->abort();
  EXPECT_EQ(run(ours->write_all(bytes("x"), in(1s))).error().code, "cancelled");
}

TEST_F(StreamTest, abort_ends_a_waiting_write_as_cancelled) {
  auto [ours, theirs] = connect();
  const auto result = cut_during(ours->write_all(flood_, in(5s)), [&] { ours->abort(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "cancelled");
}

TEST_F(StreamTest, a_stream_may_be_destroyed_while_an_operation_waits) {
  auto [ours, theirs] = connect();
  const auto result = cut_during(ours->read_some(buffer_, in(5s)), [&] { ours.reset(); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "cancelled");
}

TEST_F(StreamTest, close_says_goodbye_after_what_was_written_even_with_unread_data) {
  auto [ours, theirs] = connect();
  asio::write(theirs, asio::buffer("unread", 6));
  ASSERT_TRUE(run(ours->write_all(bytes("last words"), in(5s))));
  ours->close();
  ours->close();
  boost::system::error_code error;
  std::string got(10, ' ');
  asio::read(theirs, asio::buffer(got), error);
  EXPECT_FALSE(error) << error.message();
  EXPECT_EQ(got, "last words");
  theirs.read_some(asio::buffer(buffer_), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(StreamTest, a_read_and_a_write_may_wait_together) {
  auto [ours, theirs] = connect();
  std::optional<Result<void>> written;
  asio::co_spawn(context_, ours->write_all(flood_, in(5s)),
                 [&](std::exception_ptr, Result<void> value) { written = value; });
  const auto result = cut_during(ours->read_some(buffer_, in(5s)),
                                 [&] { asio::write(theirs, asio::buffer("hello", 5)); });
  EXPECT_EQ(result.value(), 5U);
  EXPECT_FALSE(written.has_value());
  ours->abort();
  while (!written) context_.run_one();
  EXPECT_EQ(written->error().code, "cancelled");
}

TEST_F(StreamTest, keepalive_and_user_timeout_are_set_on_a_dialled_socket) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_TRUE(apply_keepalive(descriptor, {7s, 3s, 4, 9000ms}));
  const auto option = [&](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(descriptor, level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 7);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 9000);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
  ::close(descriptor);
  EXPECT_EQ(apply_keepalive(descriptor, {}).error().code, "socket_option_failed");
}

}  // namespace
}  // namespace tributary::net
