#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/batch.hpp"

namespace tributary {
namespace {

Json json(std::string_view text) {
  return *parse_json(text);
}

TEST(Json, KeepsTheOrderOfMembers) {
  EXPECT_EQ(to_text(json(R"({"b":1,"a":2})")), R"({"b":1,"a":2})");
}

TEST(Json, RefusesBrokenTextWithLineAndColumn) {
  auto parsed = parse_json("{\n  \"a\": }");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error().code, "invalid_json");
  EXPECT_NE(parsed.error().message.find("line 2"), std::string::npos) << parsed.error().message;
  EXPECT_FALSE(parse_json("").has_value());
  EXPECT_FALSE(parse_json("{} {}").has_value());
}

TEST(Json, RefusesDeepNesting) {
  std::string deep(100'000, '[');
  EXPECT_FALSE(parse_json(deep).has_value());
  std::string allowed = std::string(60, '[') + std::string(60, ']');
  EXPECT_TRUE(parse_json(allowed).has_value());
}

TEST(Json, KeepsSixtyFourBitIntegers) {
  for (auto* text : {"9007199254740993", "-9223372036854775808", "18446744073709551615"}) {
    EXPECT_EQ(to_text(json(text)), text);
  }
}

// The examples of RFC 7396, appendix A.
TEST(MergePatch, FollowsRfc7396) {
  struct Case {
    const char *target, *patch, *result;
  };
  for (const auto& [target, patch, result] : std::initializer_list<Case>{
           {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
           {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
           {R"({"a":"b"})", R"({"a":null})", "{}"},
           {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
           {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
           {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
           {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
           {R"({"a":"b"})", R"(["c"])", R"(["c"])"}}) {
    EXPECT_EQ(to_text(merge_patch(json(target), json(patch))), result) << target << " + " << patch;
  }
}

TEST(Value, BigIntegersBecomeStringsOnRequest) {
  Value big = std::int64_t{9'007'199'254'740'993};
  EXPECT_EQ(to_text(to_json(big)), "9007199254740993");
  EXPECT_EQ(to_text(to_json(big, BigInt::kString)), "\"9007199254740993\"");
  EXPECT_EQ(to_text(to_json(Value(std::int64_t{42}), BigInt::kString)), "42");
  EXPECT_EQ(to_text(to_json(Value(~std::uint64_t{0}), BigInt::kString)),
            "\"18446744073709551615\"");
}

TEST(Value, DistanceIsExactForBigIntegersAndOverTheWholeRange) {
  EXPECT_EQ(distance(Value(std::int64_t{9'007'199'254'740'993}),
                     Value(std::int64_t{9'007'199'254'740'992})),
            1.0);
  EXPECT_EQ(distance(Value(std::numeric_limits<std::int64_t>::min()),
                     Value(std::numeric_limits<std::int64_t>::max())),
            18446744073709551615.0);
  EXPECT_EQ(distance(Value(1.5), Value(std::int64_t{1})), 0.5);
  EXPECT_FALSE(distance(Value(std::string("a")), Value(1.0)).has_value());
}

class ScanJson : public testing::Test {
 protected:
  std::shared_ptr<const PointNames> names_ =
      std::make_shared<PointNames>(PointNames{"speed", "temperature", "running"});
  UtcTime time_ = *parse_utc("2026-11-22T10:00:00.200Z");
};

TEST_F(ScanJson, RecordListsOnlyWhatIsNotGood) {
  auto error = std::make_shared<Error>(ErrorClass::kTransient, "timeout", "No answer.");
  Scan scan{names_,
            time_,
            {{0, kGood, std::int64_t{1480}, {}, {}},
             {1, kBadCommunicationError, {}, {}, error},
             {2, kGood, true, {}, {}}}};
  EXPECT_EQ(
      to_text(to_record(scan, {"Line 3 PLC", "Read filler"})),
      R"({"speed":1480,"temperature":null,"running":true,"$meta":{"connection":"Line 3 PLC","function":"Read filler",)"
      R"("time":"2026-11-22T10:00:00.200Z","points":{"temperature":{"quality":"bad","code":"BadCommunicationError",)"
      R"("message":"No answer."}}}})");
}

TEST_F(ScanJson, NotANumberIsUncertainAndKeepsItsText) {
  Scan scan{names_, time_, {{1, kGood, std::nan(""), {}, {}}}};
  EXPECT_EQ(
      to_text(to_json(scan, scan.samples[0])),
      R"({"point":"temperature","value":null,"quality":"uncertain","code":"Uncertain","raw":"NaN","sourceTime":null,)"
      R"("receiveTime":"2026-11-22T10:00:00.200Z"})");
}

TEST_F(ScanJson, ABadSampleShowsNoValue) {
  Scan scan{names_, time_, {{0, kBadTimeout, std::int64_t{7}, {}, {}}}};
  EXPECT_TRUE(to_json(scan, scan.samples[0]).at("value").is_null());
}

TEST_F(ScanJson, RecordsOfABrokerGetTheirOrigin) {
  auto records = to_records(Batch::of(std::vector<Record>{json(R"({"payload":1})")}),
                            {"Broker", "All"}, time_);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(
      to_text(records[0]),
      R"({"payload":1,"$meta":{"connection":"Broker","function":"All","time":"2026-11-22T10:00:00.200Z"}})");
}

TEST(Quality, NamesFollowTheSeverityBits) {
  EXPECT_EQ(kGood.name(), "good");
  EXPECT_EQ(kUncertain.name(), "uncertain");
  EXPECT_EQ(kBadTimeout.name(), "bad");
  EXPECT_EQ(kBadTimeout.code_name(), "BadTimeout");
  EXPECT_EQ(Quality(0x80AB0000).code_name(), "0x80AB0000");
}

}  // namespace
}  // namespace tributary
