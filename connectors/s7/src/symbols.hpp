// Symbols of a STEP 7 or TIA Portal project, as points. Pure.
//
// Understood are the symbol table of STEP 7 (SDF, and SEQ with tabs), the tag table of TIA Portal
// (SDF, and its sheet saved as CSV with commas, semicolons or tabs), with or without a line of
// headings, in any order of columns: what looks like an address is the address.
#pragma once

#include <string_view>

#include "field/point_list.hpp"

namespace tributary::connectors::s7 {

// Points have name, address, and dataType where the address does not say it. Problems are lines
// that stand for no point: blocks, structures, addresses without a type that is known (the first
// 100). Names are cut to what a point's name may have and made unique with a number behind them.
field::PointImport import_symbols(std::string_view text);

}  // namespace tributary::connectors::s7
