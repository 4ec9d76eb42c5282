#include "api/stream_client.hpp"

namespace tributary::api {
namespace {

StreamClient::Outgoing message(std::int64_t id, std::int64_t seq, std::string_view type,
                               Json data) {
  Json json = json_object();
  json["id"] = id;
  json["seq"] = seq;
  json["type"] = std::string(type);
  json["data"] = std::move(data);
  return {std::string(type), to_text(json)};
}

StreamClient::Outgoing gap_message(std::int64_t id) {
  Json json = json_object();
  json["id"] = id;
  json["type"] = "gap";
  return {"gap", to_text(json)};
}

Json take_samples(std::map<std::string, Json>& samples) {
  Json list = json_array();
  for (auto& [point, sample] : samples) list.push_back(std::move(sample));
  samples.clear();
  Json data = json_object();
  data["samples"] = std::move(list);
  return data;
}

}  // namespace

bool StreamClient::subscribe(std::int64_t id, Topic topic) {
  if (subscriptions_.size() >= kMaxSubscriptions || subscriptions_.contains(id)) return false;
  subscriptions_[id].topic = std::move(topic);
  wake();
  return true;
}

void StreamClient::unsubscribe(std::int64_t id) {
  subscriptions_.erase(id);
}

void StreamClient::reply_error(std::int64_t id, const Problem& problem) {
  if (replies_.size() >= kMaxReplies) return;
  Json error = json_object();
  error["code"] = problem.code;
  error["message"] = problem.detail;
  Json json = json_object();
  json["id"] = id;
  json["type"] = "error";
  json["error"] = std::move(error);
  replies_.push_back({"error", to_text(json)});
  wake();
}

void StreamClient::enqueue(Subscription& subscription, Json delta) {
  // The snapshot that is still to come will show it.
  if (subscription.needs_snapshot) return;
  if (subscription.pending.size() >= kMaxPending) {
    overflow(subscription);
  } else {
    subscription.pending.push_back(std::move(delta));
  }
  wake();
}

void StreamClient::overflow(Subscription& subscription) {
  subscription.pending.clear();
  subscription.samples.clear();
  subscription.gap = true;
  subscription.needs_snapshot = true;
}

void StreamClient::push_values(const std::string& function_id, const ValuesFeed::Update& update) {
  for (auto& [id, subscription] : subscriptions_) {
    const Topic& topic = subscription.topic;
    if (topic.kind != Topic::Kind::kValues || topic.function_id != function_id ||
        subscription.needs_snapshot)
      continue;
    for (const Scan& scan : update.scans) {
      const Sample& sample = scan.samples.front();
      subscription.samples.insert_or_assign(scan.name_of(sample), to_json(scan, sample, topic.big));
    }
    if (update.lost_records) overflow(subscription);
    if (!update.records.empty() && !subscription.needs_snapshot) {
      Json data = json_object();
      data["records"] =
          Json(jsoncons::json_array_arg, update.records.begin(), update.records.end());
      enqueue(subscription, std::move(data));
    }
    wake();
  }
}

void StreamClient::drop_function(const std::string& function_id, const Problem& problem) {
  std::vector<std::int64_t> gone;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.topic.kind == Topic::Kind::kValues &&
        subscription.topic.function_id == function_id) {
      gone.push_back(id);
    }
  }
  for (std::int64_t id : gone) {
    subscriptions_.erase(id);
    reply_error(id, problem);
  }
}

// Round robin: a busy subscription does not starve the others.
std::optional<std::variant<StreamClient::Outgoing, StreamClient::SnapshotNeeded>>
StreamClient::next(SteadyTime now) {
  if (!replies_.empty()) {
    Outgoing reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }
  auto at = subscriptions_.upper_bound(last_served_);
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
    if (at == subscriptions_.end()) at = subscriptions_.begin();
    if (auto found = next_of(at->first, at->second, now)) {
      last_served_ = at->first;
      return found;
    }
    ++at;
  }
  return std::nullopt;
}

std::optional<std::variant<StreamClient::Outgoing, StreamClient::SnapshotNeeded>>
StreamClient::next_of(std::int64_t id, Subscription& subscription, SteadyTime now) {
  if (std::exchange(subscription.gap, false)) return gap_message(id);
  if (subscription.needs_snapshot) {
    if (subscription.next_snapshot && now < *subscription.next_snapshot) return std::nullopt;
    subscription.next_snapshot = now + kSnapshotEvery;
    // From here on deltas count: the snapshot is made after this, so nothing falls between the two.
    subscription.needs_snapshot = false;
    return SnapshotNeeded{id, subscription.topic};
  }
  if (!subscription.pending.empty()) {
    Json delta = std::move(subscription.pending.front());
    subscription.pending.pop_front();
    return message(id, ++subscription.seq, "delta", std::move(delta));
  }
  if (!subscription.samples.empty()) {
    return message(id, ++subscription.seq, "delta", take_samples(subscription.samples));
  }
  return std::nullopt;
}

std::optional<SteadyTime> StreamClient::next_due() const {
  std::optional<SteadyTime> due;
  for (const auto& [id, subscription] : subscriptions_) {
    if (!subscription.needs_snapshot || !subscription.next_snapshot) continue;
    due = std::min(due.value_or(*subscription.next_snapshot), *subscription.next_snapshot);
  }
  return due;
}

StreamClient::Outgoing StreamClient::put_snapshot(std::int64_t id, Json data) {
  auto found = subscriptions_.find(id);
  const std::int64_t seq = found == subscriptions_.end() ? 1 : ++found->second.seq;
  return message(id, seq, "snapshot", std::move(data));
}

Task<void> StreamClient::wait(Timers& timers, SteadyTime deadline) {
  if (closed_) co_return;
  if (!waiting_) waiting_ = std::make_shared<Event>(executor_);
  auto event = waiting_;
  co_await event->wait_until(timers, deadline);
}

void StreamClient::wake() {
  if (waiting_) std::exchange(waiting_, nullptr)->set();
}

void StreamClient::close() {
  closed_ = true;
  wake();
}

std::vector<std::string> StreamClient::functions() const {
  std::vector<std::string> ids;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.topic.kind == Topic::Kind::kValues)
      ids.push_back(subscription.topic.function_id);
  }
  return ids;
}

bool StreamClient::listens_to(Topic::Kind kind) const {
  return std::ranges::any_of(subscriptions_,
                             [kind](const auto& entry) { return entry.second.topic.kind == kind; });
}

}  // namespace tributary::api
