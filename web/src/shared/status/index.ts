export { QualityBadge, type ShownQuality } from './quality';
export { StatusBadge, statusLooks, statusOrder } from './status';
