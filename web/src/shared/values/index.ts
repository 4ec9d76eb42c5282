export { LiveRecords } from './LiveRecords';
export { LiveTable } from './LiveTable';
export { RecordTable } from './RecordTable';
export { type FunctionSeries, numberOf, type PointSeries, statistics, windowOf } from './series';
export { type LivePoints, useLivePoints } from './use-live-points';
