// Rules against a document.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "schema/formats.hpp"
#include "schema/placeholders.hpp"
#include "schema/rules.hpp"
#include "schema/sentences.hpp"

namespace tributary::schema {
namespace {

// Where a value stands in the document: its pointer and, for sorting, the positions on the way to
// it.
struct Where {
  std::string pointer;
  std::vector<std::size_t> position;

  Where member(std::string_view name, std::size_t index) const {
    Where below{pointer + "/" + escape_pointer(name), position};
    below.position.push_back(index);
    return below;
  }
};

struct Finding {
  std::vector<std::size_t> position;
  FieldError error;
};

// What one walk found out.
struct Report {
  std::vector<Finding> findings;
  bool undecided = false;  // a placeholder stood where a rule would have applied
};

bool is_text(const Json& json) {
  return json.is_string() && !json.is_number();
}

// Less, equal or greater as -1, 0, 1. Exact for integers.
int compare(const Json& a, const Json& b) {
  if (a.is_int64() && b.is_int64()) {
    const auto x = a.as<std::int64_t>();
    const auto y = b.as<std::int64_t>();
    return x < y ? -1 : (x > y ? 1 : 0);
  }
  const double x = a.as<double>();
  const double y = b.as<double>();
  return x < y ? -1 : (x > y ? 1 : 0);
}

bool equal(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return compare(a, b) == 0;
  if (a.is_object() && b.is_object()) {
    return a.size() == b.size() && std::ranges::all_of(a.object_range(), [&b](const auto& member) {
             const auto other = b.find(member.key());
             return other != b.object_range().end() && equal(member.value(), other->value());
           });
  }
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.array_range(), b.array_range(), equal);
  }
  return a == b;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_whole(const Json& json) {
  if (json.is_int64() || json.is_uint64()) return true;
  if (json.is_double()) return std::trunc(json.as<double>()) == json.as<double>();
  return json.is_bignum() && json.tag() == jsoncons::semantic_tag::bigint;
}

bool has_type(Type type, const Json& json) {
  switch (type) {
    case Type::kObject:
      return json.is_object();
    case Type::kArray:
      return json.is_array();
    case Type::kString:
      return is_text(json);
    case Type::kInteger:
      return json.is_number() && is_whole(json);
    case Type::kNumber:
      return json.is_number();
    case Type::kBoolean:
      return json.is_bool();
  }
  return false;
}

// Beyond what std::int64_t and double hold: the typed settings could not carry it.
bool is_representable(Type type, const Json& json) {
  if (type == Type::kInteger)
    return json.is_int64() || std::abs(json.as<double>()) < 9223372036854775808.0;
  return std::isfinite(json.as<double>());
}

bool holds_placeholder(const Json& json) {
  if (json.is_object()) {
    return std::ranges::any_of(
        json.object_range(), [](const auto& member) { return holds_placeholder(member.value()); });
  }
  if (json.is_array()) return std::ranges::any_of(json.array_range(), holds_placeholder);
  return is_text(json) && has_placeholder(json.as_string_view());
}

class Walker {
 public:
  explicit Walker(bool allow_placeholders) : allow_placeholders_(allow_placeholders) {}

  void check(const Rules& rules, const Json& json, const Where& where, Report& report) const {
    if (allow_placeholders_ && is_text(json) && has_placeholder(json.as_string_view())) {
      report.undecided = true;
      return;
    }
    if (rules.type && !has_type(*rules.type, json)) {
      add(report, where, "wrong_type", wrong_type_sentence(*rules.type, json));
      return;  // what else could be said about it says the same
    }
    check_value(rules, json, where, report);
    if (json.is_number()) check_number(rules, json, where, report);
    if (is_text(json)) check_text(rules, json.as_string_view(), where, report);
    if (json.is_object()) check_object(rules, json, where, report);
    if (json.is_array()) check_array(rules, json, where, report);
    check_branches(rules, json, where, report);
  }

 private:
  static void add(Report& report, const Where& where, std::string_view code, std::string message) {
    report.findings.push_back(
        {where.position, {where.pointer, std::string(code), std::move(message)}});
  }

  static void check_value(const Rules& rules, const Json& json, const Where& where,
                          Report& report) {
    const auto is_it = [&json](const Json& value) { return equal(value, json); };
    if (!rules.values.empty() && std::ranges::none_of(rules.values, is_it)) {
      add(report, where, "not_allowed",
          fmt::format("{} is not one of {}", show(json), list_values(rules.values)));
    }
    if (rules.constant && !is_it(*rules.constant)) {
      add(report, where, "not_allowed",
          fmt::format("{} is not {}", show(json), show(*rules.constant)));
    }
  }

  static void check_number(const Rules& rules, const Json& json, const Where& where,
                           Report& report) {
    const auto unit = rules.unit.empty() ? std::string() : " " + rules.unit;
    const auto refuse = [&](std::string_view how, const Json& bound) {
      add(report, where, "out_of_range",
          fmt::format("{} is {} {}{}", show(json), how, show(bound), unit));
    };
    if (rules.type && !is_representable(*rules.type, json)) {
      add(report, where, "out_of_range", fmt::format("{} does not fit into 64 bits", show(json)));
      return;
    }
    if (rules.minimum && compare(json, *rules.minimum) < 0) refuse("below", *rules.minimum);
    if (rules.maximum && compare(json, *rules.maximum) > 0) refuse("above", *rules.maximum);
    if (rules.exclusive_minimum && compare(json, *rules.exclusive_minimum) <= 0) {
      refuse("not above", *rules.exclusive_minimum);
    }
  }

  static void check_text(const Rules& rules, std::string_view text, const Where& where,
                         Report& report) {
    const auto length = characters(text);
    const auto quoted = show(Json(text));
    if (rules.min_length && length < *rules.min_length) {
      const auto sentence = count_sentence(length, *rules.min_length, false, "character");
      add(report, where, "too_short", length == 0 ? sentence : quoted + " " + sentence);
    }
    if (rules.max_length && length > *rules.max_length) {
      add(report, where, "too_long",
          quoted + " " + count_sentence(length, *rules.max_length, true, "character"));
    }
    const auto example =
        rules.example.empty() ? std::string() : fmt::format(", for example {}", rules.example);
    if (rules.pattern && text.size() > kMaxPatternText) {
      add(report, where, "too_long",
          fmt::format("has {} bytes, at most {} are allowed", text.size(), kMaxPatternText));
    } else if (rules.pattern &&
               !std::regex_search(text.begin(), text.end(), rules.pattern->regex)) {
      add(report, where, "pattern",
          fmt::format("{} does not match {}{}", quoted, rules.pattern->text, example));
    }
    if (text.empty() && rules.min_length.value_or(0) > 0) return;  // that was said
    if (rules.format == Format::kHostname && !is_host(text)) {
      add(report, where, "format",
          fmt::format("{} is not a host name or an IP address{}", quoted, example));
    }
    if (rules.format == Format::kUri && !is_uri(text)) {
      add(report, where, "format", fmt::format("{} is not a URI{}", quoted, example));
    }
  }

  void check_object(const Rules& rules, const Json& json, const Where& where,
                    Report& report) const {
    std::size_t index = 0;
    for (const auto& member : json.object_range()) {
      const auto below = where.member(member.key(), index++);
      if (const Rules* described = rules.property(member.key())) {
        check(*described, member.value(), below, report);
      } else if (rules.additional != nullptr) {
        check(*rules.additional, member.value(), below, report);
      } else if (rules.closed) {
        add(report, below, "unknown_property", unknown_sentence(member.key(), known_names(rules)));
      }
    }
    const auto require = [&](std::string_view name, std::string sentence) {
      if (json.contains(name)) return;
      add(report, where.member(name, json.size() + position_of(rules, name)), "required",
          std::move(sentence));
    };
    for (const auto& name : rules.required) require(name, fmt::format("{} is required", name));
    for (const auto& [name, needed] : rules.dependent_required) {
      if (!json.contains(name)) continue;
      for (const auto& each : needed)
        require(each, fmt::format("{} is required when {} is set", each, name));
    }
  }

  void check_array(const Rules& rules, const Json& json, const Where& where, Report& report) const {
    if (rules.min_items && json.size() < *rules.min_items) {
      add(report, where, "too_short", count_sentence(json.size(), *rules.min_items, false, "item"));
    }
    if (rules.max_items && json.size() > *rules.max_items) {
      add(report, where, "too_long", count_sentence(json.size(), *rules.max_items, true, "item"));
    }
    if (rules.items != nullptr) {
      for (std::size_t i = 0; i < json.size(); ++i) {
        check(*rules.items, json[i], where.member(std::to_string(i), i), report);
      }
    }
    if (rules.unique_items) check_unique(json, where, report);
    if (!rules.key.empty()) check_keys(rules.key, json, where, report);
  }

  // Sorted by text, so that a long list costs n log n and not n².
  void check_unique(const Json& json, const Where& where, Report& report) const {
    std::map<std::string, std::vector<std::size_t>> seen;
    for (std::size_t i = 0; i < json.size(); ++i) {
      if (allow_placeholders_ && holds_placeholder(json[i])) {
        report.undecided = true;
        continue;
      }
      auto& alike = seen[canonical(json[i])];
      const auto first =
          std::ranges::find_if(alike, [&](std::size_t j) { return equal(json[i], json[j]); });
      if (first != alike.end()) {
        add(report, where.member(std::to_string(i), i), "duplicate",
            fmt::format("{} is there twice, first as item {}", show(json[i]), *first + 1));
      }
      alike.push_back(i);
    }
  }

  // Equal values have equal texts; the reverse does not have to hold.
  static std::string canonical(const Json& json) {
    if (json.is_number()) return fmt::format("{}", json.as<double>());
    if (json.is_object() || json.is_array()) return fmt::format("{}", json.size());
    return to_text(json);
  }

  void check_keys(const std::string& key, const Json& json, const Where& where,
                  Report& report) const {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const Json& value = get_member(json[i], key);
      if (!is_text(value) && !value.is_number()) continue;
      if (allow_placeholders_ && holds_placeholder(value)) {
        report.undecided = true;
        continue;
      }
      const auto [first, is_new] = seen.try_emplace(to_text(value), i);
      if (is_new) continue;
      const auto below = where.member(std::to_string(i), i).member(key, 0);
      add(report, below, "duplicate",
          fmt::format("the {} {} is already used by item {}", key, show(value), first->second + 1));
    }
  }

  void check_branches(const Rules& rules, const Json& json, const Where& where,
                      Report& report) const {
    if (rules.reference != nullptr) check(*rules.reference, json, where, report);
    for (const Rules* each : rules.all_of) check(*each, json, where, report);
    if (rules.condition == nullptr) return;
    Report condition;
    check(*rules.condition, json, where, condition);
    if (condition.findings.empty() && condition.undecided) {
      report.undecided = true;  // it turns on what the caller will fill in
      return;
    }
    const Rules* branch = condition.findings.empty() ? rules.then_rules : rules.else_rules;
    if (branch != nullptr) check(*branch, json, where, report);
  }

  static std::vector<std::string> known_names(const Rules& rules) {
    std::vector<std::string> names;
    names.reserve(rules.properties.size());
    for (const auto& [name, described] : rules.properties) names.push_back(name);
    return names;
  }

  static std::size_t position_of(const Rules& rules, std::string_view name) {
    const auto found = std::ranges::find(
        rules.properties, name, [](const auto& each) { return std::string_view(each.first); });
    return static_cast<std::size_t>(found - rules.properties.begin());
  }

  bool allow_placeholders_;
};

bool is_deeper_than(const Json& json, int levels) {
  if (!json.is_object() && !json.is_array()) return false;
  if (levels == 0) return true;
  if (json.is_object()) {
    return std::ranges::any_of(json.object_range(), [levels](const auto& member) {
      return is_deeper_than(member.value(), levels - 1);
    });
  }
  return std::ranges::any_of(
      json.array_range(), [levels](const Json& item) { return is_deeper_than(item, levels - 1); });
}

}  // namespace

std::vector<FieldError> validate_rules(const Rules& root, const Json& instance,
                                       const ValidateOptions& options) {
  if (is_deeper_than(instance, kMaxJsonDepth)) {
    return {{options.base_pointer, "invalid",
             fmt::format("is nested deeper than {} levels", kMaxJsonDepth)}};
  }
  Report report;
  Walker(options.allow_placeholders).check(root, instance, {options.base_pointer, {}}, report);
  std::ranges::stable_sort(report.findings, {}, &Finding::position);
  // A value may break one rule twice: by itself and by a condition.
  std::vector<FieldError> errors;
  for (auto& finding : report.findings) {
    const auto& error = finding.error;
    bool said = false;
    for (auto each = errors.rbegin(); each != errors.rend() && each->pointer == error.pointer;
         ++each) {
      said = said || each->code == error.code;
    }
    if (!said) errors.push_back(std::move(finding.error));
  }
  return errors;
}

}  // namespace tributary::schema
