import type { Core } from "../core.ts";
import type { Draft } from "../message.ts";
import { DROP_REASONS, type DropReason } from "../reasons.ts";

const NAMES = Object.keys(DROP_REASONS) as DropReason[];

/** Gives a browser's message to the core; the reason when it was not put into the outbox, as the core counts it. */
export function recordDraft(core: Core, draft: Draft): DropReason | undefined {
  const before = core.counts.report().dropped;
  core.record("client", () => draft);
  const after = core.counts.report().dropped;
  return NAMES.find((reason) => (after[reason] ?? 0) > (before[reason] ?? 0));
}
