// Symbols of an engineering tool's project, as points.
#pragma once

#include <string_view>

#include "field/point_list.hpp"

namespace tributary::sdk {

// Connectors whose engineering tools export their symbols implement this besides Connector.
class SymbolReader {
 public:
  virtual ~SymbolReader() = default;
  // The whole file, in UTF-8 or Latin-1. Points come as the functions take them, each with its
  // line; lines that stand for no point are problems and hold nothing back. Pure, any thread.
  virtual field::PointImport read_symbols(std::string_view text) const = 0;
};

}  // namespace tributary::sdk
