#include "script/conversation.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace tributary::script {
namespace {

using Socket = asio::basic_stream_socket<asio::local::stream_protocol, Executor>;

constexpr std::size_t kReadBytes = 64 * 1024;
// A worker that is there, wants to compute and gets no processor: this many deadlines.
constexpr int kPatience = 25;
// CPU time for compiling the sources of a frame, besides that of its first record.
constexpr Duration kPreparation{std::chrono::seconds{1}};

std::size_t size_in(std::string_view header) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kHeaderBytes; ++i) {
    size |= static_cast<std::size_t>(static_cast<std::uint8_t>(header[i])) << (8 * i);
  }
  return size;
}

}  // namespace

// What the timer looks at; it may outlive the conversation by one call.
struct Conversation::Link : std::enable_shared_from_this<Conversation::Link> {
  Link(Executor executor_, Timers& timers_, Worker& worker_, const Limits& limits_)
      : executor(executor_), timers(timers_), worker(worker_), limits(limits_), socket(executor_) {}

  // The descriptor is the process's: a conversation that is cut off must not close it.
  ~Link() {
    boost::system::error_code ignored;
    if (socket.is_open()) socket.release(ignored);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  Executor executor;
  Timers& timers;
  Worker& worker;
  Limits limits;
  Socket socket;
  std::unique_ptr<Timer> timer;
  SteadyTime heard;                  // when the worker last said something
  std::optional<Duration> cpu_then;  // its CPU time when it did
  int waited = 0;                    // deadlines since
  bool answered = false;             // something about this frame
  bool killed = false;

  Duration deadline() const { return worker.ready ? 2 * limits.cpu : kWorkerStart; }

  void heard_something() {
    heard = timers.now();
    cpu_then = worker.process->cpu_time();
    waited = 0;
  }

  void arm() {
    timer = timers.at(executor, heard + (waited + 1) * deadline(), [link = weak_from_this()] {
      if (auto self = link.lock()) self->look();
    });
  }

  // A deadline has come. It may have been heard of meanwhile; the timer is not moved with each
  // answer.
  void look() {
    const SteadyTime now = timers.now();
    if (now < heard + (waited + 1) * deadline()) return arm();
    ++waited;
    const auto cpu = worker.process->cpu_time();
    // The worker ends by itself when a record has used up its time. One that has not had that time
    // waits for a processor like everybody else.
    const Duration due = 2 * limits.cpu + (answered ? Duration{} : kPreparation);
    const bool starved = cpu && cpu_then && *cpu - *cpu_then < due && waited < kPatience &&
                         worker.ready && !worker.process->is_stopped();
    if (starved) return arm();
    killed = true;
    worker.process->kill();
  }

  // Takes whole answers out of `buffer`. nullopt: go on reading.
  std::optional<Ending> take_answers(std::string& buffer, const Listener& listener) {
    std::size_t at = 0;
    std::optional<Ending> ending;
    while (!ending && buffer.size() - at >= kHeaderBytes) {
      const std::size_t size = size_in(std::string_view(buffer).substr(at));
      if (size > kMaxAnswerBytes) return Ending::kBroken;
      if (buffer.size() - at - kHeaderBytes < size) break;
      auto answer = decode_answer(std::string_view(buffer).substr(at + kHeaderBytes, size));
      at += kHeaderBytes + size;
      if (!answer) return Ending::kBroken;
      ending = understand(*answer, size, listener);
    }
    buffer.erase(0, at);
    return ending;
  }

  std::optional<Ending> understand(Answer& answer, std::size_t bytes, const Listener& listener) {
    if (std::holds_alternative<Ready>(answer)) {
      if (worker.ready) return Ending::kBroken;
      worker.ready = true;
      return std::nullopt;
    }
    if (!worker.ready || !listener(answer, bytes)) return Ending::kBroken;
    answered = true;
    if (std::holds_alternative<Expired>(answer)) return Ending::kExpired;
    if (std::holds_alternative<CheckAnswer>(answer)) return Ending::kDone;
    if (const auto* done = std::get_if<Done>(&answer)) {
      return done->retire ? Ending::kRetired : Ending::kDone;
    }
    return std::nullopt;
  }
};

Conversation::Conversation(Executor executor, Timers& timers, Worker& worker, const Limits& limits)
    : link_(std::make_shared<Link>(executor, timers, worker, limits)) {}

Task<Ending> Conversation::hold(std::string frame, Listener listener) {
  auto link = link_;
  boost::system::error_code error;
  link->socket.assign(asio::local::stream_protocol(), link->worker.process->channel(), error);
  if (error) co_return Ending::kBroken;
  link->heard_something();
  link->arm();
  const auto out = asio::buffer(frame);
  co_await asio::async_write(link->socket, out, asio::redirect_error(use_task, error));
  std::string buffer;
  std::array<char, kReadBytes> block;
  std::size_t total = 0;
  std::optional<Ending> ending;
  while (!error && !ending) {
    const auto target = asio::buffer(block);
    const std::size_t got =
        co_await link->socket.async_read_some(target, asio::redirect_error(use_task, error));
    if (error) break;
    total += got;
    buffer.append(block.data(), got);
    link->heard_something();
    ending = total > kMaxAnswerBytes ? Ending::kBroken : link->take_answers(buffer, listener);
  }
  link->timer.reset();
  // The descriptor stays with the process.
  boost::system::error_code ignored;
  link->socket.release(ignored);
  if (link->killed) co_return Ending::kKilled;
  co_return ending.value_or(Ending::kBroken);
}

}  // namespace tributary::script
