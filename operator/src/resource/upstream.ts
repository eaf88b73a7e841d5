/** `spec.upstream`: where media are generated, and with whose credentials. */
import { z } from 'zod';
import { cel, required, secretKeyRef } from './bounds.ts';

export const upstream = z
  .object({
    provider: z
      .enum(['Kling', 'Sandbox', 'Custom'])
      .describe(
        'Kling: the vendor; Sandbox: a stand-in without key or cost, started beside; Custom: another Kling-compatible endpoint',
      ),
    region: z
      .enum(['Global', 'China'])
      .default('Global')
      .describe('Which site of the vendor; keys are valid for one of them only'),
    endpoint: required(2048)
      .regex(/^https?:\/\/[^\s/@?#]+(\/[^\s?#]*)?$/)
      .optional()
      .describe('Base URL for provider Custom, such as https://kling.example.com'),
    apiKeySecretRef: secretKeyRef().optional().describe('The API key'),
    accessKeySecretRef: secretKeyRef()
      .optional()
      .describe('The access key of an older account, together with secretKeySecretRef'),
    secretKeySecretRef: secretKeyRef()
      .optional()
      .describe('The secret key of an older account, together with accessKeySecretRef'),
    webhookSecretRef: secretKeyRef()
      .optional()
      .describe(
        'Secret that callbacks are signed with; without it they are not listened to and tasks are polled alone',
      ),
  })
  .meta(
    cel(
      {
        rule: "self.provider == 'Sandbox' || has(self.apiKeySecretRef) || (has(self.accessKeySecretRef) && has(self.secretKeySecretRef))",
        message:
          'providers Kling and Custom need apiKeySecretRef, or accessKeySecretRef with secretKeySecretRef; to try without a key use provider: Sandbox',
        fieldPath: '.apiKeySecretRef',
        reason: 'FieldValueRequired',
      },
      {
        rule: 'has(self.accessKeySecretRef) == has(self.secretKeySecretRef)',
        message: 'accessKeySecretRef and secretKeySecretRef go together: set both or neither',
      },
      {
        rule: '!(has(self.apiKeySecretRef) && has(self.accessKeySecretRef))',
        message: 'apiKeySecretRef and accessKeySecretRef exclude each other: set one',
      },
      {
        rule: "(self.provider == 'Custom') == has(self.endpoint)",
        message: 'endpoint goes with provider Custom, and only with it',
        fieldPath: '.endpoint',
      },
    ),
  );
