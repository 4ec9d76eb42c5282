#include "connectors/postgresql/src/listen.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include "model/depth.hpp"

namespace tributary::connectors::postgresql {
namespace {

using SharedListener = std::shared_ptr<Listener>;

void drop(Listener& listener) {
  for (const Notification& each : listener.waiting) listener.bytes -= each.bytes();
  listener.waiting.clear();
}

void end(Listener& listener, bool at_once) noexcept {
  if (listener.end() && listener.link) {
    if (at_once) {
      listener.link->abort();
    } else {
      listener.link->close();
    }
  }
  listener.wake();
}

void take(Listener& listener, const pgNotify& notice) {
  if (listener.ended) return;
  listener.waiting.push_back({notice.relname, notice.extra, notice.be_pid});
  listener.bytes += listener.waiting.back().bytes();
  if (listener.subscribed && listener.full()) listener.link->hold(true);
  listener.wake();
}

// The next records for the sink.
std::vector<Record> next_batch(Listener& listener, std::size_t& taken_bytes) {
  std::vector<Record> records;
  while (!listener.waiting.empty() && records.size() < kMaxBatchNotifications) {
    const Notification& first = listener.waiting.front();
    taken_bytes += first.bytes();
    records.push_back(to_record(first, listener.format));
    listener.waiting.pop_front();
  }
  listener.delivering = records.size();
  return records;
}

Task<void> pump(SharedListener listener, sdk::Sink& sink, Executor executor) {
  while (true) {
    while (listener->waiting.empty() && !listener->ended) {
      const auto changed = std::make_shared<Event>(executor);
      listener->changed = changed;
      co_await changed->wait();
    }
    if (listener->waiting.empty()) break;
    std::size_t bytes = 0;
    Batch batch = Batch::of(next_batch(*listener, bytes));
    // NOTIFY says nothing twice: a batch that was refused is gone.
    const Result<void> accepted = co_await sink.deliver(std::move(batch));
    listener->delivering = 0;
    listener->bytes -= bytes;
    if (!accepted && accepted.error().error_class == ErrorClass::kCancelled) {
      drop(*listener);
      end(*listener, false);
    }
    if (listener->link && !listener->full()) listener->link->hold(false);
  }
  listener->finished = true;
  listener->wake();
}

// One transaction: all of the channels, or none.
Task<Result<void>> listen(Shared state, SharedListener listener, std::vector<std::string> channels,
                          SteadyTime deadline) {
  const auto refusal = std::make_shared<std::optional<ServerError>>();
  Link::Exchange work;
  work.send = [channels = std::move(channels)](pg_conn* connection) {
    for (const std::string& channel : channels) {
      if (!send_query(connection, ("listen " + quote_identifier(channel)).c_str())) return false;
    }
    return PQpipelineSync(connection) == 1;
  };
  work.on_result = [refusal](std::size_t, ResultPointer result) {
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && !*refusal)
      *refusal = ServerError::of(result.get());
  };
  work.what = "LISTEN";
  const Result<void> done = co_await Link::exchange(listener->link, std::move(work), deadline);
  if (!done) co_return fail(done.error());
  if (*refusal) co_return fail(to_error(**refusal, Purpose::kQuery, listener->link->peer()));
  if (state->ended || listener->ended) co_return fail(cancelled());
  co_return Result<void>{};
}

class Listening final : public sdk::Subscription {
 public:
  Listening(Shared state, SharedListener listener)
      : state_(std::move(state)), listener_(std::move(listener)) {}
  ~Listening() override { leave(state_, listener_); }
  Task<void> cancel(SteadyTime deadline) override { return cancel(state_, listener_, deadline); }

 private:
  static void leave(const Shared& state, const SharedListener& listener) {
    std::erase(state->listeners, listener);
    drop(*listener);
    end(*listener, false);
  }
  // What has come is still delivered, for as long as there is time.
  static Task<void> cancel(Shared state, SharedListener listener, SteadyTime deadline) {
    end(*listener, false);
    while (!listener->finished) {
      if (!listener->changed) listener->changed = std::make_shared<Event>(state->context.executor);
      const auto changed = listener->changed;
      const bool in_time = co_await changed->wait_until(state->context.timers, deadline);
      if (!in_time) break;
    }
    leave(state, listener);
  }
  Shared state_;
  SharedListener listener_;
};

// A function that cannot listen is no reason to end the session that others use.
Error as_function_error(Error error) {
  if (!is_connection_error(error.error_class)) return error;
  error.error_class = ErrorClass::kFunction;
  error.message = "No session to listen in: " + error.message;
  return error;
}

Task<void> ask(Shared state, SharedListener listener) {
  Link::Exchange work;
  work.send = [](pg_conn* connection) {
    return send_query(connection, "select 1") && PQpipelineSync(connection) == 1;
  };
  work.on_result = [](std::size_t, ResultPointer) {};  // any answer is an answer
  work.what = "the health check";
  const SteadyTime deadline = state->context.timers.now() +
                              std::chrono::milliseconds(listener->settings().request_timeout_ms);
  const Result<void> done = co_await Link::exchange(listener->link, std::move(work), deadline);
  listener->probing = false;
  if (!done && !listener->ended) tell_loss(*state, done.error());
}

}  // namespace

Record to_record(const Notification& notification, ListenSettings::Format format) {
  Record record = json_object();
  record.insert_or_assign("channel", notification.channel);
  std::optional<std::string> wrong;
  if (format == ListenSettings::Format::kText) {
    record.insert_or_assign("payload", notification.payload);
  } else if (notification.payload.empty()) {
    record.insert_or_assign("payload", Json::null());
  } else {
    Result<Json> parsed = parse_json(notification.payload);
    if (!parsed) {
      wrong = parsed.error().message;
    } else if (!fits_into_record(*parsed)) {
      wrong = "The payload is nested too deeply";
    }
    record.insert_or_assign("payload", wrong ? Json(notification.payload) : *std::move(parsed));
  }
  record.insert_or_assign("processId", notification.process_id);
  if (wrong) {
    Json note = json_object();
    note.insert_or_assign("code", "invalid_json");
    note.insert_or_assign("message", *wrong);
    record.insert_or_assign("error", std::move(note));
  }
  return record;
}

Task<Result<std::unique_ptr<sdk::Subscription>>> run_listen(Shared state, ListenSettings settings,
                                                            sdk::Sink& sink, SteadyTime deadline) {
  if (state->ended) co_return fail(cancelled());
  if (state->lost) co_return fail(*state->lost);
  if (!state->address)
    co_return fail(ErrorClass::kInternal, "not_open", "The session is not open.");
  LinkOptions options = state->options;
  const auto listener = std::make_shared<Listener>(std::move(options));
  listener->format = settings.format;
  listener->on_notify = [weak = std::weak_ptr(listener)](const pgNotify& notice) {
    if (const auto listener = weak.lock()) take(*listener, notice);
  };
  state->listeners.push_back(listener);
  const std::shared_ptr<Line> line = listener;
  const std::vector<net::Address> addresses{*state->address};
  OnCertificate certificate;  // the session's own has told about it
  net::StageObserver unobserved;
  const auto opened =
      co_await open_line(state, line, addresses, std::move(certificate), deadline, unobserved);
  Result<void> listening = opened ? Result<void>{} : Result<void>(fail(opened.error()));
  if (listening) listening = co_await listen(state, listener, settings.channels, deadline);
  if (!listening) {
    std::erase(state->listeners, listener);
    const bool over = state->ended || listener->ended;
    drop(*listener);
    end(*listener, true);
    co_return fail(over ? cancelled() : as_function_error(std::move(listening.error())));
  }
  listener->subscribed = true;
  spawn(state->context.executor, pump(listener, sink, state->context.executor));
  co_return std::make_unique<Listening>(state, listener);
}

void probe(const Shared& state, const SharedListener& listener) {
  if (!listener->subscribed || listener->ended || listener->link->held()) return;
  if (std::exchange(listener->probing, true)) return;
  spawn(state->context.executor, ask(state, listener));
}

void end_listeners(State& state, bool at_once) noexcept {
  for (const SharedListener& listener : std::exchange(state.listeners, {})) {
    drop(*listener);
    end(*listener, at_once);
  }
}

}  // namespace tributary::connectors::postgresql
