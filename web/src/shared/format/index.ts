export { conventions, setConventions, type Times } from './locale';
export { formatClock, formatMoment, formatSpan, formatTicking } from './time';
export { formatCount, formatPercent, formatValue } from './value';
