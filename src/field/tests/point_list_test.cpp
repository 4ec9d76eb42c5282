#include "field/point_list.hpp"

#include <gmock/gmock.h>

#include "base/random.hpp"

namespace tributary::field {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Json json(std::string_view text) {
  return parse_json(text).value();
}

const Json kFunction = json(R"({
  "$defs": {"point": {"type": "object", "required": ["name", "address"], "properties": {
    "name": {"type": "string"}, "address": {"type": "integer"}, "scale": {"type": "number"},
    "on": {"type": "boolean"}, "more": {"type": "object"}}}},
  "properties": {"intervalMs": {"type": "integer"},
    "points": {"type": "array", "x-widget": "points", "items": {"$ref": "#/$defs/point"}}}})");
const PointSchema kSchema = find_points(kFunction).value();

Json read(std::string_view text) {
  const PointImport import = from_csv(text, kSchema);
  for (const CsvProblem& problem : import.problems)
    ADD_FAILURE() << problem.line << ":" << problem.column << " " << problem.message;
  return import.points;
}
// "line:column heading" of each problem.
std::vector<std::string> problems(std::string_view text) {
  std::vector<std::string> list;
  for (const CsvProblem& problem : from_csv(text, kSchema).problems)
    list.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column) +
                   (problem.heading.empty() ? "" : " " + problem.heading));
  return list;
}

TEST(PointList, WritesOneColumnForEachProperty) {
  const Json points = json(R"([{"name": "speed", "address": 7}, {"name": "a,\"b\"", "address": 1,
      "scale": 0.5, "on": true, "more": {"x": 1}}])");
  EXPECT_EQ(to_csv(points, kSchema),
            "name,address,scale,on,more\r\n"
            "speed,7,,,\r\n"
            "\"a,\"\"b\"\"\",1,0.5,true,\"{\"\"x\"\":1}\"\r\n");
}

TEST(PointList, ReadsWhatSpreadsheetsMake) {
  const Json expected = json(R"([{"name": "speed", "address": 7, "scale": 0.5, "on": true}])");
  EXPECT_EQ(read("name,address,scale,on\nspeed,7,0.5,TRUE\n"), expected);
  EXPECT_EQ(read("\xEF\xBB\xBF\"name\";address;scale;on\r\nspeed;7;0,5;1\r\n;;;\r\n"), expected);
  EXPECT_EQ(read("address\ton\tname\tscale\n7\tyes\tspeed\t0.5"), expected);
  EXPECT_EQ(read("name,address,,scale,on\nspeed, 7 ,a remark,0.5,true"), expected);
}

TEST(PointList, FormulasBecomeTexts) {
  const Json points = json(R"([{"name": "=1+1", "address": 1}, {"name": "'quoted", "address": 2},
                               {"name": "-x", "address": 3}])");
  const std::string csv = to_csv(points, kSchema);
  EXPECT_THAT(csv, HasSubstr("\r\n'=1+1,"));
  EXPECT_EQ(read(csv), points);
}

TEST(PointList, PlaceholdersStandForAnyType) {
  const Json expected = json(R"j([{"name": "speed", "address": "((start))"}])j");
  EXPECT_EQ(read("name,address\nspeed,((start))"), expected);
}

TEST(PointList, EveryProblemHasItsPlace) {
  EXPECT_THAT(problems("name,address,on\nspeed,seven,true\n\n\"two\nlines\",1.5,maybe\n,3,"),
              ::testing::ElementsAre("2:2 address", "4:2 address", "4:3 on", "6:1 name"));
  EXPECT_THAT(problems("name,colour,name\n"),
              ::testing::UnorderedElementsAre("1:2 colour", "1:3 name", "1:0"));
  EXPECT_THAT(problems("name,address\na,1,2\n"), ::testing::ElementsAre("2:3"));
  EXPECT_THAT(problems("name,address\n\"a,1\n"), ::testing::Contains("2:0"));
  EXPECT_THAT(problems(""), ::testing::ElementsAre("1:0"));
}

TEST(PointList, ProblemsAreBounded) {
  std::string text = "name,address\n";
  for (int i = 0; i < 5000; ++i) text += "a,b\n";
  EXPECT_THAT(from_csv(text, kSchema).problems, SizeIs(100));
}

TEST(PointList, FindsThePlaceOfASettingsError) {
  const PointImport import = from_csv("address,name\n1,a\n\n2,b\n", kSchema);
  const CsvProblem name = import.locate("points", "/settings/points/1/name", "twice");
  EXPECT_EQ(name.line, 4U);
  EXPECT_EQ(name.column, 2U);
  EXPECT_EQ(name.heading, "name");
  EXPECT_EQ(import.locate("points", "/settings/points/0/scale", "").column, 0U);
  EXPECT_EQ(import.locate("points", "/settings/points/9/name", "").line, 0U);
  EXPECT_EQ(import.locate("points", "/settings/intervalMs", "").line, 0U);
}

TEST(PointList, WhatIsWrittenIsWhatIsRead) {
  SeededRandom random(1);
  const std::string alphabet = "ab ,;\"\n\r'=+-@\t\xC3\xA4";
  for (int round = 0; round < 500; ++round) {
    Json points = json_array();
    for (std::uint64_t i = 0; i < 1 + random.next() % 5; ++i) {
      Json point = json_object();
      std::string name(1 + random.next() % 8, 'a');
      for (char& c : name) c = alphabet[random.next() % (alphabet.size() - 2)];
      point.insert_or_assign("name", name);
      point.insert_or_assign("address", static_cast<std::int64_t>(random.next() % 65'536));
      if (random.next() % 2 == 0)
        point.insert_or_assign("scale", 0.1 * static_cast<double>(1 + random.next() % 9));
      if (random.next() % 2 == 0) point.insert_or_assign("on", random.next() % 2 == 0);
      points.push_back(std::move(point));
    }
    ASSERT_EQ(read(to_csv(points, kSchema)), points) << to_csv(points, kSchema);
  }
}

TEST(PointList, FunctionsWithoutPointsSaySo) {
  const Json schema = json(R"({"properties": {"query": {"type": "string"}}})");
  EXPECT_EQ(find_points(schema).error().code, "no_points");
}

}  // namespace
}  // namespace tributary::field
