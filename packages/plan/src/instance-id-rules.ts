/** Checks what a source's `instance_id` requires of the ids and events that it names. */
import type { FieldFile } from "./field-format.ts";
import type { PlanFile } from "./format.ts";
import type { PlanSourceName } from "./plan.ts";
import type { PlanScope } from "./scope.ts";
import { isRecord } from "./structure.ts";

/** Reports an `instance_id` that no message could carry unchanged, or that is a browser's own id. */
export function checkInstanceId(plan: Partial<PlanFile>, source: PlanSourceName, scope: PlanScope): void {
  const at = ["sources", source, "instance_id"];
  const path: unknown = plan.sources?.[source]?.instance_id;
  if (typeof path !== "string" || !scope.isSound(["sources", source])) return;
  if (path === "anonymousId") {
    if (source === "client") scope.report(at, OF_A_BROWSER);
    else if (!isKeptText(plan.sources?.[source]?.ids?.anonymousId)) scope.report(at, ID_NOT_KEPT);
    return;
  }
  const name = path.replace(/^properties\./, "");
  const fields = fieldsNamed(name, source, plan, scope);
  if (fields.length === 0) scope.report(at, notDeclared(name, source));
  else if (!fields.every(isKeptText)) scope.report(at, notKept(name));
}

const OF_A_BROWSER =
  "The client's `anonymousId` is a browser's own id, not its instance's. Write `properties.NAME`, a property that carries the instance's id.";
const ID_NOT_KEPT =
  "This source's `anonymousId` is not kept as it is sent. Declare `anonymousId` under `ids`, with a `pattern` and without `hash`.";
const notDeclared = (name: string, source: string): string =>
  `No event of the source ${source} declares \`${name}\`. Declare it in \`properties\` (or \`traits\`), or write the property that carries the instance's id.`;
const notKept = (name: string): string =>
  `\`${name}\` is not kept as it is sent. Make it a string without \`hash\` and \`format\` wherever it is declared.`;

function fieldsNamed(
  name: string,
  source: PlanSourceName,
  plan: Partial<PlanFile>,
  scope: PlanScope,
): readonly unknown[] {
  return Object.values(plan.events ?? []).flatMap((event, index) => {
    if (!isRecord(event) || !scope.isSound(["events", index]) || !event.source.includes(source)) return [];
    return [event.properties, event.traits].flatMap((block: unknown) =>
      isRecord(block) && Object.hasOwn(block, name) ? [block[name]] : [],
    );
  });
}

/** Whether the value is kept as the text that was sent. */
function isKeptText(field: unknown): boolean {
  const { type, hash = false, format = "text" } = (isRecord(field) ? field : {}) as Partial<FieldFile>;
  return type === "string" && !hash && format === "text";
}
