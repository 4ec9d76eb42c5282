// What the spool keeps, in what order, and how it counts.
#include "spool/spool.hpp"

#include <gmock/gmock.h>
#include <thread>

#include "spool/format.hpp"
#include "spool/tests/support.hpp"

namespace tributary::spool {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> numbered(int from, int to, std::size_t size = 0) {
  std::vector<std::string> payloads;
  for (int i = from; i <= to; ++i) {
    payloads.push_back(std::to_string(i));
    payloads.back().resize(std::max(size, payloads.back().size()), '.');
  }
  return payloads;
}

// ---- keeping ----

TEST_F(SpoolTest, WhatIsCommittedIsReadInOrderWithNumbersWithoutGaps) {
  EXPECT_EQ(commit(one_append({"a", "b"}))[0].first_seq, 1);
  EXPECT_EQ(commit(one_append({"c"}))[0].first_seq, 3);
  const auto found = read();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[2].seq, 3);
  EXPECT_EQ(found[2].payload, "c");
  EXPECT_EQ(found[0].at, entry("").at);
  EXPECT_THAT(waiting(), ElementsAre("a", "b", "c"));
}

TEST_F(SpoolTest, ReadingBeginsBehindANumberAndIsBoundedInEntriesAndBytes) {
  commit(one_append({"aaaa", "bbbb", "cccc"}));
  commit(one_append({"dddd"}));
  EXPECT_EQ(read(1, 2).size(), 2U);
  EXPECT_EQ(read(1, 2)[0].payload, "bbbb");
  EXPECT_EQ(read(0, 10, 9).size(), 2U);
  EXPECT_EQ(read(0, 10, 1).size(), 1U) << "the first is given whatever its size";
  EXPECT_EQ(read(3)[0].payload, "dddd");
  EXPECT_THAT(read(4), IsEmpty());
}

TEST_F(SpoolTest, QueuesDoNotMix) {
  const QueueId other{"p1", "d2"};
  commit(one_append({"a"}));
  commit(one_append({"x", "y"}, other));
  settle(up_to(1), other);
  EXPECT_THAT(waiting(), ElementsAre("a"));
  EXPECT_THAT(waiting(other), ElementsAre("y"));
  EXPECT_EQ(wait(spool_->queues("p1"))->size(), 2U);
  EXPECT_THAT(*wait(spool_->queues("p2")), IsEmpty());
}

TEST_F(SpoolTest, EverythingIsThereAfterARestart) {
  commit(one_append(numbered(1, 5)));
  settle(up_to(2));
  const QueueStats before = stats();
  open();
  EXPECT_THAT(waiting(), ElementsAre("3", "4", "5"));
  const QueueStats after = stats();
  EXPECT_EQ(after.accepted, 5);
  EXPECT_EQ(after.delivered, 2);
  EXPECT_EQ(after.bytes, 3);
  EXPECT_EQ(after.oldest_at, before.oldest_at);
  EXPECT_EQ(after.accepted_before_start, 5);
  EXPECT_EQ(before.accepted_before_start, 0);
  EXPECT_EQ(commit(one_append({"6"}))[0].first_seq, 6) << "numbers are never used again";
}

TEST_F(SpoolTest, SettlingInTheMiddleOfAnAppendLeavesTheRest) {
  commit(one_append(numbered(1, 100, 50)));
  settle(up_to(37));
  EXPECT_EQ(read()[0].seq, 38);
  EXPECT_EQ(stats().waiting, 63);
  EXPECT_EQ(stats().bytes, 63 * 50);
  settle(up_to(10));
  EXPECT_EQ(stats().delivered, 37) << "what was settled before stays as it was";
  settle(up_to(1000));
  EXPECT_EQ(stats().delivered, 100);
  EXPECT_EQ(stats().bytes, 0);
  EXPECT_FALSE(stats().oldest_at);
  EXPECT_THAT(waiting(), IsEmpty());
}

// What is live passes what waits; the rest keeps its order and its numbers.
TEST_F(SpoolTest, Edge_37_EntriesCanLeaveBehindOthersThatWait) {
  commit(one_append({"1", "2", "3", "4", "5"}));
  commit(one_append({"6", "7"}));
  commit(one_append({"8"}));
  Settlement ahead = dies(6, {5});
  ahead.from = 4;
  for (int twice = 0; twice < 2; ++twice) {
    settle(ahead);  // the second time there is nothing left to settle
    for (int again = 0; again < 2; ++again) {
      EXPECT_THAT(waiting(), ElementsAre("1", "2", "3", "7", "8"));
      const QueueStats now = *wait(spool_->stats(kQueue));
      EXPECT_EQ(now.waiting, 5);
      EXPECT_EQ(now.bytes, 5);
      EXPECT_EQ(now.delivered, 2);
      EXPECT_EQ(now.dead, 1);
      EXPECT_EQ(now.last_seq, 8);
      open();
    }
  }
  settle(up_to(3));
  EXPECT_THAT(waiting(), ElementsAre("7", "8"));
  settle(up_to(8));
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_EQ(wait(spool_->stats(kQueue))->delivered, 7);
}

TEST_F(SpoolTest, TheRoomOfItsDiskIsKnown) {
  const auto room = spool_->room();
  ASSERT_TRUE(room.has_value());
  EXPECT_GT(room->free_bytes, 0);
  EXPECT_GE(room->disk_bytes, room->free_bytes);
  EXPECT_FALSE(room->trouble.has_value());
}

TEST_F(SpoolTest, TheOldestTimeIsThatOfTheOldestEntryThatWaits) {
  Commit commit = one_append({"a", "b", "c"});
  for (int i = 0; i < 3; ++i)
    commit.appends[0].entries[static_cast<std::size_t>(i)].at = from_micros(1000 * (i + 1));
  this->commit(commit);
  EXPECT_EQ(stats().oldest_at, from_micros(1000));
  settle(up_to(2));
  EXPECT_EQ(stats().oldest_at, from_micros(3000));
  EXPECT_EQ(read()[0].at, from_micros(3000));
}

TEST_F(SpoolTest, StatesAreStoredWithTheBatchAndCanGo) {
  Commit commit = one_append({"a"});
  commit.states = {{"n1", "k", "{\"a\":1}"}, {"n2", "k", "2"}};
  this->commit(commit);
  Commit change;
  change.pipeline = "p1";
  change.states = {{"n1", "k", std::nullopt}, {"n2", "k", "3"}};
  this->commit(change);
  open();
  const auto states = wait(spool_->states("p1"));
  ASSERT_TRUE(states);
  ASSERT_EQ(states->size(), 1U);
  EXPECT_EQ((*states)[0].node, "n2");
  EXPECT_EQ((*states)[0].value, "3");
}

TEST_F(SpoolTest, CommitsThatComeTogetherShareAFlushAndKeepTheirOrder) {
  asio::io_context context;
  std::vector<std::int64_t> firsts;
  const auto work = [](Spool& spool, std::vector<std::int64_t>& out) -> Task<void> {
    Commit next = one_append({"x"});
    auto done = co_await spool.commit(std::move(next));
    out.push_back(done ? (*done)[0].first_seq : -1);
  };
  for (int i = 0; i < 200; ++i)
    asio::co_spawn(context.get_executor(), work(*spool_, firsts), asio::detached);
  context.run();
  ASSERT_EQ(firsts.size(), 200U);
  for (std::int64_t i = 0; i < 200; ++i) EXPECT_EQ(firsts[static_cast<std::size_t>(i)], i + 1);
}

// ---- bounds ----

TEST_F(SpoolTest, AFullQueueThatBlocksTakesNothingOfACommit) {
  const Bounds bounds{100, WhenFull::kBlock};
  commit(one_append({std::string(60, 'a')}, kQueue, bounds));
  Commit both = one_append({std::string(41, 'b')}, kQueue, bounds);
  both.appends.push_back(one_append({"c"}, {"p1", "d2"}).appends[0]);
  both.states = {{"n1", "k", "1"}};
  EXPECT_EQ(code_of(wait(spool_->commit(both))), "spool_full");
  EXPECT_EQ(stats().accepted, 1);
  EXPECT_EQ(stats({"p1", "d2"}).accepted, 0);
  EXPECT_THAT(*wait(spool_->states("p1")), IsEmpty());
  settle(up_to(1));
  EXPECT_EQ(code_of(wait(spool_->commit(both))), "");
}

TEST_F(SpoolTest, ARecordLargerThanTheBoundPassesAnEmptyQueue) {
  for (const WhenFull policy : {WhenFull::kBlock, WhenFull::kDropOldest, WhenFull::kDropNewest}) {
    const QueueId queue{"p1", fmt::format("d{}", static_cast<int>(policy))};
    commit(one_append({std::string(200, 'a')}, queue, {100, policy}));
    EXPECT_EQ(stats(queue).waiting, 1);
  }
}

TEST_F(SpoolTest, DropOldestDropsWholeEntriesAndCountsThem) {
  const Bounds bounds{50, WhenFull::kDropOldest};
  commit(one_append(numbered(1, 5, 10), kQueue, bounds));
  const Appended more = commit(one_append(numbered(6, 7, 7), kQueue, bounds))[0];
  EXPECT_EQ(more.dropped_oldest, 2);
  EXPECT_EQ(more.first_seq, 6);
  EXPECT_EQ(read()[0].seq, 3);
  EXPECT_EQ(stats().dropped, 2);
  EXPECT_EQ(stats().bytes, 44);
  const Appended large = commit(one_append(numbered(8, 20, 10), kQueue, bounds))[0];
  EXPECT_EQ(large.dropped_oldest, 5 + 8) << "all that waited, and the front of the batch";
  EXPECT_EQ(large.accepted, 13);
  EXPECT_EQ(read()[0].seq, 16);
  EXPECT_EQ(stats().bytes, 50);
  EXPECT_EQ(stats().accepted, 20);
}

TEST_F(SpoolTest, DropNewestLeavesWhatWaitsAndCountsWhatCame) {
  const Bounds bounds{50, WhenFull::kDropNewest};
  const Appended first = commit(one_append(numbered(1, 8, 10), kQueue, bounds))[0];
  EXPECT_EQ(first.accepted, 5);
  EXPECT_EQ(first.dropped_newest, 3);
  EXPECT_EQ(stats().accepted, 8);
  EXPECT_EQ(stats().dropped, 3);
  EXPECT_EQ(stats().waiting, 5);
  settle(up_to(1));
  EXPECT_EQ(commit(one_append({"x"}, kQueue, bounds))[0].first_seq, 6);
}

TEST_F(SpoolTest, Edge_26_SizesAroundTheLimitAreTakenOrRefusedCleanly) {
  const Bounds bounds{1LL << 30, WhenFull::kBlock};
  for (const std::size_t size : {kMaxEntryBytes - 1, kMaxEntryBytes})
    commit(one_append({std::string(size, 'a')}, kQueue, bounds));
  for (const std::size_t size : {kMaxEntryBytes + 1, std::size_t{1} << 28}) {
    Commit large = one_append({"small", std::string(size, 'a')}, kQueue, bounds);
    const auto refused = wait(spool_->commit(std::move(large)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "record_too_large");
    EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction);
  }
  open();
  EXPECT_EQ(stats().waiting, 2);
  EXPECT_EQ(read()[1].payload.size(), kMaxEntryBytes);
}

TEST_F(SpoolTest, AQueueWithATooLongNameIsRefused) {
  const QueueId queue{"p1", std::string(kMaxQueueNameBytes, 'x')};
  EXPECT_EQ(code_of(wait(spool_->commit(one_append({"a"}, queue)))), "invalid_queue");
}

// ---- dead letters ----

TEST_F(SpoolTest, DeadLettersHaveEverythingAndSortByTime) {
  commit(one_append({"a", "b", "c"}));
  settle(dies(2, {2}));
  settle(dies(3, {3}));
  const auto found = letters();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].payload, "c") << "newest first";
  EXPECT_LT(found[1].id, found[0].id);
  EXPECT_EQ(found[1].payload, "b");
  EXPECT_EQ(found[1].queue, kQueue);
  EXPECT_EQ(found[1].attempts, 3);
  EXPECT_EQ(found[1].reason.code, "refused");
  EXPECT_EQ(found[1].reason.error_class, ErrorClass::kFunction);
  EXPECT_EQ(found[1].reason.hint, "Look.");
  EXPECT_EQ(found[1].accepted_at, entry("").at);
  EXPECT_EQ(stats().dead, 2);
  EXPECT_EQ(stats().dead_letters, 2);
  EXPECT_EQ(stats().delivered, 1);
  EXPECT_EQ(wait(spool_->dead_letters("p1", found[0].id, 10))->size(), 1U);
  EXPECT_EQ(wait(spool_->dead_letter("p1", found[0].id))->payload, "c");
  EXPECT_EQ(code_of(wait(spool_->dead_letter("p1", "nothing"))), "not_found");
  EXPECT_EQ(code_of(wait(spool_->dead_letter("p2", found[0].id))), "not_found");
}

TEST_F(SpoolTest, ReleasedLettersWaitAgainInTheOrderInWhichTheyWereAccepted) {
  commit(one_append(numbered(1, 4)));
  settle(dies(3, {3, 1}));
  EXPECT_EQ(*wait(spool_->release("p1", {})), 2);
  EXPECT_THAT(waiting(), ElementsAre("4", "1", "3"));
  EXPECT_EQ(stats().accepted, 6);
  EXPECT_EQ(stats().dead, 2);
  EXPECT_EQ(stats().dead_letters, 0);
  EXPECT_EQ(*wait(spool_->release("p1", {})), 0);
}

TEST_F(SpoolTest, AReleasedLetterKeepsWhenItWasAcceptedAndSaysWhenItWasReleased) {
  commit(one_append(numbered(1, 3)));
  EXPECT_EQ(read()[0].released_at, std::nullopt);
  settle(dies(3, {1, 2, 3}));
  const UtcTime before = clock_.utc_now() - std::chrono::seconds{1};
  EXPECT_EQ(*wait(spool_->release("p1", {})), 3);
  // The chunk is written anew, and the file is read by another process.
  settle(up_to(4));
  open();
  const auto released = read();
  ASSERT_EQ(released.size(), 2U);
  for (const Entry& each : released) {
    EXPECT_EQ(each.at, entry("").at);
    ASSERT_TRUE(each.released_at);
    EXPECT_GT(*each.released_at, before);
  }
  EXPECT_THAT(waiting(), ElementsAre("2", "3"));
  settle(dies(6, {6}));
  EXPECT_EQ(letters()[0].accepted_at, entry("").at);
  EXPECT_EQ(letters()[0].payload, "3");
}

TEST_F(SpoolTest, SomeLettersAreReleasedOrRemovedById) {
  commit(one_append(numbered(1, 3)));
  settle(dies(3, {1, 2, 3}));
  const auto found = letters();
  EXPECT_EQ(*wait(spool_->release("p1", {found[0].id, "nothing"})), 1);
  EXPECT_THAT(waiting(), ElementsAre("3"));
  EXPECT_EQ(*wait(spool_->remove("p1", {found[1].id})), 1);
  EXPECT_EQ(*wait(spool_->remove("p1", {found[1].id})), 0);
  EXPECT_EQ(*wait(spool_->remove("p1", {})), 1);
  EXPECT_THAT(letters(), IsEmpty());
  EXPECT_EQ(stats().dead_letters, 0);
}

TEST_F(SpoolTest, ReleasingMoreThanOneTransactionHoldsKeepsTheOrder) {
  const auto payloads = numbered(1, 30, 512 << 10);
  commit(one_append(payloads));
  std::vector<std::int64_t> all(30);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i + 1);
  settle(dies(30, all));
  EXPECT_EQ(*wait(spool_->release("p1", {})), 30);
  EXPECT_EQ(waiting(), payloads);
}

TEST_F(SpoolTest, DeadLettersAreBoundedPerPipeline) {
  open({.max_dead_letters = 2, .max_dead_letter_bytes = 100});
  commit(one_append(numbered(1, 5)));
  settle(dies(2, {1, 2}));
  const auto refused = wait(spool_->settle(kQueue, dies(4, {4})));
  EXPECT_EQ(code_of(refused), "dead_letters_full");
  EXPECT_EQ(stats().waiting, 3) << "nothing changed";
  commit(one_append({std::string(101, 'x')}, {"p2", "d1"}));
  EXPECT_EQ(code_of(wait(spool_->settle({"p2", "d1"}, dies(1, {1})))), "dead_letters_full");
  EXPECT_EQ(*wait(spool_->remove("p1", {})), 2);
  settle(dies(4, {4}));
  EXPECT_EQ(stats().dead_letters, 1);
}

// ---- forgetting ----

TEST_F(SpoolTest, AForgottenQueueCountsWhatWaitedAsDroppedAndKeepsItsNumbers) {
  commit(one_append(numbered(1, 3)));
  ASSERT_TRUE(wait(spool_->forget_queue(kQueue)));
  EXPECT_EQ(stats().dropped, 3);
  EXPECT_THAT(*wait(spool_->queues("p1")), IsEmpty());
  open();
  EXPECT_THAT(waiting(), IsEmpty());
  EXPECT_EQ(commit(one_append({"a"}))[0].first_seq, 4);
  EXPECT_EQ(wait(spool_->queues("p1"))->size(), 1U);
  settle(up_to(3));
  EXPECT_THAT(waiting(), ElementsAre("a"));
}

TEST_F(SpoolTest, AForgottenPipelineLeavesNothing) {
  Commit commit = one_append(numbered(1, 3));
  commit.states = {{"n1", "k", "1"}};
  this->commit(commit);
  settle(dies(1, {1}));
  ASSERT_TRUE(wait(spool_->forget_pipeline("p1")));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(*wait(spool_->queues("p1")), IsEmpty());
    EXPECT_THAT(*wait(spool_->states("p1")), IsEmpty());
    EXPECT_THAT(letters(), IsEmpty());
    EXPECT_EQ(stats().accepted, 0);
    EXPECT_THAT(waiting(), IsEmpty());
    open();
  }
  EXPECT_EQ(this->commit(one_append({"a"}))[0].first_seq, 1);
  EXPECT_THAT(waiting(), ElementsAre("a"));
}

TEST_F(SpoolTest, SettlingAQueueThatWasForgottenDoesNothing) {
  commit(one_append({"a"}));
  ASSERT_TRUE(wait(spool_->forget_pipeline("p1")));
  settle(dies(1, {1}));
  EXPECT_EQ(stats().accepted, 0);
}

// ---- size ----

std::uintmax_t bytes_on_disk(const std::string& dir) {
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(dir)) {
    if (file.path().filename() != "spool.reserve") bytes += file.file_size();
  }
  return bytes;
}

TEST_F(SpoolTest, TheFilesShrinkAfterALongOutage) {
  for (int i = 0; i < 60; ++i) commit(one_append({std::string(1 << 20, 'x')}));
  EXPECT_GT(bytes_on_disk(directory_.path()), 60U << 20);
  EXPECT_LT(bytes_on_disk(directory_.path()), 60U * 5 / 4 << 20)
      << "the write-ahead log is bounded";
  for (int i = 1; i <= 60; ++i) settle(up_to(i));
  const auto deadline = clock_.steady_now() + std::chrono::seconds{10};
  while (bytes_on_disk(directory_.path()) > 20U << 20 && clock_.steady_now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  EXPECT_LT(bytes_on_disk(directory_.path()), 20U << 20);
}

TEST_F(SpoolTest, Edge_32_ALongQueueIsReadByPages) {
  for (int i = 0; i < 40; ++i) commit(one_append(numbered(1, 4, 256 << 10)));
  open();
  std::int64_t after = 0;
  std::int64_t seen = 0;
  for (auto page = read(0, 100, 1U << 20); !page.empty(); page = read(after, 100, 1U << 20)) {
    EXPECT_LE(page.size(), 4U);
    EXPECT_EQ(page.front().seq, after + 1);
    after = page.back().seq;
    seen += static_cast<std::int64_t>(page.size());
  }
  EXPECT_EQ(seen, 160);
}

TEST_F(SpoolTest, ItsFilesAreNobodyElsesBusiness) {
  commit(one_append({"a"}));
  for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_EQ(file.status().permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << file.path();
  }
}

TEST_F(SpoolTest, ASecondProcessIsKeptOut) {
  const auto second = Spool::open(directory_.path(), clock_);
  EXPECT_EQ(code_of(second), "spool_unwritable");
}

TEST_F(SpoolTest, ADirectoryThatIsNotThereIsSaidPlainly) {
  EXPECT_EQ(code_of(Spool::open("/nowhere/at/all", clock_)), "spool_unwritable");
}

TEST(Crc32c, GivesTheValuesOfItsStandardWithTheProcessorAndWithout) {
  for (const auto crc : {&crc32c, &crc32c_portable}) {
    EXPECT_EQ(crc("123456789"), 0xE3069283U);
    EXPECT_EQ(crc(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc(std::string(32, '\xff')), 0x62A8AB43U);
    EXPECT_EQ(crc(""), 0U);
  }
}

}  // namespace
}  // namespace tributary::spool
