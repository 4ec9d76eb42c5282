#include "connectors/opcua/src/publisher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "connectors/opcua/src/conditions.hpp"
#include "connectors/opcua/src/definitions.hpp"
#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/notification.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "connectors/opcua/src/types.hpp"
#include "runtime/log.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kSubscribing = "subscribing";
constexpr Duration kFirstRetry = std::chrono::seconds{5};
constexpr Duration kLongestRetry = std::chrono::seconds{60};
// A publish request waits at the server until there is something to say.
constexpr Duration kPublishPatience = std::chrono::hours{1};
constexpr double kSilenceFactor = 1.5;
constexpr Duration kSilenceSlack = std::chrono::seconds{1};
constexpr std::uint32_t kLifetimeFactor = 10;  // times the keep-alive count
// A subscription that the session before this one watched and nobody took over within this time is
// not wanted any more.
constexpr Duration kTakeOver = std::chrono::seconds{30};
// Refusals of publish requests in a row that are taken for a race with the end
// of another subscription.
constexpr int kMostRefusals = 3;

std::uint32_t keep_alive_count(const SubscribeSettings& settings) {
  const double count =
      static_cast<double>(settings.keep_alive_ms) / settings.publishing_interval_ms;
  return static_cast<std::uint32_t>(std::clamp(std::round(count), 1.0, 1e6));
}

// Publishing intervals without a sign of us after which the server forgets a subscription: not
// before it forgets the session.
std::uint32_t lifetime_count(const SubscribeSettings& settings, std::int64_t session_timeout_ms) {
  const double session = static_cast<double>(session_timeout_ms) / settings.publishing_interval_ms;
  const std::uint32_t alive = keep_alive_count(settings);
  return std::max(alive * kLifetimeFactor,
                  alive + static_cast<std::uint32_t>(std::clamp(std::ceil(session), 1.0, 1e7)));
}

UA_DataChangeTrigger trigger_of(SubscribeSettings::Trigger trigger) {
  switch (trigger) {
    case SubscribeSettings::Trigger::kStatus:
      return UA_DATACHANGETRIGGER_STATUS;
    case SubscribeSettings::Trigger::kStatusValueTimestamp:
      return UA_DATACHANGETRIGGER_STATUSVALUETIMESTAMP;
    default:
      return UA_DATACHANGETRIGGER_STATUSVALUE;
  }
}

void set_filter(UA_MonitoringParameters& parameters, const SubscribeSettings& settings) {
  const bool plain = settings.trigger == SubscribeSettings::Trigger::kStatusValue &&
                     settings.deadband_type == SubscribeSettings::DeadbandType::kNone;
  if (plain) return;
  auto* filter = UA_DataChangeFilter_new();
  filter->trigger = trigger_of(settings.trigger);
  filter->deadbandType = static_cast<UA_UInt32>(settings.deadband_type);  // 0, 1, 2, as in part 4
  filter->deadbandValue = settings.deadband;
  UA_ExtensionObject_setValue(&parameters.filter, filter, &UA_TYPES[UA_TYPES_DATACHANGEFILTER]);
}

void fill_item(UA_MonitoredItemCreateRequest& item, UA_NodeId& id, std::uint32_t point,
               const SubscribeSettings& settings) {
  std::swap(item.itemToMonitor.nodeId, id);
  item.itemToMonitor.attributeId = UA_ATTRIBUTEID_VALUE;
  item.monitoringMode = UA_MONITORINGMODE_REPORTING;
  item.requestedParameters.clientHandle = point;
  item.requestedParameters.samplingInterval =
      settings.sampling_interval_ms.value_or(settings.publishing_interval_ms);
  item.requestedParameters.queueSize = static_cast<UA_UInt32>(settings.queue_size);
  item.requestedParameters.discardOldest = settings.discard == SubscribeSettings::Discard::kOldest;
  set_filter(item.requestedParameters, settings);
}

Sample refused_sample(std::uint32_t point, Quality quality, Error error) {
  Sample sample;
  sample.point = point;
  sample.quality = quality;
  sample.error = std::make_shared<const Error>(std::move(error));
  return sample;
}

Batch refusals_of(Feed& feed, UtcTime now) {
  auto refusals = std::exchange(feed.refusals, {});
  if (feed.events) return refusal_batch(feed, refusals, now);
  Scan scan;
  scan.points = feed.nodes.names;
  scan.receive_time = now;
  scan.samples = std::move(refusals);
  return Batch::of(std::move(scan));
}

}  // namespace

void Publisher::lost(const Shared& state, Error error) {
  if (state->ended || !state->client) return;
  if (const auto tell = std::exchange(state->client->on_lost, nullptr)) tell(std::move(error));
}

Task<Result<void>> Publisher::add_leg(Shared state, std::shared_ptr<Feed> feed,
                                      SteadyTime deadline) {
  Owned<UA_CreateSubscriptionRequest> request;
  request->requestedPublishingInterval = feed->settings.publishing_interval_ms;
  request->requestedMaxKeepAliveCount = keep_alive_count(feed->settings);
  request->requestedLifetimeCount =
      lifetime_count(feed->settings, state->settings.session_timeout_ms);
  request->maxNotificationsPerPublish = kMostPerNotification;
  request->publishingEnabled = true;
  auto made = co_await Client::ask<UA_CreateSubscriptionResponse>(state->client, std::move(request),
                                                                  kSubscribing, deadline);
  if (!made) co_return fail(std::move(made.error()));
  Leg leg;
  leg.id = (*made)->subscriptionId;
  const double silence =
      (*made)->revisedPublishingInterval * (*made)->revisedMaxKeepAliveCount * kSilenceFactor;
  leg.silence = std::chrono::duration_cast<Duration>(
                    std::chrono::duration<double, std::milli>(std::clamp(silence, 0.0, 1e9))) +
                kSilenceSlack;
  leg.heard = state->context.timers.now();
  feed->legs.push_back(leg);
  const auto publisher = state->publisher;
  publisher->by_leg_[leg.id] = feed;
  publisher->keep_publishing(state);
  co_return Result<void>{};
}

Task<Result<void>> Publisher::add_items(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                                        std::vector<std::uint32_t> points, SteadyTime deadline) {
  if (feed->events) co_return co_await watch_events(state, feed, leg, deadline);
  std::vector<std::uint32_t> asked;
  std::vector<Owned<UA_NodeId>> ids;
  for (const std::uint32_t point : points) {
    auto id = resolve(*feed->nodes.ids[point], state->namespaces);
    if (id) {
      asked.push_back(point);
      ids.push_back(*std::move(id));
      continue;
    }
    feed->refused.push_back(point);
    feed->refusals.push_back(
        refused_sample(point, Quality(UA_STATUSCODE_BADNODEIDUNKNOWN), std::move(id.error())));
  }
  for (std::size_t begin = 0; begin < asked.size();) {
    const std::size_t count = part_of(asked.size(), begin, state->limits.items);
    Owned<UA_CreateMonitoredItemsRequest> request;
    request->subscriptionId = leg;
    request->timestampsToReturn = UA_TIMESTAMPSTORETURN_BOTH;
    request->itemsToCreate = new_array<UA_MonitoredItemCreateRequest>(
        count, UA_TYPES[UA_TYPES_MONITOREDITEMCREATEREQUEST]);
    request->itemsToCreateSize = count;
    for (std::size_t i = 0; i < count; ++i)
      fill_item(request->itemsToCreate[i], *ids[begin + i], asked[begin + i], feed->settings);
    auto made = co_await Client::ask<UA_CreateMonitoredItemsResponse>(
        state->client, std::move(request), kSubscribing, deadline);
    if (!made) co_return fail(std::move(made.error()));
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t status = i < (*made)->resultsSize ? (*made)->results[i].statusCode
                                                            : UA_STATUSCODE_BADUNEXPECTEDERROR;
      if (status == UA_STATUSCODE_GOOD) continue;
      const std::uint32_t point = asked[begin + i];
      feed->refused.push_back(point);
      feed->refusals.push_back(refused_sample(
          point, Quality(status), node_error(status, "Watching", feed->nodes.ids[point]->text)));
    }
    begin += count;
  }
  co_return Result<void>{};
}

// Where one subscription may not watch them all, the rest goes into another.
Task<Result<void>> Publisher::add_all(Shared state, std::shared_ptr<Feed> feed,
                                      std::vector<std::uint32_t> points, SteadyTime deadline) {
  const auto is_full = [](const Sample& sample) {
    return sample.quality.status_code() == UA_STATUSCODE_BADTOOMANYMONITOREDITEMS;
  };
  for (;;) {
    if (feed->legs.empty()) {
      const auto made = co_await add_leg(state, feed, deadline);
      if (!made) co_return made;
    }
    const std::uint32_t leg = feed->legs.back().id;
    const std::size_t asked = points.size();
    const auto added = co_await add_items(state, feed, leg, std::move(points), deadline);
    if (!added) co_return added;
    points.clear();
    for (const Sample& sample : feed->refusals) {
      if (is_full(sample)) points.push_back(sample.point);
    }
    // A fresh subscription that takes nothing: the server is full.
    if (points.empty() || points.size() == asked) co_return Result<void>{};
    const auto made = co_await add_leg(state, feed, deadline);
    if (!made) co_return Result<void>{};
    std::erase_if(feed->refusals, is_full);
    std::erase_if(feed->refused, [&points](std::uint32_t point) {
      return std::ranges::find(points, point) != points.end();
    });
  }
}

Task<Result<std::shared_ptr<Feed>>> Publisher::subscribe(Shared state, std::shared_ptr<Feed> feed,
                                                         SteadyTime deadline) {
  const auto named = co_await learn_enumerations(state, feed->nodes.ids, deadline);
  if (!named) co_return fail(named.error());
  feed->retry_in = kFirstRetry;
  const auto resumed = co_await resume(state, feed, deadline);
  if (!resumed) co_return fail(resumed.error());
  Result<void> added{};
  if (!*resumed) {
    std::vector<std::uint32_t> points(feed->nodes.size());
    for (std::uint32_t i = 0; i < points.size(); ++i) points[i] = i;
    added = co_await add_all(state, feed, std::move(points), deadline);
  }
  if (!added) {
    state->publisher->drop(feed);
    std::vector<std::uint32_t> legs;
    for (const Leg& leg : feed->legs) legs.push_back(leg.id);
    if (!is_connection_error(added.error().error_class))
      co_await remove(state, std::move(legs), deadline);
    co_return fail(std::move(added.error()));
  }
  if (state->ended) co_return fail(cancelled());
  const SteadyTime now = state->context.timers.now();
  if (!feed->refused.empty()) feed->retry_at = now + feed->retry_in;
  // A server that has just taken a hundred thousand nodes has not had the time to say more.
  for (Leg& leg : feed->legs) leg.heard = now;
  spawn(state->context.executor, pump(state, feed));
  co_return feed;
}

Task<void> Publisher::remove(Shared state, std::vector<std::uint32_t> legs, SteadyTime deadline) {
  if (legs.empty() || !state->client || !state->client->is_open()) co_return;
  Owned<UA_DeleteSubscriptionsRequest> request;
  request->subscriptionIds = new_array<UA_UInt32>(legs.size(), UA_TYPES[UA_TYPES_UINT32]);
  request->subscriptionIdsSize = legs.size();
  std::ranges::copy(legs, request->subscriptionIds);
  const std::string_view what = "unsubscribing";
  const auto done = co_await Client::ask<UA_DeleteSubscriptionsResponse>(
      state->client, std::move(request), what, deadline);
  static_cast<void>(done);
}

Task<void> Publisher::cancel(Shared state, std::shared_ptr<Feed> feed, SteadyTime deadline) {
  std::vector<std::uint32_t> legs;
  for (const Leg& leg : feed->legs) legs.push_back(leg.id);
  if (state->publisher) state->publisher->drop(feed);
  if (!state->ended) co_await remove(state, std::exchange(legs, {}), deadline);
  while (!feed->finished) {
    if (!feed->changed) feed->changed = std::make_shared<Event>(state->context.executor);
    const auto changed = feed->changed;
    const bool in_time = co_await changed->wait_until(state->context.timers, deadline);
    if (!in_time) co_return;
  }
}

void Publisher::drop(const std::shared_ptr<Feed>& feed) noexcept {
  feed->closed = true;
  feed->waiting.clear();
  feed->waiting_values = 0;
  for (const Leg& leg : feed->legs) by_leg_.erase(leg.id);
  feed->wake();
}

void Publisher::end() noexcept {
  ended_ = true;
  for (const auto& [id, feed] : std::exchange(by_leg_, {})) {
    feed->closed = true;
    feed->waiting.clear();
    feed->wake();
  }
}

// Two for each subscription wait at the server, so that one is there while the
// other is on its way.
void Publisher::keep_publishing(const Shared& state) {
  const std::size_t wanted = std::min(2 * by_leg_.size(), most_publishing_);
  while (publishing_ < wanted && !ended_) {
    ++publishing_;
    spawn(state->context.executor, publish(state));
  }
}

Task<void> Publisher::publish(Shared state) {
  const auto self = state->publisher;
  int refusals = 0;
  while (!self->ended_ && !self->by_leg_.empty() && self->publishing_ <= self->most_publishing_) {
    Owned<UA_PublishRequest> request;
    const auto accepted = std::exchange(self->accepted_, {});
    request->subscriptionAcknowledgementsSize = accepted.size();
    if (!accepted.empty()) {
      request->subscriptionAcknowledgements = new_array<UA_SubscriptionAcknowledgement>(
          accepted.size(), UA_TYPES[UA_TYPES_SUBSCRIPTIONACKNOWLEDGEMENT]);
    }
    for (std::size_t i = 0; i < accepted.size(); ++i) {
      request->subscriptionAcknowledgements[i] = {accepted[i].leg, accepted[i].sequence};
    }
    const std::string_view what = "waiting for values";
    const SteadyTime patience = state->context.timers.now() + kPublishPatience;
    auto response =
        co_await Client::ask<UA_PublishResponse>(state->client, std::move(request), what, patience);
    if (self->ended_) break;
    if (response) {
      refusals = 0;
      self->take(state, *std::move(response));
      continue;
    }
    const std::string& code = response.error().code;
    const bool too_many = code == "bad_too_many_publish_requests";
    if (too_many && self->publishing_ > 1) {
      self->most_publishing_ = self->publishing_ - 1;
      break;
    }
    if ((too_many || code == "bad_no_subscription") && ++refusals <= kMostRefusals) continue;
    if (!self->by_leg_.empty()) {
      Error error = std::move(response.error());
      error.error_class = ErrorClass::kTransient;
      self->lost(state, std::move(error));
    }
    break;
  }
  --self->publishing_;
}

void Publisher::take(const Shared& state, Owned<UA_PublishResponse> response) {
  const std::uint32_t id = response->subscriptionId;
  const SteadyTime now = state->context.timers.now();
  const auto found = by_leg_.find(id);
  if (found == by_leg_.end()) {
    // Of the session before this one. What it says stays at the server for whom takes it over.
    if (now - state->opened < kTakeOver) return;
    std::erase_if(state->kept.feeds, [id](const KeptFeed& kept) {
      return std::ranges::find(kept.legs, id, &Leg::id) != kept.legs.end();
    });
    spawn(state->context.executor, remove(state, {id}, now + kTakeOver));
    return;
  }
  const auto feed = found->second;
  const auto leg = std::ranges::find(feed->legs, id, &Leg::id);
  leg->heard = now;
  if (std::exchange(leg->taken_over, 0) > 0) acknowledge_old(*leg, *response);
  Message message{id, std::move(response), 0};
  message.values = count_values(message.response->notificationMessage);
  feed->waiting_values += message.values;
  feed->waiting.push_back(std::move(message));
  feed->wake();
  if (feed->waiting_values < kMostWaiting || leg->paused) return;
  spawn(state->context.executor, set_sending(state, feed, false));
}

// What the session before this one has accepted, but not said so.
void Publisher::acknowledge_old(const Leg& leg, const UA_PublishResponse& response) {
  for (std::size_t i = 0; i < response.availableSequenceNumbersSize; ++i) {
    const std::uint32_t number = response.availableSequenceNumbers[i];
    const bool said = std::ranges::any_of(accepted_, [&leg, number](const Acknowledgement& each) {
      return each.leg == leg.id && each.sequence == number;
    });
    if (number < leg.next_sequence && !said) accepted_.push_back({leg.id, number});
  }
}

Task<void> Publisher::set_sending(Shared state, std::shared_ptr<Feed> feed, bool on) {
  Owned<UA_SetPublishingModeRequest> request;
  request->publishingEnabled = on;
  request->subscriptionIds = new_array<UA_UInt32>(feed->legs.size(), UA_TYPES[UA_TYPES_UINT32]);
  request->subscriptionIdsSize = feed->legs.size();
  for (std::size_t i = 0; i < feed->legs.size(); ++i) {
    request->subscriptionIds[i] = feed->legs[i].id;
    feed->legs[i].paused = !on;
  }
  const std::string_view what = "pausing a subscription";
  const SteadyTime deadline =
      state->context.timers.now() + std::chrono::milliseconds(state->settings.request_timeout_ms);
  const auto done = co_await Client::ask<UA_SetPublishingModeResponse>(
      state->client, std::move(request), what, deadline);
  static_cast<void>(done);
}

// False: nobody wants more.
Task<bool> Publisher::deliver(Shared state, std::shared_ptr<Feed> feed, Message message) {
  const auto find = [&feed, &message] {
    return std::ranges::find(feed->legs, message.leg, &Leg::id);
  };
  const UA_NotificationMessage& content_of = message.response->notificationMessage;
  if (find() == feed->legs.end()) co_return true;
  const std::uint32_t number = content_of.sequenceNumber;
  const bool says_something = content_of.notificationDataSize > 0;
  // A sign of life has the number of the message that will come next.
  if (number > find()->next_sequence) {
    const bool filled = co_await fill_gap(state, feed, message.leg, number);
    if (!filled || feed->closed) co_return false;
  }
  if (const auto ended = end_of(content_of)) {
    state->publisher->lost(state,
                           {ErrorClass::kTransient, "subscription_lost",
                            fmt::format("The server ended a subscription: {}", status_name(*ended)),
                            "It is made anew."});
    co_return false;
  }
  // It came again already, when it was asked for.
  if (says_something && number < find()->next_sequence) {
    feed->waiting_values -= std::min(feed->waiting_values, message.values);
    co_return true;
  }
  Batch batch = co_await to_batch(state, feed, &content_of);
  feed->waiting_values -= std::min(feed->waiting_values, message.values);
  if (feed->closed) co_return false;
  if (batch.size() > 0) {
    feed->gap = false;
    const auto taken = co_await feed->sink->deliver(std::move(batch));
    if (!taken || feed->closed) co_return false;
  }
  if (says_something) {
    find()->next_sequence = number + 1;
    state->publisher->accepted_.push_back({message.leg, number});
  }
  const bool paused = std::ranges::any_of(feed->legs, &Leg::paused);
  if (paused && feed->waiting_values < kMostWaiting / 2) co_await set_sending(state, feed, true);
  co_return true;
}

// What was refused may exist by now: a server that has just started loads its
// nodes later.
Task<void> Publisher::retry(Shared state, std::shared_ptr<Feed> feed) {
  const auto points = std::exchange(feed->refused, {});
  feed->refusals.clear();
  const SteadyTime deadline =
      state->context.timers.now() + std::chrono::milliseconds(state->settings.request_timeout_ms);
  const auto read = co_await read_namespaces(state, deadline);
  if (!read || feed->closed) co_return;
  auto added = co_await learn_enumerations(state, feed->nodes.ids, deadline);
  if (added && !feed->closed) added = co_await add_all(state, feed, points, deadline);
  if (!added) feed->refused = points;
  feed->retry_in = std::min(feed->retry_in * 2, kLongestRetry);
  feed->retry_at =
      feed->refused.empty() ? SteadyTime::max() : state->context.timers.now() + feed->retry_in;
}

Task<void> Publisher::pump(Shared state, std::shared_ptr<Feed> feed) {
  bool wanted = true;
  while (wanted && !feed->closed) {
    if (feed->missed) {
      wanted = co_await catch_up(state, feed);
      continue;
    }
    if (feed->events && feed->events->refresh) {
      co_await refresh_conditions(state, feed);
      continue;
    }
    if (!feed->refusals.empty()) {
      Batch batch = refusals_of(*feed, state->context.clock.utc_now());
      const auto taken = co_await feed->sink->deliver(std::move(batch));
      wanted = taken.has_value();
      continue;
    }
    if (!feed->waiting.empty()) {
      Message message = std::move(feed->waiting.front());
      feed->waiting.pop_front();
      wanted = co_await deliver(state, feed, std::move(message));
      continue;
    }
    const SteadyTime now = state->context.timers.now();
    if (now >= feed->retry_at) {
      co_await retry(state, feed);
      continue;
    }
    SteadyTime look = feed->retry_at;
    for (const Leg& leg : feed->legs) look = std::min(look, leg.heard + leg.silence);
    if (std::ranges::any_of(feed->legs,
                            [now](const Leg& leg) { return now >= leg.heard + leg.silence; })) {
      state->publisher->lost(state, {ErrorClass::kTransient, "subscription_silent",
                                     "The server gives no sign of life of a "
                                     "subscription, although the connection stands",
                                     "It is made anew. If it happens again, the "
                                     "server is overloaded or defective."});
      break;
    }
    if (!feed->changed) feed->changed = std::make_shared<Event>(state->context.executor);
    const auto changed = feed->changed;
    const bool woken = co_await changed->wait_until(state->context.timers, look);
    static_cast<void>(woken);
  }
  feed->finished = true;
  feed->wake();
}

}  // namespace tributary::connectors::opcua
