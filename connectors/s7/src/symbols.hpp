// Symbols of a STEP 7 or TIA Portal project, as points. Pure.
//
// Understood are the symbol table of STEP 7 (SDF, and SEQ with tabs), the tag table of TIA Portal
// (SDF, and its sheet saved as CSV with commas, semicolons or tabs), with or without a line of
// headings, in any order of columns: what looks like an address is the address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "field/point_list.hpp"
#include "model/json.hpp"

namespace tributary::connectors::s7 {

struct SymbolImport {
  // Points as the functions take them: name, address, and dataType where the address does not say
  // it.
  Json points = json_array();
  // Lines that stand for no point, and why: blocks, structures, addresses without a type that is
  // known.
  std::vector<field::CsvProblem> problems;
};

// Names are cut to what a point's name may have and made unique with a number behind them.
SymbolImport import_symbols(std::string_view text);

}  // namespace tributary::connectors::s7
