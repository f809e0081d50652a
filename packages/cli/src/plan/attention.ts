/** Lists warnings about a plan: things that are allowed, but that its maker should know about. */
import {
  labelOf,
  listShellGaps,
  PLAN_SOURCES,
  type Plan,
  type PlanEvent,
  usualDisableSwitch,
} from "@candor/plan";
import { listChangedExamples } from "@candor/server";

const SOON_DAYS = 30;
const DAY_MS = 24 * 3600 * 1000;

export interface Attention {
  readonly kind: "switch" | "observe" | "ip_keep" | "installer" | "expired" | "expiring" | "example_changed";
  /** The part of the plan, such as `source client` or `event track Installation Started`. */
  readonly where: string;
  readonly text: string;
}

/** Lists the warnings. `nowMs`, in epoch milliseconds, decides which events have expired or expire soon. */
export function listAttention(plan: Plan, nowMs: number): readonly Attention[] {
  const ofSources = PLAN_SOURCES.flatMap((name): Attention[] => {
    const source = plan.sources[name];
    const where = `source ${name}`;
    return [
      ...(source?.mode === "observe"
        ? [{ kind: "observe" as const, where, text: "It is in mode observe: undeclared data is kept." }]
        : []),
      ...(source?.ip === "keep"
        ? [{ kind: "ip_keep" as const, where, text: "It keeps whole IP addresses." }]
        : []),
    ];
  });
  const ofExamples = listChangedExamples(plan).map(({ where, path, text }) => ({
    kind: "example_changed" as const,
    where: `${where}: ${path}`,
    text,
  }));
  const ofKit = listShellGaps(plan).map((gap) => ({ kind: "installer" as const, ...gap }));
  return [
    ...checkSwitch(plan),
    ...ofSources,
    ...ofKit,
    ...plan.events.flatMap((event) => checkExpiry(event, nowMs)),
    ...ofExamples,
  ];
}

function checkSwitch({ product, switches: { disable } }: Plan): readonly Attention[] {
  const usual = usualDisableSwitch(product);
  if (disable.includes(usual)) return [];
  const text = `An operator who guesses the name from the product sets \`${usual}=true\`, which has no effect. Write \`disable: [${[...disable, usual].join(", ")}]\`.`;
  return [{ kind: "switch", where: "switches", text }];
}

/** Whether the event has expired, so that the collector drops it, unless the source is in mode `observe`. */
export function isExpired({ expires }: PlanEvent, nowMs: number): boolean {
  return expires !== undefined && Date.parse(expires) <= nowMs;
}

function checkExpiry(event: PlanEvent, nowMs: number): readonly Attention[] {
  const { expires } = event;
  if (expires === undefined) return [];
  const where = `event ${labelOf(event)}`;
  const todo = "Renew `expires`, or remove the event from the plan.";
  if (isExpired(event, nowMs))
    return [{ kind: "expired", where, text: `It expired on ${expires} and is dropped. ${todo}` }];
  const days = Math.ceil((Date.parse(expires) - nowMs) / DAY_MS);
  if (days > SOON_DAYS) return [];
  const span = days === 1 ? "within a day" : `in ${days} days`;
  return [{ kind: "expiring", where, text: `It expires on ${expires}, ${span}. ${todo}` }];
}
