// Queries and statements against a real server.
#include "connectors/postgresql/tests/fixture.hpp"

namespace tributary::connectors::postgresql {
namespace {

using testing::HasSubstr;

class Query : public PostgresTest {
 protected:
  test::PostgresServer& server_ = clean_server();
  std::unique_ptr<sdk::Session> session_ = connect(server_.port());
};

TEST_F(Query, says_who_answered_and_passes_the_stages_of_connecting) {
  const auto other = session(profile(server_.port()));
  context_.stages().stages.clear();
  const auto identity = open(*other);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_THAT(context_.stages().stages,
              testing::ElementsAre("resolve", "tcp", "protocol", "login"));
  EXPECT_EQ(identity->product, "PostgreSQL");
  EXPECT_THAT(identity->version, testing::StartsWith("15"));
  EXPECT_EQ(identity->address, fmt::format("127.0.0.1:{}", server_.port()));
}

TEST_F(Query, edge_38_values_come_exactly_or_as_text) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"9007199254740993::int8", "9007199254740993"},
      {"(-9223372036854775807 - 1)::int8", "-9223372036854775808"},
      {"9223372036854775807::int8", "9223372036854775807"},
      {"18446744073709551615::numeric", "18446744073709551615"},
      {"18446744073709551616::numeric", R"("18446744073709551616")"},
      {"0.1::numeric", "0.1"},
      {"21.50::numeric", "21.5"},
      {"0.1000000000000000055511151231257827::numeric",
       R"("0.1000000000000000055511151231257827")"},
      {"0.1::float8", "0.1"},
      {"'NaN'::float8", "null"},
      {"'-Infinity'::float8", "null"},
      {"'NaN'::numeric", "null"},
      {"1.5::float4", "1.5"},
      {"true", "true"},
      {"null::int", "null"},
      {"'é\"'::text", R"("é\"")"},
      {"'\\x00ff10'::bytea", R"("AP8Q")"},
      {"'2026-11-22 10:00:00.25+02'::timestamptz", R"("2026-11-22T08:00:00.250Z")"},
      {"'2026-11-22 10:00:00.123456'::timestamp", R"("2026-11-22T10:00:00.123456")"},
      {"'infinity'::timestamptz", R"("infinity")"},
      {"'2026-11-22'::date", R"("2026-11-22")"},
      {"'90 minutes'::interval", R"("PT1H30M")"},
      {R"('{"a":[1,2.5,null]}'::jsonb)", R"({"a":[1,2.5,null]})"},
      {"array[1,null,3]", "[1,null,3]"},
      {R"(array['a b','c"d','e\f',''])", R"(["a b","c\"d","e\\f",""])"},
      {"array[[1,2],[3,4]]", "[[1,2],[3,4]]"},
      {"'{}'::int[]", "[]"},
      {"'6f6e2d10-1111-4222-8333-444455556666'::uuid", R"("6f6e2d10-1111-4222-8333-444455556666")"},
  };
  for (const auto& [expression, expected] : cases)
    EXPECT_EQ(to_text(value(*session_, "select " + expression)), expected) << expression;
}

TEST_F(Query, what_became_null_because_json_has_no_word_for_it_is_noted) {
  const auto batch = query(*session_, "select 'Infinity'::float8 as a, 1 as b");
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(
      to_text(batch->records()[0]),
      R"({"a":null,"b":1,"$meta":{"points":{"a":{"quality":"uncertain","raw":"Infinity"}}}})");
  const auto records = to_records(*batch, {"db", "q"}, UtcTime{});
  EXPECT_EQ(records[0]["$meta"]["connection"].as_string(), "db");
  EXPECT_EQ(records[0]["$meta"]["points"]["a"]["raw"].as_string(), "Infinity");
}

TEST_F(Query, values_are_bound_with_the_type_that_their_place_wants) {
  server_.sql(
      "create table orders(id int, line text, at timestamptz, price numeric); grant all on "
      "orders to tributary; insert into orders values (1,'a',now(),2.5),(2,'b',now(),3)");
  const auto rows = query(
      *session_,
      "select id from orders where id = ((id)) and line = any(((lines))) and price < ((price)) "
      "and at > ((since)) -- ((not this))",
      json(R"({"id":1,"lines":["a","c"],"price":2.75,"since":"2020-01-01T00:00:00Z"})"));
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->records()[0]["id"].as<int>(), 1);
  const auto missing = query(*session_, "select ((a))::int");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "missing_parameter");
  EXPECT_EQ(missing.error().pointer, "/parameters/a");
  const auto wrong =
      query(*session_, "select id from orders where id = ((id))", json(R"({"id":"x"})"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "invalid_value");
  EXPECT_EQ(wrong.error().error_class, ErrorClass::kFunction);
  const auto fraction =
      query(*session_, "select id from orders where id = ((id))", json(R"({"id":1.5})"));
  ASSERT_FALSE(fraction);
  EXPECT_EQ(fraction.error().code, "value_does_not_fit");
}

TEST_F(Query, f3_a_query_function_cannot_write_nor_leave_settings_behind) {
  server_.sql(
      "create table t(a int); grant all on t to tributary; grant create on schema public to "
      "tributary");
  for (const std::string sql : {"create table u(a int)", "insert into t values (1)", "drop table t",
                                "with x as (delete from t returning a) select * from x",
                                "truncate t", "do $$ begin insert into t values (1); end $$",
                                "select set_config('transaction_read_only', 'off', true)"}) {
    const auto refused = query(*session_, sql);
    ASSERT_FALSE(refused) << sql;
    EXPECT_EQ(refused.error().error_class, ErrorClass::kFunction) << sql << refused.error().message;
  }
  EXPECT_EQ(query(*session_, "insert into t values (1)").error().code, "read_only");
  EXPECT_FALSE(query(*session_, "select 1; drop table t")) << "one statement only";
  ASSERT_TRUE(query(*session_, "set statement_timeout = 0"));
  EXPECT_EQ(value(*session_, "select current_setting('statement_timeout')").as_string(), "9s");
  EXPECT_EQ(server_.sql("select count(*) from t"), "0");
  EXPECT_TRUE(context_.events().losses.empty());
}

TEST_F(Query, too_many_rows_are_refused_or_cut_off_and_the_session_goes_on) {
  const auto refused =
      query(*session_, "select generate_series(1, 20000)", json_object(), R"({"maxRows":100})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too_many_rows");
  const auto cut = query(*session_, "select generate_series(1, 20000) as n", json_object(),
                         R"({"maxRows":100,"truncate":true})");
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->size(), 100U);
  EXPECT_EQ(cut->records()[99]["n"].as<int>(), 100);
}

TEST_F(Query, a_result_larger_than_memory_allows_is_refused) {
  const auto large = query(*session_, "select repeat('x', 1000000) from generate_series(1, 100)");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "result_too_large");
  EXPECT_EQ(to_text(value(*session_, "select 1")), "1");
}

TEST_F(Query, a_wrong_statement_says_where_and_the_session_goes_on) {
  const auto syntax = query(*session_, "select 1\nfrom orders\nwher x");
  ASSERT_FALSE(syntax);
  EXPECT_EQ(syntax.error().code, "syntax_error");
  EXPECT_EQ(syntax.error().pointer, "/settings/query");
  EXPECT_THAT(syntax.error().message, HasSubstr("line 3"));
  EXPECT_EQ(query(*session_, "select * from nothing").error().code, "unknown_table");
  EXPECT_EQ(query(*session_, "select 1/0").error().code, "division_by_zero");
  EXPECT_EQ(to_text(value(*session_, "select 2")), "2");
}

TEST_F(Query, a_statement_that_takes_too_long_is_cancelled_by_the_server_and_the_session_goes_on) {
  const auto quick = connect(server_.port(), R"({"requestTimeoutMs":500})");
  Json settings = json_object();
  settings.insert_or_assign("query", "select pg_sleep(20)");
  const auto operation = prepare("postgresql.query", settings);
  const auto slow = call(*quick, *operation, json_object(), 5s);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, "statement_timeout");
  EXPECT_EQ(slow.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(to_text(value(*quick, "select 1")), "1");
}

TEST_F(Query, a_server_that_falls_silent_within_a_query_is_lost_at_the_deadline) {
  test::FaultProxy proxy(server_.port());
  const auto other = connect(proxy.port());
  proxy.set_mode(test::FaultProxy::Mode::kStall);
  Json settings = json_object();
  settings.insert_or_assign("query", "select 1");
  const auto operation = prepare("postgresql.query", settings);
  const auto lost = call(*other, *operation, json_object(), 300ms);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().error_class, ErrorClass::kTransient);
  EXPECT_EQ(lost.error().code, "timeout");
  EXPECT_FALSE(lost.error().outcome_unknown) << "a query changes nothing";
}

TEST_F(Query, a_table_that_changes_under_a_prepared_query_is_seen_as_it_is) {
  server_.sql("create table t(a int); grant all on t to tributary; insert into t values (1)");
  EXPECT_EQ(to_text(value(*session_, "select * from t")), "1");
  server_.sql("alter table t alter a type text using 'x' || a");
  EXPECT_EQ(to_text(value(*session_, "select * from t")), R"("x1")");
}

TEST_F(Query, columns_of_one_name_both_stay) {
  const auto batch = query(*session_, "select 1 as a, 2 as a");
  ASSERT_TRUE(batch);
  EXPECT_EQ(to_text(batch->records()[0]), R"({"a":1,"a_2":2})");
}

TEST_F(Query, more_statements_than_a_session_keeps_prepared_work_all_the_same) {
  for (int i = 0; i < 205; ++i)
    ASSERT_EQ(to_text(value(*session_, fmt::format("select {}", i))), std::to_string(i));
  EXPECT_LE(value(*session_, "select count(*) from pg_prepared_statements").as<int>(), 201);
}

TEST_F(Query, execute_changes_things_and_says_how_many) {
  server_.sql(
      "create table t(a int, b text); grant all on t to tributary; grant create on schema "
      "public to tributary");
  const auto inserted =
      execute(*session_, "insert into t select n, ((b)) from generate_series(1,3) n",
              json(R"({"b":"it's"})"));
  ASSERT_TRUE(inserted) << inserted.error().message;
  EXPECT_EQ(to_text(inserted->records()[0]), R"({"command":"INSERT 0 3","rows":3})");
  const auto returned =
      execute(*session_, "delete from t where a < ((n)) returning a, b", json(R"({"n":2})"));
  ASSERT_TRUE(returned) << returned.error().message;
  EXPECT_EQ(to_text(returned->records()[0]), R"({"a":1,"b":"it's"})");
  EXPECT_TRUE(execute(*session_, "create table u(a int)"));
  EXPECT_TRUE(execute(*session_, "vacuum u")) << "not inside a transaction block";
  const auto twice = execute(*session_, "create table u(a int)");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, "sqlstate_42p07");
}

TEST_F(Query, inj1_300_hostile_values_come_back_as_they_were) {
  server_.sql(
      "create table secrets(a text); insert into secrets values ('hidden'); create table "
      "t(v text); grant all on t to tributary");
  const std::vector<std::string> seeds{"' or '1'='1",
                                       "'; drop table t; --",
                                       "\\'; select 1; --",
                                       "$1",
                                       "((v))",
                                       "'||(select 1)||'",
                                       "1; select pg_sleep(5)",
                                       "\"; --",
                                       "/* */",
                                       "-- x",
                                       "$$ x $$",
                                       "E'\\x27'",
                                       "%27",
                                       "\\",
                                       "\\\\",
                                       "' union select a from secrets --",
                                       "{1,2}",
                                       "NULL",
                                       "\\N",
                                       "\t",
                                       "a\nb",
                                       "\r\n",
                                       "${jndi:x}",
                                       "{{ 1 }}",
                                       "é€𝄞",
                                       "'\"`",
                                       "0x27",
                                       "chr(39)",
                                       "\x01",
                                       " "};
  std::size_t tried = 0;
  for (const std::string& seed : seeds) {
    for (const std::string around :
         {"{}", "x{}", "{}'", "'{}", "{}{}", "\\{}", "{};", "({})", "{}--", "\"{}\""}) {
      std::string payload = around;
      for (auto at = payload.find("{}"); at != std::string::npos;
           at = payload.find("{}", at + seed.size()))
        payload.replace(at, 2, seed);
      Json parameters = json_object();
      parameters.insert_or_assign("v", payload);
      EXPECT_EQ(value(*session_, "select ((v))::text", parameters).as_string(), payload);
      ++tried;
    }
  }
  EXPECT_EQ(tried, 300U);
  EXPECT_EQ(server_.sql("select count(*) from t"), "0");
}

}  // namespace
}  // namespace tributary::connectors::postgresql
