#include "connectors/opcua/src/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "connectors/opcua/src/ua.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::size_t kReadBuffer = 16U << 10;
constexpr std::uintptr_t kConnection = 1;
// The longest silence within a message. Servers send it in one go: after this, a segment was lost
// for the third time, or the message is shorter than it says.
constexpr Duration kLongestPause = std::chrono::milliseconds{700};

Duration from_ms(UA_Double interval) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(interval));
}

// A stream that fails at once, in a task that was started here and now, would end the connection
// while the library is using it.
void start_later(const Executor& executor, std::shared_ptr<Loop> loop,
                 Task<void> (*task)(std::shared_ptr<Loop>)) {
  asio::post(executor, [executor, task, loop = std::move(loop)]() mutable {
    spawn(executor, task(std::move(loop)));
  });
}

}  // namespace

// What the library sees. Each function finds its Loop by the structure it is called with.
struct Loop::Native {
  UA_EventLoop loop;
  UA_ConnectionManager tcp;
  Loop* owner;
  UA_DelayedCallback* delayed = nullptr;  // the newest first

  explicit Native(Loop* owner_);
  static Loop& of(UA_EventLoop* loop) { return *reinterpret_cast<Native*>(loop)->owner; }
  static Loop& of(UA_ConnectionManager* tcp) { return of(tcp->eventSource.eventLoop); }
  void set_state(UA_EventLoopState state) {
    const_cast<volatile UA_EventLoopState&>(loop.state) = state;
  }
  void run_delayed() {
    for (UA_DelayedCallback* next = std::exchange(delayed, nullptr); next != nullptr;) {
      UA_DelayedCallback* each = std::exchange(next, next->next);
      each->callback(each->application, each->context);
    }
  }
};

Loop::Native::Native(Loop* owner_) : loop{}, tcp{}, owner(owner_) {
  loop.start = [](UA_EventLoop* el) -> UA_StatusCode {
    of(el).native_->set_state(UA_EVENTLOOPSTATE_STARTED);
    return UA_STATUSCODE_GOOD;
  };
  loop.stop = [](UA_EventLoop* el) { of(el).native_->set_state(UA_EVENTLOOPSTATE_STOPPED); };
  loop.run = [](UA_EventLoop* el, UA_UInt32) -> UA_StatusCode {
    // It waits inside a call, for the end of the connection: nothing else can be waited for.
    of(el).run();
    if (of(el).closing_) of(el).abort();
    return UA_STATUSCODE_GOOD;
  };
  loop.free = [](UA_EventLoop*) -> UA_StatusCode { return UA_STATUSCODE_GOOD; };
  loop.dateTime_now = [](UA_EventLoop* el) { return from_utc(of(el).context_.clock.utc_now()); };
  // The library compares this with its own monotonic clock (renewal of the channel).
  loop.dateTime_nowMonotonic = [](UA_EventLoop*) { return UA_DateTime_nowMonotonic(); };
  loop.dateTime_localTimeUtcOffset = [](UA_EventLoop*) { return UA_Int64{0}; };
  loop.nextCyclicTime = [](UA_EventLoop*) { return UA_DateTime{UA_INT64_MAX}; };
  loop.addCyclicCallback = [](UA_EventLoop* el, UA_Callback callback, void* application, void* data,
                              UA_Double interval, UA_DateTime*, UA_TimerPolicy,
                              UA_UInt64* id) -> UA_StatusCode {
    Loop& self = of(el);
    const std::uint64_t key = self.next_timer_++;
    self.timers_[key] = {callback, application, data, from_ms(interval), nullptr};
    self.arm(key, self.context_.timers.now() + from_ms(interval));
    if (id != nullptr) *id = key;
    return UA_STATUSCODE_GOOD;
  };
  loop.modifyCyclicCallback = [](UA_EventLoop* el, UA_UInt64 id, UA_Double interval, UA_DateTime*,
                                 UA_TimerPolicy) -> UA_StatusCode {
    Loop& self = of(el);
    const auto found = self.timers_.find(id);
    if (found == self.timers_.end()) return UA_STATUSCODE_BADNOTFOUND;
    found->second.interval = from_ms(interval);
    self.arm(id, self.context_.timers.now() + from_ms(interval));
    return UA_STATUSCODE_GOOD;
  };
  loop.removeCyclicCallback = [](UA_EventLoop* el, UA_UInt64 id) { of(el).timers_.erase(id); };
  loop.addTimedCallback = [](UA_EventLoop* el, UA_Callback callback, void* application, void* data,
                             UA_DateTime when, UA_UInt64* id) -> UA_StatusCode {
    Loop& self = of(el);
    const std::uint64_t key = self.next_timer_++;
    self.timers_[key] = {callback, application, data, {}, nullptr};
    const auto wait = std::chrono::microseconds{
        std::max<UA_DateTime>(when - UA_DateTime_nowMonotonic(), 0) / UA_DATETIME_USEC};
    self.arm(key, self.context_.timers.now() + wait);
    if (id != nullptr) *id = key;
    return UA_STATUSCODE_GOOD;
  };
  loop.addDelayedCallback = [](UA_EventLoop* el, UA_DelayedCallback* delayed) {
    Loop& self = of(el);
    const bool first = self.native_->delayed == nullptr;
    delayed->next = std::exchange(self.native_->delayed, delayed);
    if (first) self.later(&Loop::run);
  };
  loop.removeDelayedCallback = [](UA_EventLoop* el, UA_DelayedCallback* delayed) {
    for (UA_DelayedCallback** at = &of(el).native_->delayed; *at != nullptr; at = &(*at)->next) {
      if (*at != delayed) continue;
      *at = delayed->next;
      return;
    }
  };
  loop.registerEventSource = [](UA_EventLoop*, UA_EventSource*) -> UA_StatusCode {
    return UA_STATUSCODE_BADNOTSUPPORTED;
  };
  loop.deregisterEventSource = [](UA_EventLoop*, UA_EventSource*) -> UA_StatusCode {
    return UA_STATUSCODE_BADNOTSUPPORTED;
  };
  // One executor: nothing to lock.
  loop.lock = [](UA_EventLoop*) {};
  loop.unlock = [](UA_EventLoop*) {};

  tcp.eventSource.eventSourceType = UA_EVENTSOURCETYPE_CONNECTIONMANAGER;
  tcp.eventSource.name = UA_STRING_STATIC("tcp");
  tcp.eventSource.eventLoop = &loop;
  tcp.eventSource.state = UA_EVENTSOURCESTATE_STARTED;
  tcp.protocol = UA_STRING_STATIC("tcp");
  tcp.openConnection = [](UA_ConnectionManager* cm, const UA_KeyValueMap*, void* application, void*,
                          UA_ConnectionManager_connectionCallback callback) {
    return of(cm).open(application, callback);
  };
  tcp.sendWithConnection = [](UA_ConnectionManager* cm, uintptr_t, const UA_KeyValueMap*,
                              UA_ByteString* bytes) { return of(cm).send(*bytes); };
  tcp.closeConnection = [](UA_ConnectionManager* cm, uintptr_t) -> UA_StatusCode {
    of(cm).close();
    return UA_STATUSCODE_GOOD;
  };
  tcp.allocNetworkBuffer = [](UA_ConnectionManager*, uintptr_t, UA_ByteString* bytes, size_t size) {
    return UA_ByteString_allocBuffer(bytes, size);
  };
  tcp.freeNetworkBuffer = [](UA_ConnectionManager*, uintptr_t, UA_ByteString* bytes) {
    UA_ByteString_clear(bytes);
  };
  loop.eventSources = &tcp.eventSource;
}

Loop::Loop(const sdk::SessionContext& context, const Framing& framing)
    : context_(context), framing_(framing), native_(std::make_unique<Native>(this)) {}

Loop::~Loop() = default;

UA_EventLoop* Loop::native() {
  return &native_->loop;
}

void Loop::offer(std::unique_ptr<net::Stream> stream) {
  offered_ = std::move(stream);
}

// Posts a call of a member that is left out when the loop is gone.
void Loop::later(void (Loop::*what)()) {
  asio::post(context_.executor, [weak = weak_from_this(), what] {
    if (const auto self = weak.lock()) (self.get()->*what)();
  });
}

void Loop::arm(std::uint64_t id, SteadyTime when) {
  timers_[id].timer = context_.timers.at(context_.executor, when, [weak = weak_from_this(), id] {
    const auto self = weak.lock();
    if (!self) return;
    const auto found = self->timers_.find(id);
    if (found == self->timers_.end()) return;
    const Cyclic& cyclic = found->second;
    const auto callback = cyclic.callback;
    void* const application = cyclic.application;
    void* const data = cyclic.data;
    if (cyclic.interval > Duration::zero()) {
      self->arm(id, self->context_.timers.now() + cyclic.interval);
    } else {
      self->timers_.erase(found);
    }
    callback(application, data);
  });
}

UA_StatusCode Loop::open(void* application, UA_ConnectionManager_connectionCallback callback) {
  if (!offered_) return UA_STATUSCODE_BADCONNECTIONREJECTED;
  stream_ = std::shared_ptr<net::Stream>(std::move(offered_));
  application_ = application;
  callback_ = callback;
  tell(UA_CONNECTIONSTATE_OPENING, UA_BYTESTRING_NULL);
  later(&Loop::established);
  return UA_STATUSCODE_GOOD;
}

void Loop::established() {
  if (!stream_ || closing_) return;
  tell(UA_CONNECTIONSTATE_ESTABLISHED, UA_BYTESTRING_NULL);
  if (stream_) start_later(context_.executor, shared_from_this(), &Loop::read);
}

UA_StatusCode Loop::send(UA_ByteString& bytes) {
  const bool open = stream_ && !closing_;
  if (open) outgoing_.append(view(bytes));
  UA_ByteString_clear(&bytes);
  if (!open) return UA_STATUSCODE_BADCONNECTIONCLOSED;
  if (!std::exchange(writing_, true))
    start_later(context_.executor, shared_from_this(), &Loop::write);
  return UA_STATUSCODE_GOOD;
}

void Loop::nudge() {
  if (stream_ && !closing_) tell(UA_CONNECTIONSTATE_ESTABLISHED, UA_BYTESTRING_NULL);
}

void Loop::close() {
  closing_ = true;
  if (receiving_ && !failure_ && !framing_.is_farewell()) {
    failure_ = Error{ErrorClass::kTransient, "protocol_error",
                     "The server sent a message that cannot be read, or that nobody asked for",
                     "The hub ended the connection. If it happens again, the server has a defect."};
  }
  if (!writing_) later(&Loop::finish);
}

void Loop::finish() {
  if (const auto stream = std::exchange(stream_, nullptr)) stream->close();
  end(std::nullopt);
}

void Loop::abort() noexcept {
  offered_.reset();
  if (const auto stream = std::exchange(stream_, nullptr)) stream->abort();
  outgoing_.clear();
  end(std::nullopt);
}

void Loop::end(std::optional<Error> why) {
  if (!failure_) failure_ = std::move(why);
  closed();
}

void Loop::closed() {
  if (callback_ == nullptr || std::exchange(told_, true)) return;
  tell(UA_CONNECTIONSTATE_CLOSING, UA_BYTESTRING_NULL);
  run();
}

void Loop::run() {
  native_->run_delayed();
}

void Loop::tell(UA_ConnectionState state, UA_ByteString bytes) {
  callback_(&native_->tcp, kConnection, application_, &connection_context_, state,
            &UA_KEYVALUEMAP_NULL, bytes);
}

void Loop::break_off(Error why) {
  std::exchange(stream_, nullptr)->abort();
  end(std::move(why));
}

Task<void> Loop::read(Self self) {
  const auto buffer = std::make_unique<std::array<std::byte, kReadBuffer>>();
  const auto stream = self->stream_;
  while (stream && self->stream_ == stream) {
    const bool within = self->framing_.within_message();
    const SteadyTime deadline =
        within ? self->context_.timers.now() + kLongestPause : SteadyTime::max();
    const auto got = co_await stream->read_some(*buffer, deadline);
    if (self->stream_ != stream) co_return;
    if (!got) {
      Error why = got.error();
      if (within && why.code == "timeout") {
        why = {ErrorClass::kTransient, "message_incomplete",
               fmt::format("{} began a message and did not go on with it", stream->peer()),
               "Is the network overloaded? Else the server lies about the length of its messages."};
      }
      self->break_off(std::move(why));
      co_return;
    }
    self->received_ += *got;
    if (self->closing_) continue;
    auto* const bytes = reinterpret_cast<UA_Byte*>(buffer->data());
    if (auto taken = self->framing_.take(view({*got, bytes})); !taken) {
      self->break_off(std::move(taken.error()));
      co_return;
    }
    self->receiving_ = true;
    self->tell(UA_CONNECTIONSTATE_ESTABLISHED, {*got, bytes});
    self->receiving_ = false;
  }
}

Task<void> Loop::write(Self self) {
  const auto stream = self->stream_;
  while (stream && self->stream_ == stream && !self->outgoing_.empty()) {
    const std::string bytes = std::exchange(self->outgoing_, {});
    const auto written =
        co_await stream->write_all(std::as_bytes(std::span(bytes)), SteadyTime::max());
    if (self->stream_ != stream) break;
    if (!written) {
      self->stream_.reset();
      stream->abort();
      self->writing_ = false;
      self->end(written.error());
      co_return;
    }
  }
  self->writing_ = false;
  if (self->closing_) self->finish();
}

}  // namespace tributary::connectors::opcua
