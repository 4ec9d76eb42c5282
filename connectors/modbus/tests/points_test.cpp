#include "connectors/modbus/src/points.hpp"

#include <gmock/gmock.h>

#include "connectors/modbus/tests/fixture.hpp"

namespace tributary::connectors::modbus {
namespace {

using Notation = ConnectionSettings::AddressNotation;
using ::testing::HasSubstr;

// "area address", or "code pointer".
std::string resolved(Notation notation, std::int64_t address, std::optional<Area> area = {}) {
  const auto place = resolve_address(notation, address, area);
  if (!place) return place.error().code + " " + place.error().pointer;
  return fmt::format("{} {}", to_text(place->area), place->address);
}

TEST(Notation, OffsetsCountFromZero) {
  EXPECT_EQ(resolved(Notation::kOffset, 0), "holding registers 0");
  EXPECT_EQ(resolved(Notation::kOffset, 65535, Area::kCoils), "coils 65535");
  EXPECT_EQ(resolved(Notation::kOffset, 40001), "holding registers 40001");
  EXPECT_EQ(resolved(Notation::kOffset, 400001), "out_of_range address");
  EXPECT_THAT(resolve_address(Notation::kOffset, 400001, {}).error().hint, HasSubstr("sixDigits"));
}

TEST(Notation, FiveDigits) {
  EXPECT_EQ(resolved(Notation::kFiveDigits, 40001), "holding registers 0");
  EXPECT_EQ(resolved(Notation::kFiveDigits, 49999), "holding registers 9998");
  EXPECT_EQ(resolved(Notation::kFiveDigits, 30011), "input registers 10");
  EXPECT_EQ(resolved(Notation::kFiveDigits, 10001), "discrete inputs 0");
  EXPECT_EQ(resolved(Notation::kFiveDigits, 4), "coils 3");
  for (const std::int64_t wrong : {0, 10000, 20001, 40000, 50001, 400001})
    EXPECT_EQ(resolved(Notation::kFiveDigits, wrong), "out_of_range address") << wrong;
}

TEST(Notation, SixDigits) {
  EXPECT_EQ(resolved(Notation::kSixDigits, 400001), "holding registers 0");
  EXPECT_EQ(resolved(Notation::kSixDigits, 465536), "holding registers 65535");
  EXPECT_EQ(resolved(Notation::kSixDigits, 300011), "input registers 10");
  EXPECT_EQ(resolved(Notation::kSixDigits, 100001), "discrete inputs 0");
  EXPECT_EQ(resolved(Notation::kSixDigits, 65536), "coils 65535");
  for (const std::int64_t wrong : {0, 65537, 200001, 400000, 465537})
    EXPECT_EQ(resolved(Notation::kSixDigits, wrong), "out_of_range address") << wrong;
}

TEST(Notation, AnAreaThatContradictsTheAddressIsRefusedWithTheWayOut) {
  EXPECT_EQ(resolved(Notation::kFiveDigits, 40011, Area::kHoldingRegisters),
            "holding registers 10");
  EXPECT_EQ(resolved(Notation::kFiveDigits, 100, Area::kHoldingRegisters), "not_allowed area");
  const auto mixed = resolve_address(Notation::kSixDigits, 40011, Area::kHoldingRegisters);
  EXPECT_EQ(mixed.error().code, "not_allowed");
  EXPECT_THAT(mixed.error().hint, HasSubstr("440011"));
}

TEST(Notation, RoundTripsForEveryPlace) {
  for (const Area area :
       {Area::kCoils, Area::kDiscreteInputs, Area::kInputRegisters, Area::kHoldingRegisters}) {
    for (std::uint32_t address = 0; address < 65536; address += 7) {
      const Place place{area, static_cast<std::uint16_t>(address)};
      const auto six = to_notation(Notation::kSixDigits, place);
      ASSERT_EQ(resolve_address(Notation::kSixDigits, six, std::nullopt).value(), place);
      if (address > 9'998) continue;
      const auto five = to_notation(Notation::kFiveDigits, place);
      ASSERT_EQ(resolve_address(Notation::kFiveDigits, five, area).value(), place);
    }
  }
}

class PointsTest : public ModbusTest {
 protected:
  Result<PointList> make(std::string_view settings, std::string_view connection = "{}") {
    const auto parsed = ConnectionSettings::from_json(profile(502, connection).settings);
    const auto read = ReadSettings::from_json(json(settings));
    return make_points(read.points, PointDefaults(parsed, read.unit_id), "points", 125, 100);
  }
  std::string refused(std::string_view point, std::string_view connection = "{}") {
    const auto list = make(fmt::format(R"({{"points": [{{{}}}]}})", point), connection);
    return list ? "taken" : list.error().code + " " + list.error().pointer;
  }
};

TEST_F(PointsTest, ANameWithARangeStandsForManyPoints) {
  const auto list = make(R"({"unitId": 7, "points": [
      {"name": "Motor[1..3].Speed", "address": 100, "dataType": "float32", "addressStep": 10},
      {"name": "t{01..02}", "address": 0, "dataType": "int32", "unitId": 9}]})");
  ASSERT_TRUE(list.has_value()) << list.error().message;
  EXPECT_THAT(list->names, ::testing::ElementsAre("Motor[1].Speed", "Motor[2].Speed",
                                                  "Motor[3].Speed", "t01", "t02"));
  EXPECT_EQ(list->points[2].address, 120);
  EXPECT_EQ(list->points[2].unit, 7);
  EXPECT_EQ(list->points[4].address, 2) << "without a step they follow each other";
  EXPECT_EQ(list->points[4].unit, 9);
}

TEST_F(PointsTest, WhatDoesNotFitIsNamed) {
  EXPECT_EQ(refused(R"("name": "a[1..200]", "address": 0, "dataType": "int16")"),
            "too_many /settings/points/0/name");
  EXPECT_EQ(refused(R"("name": "a[x..2]", "address": 0, "dataType": "int16")"),
            "bad_range /settings/points/0/name");
  EXPECT_EQ(refused(R"("name": "a[1..9]", "address": 65530, "dataType": "int16")"),
            "out_of_range /settings/points/0/address");
  EXPECT_EQ(refused(R"("name": "a", "address": 0, "dataType": "bits", "bit": 10, "bits": 7)"),
            "out_of_range /settings/points/0/bits");
  EXPECT_EQ(
      refused(
          R"("name": "a", "address": 0, "dataType": "int16", "scaling": "linear", "low": 5, "high": 5)"),
      "out_of_range /settings/points/0/high");
  EXPECT_EQ(refused(R"("name": "a", "address": 0, "dataType": "string", "scaling": "linear")"),
            "not_allowed /settings/points/0/scaling");
  EXPECT_EQ(refused(R"("name": "a", "address": 40001, "dataType": "int16", "area": "coils")",
                    R"({"addressNotation": "fiveDigits"})"),
            "not_allowed /settings/points/0/area");
  const auto twice = make(R"({"points": [{"name": "a{1..3}", "address": 0, "dataType": "int16"},
                                         {"name": "a2", "address": 9, "dataType": "int16"}]})");
  EXPECT_EQ(twice.error().code + " " + twice.error().pointer, "duplicate /settings/points/1/name");
}

TEST_F(PointsTest, EverybodyOnALineIsNobodyToAsk) {
  constexpr const char* kPoint = R"("name": "a", "address": 0, "dataType": "int16", "unitId": 0)";
  EXPECT_EQ(refused(kPoint), "taken") << "behind TCP it is a unit like others";
  EXPECT_EQ(refused(kPoint, R"({"transport": "rtu", "serialPort": "/dev/ttyS0"})"),
            "not_allowed /settings/points/0/unitId");
}

}  // namespace
}  // namespace tributary::connectors::modbus
