// Pages of one answer, put together. Pure.
#pragma once

#include <string>

#include "connectors/rest/settings.hpp"
#include "connectors/rest/src/outgoing.hpp"
#include "connectors/rest/src/url.hpp"
#include "model/batch.hpp"

namespace tributary::connectors::rest {

class Pager {
 public:
  // All outlive it. `max_bytes`: of all pages together.
  Pager(const Base& base, const RequestSettings::Paging& settings, const Outgoing& outgoing,
        std::size_t max_bytes);

  // Errors: as make_url.
  Result<std::string> first();
  // Takes a page; whether there is one more to ask for. Errors: kFunction "answer_not_json",
  // "no_items" (there is no list where it should be), "answer_too_large".
  Result<bool> take(const http::Answer& answer);
  // Errors: as make_url and follow.
  Result<std::string> next();

  // {"status", "headers" (of the last page), "body" (all items), "format", "pages", "more"}.
  Record record();

 private:
  bool has_next(const http::Answer& answer, const Json& page, std::size_t items);
  Result<std::string> with_parameter(const Json& value);

  const Base& base_;
  const RequestSettings::Paging& settings_;
  const Outgoing& outgoing_;
  std::size_t max_bytes_;
  std::string url_;
  std::string link_;  // to the next page
  Json cursor_;
  Json items_ = json_array();
  Record last_;
  std::size_t bytes_ = 0;
  std::int64_t pages_ = 0;
  bool more_ = false;
};

}  // namespace tributary::connectors::rest
