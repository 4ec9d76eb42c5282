export { CopyAs } from './CopyAs';
export type { ApiRequest, HubDocument } from './commands';
export { connectionDocument, functionDocument, pipelineDocument } from './documents';
