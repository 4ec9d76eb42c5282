// What a subscription has missed: messages that were lost on their way, and the time between two
// sessions (OPC 10000-4, 6.7: reactivate, transfer, make anew).
#include <fmt/format.h>
#include <open62541/nodeids.h>

#include <algorithm>

#include "connectors/opcua/src/errors.hpp"
#include "connectors/opcua/src/notification.hpp"
#include "connectors/opcua/src/reading.hpp"
#include "runtime/log.hpp"

namespace tributary::connectors::opcua {
namespace {

constexpr std::string_view kResuming = "taking a subscription over";
// Beyond this many lost messages the server has forgotten them anyway.
constexpr std::uint32_t kMostRepublished = 100;
// Sessions that took a subscription over and never heard of it: then it is not worth another one.
constexpr int kMostTakenOver = 2;

SteadyTime request_deadline(const State& state) {
  return state.context.timers.now() + std::chrono::milliseconds(state.settings.request_timeout_ms);
}

// Whether both watch the same.
bool is_alike(const Feed& a, const Feed& b) {
  if (a.settings != b.settings || (a.events == nullptr) != (b.events == nullptr)) return false;
  return !a.events || a.events->selection.settings == b.events->selection.settings;
}

std::optional<KeptFeed> take_kept(State& state, const Feed& feed) {
  const auto found = std::ranges::find_if(
      state.kept.feeds, [&feed](const KeptFeed& kept) { return is_alike(*kept.feed, feed); });
  if (found == state.kept.feeds.end()) return std::nullopt;
  KeptFeed kept = std::move(*found);
  state.kept.feeds.erase(found);
  return kept;
}

// The server has no such subscription, or not for us; anything else is said about the service.
bool is_gone(UA_StatusCode status) {
  return status == UA_STATUSCODE_BADSUBSCRIPTIONIDINVALID ||
         status == UA_STATUSCODE_BADNOSUBSCRIPTION || status == UA_STATUSCODE_BADUSERACCESSDENIED;
}

void set_resend(UA_CallMethodRequest& call, std::uint32_t leg) {
  call.objectId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER);
  call.methodId = UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER_RESENDDATA);
  call.inputArguments = new_array<UA_Variant>(1, UA_TYPES[UA_TYPES_VARIANT]);
  call.inputArgumentsSize = 1;
  UA_Variant_setScalarCopy(call.inputArguments, &leg, &UA_TYPES[UA_TYPES_UINT32]);
}

}  // namespace

std::vector<KeptFeed> Publisher::leave() const {
  std::vector<KeptFeed> kept;
  for (const auto& [id, feed] : by_leg_) {
    const bool known = std::ranges::any_of(
        kept, [&feed = feed](const KeptFeed& each) { return each.feed == feed; });
    if (known) continue;
    kept.push_back({feed, feed->legs});
    const bool useless = std::ranges::any_of(
        feed->legs, [](const Leg& leg) { return leg.taken_over >= kMostTakenOver; });
    if (useless) kept.back().legs.clear();
  }
  return kept;
}

// The session is the one before: its subscriptions are there, and say what is true now. `feed`
// learns when the server cannot make them do so.
Task<Result<bool>> Publisher::reawake(Shared state, std::shared_ptr<Feed> feed,
                                      const std::vector<Leg>& legs, SteadyTime deadline) {
  Owned<UA_CallRequest> request;
  request->methodsToCall =
      new_array<UA_CallMethodRequest>(legs.size(), UA_TYPES[UA_TYPES_CALLMETHODREQUEST]);
  request->methodsToCallSize = legs.size();
  for (std::size_t i = 0; i < legs.size(); ++i) set_resend(request->methodsToCall[i], legs[i].id);
  const auto response =
      co_await Client::ask<UA_CallResponse>(state->client, std::move(request), kResuming, deadline);
  if (!response && response.error().error_class != ErrorClass::kFunction)
    co_return fail(response.error());
  feed->look = !response;
  for (std::size_t i = 0; response && i < (*response)->resultsSize; ++i) {
    const UA_StatusCode status = (*response)->results[i].statusCode;
    if (is_gone(status)) co_return false;
    if (status != UA_STATUSCODE_GOOD) feed->look = true;
  }
  co_return true;
}

// The session is a new one, but the server may have kept what the old one watched.
Task<Result<bool>> Publisher::transfer(Shared state, const std::vector<Leg>& legs,
                                       SteadyTime deadline) {
  Owned<UA_TransferSubscriptionsRequest> request;
  request->sendInitialValues = true;
  request->subscriptionIds = new_array<UA_UInt32>(legs.size(), UA_TYPES[UA_TYPES_UINT32]);
  request->subscriptionIdsSize = legs.size();
  std::ranges::transform(legs, request->subscriptionIds, &Leg::id);
  const auto response = co_await Client::ask<UA_TransferSubscriptionsResponse>(
      state->client, std::move(request), kResuming, deadline);
  if (!response && response.error().error_class != ErrorClass::kFunction)
    co_return fail(response.error());
  if (!response || (*response)->resultsSize != legs.size()) co_return false;
  const std::span<const UA_TransferResult> results{(*response)->results, legs.size()};
  const bool all = std::ranges::all_of(results, [](const UA_TransferResult& result) {
    return result.statusCode == UA_STATUSCODE_GOOD;
  });
  if (!all) {
    std::vector<std::uint32_t> some;
    for (std::size_t i = 0; i < legs.size(); ++i) {
      if (results[i].statusCode == UA_STATUSCODE_GOOD) some.push_back(legs[i].id);
    }
    co_await remove(state, std::move(some), deadline);
  }
  co_return all;
}

Task<Result<bool>> Publisher::resume(Shared state, std::shared_ptr<Feed> feed,
                                     SteadyTime deadline) {
  auto kept = take_kept(*state, *feed);
  if (!kept) co_return false;
  Result<bool> there = false;
  if (!kept->legs.empty()) {
    there = state->client->resumed() ? co_await reawake(state, feed, kept->legs, deadline)
                                     : co_await transfer(state, kept->legs, deadline);
  }
  if (!there) {
    state->kept.feeds.push_back(*std::move(kept));
    co_return fail(there.error());
  }
  if (!*there) {
    feed->gap = true;
    feed->look = false;
    log::warning(
        "opcua",
        "The server has forgotten a subscription: what came between the loss of the session "
        "and now is missing.",
        {{"endpoint", state->settings.endpoint_url}});
    co_return false;
  }
  feed->legs = std::move(kept->legs);
  feed->refused = kept->feed->refused;
  feed->gap = kept->feed->gap;
  feed->missed = true;
  if (feed->events) {
    // What is true now is asked of the conditions, once what was missed has come.
    feed->look = false;
    feed->events->refused = kept->feed->events->refused;
    feed->events->replaying = kept->feed->events->replaying;
    feed->events->refresh = feed->events->selection.conditions;
  }
  bool paused = false;
  for (Leg& leg : feed->legs) {
    leg.heard = state->context.timers.now();
    ++leg.taken_over;
    paused = paused || leg.paused;
    state->publisher->by_leg_[leg.id] = feed;
  }
  if (paused) spawn(state->context.executor, set_sending(state, feed, true));
  state->publisher->keep_publishing(state);
  co_return true;
}

Task<Publisher::Missed> Publisher::republish(Shared state, std::shared_ptr<Feed> feed,
                                             std::uint32_t leg) {
  const auto place = [&feed, leg] { return std::ranges::find(feed->legs, leg, &Leg::id); };
  const std::uint32_t number = place()->next_sequence;
  Owned<UA_RepublishRequest> request;
  request->subscriptionId = leg;
  request->retransmitSequenceNumber = number;
  const std::string_view what = "asking for a missing message";
  const SteadyTime deadline = request_deadline(*state);
  auto again =
      co_await Client::ask<UA_RepublishResponse>(state->client, std::move(request), what, deadline);
  if (feed->closed) co_return Missed::kEnd;
  if (!again && again.error().code == "bad_message_not_available") co_return Missed::kGone;
  if (!again) {
    Error error = std::move(again.error());
    error.error_class = ErrorClass::kTransient;
    state->publisher->lost(state, std::move(error));
    co_return Missed::kEnd;
  }
  Batch batch = co_await to_batch(state, feed, &(*again)->notificationMessage);
  if (feed->closed) co_return Missed::kEnd;
  if (batch.size() > 0) {
    feed->gap = false;
    const auto taken = co_await feed->sink->deliver(std::move(batch));
    if (!taken) co_return Missed::kEnd;
  }
  place()->next_sequence = number + 1;
  state->publisher->accepted_.push_back({leg, number});
  co_return feed->closed ? Missed::kEnd : Missed::kTold;
}

// Messages with the numbers from next_sequence to `until` never came: the server may still have
// them.
Task<bool> Publisher::fill_gap(Shared state, std::shared_ptr<Feed> feed, std::uint32_t leg,
                               std::uint32_t until) {
  const auto place = [&feed, leg] { return std::ranges::find(feed->legs, leg, &Leg::id); };
  log::warning("opcua", "Messages of a subscription are missing; they are asked for again.",
               {{"subscription", std::to_string(leg)},
                {"from", std::to_string(place()->next_sequence)},
                {"to", std::to_string(until - 1)}});
  if (until - place()->next_sequence > kMostRepublished) {
    feed->gap = true;
    place()->next_sequence = until - kMostRepublished;
  }
  while (place()->next_sequence < until) {
    const Missed missed = co_await republish(state, feed, leg);
    if (missed == Missed::kEnd) co_return false;
    if (missed == Missed::kTold) continue;
    feed->gap = true;
    ++place()->next_sequence;
  }
  co_return true;
}

Task<bool> Publisher::catch_up(Shared state, std::shared_ptr<Feed> feed) {
  feed->missed = false;
  std::size_t messages = 0;
  for (std::size_t i = 0; i < feed->legs.size(); ++i) {
    for (;;) {
      const Missed missed = co_await republish(state, feed, feed->legs[i].id);
      if (missed == Missed::kEnd) co_return false;
      if (missed == Missed::kGone) break;
      ++messages;
    }
  }
  log::info("opcua", "A subscription goes on where it was before the connection was lost.",
            {{"endpoint", state->settings.endpoint_url},
             {"messagesSentAgain", std::to_string(messages)}});
  // What was refused must be said again.
  if (!feed->refused.empty()) feed->retry_at = state->context.timers.now();
  if (!std::exchange(feed->look, false)) co_return true;
  co_return co_await tell_current(state, feed);
}

// What did not change meanwhile comes from nowhere else, at a server that cannot resend it.
Task<bool> Publisher::tell_current(Shared state, std::shared_ptr<Feed> feed) {
  const ReadOperation reading(feed->nodes, 0);
  const auto requests = static_cast<Duration::rep>(reading.round_trips());
  const SteadyTime deadline =
      state->context.timers.now() +
      requests * std::chrono::milliseconds(state->settings.request_timeout_ms);
  auto batch = co_await read_nodes(state, reading, deadline);
  if (feed->closed) co_return false;
  if (!batch) {
    state->publisher->lost(state, std::move(batch.error()));
    co_return false;
  }
  const auto taken = co_await feed->sink->deliver(*std::move(batch));
  co_return taken && !feed->closed;
}

}  // namespace tributary::connectors::opcua
