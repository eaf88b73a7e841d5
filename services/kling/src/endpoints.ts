import { z } from 'zod';

/** The kinds of task that this client makes. Each has one path: create there, query below it. */
export const KINDS = ['text-to-image', 'text-to-video', 'image-to-video', 'virtual-try-on'] as const;
export const kindSchema = z.enum(KINDS);
export type Kind = z.infer<typeof kindSchema>;

/** What a kind's results are, and the path of the legacy family (the one that has images). */
export const ENDPOINTS: Readonly<Record<Kind, { readonly path: string; readonly result: 'images' | 'videos' }>> = {
  'text-to-image': { path: '/v1/images/generations', result: 'images' },
  'text-to-video': { path: '/v1/videos/text2video', result: 'videos' },
  'image-to-video': { path: '/v1/videos/image2video', result: 'videos' },
  'virtual-try-on': { path: '/v1/images/kolors-virtual-try-on', result: 'images' },
};
