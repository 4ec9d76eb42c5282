// Events, alarms and conditions: what is asked for and what comes, against node-opcua and
// open62541.
#include <open62541/server.h>

#include <set>

#include "connectors/opcua/src/operation.hpp"
#include "connectors/opcua/tests/node_opcua.hpp"
#include "connectors/opcua/tests/records.hpp"

namespace tributary::connectors::opcua {
namespace {

// ---- pure ----

EventsSettings settings_with(std::vector<std::string> types, std::vector<std::string> sources,
                             std::int64_t severity) {
  EventsSettings settings;
  settings.event_types = std::move(types);
  settings.sources = std::move(sources);
  settings.min_severity = severity;
  return settings;
}

const Namespaces kNamespaces = {"http://opcfoundation.org/UA/", "urn:server", "urn:plant"};

TEST(EventFilters, AskForEverythingWhenNothingIsSaid) {
  const auto selection = select_events(settings_with({}, {}, 1)).value();
  const auto filter = make_filter(selection, EventTypes(), {}, kNamespaces);
  ASSERT_TRUE(filter.has_value());
  EXPECT_EQ((*filter)->whereClause.elementsSize, 0U);
  EXPECT_EQ((*filter)->selectClausesSize, selection.fields.size());
}

// OPC 10000-4, 7.7.1: an operator stands before the ones that it joins.
TEST(EventFilters, JoinTypesSourcesAndSeverity) {
  const auto selection =
      select_events(settings_with({"i=2915", "nsu=urn:plant;i=7"}, {"nsu=urn:plant;s=tank"}, 300))
          .value();
  const auto filter = make_filter(selection, EventTypes(), {}, kNamespaces).value();
  const UA_ContentFilter& where = filter->whereClause;
  std::vector<UA_FilterOperator> operators;
  for (std::size_t i = 0; i < where.elementsSize; ++i) {
    operators.push_back(where.elements[i].filterOperator);
    for (std::size_t k = 0; k < where.elements[i].filterOperandsSize; ++k) {
      const UA_ExtensionObject& operand = where.elements[i].filterOperands[k];
      if (operand.content.decoded.type != &UA_TYPES[UA_TYPES_ELEMENTOPERAND]) continue;
      EXPECT_GT(static_cast<const UA_ElementOperand*>(operand.content.decoded.data)->index, i);
    }
  }
  EXPECT_EQ(operators,
            (std::vector{UA_FILTEROPERATOR_AND, UA_FILTEROPERATOR_OR, UA_FILTEROPERATOR_AND,
                         UA_FILTEROPERATOR_OFTYPE, UA_FILTEROPERATOR_OFTYPE,
                         UA_FILTEROPERATOR_EQUALS, UA_FILTEROPERATOR_GREATERTHANOREQUAL}));
  EXPECT_EQ(make_filter(selection, EventTypes(), {}, {"http://opcfoundation.org/UA/"}).error().code,
            "namespace_unknown");
}

TEST(EventFilters, NameFieldsByTheNamespaceOfTheirType) {
  EventsSettings settings;
  settings.conditions = false;
  settings.fields.push_back({"batch", "Batch", "nsu=urn:plant;i=7"});
  settings.fields.push_back({"since", "1:State/0:TransitionTime", std::nullopt});
  const auto selection = select_events(settings).value();
  const std::vector<std::size_t> refused = {0};
  const auto filter = make_filter(selection, EventTypes(), refused, kNamespaces).value();
  ASSERT_EQ(filter->selectClausesSize, selection.fields.size() - 1) << "one is not known there";
  const auto& batch = filter->selectClauses[filter->selectClausesSize - 2];
  EXPECT_EQ(batch.typeDefinitionId.namespaceIndex, 2);
  EXPECT_EQ(batch.browsePath[0].namespaceIndex, 2);
  const auto& since = filter->selectClauses[filter->selectClausesSize - 1];
  EXPECT_EQ(since.browsePathSize, 2U);
  EXPECT_EQ(since.browsePath[0].namespaceIndex, 1);
  EXPECT_EQ(view(since.browsePath[0].name), "State");
  EXPECT_EQ(since.browsePath[1].namespaceIndex, 0);
  settings.fields[0].path = "a//b";
  EXPECT_EQ(select_events(settings).error().code, "invalid_path");
  EXPECT_EQ(select_events(settings).error().pointer, "/settings/fields/0/path");
}

// Two namespaces may have types of one name: both are meant.
TEST(EventFilters, NamesOfTypesBecomeTheirNodeIds) {
  const auto selection = select_events(settings_with({"PumpEventType", "i=2915"}, {}, 1)).value();
  EventTypes types;
  EXPECT_EQ(make_filter(selection, types, {}, kNamespaces).error().code, "unknown_event_type");
  EXPECT_EQ(make_filter(selection, types, {}, kNamespaces).error().pointer,
            "/settings/eventTypes/0");
  types.add("nsu=urn:plant;i=7", "PumpEventType");
  types.add("nsu=urn:server;i=9", "PumpEventType");
  const auto filter = make_filter(selection, types, {}, kNamespaces).value();
  std::set<UA_UInt32> wanted;
  const UA_ContentFilter& where = filter->whereClause;
  for (const auto& element : std::span(where.elements, where.elementsSize)) {
    if (element.filterOperator != UA_FILTEROPERATOR_OFTYPE) continue;
    const auto* literal =
        static_cast<const UA_LiteralOperand*>(element.filterOperands[0].content.decoded.data);
    wanted.insert(static_cast<const UA_NodeId*>(literal->value.data)->identifier.numeric);
  }
  EXPECT_EQ(wanted, (std::set<UA_UInt32>{7, 9, 2915}));
}

TEST(EventRecords, AnOverflowIsSaidAndTheConditionsAreAskedForAgain) {
  EventWatch watch(select_events({}).value());
  TypeCatalog catalog;
  const ValueContext context{kNamespaces, catalog};
  std::vector<UA_Variant> values(watch.selection.fields.size());
  for (UA_Variant& each : values) UA_Variant_init(&each);
  UA_NodeId type = UA_NODEID_NUMERIC(0, 3035);
  UA_Variant_setScalar(&values[1], &type, &UA_TYPES[UA_TYPES_NODEID]);
  EXPECT_EQ(get_string(event_record(values, watch, context), "kind"), "overflow");
  EXPECT_TRUE(watch.refresh);
  watch.refresh = false;
  type = UA_NODEID_NUMERIC(0, 2787);
  EXPECT_EQ(get_string(event_record(values, watch, context), "kind"), "refreshStart");
  type = UA_NODEID_NUMERIC(0, 3035);
  event_record(values, watch, context);
  EXPECT_FALSE(watch.refresh) << "the same again would overflow again";
  type = UA_NODEID_NUMERIC(0, 2041);
  EXPECT_TRUE(get_bool(event_record(values, watch, context), "replayed", false));
  type = UA_NODEID_NUMERIC(0, 2788);
  event_record(values, watch, context);
  type = UA_NODEID_NUMERIC(0, 2789);
  event_record(values, watch, context);
  EXPECT_TRUE(watch.refresh) << "the server says that it is needed";
}

// ---- against node-opcua ----

class Alarms : public NodeOpcua {
 protected:
  std::unique_ptr<sdk::Subscription> follow(sdk::Sink& sink, std::string_view settings = "{}") {
    auto* subscriber = dynamic_cast<sdk::Subscriber*>(session_.get());
    operation_ = prepare("opcua.events", settings);
    auto made = context_.run(subscriber->subscribe(*operation_, sink, context_.in(5s)));
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  void set_level(double level) {
    const auto written =
        call("opcua.write", peer_nodes({"level"}), fmt::format(R"({{"level":{}}})", level));
    ASSERT_EQ(values(written)["level"], Json(level)) << tributary::to_text(values(written));
  }
  void raise(int count, int severity) {
    const auto done =
        call("opcua.call",
             fmt::format(R"({{"objectId":"nsu={0};s=tank","methodId":"nsu={0};s=raise"}})",
                         kPeerNamespace),
             fmt::format(R"({{"count":{},"severity":{}}})", count, severity));
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  bool wait(const Records& sink, const std::function<bool(const Records&)>& until) {
    return context_.run_until([&] { return until(sink); }, 20s);
  }
  static std::string all_of(const Records& sink) {
    std::string text;
    for (const Record& each : sink.all) text += tributary::to_text(each) + "\n";
    return text;
  }
};

TEST_F(Alarms, AnAlarmIsFollowedFromItsBeginningToItsEnd) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription = follow(sink);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("refreshEnd") == 1; }))
      << all_of(sink);
  set_level(90);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("condition") == 1; }))
      << all_of(sink);
  const Json raised = sink.last("condition");
  EXPECT_TRUE(get_string(raised, "sourceName").ends_with("Tank")) << tributary::to_text(raised);
  EXPECT_EQ(get_string(raised, "sourceNode"), fmt::format("nsu={};s=tank", kPeerNamespace));
  EXPECT_EQ(get_string(raised, "eventType"), "i=9482");
  const Json& condition = raised.at("condition");
  EXPECT_EQ(get_string(condition, "name"), "Level");
  EXPECT_EQ(condition.at("active"), Json(true));
  EXPECT_EQ(condition.at("acknowledged"), Json(false));
  EXPECT_EQ(condition.at("retain"), Json(true));
  EXPECT_EQ(condition.at("quality"), Json("Good"));
  EXPECT_TRUE(condition.at("branchId").is_null());
  EXPECT_FALSE(raised.contains("replayed"));

  const std::string named =
      fmt::format(R"({{"conditionId":"{}","eventId":"{}","comment":"seen"}})",
                  get_string(condition, "conditionId"), get_string(raised, "eventId"));
  const auto acknowledged = call("opcua.acknowledge", named);
  ASSERT_TRUE(acknowledged.has_value()) << acknowledged.error().message;
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("condition") >= 2; }))
      << all_of(sink);
  const Json seen = sink.last("condition");
  EXPECT_EQ(seen.at("condition").at("acknowledged"), Json(true)) << tributary::to_text(seen);
  EXPECT_EQ(seen.at("condition").at("comment"), Json("seen"));
  EXPECT_EQ(seen.at("condition").at("confirmed"), Json(false));
  const auto twice = call("opcua.acknowledge", named);
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().error_class, ErrorClass::kFunction) << twice.error().code;

  const auto confirmed =
      call("opcua.confirm",
           fmt::format(R"({{"conditionId":"{}","eventId":"{}"}})",
                       get_string(condition, "conditionId"), get_string(seen, "eventId")));
  ASSERT_TRUE(confirmed.has_value()) << confirmed.error().code << confirmed.error().message;
  ASSERT_TRUE(wait(sink, [](const Records& all) {
    return get_bool(all.last("condition").at("condition"), "confirmed", false);
  })) << all_of(sink);
  set_level(50);
  ASSERT_TRUE(wait(sink, [](const Records& all) {
    return !get_bool(all.last("condition").at("condition"), "active", true);
  })) << all_of(sink);
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, AreShelvedSuppressedCommentedAndDisabled) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription = follow(sink);
  const std::string id = fmt::format("nsu={};s=levelAlarm", kPeerNamespace);
  // What the server says: "" is good.
  const auto operate = [&](std::string_view operation, std::string_view more = "") {
    const auto done =
        call("opcua.condition",
             fmt::format(R"({{"conditionId":"{}","operation":"{}"{}}})", id, operation, more));
    if (!done) return done.error().code;
    EXPECT_EQ(done->records().front(),
              json(fmt::format(R"({{"conditionId":"{}","operation":"{}"}})", id, operation)));
    return std::string();
  };
  // The state after the next change of the level.
  const auto next = [&](double level) {
    const std::size_t before = sink.count("condition");
    set_level(level);
    EXPECT_TRUE(wait(sink, [&](const Records& all) { return all.count("condition") > before; }))
        << all_of(sink);
    return sink.last("condition");
  };
  next(90);
  EXPECT_EQ(operate("unshelve"), "") << "node-opcua's alarms begin without any such state";
  EXPECT_EQ(operate("timedShelve", R"(,"shelvingTimeMs":3600000)"),
            "bad_shelving_time_out_of_range");
  EXPECT_EQ(operate("timedShelve", R"(,"shelvingTimeMs":50000)"), "");
  EXPECT_EQ(operate("timedShelve", R"(,"shelvingTimeMs":50000)"), "bad_condition_already_shelved");
  EXPECT_EQ(operate("suppress"), "");
  const Json shelved = next(97);
  EXPECT_EQ(shelved.at("condition").at("shelving"), Json("TimedShelved"))
      << tributary::to_text(shelved);
  EXPECT_EQ(shelved.at("condition").at("suppressed"), Json(true));
  EXPECT_EQ(operate("unshelve"), "");
  EXPECT_EQ(operate("oneShotShelve"), "");
  EXPECT_EQ(operate("unsuppress"), "");
  const Json once = next(90);
  EXPECT_EQ(once.at("condition").at("shelving"), Json("OneShotShelved"));
  EXPECT_EQ(once.at("condition").at("suppressed"), Json(false));
  EXPECT_EQ(operate("unshelve"), "");
  EXPECT_EQ(operate("unshelve"), "bad_condition_not_shelved");

  const std::size_t before = sink.count("condition");
  EXPECT_EQ(operate("addComment", fmt::format(R"(,"eventId":"{}","comment":"ordered a valve")",
                                              get_string(once, "eventId"))),
            "");
  ASSERT_TRUE(wait(sink, [&](const Records& all) { return all.count("condition") > before; }));
  EXPECT_EQ(sink.last("condition").at("condition").at("comment"), Json("ordered a valve"));
  EXPECT_EQ(operate("addComment", R"(,"eventId":"AAAA","comment":"x")"), "bad_event_id_unknown");
  EXPECT_EQ(operate("disable"), "");
  EXPECT_EQ(operate("disable"), "bad_condition_already_disabled");
  EXPECT_EQ(operate("enable"), "");
  EXPECT_EQ(operate("enable"), "bad_condition_already_enabled");
  EXPECT_EQ(operate("respond", R"(,"response":0)"), "bad_method_invalid") << "it is no dialog";
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, OperationsWantWhatTheirMethodsTake) {
  const auto prepared = [](std::string_view settings) {
    const sdk::FunctionSpec spec{"opcua.condition", parse_json(settings).value()};
    const auto operation = prepare_operation(spec);
    return operation ? "" : operation.error().code + " " + operation.error().pointer;
  };
  EXPECT_EQ(prepared(R"({"conditionId":"i=1","operation":"timedShelve","comment":""})"),
            "missing_argument /settings/shelvingTimeMs");
  EXPECT_EQ(prepared(R"({"conditionId":"i=1","operation":"addComment","comment":""})"),
            "missing_argument /settings/eventId");
  EXPECT_EQ(prepared(R"({"conditionId":"i=1","operation":"respond","comment":""})"),
            "missing_argument /settings/response");
  EXPECT_EQ(prepared(R"({"conditionId":"pump","operation":"reset","comment":""})"),
            "invalid_node_id /settings/conditionId");
  EXPECT_EQ(prepared(R"({"conditionId":"i=1","operation":"reset","comment":""})"), "");
}

TEST_F(Alarms, TypesOfEventsAreChosenAndSaidByTheirNames) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription =
      follow(sink, R"({"conditions":false,"eventTypes":["BatchEventType","LimitAlarmType"]})");
  raise(1, 500);
  set_level(90);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.all.size() >= 2; })) << all_of(sink);
  EXPECT_EQ(sink.all[0].at("eventTypeName"), Json("BatchEventType")) << all_of(sink);
  EXPECT_EQ(sink.all[0].at("eventType"), Json(fmt::format("nsu={};s=batchEvent", kPeerNamespace)));
  EXPECT_EQ(sink.all[1].at("eventTypeName"), Json("ExclusiveLevelAlarmType")) << "a subtype";
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, ATypeThatTheServerDoesNotHaveIsSaid) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription = follow(sink, R"({"eventTypes":["ValveEventType"]})");
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("refused") >= 1; }))
      << all_of(sink);
  EXPECT_EQ(get_string(sink.all[0], "code"), "unknown_event_type");
  EXPECT_NE(get_string(sink.all[0], "message").find("ValveEventType"), std::string::npos);
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, WhatIsActiveComesAgainAfterAReconnect) {
  Peer peer;
  open(trusting(peer));
  set_level(97);
  session_->abort();
  open(trusting(peer));
  Records sink;
  const auto subscription = follow(sink);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("refreshEnd") == 1; }))
      << all_of(sink);
  ASSERT_EQ(sink.count("condition"), 1U) << all_of(sink);
  const Json again = sink.last("condition");
  EXPECT_TRUE(get_bool(again, "replayed", false));
  EXPECT_TRUE(get_bool(again.at("condition"), "active", false));
  EXPECT_EQ(get_string(sink.all.front(), "kind"), "refreshStart");
  EXPECT_EQ(get_string(sink.all.back(), "kind"), "refreshEnd");
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, EventsAreChosenByTypeSourceAndSeverity) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription = follow(
      sink,
      fmt::format(
          R"({{"conditions":false,"eventTypes":["nsu={0};s=batchEvent"],"sources":["nsu={0};s=tank"],"minSeverity":500,
              "fields":[{{"name":"batch","path":"Batch","typeId":"nsu={0};s=batchEvent"}}]}})",
          kPeerNamespace));
  set_level(90);
  raise(1, 499);
  raise(2, 500);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("event") == 2; }))
      << all_of(sink);
  EXPECT_EQ(sink.all.size(), 2U) << all_of(sink);
  EXPECT_EQ(sink.all[1].at("fields"), json(R"({"batch":"B1"})"));
  EXPECT_EQ(sink.all[1].at("message"), Json("batch 1"));
  EXPECT_EQ(sink.all[1].at("severity"), Json(500));
  EXPECT_FALSE(sink.all[1].contains("condition"));
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, WhatIsNoNotifierIsSaidAndTriedAgain) {
  Peer peer;
  open(trusting(peer));
  Records sink;
  const auto subscription =
      follow(sink, fmt::format(R"({{"notifierId":"nsu={};s=nobody"}})", kPeerNamespace));
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("refused") >= 2; }))
      << all_of(sink);
  EXPECT_EQ(get_string(sink.all[0], "code"), "bad_node_id_unknown");
  context_.run(subscription->cancel(context_.in(5s)));
}

// ---- against open62541: events, but no conditions ----

UA_StatusCode raise_plain(UA_Server* server, std::string_view words, UA_UInt16 severity) {
  UA_NodeId event;
  UA_StatusCode status =
      UA_Server_createEvent(server, UA_NODEID_NUMERIC(0, UA_NS0ID_BASEEVENTTYPE), &event);
  UA_Server_writeObjectProperty_scalar(server, event, {0, borrow("Severity")}, &severity,
                                       &UA_TYPES[UA_TYPES_UINT16]);
  UA_LocalizedText message{UA_STRING_NULL, borrow(words)};
  UA_Server_writeObjectProperty_scalar(server, event, {0, borrow("Message")}, &message,
                                       &UA_TYPES[UA_TYPES_LOCALIZEDTEXT]);
  status |=
      UA_Server_triggerEvent(server, event, UA_NODEID_NUMERIC(0, UA_NS0ID_SERVER), nullptr, true);
  return status;
}

TEST_F(Alarms, AServerWithoutConditionsHasPlainEvents) {
  const TestServer server;
  open(profile(server.server->url(), kInsecure));
  Records sink;
  const auto subscription = follow(sink, R"({"publishingIntervalMs":50})");
  ASSERT_EQ(raise_plain(server.server->native(), "valve stuck", 700), UA_STATUSCODE_GOOD);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return !all.all.empty(); }));
  const Json& record = sink.all.front();
  EXPECT_EQ(get_string(record, "kind"), "event") << tributary::to_text(record);
  EXPECT_EQ(record.at("message"), Json("valve stuck"));
  EXPECT_EQ(record.at("severity"), Json(700));
  EXPECT_FALSE(record.contains("condition"));
  context_.run(subscription->cancel(context_.in(5s)));
}

TEST_F(Alarms, EventsThatDoNotFitTheQueueAreSaidToBeLost) {
  const TestServer server;
  open(profile(server.server->url(), kInsecure));
  Records sink;
  const auto subscription = follow(sink, R"({"queueSize":5,"publishingIntervalMs":1000})");
  for (int i = 0; i < 40; ++i)
    ASSERT_EQ(raise_plain(server.server->native(), fmt::format("{}", i), 1), UA_STATUSCODE_GOOD);
  ASSERT_TRUE(wait(sink, [](const Records& all) { return all.count("overflow") >= 1; }))
      << all_of(sink);
  EXPECT_LT(sink.count("event"), 40U);
  EXPECT_EQ(sink.last("event").at("message"), Json("39")) << "the newest must stay";
  context_.run(subscription->cancel(context_.in(5s)));
}

}  // namespace
}  // namespace tributary::connectors::opcua
