#include "connectors/rest/src/paging.hpp"

#include <fmt/format.h>

#include "connectors/rest/src/answer.hpp"

namespace tributary::connectors::rest {
namespace {

using Mode = RequestSettings::Paging::Mode;

}  // namespace

Pager::Pager(const Base& base, const RequestSettings::Paging& settings, const Outgoing& outgoing,
             std::size_t max_bytes)
    : base_(base), settings_(settings), outgoing_(outgoing), max_bytes_(max_bytes) {}

Result<std::string> Pager::with_parameter(const Json& value) {
  Json query = outgoing_.query;
  if (!value.is_null()) query.insert_or_assign(settings_.parameter, value);
  auto text = encode_query(query);
  TRIBUTARY_TRY(text);
  auto url = make_url(base_, outgoing_.path, *text);
  if (url) url_ = *url;
  return url;
}

Result<std::string> Pager::first() {
  if (settings_.mode == Mode::kPage) return with_parameter(Json(settings_.first));
  if (settings_.mode == Mode::kOffset) return with_parameter(Json(0));
  return with_parameter(Json::null());
}

bool Pager::has_next(const http::Answer& answer, const Json& page, std::size_t items) {
  switch (settings_.mode) {
    case Mode::kNone:
      return false;
    case Mode::kLink: {
      for (const auto& [name, value] : answer.headers) {
        if (name != "link") continue;
        if (auto link = next_link(value)) {
          link_ = *std::move(link);
          return true;
        }
      }
      return false;
    }
    case Mode::kNextUrl: {
      const Json* next = at_pointer(page, settings_.next);
      if (next == nullptr || !next->is_string()) return false;
      link_ = next->as_string();
      return !link_.empty();
    }
    case Mode::kCursor: {
      const Json* next = at_pointer(page, settings_.next);
      const auto text = next == nullptr ? std::nullopt : scalar_text(*next);
      if (!text || text->empty() || *next == cursor_) return false;  // the same again: no end
      cursor_ = *next;
      return true;
    }
    case Mode::kPage:
    case Mode::kOffset:
      break;
  }
  return items > 0;
}

Result<bool> Pager::take(const http::Answer& answer) {
  ++pages_;
  bytes_ += answer.body.size();
  if (bytes_ > max_bytes_) {
    return fail(ErrorClass::kFunction, "answer_too_large",
                fmt::format("The pages together are longer than {} KiB.", max_bytes_ / 1024),
                "Ask for less, or for fewer pages.", "/settings/paging/maxPages");
  }
  const auto page = parse_body(answer);
  TRIBUTARY_TRY(page);
  const Json* items = at_pointer(*page, settings_.items);
  if (items == nullptr || !items->is_array()) {
    return fail(ErrorClass::kFunction, "no_items",
                fmt::format("Page {} has no list at \"{}\".", pages_, settings_.items),
                "Check the pointer to the items.", "/settings/paging/items");
  }
  for (const Json& item : items->array_range()) items_.push_back(item);
  http::Answer head = answer;
  head.body.clear();
  auto record = to_record(head, RequestSettings::AnswerFormat::kAuto);
  TRIBUTARY_TRY(record);
  last_ = *std::move(record);
  more_ = has_next(answer, *page, items->size());
  return more_ && pages_ < settings_.max_pages;
}

Result<std::string> Pager::next() {
  switch (settings_.mode) {
    case Mode::kCursor:
      return with_parameter(cursor_);
    case Mode::kPage:
      return with_parameter(Json(settings_.first + pages_));
    case Mode::kOffset:
      return with_parameter(Json(items_.size()));
    default:
      break;
  }
  auto url = follow(base_, url_, link_);
  if (url) url_ = *url;
  return url;
}

Record Pager::record() {
  last_.insert_or_assign("body", std::move(items_));
  last_.insert_or_assign("format", "json");
  last_.insert_or_assign("pages", pages_);
  last_.insert_or_assign("more", more_);
  return std::move(last_);
}

}  // namespace tributary::connectors::rest
