#include "orchestrate/formats/units.hpp"

namespace tributary::orchestrate::formats {
namespace {

constexpr double kPi = 3.14159265358979323846;
// Exact by definition: pound 0.45359237 kg, inch 0.0254 m, standard gravity 9.80665 m/s².
constexpr double kPound = 0.45359237;
constexpr double kInch = 0.0254;
constexpr double kFoot = 0.3048;
constexpr double kGravity = 9.80665;
constexpr double kGallon = 231 * kInch * kInch * kInch;  // US liquid
constexpr double kPsi = kPound * kGravity / (kInch * kInch);
constexpr double kBtu = 1055.05585262;  // International Table

}  // namespace

const std::vector<Unit>& all_units() {
  static const std::vector<Unit> units = {
      {"K", "temperature", 1, 0},
      {"°C", "temperature", 1, 273.15},
      {"°F", "temperature", 5.0 / 9, 273.15 - 32 * 5.0 / 9},
      {"°R", "temperature", 5.0 / 9, 0},
      {"m", "length"},
      {"km", "length", 1000},
      {"dm", "length", 0.1},
      {"cm", "length", 0.01},
      {"mm", "length", 1e-3},
      {"µm", "length", 1e-6},
      {"nm", "length", 1e-9},
      {"in", "length", kInch},
      {"ft", "length", kFoot},
      {"yd", "length", 3 * kFoot},
      {"mi", "length", 5280 * kFoot},
      {"m²", "area"},
      {"cm²", "area", 1e-4},
      {"mm²", "area", 1e-6},
      {"ha", "area", 1e4},
      {"km²", "area", 1e6},
      {"in²", "area", kInch * kInch},
      {"ft²", "area", kFoot * kFoot},
      {"m³", "volume"},
      {"l", "volume", 1e-3},
      {"hl", "volume", 0.1},
      {"ml", "volume", 1e-6},
      {"cm³", "volume", 1e-6},
      {"gal", "volume", kGallon},
      {"bbl", "volume", 42 * kGallon},
      {"ft³", "volume", kFoot * kFoot * kFoot},
      {"kg", "mass"},
      {"g", "mass", 1e-3},
      {"mg", "mass", 1e-6},
      {"t", "mass", 1000},
      {"lb", "mass", kPound},
      {"oz", "mass", kPound / 16},
      {"s", "time"},
      {"ms", "time", 1e-3},
      {"µs", "time", 1e-6},
      {"min", "time", 60},
      {"h", "time", 3600},
      {"d", "time", 86400},
      {"m/s", "speed"},
      {"m/min", "speed", 1.0 / 60},
      {"km/h", "speed", 1 / 3.6},
      {"mm/s", "speed", 1e-3},
      {"ft/s", "speed", kFoot},
      {"ft/min", "speed", kFoot / 60},
      {"mph", "speed", 5280 * kFoot / 3600},
      {"kn", "speed", 1852.0 / 3600},
      {"m/s²", "acceleration"},
      {"mm/s²", "acceleration", 1e-3},
      {"g0", "acceleration", kGravity},
      {"Pa", "pressure"},
      {"hPa", "pressure", 100},
      {"kPa", "pressure", 1e3},
      {"MPa", "pressure", 1e6},
      {"bar", "pressure", 1e5},
      {"mbar", "pressure", 100},
      {"psi", "pressure", kPsi},
      {"atm", "pressure", 101325},
      {"mmHg", "pressure", 133.322387415},
      {"inHg", "pressure", 3386.388640341},
      {"inH2O", "pressure", 249.08891},
      {"mmH2O", "pressure", 9.80665},
      {"m³/s", "volume flow"},
      {"m³/h", "volume flow", 1.0 / 3600},
      {"l/s", "volume flow", 1e-3},
      {"l/min", "volume flow", 1e-3 / 60},
      {"l/h", "volume flow", 1e-3 / 3600},
      {"gal/min", "volume flow", kGallon / 60},
      {"ft³/min", "volume flow", kFoot * kFoot * kFoot / 60},
      {"kg/s", "mass flow"},
      {"kg/h", "mass flow", 1.0 / 3600},
      {"t/h", "mass flow", 1000.0 / 3600},
      {"lb/h", "mass flow", kPound / 3600},
      {"N", "force"},
      {"kN", "force", 1e3},
      {"lbf", "force", kPound * kGravity},
      {"kgf", "force", kGravity},
      {"N·m", "torque"},
      {"kN·m", "torque", 1e3},
      {"lbf·ft", "torque", kPound * kGravity * kFoot},
      {"J", "energy"},
      {"kJ", "energy", 1e3},
      {"MJ", "energy", 1e6},
      {"Wh", "energy", 3600},
      {"kWh", "energy", 3.6e6},
      {"MWh", "energy", 3.6e9},
      {"cal", "energy", 4.184},
      {"kcal", "energy", 4184},
      {"BTU", "energy", kBtu},
      {"W", "power"},
      {"kW", "power", 1e3},
      {"MW", "power", 1e6},
      {"hp", "power", 550 * kFoot * kPound * kGravity},
      {"PS", "power", 75 * kGravity},
      {"BTU/h", "power", kBtu / 3600},
      {"V", "voltage"},
      {"mV", "voltage", 1e-3},
      {"kV", "voltage", 1e3},
      {"A", "current"},
      {"mA", "current", 1e-3},
      {"kA", "current", 1e3},
      {"Ω", "resistance"},
      {"kΩ", "resistance", 1e3},
      {"MΩ", "resistance", 1e6},
      {"Hz", "frequency"},
      {"kHz", "frequency", 1e3},
      {"MHz", "frequency", 1e6},
      {"rpm", "frequency", 1.0 / 60},
      {"rad", "angle"},
      {"°", "angle", kPi / 180},
      {"gon", "angle", kPi / 200},
      {"rev", "angle", 2 * kPi},
      {"1", "ratio"},
      {"%", "ratio", 0.01},
      {"‰", "ratio", 1e-3},
      {"ppm", "ratio", 1e-6},
      {"kg/m³", "density"},
      {"g/cm³", "density", 1000},
      {"lb/ft³", "density", kPound / (kFoot * kFoot * kFoot)},
      {"Pa·s", "viscosity"},
      {"mPa·s", "viscosity", 1e-3},
      {"cP", "viscosity", 1e-3},
      {"B", "data"},
      {"kB", "data", 1e3},
      {"MB", "data", 1e6},
      {"GB", "data", 1e9},
      {"KiB", "data", 1024},
      {"MiB", "data", 1048576},
      {"GiB", "data", 1073741824},
  };
  return units;
}

const Unit* find_unit(std::string_view name) {
  // What keyboards have.
  if (name == "C" || name == "degC") name = "°C";
  if (name == "F" || name == "degF") name = "°F";
  if (name == "deg") name = "°";
  if (name == "um") name = "µm";
  if (name == "us") name = "µs";
  if (name == "ohm") name = "Ω";
  if (name == "m2") name = "m²";
  if (name == "m3") name = "m³";
  if (name == "m3/h") name = "m³/h";
  if (name == "m3/s") name = "m³/s";
  for (const Unit& unit : all_units()) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string units_of(std::string_view dimension) {
  std::string names;
  for (const Unit& unit : all_units()) {
    if (unit.dimension != dimension) continue;
    if (!names.empty()) names += ", ";
    names += unit.name;
  }
  return names;
}

double convert(double value, const Unit& from, const Unit& to) {
  if (&from == &to) return value;
  return (value * from.factor + from.offset - to.offset) / to.factor;
}

}  // namespace tributary::orchestrate::formats
