// Everything that is read out of answers and values: bodies, links, Retry-After, pointers, paths.
// The first byte chooses nothing: all of it is tried on the same bytes.
#include <cstdint>
#include <cstdlib>

#include "connectors/rest/src/answer.hpp"
#include "connectors/rest/src/url.hpp"
#include "http/encoding.hpp"
#include "http/retry_after.hpp"

using namespace tributary;
using namespace tributary::connectors::rest;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_answer(const std::string& text) {
  http::Answer answer;
  answer.status = 200;
  answer.body = text;
  const auto split = text.find('\n');
  answer.headers = {{"content-type", text.substr(0, split)}, {"x", text}, {"x", text}};
  for (const auto format :
       {RequestSettings::AnswerFormat::kAuto, RequestSettings::AnswerFormat::kJson,
        RequestSettings::AnswerFormat::kText, RequestSettings::AnswerFormat::kBinary}) {
    const auto record = to_record(answer, format);
    // What leaves the connector can be written and read again.
    if (record) require(parse_json(to_text(*record)).has_value());
  }
  if (const auto document = parse_json(text)) {
    const std::vector<Point> points{{"a", std::nullopt}, {"b", "/" + text.substr(0, 20)}};
    const auto names = std::make_shared<const PointNames>(PointNames{"a", "b"});
    require(to_scan(*document, points, names, UtcTime{}).samples.size() == 2);
  }
  answer.status = 400;
  const auto checked = check_answer(answer, {});
  require(!checked && checked.error().message.find('\n') == std::string::npos);
}

void try_paths(const std::string& text) {
  Json parameters = json_object();
  parameters.insert_or_assign("v", text);
  if (const auto path = fill_path("/a/((v))/b", parameters)) {
    const std::string segment = path->substr(3, path->size() - 5);
    require(segment.find_first_of("/?#\\") == std::string::npos);
    require(http::percent_decode(segment) == text);
  }
  if (const auto path = clean_path(text, "")) {
    require(path->empty() || path->front() == '/');
    require(path->find("/../") == std::string::npos && !path->ends_with("/.."));
  }
  require(http::percent_decode(http::percent_encode(text)) == text);
}

void try_links(const std::string& text) {
  static const Base kBase = parse_base("https://h.example/api/v1").value();
  const auto link = next_link(text);
  for (const std::string& each : {text, link.value_or("")}) {
    const auto url = follow(kBase, "https://h.example:443/api/v1/a?b", each);
    if (url) require(url->starts_with("https://h.example:443/api/v1"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try_answer(text);
  try_paths(text);
  try_links(text);
  if (const auto wait = http::parse_retry_after(text, UtcTime{}))
    require(*wait >= 0 && *wait <= http::kMaxRetryAfterMs);
  const std::string line = http::excerpt(text);
  require(http::is_utf8(line) && line.find('\n') == std::string::npos);
  if (http::is_utf8(text)) require(http::from_base64(http::to_base64(text)) == text);
  return 0;
}
