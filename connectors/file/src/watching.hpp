// file.watch, the side of the session: when to look, what to read, and one sink that takes it. What
// a sink has not accepted is not read on.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "connectors/file/src/session.hpp"

namespace tributary::connectors::file {

struct Watcher {
  Watcher(Shared state_, std::shared_ptr<const WatchOperation> operation_, sdk::Sink& sink_);

  bool over() const { return ended || state->over().has_value(); }
  // Something happened below the folder, or may have.
  void stir();
  // Nothing is delivered any more, but for the batch that the sink has.
  void end() noexcept;

  Shared state;
  const std::shared_ptr<const WatchOperation> operation;
  sdk::Sink& sink;
  // inotify, for the lane; -1 where there is none. Shared: a job may be late.
  std::shared_ptr<const Handle> events;
  asio::posix::basic_stream_descriptor<Executor> listening;  // the same, for the loop
  // Files that were found and may not be complete: since when they are as they are, and when they
  // may be read.
  struct Waiting {
    FileState state;
    SteadyTime due;
  };
  std::map<std::string, Waiting> waiting;
  std::set<std::string> told;  // what trouble was told about
  std::shared_ptr<Event> stirred;
  std::shared_ptr<Event> ending;
  std::shared_ptr<Event> finished;
  bool ended = false;
};

// Watches until the subscription is cancelled or the session ends.
std::unique_ptr<sdk::Subscription> start_watching(Shared state, const WatchOperation& operation,
                                                  sdk::Sink& sink);

}  // namespace tributary::connectors::file
