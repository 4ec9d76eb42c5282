// The simulated plant's recordings: no server.
#include <gmock/gmock.h>

#include "connectors/opcua/simulator/recording.hpp"

namespace tributary::connectors::opcua::simulator {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr UA_DateTime kBegin = 133'000'000'000'000'000;
constexpr std::size_t kAll = 1000;

UA_DateTime second(double number) {
  return kBegin + static_cast<UA_DateTime>(number * static_cast<double>(UA_DATETIME_SEC));
}

// 10 times the number of the second, at each of the given ones.
Recording recording(std::initializer_list<int> seconds, bool stepped = false,
                    std::size_t most = kAll) {
  Recording made(stepped, most);
  for (const int each : seconds) made.add(second(each), 10.0 * each);
  return made;
}

std::vector<double> numbers(const Page& page) {
  std::vector<double> all;
  for (const RecordedValue& each : page.values) all.push_back(each.value.value_or(-1));
  return all;
}

std::vector<double> read(const Recording& from, const RawRange& range) {
  return numbers(from.read(from.begin(range).value(), kAll));
}

TEST(Recordings, AreSortedAndForgetTheOldest) {
  EXPECT_THAT(read(recording({3, 1, 5, 2, 4}), {.start = second(0), .end = second(9)}),
              ElementsAre(10, 20, 30, 40, 50));
  EXPECT_THAT(read(recording({3, 1, 5, 2, 4}, false, 3), {.start = second(0), .end = second(9)}),
              ElementsAre(30, 40, 50));
  auto twice = recording({1, 2});
  twice.add(second(1), 7);
  EXPECT_THAT(read(twice, {.start = second(0), .end = second(9)}), ElementsAre(7, 20));
}

// OPC 10000-11, 6.5.3.2: which of the three are said decides the direction.
TEST(Recordings, AreReadInEitherDirection) {
  const auto all = recording({1, 2, 3, 4, 5});
  EXPECT_THAT(read(all, {.start = second(2), .end = second(4)}), ElementsAre(20, 30));
  EXPECT_THAT(read(all, {.start = second(4), .end = second(2)}), ElementsAre(40, 30));
  EXPECT_THAT(read(all, {.start = second(3), .end = second(3)}), ElementsAre(30));
  EXPECT_THAT(numbers(all.read(all.begin({.start = second(2), .most = 2}).value(), 2)),
              ElementsAre(20, 30));
  EXPECT_THAT(numbers(all.read(all.begin({.end = second(4), .most = 2}).value(), 2)),
              ElementsAre(40, 30));
  EXPECT_FALSE(all.begin({.most = 5}));
  EXPECT_FALSE(all.begin({.start = second(1)})) << "no end at all";
  EXPECT_THAT(read(Recording(false, kAll), {.start = second(1), .end = second(2)}), ElementsAre());
}

TEST(Recordings, HaveBoundsOutsideOfWhatIsRead) {
  const auto all = recording({1, 3, 5, 7});
  const auto bounded = [&](double start, double end) {
    return read(all, {.start = second(start), .end = second(end), .bounds = true});
  };
  EXPECT_THAT(bounded(2, 6), ElementsAre(10, 30, 50, 70));
  EXPECT_THAT(bounded(6, 2), ElementsAre(70, 50, 30, 10));
  EXPECT_THAT(bounded(3, 5), ElementsAre(30, 50)) << "they are values of their own";
  EXPECT_THAT(bounded(0, 2), ElementsAre(-1, 10, 30));
  EXPECT_THAT(bounded(6, 9), ElementsAre(50, 70, -1));
  const auto missing =
      all.read(all.begin({.start = second(0), .end = second(9), .bounds = true}).value(), kAll);
  EXPECT_EQ(missing.values.front().time, second(0));
  EXPECT_EQ(missing.values.front().status, UA_STATUSCODE_BADBOUNDNOTFOUND);
  EXPECT_EQ(missing.values.back().time, second(9));
}

TEST(Recordings, AreReadInPagesThatJoin) {
  const auto all = recording({1, 2, 3, 4, 5, 6, 7});
  for (const RawRange& range : {RawRange{.start = second(0), .end = second(9), .bounds = true},
                                RawRange{.start = second(9), .end = second(0), .bounds = true},
                                RawRange{.start = second(2), .end = second(6)},
                                RawRange{.start = second(6), .end = second(2)}}) {
    const auto whole = read(all, range);
    for (std::size_t size = 1; size <= whole.size(); ++size) {
      std::vector<double> joined;
      auto cursor = all.begin(range);
      for (; cursor;) {
        const Page page = all.read(*cursor, size);
        ASSERT_LE(page.values.size(), size);
        ASSERT_FALSE(page.values.empty());
        std::ranges::copy(numbers(page), std::back_inserter(joined));
        cursor = page.rest ? Cursor::parse(page.rest->text()) : std::nullopt;
        ASSERT_EQ(cursor.has_value(), page.rest.has_value());
      }
      EXPECT_EQ(joined, whole) << size;
    }
  }
}

TEST(Recordings, TakeNoForeignTextForACursor) {
  EXPECT_FALSE(Cursor::parse(""));
  EXPECT_FALSE(Cursor::parse("not one of ours"));
  std::string text = Cursor{.next = 1, .finish = 2}.text();
  EXPECT_TRUE(Cursor::parse(text));
  text.back() = '\x10';
  EXPECT_FALSE(Cursor::parse(text));
}

TEST(Recordings, TellValuesBetweenThoseThatWereRecorded) {
  const auto line = recording({1, 3});
  EXPECT_THAT(line.at(second(1.5)).value.value(), DoubleNear(15, 1e-9));
  EXPECT_EQ(line.at(second(1.5)).status, 0x0402U) << "good, interpolated";
  EXPECT_EQ(line.at(second(3)).status, UA_STATUSCODE_GOOD);
  EXPECT_EQ(line.at(second(0.5)).status, UA_STATUSCODE_BADNODATA);
  EXPECT_FALSE(line.at(second(0.5)).value);
  EXPECT_EQ(line.at(second(4)).value, 30);
  EXPECT_EQ(line.at(second(4)).status, UA_STATUSCODE_UNCERTAINDATASUBNORMAL | 0x0402U);
  EXPECT_EQ(recording({1, 3}, true).at(second(2.9)).value, 10);
}

TEST(Recordings, AreSummedUp) {
  const auto all = recording({0, 1, 2, 3, 6});
  const auto of = [&](Aggregate what, double start, double end) {
    return all.aggregate(what, second(start), second(end)).value.value_or(-1);
  };
  EXPECT_EQ(of(Aggregate::kAverage, 0, 3), 10);
  EXPECT_EQ(of(Aggregate::kMinimum, 1, 4), 10);
  EXPECT_EQ(of(Aggregate::kMaximum, 1, 4), 30);
  EXPECT_EQ(of(Aggregate::kRange, 1, 4), 20);
  EXPECT_EQ(of(Aggregate::kCount, 1, 4), 3);
  EXPECT_EQ(of(Aggregate::kCount, 4, 5), 0);
  EXPECT_EQ(of(Aggregate::kStart, 1, 9), 10);
  EXPECT_EQ(of(Aggregate::kEnd, 1, 9), 60);
  EXPECT_EQ(of(Aggregate::kDelta, 1, 9), 50);
  EXPECT_EQ(all.aggregate(Aggregate::kEnd, second(1), second(9)).time, second(6));
  EXPECT_EQ(all.aggregate(Aggregate::kAverage, second(1), second(9)).time, second(1));
  EXPECT_EQ(of(Aggregate::kStandardDeviation, 0, 3), 10);
  EXPECT_EQ(of(Aggregate::kStandardDeviation, 1, 2), 0);
  EXPECT_THAT(of(Aggregate::kInterpolative, 4.5, 6), DoubleNear(45, 1e-9));
  EXPECT_EQ(all.aggregate(Aggregate::kAverage, second(4), second(5)).status,
            UA_STATUSCODE_BADNODATA);
  // To the past: the start belongs to the interval, the end does not.
  EXPECT_EQ(of(Aggregate::kAverage, 3, 0), 20);
  EXPECT_EQ(all.aggregate(Aggregate::kAverage, second(3), second(0)).time, second(3));
}

TEST(Recordings, AreWeighedByTime) {
  const auto line = recording({0, 1, 3, 6});
  const auto weighed = [&](Aggregate what, double start, double end) {
    return line.aggregate(what, second(start), second(end));
  };
  EXPECT_THAT(weighed(Aggregate::kTimeAverage, 0, 6).value.value(), DoubleNear(30, 1e-9));
  EXPECT_THAT(weighed(Aggregate::kTimeAverage, 2, 4).value.value(), DoubleNear(30, 1e-9));
  EXPECT_THAT(weighed(Aggregate::kTotal, 2, 4).value.value(), DoubleNear(60, 1e-9));
  EXPECT_EQ(weighed(Aggregate::kTotal, 2, 4).status, 0x0401U) << "good, calculated";
  const auto partly = weighed(Aggregate::kTimeAverage, -2, 2);
  EXPECT_THAT(partly.value.value(), DoubleNear(10, 1e-9)) << "of the part that was recorded";
  EXPECT_EQ(partly.status, UA_STATUSCODE_UNCERTAINDATASUBNORMAL | 0x0405U);
  EXPECT_EQ(weighed(Aggregate::kTimeAverage, 7, 8).status, UA_STATUSCODE_BADNODATA);
  EXPECT_EQ(weighed(Aggregate::kDurationGood, 4, 9).value, 2000);
  EXPECT_EQ(weighed(Aggregate::kPercentGood, 4, 8).value, 50);
  EXPECT_EQ(weighed(Aggregate::kPercentGood, 7, 8).value, 0);
  EXPECT_EQ(Recording(false, kAll).aggregate(Aggregate::kPercentGood, second(0), second(1)).value,
            0);
  // 0 for one second, 10 for two, 30 for three.
  EXPECT_THAT(recording({0, 1, 3, 6}, true)
                  .aggregate(Aggregate::kTimeAverage, second(0), second(6))
                  .value.value(),
              DoubleNear(110.0 / 6, 1e-9));
}

}  // namespace
}  // namespace tributary::connectors::opcua::simulator
