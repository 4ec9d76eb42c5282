// Functions of this connector, checked and ready.
#pragma once

#include <memory>

#include "connectors/rest/settings.hpp"
#include "sdk/connector.hpp"

namespace tributary::connectors::rest {

class RequestOperation final : public sdk::Operation {
 public:
  explicit RequestOperation(RequestSettings settings_) : settings(std::move(settings_)) {}
  std::size_t round_trips() const override {
    return settings.paging.mode == RequestSettings::Paging::Mode::kNone
               ? 1
               : static_cast<std::size_t>(settings.paging.max_pages);
  }
  const RequestSettings settings;
};

class SendOperation final : public sdk::Operation {
 public:
  explicit SendOperation(SendSettings settings_) : settings(std::move(settings_)) {}
  const SendSettings settings;
};

// Read and poll are the same work.
class ReadOperation final : public sdk::Operation {
 public:
  ReadOperation(std::string path_, Json query_, Json headers_, std::vector<Point> points_);
  std::shared_ptr<const PointNames> points() const override { return names; }
  const std::string path;
  const Json query;
  const Json headers;
  const std::vector<Point> values;
  const std::shared_ptr<const PointNames> names;
};

// As Connector::prepare.
Result<std::shared_ptr<const sdk::Operation>> prepare_operation(const sdk::FunctionSpec& function);

}  // namespace tributary::connectors::rest
