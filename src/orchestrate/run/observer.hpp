// Somebody who watches a batch on its way, and may call it off. On the pipeline's executor.
#pragma once

#include "orchestrate/nodes/node.hpp"
#include "orchestrate/run/statistics.hpp"

namespace tributary::orchestrate {

class BatchObserver {
 public:
  virtual ~BatchObserver() = default;
  // A batch comes to a node.
  virtual void entered(std::size_t /*node*/, const Items& /*items*/) {}
  // A record leaves a node by one of its ports.
  virtual void left(std::size_t /*node*/, std::size_t /*port*/, const Record& /*record*/) {}
  // A record fails in a node, whatever becomes of it there.
  virtual void failed(std::size_t /*node*/, const Record& /*record*/, const Error& /*error*/) {}
  // The batch has passed the node.
  virtual void done(std::size_t /*node*/, const NodeCounts& /*counts*/, Duration /*took*/) {}
  // True once the run is called off: functions are not called any more, and what is on its way is
  // dropped and counted so.
  virtual bool cancelled() const { return false; }
  // Somebody looks at every record, and may call the run off between two of them: they are called
  // one by one.
  virtual bool is_watching() const { return false; }
};

}  // namespace tributary::orchestrate
