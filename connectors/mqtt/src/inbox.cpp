#include "connectors/mqtt/src/inbox.hpp"

#include <algorithm>

#include "connectors/mqtt/src/topic.hpp"

namespace tributary::connectors::mqtt {
namespace {

void hold(const Message& message) {
  if (message.delivery) ++message.delivery->holders;
}
void release(const Message& message) {
  if (message.delivery) --message.delivery->holders;
}

void add_once(std::vector<std::shared_ptr<Inbox>>& all, const Filter& filter) {
  for (const auto& inbox : filter.users) {
    if (std::ranges::find(all, inbox) == all.end()) all.push_back(inbox);
  }
}

}  // namespace

const Filter& Router::add(const std::string& filter, int qos, const std::shared_ptr<Inbox>& inbox) {
  Filter& entry = filters_[filter];
  if (entry.identifier == 0) entry.identifier = next_identifier_++;
  entry.qos = std::max(entry.qos, qos);
  entry.users.push_back(inbox);
  return entry;
}

bool Router::remove(const std::string& filter, const std::shared_ptr<Inbox>& inbox) {
  const auto found = filters_.find(filter);
  if (found == filters_.end()) return false;
  std::erase(found->second.users, inbox);
  if (!found->second.users.empty()) return false;
  filters_.erase(found);
  return true;
}

std::vector<std::shared_ptr<Inbox>> Router::receivers(const Message& message) const {
  std::vector<std::shared_ptr<Inbox>> all;
  const bool named = !message.subscription_ids.empty();
  for (const auto& [text, filter] : filters_) {
    const bool belongs = named ? std::ranges::find(message.subscription_ids, filter.identifier) !=
                                     message.subscription_ids.end()
                               : matches(text, message.topic);
    if (belongs) add_once(all, filter);
  }
  return all;
}

bool Router::put(const std::shared_ptr<Inbox>& inbox, const SharedMessage& message) {
  if (inbox->closed) return false;
  hold(*message);
  inbox->messages.push_back(message);
  ++messages_;
  bytes_ += message->bytes();
  inbox->wake();
  return true;
}

void Router::dispatch(SharedMessage message, Keep keep) {
  const auto all = receivers(*message);
  bool claimed = false;
  for (const auto& inbox : all) claimed = put(inbox, message) || claimed;
  // Those who want it have stopped taking; that nobody else wants it does not make it superfluous.
  const bool refused = !claimed && !all.empty();
  if (keep == Keep::kForLater && kept_.size() < kMaxKept && kept_bytes_ < kMaxWaitingBytes) {
    const bool held = !claimed || !kept_settled_;
    if (held) hold(*message);
    kept_bytes_ += message->bytes();
    kept_.push_back({std::move(message), claimed, held});
  } else if (!claimed && (refused || keep == Keep::kOrphan) && message->delivery &&
             orphans_.size() < kMaxKept) {
    hold(*message);
    orphans_.push_back({std::move(message), refused});
  } else if (!claimed) {
    ++unwanted_;
  }
}

void Router::claim_kept(const std::shared_ptr<Inbox>& inbox) {
  const auto wanted = [&inbox](const SharedMessage& message) {
    return std::ranges::any_of(inbox->filters, [&message](const std::string& filter) {
      return matches(filter, message->topic);
    });
  };
  for (Kept& kept : kept_) {
    if (!wanted(kept.message) || !put(inbox, kept.message)) continue;
    kept.claimed = true;
    if (kept.held && kept_settled_) {
      kept.held = false;
      release(*kept.message);
    }
  }
  std::erase_if(orphans_, [&](const Orphan& orphan) {
    if (!wanted(orphan.message) || !put(inbox, orphan.message)) return false;
    release(*orphan.message);
    return true;
  });
}

void Router::settle_kept() {
  kept_settled_ = true;
  for (Kept& kept : kept_) {
    if (!kept.claimed || !kept.held) continue;
    kept.held = false;
    release(*kept.message);
  }
}

void Router::drop_kept() {
  for (const Kept& kept : kept_) {
    if (kept.held) release(*kept.message);
    if (!kept.claimed) ++unwanted_;
  }
  kept_.clear();
  kept_bytes_ = 0;
}

bool Router::full(std::size_t factor) const {
  return messages_ >= factor * kMaxWaitingMessages || bytes_ >= factor * kMaxWaitingBytes;
}

const std::vector<SharedMessage>& Router::take(Inbox& inbox) {
  std::vector<SharedMessage>& batch = inbox.delivering;
  std::size_t bytes = 0;
  while (!inbox.messages.empty() && batch.size() < kMaxBatchMessages && bytes < kMaxBatchBytes) {
    bytes += inbox.messages.front()->bytes();
    batch.push_back(std::move(inbox.messages.front()));
    inbox.messages.pop_front();
  }
  return batch;
}

void Router::accepted(Inbox& inbox) {
  for (const SharedMessage& message : inbox.delivering) {
    --messages_;
    bytes_ -= message->bytes();
    release(*message);
  }
  inbox.delivering.clear();
}

void Router::leave(const SharedMessage& message) {
  --messages_;
  bytes_ -= message->bytes();
  // It is held on, by nobody in particular.
  if (message->delivery) orphans_.push_back({message, true});
}

void Router::refused(Inbox& inbox) {
  for (const SharedMessage& message : inbox.delivering) leave(message);
  inbox.delivering.clear();
}

void Router::drop(Inbox& inbox) {
  for (const SharedMessage& message : inbox.messages) leave(message);
  inbox.messages.clear();
}

std::size_t Router::bury_orphans(bool forgive) {
  std::size_t parked = 0;
  for (const Orphan& orphan : orphans_) {
    release(*orphan.message);
    if (!orphan.refused || forgive) continue;
    if (!std::exchange(orphan.message->delivery->parked, true)) ++parked;
  }
  orphans_.clear();
  return parked;
}

}  // namespace tributary::connectors::mqtt
