// Paths and queries: what is made of values can be read back as these values, and nothing leaves
// the base (H4, INJ5).
#include "connectors/rest/src/url.hpp"

#include <gtest/gtest.h>

#include "http/encoding.hpp"

namespace tributary::connectors::rest {
namespace {

Json with_id(const Json& value) {
  Json parameters = json_object();
  parameters.insert_or_assign("id", value);
  return parameters;
}

// Values that have a meaning somewhere in a URL, a document or a line.
const std::vector<std::string>& awkward() {
  static const std::vector<std::string> values = {
      "a/b",   "a?b=c",    "a#b",         "a&b",  "a=b", "a+b",   "a b",  "\"quoted\"", "it's",
      "${x}",  "{{ $x }}", "((other))",   "%2F",  "%",   "100 %", "a@b",  "a:b",        "a;b",
      "<tag>", "çalışma",  "日本",        "*",    "a|b", "a^b",   "[1]",  "...",        "a..b",
      "~user", "//host",   "http://evil", "a\\b", ",",   "a,b",   "null", "#"};
  return values;
}

TEST(RestPath, INJ5_a_value_stays_inside_its_segment_and_reads_back_as_itself) {
  for (const std::string& value : awkward()) {
    const auto path = fill_path("/orders/((id))/lines", with_id(value));
    ASSERT_TRUE(path) << value << ": " << path.error().message;
    ASSERT_TRUE(path->starts_with("/orders/") && path->ends_with("/lines")) << *path;
    const std::string segment = path->substr(8, path->size() - 14);
    EXPECT_EQ(segment.find_first_of("/?#\\@ "), std::string::npos) << *path;
    EXPECT_EQ(http::percent_decode(segment), value) << *path;
  }
}

TEST(RestPath, H4_a_value_that_climbs_or_breaks_the_line_is_refused) {
  const std::vector<std::string> values = {"..",
                                           ".",
                                           "../admin",
                                           "a/../../b",
                                           "..\\..\\b",
                                           "%2e%2e",
                                           "%2E%2E/admin",
                                           "x/..",
                                           "a\nb",
                                           "\x7f",
                                           "%252e%252e%252f",
                                           "\x1b[31m",
                                           "a\r\nHost: evil",
                                           std::string("a\0b", 3)};
  for (const std::string& value : values) {
    const auto path = fill_path("/orders/((id))", with_id(value));
    ASSERT_FALSE(path) << value << " became " << *path;
    EXPECT_EQ(path.error().code, "leaves_base");
    EXPECT_EQ(path.error().error_class, ErrorClass::kFunction);
    EXPECT_EQ(path.error().pointer, "/parameters/id");
  }
  // Dots that only become a segment together with the template.
  EXPECT_FALSE(fill_path("/orders/.((id))", with_id(".")));
}

TEST(RestPath, H4_a_path_that_could_leave_the_base_is_refused) {
  for (const char* path : {"../admin",
                           "/../admin",
                           "/a/../../b",
                           "//evil.example/x",
                           "http://evil.example/",
                           "https://evil.example",
                           "/a//b",
                           "/a\\..\\b",
                           "\\\\evil",
                           "/a@evil",
                           "user@evil",
                           "/a?b=c",
                           "/a#b",
                           "/a\r\nX: y",
                           "/a\tb",
                           "/%2e%2e/b",
                           "/a/%2E%2E",
                           "/%252e%252e/b",
                           "/a%0d%0ab",
                           "/a%zz",
                           "/a%2",
                           "/./a",
                           "/a/.",
                           "/..%2fadmin",
                           "/..%5cadmin"}) {
    const auto clean = clean_path(path, "/settings/path");
    ASSERT_FALSE(clean) << path << " became " << *clean;
    EXPECT_EQ(clean.error().code, "leaves_base") << path;
    EXPECT_EQ(clean.error().pointer, "/settings/path");
    EXPECT_FALSE(check_path_template(path)) << path;
  }
}

TEST(RestPath, a_path_is_written_as_a_url_wants_it) {
  EXPECT_EQ(clean_path("", "").value(), "");
  EXPECT_EQ(clean_path("orders", "").value(), "/orders");
  EXPECT_EQ(clean_path("/orders/7/", "").value(), "/orders/7/");
  EXPECT_EQ(clean_path("/iş emri", "").value(), "/i%C5%9F%20emri");
  EXPECT_EQ(clean_path("/a%20b", "").value(), "/a%20b");
  EXPECT_EQ(fill_path("/t/((id))-((id)).json", with_id(Json(7))).value(), "/t/7-7.json");
  EXPECT_EQ(fill_path("/t/((id))", with_id(Json(true))).value(), "/t/true");
}

TEST(RestPath, a_placeholder_needs_a_value_that_can_be_a_segment) {
  EXPECT_EQ(fill_path("/((id))", json_object()).error().code, "missing_parameter");
  EXPECT_EQ(fill_path("/((id))", with_id(Json::null())).error().code, "missing_parameter");
  for (const Json& value : {Json(""), json_object(), json_array()}) {
    const auto path = fill_path("/((id))", with_id(value));
    ASSERT_FALSE(path);
    EXPECT_EQ(path.error().code, "invalid_parameter");
  }
}

TEST(RestQuery, INJ5_names_and_values_read_back_as_themselves) {
  for (const std::string& value : awkward()) {
    Json query = json_object();
    query.insert_or_assign(value, value + "\r\n");
    query.insert_or_assign("last", 1);
    const std::string text = encode_query(query).value();
    ASSERT_TRUE(text.ends_with("&last=1")) << text;
    const auto equals = text.find('=');
    EXPECT_EQ(http::percent_decode(text.substr(0, equals)), value);
    EXPECT_EQ(http::percent_decode(text.substr(equals + 1, text.size() - equals - 8)),
              value + "\r\n");
    EXPECT_EQ(std::ranges::count(text, '&'), 1) << text;
  }
}

TEST(RestQuery, lists_repeat_the_name_and_null_leaves_it_out) {
  const Json query = parse_json(R"({"a":[1,"b",true],"none":null,"f":1.5})").value();
  EXPECT_EQ(encode_query(query).value(), "a=1&a=b&a=true&f=1.5");
  const auto wrong = encode_query(parse_json(R"({"a":{"b":1}})").value());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().pointer, "/settings/query/a");
}

TEST(RestBase, only_http_urls_without_users_and_queries_are_bases) {
  EXPECT_EQ(parse_base("https://mes.plant.local/api/v1/").value().path, "/api/v1");
  EXPECT_EQ(parse_base("http://192.0.2.1:8080").value().path, "");
  for (const char* url :
       {"ftp://host/", "file:///etc/passwd", "gopher://host", "http://user:pw@host/",
        "http://host/a?b", "http://host/#a", "http://host/../x", "http://0x7f.1/",
        "http://host\\@evil/", "//host", "http://", "http://ho st/"}) {
    const auto base = parse_base(url);
    ASSERT_FALSE(base) << url;
    EXPECT_EQ(base.error().code, "invalid_url") << url;
    EXPECT_EQ(base.error().pointer, "/settings/baseUrl");
  }
}

TEST(RestBase, a_url_that_is_too_long_is_this_calls_fault) {
  const Base base = parse_base("http://host/api").value();
  const auto url = make_url(base, "/a", std::string(3000, 'x'));
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().error_class, ErrorClass::kFunction);
  EXPECT_EQ(url.error().code, "url_too_long");
}

TEST(RestLinks, the_next_link_is_found_among_others) {
  EXPECT_EQ(next_link(R"(<https://h/a?p=2>; rel="next", <https://h/a?p=9>; rel="last")"),
            "https://h/a?p=2");
  EXPECT_EQ(next_link(R"(<https://h/a?p=1>; rel=prev, </a?p=3>; title="x"; rel=Next)"), "/a?p=3");
  for (const char* none :
       {"", "<", "<a", "<a>", "<a>; rel=last", "rel=next", "<a>; rel=\"nextish\""})
    EXPECT_EQ(next_link(none), std::nullopt) << none;
}

TEST(RestLinks, H4_a_link_is_followed_only_below_the_base) {
  const Base base = parse_base("https://mes.local/api/v1").value();
  const std::string current = "https://mes.local:443/api/v1/orders?p=1";
  const auto to = [&](std::string_view link) { return follow(base, current, link); };
  EXPECT_EQ(to("?p=2").value(), "https://mes.local:443/api/v1/orders?p=2");
  EXPECT_EQ(to("/api/v1/orders?p=2").value(), "https://mes.local:443/api/v1/orders?p=2");
  EXPECT_EQ(to("orders?p=2#x").value(), "https://mes.local:443/api/v1/orders?p=2");
  EXPECT_EQ(to("https://MES.local/api/v1/orders?u=http://x/").value(),
            "https://mes.local:443/api/v1/orders?u=http://x/");
  EXPECT_EQ(to("./more/../orders").value(), "https://mes.local:443/api/v1/orders");
  for (const char* link :
       {"http://mes.local/api/v1/orders", "https://evil.example/api/v1/x",
        "//evil.example/api/v1/x", "https://mes.local:8443/api/v1/x", "/api/v2/x", "/api/v1x",
        "../../v2/x", "/api/v1/../../x", "/api/v1/%2e%2e/%2e%2e/x",
        "https://mes.local@evil.example/api/v1/", "/api/v1/a\r\nb", "http://169.254.169.254/latest",
        "/api/v1/..\\..\\x"}) {
    const auto url = to(link);
    ASSERT_FALSE(url) << link << " became " << *url;
    EXPECT_EQ(url.error().code, "leaves_base") << link;
  }
}

}  // namespace
}  // namespace tributary::connectors::rest
