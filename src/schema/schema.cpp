#include "schema/schema.hpp"

#include "schema/rules.hpp"

namespace tributary::schema {

struct Schema::Impl {
  Json document;
  Compiled compiled;
};

Result<Schema> Schema::compile(const Json& document) {
  auto compiled = compile_rules(document);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  Schema schema;
  schema.impl_ = std::make_shared<const Impl>(Impl{document, std::move(*compiled)});
  return schema;
}

std::vector<FieldError> Schema::validate(const Json& instance,
                                         const ValidateOptions& options) const {
  return validate_rules(*impl_->compiled.root, instance, options);
}

Json Schema::with_defaults(const Json& instance) const {
  return fill_defaults(*impl_->compiled.root, instance);
}

const Json& Schema::document() const {
  return impl_->document;
}

const std::vector<std::string>& Schema::secrets() const {
  return impl_->compiled.secrets;
}

namespace {

Json fill_items(const Rules& rules, const Json& instance) {
  if (rules.items == nullptr) return instance;
  Json filled = json_array();
  filled.reserve(instance.size());
  for (const auto& item : instance.array_range())
    filled.push_back(fill_defaults(*rules.items, item));
  return filled;
}

Json fill_members(const Rules& rules, const Json& instance) {
  Json filled = json_object();
  for (const auto& member : instance.object_range()) {
    const Rules* described = rules.property(member.key());
    if (described == nullptr) described = rules.additional;
    filled.insert_or_assign(member.key(), described == nullptr
                                              ? member.value()
                                              : fill_defaults(*described, member.value()));
  }
  for (const auto& [name, described] : rules.properties) {
    const bool borrowed = !described->default_value && described->reference != nullptr;
    const auto& value = borrowed ? described->reference->default_value : described->default_value;
    if (value && !filled.contains(name))
      filled.insert_or_assign(name, fill_defaults(*described, *value));
  }
  return filled;
}

}  // namespace

// Finite: definitions do not contain themselves, so the schema bounds the depth.
Json fill_defaults(const Rules& rules, const Json& instance) {
  const Json filled =
      rules.reference == nullptr ? instance : fill_defaults(*rules.reference, instance);
  if (filled.is_array()) return fill_items(rules, filled);
  if (filled.is_object()) return fill_members(rules, filled);
  return filled;
}

}  // namespace tributary::schema
