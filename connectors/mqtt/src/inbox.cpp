#include "connectors/mqtt/src/inbox.hpp"

#include <algorithm>

#include "connectors/mqtt/src/topic.hpp"

namespace tributary::connectors::mqtt {
namespace {

constexpr std::size_t kMaxKept = 1000;

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

void Router::put(const std::shared_ptr<Inbox>& inbox, const SharedMessage& message) {
  if (inbox->closed) return;
  inbox->messages.push_back(message);
  ++messages_;
  bytes_ += message->bytes();
  inbox->wake();
}

void Router::dispatch(SharedMessage message, bool keep) {
  const auto all = receivers(*message);
  for (const auto& inbox : all) put(inbox, message);
  if (keep && kept_.size() < kMaxKept && kept_bytes_ < kMaxWaitingBytes) {
    kept_bytes_ += message->bytes();
    kept_.push_back(std::move(message));
  } else if (all.empty()) {
    ++unwanted_;
  }
}

void Router::claim_kept(const std::shared_ptr<Inbox>& inbox) {
  for (const SharedMessage& message : kept_) {
    const bool wanted = std::ranges::any_of(
        inbox->filters, [&](const std::string& filter) { return matches(filter, message->topic); });
    if (wanted) put(inbox, message);
  }
}

void Router::drop_kept() {
  kept_.clear();
  kept_bytes_ = 0;
}

bool Router::full(std::size_t factor) const {
  return messages_ >= factor * kMaxWaitingMessages || bytes_ >= factor * kMaxWaitingBytes;
}

std::vector<SharedMessage> Router::take(Inbox& inbox) {
  std::vector<SharedMessage> batch;
  std::size_t bytes = 0;
  while (!inbox.messages.empty() && batch.size() < kMaxBatchMessages && bytes < kMaxBatchBytes) {
    bytes += inbox.messages.front()->bytes();
    batch.push_back(std::move(inbox.messages.front()));
    inbox.messages.pop_front();
  }
  inbox.delivering = batch.size();
  inbox.delivering_bytes = bytes;
  return batch;
}

void Router::accepted(Inbox& inbox) {
  messages_ -= inbox.delivering;
  bytes_ -= inbox.delivering_bytes;
  inbox.delivering = 0;
  inbox.delivering_bytes = 0;
}

void Router::drop(Inbox& inbox) {
  for (const SharedMessage& message : inbox.messages) bytes_ -= message->bytes();
  messages_ -= inbox.messages.size();
  inbox.messages.clear();
}

}  // namespace tributary::connectors::mqtt
