// What makes a pipeline's batches durable: writes what its destinations are promised, and what its
// nodes hold, in one commit; owns the couriers. Lives on the pipeline's executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrate/delivery/courier.hpp"
#include "orchestrate/model/plan.hpp"

namespace tributary::orchestrate {

// What a batch leaves for one destination.
struct Outbox {
  std::size_t node = 0;  // place in the plan
  std::vector<spool::Entry> entries;
};

class Desk {
 public:
  // `stopping` is set when the pipeline stops.
  Desk(const Plan& plan, CourierContext context, Event& stopping);
  ~Desk();

  // Gives the nodes back what they held, starts the couriers, and makes dead letters of what waits
  // for destinations that the pipeline does not have any more.
  Task<void> open(std::vector<NodeState>& states);
  // Resumes when everything is on disk. With `patient` it waits until there is room, or the
  // pipeline stops. Errors: those of Spool::commit; kCancelled "pipeline_stopped".
  Task<Result<void>> keep(std::vector<Outbox> outboxes, std::vector<NodeState>& states,
                          bool patient);
  Task<void> close();

  // The connection is there again.
  void connected(const std::string& connection_id);
  // Dead letters of a queue were released.
  void released();
  // Why the last batch cannot be kept; absent when it could. Any thread.
  std::optional<Error> trouble() const;
  // By place in the plan; null for nodes without a queue. Any thread.
  const Courier* courier(std::size_t node) const;

 private:
  Task<Result<std::vector<spool::Appended>>> commit(const spool::Commit& commit, bool patient);
  Task<void> bury_orphans();
  Task<void> bury(spool::QueueId queue);
  void set_trouble(std::optional<Error> error);

  const Plan& plan_;
  CourierContext context_;
  Event& stopping_;
  std::vector<std::shared_ptr<Courier>> couriers_;
  std::vector<std::int64_t> kept_held_;  // NodeState::held as it is on disk
  mutable std::mutex mutex_;
  std::optional<Error> trouble_;
};

}  // namespace tributary::orchestrate
