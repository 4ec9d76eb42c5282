// What is told of a stream of changes, so that a flapping link neither floods nor lies. Pure: time
// comes in with every call. One for each connection (or alarm) that somebody watches.
//
// The two rules, for triggers and notices alike:
// - `hold`: a condition is told only when it has held that long. One that ends earlier, and the
//   return to the condition before it, are not told.
// - `debounce`: at most one telling in this time. What comes meanwhile is held back; the newest of
//   it is told at the end, with the number of those that were not. What is no longer true by then
//   is not told at all, only counted.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/time.hpp"

namespace tributary::connect {

struct DigestRule {
  Duration hold{};
  Duration debounce{};
};

// A state as the digest sees it. Several states may be one condition: an outage that goes from
// Disconnected to Reconnecting and back has held all the time.
struct DigestState {
  int state = 0;
  int condition = 0;
  friend bool operator==(const DigestState&, const DigestState&) = default;
};

template <typename News>
class ChangeDigest {
 public:
  struct Told {
    News news;
    std::int64_t suppressed = 0;  // matching changes since the last telling that were not told
  };

  // `start`: what holds before the first change; nobody needs to be told of that.
  ChangeDigest(DigestRule rule, DigestState start)
      : rule_(rule), current_(start), settled_(start.condition), told_{start.state} {}

  // The state is now another one. `matches`: somebody wants to hear of this change.
  void change(SteadyTime now, DigestState to, bool matches, News news) {
    if (to == current_) return;
    if (to.condition != current_.condition) {
      settle(now);
      since_ = now;
      pending_.reset();  // over before it could be told
    }
    current_ = to;
    if (!matches) return;
    ++untold_;
    pending_ = Pending{to.state, std::move(news)};
  }

  // When take() has something to say, unless a change comes before.
  std::optional<SteadyTime> due() const {
    if (!pending_ || known(pending_->state)) return std::nullopt;
    SteadyTime when = since_ ? *since_ + rule_.hold : SteadyTime::min();
    if (last_told_) when = std::max(when, *last_told_ + rule_.debounce);
    return when;
  }

  std::optional<Told> take(SteadyTime now) {
    const auto when = due();
    if (!when || *when > now) return std::nullopt;
    settle(now);
    told_.insert(pending_->state);
    last_told_ = now;
    Told told{std::move(pending_->news), std::exchange(untold_, 0) - 1};
    pending_.reset();
    return told;
  }

  // A digest made anew from here would tell the same.
  bool at_rest(SteadyTime now) const {
    const bool held = !since_ || now - *since_ >= rule_.hold;
    return !pending_ && held && (!last_told_ || now - *last_told_ >= rule_.debounce);
  }

 private:
  struct Pending {
    int state = 0;
    News news;
  };

  // The present condition counts as the one to return to once it has held.
  void settle(SteadyTime now) {
    if (since_ && now - *since_ < rule_.hold) return;
    if (current_.condition != settled_) told_.clear();
    settled_ = current_.condition;
  }
  // Without a hold every change counts. With one, each state is told once while its condition
  // holds: a long outage is not news with every attempt.
  bool known(int state) const {
    return rule_.hold > Duration::zero() && current_.condition == settled_ && told_.contains(state);
  }

  DigestRule rule_;
  DigestState current_;
  std::optional<SteadyTime> since_;  // of the condition; nullopt: since before we looked
  int settled_;                      // the condition that held last
  std::set<int> told_;               // states told while it holds
  std::optional<Pending> pending_;
  std::optional<SteadyTime> last_told_;
  std::int64_t untold_ = 0;
};

// Many digests with one rule, by name.
template <typename News>
class DigestSet {
 public:
  using Told = ChangeDigest<News>::Told;

  explicit DigestSet(DigestRule rule) : rule_(rule) {}

  // `from`: what held before; a name that was not heard of yet starts with it.
  void change(SteadyTime now, const std::string& name, DigestState from, DigestState to,
              bool matches, News news) {
    const auto found = digests_.try_emplace(name, rule_, from).first;
    unlist(found->first);
    found->second.digest.change(now, to, matches, std::move(news));
    list(found->first);
  }
  std::optional<SteadyTime> due() const {
    return dues_.empty() ? std::nullopt : std::optional(dues_.begin()->first);
  }
  // The next telling that is due; call it until there is none.
  std::optional<Told> take(SteadyTime now) {
    if (dues_.empty() || dues_.begin()->first > now) return std::nullopt;
    const std::string name = dues_.begin()->second;
    unlist(name);
    auto told = digests_.find(name)->second.digest.take(now);
    list(name);
    return told;
  }
  void forget(const std::string& name) {
    if (!digests_.contains(name)) return;
    unlist(name);
    digests_.erase(name);
  }
  // Lets go of those that are at rest.
  void prune(SteadyTime now) {
    std::erase_if(digests_, [now](const auto& entry) { return entry.second.digest.at_rest(now); });
  }
  std::size_t size() const { return digests_.size(); }

 private:
  struct Entry {
    Entry(DigestRule rule, DigestState start) : digest(rule, start) {}
    ChangeDigest<News> digest;
    std::optional<SteadyTime> listed;
  };

  void list(const std::string& name) {
    Entry& entry = digests_.find(name)->second;
    entry.listed = entry.digest.due();
    if (entry.listed) dues_.emplace(*entry.listed, name);
  }
  void unlist(const std::string& name) {
    Entry& entry = digests_.find(name)->second;
    if (entry.listed) dues_.erase({*entry.listed, name});
    entry.listed.reset();
  }

  DigestRule rule_;
  std::map<std::string, Entry> digests_;
  std::set<std::pair<SteadyTime, std::string>> dues_;
};

}  // namespace tributary::connect
