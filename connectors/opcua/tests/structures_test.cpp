// Structures and enumerations: their encoding with types made by hand, and with those of a server.
#include "connectors/opcua/src/structures.hpp"

#include "connectors/opcua/src/binary.hpp"
#include "connectors/opcua/tests/node_opcua.hpp"
#include "connectors/opcua/tests/types.hpp"

namespace tributary::connectors::opcua {
namespace {

class Structures : public ::testing::Test {
 protected:
  static Json json(std::string_view text) { return parse_json(text).value(); }
  std::optional<Json> decode(const std::string& bytes, const StructureType& type) {
    return decode_structure(std::as_bytes(std::span(bytes)), type, context_, 0);
  }
  std::string encode(std::string_view text, const StructureType& type) {
    const auto bytes = encode_structure(json(text), type, context_);
    EXPECT_TRUE(bytes.has_value()) << (bytes ? "" : bytes.error().message);
    return bytes.value_or("");
  }
  // "code pointer" of a refusal.
  std::string refusal(std::string_view text, const StructureType& type) {
    const auto bytes = encode_structure(json(text), type, context_);
    return bytes ? "written" : bytes.error().code + " " + bytes.error().pointer;
  }
  const Namespaces namespaces_ = {"http://opcfoundation.org/UA/", "urn:one"};
  TypeCatalog catalog_;
  const ValueContext context_{namespaces_, catalog_};
  const TestTypes types_{catalog_};
};

// OPC 10000-6, 5.2.6: the fields, one after the other.
TEST_F(Structures, AreTheirFieldsInOrder) {
  const std::string bytes(
      "\x07\x00\x02\x00\x00\x00"
      "ab",
      8);
  EXPECT_EQ(decode(bytes, types_.plain), json(R"({"count": 7, "text": "ab"})"));
  EXPECT_EQ(encode(R"({"text": "ab", "count": 7})", types_.plain), bytes);
}

// 5.2.7: a mask of those that are there.
TEST_F(Structures, OptionalFieldsAreThereOrNot) {
  const std::string without("\x00\x00\x00\x00\x09", 5);
  const std::string second("\x02\x00\x00\x00\x09\x01", 6);
  EXPECT_EQ(decode(without, types_.optional), json(R"({"always": 9})"));
  EXPECT_EQ(decode(second, types_.optional), json(R"({"always": 9, "flag": true})"));
  EXPECT_EQ(encode(R"({"always": 9})", types_.optional), without);
  EXPECT_EQ(encode(R"({"always": 9, "inner": null, "flag": true})", types_.optional), second);
  const std::string first("\x01\x00\x00\x00\x07\x00\x00\x00\x00\x00\x09", 11);
  EXPECT_EQ(decode(first, types_.optional),
            json(R"({"inner": {"count": 7, "text": ""}, "always": 9})"));
}

// 5.2.8: the number of the member that is there.
TEST_F(Structures, AUnionHoldsOneMemberOrNone) {
  EXPECT_EQ(decode(std::string(4, '\0'), types_.choice), json("{}"));
  EXPECT_EQ(encode("{}", types_.choice), std::string(4, '\0'));
  const std::string second("\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00", 10);
  EXPECT_EQ(decode(second, types_.choice), json(R"({"plain": {"count": 1, "text": ""}})"));
  EXPECT_EQ(encode(R"({"plain": {"count": 1, "text": ""}})", types_.choice), second);
  EXPECT_EQ(refusal(R"({"number": 1, "plain": {}})", types_.choice), "wrong_type ");
  EXPECT_FALSE(decode(std::string("\x03\x00\x00\x00", 4), types_.choice)) << "no such member";
}

TEST_F(Structures, ListsAndMatricesOfStructures) {
  const std::string bytes(
      "\x02\x00\x00\x00"
      "\x01\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x00\x00\x00"
      "\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00"
      "\x05\x06",
      30);
  constexpr std::string_view kText =
      R"({"list": [{"count": 1, "text": ""}, {"count": 2, "text": ""}], "matrix": [[5], [6]]})";
  EXPECT_EQ(decode(bytes, types_.lists), json(kText));
  EXPECT_EQ(encode(kText, types_.lists), bytes);
  EXPECT_EQ(decode(std::string("\xff\xff\xff\xff\x00\x00\x00\x00", 8), types_.lists),
            json(R"({"list": [], "matrix": []})"));
}

TEST_F(Structures, WhatIsNotExactlyTheTypeIsNoValue) {
  const std::string bytes(
      "\x07\x00\x02\x00\x00\x00"
      "ab",
      8);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode(bytes.substr(0, size), types_.plain)) << size;
  EXPECT_FALSE(decode(bytes + "c", types_.plain)) << "bytes are left";
  const std::string many("\xff\xff\xff\x7f", 4);
  EXPECT_FALSE(decode(many, types_.empties)) << "a list without end of values without bytes";
  EXPECT_FALSE(
      decode(std::string("\xff\xff\xff\x7f\xff\xff\xff\x7f\xff\xff\xff\x7f", 12), types_.lists));
  EXPECT_FALSE(decode(std::string(400, '\x01'), types_.endless)) << "deeper than anybody nests";
}

TEST_F(Structures, AreWrittenWholeOrNotAtAll) {
  EXPECT_EQ(refusal(R"({"count": 1})", types_.plain), "missing_field /text");
  EXPECT_EQ(refusal(R"({"count": 1, "text": "", "speed": 2})", types_.plain),
            "unknown_field /speed");
  EXPECT_EQ(refusal(R"({"count": 65536, "text": ""})", types_.plain), "value_out_of_range /count");
  EXPECT_EQ(
      refusal(R"({"list": [{"count": 1, "text": ""}, {"count": 1, "text": 5}], "matrix": []})",
              types_.lists),
      "wrong_type /list/1/text");
  EXPECT_EQ(refusal(R"({"list": [], "matrix": [[1, 2], [3]]})", types_.lists),
            "wrong_type /matrix");
  EXPECT_EQ(refusal(R"({"list": [], "matrix": [1]})", types_.lists), "wrong_type /matrix");
  EXPECT_EQ(refusal("[]", types_.plain), "wrong_type ");
}

TEST_F(Structures, EnumerationsAreNumbersNamesOrBoth) {
  const std::string bytes("\x05\x00\x00\x00\x07\x00\x00\x00", 8);
  const auto shown = [&](EnumerationForm form) {
    const ValueContext context{namespaces_, catalog_, form};
    return decode_structure(std::as_bytes(std::span(bytes)), types_.modes, context, 0);
  };
  EXPECT_EQ(shown(EnumerationForm::kNumber), json(R"({"now": 5, "next": 7})"));
  EXPECT_EQ(shown(EnumerationForm::kName), json(R"({"now": "Automatic", "next": 7})"));
  EXPECT_EQ(shown(EnumerationForm::kObject),
            json(R"({"now": {"value": 5, "name": "Automatic"}, "next": {"value": 7}})"));
  for (const auto* text :
       {R"({"now": "Automatic", "next": 7})", R"({"now": {"name": "Automatic"}, "next": "7"})",
        R"({"now": {"value": 5, "name": "Automatic"}, "next": {"value": 7}})"})
    EXPECT_EQ(encode(text, types_.modes), bytes) << text;
  EXPECT_EQ(refusal(R"({"now": "Fast", "next": 7})", types_.modes), "unknown_name /now");
}

// A field that leaves its type open holds a structure that says which it is.
TEST_F(Structures, WithinOthersSayTheirTypeWhereTheFieldLeavesItOpen) {
  StructureType& point = catalog_.make_structure();
  point.name = "Point3";
  point.encoding = Owned<UA_NodeId>::of(UA_NODEID_NUMERIC(1, 77));
  StructureField x;
  x.name = "x";
  x.type = {.wire = &UA_TYPES[UA_TYPES_BYTE], .known = true};
  point.fields.push_back(std::move(x));
  catalog_.add_encoding(*point.encoding, &point);
  StructureType& holder = catalog_.make_structure();
  StructureField at;
  at.name = "at";
  at.subtyped = true;
  at.type = {
      .wire = &UA_TYPES[UA_TYPES_EXTENSIONOBJECT], .structure = &types_.plain, .known = true};
  holder.fields.push_back(std::move(at));
  const std::string bytes("\x01\x01\x4d\x00\x01\x01\x00\x00\x00\x09", 10);
  constexpr std::string_view kText = R"({"at": {"$type": "Point3", "x": 9}})";
  EXPECT_EQ(decode(bytes, holder), json(kText));
  EXPECT_EQ(encode(kText, holder), bytes);
  EXPECT_EQ(refusal(R"({"at": {"$type": "Point4", "x": 9}})", holder), "type_not_supported /at");
  EXPECT_EQ(refusal(R"({"at": {"$type": "Point3", "y": 9}})", holder), "unknown_field /at/y");
  const std::string unknown("\x01\x01\x4e\x00\x01\x01\x00\x00\x00\x09", 10);
  EXPECT_EQ(decode(unknown, holder),
            json(R"({"at": {"typeId": "nsu=urn:one;i=78", "body": "CQ=="}})"));
}

TEST_F(Structures, OfUnknownTypesAreWrittenAsTheyWereRead) {
  const Json unknown = json(R"({"typeId": "nsu=urn:one;i=5", "body": "AQI="})");
  const TargetType target{.type = &UA_TYPES[UA_TYPES_EXTENSIONOBJECT]};
  const auto variant = to_variant(unknown, target, context_);
  ASSERT_TRUE(variant.has_value()) << variant.error().message;
  EXPECT_EQ(to_json(to_value(**variant, context_)), unknown);
  ASSERT_EQ(catalog_.take_missed().size(), 1U) << "the type must be asked for";
  EXPECT_EQ(to_variant(json(R"({"x": 1})"), target, context_).error().code, "type_not_supported");
}

TEST_F(Structures, OfTheStandardNeedNoServer) {
  const StructureType& argument = catalog_.standard(UA_TYPES[UA_TYPES_ARGUMENT]);
  const Json text = json(
      R"({"Name": "recipe", "DataType": "i=6", "ValueRank": 1, "ArrayDimensions": [3], "Description": "what to fill"})");
  const auto body = encode_structure(text, argument, context_);
  ASSERT_TRUE(body.has_value()) << body.error().message << body.error().pointer;
  EXPECT_EQ(decode(*body, argument), text);
}

// OPC 10000-6, 5.2.2: as long as the library says, for a value of each built-in type.
TEST_F(Structures, EveryBuiltInTypeEndsWhereTheLibrarySaysSo) {
  const auto expect = [](const void* value, const UA_DataType& type) {
    UA_ByteString bytes = UA_BYTESTRING_NULL;
    ASSERT_EQ(UA_encodeBinary(value, &type, &bytes), UA_STATUSCODE_GOOD);
    const auto all = std::as_bytes(std::span(bytes.data, bytes.length));
    EXPECT_EQ(encoded_size(type.typeKind, all), bytes.length) << type.typeName;
    EXPECT_FALSE(encoded_size(type.typeKind, all.first(all.size() - 1))) << type.typeName;
    UA_ByteString_clear(&bytes);
  };
  for (int kind = 0; kind <= UA_DATATYPEKIND_DIAGNOSTICINFO; ++kind) {
    void* const value = UA_new(&UA_TYPES[kind]);
    expect(value, UA_TYPES[kind]);
    UA_delete(value, &UA_TYPES[kind]);
  }
  UA_Int32 numbers[] = {1, 2, 3, 4};
  UA_UInt32 dimensions[] = {2, 2};
  UA_Variant matrix;
  UA_Variant_setArray(&matrix, numbers, 4, &UA_TYPES[UA_TYPES_INT32]);
  matrix.arrayDimensions = dimensions;
  matrix.arrayDimensionsSize = 2;
  expect(&matrix, UA_TYPES[UA_TYPES_VARIANT]);
  UA_DataValue all;
  UA_DataValue_init(&all);
  all.value = matrix;
  all.hasValue = all.hasStatus = all.hasSourceTimestamp = all.hasServerTimestamp = true;
  all.hasSourcePicoseconds = all.hasServerPicoseconds = true;
  expect(&all, UA_TYPES[UA_TYPES_DATAVALUE]);
  for (UA_NodeId id : {UA_NODEID_NUMERIC(0, 255), UA_NODEID_NUMERIC(3, 300),
                       UA_NODEID_NUMERIC(300, 70000), UA_NODEID_GUID(1, UA_GUID_NULL)}) {
    expect(&id, UA_TYPES[UA_TYPES_NODEID]);
    UA_ExpandedNodeId expanded{id, borrow("urn:one"), 4};
    expect(&expanded, UA_TYPES[UA_TYPES_EXPANDEDNODEID]);
  }
  UA_LocalizedText text{borrow("de"), borrow("läuft")};
  expect(&text, UA_TYPES[UA_TYPES_LOCALIZEDTEXT]);
  UA_ExtensionObject object;
  UA_Range range{0, 1};
  UA_ExtensionObject_setValueNoDelete(&object, &range, &UA_TYPES[UA_TYPES_RANGE]);
  expect(&object, UA_TYPES[UA_TYPES_EXTENSIONOBJECT]);
}

// ---- against node-opcua ----

constexpr std::string_view kMotor =
    R"({"name":"M1","mode":5,"position":{"x":1.0,"y":2.0},"path":[{"x":0.0,"y":0.0},{"x":3.0,"y":4.0}],"limits":[0.5,1.5]})";

TEST_F(NodeOpcua, StructuresAreObjects) {
  Peer peer;
  open(trusting(peer));
  const Json got = values(
      call("opcua.read", peer_nodes({"motor", "station", "measure", "point3", "points", "mode"})));
  EXPECT_EQ(got["motor"], json(kMotor)) << tributary::to_text(got["motor"]);
  EXPECT_EQ(
      got["station"],
      json(
          R"({"motor":{"name":"M1","mode":5,"position":{"x":1.0,"y":2.0},"path":[{"x":0.0,"y":0.0},{"x":3.0,"y":4.0}],"remark":"neu"},
              "measure":{"point":{"x":5.0,"y":6.0}},"data":"AQL/","since":"2026-11-22T10:00:00.123Z"})"))
      << tributary::to_text(got["station"]);
  EXPECT_EQ(got["measure"], json(R"({"text":"dry"})"));
  EXPECT_EQ(got["point3"], json(R"({"x":1.0,"y":2.0,"z":3.0})"))
      << tributary::to_text(got["point3"]);
  EXPECT_EQ(got["points"], json(R"([{"x":1.0,"y":1.0},{"x":2.0,"y":2.0}])"));
  EXPECT_EQ(got["mode"], Json(5));
}

TEST_F(NodeOpcua, StructuresAreWrittenFromObjects) {
  Peer peer;
  open(trusting(peer));
  constexpr std::string_view kNew =
      R"({"motor":{"name":"M2","mode":"Manual","position":{"x":-1,"y":1e300},"path":[],"remark":{"text":"alt","locale":"de"}},
          "measure":{"number":7},"points":[{"x":9,"y":8}],"mode":"Off","point3":{"x":1,"y":2,"z":4}})";
  const Json written = values(
      call("opcua.write", peer_nodes({"motor", "measure", "points", "mode", "point3"}), kNew));
  EXPECT_EQ(written, json(kNew)) << tributary::to_text(written);
  const Json got =
      values(call("opcua.read", peer_nodes({"motor", "measure", "points", "mode", "point3"})));
  EXPECT_EQ(
      got,
      json(
          R"({"motor":{"name":"M2","mode":1,"position":{"x":-1.0,"y":1e300},"path":[],"remark":"alt"},
              "measure":{"number":7.0},"points":[{"x":9.0,"y":8.0}],"mode":0,"point3":{"x":1.0,"y":2.0,"z":4.0}})"))
      << tributary::to_text(got);
  const auto refused =
      call("opcua.write", peer_nodes({"points"}), R"({"points":[{"x":1,"y":1},{"x":1,"z":1}]})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "unknown_field");
  EXPECT_EQ(refused.error().pointer, "/parameters/points/1/z");
}

TEST_F(NodeOpcua, NamesOfEnumerationsComeWhenTheyAreWanted) {
  Peer peer;
  open(trusting(peer, R"({"enumerations": "object"})"));
  const Json both = json(R"({"value":5,"name":"Automatic"})");
  const Json got = values(call("opcua.read", peer_nodes({"mode", "motor", "speed"})));
  EXPECT_EQ(got["mode"], both);
  EXPECT_EQ(got["motor"]["mode"], both);
  EXPECT_EQ(got["speed"], Json(1500)) << "no enumeration";
  Collector sink;
  const auto subscription =
      subscribe(sink, peer_nodes({"mode", "motor"}, R"(,"publishingIntervalMs":100)"));
  ASSERT_TRUE(context_.run_until([&] { return sink.samples.size() >= 2; }, 20s));
  for (const auto& [name, sample] : sink.samples) {
    const Json value = to_json(sample.value);
    EXPECT_EQ(name == "mode" ? value : value.at("mode"), both) << name;
  }
  context_.run(subscription->cancel(context_.in(5s)));
}

}  // namespace
}  // namespace tributary::connectors::opcua
