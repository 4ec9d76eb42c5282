import type { Summary } from './data';
import type { Bounds } from './period';
import { isoOf } from './period';

/** RFC 4180; a text that a spreadsheet would take for a formula has an apostrophe in front, as in the hub's own files. */
function cell(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const columns: [name: string, of: (one: Summary) => string | number | boolean | null][] = [
  ['id', (one) => one.id],
  ['name', (one) => one.name],
  ['type', (one) => one.type],
  ['status', (one) => one.status],
  ['uptimePercent', (one) => one.uptimePercent],
  ['connectedSeconds', (one) => one.connectedSeconds],
  ['countedSeconds', (one) => one.countedSeconds],
  ['downSeconds', (one) => one.downSeconds],
  ['idleSeconds', (one) => one.excluded.idleSeconds],
  ['suspendedSeconds', (one) => one.excluded.suspendedSeconds],
  ['unknownSeconds', (one) => one.excluded.unknownSeconds],
  ['failureCount', (one) => one.failureCount],
  ['recoveries', (one) => one.recoveries],
  ['meanRecoverySeconds', (one) => one.meanRecoverySeconds],
  ['longestOutageSeconds', (one) => one.longestOutageSeconds],
  ['openOutageSeconds', (one) => one.openOutageSeconds],
  ['meanTimeBetweenFailuresSeconds', (one) => one.meanTimeBetweenFailuresSeconds],
  ['flapping', (one) => one.flapping.active],
];

/** The figures of many connections as a CSV file; every line names the period. */
export function figuresCsv(summaries: readonly Summary[], bounds: Bounds): string {
  const { from, to } = isoOf(bounds);
  const lines = [
    ['from', 'to', ...columns.map(([name]) => name)],
    ...summaries.map((one) => [from, to, ...columns.map(([, of]) => of(one))]),
  ];
  return `${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}
