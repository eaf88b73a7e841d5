/**
 * Client of the Kling developer API. `schema.ts` what is sent, `replies.ts` what
 * comes back, `endpoints.ts` the paths, `codes.ts` the vendor's error table as
 * data, `models.ts` the vendor's models, `errors.ts` the one error class, `credentials.ts` the key or token,
 * `exchange.ts` one HTTP call, `client.ts` what callers use: reads are retried,
 * a create is never sent twice without looking first. `batch.ts` asks for many
 * tasks at once, `webhook.ts` is the signature of callbacks.
 */
export { BATCH_SIZE } from './batch.ts';
export type { CreateOptions, KlingClient, KlingClientOptions } from './client.ts';
export { createKlingClient } from './client.ts';
export type { KlingCode, KlingErrorKind } from './codes.ts';
export { KLING_CODES } from './codes.ts';
export type { Credentials } from './credentials.ts';
export { createTokenSource } from './credentials.ts';
export type { Kind } from './endpoints.ts';
export { ENDPOINTS, KINDS, kindSchema } from './endpoints.ts';
export { KlingError } from './errors.ts';
export type { Model } from './models.ts';
export { MODELS } from './models.ts';
export type { ResultFile, UpstreamTask } from './replies.ts';
export { callbackBody, envelope, finished, taskData, taskRecord } from './replies.ts';
export type {
  ImageToVideoRequest,
  KlingRequest,
  TextToImageRequest,
  TextToVideoRequest,
  VirtualTryOnRequest,
} from './schema.ts';
export { IMAGE_ASPECT_RATIOS, REQUESTS, VIDEO_ASPECT_RATIOS } from './schema.ts';
export { signWebhook, verifyWebhook, type WebhookHeaders, webhookKey, webhookSecretSchema } from './webhook.ts';
