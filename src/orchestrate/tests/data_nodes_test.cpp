// Nodes that write and read other formats: template, parse, convert.
#include "nodes_support.hpp"
#include "orchestrate/formats/decoders.hpp"
#include "orchestrate/formats/units.hpp"

namespace tributary::orchestrate {
namespace {

// What a node makes of one record: the record, or the error.
std::string made_from(std::string_view type, std::string_view settings, const Json& record) {
  NodeWorld world;
  world.start_node(type, settings);
  std::vector<Record> records{record};
  world.deliver(std::move(records));
  const std::string error = world.last_error();
  return error.empty() ? world.take() : error;
}
std::string made_by(std::string_view type, std::string_view settings, std::string_view record) {
  return made_from(type, settings, json(record));
}

Json payload_of(std::string_view settings, const Json& record) {
  const Json made = json(made_from("template", settings, record));
  EXPECT_EQ(made.size(), 1u);
  return get_member(made[0], "payload");
}

// Values that would become syntax where somebody pastes them.
const std::vector<std::string>& hostile_texts() {
  static const std::vector<std::string> texts = {
      "plain",       "a\"b",     "a'b",  "a#b",     "#",          "+",     "a/b",
      "line\nbreak", "cr\r\nlf", "${x}", "{{ 1 }}", "}}",         ",",     ";",
      "a,b\"c\"\nd", " spaces ", "",     "=1+1",    "tab\there",  "\\",    "a\\",
      "\\\"",        "null",     "true", "1",       "007",        "ü😀",   "\x01",
      "a=b c,d",     "NaN",      "1e5",  "-",       "'; drop --", "<a>&b", "\xEF\xBB\xBF",
  };
  return texts;
}

Json record_with(const std::string& text) {
  Json record = json_object();
  record.insert_or_assign("v", text);
  record.insert_or_assign("n", 5);
  return record;
}

TEST(Template, inj5_JsonParsesToTheSameValue) {
  for (const std::string& text : hostile_texts()) {
    const Json payload = payload_of(
        R"({"format": "json", "document": {"a": {"{{b}}": "{{ $input.v }}", "c": ["x{{ $input.v }}y"]}}})",
        record_with(text));
    const auto parsed = parse_json(payload.as_string());
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->at("a").at("{{b}}").as_string(), text);
    EXPECT_EQ(parsed->at("a").at("c")[0].as_string(), "x" + text + "y");
  }
}

TEST(Template, inj5_CsvParsesToTheSameValues) {
  for (const std::string_view delimiter : {",", ";", "\\t", "|"}) {
    for (const std::string& text : hostile_texts()) {
      const Json payload = payload_of(
          fmt::format(R"({{"format": "csv", "header": true, "delimiter": "{}", "columns": [
              {{"name": "first \"x\"", "value": "{{{{ $input.v }}}}"}}, {{"name": "n", "value": "{{{{ $input.n }}}}"}},
              {{"name": "none", "value": "{{{{ $input.gone }}}}"}}]}})",
                      delimiter),
          record_with(text));
      formats::CsvOptions options;
      options.delimiter = delimiter == "\\t" ? '\t' : delimiter[0];
      options.infer_types = true;
      const auto rows = formats::parse_csv(payload.as_string(), options);
      ASSERT_TRUE(rows) << text << ": " << rows.error().message;
      ASSERT_EQ(rows->size(), 1u) << text;
      EXPECT_EQ((*rows)[0].at("first \"x\""), Json(text));
      EXPECT_EQ((*rows)[0].at("n"), Json(5));
      EXPECT_TRUE((*rows)[0].at("none").is_null());
    }
  }
}

// A reader of one line of the InfluxDB line protocol, as its manual describes it.
struct Line {
  std::string measurement;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::string> fields;  // as written, strings without quotes and escapes
  std::string time;
};
Line read_line(std::string_view text) {
  std::size_t at = 0;
  const auto word = [&](std::string_view ends) {
    std::string out;
    for (; at < text.size() && ends.find(text[at]) == std::string_view::npos; ++at) {
      const bool escape = text[at] == '\\' && at + 1 < text.size() &&
                          std::string_view(",= ").find(text[at + 1]) != std::string_view::npos;
      if (escape) ++at;
      out += text[at];
    }
    return out;
  };
  Line line;
  line.measurement = word(", ");
  while (at < text.size() && text[at] == ',') {
    ++at;
    const std::string key = word("=");
    ++at;
    line.tags[key] = word(", ");
  }
  do {
    ++at;
    const std::string key = word("=");
    ++at;
    std::string value;
    if (at < text.size() && text[at] == '"') {
      for (++at; text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
        value += text[at];
      }
      ++at;
    } else {
      value = word(", ");
    }
    line.fields[key] = value;
  } while (at < text.size() && text[at] == ',');
  if (at < text.size()) line.time = text.substr(at + 1);
  return line;
}

TEST(Template, inj5_LineProtocolParsesToTheSameValuesOrSaysThatItCannot) {
  for (const std::string& text : hostile_texts()) {
    const std::string made = made_from(
        "template",
        R"({"format": "lineProtocol", "measurement": "m {{ $input.n }}", "include": "none",
                    "tags": {"a tag": "{{ $input.v }}"}, "fields": {"f=1": "{{ $input.v }}", "n": "{{ $input.n }}"}})",
        record_with(text));
    if (made.starts_with("not_encodable")) {
      const bool refusable = text.empty() || text.ends_with('\\') || text == "\\\"" ||
                             text.find_first_of("\n\r\x01\\") != std::string::npos;
      EXPECT_TRUE(refusable) << text;
      continue;
    }
    const Json record = json(made)[0];
    const Line line = read_line(record.at("payload").as_string());
    EXPECT_EQ(line.measurement, "m 5");
    EXPECT_EQ(line.tags.at("a tag"), text);
    EXPECT_EQ(line.fields.at("f=1"), text);
    EXPECT_EQ(line.fields.at("n"), "5i");
    EXPECT_EQ(line.time, "1700000000000000000");
  }
}

TEST(Template, LineProtocolTypes) {
  const std::string settings =
      R"({"format": "lineProtocol", "measurement": "m", "precision": "ms", "include": "none"})";
  EXPECT_EQ(
      payload_of(
          settings,
          json(
              R"({"i": -5, "u": 18446744073709551615, "d": 1.5, "w": 2.0, "b": true, "s": "x \"y\"", "gone": null, "o": {"a": 1}, "$meta": {"time": "1970-01-01T00:00:01.5Z"}})")),
      Json(R"(m i=-5i,u=18446744073709551615u,d=1.5,w=2,b=true,s="x \"y\"",o="{\"a\":1}" 1500)"));
  EXPECT_EQ(made_by("template", settings, R"({"gone": null})"),
            "no_fields: A line needs at least one field with a value.");
}

TEST(Template, RowsOfAListBecomeLines) {
  const Json record = json(R"({"items": [{"a": 1, "b": "x"}, {"a": 2, "b": null}]})");
  EXPECT_EQ(
      payload_of(R"({"format": "csv", "header": true, "rows": "{{ $input.items }}", "columns": [
      {"name": "a", "value": "{{ $item.a }}"}, {"name": "b", "value": "{{ $item.b }}"}, {"name": "i", "value": "{{ $index }}"}]})",
                 record),
      Json("a,b,i\r\n1,x,0\r\n2,,1\r\n"));
  EXPECT_EQ(
      payload_of(
          R"({"format": "lineProtocol", "measurement": "m", "rows": "{{ $input.items }}", "timestamp": "{{ 5 }}", "precision": "s"})",
          record),
      Json("m a=1i,b=\"x\" 0\nm a=2i 0\n"));
}

TEST(Template, TextAndTheWholeRecord) {
  EXPECT_EQ(payload_of(R"({"format": "text", "text": "{{ $input.a }} of {{ $input.b }}"})",
                       json(R"({"a": 1, "b": [2]})")),
            Json("1 of [2]"));
  EXPECT_EQ(payload_of(R"({"format": "json"})", json(R"({"a": 1})")), Json(R"({"a":1})"));
  EXPECT_EQ(
      payload_of(R"({"format": "json", "as": "document", "document": {"x": "{{ $input.a }}"}})",
                 json(R"({"a": 1})"))
          .at("x"),
      Json(1));
  EXPECT_TRUE(made_by("template", R"({"format": "text", "text": "{{ $input.gone }}"})", "{}")
                  .starts_with("expression_failed"));
}

TEST(Template, MetricsSayTypeAndQuality) {
  const Json made = json(made_by(
      "template", R"({"format": "metrics", "as": "document", "include": "none"})",
      R"({"speed": 5, "t": null, "on": true, "name": "x", "$meta": {"time": "1970-01-01T00:00:01Z", "points": {"t": {"quality": "bad", "code": "B"}}}})"));
  EXPECT_EQ(
      to_text(made[0].at("payload")),
      R"({"timestamp":1000,"metrics":[{"name":"speed","timestamp":1000,"dataType":"Int64","value":5},)"
      R"({"name":"t","timestamp":1000,"dataType":"String","isNull":true,"properties":{"Quality":{"type":"Int32","value":0}}},)"
      R"({"name":"on","timestamp":1000,"dataType":"Boolean","value":true},{"name":"name","timestamp":1000,"dataType":"String","value":"x"}]})");
}

TEST(Template, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("template", R"({"format": "text"})"), "/nodes/1/settings/text required");
  EXPECT_EQ(problem_of("template", R"({"format": "json", "text": "x"})"),
            "/nodes/1/settings/text invalid");
  EXPECT_EQ(
      problem_of("template",
                 R"({"format": "lineProtocol", "measurement": "m", "tags": {"a": "{{ + }}"}})"),
      "/nodes/1/settings/tags/a invalid_expression");
}

// ---- parse ----

TEST(Parse, JsonIntoRecordsOrAField) {
  EXPECT_EQ(made_by("parse", R"({"format": "json"})", R"({"payload": "[{\"a\": 1}, 5]"})"),
            R"([{"a":1},{"value":5}])");
  EXPECT_EQ(made_by("parse", R"({"format": "json"})", R"({"payload": "{\"a\": 1}", "topic": "x"})"),
            R"([{"a":1}])");
  EXPECT_EQ(
      made_by(
          "parse",
          R"({"format": "json", "output": "field", "into": "body.doc", "from": "{{ $input.raw }}"})",
          R"({"raw": "[1]", "body": {}})"),
      R"([{"raw":"[1]","body":{"doc":[1]}}])");
  EXPECT_EQ(made_by("parse", R"({"format": "json", "encoding": "base64"})",
                    R"({"payload": "eyJhIjogMX0="})"),
            R"([{"a":1}])");
}

TEST(Parse, RefusesWhatItCannotRead) {
  const auto error = [](std::string_view settings, std::string_view record) {
    const std::string made = made_by("parse", settings, record);
    return made.substr(0, made.find(':'));
  };
  EXPECT_EQ(error(R"({"format": "json"})", R"({"payload": "{"})"), "invalid_json");
  EXPECT_EQ(error(R"({"format": "json"})", R"({"payload": 5})"), "not_a_text");
  EXPECT_EQ(error(R"({"format": "json"})", R"({})"), "not_a_text");
  EXPECT_EQ(error(R"({"format": "json", "encoding": "base64"})", R"({"payload": "e30"})"),
            "invalid_base64");
  EXPECT_EQ(error(R"({"format": "json", "encoding": "base64"})", R"({"payload": "/w=="})"),
            "not_utf8");
  EXPECT_EQ(error(R"({"format": "csv"})", R"({"payload": "a,b\n1"})"), "invalid_csv");
  EXPECT_EQ(error(R"({"format": "csv"})", R"({"payload": "a,a\n1,2"})"), "invalid_csv");
  EXPECT_EQ(error(R"({"format": "csv"})", R"({"payload": "a\n\"1"})"), "invalid_csv");
  EXPECT_EQ(error(R"({"format": "xml"})", R"({"payload": "<a>"})"), "invalid_xml");
  EXPECT_EQ(error(R"({"format": "xml"})", R"({"payload": ""})"), "invalid_xml");
}

TEST(Parse, Csv) {
  EXPECT_EQ(made_by("parse", R"({"format": "csv"})",
                    R"({"payload": "a,b,c\r\n1,\"x \"\"y\"\"\nz\",\n-2.5,true,007\n"})"),
            R"([{"a":1,"b":"x \"y\"\nz","c":null},{"a":-2.5,"b":true,"c":"007"}])");
  EXPECT_EQ(
      made_by(
          "parse",
          R"({"format": "csv", "types": "text", "header": false, "columns": ["x", "y"], "delimiter": ";"})",
          R"({"payload": "1;2"})"),
      R"([{"x":"1","y":"2"}])");
  EXPECT_EQ(made_by("parse", R"({"format": "csv", "header": false})", R"({"payload": "1,2"})"),
            R"([{"column1":1,"column2":2}])");
}

TEST(Parse, Xml) {
  EXPECT_EQ(
      made_by(
          "parse", R"({"format": "xml"})",
          R"({"payload": "<?xml version=\"1.0\"?><!-- c --><order id=\"7\"><item>a &amp; b</item><item n=\"1\">c</item><note/><x><![CDATA[<y>]]></x>text</order>"})"),
      R"([{"order":{"@id":"7","#text":"text","item":["a & b",{"@n":"1","#text":"c"}],"note":"","x":"<y>"}}])");
}

TEST(Parse, BinaryStructure) {
  // 01 02 03 04 | 41 BC 00 00 (23.5) | FF FE | 80 | 'o' 'k' 00
  const Json record = [] {
    Json made = json_object();
    made.insert_or_assign(
        "payload", formats::encode_base64(
                       std::string_view("\x01\x02\x03\x04\x41\xBC\x00\x00\xFF\xFE\x80ok\x00", 14)));
    return made;
  }();
  EXPECT_EQ(made_from("parse", R"({"format": "binary", "fields": [
      {"name": "big", "offset": 0, "type": "uint32"},
      {"name": "little", "offset": 0, "type": "uint32", "byteOrder": "little"},
      {"name": "bigSwapped", "offset": 0, "type": "uint32", "byteOrder": "bigSwapped"},
      {"name": "littleSwapped", "offset": 0, "type": "uint32", "byteOrder": "littleSwapped"},
      {"name": "t", "offset": 4, "type": "float32"},
      {"name": "i", "offset": 8, "type": "int16"},
      {"name": "u", "offset": 8, "type": "uint16", "byteOrder": "little"},
      {"name": "high", "offset": 10, "type": "bit", "bit": 7},
      {"name": "low", "offset": 10, "type": "bit"},
      {"name": "s", "offset": 11, "type": "text", "length": 3},
      {"name": "raw", "offset": 8, "type": "bytes", "length": 2}]})",
                      record),
            R"([{"big":16909060,"little":67305985,"bigSwapped":33620995,"littleSwapped":50594050,)"
            R"("t":23.5,"i":-2,"u":65279,"high":true,"low":false,"s":"ok","raw":"//4="}])");
}

TEST(Parse, BinaryRecordsBehindEachOther) {
  Json record = json_object();
  record.insert_or_assign("payload", formats::encode_base64(std::string_view("\0\1\0\2", 4)));
  EXPECT_EQ(
      made_from(
          "parse",
          R"({"format": "binary", "recordBytes": 2, "fields": [{"name": "a", "offset": 0, "type": "int16"}]})",
          record),
      R"([{"a":1},{"a":2}])");
  EXPECT_TRUE(
      made_from(
          "parse",
          R"({"format": "binary", "recordBytes": 3, "fields": [{"name": "a", "offset": 0, "type": "int16"}]})",
          record)
          .starts_with("invalid_binary"));
  EXPECT_EQ(
      made_from("parse",
                R"({"format": "binary", "fields": [{"name": "a", "offset": 3, "type": "int16"}]})",
                record),
      "invalid_binary: 'a' needs bytes 3 to 5; there are 4.");
}

TEST(Parse, edge_38_NumbersOfBinaryStructuresKeepAllBits) {
  Json record = json_object();
  record.insert_or_assign("payload", formats::encode_base64(std::string(8, '\xFF')));
  EXPECT_EQ(
      made_from(
          "parse",
          R"({"format": "binary", "fields": [{"name": "u", "offset": 0, "type": "uint64"}, {"name": "i", "offset": 0, "type": "int64"}, {"name": "nan", "offset": 0, "type": "float64"}]})",
          record),
      R"([{"u":18446744073709551615,"i":-1,"nan":null}])");
}

TEST(Parse, SaysWhatIsWrongWithItsSettings) {
  EXPECT_EQ(problem_of("parse", R"({"format": "binary"})"), "/nodes/1/settings/fields required");
  EXPECT_EQ(
      problem_of("parse",
                 R"({"format": "json", "fields": [{"name": "a", "offset": 0, "type": "int8"}]})"),
      "/nodes/1/settings/fields invalid");
  EXPECT_EQ(
      problem_of("parse",
                 R"({"format": "binary", "fields": [{"name": "a", "offset": 0, "type": "text"}]})"),
      "/nodes/1/settings/fields/0/length required");
  EXPECT_EQ(
      problem_of(
          "parse",
          R"({"format": "binary", "recordBytes": 3, "fields": [{"name": "a", "offset": 0, "type": "int32"}]})"),
      "/nodes/1/settings/fields/0/offset out_of_range");
  EXPECT_EQ(
      problem_of(
          "parse",
          R"({"format": "binary", "fields": [{"name": "a", "offset": 0, "type": "int16", "byteOrder": "bigSwapped"}]})"),
      "/nodes/1/settings/fields/0/byteOrder invalid");
  EXPECT_EQ(problem_of("parse", R"({"format": "csv", "columns": ["a"]})"),
            "/nodes/1/settings/columns invalid");
}

// ---- hostile texts ----

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

struct Bomb {
  std::string name;
  std::string format;
  std::string text;
};

std::vector<Bomb> bombs() {
  constexpr std::size_t kDeep = 100'000;
  std::vector<Bomb> all;
  all.push_back({"JSON lists", "json", repeated("[", kDeep) + repeated("]", kDeep)});
  all.push_back({"JSON objects", "json", repeated("{\"a\":", kDeep) + "1" + repeated("}", kDeep)});
  all.push_back({"XML elements", "xml", repeated("<a>", kDeep) + repeated("</a>", kDeep)});
  all.push_back({"XML elements that do not end", "xml", repeated("<a>", kDeep)});
  all.push_back({"Billion laughs", "xml",
                 "<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;\">]><l>&b;</l>"});
  all.push_back({"External entity", "xml",
                 "<!DOCTYPE l [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><l>&a;</l>"});
  all.push_back({"Parameter entity", "xml", "<!DOCTYPE l SYSTEM \"http://192.0.2.1/x.dtd\"><l/>"});
  all.push_back({"XML siblings", "xml", "<a>" + repeated("<b/>", 1'000'000) + "</a>"});
  std::string names = "<a>";
  for (int i = 0; i < 50'000; ++i) names += fmt::format("<b{}/>", i);
  all.push_back({"XML names", "xml", names + "</a>"});
  std::string attributes = "<a";
  for (int i = 0; i < 100'000; ++i) attributes += fmt::format(" b{}=\"\"", i);
  all.push_back({"XML attributes", "xml", attributes + "/>"});
  all.push_back({"XML quotes that do not end", "xml", repeated("<a b=\"", 100'000)});
  all.push_back({"CSV columns", "csv", repeated(",", 4'000'000)});
  all.push_back({"CSV cells", "csv", "a,b\n" + repeated("1,\n", 1'000'000)});
  all.push_back({"CSV quotes", "csv", "a\n" + repeated("\"", 999'999)});
  all.push_back({"Too large", "json", std::string(formats::kMaxParsedBytes + 1, ' ')});
  return all;
}

TEST(Parse, inj6_BombsAreRefusedWithinATenthOfASecond) {
  for (const Bomb& bomb : bombs()) {
    const auto begun = std::chrono::steady_clock::now();
    bool refused = false;
    if (bomb.format == "json") refused = !formats::parse_json_text(bomb.text);
    if (bomb.format == "xml") refused = !formats::parse_xml(bomb.text);
    if (bomb.format == "csv") refused = !formats::parse_csv(bomb.text, {});
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_TRUE(refused) << bomb.name;
    // Builds without optimization on a busy machine get more.
    EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), 1000)
        << bomb.name;
    RecordProperty(bomb.name, static_cast<int>(took / std::chrono::microseconds(1)));
  }
}

// ---- convert ----

std::string converted(std::string_view field, std::string_view value) {
  return made_by("convert", fmt::format(R"({{"fields": [{{"field": "v", {}}}]}})", field),
                 fmt::format(R"({{"v": {}}})", value));
}

TEST(Convert, Units) {
  EXPECT_EQ(converted(R"("fromUnit": "°F", "toUnit": "°C", "decimals": 6)", "212"),
            R"([{"v":100.0}])");
  EXPECT_EQ(converted(R"("fromUnit": "bar", "toUnit": "psi", "decimals": 4)", "1"),
            R"([{"v":14.5038}])");
  EXPECT_EQ(converted(R"("fromUnit": "km/h", "toUnit": "m/s", "decimals": 6)", "\"36\""),
            R"([{"v":10.0}])");
  EXPECT_EQ(converted(R"("fromUnit": "rpm", "toUnit": "Hz")", "120"), R"([{"v":2.0}])");
  EXPECT_EQ(converted(R"("fromUnit": "K", "toUnit": "K")", "5"), R"([{"v":5}])");
}

TEST(Convert, EveryUnitThereAndBackIsTheSame) {
  for (const formats::Unit& from : formats::all_units()) {
    EXPECT_EQ(formats::find_unit(from.name), &from);
    for (const formats::Unit& to : formats::all_units()) {
      if (from.dimension != to.dimension) continue;
      const double there = formats::convert(12.5, from, to);
      EXPECT_NEAR(formats::convert(there, to, from), 12.5, 1e-9) << from.name << " " << to.name;
    }
  }
}

TEST(Convert, Types) {
  EXPECT_EQ(converted(R"("type": "number")", "\" 1.50 \""), R"([{"v":1.5}])");
  EXPECT_EQ(converted(R"("type": "number")", "\"18446744073709551615\""),
            R"([{"v":18446744073709551615}])");
  EXPECT_EQ(converted(R"("type": "number")", "true"), R"([{"v":1}])");
  EXPECT_EQ(converted(R"("type": "integer")", "2.5"), R"([{"v":3}])");
  EXPECT_EQ(converted(R"("type": "integer", "rounding": "down")", "-2.5"), R"([{"v":-3}])");
  EXPECT_EQ(converted(R"("type": "integer", "rounding": "up")", "2.1"), R"([{"v":3}])");
  EXPECT_EQ(converted(R"("type": "boolean")", "\"YES\""), R"([{"v":true}])");
  EXPECT_EQ(converted(R"("type": "boolean")", "0"), R"([{"v":false}])");
  EXPECT_EQ(converted(R"("type": "text")", "[1, 2]"), R"([{"v":"[1,2]"}])");
  EXPECT_EQ(converted(R"("type": "text")", "null"), R"([{"v":null}])");
  EXPECT_EQ(converted(R"("type": "text", "into": "w")", "5"), R"([{"v":5,"w":"5"}])");
}

TEST(Convert, edge_38_WholeNumbersAreExactOrRefused) {
  EXPECT_EQ(converted(R"("type": "integer")", "9007199254740993"), R"([{"v":9007199254740993}])");
  EXPECT_EQ(converted(R"("type": "integer")", "18446744073709551615"),
            R"([{"v":18446744073709551615}])");
  EXPECT_EQ(converted(R"("type": "integer")", "-9223372036854775808"),
            R"([{"v":-9223372036854775808}])");
  EXPECT_TRUE(
      converted(R"("type": "integer")", "1e19").starts_with(R"([{"v":10000000000000000000)"));
  EXPECT_TRUE(converted(R"("type": "integer")", "1e20").starts_with("not_convertible"));
  EXPECT_TRUE(converted(R"("type": "integer")", "\"Infinity\"").starts_with("not_convertible"));
  EXPECT_TRUE(converted(R"("type": "number")", "\"1e999\"").starts_with("not_convertible"));
  EXPECT_EQ(converted(R"("type": "integer", "minimum": -32768, "maximum": 32767)", "32768"),
            "not_convertible: Field 'v': 32768 is above 32767.");
}

TEST(Convert, WhatIsNotValidFollowsThePolicy) {
  EXPECT_EQ(converted(R"("type": "number")", "\"12 bottles\""),
            "not_convertible: Field 'v': \"12 bottles\" is not a number.");
  EXPECT_EQ(converted(R"("type": "number", "onInvalid": "null")", "\"x\""), R"([{"v":null}])");
  EXPECT_EQ(converted(R"("type": "number", "onInvalid": "keep")", "\"x\""), R"([{"v":"x"}])");
  EXPECT_EQ(converted(R"("type": "integer", "rounding": "none")", "1.5"),
            "not_convertible: Field 'v': 1.5 has a fraction.");
  EXPECT_TRUE(converted(R"("type": "boolean")", "2").starts_with("not_convertible"));
}

TEST(Convert, Dates) {
  const auto date = [](std::string_view more, std::string_view value) {
    return converted(fmt::format(R"("type": "date", {})", more), value);
  };
  EXPECT_EQ(date(R"("dateFormat": "iso8601")", "\"2026-11-22T10:00:00+03:00\""),
            R"([{"v":"2026-11-22T07:00:00.000Z"}])");
  EXPECT_EQ(date(R"("dateFormat": "seconds")", "1700000000"),
            R"([{"v":"2023-11-14T22:13:20.000Z"}])");
  EXPECT_EQ(date(R"("dateFormat": "nanoseconds")", "\"1700000000123456789\""),
            R"([{"v":"2023-11-14T22:13:20.123Z"}])");
  EXPECT_EQ(date(R"("dateFormat": "%d.%m.%Y %H:%M:%S", "zone": "Europe/Istanbul")",
                 "\"22.11.2026 13:00:00\""),
            R"([{"v":"2026-11-22T10:00:00.000Z"}])");
  EXPECT_EQ(
      date(
          R"("dateFormat": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin", "dateOutput": "milliseconds")",
          "\"25.10.2026 02:30\""),
      R"([{"v":1792888200000}])");  // twice that night; the first, 00:30 UTC
  EXPECT_EQ(
      date(R"("dateFormat": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin")", "\"29.03.2026 02:30\""),
      "not_convertible: Field 'v': \"29.03.2026 02:30\" does not exist in Europe/Berlin: clocks "
      "were set forward.");
  EXPECT_TRUE(
      date(R"("dateFormat": "%d.%m.%Y")", "\"22.11.2026 x\"").starts_with("not_convertible"));
  EXPECT_TRUE(date(R"("dateFormat": "iso8601")", "\"soon\"").starts_with("not_convertible"));
  EXPECT_TRUE(date(R"("dateFormat": "seconds")", "1e18").starts_with("not_convertible"));
}

TEST(Convert, ARecordThatFailsStaysWhole) {
  NodeWorld world;
  world.start_node(
      "convert",
      R"({"fields": [{"field": "a", "type": "text"}, {"field": "b", "type": "number"}]})", {"out"},
      R"(, "onError": "continue")");
  world.deliver(R"([{"a": 1, "b": "x"}])");
  EXPECT_EQ(world.take(), R"([{"a":1,"b":"x"}])");
}

TEST(Convert, SaysWhatIsWrongWithItsSettings) {
  const auto problem = [](std::string_view field) {
    return problem_of("convert", fmt::format(R"({{"fields": [{{"field": "v"{}}}]}})", field));
  };
  EXPECT_EQ(problem(R"(, "fromUnit": "bar", "toUnit": "°C")"),
            "/nodes/1/settings/fields/0/toUnit wrong_dimension");
  EXPECT_EQ(problem(R"(, "fromUnit": "furlong", "toUnit": "m")"),
            "/nodes/1/settings/fields/0/fromUnit unknown_unit");
  EXPECT_EQ(problem(R"(, "fromUnit": "m")"), "/nodes/1/settings/fields/0/toUnit required");
  EXPECT_EQ(problem(R"(, "type": "date", "zone": "Mars/Olympus")"),
            "/nodes/1/settings/fields/0/zone unknown_zone");
  EXPECT_EQ(problem(R"(, "type": "date", "dateFormat": "yyyy")"),
            "/nodes/1/settings/fields/0/dateFormat invalid");
  EXPECT_EQ(problem(R"(, "type": "number", "minimum": 5, "maximum": 1)"),
            "/nodes/1/settings/fields/0/maximum out_of_range");
  EXPECT_EQ(problem(""), "/nodes/1/settings/fields/0 required");
}

}  // namespace
}  // namespace tributary::orchestrate
