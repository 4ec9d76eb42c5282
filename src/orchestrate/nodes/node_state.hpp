// What a node keeps between two batches: documents by key, in the order of their keys. In a
// pipeline with a durable destination every change is on disk together with the batch that made it,
// so that nothing that was acknowledged to the source is lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/json.hpp"

namespace tributary::orchestrate {

constexpr std::string_view kHeldPrefix = "h:";

class NodeState {
 public:
  using Entries = std::map<std::string, Json, std::less<>>;

  const Json* find(std::string_view key) const;
  void put(std::string key, Json value);
  // The document to change in place; null when there is none. Counts as changed.
  Json* edit(std::string_view key);
  void erase(std::string_view key);
  // Takes a document out; null when there is none.
  Json take(std::string_view key);
  // The first key that begins with a prefix; null when there is none.
  const Entries::value_type* first(std::string_view prefix) const;
  const Entries& entries() const { return entries_; }

  // As it was read from disk: no change. Counts the bytes that are held.
  void restore(std::string key, Json value);
  // Keys that were put or erased since the last call.
  std::set<std::string> take_changes() { return std::exchange(changed_, {}); }
  // They could not be written down: they count as changed again.
  void add_changes(std::set<std::string> keys) { changed_.merge(keys); }

  // Records that are held here: part of the pipeline's sum until they are let go. Documents whose
  // key begins with kHeldPrefix say in `bytes` how large theirs are.
  std::int64_t held = 0;
  std::int64_t held_bytes = 0;

 private:
  Entries entries_;
  std::set<std::string> changed_;
};

}  // namespace tributary::orchestrate
