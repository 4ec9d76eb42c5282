// What nodes hold in a pipeline with a durable destination is on disk together with the batch that
// brought it: a stop or a kill does not lose it.
#include "nodes_support.hpp"

namespace tributary::orchestrate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Holder {
  std::string_view type;
  std::string_view settings;
  std::string_view in;
  std::int64_t held;
  std::string_view after;  // what is written, without $meta, after a restart and a second
};

constexpr Holder kHolders[] = {
    {"buffer", R"({"maxAgeMs": 1000})", R"([{"a": 1}, {"a": 2}])", 2, R"([{"a":1},{"a":2}])"},
    {"buffer", R"({"maxAgeMs": 1000, "as": "list", "key": "{{ $input.k }}"})",
     R"([{"k": 1, "$meta": null}])", 1, R"([{"items":[{"k":1,"$meta":null}],"count":1,"key":1}])"},
    {"wait", R"({"delayMs": 1000})", R"([{"a": 1}, {"a": 2}])", 2, R"([{"a":1},{"a":2}])"},
    {"deadband", R"({"minIntervalMs": 1000})", R"([{"a": 1}, {"a": 2}])", 1,
     R"([{"a":1},{"a":2}])"},
    {"aggregate",
     R"({"sizeMs": 1000, "time": "arrival", "fields": [{"name": "sum", "function": "sum", "value": "{{ $input.a }}"},
         {"name": "median", "function": "median", "value": "{{ $input.a }}"}]})",
     R"([{"a": 1}, {"a": 2}])", 2, R"([{"sum":3,"median":1.5}])"},
};

std::string document(const Holder& holder) {
  return fmt::format(R"({{"name": "x", "nodes": [
    {{"id": "t", "type": "trigger.function", "settings": {{"functionId": "sub"}}}},
    {{"id": "n", "type": "{}", "settings": {}}},
    {{"id": "d", "type": "function", "settings": {{"functionId": "write"}}, "delivery": {{"mode": "durable"}}}}],
    "edges": [{{"from": "t", "to": "n"}}, {{"from": "n", "to": "d"}}]}})",
                     holder.type, holder.settings);
}

std::string written(const FakePort& first, const FakePort& second) {
  Json records = json_array();
  for (const FakePort* port : {&first, &second}) {
    for (const Call& call : port->calls) {
      Json record = call.parameters.at("payload");
      record.erase("$meta");
      records.push_back(std::move(record));
    }
  }
  return to_text(records);
}

TEST(Held, StaysOverAStopAndGoesOnAfterwards) {
  for (const Holder& holder : kHolders) {
    SCOPED_TRACE(holder.settings);
    ManualClock disk_clock;
    MemorySpool disk(disk_clock);
    RunnerWorld before(disk);
    before.start(document(holder));
    before.deliver(holder.in);
    before.stop();
    EXPECT_EQ(before.last.flow.held, holder.held);
    EXPECT_EQ(before.last.flow.dropped, 0);
    RunnerWorld after(disk);
    after.start(document(holder));
    EXPECT_EQ(after.snapshot().flow.in, holder.held);
    EXPECT_EQ(after.snapshot().flow.held, holder.held);
    after.advance(seconds(1));
    EXPECT_EQ(written(before.port, after.port), holder.after);
    const Snapshot now = after.snapshot();
    EXPECT_EQ(now.flow.held, 0);
    EXPECT_EQ(after.node(now, "n").held, 0);
    EXPECT_TRUE(now.flow.adds_up());
  }
}

TEST(Held, IsOnDiskWhenTheSourceIsAcknowledged) {
  for (const Holder& holder : kHolders) {
    SCOPED_TRACE(holder.settings);
    ManualClock disk_clock;
    MemorySpool disk(disk_clock);
    RunnerWorld killed(disk);
    killed.start(document(holder));
    const auto acknowledged = killed.deliver(holder.in);
    ASSERT_TRUE(acknowledged->has_value() && (*acknowledged)->has_value());
    // Nothing of it runs from here on.
    RunnerWorld after(disk);
    after.start(document(holder));
    after.advance(seconds(1));
    EXPECT_EQ(written(killed.port, after.port), holder.after);
    EXPECT_EQ(after.snapshot().flow.held, 0);
  }
}

TEST(Held, ARefusedCommitKeepsTheBatchWithItsSource) {
  RunnerWorld world;
  world.start(document(kHolders[0]));
  world.spool.refusal = Error(ErrorClass::kInternal, "disk_full", "The disk is full.");
  const auto result = world.deliver(R"([{"a": 1}])");
  world.advance(milliseconds(500));
  EXPECT_FALSE(result->has_value());
  world.spool.refusal.reset();
  world.advance(seconds(5));
  ASSERT_TRUE(result->has_value() && (*result)->has_value());
  EXPECT_EQ(world.port.calls.size(), 1u);
}

}  // namespace
}  // namespace tributary::orchestrate
