/** The operator's door for tests and tools: the resource and the report. The process itself is `main.ts`. */
export { repairPage } from './report/html.ts';
export { repairReport } from './report/markdown.ts';
export { customResourceDefinition } from './resource/crd.ts';
export { type KlingApi, klingApiSchema, REPAIR_ANNOTATION } from './resource/klingapi.ts';
export { referencePage } from './resource/reference.ts';
export type { KlingApiStatus, RepairRecord, Verification } from './resource/status.ts';
export { decodePicture } from './verification/picture.ts';
