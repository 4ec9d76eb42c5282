// A sink that remembers what it was given, and can be told to accept nothing for a while.
#pragma once

#include <memory>
#include <vector>

#include "runtime/event.hpp"
#include "sdk/connector.hpp"

namespace tributary::test {

class RecordingSink final : public sdk::Sink {
 public:
  explicit RecordingSink(Executor executor) : executor_(executor) {}
  Task<Result<void>> deliver(Batch batch) override {
    ++deliveries;
    if (const auto stall = stall_) co_await stall->wait();
    if (refusal) co_return fail(*refusal);
    ++batches;
    for (const Record& record : batch.records()) records.push_back(record);
    co_return Result<void>{};
  }
  void stall() { stall_ = std::make_shared<Event>(executor_); }
  void release() {
    if (stall_) stall_->set();
    stall_.reset();
  }
  std::vector<Record> records;
  std::size_t deliveries = 0;    // begun
  std::size_t batches = 0;       // accepted
  std::optional<Error> refusal;  // of every batch

 private:
  Executor executor_;
  std::shared_ptr<Event> stall_;
};

}  // namespace tributary::test
