/** Implements `candor export`, which writes stored events, or a report, as NDJSON, CSV or Parquet. */
import { extname } from "node:path";
import { refuse } from "@candor/node/operator";
import type { TableFormat } from "@candor/server/formats";
import { type Asked, askForEvents, askForPlan, openReport } from "./collector.ts";
import { createEventTable } from "./event-table.ts";
import { type ProductOption, withCollector } from "./keys.ts";
import { FileUnwritable, type Output, withOutput } from "./output.ts";
import { createProgress, print, toSafeText } from "./terminal.ts";

/** Events per request, the most that the collector gives. */
const PAGE_SIZE = 1000;

export interface ExportOptions extends ProductOption {
  /** Times in RFC 3339, of the events: not before, and before. Of a report, its first and last day. */
  readonly from?: string;
  readonly to?: string;
  readonly source?: string;
  readonly event?: string;
  /** Default: what the file's name ends in, else `ndjson`. */
  readonly format?: TableFormat;
  /** Such as `installs`: exports this report instead of events. */
  readonly report?: string;
  /** A table of the report. Default: its main one. */
  readonly table?: string;
}

/**
 * Writes events, newest first, or a report, to a file or to standard output. Resolves to 0, or to 2 if
 * nothing was asked or the file cannot be written.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`, and what `findToken` throws
 */
export async function exportStored(file: string | undefined, options: ExportOptions): Promise<number> {
  if (options.table !== undefined && options.report === undefined)
    return refuse("Only a report has tables. Write --report as well.");
  const isParquet = (options.format ?? formatOf(file)) === "parquet";
  if (file === undefined && isParquet && process.stdout.isTTY)
    return refuse("Parquet cannot be shown in a terminal. Name a file: candor export events.parquet");
  return withCollector(options, async (collector) => {
    try {
      const what = await writeExport(collector, file, options);
      if (file !== undefined) await print(`${what} written to ${toSafeText(file)}.\n`);
      return 0;
    } catch (error) {
      if (error instanceof FileUnwritable) return refuse(toSafeText(error.message));
      throw error;
    }
  });
}

/** Asks a collector, and writes. Resolves to what was written, in words. */
export function writeExport(
  collector: Asked,
  file: string | undefined,
  options: ExportOptions,
): Promise<string> {
  const { report, table, format = formatOf(file), product: _named, ...filters } = options;
  return withOutput(file, async (output) => {
    if (report !== undefined) {
      const parameters = new URLSearchParams({ ...filters, format, ...(table && { table }) });
      for await (const bytes of await openReport(collector, report, parameters)) await output.write(bytes);
      return `The report ${report} was`;
    }
    const write =
      format === "ndjson" ? writeLines(output) : await createTable(collector, output, format, options);
    const exported = await readEvents(collector, new URLSearchParams({ ...filters }), write.events);
    await write.end();
    return `${exported.toLocaleString("en")} ${exported === 1 ? "event was" : "events were"}`;
  });
}

function formatOf(file = ""): TableFormat {
  const extension = extname(file).toLowerCase();
  return extension === ".csv" ? "csv" : extension === ".parquet" ? "parquet" : "ndjson";
}

interface EventWriter {
  events(events: readonly unknown[]): Promise<void>;
  end(): Promise<void>;
}

/** Writes each event as one line, as `GET /api/events` shows it. */
function writeLines(output: Output): EventWriter {
  return {
    events: (events) => output.write(events.map((event) => `${JSON.stringify(event)}\n`).join("")),
    end: async () => {},
  };
}

/** Writes each event as a row, with the columns of the collector's plan. */
async function createTable(
  collector: Asked,
  output: Output,
  format: TableFormat,
  wanted: ExportOptions,
): Promise<EventWriter> {
  const table = createEventTable(await askForPlan(collector), wanted);
  // Loaded here, because no other command needs the libraries.
  const { createTableWriter } = await import("@candor/server/formats");
  const writer = createTableWriter(format, table.columns);
  return {
    events: (events) => output.write(writer.add(events.map(table.toRow))),
    end: () => output.write(writer.end()),
  };
}

/** Reads events page by page, so that memory does not grow with their number. Resolves to how many there were. */
async function readEvents(
  collector: Asked,
  filters: URLSearchParams,
  write: EventWriter["events"],
): Promise<number> {
  const progress = createProgress();
  let exported = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = new URLSearchParams([...filters, ["limit", String(PAGE_SIZE)]]);
    if (cursor !== undefined) page.set("cursor", cursor);
    const { events, next } = await askForEvents(collector, page);
    await write(events);
    exported += events.length;
    progress.show(`${exported.toLocaleString("en")} events exported`);
    cursor = next;
  }
  progress.end();
  return exported;
}
