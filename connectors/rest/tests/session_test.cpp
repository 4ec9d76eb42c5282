// Sessions against a server that says what a test wants: what is sent, what becomes of the answers.
#include "connectors/rest/tests/fixture.hpp"
#include "http/encoding.hpp"

namespace tributary::connectors::rest {
namespace {

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

TEST_F(RestTest, opening_goes_through_its_stages_and_says_who_answered) {
  HttpPeer peer([](const std::string&) { return answer("200 OK", "", "Server: Example/1.0\r\n"); });
  auto made = session(profile(peer.port(), R"({"healthPath":"/health"})"));
  const auto identity = open(*made);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->product, "Example/1.0");
  EXPECT_EQ(identity->address, fmt::format("127.0.0.1:{}", peer.port()));
  EXPECT_EQ(context_.stages().stages, (std::vector<std::string>{"resolve", "tcp", "protocol"}));
  EXPECT_TRUE(peer.requests().at(0).starts_with("GET /health HTTP/1.1\r\n"));
}

TEST_F(RestTest, a_request_is_answered_with_status_headers_and_body) {
  HttpPeer peer([](const std::string&) {
    return json_answer(R"({"speed":1480})", "X-One: a\r\nX-One: b\r\nSet-Cookie: id=1\r\n");
  });
  const auto made = connect(peer.port(), R"({"headers":{"X-Plant":"izmir"}})");
  const Json told = record(call(*made, "rest.request",
                                R"j({"path":"/lines/((line))","query":{"tag":"a&b","limit":5},
      "headers":{"X-Id":"3"}})j",
                                R"({"line":3,"tag":"a&b"})"));
  EXPECT_EQ(told.at("status").as<int>(), 200);
  EXPECT_EQ(told.at("body"), json(R"({"speed":1480})"));
  EXPECT_EQ(told.at("format").as_string(), "json");
  EXPECT_EQ(told.at("headers").at("x-one").as_string(), "a, b");
  EXPECT_FALSE(told.at("headers").contains("set-cookie"));
  EXPECT_TRUE(peer.calls().at(0).starts_with("GET /lines/3?tag=a%26b&limit=5 HTTP/1.1\r\n"));
  EXPECT_TRUE(peer.calls().at(0).contains("X-Plant: izmir\r\n"));
  EXPECT_TRUE(peer.calls().at(0).contains("X-Id: 3\r\n"));
}

TEST_F(RestTest, INJ5_a_json_body_is_built_from_a_document) {
  HttpPeer peer([](const std::string&) { return answer("204 No Content"); });
  const auto made = connect(peer.port());
  for (const std::string& value :
       {std::string("\"},\"admin\":true,\"x\":{\""), std::string("a\nb\\"),
        std::string("${x} {{ y }} ((z))"), std::string("çay \u2028")}) {
    Json parameters = json_object();
    parameters.insert_or_assign("v", value);
    // As the framework does before it prepares: a value takes the place of the placeholder.
    Json settings = json(R"({"method":"POST","path":"/x"})");
    settings["body"] = json_object();
    settings["body"].insert_or_assign("name", value);
    const auto sent = call(*made, "rest.request", to_text(settings), to_text(parameters));
    ASSERT_TRUE(sent) << sent.error().message;
    const Json body = json(body_of(peer.calls().back()));
    EXPECT_EQ(body.size(), 1U);
    EXPECT_EQ(body.at("name").as_string(), value);
  }
}

TEST_F(RestTest, INJ5_a_form_is_encoded_and_a_text_is_not_pasted_into_structures) {
  HttpPeer peer([](const std::string&) { return answer("204 No Content"); });
  const auto made = connect(peer.port());
  const auto sent = call(*made, "rest.request",
                         R"({"method":"POST","bodyFormat":"form","body":{"a&b":"1=2&c=3","d":4}})");
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(body_of(peer.calls().back()), "a%26b=1%3D2%26c%3D3&d=4");
  EXPECT_TRUE(peer.calls().back().contains("Content-Type: application/x-www-form-urlencoded\r\n"));
  for (const char* type : {"application/json", "text/xml", "application/x-www-form-urlencoded"}) {
    const auto refused = prepare(
        "rest.request",
        fmt::format(R"({{"method":"POST","bodyFormat":"text","body":"x","contentType":"{}"}})",
                    type));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "text_in_structure");
  }
  ASSERT_TRUE(
      call(*made, "rest.request", R"({"method":"PUT","bodyFormat":"base64","body":"AAEC/w=="})"));
  EXPECT_EQ(body_of(peer.calls().back()), std::string("\0\1\2\xff", 4));
}

TEST_F(RestTest, INJ5_headers_cannot_be_broken_or_taken_from_the_hub) {
  for (const char* headers :
       {R"({"X-A":"1\r\nX-B: 2"})", R"({"X-A":"1\nfoo"})", R"({"X A":"1"})", R"({"X-A\r\n":"1"})",
        R"({"Host":"evil"})", R"({"Content-Length":"0"})", R"({"Transfer-Encoding":"chunked"})",
        R"({"Authorization":"Basic eA=="})", R"({"Cookie":"a=b"})",
        R"({"Proxy-Authorization":"x"})", R"({"X-A":{"a":1}})"}) {
    const auto refused = prepare("rest.request", fmt::format(R"({{"headers":{}}})", headers));
    ASSERT_FALSE(refused) << headers;
    EXPECT_EQ(refused.error().code, "invalid_header");
    EXPECT_TRUE(refused.error().pointer.starts_with("/settings/headers/"))
        << refused.error().pointer;
  }
  auto wrong = profile(9, R"({"headers":{"Host":"evil"}})");
  const auto made = connector_->make_session(context_.session_context(), wrong);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().error_class, ErrorClass::kConfiguration);
}

TEST_F(RestTest, the_payload_is_the_body_when_none_is_set) {
  HttpPeer peer([](const std::string&) { return answer("201 Created"); });
  const auto made = connect(peer.port());
  ASSERT_TRUE(call(*made, "rest.request", R"({"method":"POST"})", R"({"payload":{"a":1},"id":7})"));
  EXPECT_EQ(body_of(peer.calls().back()), R"({"a":1})");
  ASSERT_TRUE(call(*made, "rest.request", R"({"method":"GET"})", R"({"payload":{"a":1}})"));
  EXPECT_EQ(body_of(peer.calls().back()), "");
  ASSERT_TRUE(call(*made, "rest.request", R"({"method":"POST"})", "{}"));
  EXPECT_TRUE(peer.calls().back().contains("Content-Length: 0\r\n"));
  EXPECT_FALSE(peer.calls().back().contains("Content-Type")) << peer.calls().back();
}

TEST_F(RestTest, records_are_sent_as_an_array_as_lines_or_one_by_one) {
  HttpPeer peer([](const std::string&) { return answer("202 Accepted"); });
  const auto made = connect(peer.port());
  const std::string two = R"({"records":[{"a":1},{"a":2}]})";
  ASSERT_TRUE(call(*made, "rest.send", R"({"path":"/in"})", two));
  EXPECT_EQ(body_of(peer.calls().back()), R"([{"a":1},{"a":2}])");
  ASSERT_TRUE(call(*made, "rest.send", R"({"format":"lines"})", two));
  EXPECT_EQ(body_of(peer.calls().back()), "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_TRUE(peer.calls().back().contains("Content-Type: application/x-ndjson\r\n"));
  ASSERT_TRUE(call(*made, "rest.send", R"({"format":"single"})", R"({"payload":{"a":3}})"));
  EXPECT_EQ(body_of(peer.calls().back()), R"({"a":3})");
  const auto refused = call(*made, "rest.send", R"({"format":"single"})", two);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "several_records");
  EXPECT_EQ(call(*made, "rest.send", "{}").error().code, "missing_body");
}

TEST_F(RestTest, values_are_read_by_pointer_and_a_missing_one_is_bad_alone) {
  HttpPeer peer([](const std::string&) {
    return json_answer(R"({"speed":1480,"s":[{"c":21.5}],"a/b":"x","run":true})");
  });
  const auto made = connect(peer.port());
  const auto batch = call(*made, "rest.read", R"({"points":[{"name":"speed"},
      {"name":"t","pointer":"/s/0/c"},{"name":"a/b"},{"name":"gone","pointer":"/s/1/c"}]})");
  ASSERT_TRUE(batch) << batch.error().message;
  const Scan& scan = batch->scans().at(0);
  ASSERT_EQ(scan.samples.size(), 4U);
  EXPECT_EQ(to_json(scan.samples[0].value), Json(1480));
  EXPECT_EQ(to_json(scan.samples[1].value), Json(21.5));
  EXPECT_EQ(to_json(scan.samples[2].value), Json("x"));
  EXPECT_TRUE(scan.samples[3].quality.is_bad());
  EXPECT_EQ(scan.samples[3].error->pointer, "/settings/points/3/pointer");
}

TEST_F(RestTest, a_repeat_of_one_record_has_the_same_key_and_another_record_another) {
  HttpPeer peer([](const std::string&) { return answer("200 OK"); });
  const auto made = connect(peer.port());
  const auto key_of = [&](const std::string& parameters) {
    EXPECT_TRUE(
        call(*made, "rest.request", R"({"method":"POST","idempotencyKey":true})", parameters));
    const std::string request = peer.calls().back();
    const auto at = request.find("Idempotency-Key: ");
    EXPECT_NE(at, std::string::npos);
    return request.substr(at, 17 + 32);
  };
  const std::string first = R"({"payload":{"a":1,"$meta":{"time":"2026-01-01T00:00:00Z"}}})";
  const std::string second = R"({"payload":{"a":1,"$meta":{"time":"2026-01-01T00:00:01Z"}}})";
  EXPECT_EQ(key_of(first), key_of(first));
  EXPECT_NE(key_of(first), key_of(second));
}

struct StatusCase {
  const char* status;
  ErrorClass error_class;
  const char* code;
};
class RestStatus : public RestTest, public testing::WithParamInterface<StatusCase> {};
INSTANTIATE_TEST_SUITE_P(
    Rest, RestStatus,
    testing::Values(StatusCase{"301 Moved", ErrorClass::kFunction, "redirect_not_followed"},
                    StatusCase{"400 Bad Request", ErrorClass::kFunction, "request_refused"},
                    StatusCase{"401 Unauthorized", ErrorClass::kIdentity, "not_authorized"},
                    StatusCase{"403 Forbidden", ErrorClass::kIdentity, "not_authorized"},
                    StatusCase{"404 Not Found", ErrorClass::kFunction, "not_found"},
                    StatusCase{"408 Request Timeout", ErrorClass::kTransient, "try_again"},
                    StatusCase{"409 Conflict", ErrorClass::kFunction, "conflict"},
                    StatusCase{"413 Too Large", ErrorClass::kFunction, "body_too_large"},
                    StatusCase{"422 Unprocessable", ErrorClass::kFunction, "request_refused"},
                    StatusCase{"425 Too Early", ErrorClass::kTransient, "try_again"},
                    StatusCase{"429 Too Many", ErrorClass::kBusy, "rate_limited"},
                    StatusCase{"500 Oops", ErrorClass::kTransient, "server_failed"},
                    StatusCase{"501 Not Implemented", ErrorClass::kFunction, "request_refused"},
                    StatusCase{"502 Bad Gateway", ErrorClass::kTransient, "server_failed"},
                    StatusCase{"503 Unavailable", ErrorClass::kBusy, "server_busy"}),
    [](const auto& info) { return std::string(info.param.status).substr(0, 3); });

TEST_P(RestStatus, has_its_class_and_its_code) {
  HttpPeer peer([](const std::string&) { return answer(GetParam().status, "because"); });
  const auto made = connect(peer.port());
  const auto refused = call(*made, "rest.request", R"({"method":"POST","path":"/x"})", "{}");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, GetParam().error_class);
  EXPECT_EQ(refused.error().code, GetParam().code);
  EXPECT_FALSE(refused.error().outcome_unknown) << "an answer leaves no doubt";
  EXPECT_TRUE(refused.error().message.contains("because") ||
              refused.error().code == std::string("redirect_not_followed"))
      << refused.error().message;
}

TEST_F(RestTest, a_busy_server_says_when_to_come_back) {
  std::string when = "7";
  HttpPeer peer(
      [&](const std::string&) { return answer("503 Busy", "", "Retry-After: " + when + "\r\n"); });
  const auto made = connect(peer.port());
  EXPECT_EQ(call(*made, "rest.request", "{}").error().retry_after_ms, 7000);
  when = "Fri, 31 Dec 1999 23:59:59 GMT";
  EXPECT_EQ(call(*made, "rest.request", "{}").error().retry_after_ms, 0);
  when = "soon";
  EXPECT_EQ(call(*made, "rest.request", "{}").error().retry_after_ms, std::nullopt);
}

TEST_F(RestTest, accepted_statuses_are_answers) {
  HttpPeer peer([](const std::string&) { return answer("404 Not Found", "none"); });
  const auto made = connect(peer.port());
  const Json told = record(call(*made, "rest.request", R"({"acceptStatuses":[404]})"));
  EXPECT_EQ(told.at("status").as<int>(), 404);
  EXPECT_EQ(told.at("body").as_string(), "none");
}

TEST_F(RestTest, INJ7_what_a_server_says_in_an_error_is_one_clean_line_without_our_secrets) {
  HttpPeer peer([](const std::string&) {
    return answer("400 Bad", "evil\x1b[31m\r\nFAKE LOG LINE token-1234567 \xc2\x9b",
                  "Content-Type: text/plain\r\n");
  });
  auto made_profile = profile(peer.port(), R"({"authentication":"bearer"})");
  made_profile.secrets.emplace_back("token", Secret("token-1234567"));
  const auto made = session(made_profile);
  ASSERT_TRUE(open(*made));
  EXPECT_TRUE(peer.requests().at(0).contains("Authorization: Bearer token-1234567\r\n"));
  const auto refused = call(*made, "rest.request", "{}");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().message.contains("evil [31m FAKE LOG LINE ***"))
      << refused.error().message;
}

TEST_F(RestTest, text_latin1_and_bytes_arrive_as_what_they_are) {
  std::string type = "text/plain";
  std::string body = "çay";
  HttpPeer peer(
      [&](const std::string&) { return answer("200 OK", body, "Content-Type: " + type + "\r\n"); });
  const auto made = connect(peer.port());
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("body").as_string(), "çay");
  type = "text/plain; charset=ISO-8859-1";
  body =
      "\xe7"
      "ay";
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("body").as_string(), "çay");
  type = "application/octet-stream";
  const Json bytes = record(call(*made, "rest.request", "{}"));
  EXPECT_EQ(bytes.at("format").as_string(), "base64");
  EXPECT_EQ(http::from_base64(bytes.at("body").as_string()), body);
  type = "application/json";
  body = "{not json";
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("format").as_string(), "text");
  EXPECT_EQ(call(*made, "rest.request", R"({"answerFormat":"json"})").error().code,
            "answer_not_json");
  body = std::string(70, '[') + std::string(70, ']');
  EXPECT_EQ(record(call(*made, "rest.request", "{}")).at("format").as_string(), "text");
}

TEST_F(RestTest, pages_are_followed_to_the_end_or_to_the_bound) {
  HttpPeer peer([](const std::string& request) {
    const auto number = [&](const std::string& name) {
      const auto at = request.find(name + "=");
      return at == std::string::npos ? 0 : std::stoi(request.substr(at + name.size() + 1));
    };
    if (request.starts_with("GET /link")) {
      const int page = number("p");
      return json_answer(
          fmt::format("[{}]", page),
          page < 3 ? fmt::format("Link: </link?p={}>; rel=\"next\"\r\n", page + 1) : "");
    }
    if (request.starts_with("GET /cursor")) {
      const int at = number("cursor");
      return json_answer(fmt::format(R"({{"items":[{}],"next":{}}})", at, at < 3 ? at + 1 : 3));
    }
    if (request.starts_with("GET /url"))
      return json_answer(R"({"items":[1],"next":"http://169.254.169.254/latest"})");
    const int page = number("page");
    return json_answer(page <= 2 ? fmt::format("[{},{}]", page, page) : "[]");
  });
  const auto made = connect(peer.port());
  const auto all = [&](const std::string& settings) {
    return record(call(*made, "rest.request", settings));
  };
  EXPECT_EQ(all(R"({"path":"/link","paging":{"mode":"link"}})").at("body"), json("[0,1,2,3]"));
  EXPECT_EQ(all(R"({"path":"/cursor","paging":{"mode":"cursor","items":"/items"}})").at("body"),
            json("[0,1,2,3]"));
  EXPECT_EQ(all(R"({"path":"/page","paging":{"mode":"page","parameter":"page"}})").at("body"),
            json("[1,1,2,2]"));
  const Json cut = all(R"({"path":"/link","paging":{"mode":"link","maxPages":2}})");
  EXPECT_EQ(cut.at("body"), json("[0,1]"));
  EXPECT_TRUE(cut.at("more").as_bool());
  const auto away = call(*made, "rest.request",
                         R"({"path":"/url","paging":{"mode":"nextUrl","items":"/items"}})");
  ASSERT_FALSE(away) << "H3, H4: a page elsewhere is not asked for";
  EXPECT_EQ(away.error().code, "leaves_base");
}

TEST_F(RestTest, one_connection_serves_many_requests) {
  HttpPeer peer([](const std::string&) { return answer("200 OK"); });
  const auto made = connect(peer.port());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(call(*made, "rest.request", "{}"));
  EXPECT_EQ(peer.accepted(), 1U);
  EXPECT_EQ(peer.calls().size(), 20U);
}

TEST_F(RestTest, two_sessions_share_no_connection) {
  HttpPeer peer([](const std::string&) { return answer("200 OK"); });
  const auto one = connect(peer.port());
  const auto two = connect(peer.port());
  ASSERT_TRUE(call(*one, "rest.request", "{}"));
  ASSERT_TRUE(call(*two, "rest.request", "{}"));
  EXPECT_EQ(peer.accepted(), 2U);
}

TEST_F(RestTest, a_write_that_a_kept_connection_swallowed_is_not_sent_again) {
  std::atomic<int> posts{0};
  HttpPeer peer([&](const std::string& request) {
    if (request.starts_with("POST")) {
      ++posts;
      return std::string();  // ends the connection without a word
    }
    return answer("200 OK");
  });
  const auto made = connect(peer.port());
  const auto cut = call(*made, "rest.request", R"({"method":"POST"})", R"({"payload":1})");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().error_class, ErrorClass::kTransient);
  EXPECT_TRUE(cut.error().outcome_unknown);
  EXPECT_EQ(posts, 1) << "a second write";
  // What may be repeated leaves no doubt; what the server recognises neither.
  const auto put = call(*made, "rest.request", R"({"method":"DELETE","path":"/x"})");
  EXPECT_TRUE(put) << put.error().message;
  const auto keyed = call(*made, "rest.request", R"({"method":"POST","idempotencyKey":true})");
  ASSERT_FALSE(keyed);
  EXPECT_FALSE(keyed.error().outcome_unknown);
}

TEST_F(RestTest, a_session_that_is_aborted_ends_its_requests_at_once) {
  HttpPeer peer([](const std::string&) {
    std::this_thread::sleep_for(300ms);
    return answer("200 OK");
  });
  const auto made = connect(peer.port());
  const auto operation = prepare("rest.request", "{}").value();
  const Json none = json_object();
  auto running = context_.start(made->call(*operation, none, context_.in(60s)));
  context_.run_until([&] { return !peer.calls().empty(); });
  const auto begin = std::chrono::steady_clock::now();
  made->abort();
  const auto ended = context_.finish(running, 3s);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 200ms);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().error_class, ErrorClass::kCancelled);
}

TEST_F(RestTest, the_health_path_must_answer_well_and_the_base_url_only_answer) {
  std::string status = "404 Not Found";
  HttpPeer peer([&](const std::string&) { return answer(status); });
  auto strict = session(profile(peer.port(), R"({"healthPath":"/health"})"));
  const auto refused = open(*strict);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().error_class, ErrorClass::kConfiguration);
  EXPECT_EQ(refused.error().pointer, "/settings/healthPath");
  status = "200 OK";
  auto good = session(profile(peer.port(), R"({"healthPath":"/health"})"));
  ASSERT_TRUE(open(*good));
  ASSERT_TRUE(context_.run(good->check_health(context_.in(5s)))) << "open() has just asked";
  status = "500 Oops";
  const auto failing = context_.run(good->check_health(context_.in(5s)));
  ASSERT_FALSE(failing);
  EXPECT_EQ(failing.error().error_class, ErrorClass::kTransient);
}

TEST_F(RestTest, credentials_that_are_missing_are_a_setting) {
  for (const auto& [kind, pointer] :
       {std::pair{"basic", "/settings/username"}, std::pair{"bearer", "/secrets/token"},
        std::pair{"apiKey", "/secrets/apiKey"}}) {
    auto wrong = profile(9, fmt::format(R"({{"authentication":"{}"}})", kind));
    const auto made = connector_->make_session(context_.session_context(), wrong);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().error_class, ErrorClass::kConfiguration);
    EXPECT_EQ(made.error().pointer, pointer);
  }
}

}  // namespace
}  // namespace tributary::connectors::rest
