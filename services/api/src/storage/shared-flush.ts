/**
 * One flush for all who ask while another runs. What runs began too early to say anything of what was written since, so who
 * comes meanwhile waits for the next one.
 *
 * @param flush brings all that was written before its call to the disk
 */
export function shareFlush(flush: () => Promise<void>): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running.then(() => {
      next = undefined;
      const flushed = flush();
      running = flushed.catch(() => {});
      return flushed;
    });
    return next;
  };
}
