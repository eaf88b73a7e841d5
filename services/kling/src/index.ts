/** Client of the Kling developer API, usable alone. What is where: `README.md` of this package. */
export { BATCH_SIZE, type Look } from './batch.ts';
export { type Impossible, impossible } from './capabilities.ts';
export type { CreateOptions, KlingClient, KlingClientOptions, RecordPage, RecordQuery } from './client.ts';
export { createKlingClient } from './client.ts';
export type { KlingCode, KlingErrorKind } from './codes.ts';
export { KLING_CODES } from './codes.ts';
export type { Credentials } from './credentials.ts';
export { createTokenSource } from './credentials.ts';
export type { Endpoint, Kind, ResultGroup } from './endpoints.ts';
export { ENDPOINTS, KINDS, kindSchema } from './endpoints.ts';
export { KlingError } from './errors.ts';
export { EXAMPLES, OPERATION_EXAMPLES } from './examples.ts';
export { type Abilities, MODELS, type Model, modelOf } from './models.ts';
export { OPERATIONS, type Operation, type OperationName } from './operations.ts';
export { type Estimate, estimate, operationPrice, UNIT_USD } from './price.ts';
export type { ResultFile, UpstreamTask } from './replies.ts';
export { callbackBody, envelope, finished, taskData, taskRecord } from './replies.ts';
export { milliseconds, modelName } from './requests/fields.ts';
export { reservation } from './reservation.ts';
export type {
  ImageToVideoRequest,
  KlingRequest,
  TextToImageRequest,
  TextToVideoRequest,
  VirtualTryOnRequest,
} from './schema.ts';
export { IMAGE_ASPECT_RATIOS, REQUESTS, VIDEO_ASPECT_RATIOS } from './schema.ts';
export { signWebhook, verifyWebhook, type WebhookHeaders, webhookKey, webhookSecretSchema } from './webhook.ts';
export { type Wishes, wishesOf } from './wishes.ts';
