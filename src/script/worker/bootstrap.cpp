// The script that runs first in every context: it makes $fn, $quality, $node and console, and then
// freezes every built-in. Documented for users in docs/pipelines/scripts.md.
#include "script/worker/javascript.hpp"

namespace tributary::script {
namespace {

constexpr std::string_view kBootstrap = R"JS((function (native, nodeAccess) {
const global = globalThis;

// ---- arguments ----
function wrong(message) { throw new TypeError(message); }
function text(value, what) {
  if (typeof value !== 'string') wrong(what + ' must be a text, not ' + describe(value));
  return value;
}
function describe(value) {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : typeof value;
}
function bytes(value, what) {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value;
  wrong(what + ' must be a text, a list of bytes or a Uint8Array, not ' + describe(value));
}
const zoneName = (zone) => zone === undefined ? 'UTC' : text(zone, 'the time zone');

// ---- dates ----
// A time: a Date, milliseconds since 1970, or a text as RFC 3339 has it.
function instant(value) {
  let ms = NaN;
  if (value instanceof Date) ms = value.getTime();
  else if (typeof value === 'number') ms = value;
  else if (typeof value === 'bigint') ms = Number(value);
  else if (typeof value === 'string') ms = parseText(value, 'UTC');
  if (Number.isNaN(ms)) throw new RangeError('this is no time: ' + String(value));
  return ms;
}
const kIso = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?$/;
function millis(fraction) { return fraction ? Number((fraction + '00').slice(0, 3)) : 0; }
function offsetMs(text) {
  if (text === 'Z' || text === 'z') return 0;
  const sign = text[0] === '-' ? -1 : 1;
  return sign * (Number(text.slice(1, 3)) * 60 + Number(text.slice(-2))) * 60000;
}
function utc(year, month, day, hour, minute, second, ms) {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, ms);
  return date.getTime();
}
// The same, but 31 February is no date.
function exactUtc(y, mo, d, h, mi, s, ms) {
  const made = new Date(utc(y, mo, d, h, mi, s, ms));
  const same = made.getUTCMonth() === mo - 1 && made.getUTCDate() === d && made.getUTCHours() === h &&
    made.getUTCMinutes() === mi && made.getUTCSeconds() === s;
  return same ? made.getTime() : NaN;
}
function parseText(value, zone) {
  const m = kIso.exec(value.trim());
  if (m === null) return NaN;
  const wall = exactUtc(+m[1], +m[2], +m[3], +(m[4] ?? 0), +(m[5] ?? 0), +(m[6] ?? 0), millis(m[7]));
  if (Number.isNaN(wall)) return NaN;
  return m[8] ? wall - offsetMs(m[8]) : native.instant(wall, zone);
}
const kMonths = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September',
  'October', 'November', 'December'];
const kDays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const pad = (number, size) => String(number).padStart(size, '0');
// A Date whose UTC fields are what the clocks of the zone show.
function wallClock(ms, zone) { return new Date(ms + native.offset(ms, zone) * 1000); }
function offsetText(seconds, colon) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return (seconds < 0 ? '-' : '+') + pad(Math.floor(minutes / 60), 2) + colon + pad(minutes % 60, 2);
}
const weekday = (wall) => wall.getUTCDay() || 7;
const fields = {
  yyyy: (w) => pad(w.getUTCFullYear(), 4), yy: (w) => pad(w.getUTCFullYear() % 100, 2),
  MMMM: (w) => kMonths[w.getUTCMonth()], MMM: (w) => kMonths[w.getUTCMonth()].slice(0, 3),
  MM: (w) => pad(w.getUTCMonth() + 1, 2), M: (w) => String(w.getUTCMonth() + 1),
  dd: (w) => pad(w.getUTCDate(), 2), d: (w) => String(w.getUTCDate()),
  EEEE: (w) => kDays[weekday(w) - 1], EEE: (w) => kDays[weekday(w) - 1].slice(0, 3),
  HH: (w) => pad(w.getUTCHours(), 2), H: (w) => String(w.getUTCHours()),
  hh: (w) => pad(w.getUTCHours() % 12 || 12, 2), h: (w) => String(w.getUTCHours() % 12 || 12),
  mm: (w) => pad(w.getUTCMinutes(), 2), m: (w) => String(w.getUTCMinutes()),
  ss: (w) => pad(w.getUTCSeconds(), 2), s: (w) => String(w.getUTCSeconds()),
  SSS: (w) => pad(w.getUTCMilliseconds(), 3), a: (w) => (w.getUTCHours() < 12 ? 'AM' : 'PM'),
  XXX: (w, ms, zone) => { const o = native.offset(ms, zone); return o === 0 ? 'Z' : offsetText(o, ':'); },
  xx: (w, ms, zone) => offsetText(native.offset(ms, zone), ''),
  z: (w, ms, zone) => native.abbreviation(ms, zone)
};
const kPattern = /'((?:[^']|'')*)'|yyyy|yy|MMMM|MMM|MM|M|dd|d|EEEE|EEE|HH|H|hh|h|mm|m|ss|s|SSS|a|XXX|xx|z|[A-Za-z]+|[^A-Za-z']+/g;
function format(time, pattern = "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", zone) {
  zone = zoneName(zone);
  const ms = instant(time);
  const wall = wallClock(ms, zone);
  return text(pattern, 'the format').replace(kPattern, (part, quoted) => {
    if (quoted !== undefined) return quoted === '' ? "'" : quoted.replace(/''/g, "'");
    if (Object.hasOwn(fields, part)) return fields[part](wall, ms, zone);
    if (/[A-Za-z]/.test(part)) wrong("the format has no '" + part + "'; put text between '…'");
    return part;
  });
}
const readers = {
  yyyy: ['(\\d{4})', 'y'], MM: ['(\\d\\d)', 'mo'], M: ['(\\d{1,2})', 'mo'], dd: ['(\\d\\d)', 'd'],
  d: ['(\\d{1,2})', 'd'], HH: ['(\\d\\d)', 'h'], H: ['(\\d{1,2})', 'h'], mm: ['(\\d\\d)', 'mi'],
  m: ['(\\d{1,2})', 'mi'], ss: ['(\\d\\d)', 's'], s: ['(\\d{1,2})', 's'], SSS: ['(\\d{1,3})', 'ms'],
  XXX: ['([Zz]|[+-]\\d\\d:?\\d\\d)', 'o'], xx: ['([+-]\\d\\d:?\\d\\d)', 'o'],
  MMM: ['([A-Za-z]{3})', 'mon'], MMMM: ['([A-Za-z]+)', 'mon']
};
function parse(value, pattern, zone) {
  zone = zoneName(zone);
  text(value, 'the time');
  let ms = NaN;
  if (pattern === undefined) {
    ms = parseText(value, zone);
  } else {
    const names = [];
    const source = text(pattern, 'the format').replace(kPattern, (part, quoted) => {
      if (quoted === undefined && Object.hasOwn(readers, part)) {
        names.push(readers[part][1]);
        return readers[part][0];
      }
      if (quoted === undefined && /[A-Za-z]/.test(part)) wrong("a time cannot be read by '" + part + "'");
      return (quoted ?? part).replace(/[.*+?^${}()|[\]\\\/]/g, '\\$&');
    });
    const m = new RegExp('^' + source + '$').exec(value.trim());
    if (m !== null) {
      const found = { y: 1970, mo: 1, d: 1, h: 0, mi: 0, s: 0, ms: '0' };
      names.forEach((name, i) => { found[name] = m[i + 1]; });
      if (found.mon) found.mo = 1 + kMonths.findIndex((month) =>
        month.slice(0, Math.max(3, found.mon.length)).toLowerCase() === found.mon.toLowerCase());
      const wall = exactUtc(+found.y, +found.mo, +found.d, +found.h, +found.mi, +found.s, millis(found.ms));
      if (!Number.isNaN(wall)) ms = found.o ? wall - offsetMs(found.o) : native.instant(wall, zone);
    }
  }
  if (Number.isNaN(ms)) {
    throw new RangeError('this is no time' + (pattern ? ' as "' + pattern + '" has it' : '') + ': ' + value);
  }
  return new Date(ms);
}
const kExact = { hours: 3600000, minutes: 60000, seconds: 1000, milliseconds: 1 };
function shift(time, by, zone) {
  zone = zoneName(zone);
  if (by === null || typeof by !== 'object') wrong('say by how much, for example {days: 1}');
  let ms = instant(time);
  for (const name of Object.keys(by)) {
    const known = Object.hasOwn(kExact, name) || ['years', 'months', 'weeks', 'days'].includes(name);
    if (!known) wrong("a time cannot be shifted by '" + name + "'");
    if (!Number.isFinite(by[name])) wrong(name + ' must be a number');
  }
  const months = (by.years ?? 0) * 12 + (by.months ?? 0);
  const days = (by.weeks ?? 0) * 7 + (by.days ?? 0);
  if (months !== 0 || days !== 0) {
    // By the calendar of the zone: the clock on the wall shows the same time of day.
    const wall = wallClock(ms, zone);
    const first = new Date(wall.getTime());
    first.setUTCDate(1);
    first.setUTCMonth(first.getUTCMonth() + months);
    const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
    first.setUTCDate(Math.min(wall.getUTCDate(), last));
    ms = native.instant(first.getTime() + days * 86400000, zone);
  }
  for (const name of Object.keys(kExact)) ms += (by[name] ?? 0) * kExact[name];
  return new Date(ms);
}
function startOf(time, unit, zone) {
  zone = zoneName(zone);
  const ms = instant(time);
  const w = wallClock(ms, zone);
  const at = (y, mo, d, h = 0, mi = 0, s = 0) => new Date(native.instant(utc(y, mo, d, h, mi, s, 0), zone));
  const y = w.getUTCFullYear(), mo = w.getUTCMonth() + 1, d = w.getUTCDate();
  // Hours and less are counted back from the instant: an hour that comes twice begins twice.
  const back = (size) => new Date(ms - (((w.getTime() % size) + size) % size));
  switch (unit) {
    case 'year': return at(y, 1, 1);
    case 'quarter': return at(y, mo - (mo - 1) % 3, 1);
    case 'month': return at(y, mo, 1);
    case 'week': return at(y, mo, d - weekday(w) + 1);
    case 'day': return at(y, mo, d);
    case 'hour': return back(3600000);
    case 'minute': return back(60000);
    case 'second': return back(1000);
    default: wrong('a time has no start of ' + String(unit));
  }
}
function parts(time, zone) {
  zone = zoneName(zone);
  const ms = instant(time);
  const w = wallClock(ms, zone);
  return { year: w.getUTCFullYear(), month: w.getUTCMonth() + 1, day: w.getUTCDate(), hour: w.getUTCHours(),
    minute: w.getUTCMinutes(), second: w.getUTCSeconds(), millisecond: w.getUTCMilliseconds(),
    weekday: weekday(w), offsetMinutes: native.offset(ms, zone) / 60, zone };
}

// ---- units: how many of the base unit one is, and what zero is ----
const kUnits = {
  temperature: { K: 1, degC: [1, 273.15], degF: [5 / 9, 459.67 * 5 / 9], degR: 5 / 9 },
  pressure: { Pa: 1, hPa: 100, kPa: 1e3, MPa: 1e6, mbar: 100, bar: 1e5, psi: 6894.757293168361, atm: 101325,
    mmHg: 133.322387415, inHg: 3386.388640341, mmH2O: 9.80665, inH2O: 249.08891 },
  length: { m: 1, km: 1e3, cm: 1e-2, mm: 1e-3, um: 1e-6, nm: 1e-9, in: 0.0254, ft: 0.3048, yd: 0.9144, mi: 1609.344,
    nmi: 1852 },
  area: { m2: 1, km2: 1e6, cm2: 1e-4, mm2: 1e-6, ha: 1e4, in2: 0.00064516, ft2: 0.09290304, acre: 4046.8564224 },
  mass: { kg: 1, g: 1e-3, mg: 1e-6, t: 1e3, lb: 0.45359237, oz: 0.028349523125, ton: 907.18474 },
  volume: { m3: 1, L: 1e-3, dL: 1e-4, cL: 1e-5, mL: 1e-6, cm3: 1e-6, ft3: 0.028316846592, in3: 1.6387064e-5,
    gal: 0.003785411784, galUK: 0.00454609, bbl: 0.158987294928 },
  flow: { 'm3/s': 1, 'm3/min': 1 / 60, 'm3/h': 1 / 3600, 'L/s': 1e-3, 'L/min': 1e-3 / 60, 'L/h': 1e-3 / 3600,
    'mL/min': 1e-6 / 60, 'gal/min': 0.003785411784 / 60, 'ft3/min': 0.028316846592 / 60 },
  massFlow: { 'kg/s': 1, 'kg/min': 1 / 60, 'kg/h': 1 / 3600, 'g/s': 1e-3, 't/h': 1 / 3.6, 'lb/h': 0.45359237 / 3600 },
  speed: { 'm/s': 1, 'm/min': 1 / 60, 'mm/s': 1e-3, 'km/h': 1 / 3.6, 'ft/s': 0.3048, 'ft/min': 0.00508, mph: 0.44704,
    kn: 1852 / 3600 },
  rotation: { 'rad/s': 1, rpm: Math.PI / 30, rps: 2 * Math.PI, 'deg/s': Math.PI / 180 },
  power: { W: 1, mW: 1e-3, kW: 1e3, MW: 1e6, GW: 1e9, hp: 745.6998715822702, PS: 735.49875, 'BTU/h': 0.2930710701722222 },
  energy: { J: 1, kJ: 1e3, MJ: 1e6, GJ: 1e9, Wh: 3600, kWh: 3.6e6, MWh: 3.6e9, cal: 4.184, kcal: 4184,
    BTU: 1055.05585262 },
  time: { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9, min: 60, h: 3600, d: 86400, week: 604800 },
  angle: { rad: 1, deg: Math.PI / 180, grad: Math.PI / 200, turn: 2 * Math.PI, arcmin: Math.PI / 10800,
    arcsec: Math.PI / 648000 },
  frequency: { Hz: 1, kHz: 1e3, MHz: 1e6, GHz: 1e9, mHz: 1e-3, '1/min': 1 / 60 },
  current: { A: 1, mA: 1e-3, uA: 1e-6, kA: 1e3 },
  voltage: { V: 1, mV: 1e-3, uV: 1e-6, kV: 1e3, MV: 1e6 },
  resistance: { ohm: 1, mohm: 1e-3, kohm: 1e3, Mohm: 1e6 },
  charge: { C: 1, mC: 1e-3, Ah: 3600, mAh: 3.6 },
  apparentPower: { VA: 1, kVA: 1e3, MVA: 1e6 },
  reactivePower: { var: 1, kvar: 1e3, Mvar: 1e6 },
  force: { N: 1, kN: 1e3, MN: 1e6, kgf: 9.80665, lbf: 4.4482216152605 },
  torque: { Nm: 1, kNm: 1e3, 'lbf.ft': 1.3558179483314004, 'lbf.in': 0.1129848290276167 }
};
const unitTable = new Map();
for (const quantity of Object.keys(kUnits)) {
  for (const name of Object.keys(kUnits[quantity])) {
    const given = kUnits[quantity][name];
    const [factor, zero] = Array.isArray(given) ? given : [given, 0];
    unitTable.set(name, { quantity, factor, zero });
  }
}
for (const [name, as] of [['°C', 'degC'], ['°F', 'degF'], ['C°', 'degC'], ['l', 'L'], ['l/min', 'L/min'], ['µm', 'um'],
  ['µs', 'us'], ['µA', 'uA'], ['µV', 'uV'], ['Ω', 'ohm'], ['kΩ', 'kohm'], ['°', 'deg'], ['m²', 'm2'], ['m³', 'm3'],
  ['m³/h', 'm3/h'], ['m³/s', 'm3/s'], ['1/s', 'Hz']]) unitTable.set(name, unitTable.get(as));
function unit(name) {
  const found = unitTable.get(text(name, 'a unit'));
  if (found === undefined) throw new RangeError("there is no unit '" + name + "'");
  return found;
}
function convert(value, from, to) {
  const a = unit(from), b = unit(to);
  if (a.quantity !== b.quantity) {
    throw new RangeError(from + ' is a unit of ' + a.quantity + ', ' + to + ' of ' + b.quantity);
  }
  if (value === null || value === undefined) return value;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') wrong('a value to convert must be a number, not ' + describe(value));
  if (a === b) return number;
  const made = (number * a.factor + a.zero - b.zero) / b.factor;
  // Fifteen digits: 20 °C are 68 °F, not 67.99999999999994.
  return Number.isFinite(made) ? Number(made.toPrecision(15)) : made;
}

// ---- hash, encodings ----
function encoded(made, as) {
  if (as === undefined || as === 'hex') return native.hexEncode(made);
  if (as === 'base64') return native.base64Encode(made, false);
  if (as === 'bytes') return made;
  wrong("a hash is given as 'hex', 'base64' or 'bytes'");
}
const digest = (name) => (data, as) => encoded(native.digest(name, bytes(data, 'the data')), as);
const hmac = (name) => (key, data, as) => encoded(native.hmac(name, bytes(key, 'the key'), bytes(data, 'the data')), as);
const hash = {
  md5: digest('md5'),
  sha1: digest('sha1'),
  sha256: digest('sha256'),
  sha512: digest('sha512'),
  hmacMd5: hmac('md5'),
  hmacSha1: hmac('sha1'),
  hmacSha256: hmac('sha256'),
  hmacSha512: hmac('sha512'),
  crc32: (data) => native.crc(32, bytes(data, 'the data')),
  crc16modbus: (data) => native.crc(16, bytes(data, 'the data'))
};
const base64 = {
  encode: (data) => native.base64Encode(bytes(data, 'the data'), false),
  encodeUrl: (data) => native.base64Encode(bytes(data, 'the data'), true),
  decode: (value) => native.utf8(native.base64Decode(text(value, 'base64'))),
  decodeBytes: (value) => native.base64Decode(text(value, 'base64'))
};
const hex = {
  encode: (data) => native.hexEncode(bytes(data, 'the data')),
  decode: (value) => native.utf8(native.hexDecode(text(value, 'hex'))),
  decodeBytes: (value) => native.hexDecode(text(value, 'hex'))
};

// ---- quality ----
function quality(record, point) {
  const noted = record?.$meta?.points?.[text(point, 'the point')];
  const name = noted?.quality ?? 'good';
  return { quality: name, code: noted?.code ?? null, isGood: name === 'good' };
}

const $fn = {
  date: { parse, format, shift, startOf, parts },
  units: { convert, list: () => [...unitTable.keys()] },
  hash, base64, hex,
  jmespath: (value, expression) => native.jmespath(value, text(expression, 'the JMESPath')),
  quality, isGood: (record, point) => quality(record, point).isGood
};

// ---- console ----
function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return String(value);
  try {
    const made = typeof value === 'object' ? JSON.stringify(value) : undefined;
    return made === undefined ? String(value) : made;
  } catch (error) {
    return String(error);
  }
}
const log = (...values) => { native.log(values.map(shown).join(' ')); };
const console = { log, info: log, debug: log, warn: log, error: log };

const define = (name, value) => Object.defineProperty(global, name, { value, enumerable: false });
define('$fn', $fn);
define('$quality', (point, record = native.input()) => quality(record, point));
define('console', console);
define('$node', nodeAccess);
for (const name of ['eval', 'SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry']) delete global[name];

// ---- frozen, and still usable: a record may have a field "toString", an error may get a name ----
function allowOverride(holder, name) {
  const found = Object.getOwnPropertyDescriptor(holder, name);
  if (found === undefined || !('value' in found)) return;
  const value = found.value;
  Object.defineProperty(holder, name, {
    get() { return value; },
    set(own) {
      if (this === holder) throw new TypeError("'" + String(name) + "' is read-only");
      Object.defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
    },
    enumerable: false, configurable: false
  });
  if (typeof value === 'function') freezeLater.push(value);
}
const freezeLater = [];
for (const name of ['constructor', 'hasOwnProperty', 'toString', 'toLocaleString', 'valueOf', 'isPrototypeOf',
  'propertyIsEnumerable']) allowOverride(Object.prototype, name);
for (const kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]) {
  for (const name of ['constructor', 'name', 'message', 'toString']) allowOverride(kind.prototype, name);
}
const seen = new Set();
const waiting = [global, $fn, console, ...freezeLater];
for (const hidden of [function* () {}, async function* () {}, async function () {}, [][Symbol.iterator](),
  new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g), Int8Array,
  (function* () {})(), (async function* () {})()]) waiting.push(Object.getPrototypeOf(hidden));
while (waiting.length > 0) {
  const object = waiting.pop();
  if (seen.has(object)) continue;
  seen.add(object);
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== null) waiting.push(prototype);
  if (object === nodeAccess) continue;
  for (const key of Reflect.ownKeys(object)) {
    const { value, get, set } = Object.getOwnPropertyDescriptor(object, key);
    for (const part of [value, get, set]) {
      if (part !== null && (typeof part === 'object' || typeof part === 'function')) waiting.push(part);
    }
  }
  Object.freeze(object);
}
}))JS";

}  // namespace

std::string_view bootstrap_source() {
  return kBootstrap;
}

}  // namespace tributary::script
