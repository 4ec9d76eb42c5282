export { ApiError, api, ask, type Problem, type Schemas } from './client';
