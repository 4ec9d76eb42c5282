export { CopyAs } from './CopyAs';
export type { ApiRequest, HubDocument } from './commands';
export {
  connectionDocument,
  functionDocument,
  pipelineDocument,
  windowDocument,
} from './documents';
