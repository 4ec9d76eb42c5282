// What travels over an open session: publishing, subscribing, delivering.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "connectors/mqtt/src/core.hpp"
#include "connectors/mqtt/src/errors.hpp"

namespace tributary::connectors::mqtt {
namespace {

Error no_confirmation(std::string_view what, const std::string& peer) {
  return {ErrorClass::kTransient, "timeout",
          fmt::format("{} did not confirm {} in time", peer, what),
          "Is the broker overloaded, or the request timeout too short?"};
}

Error refused_topics(const std::vector<std::string>& refused) {
  return {ErrorClass::kFunction, "subscription_refused",
          fmt::format("The broker refused to subscribe to {}", fmt::join(refused, ", ")),
          "May this user read these topics? The broker's access rules decide.", "/settings/topics"};
}

Json published(const Outgoing& message, const PublishSettings& settings) {
  Json record = json_object();
  record.insert_or_assign("topic", message.topic);
  record.insert_or_assign("qos", settings.qos);
  record.insert_or_assign("retained", settings.retain);
  record.insert_or_assign("bytes", message.payload.size());
  return record;
}

// Counts an answer that is awaited, for as long as it lives.
struct Counted {
  int& count;
  explicit Counted(int& count_) : count(count_) { ++count; }
  ~Counted() { --count; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

}  // namespace

// ---- publishing ----

bool Core::has_room(std::size_t bytes) const {
  const std::size_t to_write = wire_->waiting_to_write();
  if (unconfirmed_ == 0 && to_write == 0) return true;
  return unconfirmed_ < kMaxUnconfirmed &&
         std::max(unconfirmed_bytes_, to_write) + bytes <= kMaxUnconfirmedBytes;
}

void Core::release_room(std::size_t bytes) {
  --unconfirmed_;
  unconfirmed_bytes_ -= bytes;
  if (confirmed_) std::exchange(confirmed_, nullptr)->set();
  wake_next();
}

void Core::wake_next() {
  if (!waiting_.empty()) waiting_.front()->look->set();
}

Task<Result<void>> Core::wait_for_room(Self self, std::size_t bytes, SteadyTime deadline) {
  if (self->waiting_.empty() && self->has_room(bytes)) co_return Result<void>{};
  const auto place = std::make_shared<Waiting>();
  self->waiting_.push_back(place);
  while (!self->ended_ && (self->waiting_.front() != place || !self->has_room(bytes))) {
    const auto look = std::make_shared<Event>(self->context_.executor);
    place->look = look;
    const bool in_time = co_await look->wait_until(self->context_.timers, deadline);
    if (in_time) continue;
    std::erase(self->waiting_, place);
    self->wake_next();
    co_return fail(ErrorClass::kFunction, "queue_full",
                   fmt::format("{} messages wait for the broker's confirmation; this one was not "
                               "sent",
                               self->unconfirmed_),
                   "Publish less often, or let the broker confirm faster.");
  }
  if (self->ended_) co_return fail(*self->ended_);
  self->waiting_.pop_front();
  self->wake_next();
  co_return Result<void>{};
}

Task<Result<Batch>> Core::publish(Self self, const PublishSettings& settings,
                                  Result<Outgoing> message, SteadyTime deadline) {
  if (!message) co_return fail(message.error());
  if (self->ended_) co_return fail(*self->ended_);
  if (!self->open_) co_return fail(ErrorClass::kCancelled, "cancelled", "The session is not open");
  const std::size_t bytes = message->payload.size();
  const Result<void> room = co_await wait_for_room(self, bytes, deadline);
  if (!room) co_return fail(room.error());

  const std::string what = fmt::format("the message to {}", message->topic);
  self->published_at_ = self->context_.timers.now();
  const Client::Sent sent = self->wire_->client().publish(*message, settings);
  if (sent.refusal != Refusal::kNone) co_return fail(not_sent(sent.refusal, what));
  self->wire_->flush();
  int reason = 0;
  // With QoS 0 there is nothing to wait for.
  if (sent.id != 0) {
    const SharedAck ack = self->expect_ack(sent.id);
    ++self->unconfirmed_;
    self->unconfirmed_bytes_ += bytes;
    const bool answered = co_await ack->done.wait_until(self->context_.timers, deadline);
    self->release_room(bytes);
    self->acks_.erase(sent.id);
    Error error;
    if (!answered) error = no_confirmation(what, self->wire_->peer());
    if (ack->error) error = *ack->error;
    if (!answered || ack->error) {
      error.outcome_unknown = true;
      co_return fail(std::move(error));
    }
    reason = ack->reason;
  }
  if (reason >= kFirstRefusal) co_return fail(publish_refused(reason, message->topic));
  std::vector<Record> records;
  records.push_back(published(*message, settings));
  co_return Batch::of(std::move(records));
}

// ---- subscribing ----

Task<Result<std::shared_ptr<Inbox>>> Core::subscribe(Self self, SubscribeSettings settings,
                                                     sdk::Sink& sink, SteadyTime deadline) {
  if (self->ended_) co_return fail(*self->ended_);
  if (!self->open_) co_return fail(ErrorClass::kCancelled, "cancelled", "The session is not open");
  const auto inbox = std::make_shared<Inbox>();
  inbox->format = settings.format;
  for (const auto& topic : settings.topics) inbox->filters.push_back(topic.topic);
  self->inboxes_.push_back(inbox);
  Result<void> subscribed = co_await send_subscribes(self, inbox, std::move(settings), deadline);
  if (subscribed && self->ended_) subscribed = fail(*self->ended_);
  if (!subscribed) {
    inbox->finished = true;
    self->drop(inbox);
    co_await send_unsubscribes(self, inbox, deadline);
    co_return fail(std::move(subscribed.error()));
  }
  spawn(self->context_.executor, pump(self, inbox, sink));
  co_return inbox;
}

Task<Result<void>> Core::send_subscribes(Self self, std::shared_ptr<Inbox> inbox,
                                         SubscribeSettings settings, SteadyTime deadline) {
  const Counted counted(self->subscribing_);
  // Registered first: messages may come before the answer.
  std::vector<SharedAck> acks;
  for (const auto& topic : settings.topics) {
    const Filter& filter = self->router_.add(topic.topic, static_cast<int>(topic.qos), inbox);
    const std::uint32_t identifier = self->uses_identifiers() ? filter.identifier : 0;
    const Client::Sent sent = self->wire_->client().subscribe(topic.topic, filter.qos, identifier);
    if (sent.refusal != Refusal::kNone) {
      co_return fail(not_sent(sent.refusal, fmt::format("The subscription to {}", topic.topic)));
    }
    acks.push_back(self->expect_ack(sent.id));
  }
  self->wire_->flush();
  self->router_.claim_kept(inbox);
  self->subscribed_at_ = self->context_.timers.now();
  std::vector<std::string> refused;
  for (std::size_t i = 0; i < acks.size(); ++i) {
    const SharedAck ack = acks[i];
    const bool answered = co_await ack->done.wait_until(self->context_.timers, deadline);
    if (ack->error) co_return fail(*ack->error);
    const std::string& topic = settings.topics[i].topic;
    if (!answered) {
      co_return fail(
          no_confirmation(fmt::format("the subscription to {}", topic), self->wire_->peer()));
    }
    const int code = ack->codes.empty() ? kFirstRefusal : ack->codes.front();
    if (code >= kFirstRefusal) refused.push_back(fmt::format("{} ({})", topic, refusal_text(code)));
  }
  if (!refused.empty()) co_return fail(refused_topics(refused));
  co_return Result<void>{};
}

Task<void> Core::send_unsubscribes(Self self, std::shared_ptr<Inbox> inbox, SteadyTime deadline) {
  const Counted counted(self->subscribing_);
  self->resume_reading();
  std::erase(self->inboxes_, inbox);
  std::vector<SharedAck> acks;
  for (const std::string& filter : std::exchange(inbox->filters, {})) {
    const bool last = self->router_.remove(filter, inbox);
    if (!last || self->ended_) continue;
    const Client::Sent sent = self->wire_->client().unsubscribe(filter);
    if (sent.refusal != Refusal::kNone) break;
    acks.push_back(self->expect_ack(sent.id));
  }
  if (self->wire_) self->wire_->flush();
  for (const SharedAck& ack : acks) {
    co_await ack->done.wait_until(self->context_.timers, deadline);
  }
}

// ---- delivering ----

Task<void> Core::pump(Self self, std::shared_ptr<Inbox> inbox, sdk::Sink& sink) {
  while (true) {
    while (inbox->messages.empty() && !inbox->closed) {
      const auto changed = std::make_shared<Event>(self->context_.executor);
      inbox->changed = changed;
      co_await changed->wait();
    }
    if (inbox->messages.empty()) break;
    const std::vector<SharedMessage>& messages = self->router_.take(*inbox);
    std::vector<Record> records;
    records.reserve(messages.size());
    for (const SharedMessage& message : messages) {
      records.push_back(to_record(*message, inbox->format));
    }
    Batch batch = Batch::of(std::move(records));
    const Result<void> taken = co_await sink.deliver(std::move(batch));
    if (taken) {
      self->router_.accepted(*inbox);
      self->wire_->settle();
    } else {
      // What was not accepted is not acknowledged. Cancelled: nobody wants more, either.
      self->router_.refused(*inbox);
      if (taken.error().error_class == ErrorClass::kCancelled) self->drop(inbox);
      self->note_orphans();
    }
    self->resume_reading();
  }
  inbox->finished = true;
  inbox->wake();
}

Task<void> Core::wait_until_drained(Self self, std::shared_ptr<Inbox> inbox, SteadyTime deadline) {
  while (!inbox->finished) {
    if (!inbox->changed) inbox->changed = std::make_shared<Event>(self->context_.executor);
    const auto changed = inbox->changed;
    const bool in_time = co_await changed->wait_until(self->context_.timers, deadline);
    if (!in_time) break;
  }
}

Task<void> Core::cancel(Self self, std::shared_ptr<Inbox> inbox, SteadyTime deadline) {
  if (!self->aborted_) co_await send_unsubscribes(self, inbox, deadline);
  inbox->closed = true;
  inbox->wake();
  co_await wait_until_drained(self, inbox, deadline);
  self->drop(inbox);
  self->resume_reading();
}

}  // namespace tributary::connectors::mqtt
